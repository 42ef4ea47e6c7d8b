/* SPDX-License-Identifier: Apache-2.0 */
/* How a workspace is divided; see workspace.c. */
#ifndef ROCKPRESS_ENGINE_WORKSPACE_H
#define ROCKPRESS_ENGINE_WORKSPACE_H

#include "rockpress/engine.h"

/* Most zstd blocks of one batch: launches count their teams in 31 bits. */
#define RP_MAX_BATCH_ZSTD_BLOCKS ((size_t)INT32_MAX)

/*
 * Fills `buffers` with addresses from `base` on; returns the bytes that they take, rounded up to
 * RP_WORKSPACE_ALIGNMENT. The arguments are in range.
 */
size_t rp_workspace_layout(uint8_t *base, size_t max_input_bytes, size_t n_inputs, rp_effort effort,
                           rp_stage_buffers *buffers);

#endif
