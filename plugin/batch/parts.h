/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the batch route share.
 *
 *   batch.c        which batches are open; beginning, ending, finding a block
 *   batch/plan.c   a batch from samples: order of blocks, slabs, chunks, the table to find them by
 *   batch/chunk.c  a chunk from idle to done: launching, waiting, serving
 *   batch/lane.c   lanes: a stream and the device memory of one chunk
 *   batch/slab.c   slabs: the host memory that blocks and frames lie in
 *
 * A *slab* is staging memory of one size. Blocks lie in slabs in the order in which they will be
 * asked for; a *chunk* is a run of whole slabs that is compressed by one launch. Frames come
 * back to slabs of their own, each at the offset of its block: what does not shrink is not worth
 * a frame. So memory is the blocks once, and once more for the few chunks that are on the device
 * or being served; both go back to the pool when the last block of the chunk is taken.
 *
 * One lock, rp_batch_lock, guards the states of chunks and lanes. It is held for moments,
 * never while a device works, and a block from a chunk that is done takes no lock at all.
 */
#ifndef ROCKPRESS_PLUGIN_BATCH_PARTS_H
#define ROCKPRESS_PLUGIN_BATCH_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/batch/batch.h"
#include "plugin/device/breaker.h"

/* Slabs of a chunk at most, whatever batch_chunk_bytes is. */
#define RP_BATCH_CHUNK_SLABS 32u
#define RP_BATCH_SLAB_BYTES ((size_t)512 << 10)
/* Larger blocks are left out of batches: slabs grow to hold the largest, up to this. */
#define RP_BATCH_MAX_BLOCK_BYTES ((size_t)4 << 20)
#define RP_BATCH_CHUNK_BLOCKS 4096u
/* Chunks that are on the device beside the one being served. */
#define RP_BATCH_LOOKAHEAD 2u
/* A file of few slabs is cut into this many chunks, so that its first frames come early, and
 * frames of whole chunks stay a small part of the memory. */
#define RP_BATCH_CHUNKS_PER_FILE 8u

extern pthread_mutex_t rp_batch_lock;
extern pthread_cond_t rp_batch_changed; /* some chunk changed its state; CLOCK_MONOTONIC */

/* ---- slabs ---- */

/* False when the device could not say how much, or there is no memory for the pool. Once. */
void rp_slabs_setup(const rp_device *device, size_t slab_bytes, size_t limit_bytes);
size_t rp_slab_bytes(void);

/* A slab for blocks, or for frames: blocks get at most two thirds of the limit, so that there are
 * always slabs for frames. NULL when there are no more. */
void *rp_slab_take(bool for_frames);
void rp_slab_give(void *slab, bool for_frames);

/* ---- batches ---- */

struct rp_batch_block {
    uint64_t fingerprint;
    uint32_t size;
    uint32_t chunk;
    uint32_t slab; /* of the batch */
    uint32_t offset;
    uint32_t frame_bytes;      /* 0: no frame, see status */
    int32_t status;            /* rp_status, once the chunk is done */
    _Atomic uint32_t is_taken; /* claimed by a thread */
};

enum rp_chunk_state {
    RP_CHUNK_IDLE = 0,
    RP_CHUNK_RUNNING = 1, /* or about to be: lane may be NULL */
    RP_CHUNK_DONE = 2,
    RP_CHUNK_FAILED = 3
};

struct rp_batch_lane;

struct rp_batch_chunk {
    uint32_t first_block, n_blocks;
    uint32_t first_slab, n_slabs;
    uint32_t max_block_bytes;
    /* Under the lock. */
    enum rp_chunk_state state;
    struct rp_batch_lane *lane; /* that may still write to the slabs of its frames */
    rp_effort effort;
    uint32_t flags;
    bool was_relaunched;
    bool is_released; /* its slabs are gone */
    /* Frames are handed out with these options, and never change any more. */
    _Atomic bool is_frozen;
    _Atomic uint32_t n_left; /* blocks that were not taken yet */
};

struct rp_open_batch {
    uint32_t n_blocks, n_chunks, n_slabs;
    uint32_t lookahead;
    struct rp_batch_block *blocks; /* in the order in which they will be asked for */
    struct rp_batch_chunk *chunks;
    void **raw_slabs;
    void **frame_slabs;
    uint32_t *slab_used;
    uint32_t *table; /* block + 1 by fingerprint; 0 is empty */
    uint32_t table_mask;
    _Atomic uint32_t n_left;
    _Atomic uint32_t next_launch; /* chunks before it were started, or are not worth it */
    _Atomic uint64_t last_used_ns;
    /* What it has cost the threads that use it, for the router. */
    _Atomic uint64_t wall_ns, cpu_ns, bytes_served;
    _Atomic uint32_t effort; /* that was last asked for */
};

uint64_t rp_batch_fingerprint(const void *block, size_t size);

/* Makes a batch of what fits; NULL when nothing does. */
struct rp_open_batch *rp_batch_plan(const rp_plugin_config *config, const uint8_t *samples,
                                    const size_t *sizes, size_t n_samples);

/* Frees it. Nobody else uses it any more; the device may still be at some of its chunks. */
void rp_batch_destroy(struct rp_open_batch *batch);

/* A block that is not taken yet and equals the request's, claimed for the caller; from `expected`
 * if it is there. UINT32_MAX when there is none. */
uint32_t rp_batch_claim(struct rp_open_batch *batch, uint64_t fingerprint,
                        const rp_offload_request *request, uint32_t expected);

/* ---- chunks ---- */

/* Starts chunks from next_launch on, as far ahead of `chunk` as the batch looks. */
void rp_chunk_start_ahead(struct rp_open_batch *batch, uint32_t chunk,
                          const rp_compress_options *options);

/* Waits until the chunk is done with these options, starting it if need be. RP_FALLBACK_NONE: its
 * frames can be handed out. RP_FALLBACK_BUSY: not yet, and a block of block_bytes is sooner done on
 * the CPU. */
rp_fallback_reason rp_chunk_finish(const rp_plugin_config *config, struct rp_open_batch *batch,
                                   struct rp_batch_chunk *chunk, const rp_compress_options *options,
                                   size_t block_bytes);

/* Gives its slabs back, now or when the device has let go of them. Under the lock. */
void rp_chunk_release(struct rp_open_batch *batch, struct rp_batch_chunk *chunk);

/* ---- lanes; all under the lock, which those marked (unlocks) let go of meanwhile ---- */

struct rp_batch_lane {
    rp_stream stream;
    uint8_t *d_workspace;
    size_t workspace_bytes;
    uint8_t *d_input; /* NULL where the device uses the host's memory */
    uint8_t *d_output;
    uint8_t *d_arrays; /* of rp_batch, then results; equal to arrays on the host's memory */
    uint8_t *arrays;
    bool is_made;
    bool is_busy;     /* the device may be at work on it */
    bool is_attended; /* a thread is calling the device for it */
    bool owns_slabs;  /* its chunk is gone, and left it the slabs */
    rp_breaker_pass pass;
    uint64_t launched_ns;
    struct rp_open_batch *batch;
    struct rp_batch_chunk *chunk; /* NULL when gone */
    uint32_t n_blocks;
    uint32_t n_slabs;
    void *raw_slabs[RP_BATCH_CHUNK_SLABS];
    void *frame_slabs[RP_BATCH_CHUNK_SLABS];
};

/* Sizes of lanes. Before any other function of them. */
void rp_lanes_setup(const rp_device *device, const rp_plugin_config *config, uint32_t chunk_slabs);

/* Most slabs of a chunk, and whether so many blocks of up to that size may be in one. */
uint32_t rp_lanes_chunk_slabs(void);
bool rp_lanes_hold(size_t max_block_bytes, uint32_t n_blocks);

/* A free lane, busy and attended from now on; NULL with *status (unlocks). */
struct rp_batch_lane *rp_lane_take(rp_status *status);

/* Enqueues the chunk that the lane was given. Without the lock. */
rp_status rp_lane_launch(struct rp_batch_lane *lane, const rp_compress_options *options);

/* Attends to a busy lane: waits for it for at most so long, and settles its chunk (unlocks). */
void rp_lane_attend(struct rp_batch_lane *lane, uint32_t timeout_us);

/* How much longer the lane will take, from what the last chunks have taken. */
uint64_t rp_lane_expected_ns(const struct rp_batch_lane *lane);

/* The chunk of a lane is done, or failed for good. */
void rp_lane_settle(struct rp_batch_lane *lane, rp_status status);

/* Looks after lanes whose chunks are gone: their slabs go back as soon as the device is done
 * (unlocks). */
void rp_lanes_collect(void);

#endif
