/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work on a lane: what one input and a part of a batch have in common, and one input.
 *
 * Work goes through the lane's own memory, so that the device leaves the caller's alone after a
 * timeout. The host copies an input to pinned memory, and the device copies it from there: kernels
 * read an input several times, which is slow over the bus. A copy from the caller's pageable memory
 * would be staged by the driver in the same two steps, but with the caller waiting. A frame is
 * written once, so a device that can do so writes it to the pinned memory directly, and only the
 * frame's own bytes cross the bus. docs/benchmarks.md has what that saves.
 */
#include "engine/lane.h"

#include <string.h>

#include "engine/check.h"
#include "engine/error.h"
#include "engine/hash.h"
#include "engine/lane_args.h"
#include "engine/workspace.h"

size_t rp_lane_memory_bytes(const rp_device *device, size_t max_input_bytes, rp_effort effort)
{
    size_t bytes = rp_workspace_size(max_input_bytes, 1, effort);
    if ((device->flags & RP_DEVICE_HOST_MEMORY) == 0)
        bytes += rp_round_up(max_input_bytes, RP_WORKSPACE_ALIGNMENT) +
                 rp_round_up(rp_compress_bound(max_input_bytes), RP_WORKSPACE_ALIGNMENT) +
                 rp_round_up(rp_lane_results_bytes(1), RP_WORKSPACE_ALIGNMENT);
    return bytes;
}

void rp_lane_free(const rp_device *device, rp_lane *lane)
{
    if (lane->staging != NULL)
        device->ops->staging_free(device, lane->staging);
    if (lane->d_workspace != NULL)
        device->ops->memory_free(device, lane->d_workspace);
    rp_stream_destroy(lane->stream);
    memset(&lane->stream, 0, sizeof(lane->stream));
    lane->staging = NULL;
    lane->d_workspace = NULL;
}

rp_status rp_lane_make(const rp_device *device, size_t workspace_bytes, size_t staging_bytes,
                       rp_lane *lane)
{
    void *memory = NULL;
    rp_status status = rp_stream_create(device, &lane->stream);
    lane->memory_bytes = workspace_bytes + staging_bytes;
    lane->workspace_bytes = workspace_bytes;
    if (status == RP_STATUS_OK)
        status = device->ops->memory_alloc(device, lane->memory_bytes, &memory);
    lane->d_workspace = memory;
    if (status == RP_STATUS_OK && staging_bytes != 0) {
        void *staging = NULL;
        lane->staging_bytes = staging_bytes;
        status = device->ops->staging_alloc(device, staging_bytes, &staging);
        lane->staging = staging;
        lane->delivers = (device->flags & RP_DEVICE_MAPPED_STAGING) != 0;
    }
    if (status != RP_STATUS_OK)
        rp_lane_free(device, lane);
    return status;
}

size_t rp_lane_results_bytes(size_t n)
{
    return rp_round_up(n * (sizeof(size_t) + sizeof(rp_proof) + sizeof(rp_status)),
                       RP_LANE_ITEM_ALIGNMENT);
}

rp_results rp_lane_results(uint8_t *download, size_t n)
{
    rp_results results;
    results.sizes = (size_t *)(void *)download;
    results.proofs = (rp_proof *)(void *)(results.sizes + n);
    results.statuses = (rp_status *)(void *)(results.proofs + n);
    return results;
}

uint8_t *rp_lane_d_upload(const rp_lane *lane, const rp_lane_part *part)
{
    return lane->d_workspace + part->workspace_bytes;
}

uint8_t *rp_lane_d_download(const rp_lane *lane, const rp_lane_part *part)
{
    return (lane->delivers ? part->staging : rp_lane_d_upload(lane, part)) + part->download_at;
}

uint8_t *rp_lane_d_frames(const rp_lane *lane, const rp_lane_part *part, bool is_proven)
{
    return is_proven ? rp_lane_d_upload(lane, part) + part->download_at
                     : rp_lane_d_download(lane, part);
}

/* Where the device writes to other memory than the staging memory, the poison is copied there: what
 * comes back is then of this part or is poison. */
static rp_status poison(rp_lane *lane, const rp_lane_part *part)
{
    uint8_t *download = part->staging + part->download_at;
    rp_results results = rp_lane_results(download, part->n_frames);
    rp_poison_results(&results, part->n_frames);
    if (lane->delivers)
        return RP_STATUS_OK;
    return lane->stream.device->ops->copy_async(lane->stream, rp_lane_d_download(lane, part),
                                                download, rp_lane_results_bytes(part->n_frames),
                                                RP_COPY_HOST_TO_DEVICE);
}

rp_status rp_lane_enqueue(rp_lane *lane, const rp_lane_part *part, rp_stage_args *args,
                          rp_error *error)
{
    const rp_device_ops *ops = lane->stream.device->ops;
    lane->busy = true;
    rp_status status = ops->copy_async(lane->stream, rp_lane_d_upload(lane, part), part->staging,
                                       part->upload_bytes, RP_COPY_HOST_TO_DEVICE);
    if (status == RP_STATUS_OK)
        status = poison(lane, part);
    if (status == RP_STATUS_OK)
        status =
            rp_enqueue_stages(lane->d_workspace, part->workspace_bytes, args, error, lane->stream);
    if (status == RP_STATUS_OK && !lane->delivers)
        status = ops->copy_async(lane->stream, part->staging + part->download_at,
                                 rp_lane_d_download(lane, part), part->download_bytes,
                                 RP_COPY_DEVICE_TO_HOST);
    return status;
}

rp_status rp_lane_wait(rp_lane *lane, uint32_t timeout_us)
{
    rp_status status = rp_stream_wait(lane->stream, timeout_us);
    if (status == RP_STATUS_OK)
        lane->busy = false;
    return status;
}

rp_status rp_lane_deliver(const rp_lane_frame *frame, uint64_t input_hash, void *output,
                          size_t *output_size)
{
    rp_status status = rp_judge_result(frame->status, frame->n_bytes, frame->capacity);
    *output_size = 0;
    if (status != RP_STATUS_OK)
        return status;
    memcpy(output, frame->bytes, frame->n_bytes);
    if (frame->proof != NULL && !rp_is_proven(frame->proof, input_hash, output, frame->n_bytes))
        return RP_STATUS_VERIFICATION_FAILED;
    *output_size = frame->n_bytes;
    return RP_STATUS_OK;
}

bool rp_lane_proves(const rp_compress_options *options)
{
    return (options->flags & RP_COMPRESS_VERIFY) != 0;
}

size_t rp_lane_output_capacity(size_t input_size, size_t output_capacity)
{
    size_t most = rp_compress_bound(input_size);
    return output_capacity < most ? output_capacity : most;
}

rp_status rp_lane_check_buffers(const void *input, size_t input_size, const void *output,
                                size_t output_capacity, size_t max_input_bytes, const char *owner,
                                rp_error *error)
{
    if (input_size > max_input_bytes)
        return rp_fail(error, RP_STATUS_INPUT_TOO_LARGE,
                       "input of %zu bytes; allowed by the %s: up to %zu", input_size, owner,
                       max_input_bytes);
    if (input == NULL && input_size != 0)
        return rp_fail(error, RP_STATUS_NULL_POINTER, "input is NULL with input_size %zu",
                       input_size);
    if (output == NULL && output_capacity != 0)
        return rp_fail(error, RP_STATUS_NULL_POINTER, "output is NULL with output_capacity %zu",
                       output_capacity);
    return RP_STATUS_OK;
}

rp_status rp_lane_check(const rp_lane *lane, size_t largest_input_bytes,
                        const rp_compress_options *options)
{
    rp_status status = rp_check_options(options, lane->stream);
    if (status != RP_STATUS_OK)
        return status;
    size_t needed = rp_workspace_size(largest_input_bytes, 1, options->effort);
    if (needed > lane->workspace_bytes)
        return rp_fail(
            options->error, RP_STATUS_WORKSPACE_TOO_SMALL,
            "effort %s needs a workspace of %zu bytes for %zu; the pool's lanes have %zu",
            rp_effort_name(options->effort), needed, largest_input_bytes, lane->workspace_bytes);
    return RP_STATUS_OK;
}

rp_stream rp_lane_stream(const rp_lane *lane)
{
    const rp_stream none = {NULL, NULL};
    return lane != NULL ? lane->stream : none;
}

void *rp_lane_workspace(const rp_lane *lane, size_t *workspace_size)
{
    if (workspace_size != NULL)
        *workspace_size = lane != NULL ? lane->workspace_bytes : 0;
    return lane != NULL ? lane->d_workspace : NULL;
}

/* Device and host see the same memory: no copies. */
static rp_status compress_in_place(rp_lane *lane, const void *input, size_t input_size,
                                   void *output, size_t output_capacity,
                                   const rp_compress_options *given, uint32_t timeout_us,
                                   size_t *output_size)
{
    rp_compress_options options = *given;
    const rp_results results = {&lane->frame_bytes, &lane->frame_status, &lane->frame_proof};
    options.d_proofs = rp_lane_proves(given) ? &lane->frame_proof : NULL;
    rp_poison_results(&results, 1);
    rp_status status = rp_compress_async(lane->d_workspace, lane->workspace_bytes, input,
                                         input_size, output, output_capacity, &lane->frame_bytes,
                                         &lane->frame_status, &options, lane->stream);
    if (status == RP_STATUS_OK)
        status = rp_stream_wait(lane->stream, timeout_us);
    lane->busy = status == RP_STATUS_TIMEOUT;
    if (status == RP_STATUS_OK)
        status = rp_judge_result(lane->frame_status, lane->frame_bytes, output_capacity);
    if (status == RP_STATUS_OK && rp_lane_proves(given))
        status = rp_check_proof(&lane->frame_proof, input, input_size, output, lane->frame_bytes);
    if (status == RP_STATUS_OK)
        *output_size = lane->frame_bytes;
    return status;
}

/* The arguments of one input travel in the launch, so only its bytes are uploaded. */
static rp_status compress_staged(rp_lane *lane, const void *input, size_t input_size, void *output,
                                 size_t output_capacity, const rp_compress_options *options,
                                 uint32_t timeout_us, size_t *output_size)
{
    size_t capacity = rp_lane_output_capacity(input_size, output_capacity);
    size_t results_bytes = rp_lane_results_bytes(1);
    bool proven = rp_lane_proves(options);
    const rp_lane_part part = {
        .staging = lane->staging,
        .workspace_bytes = lane->workspace_bytes,
        .upload_bytes = input_size,
        .download_at = rp_round_up(input_size, RP_WORKSPACE_ALIGNMENT),
        .download_bytes = results_bytes + capacity,
        .n_frames = 1,
    };
    const rp_lane_item item = {0, input_size, results_bytes, capacity};
    rp_stage_args args = rp_stage_args_of(options);
    rp_lane_args_of_one(lane, &part, &item, proven, &args);
    if (input_size != 0)
        memcpy(part.staging, input, input_size);
    rp_status status = rp_lane_enqueue(lane, &part, &args, options->error);
    /* While the device works. */
    uint64_t input_hash = proven ? rp_hash(input, input_size) : 0;
    rp_status waited = rp_lane_wait(lane, timeout_us);
    if (status == RP_STATUS_OK)
        status = waited;
    if (status != RP_STATUS_OK)
        return status;
    uint8_t *download = part.staging + part.download_at;
    rp_results results = rp_lane_results(download, 1);
    const rp_lane_frame frame = {
        .bytes = download + results_bytes,
        .n_bytes = results.sizes[0],
        .status = results.statuses[0],
        .proof = proven ? &results.proofs[0] : NULL,
        .capacity = capacity,
    };
    return rp_lane_deliver(&frame, input_hash, output, output_size);
}

rp_status rp_lane_compress(rp_lane *lane, const void *input, size_t input_size, void *output,
                           size_t output_capacity, size_t *output_size,
                           const rp_compress_options *given_options, uint32_t timeout_us)
{
    rp_compress_options options;
    if (output_size != NULL)
        *output_size = 0;
    rp_status status = rp_read_options(given_options, &options);
    if (status != RP_STATUS_OK)
        return status;
    rp_error *error = options.error;
    const rp_named_pointer pointers[] = {{lane, "lane"}, {output_size, "output_size"}};
    status = rp_check_pointers(pointers, sizeof(pointers) / sizeof(pointers[0]), error);
    if (status != RP_STATUS_OK)
        return status;
    status = rp_lane_check_buffers(input, input_size, output, output_capacity,
                                   lane->max_input_bytes, "pool", error);
    if (status != RP_STATUS_OK)
        return status;
    status = rp_lane_check(lane, input_size, &options);
    if (status != RP_STATUS_OK)
        return status;
    if (lane->staging == NULL)
        return compress_in_place(lane, input, input_size, output, output_capacity, &options,
                                 timeout_us, output_size);
    return compress_staged(lane, input, input_size, output, output_capacity, &options, timeout_us,
                           output_size);
}
