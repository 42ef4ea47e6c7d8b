/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best match at one position: repeat offsets, then the two candidates, compared by what
 * they save. Not collectives: each worker judges a position of its own.
 */
#ifndef ROCKPRESS_KERNELS_LZ77_MATCH_H
#define ROCKPRESS_KERNELS_LZ77_MATCH_H

#include "kernels/lz77_candidates.h"

/* What a match saves, in about a quarter of a bit of the encoded block: a byte of it is worth
 * RP_LZ77_BYTE_GAIN; an offset costs its bits, a repeat offset next to nothing. */
#define RP_LZ77_BYTE_GAIN 4
#define RP_LZ77_OFFSET_COST 1

/* Repeat offsets (RFC 8878 section 3.1.1.5); 0 where unknown: at the start of a zstd block that
 * is not the first of its frame, which is encoded without looking at those before it. */
typedef struct rp_repeat_offsets {
    uint32_t offset[3];
} rp_repeat_offsets;

typedef struct rp_match {
    uint32_t length; /* 0: none */
    uint32_t offset;
    int32_t gain;
} rp_match;

/* Number of equal bytes at a and b, before end; b < a. */
RP_FN uint32_t rp_lz77_count_equal(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
    const uint8_t *start = a;
    while (end - a >= 8) {
        uint64_t difference = rp_load64(a) ^ rp_load64(b);
        if (difference != 0)
            return (uint32_t)(a - start) + (rp_trailing_zeros64(difference) >> 3);
        a += 8;
        b += 8;
    }
    while (a < end && *a == *b) {
        a++;
        b++;
    }
    return (uint32_t)(a - start);
}

/* The repeat offset that an offset value of code + 1 stands for, given whether the literal
 * length is 0; 0 if that is not a valid offset. */
RP_FN uint32_t rp_repeat_offset(rp_repeat_offsets repeats, uint32_t code, bool no_literals)
{
    if (!no_literals)
        return repeats.offset[code];
    if (code < 2)
        return repeats.offset[code + 1];
    return repeats.offset[0] == 0 ? 0 : repeats.offset[0] - 1;
}

/* The offset value of a match, and the repeat offsets after it. */
RP_FN uint32_t rp_encode_offset(rp_repeat_offsets *repeats, uint32_t offset, bool no_literals)
{
    uint32_t code = 0;
    while (code < 3 && rp_repeat_offset(*repeats, code, no_literals) != offset)
        code++;
    /* Which slot the offset came from: it moves to the front. A repeat offset less one is a new
     * one as far as the slots are concerned. */
    uint32_t slot = code < 3 ? code + (no_literals ? 1 : 0) : 3;
    if (slot >= 2)
        repeats->offset[2] = repeats->offset[1];
    if (slot >= 1)
        repeats->offset[1] = repeats->offset[0];
    repeats->offset[0] = offset;
    return code < 3 ? code + 1 : offset + 3;
}

/* Judges the match of one offset, of which 4 bytes are known to be equal; replaces *best if it
 * saves more. */
RP_FN void rp_lz77_judge(const uint8_t *source, uint32_t n_bytes, uint32_t position,
                         uint32_t offset, int32_t cost, rp_match *best)
{
    const uint8_t *at = source + position + 4;
    uint32_t length = 4 + rp_lz77_count_equal(at, at - offset, source + n_bytes);
    int32_t gain = (int32_t)(length * RP_LZ77_BYTE_GAIN) - cost;
    if (gain > best->gain) {
        best->length = length;
        best->offset = offset;
        best->gain = gain;
    }
}

/* Offsets that are judged at one position: three repeat offsets, two candidates. */
#define RP_LZ77_OFFSETS 5

RP_FN rp_match rp_lz77_best_match(const uint8_t *source, uint32_t n_bytes, uint32_t position,
                                  rp_lz77_candidates candidates, rp_repeat_offsets repeats,
                                  bool no_literals)
{
    const uint8_t *at = source + position;
    uint32_t first = rp_load32(at);
    uint32_t offsets[RP_LZ77_OFFSETS];
    offsets[0] = no_literals ? repeats.offset[1] : repeats.offset[0];
    offsets[1] = no_literals ? repeats.offset[2] : repeats.offset[1];
    offsets[2] = no_literals ? repeats.offset[0] - (repeats.offset[0] != 0) : repeats.offset[2];
    bool has_long = position + RP_LZ77_LONG_BYTES <= n_bytes;
    offsets[3] = (position - (has_long ? candidates.of_long[position] : 0)) & 0xFFFF;
    offsets[4] = (position - candidates.of_short[position]) & 0xFFFF;
    /* Whether 4 bytes match is nothing that a branch predictor could know: all are compared
     * first, and most positions are left with one branch. */
    uint32_t equal = 0;
    for (uint32_t k = 0; k < RP_LZ77_OFFSETS; k++) {
        uint32_t offset = offsets[k] <= position ? offsets[k] : 0;
        equal |= (uint32_t)((rp_load32(at - offset) == first) & (offset != 0)) << k;
    }
    rp_match best;
    best.length = 0;
    best.offset = 0;
    best.gain = 0;
    while (equal != 0) {
        uint32_t k = rp_trailing_zeros64(equal);
        uint32_t offset = offsets[k];
        int32_t cost = k < 3 ? (int32_t)k : (int32_t)rp_high_bit(offset) + RP_LZ77_OFFSET_COST;
        rp_lz77_judge(source, n_bytes, position, offset, cost, &best);
        equal &= equal - 1;
    }
    return best;
}

#endif
