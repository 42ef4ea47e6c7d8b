/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each route has cost so far. Every route reports its cost when it is done with a block or a
 * file, and the router decides by these costs (route/router.h).
 *
 * Costs are kept for each effort (libzstd's levels differ as much as ours) and each power of two
 * of the block size (a device has a latency, a CPU has none). A cost is the time of the
 * calling thread for each byte: its wall time for the goal "throughput", its CPU time for the goal
 * "cpu". Old costs fade: about the last 64 MiB count.
 *
 * Thread rule: any thread; relaxed atomics, no lock.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_COSTS_H
#define ROCKPRESS_PLUGIN_CORE_COSTS_H

#include <stddef.h>
#include <stdint.h>

#include "rockpress/plugin.h"

/* Costs of different cells are kept apart: one for each effort and size. */
#define RP_COSTS_N_EFFORTS 4u
/* Blocks up to 512 bytes, up to 1 KiB, and so on; 256 KiB and more. */
#define RP_COSTS_N_SIZES 11u
#define RP_COSTS_N_CELLS (RP_COSTS_N_EFFORTS * RP_COSTS_N_SIZES)

/* The cell of such blocks, below RP_COSTS_N_CELLS. */
unsigned rp_costs_cell(rp_effort effort, size_t block_bytes);

/* Reports what `bytes` in blocks of about block_bytes have cost on a route. cpu_ns counts for the
 * goal "cpu" only. */
void rp_costs_note(rp_route route, rp_effort effort, size_t block_bytes, uint64_t bytes,
                   uint64_t wall_ns, uint64_t cpu_ns);

/* Picoseconds for each byte, by the goal's clock; 0 when it is not known. */
uint64_t rp_costs_get(unsigned cell, rp_route route, rp_goal goal);

/* CPU time of this thread, for reports; 0 where the goal does not ask for it. */
uint64_t rp_costs_cpu_ns(const rp_plugin_config *config);

#endif
