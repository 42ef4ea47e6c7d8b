/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each route has cost so far. Every route reports its cost when it is done with a block or a
 * file, and the router decides by these costs (route/router.h).
 *
 * A cost is time of the calling thread for each byte, by two clocks: wall time, waits included, and
 * CPU time. Costs are kept for each effort (libzstd's levels differ as much as ours) and each power
 * of two of the block size (a device has a latency, a CPU has none).
 *
 * Costs change: other threads and processes use the same device and the same cores. So old costs
 * fade soon: those of about the last hundred blocks on a device count, of the last thirty reports
 * of libzstd, of the last 64 MiB in files.
 *
 * The thread's CPU clock is a system call, unlike the wall clock, and would cost percents of a
 * small block. So a part of the blocks is measured by it, and reports without it are allowed.
 *
 * Thread rule: any thread; relaxed atomics, no lock.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_COSTS_H
#define ROCKPRESS_PLUGIN_CORE_COSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/plugin.h"

/* Costs of different cells are kept apart: one for each effort and size. */
#define RP_COSTS_N_EFFORTS 4u
/* Blocks up to 512 bytes, up to 1 KiB, and so on to 256 KiB; larger ones. */
#define RP_COSTS_N_SIZES 11u
#define RP_COSTS_N_CELLS (RP_COSTS_N_EFFORTS * RP_COSTS_N_SIZES)

/* Of so many blocks one is measured by the CPU's clock, once RP_COSTS_CPU_FIRST of them were. */
#define RP_COSTS_CPU_INTERVAL 16u
#define RP_COSTS_CPU_FIRST 8u

/* For rp_costs_note: the CPU's clock was not read. */
#define RP_COSTS_UNMEASURED UINT64_MAX

/* Picoseconds for each byte. wall is 0 when nothing is known. cpu is that of wall until it is
 * known: a thread has no more CPU time than time. */
typedef struct rp_price {
    uint64_t wall, cpu;
} rp_price;

/* The cell of such blocks, below RP_COSTS_N_CELLS. */
unsigned rp_costs_cell(rp_effort effort, size_t block_bytes);

/* Reports what `bytes` in blocks of about block_bytes have cost on a route. cpu_ns may be
 * RP_COSTS_UNMEASURED. */
void rp_costs_note(rp_route route, rp_effort effort, size_t block_bytes, uint64_t bytes,
                   uint64_t wall_ns, uint64_t cpu_ns);

rp_price rp_costs_price(unsigned cell, rp_route route);

/* That of the last report alone. An average is slow to tell that a route has changed which is
 * hardly used. */
rp_price rp_costs_last(unsigned cell, rp_route route);

/* Whether a route's costs are as good as unknown, by the wall clock, by the CPU's. */
bool rp_costs_is_warming_up(unsigned cell, rp_route route);
bool rp_costs_wants_cpu(unsigned cell, rp_route route);

/* What so many bytes cost, in nanoseconds. */
static inline uint64_t rp_costs_ns(uint64_t price, uint64_t bytes)
{
    return price * bytes / 1000;
}

/* CPU time of this thread. */
uint64_t rp_costs_cpu_ns(void);

#endif
