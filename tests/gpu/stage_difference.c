/* SPDX-License-Identifier: Apache-2.0 */
/* See stage_difference.h. The stages are launched one by one, on a batch of one. */
#include "tests/gpu/stage_difference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gpu/device_under_test.h"

/* What a device has left in a workspace, on the host. */
typedef struct stage_results {
    uint8_t *memory; /* the workspace */
    rp_stage_buffers buffers;
    rp_status status;
} stage_results;

/* Behind the workspace, on the device. */
typedef struct batch_arrays {
    const void *input;
    size_t input_size;
    void *output;
    size_t capacity;
    size_t output_size;
    rp_status status;
} batch_arrays;

static size_t round_up(size_t n)
{
    return (n + 255) / 256 * 256;
}

static rp_status launch(const rp_batch *batch, const rp_stage_buffers *buffers,
                        const rp_compress_options *options, rp_stream stream)
{
    rp_status status = rp_launch_lz77_matcher(batch, buffers, options, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_huffman_encoder(batch, buffers, options, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_fse_encoder(batch, buffers, options, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_frame_assembler(batch, buffers, options, stream);
    return status;
}

static stage_results run_stages(const rp_device *device, const test_input *input, rp_effort effort,
                                uint32_t flags)
{
    const rp_device_ops *ops = device->ops;
    stage_results results;
    memset(&results, 0, sizeof(results));
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = effort,
        .flags = flags,
        .error = NULL,
    };
    size_t n_workspace = rp_workspace_size(input->size, 1, effort);
    size_t at_input = n_workspace + round_up(sizeof(batch_arrays));
    size_t at_output = at_input + round_up(input->size);
    size_t n_all = at_output + round_up(rp_compress_bound(input->size));
    uint8_t *copy = calloc(1, n_all);
    void *memory = NULL;
    rp_stream stream;
    if (copy == NULL || rp_stream_create(device, &stream) != RP_STATUS_OK ||
        ops->memory_alloc(device, n_all, &memory) != RP_STATUS_OK) {
        free(copy);
        results.status = RP_STATUS_OUT_OF_HOST_MEMORY;
        return results;
    }
    uint8_t *d_memory = memory;
    batch_arrays arrays = {
        d_memory + at_input, input->size, d_memory + at_output, rp_compress_bound(input->size), 0,
        RP_STATUS_OK};
    memcpy(copy + n_workspace, &arrays, sizeof(arrays));
    if (input->size != 0)
        memcpy(copy + at_input, input->bytes, input->size);
    batch_arrays *d_arrays = (batch_arrays *)(void *)(d_memory + n_workspace);
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = &d_arrays->input,
        .d_input_sizes = &d_arrays->input_size,
        .max_input_bytes = input->size,
        .n_inputs = 1,
        .d_outputs = &d_arrays->output,
        .d_output_capacities = &d_arrays->capacity,
        .d_output_sizes = &d_arrays->output_size,
        .d_statuses = &d_arrays->status,
    };
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    rp_status status = rp_workspace_carve(d_memory, n_workspace, input->size, 1, effort, &buffers);
    if (status == RP_STATUS_OK)
        status = ops->copy_async(stream, d_memory, copy, n_all, RP_COPY_HOST_TO_DEVICE);
    if (status == RP_STATUS_OK)
        status = launch(&batch, &buffers, &options, stream);
    if (status == RP_STATUS_OK)
        status = ops->copy_async(stream, copy, d_memory, n_all, RP_COPY_DEVICE_TO_HOST);
    rp_status waited = rp_stream_wait(stream, TEST_WAIT_US);
    results.status = status != RP_STATUS_OK ? status : waited;
    results.memory = copy;
    /* The same distances from where the copy is; only its address is not aligned. */
    buffers.d_zstd_blocks =
        (rp_zstd_block *)(void *)(copy + ((uint8_t *)buffers.d_zstd_blocks - d_memory));
    buffers.d_sequences =
        (rp_sequence *)(void *)(copy + ((uint8_t *)buffers.d_sequences - d_memory));
    buffers.d_literals = copy + (buffers.d_literals - d_memory);
    buffers.d_literals_sections = copy + (buffers.d_literals_sections - d_memory);
    buffers.d_sequences_sections = copy + (buffers.d_sequences_sections - d_memory);
    results.buffers = buffers;
    ops->memory_free(device, memory);
    rp_stream_destroy(stream);
    return results;
}

/* The first difference of two arrays, or n. */
static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t n)
{
    size_t at = 0;
    while (at < n && a[at] == b[at])
        at++;
    return at;
}

static size_t compare_sequences(const rp_sequence *a, const rp_sequence *b, size_t n,
                                size_t zstd_block, char *text, size_t n_text)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] == b[i])
            continue;
        snprintf(
            text, n_text,
            "lz77 matcher, zstd block %zu, sequence %zu of %zu: literals %u match %u offset value "
            "%u, expected %u %u %u",
            zstd_block, i, n, rp_sequence_literal_length(a[i]), rp_sequence_match_length(a[i]),
            rp_sequence_offset_value(a[i]), rp_sequence_literal_length(b[i]),
            rp_sequence_match_length(b[i]), rp_sequence_offset_value(b[i]));
        return i;
    }
    return n;
}

static bool compare_bytes(const char *what, size_t zstd_block, const uint8_t *a, size_t n_a,
                          const uint8_t *b, size_t n_b, char *text, size_t n_text)
{
    size_t n = n_a < n_b ? n_a : n_b;
    size_t at = first_difference(a, b, n);
    if (at == n && n_a == n_b)
        return true;
    snprintf(text, n_text, "%s, zstd block %zu: %zu bytes, expected %zu; first difference at %zu",
             what, zstd_block, n_a, n_b, at);
    return false;
}

static bool compare_zstd_block(const rp_stage_buffers *a, const rp_stage_buffers *b, size_t c,
                               char *text, size_t n_text)
{
    const rp_zstd_block *x = &a->d_zstd_blocks[c];
    const rp_zstd_block *y = &b->d_zstd_blocks[c];
    size_t n = x->n_sequences < y->n_sequences ? x->n_sequences : y->n_sequences;
    if (compare_sequences(a->d_sequences + c * a->sequences_stride,
                          b->d_sequences + c * b->sequences_stride, n, c, text, n_text) != n)
        return false;
    if (x->n_sequences != y->n_sequences) {
        snprintf(text, n_text, "lz77 matcher, zstd block %zu: %u sequences, expected %u", c,
                 x->n_sequences, y->n_sequences);
        return false;
    }
    return compare_bytes("lz77 matcher's literals", c, a->d_literals + c * a->literals_stride,
                         x->n_literals, b->d_literals + c * b->literals_stride, y->n_literals, text,
                         n_text) &&
           compare_bytes(
               "huffman encoder", c, a->d_literals_sections + c * a->literals_section_stride,
               x->literals_section_bytes, b->d_literals_sections + c * b->literals_section_stride,
               y->literals_section_bytes, text, n_text) &&
           compare_bytes("fse encoder", c,
                         a->d_sequences_sections + c * a->sequences_section_stride,
                         x->sequences_section_bytes,
                         b->d_sequences_sections + c * b->sequences_section_stride,
                         y->sequences_section_bytes, text, n_text);
}

void describe_stage_difference(const rp_device *device, const rp_device *reference,
                               const test_input *input, rp_effort effort, uint32_t flags,
                               char *text, size_t n_text)
{
    stage_results a = run_stages(device, input, effort, flags);
    stage_results b = run_stages(reference, input, effort, flags);
    if (a.status != RP_STATUS_OK || b.status != RP_STATUS_OK) {
        snprintf(text, n_text, "stages one by one: %s",
                 rp_status_name(a.status != RP_STATUS_OK ? a.status : b.status));
    } else {
        size_t c = 0;
        while (c < a.buffers.n_zstd_blocks &&
               compare_zstd_block(&a.buffers, &b.buffers, c, text, n_text))
            c++;
        if (c == a.buffers.n_zstd_blocks)
            snprintf(text, n_text,
                     "stages one by one, in a batch of one: no difference before the "
                     "frame assembler");
    }
    free(a.memory);
    free(b.memory);
}
