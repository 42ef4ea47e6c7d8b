/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block that is to become a frame, as the zstd hook and RocksDB's CompressionManager pass it to
 * the routes, and the engine's options that stand for a zstd level.
 *
 * Thread rule: pure functions.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_REQUEST_H
#define ROCKPRESS_PLUGIN_CORE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "rockpress/plugin.h"

typedef struct rp_request {
    const void *input;
    size_t input_size;
    void *output; /* must not overlap the input */
    size_t output_capacity;
    int level;     /* zstd's */
    bool checksum; /* the frame is to carry one */
} rp_request;

/* Whether input and output have a byte in common. Any addresses and sizes. */
bool rp_request_overlaps(const rp_request *request);

/* The effort that stands for a zstd level. */
rp_effort rp_request_effort(int level);

/* The engine's options for a block of that level, with the configured effort if there is one. */
void rp_request_options(const rp_plugin_config *config, int level, bool checksum,
                        rp_compress_options *options);

#endif
