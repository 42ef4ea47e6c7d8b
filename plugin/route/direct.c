/* SPDX-License-Identifier: Apache-2.0 */
/* The direct route: see route/direct.h. */
#include "plugin/route/direct.h"

#include "plugin/core/nesting.h"
#include "plugin/core/stats.h"
#include "plugin/device/session.h"

static rp_fallback_reason verify(const rp_plugin_config *config, const rp_request *request,
                                 size_t frame_size, rp_breaker_pass pass)
{
    const rp_device_frame frame = {
        .frame = request->output,
        .frame_size = frame_size,
        .block = request->input,
        .block_size = request->input_size,
    };

    return rp_session_verify(config, &frame, pass);
}

static rp_fallback_reason compress_on_lane(const rp_plugin_config *config,
                                           const rp_request *request,
                                           const rp_compress_options *options, rp_breaker_pass pass,
                                           size_t *frame_size)
{
    uint64_t begun = rp_clock_ns(), ns;
    rp_compress_options proving = *options;
    rp_lane *lane;
    rp_status status;
    rp_fallback_reason reason;

    status = rp_pool_acquire(rp_session_pool(), &lane);
    if (status == RP_STATUS_POOL_EXHAUSTED)
        return RP_FALLBACK_POOL;
    if (status != RP_STATUS_OK)
        return rp_session_fault(status, pass);
    if (config->verify == RP_VERIFY_DEVICE)
        proving.flags |= RP_COMPRESS_VERIFY;
    status = rp_lane_compress(lane, request->input, request->input_size, request->output,
                              request->output_capacity, frame_size, &proving,
                              config->timeout_ms * 1000u);
    rp_pool_release(rp_session_pool(), lane);
    if (status == RP_STATUS_OUTPUT_TOO_SMALL) {
        rp_session_success(pass);
        return RP_FALLBACK_CAPACITY;
    }
    if (status != RP_STATUS_OK)
        return rp_session_fault(status, pass);
    reason = verify(config, request, *frame_size, pass);
    if (reason != RP_FALLBACK_NONE)
        return reason;
    rp_session_success(pass);
    ns = rp_clock_ns() - begun;
    rp_stats_device_block(RP_ROUTE_DIRECT, request->input_size, *frame_size, ns);
    return RP_FALLBACK_NONE;
}

rp_fallback_reason rp_direct_compress(const rp_plugin_config *config, const rp_request *request,
                                      const rp_compress_options *options, size_t *frame_size)
{
    rp_breaker_pass pass;
    rp_fallback_reason reason;
    rp_nesting nesting;

    if (!rp_session_enter(&pass))
        return RP_FALLBACK_BREAKER;
    rp_nesting_enter(&nesting);
    reason = compress_on_lane(config, request, options, pass, frame_size);
    rp_nesting_leave(&nesting);
    return reason;
}
