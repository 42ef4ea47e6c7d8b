/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cpu route: what stands around a block that the caller compresses with libzstd. It is
 * counted with its reason, and where the router could have sent it elsewhere, its cost is reported.
 *
 *     begun = rp_cpu_begin(reason);
 *     result = ...;                    libzstd, whose own calls are not ours to take meanwhile
 *     rp_cpu_end(reason, &request, frame_size, begun);
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
