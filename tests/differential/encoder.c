/* SPDX-License-Identifier: Apache-2.0 */
/* See encoder.h. */
#include "tests/differential/encoder.h"
#include "tests/support/effort.h"

#include <stdlib.h>
#include <string.h>

void encoder_open(test_encoder *encoder, size_t max_input_bytes)
{
    rp_pool_options options = {sizeof(rp_pool_options), 1, max_input_bytes, 0, test_effort(), NULL};
    memset(encoder, 0, sizeof(*encoder));
    encoder->max_input_bytes = max_input_bytes;
    if (rp_device_open("host", &encoder->device) != RP_STATUS_OK ||
        rp_pool_create(encoder->device, &options, &encoder->pool) != RP_STATUS_OK ||
        rp_pool_acquire(encoder->pool, &encoder->lane) != RP_STATUS_OK)
        abort();
}

void encoder_close(test_encoder *encoder)
{
    rp_pool_release(encoder->pool, encoder->lane);
    rp_pool_destroy(encoder->pool);
    rp_device_close(encoder->device);
    memset(encoder, 0, sizeof(*encoder));
}

rp_status encoder_lane(test_encoder *encoder, const void *input, size_t input_size, void *output,
                       size_t capacity, size_t *output_size, uint32_t flags)
{
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = test_effort(),
        .flags = flags,
        .error = NULL,
    };
    return rp_lane_compress(encoder->lane, input, input_size, output, capacity, output_size,
                            &options, 0);
}

rp_status encoder_batch(test_encoder *encoder, const rp_batch *batch, uint32_t flags)
{
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = test_effort(),
        .flags = flags,
        .error = NULL,
    };
    rp_stream stream;
    size_t bytes = rp_workspace_size(batch->max_input_bytes, batch->n_inputs, test_effort());
    void *workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, bytes);
    if (workspace == NULL || rp_stream_create(encoder->device, &stream) != RP_STATUS_OK)
        abort();
    rp_status status = rp_compress_batch_async(workspace, bytes, batch, &options, stream);
    if (status == RP_STATUS_OK)
        status = rp_stream_wait(stream, 0);
    rp_stream_destroy(stream);
    free(workspace);
    return status;
}
