/* SPDX-License-Identifier: Apache-2.0 */
/* See changed_frames.h. The batch has the same input several times, and so the same entry points.
 */
#include "tests/gpu/changed_frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "tests/gpu/device_under_test.h"
#include "tests/support/inputs.h"

#define N_COPIES 8
#define ALIGNMENT ((size_t)256)

typedef struct arrays {
    const void *inputs[N_COPIES];
    size_t sizes[N_COPIES];
    void *outputs[N_COPIES];
    size_t capacities[N_COPIES];
    size_t frame_bytes[N_COPIES];
    rp_proof proofs[N_COPIES];
    rp_status statuses[N_COPIES];
} arrays;

/* In device memory: the workspace, then what the host has a copy of. */
typedef struct run {
    const rp_device *device;
    rp_stream stream;
    uint8_t *d_workspace;
    uint8_t *d_image;
    uint8_t *image; /* arrays, the input, the frames */
    size_t image_bytes;
    size_t at_frames;
    size_t frame_stride;
} run;

static size_t round_up(size_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static rp_status copy(const run *r, rp_copy_kind kind)
{
    bool is_up = kind == RP_COPY_HOST_TO_DEVICE;
    rp_status status =
        r->device->ops->copy_async(r->stream, is_up ? r->d_image : r->image,
                                   is_up ? r->image : r->d_image, r->image_bytes, kind);
    return status == RP_STATUS_OK ? rp_stream_wait(r->stream, TEST_WAIT_US) : status;
}

static bool decodes(const test_input *input, const uint8_t *frame, size_t frame_bytes)
{
    uint8_t *decoded = malloc(input->size + 1);
    size_t n = decoded == NULL ? 0 : ZSTD_decompress(decoded, input->size + 1, frame, frame_bytes);
    bool is_right = decoded != NULL && n == input->size && memcmp(decoded, input->bytes, n) == 0;
    free(decoded);
    return is_right;
}

static rp_status compress_and_change(run *r, const rp_batch *batch, const rp_stage_buffers *buffers,
                                     const rp_compress_options *options, uint64_t seed)
{
    arrays *a = (arrays *)(void *)r->image;
    rp_status status = copy(r, RP_COPY_HOST_TO_DEVICE);
    if (status == RP_STATUS_OK)
        status = rp_launch_lz77_matcher(batch, buffers, options, r->stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_huffman_encoder(batch, buffers, options, r->stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_fse_encoder(batch, buffers, options, r->stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_frame_assembler(batch, buffers, options, r->stream);
    if (status == RP_STATUS_OK)
        status = copy(r, RP_COPY_DEVICE_TO_HOST);
    inputs_random random = inputs_seed(seed);
    for (size_t i = 1; i < N_COPIES && status == RP_STATUS_OK; i++) {
        uint8_t *frame = r->image + r->at_frames + i * r->frame_stride;
        frame[inputs_below(&random, (uint32_t)a->frame_bytes[i])] ^=
            (uint8_t)(1 << inputs_below(&random, 8));
    }
    if (status == RP_STATUS_OK)
        status = copy(r, RP_COPY_HOST_TO_DEVICE);
    return status;
}

static bool check(const run *r, const test_input *input, const size_t *frame_bytes,
                  changed_frames *changed, char *error, size_t n_error)
{
    const arrays *a = (const arrays *)(const void *)r->image;
    for (size_t i = 0; i < N_COPIES; i++) {
        const uint8_t *frame = r->image + r->at_frames + i * r->frame_stride;
        bool is_right = decodes(input, frame, frame_bytes[i]);
        bool is_proven = a->statuses[i] == RP_STATUS_OK && a->frame_bytes[i] == frame_bytes[i];
        bool is_refused = a->statuses[i] == RP_STATUS_VERIFICATION_FAILED &&
                          a->frame_bytes[i] == 0 && a->proofs[i].input_hash == 0 &&
                          a->proofs[i].frame_hash == 0;
        changed->n_frames++;
        changed->n_right += i != 0 && is_right;
        /* What libzstd decodes, but no encoder may write, may be refused. */
        if ((is_proven && is_right) || (is_refused && i != 0))
            continue;
        snprintf(error, n_error, "copy %zu with %s: %s, %zu bytes of %zu", i,
                 is_right ? "the input's content" : "other content", rp_status_name(a->statuses[i]),
                 a->frame_bytes[i], frame_bytes[i]);
        return false;
    }
    return true;
}

bool check_changed_frames(rp_device *device, const test_input *input, rp_effort effort,
                          uint64_t seed, changed_frames *changed, char *error, size_t n_error)
{
    run r = {.device = device};
    const size_t workspace_bytes = rp_workspace_size(input->size, N_COPIES, effort);
    const size_t at_input = round_up(sizeof(arrays));
    r.at_frames = at_input + round_up(input->size);
    r.frame_stride = round_up(rp_compress_bound(input->size));
    r.image_bytes = r.at_frames + N_COPIES * r.frame_stride;
    r.image = calloc(1, r.image_bytes);
    void *memory = NULL;
    if (r.image == NULL || rp_stream_create(device, &r.stream) != RP_STATUS_OK) {
        free(r.image);
        snprintf(error, n_error, "no memory, or no stream");
        return false;
    }
    rp_status status = device->ops->memory_alloc(device, workspace_bytes + r.image_bytes, &memory);
    r.d_workspace = memory;
    r.d_image = r.d_workspace + workspace_bytes;
    arrays *a = (arrays *)(void *)r.image;
    for (size_t i = 0; i < N_COPIES; i++) {
        a->inputs[i] = r.d_image + at_input;
        a->sizes[i] = input->size;
        a->outputs[i] = r.d_image + r.at_frames + i * r.frame_stride;
        a->capacities[i] = r.frame_stride;
    }
    if (input->size != 0)
        memcpy(r.image + at_input, input->bytes, input->size);
    arrays *d_arrays = (arrays *)(void *)r.d_image;
    const rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = d_arrays->inputs,
        .d_input_sizes = d_arrays->sizes,
        .max_input_bytes = input->size,
        .n_inputs = N_COPIES,
        .d_outputs = d_arrays->outputs,
        .d_output_capacities = d_arrays->capacities,
        .d_output_sizes = d_arrays->frame_bytes,
        .d_statuses = d_arrays->statuses,
    };
    const rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = effort,
        .flags = 0,
        .error = NULL,
        .d_proofs = d_arrays->proofs,
    };
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    if (status == RP_STATUS_OK)
        status = rp_workspace_carve(r.d_workspace, workspace_bytes, input->size, N_COPIES, effort,
                                    &buffers);
    if (status == RP_STATUS_OK)
        status = compress_and_change(&r, &batch, &buffers, &options, seed);
    size_t frame_bytes[N_COPIES];
    memcpy(frame_bytes, a->frame_bytes, sizeof(frame_bytes));
    if (status == RP_STATUS_OK)
        status = rp_launch_frame_verifier(&batch, &buffers, &options, r.stream);
    if (status == RP_STATUS_OK)
        status = copy(&r, RP_COPY_DEVICE_TO_HOST);
    bool good = false;
    if (status == RP_STATUS_OK)
        good = check(&r, input, frame_bytes, changed, error, n_error);
    else
        snprintf(error, n_error, "%s", rp_status_name(status));
    if (memory != NULL)
        device->ops->memory_free(device, memory);
    rp_stream_destroy(r.stream);
    free(r.image);
    return good;
}
