/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files keep the dictionary that libzstd trains while ROCKPRESS_BATCH is on: those that zstd
 * does not compress, and all where no batch can be had. With "auto", those that want one. Each
 * scenario runs in a child of its own, as a process reads its configuration once.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>

#include <zstd.h>

#include "plugin/batch/batch.h"
#include "plugin/core/thread_state.h"
#include "rockpress/plugin.h"
#include "tests/support/builder_calls.h"
#include "tests/support/check.h"
#include "tests/support/fault_device.h"
#include "tests/support/sampled_file.h"
#include "tests/support/scenarios.h"

static uint8_t frame[1 << 16];

/* From 10.7 on, without index compression. */
static bool without_a_context_the_first_file_has_a_dictionary(void)
{
    static uint8_t dictionary[DICT_BYTES];
    sampled_file file;
    ZSTD_CDict *cdict;
    size_t size;

    CHECK(configure_batches("host"));
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 5);
    size = show_samples(&file, 0, dictionary);
    CHECK(is_stock_dictionary(&file, 0, dictionary, size));
    cdict = ZSTD_createCDict(dictionary, size, 3);
    CHECK(cdict != NULL);
    for (size_t i = 0; i < N_BLOCKS; i++) {
        ZSTD_CCtx *cctx = make_context(3);
        size_t result;
        ZSTD_CCtx_refCDict(cctx, cdict);
        result = ZSTD_compress2(cctx, frame, sizeof(frame), file.blocks[i], file.sizes[i]);
        CHECK(is_frame_of(frame, result, file.blocks[i], file.sizes[i], dictionary, size));
        ZSTD_freeCCtx(cctx);
    }
    CHECK(rp_stats_value(RP_STAT_BATCHES, 0) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(show_samples(&file, 0, dictionary) == 0);
        CHECK(ask_with_new_contexts(&file, N_BLOCKS, 3));
    }
    CHECK(blocks_of(RP_ROUTE_BATCH) == 3 * N_BLOCKS && untaken() == 0 && nothing_is_held());
    ZSTD_freeCDict(cdict);
    sampled_file_free(&file);
    return true;
}

/* Up to 10.3: LZ4 files are trained for with the same functions. */
static bool files_of_other_compressions_keep_their_dictionary(void)
{
    static uint8_t dictionary[DICT_BYTES];
    sampled_file file;
    ZSTD_CCtx *wal;

    CHECK(configure_batches("host"));
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 8);
    for (int level = 0; level < 5; level++) {
        size_t size;
        /* zstd files on the same thread change nothing. */
        CHECK(build_with_old_contexts(&file, false, 3, 0, 0));
        size = show_samples(&file, level, dictionary);
        CHECK(is_stock_dictionary(&file, level, dictionary, size));
    }
    CHECK(rp_stats_value(RP_STAT_BATCHES, 0) == 5 && untaken() == 0 && nothing_is_held());

    /* With another context of this thread, one file is mistaken for zstd's. */
    wal = ZSTD_createCCtx();
    CHECK(show_samples(&file, 0, dictionary) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(is_stock_dictionary(&file, 0, dictionary, show_samples(&file, 0, dictionary)));
    CHECK(untaken() == N_BLOCKS && nothing_is_held());
    CHECK(build_with_old_contexts(&file, false, 3, 0, 0));
    CHECK(build_with_old_contexts(&file, true, 3, 0, 0));
    CHECK(untaken() == N_BLOCKS && nothing_is_held());
    CHECK(blocks_of(RP_ROUTE_BATCH) == 7 * N_BLOCKS);
    CHECK(is_stock_dictionary(&file, 0, dictionary, show_samples(&file, 0, dictionary)));
    ZSTD_freeCCtx(wal);

    /* The same if the batch was forgotten meanwhile. */
    wal = ZSTD_createCCtx();
    CHECK(show_samples(&file, 0, dictionary) == 0);
    clock_ahead_s = 100;
    CHECK(compress_old(wal, file.samples + 100, 3000, 3) && nothing_is_held());
    CHECK(is_stock_dictionary(&file, 0, dictionary, show_samples(&file, 0, dictionary)));
    ZSTD_freeCCtx(wal);
    sampled_file_free(&file);
    return true;
}

/* As the threads of RocksDB's pools are called. */
static void become(const char *name)
{
    prctl(PR_SET_NAME, name, 0, 0, 0);
    rp_thread.name = 0;
}

/* ROCKPRESS_BATCH=auto: whoever wants a dictionary keeps it. DICT_BYTES are worth a megabyte. */
static bool auto_leaves_dictionaries_to_their_owners(void)
{
    static uint8_t dictionary[DICT_BYTES];
    sampled_file large, small;
    ZSTD_CCtx *cctx;

    CHECK(configure_batch_mode("host", RP_BATCH_AUTO));
    sampled_file_make(&large, 300, 4096, 0, 20);
    sampled_file_make(&small, 250, 4096, 0, 21);
    /* Another program, whatever it shows. */
    cctx = make_context(3);
    become("python3");
    CHECK(is_stock_dictionary(&large, 0, dictionary, show_samples(&large, 0, dictionary)));
    CHECK(is_stock_dictionary(&large, 3, dictionary, show_samples(&large, 3, dictionary)));
    /* RocksDB, with no more samples than a dictionary is trained from. */
    become("rocksdb:low0");
    CHECK(is_stock_dictionary(&small, 0, dictionary, show_samples(&small, 0, dictionary)));
    CHECK(is_stock_dictionary(&small, 3, dictionary, show_samples(&small, 3, dictionary)));
    CHECK(rp_stats_value(RP_STAT_BATCHES, 0) == 0);
    /* RocksDB, with a file. */
    CHECK(show_samples(&large, 0, dictionary) == 0 && rp_stats_value(RP_STAT_BATCHES, 0) == 1);
    ZSTD_freeCCtx(cctx);
    cctx = make_context(3);
    CHECK(show_samples(&large, 3, dictionary) == 0 && rp_stats_value(RP_STAT_BATCHES, 0) == 2);
    ZSTD_freeCCtx(cctx);
    /* And that of LZ4. */
    CHECK(is_stock_dictionary(&large, 0, dictionary, show_samples(&large, 0, dictionary)));
    CHECK(rp_stats_value(RP_STAT_BATCHES, 0) == 2);
    sampled_file_free(&large);
    sampled_file_free(&small);
    return true;
}

/* Where there can be no batch, the dictionary is trained as libzstd does. */
static bool has_stock_dictionaries(void)
{
    static uint8_t dictionary[DICT_BYTES];
    sampled_file file;

    sampled_file_make(&file, N_BLOCKS, 4096, 0, 9);
    for (int level = 0; level < 5; level++) {
        ZSTD_CCtx *cctx = make_context(3);
        size_t size = show_samples(&file, level, dictionary);
        CHECK(is_stock_dictionary(&file, level, dictionary, size));
        ZSTD_freeCCtx(cctx);
    }
    CHECK(rp_stats_value(RP_STAT_BATCHES, 0) == 0 && nothing_is_held());
    sampled_file_free(&file);
    return true;
}

static bool no_device_no_batch(void)
{
    return configure_batches("off") && has_stock_dictionaries();
}

static bool no_such_device_no_batch(void)
{
    return configure_batches("cuda:99") && has_stock_dictionaries();
}

static bool no_block_fits_no_batch(void)
{
    rp_plugin_config config;

    rp_plugin_config_default(&config, sizeof(config));
    memcpy(config.device, "host", sizeof("host"));
    config.batch = RP_BATCH_ON;
    config.goal = RP_GOAL_DEVICE;
    config.log = RP_LOG_OFF;
    config.max_block_bytes = 1024;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    return has_stock_dictionaries();
}

static bool no_memory_no_batch(void)
{
    rp_plugin_config config;
    static uint8_t dictionary[DICT_BYTES];
    rp_batch_id others[64];
    size_t n_others = 0;
    sampled_file file;
    ZSTD_CCtx *cctx;

    rp_plugin_config_default(&config, sizeof(config));
    memcpy(config.device, "host", sizeof("host"));
    config.batch = RP_BATCH_ON;
    config.goal = RP_GOAL_DEVICE;
    config.log = RP_LOG_OFF;
    config.batch_memory_bytes = 4 << 20;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 10);
    while (n_others < 64 && (others[n_others] = sampled_file_begin(&file, NULL)) != 0)
        n_others++;
    CHECK(n_others > 1 && n_others < 64);
    cctx = make_context(3);
    CHECK(is_stock_dictionary(&file, 0, dictionary, show_samples(&file, 0, dictionary)));
    while (n_others > 0)
        rp_batch_end(others[--n_others]);
    CHECK(show_samples(&file, 0, dictionary) == 0);
    ZSTD_freeCCtx(cctx);
    CHECK(nothing_is_held());
    sampled_file_free(&file);
    return true;
}

/* The device fails while it compresses the first file. That file has no dictionary, the next ones
 * have. */
static bool device_that_fails(rp_status status)
{
    static fault_device device;
    static uint8_t dictionary[DICT_BYTES];
    rp_plugin_config config;
    rp_device *host;
    sampled_file file;
    ZSTD_CCtx *cctx;

    CHECK_STATUS(rp_device_open("host", &host), RP_STATUS_OK);
    fault_device_open(&device, host, RP_DEVICE_HOST_MEMORY);
    rp_plugin_config_default(&config, sizeof(config));
    config.custom_device = &device.device;
    config.batch = RP_BATCH_ON;
    config.goal = RP_GOAL_DEVICE;
    config.log = RP_LOG_OFF;
    config.timeout_ms = 60000;
    config.breaker_faults = 1;
    config.breaker_retry_ms = 3600000;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 11);
    cctx = make_context(3);
    CHECK(show_samples(&file, 0, dictionary) == 0);
    CHECK(compress_new(cctx, file.blocks[0], file.sizes[0], 5000));
    CHECK(blocks_of(RP_ROUTE_BATCH) == 1);
    fault_device_plan(&device, (fault_plan){FAULT_LAUNCH, 1, true, status});
    for (size_t i = 1; i < N_BLOCKS; i++)
        CHECK(compress_new(cctx, file.blocks[i], file.sizes[i], 5000));
    CHECK(blocks_of(RP_ROUTE_CPU) > 0 && blocks_of(RP_ROUTE_DIRECT) == 0);
    ZSTD_freeCCtx(cctx);
    CHECK(nothing_is_held());
    for (int level = 0; level < 5; level++) {
        cctx = make_context(3);
        CHECK(
            is_stock_dictionary(&file, level, dictionary, show_samples(&file, level, dictionary)));
        ZSTD_freeCCtx(cctx);
    }
    CHECK(rp_stats_value(RP_STAT_BATCHES, 0) == 1 && nothing_is_held());
    sampled_file_free(&file);
    return true;
}

static bool a_lost_device_no_batch(void)
{
    return device_that_fails(RP_STATUS_DEVICE_FAULT);
}

static bool an_open_breaker_no_batch(void)
{
    return device_that_fails(RP_STATUS_LAUNCH_FAILED);
}

static const scenario scenarios[] = {
    SCENARIO(without_a_context_the_first_file_has_a_dictionary),
    SCENARIO(files_of_other_compressions_keep_their_dictionary),
    SCENARIO(auto_leaves_dictionaries_to_their_owners),
    SCENARIO(no_device_no_batch),
    SCENARIO(no_such_device_no_batch),
    SCENARIO(no_block_fits_no_batch),
    SCENARIO(no_memory_no_batch),
    SCENARIO(a_lost_device_no_batch),
    SCENARIO(an_open_breaker_no_batch),
};

int main(void)
{
    return RUN_SCENARIOS(scenarios, 0);
}
