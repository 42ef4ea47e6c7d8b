/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the stages are told of a lane's part. One input travels in the launch itself. Several have
 * arrays at the beginning of what is uploaded: for each input its address, its size, the address
 * and the capacity of its output, and the address that it is delivered to. They are written to the
 * staging memory and hold addresses of the device.
 */
#ifndef ROCKPRESS_ENGINE_LANE_ARGS_H
#define ROCKPRESS_ENGINE_LANE_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/lane.h"

/* One input and its output. Places are in what is uploaded, and in what is downloaded. */
typedef struct rp_lane_item {
    size_t input_at;
    size_t input_size;
    size_t output_at;
    size_t capacity;
} rp_lane_item;

/* The arguments for a part with one input. */
void rp_lane_args_of_one(const rp_lane *lane, const rp_lane_part *part, const rp_lane_item *item,
                         bool is_proven, rp_stage_args *args);

/* Bytes of the arrays of n inputs, a multiple of RP_LANE_ITEM_ALIGNMENT. */
size_t rp_lane_arrays_bytes(size_t n);

/* The arrays of a part that is being filled. */
typedef struct rp_lane_arrays {
    const void **inputs;
    size_t *sizes;
    void **outputs;
    size_t *capacities;
    void **deliveries;
    uint8_t *d_upload;
    uint8_t *d_download;
    uint8_t *d_frames;
} rp_lane_arrays;

/* The arrays of part->n_frames inputs, all of which are to be set. */
rp_lane_arrays rp_lane_arrays_open(const rp_lane *lane, const rp_lane_part *part, bool is_proven);
void rp_lane_arrays_set(const rp_lane_arrays *arrays, size_t i, const rp_lane_item *item);

/* Where the device finds the arrays, and where it puts the results. */
void rp_lane_arrays_of_device(const rp_lane_arrays *arrays, const rp_lane_part *part,
                              bool is_proven, rp_kernel_batch *on_device);

#endif
