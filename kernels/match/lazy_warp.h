/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lazy parse by a warp, with the same result as match/lazy.h. A match begins at one of the next
 * few positions most often, and what is behind it is looked at in vain. So a window is only
 * RP_LAZY_WARP_POSITIONS, and each has four workers: one for each repeat offset, and one for the
 * match that was found without them.
 *
 * What takes the time is how many instructions wait for each other: a match is one number from its
 * beginning to its end.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_LAZY_WARP_H
#define ROCKPRESS_KERNELS_MATCH_LAZY_WARP_H

#include "kernels/match/lazy.h"

#define RP_LAZY_WARP_WORKERS 32
#define RP_LAZY_WARP_POSITIONS 8

/* The match of a repeat offset, its `code`, at a position where `noted` was found; 0 if it has none
 * of its own, or `offset` is 0. */
RP_FN uint32_t rp_lazy_repeat(rp_lz77_source source, uint32_t position, uint32_t noted,
                              uint32_t code, uint32_t offset)
{
    if (!rp_packed_is_own(noted) || offset == 0 || offset > position)
        return 0;
    /* Most often it is that of the match that was found, whose length is known. */
    uint32_t length = rp_packed_length(noted);
    if (!rp_packed_is_own_of(noted, offset))
        length = rp_source_count(source, position - offset, position,
                                 rp_min32(source.n_bytes - position, RP_LZ77_EVALUATED_LENGTH));
    if (length < RP_LZ77_HASH4_BYTES)
        return 0;
    return rp_rank_repeat(code, offset, length);
}

/* The first position from `position` on that has a match, or one before it; at most `end`. */
RP_FN uint32_t rp_lazy_skip(const uint32_t *matches, uint32_t position, uint32_t end)
{
    uint32_t noted = rp_fetch_match(matches, position, end);
    while (rp_packed_distance(noted) != 0) {
        position += rp_packed_distance(noted);
        if (rp_packed_length(noted) != 0)
            break;
        noted = rp_fetch_match(matches, position, end);
    }
    return rp_min32(position, end);
}

/* As rp_lazy_parse(), given the matches. */
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
    uint32_t end_judged = rp_min32(rp_lz77_end(RP_LZ77_HASH4, source.n_bytes), end + plan.n_ahead);
    uint32_t n_parsed = 0;
    uint32_t anchor = begin;
    uint32_t position = begin;
    uint32_t older = 0;    /* at position - 2 */
    uint32_t previous = 0; /* at position - 1 */
    while (position < end_judged || (previous | older) != 0) {
        if ((previous | older) == 0)
            position = rp_lazy_skip(matches, position, end_judged);
        uint32_t mine = position + index;
        uint32_t noted = rp_fetch_match(matches, mine, end_judged);
        uint32_t match = rp_rank_packed(noted);
        if (code < RP_LZ77_REPEATS)
            match = rp_lazy_repeat(source, mine, noted, code,
                                   rp_repeat_offset(repeats, code, mine == anchor));
        RP_UNROLL
        for (uint32_t k = RP_LAZY_WARP_POSITIONS; k < RP_LAZY_WARP_WORKERS; k *= 2)
            match = rp_max32(match, team_shuffle(team, match, rank ^ k));
        uint32_t least = rp_max32(rp_ranked_gain(previous), rp_ranked_gain(older));
        if (index == 0 && rp_ranked_gain(match) <= least)
            match = 0;
        /* The worker that sees a match and all that come into question instead decides. */
        uint32_t before = team_shuffle(team, match, (rank - 1) % RP_LAZY_WARP_WORKERS);
        before = rank == 0 ? previous : before;
        uint32_t judged = before;
        bool is_beaten = rp_lazy_beats(match, before, 1);
        if (plan.n_ahead == 2) {
            judged = team_shuffle(team, match, (rank - 2) % RP_LAZY_WARP_WORKERS);
            judged = rank == 0 ? older : rank == 1 ? previous : judged;
            is_beaten = rp_lazy_beats(before, judged, 1) || rp_lazy_beats(match, judged, 2);
        }
        bool take = judged != 0 && rank <= last && rp_lazy_takes(judged, is_beaten);
        uint32_t taker = team_reduce_min(team, take ? rank : RP_TEAM_NONE);
        if (taker == RP_TEAM_NONE) {
            if (plan.n_ahead == 2)
                older = team_broadcast(team, match, last - 1);
            previous = team_broadcast(team, match, last);
            position += RP_LAZY_WARP_POSITIONS;
            continue;
        }
        judged = team_broadcast(team, judged, taker);
        uint32_t from = position + taker - plan.n_ahead;
        if (from >= end)
            break;
        uint32_t offset = rp_ranked_offset(judged);
        uint32_t behind = from + rp_ranked_length(judged);
        if (rp_ranked_length(judged) == RP_LZ77_EVALUATED_LENGTH)
            behind = rp_source_extend(team, source, behind, offset);
        if (rank == 0)
            parsed[n_parsed] = rp_make_parsed_match(from, behind - from, offset);
        n_parsed++;
        (void)rp_encode_offset(&repeats, offset, from == anchor);
        position = behind;
        anchor = behind;
        older = 0;
        previous = 0;
    }
    return n_parsed;
}

#endif
