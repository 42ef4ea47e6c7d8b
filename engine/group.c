/* SPDX-License-Identifier: Apache-2.0 */
/* See group.h. */
#include "engine/group.h"

#include <string.h>

#include "engine/check.h"
#include "engine/deadline.h"

/* How long a closed group waits for an input that is being copied. A copy takes some microseconds,
 * unless its thread lost the processor meanwhile. */
#define MAX_COPY_US 30u

/* The room for arrays, so that inputs begin where a workspace could. */
static size_t arrays_room(const rp_group_limits *limits)
{
    return rp_round_up(rp_lane_arrays_bytes(limits->max_inputs), RP_WORKSPACE_ALIGNMENT);
}

/* Inputs are of different sizes, so the one or the other of two shapes may need more. */
static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t typical_input_bytes(const rp_group_limits *limits)
{
    return limits->launch_bytes / limits->max_inputs + 1;
}

static size_t workspace_bytes(const rp_group_limits *limits)
{
    return larger(
        rp_workspace_size(limits->max_input_bytes, 1, limits->effort),
        rp_workspace_size(typical_input_bytes(limits), limits->max_inputs, limits->effort));
}

static size_t staging_bytes(const rp_group_limits *limits)
{
    size_t n = limits->max_inputs;
    size_t inputs = limits->launch_bytes + n * RP_LANE_ITEM_ALIGNMENT;
    size_t outputs = larger(rp_compress_bound(limits->max_input_bytes) + RP_LANE_ITEM_ALIGNMENT,
                            n * rp_lane_item_bytes(rp_compress_bound(typical_input_bytes(limits))));
    return arrays_room(limits) + rp_round_up(inputs, RP_WORKSPACE_ALIGNMENT) +
           rp_lane_results_bytes(n) + rp_round_up(outputs, RP_WORKSPACE_ALIGNMENT) +
           RP_WORKSPACE_ALIGNMENT;
}

size_t rp_group_memory_bytes(const rp_group_limits *limits)
{
    return workspace_bytes(limits) + staging_bytes(limits);
}

rp_status rp_group_make(rp_group *group, const rp_device *device, const rp_group_limits *limits)
{
    group->limits = limits;
    group->lane.max_input_bytes = limits->max_input_bytes;
    return rp_lane_make(device, workspace_bytes(limits), staging_bytes(limits), &group->lane);
}

void rp_group_free(rp_group *group, const rp_device *device)
{
    rp_lane_free(device, &group->lane);
}

void rp_group_open(rp_group *group, const rp_compress_options *options)
{
    group->effort = options->effort;
    group->flags = options->flags;
    group->n_slots = 0;
    group->inputs_bytes = 0;
    group->outputs_bytes = 0;
    group->largest_input = 0;
    group->n_launched = 0;
}

/* What `n` inputs would take on the device, behind the room for arrays. */
static size_t copied_bytes(size_t n, size_t inputs_bytes, size_t outputs_bytes)
{
    return rp_round_up(inputs_bytes, RP_WORKSPACE_ALIGNMENT) + rp_lane_results_bytes(n) +
           outputs_bytes + RP_WORKSPACE_ALIGNMENT;
}

bool rp_group_takes(const rp_group *group, const rp_compress_options *options, size_t input_size,
                    size_t capacity)
{
    const rp_group_limits *limits = group->limits;
    size_t n = group->n_slots + (size_t)1;
    size_t inputs_bytes = group->inputs_bytes + rp_lane_item_bytes(input_size);
    size_t outputs_bytes = group->outputs_bytes + rp_lane_item_bytes(capacity);
    size_t copied = arrays_room(limits) + copied_bytes(n, inputs_bytes, outputs_bytes);
    if (group->effort != options->effort || group->flags != options->flags ||
        n > limits->max_inputs || copied > group->lane.staging_bytes)
        return false;
    size_t workspace =
        rp_workspace_size(larger(group->largest_input, input_size), n, group->effort);
    return workspace != 0 && workspace <= group->lane.workspace_bytes;
}

rp_slot *rp_group_take_slot(rp_group *group, size_t input_size, size_t capacity)
{
    rp_slot *slot = &group->slots[group->n_slots++];
    atomic_store_explicit(&slot->state, RP_SLOT_TAKEN, memory_order_relaxed);
    slot->staged_at = arrays_room(group->limits) + group->inputs_bytes;
    slot->item.input_size = input_size;
    slot->item.capacity = capacity;
    group->inputs_bytes += rp_lane_item_bytes(input_size);
    group->outputs_bytes += rp_lane_item_bytes(capacity);
    group->largest_input = larger(group->largest_input, input_size);
    return slot;
}

bool rp_group_fill(rp_group *group, rp_slot *slot, const void *input)
{
    uint32_t taken = RP_SLOT_TAKEN;
    if (slot->item.input_size != 0)
        memcpy(group->lane.staging + slot->staged_at, input, slot->item.input_size);
    return atomic_compare_exchange_strong_explicit(&slot->state, &taken, RP_SLOT_FILLED,
                                                   memory_order_release, memory_order_relaxed);
}

static bool is_filled(const rp_slot *slot)
{
    return atomic_load_explicit(&slot->state, memory_order_relaxed) == RP_SLOT_FILLED;
}

uint32_t rp_group_n_filled(const rp_group *group)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < group->n_slots; i++)
        n += is_filled(&group->slots[i]);
    return n;
}

/* Whether the slot's input is there, at once or within the time. If not, it will not be. */
static bool await_input(rp_slot *slot, const rp_deadline *by)
{
    uint32_t state = atomic_load_explicit(&slot->state, memory_order_acquire);
    while (state == RP_SLOT_TAKEN && rp_time_left_us(by) != 0)
        state = atomic_load_explicit(&slot->state, memory_order_acquire);
    return state == RP_SLOT_FILLED ||
           !atomic_compare_exchange_strong_explicit(&slot->state, &state, RP_SLOT_LATE,
                                                    memory_order_acquire, memory_order_acquire);
}

void rp_group_close(rp_group *group)
{
    const rp_deadline by = rp_deadline_in(MAX_COPY_US);
    group->n_launched = 0;
    for (uint32_t i = 0; i < group->n_slots; i++) {
        if (await_input(&group->slots[i], &by))
            group->slots[i].index = group->n_launched++;
    }
}

/* Where the inputs that follow each other from slot `first` on end, in the inputs' memory. */
static size_t end_of_run(const rp_group *group, uint32_t first)
{
    size_t end = 0;
    for (uint32_t i = first; i < group->n_slots && is_filled(&group->slots[i]); i++)
        end = group->slots[i].staged_at + group->slots[i].item.input_size -
              arrays_room(group->limits);
    return end;
}

/* Of an input that is late nothing is read, since its thread still writes there. So where there was
 * one, those behind it are copied apart. */
static rp_status copy_later_runs(rp_group *group)
{
    const rp_stream stream = group->lane.stream;
    rp_status status = RP_STATUS_OK;
    for (uint32_t i = 1; i < group->n_slots && status == RP_STATUS_OK; i++) {
        const rp_slot *slot = &group->slots[i];
        if (!is_filled(slot) || is_filled(slot - 1))
            continue;
        size_t begin = slot->staged_at - arrays_room(group->limits);
        size_t n_bytes = end_of_run(group, i) - begin;
        group->lane.busy = true;
        status = stream.device->ops->copy_async(
            stream, rp_lane_d_upload(&group->lane, &group->part) + slot->item.input_at,
            group->lane.staging + slot->staged_at, n_bytes, RP_COPY_HOST_TO_DEVICE);
    }
    return status;
}

/* Where everything is, now that it is known what is launched. */
static void lay_out(rp_group *group, size_t arrays_bytes)
{
    size_t room = arrays_room(group->limits);
    size_t output_at = rp_lane_results_bytes(group->n_launched);
    size_t largest = 0;
    rp_lane_part *part = &group->part;
    part->n_frames = group->n_launched;
    part->staging = group->lane.staging + room - arrays_bytes;
    for (uint32_t i = 0; i < group->n_slots; i++) {
        rp_slot *slot = &group->slots[i];
        if (!is_filled(slot))
            continue;
        slot->item.input_at = slot->staged_at - room + arrays_bytes;
        slot->item.output_at = output_at;
        output_at += rp_lane_item_bytes(slot->item.capacity);
        largest = larger(largest, slot->item.input_size);
    }
    part->workspace_bytes = rp_workspace_size(largest, group->n_launched, group->effort);
    part->upload_bytes = arrays_bytes + end_of_run(group, 0);
    /* Behind all slots: a thread that is late may still be copying to its own. */
    part->download_at = rp_round_up(arrays_bytes + group->inputs_bytes, RP_WORKSPACE_ALIGNMENT);
    part->download_bytes = output_at;
}

rp_status rp_group_launch(rp_group *group)
{
    const rp_compress_options options = {
        .struct_size = sizeof(options),
        .effort = group->effort,
        .flags = group->flags,
    };
    bool is_proven = rp_lane_proves(&options);
    bool is_single = group->n_launched == 1;
    rp_stage_args args = rp_stage_args_of(&options);
    rp_lane_arrays arrays = {0};
    lay_out(group, is_single ? 0 : rp_lane_arrays_bytes(group->n_launched));
    if (!is_single)
        arrays = rp_lane_arrays_open(&group->lane, &group->part, is_proven);
    for (uint32_t i = 0; i < group->n_slots; i++) {
        const rp_slot *slot = &group->slots[i];
        if (!is_filled(slot))
            continue;
        if (is_single)
            rp_lane_args_of_one(&group->lane, &group->part, &slot->item, is_proven, &args);
        else
            rp_lane_arrays_set(&arrays, slot->index, &slot->item);
        args.batch.max_input_bytes = larger(args.batch.max_input_bytes, slot->item.input_size);
    }
    args.batch.n_inputs = group->n_launched;
    if (!is_single)
        rp_lane_arrays_of_device(&arrays, &group->part, is_proven, &args.batch);
    rp_status status = copy_later_runs(group);
    return status == RP_STATUS_OK ? rp_lane_enqueue(&group->lane, &group->part, &args, NULL)
                                  : status;
}

rp_status rp_group_deliver(const rp_group *group, const rp_slot *slot, uint64_t input_hash,
                           void *output, size_t *output_size)
{
    uint8_t *download = group->part.staging + group->part.download_at;
    const rp_results results = rp_lane_results(download, group->n_launched);
    const rp_lane_frame frame = {
        .bytes = download + slot->item.output_at,
        .n_bytes = results.sizes[slot->index],
        .status = results.statuses[slot->index],
        .proof = (group->flags & RP_COMPRESS_VERIFY) != 0 ? &results.proofs[slot->index] : NULL,
        .capacity = slot->item.capacity,
    };
    return rp_lane_deliver(&frame, input_hash, output, output_size);
}
