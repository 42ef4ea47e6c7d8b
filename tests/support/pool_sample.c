/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/pool_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TIMEOUT_US 1000000

pool_sample *pool_sample_make(rp_device *host, inputs_kind kind, size_t n_bytes)
{
    pool_sample *sample = calloc(1, sizeof(*sample));
    assert_non_null(sample);
    sample->n_bytes = n_bytes;
    inputs_fill(kind, sample->input, n_bytes, n_bytes);
    size_t workspace_bytes = rp_workspace_size(n_bytes, 1, RP_EFFORT_FAST);
    void *workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, workspace_bytes);
    assert_non_null(workspace);
    rp_stream stream = {host, NULL};
    rp_status status;
    assert_int_equal(rp_compress_async(workspace, workspace_bytes, sample->input, n_bytes,
                                       sample->frame, sizeof(sample->frame), &sample->frame_bytes,
                                       &status, NULL, stream),
                     RP_STATUS_OK);
    assert_int_equal(status, RP_STATUS_OK);
    free(workspace);
    return sample;
}

rp_status pool_sample_compress(rp_lane *lane, const pool_sample *sample, uint8_t *output,
                               size_t capacity, size_t *output_size)
{
    return rp_lane_compress(lane, sample->input, sample->n_bytes, output, capacity, output_size,
                            NULL, TIMEOUT_US);
}

bool pool_sample_compresses(rp_lane *lane, const pool_sample *sample)
{
    uint8_t output[sizeof(sample->frame)];
    size_t n_bytes;
    return pool_sample_compress(lane, sample, output, sizeof(output), &n_bytes) == RP_STATUS_OK &&
           n_bytes == sample->frame_bytes && memcmp(output, sample->frame, n_bytes) == 0;
}
