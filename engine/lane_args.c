/* SPDX-License-Identifier: Apache-2.0 */
/* See lane_args.h. */
#include "engine/lane_args.h"

static void set_results(const rp_lane_part *part, uint8_t *d_download, bool is_proven,
                        rp_kernel_batch *on_device)
{
    const rp_results d_results = rp_lane_results(d_download, part->n_frames);
    on_device->d_output_sizes = d_results.sizes;
    on_device->d_statuses = d_results.statuses;
    on_device->d_proofs = is_proven ? d_results.proofs : NULL;
}

void rp_lane_args_of_one(const rp_lane *lane, const rp_lane_part *part, const rp_lane_item *item,
                         bool is_proven, rp_stage_args *args)
{
    uint8_t *d_download = rp_lane_d_download(lane, part);
    uint8_t *d_frames = rp_lane_d_frames(lane, part, is_proven);
    args->batch.max_input_bytes = item->input_size;
    args->batch.n_inputs = 1;
    set_results(part, d_download, is_proven, &args->batch);
    args->single.d_input = rp_lane_d_upload(lane, part) + item->input_at;
    args->single.input_size = item->input_size;
    args->single.d_output = d_frames + item->output_at;
    args->single.output_capacity = item->capacity;
    if (d_frames != d_download)
        args->single.d_delivery = d_download + item->output_at;
}

size_t rp_lane_arrays_bytes(size_t n)
{
    return rp_lane_item_bytes(n * (3 * sizeof(void *) + 2 * sizeof(size_t)));
}

rp_lane_arrays rp_lane_arrays_open(const rp_lane *lane, const rp_lane_part *part, bool is_proven)
{
    size_t n = part->n_frames;
    rp_lane_arrays arrays;
    arrays.inputs = (const void **)(void *)part->staging;
    arrays.sizes = (size_t *)(void *)(arrays.inputs + n);
    arrays.outputs = (void **)(void *)(arrays.sizes + n);
    arrays.capacities = (size_t *)(void *)(arrays.outputs + n);
    arrays.deliveries = (void **)(void *)(arrays.capacities + n);
    arrays.d_upload = rp_lane_d_upload(lane, part);
    arrays.d_download = rp_lane_d_download(lane, part);
    arrays.d_frames = rp_lane_d_frames(lane, part, is_proven);
    return arrays;
}

void rp_lane_arrays_set(const rp_lane_arrays *arrays, size_t i, const rp_lane_item *item)
{
    arrays->inputs[i] = arrays->d_upload + item->input_at;
    arrays->sizes[i] = item->input_size;
    arrays->outputs[i] = arrays->d_frames + item->output_at;
    arrays->capacities[i] = item->capacity;
    arrays->deliveries[i] = arrays->d_download + item->output_at;
}

void rp_lane_arrays_of_device(const rp_lane_arrays *arrays, const rp_lane_part *part,
                              bool is_proven, rp_kernel_batch *on_device)
{
    size_t n = part->n_frames;
    /* The same arrays in the same order, from the beginning of the upload on. */
    on_device->d_inputs = (const void *const *)(void *)arrays->d_upload;
    on_device->d_input_sizes = (const size_t *)(const void *)(on_device->d_inputs + n);
    on_device->d_outputs = (void *const *)(const void *)(on_device->d_input_sizes + n);
    on_device->d_output_capacities = (const size_t *)(const void *)(on_device->d_outputs + n);
    set_results(part, arrays->d_download, is_proven, on_device);
    if (arrays->d_frames != arrays->d_download)
        on_device->d_deliveries = (void *const *)(const void *)(on_device->d_output_capacities + n);
}
