/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool from many threads: for ThreadSanitizer, and for lanes that are lost, made too often or
 * given to two threads. There are more threads than lanes, so that exhaustion is part of it.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/pool.h"
#include "tests/support/inputs.h"
#include "tests/support/pool_checks.h"
#include "tests/support/pool_sample.h"
#include "tests/support/queue_device.h"

static rp_device *host;

enum { N_THREADS = 6, N_LANES = 3, N_SAMPLES = 4 };

typedef struct thread_test {
    rp_pool *pool;
    pool_sample *samples[N_SAMPLES];
    uint32_t n_rounds;
    bool with_timeouts;
    _Atomic int n_held;
    _Atomic int n_errors;
    _Atomic int n_exhausted;
    _Atomic uint64_t n_seeds;
} thread_test;

static void one_round(thread_test *test, inputs_random *random)
{
    rp_lane *lane;
    rp_status status;
    while ((status = rp_pool_acquire(test->pool, &lane)) == RP_STATUS_POOL_EXHAUSTED) {
        atomic_fetch_add(&test->n_exhausted, 1);
        sched_yield();
    }
    /* A lane may fail to be made in these tests, never anything else. */
    if (status != RP_STATUS_OK) {
        if (status != RP_STATUS_OUT_OF_DEVICE_MEMORY)
            atomic_fetch_add(&test->n_errors, 1);
        return;
    }
    if (atomic_fetch_add(&test->n_held, 1) >= N_LANES)
        atomic_fetch_add(&test->n_errors, 1);
    const pool_sample *one = test->samples[inputs_below(random, N_SAMPLES)];
    rp_stream stream = rp_lane_stream(lane);
    bool slow = test->with_timeouts && inputs_below(random, 4) == 0;
    if (slow) {
        uint8_t output[sizeof(one->frame)];
        size_t n_bytes;
        queue_device_stall(stream, true);
        if (pool_sample_compress(lane, one, output, sizeof(output), &n_bytes) != RP_STATUS_TIMEOUT)
            atomic_fetch_add(&test->n_errors, 1);
    } else if (!pool_sample_compresses(lane, one)) {
        atomic_fetch_add(&test->n_errors, 1);
    }
    atomic_fetch_sub(&test->n_held, 1);
    rp_pool_release(test->pool, lane);
    if (slow)
        queue_device_stall(stream, false);
}

static void *thread_main(void *context)
{
    thread_test *test = context;
    inputs_random random = inputs_seed(atomic_fetch_add(&test->n_seeds, 1));
    for (uint32_t round = 0; round < test->n_rounds; round++)
        one_round(test, &random);
    return NULL;
}

/* A pool that ends up with all of its lanes, whatever happened to them. */
static void run_threads(const rp_device *on, uint32_t n_rounds, bool with_timeouts,
                        queue_device *failing)
{
    thread_test test;
    pthread_t threads[N_THREADS];
    memset(&test, 0, sizeof(test));
    test.pool = make_pool(on, N_LANES, 0);
    test.n_rounds = n_rounds;
    test.with_timeouts = with_timeouts;
    for (size_t i = 0; i < N_SAMPLES; i++)
        test.samples[i] = pool_sample_make(host, INPUTS_MIXED, 10 + 400 * i);
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, thread_main, &test), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&test.n_errors), 0);
    /* A failure may not have come up yet. */
    for (int c = 0; failing != NULL && c < QUEUE_N_CALLS; c++)
        atomic_store(&failing->fail_in[c], 0);
    assert_in_range(rp_pool_lane_count(test.pool), 1, N_LANES);
    rp_lane *lanes[N_LANES];
    for (size_t i = 0; i < N_LANES; i++)
        lanes[i] = acquire(test.pool);
    assert_no_lane(test.pool, RP_STATUS_POOL_EXHAUSTED);
    assert_int_equal(rp_pool_lane_count(test.pool), N_LANES);
    for (size_t i = 0; i < N_LANES; i++)
        rp_pool_release(test.pool, lanes[i]);
    rp_pool_destroy(test.pool);
    for (size_t i = 0; i < N_SAMPLES; i++)
        free(test.samples[i]);
}

static void test_threads_in_place(void **state)
{
    (void)state;
    run_threads(host, 300, false, NULL);
}

static void test_threads_staged(void **state)
{
    (void)state;
    queue_device device;
    queue_device_open(&device, host, 0);
    run_threads(&device.device, 300, false, NULL);
    assert_alive(&device, 0);
}

static void test_threads_with_timeouts(void **state)
{
    (void)state;
    queue_device device;
    queue_device_open(&device, host, 0);
    run_threads(&device.device, 300, true, NULL);
    assert_alive(&device, 0);
}

/* Nothing but acquire and release, of two lanes at a time: if one lane is given to two threads, as
 * a stack without counters does now and then, its workspace is marked twice. */
static void *mark_main(void *context)
{
    thread_test *test = context;
    for (uint32_t round = 0; round < test->n_rounds; round++) {
        rp_lane *lanes[2] = {NULL, NULL};
        for (int i = 0; i < 2; i++) {
            if (rp_pool_acquire(test->pool, &lanes[i]) != RP_STATUS_OK)
                continue;
            _Atomic uint32_t *mark = rp_lane_workspace(lanes[i], NULL);
            if (atomic_fetch_xor(mark, 1) & 1)
                atomic_fetch_add(&test->n_errors, 1);
        }
        for (int i = 0; i < 2; i++) {
            rp_lane *lane = lanes[(round + (uint32_t)i) % 2];
            if (lane != NULL)
                atomic_fetch_xor((_Atomic uint32_t *)rp_lane_workspace(lane, NULL), 1);
            rp_pool_release(test->pool, lane);
        }
    }
    return NULL;
}

static void test_threads_share_no_lane(void **state)
{
    (void)state;
    thread_test test;
    pthread_t threads[N_THREADS];
    rp_lane *lanes[N_LANES];
    memset(&test, 0, sizeof(test));
    test.pool = make_pool(host, N_LANES, 0);
    test.n_rounds = 600000;
    for (size_t i = 0; i < N_LANES; i++) {
        lanes[i] = acquire(test.pool);
        atomic_store((_Atomic uint32_t *)rp_lane_workspace(lanes[i], NULL), 0);
    }
    for (size_t i = 0; i < N_LANES; i++)
        rp_pool_release(test.pool, lanes[i]);
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, mark_main, &test), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&test.n_errors), 0);
    rp_pool_destroy(test.pool);
}

/* The first lanes fail to be made, while others are asked for. */
static void test_threads_with_failures(void **state)
{
    (void)state;
    for (int nth = 1; nth <= 3; nth++) {
        queue_device device;
        queue_device_open(&device, host, 0);
        queue_device_fail(&device, QUEUE_MEMORY_ALLOC, nth, RP_STATUS_OUT_OF_DEVICE_MEMORY);
        queue_device_fail(&device, QUEUE_STAGING_ALLOC, 1, RP_STATUS_OUT_OF_DEVICE_MEMORY);
        run_threads(&device.device, 20, false, &device);
        assert_alive(&device, 0);
    }
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_in_place),      cmocka_unit_test(test_threads_staged),
        cmocka_unit_test(test_threads_with_timeouts), cmocka_unit_test(test_threads_share_no_lane),
        cmocka_unit_test(test_threads_with_failures),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
