/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters. They live in shards, each a set of all counters that is aligned to a cache line. A
 * thread adds to its own shard with relaxed atomics, and readers sum the shards. So there is no
 * lock, no allocation and no registration of threads (RocksDB starts new ones for every SST), and
 * nothing is lost when a thread ends.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_STATS_H
#define ROCKPRESS_PLUGIN_CORE_STATS_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "plugin/core/thread_state.h"
#include "rockpress/plugin.h"
#include "rockpress/pool.h"

enum {
    RP_COUNT_BLOCKS = 0,
    RP_COUNT_BYTES_IN = RP_COUNT_BLOCKS + RP_N_ROUTES,
    RP_COUNT_BYTES_OUT = RP_COUNT_BYTES_IN + RP_N_ROUTES,
    RP_COUNT_NANOSECONDS = RP_COUNT_BYTES_OUT + RP_N_ROUTES,
    RP_COUNT_TIMED_BYTES = RP_COUNT_NANOSECONDS + RP_N_ROUTES,
    RP_COUNT_FALLBACKS = RP_COUNT_TIMED_BYTES + RP_N_ROUTES,
    RP_COUNT_FAULTS = RP_COUNT_FALLBACKS + RP_N_FALLBACK_REASONS,
    RP_COUNT_REJECTED = RP_COUNT_FAULTS + RP_N_FAULTS,
    RP_COUNT_VERIFIED,
    RP_COUNT_CONTEXTS_CREATED,
    RP_COUNT_CONTEXTS_RECYCLED,
    RP_COUNT_BREAKER_OPENS,
    RP_COUNT_BATCHES,
    RP_COUNT_BATCH_BLOCKS,
    RP_COUNT_BATCH_MISSES,
    RP_COUNT_BATCH_UNTAKEN,
    RP_COUNT_BATCHES_DECLINED,
    RP_COUNT_ROUTER_PROBES,
    RP_COUNT_FILES_WITHOUT_MEMORY,
    RP_COUNT_UNPROVEN,
    RP_COUNT_DIRECT_LAUNCHES,
    RP_N_COUNTERS
};

struct rp_stats_shard {
    alignas(64) _Atomic uint64_t counters[RP_N_COUNTERS];
};

extern struct rp_stats_shard rp_stats_shards[RP_N_SHARDS];

static inline void rp_stats_add(struct rp_stats_shard *shard, unsigned counter, uint64_t n)
{
    atomic_fetch_add_explicit(&shard->counters[counter], n, memory_order_relaxed);
}

static inline void rp_stats_count(unsigned counter)
{
    rp_stats_add(&rp_stats_shards[rp_thread_shard()], counter, 1);
}

static inline uint64_t rp_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/*
 * The cpu route times one block in 16. Where the clock is a system call, timing each 4 KiB
 * block would cost percents of it. The direct route times every block, since a block there
 * costs much more than reading the clock.
 */
#define RP_CPU_TIMING_INTERVAL 16u

/* Start of a block on the cpu route: the time if this block is timed, else 0. A thread's first
 * block is not timed: it warms up a context, and would weigh too much in short-lived threads. */
static inline uint64_t rp_stats_cpu_begin(void)
{
    return rp_thread.cpu_blocks++ % RP_CPU_TIMING_INTERVAL == 1 ? rp_clock_ns() : 0;
}

/* End of a block on the cpu route. frame_size is 0 when libzstd returned an error. Returns the
 * nanoseconds that it took, 0 when it was not timed. */
uint64_t rp_stats_cpu_end(rp_fallback_reason reason, size_t input_size, size_t frame_size,
                          uint64_t begun_ns);

void rp_stats_device_block(rp_route route, size_t input_size, size_t frame_size, uint64_t ns);

/* A batch of n_blocks blocks was begun, which took ns. */
void rp_stats_batch_begun(uint32_t n_blocks, uint64_t ns);

/* Host memory of batches: in use, and kept altogether. */
void rp_stats_set_batch_memory(size_t used_bytes, size_t kept_bytes);

void rp_stats_count_fault(rp_fault fault);

/* Writes the report that the configuration asks for, if any. For the destructor only. */
void rp_stats_report_at_exit(void);

/* The device in use, for the reports. name and pool are valid until the process ends. */
void rp_stats_set_device(const char *name, const rp_pool *pool);
void rp_stats_set_device_active(bool active);

#endif
