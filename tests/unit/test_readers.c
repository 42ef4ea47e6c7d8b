/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that read don't wait for the device: the calls of RocksDB's compressed secondary cache
 * are told from those of table builders (plugin/hook/asker.h). Each scenario runs in a child of its
 * own.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>

#include <zstd.h>

#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/sampled_file.h"
#include "tests/support/scenarios.h"

#define N_BLOCKS 100u
/* As many blocks a thread has compressed by the device before it is known to read. */
#define N_UNKNOWN 4u

static sampled_file file;

static bool configure(const char *reads)
{
    rp_plugin_config config;
    rp_error error;

    rp_plugin_config_default(&config, sizeof(config));
    memcpy(config.device, "host", sizeof("host"));
    config.goal = RP_GOAL_DEVICE;
    config.log = RP_LOG_OFF;
    CHECK(config.reads == RP_READS_CPU);
    CHECK_STATUS(rp_plugin_config_set(&config, "READS", reads, &error), RP_STATUS_OK);
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 1);
    return rp_plugin_configure(&config, NULL) == RP_STATUS_OK;
}

/* Compresses a block and decodes it again. The capacity is in 1024ths of the block. */
static bool compress(ZSTD_CCtx *cctx, size_t i, bool is_new, size_t capacity)
{
    static _Thread_local uint8_t frame[8192], decoded[4096];
    size_t size = file.sizes[i % N_BLOCKS];
    const uint8_t *block = file.blocks[i % N_BLOCKS];
    size_t result;

    if (is_new) {
        ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, 3);
        ZSTD_CCtx_loadDictionary(cctx, NULL, 0);
        result = ZSTD_compress2(cctx, frame, capacity * size / 1024, block, size);
    } else {
        result =
            ZSTD_compress_usingDict(cctx, frame, ZSTD_compressBound(size), block, size, "", 0, 3);
    }
    return !ZSTD_isError(result) &&
           ZSTD_decompress(decoded, sizeof(decoded), frame, result) == size &&
           memcmp(decoded, block, size) == 0;
}

/* A context for each block. */
static bool insert(bool is_new, size_t capacity)
{
    for (size_t i = 0; i < N_BLOCKS; i++) {
        ZSTD_CCtx *cctx = ZSTD_createCCtx();
        CHECK(compress(cctx, i, is_new, capacity));
        ZSTD_freeCCtx(cctx);
    }
    return true;
}

static bool counts_are(uint64_t direct, uint64_t read)
{
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == direct);
    CHECK(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_READ) == read);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_CPU) == read);
    return true;
}

static bool the_cache_of_old_releases(void)
{
    return configure("cpu") && insert(false, 0) && counts_are(N_UNKNOWN, N_BLOCKS - N_UNKNOWN);
}

/* Up to 10.6 the output has the room of ZSTD_compressBound, afterwards of a byte less than the
 * block. */
static bool the_cache_of_new_releases(void)
{
    return configure("cpu") && insert(true, 1100) && insert(true, 1023) &&
           counts_are(N_UNKNOWN, 2 * N_BLOCKS - N_UNKNOWN);
}

static bool readers_may_have_the_device(void)
{
    return configure("device") && insert(true, 1023) && insert(false, 0) &&
           counts_are(2 * N_BLOCKS, 0);
}

static bool a_file_has_a_context(void)
{
    CHECK(configure("cpu"));
    for (size_t n = 0; n < 10; n++) {
        ZSTD_CCtx *cctx = ZSTD_createCCtx();
        for (size_t i = 0; i < N_BLOCKS; i++)
            CHECK(compress(cctx, i, n % 2 != 0, 1023));
        ZSTD_freeCCtx(cctx);
    }
    return counts_are(10 * N_BLOCKS, 0);
}

/* A thread that reads and builds files loses the first block of a file at most. */
static bool a_reader_that_builds_a_file(void)
{
    ZSTD_CCtx *cctx;

    CHECK(configure("cpu") && insert(false, 0));
    cctx = ZSTD_createCCtx();
    for (size_t i = 0; i < N_BLOCKS; i++)
        CHECK(compress(cctx, i, true, 1023));
    CHECK(counts_are(N_UNKNOWN + N_BLOCKS - 1, N_BLOCKS - N_UNKNOWN + 1));
    ZSTD_freeCCtx(cctx);
    cctx = ZSTD_createCCtx();
    CHECK(compress(cctx, 0, true, 1023));
    ZSTD_freeCCtx(cctx);
    return counts_are(N_UNKNOWN + N_BLOCKS, N_BLOCKS - N_UNKNOWN + 1);
}

/* Files that are sampled, from 10.7 on. */
static bool a_file_has_a_context_for_each_block(void)
{
    return configure("cpu") && insert(true, 896) && insert(true, 896) &&
           counts_are(2 * N_BLOCKS, 0);
}

static void *insert_blobs(void *argument)
{
    *(bool *)argument = insert(false, 0) && insert(true, 1100);
    return NULL;
}

/* A thread starts with the name of the one that starts it. */
static bool a_thread_of_rocksdb_writes_blobs(void)
{
    pthread_t thread;
    bool good[2] = {false, false};

    CHECK(configure("cpu"));
    for (int i = 0; i < 2; i++) {
        prctl(PR_SET_NAME, i == 0 ? "rocksdb:low" : "rocksdb", 0, 0, 0);
        CHECK(pthread_create(&thread, NULL, insert_blobs, &good[i]) == 0);
        pthread_join(thread, NULL);
        CHECK(good[i]);
    }
    return counts_are(2 * N_BLOCKS + N_UNKNOWN, 2 * N_BLOCKS - N_UNKNOWN);
}

static const scenario scenarios[] = {
    SCENARIO(the_cache_of_old_releases),        SCENARIO(the_cache_of_new_releases),
    SCENARIO(readers_may_have_the_device),      SCENARIO(a_file_has_a_context),
    SCENARIO(a_reader_that_builds_a_file),      SCENARIO(a_file_has_a_context_for_each_block),
    SCENARIO(a_thread_of_rocksdb_writes_blobs),
};

int main(void)
{
    return RUN_SCENARIOS(scenarios, 0);
}
