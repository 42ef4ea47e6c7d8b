/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nvCOMP's shape on top of the engine. It has no capacities, as every output has room for the
 * largest frame, and its statuses may be left out; they then go to the end of the temporary memory.
 */
#include "rockpress/batched.h"

#include <stdint.h>

#include "engine/check.h"
#include "engine/error.h"
#include "engine/lane.h"

static size_t statuses_bytes(size_t n)
{
    size_t bytes = n * sizeof(rp_status);
    return (bytes + RP_WORKSPACE_ALIGNMENT - 1) & ~(RP_WORKSPACE_ALIGNMENT - 1);
}

rp_status rp_batched_compress_get_required_alignments(rp_compress_options options,
                                                      rp_batched_alignments *alignments)
{
    if (alignments == NULL)
        return rp_fail(options.error, RP_STATUS_NULL_POINTER, "alignments is NULL");
    rp_status status = rp_check_effort_and_flags(&options);
    if (status != RP_STATUS_OK)
        return status;
    alignments->input = 1;
    alignments->output = 1;
    alignments->temp = RP_WORKSPACE_ALIGNMENT;
    return RP_STATUS_OK;
}

rp_status rp_batched_compress_get_temp_size_async(size_t num_chunks,
                                                  size_t max_uncompressed_chunk_bytes,
                                                  rp_compress_options options, size_t *temp_bytes,
                                                  size_t max_total_uncompressed_bytes)
{
    (void)max_total_uncompressed_bytes;
    if (temp_bytes == NULL)
        return rp_fail(options.error, RP_STATUS_NULL_POINTER, "temp_bytes is NULL");
    *temp_bytes = 0;
    rp_status status = rp_check_effort_and_flags(&options);
    if (status == RP_STATUS_OK)
        status = rp_check_batch_size(max_uncompressed_chunk_bytes, num_chunks, &options);
    if (status == RP_STATUS_OK)
        *temp_bytes = rp_workspace_size(max_uncompressed_chunk_bytes, num_chunks, options.effort) +
                      statuses_bytes(num_chunks);
    return status;
}

rp_status rp_batched_compress_get_max_output_chunk_size(size_t max_uncompressed_chunk_bytes,
                                                        rp_compress_options options,
                                                        size_t *max_compressed_chunk_bytes)
{
    if (max_compressed_chunk_bytes == NULL)
        return rp_fail(options.error, RP_STATUS_NULL_POINTER, "max_compressed_chunk_bytes is NULL");
    *max_compressed_chunk_bytes = 0;
    rp_status status = rp_check_effort_and_flags(&options);
    if (status == RP_STATUS_OK)
        status = rp_check_batch_size(max_uncompressed_chunk_bytes, 1, &options);
    if (status == RP_STATUS_OK)
        *max_compressed_chunk_bytes = rp_compress_bound(max_uncompressed_chunk_bytes);
    return status;
}

static rp_status check_arrays(const rp_batch *batch, rp_error *error)
{
    const struct {
        const void *pointer;
        const char *name;
    } arrays[] = {
        {batch->d_inputs, "d_uncompressed_chunk_ptrs"},
        {batch->d_input_sizes, "d_uncompressed_chunk_bytes"},
        {batch->d_outputs, "d_compressed_chunk_ptrs"},
        {batch->d_output_sizes, "d_compressed_chunk_bytes"},
    };
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        if (arrays[i].pointer == NULL)
            return rp_fail(error, RP_STATUS_NULL_POINTER, "%s is NULL", arrays[i].name);
    }
    return RP_STATUS_OK;
}

rp_status rp_batched_compress_async(const void *const *d_uncompressed_chunk_ptrs,
                                    const size_t *d_uncompressed_chunk_bytes,
                                    size_t max_uncompressed_chunk_bytes, size_t num_chunks,
                                    void *d_temp, size_t temp_bytes,
                                    void *const *d_compressed_chunk_ptrs,
                                    size_t *d_compressed_chunk_bytes, rp_compress_options options,
                                    rp_status *d_statuses, rp_stream stream)
{
    rp_batch batch = {d_uncompressed_chunk_ptrs,    d_uncompressed_chunk_bytes,
                      max_uncompressed_chunk_bytes, num_chunks,
                      d_compressed_chunk_ptrs,      NULL,
                      d_compressed_chunk_bytes,     d_statuses};
    size_t needed;
    rp_status status = rp_check_options(&options, stream);
    if (status == RP_STATUS_OK)
        status = check_arrays(&batch, options.error);
    if (status == RP_STATUS_OK)
        status = rp_batched_compress_get_temp_size_async(num_chunks, max_uncompressed_chunk_bytes,
                                                         options, &needed, 0);
    if (status != RP_STATUS_OK)
        return status;
    if (temp_bytes < needed)
        return rp_fail(options.error, RP_STATUS_WORKSPACE_TOO_SMALL,
                       "temp_bytes %zu; needed: %zu for %zu chunks of up to %zu bytes", temp_bytes,
                       needed, num_chunks, max_uncompressed_chunk_bytes);
    size_t workspace_bytes = needed - statuses_bytes(num_chunks);
    if (d_statuses == NULL && d_temp != NULL)
        batch.d_statuses = (rp_status *)(void *)((uint8_t *)d_temp + workspace_bytes);
    return rp_enqueue_batch(d_temp, workspace_bytes, &batch,
                            rp_compress_bound(max_uncompressed_chunk_bytes), &options, stream);
}

rp_status rp_batched_compress_pooled(rp_pool *pool, const rp_host_batch *batch,
                                     const rp_compress_options *options, uint32_t timeout_us)
{
    rp_error *error = options == NULL ? NULL : options->error;
    rp_lane *lane;
    if (pool == NULL)
        return rp_fail(error, RP_STATUS_NULL_POINTER, "pool is NULL");
    rp_status status = rp_check_host_batch(batch, error);
    if (status == RP_STATUS_OK && options != NULL)
        status = rp_check_effort_and_flags(options);
    if (status != RP_STATUS_OK || batch->n_inputs == 0)
        return status;
    status = rp_pool_acquire(pool, &lane);
    if (status != RP_STATUS_OK) {
        rp_fail_host_batch(batch, 0, status);
        return status;
    }
    status = rp_lane_compress_batch(lane, batch, options, timeout_us);
    rp_pool_release(pool, lane);
    return status;
}
