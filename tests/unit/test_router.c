/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router's rule, by what it is told that things cost. Each test has block sizes of its own:
 * costs are kept for each size and effort, and for as long as the process lives.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/support/cases.h"

#include "plugin/core/config.h"
#include "plugin/core/costs.h"
#include "plugin/route/router.h"

static rp_plugin_config config_for(rp_goal goal)
{
    rp_plugin_config config;

    rp_plugin_config_default(&config, sizeof(config));
    memcpy(config.device, "host", sizeof("host"));
    config.goal = goal;
    return config;
}

/* Wall time and CPU time of a byte, in picoseconds; as often as it takes to forget what was. */
static void note(rp_route route, rp_effort effort, size_t block, uint64_t wall, uint64_t cpu)
{
    for (int i = 0; i < 20; i++)
        rp_costs_note(route, effort, block, (uint64_t)32 << 20, (wall << 20) * 32 / 1000,
                      (cpu << 20) * 32 / 1000);
}

static unsigned n_direct(const rp_plugin_config *config, rp_effort effort, size_t block, unsigned n)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        count += rp_router_takes_direct(config, effort, block);
    return count;
}

static void test_goals(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_AUTO);
    rp_device custom = {0};

    (void)state;
    assert_int_equal(rp_config_goal(&config), RP_GOAL_DEVICE);
    memcpy(config.device, "auto", sizeof("auto"));
    assert_int_equal(rp_config_goal(&config), RP_GOAL_THROUGHPUT);
    config.custom_device = &custom;
    assert_int_equal(rp_config_goal(&config), RP_GOAL_DEVICE);
    config.goal = RP_GOAL_CPU;
    assert_int_equal(rp_config_goal(&config), RP_GOAL_CPU);
}

static void test_unknown_costs(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_THROUGHPUT);

    (void)state;
    assert_int_equal(n_direct(&config, RP_EFFORT_FAST, 600, 100), 100);
    /* The device is known: libzstd is tried soon, and then as often as it takes. */
    note(RP_ROUTE_DIRECT, RP_EFFORT_FAST, 600, 5000, 5000);
    assert_int_equal(n_direct(&config, RP_EFFORT_FAST, 600, 800), 700);
    /* First measures warm up, and count for nothing. */
    rp_costs_note(RP_ROUTE_CPU, RP_EFFORT_FAST, 600, 600, 1, 1);
    rp_costs_note(RP_ROUTE_CPU, RP_EFFORT_FAST, 600, 600, 1, 1);
    assert_int_equal(n_direct(&config, RP_EFFORT_FAST, 600, 800), 700);
}

static void test_cheaper_way(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_THROUGHPUT);

    (void)state;
    note(RP_ROUTE_CPU, RP_EFFORT_FAST, 1500, 4000, 4000);
    note(RP_ROUTE_DIRECT, RP_EFFORT_FAST, 1500, 2000, 2000);
    /* libzstd costs twice as much: tried once in 128. */
    assert_in_range(n_direct(&config, RP_EFFORT_FAST, 1500, 12800), 12700 - 1, 12700 + 1);
    note(RP_ROUTE_DIRECT, RP_EFFORT_FAST, 1500, 16000, 16000);
    /* Now the device costs four times as much: once in 256. */
    assert_in_range(n_direct(&config, RP_EFFORT_FAST, 1500, 25600), 100 - 1, 100 + 1);
    /* However bad it was, it gets another chance. */
    note(RP_ROUTE_DIRECT, RP_EFFORT_FAST, 1500, 40000000, 40000000);
    assert_in_range(n_direct(&config, RP_EFFORT_FAST, 1500, 40960), 9, 11);
}

static void test_goals_differ(void **state)
{
    rp_plugin_config throughput = config_for(RP_GOAL_THROUGHPUT);
    rp_plugin_config cpu = config_for(RP_GOAL_CPU);
    rp_plugin_config device = config_for(RP_GOAL_DEVICE);

    (void)state;
    /* A device that takes long while the thread sleeps. */
    note(RP_ROUTE_CPU, RP_EFFORT_FAST, 3000, 4000, 4000);
    note(RP_ROUTE_DIRECT, RP_EFFORT_FAST, 3000, 8000, 500);
    assert_true(n_direct(&throughput, RP_EFFORT_FAST, 3000, 1000) < 20);
    assert_true(n_direct(&cpu, RP_EFFORT_FAST, 3000, 1000) > 980);
    assert_int_equal(n_direct(&device, RP_EFFORT_FAST, 3000, 1000), 1000);
}

static void test_costs_apart(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_THROUGHPUT);

    (void)state;
    note(RP_ROUTE_CPU, RP_EFFORT_FAST, 6000, 1000, 1000);
    note(RP_ROUTE_DIRECT, RP_EFFORT_FAST, 6000, 2000, 2000);
    note(RP_ROUTE_CPU, RP_EFFORT_MAX, 6000, 9000, 9000);
    note(RP_ROUTE_DIRECT, RP_EFFORT_MAX, 6000, 2000, 2000);
    note(RP_ROUTE_CPU, RP_EFFORT_FAST, 12000, 3000, 3000);
    note(RP_ROUTE_DIRECT, RP_EFFORT_FAST, 12000, 2000, 2000);
    assert_true(n_direct(&config, RP_EFFORT_FAST, 6000, 1000) < 20);
    assert_true(n_direct(&config, RP_EFFORT_MAX, 6000, 1000) > 980);
    assert_true(n_direct(&config, RP_EFFORT_FAST, 12000, 1000) > 980);
    assert_true(n_direct(&config, RP_EFFORT_FAST, 8192, 1000) < 20);
}

static void test_batches(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_THROUGHPUT);
    rp_plugin_config device = config_for(RP_GOAL_DEVICE);
    unsigned n = 0;
    uint64_t declined, probes;

    (void)state;
    assert_true(rp_router_takes_batch(&config, RP_EFFORT_FAST, 20000));
    note(RP_ROUTE_BATCH, RP_EFFORT_FAST, 20000, 6000, 6000);
    assert_true(rp_router_takes_batch(&config, RP_EFFORT_FAST, 20000));
    note(RP_ROUTE_CPU, RP_EFFORT_FAST, 20000, 3000, 3000);
    declined = rp_stats_value(RP_STAT_BATCHES_DECLINED, 0);
    probes = rp_stats_value(RP_STAT_ROUTER_PROBES, 0);
    for (int i = 0; i < 160; i++)
        n += rp_router_takes_batch(&config, RP_EFFORT_FAST, 20000);
    /* Twice as dear: one file in 16. */
    assert_in_range(n, 9, 10);
    assert_int_equal(rp_stats_value(RP_STAT_BATCHES_DECLINED, 0) - declined, 160 - n);
    assert_int_equal(rp_stats_value(RP_STAT_ROUTER_PROBES, 0) - probes, n);
    assert_true(rp_router_takes_batch(&device, RP_EFFORT_FAST, 20000));
    note(RP_ROUTE_BATCH, RP_EFFORT_FAST, 20000, 600, 600);
    for (int i = 0; i < 100; i++)
        assert_true(rp_router_takes_batch(&config, RP_EFFORT_FAST, 20000));
}

static void test_samples_of_libzstd(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_CPU);
    rp_plugin_config device = config_for(RP_GOAL_DEVICE);
    unsigned n = 0;

    (void)state;
    for (int i = 0; i < 80; i++)
        n += rp_router_samples_cpu(&config, RP_EFFORT_FAST, 70000);
    assert_int_equal(n, 10);
    note(RP_ROUTE_CPU, RP_EFFORT_FAST, 70000, 3000, 3000);
    for (int i = 0; i < 2560; i++)
        n += rp_router_samples_cpu(&config, RP_EFFORT_FAST, 70000);
    assert_int_equal(n, 20);
    for (int i = 0; i < 2560; i++)
        assert_false(rp_router_samples_cpu(&device, RP_EFFORT_FAST, 70000));
}

static void test_waits(void **state)
{
    rp_plugin_config throughput = config_for(RP_GOAL_THROUGHPUT);
    rp_plugin_config cpu = config_for(RP_GOAL_CPU);
    rp_plugin_config device = config_for(RP_GOAL_DEVICE);

    (void)state;
    assert_true(rp_router_max_wait_ns(&throughput, RP_EFFORT_FAST, 40000) == UINT64_MAX);
    note(RP_ROUTE_CPU, RP_EFFORT_FAST, 40000, 5000, 5000);
    /* 200 us for the block. */
    assert_in_range(rp_router_max_wait_ns(&throughput, RP_EFFORT_FAST, 40000), 190000, 210000);
    assert_true(rp_router_max_wait_ns(&cpu, RP_EFFORT_FAST, 40000) == UINT64_MAX);
    assert_true(rp_router_max_wait_ns(&device, RP_EFFORT_FAST, 40000) == UINT64_MAX);
}

static void test_all_sizes_have_a_place(void **state)
{
    rp_plugin_config config = config_for(RP_GOAL_THROUGHPUT);

    (void)state;
    for (size_t size = 0; size < 40; size++) {
        for (int effort = 0; effort < 6; effort++) {
            rp_costs_note(RP_ROUTE_CPU, (rp_effort)effort, (size_t)1 << size, 1, 1, 1);
            rp_router_takes_direct(&config, (rp_effort)effort, (size_t)1 << size);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goals),
        cmocka_unit_test(test_unknown_costs),
        cmocka_unit_test(test_cheaper_way),
        cmocka_unit_test(test_goals_differ),
        cmocka_unit_test(test_costs_apart),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_samples_of_libzstd),
        cmocka_unit_test(test_all_sizes_have_a_place),
    };

    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
