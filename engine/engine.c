/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: checks the arguments, lays out the workspace, enqueues the four stages. All
 * state is the caller's, so there is nothing to lock and nothing to allocate.
 */
#include "rockpress/engine.h"

#include <stdbool.h>
#include <string.h>

#include "engine/check.h"
#include "engine/error.h"
#include "engine/stages.h"
#include "engine/struct_size.h"
#include "engine/workspace.h"
#include "kernels/base/stages.h"
#include "kernels/base/zstd_format.h"
#include "kernels/cuda/schedule.h"

/* RFC 8878: magic and descriptor 5, content size 4, checksum 4; and a window descriptor, where the
 * frame is no single segment. */
#define FRAME_OVERHEAD_BYTES 13
#define WINDOW_DESCRIPTOR_BYTES 1
#define BLOCK_HEADER_BYTES 3

static const rp_struct_kind options_kind = RP_STRUCT_KIND(rp_compress_options, d_proofs);
static const rp_struct_kind batch_kind = RP_STRUCT_KIND(rp_batch, d_deliveries);

const char *rp_effort_name(rp_effort effort)
{
    switch (effort) {
    case RP_EFFORT_FAST:
        return "fast";
    case RP_EFFORT_DEFAULT:
        return "default";
    case RP_EFFORT_HIGH:
        return "high";
    case RP_EFFORT_MAX:
        return "max";
    }
    return NULL;
}

size_t rp_compress_bound(size_t src_bytes)
{
    if (src_bytes > RP_MAX_INPUT_BYTES)
        return 0;
    size_t n_blocks = (src_bytes + RP_ZSTD_BLOCK_BYTES - 1) / RP_ZSTD_BLOCK_BYTES;
    return FRAME_OVERHEAD_BYTES + (src_bytes > RP_SEGMENT_MAX_BYTES ? WINDOW_DESCRIPTOR_BYTES : 0) +
           src_bytes + BLOCK_HEADER_BYTES * (n_blocks == 0 ? 1 : n_blocks);
}

rp_status rp_read_options(const rp_compress_options *given, rp_compress_options *options)
{
    const rp_compress_options defaults = RP_COMPRESS_OPTIONS_DEFAULT;
    *options = defaults;
    if (given == NULL)
        return RP_STATUS_OK;
    /* With an invalid size it is not known where the error's field is. */
    if (rp_check_struct_size(&options_kind, given, NULL) == RP_STATUS_OK)
        options->error = given->error;
    return rp_read_struct(&options_kind, options, given, options->error);
}

rp_status rp_check_options(const rp_compress_options *options, rp_stream stream)
{
    if (stream.device == NULL)
        return rp_fail(options->error, RP_STATUS_INVALID_STREAM,
                       "the stream's device is NULL; make streams with rp_stream_create()");
    rp_status status = rp_check_device(stream.device, options->error);
    if (status == RP_STATUS_OK)
        status = rp_check_effort_and_flags(options);
    return status;
}

rp_status rp_read_checked_options(const rp_compress_options *given, rp_stream stream,
                                  rp_compress_options *options)
{
    rp_status status = rp_read_options(given, options);
    if (status == RP_STATUS_OK)
        status = rp_check_options(options, stream);
    return status;
}

rp_status rp_check_effort(rp_effort effort, rp_error *error)
{
    if (rp_effort_name(effort) == NULL)
        return rp_fail(error, RP_STATUS_INVALID_EFFORT, "effort %d; allowed: %d (fast) to %d (max)",
                       (int)effort, (int)RP_EFFORT_FAST, (int)RP_EFFORT_MAX);
    return RP_STATUS_OK;
}

rp_status rp_check_effort_and_flags(const rp_compress_options *options)
{
    rp_error *error = options->error;
    rp_status status = rp_check_effort(options->effort, error);
    if (status != RP_STATUS_OK)
        return status;
    if ((options->flags & ~RP_COMPRESS_FLAGS_ALL) != 0)
        return rp_fail(error, RP_STATUS_INVALID_FLAGS, "flags 0x%x; allowed: bits of 0x%x",
                       (unsigned)options->flags, (unsigned)RP_COMPRESS_FLAGS_ALL);
    return RP_STATUS_OK;
}

rp_status rp_check_proofs(const rp_compress_options *options)
{
    if (options->d_proofs == NULL)
        return rp_fail(options->error, RP_STATUS_NULL_POINTER,
                       "options->d_proofs is NULL; a verified call with device pointers needs a "
                       "proof for each input");
    return RP_STATUS_OK;
}

/* The same for a call that need not be verified. */
static rp_status check_verification(const rp_compress_options *options)
{
    return (options->flags & RP_COMPRESS_VERIFY) != 0 ? rp_check_proofs(options) : RP_STATUS_OK;
}

rp_status rp_check_pointers(const rp_named_pointer *pointers, size_t n, rp_error *error)
{
    for (size_t i = 0; i < n; i++) {
        if (pointers[i].pointer == NULL)
            return rp_fail(error, RP_STATUS_NULL_POINTER, "%s is NULL", pointers[i].name);
    }
    return RP_STATUS_OK;
}

rp_status rp_check_batch_size(size_t max_input_bytes, size_t n_inputs, rp_effort effort,
                              rp_error *error)
{
    if (max_input_bytes > RP_MAX_INPUT_BYTES)
        return rp_fail(error, RP_STATUS_INPUT_TOO_LARGE, "input of %zu bytes; allowed: up to %zu",
                       max_input_bytes, RP_MAX_INPUT_BYTES);
    if (rp_workspace_size(max_input_bytes, n_inputs, effort) == 0)
        return rp_fail(
            error, RP_STATUS_INVALID_BATCH_SIZE,
            "batch of %zu inputs of up to %zu bytes; allowed: 1 to %zu inputs, up to %zu "
            "zstd blocks together",
            n_inputs, max_input_bytes, RP_MAX_BATCH_INPUTS, RP_MAX_BATCH_ZSTD_BLOCKS);
    return RP_STATUS_OK;
}

static rp_status check_workspace(const void *d_workspace, size_t workspace_size,
                                 size_t max_input_bytes, size_t n_inputs, rp_effort effort,
                                 rp_error *error)
{
    rp_status status = rp_check_batch_size(max_input_bytes, n_inputs, effort, error);
    if (status != RP_STATUS_OK)
        return status;
    size_t needed = rp_workspace_size(max_input_bytes, n_inputs, effort);
    if (d_workspace == NULL)
        return rp_fail(error, RP_STATUS_NULL_POINTER, "d_workspace is NULL");
    if ((uintptr_t)d_workspace % RP_WORKSPACE_ALIGNMENT != 0)
        return rp_fail(error, RP_STATUS_WORKSPACE_MISALIGNED,
                       "workspace at %p; allowed: multiples of %zu", d_workspace,
                       RP_WORKSPACE_ALIGNMENT);
    if (workspace_size < needed)
        return rp_fail(error, RP_STATUS_WORKSPACE_TOO_SMALL,
                       "workspace of %zu bytes; needed: %zu for %zu inputs of up to %zu bytes",
                       workspace_size, needed, n_inputs, max_input_bytes);
    return RP_STATUS_OK;
}

/* Distances rather than ends are compared: an end could wrap around. */
static bool overlap(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
    uintptr_t a_begin = (uintptr_t)a;
    uintptr_t b_begin = (uintptr_t)b;
    return a_bytes != 0 && b_bytes != 0 &&
           (a_begin - b_begin < b_bytes || b_begin - a_begin < a_bytes);
}

rp_status rp_launch_stage(rp_stage stage, size_t n_teams, bool may_begin_early,
                          const rp_stage_args *args, rp_stream stream)
{
    struct rp_launch launch;
    launch.stage = stage;
    launch.n_teams = (uint32_t)n_teams;
    launch.may_begin_early = may_begin_early;
    launch.args = *args;
    return stream.device->ops->launch(stream, &launch);
}

static rp_status launch_encoders(const rp_stage_args *args, rp_stream stream)
{
    static const rp_stage per_zstd_block[] = {RP_STAGE_LZ77_MATCHER, RP_STAGE_HUFFMAN_ENCODER,
                                              RP_STAGE_FSE_ENCODER};
    if ((stream.device->flags & RP_DEVICE_FUSED_LAUNCH) != 0 && rp_is_fused(args))
        return rp_launch_stage(RP_STAGE_FUSED, args->batch.n_inputs, false, args, stream);
    for (size_t i = 0; i < sizeof(per_zstd_block) / sizeof(per_zstd_block[0]); i++) {
        bool is_beside_literals = per_zstd_block[i] == RP_STAGE_FSE_ENCODER;
        rp_status status = rp_launch_stage(per_zstd_block[i], args->buffers.n_zstd_blocks,
                                           is_beside_literals, args, stream);
        if (status != RP_STATUS_OK)
            return status;
    }
    return rp_launch_stage(RP_STAGE_FRAME_ASSEMBLER, args->batch.n_inputs, false, args, stream);
}

/* The frames, and the proofs of them if they are asked for. */
static rp_status launch_all(const rp_stage_args *args, rp_stream stream)
{
    rp_status status = launch_encoders(args, stream);
    if (status == RP_STATUS_OK && args->batch.d_proofs != NULL)
        status =
            rp_launch_stage(RP_STAGE_FRAME_VERIFIER, args->batch.n_inputs, false, args, stream);
    return status;
}

rp_stage_args rp_stage_args_of(const rp_compress_options *options)
{
    rp_stage_args args;
    memset(&args, 0, sizeof(args));
    args.effort = (uint32_t)options->effort;
    args.flags = options->flags;
    if ((options->flags & RP_COMPRESS_VERIFY) != 0)
        args.batch.d_proofs = options->d_proofs;
    return args;
}

/* Without proofs nobody would use entry points, so none are made. */
static void lay_out(void *d_workspace, rp_stage_args *args)
{
    rp_workspace_layout((uint8_t *)d_workspace, args->batch.max_input_bytes, args->batch.n_inputs,
                        (rp_effort)args->effort, &args->buffers);
    if (args->batch.d_proofs == NULL)
        args->buffers.d_entry_points = NULL;
}

rp_status rp_enqueue_stages(void *d_workspace, size_t workspace_size, rp_stage_args *args,
                            rp_error *error, rp_stream stream)
{
    size_t max_input_bytes = args->batch.max_input_bytes;
    size_t n_inputs = args->batch.n_inputs;
    rp_effort effort = (rp_effort)args->effort;
    rp_status status =
        check_workspace(d_workspace, workspace_size, max_input_bytes, n_inputs, effort, error);
    if (status != RP_STATUS_OK)
        return status;
    lay_out(d_workspace, args);
    return launch_all(args, stream);
}

static rp_status check_single(const rp_stage_args *args, const void *d_workspace,
                              size_t workspace_size, rp_error *error)
{
    const rp_single *one = &args->single;
    /* No frame is longer, so a capacity beyond that is no claim to more memory. */
    size_t bound = rp_compress_bound(one->input_size);
    size_t writable = one->output_capacity < bound ? one->output_capacity : bound;
    if (one->d_input == NULL && one->input_size != 0)
        return rp_fail(error, RP_STATUS_NULL_POINTER, "d_input is NULL with input_size %zu",
                       one->input_size);
    if (one->d_output == NULL && one->output_capacity != 0)
        return rp_fail(error, RP_STATUS_NULL_POINTER, "d_output is NULL with output_capacity %zu",
                       one->output_capacity);
    const rp_named_pointer results[] = {
        {args->batch.d_output_sizes, "d_output_size"},
        {args->batch.d_statuses, "d_status"},
    };
    rp_status status = rp_check_pointers(results, sizeof(results) / sizeof(results[0]), error);
    if (status != RP_STATUS_OK)
        return status;
    if (overlap(one->d_input, one->input_size, one->d_output, writable) ||
        overlap(one->d_input, one->input_size, d_workspace, workspace_size) ||
        overlap(one->d_output, writable, d_workspace, workspace_size))
        return rp_fail(error, RP_STATUS_OVERLAP,
                       "input %p + %zu, output %p + %zu and workspace %p + %zu overlap",
                       one->d_input, one->input_size, one->d_output, one->output_capacity,
                       d_workspace, workspace_size);
    return RP_STATUS_OK;
}

rp_status rp_compress_async(void *d_workspace, size_t workspace_size, const void *d_input,
                            size_t input_size, void *d_output, size_t output_capacity,
                            size_t *d_output_size, rp_status *d_status,
                            const rp_compress_options *given_options, rp_stream stream)
{
    rp_compress_options options;
    rp_status status = rp_read_checked_options(given_options, stream, &options);
    if (status == RP_STATUS_OK)
        status = check_workspace(d_workspace, workspace_size, input_size, 1, options.effort,
                                 options.error);
    if (status != RP_STATUS_OK)
        return status;
    rp_stage_args args = rp_stage_args_of(&options);
    args.batch.max_input_bytes = input_size;
    args.batch.n_inputs = 1;
    args.batch.d_output_sizes = d_output_size;
    args.batch.d_statuses = d_status;
    args.single.d_input = d_input;
    args.single.input_size = input_size;
    args.single.d_output = d_output;
    args.single.output_capacity = output_capacity;
    status = check_single(&args, d_workspace, workspace_size, options.error);
    if (status == RP_STATUS_OK)
        status = check_verification(&options);
    if (status != RP_STATUS_OK)
        return status;
    lay_out(d_workspace, &args);
    return launch_all(&args, stream);
}

rp_status rp_read_batch(const rp_batch *given, rp_kernel_batch *batch, rp_error *error)
{
    rp_batch known = RP_BATCH_INIT;
    rp_status status = rp_read_struct(&batch_kind, &known, given, error);
    if (status != RP_STATUS_OK)
        return status;
    batch->d_inputs = known.d_inputs;
    batch->d_input_sizes = known.d_input_sizes;
    batch->max_input_bytes = known.max_input_bytes;
    batch->n_inputs = known.n_inputs;
    batch->d_outputs = known.d_outputs;
    batch->d_output_capacities = known.d_output_capacities;
    batch->d_output_sizes = known.d_output_sizes;
    batch->d_statuses = known.d_statuses;
    batch->d_deliveries = known.d_deliveries;
    const rp_named_pointer arrays[] = {
        {batch->d_inputs, "batch->d_inputs"},
        {batch->d_input_sizes, "batch->d_input_sizes"},
        {batch->d_outputs, "batch->d_outputs"},
        {batch->d_output_capacities, "batch->d_output_capacities"},
        {batch->d_output_sizes, "batch->d_output_sizes"},
        {batch->d_statuses, "batch->d_statuses"},
    };
    return rp_check_pointers(arrays, sizeof(arrays) / sizeof(arrays[0]), error);
}

rp_status rp_compress_batch_async(void *d_workspace, size_t workspace_size, const rp_batch *batch,
                                  const rp_compress_options *given_options, rp_stream stream)
{
    rp_compress_options options;
    rp_status status = rp_read_checked_options(given_options, stream, &options);
    if (status != RP_STATUS_OK)
        return status;
    rp_stage_args args = rp_stage_args_of(&options);
    status = rp_read_batch(batch, &args.batch, options.error);
    if (status == RP_STATUS_OK)
        status = check_verification(&options);
    if (status == RP_STATUS_OK && args.batch.d_deliveries != NULL && args.batch.d_proofs == NULL)
        status = rp_fail(options.error, RP_STATUS_INVALID_OPTION,
                         "batch->d_deliveries at %p without RP_COMPRESS_VERIFY; allowed: NULL",
                         (const void *)args.batch.d_deliveries);
    if (status != RP_STATUS_OK)
        return status;
    return rp_enqueue_stages(d_workspace, workspace_size, &args, options.error, stream);
}
