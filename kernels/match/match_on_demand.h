/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best match at one position, found when the serial parse comes to it. Most positions are
 * inside matches and are never asked for, so one worker is faster this way than with the matches of
 * all positions (match/best_match.h). Both give the same match.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_MATCH_ON_DEMAND_H
#define ROCKPRESS_KERNELS_MATCH_MATCH_ON_DEMAND_H

#include "kernels/match/chains.h"
#include "kernels/match/packed_match.h"

typedef struct rp_match {
    uint32_t length; /* 0: none; at most RP_LZ77_EVALUATED_LENGTH */
    uint32_t offset;
    int32_t gain;
} rp_match;

RP_FN rp_match rp_no_match(void)
{
    rp_match match;
    match.length = 0;
    match.offset = 0;
    match.gain = 0;
    return match;
}

/* Evaluates the match of one offset; replaces *best if it saves more. */
RP_FN_INLINE void rp_evaluate_match(const uint8_t *source, uint32_t n_bytes, uint32_t position,
                                    uint32_t offset, int32_t cost, rp_match *best)
{
    const uint8_t *at = source + position;
    uint32_t most = rp_min32(n_bytes - position, RP_LZ77_EVALUATED_LENGTH);
    uint32_t length = rp_lz77_count_equal(at, at - offset, at + most);
    int32_t gain = (int32_t)(length * RP_LZ77_BYTE_GAIN) - cost;
    if (gain > best->gain && length >= RP_LZ77_HASH4_BYTES) {
        best->length = length;
        best->offset = offset;
        best->gain = gain;
    }
}

/* The offsets to try at a position, repeat offsets first. Returns how many. */
RP_FN_INLINE uint32_t rp_lz77_offsets(uint32_t position, rp_lz77_candidates candidates,
                                      rp_lz77_depths depths, rp_repeat_offsets repeats,
                                      bool no_literals, uint32_t *offsets)
{
    rp_lz77_repeats(position, repeats, no_literals, offsets);
    return RP_LZ77_REPEATS +
           rp_lz77_chains(position, candidates, depths, offsets + RP_LZ77_REPEATS);
}

/* Which offsets have the same 4 bytes at `at`, as bits. A branch predictor can not know whether
 * bytes are equal, so all offsets are compared first, and most positions are left with one
 * branch. */
RP_FN_INLINE uint32_t rp_lz77_equal_at(const uint8_t *at, const uint32_t *offsets,
                                       uint32_t n_offsets)
{
    uint32_t bytes = rp_load32(at);
    uint32_t equal = 0;
    RP_UNROLL
    for (uint32_t k = 0; k < n_offsets; k++)
        equal |= (uint32_t)((rp_load32(at - offsets[k]) == bytes) & (offsets[k] != 0)) << k;
    return equal;
}

/*
 * The match that saves most, the first of equals, if it saves more than `least`. The first
 * n_repeats offsets are repeat offsets. To save more than `least` a match needs some length, and
 * the last 4 bytes of that length are compared before anything else: nearly all offsets fail there
 * if the position before has a match.
 */
RP_FN_INLINE rp_match rp_lz77_best_of(const uint8_t *source, uint32_t n_bytes, uint32_t position,
                                      const uint32_t *offsets, uint32_t n_offsets,
                                      uint32_t n_repeats, int32_t least)
{
    uint32_t probe = rp_max32((uint32_t)least / RP_LZ77_BYTE_GAIN + 1, 4) - 4;
    if (position + probe + 4 > n_bytes)
        return rp_no_match();
    uint32_t equal = rp_lz77_equal_at(source + position + probe, offsets, n_offsets);
    rp_match best = rp_no_match();
    best.gain = least;
    while (equal != 0) {
        uint32_t k = rp_trailing_zeros32(equal);
        uint32_t offset = offsets[k];
        equal &= equal - 1;
        int32_t cost = k < n_repeats ? (int32_t)k : rp_offset_cost(offset);
        rp_evaluate_match(source, n_bytes, position, offset, cost, &best);
    }
    return best.length != 0 ? best : rp_no_match();
}

/*
 * The best of all matches at a position if it saves more than `least`, ranked; else 0. A position
 * where no candidate matches has none: repeat offsets are not tried there. What matches at a
 * repeat offset has occurred before, so it has a candidate, unless another hash took its place.
 */
RP_FN_INLINE uint32_t rp_lz77_best_match(const uint8_t *source, uint32_t n_bytes, uint32_t position,
                                         rp_lz77_candidates candidates, rp_lz77_depths depths,
                                         rp_repeat_offsets repeats, bool no_literals, int32_t least)
{
    uint32_t offsets[RP_LZ77_MAX_OFFSETS];
    uint32_t n = rp_lz77_offsets(position, candidates, depths, repeats, no_literals, offsets);
    rp_match best = rp_lz77_best_of(source, n_bytes, position, offsets, n, RP_LZ77_REPEATS, least);
    /* Only repeat offsets cost so little. */
    bool is_repeat = best.length != 0 &&
                     (int32_t)(best.length * RP_LZ77_BYTE_GAIN) - best.gain < RP_LZ77_OFFSET_COST;
    if (best.length == 0 ||
        (is_repeat &&
         rp_lz77_equal_at(source + position, offsets + RP_LZ77_REPEATS, n - RP_LZ77_REPEATS) == 0))
        return 0;
    return rp_rank_match(best.length, best.offset, best.gain);
}

/* The next position from `position` on where a candidate matches, or `end`. */
RP_FN_INLINE uint32_t rp_lz77_next_match(const uint8_t *source, uint32_t position, uint32_t end,
                                         rp_lz77_candidates candidates, rp_lz77_depths depths)
{
    bool only_last = depths.hash4 == 1 && depths.hash8 == 1 && depths.hash3 == 0;
    for (; position < end; position++) {
        const uint8_t *at = source + position;
        if (only_last) {
            /* One load for both. A position without a candidate is compared with itself;
             * rp_lz77_best_match() finds that it has none. */
            uint32_t both = rp_lz77_both(candidates, position);
            uint32_t bytes = rp_load32(at);
            bool is_short = rp_load32(at - (both & 0xFFFF)) == bytes;
            bool is_long = rp_load32(at - (both >> 16)) == bytes;
            if (is_short | is_long)
                break;
        } else {
            uint32_t offsets[RP_LZ77_MAX_OFFSETS];
            uint32_t n = rp_lz77_chains(position, candidates, depths, offsets);
            if (rp_lz77_equal_at(at, offsets, n) != 0)
                break;
        }
    }
    return position;
}

#endif
