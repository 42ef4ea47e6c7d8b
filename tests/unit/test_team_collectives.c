/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collectives of team.h against plain definitions of their results (collective_checks.h). This
 * file is compiled twice: for teams of 1 to 33 threads, and for teams of one worker.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/support/cases.h"

#include "tests/support/collective_checks.h"
#include "tests/support/team_device.h"

#define MAX_SIZE 33

static void report(const collective_test *test)
{
    char text[128];
    if (!collective_good(test, text, sizeof(text)))
        fail_msg("%s", text);
}

#ifdef RP_TEAM_THREADS

static void worker_main(struct rp_team *team, void *context)
{
    collective_worker(team, context);
}

static void run_sizes(team_device_kind kind, uint32_t n_rounds)
{
    for (uint32_t size = 1; size <= MAX_SIZE; size++) {
        collective_test test;
        memset(&test, 0, sizeof(test));
        test.size = size;
        test.n_rounds = n_rounds;
        test.seed = size;
        rp_device *device = team_device_open(kind, size, size);
        assert_non_null(device);
        if (!team_device_run(device, worker_main, &test))
            fail_msg("%s", team_device_error(device));
        report(&test);
        rp_device_close(device);
    }
}

static void test_threads(void **state)
{
    (void)state;
    run_sizes(TEAM_DEVICE_THREADS, 60);
}

static void test_shuffled(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    run_sizes(TEAM_DEVICE_SHUFFLED, 1000);
}

/* The test's device reports ranks that do not meet at the same barriers. */
typedef struct divergent_test {
    uint32_t odd_rank;
    uint32_t n_barriers;     /* of the odd rank */
    uint32_t n_all_barriers; /* of the others */
} divergent_test;

static void divergent_main(struct rp_team *team, void *context)
{
    const divergent_test *test = context;
    uint32_t n = TEAM_RANK(team) == test->odd_rank ? test->n_barriers : test->n_all_barriers;
    for (uint32_t i = 0; i < n; i++)
        team_sync(team);
}

static void check_divergence(team_device_kind kind)
{
    static const divergent_test fewer = {2, 3, 5};
    static const divergent_test more = {0, 1, 0};
    static const divergent_test same = {1, 4, 4};
    rp_device *device = team_device_open(kind, 4, 1);
    assert_non_null(device);
    for (uint32_t i = 0; i < 3; i++) {
        assert_false(team_device_run(device, divergent_main, (void *)&fewer));
        assert_string_equal(team_device_error(device),
                            "rank 2 of 4 ended after 3 barriers, rank 0 waits at barrier 4");
        assert_false(team_device_run(device, divergent_main, (void *)&more));
        assert_string_equal(team_device_error(device),
                            "rank 1 of 4 ended after 0 barriers, rank 0 waits at barrier 1");
        assert_true(team_device_run(device, divergent_main, (void *)&same));
        assert_string_equal(team_device_error(device), "");
        assert_int_equal(team_device_barriers(device), 4);
    }
    rp_device_close(device);
}

static void test_divergent_barriers(void **state)
{
    (void)state;
    check_divergence(TEAM_DEVICE_THREADS);
}

static void test_shuffled_divergent_barriers(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    check_divergence(TEAM_DEVICE_SHUFFLED);
}

/* The order of the ranks differs between barriers and follows from the seed. */
typedef struct order_test {
    uint32_t n;
    uint32_t order[2][8];
} order_test;

static void order_main(struct rp_team *team, void *context)
{
    order_test *test = context;
    for (uint32_t phase = 0; phase < 2; phase++) {
        test->order[phase][test->n++ % 8] = TEAM_RANK(team);
        team_sync(team);
    }
}

static void test_shuffled_order(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    order_test runs[3] = {{0, {{0}}}, {0, {{0}}}, {0, {{0}}}};
    rp_device *device = team_device_open(TEAM_DEVICE_SHUFFLED, 8, 5);
    assert_non_null(device);
    for (uint32_t i = 0; i < 3; i++) {
        if (i == 2)
            team_device_seed(device, 5);
        assert_true(team_device_run(device, order_main, &runs[i]));
        assert_memory_not_equal(runs[i].order[0], runs[i].order[1], sizeof(runs[i].order[0]));
    }
    assert_memory_equal(runs[0].order, runs[2].order, sizeof(runs[0].order));
    assert_memory_not_equal(runs[0].order, runs[1].order, sizeof(runs[0].order));
    rp_device_close(device);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_shuffled),
        cmocka_unit_test(test_divergent_barriers),
        cmocka_unit_test(test_shuffled_divergent_barriers),
        cmocka_unit_test(test_shuffled_order),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}

#else

static void test_solo(void **state)
{
    (void)state;
    collective_test test;
    rp_team team;
    memset(&test, 0, sizeof(test));
    memset(&team, 0, sizeof(team));
    test.size = 1;
    test.n_rounds = 2000;
    assert_int_equal(TEAM_RANK(&team), 0);
    assert_int_equal(TEAM_SIZE(&team), 1);
    collective_worker(&team, &test);
    report(&test);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_solo)};
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}

#endif
