/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lazy parse: a match is taken unless one of the next one or two positions has a better one.
 *
 * The team looks at a window of team-size positions at once, each worker at one of them, with
 * the repeat offsets as they are at the window's start. That is right for every position up to
 * the first one where a match is taken, and nothing behind it is used: the next window starts
 * behind that match. Whether the match of a position is taken depends on it and on the next
 * one or two positions alone, so windows of any size give the same sequences; what a decision
 * still needs of the last positions of a window is carried into the next. A warp has another
 * window, and so has one worker that is given the matches of all positions: match/lazy_warp.h,
 * match/lazy_thread.h.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_LAZY_H
#define ROCKPRESS_KERNELS_MATCH_LAZY_H

#include "kernels/match/lazy_plan.h"
#include "kernels/match/lazy_thread.h"
#include "kernels/match/lazy_warp.h"
#include "kernels/match/output.h"
#include "kernels/match/segments.h"

/* Segments of the block that are parsed independently: work for a part of the team each. */
#define RP_LAZY_SEGMENT_BYTES 1024

/* The match of the rank below; `first` on rank 0. A collective. */
RP_FN rp_match rp_shift_match(rp_team *team, rp_match match, rp_match first)
{
    if (TEAM_SIZE(team) == 1)
        return first;
    return rp_unpack_match(team_shift_up(team, rp_pack_match(match), rp_pack_match(first)));
}

/* The match of one rank, on all. A collective. */
RP_FN rp_match rp_broadcast_match(rp_team *team, rp_match match, uint32_t root)
{
    if (TEAM_SIZE(team) == 1)
        return match;
    return rp_unpack_match(team_broadcast(team, rp_pack_match(match), root));
}

/*
 * Parses the segment [begin, end) of a block. `matches` are those of
 * rp_lz77_find_matches(), if RP_LZ77_MATCHES_FIRST. Returns the number of steps.
 */
RP_FN_INLINE uint32_t rp_lazy_parse(rp_team *team, rp_lz77_source source, uint32_t begin,
                                    uint32_t end, rp_lz77_candidates candidates,
                                    const uint32_t *matches, rp_lazy_plan plan,
                                    rp_repeat_offsets repeats, rp_step *steps)
{
    /* Judged are also the positions behind the segment that decide on its last ones. */
    uint32_t end_judged = rp_min32(rp_lz77_end(RP_LZ77_HASH4, source.n_bytes), end + plan.n_ahead);
    uint32_t n_steps = 0;
    uint32_t anchor = begin;           /* first byte that is not in a step yet */
    uint32_t position = begin;         /* the window's start */
    rp_match older = rp_no_match();    /* at position - 2 */
    rp_match previous = rp_no_match(); /* at position - 1 */
    while (position < end_judged || previous.length != 0 || older.length != 0) {
        bool is_first = previous.length == 0 && older.length == 0;
        if (TEAM_SIZE(team) == 1 && is_first)
            position =
                rp_lz77_next_match(source.bytes, position, end_judged, candidates, plan.depths);
        uint32_t mine = position + TEAM_RANK(team);
        rp_match match = rp_no_match();
        /* What does not save more than the matches before it changes nothing. */
        int32_t least = previous.gain > older.gain ? previous.gain : older.gain;
        if (TEAM_RANK(team) != 0)
            least = 0;
        if (mine < end_judged && !RP_LZ77_MATCHES_FIRST)
            match = rp_lz77_best_match(source.bytes, source.n_bytes, mine, candidates, plan.depths,
                                       repeats, mine == anchor, least);
        else if (mine < end_judged)
            match =
                rp_lz77_better_match(source, mine, matches[mine], repeats, mine == anchor, least);
        /* The worker that sees a match and all that come into question instead decides. */
        rp_match before = rp_shift_match(team, match, previous);
        rp_match judged = before;
        bool better = match.gain > before.gain;
        if (plan.n_ahead == 2) {
            judged = rp_shift_match(team, before, older);
            better = before.gain > judged.gain || match.gain > judged.gain + RP_LZ77_SECOND_MARGIN;
        }
        bool take = judged.length != 0 && (judged.length >= RP_LZ77_SUFFICIENT_LENGTH || !better);
        uint32_t taker = team_reduce_min(team, take ? TEAM_RANK(team) : RP_TEAM_NONE);
        if (taker == RP_TEAM_NONE) {
            uint32_t last = TEAM_SIZE(team) - 1;
            if (plan.n_ahead == 2)
                older = rp_broadcast_match(team, before, last);
            previous = rp_broadcast_match(team, match, last);
            position += TEAM_SIZE(team);
            continue;
        }
        judged = rp_broadcast_match(team, judged, taker);
        uint32_t from = position + taker - plan.n_ahead;
        if (from >= end)
            break;
        uint32_t behind = from + judged.length;
        if (judged.length == RP_LZ77_JUDGED_LENGTH)
            behind = rp_lz77_extend(team, source, behind, judged.offset);
        if (TEAM_RANK(team) == 0)
            steps[n_steps] = rp_make_step(from, behind - from, judged.offset);
        n_steps++;
        (void)rp_encode_offset(&repeats, judged.offset, from == anchor);
        position = behind;
        anchor = behind;
        older = rp_no_match();
        previous = rp_no_match();
    }
    return n_steps;
}

/* Number of segments of a block. */
RP_FN uint32_t rp_lazy_segments(uint32_t n_bytes)
{
    return (n_bytes + RP_LAZY_SEGMENT_BYTES - 1) / RP_LAZY_SEGMENT_BYTES;
}

/*
 * Parses segment `index` of a block. The first starts with the repeat offsets of the block, the
 * others know none.
 */
RP_FN_INLINE void rp_lazy_parse_segment(rp_team *team, rp_lz77_source source, uint32_t index,
                                        rp_lz77_candidates candidates, const uint32_t *matches,
                                        rp_lazy_plan plan, rp_repeat_offsets repeats,
                                        rp_segment *segments, rp_step *steps)
{
    uint32_t begin = index * RP_LAZY_SEGMENT_BYTES;
    uint32_t first = rp_first_step(begin);
    for (uint32_t k = 0; k < 3; k++)
        repeats.offset[k] = index == 0 ? repeats.offset[k] : 0;
    uint32_t end = begin + RP_LAZY_SEGMENT_BYTES;
    uint32_t n_steps;
    if (RP_LZ77_MATCHES_FIRST && TEAM_SIZE(team) == 1)
        n_steps = rp_lazy_parse_thread(source, begin, end, matches, plan, repeats, steps + first);
    else if (RP_LZ77_MATCHES_FIRST && TEAM_SIZE(team) == RP_LAZY_WARP_WORKERS)
        n_steps =
            rp_lazy_parse_warp(team, source, begin, end, matches, plan, repeats, steps + first);
    else
        n_steps = rp_lazy_parse(team, source, begin, end, candidates, matches, plan, repeats,
                                steps + first);
    if (TEAM_RANK(team) == 0) {
        segments[index].begin = begin;
        segments[index].first = first;
        segments[index].n_steps = n_steps;
    }
}

#endif
