/* SPDX-License-Identifier: Apache-2.0 */
/* The direct route: see route/direct.h. */
#include "plugin/route/direct.h"

#include "plugin/core/nesting.h"
#include "plugin/core/stats.h"
#include "plugin/device/session.h"
#include "plugin/device/sharing.h"

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

/* *n_shared as rp_sharing_compress() says: a block with a launch of its own accounts for it. */
static rp_status compress_on_lane(const rp_plugin_config *config, const rp_request *request,
                                  const rp_compress_options *options, size_t *frame_size,
                                  uint32_t *n_shared)
{
    rp_lane *lane;
    rp_status status = rp_pool_acquire(rp_session_pool(), &lane);

    *n_shared = 1;
    if (status != RP_STATUS_OK)
        return status;
    status =
        rp_lane_compress(lane, request->input, request->input_size, request->output,
                         request->output_capacity, frame_size, options, config->timeout_ms * 1000u);
    rp_pool_release(rp_session_pool(), lane);
    return status;
}

/* A fault of a launch is one fault, however many blocks shared it. What is wrong with this block's
 * own frame is this block's fault. A lost device is given up by whoever sees it first, and a probe
 * of the breaker has to be answered. */
static rp_fallback_reason fault(rp_status status, uint32_t n_shared, rp_breaker_pass pass)
{
    bool is_own = n_shared != 0 || pass != RP_BREAKER_CLOSED || status == RP_STATUS_INTERNAL ||
                  status == RP_STATUS_VERIFICATION_FAILED || status == RP_STATUS_DEVICE_FAULT;

    return is_own ? rp_session_fault(status, pass) : RP_FALLBACK_FAULT;
}

static rp_fallback_reason compress(const rp_plugin_config *config, const rp_request *request,
                                   const rp_compress_options *options, rp_breaker_pass pass,
                                   size_t *frame_size)
{
    uint64_t begun = rp_clock_ns(), ns;
    rp_compress_options proving = *options;
    uint32_t n_shared;
    rp_status status;
    rp_fallback_reason reason;

    if (config->verify == RP_VERIFY_DEVICE)
        proving.flags |= RP_COMPRESS_VERIFY;
    status = rp_sharing_is_on()
                 ? rp_sharing_compress(request, &proving, frame_size, &n_shared)
                 : compress_on_lane(config, request, &proving, frame_size, &n_shared);
    if (status == RP_STATUS_POOL_EXHAUSTED)
        return RP_FALLBACK_POOL;
    if (n_shared != 0 && (status == RP_STATUS_OK || status == RP_STATUS_OUTPUT_TOO_SMALL))
        rp_stats_count(RP_COUNT_DIRECT_LAUNCHES);
    if (status == RP_STATUS_OUTPUT_TOO_SMALL) {
        rp_session_success(pass);
        return RP_FALLBACK_CAPACITY;
    }
    if (status != RP_STATUS_OK)
        return fault(status, n_shared, pass);
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
    reason = compress(config, request, options, pass, frame_size);
    rp_nesting_leave(&nesting);
    return reason;
}
