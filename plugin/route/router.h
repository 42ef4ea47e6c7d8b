/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router: which way a block goes, by what each way has cost so far (core/costs.h). The rule of
 * the goal "auto": a thread is never later than it would be with libzstd, and within that spends
 * the least CPU time.
 *
 *   a block   goes direct if that costs no more CPU time than libzstd, and either no more time or
 *             no more than the thread has saved so far (core/balance.h); else to libzstd
 *   a file    is begun as a batch if the whole file, with copies, look-ups, waits, and libzstd for
 *             the blocks that the device was too slow for, has cost no more CPU time than libzstd,
 *             and no more time than libzstd and what the thread has saved
 *   a wait    for a chunk that is still on the device may take what libzstd takes for the block,
 * and what the thread has saved
 *
 * A thread may be one of several that compress a file's blocks side by side because the
 * CompressionManager has asked for them (rp_route_parallel_threads): `times` as many as RocksDB's
 * options say. Then the file is not later if each block takes as many times what libzstd takes. By
 * that the rule of "auto" judges the thread's time, and no other rule.
 *
 * With "throughput" only time counts and nothing is spent. With "cpu" only CPU time counts, and a
 * wait may take any time. With "device" there is no choice: the device takes all that it can.
 *
 * What libzstd costs has to be known first: until then it has the blocks, three at most. Then the
 * dearer way is tried now and then, since it may be cheaper by now: a probe. What probes may cost
 * is a part of the blocks' own cost, RP_ROUTER_PROBE_PART, and not their number. What a probe took
 * beyond libzstd is what the next one has to wait for. So a device that is slower is asked more
 * rarely by as much, however slow it is, and one that has become better is used at once.
 *
 * Thread rule: any thread; relaxed atomics, no lock.
 */
#ifndef ROCKPRESS_PLUGIN_ROUTE_ROUTER_H
#define ROCKPRESS_PLUGIN_ROUTE_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/plugin.h"

/* Probes may cost this part of what all blocks of their size cost: 0.5 %. Those of single blocks,
 * of files and of libzstd count apart. */
#define RP_ROUTER_PROBE_PART 200u
/* And at first so many blocks' cost, or nothing would be learnt for a while. */
#define RP_ROUTER_FIRST_BLOCKS 100u

typedef enum rp_router_choice {
    RP_ROUTER_CPU = 0,
    RP_ROUTER_DIRECT = 1,
    RP_ROUTER_PROBE = 2 /* direct, though it is dearer as far as is known */
} rp_router_choice;

/* The way of a block that is in no batch. A probe is counted. RP_ROUTER_CPU: the caller goes
 * between rp_cpu_begin and rp_cpu_end. Anything else: rp_router_note_direct follows. times is at
 * least 1. */
rp_router_choice rp_router_choose(const rp_plugin_config *config, rp_effort effort,
                                  size_t block_bytes, uint32_t times);

/* What a block that was to go direct has cost, and what came of it. Without a frame
 * (RP_FALLBACK_CAPACITY, RP_FALLBACK_FAULT) libzstd's cost comes on top. cpu_ns may be
 * RP_COSTS_UNMEASURED. Not with the goal "device". */
void rp_router_note_direct(const rp_plugin_config *config, rp_effort effort, size_t block_bytes,
                           uint32_t times, rp_router_choice choice, rp_fallback_reason reason,
                           uint64_t wall_ns, uint64_t cpu_ns);

/* Whether such a block's CPU time is to be measured. Counts the thread's blocks. */
bool rp_router_measures_cpu(const rp_plugin_config *config, rp_effort effort, size_t block_bytes,
                            rp_router_choice choice);

/* A batch for a file of file_bytes in such blocks, or not? The answer is counted. */
bool rp_router_takes_batch(const rp_plugin_config *config, rp_effort effort, size_t block_bytes,
                           uint64_t file_bytes);

/* Whether a block that a batch has goes to libzstd all the same, so that libzstd's cost is known
 * where all blocks of that size come from batches. One in 256, and every one until it is known.
 * Counted. */
bool rp_router_samples_cpu(const rp_plugin_config *config, rp_effort effort, size_t block_bytes);

/* The longest wait for the device that is worth it for such a block; UINT64_MAX: any. */
uint64_t rp_router_max_wait_ns(const rp_plugin_config *config, rp_effort effort,
                               size_t block_bytes);

#endif
