/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lazy parse of a segment by one thread of a GPU, while many other threads parse a segment
 * each. Three positions decide on most matches, so a window has three, and everything that their
 * matches depend on is fetched at once: each separate wait for memory, and each branch on which
 * the threads of a warp differ, costs more than comparing something for nothing.
 *
 * For each repeat offset, the same 16 bytes are compared for all three positions.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_LAZY_THREAD_H
#define ROCKPRESS_KERNELS_MATCH_LAZY_THREAD_H

#include "kernels/match/lazy.h"

#define RP_LAZY_THREAD_POSITIONS 3

/* How many positions ahead the thread prefetches: two or three matches. */
#define RP_LAZY_FETCHED_AHEAD 32

/* The largest repeat offset that a block begins with. */
#define RP_MAX_FIRST_REPEAT 8

/* For each repeat offset, which of the 16 bytes at a position differ from those that far
 * before. */
RP_FN_INLINE void rp_lazy_differ(rp_lz77_source source, uint32_t position,
                                 rp_repeat_offsets repeats, uint32_t *differ)
{
    if (position < RP_MAX_FIRST_REPEAT || source.n_bytes - position < RP_SIXTEEN_READ) {
        for (uint32_t k = 0; k < RP_LZ77_REPEATS; k++)
            differ[k] = rp_source_differ16_at_ends(source, position, repeats.offset[k]);
        return;
    }
    rp_bytes16 bytes = rp_source_load_bytes16(source, position);
    rp_bytes16 before[RP_LZ77_REPEATS];
    RP_UNROLL
    for (uint32_t k = 0; k < RP_LZ77_REPEATS; k++)
        before[k] = rp_source_load_bytes16(source, position - repeats.offset[k]);
    RP_UNROLL
    for (uint32_t k = 0; k < RP_LZ77_REPEATS; k++)
        differ[k] = rp_bytes16_differ(bytes, before[k]);
}

/* For each position of a window, how many bytes equal those `offset` before them, up to
 * RP_LZ77_EVALUATED_LENGTH. Only positions with a match of their own are counted; for one whose
 * match has this offset, the count may be too low. */
RP_FN_INLINE void rp_lazy_lengths(rp_lz77_source source, uint32_t position, const uint32_t *packed,
                                  uint32_t offset, uint32_t differ, uint32_t *lengths)
{
    bool is_asked = false;
    RP_UNROLL
    for (uint32_t i = 0; i < RP_LAZY_THREAD_POSITIONS; i++) {
        lengths[i] = rp_trailing_zeros32((differ | UINT32_C(1) << RP_SIXTEEN) >> i);
        is_asked |= rp_packed_is_own(packed[i]) && !rp_packed_is_own_of(packed[i], offset);
    }
    if (!is_asked || offset == 0 ||
        lengths[RP_LAZY_THREAD_POSITIONS - 1] < RP_SIXTEEN - (RP_LAZY_THREAD_POSITIONS - 1))
        return;
    uint32_t after = position + RP_SIXTEEN;
    uint32_t more = rp_source_count16(source, after - offset, after,
                                      rp_min32(source.n_bytes - after, RP_LZ77_EVALUATED_LENGTH));
    RP_UNROLL
    for (uint32_t i = 0; i < RP_LAZY_THREAD_POSITIONS; i++)
        lengths[i] = lengths[i] < RP_SIXTEEN - i
                         ? lengths[i]
                         : rp_min32(lengths[i] + more, RP_LZ77_EVALUATED_LENGTH);
}

/* The match of a repeat offset, `code`, at a position that has a match of its own, given how many
 * bytes are equal there. */
RP_FN uint32_t rp_lazy_repeat_match(uint32_t packed, uint32_t code, uint32_t offset,
                                    uint32_t length)
{
    /* Most often it is that of the position's own match, whose length is known. */
    const uint32_t without_length = rp_rank_repeat_offset(code, offset);
    length = rp_packed_is_own_of(packed, offset) ? rp_packed_length(packed) : length;
    uint32_t match = length * RP_RANKED_BYTE + without_length;
    return length >= RP_LZ77_HASH4_BYTES && offset != 0 ? match : 0;
}

/* The best match of each position of a window, ranked, given the packed ones. */
RP_FN_INLINE void rp_lazy_evaluate_window(rp_lz77_source source, uint32_t position,
                                          const uint32_t *packed, bool no_literals,
                                          rp_repeat_offsets repeats, uint32_t *matches)
{
    uint32_t differ[RP_LZ77_REPEATS];
    rp_lazy_differ(source, position, repeats, differ);
    RP_UNROLL
    for (uint32_t i = 0; i < RP_LAZY_THREAD_POSITIONS; i++)
        matches[i] = rp_rank_packed(packed[i]);
    RP_UNROLL
    for (uint32_t k = 0; k < RP_LZ77_REPEATS; k++) {
        uint32_t offset = repeats.offset[k];
        uint32_t lengths[RP_LAZY_THREAD_POSITIONS];
        rp_lazy_lengths(source, position, packed, offset, differ[k], lengths);
        RP_UNROLL
        for (uint32_t i = 0; i < RP_LAZY_THREAD_POSITIONS; i++) {
            /* RFC 8878 section 3.1.1.5: without literals, the second is the first. */
            bool is_shifted = i == 0 && no_literals;
            uint32_t match =
                rp_lazy_repeat_match(packed[i], is_shifted ? k - 1 : k, offset, lengths[i]);
            matches[i] = rp_max32(matches[i], is_shifted && k == 0 ? 0 : match);
        }
    }
    uint32_t third = rp_repeat_offset(repeats, 2, true);
    if (no_literals && rp_packed_is_own(packed[0]) && third != 0 && third <= position &&
        rp_source_load32(source, position - third) == rp_source_load32(source, position)) {
        uint32_t most = rp_min32(source.n_bytes - position, RP_LZ77_EVALUATED_LENGTH);
        uint32_t length = rp_source_count16(source, position - third, position, most);
        matches[0] = rp_max32(matches[0], rp_lazy_repeat_match(packed[0], 2, third, length));
    }
    RP_UNROLL
    for (uint32_t i = 0; i < RP_LAZY_THREAD_POSITIONS; i++)
        matches[i] = rp_packed_is_own(packed[i]) ? matches[i] : 0;
}

/* Parses the segment [begin, end) of a block, given the packed matches of its positions.
 * Returns the number of parsed matches. */
RP_FN_INLINE uint32_t rp_lazy_parse_thread(rp_lz77_source source, uint32_t begin, uint32_t end,
                                           const uint32_t *matches, rp_lazy_plan plan,
                                           rp_repeat_offsets repeats, rp_parsed_match *parsed)
{
    /* On a GPU, both are in global memory. */
    source.bytes = rp_keep_pointer(source.bytes);
    matches = rp_keep_pointer(matches);
    uint32_t end_evaluated =
        rp_min32(rp_lz77_end(RP_LZ77_HASH4, source.n_bytes), end + plan.n_ahead);
    uint32_t n_parsed = 0;
    uint32_t anchor = begin;
    uint32_t position = begin;
    uint32_t older = 0;    /* at position - 2 */
    uint32_t previous = 0; /* at position - 1 */
    uint32_t here = rp_fetch_match(matches, position, end_evaluated);
    while (position < end_evaluated || (previous | older) != 0) {
        while ((previous | older) == 0 && rp_packed_distance(here) != 0) {
            position += rp_packed_distance(here);
            here = position >= end_evaluated     ? 0
                   : rp_packed_length(here) != 0 ? rp_packed_as_own(here)
                                                 : matches[position];
        }
        position = rp_min32(position, source.n_bytes);
        uint32_t packed[RP_LAZY_THREAD_POSITIONS + 1]; /* and that of the next window */
        const uint32_t *from_here = matches + position;
        rp_prefetch(matches + rp_min32(position + RP_LAZY_FETCHED_AHEAD, source.n_bytes - 1));
        rp_prefetch(source.bytes + rp_min32(position + RP_LAZY_FETCHED_AHEAD, source.n_bytes - 1));
        packed[0] = here;
        RP_UNROLL
        for (uint32_t i = 1; i <= RP_LAZY_THREAD_POSITIONS; i++)
            packed[i] = position + i < end_evaluated ? from_here[i] : 0;
        uint32_t ranked[RP_LAZY_THREAD_POSITIONS];
        rp_lazy_evaluate_window(source, position, packed, position == anchor, repeats, ranked);
        uint32_t taken = 0;
        uint32_t from = 0;
        RP_UNROLL
        for (uint32_t i = 0; i < RP_LAZY_THREAD_POSITIONS; i++) {
            uint32_t evaluated = previous;
            bool is_beaten = rp_lazy_beats(ranked[i], evaluated, 1);
            if (plan.n_ahead == 2) {
                evaluated = older;
                is_beaten =
                    rp_lazy_beats(previous, evaluated, 1) || rp_lazy_beats(ranked[i], evaluated, 2);
            }
            bool take = taken == 0 && evaluated != 0 && rp_lazy_takes(evaluated, is_beaten);
            taken = take ? evaluated : taken;
            from = take ? position + i - plan.n_ahead : from;
            older = plan.n_ahead == 2 ? previous : 0;
            previous = ranked[i];
        }
        if (taken == 0) {
            position += RP_LAZY_THREAD_POSITIONS;
            here = packed[RP_LAZY_THREAD_POSITIONS];
            continue;
        }
        if (from >= end)
            break;
        uint32_t offset = rp_ranked_offset(taken);
        uint32_t after = from + rp_ranked_length(taken);
        if (rp_ranked_length(taken) == RP_LZ77_EVALUATED_LENGTH)
            after += rp_source_count16(source, after - offset, after, source.n_bytes - after);
        here = rp_fetch_match(matches, after, end_evaluated);
        parsed[n_parsed] = rp_make_parsed_match(from, after - from, offset);
        n_parsed++;
        (void)rp_encode_offset(&repeats, offset, from == anchor);
        position = after;
        anchor = after;
        older = 0;
        previous = 0;
    }
    return n_parsed;
}

#endif
