/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The direct route: see offload.h.
 *
 * The device is opened by the first block that could use it, on that block's thread; others
 * that arrive meanwhile are compressed on the CPU, nobody waits. It is never closed: when a
 * process ends, the order of its destructors is no time to talk to a driver, and the kernel
 * takes everything back anyway. In a forked child a GPU context can not be used, so
 * the child does not touch the device at all.
 *
 * Nothing that goes wrong here is an error for the caller. It costs the block a second
 * compression, on the CPU, and is counted.
 */
#include "plugin/offload.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "plugin/breaker.h"
#include "plugin/config.h"
#include "plugin/log.h"
#include "plugin/stats.h"
#include "plugin/thread_state.h"
#include "plugin/verify.h"
#include "rockpress/pool.h"

enum phase {
    PHASE_UNOPENED = 0,
    PHASE_OPENING = 1,
    PHASE_READY = 2,
    PHASE_OFF = 3 /* for good */
};

static _Atomic int phase;
static rp_pool *pool; /* written before PHASE_READY */
static const char *device_name;
static struct rp_breaker breaker;

/* Levels up to 2 and negative ones ask for speed, 3 to 5 are the usual ones, 6 to 9 ask for ratio,
 * those above for all that can be had. */
static const struct {
    int up_to_level;
    rp_effort effort;
} efforts[] = {
    {2, RP_EFFORT_FAST},
    {5, RP_EFFORT_DEFAULT},
    {9, RP_EFFORT_HIGH},
    {INT_MAX, RP_EFFORT_MAX},
};

rp_effort rp_offload_effort(int level)
{
    unsigned i = 0;

    if (level == 0)
        level = 3; /* libzstd's default */
    while (level > efforts[i].up_to_level)
        i++;
    return efforts[i].effort;
}

/* In a child after fork(): whatever the parent had open is not ours. */
static void forked(void)
{
    if (atomic_load_explicit(&phase, memory_order_relaxed) != PHASE_UNOPENED) {
        atomic_store_explicit(&phase, PHASE_OFF, memory_order_relaxed);
        rp_stats_set_device_active(false);
        rp_stats_set_device(NULL, NULL);
    }
}

/*
 * "auto" leaves a GPU alone for now: it would get one block at a time, and the calling thread would
 * wait longer for each than libzstd takes. Whoever asks for "cuda" by name gets it.
 */
static rp_status open_device(const rp_plugin_config *config, const rp_device **device)
{
    bool automatic = strcmp(config->device, "auto") == 0;
    rp_device *opened = NULL;
    rp_status status;

    *device = config->custom_device;
    if (*device != NULL)
        return RP_STATUS_OK;
    status = automatic ? RP_STATUS_DEVICE_UNAVAILABLE : rp_device_open(config->device, &opened);
    *device = opened;
    if (status != RP_STATUS_OK)
        rp_log(automatic ? RP_LOG_INFO : RP_LOG_ERROR,
               "device %s: %s; blocks are compressed on the CPU", config->device,
               rp_status_string(status));
    return status;
}

static bool make_pool(const rp_plugin_config *config, const rp_device *device)
{
    rp_error error = {""};
    rp_pool_options options = {
        .max_lanes = config->lanes,
        .max_input_bytes = config->max_block_bytes,
        .memory_bytes = config->memory_bytes,
        /* A lane serves whatever level comes next, so it is sized for the highest. */
        .effort =
            config->effort == RP_PLUGIN_EFFORT_AUTO ? RP_EFFORT_MAX : (rp_effort)config->effort,
        .error = &error,
    };
    rp_status status = rp_pool_create(device, &options, &pool);

    if (status == RP_STATUS_OK)
        return true;
    rp_log(RP_LOG_ERROR, "device %s: no lanes: %s %s; blocks are compressed on the CPU",
           device->name, rp_status_string(status), error.message);
    return false;
}

static void set_phase_after_opening(int next)
{
    int opening = PHASE_OPENING;

    /* Unless a fork in the middle of it has put it off. */
    atomic_compare_exchange_strong_explicit(&phase, &opening, next, memory_order_release,
                                            memory_order_relaxed);
}

static void open_once(const rp_plugin_config *config)
{
    int unopened = PHASE_UNOPENED;
    const rp_device *device;

    if (!atomic_compare_exchange_strong_explicit(&phase, &unopened, PHASE_OPENING,
                                                 memory_order_acquire, memory_order_relaxed))
        return;
    if (config->custom_device == NULL && strcmp(config->device, "off") == 0) {
        set_phase_after_opening(PHASE_OFF);
        return;
    }
    if (pthread_atfork(NULL, NULL, forked) != 0 || open_device(config, &device) != RP_STATUS_OK ||
        !make_pool(config, device)) {
        set_phase_after_opening(PHASE_OFF);
        return;
    }
    rp_breaker_init(&breaker, config->breaker_faults,
                    (uint64_t)config->breaker_retry_ms * 1000000u);
    device_name = device->name;
    rp_stats_set_device(device->name, pool);
    rp_stats_set_device_active(true);
    rp_log(RP_LOG_INFO, "device %s: open, up to %u lanes for blocks of %zu to %zu bytes",
           device->name, config->lanes, config->min_block_bytes, config->max_block_bytes);
    set_phase_after_opening(PHASE_READY);
}

static void give_up(const char *why)
{
    int ready = PHASE_READY;

    if (atomic_compare_exchange_strong_explicit(&phase, &ready, PHASE_OFF, memory_order_relaxed,
                                                memory_order_relaxed)) {
        rp_stats_set_device_active(false);
        rp_log(RP_LOG_ERROR, "device %s: %s; given up until the process restarts", device_name,
               why);
    }
}

static rp_fault fault_of(rp_status status)
{
    switch (status) {
    case RP_STATUS_TIMEOUT:
        return RP_FAULT_TIMEOUT;
    case RP_STATUS_LAUNCH_FAILED:
        return RP_FAULT_LAUNCH;
    case RP_STATUS_OUT_OF_HOST_MEMORY:
    case RP_STATUS_OUT_OF_DEVICE_MEMORY:
        return RP_FAULT_MEMORY;
    case RP_STATUS_DEVICE_UNAVAILABLE:
    case RP_STATUS_DEVICE_FAULT:
        return RP_FAULT_DEVICE;
    default:
        return RP_FAULT_INTERNAL;
    }
}

static rp_skip note_fault(rp_status status, rp_breaker_pass pass)
{
    rp_stats_count_fault(fault_of(status));
    if (status == RP_STATUS_DEVICE_FAULT) {
        give_up(rp_status_string(status));
    } else if (rp_breaker_fault(&breaker, pass, rp_clock_ns())) {
        rp_stats_count(RP_COUNT_BREAKER_OPENS);
        rp_log(RP_LOG_ERROR, "device %s: %u faults in a row, the last: %s; left alone for a while",
               device_name, breaker.threshold, rp_status_string(status));
    }
    return RP_SKIP_FAULT;
}

static void note_success(rp_breaker_pass pass)
{
    if (rp_breaker_success(&breaker, pass))
        rp_log(RP_LOG_ERROR, "device %s: works again", device_name);
}

static rp_skip note_verification(rp_verify_result result, rp_breaker_pass pass)
{
    if (result == RP_VERIFY_MISMATCH) {
        /* Bytes that were wrong once are not to be trusted again. */
        rp_stats_count_fault(RP_FAULT_VERIFY);
        give_up("a frame did not decode to its block");
        return RP_SKIP_FAULT;
    }
    if (result == RP_VERIFY_UNABLE)
        return note_fault(RP_STATUS_OUT_OF_HOST_MEMORY, pass);
    return RP_SKIP_NONE;
}

static rp_effort effort_for(const rp_plugin_config *config, int level)
{
    return config->effort == RP_PLUGIN_EFFORT_AUTO ? rp_offload_effort(level)
                                                   : (rp_effort)config->effort;
}

static rp_skip compress_on_lane(const rp_plugin_config *config, const rp_offload_request *request,
                                rp_breaker_pass pass, size_t *frame_size)
{
    rp_compress_options options = {effort_for(config, request->level),
                                   request->checksum ? RP_COMPRESS_CHECKSUM : 0, NULL};
    uint64_t begun = rp_clock_ns();
    rp_lane *lane;
    rp_status status;
    rp_skip skip;

    status = rp_pool_acquire(pool, &lane);
    if (status == RP_STATUS_POOL_EXHAUSTED)
        return RP_SKIP_POOL;
    if (status != RP_STATUS_OK)
        return note_fault(status, pass);
    status = rp_lane_compress(lane, request->input, request->input_size, request->output,
                              request->output_capacity, frame_size, &options,
                              config->timeout_ms * 1000u);
    rp_pool_release(pool, lane);
    if (status == RP_STATUS_OUTPUT_TOO_SMALL) {
        note_success(pass);
        return RP_SKIP_CAPACITY;
    }
    if (status != RP_STATUS_OK)
        return note_fault(status, pass);
    if (rp_verify_due(config)) {
        skip = note_verification(rp_verify_frame(config, request->output, *frame_size,
                                                 request->input, request->input_size),
                                 pass);
        if (skip != RP_SKIP_NONE)
            return skip;
    }
    note_success(pass);
    rp_stats_device_block(RP_ROUTE_DIRECT, request->input_size, *frame_size, rp_clock_ns() - begun);
    return RP_SKIP_NONE;
}

/* Whether blocks can be sent at all; opens the device when that was not tried yet. */
static bool device_ready(const rp_plugin_config *config)
{
    int now = atomic_load_explicit(&phase, memory_order_acquire);

    if (now == PHASE_UNOPENED) {
        rp_thread.depth++;
        open_once(config);
        rp_thread.depth--;
        now = atomic_load_explicit(&phase, memory_order_acquire);
    }
    return now == PHASE_READY;
}

rp_skip rp_offload_compress(const rp_offload_request *request, size_t *frame_size)
{
    const rp_plugin_config *config;
    rp_breaker_pass pass = RP_BREAKER_CLOSED;
    rp_skip skip;

    if (atomic_load_explicit(&phase, memory_order_relaxed) == PHASE_OFF)
        return RP_SKIP_DEVICE;
    config = rp_config_get();
    if (config == NULL)
        return RP_SKIP_DEVICE;
    if (request->input_size < config->min_block_bytes ||
        request->input_size > config->max_block_bytes || request->input_size == 0)
        return RP_SKIP_SIZE;
    if (!device_ready(config))
        return RP_SKIP_DEVICE;
    if (!rp_breaker_is_closed(&breaker)) {
        pass = rp_breaker_enter(&breaker, rp_clock_ns());
        if (pass == RP_BREAKER_OPEN)
            return RP_SKIP_BREAKER;
    }
    rp_thread.depth++;
    skip = compress_on_lane(config, request, pass, frame_size);
    rp_thread.depth--;
    return skip;
}
