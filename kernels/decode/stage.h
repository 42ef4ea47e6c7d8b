/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame verifier: one input's frame is proven to decode to the input, by a decoder that shares
 * nothing with the encoder but the team, and the hashes of both are left for the caller (rp_proof).
 *
 *   1  The frame and the input are copied to team memory, where there is room for them. Everything
 *      that follows reads the copies, so what is hashed is what is decoded and compared, and what
 *      is delivered.
 *   2  The frame goes to its delivery, if there is one.
 *   3  Block by block, the frame is decoded and compared with the input (decode/block.h).
 *   4  Frame and input are hashed; where they are small, by parts of the team during 3.
 *
 * The bytes of a frame may be anything, and so may its size and the entry points: nothing is read
 * or written outside of what belongs to the input, and every loop ends.
 */
#ifndef ROCKPRESS_KERNELS_DECODE_STAGE_H
#define ROCKPRESS_KERNELS_DECODE_STAGE_H

#include "kernels/base/entry_points.h"
#include "kernels/base/stages.h"
#include "kernels/decode/block.h"
#include "kernels/decode/xxh3.h"
#include "kernels/decode/xxh64.h"

/* What the workers share. */
typedef struct rp_decode_memory {
    uint32_t is_valid;
    uint32_t is_last; /* of the block that is next */
    uint32_t type;
    uint32_t n_bytes;      /* Block_Size */
    uint32_t header_bytes; /* of the frame */
    uint32_t has_checksum;
    size_t window_bytes;
    rp_proof proof;
    union { /* used one after the other */
        rp_xxh3_memory hash;
        rp_decode_block_memory block;
    };
} rp_decode_memory;

typedef char rp_decode_memory_fits[sizeof(rp_decode_memory) <= RP_TEAM_MEMORY_BYTES ? 1 : -1];

/* Room for what a frame has besides its input's bytes, if it is of one zstd block. */
#define RP_DECODE_FRAME_ROOM 32

/* Bytes of a copy in team memory, which begins at a multiple of 16. */
#define RP_DECODE_COPY_BYTES(n_bytes) (((size_t)(n_bytes) + 15) / 16 * 16)

/* Team memory of the verifier with copies of the input and of its frame. */
#define RP_VERIFY_MEMORY_BYTES(zstd_block_bytes)                                                   \
    (RP_DECODE_COPY_BYTES(sizeof(rp_decode_memory)) +                                              \
     RP_DECODE_COPY_BYTES((zstd_block_bytes) + RP_DECODE_FRAME_ROOM) +                             \
     RP_DECODE_COPY_BYTES(zstd_block_bytes))

/* What is proven. */
typedef struct rp_decode_pair {
    const uint8_t *input;
    size_t input_bytes;
    const uint8_t *frame;
    size_t frame_bytes;
} rp_decode_pair;

RP_FN uint64_t rp_decode_little_endian(const uint8_t *bytes, uint32_t n)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < n; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* Reads the header of a frame of at least RP_DECODE_MIN_FRAME_BYTES. A frame has to say the size
 * of its content, and to need no dictionary. One worker. */
RP_FN bool rp_decode_frame_header(const rp_decode_pair *pair, rp_decode_memory *memory)
{
    const uint8_t *frame = pair->frame;
    const uint32_t descriptor = frame[4];
    const bool is_single_segment = (descriptor & 0x20) != 0;
    const uint32_t size_flag = descriptor >> 6;
    /* Unused_bit, Reserved_bit, Dictionary_ID_flag */
    if (rp_decode_little_endian(frame, 4) != RP_DECODE_MAGIC || (descriptor & 0x1B) != 0 ||
        (size_flag == 0 && !is_single_segment))
        return false;
    uint32_t at = 5;
    uint64_t window_bytes = pair->input_bytes;
    if (!is_single_segment) {
        const uint64_t base = UINT64_C(1) << (10 + (frame[at] >> 3));
        window_bytes = base + base / 8 * (frame[at] & 7);
        at++;
    }
    const uint32_t n_size_bytes = size_flag == 0 ? 1 : UINT32_C(1) << size_flag;
    if (at + n_size_bytes > pair->frame_bytes)
        return false;
    const uint64_t size =
        rp_decode_little_endian(frame + at, n_size_bytes) + (size_flag == 1 ? 256 : 0);
    memory->header_bytes = at + n_size_bytes;
    memory->has_checksum = descriptor >> 2 & 1;
    memory->window_bytes = (size_t)window_bytes;
    return size == pair->input_bytes;
}

/* Reads the header of the block at a place of the frame. One worker. */
RP_FN bool rp_decode_block_header(const rp_decode_pair *pair, size_t at, size_t max_bytes,
                                  rp_decode_memory *memory)
{
    if (pair->frame_bytes - at < RP_DECODE_BLOCK_HEADER_BYTES)
        return false;
    const uint32_t header = (uint32_t)rp_decode_little_endian(pair->frame + at, 3);
    memory->is_last = header & 1;
    memory->type = header >> 1 & 3;
    memory->n_bytes = header >> 3;
    const size_t n_content = memory->type == RP_DECODE_RLE_BLOCK ? 1 : memory->n_bytes;
    return memory->type <= RP_DECODE_COMPRESSED_BLOCK && memory->n_bytes <= max_bytes &&
           n_content <= max_bytes &&
           n_content <= pair->frame_bytes - at - RP_DECODE_BLOCK_HEADER_BYTES;
}

/* Whether the frame decodes to the input. A collective; all workers get the result. */
RP_FN bool rp_decode_check_frame(rp_team *team, const rp_stage_args *args, uint32_t input_index,
                                 const rp_decode_pair *pair, rp_decode_hashing *hashing,
                                 rp_decode_memory *memory)
{
    const rp_kernel_buffers *buffers = &args->buffers;
    const size_t first_block = input_index * buffers->zstd_blocks_per_input;
    const rp_decode_scratch scratch =
        rp_decode_divide_scratch(buffers->d_scratch + first_block * buffers->scratch_stride,
                                 (uint32_t)buffers->zstd_block_bytes);
    if (TEAM_RANK(team) == 0)
        memory->is_valid = rp_decode_frame_header(pair, memory);
    team_sync(team);
    if (memory->is_valid == 0)
        return false;
    const bool has_checksum = memory->has_checksum != 0;
    const size_t window_bytes = memory->window_bytes;
    size_t at = memory->header_bytes;
    team_sync(team); /* all have read what rank 0 writes next */
    /* Block_Maximum_Size; and the scratch has room for no more. */
    size_t block_bytes =
        window_bytes < buffers->zstd_block_bytes ? window_bytes : buffers->zstd_block_bytes;
    size_t position = 0;
    rp_decode_repeats repeats = rp_decode_first_repeats();
    bool is_last = false;
    for (size_t k = 0; !is_last; k++) {
        if (TEAM_RANK(team) == 0)
            memory->is_valid = rp_decode_block_header(pair, at, block_bytes, memory);
        team_sync(team);
        if (memory->is_valid == 0)
            return false;
        const uint32_t type = memory->type;
        uint32_t n_bytes = memory->n_bytes;
        is_last = memory->is_last != 0;
        at += RP_DECODE_BLOCK_HEADER_BYTES;
        const uint8_t *content = pair->frame + at;
        const size_t left = pair->input_bytes - position;
        if (type == RP_DECODE_COMPRESSED_BLOCK) {
            /* A base that is aligned, and so far before the content that the 32 bits before any
             * place in it are behind the base. */
            const uint32_t shift = (uint32_t)((uintptr_t)content & 3) + 4;
            const rp_decode_range range = {shift, shift + n_bytes};
            const rp_decode_target target = {pair->input, position,
                                             (uint32_t)(left < block_bytes ? left : block_bytes),
                                             window_bytes};
            rp_entry_points entries = {NULL, NULL, 0};
            if (k < buffers->zstd_blocks_per_input)
                entries = rp_entry_points_of(args, first_block + k);
            at += n_bytes;
            if (!rp_decode_check_block(team, content - shift, range, target, entries, hashing,
                                       &memory->block, scratch, &repeats, &n_bytes))
                return false;
        } else {
            if (n_bytes > left)
                return false;
            const uint8_t *expected = pair->input + position;
            const bool is_run = type == RP_DECODE_RLE_BLOCK;
            at += is_run ? 1 : n_bytes;
            if (team_any(team, is_run ? !rp_decode_equal_run(team, expected, content[0], n_bytes)
                                      : !rp_decode_equal_share(team, expected, content, n_bytes)))
                return false;
        }
        position += n_bytes;
    }
    if (position != pair->input_bytes || pair->frame_bytes - at != (has_checksum ? 4 : 0))
        return false;
    bool is_right = true;
    if (has_checksum && TEAM_RANK(team) == 0)
        is_right = rp_checksum(pair->input, pair->input_bytes) ==
                   (uint32_t)rp_decode_little_endian(pair->frame + at, 4);
    return !team_any(team, !is_right);
}

/* Copies to memory that begins at a multiple of 16. */
RP_FN const uint8_t *rp_decode_copy(rp_team *team, uint8_t *copy, const uint8_t *source,
                                    uint32_t n_bytes)
{
    /* A GPU loads the aligned words around: of the last bytes, also what nobody has written. */
    const uint32_t n_words = n_bytes < 8 ? 0 : n_bytes / 4 - 1;
    TEAM_FOR (i, 0, n_words, team) {
        const uint32_t word = rp_load32(source + 4 * i);
        memcpy(copy + 4 * i, &word, 4);
    }
    TEAM_FOR (i, 4 * n_words, n_bytes, team) {
        copy[i] = source[i];
    }
    return copy;
}

/* Leaves the result of one input. With a status that is not RP_STATUS_OK, sizes and statuses stay
 * as they are. One worker. */
RP_FN void rp_decode_result(const rp_stage_args *args, uint32_t input_index, rp_status status,
                            const rp_proof *hashes)
{
    rp_proof proof = {0, 0};
    if (status == RP_STATUS_OK)
        proof = *hashes;
    args->batch.d_proofs[input_index] = proof;
    if (status == RP_STATUS_VERIFICATION_FAILED) {
        args->batch.d_output_sizes[input_index] = 0;
        args->batch.d_statuses[input_index] = status;
    }
}

/* Finds the input and its frame. Returns false if their sizes can't be right. */
RP_FN bool rp_decode_find_pair(const rp_stage_args *args, uint32_t input_index,
                               rp_decode_pair *pair, uint8_t **delivery)
{
    const rp_kernel_batch *batch = &args->batch;
    const bool is_single = batch->d_inputs == NULL;
    pair->input = rp_input(args, input_index, &pair->input_bytes);
    pair->frame_bytes = batch->d_output_sizes[input_index];
    pair->frame =
        (const uint8_t *)(is_single ? args->single.d_output : batch->d_outputs[input_index]);
    *delivery = NULL;
    if (is_single)
        *delivery = (uint8_t *)args->single.d_delivery;
    else if (batch->d_deliveries != NULL)
        *delivery = (uint8_t *)batch->d_deliveries[input_index];
    const size_t capacity = is_single || batch->d_output_capacities == NULL
                                ? args->single.output_capacity
                                : batch->d_output_capacities[input_index];
    /* A frame that is larger than a raw one would be is none of ours. */
    const size_t one_block_max = args->buffers.zstd_block_bytes + RP_DECODE_FRAME_ROOM;
    return pair->input_bytes <= batch->max_input_bytes && pair->frame_bytes <= capacity &&
           pair->frame_bytes >= RP_DECODE_MIN_FRAME_BYTES &&
           (args->buffers.zstd_blocks_per_input > 1 || pair->frame_bytes <= one_block_max);
}

/* The stage, for one input. With `copies`, team memory has room for them
 * (RP_VERIFY_MEMORY_BYTES). */
RP_FN void rp_stage_frame_verifier(rp_team *team, const rp_stage_args *args, uint32_t input_index,
                                   void *team_memory, bool copies)
{
    rp_decode_memory *memory = (rp_decode_memory *)team_memory;
    const rp_status status = args->batch.d_statuses[input_index];
    rp_decode_pair pair;
    uint8_t *delivery;
    const bool is_possible = rp_decode_find_pair(args, input_index, &pair, &delivery);
    if (status != RP_STATUS_OK || !is_possible) {
        team_sync(team); /* all have read what rank 0 writes */
        if (TEAM_RANK(team) == 0)
            rp_decode_result(args, input_index,
                             status != RP_STATUS_OK ? status : RP_STATUS_VERIFICATION_FAILED, NULL);
        return;
    }
    if (copies) {
        uint8_t *copy = (uint8_t *)team_memory + RP_DECODE_COPY_BYTES(sizeof(rp_decode_memory));
        pair.frame = rp_decode_copy(team, copy, pair.frame, (uint32_t)pair.frame_bytes);
        copy += RP_DECODE_COPY_BYTES(args->buffers.zstd_block_bytes + RP_DECODE_FRAME_ROOM);
        pair.input = rp_decode_copy(team, copy, pair.input, (uint32_t)pair.input_bytes);
        team_sync(team);
    }
    if (delivery != NULL)
        team_copy(team, delivery, pair.frame, (uint32_t)pair.frame_bytes);
    rp_decode_hashing hashing = {true,       pair.input,       pair.input_bytes,
                                 pair.frame, pair.frame_bytes, &memory->proof};
    const bool is_proven = rp_decode_check_frame(team, args, input_index, &pair, &hashing, memory);
    if (is_proven && hashing.is_pending) {
        const uint64_t frame_hash = rp_xxh3(team, pair.frame, pair.frame_bytes, &memory->hash);
        team_sync(team);
        const uint64_t input_hash = rp_xxh3(team, pair.input, pair.input_bytes, &memory->hash);
        if (TEAM_RANK(team) == 0) {
            memory->proof.frame_hash = frame_hash;
            memory->proof.input_hash = input_hash;
        }
    }
    if (TEAM_RANK(team) == 0)
        rp_decode_result(args, input_index,
                         is_proven ? RP_STATUS_OK : RP_STATUS_VERIFICATION_FAILED, &memory->proof);
}

#endif
