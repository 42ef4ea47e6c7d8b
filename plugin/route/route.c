/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The direct route: see route/route.h.
 *
 * Nothing that goes wrong here is an error for the caller. It costs the block a second
 * compression, on the CPU, and is counted.
 */
#include "plugin/route/route.h"

#include <limits.h>

#include "plugin/batch/batch.h"
#include "plugin/core/config.h"
#include "plugin/core/stats.h"
#include "plugin/core/thread_state.h"
#include "plugin/device/session.h"
#include "plugin/route/router.h"

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

void rp_offload_options(const rp_plugin_config *config, int level, bool checksum,
                        rp_compress_options *options)
{
    options->effort = config->effort == RP_PLUGIN_EFFORT_AUTO ? rp_offload_effort(level)
                                                              : (rp_effort)config->effort;
    options->flags = checksum ? RP_COMPRESS_CHECKSUM : 0;
    options->error = NULL;
}

uint64_t rp_offload_cpu_clock(void)
{
    const rp_plugin_config *config = rp_config_get();

    return config != NULL ? rp_router_cpu_ns(config) : 0;
}

void rp_offload_note_cpu(const rp_offload_request *request, uint64_t wall_ns, uint64_t cpu_ns)
{
    const rp_plugin_config *config = rp_config_get();
    rp_compress_options options;

    if (config == NULL || rp_router_goal(config) == RP_GOAL_DEVICE)
        return;
    rp_offload_options(config, request->level, request->checksum, &options);
    rp_router_note(RP_ROUTE_CPU, options.effort, request->input_size, request->input_size, wall_ns,
                   cpu_ns);
}

static rp_fallback_reason compress_on_lane(const rp_plugin_config *config,
                                           const rp_offload_request *request,
                                           const rp_compress_options *options, rp_breaker_pass pass,
                                           size_t *frame_size)
{
    uint64_t cpu_begun = rp_router_cpu_ns(config);
    uint64_t begun = rp_clock_ns(), ns;
    rp_lane *lane;
    rp_status status;
    rp_fallback_reason reason;

    status = rp_pool_acquire(rp_session_pool(), &lane);
    if (status == RP_STATUS_POOL_EXHAUSTED)
        return RP_FALLBACK_POOL;
    if (status != RP_STATUS_OK)
        return rp_session_fault(status, pass);
    status =
        rp_lane_compress(lane, request->input, request->input_size, request->output,
                         request->output_capacity, frame_size, options, config->timeout_ms * 1000u);
    rp_pool_release(rp_session_pool(), lane);
    if (status == RP_STATUS_OUTPUT_TOO_SMALL) {
        rp_session_success(pass);
        return RP_FALLBACK_CAPACITY;
    }
    if (status != RP_STATUS_OK)
        return rp_session_fault(status, pass);
    reason = rp_session_verify(config, request->output, *frame_size, request->input,
                               request->input_size, pass);
    if (reason != RP_FALLBACK_NONE)
        return reason;
    rp_session_success(pass);
    ns = rp_clock_ns() - begun;
    rp_stats_device_block(RP_ROUTE_DIRECT, request->input_size, *frame_size, ns);
    rp_router_note(RP_ROUTE_DIRECT, options->effort, request->input_size, request->input_size, ns,
                   rp_router_cpu_ns(config) - cpu_begun);
    return RP_FALLBACK_NONE;
}

rp_fallback_reason rp_offload_compress(const rp_offload_request *request, size_t *frame_size)
{
    const rp_plugin_config *config;
    rp_compress_options options;
    rp_breaker_pass pass;
    rp_fallback_reason reason;
    bool found;

    if (!rp_session_may_work())
        return RP_FALLBACK_DEVICE;
    config = rp_config_get();
    if (config == NULL)
        return RP_FALLBACK_DEVICE;
    if (request->input_size < config->min_block_bytes ||
        request->input_size > config->max_block_bytes || request->input_size == 0)
        return RP_FALLBACK_SIZE;
    if (!rp_session_ready(config))
        return RP_FALLBACK_DEVICE;
    if (rp_batch_any_open()) {
        rp_thread.depth++;
        found = rp_batch_take(config, request, frame_size, &reason);
        rp_thread.depth--;
        if (found)
            return reason;
    }
    rp_offload_options(config, request->level, request->checksum, &options);
    if (!rp_router_takes_direct(config, options.effort, request->input_size))
        return RP_FALLBACK_ROUTER;
    if (!rp_session_enter(&pass))
        return RP_FALLBACK_BREAKER;
    rp_thread.depth++;
    reason = compress_on_lane(config, request, &options, pass, frame_size);
    rp_thread.depth--;
    return reason;
}
