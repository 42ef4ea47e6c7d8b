/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router: which way a block goes, by what each way has cost so far (core/costs.h). The rule:
 *
 *   a block   goes direct if that has cost less than libzstd, else to libzstd
 *   a file    is begun as a batch unless batches have cost more than libzstd, with their copies,
 *             look-ups and waits
 *   a wait    for a chunk that is still on the device is worth it if it is shorter than
 *             compressing the block would be (goal "throughput"), or always (goal "cpu")
 *
 * The dearer way is tried again now and then, since it may be cheaper by now: one block in 64, or
 * more rarely by the factor that it is dearer by, so that all attempts together cost less than 2 %.
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

/* Direct or cpu? The answer is counted. */
bool rp_router_takes_direct(const rp_plugin_config *config, rp_effort effort, size_t block_bytes);

/* A batch for a file of such blocks, or not? The answer is counted. */
bool rp_router_takes_batch(const rp_plugin_config *config, rp_effort effort, size_t block_bytes);

/* Whether a block that a batch has goes to libzstd all the same, so that libzstd's cost is known
 * where all blocks of that size come from batches. One in 256, and one in 8 until it is known.
 * Counted. */
bool rp_router_samples_cpu(const rp_plugin_config *config, rp_effort effort, size_t block_bytes);

/* The longest wait for the device that is worth it for such a block; UINT64_MAX: any. */
uint64_t rp_router_max_wait_ns(const rp_plugin_config *config, rp_effort effort,
                               size_t block_bytes);

#endif
