/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The direct route with shared launches: what a fault of one launch costs, who calls the device,
 * and what happens without memory or with a driver that hangs. Each scenario has a process of its
 * own.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <zstd.h>

#include "plugin/route/route.h"
#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/gate_device.h"
#include "tests/support/sanitizers.h"
#include "tests/support/scenarios.h"

enum { BLOCK_BYTES = 4096, N_THREADS = 12 };

static gate_device gate;
static rp_plugin_config config;

typedef struct writer {
    pthread_t thread;
    unsigned n_blocks;
    bool forbidden; /* to call the device */
    unsigned n_frames;
    unsigned n_faults;
    unsigned n_others; /* other reasons */
    bool is_wrong;     /* a frame was */
    uint64_t longest_us;
} writer;

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void write_block(writer *self, unsigned number)
{
    char block[BLOCK_BYTES], frame[2 * BLOCK_BYTES], decoded[BLOCK_BYTES];
    rp_request request = {block, sizeof(block), frame, sizeof(frame), 3, false};
    uint64_t begin = now_us(), us;
    size_t size = 0;

    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (char)((i % 97) * (number % 13) ^ i / 31);
    memcpy(block, &number, sizeof(number));
    errno = 77;
    rp_fallback_reason reason = rp_route_compress(&request, &size);
    self->is_wrong |= errno != 77;
    switch (reason) {
    case RP_FALLBACK_NONE:
        self->n_frames++;
        self->is_wrong |= ZSTD_decompress(decoded, sizeof(decoded), frame, size) != sizeof(block) ||
                          memcmp(decoded, block, sizeof(block)) != 0;
        break;
    case RP_FALLBACK_FAULT:
        self->n_faults++;
        break;
    default:
        self->n_others++;
        break;
    }
    us = now_us() - begin;
    if (us > self->longest_us)
        self->longest_us = us;
}

static void *write_blocks(void *argument)
{
    writer *self = argument;

    if (self->forbidden)
        gate_device_forbid();
    for (unsigned i = 0; i < self->n_blocks; i++)
        write_block(self, (unsigned)(uintptr_t)self + i);
    return NULL;
}

/* The sum of what all threads saw. */
static writer run_writers(unsigned n_threads, unsigned n_blocks, bool forbidden)
{
    static writer writers[N_THREADS];
    writer sum;

    memset(&sum, 0, sizeof(sum));
    memset(writers, 0, sizeof(writers));
    for (unsigned t = 0; t < n_threads; t++) {
        writers[t].n_blocks = n_blocks;
        writers[t].forbidden = forbidden;
        if (pthread_create(&writers[t].thread, NULL, write_blocks, &writers[t]) != 0)
            abort();
    }
    for (unsigned t = 0; t < n_threads; t++) {
        pthread_join(writers[t].thread, NULL);
        sum.n_frames += writers[t].n_frames;
        sum.n_faults += writers[t].n_faults;
        sum.n_others += writers[t].n_others;
        sum.is_wrong |= writers[t].is_wrong;
        if (writers[t].longest_us > sum.longest_us)
            sum.longest_us = writers[t].longest_us;
    }
    return sum;
}

static bool configure(rp_sharing_mode sharing, uint32_t flags)
{
    rp_device *host;

    CHECK(rp_device_open("host", &host) == RP_STATUS_OK);
    gate_device_open(&gate, host, flags);
    rp_plugin_config_default(&config, sizeof(config));
    config.custom_device = &gate.device;
    config.goal = RP_GOAL_DEVICE;
    config.effort = RP_EFFORT_FAST;
    config.log = RP_LOG_OFF;
    config.sharing = sharing;
    config.timeout_ms = 60000;
    return true;
}

static uint64_t counted_faults(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < RP_N_FAULTS; i++)
        sum += rp_stats_value(RP_STAT_FAULTS, i);
    return sum;
}

/* A launch or two are at the gate, and the other threads have time to gather. */
static void *open_gate_later(void *argument)
{
    (void)argument;
    gate_device_await(&gate, config.sharing == RP_SHARING_SERVED ? 1 : 2);
    usleep(300000);
    gate.is_closed = false;
    return NULL;
}

static bool share(rp_sharing_mode sharing, uint32_t flags)
{
    pthread_t opener;
    writer sum;
    uint64_t n_launches;

    CHECK(configure(sharing, flags));
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    CHECK(run_writers(1, 1, false).n_frames == 1);
    gate.is_closed = true;
    CHECK(pthread_create(&opener, NULL, open_gate_later, NULL) == 0);
    sum = run_writers(N_THREADS, 1, sharing == RP_SHARING_SERVED);
    pthread_join(opener, NULL);
    CHECK(sum.n_frames == N_THREADS && !sum.is_wrong);
    n_launches = rp_stats_value(RP_STAT_DIRECT_LAUNCHES, 0);
    CHECK(n_launches >= 2 && n_launches < N_THREADS);
    sum = run_writers(N_THREADS, 50, sharing == RP_SHARING_SERVED);
    CHECK(sum.n_frames + sum.n_others == 50 * N_THREADS && sum.n_frames > 0 && !sum.is_wrong);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 1 + N_THREADS + sum.n_frames);
    CHECK(counted_faults() == 0 && gate.n_forbidden_calls == 0);
    CHECK(rp_stats_value(RP_STAT_LANES, 0) == 0);
    /* Those who serve have left, and come again. */
    for (unsigned i = 0; i < 3; i++) {
        usleep(200000);
        CHECK(run_writers(1, 1, sharing == RP_SHARING_SERVED).n_frames == 1);
    }
    CHECK(gate.n_forbidden_calls == 0);
    return true;
}

static bool threads_share_launches(void)
{
    return share(RP_SHARING_ON, 0);
}

static bool threads_share_launches_mapped(void)
{
    return share(RP_SHARING_ON, RP_DEVICE_MAPPED_STAGING);
}

static bool threads_are_served(void)
{
    return share(RP_SHARING_SERVED, RP_DEVICE_MAPPED_STAGING);
}

/* All members of a launch that failed go to libzstd, and the breaker hears of one fault. */
static bool a_launch_fails(void)
{
    pthread_t opener;
    writer sum;

    CHECK(configure(RP_SHARING_ON, 0));
    config.breaker_faults = 2;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    CHECK(run_writers(1, 1, false).n_frames == 1);
    /* Of three launches, the first one that is waited for. */
    queue_device_fail(&gate.queue, QUEUE_LAUNCH, 2 * 5 + 1, RP_STATUS_LAUNCH_FAILED);
    gate.is_closed = true;
    CHECK(pthread_create(&opener, NULL, open_gate_later, NULL) == 0);
    sum = run_writers(N_THREADS, 1, false);
    pthread_join(opener, NULL);
    CHECK(!sum.is_wrong && sum.n_others == 0);
    CHECK(sum.n_faults >= 1 && sum.n_frames == N_THREADS - sum.n_faults && sum.n_frames >= 2);
    CHECK(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_LAUNCH) == 1 && counted_faults() == 1);
    CHECK(rp_stats_value(RP_STAT_BREAKER_OPENS, 0) == 0);
    CHECK(run_writers(1, 3, false).n_frames == 3);
    return true;
}

/* A driver that never comes back has threads of the plugin's own, and no others. */
static bool a_driver_hangs(void)
{
    uint64_t spent_us = 0;
    writer sum;

    CHECK(configure(RP_SHARING_SERVED, 0));
    /* What the device needs for a block, many times. */
    config.timeout_ms = TEST_ADDRESS_SANITIZER || TEST_THREAD_SANITIZER ? 3000 : 300;
    config.breaker_faults = 3;
    config.breaker_retry_ms = 1;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    CHECK(run_writers(1, 1, true).n_frames == 1);
    gate.is_closed = true;
    gate.never_returns = true;
    sum = run_writers(N_THREADS, 4, true);
    CHECK(sum.n_frames == 0 && sum.n_faults >= N_THREADS);
    CHECK(sum.longest_us < 60000000);
    CHECK(gate.n_forbidden_calls == 0);
    CHECK(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_TIMEOUT) == counted_faults());
    CHECK(counted_faults() >= 3 && rp_stats_value(RP_STAT_BREAKER_OPENS, 0) == 1);
    /* From some time on, nobody waits for it any more: each of these is a probe of the breaker. */
    usleep(3000 * config.timeout_ms);
    for (unsigned i = 0; i < 20; i++) {
        usleep(70000);
        spent_us += run_writers(1, 1, true).longest_us;
    }
    CHECK(spent_us < UINT64_C(10) * config.timeout_ms * 1000);
    /* It comes back. Then the device is used again, as soon as a probe of the breaker says so. */
    gate.never_returns = false;
    gate.is_closed = false;
    for (unsigned i = 0; i < 3000; i++) {
        if (run_writers(1, 1, true).n_frames == 1)
            return true;
        usleep(10000);
    }
    CHECK(false);
}

static bool memory_is_bounded(void)
{
    CHECK(configure(RP_SHARING_ON, 0));
    /* For a lane or two, and for no group of 64 blocks. */
    config.memory_bytes = (size_t)10 << 20;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    CHECK(run_writers(1, 2, false).n_frames == 2);
    CHECK(rp_stats_value(RP_STAT_LANES, 0) == 1 && rp_stats_value(RP_STAT_DIRECT_LAUNCHES, 0) == 2);
    CHECK(gate.queue.memory_peak <= config.memory_bytes);
    return true;
}

/* There it would be no gain. */
static bool the_host_shares_nothing(void)
{
    CHECK(configure(RP_SHARING_SERVED, 0));
    config.custom_device = NULL;
    CHECK(rp_plugin_config_set(&config, "DEVICE", "host", NULL) == RP_STATUS_OK);
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    CHECK(run_writers(1, 6, false).n_frames == 6);
    CHECK(rp_stats_value(RP_STAT_LANES, 0) == 1 && rp_stats_value(RP_STAT_DIRECT_LAUNCHES, 0) == 6);
    return true;
}

static bool device_memory_runs_out(void)
{
    CHECK(configure(RP_SHARING_ON, 0));
    queue_device_fail(&gate.queue, QUEUE_MEMORY_ALLOC, 2, RP_STATUS_OUT_OF_DEVICE_MEMORY);
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    CHECK(run_writers(1, 2, false).n_frames == 2);
    CHECK(rp_stats_value(RP_STAT_LANES, 0) == 1 && counted_faults() == 0);
    CHECK(gate.queue.n_memory == 1 && gate.queue.n_streams == 1);
    return true;
}

int main(void)
{
    static const scenario scenarios[] = {
        SCENARIO(threads_share_launches), SCENARIO(threads_share_launches_mapped),
        SCENARIO(threads_are_served),     SCENARIO(a_launch_fails),
        SCENARIO(a_driver_hangs),         SCENARIO(the_host_shares_nothing),
        SCENARIO(memory_is_bounded),      SCENARIO(device_memory_runs_out),
    };

    return RUN_SCENARIOS(scenarios, 300);
}
