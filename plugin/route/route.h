/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The direct route: one block, now, on a lane of the process's pool. What calls it (the zstd
 * hook, RocksDB's CompressionManager) knows where blocks come from; this knows devices,
 * and neither knows the other.
 *
 * Thread rule: any thread. Once the device is open and a lane is made, a call allocates
 * nothing and takes no lock.
 */
#ifndef ROCKPRESS_PLUGIN_ROUTE_ROUTE_H
#define ROCKPRESS_PLUGIN_ROUTE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "rockpress/plugin.h"

typedef struct rp_offload_request {
    const void *input;
    size_t input_size;
    void *output; /* must not overlap the input */
    size_t output_capacity;
    int level;     /* zstd's */
    bool checksum; /* the frame is to carry one */
} rp_offload_request;

/*
 * Compresses one block on the device. RP_FALLBACK_NONE: done and counted, the frame is output[0,
 * *frame_size). Anything else is why not: the caller compresses it on the CPU and counts it
 * with that reason (rp_stats_cpu_end); the output's contents are then undefined.
 */
rp_fallback_reason rp_offload_compress(const rp_offload_request *request, size_t *frame_size);

/* The effort that stands for a zstd level. */
rp_effort rp_offload_effort(int level);

/* What libzstd took for a block that was asked for here: the router compares. cpu_ns is the
 * difference of two rp_offload_cpu_clock(), which is 0 while nobody wants to know. */
void rp_offload_note_cpu(const rp_offload_request *request, uint64_t wall_ns, uint64_t cpu_ns);
uint64_t rp_offload_cpu_clock(void);

/* The engine's options for a block. */
void rp_offload_options(const rp_plugin_config *config, int level, bool checksum,
                        rp_compress_options *options);

#endif
