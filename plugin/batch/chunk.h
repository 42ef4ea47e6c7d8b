/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chunk: a run of slabs that one launch compresses. It is idle until a thread starts it on a
 * lane, then running, and done or failed in the end. Its frames are handed out once it is done, and
 * its slabs go back when the last of its blocks was taken.
 *
 * One lock, rp_batch_lock, guards the states of chunks and lanes. It is held for moments, never
 * while a device works. A block of a chunk whose frames are handed out takes no lock at all.
 */
#ifndef ROCKPRESS_PLUGIN_BATCH_CHUNK_H
#define ROCKPRESS_PLUGIN_BATCH_CHUNK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/plugin.h"

struct rp_batch_lane;
struct rp_open_batch;

/* Chunks that are started ahead of the one that is being served. */
#define RP_BATCH_LOOKAHEAD 2u

extern pthread_mutex_t rp_batch_lock;
extern pthread_cond_t rp_batch_changed; /* a chunk changed its state; CLOCK_MONOTONIC */

enum rp_batch_chunk_state {
    RP_CHUNK_IDLE = 0,
    RP_CHUNK_RUNNING = 1, /* or about to run: lane may be NULL */
    RP_CHUNK_DONE = 2,
    RP_CHUNK_FAILED = 3
};

struct rp_batch_chunk {
    uint32_t first_block, n_blocks;
    uint32_t first_slab, n_slabs;
    uint32_t max_block_bytes;
    /* Under the lock. */
    enum rp_batch_chunk_state state;
    struct rp_batch_lane *lane; /* that may still write to the slabs of its frames; NULL: none */
    rp_effort effort;
    uint32_t flags;
    bool was_relaunched;
    uint32_t n_refusals; /* blocks that did not wait for it */
    bool is_starting;    /* a thread makes room for it on the device, or launches it */
    bool is_released;    /* its slabs were given back, or will be by the thread that starts it */
    /* Frames are handed out, with these options. The chunk is not compressed again. */
    _Atomic bool is_frozen;
    _Atomic uint32_t n_left; /* blocks that were not taken yet */
};

/* Once, before any chunk is made. False when the system refuses. */
bool rp_batch_chunks_setup(void);

/* Starts chunks from batch->next_launch on, as far ahead of `chunk` as the batch looks. */
void rp_batch_chunk_start_ahead(struct rp_open_batch *batch, uint32_t chunk,
                                const rp_compress_options *options);

/* Waits until the chunk is done with these options, starting it if need be. RP_FALLBACK_NONE: its
 * frames can be handed out. RP_FALLBACK_BUSY: it is not done, and is expected to take longer than
 * max_wait_ns, or has taken longer. UINT64_MAX: no limit but that of a block. */
rp_fallback_reason rp_batch_chunk_finish(const rp_plugin_config *config,
                                         struct rp_open_batch *batch, struct rp_batch_chunk *chunk,
                                         const rp_compress_options *options, uint64_t max_wait_ns);

/* Gives its slabs back, now or when the device is done with them. Under the lock. */
void rp_batch_chunk_release(struct rp_open_batch *batch, struct rp_batch_chunk *chunk);

#endif
