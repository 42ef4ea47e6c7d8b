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
#include <stdint.h>

#include "rockpress/plugin.h"

typedef struct rp_request {
    const void *input;
    size_t input_size;
    void *output; /* must not overlap the input */
    size_t output_capacity;
    int level;     /* zstd's */
    bool checksum; /* the frame is to carry one */
} rp_request;

/*
 * The context that asks, where the zstd hook knows it. RocksDB makes the contexts of a file before
 * it shows the file's blocks (all releases), or makes new ones for the blocks that follow
 * (from 10.4 on). The contexts of other calls (samples that it compresses to estimate sizes, blobs,
 * the compressed secondary cache) are made for a single block.
 */
typedef struct rp_asker {
    uint32_t born;  /* rp_context_clock() when the context was made */
    bool is_legacy; /* the function that RocksDB called before it had ZSTD_compress2 */
    bool is_reader; /* a thread that reads, as far as can be told (hook/asker.h) */
} rp_asker;

/* Whether input and output have a byte in common. Any addresses and sizes. */
bool rp_request_overlaps(const rp_request *request);

/* The effort that stands for a zstd level. */
rp_effort rp_request_effort(int level);

/* The engine's options for a block of that level, with the configured effort if there is one. */
void rp_request_options(const rp_plugin_config *config, int level, bool checksum,
                        rp_compress_options *options);

#endif
