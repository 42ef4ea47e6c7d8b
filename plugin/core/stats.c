/* SPDX-License-Identifier: Apache-2.0 */
/* The counters: see stats.h. */
#include "plugin/core/stats.h"

#include <stdio.h>
#include <string.h>

struct rp_stats_shard rp_stats_shards[RP_N_SHARDS];

static _Atomic(const char *) device_name;
static _Atomic(const rp_pool *) device_pool;
static _Atomic bool device_active;
static _Atomic size_t batch_used_bytes, batch_peak_bytes, batch_kept_bytes;

const char *rp_route_name(rp_route route)
{
    static const char *const names[RP_N_ROUTES] = {"cpu", "direct", "batch"};

    return (unsigned)route < RP_N_ROUTES ? names[route] : "unknown";
}

const char *rp_fallback_reason_name(rp_fallback_reason reason)
{
    static const char *const names[RP_N_FALLBACK_REASONS] = {
        "none", "dictionary", "size",  "device", "parameter", "capacity",
        "pool", "breaker",    "fault", "router", "busy"};

    return (unsigned)reason < RP_N_FALLBACK_REASONS ? names[reason] : "unknown";
}

const char *rp_fault_name(rp_fault fault)
{
    static const char *const names[RP_N_FAULTS] = {"timeout", "launch", "memory",
                                                   "device",  "verify", "internal"};

    return (unsigned)fault < RP_N_FAULTS ? names[fault] : "unknown";
}

uint64_t rp_stats_cpu_end(rp_fallback_reason reason, size_t input_size, size_t frame_size,
                          uint64_t begun_ns)
{
    struct rp_stats_shard *shard = &rp_stats_shards[rp_thread_shard()];

    rp_stats_add(shard, RP_COUNT_BLOCKS + RP_ROUTE_CPU, 1);
    rp_stats_add(shard, RP_COUNT_BYTES_IN + RP_ROUTE_CPU, input_size);
    rp_stats_add(shard, RP_COUNT_BYTES_OUT + RP_ROUTE_CPU, frame_size);
    rp_stats_add(shard, RP_COUNT_FALLBACKS + (unsigned)reason, 1);
    if (frame_size == 0)
        rp_stats_add(shard, RP_COUNT_REJECTED, 1);
    if (begun_ns == 0)
        return 0;
    begun_ns = rp_clock_ns() - begun_ns;
    rp_stats_add(shard, RP_COUNT_NANOSECONDS + RP_ROUTE_CPU, begun_ns);
    rp_stats_add(shard, RP_COUNT_TIMED_BYTES + RP_ROUTE_CPU, input_size);
    return begun_ns;
}

void rp_stats_device_block(rp_route route, size_t input_size, size_t frame_size, uint64_t ns)
{
    struct rp_stats_shard *shard = &rp_stats_shards[rp_thread_shard()];

    rp_stats_add(shard, RP_COUNT_BLOCKS + (unsigned)route, 1);
    rp_stats_add(shard, RP_COUNT_BYTES_IN + (unsigned)route, input_size);
    rp_stats_add(shard, RP_COUNT_BYTES_OUT + (unsigned)route, frame_size);
    rp_stats_add(shard, RP_COUNT_NANOSECONDS + (unsigned)route, ns);
    rp_stats_add(shard, RP_COUNT_TIMED_BYTES + (unsigned)route, input_size);
}

void rp_stats_batch_begun(uint32_t n_blocks, uint64_t ns)
{
    struct rp_stats_shard *shard = &rp_stats_shards[rp_thread_shard()];

    rp_stats_add(shard, RP_COUNT_BATCHES, 1);
    rp_stats_add(shard, RP_COUNT_BATCH_BLOCKS, n_blocks);
    /* The bytes are counted block by block, when they are taken. */
    rp_stats_add(shard, RP_COUNT_NANOSECONDS + RP_ROUTE_BATCH, ns);
}

void rp_stats_set_batch_memory(size_t used_bytes, size_t kept_bytes)
{
    size_t peak = atomic_load_explicit(&batch_peak_bytes, memory_order_relaxed);

    if (used_bytes > peak)
        atomic_store_explicit(&batch_peak_bytes, used_bytes, memory_order_relaxed);
    atomic_store_explicit(&batch_used_bytes, used_bytes, memory_order_relaxed);
    atomic_store_explicit(&batch_kept_bytes, kept_bytes, memory_order_relaxed);
}

void rp_stats_count_fault(rp_fault fault)
{
    rp_stats_count(RP_COUNT_FAULTS + (unsigned)fault);
}

void rp_stats_set_device(const char *name, const rp_pool *pool)
{
    atomic_store_explicit(&device_name, name, memory_order_release);
    atomic_store_explicit(&device_pool, pool, memory_order_release);
}

void rp_stats_set_device_active(bool active)
{
    atomic_store_explicit(&device_active, active, memory_order_release);
}

static uint64_t sum(unsigned counter)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < RP_N_SHARDS; i++)
        total += atomic_load_explicit(&rp_stats_shards[i].counters[counter], memory_order_relaxed);
    return total;
}

/* Time of all blocks of a route from that of the timed ones, by bytes. */
static uint64_t route_microseconds(unsigned route, uint64_t bytes_in)
{
    uint64_t nanoseconds = sum(RP_COUNT_NANOSECONDS + route);
    uint64_t timed_bytes = sum(RP_COUNT_TIMED_BYTES + route);

    if (timed_bytes == 0 || timed_bytes == bytes_in)
        return nanoseconds / 1000;
    return (uint64_t)((double)nanoseconds / 1000 * ((double)bytes_in / (double)timed_bytes));
}

void rp_stats_get(rp_stats *stats)
{
    const char *name = atomic_load_explicit(&device_name, memory_order_acquire);
    const rp_pool *pool = atomic_load_explicit(&device_pool, memory_order_acquire);

    if (stats == NULL)
        return;
    memset(stats, 0, sizeof(*stats));
    for (unsigned i = 0; i < RP_N_ROUTES; i++) {
        stats->blocks[i] = sum(RP_COUNT_BLOCKS + i);
        stats->bytes_in[i] = sum(RP_COUNT_BYTES_IN + i);
        stats->bytes_out[i] = sum(RP_COUNT_BYTES_OUT + i);
        stats->microseconds[i] = route_microseconds(i, stats->bytes_in[i]);
    }
    for (unsigned i = 0; i < RP_N_FALLBACK_REASONS; i++)
        stats->fallbacks[i] = sum(RP_COUNT_FALLBACKS + i);
    for (unsigned i = 0; i < RP_N_FAULTS; i++)
        stats->faults[i] = sum(RP_COUNT_FAULTS + i);
    stats->rejected_blocks = sum(RP_COUNT_REJECTED);
    stats->verified_blocks = sum(RP_COUNT_VERIFIED);
    stats->contexts_created = sum(RP_COUNT_CONTEXTS_CREATED);
    stats->contexts_recycled = sum(RP_COUNT_CONTEXTS_RECYCLED);
    stats->breaker_opens = sum(RP_COUNT_BREAKER_OPENS);
    stats->batches = sum(RP_COUNT_BATCHES);
    stats->batch_blocks = sum(RP_COUNT_BATCH_BLOCKS);
    stats->batches_declined = sum(RP_COUNT_BATCHES_DECLINED);
    stats->router_probes = sum(RP_COUNT_ROUTER_PROBES);
    stats->batch_misses = sum(RP_COUNT_BATCH_MISSES);
    stats->batch_untaken_blocks = sum(RP_COUNT_BATCH_UNTAKEN);
    stats->batch_used_bytes = atomic_load_explicit(&batch_used_bytes, memory_order_relaxed);
    stats->batch_peak_bytes = atomic_load_explicit(&batch_peak_bytes, memory_order_relaxed);
    stats->batch_kept_bytes = atomic_load_explicit(&batch_kept_bytes, memory_order_relaxed);
    stats->lanes = pool != NULL ? rp_pool_lane_count(pool) : 0;
    stats->device_active = atomic_load_explicit(&device_active, memory_order_acquire);
    snprintf(stats->device, sizeof(stats->device), "%s", name != NULL ? name : "none");
}
