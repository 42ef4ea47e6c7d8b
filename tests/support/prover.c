/* SPDX-License-Identifier: Apache-2.0 */
/* See prover.h. */
#include "tests/support/prover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/rfc8878_decoder.h"

static void *allocate(size_t n_bytes)
{
    void *memory = malloc(n_bytes == 0 ? 1 : n_bytes);
    if (memory == NULL)
        abort();
    return memory;
}

static void *copy_of(const void *bytes, size_t n_bytes)
{
    void *copy = malloc(n_bytes);
    if (copy == NULL && n_bytes != 0)
        abort();
    if (n_bytes != 0)
        memcpy(copy, bytes, n_bytes);
    return copy;
}

static void *allocate_aligned(size_t n_bytes)
{
    void *memory = aligned_alloc(RP_WORKSPACE_ALIGNMENT, n_bytes);
    if (memory == NULL)
        abort();
    memset(memory, 0xA5, n_bytes);
    return memory;
}

void prover_open(prover *p, size_t max_input_bytes, rp_effort effort)
{
    memset(p, 0, sizeof(*p));
    p->max_input_bytes = max_input_bytes;
    p->effort = effort;
    size_t n_bytes = rp_workspace_size(max_input_bytes, 1, effort);
    p->workspace = allocate_aligned(n_bytes);
    p->buffers.struct_size = sizeof(p->buffers);
    if (rp_device_open("host", &p->host) != RP_STATUS_OK ||
        rp_workspace_carve(p->workspace, n_bytes, max_input_bytes, 1, effort, &p->buffers) !=
            RP_STATUS_OK)
        abort();
    p->buffers.d_scratch = allocate_aligned(p->buffers.scratch_stride * p->buffers.n_zstd_blocks);
    p->buffers.d_entry_points =
        allocate_aligned(p->buffers.entry_points_stride * p->buffers.n_zstd_blocks);
}

void prover_close(prover *p)
{
    free(p->buffers.d_scratch);
    free(p->buffers.d_entry_points);
    free(p->workspace);
    rp_device_close(p->host);
    memset(p, 0, sizeof(*p));
}

rp_status prover_compress(prover *p, rp_device *device, const void *input, size_t n_bytes,
                          uint32_t flags, void *frame, size_t capacity, size_t *frame_bytes)
{
    rp_status result = RP_STATUS_INTERNAL;
    rp_error error = {{0}};
    const rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = &input,
        .d_input_sizes = &n_bytes,
        .max_input_bytes = p->max_input_bytes,
        .n_inputs = 1,
        .d_outputs = &frame,
        .d_output_capacities = &capacity,
        .d_output_sizes = frame_bytes,
        .d_statuses = &result,
    };
    const rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = p->effort,
        .flags = flags,
        .error = &error,
    };
    const rp_stream stream = {device, NULL};
    rp_status status = rp_launch_lz77_matcher(&batch, &p->buffers, &options, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_huffman_encoder(&batch, &p->buffers, &options, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_fse_encoder(&batch, &p->buffers, &options, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_frame_assembler(&batch, &p->buffers, &options, stream);
    snprintf(p->error, sizeof(p->error), "%s: %s", rp_status_name(status), error.message);
    return status == RP_STATUS_OK ? result : status;
}

prover_result prover_prove(prover *p, rp_device *device, const void *input, size_t n_bytes,
                           const void *frame, size_t frame_bytes, bool with_entry_points)
{
    prover_result result = {RP_STATUS_OK, frame_bytes, {1, 1}, false};
    rp_error error = {{0}};
    const void *own_input = copy_of(input, n_bytes);
    void *own_frame = copy_of(frame, frame_bytes);
    void *delivery = allocate(frame_bytes);
    size_t capacity = frame_bytes;
    rp_stage_buffers buffers = p->buffers;
    if (!with_entry_points)
        buffers.d_entry_points = NULL;
    const rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = &own_input,
        .d_input_sizes = &n_bytes,
        .max_input_bytes = p->max_input_bytes,
        .n_inputs = 1,
        .d_outputs = &own_frame,
        .d_output_capacities = &capacity,
        .d_output_sizes = &result.frame_bytes,
        .d_statuses = &result.status,
        .d_deliveries = &delivery,
    };
    const rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = p->effort,
        .flags = 0,
        .error = &error,
        .d_proofs = &result.proof,
    };
    const rp_stream stream = {device, NULL};
    rp_status status = rp_launch_frame_verifier(&batch, &buffers, &options, stream);
    snprintf(p->error, sizeof(p->error), "%s: %s", rp_status_name(status), error.message);
    if (status != RP_STATUS_OK)
        result.status = status;
    result.is_delivered = memcmp(delivery, frame, frame_bytes) == 0;
    free((void *)own_input);
    free(own_frame);
    free(delivery);
    return result;
}

bool prover_expects(const void *input, size_t n_bytes, const void *frame, size_t frame_bytes,
                    bool *is_foreign)
{
    rfc8878_stats stats;
    size_t n_decoded;
    char error[RFC8878_ERROR_BYTES];
    void *decoded = allocate(n_bytes);
    bool is_right = rfc8878_decode_frame(frame, frame_bytes, decoded, n_bytes, &n_decoded, &stats,
                                         error, sizeof(error)) &&
                    n_decoded == n_bytes && memcmp(decoded, input, n_bytes) == 0;
    free(decoded);
    *is_foreign =
        is_right &&
        (!stats.has_content_size || (((const uint8_t *)frame)[4] & 3) != 0 ||
         stats.n_literals_treeless_1_stream != 0 || stats.n_literals_treeless_4_streams != 0 ||
         stats.literals_length_modes[RFC8878_REPEAT] != 0 ||
         stats.offset_modes[RFC8878_REPEAT] != 0 || stats.match_length_modes[RFC8878_REPEAT] != 0);
    return is_right;
}
