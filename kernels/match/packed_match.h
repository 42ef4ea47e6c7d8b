/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The matches at one position: which offsets are tried, and which of them saves most. Not
 * collectives: each worker judges a position of its own.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_PACKED_MATCH_H
#define ROCKPRESS_KERNELS_MATCH_PACKED_MATCH_H

#include "kernels/match/candidates.h"
#include "kernels/match/source.h"

/* What a match saves, in bits, roughly: the bytes of it would have cost RP_LZ77_BYTE_GAIN each,
 * an offset costs its bits and RP_LZ77_OFFSET_COST, a repeat offset next to nothing. The values are
 * those of best ratio on RocksDB blocks of 4, 16 and 64 KiB; one more or less costs 0.1 %. */
#define RP_LZ77_BYTE_GAIN 5
#define RP_LZ77_OFFSET_COST 4

/* Repeat offsets (RFC 8878 section 3.1.1.5); 0 where unknown: at the start of a zstd block that
 * is not the first of its frame, which is encoded without looking at those before it. */
typedef struct rp_repeat_offsets {
    uint32_t offset[3];
} rp_repeat_offsets;

/* What an offset costs that is no repeat offset. */
RP_FN int32_t rp_offset_cost(uint32_t offset)
{
    return (int32_t)rp_high_bit(offset) + RP_LZ77_OFFSET_COST;
}

typedef struct rp_match {
    uint32_t length; /* 0: none; at most RP_LZ77_JUDGED_LENGTH */
    uint32_t offset;
    int32_t gain;
} rp_match;

/* Length in bits 0-7, cost in bits 8-15, offset in bits 16-31; 0: none. */
RP_FN uint32_t rp_pack_match(rp_match match)
{
    uint32_t cost = match.length * RP_LZ77_BYTE_GAIN - (uint32_t)match.gain;
    return match.offset << 16 | cost << 8 | match.length;
}

RP_FN rp_match rp_unpack_match(uint32_t packed)
{
    rp_match match;
    match.length = packed & 0xFF;
    match.offset = packed >> 16;
    match.gain = (int32_t)(match.length * RP_LZ77_BYTE_GAIN - (packed >> 8 & 0xFF));
    return match;
}

/*
 * What match/best_match.h notes of each position: the next match from there on. Bits 0-5 are its
 * length, 6-21 its offset, 22-31 how far it is from there: 0 if it is the position's own. Without a
 * length there is no match for so far at least. 0 is none at all.
 */
#define RP_FOUND_MAX_DISTANCE UINT32_C(1023)

RP_FN uint32_t rp_found(uint32_t length, uint32_t offset)
{
    return offset << 6 | length;
}

/* Not that of the position, but of one that is `distance` behind it, not 0. */
RP_FN uint32_t rp_found_behind(uint32_t found, uint32_t distance)
{
    return distance <= RP_FOUND_MAX_DISTANCE ? distance << 22 | found : RP_FOUND_MAX_DISTANCE << 22;
}

RP_FN uint32_t rp_found_length(uint32_t found)
{
    return found & 63;
}

RP_FN uint32_t rp_found_distance(uint32_t found)
{
    return found >> 22;
}

/* The same at the position that it is a match of. */
RP_FN uint32_t rp_found_there(uint32_t found)
{
    return found & ((UINT32_C(1) << 22) - 1);
}

RP_FN rp_match rp_found_match(uint32_t found)
{
    rp_match match;
    match.length = rp_found_length(found);
    match.offset = found >> 6 & 0xFFFF;
    match.gain = (int32_t)(match.length * RP_LZ77_BYTE_GAIN) - rp_offset_cost(match.offset);
    return match;
}

typedef char rp_found_has_room_for_the_length[RP_LZ77_JUDGED_LENGTH < 64 ? 1 : -1];

RP_FN rp_match rp_no_match(void)
{
    rp_match match;
    match.length = 0;
    match.offset = 0;
    match.gain = 0;
    return match;
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

/* The offset value of a match, and the repeat offsets after it. Which repeat offset it is, nobody
 * can predict, so there are no branches. */
RP_FN uint32_t rp_encode_offset(rp_repeat_offsets *repeats, uint32_t offset, bool no_literals)
{
    uint32_t code = offset == rp_repeat_offset(*repeats, 2, no_literals) ? 2 : 3;
    code = offset == rp_repeat_offset(*repeats, 1, no_literals) ? 1 : code;
    code = offset == rp_repeat_offset(*repeats, 0, no_literals) ? 0 : code;
    /* Which slot the offset came from: it moves to the front. A repeat offset less one is a new
     * one as far as the slots are concerned. */
    uint32_t slot = rp_min32(code + (no_literals ? 1 : 0), 3);
    uint32_t first = repeats->offset[0];
    uint32_t second = repeats->offset[1];
    repeats->offset[2] = slot >= 2 ? second : repeats->offset[2];
    repeats->offset[1] = slot >= 1 ? first : second;
    repeats->offset[0] = offset;
    return code < 3 ? code + 1 : offset + 3;
}

/* Judges the match of one offset; replaces *best if it saves more. */
RP_FN_INLINE void rp_lz77_judge(const uint8_t *source, uint32_t n_bytes, uint32_t position,
                                uint32_t offset, int32_t cost, rp_match *best)
{
    const uint8_t *at = source + position;
    uint32_t most = rp_min32(n_bytes - position, RP_LZ77_JUDGED_LENGTH);
    uint32_t length = rp_lz77_count_equal(at, at - offset, at + most);
    int32_t gain = (int32_t)(length * RP_LZ77_BYTE_GAIN) - cost;
    if (gain > best->gain && length >= RP_LZ77_HASH4_BYTES) {
        best->length = length;
        best->offset = offset;
        best->gain = gain;
    }
}

/* How many positions back each chain of candidates is followed. */
typedef struct rp_lz77_depths {
    uint32_t hash8;
    uint32_t hash4;
    uint32_t hash3;
} rp_lz77_depths;

/* Most offsets of one position: three repeat offsets and the chains. */
#define RP_LZ77_MAX_OFFSETS 32

/* Fills offsets with the distances to the positions of one chain: the candidate of `position`,
 * which is `step` back, the candidate of that, and so on. 0 where there is none. The candidate of a
 * position is at its `stride`th part of `candidates`; being from before it, it is never before the
 * block's start. */
RP_FN_INLINE void rp_lz77_follow(const uint16_t *candidates, uint32_t stride, uint32_t position,
                                 uint32_t step, uint32_t depth, uint32_t *offsets)
{
    uint32_t offset = 0;
    RP_UNROLL
    for (uint32_t k = 0; k < depth; k++) {
        if (k != 0)
            step = candidates[(position - offset) * stride];
        offset += step;
        offsets[k] = step != 0 && offset <= 0xFFFF ? offset : 0;
    }
}

#define RP_LZ77_REPEATS 3

/* Fills offsets with the RP_LZ77_REPEATS repeat offsets at a position; 0 for those that are none.
 */
RP_FN_INLINE void rp_lz77_repeats(uint32_t position, rp_repeat_offsets repeats, bool no_literals,
                                  uint32_t *offsets)
{
    for (uint32_t code = 0; code < RP_LZ77_REPEATS; code++) {
        uint32_t offset = rp_repeat_offset(repeats, code, no_literals);
        offsets[code] = offset <= position ? offset : 0;
    }
}

/* Both candidates of a position with one load: that of 4 bytes in the low half. */
RP_FN_INLINE uint32_t rp_lz77_both(rp_lz77_candidates candidates, uint32_t position)
{
    return rp_load_word(candidates.hash4_hash8, position);
}

/* Fills offsets with those of the chains at a position; 0 for those that are none. Returns how
 * many. */
RP_FN_INLINE uint32_t rp_lz77_chains(uint32_t position, rp_lz77_candidates candidates,
                                     rp_lz77_depths depths, uint32_t *offsets)
{
    uint32_t n = 0;
    uint32_t both = rp_lz77_both(candidates, position);
    if (depths.hash3 != 0)
        rp_lz77_follow(candidates.hash3, 1, position, candidates.hash3[position], depths.hash3,
                       offsets + n);
    n += depths.hash3;
    rp_lz77_follow(candidates.hash4_hash8, 2, position, both & 0xFFFF, depths.hash4, offsets + n);
    n += depths.hash4;
    rp_lz77_follow(candidates.hash4_hash8 + 1, 2, position, both >> 16, depths.hash8, offsets + n);
    /* Often both chains begin with the same position, which need not be judged twice. */
    offsets[n] = offsets[n] == offsets[depths.hash3] ? 0 : offsets[n];
    return n + depths.hash8;
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

/* The offsets whose 4 bytes at `at` equal those that are there, as bits. Whether bytes match is
 * nothing that a branch predictor could know: all are compared first, and most positions are left
 * with one branch. */
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
 * The match that saves most, the first of equals, if it saves more than `least`; the first
 * n_repeats offsets are repeat offsets. A match that does has to be of some length, and the last 4
 * bytes of that length are compared before anything else: with a match of the position before to
 * beat, nearly all fail there.
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
        rp_lz77_judge(source, n_bytes, position, offset, cost, &best);
    }
    return best.length != 0 ? best : rp_no_match();
}

/*
 * The best of all matches at a position, if it saves more than `least`. There is none where no
 * candidate matches: repeat offsets are not tried there. What matches at a repeat offset has
 * occurred before, and so has a candidate, unless another hash took its place.
 */
RP_FN_INLINE rp_match rp_lz77_best_match(const uint8_t *source, uint32_t n_bytes, uint32_t position,
                                         rp_lz77_candidates candidates, rp_lz77_depths depths,
                                         rp_repeat_offsets repeats, bool no_literals, int32_t least)
{
    uint32_t offsets[RP_LZ77_MAX_OFFSETS];
    uint32_t n = rp_lz77_offsets(position, candidates, depths, repeats, no_literals, offsets);
    rp_match best = rp_lz77_best_of(source, n_bytes, position, offsets, n, RP_LZ77_REPEATS, least);
    /* Only repeat offsets cost so little. */
    bool is_repeat = best.length != 0 &&
                     (int32_t)(best.length * RP_LZ77_BYTE_GAIN) - best.gain < RP_LZ77_OFFSET_COST;
    if (is_repeat &&
        rp_lz77_equal_at(source + position, offsets + RP_LZ77_REPEATS, n - RP_LZ77_REPEATS) == 0)
        return rp_no_match();
    return best;
}

/* Whether the best match of each position is found before the parse. On a GPU many threads do that
 * side by side, and a single warp parses. One worker is faster without, because most positions
 * are inside matches and are never looked at. */
#if defined(RP_TEAM_THREADS) || defined(__CUDACC__)
#define RP_LZ77_MATCHES_FIRST true
#else
#define RP_LZ77_MATCHES_FIRST false
#endif

/* The next position from `position` on where a candidate matches, or `end`, for want of matches
 * that were found before. */
RP_FN_INLINE uint32_t rp_lz77_next_match(const uint8_t *source, uint32_t position, uint32_t end,
                                         rp_lz77_candidates candidates, rp_lz77_depths depths)
{
    bool only_last = depths.hash4 == 1 && depths.hash8 == 1 && depths.hash3 == 0;
    for (; position < end; position++) {
        const uint8_t *at = source + position;
        if (only_last) {
            /* One load for both. A candidate may be the position itself, for want of one: that is
             * left to whoever looks closer. */
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

/*
 * In two steps, which give the same match: match/best_match.h has the first, the best match of the
 * chains at every position by itself, noted as rp_found().
 *
 * Then, with repeat offsets that only the parse knows, what is best of these and that match. The
 * repeat offsets come first, so among equals they win. */
RP_FN_INLINE rp_match rp_lz77_better_match(rp_lz77_source source, uint32_t position, uint32_t noted,
                                           rp_repeat_offsets repeats, bool no_literals,
                                           int32_t least)
{
    if (rp_found_length(noted) == 0 || rp_found_distance(noted) != 0)
        return rp_no_match();
    rp_match found = rp_found_match(noted);
    rp_match best = rp_no_match();
    best.gain = least >= found.gain ? least : found.gain - 1;
    uint32_t offsets[RP_LZ77_REPEATS];
    rp_lz77_repeats(position, repeats, no_literals, offsets);
    /* Most often the match that was found has a repeat offset, and its length is known. */
    RP_UNROLL
    for (uint32_t code = 0; code < RP_LZ77_REPEATS; code++) {
        int32_t gain = (int32_t)(found.length * RP_LZ77_BYTE_GAIN - code);
        if (offsets[code] == found.offset && gain > best.gain) {
            best = found;
            best.gain = gain;
        }
    }
    uint32_t probe = rp_max32((uint32_t)best.gain / RP_LZ77_BYTE_GAIN + 1, 4) - 4;
    if (position + probe + 4 <= source.n_bytes) {
        uint32_t equal =
            rp_lz77_equal_at(source.bytes + position + probe, offsets, RP_LZ77_REPEATS);
        RP_UNROLL
        for (uint32_t code = 0; code < RP_LZ77_REPEATS; code++) {
            if ((equal >> code & 1) != 0 && offsets[code] != found.offset)
                rp_lz77_judge(source.bytes, source.n_bytes, position, offsets[code], (int32_t)code,
                              &best);
        }
    }
    if (best.length != 0)
        return best;
    return found.gain > least ? found : rp_no_match();
}

#endif
