/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 4: the frame of one input (RFC 8878 section 3.1.1): header, the input's zstd blocks, each
 * in the smallest of the three forms, and a checksum if asked for. One team assembles one frame.
 */
#ifndef ROCKPRESS_KERNELS_FRAME_STAGE_H
#define ROCKPRESS_KERNELS_FRAME_STAGE_H

#include "kernels/base/stages.h"
#include "kernels/base/xxh64.h"
#include "kernels/base/zstd_format.h"

/* Magic number, two descriptors, and at most 4 bytes of content size. */
#define RP_FRAME_HEADER_MAX_BYTES 10
#define RP_FRAME_CHECKSUM_BYTES 4

/* The team's memory. */
typedef struct rp_frame_memory {
    uint64_t lanes[RP_XXH_LANES];
    uint8_t header[RP_FRAME_HEADER_MAX_BYTES];
} rp_frame_memory;

/* Not a form: the sections have sizes that no stage leaves. */
#define RP_BLOCK_IMPOSSIBLE 3

/* How a zstd block is written. */
typedef struct rp_block_form {
    uint32_t type;          /* RP_BLOCK_RAW, RP_BLOCK_RLE, RP_BLOCK_COMPRESSED, or IMPOSSIBLE */
    uint32_t content_bytes; /* without the block's header */
} rp_block_form;

/* Frame_Content_Size_Flag; the field has 2^flag bytes. */
RP_FN uint32_t rp_content_size_flag(size_t content_bytes)
{
    return content_bytes < 256 ? 0 : content_bytes < 65536 + 256 ? 1 : 2;
}

/* The bytes of the frame's header. */
RP_FN uint32_t rp_frame_header_bytes(size_t content_bytes)
{
    return 5 + (content_bytes > RP_SEGMENT_MAX_BYTES ? 1 : 0) +
           (UINT32_C(1) << rp_content_size_flag(content_bytes));
}

/* Writes the Frame_Header (3.1.1.1). A single segment has no window descriptor. One worker. */
RP_FN void rp_frame_header(uint8_t *header, size_t content_bytes, bool has_checksum)
{
    uint32_t flag = rp_content_size_flag(content_bytes);
    bool is_segment = content_bytes <= RP_SEGMENT_MAX_BYTES;
    rp_store_bytes(header, RP_FRAME_MAGIC, 4);
    header[4] = (uint8_t)(flag << 6 | (is_segment ? 1 : 0) << 5 | (has_checksum ? 1 : 0) << 2);
    if (!is_segment)
        header[5] = RP_WINDOW_DESCRIPTOR;
    rp_store_bytes(header + (is_segment ? 5 : 6), flag == 1 ? content_bytes - 256 : content_bytes,
                   UINT32_C(1) << flag);
}

/* The smallest form of a zstd block. The earlier stages code a block of equal bytes as one literal
 * and a match of offset 1 after it or, if it is too short for a match, as RLE literals. */
RP_FN rp_block_form rp_choose_block_form(const rp_kernel_buffers *buffers, size_t block_index,
                                         uint32_t n_bytes)
{
    const rp_zstd_block *zstd_block = &buffers->d_zstd_blocks[block_index];
    rp_block_form form;
    uint32_t compressed = zstd_block->literals_section_bytes + zstd_block->sequences_section_bytes;
    form.type = RP_BLOCK_RAW;
    form.content_bytes = n_bytes;
    if (n_bytes == 0)
        return form;
    /* Raw literals take 3 bytes more than they have. Longer sections may end outside of the
     * buffers, and the sum of their sizes may wrap around. */
    if (zstd_block->literals_section_bytes > n_bytes + 3 ||
        zstd_block->sequences_section_bytes > n_bytes) {
        form.type = RP_BLOCK_IMPOSSIBLE;
        return form;
    }
    if (zstd_block->sequences_section_bytes != 0 && compressed < n_bytes) {
        form.type = RP_BLOCK_COMPRESSED;
        form.content_bytes = compressed;
    }
    bool is_run = false;
    if (zstd_block->n_sequences == 0) {
        const uint8_t *section =
            buffers->d_literals_sections + block_index * buffers->literals_section_stride;
        is_run = (section[0] & 3) == RP_LITERALS_RLE;
    } else if (zstd_block->n_sequences == 1 && zstd_block->n_literals == 1) {
        /* Offset value 1 is the first repeat offset, which is 1 at the beginning of a frame. The
         * blocks after it begin with unknown repeat offsets, and offset 1 is 1 + 3 there. */
        rp_sequence sequence = buffers->d_sequences[block_index * buffers->sequences_stride];
        is_run = rp_sequence_literal_length(sequence) == 1 &&
                 (rp_sequence_offset_value(sequence) == 1 ||
                  rp_sequence_offset_value(sequence) == 1 + 3);
    }
    if (is_run && n_bytes > 1) {
        form.type = RP_BLOCK_RLE;
        form.content_bytes = 1;
    }
    return form;
}

/* Writes the Block_Header (3.1.1.2) of a zstd block of n_bytes of input. One worker. */
RP_FN void rp_block_header(uint8_t *header, rp_block_form form, uint32_t n_bytes, bool is_last)
{
    uint32_t size = form.type == RP_BLOCK_RLE ? n_bytes : form.content_bytes;
    rp_store_bytes(header, (is_last ? 1 : 0) | form.type << 1 | size << 3, RP_BLOCK_HEADER_BYTES);
}

/* Stores the result of one input. */
RP_FN void rp_frame_result(rp_team *team, const rp_stage_args *args, size_t index, size_t n_bytes,
                           rp_status status)
{
    if (TEAM_RANK(team) == 0) {
        args->batch.d_output_sizes[index] = n_bytes;
        args->batch.d_statuses[index] = status;
    }
}

/* The stage, for one input. Writes nothing to the output if the frame does not fit into it. */
RP_FN void rp_stage_frame_assembler(rp_team *team, const rp_stage_args *args, uint32_t input_index,
                                    void *team_memory)
{
    const rp_kernel_buffers *buffers = &args->buffers;
    size_t input_size;
    rp_input(args, input_index, &input_size);
    if (input_size > args->batch.max_input_bytes) {
        rp_frame_result(team, args, input_index, 0, RP_STATUS_INPUT_TOO_LARGE);
        return;
    }
    uint8_t *output;
    size_t capacity;
    if (args->batch.d_inputs == NULL) {
        output = (uint8_t *)args->single.d_output;
        capacity = args->single.output_capacity;
    } else {
        output = (uint8_t *)args->batch.d_outputs[input_index];
        capacity = args->batch.d_output_capacities == NULL
                       ? args->single.output_capacity
                       : args->batch.d_output_capacities[input_index];
    }

    bool has_checksum = (args->flags & RP_COMPRESS_CHECKSUM) != 0;
    rp_frame_memory *memory = (rp_frame_memory *)team_memory;
    size_t first_zstd_block = input_index * buffers->zstd_blocks_per_input;
    uint32_t n_zstd_blocks = 1;
    if (input_size > buffers->zstd_block_bytes)
        n_zstd_blocks =
            (uint32_t)((input_size + buffers->zstd_block_bytes - 1) / buffers->zstd_block_bytes);

    uint32_t header_bytes = rp_frame_header_bytes(input_size);
    size_t frame_bytes = header_bytes + (has_checksum ? RP_FRAME_CHECKSUM_BYTES : 0);
    for (uint32_t k = 0; k < n_zstd_blocks; k++) {
        rp_zstd_block_view view = rp_view_zstd_block(args, (uint32_t)first_zstd_block + k);
        rp_block_form form = rp_choose_block_form(buffers, first_zstd_block + k, view.n_bytes);
        if (form.type == RP_BLOCK_IMPOSSIBLE) {
            rp_frame_result(team, args, input_index, 0, RP_STATUS_INTERNAL);
            return;
        }
        frame_bytes += RP_BLOCK_HEADER_BYTES + form.content_bytes;
    }
    if (frame_bytes > capacity) {
        rp_frame_result(team, args, input_index, 0, RP_STATUS_OUTPUT_TOO_SMALL);
        return;
    }

    if (TEAM_RANK(team) == 0)
        rp_frame_header(memory->header, input_size, has_checksum);
    team_sync(team);
    team_copy(team, output, memory->header, header_bytes);
    size_t at = header_bytes;
    for (uint32_t k = 0; k < n_zstd_blocks; k++) {
        size_t c = first_zstd_block + k;
        rp_zstd_block_view view = rp_view_zstd_block(args, (uint32_t)c);
        rp_block_form form = rp_choose_block_form(buffers, c, view.n_bytes);
        if (TEAM_RANK(team) == 0)
            rp_block_header(output + at, form, view.n_bytes, k + 1 == n_zstd_blocks);
        at += RP_BLOCK_HEADER_BYTES;
        if (form.type == RP_BLOCK_COMPRESSED) {
            uint32_t n_literals_section = buffers->d_zstd_blocks[c].literals_section_bytes;
            team_copy(team, output + at,
                      buffers->d_literals_sections + c * buffers->literals_section_stride,
                      n_literals_section);
            team_copy(team, output + at + n_literals_section,
                      buffers->d_sequences_sections + c * buffers->sequences_section_stride,
                      buffers->d_zstd_blocks[c].sequences_section_bytes);
        } else {
            team_copy(team, output + at, view.source, form.content_bytes);
        }
        at += form.content_bytes;
    }
    if (has_checksum) {
        size_t n_bytes;
        const uint8_t *input = rp_input(args, input_index, &n_bytes);
        uint64_t hash = team_xxh64(team, input, n_bytes, memory->lanes);
        if (TEAM_RANK(team) == 0)
            rp_store_bytes(output + at, hash, RP_FRAME_CHECKSUM_BYTES);
    }
    rp_frame_result(team, args, input_index, frame_bytes, RP_STATUS_OK);
}

#endif
