/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many threads at batches at once, as with parallel compression and several files being built:
 * blocks of a file are asked for by all threads, batches begin and end meanwhile. To be run
 * under ThreadSanitizer.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/batch/batch.h"
#include "rockpress/plugin.h"
#include "tests/support/queue_device.h"
#include "tests/support/sampled_file.h"

#define N_FILES 3
#define N_BLOCKS 120
#define N_THREADS 4
#define N_ROUNDS 6

static sampled_file files[N_FILES];
static _Atomic size_t next_block[N_FILES];
static _Atomic unsigned n_fallbacks;

#define N_FAILING 60

static const rp_device *queueing;
static _Atomic unsigned n_memory_calls;

/* Making a lane fails at first, for several threads at a time. */
static rp_status failing_memory_alloc(const rp_device *device, size_t bytes, void **d_memory)
{
    *d_memory = NULL;
    return atomic_fetch_add(&n_memory_calls, 1) < N_FAILING
               ? RP_STATUS_OUT_OF_DEVICE_MEMORY
               : queueing->ops->memory_alloc(device, bytes, d_memory);
}

static void expect(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static void *ask(void *argument)
{
    size_t f = (size_t)(uintptr_t)argument % N_FILES;

    for (size_t n = 0; n < N_FILES; n++, f = (f + 1) % N_FILES) {
        size_t i;
        while ((i = atomic_fetch_add(&next_block[f], 1)) < N_BLOCKS) {
            rp_fallback_reason reason = sampled_file_ask(&files[f], i, 3, false);
            if (reason != RP_FALLBACK_NONE)
                atomic_fetch_add(&n_fallbacks, 1);
        }
    }
    return NULL;
}

/* Begins batches of its own and leaves them half-way. */
static void *abandon(void *argument)
{
    sampled_file file;

    sampled_file_make(&file, 40, 4096, 0, 77 + (uintptr_t)argument);
    for (int i = 0; i < N_ROUNDS * 2; i++) {
        rp_route_hint hint = {3, false};
        rp_batch_id id = sampled_file_begin(&file, i % 2 != 0 ? &hint : NULL);
        for (size_t j = 0; j < 15; j++)
            sampled_file_ask(&file, j, 3, false);
        rp_batch_end(id);
    }
    sampled_file_free(&file);
    return NULL;
}

int main(int argc, char **argv)
{
    static queue_device device;
    static rp_device_ops ops;
    rp_plugin_config config;
    rp_device *host;

    rp_plugin_config_default(&config, sizeof(config));
    memcpy(config.device, "host", sizeof("host"));
    config.goal = RP_GOAL_DEVICE;
    config.batch = RP_BATCH_ON;
    config.effort = RP_EFFORT_FAST;
    config.log = RP_LOG_OFF;
    config.batch_lanes = 4;
    config.timeout_ms = 60000;
    config.batch_chunk_bytes = 512 << 10;
    bool has_failures = argc > 1 && strcmp(argv[1], "memory") == 0;
    if (has_failures || (argc > 1 && strcmp(argv[1], "queue") == 0)) {
        expect(rp_device_open("host", &host) == RP_STATUS_OK, "no host device");
        /* TEST_DEVICE_FLAGS: of RP_DEVICE_*; copies there and back without. */
        const char *flags = getenv("TEST_DEVICE_FLAGS");
        queue_device_open(&device, host, flags == NULL ? 0 : (uint32_t)atoi(flags));
        config.custom_device = &device.device;
        queueing = &device.device;
    }
    /* TEST_SHARING: a value of SHARED_LAUNCHES. */
    if (getenv("TEST_SHARING") != NULL)
        expect(rp_plugin_config_set(&config, "SHARED_LAUNCHES", getenv("TEST_SHARING"), NULL) ==
                   RP_STATUS_OK,
               "no such way to share launches");
    if (has_failures) {
        static rp_device failing;
        failing = *queueing;
        ops = *queueing->ops;
        ops.memory_alloc = failing_memory_alloc;
        failing.ops = &ops;
        config.custom_device = &failing;
        config.breaker_faults = 1000;
    }
    expect(rp_plugin_configure(&config, NULL) == RP_STATUS_OK, "not configured");
    for (size_t f = 0; f < N_FILES; f++)
        sampled_file_make(&files[f], N_BLOCKS, 16384, 0, f);
    for (int round = 0; round < N_ROUNDS; round++) {
        pthread_t threads[N_THREADS], other;
        for (size_t f = 0; f < N_FILES; f++) {
            expect(sampled_file_begin(&files[f], NULL) != 0, "no batch");
            atomic_store(&next_block[f], 0);
        }
        expect(pthread_create(&other, NULL, abandon, NULL) == 0, "no thread");
        for (size_t t = 0; t < N_THREADS; t++)
            expect(pthread_create(&threads[t], NULL, ask, (void *)(uintptr_t)t) == 0, "no thread");
        for (size_t t = 0; t < N_THREADS; t++)
            pthread_join(threads[t], NULL);
        pthread_join(other, NULL);
        expect(!rp_batch_any_open(), "a batch is left");
    }
    expect(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0, "memory is left");
    if (has_failures) {
        expect(n_memory_calls > N_FAILING, "too few lanes were tried");
        expect(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_MEMORY) >= N_FAILING, "no faults");
        expect(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_VERIFY) == 0 &&
                   rp_stats_value(RP_STAT_FAULTS, RP_FAULT_TIMEOUT) == 0,
               "lanes were mixed up");
        return 0;
    }
    /* A thread may find every lane taken for a moment: that block is the CPU's. */
    expect(n_fallbacks <= N_ROUNDS * N_FILES * N_BLOCKS / 10, "too many blocks were not served");
    expect(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH) >= N_ROUNDS * N_FILES * N_BLOCKS * 9 / 10,
           "too few blocks were served");
    for (unsigned i = 0; i < RP_N_FAULTS; i++)
        expect(rp_stats_value(RP_STAT_FAULTS, i) == 0, "there was a fault");
    printf("%llu blocks served, %u left to libzstd\n",
           (unsigned long long)rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH),
           (unsigned)n_fallbacks);
    for (size_t f = 0; f < N_FILES; f++)
        sampled_file_free(&files[f]);
    return 0;
}
