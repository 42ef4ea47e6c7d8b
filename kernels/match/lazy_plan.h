/* SPDX-License-Identifier: Apache-2.0 */
/* What the lazy parses of one worker and of a warp have in common: how far they look, and when a
 * match is taken. */
#ifndef ROCKPRESS_KERNELS_MATCH_LAZY_PLAN_H
#define ROCKPRESS_KERNELS_MATCH_LAZY_PLAN_H

#include "kernels/match/packed_match.h"

/* How much more the match of the position after the next must save: it costs two literals. That
 * of the next position need only save more at all. */
#define RP_LZ77_SECOND_MARGIN 3
/* A match of this length is taken without looking further. */
#define RP_LZ77_SUFFICIENT_LENGTH RP_LZ77_JUDGED_LENGTH

typedef struct rp_lazy_plan {
    rp_lz77_depths depths;
    uint32_t n_ahead; /* positions that are looked at before a match is taken, 1 or 2 */
} rp_lazy_plan;

/* matches[position], or none behind them. */
RP_FN uint32_t rp_fetch_match(const uint32_t *matches, uint32_t position, uint32_t end)
{
    return position < end ? matches[position] : 0;
}

/*
 * A match that can be taken, larger for what is preferred: bits 0-5 are its length, 6-21 its
 * offset, 22 whether it is a repeat offset, 23-30 what it saves. 0 is none. Two repeat offsets
 * never save the same: what they cost tells which they are.
 */
#define RP_LAZY_GAIN_SHIFT 23

RP_FN uint32_t rp_lazy_gain(uint32_t match)
{
    return match >> RP_LAZY_GAIN_SHIFT;
}

RP_FN uint32_t rp_lazy_length(uint32_t match)
{
    return match & 63;
}

RP_FN uint32_t rp_lazy_offset(uint32_t match)
{
    return match >> 6 & 0xFFFF;
}

typedef char rp_lazy_gain_has_room[RP_LZ77_JUDGED_LENGTH * RP_LZ77_BYTE_GAIN < 256 ? 1 : -1];

/* Whether a position has a match of its own, given what was noted of it. */
RP_FN bool rp_lazy_is_own(uint32_t noted)
{
    return rp_found_distance(noted) == 0 && rp_found_length(noted) != 0;
}

/* That match. */
RP_FN uint32_t rp_lazy_found(uint32_t noted)
{
    rp_match found = rp_found_match(noted | UINT32_C(1) << 6); /* costs the same, and is not 0 */
    return rp_lazy_is_own(noted) ? (uint32_t)found.gain << RP_LAZY_GAIN_SHIFT | noted : 0;
}

#endif
