/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a lane is. The pool makes and lends it (pool.c). One input (lane.c) and batches
 * (lane_batch.c) divide its memory in the same way:
 *
 *     device     workspace | what is uploaded | what is downloaded
 *     staging                what is uploaded | what is downloaded
 *
 * so that a part of the work is one copy there, its launches and one copy back. There is no copy
 * back where the device writes to the staging memory itself (RP_DEVICE_MAPPED_STAGING): a copy
 * begins after the last launch and has the size of all capacities, not of the frames. Frames that
 * are proven lie on the device first, as a GPU reads the host's memory slowly; the frame verifier
 * writes them to the staging memory.
 *
 * What is downloaded begins with the results, which the host poisons before each part (proof.h).
 */
#ifndef ROCKPRESS_ENGINE_LANE_H
#define ROCKPRESS_ENGINE_LANE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "rockpress/batched.h"
#include "rockpress/pool.h"

#include "engine/proof.h"
#include "engine/workspace.h"
#include "kernels/base/stages.h"

/* Of each input and output, so that the device copies whole words. */
#define RP_LANE_ITEM_ALIGNMENT ((size_t)16)

struct rp_lane {
    rp_stream stream;
    uint8_t *d_workspace; /* one allocation: workspace, then what is copied */
    size_t memory_bytes;  /* of that allocation */
    size_t workspace_bytes;
    uint8_t *staging; /* NULL with RP_DEVICE_HOST_MEMORY */
    size_t staging_bytes;
    bool delivers; /* the device writes results to the staging memory itself */
    size_t max_input_bytes;
    bool busy;              /* the device may still write to it */
    size_t frame_bytes;     /* of one input in the host's memory: where its size, */
    rp_status frame_status; /* its status */
    rp_proof frame_proof;   /* and its proof are written */
    _Atomic uint32_t next;
};

/* Work that is copied to the device, launched and copied back as one. */
typedef struct rp_lane_part {
    uint8_t *staging;       /* what is uploaded; then, at download_at, what is downloaded */
    size_t workspace_bytes; /* on the device, in front of the same */
    size_t upload_bytes;
    size_t download_at;
    size_t download_bytes;
    size_t n_frames;
} rp_lane_part;

/* A frame as the device left it. */
typedef struct rp_lane_frame {
    const uint8_t *bytes;
    size_t n_bytes;
    rp_status status;
    const rp_proof *proof; /* NULL: it is not proven */
    size_t capacity;
} rp_lane_frame;

/* What an input or an output takes. */
static inline size_t rp_lane_item_bytes(size_t bytes)
{
    return rp_round_up(bytes, RP_LANE_ITEM_ALIGNMENT);
}

/* Bytes of device memory of a lane, and of its workspace. */
size_t rp_lane_memory_bytes(const rp_device *device, size_t max_input_bytes, rp_effort effort);

/* Gives the lane its stream and its memory; staging_bytes of it are in the host's memory, too. On
 * an error it has neither. */
rp_status rp_lane_make(const rp_device *device, size_t workspace_bytes, size_t staging_bytes,
                       rp_lane *lane);
void rp_lane_free(const rp_device *device, rp_lane *lane);

/* What the results of n frames take in front of the frames, and where they lie. */
size_t rp_lane_results_bytes(size_t n);
rp_results rp_lane_results(uint8_t *download, size_t n);

/* Where a device finds what is uploaded, and puts the results. */
uint8_t *rp_lane_d_upload(const rp_lane *lane, const rp_lane_part *part);
uint8_t *rp_lane_d_download(const rp_lane *lane, const rp_lane_part *part);

/* Where the stages put the frames. What is proven is delivered to d_download afterwards, if that is
 * elsewhere. */
uint8_t *rp_lane_d_frames(const rp_lane *lane, const rp_lane_part *part, bool is_proven);

/* Poisons the results and enqueues the copies and launches of a part whose staging memory is
 * filled. The lane is busy until rp_lane_wait() has returned RP_STATUS_OK. */
rp_status rp_lane_enqueue(rp_lane *lane, const rp_lane_part *part, rp_stage_args *args,
                          rp_error *error);
rp_status rp_lane_wait(rp_lane *lane, uint32_t timeout_us);

/* Copies a frame to the caller's output, and checks its proof where it lies then. input_hash is of
 * the caller's input. *output_size is 0 unless the status that is returned is RP_STATUS_OK. */
rp_status rp_lane_deliver(const rp_lane_frame *frame, uint64_t input_hash, void *output,
                          size_t *output_size);

/* Whether the frames of calls with these options are proven. */
bool rp_lane_proves(const rp_compress_options *options);

/* The capacity that an output needs at most. */
size_t rp_lane_output_capacity(size_t input_size, size_t output_capacity);

/* One input and its output, both in the host's memory; `owner` is who allows max_input_bytes. */
rp_status rp_lane_check_buffers(const void *input, size_t input_size, const void *output,
                                size_t output_capacity, size_t max_input_bytes, const char *owner,
                                rp_error *error);

/* Stream and options of a lane's work, and whether its workspace is large enough for them. */
rp_status rp_lane_check(const rp_lane *lane, size_t largest_input_bytes,
                        const rp_compress_options *options);

/* The caller's batch as this library knows it; its arrays and pointers are checked. */
rp_status rp_read_host_batch(const rp_host_batch *given, rp_host_batch *batch, rp_error *error);

/* From input `first` on, the status of all is this one, and there are no frames. */
void rp_fail_host_batch(const rp_host_batch *batch, size_t first, rp_status status);

#endif
