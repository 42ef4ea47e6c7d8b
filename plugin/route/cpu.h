/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cpu route: the two calls around a block that the caller compresses with libzstd. The block is
 * counted with its reason. Where the router could have sent it to the device, its cost is reported.
 *
 *     begun = rp_cpu_begin(reason);
 *     result = ...;                    the call of libzstd
 *     rp_cpu_end(reason, &request, frame_size, begun);
 *
 * Between the two, the hook passes all calls of the thread on to libzstd.
 *
 * Thread rule: both on one thread.
 */
#ifndef ROCKPRESS_PLUGIN_ROUTE_CPU_H
#define ROCKPRESS_PLUGIN_ROUTE_CPU_H

#include <stddef.h>
#include <stdint.h>

#include "plugin/core/request.h"

/* Returns what rp_cpu_end takes: the time, or 0 when this block is not timed. */
uint64_t rp_cpu_begin(rp_fallback_reason reason);

/* frame_size is 0 when there is no frame. */
void rp_cpu_end(rp_fallback_reason reason, const rp_request *request, size_t frame_size,
                uint64_t begun_ns);

#endif
