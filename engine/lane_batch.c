/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch from host memory on one lane. The lane's memory is as large as one input of the largest
 * size needs; here it is divided anew for each part of the batch (lane.h). Uploaded are the arrays
 * of pointers, sizes and capacities, then the inputs; downloaded are the sizes of frames and their
 * statuses, then the outputs. A part takes as many inputs as fit. The two halves of the staging
 * memory take turns: while the device works on a part, the part before it is delivered from the
 * other half, and then the next one is staged there. Where device and host share their memory
 * there is nothing to copy, and only the workspace limits a part.
 */
#include <string.h>

#include "engine/check.h"
#include "engine/deadline.h"
#include "engine/error.h"
#include "engine/hash.h"
#include "engine/lane.h"
#include "engine/lane_args.h"
#include "engine/struct_size.h"
#include "rockpress/batched.h"

static const rp_struct_kind host_batch_kind = RP_STRUCT_KIND(rp_host_batch, statuses);

/* Inputs first to first + n - 1, and where they lie. */
typedef struct batch_part {
    size_t first;
    size_t n;
    size_t max_input_bytes;
    size_t inputs_at;  /* in what is uploaded */
    size_t outputs_at; /* in what is downloaded */
    rp_lane_part memory;
} batch_part;

/* Inputs beyond the lane's are not sent: the kernels report them by their size. */
static size_t sent_bytes(const rp_lane *lane, size_t input_size)
{
    return input_size <= lane->max_input_bytes ? input_size : 0;
}

static size_t output_capacity(const rp_lane *lane, const rp_host_batch *batch, size_t i)
{
    return rp_lane_output_capacity(sent_bytes(lane, batch->input_sizes[i]),
                                   batch->output_capacities[i]);
}

/* Of two that take turns. */
static size_t staging_half_bytes(const rp_lane *lane)
{
    return lane->staging_bytes / 2 / RP_WORKSPACE_ALIGNMENT * RP_WORKSPACE_ALIGNMENT;
}

/* The largest part from `first` on; 0 inputs if not even one fits. */
static batch_part next_part(const rp_lane *lane, const rp_host_batch *batch, size_t first,
                            uint8_t *staging, const rp_compress_options *options)
{
    batch_part part = {.first = first, .memory.staging = staging};
    size_t inputs_bytes = 0;
    size_t outputs_bytes = 0;
    while (first + part.n < batch->n_inputs) {
        batch_part more = part;
        size_t sent = sent_bytes(lane, batch->input_sizes[first + part.n]);
        more.n++;
        if (sent > more.max_input_bytes)
            more.max_input_bytes = sent;
        inputs_bytes += rp_lane_item_bytes(sent);
        outputs_bytes += rp_lane_item_bytes(output_capacity(lane, batch, first + part.n));
        size_t workspace = rp_workspace_size(more.max_input_bytes, more.n, options->effort);
        more.memory.workspace_bytes = workspace;
        more.memory.n_frames = more.n;
        if (lane->staging == NULL) {
            size_t proofs = rp_lane_proves(options) ? more.n * sizeof(rp_proof) : 0;
            if (workspace == 0 || workspace + proofs > lane->workspace_bytes)
                break;
        } else {
            more.inputs_at = rp_lane_arrays_bytes(more.n);
            more.outputs_at = rp_lane_results_bytes(more.n);
            more.memory.upload_bytes =
                rp_round_up(more.inputs_at + inputs_bytes, RP_WORKSPACE_ALIGNMENT);
            more.memory.download_at = more.memory.upload_bytes;
            more.memory.download_bytes = more.outputs_at + outputs_bytes;
            size_t copied = more.memory.upload_bytes + more.memory.download_bytes;
            if (workspace == 0 || copied > staging_half_bytes(lane) ||
                workspace + copied > lane->memory_bytes)
                break;
        }
        part = more;
    }
    return part;
}

static rp_stage_args part_args(const batch_part *part, const rp_compress_options *options)
{
    rp_stage_args args = rp_stage_args_of(options);
    args.batch.max_input_bytes = part->max_input_bytes;
    args.batch.n_inputs = part->n;
    return args;
}

/* The caller's arrays are the device's. Proofs lie behind the part's workspace. */
static rp_status part_in_place(rp_lane *lane, const rp_host_batch *batch, const batch_part *part,
                               const rp_compress_options *options, uint32_t timeout_us)
{
    rp_stage_args args = part_args(part, options);
    const rp_results results = {
        .sizes = batch->output_sizes + part->first,
        .statuses = batch->statuses + part->first,
        .proofs = rp_lane_proves(options)
                      ? (rp_proof *)(void *)(lane->d_workspace + part->memory.workspace_bytes)
                      : NULL,
    };
    args.batch.d_inputs = batch->inputs + part->first;
    args.batch.d_input_sizes = batch->input_sizes + part->first;
    args.batch.d_outputs = batch->outputs + part->first;
    args.batch.d_output_capacities = batch->output_capacities + part->first;
    args.batch.d_output_sizes = results.sizes;
    args.batch.d_statuses = results.statuses;
    args.batch.d_proofs = results.proofs;
    rp_poison_results(&results, part->n);
    rp_status status = rp_enqueue_stages(lane->d_workspace, part->memory.workspace_bytes, &args,
                                         options->error, lane->stream);
    if (status == RP_STATUS_OK)
        status = rp_stream_wait(lane->stream, timeout_us);
    lane->busy = status == RP_STATUS_TIMEOUT;
    for (size_t i = 0; i < part->n && status == RP_STATUS_OK; i++) {
        size_t which = part->first + i;
        rp_status judged =
            rp_judge_result(results.statuses[i], results.sizes[i], batch->output_capacities[which]);
        if (judged == RP_STATUS_OK && results.proofs != NULL)
            judged =
                rp_check_proof(&results.proofs[i], batch->inputs[which], batch->input_sizes[which],
                               batch->outputs[which], results.sizes[i]);
        if (judged != RP_STATUS_OK)
            results.sizes[i] = 0;
        results.statuses[i] = judged;
    }
    return status;
}

/* Fills the staging memory with what is uploaded, and `on_device` with what it is there. */
static void stage_part(const rp_lane *lane, const rp_host_batch *batch, const batch_part *part,
                       bool proven, rp_kernel_batch *on_device)
{
    const rp_lane_arrays arrays = rp_lane_arrays_open(lane, &part->memory, proven);
    rp_lane_item item = {.input_at = part->inputs_at, .output_at = part->outputs_at};
    for (size_t i = 0; i < part->n; i++) {
        size_t whole = batch->input_sizes[part->first + i];
        size_t sent = sent_bytes(lane, whole);
        if (sent != 0)
            memcpy(part->memory.staging + item.input_at, batch->inputs[part->first + i], sent);
        item.input_size = whole;
        item.capacity = output_capacity(lane, batch, part->first + i);
        rp_lane_arrays_set(&arrays, i, &item);
        item.input_at += rp_lane_item_bytes(sent);
        item.output_at += rp_lane_item_bytes(item.capacity);
    }
    rp_lane_arrays_of_device(&arrays, &part->memory, proven, on_device);
}

/* From the staging memory to the caller. */
static void deliver_part(const rp_lane *lane, const rp_host_batch *batch, const batch_part *part,
                         bool proven)
{
    uint8_t *download = part->memory.staging + part->memory.download_at;
    const rp_results results = rp_lane_results(download, part->n);
    size_t at = part->outputs_at;
    for (size_t i = 0; i < part->n; i++) {
        size_t which = part->first + i;
        const rp_lane_frame frame = {
            .bytes = download + at,
            .n_bytes = results.sizes[i],
            .status = results.statuses[i],
            .proof = proven ? &results.proofs[i] : NULL,
            .capacity = output_capacity(lane, batch, which),
        };
        uint64_t input_hash = 0;
        if (proven && frame.status == RP_STATUS_OK)
            input_hash = rp_hash(batch->inputs[which], batch->input_sizes[which]);
        batch->statuses[which] =
            rp_lane_deliver(&frame, input_hash, batch->outputs[which], &batch->output_sizes[which]);
        at += rp_lane_item_bytes(frame.capacity);
    }
}

/* Waits for the part that the device works on, if there is one. */
static rp_status finish_part(rp_lane *lane, const rp_host_batch *batch, batch_part *running,
                             bool proven, const rp_deadline *by)
{
    if (running->n == 0)
        return RP_STATUS_OK;
    rp_status status = rp_lane_wait(lane, rp_time_left_us(by));
    if (status == RP_STATUS_OK) {
        deliver_part(lane, batch, running, proven);
        running->n = 0;
    }
    return status;
}

/*
 * Enqueues a part while the one before may still run: its inputs are staged during that time, and
 * the frames of the one before are delivered while the device works on this one. On success
 * `running` is this part; else it is that of which nothing has been delivered, if any.
 */
static rp_status part_staged(rp_lane *lane, const rp_host_batch *batch, const batch_part *part,
                             batch_part *running, const rp_compress_options *options,
                             const rp_deadline *by)
{
    rp_stage_args args = part_args(part, options);
    stage_part(lane, batch, part, rp_lane_proves(options), &args.batch);
    batch_part before = *running;
    if (before.n != 0) {
        rp_status status = rp_lane_wait(lane, rp_time_left_us(by));
        if (status != RP_STATUS_OK)
            return status;
    }
    rp_status status = rp_lane_enqueue(lane, &part->memory, &args, options->error);
    *running = *part;
    if (before.n != 0)
        deliver_part(lane, batch, &before, rp_lane_proves(options));
    if (status != RP_STATUS_OK)
        (void)rp_lane_wait(lane, rp_time_left_us(by)); /* for what was enqueued of it */
    return status;
}

/* The arrays of a batch do not fit beside an input that fills the lane. Results that are of this
 * input alone do not end the batch. */
static rp_status part_of_one(rp_lane *lane, const rp_host_batch *batch, size_t i,
                             const rp_compress_options *options, uint32_t timeout_us)
{
    rp_status status =
        rp_lane_compress(lane, batch->inputs[i], batch->input_sizes[i], batch->outputs[i],
                         batch->output_capacities[i], &batch->output_sizes[i], options, timeout_us);
    batch->statuses[i] = status;
    bool is_of_input = status == RP_STATUS_OUTPUT_TOO_SMALL ||
                       status == RP_STATUS_INPUT_TOO_LARGE || status == RP_STATUS_INTERNAL ||
                       status == RP_STATUS_VERIFICATION_FAILED;
    return is_of_input ? RP_STATUS_OK : status;
}

rp_status rp_read_host_batch(const rp_host_batch *given, rp_host_batch *batch, rp_error *error)
{
    const rp_host_batch empty = RP_HOST_BATCH_INIT;
    *batch = empty;
    rp_status status = rp_read_struct(&host_batch_kind, batch, given, error);
    if (status != RP_STATUS_OK || batch->n_inputs == 0)
        return status;
    const rp_named_pointer arrays[] = {
        {batch->inputs, "batch->inputs"},
        {batch->input_sizes, "batch->input_sizes"},
        {batch->outputs, "batch->outputs"},
        {batch->output_capacities, "batch->output_capacities"},
        {batch->output_sizes, "batch->output_sizes"},
        {batch->statuses, "batch->statuses"},
    };
    status = rp_check_pointers(arrays, sizeof(arrays) / sizeof(arrays[0]), error);
    if (status != RP_STATUS_OK)
        return status;
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

static size_t largest_sent(const rp_lane *lane, const rp_host_batch *batch)
{
    size_t largest = 0;
    for (size_t i = 0; i < batch->n_inputs; i++) {
        size_t sent = sent_bytes(lane, batch->input_sizes[i]);
        largest = sent > largest ? sent : largest;
    }
    return largest;
}

static rp_status compress_parts(rp_lane *lane, const rp_host_batch *batch,
                                const rp_compress_options *options, uint32_t timeout_us)
{
    rp_status status = RP_STATUS_OK;
    const rp_deadline by = rp_deadline_in(timeout_us);
    batch_part running = {0};
    for (size_t first = 0; first < batch->n_inputs && status == RP_STATUS_OK;) {
        /* The half that is not in use. */
        uint8_t *staging = lane->staging;
        if (staging != NULL && running.n != 0 && running.memory.staging == staging)
            staging += staging_half_bytes(lane);
        batch_part part = next_part(lane, batch, first, staging, options);
        size_t n = part.n == 0 ? 1 : part.n;
        if (part.n == 0)
            status = finish_part(lane, batch, &running, rp_lane_proves(options), &by);
        if (status == RP_STATUS_OK && part.n == 0)
            status = part_of_one(lane, batch, first, options, rp_time_left_us(&by));
        else if (status == RP_STATUS_OK && lane->staging == NULL)
            status = part_in_place(lane, batch, &part, options, rp_time_left_us(&by));
        else if (status == RP_STATUS_OK)
            status = part_staged(lane, batch, &part, &running, options, &by);
        if (status != RP_STATUS_OK)
            rp_fail_host_batch(batch, running.n != 0 ? running.first : first, status);
        first += n;
    }
    if (status == RP_STATUS_OK) {
        status = finish_part(lane, batch, &running, rp_lane_proves(options), &by);
        if (status != RP_STATUS_OK)
            rp_fail_host_batch(batch, running.first, status);
    }
    return status;
}

rp_status rp_lane_compress_batch(rp_lane *lane, const rp_host_batch *given_batch,
                                 const rp_compress_options *given_options, uint32_t timeout_us)
{
    rp_compress_options options;
    rp_host_batch batch;
    rp_status status = rp_read_options(given_options, &options);
    if (status == RP_STATUS_OK && lane == NULL)
        status = rp_fail(options.error, RP_STATUS_NULL_POINTER, "lane is NULL");
    if (status == RP_STATUS_OK)
        status = rp_read_host_batch(given_batch, &batch, options.error);
    if (status == RP_STATUS_OK)
        status = rp_lane_check(lane, largest_sent(lane, &batch), &options);
    if (status == RP_STATUS_OK)
        status = compress_parts(lane, &batch, &options, timeout_us);
    return status;
}
