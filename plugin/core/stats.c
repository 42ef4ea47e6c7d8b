/* SPDX-License-Identifier: Apache-2.0 */
/* The counters: see core/stats.h. */
#include "plugin/core/stats.h"

#include <limits.h>

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
        "none",    "dictionary", "size",   "device", "parameter", "capacity", "pool",
        "breaker", "fault",      "router", "busy",   "memory",    "read"};

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

/* The time of all blocks of a route, estimated from the timed ones by bytes. */
static uint64_t route_microseconds(unsigned route)
{
    uint64_t bytes_in = sum(RP_COUNT_BYTES_IN + route);
    uint64_t nanoseconds = sum(RP_COUNT_NANOSECONDS + route);
    uint64_t timed_bytes = sum(RP_COUNT_TIMED_BYTES + route);

    if (timed_bytes == 0 || timed_bytes == bytes_in)
        return nanoseconds / 1000;
    return (uint64_t)((double)nanoseconds / 1000 * ((double)bytes_in / (double)timed_bytes));
}

/* The statistic is not the sum of a counter over the shards. */
#define NO_COUNTER UINT_MAX

static const struct {
    const char *name, *label;
    unsigned n_values;
    unsigned counter; /* of the first value */
    const char *help;
} stats[RP_N_STATS] = {
    [RP_STAT_BLOCKS] = {"blocks_total", "route", RP_N_ROUTES, RP_COUNT_BLOCKS,
                        "Blocks compressed."},
    [RP_STAT_BYTES_IN] = {"bytes_in_total", "route", RP_N_ROUTES, RP_COUNT_BYTES_IN,
                          "Bytes of those blocks."},
    [RP_STAT_BYTES_OUT] = {"bytes_out_total", "route", RP_N_ROUTES, RP_COUNT_BYTES_OUT,
                           "Bytes of their frames."},
    [RP_STAT_MICROSECONDS] = {"microseconds_total", "route", RP_N_ROUTES, NO_COUNTER,
                              "Wall time spent compressing; for the cpu route estimated from "
                              "samples."},
    [RP_STAT_FALLBACKS] = {"fallbacks_total", "reason", RP_N_FALLBACK_REASONS, RP_COUNT_FALLBACKS,
                           "Blocks on the cpu route, by reason."},
    [RP_STAT_FAULTS] = {"faults_total", "kind", RP_N_FAULTS, RP_COUNT_FAULTS,
                        "Failures of the device, by kind."},
    [RP_STAT_REJECTED_BLOCKS] = {"rejected_blocks_total", "", 1, RP_COUNT_REJECTED,
                                 "Blocks for which libzstd returned an error, most often that they "
                                 "don't shrink."},
    [RP_STAT_VERIFIED_BLOCKS] = {"verified_blocks_total", "", 1, RP_COUNT_VERIFIED,
                                 "Frames proven before they were handed over."},
    [RP_STAT_UNPROVEN_FRAMES] = {"unproven_frames_total", "", 1, RP_COUNT_UNPROVEN,
                                 "Frames handed over without a proof."},
    [RP_STAT_DIRECT_LAUNCHES] =
        {"direct_launches_total", "", 1, RP_COUNT_DIRECT_LAUNCHES,
         "Launches of single blocks that ended well; blocks may share one."},
    [RP_STAT_CONTEXTS_CREATED] = {"contexts_created_total", "", 1, RP_COUNT_CONTEXTS_CREATED,
                                  "zstd contexts made."},
    [RP_STAT_CONTEXTS_RECYCLED] = {"contexts_recycled_total", "", 1, RP_COUNT_CONTEXTS_RECYCLED,
                                   "zstd contexts served from idle ones."},
    [RP_STAT_BREAKER_OPENS] = {"breaker_opens_total", "", 1, RP_COUNT_BREAKER_OPENS,
                               "Times that the device was left alone."},
    [RP_STAT_BATCHES] = {"batches_total", "", 1, RP_COUNT_BATCHES, "Batches begun."},
    [RP_STAT_BATCH_BLOCKS] = {"batch_blocks_total", "", 1, RP_COUNT_BATCH_BLOCKS,
                              "Blocks in them."},
    [RP_STAT_BATCHES_DECLINED] = {"batches_declined_total", "", 1, RP_COUNT_BATCHES_DECLINED,
                                  "Files that were not begun as batches, as libzstd is the cheaper "
                                  "way."},
    [RP_STAT_ROUTER_PROBES] = {"router_probes_total", "", 1, RP_COUNT_ROUTER_PROBES,
                               "Blocks and files that tried the dearer way."},
    [RP_STAT_BATCH_MISSES] = {"batch_misses_total", "", 1, RP_COUNT_BATCH_MISSES,
                              "Blocks that were looked for in open batches and are in none."},
    [RP_STAT_BATCH_UNTAKEN_BLOCKS] = {"batch_untaken_blocks_total", "", 1, RP_COUNT_BATCH_UNTAKEN,
                                      "Blocks of batches that nobody asked for."},
    [RP_STAT_BATCH_USED_BYTES] = {"batch_memory_used_bytes", "", 1, NO_COUNTER,
                                  "Host memory in use by batches."},
    [RP_STAT_BATCH_PEAK_BYTES] = {"batch_memory_peak_bytes", "", 1, NO_COUNTER,
                                  "The most that it ever was."},
    [RP_STAT_BATCH_KEPT_BYTES] = {"batch_memory_kept_bytes", "", 1, NO_COUNTER,
                                  "The same, with what is kept for reuse."},
    [RP_STAT_LANES] = {"lanes", "", 1, NO_COUNTER, "Lanes (a stream and its memory) made."},
    [RP_STAT_DEVICE_ACTIVE] = {"device_info", "device", 1, NO_COUNTER,
                               "1 while the device takes blocks, else 0."},
    [RP_STAT_FILES_WITHOUT_MEMORY] =
        {"files_without_batch_memory_total", "", 1, RP_COUNT_FILES_WITHOUT_MEMORY,
         "Files that were not gathered for a batch, for lack of memory "
         "for batches."},
};

static bool is_known(rp_stat stat, unsigned index)
{
    return (unsigned)stat < RP_N_STATS && index < stats[stat].n_values;
}

uint64_t rp_stats_value(rp_stat stat, unsigned index)
{
    const rp_pool *pool;

    if (!is_known(stat, index))
        return 0;
    switch (stat) {
    case RP_STAT_MICROSECONDS:
        return route_microseconds(index);
    case RP_STAT_BATCH_USED_BYTES:
        return atomic_load_explicit(&batch_used_bytes, memory_order_relaxed);
    case RP_STAT_BATCH_PEAK_BYTES:
        return atomic_load_explicit(&batch_peak_bytes, memory_order_relaxed);
    case RP_STAT_BATCH_KEPT_BYTES:
        return atomic_load_explicit(&batch_kept_bytes, memory_order_relaxed);
    case RP_STAT_LANES:
        pool = atomic_load_explicit(&device_pool, memory_order_acquire);
        return pool != NULL ? rp_pool_lane_count(pool) : 0;
    case RP_STAT_DEVICE_ACTIVE:
        return atomic_load_explicit(&device_active, memory_order_acquire);
    default:
        return sum(stats[stat].counter + index);
    }
}

size_t rp_stats_get(rp_stat stat, uint64_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] = i <= UINT_MAX ? rp_stats_value(stat, (unsigned)i) : 0;
    return (unsigned)stat < RP_N_STATS ? stats[stat].n_values : 0;
}

const char *rp_stats_name(rp_stat stat)
{
    return is_known(stat, 0) ? stats[stat].name : NULL;
}

const char *rp_stats_label(rp_stat stat)
{
    return is_known(stat, 0) ? stats[stat].label : NULL;
}

const char *rp_stats_help(rp_stat stat)
{
    return is_known(stat, 0) ? stats[stat].help : NULL;
}

const char *rp_stats_device(void)
{
    const char *name = atomic_load_explicit(&device_name, memory_order_acquire);

    return name != NULL ? name : "none";
}

const char *rp_stats_label_value(rp_stat stat, unsigned index)
{
    if (!is_known(stat, index))
        return NULL;
    switch (stat) {
    case RP_STAT_BLOCKS:
    case RP_STAT_BYTES_IN:
    case RP_STAT_BYTES_OUT:
    case RP_STAT_MICROSECONDS:
        return rp_route_name((rp_route)index);
    case RP_STAT_FALLBACKS:
        return rp_fallback_reason_name((rp_fallback_reason)index);
    case RP_STAT_FAULTS:
        return rp_fault_name((rp_fault)index);
    case RP_STAT_DEVICE_ACTIVE:
        return rp_stats_device();
    default:
        return "";
    }
}

/* Here, and not beside what it calls: a program that is linked with an archive of the plugin gets
 * the objects that something refers to, which whoever counts a block does to this one. */
__attribute__((destructor)) static void at_exit(void)
{
    rp_stats_report_at_exit();
}
