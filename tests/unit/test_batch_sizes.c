/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of blocks of all sizes, and of memory of all sizes: where slabs, chunks and lanes end.
 * Every block gets a right frame, from the batch. Each scenario runs in a process of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/batch/batch.h"
#include "plugin/core/stats.h"
#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/queue_device.h"
#include "tests/support/sampled_file.h"
#include "tests/support/scenarios.h"

static queue_device device;
static rp_device_ops ops;
static rp_device tested;
static bool only_asked; /* whoever only asks is told that the device still works */
static const rp_route_hint hint = {3, false};

static rp_status waiting(rp_stream stream, uint32_t timeout_us)
{
    if (only_asked && timeout_us == 0)
        return RP_STATUS_TIMEOUT;
    return device.device.ops->wait(stream, timeout_us);
}

static bool configure(size_t chunk_bytes, size_t max_block_bytes, size_t memory_bytes)
{
    rp_plugin_config config;
    rp_device *runner;

    CHECK(rp_device_open("host", &runner) == RP_STATUS_OK);
    queue_device_open(&device, runner, 0);
    ops = *device.device.ops;
    ops.wait = waiting;
    tested = device.device;
    tested.ops = &ops;
    rp_plugin_config_default(&config, sizeof(config));
    config.custom_device = &tested;
    config.batch = RP_BATCH_ON;
    config.goal = RP_GOAL_DEVICE;
    config.effort = RP_EFFORT_FAST;
    config.log = RP_LOG_OFF;
    config.timeout_ms = 60000;
    config.batch_chunk_bytes = chunk_bytes;
    config.max_block_bytes = max_block_bytes;
    config.memory_bytes = memory_bytes;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    return true;
}

/* Begins a batch of the file and asks for all blocks: the batch has each of them. */
static bool is_served(const sampled_file *file)
{
    uint64_t before = rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH);

    CHECK(sampled_file_begin(file, &hint) != 0);
    for (size_t i = 0; i < file->n_blocks; i++)
        CHECK(sampled_file_ask(file, i, 3, false) == RP_FALLBACK_NONE);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH) - before == file->n_blocks);
    CHECK(!rp_batch_any_open() && rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    return true;
}

static bool blocks_of_one_size(void)
{
    static const size_t sizes[] = {700, 4096, 16384, 40000, 65536, 131072, 262144};

    CHECK(configure(1 << 20, 256 << 10, 0));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        sampled_file file;
        sampled_file_make(&file, (4 << 20) / sizes[i], sizes[i], 0, i + 1);
        printf("%zu bytes\n", sizes[i]);
        CHECK(is_served(&file));
        sampled_file_free(&file);
    }
    return true;
}

/* The first blocks of a chunk are small, so that there is room for many; then comes a larger one.
 */
static bool small_blocks_before_large_ones(void)
{
    CHECK(configure(1 << 20, 256 << 10, 0));
    for (size_t n_small = 1; n_small <= 256; n_small *= 2) {
        sampled_file file;
        sampled_file_make(&file, 600, 65536, 0, n_small);
        for (size_t i = 0; i < file.n_blocks; i++) {
            if (i % (n_small + 1) != n_small)
                file.sizes[i] = 512 + i % 200;
        }
        sampled_file_sample(&file, 0);
        printf("%zu small ones\n", n_small);
        CHECK(is_served(&file));
        sampled_file_free(&file);
    }
    return true;
}

static bool blocks_of_random_sizes(void)
{
    uint64_t random = 88172645463325252u;

    CHECK(configure(2 << 20, 256 << 10, 0));
    for (uint64_t seed = 1; seed <= 4; seed++) {
        sampled_file file;
        sampled_file_make(&file, 200, 262144, 0, seed);
        for (size_t i = 0; i < file.n_blocks; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            /* All magnitudes alike. */
            file.sizes[i] = (size_t)512 << random % 9 | (random >> 8 & 511);
        }
        sampled_file_sample(&file, 0);
        CHECK(is_served(&file));
        sampled_file_free(&file);
    }
    return true;
}

/* A slab has room for the largest block that is configured, up to a limit. */
static bool blocks_beyond_a_usual_slab(void)
{
    sampled_file file;

    CHECK(configure(8 << 20, 1 << 20, 0));
    sampled_file_make(&file, 40, 700000, 0, 1);
    CHECK(is_served(&file));
    sampled_file_free(&file);
    sampled_file_make(&file, 40, 1 << 20, 0, 2);
    CHECK(is_served(&file));
    sampled_file_free(&file);
    return true;
}

/* Some lanes, one, or none: batches get half of the bound at most. */
static bool lanes_within(int mebibytes)
{
    size_t limit = (size_t)mebibytes << 20;
    sampled_file file;
    uint64_t n_batch;

    CHECK(configure(512 << 10, 64 << 10, limit));
    sampled_file_make(&file, 1100, 4096, 0, 3);
    only_asked = true;
    CHECK(sampled_file_begin(&file, &hint) != 0);
    for (size_t i = 0; i < file.n_blocks; i++)
        (void)sampled_file_ask(&file, i, 3, false);
    n_batch = rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH);
    printf("%d MiB: %d lanes, %llu blocks of the batch, %zu bytes\n", mebibytes,
           (int)device.n_streams, (unsigned long long)n_batch, (size_t)device.memory_peak);
    /* Half is for single blocks, of which there are none here. */
    CHECK(device.memory_peak <= limit / 2);
    CHECK(mebibytes >= 64 ? n_batch == file.n_blocks : mebibytes > 2 || n_batch == 0);
    CHECK(!rp_batch_any_open());
    sampled_file_free(&file);
    return true;
}

static bool memory_of_lanes_is_bounded(void)
{
    for (int mebibytes = 1; mebibytes <= 256; mebibytes *= 2)
        CHECK(run_in_child(lanes_within, mebibytes, 60) == 0);
    return true;
}

int main(void)
{
    const scenario scenarios[] = {
        SCENARIO(blocks_of_one_size),         SCENARIO(small_blocks_before_large_ones),
        SCENARIO(blocks_of_random_sizes),     SCENARIO(blocks_beyond_a_usual_slab),
        SCENARIO(memory_of_lanes_is_bounded),
    };

    return RUN_SCENARIOS(scenarios, 240);
}
