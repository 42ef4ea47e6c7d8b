/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router: which way a block goes, by what each way has cost so far.
 *
 * Costs are kept for each effort (libzstd's levels differ as much as ours) and each power of two of
 * the block size (a device has a latency, a CPU has not), as nanoseconds a byte of the thread
 * that asks: wall time for the goal "throughput", CPU time for the goal "cpu". The rule:
 *
 *   a block     goes direct if that cost less than libzstd, else to libzstd
 *   a file      is begun as a batch if batches cost less than libzstd, all told: copies, look-ups,
 *               waits
 *   a wait      for a chunk that is still on the device is worth it if it is shorter than
 *               compressing the block would be (goal "throughput"), or always (goal "cpu")
 *
 * What lost is tried again now and then, as it may be cheaper by now: one block in PROBE_INTERVAL,
 * or more rarely by as much as it is dearer, so that all trying together costs less than 2 %. Costs
 * fade: those of the last some 64 MiB count.
 *
 * With the goal "device", which is that of a device that was asked for by name, the device takes
 * all that it can. Thread rule: any thread; relaxed atomics, no lock.
 */
#ifndef ROCKPRESS_PLUGIN_ROUTE_ROUTER_H
#define ROCKPRESS_PLUGIN_ROUTE_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/plugin.h"

/* The goal in force: never RP_GOAL_AUTO. */
rp_goal rp_router_goal(const rp_plugin_config *config);

/* What `bytes` in blocks of about block_bytes have cost on a route. cpu_ns counts for the goal
 * "cpu" only. */
void rp_router_note(rp_route route, rp_effort effort, size_t block_bytes, uint64_t bytes,
                    uint64_t wall_ns, uint64_t cpu_ns);

/* Direct or cpu? The answer is counted. */
bool rp_router_takes_direct(const rp_plugin_config *config, rp_effort effort, size_t block_bytes);

/* A batch for a file of such blocks, or not? The answer is counted. */
bool rp_router_takes_batch(const rp_plugin_config *config, rp_effort effort, size_t block_bytes);

/* Whether a block that a batch has is to go to libzstd all the same, so that what that costs is
 * known: all blocks of its size may come from batches. One in 256, and more until it is known.
 * Counted. */
bool rp_router_samples_cpu(const rp_plugin_config *config, rp_effort effort, size_t block_bytes);

/* Is it worth waiting so long for a block? */
bool rp_router_waits(const rp_plugin_config *config, rp_effort effort, size_t block_bytes,
                     uint64_t expected_ns);

/* CPU time of this thread, for notes; 0 where the goal does not ask for it. */
uint64_t rp_router_cpu_ns(const rp_plugin_config *config);

#endif
