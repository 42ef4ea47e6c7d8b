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
#include "engine/workspace.h"
#include "kernels/base/stages.h"
#include "kernels/cuda/tuning.h"

/* RFC 8878: magic and descriptor 5, content size 4, checksum 4. */
#define FRAME_OVERHEAD_BYTES 13
#define BLOCK_HEADER_BYTES 3

static const rp_compress_options default_options = RP_COMPRESS_OPTIONS_DEFAULT;

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
    return FRAME_OVERHEAD_BYTES + src_bytes + BLOCK_HEADER_BYTES * (n_blocks == 0 ? 1 : n_blocks);
}

rp_status rp_check_options(const rp_compress_options *options, rp_stream stream)
{
    if (stream.device == NULL || stream.device->ops == NULL)
        return rp_fail(options->error, RP_STATUS_INVALID_STREAM,
                       "the stream's device is NULL; make streams with rp_stream_create()");
    return rp_check_effort_and_flags(options);
}

rp_status rp_check_effort_and_flags(const rp_compress_options *options)
{
    rp_error *error = options->error;
    if (rp_effort_name(options->effort) == NULL)
        return rp_fail(error, RP_STATUS_INVALID_EFFORT, "effort %d; allowed: %d (fast) to %d (max)",
                       (int)options->effort, (int)RP_EFFORT_FAST, (int)RP_EFFORT_MAX);
    if ((options->flags & ~RP_COMPRESS_FLAGS_ALL) != 0)
        return rp_fail(error, RP_STATUS_INVALID_FLAGS, "flags 0x%x; allowed: bits of 0x%x",
                       (unsigned)options->flags, (unsigned)RP_COMPRESS_FLAGS_ALL);
    return RP_STATUS_OK;
}

rp_status rp_check_batch_size(size_t max_input_bytes, size_t n_inputs,
                              const rp_compress_options *options)
{
    if (max_input_bytes > RP_MAX_INPUT_BYTES)
        return rp_fail(options->error, RP_STATUS_INPUT_TOO_LARGE,
                       "input of %zu bytes; allowed: up to %zu", max_input_bytes,
                       RP_MAX_INPUT_BYTES);
    if (rp_workspace_size(max_input_bytes, n_inputs, options->effort) == 0)
        return rp_fail(
            options->error, RP_STATUS_INVALID_BATCH_SIZE,
            "batch of %zu inputs of up to %zu bytes; allowed: 1 to %zu inputs, up to %zu "
            "zstd blocks together",
            n_inputs, max_input_bytes, RP_MAX_BATCH_INPUTS, RP_MAX_BATCH_ZSTD_BLOCKS);
    return RP_STATUS_OK;
}

static rp_status check_workspace(const void *d_workspace, size_t workspace_size,
                                 size_t max_input_bytes, size_t n_inputs,
                                 const rp_compress_options *options)
{
    rp_error *error = options->error;
    rp_status status = rp_check_batch_size(max_input_bytes, n_inputs, options);
    if (status != RP_STATUS_OK)
        return status;
    size_t needed = rp_workspace_size(max_input_bytes, n_inputs, options->effort);
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

static rp_status launch_stage(rp_stage stage, size_t n_teams, bool may_begin_early,
                              const rp_stage_args *args, rp_stream stream)
{
    struct rp_launch launch;
    launch.stage = stage;
    launch.n_teams = (uint32_t)n_teams;
    launch.may_begin_early = may_begin_early;
    launch.args = *args;
    return stream.device->ops->launch(stream, &launch);
}

/* Few and small inputs leave a GPU idle whatever is done, so the fewest steps are the fastest. The
 * optimal parse takes longer than what it would save. */
static bool is_for_one_launch(const rp_stage_args *args, rp_stream stream)
{
    return (stream.device->flags & RP_DEVICE_FUSED_LAUNCH) != 0 &&
           args->buffers.zstd_blocks_per_input == 1 &&
           args->buffers.zstd_block_bytes <= RP_FUSED_MAX_BYTES &&
           args->batch.n_inputs <= RP_FUSED_MAX_INPUTS && args->effort < RP_EFFORT_HIGH;
}

static rp_status launch_all(const rp_stage_args *args, rp_stream stream)
{
    static const rp_stage per_zstd_block[] = {RP_STAGE_LZ77_MATCHER, RP_STAGE_HUFFMAN_ENCODER,
                                              RP_STAGE_FSE_ENCODER};
    if (is_for_one_launch(args, stream))
        return launch_stage(RP_STAGE_FUSED, args->batch.n_inputs, false, args, stream);
    for (size_t i = 0; i < sizeof(per_zstd_block) / sizeof(per_zstd_block[0]); i++) {
        bool is_beside_literals = per_zstd_block[i] == RP_STAGE_FSE_ENCODER;
        rp_status status = launch_stage(per_zstd_block[i], args->buffers.n_zstd_blocks,
                                        is_beside_literals, args, stream);
        if (status != RP_STATUS_OK)
            return status;
    }
    return launch_stage(RP_STAGE_FRAME_ASSEMBLER, args->batch.n_inputs, false, args, stream);
}

rp_status rp_compress_async(void *d_workspace, size_t workspace_size, const void *d_input,
                            size_t input_size, void *d_output, size_t output_capacity,
                            size_t *d_output_size, rp_status *d_status,
                            const rp_compress_options *options, rp_stream stream)
{
    if (options == NULL)
        options = &default_options;
    rp_error *error = options->error;
    rp_status status = rp_check_options(options, stream);
    if (status == RP_STATUS_OK)
        status = check_workspace(d_workspace, workspace_size, input_size, 1, options);
    if (status != RP_STATUS_OK)
        return status;
    if (d_input == NULL && input_size != 0)
        return rp_fail(error, RP_STATUS_NULL_POINTER, "d_input is NULL with input_size %zu",
                       input_size);
    if (d_output == NULL && output_capacity != 0)
        return rp_fail(error, RP_STATUS_NULL_POINTER, "d_output is NULL with output_capacity %zu",
                       output_capacity);
    if (d_output_size == NULL || d_status == NULL)
        return rp_fail(error, RP_STATUS_NULL_POINTER, "%s is NULL",
                       d_output_size == NULL ? "d_output_size" : "d_status");
    if (overlap(d_input, input_size, d_output, output_capacity) ||
        overlap(d_input, input_size, d_workspace, workspace_size) ||
        overlap(d_output, output_capacity, d_workspace, workspace_size))
        return rp_fail(error, RP_STATUS_OVERLAP,
                       "input %p + %zu, output %p + %zu and workspace %p + %zu overlap", d_input,
                       input_size, d_output, output_capacity, d_workspace, workspace_size);

    rp_stage_args args;
    memset(&args, 0, sizeof(args));
    args.batch.max_input_bytes = input_size;
    args.batch.n_inputs = 1;
    args.batch.d_output_sizes = d_output_size;
    args.batch.d_statuses = d_status;
    args.single.d_input = d_input;
    args.single.input_size = input_size;
    args.single.d_output = d_output;
    args.single.output_capacity = output_capacity;
    args.effort = (uint32_t)options->effort;
    args.flags = options->flags;
    rp_workspace_layout((uint8_t *)d_workspace, input_size, 1, options->effort, &args.buffers);
    return launch_all(&args, stream);
}

static rp_status check_batch(const rp_batch *batch, rp_error *error)
{
    if (batch == NULL)
        return rp_fail(error, RP_STATUS_NULL_POINTER, "batch is NULL");
    const struct {
        const void *pointer;
        const char *name;
    } arrays[] = {
        {batch->d_inputs, "d_inputs"},
        {batch->d_input_sizes, "d_input_sizes"},
        {batch->d_outputs, "d_outputs"},
        {batch->d_output_capacities, "d_output_capacities"},
        {batch->d_output_sizes, "d_output_sizes"},
        {batch->d_statuses, "d_statuses"},
    };
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        if (arrays[i].pointer == NULL)
            return rp_fail(error, RP_STATUS_NULL_POINTER, "batch->%s is NULL", arrays[i].name);
    }
    return RP_STATUS_OK;
}

static void batch_args(rp_stage_args *args, const rp_batch *batch,
                       const rp_compress_options *options)
{
    memset(args, 0, sizeof(*args));
    args->batch = *batch;
    args->effort = (uint32_t)options->effort;
    args->flags = options->flags;
}

rp_status rp_compress_batch_async(void *d_workspace, size_t workspace_size, const rp_batch *batch,
                                  const rp_compress_options *options, rp_stream stream)
{
    if (options == NULL)
        options = &default_options;
    rp_status status = rp_check_options(options, stream);
    if (status == RP_STATUS_OK)
        status = check_batch(batch, options->error);
    if (status != RP_STATUS_OK)
        return status;
    return rp_enqueue_batch(d_workspace, workspace_size, batch, 0, options, stream);
}

rp_status rp_enqueue_batch(void *d_workspace, size_t workspace_size, const rp_batch *batch,
                           size_t common_capacity, const rp_compress_options *options,
                           rp_stream stream)
{
    rp_status status = check_workspace(d_workspace, workspace_size, batch->max_input_bytes,
                                       batch->n_inputs, options);
    if (status != RP_STATUS_OK)
        return status;
    rp_stage_args args;
    batch_args(&args, batch, options);
    args.single.output_capacity = common_capacity;
    rp_workspace_layout((uint8_t *)d_workspace, batch->max_input_bytes, batch->n_inputs,
                        options->effort, &args.buffers);
    return launch_all(&args, stream);
}

/* What the stages write to each zstd block's part of a buffer follows from the size of a zstd block
 * and from the effort; a part that is smaller, as one laid out for a lower effort is, would be
 * left. */
static rp_status check_strides(const rp_stage_buffers *buffers, rp_effort effort, rp_error *error)
{
    rp_stage_buffers needed;
    /* An aligned address that is not NULL, of which nothing is read. */
    rp_workspace_layout((uint8_t *)RP_WORKSPACE_ALIGNMENT, buffers->zstd_block_bytes, 1, effort,
                        &needed);
    const struct {
        const char *name;
        size_t has;
        size_t needs;
        size_t multiple;
    } strides[] = {
        {"sequences_stride", buffers->sequences_stride, needed.sequences_stride, 1},
        {"literals_stride", buffers->literals_stride, needed.literals_stride,
         RP_WORKSPACE_ALIGNMENT},
        {"literals_section_stride", buffers->literals_section_stride,
         needed.literals_section_stride, RP_WORKSPACE_ALIGNMENT},
        {"sequences_section_stride", buffers->sequences_section_stride,
         needed.sequences_section_stride, RP_WORKSPACE_ALIGNMENT},
        {"scratch_stride", buffers->scratch_stride, needed.scratch_stride, RP_WORKSPACE_ALIGNMENT},
    };
    for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
        if (strides[i].has < strides[i].needs || strides[i].has % strides[i].multiple != 0)
            return rp_fail(
                error, RP_STATUS_WORKSPACE_TOO_SMALL,
                "%s %zu for zstd blocks of %zu bytes at effort %s; allowed: multiples of %zu "
                "from %zu on",
                strides[i].name, strides[i].has, buffers->zstd_block_bytes, rp_effort_name(effort),
                strides[i].multiple, strides[i].needs);
    }
    return RP_STATUS_OK;
}

static rp_status check_alignment(const rp_stage_buffers *buffers, rp_error *error)
{
    const struct {
        const char *name;
        const void *address;
    } parts[] = {
        {"d_zstd_blocks", buffers->d_zstd_blocks},
        {"d_sequences", buffers->d_sequences},
        {"d_literals", buffers->d_literals},
        {"d_literals_sections", buffers->d_literals_sections},
        {"d_sequences_sections", buffers->d_sequences_sections},
        {"d_scratch", buffers->d_scratch},
        {"d_team_memory", buffers->d_team_memory},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].address == NULL)
            return rp_fail(error, RP_STATUS_NULL_POINTER,
                           "%s is NULL; lay buffers out with rp_workspace_carve()", parts[i].name);
        if ((uintptr_t)parts[i].address % RP_WORKSPACE_ALIGNMENT != 0)
            return rp_fail(error, RP_STATUS_WORKSPACE_MISALIGNED,
                           "%s at %p; allowed: multiples of %zu", parts[i].name, parts[i].address,
                           RP_WORKSPACE_ALIGNMENT);
    }
    return RP_STATUS_OK;
}

static rp_status check_buffers(const rp_batch *batch, const rp_stage_buffers *buffers,
                               rp_effort effort, rp_error *error)
{
    if (buffers == NULL)
        return rp_fail(error, RP_STATUS_NULL_POINTER, "buffers is NULL");
    rp_status status = check_alignment(buffers, error);
    if (status != RP_STATUS_OK)
        return status;
    if (batch->max_input_bytes > RP_MAX_INPUT_BYTES)
        return rp_fail(error, RP_STATUS_INPUT_TOO_LARGE, "inputs of up to %zu bytes; allowed: %zu",
                       batch->max_input_bytes, RP_MAX_INPUT_BYTES);
    if (buffers->zstd_block_bytes == 0 || buffers->zstd_block_bytes > RP_ZSTD_BLOCK_BYTES)
        return rp_fail(error, RP_STATUS_INVALID_OPTION,
                       "zstd blocks of %zu bytes; allowed: 1 to %zu", buffers->zstd_block_bytes,
                       RP_ZSTD_BLOCK_BYTES);
    if (batch->n_inputs == 0 || batch->n_inputs > RP_MAX_BATCH_INPUTS ||
        buffers->zstd_blocks_per_input == 0 || buffers->n_zstd_blocks > RP_MAX_BATCH_ZSTD_BLOCKS ||
        buffers->zstd_blocks_per_input > RP_MAX_BATCH_ZSTD_BLOCKS ||
        buffers->n_zstd_blocks != batch->n_inputs * buffers->zstd_blocks_per_input)
        return rp_fail(error, RP_STATUS_INVALID_BATCH_SIZE,
                       "%zu inputs with buffers for %zu zstd blocks, %zu for each input",
                       batch->n_inputs, buffers->n_zstd_blocks, buffers->zstd_blocks_per_input);
    if (batch->max_input_bytes > buffers->zstd_block_bytes * buffers->zstd_blocks_per_input)
        return rp_fail(error, RP_STATUS_INPUT_TOO_LARGE,
                       "inputs of up to %zu bytes with buffers for %zu", batch->max_input_bytes,
                       buffers->zstd_block_bytes * buffers->zstd_blocks_per_input);
    return check_strides(buffers, effort, error);
}

static rp_status launch_one(rp_stage stage, const rp_batch *batch, const rp_stage_buffers *buffers,
                            const rp_compress_options *options, rp_stream stream)
{
    if (options == NULL)
        options = &default_options;
    rp_status status = rp_check_options(options, stream);
    if (status == RP_STATUS_OK)
        status = check_batch(batch, options->error);
    if (status == RP_STATUS_OK)
        status = check_buffers(batch, buffers, options->effort, options->error);
    if (status != RP_STATUS_OK)
        return status;
    rp_stage_args args;
    batch_args(&args, batch, options);
    args.buffers = *buffers;
    return launch_stage(
        stage, stage == RP_STAGE_FRAME_ASSEMBLER ? batch->n_inputs : buffers->n_zstd_blocks, false,
        &args, stream);
}

rp_status rp_launch_lz77_matcher(const rp_batch *batch, const rp_stage_buffers *buffers,
                                 const rp_compress_options *options, rp_stream stream)
{
    return launch_one(RP_STAGE_LZ77_MATCHER, batch, buffers, options, stream);
}

rp_status rp_launch_huffman_encoder(const rp_batch *batch, const rp_stage_buffers *buffers,
                                    const rp_compress_options *options, rp_stream stream)
{
    return launch_one(RP_STAGE_HUFFMAN_ENCODER, batch, buffers, options, stream);
}

rp_status rp_launch_fse_encoder(const rp_batch *batch, const rp_stage_buffers *buffers,
                                const rp_compress_options *options, rp_stream stream)
{
    return launch_one(RP_STAGE_FSE_ENCODER, batch, buffers, options, stream);
}

rp_status rp_launch_frame_assembler(const rp_batch *batch, const rp_stage_buffers *buffers,
                                    const rp_compress_options *options, rp_stream stream)
{
    return launch_one(RP_STAGE_FRAME_ASSEMBLER, batch, buffers, options, stream);
}
