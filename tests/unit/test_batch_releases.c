/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches under the calls that the table builders of different releases of RocksDB make, without
 * RocksDB. What differs is which contexts there are, and when:
 *
 *   7.8, up to 8.5   contexts are made before the samples are shown; ZSTD_compress_usingDict. A
 * block that is sampled for its compressibility is compressed in a context of its own first 8.6
 * to 10.3      the same with ZSTD_compress2 10.4 to 10.6     a context for the index before, others
 * for the blocks after the samples 10.7 and later   a context for the index before, and one for
 * each block; the output is smaller than the block
 *
 * Each scenario runs in a child of its own, as a process reads its configuration once.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ZDICT_STATIC_LINKING_ONLY
#include <zdict.h>
#include <zstd.h>

#include "plugin/batch/batch.h"
#include "plugin/core/nesting.h"
#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/sampled_file.h"
#include "tests/support/scenarios.h"

#define N_BLOCKS 130u
#define DICT_BYTES 8192u

/* How far this process's monotonic clock is ahead; the linker puts this function in the place of
 * the C library's (--wrap). */
static time_t clock_ahead_s;

int __real_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now);

int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
    int result = __real_clock_gettime(id, now);

    if (id == CLOCK_MONOTONIC)
        now->tv_sec += clock_ahead_s;
    return result;
}

static bool configure(const char *device)
{
    rp_plugin_config config;

    rp_plugin_config_default(&config, sizeof(config));
    snprintf(config.device, sizeof(config.device), "%s", device);
    config.batch = RP_BATCH_ON;
    config.log = RP_LOG_OFF;
    config.min_block_bytes = 1;
    return rp_plugin_configure(&config, NULL) == RP_STATUS_OK;
}

static uint64_t blocks(rp_route route)
{
    return rp_stats_value(RP_STAT_BLOCKS, route);
}

static uint64_t untaken(void)
{
    return rp_stats_value(RP_STAT_BATCH_UNTAKEN_BLOCKS, 0);
}

static bool nothing_is_held(void)
{
    return !rp_batch_any_open() && rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0;
}

/* 0: there is no dictionary. */
static size_t show_samples(const sampled_file *file, int finalize_level, uint8_t *dictionary)
{
    ZDICT_params_t parameters = {finalize_level, 0, 0};
    size_t size;

    if (finalize_level == 0)
        size = ZDICT_trainFromBuffer(dictionary, DICT_BYTES, file->samples, file->sample_sizes,
                                     (unsigned)file->n_samples);
    else
        size = ZDICT_finalizeDictionary(dictionary, DICT_BYTES, file->samples, DICT_BYTES,
                                        file->samples, file->sample_sizes,
                                        (unsigned)file->n_samples, parameters);
    return ZDICT_isError(size) ? 0 : size;
}

/* What libzstd makes of the samples. */
static bool is_stock_dictionary(const sampled_file *file, int finalize_level,
                                const uint8_t *dictionary, size_t size)
{
    static uint8_t stock[DICT_BYTES];
    size_t stock_size;

    rp_nesting_enter();
    stock_size = show_samples(file, finalize_level, stock);
    rp_nesting_leave();
    return size != 0 && size == stock_size && memcmp(stock, dictionary, size) == 0;
}

/* Whether the frame is the block; `dictionary` may be empty. */
static bool is_frame_of(const uint8_t *frame, size_t frame_size, const uint8_t *block, size_t size,
                        const uint8_t *dictionary, size_t dictionary_size)
{
    uint8_t *decoded = malloc(size);
    ZSTD_DCtx *dctx = ZSTD_createDCtx();
    bool good = decoded != NULL && dctx != NULL && !ZSTD_isError(frame_size) &&
                ZSTD_decompress_usingDict(dctx, decoded, size, frame, frame_size, dictionary,
                                          dictionary_size) == size &&
                memcmp(decoded, block, size) == 0;

    ZSTD_freeDCtx(dctx);
    free(decoded);
    return good;
}

static uint8_t frame[1 << 16];

/* A block of a release up to 8.5. */
static bool compress_old(ZSTD_CCtx *cctx, const uint8_t *block, size_t size, int level)
{
    size_t result =
        ZSTD_compress_usingDict(cctx, frame, ZSTD_compressBound(size), block, size, "", 0, level);

    return is_frame_of(frame, result, block, size, NULL, 0);
}

/* A context of a release from 8.6 on. */
static ZSTD_CCtx *make_context(int level)
{
    ZSTD_CCtx *cctx = ZSTD_createCCtx();

    ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, level);
    return cctx;
}

static bool compress_new(ZSTD_CCtx *cctx, const uint8_t *block, size_t size, size_t capacity)
{
    size_t result;

    ZSTD_CCtx_loadDictionary(cctx, NULL, 0);
    result = ZSTD_compress2(cctx, frame, capacity, block, size);
    return is_frame_of(frame, result, block, size, NULL, 0);
}

/* A sample, in a context of its own, at the level that RocksDB takes for all samples. */
static bool compress_sample(bool is_new, const uint8_t *block, size_t size)
{
    ZSTD_CCtx *cctx = is_new ? make_context(3) : ZSTD_createCCtx();
    bool good = is_new ? compress_new(cctx, block, size, ZSTD_compressBound(size))
                       : compress_old(cctx, block, size, 3);

    ZSTD_freeCCtx(cctx);
    return good;
}

/* A file of a release up to 10.3. Every sample_interval-th block is sampled, 0: none;
 * `first_sample` is the first one. */
static bool build_with_old_contexts(const sampled_file *file, bool is_new, int level,
                                    size_t sample_interval, size_t first_sample)
{
    static uint8_t dictionary[DICT_BYTES];
    ZSTD_CCtx *cctx = is_new ? make_context(level) : ZSTD_createCCtx();

    CHECK(show_samples(file, 0, dictionary) == 0);
    for (size_t i = 0; i < file->n_blocks; i++) {
        if (sample_interval != 0 && i >= first_sample && (i - first_sample) % sample_interval == 0)
            CHECK(compress_sample(is_new, file->blocks[i], file->sizes[i]));
        if (is_new)
            CHECK(compress_new(cctx, file->blocks[i], file->sizes[i],
                               ZSTD_compressBound(file->sizes[i])));
        else
            CHECK(compress_old(cctx, file->blocks[i], file->sizes[i], level));
    }
    /* The index. */
    CHECK(is_new ? compress_new(cctx, file->samples + 100, 3000, ZSTD_compressBound(3000))
                 : compress_old(cctx, file->samples + 100, 3000, level));
    ZSTD_freeCCtx(cctx);
    return true;
}

static bool sampled_for_compression(bool is_new)
{
    static const size_t intervals[] = {0, 1000, 100, 10, 1};
    sampled_file file;

    CHECK(configure("host"));
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 1);
    for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
        uint64_t served = blocks(RP_ROUTE_BATCH);
        /* Levels of other efforts than the samples' have other frames. */
        CHECK(build_with_old_contexts(&file, is_new, i % 2 == 0 ? 5 : 9, intervals[i], 3));
        CHECK(blocks(RP_ROUTE_BATCH) - served == N_BLOCKS);
        CHECK(untaken() == 0 && nothing_is_held());
    }
    CHECK(rp_stats_value(RP_STAT_BATCHES, 0) == 5);
    sampled_file_free(&file);
    return true;
}

static bool samples_up_to_8_5_take_no_block(void)
{
    return sampled_for_compression(false);
}

static bool samples_up_to_10_3_take_no_block(void)
{
    return sampled_for_compression(true);
}

/* Nobody can know that the first block is a sample. After that it is clear. */
static bool a_sample_that_comes_first_takes_one_block(void)
{
    sampled_file file;

    CHECK(configure("host"));
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 2);
    CHECK(build_with_old_contexts(&file, true, 3, 1, 0));
    CHECK(blocks(RP_ROUTE_BATCH) == N_BLOCKS && untaken() == 0 && nothing_is_held());
    CHECK(build_with_old_contexts(&file, false, 3, 1, 0));
    CHECK(blocks(RP_ROUTE_BATCH) == 2 * N_BLOCKS && untaken() == 0 && nothing_is_held());
    sampled_file_free(&file);
    return true;
}

struct worker {
    const sampled_file *file;
    ZSTD_CCtx *cctx;
    size_t first, step;
    bool is_new, is_good;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    const sampled_file *file = worker->file;
    uint8_t out[8192];

    worker->is_good = true;
    for (size_t i = worker->first; i < file->n_blocks; i += worker->step) {
        size_t capacity = ZSTD_compressBound(file->sizes[i]);
        size_t size =
            worker->is_new
                ? ZSTD_compress2(worker->cctx, out, capacity, file->blocks[i], file->sizes[i])
                : ZSTD_compress_usingDict(worker->cctx, out, capacity, file->blocks[i],
                                          file->sizes[i], "", 0, 3);
        worker->is_good =
            worker->is_good && is_frame_of(out, size, file->blocks[i], file->sizes[i], NULL, 0);
    }
    return NULL;
}

#define N_WORKERS 8u

/* parallel_threads: contexts are the builder's, threads others. `contexts_first` up to 10.3. */
static bool build_in_parallel(const sampled_file *file, bool is_new, bool contexts_first)
{
    static uint8_t dictionary[DICT_BYTES];
    struct worker workers[N_WORKERS];
    pthread_t threads[N_WORKERS];
    ZSTD_CCtx *index = is_new ? make_context(3) : ZSTD_createCCtx();
    bool is_good = true;

    for (unsigned i = 0; i < N_WORKERS; i++)
        workers[i] = (struct worker){
            file, contexts_first ? ZSTD_createCCtx() : NULL, i, N_WORKERS, is_new, false};
    CHECK(show_samples(file, 0, dictionary) == 0);
    for (unsigned i = 0; i < N_WORKERS; i++) {
        if (!contexts_first)
            workers[i].cctx = make_context(3);
        CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    for (unsigned i = 0; i < N_WORKERS; i++) {
        pthread_join(threads[i], NULL);
        is_good = is_good && workers[i].is_good;
    }
    for (unsigned i = 0; i < N_WORKERS; i++)
        ZSTD_freeCCtx(workers[i].cctx);
    ZSTD_freeCCtx(index);
    return is_good;
}

static bool parallel_compression(void)
{
    sampled_file file;

    CHECK(configure("host"));
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 3);
    CHECK(build_in_parallel(&file, false, true));
    CHECK(build_in_parallel(&file, true, true));
    CHECK(build_in_parallel(&file, true, false));
    CHECK(blocks(RP_ROUTE_BATCH) == 3 * N_BLOCKS && untaken() == 0 && nothing_is_held());
    sampled_file_free(&file);
    return true;
}

/* A file of 10.7 and later: n_asked blocks are asked for, each in a context of its own. */
static bool ask_with_new_contexts(const sampled_file *file, size_t n_asked, int level)
{
    for (size_t i = 0; i < n_asked; i++) {
        ZSTD_CCtx *cctx = make_context(level);
        CHECK(compress_new(cctx, file->blocks[i], file->sizes[i], file->sizes[i] * 896 / 1024));
        ZSTD_freeCCtx(cctx);
    }
    return true;
}

static bool a_context_for_each_block(void)
{
    static uint8_t dictionary[DICT_BYTES];
    sampled_file file;

    CHECK(configure("host"));
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 4);
    for (int i = 0; i < 4; i++) {
        ZSTD_CCtx *index = make_context(i == 3 ? 9 : 3);
        /* Blocks are sampled before the file's samples are shown. */
        CHECK(compress_sample(true, file.blocks[7], file.sizes[7]));
        CHECK(show_samples(&file, i % 2 * 3, dictionary) == 0);
        CHECK(ask_with_new_contexts(&file, N_BLOCKS, i == 3 ? 9 : 3));
        CHECK(compress_new(index, file.samples + 100, 3000, 2600));
        ZSTD_freeCCtx(index);
        CHECK(blocks(RP_ROUTE_BATCH) == (unsigned)(i + 1) * N_BLOCKS);
        CHECK(untaken() == 0 && nothing_is_held());
    }
    sampled_file_free(&file);
    return true;
}

/* From 10.7 on, without index compression. */
static bool without_a_context_the_first_file_has_a_dictionary(void)
{
    static uint8_t dictionary[DICT_BYTES];
    sampled_file file;
    ZSTD_CDict *cdict;
    size_t size;

    CHECK(configure("host"));
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
    CHECK(blocks(RP_ROUTE_BATCH) == 3 * N_BLOCKS && untaken() == 0 && nothing_is_held());
    ZSTD_freeCDict(cdict);
    sampled_file_free(&file);
    return true;
}

static bool files_that_are_given_up(void)
{
    static uint8_t dictionary[DICT_BYTES];
    sampled_file file;
    ZSTD_CCtx *cctx;

    CHECK(configure("host"));
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 6);
    /* The builder frees what it made before the samples. */
    cctx = make_context(3);
    CHECK(show_samples(&file, 0, dictionary) == 0);
    CHECK(ask_with_new_contexts(&file, 50, 3));
    CHECK(rp_batch_any_open());
    ZSTD_freeCCtx(cctx);
    CHECK(nothing_is_held() && untaken() == N_BLOCKS - 50);
    /* Its thread builds another file. */
    cctx = make_context(3);
    CHECK(show_samples(&file, 0, dictionary) == 0);
    CHECK(ask_with_new_contexts(&file, 30, 3));
    CHECK(show_samples(&file, 0, dictionary) == 0);
    CHECK(ask_with_new_contexts(&file, N_BLOCKS, 3));
    CHECK(nothing_is_held() && untaken() == 2 * N_BLOCKS - 80);
    /* Nothing tells, but any block that is compressed half a minute later finds out. */
    CHECK(show_samples(&file, 0, dictionary) == 0);
    CHECK(ask_with_new_contexts(&file, 10, 3));
    clock_ahead_s = 29;
    CHECK(compress_new(cctx, file.samples + 100, 3000, 2900) && rp_batch_any_open());
    clock_ahead_s = 70;
    CHECK(compress_new(cctx, file.samples + 100, 3000, 2900));
    CHECK(nothing_is_held() && untaken() == 3 * N_BLOCKS - 90);
    ZSTD_freeCCtx(cctx);
    sampled_file_free(&file);
    return true;
}

/* Other threads' contexts, and those that came after the samples, end nothing. */
static void *free_contexts(void *argument)
{
    ZSTD_CCtx **contexts = argument;

    ZSTD_freeCCtx(contexts[0]);
    return NULL;
}

static bool contexts_that_end_nothing(void)
{
    static uint8_t dictionary[DICT_BYTES];
    sampled_file file;
    ZSTD_CCtx *builder, *other;
    pthread_t thread;

    CHECK(configure("host"));
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 7);
    other = make_context(3);
    builder = make_context(3);
    CHECK(show_samples(&file, 0, dictionary) == 0);
    CHECK(compress_new(builder, file.blocks[0], file.sizes[0], 5000));
    CHECK(compress_sample(true, file.blocks[1], file.sizes[1]));
    CHECK(pthread_create(&thread, NULL, free_contexts, &other) == 0);
    pthread_join(thread, NULL);
    for (size_t i = 1; i < N_BLOCKS; i++) {
        CHECK(compress_new(builder, file.blocks[i], file.sizes[i], 5000));
        ZSTD_freeCCtx(make_context(3));
    }
    CHECK(blocks(RP_ROUTE_BATCH) == N_BLOCKS && untaken() == 0);
    ZSTD_freeCCtx(builder);
    sampled_file_free(&file);
    return true;
}

/* Up to 10.3: LZ4 files are trained for with the same functions. */
static bool files_of_other_compressions_keep_their_dictionary(void)
{
    static uint8_t dictionary[DICT_BYTES];
    sampled_file file;
    ZSTD_CCtx *wal;

    CHECK(configure("host"));
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
    CHECK(blocks(RP_ROUTE_BATCH) == 7 * N_BLOCKS);
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
    return configure("off") && has_stock_dictionaries();
}

static bool no_such_device_no_batch(void)
{
    return configure("cuda:99") && has_stock_dictionaries();
}

static bool no_block_fits_no_batch(void)
{
    rp_plugin_config config;

    rp_plugin_config_default(&config, sizeof(config));
    memcpy(config.device, "host", sizeof("host"));
    config.batch = RP_BATCH_ON;
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

static const scenario scenarios[] = {
    SCENARIO(samples_up_to_8_5_take_no_block),
    SCENARIO(samples_up_to_10_3_take_no_block),
    SCENARIO(a_sample_that_comes_first_takes_one_block),
    SCENARIO(parallel_compression),
    SCENARIO(a_context_for_each_block),
    SCENARIO(without_a_context_the_first_file_has_a_dictionary),
    SCENARIO(files_that_are_given_up),
    SCENARIO(contexts_that_end_nothing),
    SCENARIO(files_of_other_compressions_keep_their_dictionary),
    SCENARIO(no_device_no_batch),
    SCENARIO(no_such_device_no_batch),
    SCENARIO(no_block_fits_no_batch),
    SCENARIO(no_memory_no_batch),
};

int main(void)
{
    return RUN_SCENARIOS(scenarios, 0);
}
