/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages one by one: lays out buffers that a caller keeps, and checks those that come back
 * before a stage is launched on them.
 */
#include "engine/stages.h"

#include "engine/check.h"
#include "engine/error.h"
#include "engine/struct_size.h"
#include "engine/workspace.h"

static const rp_struct_kind buffers_kind = RP_STRUCT_KIND(rp_stage_buffers, entry_points_stride);

rp_status rp_read_buffers(const rp_stage_buffers *given, rp_kernel_buffers *buffers,
                          rp_error *error)
{
    rp_stage_buffers known = RP_STAGE_BUFFERS_INIT;
    rp_status status = rp_read_struct(&buffers_kind, &known, given, error);
    if (status != RP_STATUS_OK)
        return status;
    buffers->n_zstd_blocks = known.n_zstd_blocks;
    buffers->zstd_blocks_per_input = known.zstd_blocks_per_input;
    buffers->zstd_block_bytes = known.zstd_block_bytes;
    buffers->d_zstd_blocks = known.d_zstd_blocks;
    buffers->d_sequences = known.d_sequences;
    buffers->sequences_stride = known.sequences_stride;
    buffers->d_literals = known.d_literals;
    buffers->literals_stride = known.literals_stride;
    buffers->d_literals_sections = known.d_literals_sections;
    buffers->literals_section_stride = known.literals_section_stride;
    buffers->d_sequences_sections = known.d_sequences_sections;
    buffers->sequences_section_stride = known.sequences_section_stride;
    buffers->d_scratch = known.d_scratch;
    buffers->scratch_stride = known.scratch_stride;
    buffers->d_team_memory = known.d_team_memory;
    buffers->d_entry_points = known.d_entry_points;
    buffers->entry_points_stride = known.entry_points_stride;
    return RP_STATUS_OK;
}

static rp_status write_buffers(const rp_kernel_buffers *made, rp_stage_buffers *buffers)
{
    const rp_stage_buffers known = {
        sizeof(known),
        made->n_zstd_blocks,
        made->zstd_blocks_per_input,
        made->zstd_block_bytes,
        made->d_zstd_blocks,
        made->d_sequences,
        made->sequences_stride,
        made->d_literals,
        made->literals_stride,
        made->d_literals_sections,
        made->literals_section_stride,
        made->d_sequences_sections,
        made->sequences_section_stride,
        made->d_scratch,
        made->scratch_stride,
        made->d_team_memory,
        made->d_entry_points,
        made->entry_points_stride,
    };
    return rp_write_struct(&buffers_kind, buffers, &known, NULL);
}

rp_status rp_workspace_carve(void *d_workspace, size_t workspace_size, size_t max_input_bytes,
                             size_t n_inputs, rp_effort effort, rp_stage_buffers *buffers)
{
    rp_kernel_buffers made;
    if (d_workspace == NULL || buffers == NULL)
        return RP_STATUS_NULL_POINTER;
    rp_status status = rp_check_struct_size(&buffers_kind, buffers, NULL);
    if (status != RP_STATUS_OK)
        return status;
    if ((uintptr_t)d_workspace % RP_WORKSPACE_ALIGNMENT != 0)
        return RP_STATUS_WORKSPACE_MISALIGNED;
    if (rp_effort_name(effort) == NULL)
        return RP_STATUS_INVALID_EFFORT;
    if (max_input_bytes > RP_MAX_INPUT_BYTES)
        return RP_STATUS_INPUT_TOO_LARGE;
    if (!rp_is_batch_in_range(max_input_bytes, n_inputs))
        return RP_STATUS_INVALID_BATCH_SIZE;
    if (rp_workspace_size(max_input_bytes, n_inputs, effort) > workspace_size)
        return RP_STATUS_WORKSPACE_TOO_SMALL;
    rp_workspace_layout((uint8_t *)d_workspace, max_input_bytes, n_inputs, effort, &made);
    return write_buffers(&made, buffers);
}

/* What the stages write to each zstd block's part of a buffer follows from the size of a zstd block
 * and from the effort. Into a part that is smaller, such as one laid out for a lower effort, they
 * would write too much. */
static rp_status check_strides(const rp_kernel_buffers *buffers, rp_effort effort, rp_error *error)
{
    rp_kernel_buffers needed;
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
        {"entry_points_stride", buffers->entry_points_stride,
         buffers->d_entry_points == NULL ? 0 : needed.entry_points_stride, RP_WORKSPACE_ALIGNMENT},
    };
    for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
        /* Entry points are the only part that there need not be. */
        if (strides[i].needs == 0)
            continue;
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

static rp_status check_alignment(const rp_kernel_buffers *buffers, rp_error *error)
{
    const rp_named_pointer parts[] = {
        {buffers->d_zstd_blocks, "d_zstd_blocks"},
        {buffers->d_sequences, "d_sequences"},
        {buffers->d_literals, "d_literals"},
        {buffers->d_literals_sections, "d_literals_sections"},
        {buffers->d_sequences_sections, "d_sequences_sections"},
        {buffers->d_scratch, "d_scratch"},
        {buffers->d_team_memory, "d_team_memory"},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].pointer == NULL)
            return rp_fail(error, RP_STATUS_NULL_POINTER,
                           "%s is NULL; lay buffers out with rp_workspace_carve()", parts[i].name);
        if ((uintptr_t)parts[i].pointer % RP_WORKSPACE_ALIGNMENT != 0)
            return rp_fail(error, RP_STATUS_WORKSPACE_MISALIGNED,
                           "%s at %p; allowed: multiples of %zu", parts[i].name, parts[i].pointer,
                           RP_WORKSPACE_ALIGNMENT);
    }
    if ((uintptr_t)buffers->d_entry_points % RP_WORKSPACE_ALIGNMENT != 0)
        return rp_fail(error, RP_STATUS_WORKSPACE_MISALIGNED,
                       "d_entry_points at %p; allowed: NULL and multiples of %zu",
                       (void *)buffers->d_entry_points, RP_WORKSPACE_ALIGNMENT);
    return RP_STATUS_OK;
}

static rp_status check_buffers(const rp_kernel_batch *batch, const rp_kernel_buffers *buffers,
                               rp_effort effort, rp_error *error)
{
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
                            const rp_compress_options *given_options, rp_stream stream)
{
    rp_compress_options options;
    rp_status status = rp_read_checked_options(given_options, stream, &options);
    if (status != RP_STATUS_OK)
        return status;
    rp_stage_args args = rp_stage_args_of(&options);
    status = rp_read_batch(batch, &args.batch, options.error);
    if (status == RP_STATUS_OK)
        status = rp_read_buffers(buffers, &args.buffers, options.error);
    if (status == RP_STATUS_OK)
        status = check_buffers(&args.batch, &args.buffers, options.effort, options.error);
    if (status != RP_STATUS_OK)
        return status;
    size_t n_teams = args.buffers.n_zstd_blocks;
    if (stage == RP_STAGE_FRAME_ASSEMBLER || stage == RP_STAGE_FRAME_VERIFIER)
        n_teams = args.batch.n_inputs;
    if (stage == RP_STAGE_FRAME_VERIFIER) {
        args.batch.d_proofs = options.d_proofs;
        status = rp_check_proofs(&options);
        if (status != RP_STATUS_OK)
            return status;
    }
    return rp_launch_stage(stage, n_teams, false, &args, stream);
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

rp_status rp_launch_frame_verifier(const rp_batch *batch, const rp_stage_buffers *buffers,
                                   const rp_compress_options *options, rp_stream stream)
{
    return launch_one(RP_STAGE_FRAME_VERIFIER, batch, buffers, options, stream);
}
