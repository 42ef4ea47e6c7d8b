/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch from host memory on one lane. The lane's memory was laid out for one input of the largest
 * size; here the same memory is divided anew for each part of the batch:
 *
 *     device          workspace for the part | what is uploaded | what is downloaded
 *     half of staging                          what is uploaded | what is downloaded
 *
 * so that a part is one copy there, four launches and one copy back, or none where the device
 * writes to the staging memory itself (RP_DEVICE_MAPPED_STAGING): a copy back has the size of the
 * room for frames, not theirs, and begins after the last one. Uploaded are the arrays of pointers,
 * sizes and capacities, then the inputs; downloaded the sizes of frames and their statuses, then
 * the outputs. A part takes as many inputs as fit. Halves of the staging memory take turns: while
 * the device works on a part, the one before is delivered from the other half, and the next one is
 * put there. Where device and host share their memory there is nothing to copy, and only the
 * workspace limits a part.
 */
#include <string.h>
#include <time.h>

#include "engine/check.h"
#include "engine/error.h"
#include "engine/lane.h"
#include "rockpress/batched.h"

/* Of each input and output, so that the device copies whole words. */
#define ITEM_ALIGNMENT ((size_t)16)

static const rp_compress_options default_options = RP_COMPRESS_OPTIONS_DEFAULT;

static size_t round_up(size_t bytes, size_t alignment)
{
    return (bytes + alignment - 1) / alignment * alignment;
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* When a batch has to be done. */
typedef struct deadline {
    uint64_t begin_us;
    uint32_t timeout_us;
} deadline;

static uint32_t time_left_us(const deadline *by)
{
    uint64_t passed = now_us() - by->begin_us;
    return passed < by->timeout_us ? by->timeout_us - (uint32_t)passed : 0;
}

/* Inputs first to first + n - 1, and where they lie. Offsets count from the beginning of what is
 * uploaded, and of what is downloaded. */
typedef struct batch_part {
    size_t first;
    size_t n;
    uint8_t *staging; /* its half of the lane's */
    size_t max_input_bytes;
    size_t inputs_at;
    size_t upload_bytes;
    size_t outputs_at;
    size_t download_bytes;
} batch_part;

/* What the arrays in front of the inputs and of the outputs take. */
static size_t upload_arrays_bytes(size_t n)
{
    return round_up(n * (2 * sizeof(void *) + 2 * sizeof(size_t)), ITEM_ALIGNMENT);
}

static size_t download_arrays_bytes(size_t n)
{
    return round_up(n * (sizeof(size_t) + sizeof(rp_status)), ITEM_ALIGNMENT);
}

/* Inputs beyond the lane's are not sent: the kernels report them by their size. */
static size_t sent_bytes(const rp_lane *lane, size_t input_size)
{
    return input_size <= lane->max_input_bytes ? input_size : 0;
}

static size_t output_room(const rp_lane *lane, const rp_host_batch *batch, size_t i)
{
    size_t most = rp_compress_bound(sent_bytes(lane, batch->input_sizes[i]));
    return batch->output_capacities[i] < most ? batch->output_capacities[i] : most;
}

/* Of two that take turns. */
static size_t staging_half_bytes(const rp_lane *lane)
{
    return lane->staging_bytes / 2 / RP_WORKSPACE_ALIGNMENT * RP_WORKSPACE_ALIGNMENT;
}

/* The largest part from `first` on; 0 inputs if not even one fits. */
static batch_part next_part(const rp_lane *lane, const rp_host_batch *batch, size_t first,
                            uint8_t *staging, rp_effort effort)
{
    batch_part part = {first, 0, staging, 0, 0, 0, 0, 0};
    size_t inputs_bytes = 0;
    size_t outputs_bytes = 0;
    while (first + part.n < batch->n_inputs) {
        batch_part more = part;
        size_t sent = sent_bytes(lane, batch->input_sizes[first + part.n]);
        more.n++;
        if (sent > more.max_input_bytes)
            more.max_input_bytes = sent;
        inputs_bytes += round_up(sent, ITEM_ALIGNMENT);
        outputs_bytes += round_up(output_room(lane, batch, first + part.n), ITEM_ALIGNMENT);
        size_t workspace = rp_workspace_size(more.max_input_bytes, more.n, effort);
        if (lane->staging == NULL) {
            if (workspace == 0 || workspace > lane->workspace_bytes)
                break;
        } else {
            more.inputs_at = upload_arrays_bytes(more.n);
            more.upload_bytes = round_up(more.inputs_at + inputs_bytes, RP_WORKSPACE_ALIGNMENT);
            more.outputs_at = download_arrays_bytes(more.n);
            more.download_bytes = more.outputs_at + outputs_bytes;
            size_t copied = more.upload_bytes + more.download_bytes;
            if (workspace == 0 || copied > staging_half_bytes(lane) ||
                workspace + copied > lane->memory_bytes)
                break;
        }
        part = more;
    }
    return part;
}

/* The caller's arrays are the device's. */
static rp_status part_in_place(rp_lane *lane, const rp_host_batch *batch, const batch_part *part,
                               const rp_compress_options *options, uint32_t timeout_us)
{
    const rp_batch on_device = {batch->inputs + part->first,
                                batch->input_sizes + part->first,
                                part->max_input_bytes,
                                part->n,
                                batch->outputs + part->first,
                                batch->output_capacities + part->first,
                                batch->output_sizes + part->first,
                                batch->statuses + part->first};
    rp_status status = rp_enqueue_batch(lane->d_workspace, lane->workspace_bytes, &on_device, 0,
                                        options, lane->stream);
    if (status == RP_STATUS_OK)
        status = rp_stream_wait(lane->stream, timeout_us);
    lane->busy = status == RP_STATUS_TIMEOUT;
    return status;
}

/* Fills the staging memory with what is uploaded; returns the batch as the device will see it. */
static rp_batch stage_part(const rp_lane *lane, const rp_host_batch *batch, const batch_part *part,
                           uint8_t *d_upload, uint8_t *d_download)
{
    size_t n = part->n;
    const void **inputs = (const void **)(void *)part->staging;
    size_t *sizes = (size_t *)(void *)(inputs + n);
    void **outputs = (void **)(void *)(sizes + n);
    size_t *capacities = (size_t *)(void *)(outputs + n);
    size_t input_at = part->inputs_at;
    size_t output_at = part->outputs_at;
    for (size_t i = 0; i < n; i++) {
        size_t whole = batch->input_sizes[part->first + i];
        size_t sent = sent_bytes(lane, whole);
        if (sent != 0)
            memcpy(part->staging + input_at, batch->inputs[part->first + i], sent);
        inputs[i] = d_upload + input_at;
        sizes[i] = whole;
        outputs[i] = d_download + output_at;
        capacities[i] = output_room(lane, batch, part->first + i);
        input_at += round_up(sent, ITEM_ALIGNMENT);
        output_at += round_up(capacities[i], ITEM_ALIGNMENT);
    }
    /* The same arrays, at the same places behind the beginning of the upload. */
    const void *const *d_inputs = (const void *const *)(void *)d_upload;
    const size_t *d_sizes = (const size_t *)(const void *)(d_inputs + n);
    void *const *d_outputs = (void *const *)(const void *)(d_sizes + n);
    const size_t *d_capacities = (const size_t *)(const void *)(d_outputs + n);
    size_t *d_output_sizes = (size_t *)(void *)d_download;
    rp_status *d_statuses = (rp_status *)(void *)(d_output_sizes + n);
    rp_batch on_device = {d_inputs,  d_sizes,      part->max_input_bytes, n,
                          d_outputs, d_capacities, d_output_sizes,        d_statuses};
    return on_device;
}

/* From the staging memory to the caller. */
static void deliver_part(const rp_lane *lane, const rp_host_batch *batch, const batch_part *part)
{
    const uint8_t *download = part->staging + part->upload_bytes;
    const size_t *sizes = (const size_t *)(const void *)download;
    const rp_status *statuses = (const rp_status *)(const void *)(sizes + part->n);
    size_t at = part->outputs_at;
    for (size_t i = 0; i < part->n; i++) {
        size_t which = part->first + i;
        size_t room = output_room(lane, batch, which);
        rp_status status = statuses[i];
        if (status == RP_STATUS_OK && sizes[i] > room)
            status = RP_STATUS_INTERNAL;
        if (status == RP_STATUS_OK)
            memcpy(batch->outputs[which], download + at, sizes[i]);
        batch->output_sizes[which] = status == RP_STATUS_OK ? sizes[i] : 0;
        batch->statuses[which] = status;
        at += round_up(room, ITEM_ALIGNMENT);
    }
}

/* Copies and launches of a part whose inputs are in its staging memory. */
static rp_status enqueue_part(rp_lane *lane, const batch_part *part, const rp_batch *on_device,
                              const rp_compress_options *options)
{
    const rp_device_ops *ops = lane->stream.device->ops;
    size_t workspace_bytes = rp_workspace_size(part->max_input_bytes, part->n, options->effort);
    uint8_t *d_upload = lane->d_workspace + workspace_bytes;
    /* Set aside until a wait says that the device is done with the lane. */
    lane->busy = true;
    rp_status status = ops->copy_async(lane->stream, d_upload, part->staging, part->upload_bytes,
                                       RP_COPY_HOST_TO_DEVICE);
    if (status == RP_STATUS_OK)
        status = rp_enqueue_batch(lane->d_workspace, workspace_bytes, on_device, 0, options,
                                  lane->stream);
    if (status == RP_STATUS_OK && !lane->delivers)
        status = ops->copy_async(lane->stream, part->staging + part->upload_bytes,
                                 d_upload + part->upload_bytes, part->download_bytes,
                                 RP_COPY_DEVICE_TO_HOST);
    return status;
}

static rp_status wait_for_lane(rp_lane *lane, const deadline *by)
{
    rp_status status = rp_stream_wait(lane->stream, time_left_us(by));
    if (status == RP_STATUS_OK)
        lane->busy = false;
    return status;
}

/* Waits for the part that the device works on, if there is one. */
static rp_status finish_part(rp_lane *lane, const rp_host_batch *batch, batch_part *running,
                             const deadline *by)
{
    if (running->n == 0)
        return RP_STATUS_OK;
    rp_status status = wait_for_lane(lane, by);
    if (status == RP_STATUS_OK) {
        deliver_part(lane, batch, running);
        running->n = 0;
    }
    return status;
}

/*
 * Enqueues a part while the one before may still run: its inputs are staged meanwhile, and the
 * frames of the one before are delivered while the device works on this one. On success `running`
 * is this part; else it is that of which nothing has been delivered, if any.
 */
static rp_status part_staged(rp_lane *lane, const rp_host_batch *batch, const batch_part *part,
                             batch_part *running, const rp_compress_options *options,
                             const deadline *by)
{
    size_t workspace_bytes = rp_workspace_size(part->max_input_bytes, part->n, options->effort);
    uint8_t *d_upload = lane->d_workspace + workspace_bytes;
    uint8_t *d_download = (lane->delivers ? part->staging : d_upload) + part->upload_bytes;
    rp_batch on_device = stage_part(lane, batch, part, d_upload, d_download);
    batch_part before = *running;
    if (before.n != 0) {
        rp_status status = wait_for_lane(lane, by);
        if (status != RP_STATUS_OK)
            return status;
    }
    rp_status status = enqueue_part(lane, part, &on_device, options);
    *running = *part;
    if (before.n != 0)
        deliver_part(lane, batch, &before);
    if (status != RP_STATUS_OK)
        (void)wait_for_lane(lane, by); /* for what was enqueued of it */
    return status;
}

/* An input that fills the lane leaves no room for arrays. */
static rp_status part_of_one(rp_lane *lane, const rp_host_batch *batch, size_t i,
                             const rp_compress_options *options, uint32_t timeout_us)
{
    rp_status status =
        rp_lane_compress(lane, batch->inputs[i], batch->input_sizes[i], batch->outputs[i],
                         batch->output_capacities[i], &batch->output_sizes[i], options, timeout_us);
    batch->statuses[i] = status;
    return status == RP_STATUS_OUTPUT_TOO_SMALL ? RP_STATUS_OK : status;
}

rp_status rp_check_host_batch(const rp_host_batch *batch, rp_error *error)
{
    if (batch == NULL)
        return rp_fail(error, RP_STATUS_NULL_POINTER, "batch is NULL");
    if (batch->n_inputs == 0)
        return RP_STATUS_OK;
    const struct {
        const void *pointer;
        const char *name;
    } arrays[] = {
        {batch->inputs, "inputs"},
        {batch->input_sizes, "input_sizes"},
        {batch->outputs, "outputs"},
        {batch->output_capacities, "output_capacities"},
        {batch->output_sizes, "output_sizes"},
        {batch->statuses, "statuses"},
    };
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        if (arrays[i].pointer == NULL)
            return rp_fail(error, RP_STATUS_NULL_POINTER, "batch->%s is NULL", arrays[i].name);
    }
    for (size_t i = 0; i < batch->n_inputs; i++) {
        if (batch->inputs[i] == NULL && batch->input_sizes[i] != 0)
            return rp_fail(error, RP_STATUS_NULL_POINTER, "inputs[%zu] is NULL with size %zu", i,
                           batch->input_sizes[i]);
        if (batch->outputs[i] == NULL && batch->output_capacities[i] != 0)
            return rp_fail(error, RP_STATUS_NULL_POINTER, "outputs[%zu] is NULL with capacity %zu",
                           i, batch->output_capacities[i]);
    }
    return RP_STATUS_OK;
}

void rp_fail_host_batch(const rp_host_batch *batch, size_t first, rp_status status)
{
    for (size_t i = first; i < batch->n_inputs; i++) {
        batch->output_sizes[i] = 0;
        batch->statuses[i] = status;
    }
}

static rp_status check_lane(const rp_lane *lane, const rp_host_batch *batch,
                            const rp_compress_options *options)
{
    rp_status status = rp_check_options(options, lane->stream);
    size_t largest = 0;
    for (size_t i = 0; i < batch->n_inputs; i++) {
        size_t sent = sent_bytes(lane, batch->input_sizes[i]);
        largest = sent > largest ? sent : largest;
    }
    if (status != RP_STATUS_OK)
        return status;
    size_t needed = rp_workspace_size(largest, 1, options->effort);
    if (needed > lane->workspace_bytes)
        return rp_fail(
            options->error, RP_STATUS_WORKSPACE_TOO_SMALL,
            "effort %s needs a workspace of %zu bytes for %zu; the pool's lanes have %zu",
            rp_effort_name(options->effort), needed, largest, lane->workspace_bytes);
    return RP_STATUS_OK;
}

rp_status rp_lane_compress_batch(rp_lane *lane, const rp_host_batch *batch,
                                 const rp_compress_options *options, uint32_t timeout_us)
{
    if (options == NULL)
        options = &default_options;
    if (lane == NULL)
        return rp_fail(options->error, RP_STATUS_NULL_POINTER, "lane is NULL");
    rp_status status = rp_check_host_batch(batch, options->error);
    if (status == RP_STATUS_OK)
        status = check_lane(lane, batch, options);
    if (status != RP_STATUS_OK)
        return status;
    deadline by = {now_us(), timeout_us};
    batch_part running = {0, 0, NULL, 0, 0, 0, 0, 0};
    for (size_t first = 0; first < batch->n_inputs && status == RP_STATUS_OK;) {
        /* The half that is not in use. */
        uint8_t *staging = lane->staging;
        if (staging != NULL && running.n != 0 && running.staging == staging)
            staging += staging_half_bytes(lane);
        batch_part part = next_part(lane, batch, first, staging, options->effort);
        size_t n = part.n == 0 ? 1 : part.n;
        if (part.n == 0)
            status = finish_part(lane, batch, &running, &by);
        if (status == RP_STATUS_OK && part.n == 0)
            status = part_of_one(lane, batch, first, options, time_left_us(&by));
        else if (status == RP_STATUS_OK && lane->staging == NULL)
            status = part_in_place(lane, batch, &part, options, time_left_us(&by));
        else if (status == RP_STATUS_OK)
            status = part_staged(lane, batch, &part, &running, options, &by);
        if (status != RP_STATUS_OK)
            rp_fail_host_batch(batch, running.n != 0 ? running.first : first, status);
        first += n;
    }
    if (status == RP_STATUS_OK) {
        status = finish_part(lane, batch, &running, &by);
        if (status != RP_STATUS_OK)
            rp_fail_host_batch(batch, running.first, status);
    }
    return status;
}
