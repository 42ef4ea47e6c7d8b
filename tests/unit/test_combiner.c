/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared launches where nothing fails: who shares a launch with whom, when a launch begins, that
 * each thread gets the frame of its own input, and who calls the device.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/cases.h"

#include "rockpress/combiner.h"
#include "tests/support/crowd.h"
#include "tests/support/gate_device.h"

static rp_device *host;
static gate_device gate;
static rp_combiner *combiner;

enum { MANY = 24 };

static void open_combiner(uint32_t flags, uint32_t max_inputs, uint32_t max_running)
{
    rp_combiner_options options = RP_COMBINER_OPTIONS_INIT;
    gate_device_open(&gate, host, flags);
    options.max_input_bytes = CROWD_MAX_INPUT;
    options.launch_bytes = (size_t)CROWD_MAX_INPUT * max_inputs;
    options.max_inputs = max_inputs;
    options.max_running = max_running;
    options.effort = RP_EFFORT_MAX;
    assert_int_equal(rp_combiner_create(&gate.device, &options, &combiner), RP_STATUS_OK);
    assert_int_equal(rp_combiner_reserve(combiner, 2 * options.max_running + 2), RP_STATUS_OK);
}

static rp_combiner_counts counts_now(void)
{
    rp_combiner_counts counts = RP_COMBINER_COUNTS_INIT;
    assert_int_equal(rp_combiner_read_counts(combiner, &counts), RP_STATUS_OK);
    return counts;
}

static void close_combiner(void)
{
    rp_combiner_destroy(combiner);
    assert_int_equal(gate.queue.n_memory, 0);
    assert_int_equal(gate.queue.n_staging, 0);
    assert_int_equal(gate.queue.n_streams, 0);
}

static void assert_all_right(const crowd_member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!crowd_is_right(&members[i], host))
            fail_msg("member %zu of %zu bytes: %s", i, members[i].n_bytes,
                     rp_status_name(members[i].status));
    }
}

/* An idle device begins at once. */
static void test_alone(void **state)
{
    (void)state;
    open_combiner(0, 8, 2);
    crowd_member *members = crowd_make(combiner, MANY, CROWD_MAX_INPUT, 1);
    assert_non_null(members);
    members[0].n_bytes = 0;
    members[1].flags = RP_COMPRESS_CHECKSUM | RP_COMPRESS_VERIFY;
    members[2].effort = RP_EFFORT_MAX;
    for (size_t i = 0; i < MANY; i++) {
        crowd_compress(&members[i]);
        assert_int_equal(members[i].n_shared, 1);
    }
    assert_all_right(members, MANY);
    rp_combiner_counts counts = counts_now();
    assert_int_equal(counts.n_launches, MANY);
    assert_int_equal(counts.n_inputs, MANY);
    assert_int_equal(counts.n_groups, 6);
    free(members);
    close_combiner();
}

/* While the device works, arrivals gather; when it is done, all of them are launched. */
static void check_gathering(uint32_t device_flags, uint32_t flags)
{
    open_combiner(device_flags, MANY, 1);
    crowd_member *members = crowd_make(combiner, MANY + 1, CROWD_MAX_INPUT, 2);
    assert_non_null(members);
    for (size_t i = 0; i <= MANY; i++)
        members[i].flags = flags;
    gate.is_closed = true;
    crowd_start(members, 1);
    gate_device_await(&gate, 1);
    crowd_start(members + 1, MANY);
    crowd_await_gathering(combiner, MANY);
    gate.is_closed = false;
    crowd_join(members, MANY + 1);
    assert_all_right(members, MANY + 1);
    rp_combiner_counts counts = counts_now();
    assert_int_equal(counts.n_launches, 2);
    assert_int_equal(counts.n_inputs, MANY + 1);
    assert_int_equal(counts.most_inputs, MANY);
    assert_int_equal(counts.n_late, 0);
    assert_int_equal(crowd_accounted(members, 1), 1);
    assert_int_equal(crowd_accounted(members + 1, MANY), MANY);
    free(members);
    close_combiner();
}

static void test_gathering(void **state)
{
    (void)state;
    check_gathering(0, 0);
    check_gathering(0, RP_COMPRESS_VERIFY | RP_COMPRESS_CHECKSUM);
    check_gathering(RP_DEVICE_MAPPED_STAGING, 0);
    check_gathering(RP_DEVICE_MAPPED_STAGING, RP_COMPRESS_VERIFY);
}

/* As many launches run as may, and a group that is full leaves later ones to the next. */
static void test_limits(void **state)
{
    (void)state;
    open_combiner(0, 5, 2);
    crowd_member *members = crowd_make(combiner, 15, CROWD_MAX_INPUT, 3);
    assert_non_null(members);
    gate.is_closed = true;
    crowd_start(members, 1);
    gate_device_await(&gate, 1);
    crowd_start(members + 1, 1);
    gate_device_await(&gate, 2);
    crowd_start(members + 2, 13);
    crowd_await_gathering(combiner, 13);
    assert_int_equal(gate.n_at_gate, 2);
    gate.is_closed = false;
    crowd_join(members, 15);
    assert_all_right(members, 15);
    rp_combiner_counts counts = counts_now();
    assert_int_equal(counts.n_launches, 5);
    assert_int_equal(counts.most_inputs, 5);
    free(members);
    close_combiner();
}

/* Bytes are a limit, too: what a group has memory for. */
static void test_bytes_are_limited(void **state)
{
    (void)state;
    rp_combiner_options options = RP_COMBINER_OPTIONS_INIT;
    gate_device_open(&gate, host, 0);
    options.max_input_bytes = CROWD_MAX_INPUT;
    options.launch_bytes = CROWD_MAX_INPUT;
    options.max_inputs = 16; /* of 1 KiB */
    options.max_running = 1;
    assert_int_equal(rp_combiner_create(&gate.device, &options, &combiner), RP_STATUS_OK);
    assert_int_equal(rp_combiner_reserve(combiner, 2 * options.max_running + 2), RP_STATUS_OK);
    crowd_member *large = crowd_make(combiner, 3, CROWD_MAX_INPUT, 4);
    crowd_member *small = crowd_make(combiner, 17, 1024, 5);
    assert_non_null(large);
    assert_non_null(small);
    for (size_t i = 0; i < 3; i++)
        large[i].n_bytes = CROWD_MAX_INPUT;
    gate.is_closed = true;
    crowd_start(large, 1);
    gate_device_await(&gate, 1);
    crowd_start(large + 1, 2);
    crowd_await_gathering(combiner, 2);
    gate.is_closed = false;
    crowd_join(large, 3);
    assert_all_right(large, 3);
    assert_int_equal(counts_now().most_inputs, 1);
    gate.is_closed = true;
    crowd_start(small, 1);
    gate_device_await(&gate, 1);
    crowd_start(small + 1, 16);
    crowd_await_gathering(combiner, 16);
    gate.is_closed = false;
    crowd_join(small, 17);
    assert_all_right(small, 17);
    assert_true(counts_now().most_inputs > 12);
    free(large);
    free(small);
    close_combiner();
}

/* One large input beside many small ones: each of them would need a large one's workspace. */
static void test_workspace_is_limited(void **state)
{
    (void)state;
    rp_combiner_options options = RP_COMBINER_OPTIONS_INIT;
    gate_device_open(&gate, host, 0);
    options.max_input_bytes = CROWD_MAX_INPUT;
    options.launch_bytes = (size_t)CROWD_MAX_INPUT * 4;
    options.max_inputs = 64; /* of 1 KiB */
    options.max_running = 1;
    assert_int_equal(rp_combiner_create(&gate.device, &options, &combiner), RP_STATUS_OK);
    assert_int_equal(rp_combiner_reserve(combiner, 2 * options.max_running + 2), RP_STATUS_OK);
    crowd_member *members = crowd_make(combiner, 32, 1024, 9);
    assert_non_null(members);
    members[1].n_bytes = CROWD_MAX_INPUT;
    gate.is_closed = true;
    crowd_start(members, 1);
    gate_device_await(&gate, 1);
    crowd_start(members + 1, 1);
    crowd_await_gathering(combiner, 1);
    crowd_start(members + 2, 30);
    crowd_await_gathering(combiner, 31);
    gate.is_closed = false;
    crowd_join(members, 32);
    assert_all_right(members, 32);
    assert_true(counts_now().n_launches > 2);
    free(members);
    close_combiner();
}

/* Inputs of other efforts or flags have a launch of their own. */
static void test_options_are_not_mixed(void **state)
{
    (void)state;
    open_combiner(0, 16, 1);
    crowd_member *members = crowd_make(combiner, 13, 4096, 6);
    assert_non_null(members);
    for (size_t i = 1; i < 13; i++) {
        members[i].effort = i % 3 == 0 ? RP_EFFORT_HIGH : RP_EFFORT_FAST;
        members[i].flags = i % 3 == 1 ? RP_COMPRESS_CHECKSUM : 0;
    }
    gate.is_closed = true;
    crowd_start(members, 1);
    gate_device_await(&gate, 1);
    crowd_start(members + 1, 12);
    crowd_await_gathering(combiner, 12);
    gate.is_closed = false;
    crowd_join(members, 13);
    assert_all_right(members, 13);
    assert_int_equal(counts_now().n_launches, 4);
    assert_int_equal(counts_now().most_inputs, 4);
    free(members);
    close_combiner();
}

static void *serve(void *context)
{
    (void)context;
    rp_status status = rp_combiner_serve(combiner, 200000, 60000000);
    return status == RP_STATUS_OK ? NULL : combiner;
}

/* While a thread serves, those who compress call nothing of the device. */
static void test_service(void **state)
{
    (void)state;
    pthread_t servants[2];
    void *failed[2];
    open_combiner(0, 8, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&servants[i], NULL, serve, NULL), 0);
    while (counts_now().n_serving != 2)
        usleep(200);
    crowd_member *members = crowd_make(combiner, MANY, 4096, 7);
    assert_non_null(members);
    for (size_t i = 0; i < MANY; i++)
        members[i].forbidden = true;
    crowd_start(members, MANY);
    crowd_join(members, MANY);
    assert_all_right(members, MANY);
    assert_true(gate.n_calls > 0);
    assert_int_equal(gate.n_forbidden_calls, 0);
    assert_int_equal(crowd_accounted(members, MANY), MANY);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(servants[i], &failed[i]);
        assert_null(failed[i]);
    }
    /* Nobody serves any more: a thread that compresses leads its own group. */
    assert_int_equal(counts_now().n_serving, 0);
    crowd_compress(&members[0]);
    assert_true(crowd_is_right(&members[0], host));
    free(members);
    close_combiner();
}

static uint8_t *slow_page;
static size_t page_bytes;
static _Atomic bool is_slow, may_go_on;

/* The first access to the page takes long, as if its thread had lost the processor there. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    if ((uintptr_t)info->si_addr - (uintptr_t)slow_page >= page_bytes)
        abort();
    is_slow = true;
    while (!may_go_on)
        usleep(200);
    if (mprotect(slow_page, page_bytes, PROT_READ | PROT_WRITE) != 0)
        abort();
}

/* A thread that takes long to copy its input does not hold up the others, of which n_behind have
 * slots behind its own. */
static void check_late_input(size_t n_behind)
{
    struct sigaction action, before;
    memset(&action, 0, sizeof(action));
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    slow_page = mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(slow_page != MAP_FAILED);
    assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
    open_combiner(0, 8, 1);
    crowd_member *members = crowd_make(combiner, 4 + n_behind, 2048, 8);
    assert_non_null(members);
    memcpy(slow_page, members[3].bytes, members[3].n_bytes);
    members[3].input = slow_page;
    is_slow = false;
    may_go_on = false;
    assert_int_equal(mprotect(slow_page, page_bytes, PROT_NONE), 0);
    gate.is_closed = true;
    crowd_start(members, 1);
    gate_device_await(&gate, 1);
    crowd_start(members + 1, 2);
    crowd_await_gathering(combiner, 2);
    crowd_start(members + 3, 1);
    while (!is_slow)
        usleep(200);
    crowd_start(members + 4, n_behind);
    crowd_await_gathering(combiner, 2 + (uint32_t)n_behind);
    gate.is_closed = false;
    crowd_join(members, 3);
    crowd_join(members + 4, n_behind);
    may_go_on = true;
    crowd_join(members + 3, 1);
    assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
    assert_all_right(members, 4 + n_behind);
    rp_combiner_counts counts = counts_now();
    assert_int_equal(counts.n_late, 1);
    assert_int_equal(counts.n_launches, 3);
    assert_int_equal(counts.n_inputs, 4 + n_behind);
    free(members);
    munmap(slow_page, page_bytes);
    close_combiner();
}

static void test_late_input(void **state)
{
    (void)state;
    check_late_input(2);
    check_late_input(0);
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_gathering),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_bytes_are_limited),
        cmocka_unit_test(test_workspace_is_limited),
        cmocka_unit_test(test_options_are_not_mixed),
        cmocka_unit_test(test_service),
        cmocka_unit_test(test_late_input),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
