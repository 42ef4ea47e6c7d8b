/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router's rules, by what it is told that things cost: no clock is read. Each test has block
 * sizes of its own, as costs are kept for each size and effort, and for as long as the process
 * lives. The rules for whole workloads are in test_router_workloads.c.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/support/cases.h"

#include "plugin/core/balance.h"
#include "plugin/core/config.h"
#include "plugin/core/costs.h"
#include "plugin/route/router.h"

#define EFFORT RP_EFFORT_FAST

static rp_plugin_config config_for(rp_goal goal)
{
    rp_plugin_config config;

    rp_plugin_config_default(&config, sizeof(config));
    memcpy(config.device, "host", sizeof("host"));
    config.goal = goal;
    rp_thread.balance_ns = 0;
    return config;
}

/* Wall time and CPU time of a byte, in picoseconds; as often as it takes to forget what was. */
static void note(rp_route route, size_t block, uint64_t wall, uint64_t cpu)
{
    for (int i = 0; i < 20; i++)
        rp_costs_note(route, EFFORT, block, (uint64_t)32 << 20, (wall << 20) * 32 / 1000,
                      (cpu << 20) * 32 / 1000);
}

/* How many of n blocks go direct, of a file with so many times the threads that RocksDB's options
 * say. None of them reports anything. */
static unsigned n_direct_of(const rp_plugin_config *config, size_t block, uint32_t times,
                            unsigned n)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        count += rp_router_choose(config, EFFORT, block, times) != RP_ROUTER_CPU;
    return count;
}

static unsigned n_direct(const rp_plugin_config *config, size_t block, unsigned n)
{
    return n_direct_of(config, block, 1, n);
}

static void test_auto_is_a_rule_for_all_devices(void **state)
{
    static const char *const devices[] = {"auto", "host", "cuda", "cuda:1"};
    rp_plugin_config config;

    (void)state;
    rp_plugin_config_default(&config, sizeof(config));
    assert_int_equal(config.goal, RP_GOAL_AUTO);
    note(RP_ROUTE_CPU, 500, 1000, 1000);
    note(RP_ROUTE_DIRECT, 500, 9000, 9000);
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        memcpy(config.device, devices[i], strlen(devices[i]) + 1);
        assert_true(n_direct(&config, 500, 1000) < 20);
    }
    config.goal = RP_GOAL_DEVICE;
    assert_int_equal(n_direct(&config, 500, 1000), 1000);
}

static void test_libzstd_comes_first(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_AUTO);

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        rp_thread.is_awaited = 0;
        assert_int_equal(rp_router_choose(&config, EFFORT, 700, 1), RP_ROUTER_CPU);
        /* Its cost is wanted. */
        assert_int_equal(rp_thread.is_awaited, 1);
        /* The first two warm up, and count for nothing. */
        rp_costs_note(RP_ROUTE_CPU, EFFORT, 700, 700, 7000, 7000);
    }
    assert_int_equal(rp_router_choose(&config, EFFORT, 700, 1), RP_ROUTER_PROBE);
    /* Nobody else tries the device meanwhile. */
    assert_int_equal(n_direct(&config, 700, 100), 0);
    rp_router_note_direct(&config, EFFORT, 700, 1, RP_ROUTER_PROBE, RP_FALLBACK_NONE, 70000, 7000);
    assert_int_equal(rp_router_choose(&config, EFFORT, 700, 1), RP_ROUTER_PROBE);
}

static void test_goals_differ(void **state)
{
    rp_plugin_config automatic = config_for(RP_GOAL_AUTO);
    rp_plugin_config throughput = config_for(RP_GOAL_THROUGHPUT);
    rp_plugin_config cpu = config_for(RP_GOAL_CPU);

    (void)state;
    /* A device that takes long while the thread sleeps. */
    note(RP_ROUTE_CPU, 3000, 4000, 4000);
    note(RP_ROUTE_DIRECT, 3000, 8000, 500);
    assert_true(n_direct(&automatic, 3000, 1000) < 20);
    assert_true(n_direct(&throughput, 3000, 1000) < 20);
    assert_true(n_direct(&cpu, 3000, 1000) > 980);
    /* One that is quick, and keeps the thread busy. */
    note(RP_ROUTE_DIRECT, 3000, 2000, 8000);
    assert_true(n_direct(&automatic, 3000, 1000) < 20);
    assert_true(n_direct(&throughput, 3000, 1000) > 970);
    assert_true(n_direct(&cpu, 3000, 1000) < 20);
    note(RP_ROUTE_DIRECT, 3000, 3900, 3900);
    assert_true(n_direct(&automatic, 3000, 1000) > 970);
}

/* Of eight threads instead of one, each may take eight times as long. */
static void test_threads_side_by_side(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_AUTO);
    rp_plugin_config throughput = config_for(RP_GOAL_THROUGHPUT);

    (void)state;
    note(RP_ROUTE_CPU, 200000, 5000, 5000);
    note(RP_ROUTE_DIRECT, 200000, 30000, 1000);
    assert_true(n_direct_of(&config, 200000, 5, 1000) < 20);
    assert_true(n_direct_of(&config, 200000, 7, 1000) > 970);
    /* Others are judged by their own time, and who wants only time has it with libzstd. */
    assert_true(n_direct(&config, 200000, 1000) < 20);
    assert_true(n_direct_of(&throughput, 200000, 8, 1000) < 20);
    /* What is left of that time is saved: 7 times 1 ms, less 6 ms. */
    rp_thread.balance_ns = 0;
    rp_router_note_direct(&config, EFFORT, 200000, 7, RP_ROUTER_DIRECT, RP_FALLBACK_NONE, 6000000,
                          200000);
    assert_in_range(rp_balance_ns(), 990000, 1010000);
    /* It does not make up for CPU time. But probes cost only that: one in 67 blocks. */
    note(RP_ROUTE_DIRECT, 200000, 30000, 5500);
    assert_in_range(n_direct_of(&config, 200000, 8, 1000), 10, 20);
    rp_thread.balance_ns = 0;
}

/* A probe that is within the time that is allowed costs nothing, and one follows the other. */
static void test_probes_side_by_side(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_AUTO);
    unsigned n_probes = 0;

    (void)state;
    note(RP_ROUTE_CPU, 1500, 5000, 5000);
    for (int i = 0; i < 200; i++)
        rp_costs_note(RP_ROUTE_DIRECT, EFFORT, 1500, 1500, 90000, 6000);
    assert_true(n_direct_of(&config, 1500, 8, 100) < 5);
    /* By now it is better than it was. */
    for (unsigned i = 0; i < 4000; i++) {
        rp_router_choice choice;
        rp_thread.balance_ns = 0; /* what a probe saves would be spent */
        choice = rp_router_choose(&config, EFFORT, 1500, 8);
        n_probes += choice == RP_ROUTER_PROBE;
        if (choice != RP_ROUTER_CPU)
            rp_router_note_direct(&config, EFFORT, 1500, 8, choice, RP_FALLBACK_NONE, 30000, 1500);
    }
    assert_in_range(n_probes, 10, 400);
    assert_true(n_direct_of(&config, 1500, 8, 100) > 95);
    rp_thread.balance_ns = 0;
}

static void test_savings_are_spent(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_AUTO);
    rp_plugin_config throughput = config_for(RP_GOAL_THROUGHPUT);

    (void)state;
    note(RP_ROUTE_CPU, 6000, 5000, 5000);
    note(RP_ROUTE_DIRECT, 6000, 15000, 1000);
    /* 60 us beyond libzstd: more than there is. */
    rp_thread.balance_ns = 50000;
    assert_true(n_direct(&config, 6000, 1000) < 20);
    rp_thread.balance_ns = 70000;
    assert_true(n_direct(&config, 6000, 1000) > 970);
    assert_true(n_direct(&throughput, 6000, 1000) < 20);
    rp_router_note_direct(&config, EFFORT, 6000, 1, RP_ROUTER_DIRECT, RP_FALLBACK_NONE, 90000,
                          6000);
    assert_in_range(rp_balance_ns(), 9900, 10100);
    assert_true(n_direct(&config, 6000, 1000) < 20);
    /* However much is saved, it does not make up for CPU time. */
    note(RP_ROUTE_DIRECT, 6000, 15000, 5500);
    rp_thread.balance_ns = RP_BALANCE_MOST_NS;
    assert_true(n_direct(&config, 6000, 1000) < 20);
}

static void test_bounds_of_the_balance(void **state)
{
    (void)state;
    rp_thread.balance_ns = 0;
    rp_balance_note(1000, 400);
    assert_int_equal(rp_balance_ns(), 600);
    rp_balance_note(UINT64_C(1) << 60, 0);
    assert_int_equal(rp_balance_ns(), RP_BALANCE_MOST_NS);
    rp_balance_note(0, 1000);
    assert_int_equal(rp_balance_ns(), RP_BALANCE_MOST_NS - 1000);
    rp_balance_note(0, UINT64_C(1) << 60);
    assert_int_equal(rp_balance_ns(), RP_BALANCE_LEAST_NS);
    rp_balance_note(1000, 0);
    assert_int_equal(rp_balance_ns(), RP_BALANCE_LEAST_NS + 1000);
}

static void test_costs_apart(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_AUTO);

    (void)state;
    note(RP_ROUTE_CPU, 12000, 1000, 1000);
    note(RP_ROUTE_DIRECT, 12000, 2000, 2000);
    note(RP_ROUTE_CPU, 20000, 3000, 3000);
    note(RP_ROUTE_DIRECT, 20000, 2000, 2000);
    assert_true(n_direct(&config, 12000, 1000) < 20);
    assert_true(n_direct(&config, 16384, 1000) < 20);
    assert_true(n_direct(&config, 16385, 1000) > 970);
    /* Of another effort nothing is known. */
    assert_int_equal(rp_router_choose(&config, RP_EFFORT_MAX, 20000, 1), RP_ROUTER_CPU);
    assert_int_equal(rp_thread.is_awaited, 1);
    rp_thread.is_awaited = 0;
}

/* The device has been asked, and libzstd has to do the block after all. */
static void test_blocks_without_a_frame(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_AUTO);
    rp_price price;

    (void)state;
    note(RP_ROUTE_CPU, 40000, 5000, 5000);
    note(RP_ROUTE_DIRECT, 40000, 1000, 1000);
    assert_true(n_direct(&config, 40000, 100) > 95);
    for (int i = 0; i < 4000; i++)
        rp_router_note_direct(&config, EFFORT, 40000, 1, RP_ROUTER_DIRECT, RP_FALLBACK_CAPACITY,
                              40000, 40000);
    price = rp_costs_price(rp_costs_cell(EFFORT, 40000), RP_ROUTE_DIRECT);
    assert_in_range(price.wall, 5990, 6010);
    assert_in_range(price.cpu, 5990, 6010);
    assert_true(n_direct(&config, 40000, 1000) < 20);
    assert_int_equal(rp_balance_ns(), RP_BALANCE_LEAST_NS);
    /* It has not been asked. */
    for (int i = 0; i < 4000; i++)
        rp_router_note_direct(&config, EFFORT, 40000, 1, RP_ROUTER_DIRECT, RP_FALLBACK_BREAKER, 100,
                              100);
    assert_in_range(rp_costs_price(rp_costs_cell(EFFORT, 40000), RP_ROUTE_DIRECT).wall, 5990, 6010);
}

/* A probe that found no lane, or the breaker open, has cost nothing. */
static void test_probes_that_did_not_happen(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_AUTO);

    (void)state;
    note(RP_ROUTE_CPU, 70000, 5000, 5000);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(rp_router_choose(&config, EFFORT, 70000, 1), RP_ROUTER_PROBE);
        rp_router_note_direct(&config, EFFORT, 70000, 1, RP_ROUTER_PROBE, RP_FALLBACK_POOL, 50, 50);
    }
}

static void test_cpu_time_is_sampled(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_AUTO);
    rp_plugin_config device = config_for(RP_GOAL_DEVICE);
    unsigned cell = rp_costs_cell(EFFORT, 130000), n = 0;
    rp_price price;

    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_true(rp_router_measures_cpu(&config, EFFORT, 130000, RP_ROUTER_DIRECT));
        rp_costs_note(RP_ROUTE_DIRECT, EFFORT, 130000, 130000, 260000, 65000);
    }
    for (int i = 0; i < 160; i++)
        n += rp_router_measures_cpu(&config, EFFORT, 130000, RP_ROUTER_DIRECT);
    assert_int_equal(n, 10);
    for (int i = 0; i < 16; i++)
        assert_true(rp_router_measures_cpu(&config, EFFORT, 130000, RP_ROUTER_PROBE));
    assert_false(rp_router_measures_cpu(&device, EFFORT, 130000, RP_ROUTER_DIRECT));
    /* Blocks that were not measured say nothing of the CPU. */
    for (int i = 0; i < 1000; i++)
        rp_costs_note(RP_ROUTE_DIRECT, EFFORT, 130000, 130000, 130000, RP_COSTS_UNMEASURED);
    price = rp_costs_price(cell, RP_ROUTE_DIRECT);
    assert_in_range(price.wall, 1000, 1010);
    assert_in_range(price.cpu, 500, 502);
}

static void test_cpu_time_that_nobody_measured(void **state)
{
    rp_price price;

    (void)state;
    for (int i = 0; i < 10; i++)
        rp_costs_note(RP_ROUTE_DIRECT, RP_EFFORT_HIGH, 4096, 4096, 40960, RP_COSTS_UNMEASURED);
    price = rp_costs_price(rp_costs_cell(RP_EFFORT_HIGH, 4096), RP_ROUTE_DIRECT);
    assert_in_range(price.wall, 10000, 10010);
    assert_int_equal(price.cpu, price.wall);
}

static void test_files(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_AUTO);
    rp_plugin_config throughput = config_for(RP_GOAL_THROUGHPUT);
    rp_plugin_config cpu = config_for(RP_GOAL_CPU);
    rp_plugin_config device = config_for(RP_GOAL_DEVICE);
    const uint64_t file = 16 << 20;

    (void)state;
    rp_thread.balance_ns = 0;
    /* Nothing is known: begun. */
    assert_true(rp_router_takes_batch(&config, RP_EFFORT_HIGH, 20000, file));
    note(RP_ROUTE_CPU, 2000, 3000, 3000);
    assert_true(rp_router_takes_batch(&config, EFFORT, 2000, file));
    note(RP_ROUTE_BATCH, 2000, 300, 300);
    assert_true(rp_router_takes_batch(&config, EFFORT, 2000, file));
    /* Less CPU time, and more time: 16 ms for this file. */
    note(RP_ROUTE_BATCH, 2000, 4000, 300);
    assert_false(rp_router_takes_batch(&config, EFFORT, 2000, file));
    assert_false(rp_router_takes_batch(&throughput, EFFORT, 2000, file));
    assert_true(rp_router_takes_batch(&cpu, EFFORT, 2000, file));
    rp_thread.balance_ns = 16000000;
    assert_false(rp_router_takes_batch(&config, EFFORT, 2000, file));
    rp_thread.balance_ns = 17000000;
    assert_true(rp_router_takes_batch(&config, EFFORT, 2000, file));
    /* Less time, and more CPU time. */
    note(RP_ROUTE_BATCH, 2000, 300, 4000);
    assert_false(rp_router_takes_batch(&config, EFFORT, 2000, file));
    assert_true(rp_router_takes_batch(&throughput, EFFORT, 2000, file));
    assert_false(rp_router_takes_batch(&cpu, EFFORT, 2000, file));
    assert_true(rp_router_takes_batch(&device, EFFORT, 2000, file));
}

/* Those that are tried cost 0.5 %, and all others are counted as declined. */
static void test_probes_of_files(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_AUTO);
    const uint64_t file = 16 << 20;
    unsigned n = 0;
    uint64_t declined = rp_stats_value(RP_STAT_BATCHES_DECLINED, 0);
    uint64_t probes = rp_stats_value(RP_STAT_ROUTER_PROBES, 0);

    (void)state;
    note(RP_ROUTE_CPU, 250000, 3000, 3000);
    note(RP_ROUTE_BATCH, 250000, 3300, 3300);
    for (int i = 0; i < 2000; i++)
        n += rp_router_takes_batch(&config, EFFORT, 250000, file);
    /* A tenth dearer: one in 20. */
    assert_in_range(n, 98, 101);
    assert_int_equal(rp_stats_value(RP_STAT_BATCHES_DECLINED, 0) - declined, 2000 - n);
    assert_int_equal(rp_stats_value(RP_STAT_ROUTER_PROBES, 0) - probes, n);
    /* However large and dear it is. */
    note(RP_ROUTE_BATCH, 250000, UINT64_C(1) << 30, UINT64_C(1) << 30);
    for (int i = 0; i < 100; i++)
        assert_false(rp_router_takes_batch(&config, EFFORT, 250000, UINT64_MAX));
}

static void test_samples_of_libzstd(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_CPU);
    rp_plugin_config device = config_for(RP_GOAL_DEVICE);
    unsigned n = 0;

    (void)state;
    rp_thread.is_awaited = 0;
    for (int i = 0; i < 10; i++)
        n += rp_router_samples_cpu(&config, RP_EFFORT_MAX, 70000);
    assert_int_equal(n, 10);
    assert_int_equal(rp_thread.is_awaited, 1);
    for (int i = 0; i < 3; i++)
        rp_costs_note(RP_ROUTE_CPU, RP_EFFORT_MAX, 70000, 70000, 70000, 70000);
    for (int i = 0; i < 2560; i++)
        n += rp_router_samples_cpu(&config, RP_EFFORT_MAX, 70000);
    assert_int_equal(n, 20);
    for (int i = 0; i < 2560; i++)
        assert_false(rp_router_samples_cpu(&device, RP_EFFORT_MAX, 70000));
}

static void test_waits(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_AUTO);
    rp_plugin_config throughput = config_for(RP_GOAL_THROUGHPUT);
    rp_plugin_config cpu = config_for(RP_GOAL_CPU);
    rp_plugin_config device = config_for(RP_GOAL_DEVICE);

    (void)state;
    assert_int_equal(rp_router_max_wait_ns(&config, RP_EFFORT_HIGH, 40000), 0);
    /* 200 us for the block. */
    note(RP_ROUTE_CPU, 40000, 5000, 5000);
    assert_in_range(rp_router_max_wait_ns(&throughput, EFFORT, 40000), 199000, 201000);
    assert_in_range(rp_router_max_wait_ns(&config, EFFORT, 40000), 199000, 201000);
    rp_thread.balance_ns = 3000000;
    assert_in_range(rp_router_max_wait_ns(&config, EFFORT, 40000), 3199000, 3201000);
    assert_in_range(rp_router_max_wait_ns(&throughput, EFFORT, 40000), 199000, 201000);
    /* What was lost is not lost a second time. */
    rp_thread.balance_ns = -150000;
    assert_in_range(rp_router_max_wait_ns(&config, EFFORT, 40000), 49000, 51000);
    rp_thread.balance_ns = -300000;
    assert_int_equal(rp_router_max_wait_ns(&config, EFFORT, 40000), 0);
    assert_true(rp_router_max_wait_ns(&cpu, EFFORT, 40000) == UINT64_MAX);
    assert_true(rp_router_max_wait_ns(&device, EFFORT, 40000) == UINT64_MAX);
}

static void test_all_sizes_have_a_place(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_THROUGHPUT);
    unsigned last = 0;

    (void)state;
    for (size_t size = 0; size < 40; size++) {
        for (int effort = 0; effort < 6; effort++) {
            rp_costs_note(RP_ROUTE_CPU, (rp_effort)effort, (size_t)1 << size, 1, 1, 1);
            rp_router_choose(&config, (rp_effort)effort, (size_t)1 << size, 1);
        }
    }
    assert_int_equal(rp_costs_cell(EFFORT, 0), rp_costs_cell(EFFORT, 512));
    for (size_t size = 512; size <= 512 << 10; size *= 2) {
        unsigned cell = rp_costs_cell(EFFORT, size);
        assert_true(cell < RP_COSTS_N_CELLS && cell >= last);
        assert_int_equal(rp_costs_cell(EFFORT, size / 2 + 1),
                         size == 512 ? rp_costs_cell(EFFORT, 1) : cell);
        if (size <= 256 << 10)
            assert_int_equal(rp_costs_cell(EFFORT, size + 1), cell + 1);
        last = cell;
    }
    assert_int_equal(rp_costs_cell(EFFORT, SIZE_MAX), last);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auto_is_a_rule_for_all_devices),
        cmocka_unit_test(test_libzstd_comes_first),
        cmocka_unit_test(test_goals_differ),
        cmocka_unit_test(test_threads_side_by_side),
        cmocka_unit_test(test_probes_side_by_side),
        cmocka_unit_test(test_savings_are_spent),
        cmocka_unit_test(test_bounds_of_the_balance),
        cmocka_unit_test(test_costs_apart),
        cmocka_unit_test(test_blocks_without_a_frame),
        cmocka_unit_test(test_probes_that_did_not_happen),
        cmocka_unit_test(test_cpu_time_is_sampled),
        cmocka_unit_test(test_cpu_time_that_nobody_measured),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_probes_of_files),
        cmocka_unit_test(test_samples_of_libzstd),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_all_sizes_have_a_place),
    };

    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
