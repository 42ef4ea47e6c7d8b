/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lazy parse of a segment by a warp. The next match most often begins at one of the next few
 * positions, and what is evaluated after it is wasted. So a window has only
 * RP_LAZY_WARP_POSITIONS, with four workers each: one for each repeat offset, and one for the
 * packed match.
 *
 * The time goes into chains of dependent instructions, so a match stays one word from the
 * beginning to the end.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_LAZY_WARP_H
#define ROCKPRESS_KERNELS_MATCH_LAZY_WARP_H

#include "kernels/match/lazy.h"

#define RP_LAZY_WARP_WORKERS 32
#define RP_LAZY_WARP_POSITIONS 8

/* The match of the repeat offset with this code, ranked; 0 if the position has no match of its
 * own, or `offset` is 0. */
RP_FN uint32_t rp_lazy_repeat(rp_lz77_source source, uint32_t position, uint32_t packed,
                              uint32_t code, uint32_t offset)
{
    if (!rp_packed_is_own(packed) || offset == 0 || offset > position)
        return 0;
    /* Most often it is that of the packed match, whose length is known. */
    uint32_t length = rp_packed_length(packed);
    if (!rp_packed_is_own_of(packed, offset))
        length = rp_source_count(source, position - offset, position,
                                 rp_min32(source.n_bytes - position, RP_LZ77_EVALUATED_LENGTH));
    if (length < RP_LZ77_HASH4_BYTES)
        return 0;
    return rp_rank_repeat(code, offset, length);
}

/* The first position from `position` on that has a match, or one before it where distances end;
 * at most `end`. lazy_thread.h does the same with what it has fetched ahead. */
RP_FN uint32_t rp_lazy_skip(const uint32_t *matches, uint32_t position, uint32_t end)
{
    uint32_t packed = rp_fetch_match(matches, position, end);
    while (rp_packed_distance(packed) != 0) {
        position += rp_packed_distance(packed);
        if (rp_packed_length(packed) != 0)
            break;
        packed = rp_fetch_match(matches, position, end);
    }
    return rp_min32(position, end);
}

/* Parses the segment [begin, end) of a block, given the packed matches of its positions.
 * Returns the number of parsed matches. */
RP_FN_INLINE uint32_t rp_lazy_parse_warp(const rp_team *whole_team, rp_lz77_source source,
                                         uint32_t begin, uint32_t end, const uint32_t *matches,
                                         rp_lazy_plan plan, rp_repeat_offsets repeats,
                                         rp_parsed_match *parsed)
{
    rp_team values = team_unordered(whole_team);
    rp_team *team = &values;
    const uint32_t rank = TEAM_RANK(team);
    const uint32_t index = rank % RP_LAZY_WARP_POSITIONS;
    const uint32_t code = rank / RP_LAZY_WARP_POSITIONS;
    const uint32_t last = RP_LAZY_WARP_POSITIONS - 1;
    uint32_t end_evaluated =
        rp_min32(rp_lz77_end(RP_LZ77_HASH4, source.n_bytes), end + plan.n_ahead);
    uint32_t n_parsed = 0;
    uint32_t anchor = begin;
    uint32_t position = begin;
    uint32_t older = 0;    /* at position - 2 */
    uint32_t previous = 0; /* at position - 1 */
    while (position < end_evaluated || (previous | older) != 0) {
        if ((previous | older) == 0)
            position = rp_lazy_skip(matches, position, end_evaluated);
        uint32_t mine = position + index;
        uint32_t packed = rp_fetch_match(matches, mine, end_evaluated);
        uint32_t match = rp_rank_packed(packed);
        if (code < RP_LZ77_REPEATS)
            match = rp_lazy_repeat(source, mine, packed, code,
                                   rp_repeat_offset(repeats, code, mine == anchor));
        RP_UNROLL
        for (uint32_t k = RP_LAZY_WARP_POSITIONS; k < RP_LAZY_WARP_WORKERS; k *= 2)
            match = rp_max32(match, team_shuffle(team, match, rank ^ k));
        uint32_t least = rp_max32(rp_ranked_gain(previous), rp_ranked_gain(older));
        if (index == 0 && rp_ranked_gain(match) <= least)
            match = 0;
        /* A worker sees its match and those before it, so it decides on the one that is n_ahead
         * positions before its own. */
        uint32_t before = team_shuffle(team, match, (rank - 1) % RP_LAZY_WARP_WORKERS);
        before = rank == 0 ? previous : before;
        uint32_t evaluated = before;
        bool is_beaten = rp_lazy_beats(match, before, 1);
        if (plan.n_ahead == 2) {
            evaluated = team_shuffle(team, match, (rank - 2) % RP_LAZY_WARP_WORKERS);
            evaluated = rank == 0 ? older : rank == 1 ? previous : evaluated;
            is_beaten = rp_lazy_beats(before, evaluated, 1) || rp_lazy_beats(match, evaluated, 2);
        }
        bool take = evaluated != 0 && rank <= last && rp_lazy_takes(evaluated, is_beaten);
        uint32_t taker = team_reduce_min(team, take ? rank : RP_TEAM_NONE);
        if (taker == RP_TEAM_NONE) {
            if (plan.n_ahead == 2)
                older = team_broadcast(team, match, last - 1);
            previous = team_broadcast(team, match, last);
            position += RP_LAZY_WARP_POSITIONS;
            continue;
        }
        evaluated = team_broadcast(team, evaluated, taker);
        uint32_t from = position + taker - plan.n_ahead;
        if (from >= end)
            break;
        uint32_t offset = rp_ranked_offset(evaluated);
        uint32_t after = from + rp_ranked_length(evaluated);
        if (rp_ranked_length(evaluated) == RP_LZ77_EVALUATED_LENGTH)
            after = rp_source_extend(team, source, after, offset);
        if (rank == 0)
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
