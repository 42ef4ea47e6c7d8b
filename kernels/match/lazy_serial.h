/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lazy parse of the `host` device: one worker goes from position to position and finds matches
 * on demand.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_LAZY_SERIAL_H
#define ROCKPRESS_KERNELS_MATCH_LAZY_SERIAL_H

#include "kernels/match/lazy.h"
#include "kernels/match/match_on_demand.h"

/* Parses the segment [begin, end) of a block. Returns the number of parsed matches. */
RP_FN_INLINE uint32_t rp_lazy_parse_serial(rp_lz77_source source, uint32_t begin, uint32_t end,
                                           rp_lz77_candidates candidates, rp_lazy_plan plan,
                                           rp_repeat_offsets repeats, rp_parsed_match *parsed)
{
    const uint8_t *bytes = source.bytes;
    uint32_t end_evaluated =
        rp_min32(rp_lz77_end(RP_LZ77_HASH4, source.n_bytes), end + plan.n_ahead);
    uint32_t n_parsed = 0;
    uint32_t anchor = begin; /* first byte that is in no parsed match yet */
    uint32_t position = begin;
    uint32_t older = 0;    /* at position - 2 */
    uint32_t previous = 0; /* at position - 1 */
    while (position < end_evaluated || (previous | older) != 0) {
        if ((previous | older) == 0)
            position = rp_lz77_next_match(bytes, position, end_evaluated, candidates, plan.depths);
        uint32_t match = 0;
        /* What does not save more than the matches before it changes nothing. */
        uint32_t least = rp_ranked_gain(rp_max32(previous, older));
        if (position < end_evaluated)
            match = rp_lz77_best_match(bytes, source.n_bytes, position, candidates, plan.depths,
                                       repeats, position == anchor, (int32_t)least);
        uint32_t evaluated = plan.n_ahead == 2 ? older : previous;
        bool is_taken = false;
        if (evaluated != 0) {
            bool is_beaten = plan.n_ahead == 2 ? rp_lazy_beats(previous, evaluated, 1) ||
                                                     rp_lazy_beats(match, evaluated, 2)
                                               : rp_lazy_beats(match, evaluated, 1);
            is_taken = rp_lazy_takes(evaluated, is_beaten);
        }
        if (!is_taken) {
            older = plan.n_ahead == 2 ? previous : 0;
            previous = match;
            position++;
            continue;
        }
        uint32_t from = position - plan.n_ahead;
        if (from >= end)
            break;
        uint32_t offset = rp_ranked_offset(evaluated);
        uint32_t after = from + rp_ranked_length(evaluated);
        if (rp_ranked_length(evaluated) == RP_LZ77_EVALUATED_LENGTH)
            after +=
                rp_lz77_count_equal(bytes + after, bytes + after - offset, bytes + source.n_bytes);
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
