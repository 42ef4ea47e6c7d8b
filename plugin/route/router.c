/* SPDX-License-Identifier: Apache-2.0 */
/* The router: see route/router.h. */
#include "plugin/route/router.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "plugin/core/stats.h"

#define N_EFFORTS 4u
/* Blocks up to 512 bytes, up to 1 KiB, and so on; 256 KiB and more. */
#define N_SIZES 11u
/* Measures that warm something up: lanes are made, pages touched. */
#define IGNORED_NOTES 2u
/* Beyond this all sums are halved. */
#define FADING_BYTES ((uint64_t)64 << 20)
#define PROBE_INTERVAL 64u
/* Until libzstd's cost is known. */
#define FIRST_PROBE_INTERVAL 8u
#define MAX_PROBE_INTERVAL (64u * 64u)
/* Blocks of batches: where libzstd is ten times as dear, a sample of this costs 4 %. */
#define CPU_SAMPLE_INTERVAL 256u
/* Files are larger than blocks, and a batch that is dearer is dearer by little. */
#define FILE_PROBE_INTERVAL 8u

struct cost {
    _Atomic uint64_t bytes, wall_ns, cpu_ns;
    _Atomic uint32_t n_notes;
};

struct cell {
    struct cost costs[RP_N_ROUTES];
    /* Asked for, to try one in so many. */
    _Atomic uint32_t n_blocks, n_files, n_batch_blocks;
};

static struct cell cells[N_EFFORTS][N_SIZES];

static struct cell *cell_of(rp_effort effort, size_t block_bytes)
{
    unsigned size = 0;

    while (size < N_SIZES - 1 && block_bytes > (size_t)512 << size)
        size++;
    return &cells[((unsigned)effort - 1) % N_EFFORTS][size];
}

rp_goal rp_router_goal(const rp_plugin_config *config)
{
    if (config->goal != RP_GOAL_AUTO)
        return config->goal;
    return config->custom_device == NULL && strcmp(config->device, "auto") == 0 ? RP_GOAL_THROUGHPUT
                                                                                : RP_GOAL_DEVICE;
}

uint64_t rp_router_cpu_ns(const rp_plugin_config *config)
{
    struct timespec now;

    if (rp_router_goal(config) != RP_GOAL_CPU)
        return 0;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void halve(_Atomic uint64_t *sum)
{
    atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) / 2,
                          memory_order_relaxed);
}

/* Threads that note at the same moment may lose a measure: there are more. */
void rp_router_note(rp_route route, rp_effort effort, size_t block_bytes, uint64_t bytes,
                    uint64_t wall_ns, uint64_t cpu_ns)
{
    struct cost *cost = &cell_of(effort, block_bytes)->costs[route];
    uint32_t n = atomic_load_explicit(&cost->n_notes, memory_order_relaxed);

    if (n < IGNORED_NOTES) {
        atomic_store_explicit(&cost->n_notes, n + 1, memory_order_relaxed);
        return;
    }
    atomic_fetch_add_explicit(&cost->wall_ns, wall_ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&cost->cpu_ns, cpu_ns, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&cost->bytes, bytes, memory_order_relaxed) < FADING_BYTES)
        return;
    halve(&cost->bytes);
    halve(&cost->wall_ns);
    halve(&cost->cpu_ns);
}

/* Picoseconds a byte; 0 when it is not known. */
static uint64_t cost_of(const struct cell *cell, rp_route route, rp_goal goal)
{
    const struct cost *cost = &cell->costs[route];
    uint64_t bytes = atomic_load_explicit(&cost->bytes, memory_order_relaxed);
    uint64_t ns = goal == RP_GOAL_CPU ? atomic_load_explicit(&cost->cpu_ns, memory_order_relaxed)
                                      : atomic_load_explicit(&cost->wall_ns, memory_order_relaxed);

    return bytes == 0 ? 0 : ns * 1000 / bytes + 1;
}

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

/* The route of the device if it is cheaper or unknown, or to be tried. While libzstd's cost is not
 * known, the device is: it is what the user installed. */
static bool takes(struct cell *cell, rp_route route, rp_goal goal, _Atomic uint32_t *counter,
                  uint32_t interval)
{
    uint64_t cpu = cost_of(cell, RP_ROUTE_CPU, goal);
    uint64_t device = cost_of(cell, route, goal);

    if (goal == RP_GOAL_DEVICE)
        return true;
    if (device == 0)
        return true;
    if (cpu == 0)
        return !is_probe(counter, device, device, FIRST_PROBE_INTERVAL);
    return device <= cpu ? !is_probe(counter, device, cpu, interval)
                         : is_probe(counter, cpu, device, interval);
}

bool rp_router_takes_direct(const rp_plugin_config *config, rp_effort effort, size_t block_bytes)
{
    struct cell *cell = cell_of(effort, block_bytes);

    return takes(cell, RP_ROUTE_DIRECT, rp_router_goal(config), &cell->n_blocks, PROBE_INTERVAL);
}

bool rp_router_takes_batch(const rp_plugin_config *config, rp_effort effort, size_t block_bytes)
{
    struct cell *cell = cell_of(effort, block_bytes);
    rp_goal goal = rp_router_goal(config);
    uint64_t cpu = cost_of(cell, RP_ROUTE_CPU, goal);
    uint64_t batch = cost_of(cell, RP_ROUTE_BATCH, goal);

    /* What libzstd costs is learnt from single blocks: no file is spent on it. */
    if (goal == RP_GOAL_DEVICE || cpu == 0 || batch == 0 || batch <= cpu ||
        is_probe(&cell->n_files, cpu, batch, FILE_PROBE_INTERVAL))
        return true;
    rp_stats_count(RP_COUNT_BATCHES_DECLINED);
    return false;
}

bool rp_router_samples_cpu(const rp_plugin_config *config, rp_effort effort, size_t block_bytes)
{
    struct cell *cell;
    rp_goal goal = rp_router_goal(config);

    if (goal == RP_GOAL_DEVICE)
        return false;
    cell = cell_of(effort, block_bytes);
    return is_probe(&cell->n_batch_blocks, 0, 0,
                    cost_of(cell, RP_ROUTE_CPU, goal) == 0 ? FIRST_PROBE_INTERVAL
                                                           : CPU_SAMPLE_INTERVAL);
}

bool rp_router_waits(const rp_plugin_config *config, rp_effort effort, size_t block_bytes,
                     uint64_t expected_ns)
{
    uint64_t cpu;

    if (rp_router_goal(config) != RP_GOAL_THROUGHPUT)
        return true;
    cpu = cost_of(cell_of(effort, block_bytes), RP_ROUTE_CPU, RP_GOAL_THROUGHPUT);
    return cpu == 0 || expected_ns <= cpu * block_bytes / 1000;
}
