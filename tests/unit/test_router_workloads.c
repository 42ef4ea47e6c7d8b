/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router at work: many blocks of a workload, each of which costs what the test says that its
 * way costs. What all of them have cost is compared with what libzstd alone would have. No clock is
 * read. Each test has a block size of its own (test_router.c says why).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/support/cases.h"

#include "plugin/core/balance.h"
#include "plugin/core/config.h"
#include "plugin/core/costs.h"
#include "plugin/core/stats.h"
#include "plugin/route/router.h"

#define EFFORT RP_EFFORT_DEFAULT
#define N_BLOCKS 20000u

/* Nanoseconds of a block. */
struct times {
    uint64_t wall, cpu;
};

struct workload {
    rp_plugin_config config;
    size_t block_bytes;
    struct times libzstd, device;
    /* What happened. */
    unsigned n_device, n_probes;
    struct times spent;
    uint64_t alone; /* what libzstd alone would have taken, by either clock */
};

static struct workload workload_of(size_t block_bytes, struct times device)
{
    struct workload load = {
        .block_bytes = block_bytes,
        .libzstd = {60000, 60000},
        .device = device,
    };

    rp_plugin_config_default(&load.config, sizeof(load.config));
    rp_thread.balance_ns = 0;
    return load;
}

static void forget_what_happened(struct workload *load)
{
    load->n_device = load->n_probes = 0;
    load->spent.wall = load->spent.cpu = load->alone = 0;
}

/* The cpu route, which times one block in 16, and those that the router awaits. */
static void run_on_cpu(struct workload *load)
{
    if (rp_thread.is_awaited != 0 || rp_thread.cpu_blocks++ % RP_CPU_TIMING_INTERVAL == 1)
        rp_costs_note(RP_ROUTE_CPU, EFFORT, load->block_bytes, load->block_bytes,
                      load->libzstd.wall, load->libzstd.cpu);
    rp_thread.is_awaited = 0;
    load->spent.wall += load->libzstd.wall;
    load->spent.cpu += load->libzstd.cpu;
}

static void run_direct(struct workload *load, rp_router_choice choice)
{
    bool is_measured = rp_router_measures_cpu(&load->config, EFFORT, load->block_bytes, choice);

    rp_router_note_direct(&load->config, EFFORT, load->block_bytes, 1, choice, RP_FALLBACK_NONE,
                          load->device.wall, is_measured ? load->device.cpu : RP_COSTS_UNMEASURED);
    load->spent.wall += load->device.wall;
    load->spent.cpu += load->device.cpu;
    load->n_device++;
    load->n_probes += choice == RP_ROUTER_PROBE;
}

static void run_block(struct workload *load)
{
    rp_router_choice choice = rp_router_choose(&load->config, EFFORT, load->block_bytes, 1);

    load->alone += load->libzstd.wall;
    if (choice == RP_ROUTER_CPU)
        run_on_cpu(load);
    else
        run_direct(load, choice);
}

static void run(struct workload *load, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        run_block(load);
}

static bool is_within(uint64_t spent, uint64_t alone, unsigned per_mille)
{
    return spent <= alone + alone / 1000 * per_mille;
}

/* From nothing, so that all that has to be learnt is in it. */
static void test_a_slow_device(void **state)
{
    struct workload load = workload_of(1000, (struct times){600000, 600000});

    (void)state;
    run(&load, N_BLOCKS);
    assert_true(is_within(load.spent.wall, load.alone, 20));
    assert_true(is_within(load.spent.cpu, load.alone, 20));
    /* And once that is known, half a percent. */
    forget_what_happened(&load);
    run(&load, N_BLOCKS);
    assert_true(is_within(load.spent.wall, load.alone, 5));
    assert_true(load.n_device >= 8 && load.n_device == load.n_probes);
}

/* One that is slow while the thread sleeps. */
static void test_a_slow_device_that_saves_cpu(void **state)
{
    struct workload load = workload_of(2000, (struct times){600000, 6000});

    (void)state;
    run(&load, N_BLOCKS);
    assert_true(is_within(load.spent.wall, load.alone, 20));
    assert_true(load.spent.cpu <= load.alone);
}

/* No number of probes is too few for a device that is bad enough. */
static void test_a_dead_slow_device(void **state)
{
    struct workload load = workload_of(4000, (struct times){60000000, 60000000});

    (void)state;
    run(&load, N_BLOCKS);
    /* Nothing can be known before it was tried. */
    assert_true(load.n_device <= 3);
    forget_what_happened(&load);
    for (int i = 0; i < 50; i++)
        run(&load, N_BLOCKS);
    assert_true(is_within(load.spent.wall, load.alone, 6));
    assert_true(load.n_device >= 2);
}

static void test_a_device_that_is_better(void **state)
{
    struct workload load = workload_of(300000, (struct times){30000, 10000});

    (void)state;
    run(&load, 200);
    forget_what_happened(&load);
    run(&load, N_BLOCKS);
    /* libzstd is tried, too, for half a percent. */
    assert_true(load.n_device < N_BLOCKS && load.n_device > N_BLOCKS - N_BLOCKS / 64);
    assert_true(is_within(load.spent.wall, load.alone / 2, 10));
}

/* Quicker than libzstd, and dearer: a block of 4 KiB alone on a GPU. */
static void test_a_device_that_costs_cpu_time(void **state)
{
    struct workload load = workload_of(8000, (struct times){20000, 105000});

    (void)state;
    run(&load, N_BLOCKS);
    assert_true(load.n_device == load.n_probes);
    assert_true(is_within(load.spent.cpu, load.alone, 10));
    /* Whatever the thread has saved. */
    rp_thread.balance_ns = RP_BALANCE_MOST_NS;
    forget_what_happened(&load);
    run(&load, N_BLOCKS);
    assert_true(load.n_device == load.n_probes);
    assert_true(is_within(load.spent.cpu, load.alone, 6));
}

/* What batches have saved is spent on blocks that take longer and save CPU time, and no more. */
static void test_savings(void **state)
{
    struct workload load = workload_of(16000, (struct times){110000, 15000});
    const unsigned n_files = 20, n_batch = 600, n_tail = 900;
    int64_t saved = 0, lost;

    (void)state;
    run(&load, 1000);
    forget_what_happened(&load);
    rp_thread.balance_ns = 0;
    for (unsigned f = 0; f < n_files; f++) {
        for (unsigned i = 0; i < n_batch; i++) {
            rp_balance_note(60000, 10000);
            saved += 50000;
        }
        run(&load, n_tail);
    }
    lost = (int64_t)load.spent.wall - (int64_t)load.alone;
    /* All of it, up to a block, and half a percent of probes. */
    assert_true(lost <= saved + (int64_t)load.alone / 200);
    assert_true(lost >= saved * 95 / 100);
    assert_in_range(load.n_device - load.n_probes, n_files * (n_batch - 20), n_files * n_batch);
}

/* The other way round: blocks that are quicker earn, too, and are not spent. */
static void test_nothing_saved_nothing_spent(void **state)
{
    struct workload load = workload_of(32000, (struct times){110000, 15000});

    (void)state;
    run(&load, N_BLOCKS);
    assert_true(load.n_device == load.n_probes);
    assert_true(is_within(load.spent.wall, load.alone, 10));
}

static void test_a_device_that_gets_worse(void **state)
{
    struct workload load = workload_of(64000, (struct times){30000, 10000});

    (void)state;
    run(&load, 5000);
    load.device = (struct times){600000, 600000};
    rp_thread.balance_ns = 0;
    forget_what_happened(&load);
    run(&load, N_BLOCKS);
    assert_true(load.n_device < 64);
    assert_true(is_within(load.spent.wall, load.alone, 20));
    assert_true(is_within(load.spent.cpu, load.alone, 20));
}

static void test_a_device_that_gets_better(void **state)
{
    struct workload load = workload_of(128000, (struct times){600000, 600000});

    (void)state;
    /* Long enough that a hundred probes say how slow it is. */
    for (int i = 0; i < 10; i++)
        run(&load, N_BLOCKS);
    load.device = (struct times){30000, 10000};
    forget_what_happened(&load);
    run(&load, N_BLOCKS);
    /* It is found out by the next probe, after 1800 blocks, and then at once. */
    assert_true(load.n_device > N_BLOCKS - 4000);
}

/* One block that took very long by chance, as when a lane is made. */
static void test_a_single_long_block(void **state)
{
    struct workload load = workload_of(256000, (struct times){30000, 10000});

    (void)state;
    run(&load, 5000);
    load.device = (struct times){5000000, 5000000};
    while (load.n_device != 0) {
        forget_what_happened(&load);
        load.device.wall = load.device.cpu = 5000000;
        run_block(&load);
        if (load.n_device != 0)
            break;
    }
    load.device = (struct times){30000, 10000};
    forget_what_happened(&load);
    run(&load, 5000);
    assert_true(load.n_device > 4000);
}

/* libzstd gets slower or quicker: other content, another frequency. */
static void test_libzstd_that_changes(void **state)
{
    struct workload load = workload_of(500, (struct times){80000, 40000});

    (void)state;
    run(&load, 5000);
    load.libzstd = (struct times){120000, 120000};
    forget_what_happened(&load);
    run(&load, N_BLOCKS);
    assert_true(load.n_device > N_BLOCKS - 4000);
    load.libzstd = (struct times){30000, 30000};
    forget_what_happened(&load);
    run(&load, N_BLOCKS);
    assert_true(load.n_device < 1000);
    forget_what_happened(&load);
    run(&load, N_BLOCKS);
    assert_true(is_within(load.spent.wall, load.alone, 10));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_slow_device),
        cmocka_unit_test(test_a_slow_device_that_saves_cpu),
        cmocka_unit_test(test_a_dead_slow_device),
        cmocka_unit_test(test_a_device_that_is_better),
        cmocka_unit_test(test_a_device_that_costs_cpu_time),
        cmocka_unit_test(test_savings),
        cmocka_unit_test(test_nothing_saved_nothing_spent),
        cmocka_unit_test(test_a_device_that_gets_worse),
        cmocka_unit_test(test_a_device_that_gets_better),
        cmocka_unit_test(test_a_single_long_block),
        cmocka_unit_test(test_libzstd_that_changes),
    };

    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
