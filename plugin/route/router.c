/* SPDX-License-Identifier: Apache-2.0 */
/* The router: see route/router.h. */
#include "plugin/route/router.h"

#include <stdatomic.h>

#include "plugin/core/config.h"
#include "plugin/core/costs.h"
#include "plugin/core/stats.h"

#define PROBE_INTERVAL 64u
/* Until libzstd's cost is known. */
#define FIRST_PROBE_INTERVAL 8u
#define MAX_PROBE_INTERVAL (64u * 64u)
/* Blocks of batches: where libzstd is ten times as dear, a sample of this costs 4 %. */
#define CPU_SAMPLE_INTERVAL 256u
/* Files are larger than blocks, and a batch that is dearer is dearer by little. */
#define FILE_PROBE_INTERVAL 8u

/* How often each question was asked, so that every n-th answer is another. */
struct questions {
    _Atomic uint32_t n_blocks, n_files, n_batch_blocks;
};

static struct questions asked[RP_COSTS_N_CELLS];

/* Whether the dearer of two ways is tried this time. */
static bool is_probe(_Atomic uint32_t *counter, uint64_t cheap, uint64_t dear, uint32_t interval)
{
    uint64_t longer = cheap != 0 ? (uint64_t)interval * dear / cheap : interval;
    uint32_t n = atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);

    if (longer > MAX_PROBE_INTERVAL)
        longer = MAX_PROBE_INTERVAL;
    if (longer < interval)
        longer = interval;
    if (n % longer != longer - 1)
        return false;
    rp_stats_count(RP_COUNT_ROUTER_PROBES);
    return true;
}

/* While libzstd's cost is not known, the device takes the block: it is what the user installed. */
bool rp_router_takes_direct(const rp_plugin_config *config, rp_effort effort, size_t block_bytes)
{
    unsigned cell = rp_costs_cell(effort, block_bytes);
    _Atomic uint32_t *counter = &asked[cell].n_blocks;
    rp_goal goal = rp_config_goal(config);
    uint64_t cpu = rp_costs_get(cell, RP_ROUTE_CPU, goal);
    uint64_t device = rp_costs_get(cell, RP_ROUTE_DIRECT, goal);

    if (goal == RP_GOAL_DEVICE || device == 0)
        return true;
    if (cpu == 0)
        return !is_probe(counter, device, device, FIRST_PROBE_INTERVAL);
    return device <= cpu ? !is_probe(counter, device, cpu, PROBE_INTERVAL)
                         : is_probe(counter, cpu, device, PROBE_INTERVAL);
}

bool rp_router_takes_batch(const rp_plugin_config *config, rp_effort effort, size_t block_bytes)
{
    unsigned cell = rp_costs_cell(effort, block_bytes);
    rp_goal goal = rp_config_goal(config);
    uint64_t cpu = rp_costs_get(cell, RP_ROUTE_CPU, goal);
    uint64_t batch = rp_costs_get(cell, RP_ROUTE_BATCH, goal);

    /* libzstd's cost is learnt from single blocks: no file is spent on it. */
    if (goal == RP_GOAL_DEVICE || cpu == 0 || batch == 0 || batch <= cpu ||
        is_probe(&asked[cell].n_files, cpu, batch, FILE_PROBE_INTERVAL))
        return true;
    rp_stats_count(RP_COUNT_BATCHES_DECLINED);
    return false;
}

bool rp_router_samples_cpu(const rp_plugin_config *config, rp_effort effort, size_t block_bytes)
{
    rp_goal goal = rp_config_goal(config);
    unsigned cell;

    if (goal == RP_GOAL_DEVICE)
        return false;
    cell = rp_costs_cell(effort, block_bytes);
    return is_probe(&asked[cell].n_batch_blocks, 0, 0,
                    rp_costs_get(cell, RP_ROUTE_CPU, goal) == 0 ? FIRST_PROBE_INTERVAL
                                                                : CPU_SAMPLE_INTERVAL);
}

uint64_t rp_router_max_wait_ns(const rp_plugin_config *config, rp_effort effort, size_t block_bytes)
{
    uint64_t cpu;

    if (rp_config_goal(config) != RP_GOAL_THROUGHPUT)
        return UINT64_MAX;
    cpu = rp_costs_get(rp_costs_cell(effort, block_bytes), RP_ROUTE_CPU, RP_GOAL_THROUGHPUT);
    return cpu == 0 ? UINT64_MAX : cpu * block_bytes / 1000;
}
