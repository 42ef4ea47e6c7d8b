/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes of batches: a stream, and the device memory of one chunk. They are few and large, unlike
 * those of the pool that serves single blocks, and their slabs are the batch's, so that nothing is
 * copied on the host.
 *
 * Thread rule: all under rp_batch_lock, but for rp_batch_lane_prepare and rp_batch_lane_launch. The
 * functions marked "unlocks" release the lock for a while.
 */
#ifndef ROCKPRESS_PLUGIN_BATCH_LANE_H
#define ROCKPRESS_PLUGIN_BATCH_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/device/breaker.h"
#include "rockpress/device.h"
#include "rockpress/plugin.h"

struct rp_batch_chunk;
struct rp_open_batch;

/* Most slabs and blocks of a chunk, whatever batch_chunk_bytes is. */
#define RP_BATCH_CHUNK_SLABS 32u
#define RP_BATCH_CHUNK_BLOCKS 4096u

struct rp_batch_lane {
    rp_stream stream;
    uint8_t *d_workspace;
    size_t workspace_bytes;
    uint8_t *d_input; /* NULL where the device uses the host's memory */
    uint8_t *d_output;
    uint8_t *d_arrays; /* of rp_batch, then results; equal to arrays on the host's memory */
    uint8_t *arrays;
    bool is_made;
    bool is_busy;     /* the device may be working on it */
    bool is_attended; /* a thread is calling the device for it, or is to */
    bool is_awaited;  /* and another one sleeps meanwhile (chunk.c) */
    bool owns_slabs;  /* its chunk was released, and left the slabs to it */
    uint64_t launched_ns;
    struct rp_open_batch *batch;
    struct rp_batch_chunk *chunk; /* NULL when it was released */
    /* The launch: what of the batch and the chunk it needs, which may be gone before it is made. */
    rp_compress_options options;
    uint32_t n_blocks;
    uint32_t max_block_bytes;
    uint32_t n_slabs;
    rp_breaker_pass pass; /* to be settled with the chunk */
    void *raw_slabs[RP_BATCH_CHUNK_SLABS];
    void *frame_slabs[RP_BATCH_CHUNK_SLABS];
    uint32_t slab_used[RP_BATCH_CHUNK_SLABS];
    /* Of a thread that serves (batch/service.h). */
    struct rp_batch_lane *next; /* that waits for one */
    uint64_t cpu_begun_ns;      /* by its clock; 0: it does not measure */
};

/* Sets the sizes of lanes. Once, before any other function here. */
void rp_batch_lanes_setup(const rp_device *device, const rp_plugin_config *config,
                          uint32_t chunk_slabs);

/* Most lanes. */
uint32_t rp_batch_lanes_most(void);

/* How long a block waits for the device at most. */
uint64_t rp_batch_lanes_timeout_ns(void);

/* Most slabs of a chunk, and whether n_blocks blocks of up to that size may be in one. */
uint32_t rp_batch_lanes_chunk_slabs(void);
bool rp_batch_lanes_hold(size_t max_block_bytes, uint32_t n_blocks);

/* A free lane, busy and attended from now on; NULL with *status (unlocks). asks: the device is
 * asked for one that it is done with. */
struct rp_batch_lane *rp_batch_lane_take(bool asks, rp_status *status);

/* Gives the lane a chunk that has slabs (under the lock), and writes down what is to be launched
 * (without it, by the thread that did so, while the chunk's blocks are there). */
void rp_batch_lane_occupy(struct rp_batch_lane *lane, struct rp_open_batch *batch,
                          struct rp_batch_chunk *chunk, const rp_compress_options *options);
void rp_batch_lane_prepare(struct rp_batch_lane *lane);

/* Enqueues what was written down, by any thread: the batch may be gone. Without the lock. */
rp_status rp_batch_lane_launch(struct rp_batch_lane *lane);

/* Takes the chunk from a lane that was not launched. */
void rp_batch_lane_clear(struct rp_batch_lane *lane);

/* Attends to a busy lane: waits for it for at most limit_us, and settles its chunk if it is done,
 * or has been on the device for longer than a block may take (unlocks). */
void rp_batch_lane_attend(struct rp_batch_lane *lane, uint32_t limit_us);

/* How much longer the lane will take, estimated from earlier chunks. */
uint64_t rp_batch_lane_expected_ns(const struct rp_batch_lane *lane);

/* Settles the chunk of a lane: it is done (RP_STATUS_OK), or it failed. */
void rp_batch_lane_settle(struct rp_batch_lane *lane, rp_status status);

/* Whether a lane is busy that nobody attends to: its work did not end in time, or its chunk was
 * released. Only those with slabs of their own, or any. */
bool rp_batch_lanes_await_look(bool with_slabs);

/* Attends to those lanes: asks whether the device is done with them (unlocks). */
void rp_batch_lanes_collect(bool with_slabs);

#endif
