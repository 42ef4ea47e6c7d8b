/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation of the plugin and the engine fails in turn, once or from then on: every block
 * still gets a right frame or a reason to take the cpu route, nothing crashes, and with memory
 * again the device is used again. Each failure happens in a process of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "plugin/batch/batch.h"
#include "plugin/core/config.h"
#include "plugin/core/stats.h"
#include "plugin/device/session.h"
#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/sampled_file.h"
#include "tests/support/scenarios.h"

#define N_BLOCKS 60
#define MAX_BYTES 4096
/* More than there are in any scenario, and a test that finds none of them would test nothing. */
#define MAX_ALLOCATIONS 200
/* Exit status of a child. */
#define NO_SUCH_ALLOCATION 3

static bool is_counting; /* while the plugin is called; not while the test itself allocates */
static int n_allocations;
static int failing; /* the nth; 0: none */
static bool for_good;

static bool fails(void)
{
    if (!is_counting)
        return false;
    n_allocations++;
    return failing != 0 && (for_good ? n_allocations >= failing : n_allocations == failing);
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t n, size_t bytes)
{
    return fails() ? NULL : __real_calloc(n, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, bytes);
}

static bool configure(void)
{
    rp_plugin_config config;

    rp_plugin_config_default(&config, sizeof(config));
    memcpy(config.device, "host", sizeof("host"));
    config.batch = RP_BATCH_ON;
    config.goal = RP_GOAL_DEVICE;
    config.effort = RP_EFFORT_FAST;
    config.verify = RP_VERIFY_ALL; /* which needs memory of its own */
    config.log = RP_LOG_OFF;
    config.timeout_ms = 60000;
    config.max_block_bytes = 64 << 10;
    config.breaker_faults = 1000;
    return rp_plugin_configure(&config, NULL) == RP_STATUS_OK;
}

static bool ask(const sampled_file *file, size_t i, rp_fallback_reason *reason)
{
    static uint8_t frame[2 * MAX_BYTES], decoded[MAX_BYTES];
    rp_request request = {file->blocks[i], file->sizes[i], frame, sizeof(frame), 3, false};
    size_t frame_size = 0;

    is_counting = true;
    *reason = rp_route_compress(&request, &frame_size);
    is_counting = false;
    if (*reason != RP_FALLBACK_NONE)
        return true;
    CHECK(ZSTD_decompress(decoded, sizeof(decoded), frame, frame_size) == file->sizes[i]);
    CHECK(memcmp(decoded, file->blocks[i], file->sizes[i]) == 0);
    return true;
}

static rp_batch_id begin(const sampled_file *file)
{
    const rp_route_hint hint = {3, false};
    rp_batch_id id;

    is_counting = true;
    id = rp_route_begin_batch(file->samples, file->sample_sizes, file->n_samples, &hint);
    is_counting = false;
    return id;
}

/* A batch, and the same blocks one by one. How many have a frame of the device. */
static bool compress_file(const sampled_file *file, size_t *n_served)
{
    rp_fallback_reason reason;
    rp_batch_id id = begin(file);

    *n_served = 0;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < file->n_blocks; i++) {
            CHECK(ask(file, i, &reason));
            *n_served += reason == RP_FALLBACK_NONE;
        }
    }
    rp_batch_end(id);
    /* Without memory to verify it, no frame is handed over. */
    CHECK(rp_stats_value(RP_STAT_VERIFIED_BLOCKS, 0) ==
          rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH) +
              rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT));
    CHECK(!rp_batch_any_open() && rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    return true;
}

static bool one_allocation_fails(int nth)
{
    sampled_file file;
    size_t n_served;

    CHECK(configure());
    sampled_file_make(&file, N_BLOCKS, MAX_BYTES, 0, 1);
    n_allocations = 0;
    failing = nth;
    CHECK(compress_file(&file, &n_served));
    if (n_allocations < nth) {
        CHECK(n_served == 2 * N_BLOCKS);
        sampled_file_free(&file);
        exit(NO_SUCH_ALLOCATION);
    }
    if (!for_good)
        CHECK(n_served >= N_BLOCKS || !rp_session_may_work());
    /* Without memory for its lanes, the device is off. */
    failing = 0;
    CHECK(compress_file(&file, &n_served));
    CHECK(n_served == (rp_session_may_work() ? 2 * N_BLOCKS : 0));
    sampled_file_free(&file);
    return true;
}

static bool each_allocation_in_turn(void)
{
    int n = 1, status = 0;

    while (n <= MAX_ALLOCATIONS && (status = run_in_child(one_allocation_fails, n, 60)) == 0)
        n++;
    printf("%d allocations\n", n - 1);
    if (status != NO_SUCH_ALLOCATION)
        fprintf(stderr, "allocation %d fails%s\n", n, for_good ? " and all after it" : "");
    return status == NO_SUCH_ALLOCATION && n > 10;
}

static bool all_allocations_from_one_on(void)
{
    for_good = true;
    return each_allocation_in_turn();
}

int main(void)
{
    const scenario scenarios[] = {
        SCENARIO(each_allocation_in_turn),
        SCENARIO(all_allocations_from_one_on),
    };

    return RUN_SCENARIOS(scenarios, 300);
}
