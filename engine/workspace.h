/* SPDX-License-Identifier: Apache-2.0 */
/* How a workspace is divided; see workspace.c. */
#ifndef ROCKPRESS_ENGINE_WORKSPACE_H
#define ROCKPRESS_ENGINE_WORKSPACE_H

#include "rockpress/engine.h"

#include "kernels/base/stages.h"

/* Most zstd blocks of one batch: launches count their teams in 31 bits. */
#define RP_MAX_BATCH_ZSTD_BLOCKS ((size_t)INT32_MAX)

/* The next multiple of `alignment`, which is a power of 2. */
static inline size_t rp_round_up(size_t bytes, size_t alignment)
{
    return (bytes + alignment - 1) & ~(alignment - 1);
}

/*
 * Fills `buffers` with addresses from `base` on; returns the bytes that they take, rounded up to
 * RP_WORKSPACE_ALIGNMENT. The arguments are in range.
 */
size_t rp_workspace_layout(uint8_t *base, size_t max_input_bytes, size_t n_inputs, rp_effort effort,
                           rp_kernel_buffers *buffers);

/* Whether a batch has a valid number of inputs, of a valid size, and not too many zstd blocks. */
bool rp_is_batch_in_range(size_t max_input_bytes, size_t n_inputs);

#endif
