/* SPDX-License-Identifier: Apache-2.0 */
/* See encoder.h. */
#include <stdio.h>

#include "bench/device/encoder.h"

static uint32_t flags_in_force;

void device_set_flags(uint32_t flags)
{
    flags_in_force = flags;
}

rp_compress_options device_options(rp_effort effort, uint32_t flags)
{
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    options.effort = effort;
    options.flags = flags | flags_in_force;
    return options;
}

_Static_assert(sizeof(rp_status) == sizeof(int32_t), "statuses are counted as words");

static size_t temp_bytes(const struct device_encoder *e, size_t n, size_t max_bytes,
                         size_t total_bytes)
{
    (void)total_bytes;
    return rp_workspace_size(max_bytes, n, e->effort) + (e->verifies ? n * sizeof(rp_proof) : 0);
}

static size_t output_bytes(const struct device_encoder *e, size_t max_bytes)
{
    (void)e;
    return rp_compress_bound(max_bytes);
}

static bool enqueue(const struct device_encoder *e, const struct device_batch *batch, void *d_temp,
                    size_t n_temp_bytes, rp_stream stream)
{
    rp_error error = {""};
    /* Behind the workspace, whose size is a multiple of their alignment. */
    const size_t workspace_bytes = rp_workspace_size(batch->max_bytes, batch->n, e->effort);
    rp_proof *d_proofs = (rp_proof *)(void *)((uint8_t *)d_temp + workspace_bytes);
    rp_compress_options options = device_options(e->effort, e->verifies ? RP_COMPRESS_VERIFY : 0);
    options.error = &error;
    options.d_proofs = e->verifies ? d_proofs : NULL;
    const rp_batch b = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = batch->d_inputs,
        .d_input_sizes = batch->d_input_sizes,
        .max_input_bytes = batch->max_bytes,
        .n_inputs = batch->n,
        .d_outputs = batch->d_outputs,
        .d_output_capacities = batch->d_output_capacities,
        .d_output_sizes = batch->d_output_sizes,
        .d_statuses = (rp_status *)batch->d_statuses,
    };
    (void)n_temp_bytes;
    const rp_status status = rp_compress_batch_async(d_temp, workspace_bytes, &b, &options, stream);
    if (status != RP_STATUS_OK)
        fprintf(stderr, "device: rockpress %s: %s %s\n", e->variant, rp_status_name(status),
                error.message);
    return status == RP_STATUS_OK;
}

const char *device_variant_name(rp_effort effort, bool verifies)
{
    static const char *const names[] = {"fast+v", "default+v", "high+v", "max+v"};
    return verifies ? names[effort - RP_EFFORT_FAST] : rp_effort_name(effort);
}

void device_encoder_rockpress(struct device_encoder *e, rp_effort effort, bool verifies)
{
    *e = (struct device_encoder){.name = "rockpress",
                                 .variant = device_variant_name(effort, verifies),
                                 .temp_bytes = temp_bytes,
                                 .output_bytes = output_bytes,
                                 .enqueue = enqueue,
                                 .effort = effort,
                                 .verifies = verifies};
}
