/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cpu route: the two calls around a block that the caller compresses with libzstd. The block is
 * counted with its reason. Where the router could have sent it to the device, its cost is reported.
 *
 *     rp_cpu_begin(reason, &block);
 *     result = ...;                    the call of libzstd
 *     rp_cpu_end(reason, &request, frame_size, &block);
 *
 * Between the two, the hook passes all calls of the thread on to libzstd.
 *
 * Thread rule: both on one thread.
 */
#ifndef ROCKPRESS_PLUGIN_ROUTE_CPU_H
#define ROCKPRESS_PLUGIN_ROUTE_CPU_H

#include <stddef.h>
#include <stdint.h>

#include "plugin/core/nesting.h"
#include "plugin/core/request.h"

/* Between the two calls. */
typedef struct rp_cpu_block {
    rp_nesting nesting;
    uint64_t begun_ns;     /* 0 when this block is not timed */
    uint64_t cpu_begun_ns; /* the thread's CPU clock; 0 unless the cost is reported */
} rp_cpu_block;

void rp_cpu_begin(rp_fallback_reason reason, rp_cpu_block *block);

/* frame_size is 0 when there is no frame. */
void rp_cpu_end(rp_fallback_reason reason, const rp_request *request, size_t frame_size,
                const rp_cpu_block *block);

#endif
