/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool on a device that does nothing before it is waited for (queue_device.h), as a slow GPU
 * looks from here: lanes are made once and bounded, work that timed out leaves the caller's
 * memory alone, and whatever fails, in whatever order, nothing leaks and no lane is lost.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/pool.h"
#include "tests/support/pool_checks.h"
#include "tests/support/pool_sample.h"
#include "tests/support/queue_device.h"

#define TIMEOUT_US 1000000

static rp_device *host;

/* Acquiring a lane that is free does not ask the device. */
static rp_lane *acquire_free(rp_pool *pool, queue_device *device)
{
    queue_device_fail(device, QUEUE_WAIT, 1, RP_STATUS_DEVICE_FAULT);
    rp_lane *lane = acquire(pool);
    assert_int_equal(atomic_load(&device->fail_in[QUEUE_WAIT]), 1);
    atomic_store(&device->fail_in[QUEUE_WAIT], 0);
    return lane;
}

static void test_bound_and_reuse(void **state)
{
    (void)state;
    queue_device device;
    queue_device_open(&device, host, 0);
    rp_pool *pool = make_pool(&device.device, 3, 0);
    assert_int_equal(rp_pool_lane_count(pool), 0);
    assert_alive(&device, 0);
    rp_lane *lanes[3];
    for (uint32_t round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < 3; i++) {
            lanes[i] = acquire(pool);
            size_t n_bytes = 0;
            const uint8_t *workspace = rp_lane_workspace(lanes[i], &n_bytes);
            assert_int_equal((uintptr_t)workspace % RP_WORKSPACE_ALIGNMENT, 0);
            assert_true(n_bytes >= rp_workspace_size(POOL_SAMPLE_MAX_BYTES, 1, RP_EFFORT_FAST));
            for (uint32_t k = 0; k < i; k++) {
                assert_ptr_not_equal(lanes[i], lanes[k]);
                assert_ptr_not_equal(workspace, rp_lane_workspace(lanes[k], NULL));
                assert_ptr_not_equal(rp_lane_stream(lanes[i]).handle,
                                     rp_lane_stream(lanes[k]).handle);
            }
        }
        assert_no_lane(pool, RP_STATUS_POOL_EXHAUSTED);
        assert_int_equal(rp_pool_lane_count(pool), 3);
        assert_alive(&device, 3);
        /* The one that was used last comes first. */
        rp_pool_release(pool, lanes[1]);
        assert_ptr_equal(acquire(pool), lanes[1]);
        for (uint32_t i = 0; i < 3; i++)
            rp_pool_release(pool, lanes[i]);
    }
    rp_pool_destroy(pool);
    assert_alive(&device, 0);
}

static void test_memory_bound(void **state)
{
    (void)state;
    enum { MAX = 4 };
    queue_device device;
    queue_device_open(&device, host, 0);
    rp_pool *pool = make_pool(&device.device, 1, 0);
    rp_pool_release(pool, acquire(pool));
    rp_pool_destroy(pool);
    size_t lane_bytes = atomic_load(&device.memory_bytes);
    for (size_t bound = lane_bytes - 1; bound <= MAX * lane_bytes; bound += lane_bytes / 2 + 1) {
        rp_lane *lanes[MAX];
        size_t n = bound / lane_bytes;
        pool = make_pool(&device.device, 10, bound);
        for (size_t i = 0; i < n; i++)
            lanes[i] = acquire(pool);
        assert_no_lane(pool, RP_STATUS_POOL_EXHAUSTED);
        assert_alive(&device, (int)n);
        for (size_t i = 0; i < n; i++)
            rp_pool_release(pool, lanes[i]);
        rp_pool_destroy(pool);
        assert_alive(&device, 0);
    }
}

/* Staged and in place: the bytes of the host device, nothing after the capacity. */
static void check_compress(const rp_device *on)
{
    static const size_t sizes[] = {0, 1, 300, 3000, POOL_SAMPLE_MAX_BYTES};
    rp_pool *pool = make_pool(on, 1, 0);
    rp_lane *lane = acquire(pool);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        pool_sample *one = pool_sample_make(host, INPUTS_RECORDS, sizes[i]);
        uint8_t output[sizeof(one->frame)];
        size_t n_bytes;
        assert_true(pool_sample_compresses(lane, one));
        assert_int_equal(pool_sample_compress(lane, one, output, one->frame_bytes, &n_bytes),
                         RP_STATUS_OK);
        assert_int_equal(n_bytes, one->frame_bytes);
        memset(output, 0xC3, sizeof(output));
        assert_int_equal(pool_sample_compress(lane, one, output, one->frame_bytes - 1, &n_bytes),
                         RP_STATUS_OUTPUT_TOO_SMALL);
        assert_int_equal(n_bytes, 0);
        for (size_t k = one->frame_bytes - 1; k < sizeof(output); k++)
            assert_int_equal(output[k], 0xC3);
        free(one);
    }
    rp_pool_release(pool, lane);
    rp_pool_destroy(pool);
}

static void test_compress(void **state)
{
    (void)state;
    queue_device device;
    queue_device_open(&device, host, 0);
    check_compress(host);
    check_compress(&device.device);
    assert_alive(&device, 0);
}

/* A lane that could not be made leaves no memory and no stream, and is tried again later. */
static void test_lane_creation_fails(void **state)
{
    (void)state;
    static const queue_call calls[] = {QUEUE_STREAM_CREATE, QUEUE_MEMORY_ALLOC,
                                       QUEUE_STAGING_ALLOC};
    static const rp_status failures[] = {RP_STATUS_DEVICE_FAULT, RP_STATUS_OUT_OF_DEVICE_MEMORY,
                                         RP_STATUS_OUT_OF_HOST_MEMORY};
    pool_sample *one = pool_sample_make(host, INPUTS_TEXT, 1000);
    for (size_t c = 0; c < 3; c++) {
        for (int n_before = 0; n_before < 3; n_before++) {
            queue_device device;
            rp_lane *lanes[3];
            queue_device_open(&device, host, 0);
            rp_pool *pool = make_pool(&device.device, 3, 0);
            for (int i = 0; i < n_before; i++)
                lanes[i] = acquire(pool);
            for (int repeat = 0; repeat < 5; repeat++) {
                queue_device_fail(&device, calls[c], 1, failures[c]);
                assert_no_lane(pool, failures[c]);
                assert_alive(&device, n_before);
                assert_int_equal(rp_pool_lane_count(pool), n_before);
            }
            for (int i = n_before; i < 3; i++)
                lanes[i] = acquire(pool);
            assert_no_lane(pool, RP_STATUS_POOL_EXHAUSTED);
            assert_int_equal(rp_pool_lane_count(pool), 3);
            for (int i = 0; i < 3; i++) {
                assert_true(pool_sample_compresses(lanes[i], one));
                rp_pool_release(pool, lanes[i]);
            }
            rp_pool_destroy(pool);
            assert_alive(&device, 0);
        }
    }
    free(one);
}

/* Lanes that were made ahead are what threads get; the bounds hold, and a device that fails is
 * asked again. */
static void test_reserve(void **state)
{
    (void)state;
    queue_device device;
    queue_device_open(&device, host, 0);
    rp_pool *pool = make_pool(&device.device, 3, 0);
    assert_int_equal(rp_pool_reserve(NULL, 1), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_pool_reserve(pool, 0), RP_STATUS_OK);
    assert_alive(&device, 0);
    assert_int_equal(rp_pool_reserve(pool, 2), RP_STATUS_OK);
    assert_int_equal(rp_pool_lane_count(pool), 2);
    assert_alive(&device, 2);
    size_t asked_for = atomic_load(&device.memory_bytes);
    rp_lane *lanes[2] = {acquire(pool), acquire(pool)};
    assert_int_equal(rp_pool_reserve(pool, 1), RP_STATUS_OK);
    assert_int_equal(atomic_load(&device.memory_bytes), asked_for);
    queue_device_fail(&device, QUEUE_MEMORY_ALLOC, 1, RP_STATUS_OUT_OF_DEVICE_MEMORY);
    assert_int_equal(rp_pool_reserve(pool, 3), RP_STATUS_OUT_OF_DEVICE_MEMORY);
    assert_int_equal(rp_pool_lane_count(pool), 2);
    assert_int_equal(rp_pool_reserve(pool, 4), RP_STATUS_POOL_EXHAUSTED);
    assert_int_equal(rp_pool_lane_count(pool), 3);
    assert_alive(&device, 3);
    rp_lane *third = acquire(pool);
    assert_true(third != lanes[0] && third != lanes[1]);
    rp_pool_release(pool, third);
    for (int i = 0; i < 2; i++)
        rp_pool_release(pool, lanes[i]);
    rp_pool_destroy(pool);
    assert_alive(&device, 0);
}

/* On memory that device and host share there is nothing to stage. */
static void test_host_memory_is_not_staged(void **state)
{
    (void)state;
    queue_device device;
    queue_device_open(&device, host, RP_DEVICE_HOST_MEMORY);
    rp_pool *pool = make_pool(&device.device, 1, 0);
    rp_pool_release(pool, acquire(pool));
    assert_int_equal(atomic_load(&device.n_memory), 1);
    assert_int_equal(atomic_load(&device.n_staging), 0);
    rp_pool_destroy(pool);
    assert_int_equal(atomic_load(&device.n_memory), 0);
    assert_int_equal(atomic_load(&device.n_streams), 0);
}

/* After a timeout, the caller's buffers are its own: they may even be gone. */
static void test_timeout(void **state)
{
    (void)state;
    queue_device device;
    queue_device_open(&device, host, 0);
    rp_pool *pool = make_pool(&device.device, 1, 0);
    pool_sample *one = pool_sample_make(host, INPUTS_TEXT, 2000);
    rp_lane *lane = acquire(pool);
    assert_true(pool_sample_compresses(lane, one));

    uint8_t *input = malloc(one->n_bytes);
    uint8_t output[3000];
    size_t n_bytes = 1;
    memcpy(input, one->input, one->n_bytes);
    queue_device_stall(rp_lane_stream(lane), true);
    assert_int_equal(rp_lane_compress(lane, input, one->n_bytes, output, sizeof(output), &n_bytes,
                                      NULL, TIMEOUT_US),
                     RP_STATUS_TIMEOUT);
    assert_int_equal(n_bytes, 0);
    memset(input, 0x11, one->n_bytes);
    memset(output, 0x22, sizeof(output));
    rp_pool_release(pool, lane);
    assert_no_lane(pool, RP_STATUS_POOL_EXHAUSTED);
    assert_no_lane(pool, RP_STATUS_POOL_EXHAUSTED);
    assert_alive(&device, 1);

    queue_device_stall(rp_lane_stream(lane), false);
    assert_ptr_equal(acquire(pool), lane);
    for (size_t i = 0; i < one->n_bytes; i++)
        assert_int_equal(input[i], 0x11);
    for (size_t i = 0; i < sizeof(output); i++)
        assert_int_equal(output[i], 0x22);
    free(input);
    assert_int_equal(rp_pool_lane_count(pool), 1);
    /* It is no longer one of those set aside, whether it was used or not. */
    rp_pool_release(pool, lane);
    assert_ptr_equal(acquire_free(pool, &device), lane);
    assert_true(pool_sample_compresses(lane, one));
    rp_pool_release(pool, lane);
    assert_ptr_equal(acquire_free(pool, &device), lane);
    rp_pool_release(pool, lane);
    rp_pool_destroy(pool);
    assert_alive(&device, 0);
    free(one);
}

/* The next call on the same lane waits for the work of the one before. */
static void test_lane_used_on_after_timeout(void **state)
{
    (void)state;
    queue_device device;
    queue_device_open(&device, host, 0);
    rp_pool *pool = make_pool(&device.device, 1, 0);
    pool_sample *slow = pool_sample_make(host, INPUTS_NOISE, 3000);
    pool_sample *next = pool_sample_make(host, INPUTS_TEXT, 700);
    rp_lane *lane = acquire(pool);
    uint8_t output[4000];
    size_t n_bytes;
    queue_device_stall(rp_lane_stream(lane), true);
    assert_int_equal(pool_sample_compress(lane, slow, output, sizeof(output), &n_bytes),
                     RP_STATUS_TIMEOUT);
    queue_device_stall(rp_lane_stream(lane), false);
    assert_true(pool_sample_compresses(lane, next));
    rp_pool_release(pool, lane);
    assert_ptr_equal(acquire(pool), lane);
    rp_pool_release(pool, lane);
    rp_pool_destroy(pool);
    assert_alive(&device, 0);
    free(slow);
    free(next);
}

/* However many lanes hang, the one that has finished is found, wherever it stands. */
static void test_one_of_many_hanging_lanes_finishes(void **state)
{
    (void)state;
    enum { N = 40 };
    queue_device device;
    queue_device_open(&device, host, 0);
    pool_sample *one = pool_sample_make(host, INPUTS_TEXT, 300);
    rp_pool *pool = make_pool(&device.device, N, 0);
    rp_lane *lanes[N];
    for (int i = 0; i < N; i++) {
        uint8_t output[400];
        size_t n_bytes;
        lanes[i] = acquire(pool);
        queue_device_stall(rp_lane_stream(lanes[i]), true);
        assert_int_equal(pool_sample_compress(lanes[i], one, output, sizeof(output), &n_bytes),
                         RP_STATUS_TIMEOUT);
    }
    for (int i = 0; i < N; i++)
        rp_pool_release(pool, lanes[i]);
    assert_no_lane(pool, RP_STATUS_POOL_EXHAUSTED);
    static const int finished[] = {N - 1, N / 2, 0};
    for (size_t i = 0; i < 3; i++) {
        rp_lane *lane = lanes[finished[i]];
        queue_device_stall(rp_lane_stream(lane), false);
        rp_lane *found = NULL;
        if (rp_pool_acquire(pool, &found) != RP_STATUS_OK)
            fail_msg("lane %d of %d has finished but is not found", finished[i], N);
        assert_ptr_equal(found, lane);
    }
    for (int i = 0; i < N; i++)
        queue_device_stall(rp_lane_stream(lanes[i]), false);
    for (size_t i = 0; i < 3; i++)
        rp_pool_release(pool, lanes[finished[i]]);
    rp_pool_destroy(pool);
    assert_alive(&device, 0);
    free(one);
}

/* Destroying a pool frees the lanes whose work has ended since, and no others. */
static void test_destroy_after_timeouts(void **state)
{
    (void)state;
    static rp_pool *pool; /* reachable, as it is leaked on purpose */
    static queue_device device;
    queue_device_open(&device, host, 0);
    pool_sample *one = pool_sample_make(host, INPUTS_TEXT, 300);
    pool = make_pool(&device.device, 3, 0);
    rp_lane *lanes[3];
    for (int i = 0; i < 3; i++) {
        uint8_t output[400];
        size_t n_bytes;
        lanes[i] = acquire(pool);
        queue_device_stall(rp_lane_stream(lanes[i]), i < 2);
        assert_int_equal(pool_sample_compress(lanes[i], one, output, sizeof(output), &n_bytes),
                         i < 2 ? RP_STATUS_TIMEOUT : RP_STATUS_OK);
    }
    for (int i = 0; i < 3; i++)
        rp_pool_release(pool, lanes[i]);
    queue_device_stall(rp_lane_stream(lanes[0]), false);
    rp_pool_destroy(pool);
    assert_alive(&device, 1);
    free(one);
}

/* Any copy, launch or wait fails: its status comes back, and the lane is as good as before. */
static void test_run_time_faults(void **state)
{
    (void)state;
    static const int n_calls[QUEUE_N_CALLS] = {
        [QUEUE_COPY] = 2, [QUEUE_LAUNCH] = 4, [QUEUE_WAIT] = 1};
    static const rp_status failures[] = {RP_STATUS_LAUNCH_FAILED, RP_STATUS_DEVICE_FAULT,
                                         RP_STATUS_TIMEOUT};
    pool_sample *one = pool_sample_make(host, INPUTS_TEXT, 1500);
    queue_device device;
    queue_device_open(&device, host, 0);
    rp_pool *pool = make_pool(&device.device, 1, 0);
    for (int c = QUEUE_COPY; c < QUEUE_N_CALLS; c++) {
        for (int nth = 1; nth <= n_calls[c]; nth++) {
            for (size_t f = 0; f < 3; f++) {
                uint8_t output[3000];
                size_t n_bytes = 1;
                rp_lane *lane = acquire(pool);
                memset(output, 0x33, sizeof(output));
                queue_device_fail(&device, (queue_call)c, nth, failures[f]);
                assert_int_equal(pool_sample_compress(lane, one, output, sizeof(output), &n_bytes),
                                 failures[f]);
                assert_int_equal(n_bytes, 0);
                assert_int_equal(atomic_load(&device.fail_in[c]), 0);
                for (size_t i = 0; i < sizeof(output); i++)
                    assert_int_equal(output[i], 0x33);
                rp_pool_release(pool, lane);
                lane = acquire(pool);
                assert_true(pool_sample_compresses(lane, one));
                rp_pool_release(pool, lane);
            }
        }
    }
    assert_int_equal(rp_pool_lane_count(pool), 1);
    rp_pool_destroy(pool);
    assert_alive(&device, 0);
    free(one);
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound_and_reuse),
        cmocka_unit_test(test_memory_bound),
        cmocka_unit_test(test_compress),
        cmocka_unit_test(test_lane_creation_fails),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_host_memory_is_not_staged),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_lane_used_on_after_timeout),
        cmocka_unit_test(test_one_of_many_hanging_lanes_finishes),
        cmocka_unit_test(test_destroy_after_timeouts),
        cmocka_unit_test(test_run_time_faults),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
