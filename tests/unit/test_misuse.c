/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program that is wrong may do to the public functions, and gets an error for: lanes that
 * are released twice or to another pool, pools that are destroyed too early, devices without
 * functions, NULL where something is needed; and capacities that are larger than any frame.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/cases.h"

#include "rockpress/batched.h"
#include "rockpress/pool.h"
#include "tests/differential/counting_device.h"

#define INPUT_BYTES 1000
#define N_RACES 200000
#define MAX_SECONDS 20

static rp_device *host;
static rp_error error;

static int set_up(void **state)
{
    (void)state;
    return rp_device_open("host", &host) != RP_STATUS_OK;
}

static rp_pool *make_pool(const rp_device *device, uint32_t max_lanes)
{
    rp_pool_options options = RP_POOL_OPTIONS_INIT;
    rp_pool *pool;
    options.max_lanes = max_lanes;
    options.max_input_bytes = INPUT_BYTES;
    options.effort = RP_EFFORT_FAST;
    assert_int_equal(rp_pool_create(device, &options, &pool), RP_STATUS_OK);
    return pool;
}

static rp_lane *acquire(rp_pool *pool)
{
    rp_lane *lane;
    assert_int_equal(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
    return lane;
}

static void test_lane_released_twice(void **state)
{
    (void)state;
    rp_pool *pool = make_pool(host, 2);
    rp_lane *lanes[3];
    lanes[0] = acquire(pool);
    assert_int_equal(rp_pool_release(pool, lanes[0]), RP_STATUS_OK);
    assert_int_equal(rp_pool_release(pool, lanes[0]), RP_STATUS_INVALID_LANE);
    assert_int_equal(rp_pool_release(pool, lanes[0]), RP_STATUS_INVALID_LANE);
    /* The pool is whole: two lanes, not one of them twice. */
    lanes[0] = acquire(pool);
    lanes[1] = acquire(pool);
    assert_ptr_not_equal(lanes[0], lanes[1]);
    assert_int_equal(rp_pool_acquire(pool, &lanes[2]), RP_STATUS_POOL_EXHAUSTED);
    assert_int_equal(rp_pool_release(pool, lanes[0]), RP_STATUS_OK);
    assert_int_equal(rp_pool_release(pool, lanes[1]), RP_STATUS_OK);
    rp_pool_destroy(pool);
}

static void test_lane_of_another_pool(void **state)
{
    (void)state;
    rp_pool *pool = make_pool(host, 2), *other = make_pool(host, 2);
    rp_lane *lane = acquire(pool), *another = acquire(other), *none;
    assert_int_equal(rp_pool_release(other, lane), RP_STATUS_INVALID_LANE);
    assert_int_equal(rp_pool_release(pool, another), RP_STATUS_INVALID_LANE);
    /* Neither a lane that was never made nor an address inside of one. */
    assert_int_equal(rp_pool_release(pool, (rp_lane *)(void *)((uint8_t *)lane + 8)),
                     RP_STATUS_INVALID_LANE);
    assert_int_equal(rp_pool_release(pool, (rp_lane *)(void *)&none), RP_STATUS_INVALID_LANE);
    assert_int_equal(rp_pool_release(pool, NULL), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_pool_release(NULL, lane), RP_STATUS_NULL_POINTER);
    /* Both are still held, and go back where they belong. */
    assert_int_equal(rp_pool_release(pool, lane), RP_STATUS_OK);
    assert_int_equal(rp_pool_release(other, another), RP_STATUS_OK);
    rp_pool_destroy(pool);
    rp_pool_destroy(other);
}

typedef struct race {
    rp_pool *pool;
    _Atomic(rp_lane *) lane;
    atomic_uint n_begun; /* rounds */
    atomic_uint n_ended; /* in the other thread */
    atomic_uint n_released;
    atomic_bool is_over;
} race;

/* They spin: threads that a barrier wakes come one after the other. */
static void await_at_least(atomic_uint *number, unsigned least)
{
    for (unsigned n_spins = 1; atomic_load(number) < least; n_spins++)
        if (n_spins % 1000 == 0)
            sched_yield();
}

static void release_once(race *r)
{
    if (rp_pool_release(r->pool, atomic_load(&r->lane)) == RP_STATUS_OK)
        atomic_fetch_add(&r->n_released, 1);
}

static void *release_at_once(void *context)
{
    race *r = context;
    for (unsigned i = 1; i <= N_RACES; i++) {
        await_at_least(&r->n_begun, i);
        if (atomic_load(&r->is_over))
            break;
        release_once(r);
        atomic_store(&r->n_ended, i);
    }
    return NULL;
}

/* Of two threads that release one lane at the same time, one does. On a machine that does other
 * things, too, a round takes as long as the system lets others run: then there are fewer. */
static void test_lane_released_by_two(void **state)
{
    (void)state;
    race r = {.pool = make_pool(host, 2)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, release_at_once, &r), 0);
    const time_t end = time(NULL) + MAX_SECONDS;
    unsigned i = 1;
    for (; i <= N_RACES && (i <= N_RACES / 200 || time(NULL) <= end); i++) {
        rp_lane *other = acquire(r.pool);
        atomic_store(&r.lane, acquire(r.pool));
        assert_ptr_not_equal(other, atomic_load(&r.lane));
        atomic_store(&r.n_begun, i);
        /* The other thread sees it some time later, a different one in each round. */
        for (volatile unsigned delay = i % 500; delay != 0; delay--)
            ;
        release_once(&r);
        await_at_least(&r.n_ended, i);
        assert_int_equal(atomic_load(&r.n_released), i);
        assert_int_equal(rp_pool_release(r.pool, other), RP_STATUS_OK);
    }
    atomic_store(&r.is_over, true);
    atomic_store(&r.n_begun, i);
    pthread_join(thread, NULL);
    rp_pool_destroy(r.pool);
}

/* The lane and the pool are leaked; so the caller that is late does no harm. */
static void test_pool_destroyed_too_early(void **state)
{
    (void)state;
    static rp_pool *pool; /* reachable, for the leak checker */
    static rp_lane *lane;
    static uint8_t input[INPUT_BYTES], output[2 * INPUT_BYTES];
    size_t n;
    pool = make_pool(host, 2);
    lane = acquire(pool);
    assert_int_equal(rp_pool_release(pool, acquire(pool)), RP_STATUS_OK);
    rp_pool_destroy(pool);
    assert_int_equal(
        rp_lane_compress(lane, input, sizeof(input), output, sizeof(output), &n, NULL, 1000),
        RP_STATUS_OK);
    assert_int_equal(rp_pool_release(pool, lane), RP_STATUS_OK);
}

static void test_no_lane(void **state)
{
    (void)state;
    size_t n = 1;
    rp_stream stream = rp_lane_stream(NULL);
    assert_null(stream.device);
    assert_int_equal(rp_stream_wait(stream, 0), RP_STATUS_INVALID_STREAM);
    assert_null(rp_lane_workspace(NULL, &n));
    assert_int_equal(n, 0);
    assert_null(rp_lane_workspace(NULL, NULL));
}

/* Every function that takes a device. *stream is of that device. */
static void expect_refused(const rp_device *device, rp_status expected, const char *words)
{
    rp_pool_options options = RP_POOL_OPTIONS_INIT;
    rp_compress_options compress_options = RP_COMPRESS_OPTIONS_DEFAULT;
    rp_stream stream = {device, NULL}, made;
    rp_pool *pool;
    size_t n;
    rp_status status;
    options.max_lanes = 1;
    options.max_input_bytes = INPUT_BYTES;
    options.error = &error;
    compress_options.error = &error;
    error.message[0] = '\0';
    assert_int_equal(rp_pool_create(device, &options, &pool), expected);
    assert_non_null(strstr(error.message, words));
    assert_null(pool);
    assert_int_equal(rp_stream_create(device, &made), expected);
    assert_null(made.device);
    assert_int_equal(rp_stream_wait(stream, 0), expected);
    rp_stream_destroy(stream);
    error.message[0] = '\0';
    assert_int_equal(
        rp_compress_async(NULL, 0, NULL, 0, NULL, 0, &n, &status, &compress_options, stream),
        expected);
    assert_non_null(strstr(error.message, words));
    rp_device_close((rp_device *)(uintptr_t)device);
}

static void test_device_without_functions(void **state)
{
    (void)state;
    static const char *const names[] = {
        "memory_alloc",   "memory_free", "staging_alloc", "staging_free", "stream_create",
        "stream_destroy", "copy_async",  "launch",        "wait",         "close"};
    rp_device device;
    memset(&device, 0, sizeof(device));
    expect_refused(&device, RP_STATUS_INVALID_STRUCT_SIZE, "rp_device");
    device.struct_size = sizeof(device);
    expect_refused(&device, RP_STATUS_INVALID_STREAM, "table");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        rp_device_ops ops = *host->ops;
        memset((uint8_t *)&ops + offsetof(rp_device_ops, memory_alloc) + i * sizeof(void *), 0,
               sizeof(void *));
        device = *host;
        device.ops = &ops;
        expect_refused(&device, RP_STATUS_INVALID_STREAM, names[i]);
    }
    /* The one for all. */
    rp_device_close(host);
    rp_device_close(host);
    rp_pool *pool = make_pool(host, 1);
    assert_int_equal(rp_pool_release(pool, acquire(pool)), RP_STATUS_OK);
    rp_pool_destroy(pool);
}

/* A pool's arguments: the text says which is missing. */
static void test_pool_texts(void **state)
{
    (void)state;
    rp_pool_options options = RP_POOL_OPTIONS_INIT;
    rp_pool *pool = (rp_pool *)(void *)&error;
    options.error = &error;
    error.message[0] = '\0';
    assert_int_equal(rp_pool_create(NULL, &options, &pool), RP_STATUS_NULL_POINTER);
    assert_null(pool);
    assert_non_null(strstr(error.message, "device is NULL"));
    error.message[0] = '\0';
    assert_int_equal(rp_pool_create(host, &options, NULL), RP_STATUS_NULL_POINTER);
    assert_non_null(strstr(error.message, "pool is NULL"));
}

/* A frame of the input in all calls that take a capacity, by a device with that memory. */
static void check_capacity(const rp_device *device, size_t capacity)
{
    static uint8_t input[INPUT_BYTES], output[2 * INPUT_BYTES];
    uint8_t *output_at = output;
    const void *inputs[] = {input};
    size_t input_size = sizeof(input), n = 0, expected = 0;
    rp_status status = RP_STATUS_INTERNAL;
    rp_pool *pool = make_pool(device, 1);
    rp_lane *lane = acquire(pool);
    size_t workspace_bytes;
    void *workspace = rp_lane_workspace(lane, &workspace_bytes);
    rp_stream stream = rp_lane_stream(lane);
    void *outputs[] = {output};
    memset(input, 'a', sizeof(input));
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    options.effort = RP_EFFORT_FAST;
    assert_int_equal(rp_lane_compress(lane, input, sizeof(input), output, sizeof(output), &expected,
                                      &options, 100000),
                     RP_STATUS_OK);
    assert_int_equal(
        rp_lane_compress(lane, input, sizeof(input), output, capacity, &n, &options, 100000),
        RP_STATUS_OK);
    assert_int_equal(n, expected);
    rp_host_batch host_batch = {
        sizeof(rp_host_batch), inputs, &input_size, 1, outputs, &capacity, &n, &status};
    n = 0;
    assert_int_equal(rp_lane_compress_batch(lane, &host_batch, &options, 100000), RP_STATUS_OK);
    assert_int_equal(status, RP_STATUS_OK);
    assert_int_equal(n, expected);
    n = 0;
    assert_int_equal(rp_compress_async(workspace, workspace_bytes, input, sizeof(input), output_at,
                                       capacity, &n, &status, &options, stream),
                     RP_STATUS_OK);
    assert_int_equal(status, RP_STATUS_OK);
    assert_int_equal(n, expected);
    rp_batch batch = RP_BATCH_INIT;
    batch.d_inputs = inputs;
    batch.d_input_sizes = &input_size;
    batch.max_input_bytes = sizeof(input);
    batch.n_inputs = 1;
    batch.d_outputs = outputs;
    batch.d_output_capacities = &capacity;
    batch.d_output_sizes = &n;
    batch.d_statuses = &status;
    n = 0;
    assert_int_equal(rp_compress_batch_async(workspace, workspace_bytes, &batch, &options, stream),
                     RP_STATUS_OK);
    assert_int_equal(status, RP_STATUS_OK);
    assert_int_equal(n, expected);
    assert_int_equal(rp_pool_release(pool, lane), RP_STATUS_OK);
    rp_pool_destroy(pool);
}

static void test_capacity_of_any_size(void **state)
{
    (void)state;
    static const size_t capacities[] = {2 * INPUT_BYTES, (size_t)1 << 40, SIZE_MAX / 2, SIZE_MAX};
    counting_device staged;
    counting_device_open(&staged, 0);
    for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
        check_capacity(host, capacities[i]);
        check_capacity(&staged.device, capacities[i]);
    }
    counting_device_close(&staged);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lane_released_twice),
        cmocka_unit_test(test_lane_of_another_pool),
        cmocka_unit_test(test_lane_released_by_two),
        cmocka_unit_test(test_pool_destroyed_too_early),
        cmocka_unit_test(test_no_lane),
        cmocka_unit_test(test_device_without_functions),
        cmocka_unit_test(test_pool_texts),
        cmocka_unit_test(test_capacity_of_any_size),
    };
    return RUN_CASES(argc, argv, tests, set_up, NULL);
}
