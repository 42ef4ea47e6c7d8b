/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A workspace is one array for each kind of intermediate result, with one element for each
 * zstd block of the batch. Sizes follow from the largest input alone, so that the size of a
 * workspace can be known before there is one.
 */
#include "engine/workspace.h"

#include "kernels/base/entry_points.h"
#include "kernels/decode/block.h"
#include "kernels/match/stage.h"

static size_t round_up(size_t bytes)
{
    return rp_round_up(bytes, RP_WORKSPACE_ALIGNMENT);
}

static uint8_t *carve(uint8_t **next, size_t stride, size_t n)
{
    uint8_t *here = *next;
    *next += round_up(stride * n);
    return here;
}

size_t rp_workspace_layout(uint8_t *base, size_t max_input_bytes, size_t n_inputs, rp_effort effort,
                           rp_kernel_buffers *buffers)
{
    size_t zstd_block_bytes = max_input_bytes;
    size_t per_input = 1;
    if (max_input_bytes > RP_ZSTD_BLOCK_BYTES) {
        zstd_block_bytes = RP_ZSTD_BLOCK_BYTES;
        per_input = (max_input_bytes + zstd_block_bytes - 1) / zstd_block_bytes;
    }
    /* A zstd block of 0 bytes takes its place too, which keeps the arithmetic free of exceptions.
     */
    if (zstd_block_bytes == 0)
        zstd_block_bytes = 1;
    size_t max_sequences = zstd_block_bytes / RP_PARSED_MIN_BYTES + 1;
    /* The matcher's scratch; the sequences stage has use for 4 bytes a sequence of it, and the
     * verifier for what it decodes, after all others. */
    size_t extra = rp_lz77_scratch_bytes((uint32_t)zstd_block_bytes, effort >= RP_EFFORT_HIGH);
    size_t decoded = rp_decode_scratch_bytes((uint32_t)zstd_block_bytes);
    extra = extra < decoded ? decoded : extra;

    buffers->n_zstd_blocks = n_inputs * per_input;
    buffers->zstd_blocks_per_input = per_input;
    buffers->zstd_block_bytes = zstd_block_bytes;
    buffers->sequences_stride = max_sequences;
    buffers->literals_stride = round_up(zstd_block_bytes + RP_BUFFER_SLACK);
    buffers->literals_section_stride = round_up(zstd_block_bytes + RP_BUFFER_SLACK);
    buffers->sequences_section_stride = round_up(zstd_block_bytes + RP_BUFFER_SLACK);
    buffers->scratch_stride = round_up(extra);
    buffers->entry_points_stride = round_up(rp_entry_points_bytes((uint32_t)zstd_block_bytes));

    size_t n = buffers->n_zstd_blocks;
    uint8_t *next = base;
    buffers->d_team_memory = carve(&next, RP_TEAM_MEMORY_BYTES, 1);
    buffers->d_zstd_blocks = (rp_zstd_block *)(void *)carve(&next, sizeof(rp_zstd_block), n);
    buffers->d_sequences =
        (rp_sequence *)(void *)carve(&next, max_sequences * sizeof(rp_sequence), n);
    buffers->d_literals = carve(&next, buffers->literals_stride, n);
    buffers->d_literals_sections = carve(&next, buffers->literals_section_stride, n);
    buffers->d_sequences_sections = carve(&next, buffers->sequences_section_stride, n);
    buffers->d_entry_points = carve(&next, buffers->entry_points_stride, n);
    buffers->d_scratch = carve(&next, buffers->scratch_stride, n);
    return (size_t)(next - base);
}

bool rp_is_batch_in_range(size_t max_input_bytes, size_t n_inputs)
{
    if (max_input_bytes > RP_MAX_INPUT_BYTES || n_inputs == 0 || n_inputs > RP_MAX_BATCH_INPUTS)
        return false;
    size_t per_input = (max_input_bytes + RP_ZSTD_BLOCK_BYTES - 1) / RP_ZSTD_BLOCK_BYTES;
    return n_inputs <= RP_MAX_BATCH_ZSTD_BLOCKS / (per_input == 0 ? 1 : per_input);
}

size_t rp_workspace_size(size_t max_input_bytes, size_t max_inputs, rp_effort effort)
{
    rp_kernel_buffers buffers;
    if (rp_effort_name(effort) == NULL || !rp_is_batch_in_range(max_input_bytes, max_inputs))
        return 0;
    /* An aligned address that is not NULL, of which only differences are taken. */
    return rp_workspace_layout((uint8_t *)RP_WORKSPACE_ALIGNMENT, max_input_bytes, max_inputs,
                               effort, &buffers);
}
