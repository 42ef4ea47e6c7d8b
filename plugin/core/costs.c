/* SPDX-License-Identifier: Apache-2.0 */
/* Costs of the routes: see core/costs.h. */
#include "plugin/core/costs.h"

#include <stdatomic.h>
#include <time.h>

#include "plugin/core/config.h"

/* The first reports include work that is done once: lanes are made, pages are touched. */
#define IGNORED_NOTES 2u
/* When a sum of bytes reaches this, all sums are halved. */
#define FADING_BYTES ((uint64_t)64 << 20)

struct cost {
    _Atomic uint64_t bytes, wall_ns, cpu_ns;
    _Atomic uint32_t n_notes;
};

static struct cost costs[RP_COSTS_N_CELLS][RP_N_ROUTES];

unsigned rp_costs_cell(rp_effort effort, size_t block_bytes)
{
    unsigned size = 0;

    while (size < RP_COSTS_N_SIZES - 1 && block_bytes > (size_t)512 << size)
        size++;
    return ((unsigned)effort - 1) % RP_COSTS_N_EFFORTS * RP_COSTS_N_SIZES + size;
}

uint64_t rp_costs_cpu_ns(const rp_plugin_config *config)
{
    struct timespec now;

    if (rp_config_goal(config) != RP_GOAL_CPU)
        return 0;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void halve(_Atomic uint64_t *sum)
{
    atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) / 2,
                          memory_order_relaxed);
}

/* Threads that report at the same moment may lose a measure. Later ones make up for it. */
void rp_costs_note(rp_route route, rp_effort effort, size_t block_bytes, uint64_t bytes,
                   uint64_t wall_ns, uint64_t cpu_ns)
{
    struct cost *cost = &costs[rp_costs_cell(effort, block_bytes)][route];
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

uint64_t rp_costs_get(unsigned cell, rp_route route, rp_goal goal)
{
    const struct cost *cost = &costs[cell][route];
    uint64_t bytes = atomic_load_explicit(&cost->bytes, memory_order_relaxed);
    uint64_t ns = goal == RP_GOAL_CPU ? atomic_load_explicit(&cost->cpu_ns, memory_order_relaxed)
                                      : atomic_load_explicit(&cost->wall_ns, memory_order_relaxed);

    return bytes == 0 ? 0 : ns * 1000 / bytes + 1;
}
