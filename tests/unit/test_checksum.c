/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ROCKPRESS_CHECKSUM=on: every frame that the device makes carries a checksum, on both of its
 * routes, and libzstd notices each bit of such a frame that has changed. The hook is linked into
 * this program. Each scenario runs in a child of its own.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <zstd.h>

#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/sampled_file.h"
#include "tests/support/scenarios.h"

#define N_BLOCKS 5u
#define CHECKSUM_BYTES 4u

static sampled_file file;

static bool configure(const char *checksum, rp_batch_mode batch)
{
    rp_plugin_config config;

    rp_plugin_config_default(&config, sizeof(config));
    memcpy(config.device, "host", sizeof("host"));
    config.goal = RP_GOAL_DEVICE;
    config.log = RP_LOG_OFF;
    config.batch = batch;
    config.reads = RP_READS_DEVICE; /* a context for each block is that of a thread that reads */
    CHECK_STATUS(rp_plugin_config_set(&config, "CHECKSUM", checksum, NULL), RP_STATUS_OK);
    sampled_file_make(&file, N_BLOCKS, 1000, 0, 1);
    return rp_plugin_configure(&config, NULL) == RP_STATUS_OK;
}

/* As RocksDB does, without asking for a checksum. */
static size_t compress(size_t i, uint8_t *frame, size_t capacity)
{
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    size_t result;

    ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, 3);
    result = ZSTD_compress2(cctx, frame, capacity, file.blocks[i], file.sizes[i]);
    ZSTD_freeCCtx(cctx);
    return result;
}

static bool has_checksum(const uint8_t *frame)
{
    return (frame[4] >> 2 & 1) != 0;
}

/* The frames with one bit changed that decode without an error to something else. */
static size_t silent_changes(size_t i, uint8_t *frame, size_t frame_size)
{
    uint8_t decoded[4096];
    size_t n_silent = 0;

    for (size_t bit = 0; bit < 8 * frame_size; bit++) {
        size_t result;
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        result = ZSTD_decompress(decoded, sizeof(decoded), frame, frame_size);
        n_silent += !ZSTD_isError(result) &&
                    (result != file.sizes[i] || memcmp(decoded, file.blocks[i], result) != 0);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    return n_silent;
}

static bool every_change_is_noticed(void)
{
    uint8_t frame[4096];

    CHECK(configure("on", RP_BATCH_OFF));
    for (size_t i = 0; i < N_BLOCKS; i++) {
        size_t size = compress(i, frame, sizeof(frame));
        CHECK(!ZSTD_isError(size) && has_checksum(frame));
        CHECK(silent_changes(i, frame, size) == 0);
    }
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == N_BLOCKS);
    return true;
}

/* So the scenario above shows something. */
static bool without_it_changes_are_silent(void)
{
    uint8_t frame[4096];
    size_t n_silent = 0;

    CHECK(configure("off", RP_BATCH_OFF));
    for (size_t i = 0; i < N_BLOCKS; i++) {
        size_t size = compress(i, frame, sizeof(frame));
        CHECK(!ZSTD_isError(size) && !has_checksum(frame));
        n_silent += silent_changes(i, frame, size);
    }
    CHECK(n_silent > 0);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == N_BLOCKS);
    return true;
}

/* The frame with a checksum has to fit. Else libzstd is asked, as for any other frame. */
static bool a_frame_that_does_not_fit(void)
{
    uint8_t frame[4096];
    size_t size;

    CHECK(configure("on", RP_BATCH_OFF));
    size = compress(0, frame, sizeof(frame));
    CHECK(!ZSTD_isError(size));
    CHECK(compress(0, frame, size) == size && has_checksum(frame));
    CHECK(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_CAPACITY) == 0);
    for (size_t less = 1; less <= CHECKSUM_BYTES; less++) {
        uint8_t decoded[4096];
        size_t other = compress(0, frame, size - less);
        CHECK(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_CAPACITY) == less);
        if (ZSTD_isError(other))
            continue;
        CHECK(ZSTD_decompress(decoded, sizeof(decoded), frame, other) == file.sizes[0]);
        CHECK(memcmp(decoded, file.blocks[0], file.sizes[0]) == 0);
    }
    return true;
}

static bool batches_have_it(void)
{
    uint8_t frame[4096];

    CHECK(configure("on", RP_BATCH_ON));
    CHECK(sampled_file_begin(&file, NULL) != 0);
    for (size_t i = 0; i < N_BLOCKS; i++) {
        size_t size = compress(i, frame, sizeof(frame));
        CHECK(!ZSTD_isError(size) && has_checksum(frame));
        CHECK(silent_changes(i, frame, size) == 0);
    }
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH) == N_BLOCKS);
    return true;
}

static const scenario scenarios[] = {
    SCENARIO(every_change_is_noticed),
    SCENARIO(without_it_changes_are_silent),
    SCENARIO(a_frame_that_does_not_fit),
    SCENARIO(batches_have_it),
};

int main(void)
{
    return RUN_SCENARIOS(scenarios, 0);
}
