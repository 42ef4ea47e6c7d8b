/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared launches where something fails: all members of a launch learn of it, one of them accounts
 * for it, what is wrong with one input is not the others' matter, and nothing stays behind.
 */
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

static rp_device *host;
static gate_device gate;
static rp_combiner *combiner;

enum { CROWD = 8, N_GROUPS = 4 };

static rp_status open_bounded(size_t memory_bytes, uint32_t device_flags)
{
    rp_combiner_options options = RP_COMBINER_OPTIONS_INIT;
    gate_device_open(&gate, host, device_flags);
    options.max_input_bytes = CROWD_MAX_INPUT;
    options.launch_bytes = (size_t)CROWD_MAX_INPUT * CROWD;
    options.max_inputs = CROWD;
    options.max_running = 1;
    options.memory_bytes = memory_bytes;
    return rp_combiner_create(&gate.device, &options, &combiner);
}

static void open_combiner(void)
{
    assert_int_equal(open_bounded(0, 0), RP_STATUS_OK);
    assert_int_equal(rp_combiner_reserve(combiner, N_GROUPS), RP_STATUS_OK);
}

static void close_combiner(void)
{
    rp_combiner_destroy(combiner);
    assert_int_equal(gate.queue.n_memory, 0);
    assert_int_equal(gate.queue.n_staging, 0);
    assert_int_equal(gate.queue.n_streams, 0);
}

static rp_combiner_counts counts_now(void)
{
    rp_combiner_counts counts = RP_COMBINER_COUNTS_INIT;
    assert_int_equal(rp_combiner_read_counts(combiner, &counts), RP_STATUS_OK);
    return counts;
}

/* The first member runs alone; the others share a launch, which begins when the gate opens. */
static crowd_member *gather(size_t n_others)
{
    crowd_member *members = crowd_make(combiner, n_others + 1, 4096, 11);
    assert_non_null(members);
    gate.is_closed = true;
    crowd_start(members, 1);
    gate_device_await(&gate, 1);
    crowd_start(members + 1, n_others);
    crowd_await_gathering(combiner, (uint32_t)n_others);
    return members;
}

static void assert_works(void)
{
    crowd_member *members = crowd_make(combiner, 2, 4096, 12);
    assert_non_null(members);
    for (size_t i = 0; i < 2; i++) {
        crowd_compress(&members[i]);
        assert_true(crowd_is_right(&members[i], host));
    }
    free(members);
}

/* Whichever call fails, all that share the launch get its status, and one accounts for them. */
static void test_calls_fail(void **state)
{
    (void)state;
    static const queue_call calls[] = {QUEUE_COPY, QUEUE_LAUNCH, QUEUE_WAIT};
    for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++) {
        for (int nth = 1; nth <= 3; nth++) {
            /* Of the wait: the first one's, then the one that counts here. */
            if (calls[c] == QUEUE_WAIT && nth != 2)
                continue;
            open_combiner();
            crowd_member *members = gather(CROWD - 1);
            queue_device_fail(&gate.queue, calls[c], nth, RP_STATUS_LAUNCH_FAILED);
            gate.is_closed = false;
            crowd_join(members, CROWD);
            assert_true(crowd_is_right(&members[0], host));
            assert_int_equal(crowd_count(members + 1, CROWD - 1, RP_STATUS_LAUNCH_FAILED),
                             CROWD - 1);
            assert_int_equal(crowd_accounted(members + 1, CROWD - 1), CROWD - 1);
            free(members);
            assert_works();
            assert_int_equal(counts_now().n_groups, N_GROUPS);
            close_combiner();
        }
    }
}

/* The device does not end in time: everybody leaves, the group is set aside, and is used again when
 * the device is done with it. */
static void test_time_is_up(void **state)
{
    (void)state;
    open_combiner();
    crowd_member *members = crowd_make(combiner, 1 + 3 * CROWD, 4096, 13);
    assert_non_null(members);
    gate.is_closed = true;
    for (size_t i = 0; i < 1 + 3 * CROWD; i++)
        members[i].timeout_us = 300000;
    crowd_start(members, 1 + 3 * CROWD);
    crowd_join(members, 1 + 3 * CROWD);
    /* No more launches than may run. */
    assert_int_equal(gate.most_at_gate, 1);
    size_t n_timeouts = crowd_count(members, 1 + 3 * CROWD, RP_STATUS_TIMEOUT);
    size_t n_exhausted = crowd_count(members, 1 + 3 * CROWD, RP_STATUS_POOL_EXHAUSTED);
    assert_true(n_timeouts > CROWD);
    assert_int_equal(n_timeouts + n_exhausted, 1 + 3 * CROWD);
    gate.is_closed = false;
    assert_works();
    free(members);
    /* Of those who come while another one asks the device, some find no group. */
    members = crowd_make(combiner, CROWD, 4096, 20);
    assert_non_null(members);
    crowd_start(members, CROWD);
    crowd_join(members, CROWD);
    for (size_t i = 0; i < CROWD; i++)
        assert_true(members[i].status == RP_STATUS_POOL_EXHAUSTED ||
                    crowd_is_right(&members[i], host));
    assert_int_equal(gate.queue.n_streams, N_GROUPS);
    free(members);
    close_combiner();
}

/* A member in a hurry leaves alone; the launch goes on, and nobody writes to its output. */
static void test_one_leaves(void **state)
{
    (void)state;
    open_combiner();
    crowd_member *members = crowd_make(combiner, 4, 4096, 14);
    assert_non_null(members);
    gate.is_closed = true;
    crowd_start(members, 1);
    gate_device_await(&gate, 1);
    crowd_start(members + 1, 1);
    crowd_await_gathering(combiner, 1);
    members[2].timeout_us = 20000;
    memset(members[2].output, 0x77, sizeof(members[2].output));
    crowd_start(members + 2, 2);
    crowd_join(members + 2, 1);
    assert_int_equal(members[2].status, RP_STATUS_TIMEOUT);
    crowd_await_gathering(combiner, 3);
    gate.is_closed = false;
    crowd_join(members, 2);
    crowd_join(members + 3, 1);
    for (size_t i = 0; i < 4; i++)
        assert_true(i == 2 || crowd_is_right(&members[i], host));
    for (size_t i = 0; i < sizeof(members[2].output); i++)
        assert_int_equal(members[2].output[i], 0x77);
    assert_int_equal(counts_now().n_launches, 2);
    assert_works();
    free(members);
    close_combiner();
}

/* An output that is too small is the matter of its own input. */
static void test_statuses_of_inputs(void **state)
{
    (void)state;
    open_combiner();
    crowd_member *members = crowd_make(combiner, 1 + CROWD, 4096, 15);
    assert_non_null(members);
    members[3].capacity = 10;
    members[5].capacity = 0;
    gate.is_closed = true;
    crowd_start(members, 1);
    gate_device_await(&gate, 1);
    crowd_start(members + 1, CROWD);
    crowd_await_gathering(combiner, CROWD);
    gate.is_closed = false;
    crowd_join(members, 1 + CROWD);
    for (size_t i = 0; i < 1 + CROWD; i++) {
        if (i == 3 || i == 5)
            assert_int_equal(members[i].status, RP_STATUS_OUTPUT_TOO_SMALL);
        else
            assert_true(crowd_is_right(&members[i], host));
    }
    assert_int_equal(counts_now().n_launches, 2);
    free(members);
    close_combiner();
}

/* Flips one byte of the last staging memory in which a frame lies. */
static uint8_t *damaged;
static size_t damaged_bytes;

static void damage(void)
{
    static const uint8_t magic[] = {0x28, 0xB5, 0x2F, 0xFD};
    for (size_t i = 0; damaged != NULL && i + 12 < damaged_bytes; i++) {
        if (memcmp(damaged + i, magic, sizeof(magic)) == 0) {
            damaged[i + 11] ^= 0x10;
            return;
        }
    }
}

static rp_status watched_staging(const rp_device *device, size_t n_bytes, void **memory)
{
    const rp_status status = gate.queue.device.ops->staging_alloc(device, n_bytes, memory);
    damaged = *memory;
    damaged_bytes = n_bytes;
    return status;
}

/* A frame that changes on its way is noticed by its own thread; the others get theirs. */
static void test_a_damaged_frame(void **state)
{
    (void)state;
    assert_int_equal(open_bounded(0, RP_DEVICE_MAPPED_STAGING), RP_STATUS_OK);
    gate.ops.staging_alloc = watched_staging;
    assert_int_equal(rp_combiner_reserve(combiner, N_GROUPS), RP_STATUS_OK);
    crowd_member *members = crowd_make(combiner, 1 + CROWD, 4096, 16);
    assert_non_null(members);
    for (size_t i = 0; i < 1 + CROWD; i++)
        members[i].flags = RP_COMPRESS_VERIFY;
    /* Groups that are free are taken in order: all four gather or run, so the last one is used. */
    gate.is_closed = true;
    crowd_start(members, 1);
    gate_device_await(&gate, 1);
    for (size_t i = 1; i < N_GROUPS; i++) {
        members[i].effort = RP_EFFORT_FAST;
        members[i].flags = i == 1 ? 0 : i == 2 ? RP_COMPRESS_CHECKSUM : RP_COMPRESS_VERIFY;
        crowd_start(members + i, 1);
        crowd_await_gathering(combiner, (uint32_t)i);
    }
    crowd_start(members + N_GROUPS, 1 + CROWD - N_GROUPS);
    crowd_await_gathering(combiner, CROWD);
    gate.after_wait = damage;
    gate.is_closed = false;
    crowd_join(members, 1 + CROWD);
    assert_int_equal(crowd_count(members, 1 + CROWD, RP_STATUS_VERIFICATION_FAILED), 1);
    for (size_t i = 0; i < 1 + CROWD; i++)
        assert_true(members[i].status == RP_STATUS_VERIFICATION_FAILED ||
                    crowd_is_right(&members[i], host));
    free(members);
    close_combiner();
}

/* Without memory for a group there is none; later there may be. */
static void test_memory(void **state)
{
    (void)state;
    static const queue_call calls[] = {QUEUE_STREAM_CREATE, QUEUE_MEMORY_ALLOC,
                                       QUEUE_STAGING_ALLOC};
    assert_int_equal(open_bounded(0, 0), RP_STATUS_OK);
    for (size_t c = 0; c < 3; c++) {
        crowd_member *members = crowd_make(combiner, 1, 4096, 17);
        assert_non_null(members);
        queue_device_fail(&gate.queue, calls[c], 1, RP_STATUS_OUT_OF_DEVICE_MEMORY);
        crowd_compress(members);
        assert_int_equal(members->status, RP_STATUS_OUT_OF_DEVICE_MEMORY);
        assert_int_equal(members->output_size, 0);
        assert_int_equal(members->n_shared, 1);
        assert_int_equal(gate.queue.n_streams, 0);
        assert_int_equal(counts_now().memory_bytes, 0);
        free(members);
    }
    assert_works();
    size_t one = counts_now().memory_bytes;
    assert_int_equal(one, gate.queue.memory_in_use);
    close_combiner();

    /* No more memory than is allowed. */
    assert_int_equal(open_bounded(2 * one, 0), RP_STATUS_OK);
    assert_int_equal(rp_combiner_reserve(combiner, N_GROUPS), RP_STATUS_POOL_EXHAUSTED);
    assert_int_equal(counts_now().n_groups, 2);
    assert_int_equal(counts_now().memory_bytes, 2 * one);
    assert_works();
    close_combiner();
    assert_int_equal(open_bounded(one - 1, 0), RP_STATUS_OK);
    crowd_member *members = crowd_make(combiner, 1, 4096, 18);
    assert_non_null(members);
    crowd_compress(members);
    assert_int_equal(members->status, RP_STATUS_POOL_EXHAUSTED);
    free(members);
    close_combiner();
}

static void *serve(void *context)
{
    (void)context;
    (void)rp_combiner_serve(combiner, 100000, 60000000);
    return NULL;
}

/* A driver that hangs has the thread that serves, and nobody else. */
static void test_a_servant_hangs(void **state)
{
    (void)state;
    pthread_t servant;
    open_combiner();
    assert_int_equal(pthread_create(&servant, NULL, serve, NULL), 0);
    while (counts_now().n_serving != 1)
        usleep(200);
    gate.is_closed = true;
    crowd_member *members = crowd_make(combiner, 3 * CROWD, 4096, 19);
    assert_non_null(members);
    for (size_t i = 0; i < 3 * CROWD; i++) {
        members[i].timeout_us = 50000;
        members[i].forbidden = true;
    }
    crowd_start(members, 3 * CROWD);
    crowd_join(members, 3 * CROWD);
    assert_int_equal(crowd_count(members, 3 * CROWD, RP_STATUS_TIMEOUT) +
                         crowd_count(members, 3 * CROWD, RP_STATUS_POOL_EXHAUSTED),
                     3 * CROWD);
    assert_int_equal(gate.n_forbidden_calls, 0);
    gate_device_await(&gate, 1);
    assert_int_equal(gate.n_at_gate, 1);
    gate.is_closed = false;
    pthread_join(servant, NULL);
    assert_works();
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
        cmocka_unit_test(test_calls_fail),      cmocka_unit_test(test_time_is_up),
        cmocka_unit_test(test_one_leaves),      cmocka_unit_test(test_statuses_of_inputs),
        cmocka_unit_test(test_a_damaged_frame), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_a_servant_hangs),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
