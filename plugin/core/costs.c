/* SPDX-License-Identifier: Apache-2.0 */
/* Costs of the routes: see core/costs.h. */
#include "plugin/core/costs.h"

#include <stdatomic.h>
#include <time.h>

/* When a sum has so many reports or bytes, it is halved. A hundred blocks tell a change after a
 * few, and a single one that took long by chance does not turn them. libzstd takes similar times,
 * and where it is only sampled, reports are rare. Files are few and large. */
static const uint32_t n_fading[RP_N_ROUTES] = {
    [RP_ROUTE_CPU] = 32, [RP_ROUTE_DIRECT] = 128, [RP_ROUTE_BATCH] = 128};
#define FADING_BYTES ((uint64_t)64 << 20)

/* The first reports of a route count for nothing: they include work that is done once. */
static const uint32_t n_warm_ups[RP_N_ROUTES] = {
    [RP_ROUTE_CPU] = 2, [RP_ROUTE_DIRECT] = 2, [RP_ROUTE_BATCH] = 1};

/* A sum by one clock, and what follows from it. */
struct sum {
    _Atomic uint64_t bytes, ns, price, last;
    _Atomic uint32_t n_notes;
};

struct cost {
    struct sum wall, cpu;
    _Atomic uint32_t n_warm, n_cpu;
};

static struct cost costs[RP_COSTS_N_CELLS][RP_N_ROUTES];

unsigned rp_costs_cell(rp_effort effort, size_t block_bytes)
{
    unsigned long units = block_bytes == 0 ? 0 : (unsigned long)((block_bytes - 1) >> 9);
    unsigned size =
        units == 0 ? 0 : (unsigned)(8 * sizeof(units)) - (unsigned)__builtin_clzl(units);

    if (size > RP_COSTS_N_SIZES - 1)
        size = RP_COSTS_N_SIZES - 1;
    return ((unsigned)effort - 1) % RP_COSTS_N_EFFORTS * RP_COSTS_N_SIZES + size;
}

uint64_t rp_costs_cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t load(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static void halve(_Atomic uint64_t *value)
{
    atomic_store_explicit(value, load(value) / 2, memory_order_relaxed);
}

/* Threads that report at the same moment may lose a measure. Later ones make up for it. */
static void add(struct sum *sum, uint32_t most_notes, uint64_t bytes, uint64_t ns)
{
    uint64_t all_bytes =
        atomic_fetch_add_explicit(&sum->bytes, bytes, memory_order_relaxed) + bytes;
    uint64_t all_ns = atomic_fetch_add_explicit(&sum->ns, ns, memory_order_relaxed) + ns;
    uint32_t n = atomic_fetch_add_explicit(&sum->n_notes, 1, memory_order_relaxed) + 1;

    if (bytes == 0)
        return;
    atomic_store_explicit(&sum->price, all_ns * 1000 / all_bytes + 1, memory_order_relaxed);
    atomic_store_explicit(&sum->last, ns * 1000 / bytes + 1, memory_order_relaxed);
    if (n < most_notes && all_bytes < FADING_BYTES)
        return;
    atomic_store_explicit(&sum->n_notes, n / 2, memory_order_relaxed);
    halve(&sum->bytes);
    halve(&sum->ns);
}

void rp_costs_note(rp_route route, rp_effort effort, size_t block_bytes, uint64_t bytes,
                   uint64_t wall_ns, uint64_t cpu_ns)
{
    struct cost *cost = &costs[rp_costs_cell(effort, block_bytes)][route];
    uint32_t n = atomic_load_explicit(&cost->n_warm, memory_order_relaxed);

    if (n < n_warm_ups[route]) {
        atomic_store_explicit(&cost->n_warm, n + 1, memory_order_relaxed);
        return;
    }
    if (cpu_ns != RP_COSTS_UNMEASURED) {
        add(&cost->cpu, n_fading[route], bytes, cpu_ns);
        atomic_fetch_add_explicit(&cost->n_cpu, 1, memory_order_relaxed);
    }
    add(&cost->wall, n_fading[route], bytes, wall_ns);
}

rp_price rp_costs_price(unsigned cell, rp_route route)
{
    const struct cost *cost = &costs[cell][route];
    rp_price price = {load(&cost->wall.price), load(&cost->cpu.price)};

    if (price.cpu == 0)
        price.cpu = price.wall;
    return price;
}

rp_price rp_costs_last(unsigned cell, rp_route route)
{
    const struct cost *cost = &costs[cell][route];
    rp_price price = {load(&cost->wall.last), load(&cost->cpu.last)};

    if (price.cpu == 0)
        price.cpu = price.wall;
    return price;
}

bool rp_costs_is_warming_up(unsigned cell, rp_route route)
{
    return atomic_load_explicit(&costs[cell][route].n_warm, memory_order_relaxed) <
           n_warm_ups[route];
}

bool rp_costs_wants_cpu(unsigned cell, rp_route route)
{
    return atomic_load_explicit(&costs[cell][route].n_cpu, memory_order_relaxed) <
           RP_COSTS_CPU_FIRST;
}
