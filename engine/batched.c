/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nvCOMP's shape on top of the engine. Its outputs have no capacities, because each must hold the
 * largest frame. Its statuses may be left out; the end of the temporary memory holds them then.
 */
#include "rockpress/batched.h"

#include <stdint.h>

#include "engine/check.h"
#include "engine/error.h"
#include "engine/lane.h"
#include "engine/struct_size.h"
#include "engine/workspace.h"

static const rp_struct_kind alignments_kind = RP_STRUCT_KIND(rp_batched_alignments, temp);

static size_t statuses_bytes(size_t n)
{
    return rp_round_up(n * sizeof(rp_status), RP_WORKSPACE_ALIGNMENT);
}

/* Where there is no stream to check. */
static rp_status read_options_alone(const rp_compress_options *given, rp_compress_options *options)
{
    rp_status status = rp_read_options(given, options);
    if (status == RP_STATUS_OK)
        status = rp_check_effort_and_flags(options);
    return status;
}

static rp_status get_temp_size(size_t n_inputs, size_t max_input_bytes,
                               const rp_compress_options *options, size_t *temp_bytes)
{
    rp_status status =
        rp_check_batch_size(max_input_bytes, n_inputs, options->effort, options->error);
    if (status == RP_STATUS_OK)
        *temp_bytes = rp_workspace_size(max_input_bytes, n_inputs, options->effort) +
                      statuses_bytes(n_inputs);
    return status;
}

rp_status rp_batched_compress_get_required_alignments(const rp_compress_options *given_options,
                                                      rp_batched_alignments *alignments)
{
    const rp_batched_alignments known = {sizeof(known), 1, 1, RP_WORKSPACE_ALIGNMENT};
    rp_compress_options options;
    rp_status status = read_options_alone(given_options, &options);
    if (status == RP_STATUS_OK && alignments == NULL)
        status = rp_fail(options.error, RP_STATUS_NULL_POINTER, "alignments is NULL");
    if (status == RP_STATUS_OK)
        status = rp_write_struct(&alignments_kind, alignments, &known, options.error);
    return status;
}

rp_status rp_batched_compress_get_temp_size_async(size_t n_inputs, size_t max_input_bytes,
                                                  const rp_compress_options *given_options,
                                                  size_t *temp_bytes, size_t max_total_input_bytes)
{
    (void)max_total_input_bytes;
    rp_compress_options options;
    if (temp_bytes != NULL)
        *temp_bytes = 0;
    rp_status status = read_options_alone(given_options, &options);
    if (status == RP_STATUS_OK && temp_bytes == NULL)
        status = rp_fail(options.error, RP_STATUS_NULL_POINTER, "temp_bytes is NULL");
    if (status == RP_STATUS_OK)
        status = get_temp_size(n_inputs, max_input_bytes, &options, temp_bytes);
    return status;
}

rp_status rp_batched_compress_get_max_output_chunk_size(size_t max_input_bytes,
                                                        const rp_compress_options *given_options,
                                                        size_t *max_output_bytes)
{
    rp_compress_options options;
    if (max_output_bytes != NULL)
        *max_output_bytes = 0;
    rp_status status = read_options_alone(given_options, &options);
    if (status == RP_STATUS_OK && max_output_bytes == NULL)
        status = rp_fail(options.error, RP_STATUS_NULL_POINTER, "max_output_bytes is NULL");
    if (status == RP_STATUS_OK)
        status = rp_check_batch_size(max_input_bytes, 1, options.effort, options.error);
    if (status == RP_STATUS_OK)
        *max_output_bytes = rp_compress_bound(max_input_bytes);
    return status;
}

static rp_status check_arrays(const rp_kernel_batch *batch, rp_error *error)
{
    const rp_named_pointer arrays[] = {
        {batch->d_inputs, "d_inputs"},
        {batch->d_input_sizes, "d_input_sizes"},
        {batch->d_outputs, "d_outputs"},
        {batch->d_output_sizes, "d_output_sizes"},
    };
    return rp_check_pointers(arrays, sizeof(arrays) / sizeof(arrays[0]), error);
}

rp_status rp_batched_compress_async(const void *const *d_inputs, const size_t *d_input_sizes,
                                    size_t max_input_bytes, size_t n_inputs, void *d_temp,
                                    size_t temp_bytes, void *const *d_outputs,
                                    size_t *d_output_sizes,
                                    const rp_compress_options *given_options, rp_status *d_statuses,
                                    rp_stream stream)
{
    rp_compress_options options;
    size_t needed;
    rp_status status = rp_read_checked_options(given_options, stream, &options);
    if (status != RP_STATUS_OK)
        return status;
    rp_stage_args args = rp_stage_args_of(&options);
    args.batch.d_inputs = d_inputs;
    args.batch.d_input_sizes = d_input_sizes;
    args.batch.max_input_bytes = max_input_bytes;
    args.batch.n_inputs = n_inputs;
    args.batch.d_outputs = d_outputs;
    args.batch.d_output_sizes = d_output_sizes;
    args.batch.d_statuses = d_statuses;
    /* Without d_output_capacities this is the capacity of every output. */
    args.single.output_capacity = rp_compress_bound(max_input_bytes);
    status = check_arrays(&args.batch, options.error);
    if (status == RP_STATUS_OK && (options.flags & RP_COMPRESS_VERIFY) != 0)
        status = rp_check_proofs(&options);
    if (status == RP_STATUS_OK)
        status = get_temp_size(n_inputs, max_input_bytes, &options, &needed);
    if (status != RP_STATUS_OK)
        return status;
    if (temp_bytes < needed)
        return rp_fail(options.error, RP_STATUS_WORKSPACE_TOO_SMALL,
                       "temp_bytes %zu; needed: %zu for %zu inputs of up to %zu bytes", temp_bytes,
                       needed, n_inputs, max_input_bytes);
    size_t workspace_bytes = needed - statuses_bytes(n_inputs);
    if (d_statuses == NULL && d_temp != NULL)
        args.batch.d_statuses = (rp_status *)(void *)((uint8_t *)d_temp + workspace_bytes);
    return rp_enqueue_stages(d_temp, workspace_bytes, &args, options.error, stream);
}

rp_status rp_batched_compress_pooled(rp_pool *pool, const rp_host_batch *given_batch,
                                     const rp_compress_options *given_options, uint32_t timeout_us)
{
    rp_compress_options options;
    rp_host_batch batch;
    rp_lane *lane;
    rp_status status = read_options_alone(given_options, &options);
    if (status == RP_STATUS_OK && pool == NULL)
        status = rp_fail(options.error, RP_STATUS_NULL_POINTER, "pool is NULL");
    if (status == RP_STATUS_OK)
        status = rp_read_host_batch(given_batch, &batch, options.error);
    if (status != RP_STATUS_OK || batch.n_inputs == 0)
        return status;
    status = rp_pool_acquire(pool, &lane);
    if (status != RP_STATUS_OK) {
        rp_fail_host_batch(&batch, 0, status);
        return status;
    }
    status = rp_lane_compress_batch(lane, &batch, &options, timeout_us);
    (void)rp_pool_release(pool, lane);
    return status;
}
