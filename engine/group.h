/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group: the inputs of one shared launch, and the memory for them (combiner.c). Threads take
 * slots while the group gathers, one at a time, and copy their inputs to them at the same time.
 * Then one thread closes it, launches it and watches it. At last each thread takes its frame.
 *
 *     staging   room for arrays | inputs, in the order of slots | results | frames
 *
 * The arrays, which are as long as there are inputs, end where the inputs begin, and what is
 * downloaded begins where the inputs end; so little is copied for few inputs.
 *
 * Thread rule: none here. The combiner sees to the order of calls.
 */
#ifndef ROCKPRESS_ENGINE_GROUP_H
#define ROCKPRESS_ENGINE_GROUP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/lane.h"
#include "engine/lane_args.h"

/* What a group is sized for. */
typedef struct rp_group_limits {
    size_t max_input_bytes;
    size_t launch_bytes; /* of all inputs */
    uint32_t max_inputs;
    rp_effort effort;
} rp_group_limits;

typedef enum rp_slot_state {
    RP_SLOT_TAKEN = 0,  /* its input is being copied */
    RP_SLOT_FILLED = 1, /* it is launched with the group */
    RP_SLOT_LATE = 2    /* the group went without it */
} rp_slot_state;

typedef struct rp_slot {
    _Atomic uint32_t state;
    size_t staged_at;  /* of the input, in the staging memory */
    uint32_t index;    /* among the inputs that were launched */
    rp_lane_item item; /* places in what is uploaded and downloaded, once launched */
} rp_slot;

typedef struct rp_group {
    rp_lane lane;
    const rp_group_limits *limits;
    rp_effort effort; /* of all inputs */
    uint32_t flags;
    uint32_t n_slots; /* taken */
    size_t inputs_bytes;
    size_t outputs_bytes;
    size_t largest_input;
    uint32_t n_launched;
    rp_lane_part part;
    rp_slot *slots; /* [limits->max_inputs], the caller's memory */
} rp_group;

/* Device memory of a group. */
size_t rp_group_memory_bytes(const rp_group_limits *limits);

/* The group's own memory is the caller's, all zero bytes but for slots. */
rp_status rp_group_make(rp_group *group, const rp_device *device, const rp_group_limits *limits);
void rp_group_free(rp_group *group, const rp_device *device);

/* Before the first input. Only effort and flags of the options are looked at. */
void rp_group_open(rp_group *group, const rp_compress_options *options);

/* Whether an input can be one of the group. An open group without any takes each that is not larger
 * than limits->max_input_bytes. capacity is at most rp_compress_bound(input_size). */
bool rp_group_takes(const rp_group *group, const rp_compress_options *options, size_t input_size,
                    size_t capacity);
rp_slot *rp_group_take_slot(rp_group *group, size_t input_size, size_t capacity);

/* Copies the input to its slot. False: it came too late. */
bool rp_group_fill(rp_group *group, rp_slot *slot, const void *input);

/* How many inputs are there by now. */
uint32_t rp_group_n_filled(const rp_group *group);

/* No more slots are taken. Waits a moment for inputs that are being copied, and leaves out those
 * that take longer. */
void rp_group_close(rp_group *group);

/* Enqueues the launch of a closed group that has inputs; on an error, too, the lane is waited for.
 */
rp_status rp_group_launch(rp_group *group);

/* After the launch: the frame of a slot, as rp_lane_deliver(). */
rp_status rp_group_deliver(const rp_group *group, const rp_slot *slot, uint64_t input_hash,
                           void *output, size_t *output_size);

#endif
