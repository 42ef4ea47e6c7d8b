/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch route on the host device: what is served, what is not, and that memory comes back. A
 * process reads its configuration once, so each scenario runs in a child of its own.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ZDICT_STATIC_LINKING_ONLY
#include <zdict.h>
#include <zstd.h>

#include "plugin/batch/batch.h"
#include "plugin/core/costs.h"
#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/sampled_file.h"
#include "tests/support/scenarios.h"

static bool configure(void (*adjust)(rp_plugin_config *))
{
    rp_plugin_config config;

    rp_plugin_config_default(&config, sizeof(config));
    memcpy(config.device, "host", sizeof("host"));
    config.goal = RP_GOAL_DEVICE;
    config.batch = RP_BATCH_ON;
    config.effort = RP_EFFORT_FAST;
    config.log = RP_LOG_OFF;
    config.timeout_ms = 60000; /* a busy machine may take long for a chunk */
    if (adjust != NULL)
        adjust(&config);
    return rp_plugin_configure(&config, NULL) == RP_STATUS_OK;
}

static uint64_t served(void)
{
    return rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH);
}

/* Asks for all blocks in order; how many of them a batch served. */
static uint64_t ask_for_all(const sampled_file *file)
{
    uint64_t before = served();

    for (size_t i = 0; i < file->n_blocks; i++) {
        if (sampled_file_ask(file, i, 3, false) != RP_FALLBACK_NONE)
            return UINT64_MAX;
    }
    return served() - before;
}

static bool all_blocks_in_order(void)
{
    static const struct {
        size_t n, bytes;
    } shapes[] = {{1, 4096}, {2, 16384}, {3, 700}, {257, 4096}, {300, 16384}, {40, 65536}};

    CHECK(configure(NULL));
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        sampled_file file;
        sampled_file_make(&file, shapes[i].n, shapes[i].bytes, 0, i);
        CHECK(sampled_file_begin(&file, NULL) != 0);
        CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) > 0);
        CHECK(ask_for_all(&file) == shapes[i].n);
        CHECK(rp_stats_value(RP_STAT_BATCHES, 0) == i + 1 &&
              rp_stats_value(RP_STAT_BATCH_UNTAKEN_BLOCKS, 0) == 0);
        /* The last block ended it. */
        CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0 && !rp_batch_any_open());
        CHECK(rp_stats_value(RP_STAT_BATCH_MISSES, 0) == 0);
        sampled_file_free(&file);
    }
    return true;
}

static bool frames_are_those_of_the_direct_route(void)
{
    static uint8_t direct[20][32768], batch[32768];
    size_t direct_sizes[20], batch_size = 0;
    sampled_file file;

    CHECK(configure(NULL));
    sampled_file_make(&file, 20, 16384, 0, 1);
    for (size_t i = 0; i < 40; i++) {
        rp_request request = {
            file.blocks[i % 20], file.sizes[i % 20], direct[i % 20], sizeof(batch), 3, false};
        if (i == 20)
            CHECK(sampled_file_begin(&file, NULL) != 0);
        if (i < 20) {
            CHECK(rp_route_compress(&request, &direct_sizes[i]) == RP_FALLBACK_NONE);
        } else {
            request.output = batch;
            CHECK(rp_route_compress(&request, &batch_size) == RP_FALLBACK_NONE);
            CHECK(batch_size == direct_sizes[i - 20]);
            CHECK(memcmp(direct[i - 20], batch, batch_size) == 0);
        }
    }
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 20 && served() == 20);
    sampled_file_free(&file);
    return true;
}

static bool any_order_and_more_than_once(void)
{
    sampled_file file;

    CHECK(configure(NULL));
    sampled_file_make(&file, 200, 4096, 0, 2);
    CHECK(sampled_file_begin(&file, NULL) != 0);
    for (size_t i = 0; i < 200; i++)
        CHECK(sampled_file_ask(&file, i * 77 % 200, 3, false) == RP_FALLBACK_NONE);
    CHECK(served() == 200);
    /* A second time each is an ordinary block. */
    CHECK(ask_for_all(&file) == 0);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 200);
    sampled_file_free(&file);
    return true;
}

static bool one_byte_less_alike_is_another_block(void)
{
    sampled_file file;
    size_t size;

    CHECK(configure(NULL));
    sampled_file_make(&file, 3, 4096, 0, 3);
    CHECK(sampled_file_begin(&file, NULL) != 0);
    size = file.sizes[0];
    /* At the place where it is expected, with its length: every byte counts. */
    for (size_t i = 0; i < size; i++) {
        file.blocks[0][i] ^= 1;
        if (i % 41 == 0 || i < 64 || i > size - 64)
            CHECK(sampled_file_ask(&file, 0, 3, false) == RP_FALLBACK_NONE);
        file.blocks[0][i] ^= 1;
    }
    CHECK(served() == 0 && rp_stats_value(RP_STAT_BATCH_MISSES, 0) > 100);
    /* And none of that took the block away. */
    CHECK(ask_for_all(&file) == 3);
    sampled_file_free(&file);
    return true;
}

static bool blocks_that_only_bytes_tell_apart(void)
{
    sampled_file file;

    CHECK(configure(NULL));
    sampled_file_make(&file, 60, 4096, 0, 4);
    /* Alike but for one byte, where no fingerprint looks. */
    for (size_t i = 0; i < 60; i++) {
        file.sizes[i] = 4032;
        memcpy(file.blocks[i], file.blocks[0], 4032);
        file.blocks[i][301] = (uint8_t)i;
    }
    sampled_file_sample(&file, 0);
    CHECK(sampled_file_begin(&file, NULL) != 0);
    CHECK(ask_for_all(&file) == 60);
    /* In disorder only as many as the table takes are found, and still each as itself. */
    CHECK(sampled_file_begin(&file, NULL) != 0);
    for (size_t i = 0; i < 60; i++)
        CHECK(sampled_file_ask(&file, 59 - i, 3, false) == RP_FALLBACK_NONE);
    CHECK(served() >= 60 + 16);
    sampled_file_free(&file);
    return true;
}

static bool equal_blocks_are_served_each(void)
{
    sampled_file file;

    CHECK(configure(NULL));
    sampled_file_make(&file, 100, 4096, 0, 5);
    for (size_t i = 0; i < 100; i++) {
        file.sizes[i] = 4032;
        memcpy(file.blocks[i], file.blocks[0], 4032);
    }
    sampled_file_sample(&file, 0);
    CHECK(sampled_file_begin(&file, NULL) != 0);
    CHECK(ask_for_all(&file) == 100);
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    sampled_file_free(&file);
    return true;
}

static bool cut_samples_never_match(void)
{
    sampled_file file;
    size_t whole;

    CHECK(configure(NULL));
    /* Sampling stopped in the middle of a block, and before many others. */
    sampled_file_make(&file, 300, 4096, 100 * 4096 + 3000, 6);
    whole = file.n_samples - 1;
    CHECK(whole >= 90 && whole < 110);
    CHECK(sampled_file_begin(&file, NULL) != 0);
    CHECK(ask_for_all(&file) == whole);
    rp_batch_end(0);
    CHECK(rp_batch_any_open());
    sampled_file_free(&file);
    return true;
}

static bool other_levels_begin_anew_or_miss(void)
{
    rp_route_hint wrong = {1, false};
    sampled_file file;

    CHECK(configure(NULL));
    sampled_file_make(&file, 40, 4096, 0, 7);
    CHECK(sampled_file_begin(&file, &wrong) != 0);
    /* The checksum is the caller's, whatever was guessed. */
    for (size_t i = 0; i < 20; i++)
        CHECK(sampled_file_ask(&file, i, 3, true) == RP_FALLBACK_NONE);
    CHECK(served() == 20);
    /* In the same chunk a second kind is not to be had. */
    for (size_t i = 20; i < 40; i++)
        CHECK(sampled_file_ask(&file, i, 3, false) == RP_FALLBACK_PARAMETER);
    CHECK(served() == 20 && rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    sampled_file_free(&file);
    return true;
}

static void any_effort(rp_plugin_config *config)
{
    config->effort = RP_PLUGIN_EFFORT_AUTO;
}

static bool levels_follow_the_caller(void)
{
    static const int levels[] = {1, 3, 6};
    sampled_file file;

    CHECK(configure(any_effort));
    sampled_file_make(&file, 30, 4096, 0, 8);
    for (size_t i = 0; i < 3; i++) {
        uint64_t before = served();
        CHECK(sampled_file_begin(&file, NULL) != 0);
        for (size_t j = 0; j < 30; j++)
            CHECK(sampled_file_ask(&file, j, levels[i], i == 1) == RP_FALLBACK_NONE);
        CHECK(served() - before == 30);
    }
    sampled_file_free(&file);
    return true;
}

static bool abandoned_files_leave_nothing(void)
{
    sampled_file file;
    rp_batch_id id, next;

    CHECK(configure(NULL));
    sampled_file_make(&file, 300, 4096, 0, 9);
    for (int i = 0; i < 200; i++) {
        id = sampled_file_begin(&file, NULL);
        CHECK(id != 0);
        for (size_t j = 0; j < (size_t)i % 7 * 45; j++)
            CHECK(sampled_file_ask(&file, j, 3, false) == RP_FALLBACK_NONE);
        rp_batch_end(id);
        CHECK(!rp_batch_any_open() && rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
        rp_batch_end(id);
    }
    CHECK(rp_stats_value(RP_STAT_BATCH_UNTAKEN_BLOCKS, 0) + served() == 200 * 300);
    /* An old id does not end a new batch. */
    next = sampled_file_begin(&file, NULL);
    CHECK(next != 0 && next != id);
    rp_batch_end(id);
    CHECK(rp_batch_any_open());
    CHECK(ask_for_all(&file) == 300);
    sampled_file_free(&file);
    return true;
}

static bool half_taken_chunks_come_back_early(void)
{
    sampled_file file;
    uint64_t whole, last;

    CHECK(configure(NULL));
    sampled_file_make(&file, 1024, 4096, 0, 10);
    CHECK(sampled_file_begin(&file, NULL) != 0);
    whole = last = rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0);
    CHECK(whole >= 1024 * 4000 && whole < 1024 * 4096 * 5 / 4);
    for (size_t i = 0; i < 1024; i++) {
        CHECK(sampled_file_ask(&file, i, 3, false) == RP_FALLBACK_NONE);
        CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) <= whole + (512 << 10));
        if (i % 256 == 255) {
            CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) < last);
            last = rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0);
        }
    }
    CHECK(rp_stats_value(RP_STAT_BATCH_PEAK_BYTES, 0) <= 1024 * 4096 * 3 / 2);
    sampled_file_free(&file);
    return true;
}

static void little_memory(rp_plugin_config *config)
{
    config->batch_memory_bytes = (size_t)4 << 20;
}

static bool memory_is_bounded(void)
{
    sampled_file file, second;
    uint64_t n;

    CHECK(configure(little_memory));
    sampled_file_make(&file, 2000, 4096, 0, 11);
    sampled_file_make(&second, 20, 4096, 0, 12);
    CHECK(sampled_file_begin(&file, NULL) != 0);
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) <= 4 << 20);
    /* No memory for another file: no batch, and no error. */
    CHECK(sampled_file_begin(&second, NULL) == 0);
    n = ask_for_all(&file);
    CHECK(n > 400 && n < 1200);
    CHECK(rp_stats_value(RP_STAT_BATCH_PEAK_BYTES, 0) <= 4 << 20);
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    CHECK(sampled_file_begin(&second, NULL) != 0);
    CHECK(ask_for_all(&second) == 20);
    sampled_file_free(&file);
    sampled_file_free(&second);
    return true;
}

/* Six of eight slabs have blocks, and two are left for frames. */
static bool files_without_memory_for_frames_say_so(void)
{
    sampled_file files[6];

    CHECK(configure(little_memory));
    for (size_t f = 0; f < 6; f++) {
        sampled_file_make(&files[f], 20, 4096, 0, 40 + f);
        CHECK(sampled_file_begin(&files[f], NULL) != 0);
    }
    for (size_t f = 0; f < 6; f++)
        CHECK(sampled_file_ask(&files[f], 0, 3, false) ==
              (f < 2 ? RP_FALLBACK_NONE : RP_FALLBACK_MEMORY));
    /* What a finished file gives back is enough for another one. */
    for (size_t i = 1; i < 20; i++)
        CHECK(sampled_file_ask(&files[0], i, 3, false) == RP_FALLBACK_NONE);
    CHECK(sampled_file_ask(&files[2], 1, 3, false) == RP_FALLBACK_NONE);
    for (size_t f = 0; f < 6; f++)
        sampled_file_free(&files[f]);
    return true;
}

static bool several_files_at_once(void)
{
    sampled_file files[5];

    CHECK(configure(NULL));
    for (size_t f = 0; f < 5; f++) {
        sampled_file_make(&files[f], 100 + f, 4096, 0, 20 + f);
        CHECK(sampled_file_begin(&files[f], NULL) != 0);
    }
    for (size_t i = 0; i < 100; i++) {
        for (size_t f = 0; f < 5; f++)
            CHECK(sampled_file_ask(&files[f], i, 3, false) == RP_FALLBACK_NONE);
    }
    CHECK(served() == 500);
    for (size_t f = 0; f < 5; f++) {
        for (size_t i = 100; i < files[f].n_blocks; i++)
            CHECK(sampled_file_ask(&files[f], i, 3, false) == RP_FALLBACK_NONE);
        sampled_file_free(&files[f]);
    }
    CHECK(served() == 510 && rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    return true;
}

static bool blocks_that_do_not_shrink_go_to_the_cpu(void)
{
    sampled_file file;
    uint64_t random = 1;

    CHECK(configure(NULL));
    sampled_file_make(&file, 30, 4096, 0, 13);
    for (size_t i = 0; i < file.sizes[7]; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        file.blocks[7][i] = (uint8_t)(random >> 56);
    }
    sampled_file_sample(&file, 0);
    CHECK(sampled_file_begin(&file, NULL) != 0);
    for (size_t i = 0; i < 30; i++)
        CHECK(sampled_file_ask(&file, i, 3, false) ==
              (i == 7 ? RP_FALLBACK_CAPACITY : RP_FALLBACK_NONE));
    CHECK(served() == 29 && rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    sampled_file_free(&file);
    return true;
}

static bool odd_calls_are_refused(void)
{
    size_t sizes[2] = {0, 0};

    CHECK(configure(NULL));
    CHECK(rp_route_begin_batch(NULL, sizes, 1, NULL) == 0);
    CHECK(rp_route_begin_batch("x", NULL, 1, NULL) == 0);
    CHECK(rp_route_begin_batch("x", sizes, 0, NULL) == 0);
    CHECK(rp_route_begin_batch("x", sizes, 2, NULL) == 0);
    rp_batch_end(0);
    rp_batch_end(UINT64_MAX);
    rp_batch_end(12345);
    CHECK(!rp_batch_any_open() && rp_stats_value(RP_STAT_BATCHES, 0) == 0);
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    return true;
}

static void for_both(rp_plugin_config *config)
{
    config->goal = RP_GOAL_AUTO;
}

/* RocksDB is not made to hold the blocks of files that would not be batches. */
static bool kinds_of_files(void)
{
    const rp_route_file dear = {1, 3, 0, 0, 1}, unknown = {2, 3, 0, 0, 1};
    rp_route_hint hint = {3, false};
    sampled_file file;

    CHECK(configure(for_both));
    sampled_file_make(&file, 20, 4096, 0, 15);
    for (int i = 0; i < 3; i++) {
        rp_costs_note(RP_ROUTE_CPU, RP_EFFORT_FAST, 4096, 4096, 20000, 20000);
        rp_costs_note(RP_ROUTE_BATCH, RP_EFFORT_FAST, 4096, 4096, 40000, 40000);
    }
    CHECK(rp_route_batch_bytes(&dear) != 0);
    /* It is begun: RocksDB holds the blocks by now. */
    rp_batch_end(
        rp_route_begin_gathered(&dear, file.samples, file.sample_sizes, file.n_samples, &hint));
    CHECK(rp_stats_value(RP_STAT_BATCHES, 0) == 1);
    CHECK(rp_route_batch_bytes(&dear) == 0 && rp_route_batch_bytes(&unknown) != 0);
    CHECK(rp_stats_value(RP_STAT_BATCHES_DECLINED, 0) == 1);
    sampled_file_free(&file);
    return true;
}

static void batch_off(rp_plugin_config *config)
{
    config->batch = RP_BATCH_OFF;
}

static bool off_is_off(void)
{
    rp_plugin_config config;
    sampled_file file;
    uint8_t dictionary[16384];
    size_t size;

    rp_plugin_config_default(&config, sizeof(config));
    CHECK(config.batch == RP_BATCH_AUTO);
    CHECK(configure(batch_off));
    sampled_file_make(&file, 300, 4096, 0, 14);
    CHECK(sampled_file_begin(&file, NULL) == 0);
    size = ZDICT_trainFromBuffer(dictionary, sizeof(dictionary), file.samples, file.sample_sizes,
                                 (unsigned)file.n_samples);
    CHECK(!ZDICT_isError(size) && size > 1000);
    CHECK(rp_stats_value(RP_STAT_BATCHES, 0) == 0);
    sampled_file_free(&file);
    return true;
}

static size_t show_samples(const sampled_file *file, bool finalize)
{
    static uint8_t dictionary[16384];
    ZDICT_params_t parameters = {3, 0, 0};

    return finalize
               ? ZDICT_finalizeDictionary(dictionary, sizeof(dictionary), file->samples,
                                          sizeof(dictionary), file->samples, file->sample_sizes,
                                          (unsigned)file->n_samples, parameters)
               : ZDICT_trainFromBuffer(dictionary, sizeof(dictionary), file->samples,
                                       file->sample_sizes, (unsigned)file->n_samples);
}

/* What a builder does: a context, samples, blocks, the index block, the context is freed. */
static bool a_builders_calls(bool finalize)
{
    uint8_t frame[8192], decoded[4096];
    sampled_file file, index;

    CHECK(configure(NULL));
    sampled_file_make(&file, 150, 4096, 0, 15);
    sampled_file_make(&index, 1, 4000, 0, 16);
    for (int n = 0; n < 3; n++) {
        ZSTD_CCtx *cctx = ZSTD_createCCtx();
        size_t n_asked = n == 1 ? 60 : 150;
        CHECK(ZDICT_isError(show_samples(&file, finalize)));
        CHECK(rp_stats_value(RP_STAT_BATCHES, 0) == (uint64_t)n + 1);
        for (size_t i = 0; i < n_asked; i++) {
            ZSTD_CCtx *blob = ZSTD_createCCtx();
            size_t size = ZSTD_compress_usingDict(cctx, frame, sizeof(frame), file.blocks[i],
                                                  file.sizes[i], NULL, 0, 3);
            CHECK(ZSTD_decompress(decoded, sizeof(decoded), frame, size) == file.sizes[i]);
            CHECK(memcmp(decoded, file.blocks[i], file.sizes[i]) == 0);
            /* A blob's context comes and goes meanwhile, and ends nothing. */
            CHECK(!ZSTD_isError(
                ZSTD_compressCCtx(blob, frame, sizeof(frame), index.blocks[0], 1000, 3)));
            ZSTD_freeCCtx(blob);
        }
        CHECK(rp_batch_any_open() == (n == 1));
        CHECK(!ZSTD_isError(ZSTD_compress_usingDict(cctx, frame, sizeof(frame), index.blocks[0],
                                                    index.sizes[0], NULL, 0, 3)));
        ZSTD_freeCCtx(cctx);
        CHECK(!rp_batch_any_open() && rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    }
    CHECK(served() == 150 + 60 + 150 && rp_stats_value(RP_STAT_BATCH_UNTAKEN_BLOCKS, 0) == 90);
    sampled_file_free(&file);
    sampled_file_free(&index);
    return true;
}

static bool a_builder_that_trains(void)
{
    return a_builders_calls(false);
}

static bool a_builder_that_finalizes(void)
{
    return a_builders_calls(true);
}

static bool builders_that_give_up_at_once(void)
{
    sampled_file file;

    CHECK(configure(NULL));
    sampled_file_make(&file, 150, 4096, 0, 17);
    for (int i = 0; i < 10; i++) {
        ZSTD_CCtx *cctx = ZSTD_createCCtx();
        CHECK(ZDICT_isError(show_samples(&file, i % 2 == 0)));
        CHECK(rp_batch_any_open());
        /* Nothing was compressed. Either its context tells, or the thread's next file. */
        if (i % 3 != 0) {
            ZSTD_freeCCtx(cctx);
            CHECK(!rp_batch_any_open());
        }
        CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) <= 2 << 20);
    }
    sampled_file_free(&file);
    return true;
}

static bool children_take_nothing(void)
{
    sampled_file file;
    rp_batch_id id;
    int status = 1;
    pid_t child;

    CHECK(configure(NULL));
    sampled_file_make(&file, 50, 4096, 0, 18);
    id = sampled_file_begin(&file, NULL);
    CHECK(id != 0);
    CHECK(sampled_file_ask(&file, 0, 3, false) == RP_FALLBACK_NONE);
    child = fork();
    if (child == 0) {
        bool good = sampled_file_ask(&file, 1, 3, false) == RP_FALLBACK_DEVICE;
        rp_batch_end(id);
        good = good && sampled_file_begin(&file, NULL) == 0;
        good = good && !ZDICT_isError(show_samples(&file, false));
        exit(good ? 0 : 1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    for (size_t i = 1; i < 50; i++)
        CHECK(sampled_file_ask(&file, i, 3, false) == RP_FALLBACK_NONE);
    CHECK(served() == 50);
    sampled_file_free(&file);
    return true;
}

static const scenario scenarios[] = {
    SCENARIO(all_blocks_in_order),
    SCENARIO(frames_are_those_of_the_direct_route),
    SCENARIO(any_order_and_more_than_once),
    SCENARIO(one_byte_less_alike_is_another_block),
    SCENARIO(blocks_that_only_bytes_tell_apart),
    SCENARIO(equal_blocks_are_served_each),
    SCENARIO(cut_samples_never_match),
    SCENARIO(other_levels_begin_anew_or_miss),
    SCENARIO(levels_follow_the_caller),
    SCENARIO(abandoned_files_leave_nothing),
    SCENARIO(half_taken_chunks_come_back_early),
    SCENARIO(memory_is_bounded),
    SCENARIO(files_without_memory_for_frames_say_so),
    SCENARIO(several_files_at_once),
    SCENARIO(blocks_that_do_not_shrink_go_to_the_cpu),
    SCENARIO(odd_calls_are_refused),
    SCENARIO(kinds_of_files),
    SCENARIO(off_is_off),
    SCENARIO(a_builder_that_trains),
    SCENARIO(a_builder_that_finalizes),
    SCENARIO(builders_that_give_up_at_once),
    SCENARIO(children_take_nothing),
};

int main(void)
{
    return RUN_SCENARIOS(scenarios, 0);
}
