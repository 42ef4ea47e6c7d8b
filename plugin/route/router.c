/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router: see route/router.h.
 *
 * Extra is what one way costs more than another one for the same bytes. With the goal "auto" it is
 * the larger one of the differences by both clocks: neither time nor CPU time may be wasted.
 */
#include "plugin/route/router.h"

#include <stdatomic.h>

#include "plugin/core/balance.h"
#include "plugin/core/costs.h"
#include "plugin/core/stats.h"
#include "plugin/core/thread_state.h"

/* Blocks of batches: where libzstd is ten times as dear, a sample of this costs 4 %. */
#define CPU_SAMPLE_INTERVAL 256u
/* A device of which nothing is known may take more than half of what there is for probes at first:
 * then no two threads try it at once, and each makes a lane. */
#define UNKNOWN_BLOCKS 51
/* The first blocks, for which lanes are made, are charged for no more than so many of libzstd's. */
#define WARM_UP_BLOCKS 16
/* A probe of a way that is dearer, if only by a little, is charged for at least this part of what
 * the other way takes. So it is one block in 67 at most, and the other way stays known, too. */
#define CHEAPEST_PART 3
/* So that their product does not overflow: a terabyte, and 4 us for each byte. */
#define MOST_FILE_BYTES (UINT64_C(1) << 40)
#define MOST_FILE_EXTRA (INT64_C(1) << 22)

/* What probes may cost, in picoseconds. Negative: they have cost more than they may. */
struct budget {
    _Atomic int64_t left;
    _Atomic uint32_t is_begun;
};

static struct cell {
    struct budget direct, batch, libzstd;
    _Atomic uint32_t n_batch_blocks;
} cells[RP_COSTS_N_CELLS];

/* Prices are far below 2^63. */
static int64_t difference(uint64_t dear, uint64_t cheap)
{
    return (int64_t)dear - (int64_t)cheap;
}

/* By the goal's clock, or by that on which it is more. */
static int64_t extra_of(rp_goal goal, rp_price dear, rp_price cheap)
{
    int64_t wall = difference(dear.wall, cheap.wall);
    int64_t cpu = difference(dear.cpu, cheap.cpu);

    if (goal == RP_GOAL_THROUGHPUT)
        return wall;
    if (goal == RP_GOAL_CPU)
        return cpu;
    return wall > cpu ? wall : cpu;
}

/* What the device may take to be no later and no dearer than libzstd on fewer threads. */
static rp_price allowed_of(rp_goal goal, rp_price cpu, uint32_t times)
{
    if (goal == RP_GOAL_AUTO)
        cpu.wall *= times;
    return cpu;
}

/* Work that costs `ps` was done: a part of that may be spent on probes. Not kept beyond `most`, so
 * that many blocks without a probe are not followed by many probes. */
static void earn(struct budget *budget, uint64_t ps, int64_t first, int64_t most)
{
    int64_t left = atomic_load_explicit(&budget->left, memory_order_relaxed);

    if (atomic_load_explicit(&budget->is_begun, memory_order_relaxed) == 0 &&
        atomic_exchange_explicit(&budget->is_begun, 1, memory_order_relaxed) == 0)
        atomic_fetch_add_explicit(&budget->left, first, memory_order_relaxed);
    if (left < most)
        atomic_fetch_add_explicit(&budget->left, (int64_t)(ps / RP_ROUTER_PROBE_PART),
                                  memory_order_relaxed);
}

static void spend(struct budget *budget, int64_t ps)
{
    atomic_fetch_sub_explicit(&budget->left, ps, memory_order_relaxed);
}

/* Takes what a probe will cost, if there is as much. Where that is nothing, debts alone hold it up.
 */
static bool take(struct budget *budget, int64_t ps)
{
    int64_t left = atomic_load_explicit(&budget->left, memory_order_relaxed);

    if (ps < 0)
        ps = 0;
    do {
        if (left < ps)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&budget->left, &left, left - ps,
                                                    memory_order_relaxed, memory_order_relaxed));
    rp_thread.probe_ps = ps;
    rp_stats_count(RP_COUNT_ROUTER_PROBES);
    return true;
}

/* Earns a block's part, and takes a probe of it. `first`: if nothing is earned yet, so many blocks'
 * cost is there to begin with. */
static bool is_probe(struct budget *budget, uint64_t block_ps, uint32_t first, int64_t extra_ps)
{
    int64_t begin = (int64_t)block_ps * first;

    earn(budget, block_ps, begin, begin > extra_ps ? begin : extra_ps);
    return take(budget, extra_ps);
}

/* What a probe is charged for that costs `extra`. One that is cheaper costs nothing: when a way has
 * become better, one probe after the other tells so, until the averages do. */
static int64_t charge(int64_t extra, rp_price other)
{
    int64_t least = (int64_t)other.wall / CHEAPEST_PART;

    return extra <= 0 ? 0 : extra < least ? least : extra;
}

/* Other blocks of the cpu route are timed now and then, which this one is in any case. */
static rp_router_choice to_cpu_timed(void)
{
    rp_thread.is_awaited = 1;
    return RP_ROUTER_CPU;
}

/* Whether the thread can afford what the device takes longer. */
static bool is_affordable(rp_goal goal, rp_price device, rp_price cpu, uint64_t bytes)
{
    int64_t extra = difference(device.wall, cpu.wall);

    if (extra <= 0 || goal == RP_GOAL_CPU)
        return true;
    return goal == RP_GOAL_AUTO && rp_balance_ns() > 0 &&
           (uint64_t)rp_balance_ns() >= rp_costs_ns((uint64_t)extra, bytes);
}

static bool is_cheaper(rp_goal goal, rp_price device, rp_price cpu, uint64_t bytes)
{
    return (goal == RP_GOAL_THROUGHPUT || device.cpu <= cpu.cpu) &&
           is_affordable(goal, device, cpu, bytes);
}

/* Where the device is the better way: whether libzstd has this block, to see what it costs by now.
 */
static bool samples_libzstd(rp_goal goal, unsigned number, rp_price device, uint64_t bytes)
{
    rp_price last = rp_costs_last(number, RP_ROUTE_CPU);
    int64_t extra = charge(extra_of(goal, last, device), device);

    return is_probe(&cells[number].libzstd, device.wall * bytes, 0, extra * (int64_t)bytes);
}

/* Where libzstd is the better way, or nothing is known of the device. What the probe costs less
 * than expected is given back, so one follows another when a device has become better. */
static bool probes_device(rp_goal goal, unsigned number, rp_price device, rp_price cpu,
                          uint64_t bytes, uint32_t times)
{
    bool is_known = device.wall != 0;
    int64_t extra = is_known ? charge(extra_of(goal, device, allowed_of(goal, cpu, times)), cpu)
                             : (int64_t)cpu.wall * UNKNOWN_BLOCKS;

    return is_probe(&cells[number].direct, cpu.wall * bytes, is_known ? 0 : RP_ROUTER_FIRST_BLOCKS,
                    extra * (int64_t)bytes);
}

rp_router_choice rp_router_choose(const rp_plugin_config *config, rp_effort effort,
                                  size_t block_bytes, uint32_t times)
{
    rp_goal goal = config->goal;
    unsigned number = rp_costs_cell(effort, block_bytes);
    rp_price cpu, device;

    if (goal == RP_GOAL_DEVICE)
        return RP_ROUTER_DIRECT;
    cpu = rp_costs_price(number, RP_ROUTE_CPU);
    if (cpu.wall == 0)
        return to_cpu_timed();
    device = rp_costs_price(number, RP_ROUTE_DIRECT);
    if (device.wall != 0 && is_cheaper(goal, device, allowed_of(goal, cpu, times), block_bytes)) {
        return samples_libzstd(goal, number, device, block_bytes) ? to_cpu_timed()
                                                                  : RP_ROUTER_DIRECT;
    }
    return probes_device(goal, number, device, cpu, block_bytes, times) ? RP_ROUTER_PROBE
                                                                        : RP_ROUTER_CPU;
}

bool rp_router_measures_cpu(const rp_plugin_config *config, rp_effort effort, size_t block_bytes,
                            rp_router_choice choice)
{
    return config->goal != RP_GOAL_DEVICE &&
           (rp_thread.direct_blocks++ % RP_COSTS_CPU_INTERVAL == 0 || choice == RP_ROUTER_PROBE ||
            rp_costs_wants_cpu(rp_costs_cell(effort, block_bytes), RP_ROUTE_DIRECT));
}

/* A probe is paid for: instead of what was set aside, what it cost. */
static void settle_probe(unsigned number, rp_price cpu, uint64_t bytes, int64_t extra)
{
    int64_t charged = charge(extra, cpu);

    if (rp_costs_is_warming_up(number, RP_ROUTE_DIRECT) &&
        charged > (int64_t)cpu.wall * WARM_UP_BLOCKS)
        charged = (int64_t)cpu.wall * WARM_UP_BLOCKS;
    spend(&cells[number].direct, charged * (int64_t)bytes - rp_thread.probe_ps);
}

void rp_router_note_direct(const rp_plugin_config *config, rp_effort effort, size_t block_bytes,
                           uint32_t times, rp_router_choice choice, rp_fallback_reason reason,
                           uint64_t wall_ns, uint64_t cpu_ns)
{
    unsigned number = rp_costs_cell(effort, block_bytes);
    rp_price cpu = rp_costs_price(number, RP_ROUTE_CPU), took;
    rp_price allowed = allowed_of(config->goal, cpu, times);
    uint64_t bytes = block_bytes != 0 ? block_bytes : 1;

    if (reason == RP_FALLBACK_NONE) {
        rp_balance_note(rp_costs_ns(allowed.wall, bytes), wall_ns);
    } else {
        rp_balance_note(0, wall_ns);
        wall_ns += rp_costs_ns(cpu.wall, bytes);
        if (cpu_ns != RP_COSTS_UNMEASURED)
            cpu_ns += rp_costs_ns(cpu.cpu, bytes);
    }
    took.wall = wall_ns * 1000 / bytes;
    took.cpu = cpu_ns != RP_COSTS_UNMEASURED ? cpu_ns * 1000 / bytes : took.wall;
    if (reason == RP_FALLBACK_POOL || reason == RP_FALLBACK_BREAKER) {
        /* The device was not asked. */
        if (choice == RP_ROUTER_PROBE)
            spend(&cells[number].direct, -rp_thread.probe_ps);
        return;
    }
    if (choice == RP_ROUTER_PROBE)
        settle_probe(number, cpu, bytes, extra_of(config->goal, took, allowed));
    rp_costs_note(RP_ROUTE_DIRECT, effort, block_bytes, bytes, wall_ns, cpu_ns);
}

bool rp_router_takes_batch(const rp_plugin_config *config, rp_effort effort, size_t block_bytes,
                           uint64_t file_bytes)
{
    rp_goal goal = config->goal;
    unsigned number = rp_costs_cell(effort, block_bytes);
    rp_price cpu = rp_costs_price(number, RP_ROUTE_CPU);
    rp_price batch = rp_costs_price(number, RP_ROUTE_BATCH);
    int64_t extra;

    if (file_bytes > MOST_FILE_BYTES)
        file_bytes = MOST_FILE_BYTES;
    extra = extra_of(goal, batch, cpu);
    if (extra > MOST_FILE_EXTRA)
        extra = MOST_FILE_EXTRA;
    /* Waits are bounded, so a file that is begun without knowledge costs copies and look-ups. */
    if (goal == RP_GOAL_DEVICE || cpu.wall == 0 || batch.wall == 0 ||
        is_cheaper(goal, batch, cpu, file_bytes) ||
        is_probe(&cells[number].batch, cpu.wall * file_bytes, 0, extra * (int64_t)file_bytes))
        return true;
    rp_stats_count(RP_COUNT_BATCHES_DECLINED);
    return false;
}

bool rp_router_samples_cpu(const rp_plugin_config *config, rp_effort effort, size_t block_bytes)
{
    unsigned number;
    uint32_t n;

    if (config->goal == RP_GOAL_DEVICE)
        return false;
    number = rp_costs_cell(effort, block_bytes);
    if (rp_costs_price(number, RP_ROUTE_CPU).wall != 0) {
        n = atomic_fetch_add_explicit(&cells[number].n_batch_blocks, 1, memory_order_relaxed);
        if (n % CPU_SAMPLE_INTERVAL != CPU_SAMPLE_INTERVAL - 1)
            return false;
    }
    rp_stats_count(RP_COUNT_ROUTER_PROBES);
    rp_thread.is_awaited = 1;
    return true;
}

uint64_t rp_router_max_wait_ns(const rp_plugin_config *config, rp_effort effort, size_t block_bytes)
{
    uint64_t libzstd_ns;
    int64_t wait_ns;

    if (config->goal == RP_GOAL_DEVICE || config->goal == RP_GOAL_CPU)
        return UINT64_MAX;
    libzstd_ns = rp_costs_ns(rp_costs_price(rp_costs_cell(effort, block_bytes), RP_ROUTE_CPU).wall,
                             block_bytes);
    if (config->goal == RP_GOAL_THROUGHPUT)
        return libzstd_ns;
    wait_ns = (int64_t)libzstd_ns + rp_balance_ns();
    return wait_ns > 0 ? (uint64_t)wait_ns : 0;
}
