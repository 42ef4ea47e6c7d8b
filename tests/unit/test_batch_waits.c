/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a block waits for a batch that the device is slow to make, by the goal and by what the
 * thread has saved. Each scenario runs in a process of its own.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "plugin/batch/batch.h"
#include "plugin/core/balance.h"
#include "plugin/core/costs.h"
#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/queue_device.h"
#include "tests/support/sampled_file.h"
#include "tests/support/scenarios.h"

static queue_device device;
static rp_device *runner;
static rp_device_ops ops;
static rp_device tested;

static struct {
    void *handle;
    uint64_t done_us;
} slow_streams[4];

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static uint64_t *done_at(void *handle)
{
    size_t i = 0;

    while (i < 3 && slow_streams[i].handle != NULL && slow_streams[i].handle != handle)
        i++;
    slow_streams[i].handle = handle;
    return &slow_streams[i].done_us;
}

/* What a chunk takes on the slow device, where it is waited for, and where it is not. */
#define SLOW_DEVICE_US 60000u
#define LONGER_THAN_THE_TEST_US 100000000u

static uint32_t slow_device_us = SLOW_DEVICE_US; /* UINT32_MAX: it never comes back */
static uint32_t longest_wait_us;                 /* that anybody has asked for */
static bool is_refusing;                         /* it does not even wait */
static unsigned n_waits;

static rp_status slow_launch(rp_stream stream, const struct rp_launch *launch)
{
    *done_at(stream.handle) = slow_device_us == UINT32_MAX ? UINT64_MAX : now_us() + slow_device_us;
    return device.device.ops->launch(stream, launch);
}

static rp_status slow_wait(rp_stream stream, uint32_t timeout_us)
{
    uint64_t begun = now_us();

    n_waits++;
    if (is_refusing)
        return RP_STATUS_TIMEOUT;
    if (timeout_us > longest_wait_us)
        longest_wait_us = timeout_us;
    while (now_us() < *done_at(stream.handle)) {
        if (now_us() - begun >= timeout_us)
            return RP_STATUS_TIMEOUT;
        usleep(timeout_us < 500 ? timeout_us : 500);
    }
    return device.device.ops->wait(stream, timeout_us);
}

static bool configure(rp_goal goal, uint32_t timeout_ms)
{
    rp_plugin_config config;

    CHECK(rp_device_open("host", &runner) == RP_STATUS_OK);
    queue_device_open(&device, runner, 0);
    ops = *device.device.ops;
    ops.launch = slow_launch;
    ops.wait = slow_wait;
    tested = device.device;
    tested.ops = &ops;
    rp_plugin_config_default(&config, sizeof(config));
    config.custom_device = &tested;
    config.batch = RP_BATCH_ON;
    config.goal = goal;
    config.effort = RP_EFFORT_FAST;
    config.log = RP_LOG_OFF;
    config.batch_lanes = 3;
    config.batch_chunk_bytes = 512 << 10;
    config.max_block_bytes = 64 << 10;
    config.breaker_faults = 1000;
    config.timeout_ms = timeout_ms;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    for (int i = 0; i < 3; i++)
        rp_costs_note(RP_ROUTE_CPU, RP_EFFORT_FAST, 4096, 4096, 20000, 20000);
    return true;
}

#define N_BLOCKS 1100u
/* So few that a device that is too slow is not given up yet. */
#define FEW_BLOCKS 400u
#define PATIENCE_MS 60000u

static uint64_t n_faults(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < RP_N_FAULTS; i++)
        sum += rp_stats_value(RP_STAT_FAULTS, i);
    return sum;
}

/* A device that takes long for a chunk, where libzstd would take some 20 us for a block. */
static bool on_a_slow_device(unsigned n_asked, int64_t balance_ns, uint64_t *n_busy)
{
    rp_route_hint hint = {3, false};
    unsigned n_samples = 0;
    sampled_file file;
    rp_batch_id id;

    sampled_file_make(&file, N_BLOCKS, 4096, 0, 9);
    *n_busy = 0;
    id = sampled_file_begin(&file, &hint);
    CHECK(id != 0);
    rp_thread.balance_ns = balance_ns;
    for (size_t i = 0; i < n_asked; i++) {
        rp_fallback_reason reason = sampled_file_ask(&file, i, 3, false);
        /* Far ahead of the device, the thread finds all lanes taken, too. */
        bool is_busy = reason == RP_FALLBACK_BUSY || reason == RP_FALLBACK_POOL;
        CHECK(reason == RP_FALLBACK_NONE || is_busy || reason == RP_FALLBACK_ROUTER);
        *n_busy += is_busy;
        n_samples += reason == RP_FALLBACK_ROUTER;
    }
    /* One in 256 tells what libzstd costs. */
    CHECK(n_samples == n_asked / 256 && rp_stats_value(RP_STAT_ROUTER_PROBES, 0) == n_samples);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH) == n_asked - n_samples - *n_busy);
    CHECK(n_faults() == 0 && rp_batch_any_open() == (n_asked < N_BLOCKS));
    rp_batch_end(id);
    sampled_file_free(&file);
    return true;
}

static bool a_thread_in_a_hurry_does_not_wait(void)
{
    uint64_t n_busy;

    slow_device_us = LONGER_THAN_THE_TEST_US;
    CHECK(configure(RP_GOAL_THROUGHPUT, PATIENCE_MS));
    CHECK(on_a_slow_device(FEW_BLOCKS, 0, &n_busy));
    CHECK(n_busy == FEW_BLOCKS - 1);
    return true;
}

static bool a_thread_that_saves_cpu_waits(void)
{
    uint64_t n_busy;

    CHECK(configure(RP_GOAL_CPU, PATIENCE_MS));
    CHECK(on_a_slow_device(N_BLOCKS, 0, &n_busy));
    CHECK(n_busy == 0);
    return true;
}

static bool a_thread_without_savings_does_not_wait(void)
{
    uint64_t n_busy;

    slow_device_us = LONGER_THAN_THE_TEST_US;
    CHECK(configure(RP_GOAL_AUTO, PATIENCE_MS));
    CHECK(on_a_slow_device(FEW_BLOCKS, 0, &n_busy));
    CHECK(n_busy == FEW_BLOCKS - 1);
    /* No wait is longer than what libzstd takes. */
    CHECK(longest_wait_us <= 21);
    return true;
}

static bool a_thread_with_savings_spends_them(void)
{
    uint64_t n_busy;

    slow_device_us = 150000;
    CHECK(configure(RP_GOAL_AUTO, PATIENCE_MS));
    CHECK(on_a_slow_device(FEW_BLOCKS, RP_BALANCE_MOST_NS, &n_busy));
    CHECK(n_busy < FEW_BLOCKS);
    /* All of it, and what libzstd takes. */
    CHECK(longest_wait_us > 200000 && longest_wait_us <= 250021);
    CHECK(rp_balance_ns() < RP_BALANCE_MOST_NS - 30000000);
    return true;
}

/* How many blocks of a file of their own are refused while the thread has so much. */
static bool count_busy(int64_t balance_ns, unsigned *n_busy, unsigned *n_served)
{
    rp_route_hint hint = {3, false};
    sampled_file file;

    *n_busy = *n_served = 0;
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 19);
    rp_thread.balance_ns = balance_ns;
    CHECK(sampled_file_begin(&file, &hint) != 0);
    /* Copies and launches were the thread's. */
    CHECK(rp_balance_ns() < balance_ns || balance_ns == RP_BALANCE_LEAST_NS);
    for (size_t i = 0; i < N_BLOCKS; i++) {
        rp_fallback_reason reason;
        rp_thread.balance_ns = balance_ns;
        reason = sampled_file_ask(&file, i, 3, false);
        *n_busy += reason == RP_FALLBACK_BUSY;
        *n_served += reason == RP_FALLBACK_NONE;
    }
    sampled_file_free(&file);
    return true;
}

/* A chunk took long once. Now the device is quicker, which nobody would wait to find out. */
static bool a_chunk_may_be_done_earlier(void)
{
    unsigned n_busy, n_served;

    CHECK(configure(RP_GOAL_AUTO, PATIENCE_MS));
    /* With all that can be had: chunks are waited for, and known to take long. */
    CHECK(count_busy(RP_BALANCE_MOST_NS, &n_busy, &n_served));
    CHECK(n_busy < N_BLOCKS / 2);
    slow_device_us = 0;
    CHECK(count_busy(RP_BALANCE_LEAST_NS, &n_busy, &n_served));
    /* Of each of nine chunks up to three blocks. */
    CHECK(n_busy <= 9 * 3 && n_served > 1000);
    return true;
}

/* As one whose driver does not come back from another call. */
static bool a_device_that_refuses_is_not_asked_again(void)
{
    rp_route_hint hint = {3, false};
    sampled_file file;

    CHECK(configure(RP_GOAL_DEVICE, 1000));
    is_refusing = true;
    sampled_file_make(&file, FEW_BLOCKS, 4096, 0, 23);
    CHECK(sampled_file_begin(&file, &hint) != 0);
    CHECK(sampled_file_ask(&file, 0, 3, false) == RP_FALLBACK_FAULT);
    CHECK(n_waits <= 2 && n_faults() == 1);
    CHECK(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_TIMEOUT) == 1);
    sampled_file_free(&file);
    return true;
}

/* Where libzstd would take 2 ms for a block, each that is served saves nearly that. */
static bool served_blocks_are_savings(void)
{
    rp_route_hint hint = {3, false};
    sampled_file file;
    int64_t before;

    slow_device_us = 0;
    CHECK(configure(RP_GOAL_AUTO, PATIENCE_MS));
    for (int i = 0; i < 100; i++)
        rp_costs_note(RP_ROUTE_CPU, RP_EFFORT_FAST, 4096, 4096, 2000000, 2000000);
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 22);
    CHECK(sampled_file_begin(&file, &hint) != 0);
    CHECK(sampled_file_ask(&file, 0, 3, false) == RP_FALLBACK_NONE);
    before = rp_thread.balance_ns = 0;
    for (size_t i = 1; i < 51; i++)
        CHECK(sampled_file_ask(&file, i, 3, false) == RP_FALLBACK_NONE);
    CHECK(rp_balance_ns() > before + 50 * 1000000 && rp_balance_ns() < before + 50 * 2000000);
    sampled_file_free(&file);
    return true;
}

/* Nothing comes back in time: the rest of the file is not looked for, and no more files begun. */
static bool a_device_that_is_too_slow_is_left_alone(void)
{
    rp_route_hint hint = {3, false};
    sampled_file file;
    uint64_t n_unserved = 0;

    CHECK(configure(RP_GOAL_AUTO, 100));
    slow_device_us = UINT32_MAX;
    /* Far more than it takes to refuse a block, which is far more than a probe may cost. */
    for (int i = 0; i < 100; i++)
        rp_costs_note(RP_ROUTE_CPU, RP_EFFORT_FAST, 4096, 4096, 200000, 200000);
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 9);
    for (int f = 0; f < 2; f++) {
        CHECK(sampled_file_begin(&file, &hint) != 0);
        for (size_t i = 0; i < 600; i++) {
            CHECK(sampled_file_ask(&file, i, 3, false) != RP_FALLBACK_NONE);
            n_unserved += !rp_batch_any_open();
        }
        CHECK(!rp_batch_any_open());
    }
    CHECK(n_unserved >= 2 * 80 && n_unserved <= 2 * 90);
    CHECK(rp_stats_value(RP_STAT_BATCHES_DECLINED, 0) == 0);
    CHECK(sampled_file_begin(&file, &hint) == 0);
    CHECK(rp_stats_value(RP_STAT_BATCHES_DECLINED, 0) == 1);
    sampled_file_free(&file);
    return true;
}

static const scenario scenarios[] = {
    SCENARIO(a_thread_in_a_hurry_does_not_wait),
    SCENARIO(a_thread_that_saves_cpu_waits),
    SCENARIO(a_thread_without_savings_does_not_wait),
    SCENARIO(a_thread_with_savings_spends_them),
    SCENARIO(a_chunk_may_be_done_earlier),
    SCENARIO(a_device_that_refuses_is_not_asked_again),
    SCENARIO(served_blocks_are_savings),
    SCENARIO(a_device_that_is_too_slow_is_left_alone),
};

int main(void)
{
    return RUN_SCENARIOS(scenarios, 0);
}
