/* SPDX-License-Identifier: Apache-2.0 */
/* See sized_encoder.h. */
#include "tests/golden/sized_encoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "tests/golden/samples.h"

void sized_encoder_open(sized_encoder *encoder, rp_effort effort)
{
    memset(encoder, 0, sizeof(*encoder));
    encoder->effort = effort;
    encoder->workspace_bytes = rp_workspace_size(SAMPLE_MAX_BLOCK_BYTES, 1, effort);
    encoder->workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, encoder->workspace_bytes);
    encoder->frame_capacity = rp_compress_bound(SAMPLE_MAX_BLOCK_BYTES);
    encoder->frame = malloc(encoder->frame_capacity);
    encoder->decoded = malloc(SAMPLE_MAX_BLOCK_BYTES);
    if (encoder->workspace == NULL || encoder->frame == NULL || encoder->decoded == NULL ||
        rp_device_open("host", &encoder->device) != RP_STATUS_OK ||
        rp_stream_create(encoder->device, &encoder->stream) != RP_STATUS_OK)
        abort();
}

void sized_encoder_close(sized_encoder *encoder)
{
    rp_stream_destroy(encoder->stream);
    rp_device_close(encoder->device);
    free(encoder->workspace);
    free(encoder->frame);
    free(encoder->decoded);
    memset(encoder, 0, sizeof(*encoder));
}

static void give_up(const sized_encoder *encoder, size_t block_bytes, const char *what)
{
    fprintf(stderr, "effort %s, a block of %zu bytes: %s\n", rp_effort_name(encoder->effort),
            block_bytes, what);
    exit(2);
}

size_t sized_encoder_compress(sized_encoder *encoder, const void *block, size_t block_bytes)
{
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = encoder->effort,
        .flags = 0,
        .error = NULL,
    };
    rp_status result = RP_STATUS_INTERNAL;
    rp_status status = rp_compress_async(encoder->workspace, encoder->workspace_bytes, block,
                                         block_bytes, encoder->frame, encoder->frame_capacity,
                                         &encoder->frame_bytes, &result, &options, encoder->stream);
    if (status == RP_STATUS_OK)
        status = rp_stream_wait(encoder->stream, 0);
    if (status == RP_STATUS_OK)
        status = result;
    /* As rp_compress_async() has laid them out. */
    encoder->buffers.struct_size = sizeof(encoder->buffers);
    if (status == RP_STATUS_OK)
        status = rp_workspace_carve(encoder->workspace, encoder->workspace_bytes, block_bytes, 1,
                                    encoder->effort, &encoder->buffers);
    if (status != RP_STATUS_OK)
        give_up(encoder, block_bytes, rp_status_name(status));
    size_t n = ZSTD_decompress(encoder->decoded, SAMPLE_MAX_BLOCK_BYTES, encoder->frame,
                               encoder->frame_bytes);
    if (n != block_bytes || memcmp(encoder->decoded, block, n) != 0)
        give_up(encoder, block_bytes, "libzstd does not give it back");
    return encoder->frame_bytes;
}
