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

#include <zstd.h>

#include "plugin/batch/batch.h"
#include "rockpress/plugin.h"
#include "tests/support/builder_calls.h"
#include "tests/support/check.h"
#include "tests/support/sampled_file.h"
#include "tests/support/scenarios.h"

static bool sampled_for_compression(bool is_new)
{
    static const size_t intervals[] = {0, 1000, 100, 10, 1};
    sampled_file file;

    CHECK(configure_batches("host"));
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 1);
    for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
        uint64_t served = blocks_of(RP_ROUTE_BATCH);
        /* Levels of other efforts than the samples' have other frames. */
        CHECK(build_with_old_contexts(&file, is_new, i % 2 == 0 ? 5 : 9, intervals[i], 3));
        CHECK(blocks_of(RP_ROUTE_BATCH) - served == N_BLOCKS);
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

    CHECK(configure_batches("host"));
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 2);
    CHECK(build_with_old_contexts(&file, true, 3, 1, 0));
    CHECK(blocks_of(RP_ROUTE_BATCH) == N_BLOCKS && untaken() == 0 && nothing_is_held());
    CHECK(build_with_old_contexts(&file, false, 3, 1, 0));
    CHECK(blocks_of(RP_ROUTE_BATCH) == 2 * N_BLOCKS && untaken() == 0 && nothing_is_held());
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

    CHECK(configure_batches("host"));
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 3);
    CHECK(build_in_parallel(&file, false, true));
    CHECK(build_in_parallel(&file, true, true));
    CHECK(build_in_parallel(&file, true, false));
    CHECK(blocks_of(RP_ROUTE_BATCH) == 3 * N_BLOCKS && untaken() == 0 && nothing_is_held());
    sampled_file_free(&file);
    return true;
}

static bool a_context_for_each_block(void)
{
    static uint8_t dictionary[DICT_BYTES];
    sampled_file file;

    CHECK(configure_batches("host"));
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 4);
    for (int i = 0; i < 4; i++) {
        ZSTD_CCtx *index = make_context(i == 3 ? 9 : 3);
        /* Blocks are sampled before the file's samples are shown. */
        CHECK(compress_sample(true, file.blocks[7], file.sizes[7]));
        CHECK(show_samples(&file, i % 2 * 3, dictionary) == 0);
        CHECK(ask_with_new_contexts(&file, N_BLOCKS, i == 3 ? 9 : 3));
        CHECK(compress_new(index, file.samples + 100, 3000, 2600));
        ZSTD_freeCCtx(index);
        CHECK(blocks_of(RP_ROUTE_BATCH) == (unsigned)(i + 1) * N_BLOCKS);
        CHECK(untaken() == 0 && nothing_is_held());
    }
    sampled_file_free(&file);
    return true;
}

static bool files_that_are_given_up(void)
{
    static uint8_t dictionary[DICT_BYTES];
    sampled_file file;
    ZSTD_CCtx *cctx;

    CHECK(configure_batches("host"));
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

    CHECK(configure_batches("host"));
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
    CHECK(blocks_of(RP_ROUTE_BATCH) == N_BLOCKS && untaken() == 0);
    ZSTD_freeCCtx(builder);
    sampled_file_free(&file);
    return true;
}

/* A compaction to two levels builds two files on one thread, as a program with two SstFileWriters
 * may do. Each shows its samples and then asks for all of its blocks. */
static bool two_builders_on_a_thread(void)
{
    static uint8_t dictionary[DICT_BYTES];
    sampled_file files[2];

    CHECK(configure_batches("host"));
    for (unsigned i = 0; i < 2; i++)
        sampled_file_make(&files[i], N_BLOCKS, 4096, 0, 12 + i);
    for (unsigned n = 0; n < 6; n++) {
        ZSTD_CCtx *builders[2] = {make_context(3), make_context(3)};
        for (unsigned k = 0; k < 2; k++) {
            unsigned i = (n + k) % 2;
            CHECK(show_samples(&files[i], 0, dictionary) == 0);
            /* With a context for each block in every other round. */
            if (n % 3 == 0)
                CHECK(ask_with_new_contexts(&files[i], N_BLOCKS, 3));
            for (size_t b = 0; b < N_BLOCKS && n % 3 != 0; b++)
                CHECK(compress_new(builders[i], files[i].blocks[b], files[i].sizes[b], 5000));
            /* The first one may be done before the other one begins. */
            if (k == 0 && n % 2 == 0) {
                ZSTD_freeCCtx(builders[i]);
                builders[i] = NULL;
            }
        }
        ZSTD_freeCCtx(builders[0]);
        ZSTD_freeCCtx(builders[1]);
        CHECK(blocks_of(RP_ROUTE_BATCH) == 2 * (n + 1) * N_BLOCKS);
        CHECK(untaken() == 0 && nothing_is_held());
    }
    sampled_file_free(&files[0]);
    sampled_file_free(&files[1]);
    return true;
}

static const scenario scenarios[] = {
    SCENARIO(samples_up_to_8_5_take_no_block),
    SCENARIO(samples_up_to_10_3_take_no_block),
    SCENARIO(a_sample_that_comes_first_takes_one_block),
    SCENARIO(parallel_compression),
    SCENARIO(a_context_for_each_block),
    SCENARIO(files_that_are_given_up),
    SCENARIO(contexts_that_end_nothing),
    SCENARIO(two_builders_on_a_thread),
};

int main(void)
{
    return RUN_SCENARIOS(scenarios, 0);
}
