/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry points: places in the bitstreams of a zstd block at which a decoder can begin. A bitstream
 * is a chain, since where a code begins follows from the codes before it. The encoders know where
 * every code lies and leave some of the places, so that the frame verifier decodes the stretches
 * between them side by side (decode/stage.h, which proves them, too).
 *
 * Places are counted in bits from the first bit of a stream, which a decoder reads last: what is
 * left to read there. The entry points of a zstd block are at its part of
 * rp_kernel_buffers.d_entry_points, those of the sequences first.
 */
#ifndef ROCKPRESS_KERNELS_BASE_ENTRY_POINTS_H
#define ROCKPRESS_KERNELS_BASE_ENTRY_POINTS_H

#include "kernels/base/stages.h"

/* Literals of one stretch of a stream, and sequences of one stretch. */
#define RP_LITERALS_STRETCH 32
#define RP_SEQUENCES_STRETCH 16

/* Before a sequence: what is left to read of the bitstream, and the states of its three fields:
 * literal length in bits 0 to 8, match length in bits 9 to 17, offset in bits 18 to 25. */
typedef struct rp_sequence_entry {
    uint32_t bits_left;
    uint32_t states;
} rp_sequence_entry;

#define RP_ENTRY_MATCH_LENGTH_SHIFT 9
#define RP_ENTRY_OFFSET_SHIFT 18

/* Those of one zstd block. NULL: none. Index 0 of either array is not used: the first stretch
 * begins where the stream does. */
typedef struct rp_entry_points {
    rp_sequence_entry *sequences; /* before sequence k * RP_SEQUENCES_STRETCH */
    uint32_t *literals; /* before literal k * RP_LITERALS_STRETCH of a stream: bits left of it */
    uint32_t literals_each; /* entries from one stream's literals to the next's */
} rp_entry_points;

/* Entries for the literals of each of four streams. A single stream may use those of all. */
RP_FN uint32_t rp_literal_entries(uint32_t zstd_block_bytes)
{
    return ((zstd_block_bytes + 3) / 4 + RP_LITERALS_STRETCH - 1) / RP_LITERALS_STRETCH;
}

/* A sequence is 3 bytes at least. */
RP_FN uint32_t rp_sequence_entries(uint32_t zstd_block_bytes)
{
    return zstd_block_bytes / 3 / RP_SEQUENCES_STRETCH + 1;
}

/* Whether a sequence has an entry point. */
RP_FN bool rp_has_entry(const rp_sequence_entry *entries, uint32_t sequence)
{
    return entries != NULL && sequence % RP_SEQUENCES_STRETCH == 0 && sequence != 0;
}

/* Bytes for a zstd block of up to zstd_block_bytes. */
RP_FN size_t rp_entry_points_bytes(uint32_t zstd_block_bytes)
{
    return sizeof(rp_sequence_entry) * rp_sequence_entries(zstd_block_bytes) +
           4 * sizeof(uint32_t) * rp_literal_entries(zstd_block_bytes);
}

/* The entry points of a zstd block, as the encoders leave them and the verifier finds them. */
RP_FN rp_entry_points rp_entry_points_of(const rp_stage_args *args, size_t block_index)
{
    const rp_kernel_buffers *buffers = &args->buffers;
    const uint32_t n_bytes = (uint32_t)buffers->zstd_block_bytes;
    rp_entry_points points = {NULL, NULL, 0};
    if (buffers->d_entry_points != NULL) {
        uint8_t *here = buffers->d_entry_points + block_index * buffers->entry_points_stride;
        points.sequences = (rp_sequence_entry *)(void *)here;
        points.literals = (uint32_t *)(void *)(points.sequences + rp_sequence_entries(n_bytes));
        points.literals_each = rp_literal_entries(n_bytes);
    }
    return points;
}

#endif
