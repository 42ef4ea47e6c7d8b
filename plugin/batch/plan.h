/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an open batch consists of, and how it is made from samples: blocks in the order in which
 * they will be asked for, the slabs that they lie in, and the chunks that the slabs are divided
 * into. A frame comes back to a slab for frames, at the offset of its block: a block that does not
 * shrink gets no frame. So a batch takes the memory of its blocks once, and once more for the few
 * chunks that are on the device or being served.
 */
#ifndef ROCKPRESS_PLUGIN_BATCH_PLAN_H
#define ROCKPRESS_PLUGIN_BATCH_PLAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/batch/chunk.h"
#include "rockpress/plugin.h"

/* A file of few slabs is cut into this many chunks, so that its first frames come early, and
 * frames of whole chunks stay a small part of the memory. */
#define RP_BATCH_CHUNKS_PER_FILE 8u

struct rp_batch_block {
    uint64_t fingerprint;
    uint32_t size;
    uint32_t chunk;
    uint32_t slab; /* its number in the batch */
    uint32_t offset;
    uint32_t frame_bytes;      /* 0: no frame, see status */
    int32_t status;            /* rp_status, once the chunk is done */
    rp_proof proof;            /* likewise, with RP_VERIFY_DEVICE */
    _Atomic uint32_t is_taken; /* claimed by a thread */
};

struct rp_open_batch {
    uint32_t n_blocks, n_chunks, n_slabs;
    uint32_t lookahead;
    struct rp_batch_block *blocks; /* in the order in which they will be asked for */
    struct rp_batch_chunk *chunks;
    void **raw_slabs;
    void **frame_slabs;
    uint32_t *slab_used;
    uint32_t *table; /* block + 1 by fingerprint; 0 is empty (batch/block_table.h) */
    uint32_t table_mask;
    _Atomic uint32_t n_left;
    _Atomic uint32_t next_launch; /* every chunk before this one was started or passed over */
    _Atomic uint64_t last_used_ns;
    uint32_t born;                /* contexts that are younger may be none of the file's */
    _Atomic bool is_asked_by_old; /* a context that is older has asked for a block of it */
    /* What the batch has cost the threads that use it. */
    _Atomic uint64_t wall_ns, cpu_ns, bytes_served;
    /* Of blocks that were taken, and went to libzstd. */
    _Atomic uint64_t bytes_unserved;
    _Atomic bool is_given_up; /* the device was too slow: its other blocks are not looked for */
    size_t typical_bytes;     /* of a block */
    _Atomic uint32_t effort;  /* the last that a block was asked for with */
};

/* Makes a batch of the blocks that fit; NULL when none does. */
struct rp_open_batch *rp_batch_plan_make(const rp_plugin_config *config, const uint8_t *samples,
                                         const size_t *sizes, size_t n_samples);

/* Frees it. Nobody else uses it any more; the device may still work on some of its chunks. */
void rp_batch_plan_destroy(struct rp_open_batch *batch);

#endif
