/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device memory of a pool: the bound holds at every moment, whatever threads do and whatever
 * fails, and both ends of it, the pool's own and the device's, are refusals that pass: what was
 * made goes on working, nothing is kept by a lane that was not made, and lanes are made again as
 * soon as there is memory. The device adds up what is allocated and keeps the peak.
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
#include "tests/support/pool_sample.h"
#include "tests/support/queue_device.h"

#define N_THREADS 6
#define N_ROUNDS 200
#define MAX_LANES 20

static rp_device *host;

typedef struct memory_test {
    queue_device device;
    rp_pool *pool;
    pool_sample *sample;
    _Atomic uint64_t n_seeds;
    _Atomic bool failing; /* calls of the device fail now and then */
    _Atomic int n_errors;
    _Atomic int n_refused_by_pool;
    _Atomic int n_refused_by_device;
} memory_test;

static memory_test *test_open(size_t memory_bytes, size_t memory_limit)
{
    memory_test *test = calloc(1, sizeof(*test));
    assert_non_null(test);
    queue_device_open(&test->device, host, 0);
    atomic_store(&test->device.memory_limit, memory_limit);
    test->sample = pool_sample_make(host, INPUTS_TEXT, 200);
    rp_pool_options options = {sizeof(rp_pool_options), MAX_LANES,
                               POOL_SAMPLE_MAX_BYTES,   memory_bytes,
                               RP_EFFORT_FAST,          NULL};
    assert_int_equal(rp_pool_create(&test->device.device, &options, &test->pool), RP_STATUS_OK);
    return test;
}

static void test_close(memory_test *test)
{
    rp_pool_destroy(test->pool);
    assert_int_equal(atomic_load(&test->device.memory_in_use), 0);
    assert_int_equal(atomic_load(&test->device.n_staging), 0);
    assert_int_equal(atomic_load(&test->device.n_streams), 0);
    free(test->sample);
    free(test);
}

static size_t bytes_of_a_lane(void)
{
    memory_test *test = test_open(0, 0);
    rp_lane *lane;
    assert_int_equal(rp_pool_acquire(test->pool, &lane), RP_STATUS_OK);
    size_t n_bytes = atomic_load(&test->device.memory_in_use);
    rp_pool_release(test->pool, lane);
    test_close(test);
    return n_bytes;
}

static void *thread_main(void *context)
{
    memory_test *test = context;
    inputs_random random = inputs_seed(atomic_fetch_add(&test->n_seeds, 1));
    for (int round = 0; round < N_ROUNDS; round++) {
        rp_lane *lane;
        if (atomic_load(&test->failing) && inputs_below(&random, 4) == 0)
            queue_device_fail(&test->device, (queue_call)inputs_below(&random, QUEUE_COPY), 1,
                              RP_STATUS_OUT_OF_DEVICE_MEMORY);
        rp_status status = rp_pool_acquire(test->pool, &lane);
        if (status == RP_STATUS_POOL_EXHAUSTED) {
            atomic_fetch_add(&test->n_refused_by_pool, 1);
            sched_yield();
        } else if (status == RP_STATUS_OUT_OF_DEVICE_MEMORY) {
            atomic_fetch_add(&test->n_refused_by_device, 1);
        } else if (status != RP_STATUS_OK || !pool_sample_compresses(lane, test->sample)) {
            atomic_fetch_add(&test->n_errors, 1);
        }
        if (status == RP_STATUS_OK && inputs_below(&random, 2) == 0)
            sched_yield();
        if (status == RP_STATUS_OK)
            rp_pool_release(test->pool, lane);
    }
    return NULL;
}

static void run_threads(memory_test *test)
{
    pthread_t threads[N_THREADS];
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, thread_main, test), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&test->n_errors), 0);
    for (int c = 0; c < QUEUE_N_CALLS; c++)
        atomic_store(&test->device.fail_in[c], 0);
}

/* As many lanes as it says work side by side, and the next is refused as it says. */
static void expect_lanes(memory_test *test, size_t n, rp_status refusal)
{
    rp_lane *lanes[MAX_LANES];
    rp_lane *one_more;
    for (size_t i = 0; i < n; i++) {
        rp_status status = rp_pool_acquire(test->pool, &lanes[i]);
        if (status != RP_STATUS_OK)
            fail_msg("lane %zu of %zu: %s", i + 1, n, rp_status_name(status));
    }
    for (int repeat = 0; repeat < 3; repeat++) {
        assert_int_equal(rp_pool_acquire(test->pool, &one_more), refusal);
        assert_null(one_more);
    }
    assert_int_equal(rp_pool_lane_count(test->pool), n);
    for (size_t i = 0; i < n; i++) {
        assert_true(pool_sample_compresses(lanes[i], test->sample));
        rp_pool_release(test->pool, lanes[i]);
    }
}

static void test_bound_under_threads(void **state)
{
    (void)state;
    size_t lane = bytes_of_a_lane();
    const size_t bounds[] = {lane, 2 * lane - 1, 3 * lane, 3 * lane + lane / 2};
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        for (int failing = 0; failing < 2; failing++) {
            memory_test *test = test_open(bounds[i], 0);
            atomic_store(&test->failing, failing != 0);
            run_threads(test);
            expect_lanes(test, bounds[i] / lane, RP_STATUS_POOL_EXHAUSTED);
            assert_in_range(atomic_load(&test->device.memory_peak), lane, bounds[i]);
            test_close(test);
        }
    }
}

/* The pool's bound is far away, but the device has no more. */
static void test_device_is_full(void **state)
{
    (void)state;
    size_t lane = bytes_of_a_lane();
    memory_test *test = test_open(100 * lane, 2 * lane + lane / 2);
    expect_lanes(test, 2, RP_STATUS_OUT_OF_DEVICE_MEMORY);
    run_threads(test);
    expect_lanes(test, 2, RP_STATUS_OUT_OF_DEVICE_MEMORY);
    assert_true(atomic_load(&test->device.memory_peak) <= 2 * lane + lane / 2);
    /* Somebody else has freed some. */
    atomic_store(&test->device.memory_limit, 5 * lane);
    expect_lanes(test, 5, RP_STATUS_OUT_OF_DEVICE_MEMORY);
    run_threads(test);
    expect_lanes(test, 5, RP_STATUS_OUT_OF_DEVICE_MEMORY);
    test_close(test);
}

/* None for the first lane: nothing works, nothing is kept, and later everything works. */
static void test_device_is_full_from_the_start(void **state)
{
    (void)state;
    size_t lane = bytes_of_a_lane();
    memory_test *test = test_open(3 * lane, lane - 1);
    expect_lanes(test, 0, RP_STATUS_OUT_OF_DEVICE_MEMORY);
    run_threads(test);
    assert_int_equal(atomic_load(&test->n_refused_by_device),
                     N_THREADS * N_ROUNDS - atomic_load(&test->n_refused_by_pool));
    assert_int_equal(atomic_load(&test->device.memory_in_use), 0);
    assert_int_equal(atomic_load(&test->device.n_streams), 0);
    atomic_store(&test->device.memory_limit, 0);
    expect_lanes(test, 3, RP_STATUS_POOL_EXHAUSTED);
    assert_int_equal(atomic_load(&test->device.memory_peak), 3 * lane);
    test_close(test);
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound_under_threads),
        cmocka_unit_test(test_device_is_full),
        cmocka_unit_test(test_device_is_full_from_the_start),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
