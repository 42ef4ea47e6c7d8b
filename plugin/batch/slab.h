/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slabs: staging memory of one size, in which the blocks and frames of batches lie. Memory that was
 * made is kept for the next batch, and one limit bounds all of it.
 *
 * Thread rule: any thread, after the setup.
 */
#ifndef ROCKPRESS_PLUGIN_BATCH_SLAB_H
#define ROCKPRESS_PLUGIN_BATCH_SLAB_H

#include <stdbool.h>
#include <stddef.h>

#include "rockpress/device.h"

#define RP_BATCH_SLAB_BYTES ((size_t)512 << 10)
/* Larger blocks are left out of batches: slabs grow to hold the largest, up to this. */
#define RP_BATCH_MAX_BLOCK_BYTES ((size_t)4 << 20)

/* Once, before any other function here. */
void rp_batch_slabs_setup(const rp_device *device, size_t slab_bytes, size_t limit_bytes);
size_t rp_batch_slab_bytes(void);

/* A slab for blocks, or for frames: blocks get at most two thirds of the limit, so that there are
 * always slabs for frames. NULL when there are no more. */
void *rp_batch_slab_take(bool for_frames);
void rp_batch_slab_give(void *slab, bool for_frames);

#endif
