/* SPDX-License-Identifier: Apache-2.0 */
/* See encode_job.h. */
#include "tests/gpu/encode_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gpu/device_under_test.h"

#define GUARD_BYTES ((size_t)64)
#define FRONT_BYTES RP_WORKSPACE_ALIGNMENT

/* Where things are in device memory: a guard, the workspace, and the "image", of which the host has
 * a copy from before. All offsets are in the image. */
typedef struct layout {
    size_t workspace_bytes;
    size_t *inputs;
    size_t *outputs;
    size_t *capacities;
    size_t arrays; /* inputs, input sizes, outputs, capacities; then what the device writes: */
    size_t sizes;
    size_t proofs;
    size_t statuses;
    size_t image_bytes;
} layout;

static void *allocate(size_t n_bytes)
{
    void *memory = malloc(n_bytes == 0 ? 1 : n_bytes);
    if (memory == NULL) {
        fprintf(stderr, "no memory for %zu bytes\n", n_bytes);
        exit(2);
    }
    return memory;
}

void fill_garbage(uint8_t *bytes, size_t n, uint64_t seed)
{
    /* Of a prime number of bytes, so that repeats do not line up with anything. */
    static uint8_t tile[1048573];
    uint64_t random = seed * 2 + 1;
    for (size_t i = 0; i + 8 <= sizeof(tile); i += 8) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        memcpy(tile + i, &random, 8);
    }
    for (size_t at = 0; at < n; at += sizeof(tile))
        memcpy(bytes + at, tile, n - at < sizeof(tile) ? n - at : sizeof(tile));
}

static size_t largest_input(const encode_job *job)
{
    size_t largest = 0;
    for (size_t i = 0; i < job->n_inputs; i++)
        largest = job->inputs[i].size > largest ? job->inputs[i].size : largest;
    return largest;
}

static size_t max_input_bytes(const encode_job *job)
{
    return job->max_input_bytes != 0 && !job->is_single ? job->max_input_bytes : largest_input(job);
}

size_t encode_workspace_bytes(const encode_job *job)
{
    return rp_workspace_size(max_input_bytes(job), job->is_single ? 1 : job->n_inputs, job->effort);
}

static layout make_layout(const encode_job *job)
{
    layout l;
    size_t n = job->n_inputs;
    l.workspace_bytes = encode_workspace_bytes(job);
    l.inputs = allocate(3 * n * sizeof(size_t));
    l.outputs = l.inputs + n;
    l.capacities = l.outputs + n;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        l.capacities[i] =
            job->capacities != NULL ? job->capacities[i] : rp_compress_bound(job->inputs[i].size);
        l.inputs[i] = at + GUARD_BYTES + i % 16;
        l.outputs[i] = l.inputs[i] + job->inputs[i].size + GUARD_BYTES + i % 7;
        at = l.outputs[i] + l.capacities[i];
    }
    l.arrays = (at + GUARD_BYTES + 15) / 16 * 16;
    l.sizes = l.arrays + 4 * n * sizeof(size_t);
    l.proofs = l.sizes + n * sizeof(size_t);
    l.statuses = l.proofs + n * sizeof(rp_proof);
    l.image_bytes = l.statuses + n * sizeof(rp_status) + GUARD_BYTES;
    return l;
}

static void put_arrays(const encode_job *job, const layout *l, uint8_t *image, uint8_t *d_image)
{
    size_t n = job->n_inputs;
    for (size_t i = 0; i < n; i++) {
        const void *d_input = d_image + l->inputs[i];
        void *d_output = d_image + l->outputs[i];
        uint8_t *slot = image + l->arrays + i * sizeof(size_t);
        memcpy(slot, &d_input, sizeof(size_t));
        memcpy(slot + n * sizeof(size_t), &job->inputs[i].size, sizeof(size_t));
        memcpy(slot + 2 * n * sizeof(size_t), &d_output, sizeof(size_t));
        memcpy(slot + 3 * n * sizeof(size_t), &l->capacities[i], sizeof(size_t));
        memcpy(image + l->inputs[i], job->inputs[i].bytes, job->inputs[i].size);
    }
}

static rp_status enqueue(const encode_job *job, const layout *l, uint8_t *d_workspace,
                         uint8_t *d_image, rp_stream stream)
{
    size_t n = job->n_inputs;
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = job->effort,
        .flags = job->flags,
        .error = NULL,
    };
    size_t *d_sizes = (size_t *)(void *)(d_image + l->sizes);
    rp_proof *d_proofs = (rp_proof *)(void *)(d_image + l->proofs);
    options.d_proofs = d_proofs;
    rp_status *d_statuses = (rp_status *)(void *)(d_image + l->statuses);
    if (!job->is_single) {
        uint8_t *d_arrays = d_image + l->arrays;
        rp_batch batch = {
            .struct_size = sizeof(rp_batch),
            .d_inputs = (const void *const *)(void *)d_arrays,
            .d_input_sizes = (const size_t *)(void *)(d_arrays + n * sizeof(size_t)),
            .max_input_bytes = max_input_bytes(job),
            .n_inputs = n,
            .d_outputs = (void *const *)(void *)(d_arrays + 2 * n * sizeof(size_t)),
            .d_output_capacities = (const size_t *)(void *)(d_arrays + 3 * n * sizeof(size_t)),
            .d_output_sizes = d_sizes,
            .d_statuses = d_statuses,
        };
        return rp_compress_batch_async(d_workspace, l->workspace_bytes, &batch, &options, stream);
    }
    rp_status status = RP_STATUS_OK;
    for (size_t i = 0; i < n && status == RP_STATUS_OK; i++) {
        options.d_proofs = d_proofs + i;
        status = rp_compress_async(d_workspace, l->workspace_bytes, d_image + l->inputs[i],
                                   job->inputs[i].size, d_image + l->outputs[i], l->capacities[i],
                                   d_sizes + i, d_statuses + i, &options, stream);
    }
    return status;
}

/* Uploads, compresses, downloads; front and image are replaced by what the device left. */
static rp_status run_on_device(const rp_device *device, const encode_job *job, const layout *l,
                               uint8_t *front, uint8_t *image, uint8_t *image_before)
{
    const rp_device_ops *ops = device->ops;
    rp_stream stream;
    void *memory = NULL;
    rp_status status = rp_stream_create(device, &stream);
    if (status != RP_STATUS_OK)
        return status;
    size_t n_front = FRONT_BYTES + l->workspace_bytes;
    size_t n_garbage = job->is_raw ? FRONT_BYTES : n_front;
    status = ops->memory_alloc(device, n_front + l->image_bytes, &memory);
    if (status != RP_STATUS_OK) {
        rp_stream_destroy(stream);
        return status;
    }
    uint8_t *d_front = memory;
    uint8_t *d_image = d_front + n_front;
    fill_garbage(image, l->image_bytes, job->seed + 1);
    put_arrays(job, l, image, d_image);
    if ((job->flags & RP_COMPRESS_VERIFY) == 0)
        memset(image + l->proofs, 0, job->n_inputs * sizeof(rp_proof));
    memcpy(image_before, image, l->image_bytes);
    status = ops->copy_async(stream, d_front, front, n_garbage, RP_COPY_HOST_TO_DEVICE);
    if (status == RP_STATUS_OK)
        status = ops->copy_async(stream, d_image, image, l->image_bytes, RP_COPY_HOST_TO_DEVICE);
    if (status == RP_STATUS_OK)
        status = enqueue(job, l, d_front + FRONT_BYTES, d_image, stream);
    if (status == RP_STATUS_OK)
        status = ops->copy_async(stream, front, d_front, FRONT_BYTES, RP_COPY_DEVICE_TO_HOST);
    if (status == RP_STATUS_OK)
        status = ops->copy_async(stream, image, d_image, l->image_bytes, RP_COPY_DEVICE_TO_HOST);
    rp_status waited = rp_stream_wait(stream, TEST_WAIT_US);
    if (waited == RP_STATUS_TIMEOUT) {
        printf("FAILED: the device has not finished after %u s\n", TEST_WAIT_US / 1000000);
        exit(1);
    }
    ops->memory_free(device, memory);
    rp_stream_destroy(stream);
    return status != RP_STATUS_OK ? status : waited;
}

static void name_place(const encode_job *job, const layout *l, size_t at, char *text, size_t n)
{
    for (size_t i = 0; i < job->n_inputs; i++) {
        const test_input *input = &job->inputs[i];
        if (at >= l->inputs[i] && at < l->inputs[i] + input->size) {
            snprintf(text, n, "byte %zu of input %zu (%s, %zu bytes) was overwritten",
                     at - l->inputs[i], i, input->name, input->size);
            return;
        }
        if (at < l->outputs[i]) {
            snprintf(text, n, "the guard before or after input %zu (%s, %zu bytes) was overwritten",
                     i, input->name, input->size);
            return;
        }
        if (at < l->outputs[i] + l->capacities[i] + GUARD_BYTES / 2) {
            snprintf(text, n,
                     "byte %zu after the capacity (%zu) of output %zu (%s, %zu bytes) was "
                     "overwritten",
                     at - l->outputs[i] - l->capacities[i], l->capacities[i], i, input->name,
                     input->size);
            return;
        }
    }
    snprintf(text, n, "offset %zu after the outputs was overwritten (arrays at %zu, sizes at %zu)",
             at, l->arrays, l->sizes);
}

/* What the device may write is taken over into `before`; the rest has to be equal. */
static bool check_untouched(const encode_job *job, const layout *l, uint8_t *before,
                            const uint8_t *after, char *error, size_t n_error)
{
    for (size_t i = 0; i < job->n_inputs; i++)
        memcpy(before + l->outputs[i], after + l->outputs[i], l->capacities[i]);
    const size_t n = job->n_inputs;
    memcpy(before + l->sizes, after + l->sizes, n * sizeof(size_t));
    memcpy(before + l->statuses, after + l->statuses, n * sizeof(rp_status));
    if ((job->flags & RP_COMPRESS_VERIFY) != 0)
        memcpy(before + l->proofs, after + l->proofs, n * sizeof(rp_proof));
    if (memcmp(before, after, l->image_bytes) == 0)
        return true;
    size_t at = 0;
    while (before[at] == after[at])
        at++;
    if (at < GUARD_BYTES)
        snprintf(error, n_error, "%zu bytes after the workspace, a byte was overwritten", at);
    else
        name_place(job, l, at, error, n_error);
    return false;
}

static bool check_outcomes(const encode_job *job, const layout *l, encode_result *result)
{
    for (size_t i = 0; i < job->n_inputs; i++) {
        bool good = result->statuses[i] == RP_STATUS_OK
                        ? result->sizes[i] != 0 && result->sizes[i] <= l->capacities[i]
                        : result->sizes[i] == 0;
        if (!good) {
            snprintf(result->error, sizeof(result->error),
                     "input %zu (%s): status %d with %zu bytes, capacity %zu", i,
                     job->inputs[i].name, (int)result->statuses[i], result->sizes[i],
                     l->capacities[i]);
            return false;
        }
    }
    return true;
}

bool encode_run(const rp_device *device, const encode_job *job, encode_result *result)
{
    layout l = make_layout(job);
    size_t n = job->n_inputs;
    size_t n_front = FRONT_BYTES + l.workspace_bytes;
    memset(result, 0, sizeof(*result));
    /* The image stays, the frames point into it. */
    uint8_t *memory = allocate(l.image_bytes);
    uint8_t *before = allocate(l.image_bytes);
    uint8_t *front = allocate(n_front);
    uint8_t front_before[FRONT_BYTES];
    result->memory = memory;
    result->frames = allocate(n * sizeof(*result->frames));
    result->sizes = allocate(n * sizeof(*result->sizes));
    result->statuses = allocate(n * sizeof(*result->statuses));
    result->proofs = allocate(n * sizeof(*result->proofs));
    fill_garbage(front, n_front, job->seed);
    memcpy(front_before, front, FRONT_BYTES);
    rp_status status = run_on_device(device, job, &l, front, memory, before);
    for (size_t i = 0; i < n; i++)
        result->frames[i] = memory + l.outputs[i];
    memcpy(result->sizes, memory + l.sizes, n * sizeof(size_t));
    memcpy(result->statuses, memory + l.statuses, n * sizeof(rp_status));
    memcpy(result->proofs, memory + l.proofs, n * sizeof(rp_proof));
    bool good = status == RP_STATUS_OK;
    if (!good)
        snprintf(result->error, sizeof(result->error), "%s", rp_status_name(status));
    else if (memcmp(front, front_before, FRONT_BYTES) != 0)
        good = snprintf(result->error, sizeof(result->error),
                        "the guard before the workspace was overwritten") < 0;
    else
        good = check_untouched(job, &l, before, memory, result->error, sizeof(result->error)) &&
               check_outcomes(job, &l, result);
    free(front);
    free(before);
    free(l.inputs);
    return good;
}

void encode_free(encode_result *result)
{
    free(result->memory);
    free(result->frames);
    free(result->sizes);
    free(result->statuses);
    free(result->proofs);
    memset(result, 0, sizeof(*result));
}
