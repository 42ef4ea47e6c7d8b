/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that serve a combiner: they are called when inputs wait, nobody else calls the device
 * while they may come, and where there is none to be had, those who compress lead, whoever opened
 * the group. And groups that cannot be made, or not in time.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/cases.h"

#include "rockpress/combiner.h"
#include "tests/support/crowd.h"
#include "tests/support/gate_device.h"

#define LONG_US 60000000u
#define SHORT_US 50000u

static rp_device *host;
static gate_device gate;
static rp_combiner *combiner;
static _Atomic int n_services; /* threads that serve, or are about to */
static uint32_t service_timeout_us = LONG_US;

static void *serve(void *context)
{
    (void)context;
    (void)rp_combiner_serve(combiner, 20000, service_timeout_us);
    n_services--;
    return NULL;
}

static bool start_thread(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    n_services++;
    const bool is_started = pthread_create(&thread, &attributes, serve, NULL) == 0;
    if (!is_started)
        n_services--;
    pthread_attr_destroy(&attributes);
    return is_started;
}

static bool call_thread(void *context)
{
    (void)context;
    return start_thread();
}

static void open_combiner(bool (*call_service)(void *), uint32_t max_running)
{
    rp_combiner_options options = RP_COMBINER_OPTIONS_INIT;
    gate_device_open(&gate, host, 0);
    options.max_input_bytes = CROWD_MAX_INPUT;
    options.launch_bytes = (size_t)CROWD_MAX_INPUT * 8;
    options.max_inputs = 8;
    options.max_running = max_running;
    options.call_service = call_service;
    assert_int_equal(rp_combiner_create(&gate.device, &options, &combiner), RP_STATUS_OK);
}

static void await_end_of_service(void)
{
    while (n_services != 0)
        usleep(1000);
}

static void close_combiner(void)
{
    await_end_of_service();
    rp_combiner_destroy(combiner);
    assert_int_equal(gate.queue.n_memory, 0);
    assert_int_equal(gate.queue.n_streams, 0);
}

static rp_combiner_counts counts_now(void)
{
    rp_combiner_counts counts = RP_COMBINER_COUNTS_INIT;
    assert_int_equal(rp_combiner_read_counts(combiner, &counts), RP_STATUS_OK);
    return counts;
}

/* Launches that time out set all groups aside. Those who serve ask the device about them. */
static void test_set_aside_groups_are_asked_about_by_servants(void **state)
{
    (void)state;
    service_timeout_us = SHORT_US;
    open_combiner(call_thread, 2);
    assert_int_equal(rp_combiner_reserve(combiner, 6), RP_STATUS_OK);
    gate.is_closed = true;
    rp_status status = RP_STATUS_OK;
    for (int i = 0; i < 1000 && status != RP_STATUS_POOL_EXHAUSTED; i++) {
        crowd_member *one = crowd_make(combiner, 1, 4096, 30);
        assert_non_null(one);
        one->timeout_us = SHORT_US / 2;
        one->forbidden = true;
        crowd_start(one, 1);
        crowd_join(one, 1);
        status = one->status;
        assert_true(status == RP_STATUS_TIMEOUT || status == RP_STATUS_POOL_EXHAUSTED);
        free(one);
        await_end_of_service(); /* now no group waits or runs */
    }
    assert_int_equal(status, RP_STATUS_POOL_EXHAUSTED);
    gate.is_closed = false;
    service_timeout_us = LONG_US;
    for (int i = 0; i < 1000 && status != RP_STATUS_OK; i++) {
        crowd_member *one = crowd_make(combiner, 1, 4096, 31);
        assert_non_null(one);
        one->forbidden = true;
        crowd_start(one, 1);
        crowd_join(one, 1);
        status = one->status;
        free(one);
        usleep(2000);
    }
    assert_int_equal(status, RP_STATUS_OK);
    assert_int_equal(gate.n_forbidden_calls, 0);
    close_combiner();
}

static bool call_none(void *context)
{
    (void)context;
    return false;
}

/* Without a thread to be had, the thread that compresses leads. */
static void test_nobody_serves(void **state)
{
    (void)state;
    open_combiner(call_none, 2);
    crowd_member *members = crowd_make(combiner, 12, 4096, 32);
    assert_non_null(members);
    crowd_compress(members);
    assert_true(crowd_is_right(members, host));
    crowd_start(members, 12);
    crowd_join(members, 12);
    for (size_t i = 0; i < 12; i++)
        assert_true(members[i].status == RP_STATUS_POOL_EXHAUSTED ||
                    crowd_is_right(&members[i], host));
    free(members);
    close_combiner();
}

static _Atomic int n_asked;
static _Atomic bool second_has_failed;

/* The first call fails after the second one has. */
static bool call_in_vain(void *context)
{
    (void)context;
    if (n_asked++ == 0) {
        while (!second_has_failed)
            usleep(200);
        usleep(20000);
        return false;
    }
    second_has_failed = true;
    return false;
}

/* Two groups wait for threads, and for neither there is one: both are led, by whoever is last. */
static void test_two_calls_fail(void **state)
{
    (void)state;
    open_combiner(call_in_vain, 2);
    assert_int_equal(rp_combiner_reserve(combiner, 6), RP_STATUS_OK);
    crowd_member *members = crowd_make(combiner, 2, 4096, 33);
    assert_non_null(members);
    members[1].effort = RP_EFFORT_DEFAULT;
    crowd_start(members, 1);
    while (n_asked != 1)
        usleep(200);
    crowd_start(members + 1, 1);
    crowd_join(members, 2);
    assert_true(crowd_is_right(&members[0], host));
    assert_true(crowd_is_right(&members[1], host));
    free(members);
    close_combiner();
}

/* A thread that serves on its own account comes while one is called that is not to be had. */
static bool call_while_another_comes(void *context)
{
    (void)context;
    if (n_asked++ == 0) {
        start_thread();
        while (counts_now().n_serving == 0 && counts_now().n_launches == 0)
            usleep(200);
        return false;
    }
    return start_thread();
}

static void test_an_uncalled_thread_serves(void **state)
{
    (void)state;
    n_asked = 0;
    open_combiner(call_while_another_comes, 2);
    for (int i = 0; i < 3; i++) {
        crowd_member *one = crowd_make(combiner, 1, 4096, 34);
        assert_non_null(one);
        crowd_compress(one);
        assert_true(crowd_is_right(one, host));
        free(one);
        await_end_of_service();
    }
    assert_int_equal(n_asked, 3);
    close_combiner();
}

static bool call_slowly(void *context)
{
    (void)context;
    const bool is_started = start_thread();
    usleep(20000);
    return is_started;
}

/* Calling a thread takes time; the input is there before. */
static void test_nobody_waits_for_the_caller_of_service(void **state)
{
    (void)state;
    open_combiner(call_slowly, 2);
    for (int i = 0; i < 5; i++) {
        crowd_member *one = crowd_make(combiner, 1, 4096, 35);
        assert_non_null(one);
        crowd_compress(one);
        assert_true(crowd_is_right(one, host));
        free(one);
        await_end_of_service(); /* one that is awake may be ahead of an input */
    }
    assert_int_equal(counts_now().n_late, 0);
    assert_int_equal(counts_now().n_launches, 5);
    close_combiner();
}

static rp_status slow_memory(const rp_device *device, size_t n_bytes, void **memory)
{
    usleep(50000);
    return gate.queue.device.ops->memory_alloc(device, n_bytes, memory);
}

/* Who has waited too long for a group launches nothing; the group is there for the next one. */
static void test_a_group_comes_too_late(void **state)
{
    (void)state;
    open_combiner(NULL, 1);
    gate.ops.memory_alloc = slow_memory;
    crowd_member *one = crowd_make(combiner, 1, 4096, 36);
    assert_non_null(one);
    one->timeout_us = 10000;
    crowd_compress(one);
    assert_int_equal(one->status, RP_STATUS_POOL_EXHAUSTED);
    assert_int_equal(counts_now().n_launches, 0);
    one->timeout_us = 10000000;
    crowd_compress(one);
    assert_true(crowd_is_right(one, host));
    assert_int_equal(gate.queue.n_streams, 1);
    free(one);
    close_combiner();
}

/* No memory for one more group is no fault of the device, and is not asked for again and again. */
static void test_no_memory_for_one_more(void **state)
{
    (void)state;
    open_combiner(NULL, 1);
    assert_int_equal(rp_combiner_reserve(combiner, 1), RP_STATUS_OK);
    gate.is_closed = true;
    crowd_member *members = crowd_make(combiner, 3, 4096, 37);
    assert_non_null(members);
    crowd_start(members, 1);
    gate_device_await(&gate, 1);
    queue_device_fail(&gate.queue, QUEUE_MEMORY_ALLOC, 1, RP_STATUS_OUT_OF_DEVICE_MEMORY);
    crowd_compress(&members[1]);
    assert_int_equal(members[1].status, RP_STATUS_POOL_EXHAUSTED);
    assert_int_equal(gate.queue.fail_in[QUEUE_MEMORY_ALLOC], 0);
    const size_t asked = gate.queue.memory_bytes;
    crowd_compress(&members[2]);
    assert_int_equal(members[2].status, RP_STATUS_POOL_EXHAUSTED);
    assert_int_equal(gate.queue.memory_bytes, asked);
    gate.is_closed = false;
    crowd_join(members, 1);
    crowd_compress(&members[2]);
    assert_true(crowd_is_right(&members[2], host));
    free(members);
    close_combiner();
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_aside_groups_are_asked_about_by_servants),
        cmocka_unit_test(test_nobody_serves),
        cmocka_unit_test(test_two_calls_fail),
        cmocka_unit_test(test_an_uncalled_thread_serves),
        cmocka_unit_test(test_nobody_waits_for_the_caller_of_service),
        cmocka_unit_test(test_a_group_comes_too_late),
        cmocka_unit_test(test_no_memory_for_one_more),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
