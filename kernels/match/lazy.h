/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lazy parse: a match is taken unless one of the next one or two positions has a better one.
 *
 * Whether the match of a position is taken depends on it and on the matches of the next one or two
 * positions alone. So a parse may look at a window of any number of positions at once, with the
 * repeat offsets as they are where the window begins: that is right up to the first match that is
 * taken, and the next window begins after that match. What a decision still needs of the last
 * positions of a window is carried into the next. All windows give the same matches. There are
 * three parses, and match/stage.h says which one runs when:
 *
 *     lazy_serial.h   one worker, one position at a time, matches on demand
 *     lazy_thread.h   one worker, three positions at once, given the matches of all positions
 *     lazy_warp.h     32 workers, eight positions at once, given the matches of all positions
 *
 * This file has what they share.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_LAZY_H
#define ROCKPRESS_KERNELS_MATCH_LAZY_H

#include "kernels/match/chains.h"
#include "kernels/match/packed_match.h"

/* Segments of the block that are parsed independently. */
#define RP_LAZY_SEGMENT_BYTES 1024

/* How much more the match of the position after the next must save: it costs two literals. That
 * of the next position need only save more at all. */
#define RP_LZ77_SECOND_MARGIN 3
/* A match of this length is taken whatever the next positions have. */
#define RP_LZ77_SUFFICIENT_LENGTH RP_LZ77_EVALUATED_LENGTH

typedef struct rp_lazy_plan {
    rp_lz77_depths depths;
    uint32_t n_ahead; /* next positions whose matches are compared, 1 or 2 */
} rp_lazy_plan;

/* Whether a match is better by enough than one that is evaluated, given how many positions
 * after that one it begins: 1 or 2. A parse asks that for the next one or two positions
 * (n_ahead), as its window has them. */
RP_FN bool rp_lazy_beats(uint32_t match, uint32_t evaluated, uint32_t n_after)
{
    return rp_ranked_gain(match) >
           rp_ranked_gain(evaluated) + (n_after == 2 ? RP_LZ77_SECOND_MARGIN : 0);
}

/* Whether a match is taken, given whether one of the next positions beats it. */
RP_FN bool rp_lazy_takes(uint32_t evaluated, bool is_beaten)
{
    return rp_ranked_length(evaluated) >= RP_LZ77_SUFFICIENT_LENGTH || !is_beaten;
}

/* Number of segments of a block. */
RP_FN uint32_t rp_lazy_segments(uint32_t n_bytes)
{
    return (n_bytes + RP_LAZY_SEGMENT_BYTES - 1) / RP_LAZY_SEGMENT_BYTES;
}

/* matches[position], or none from `end` on. */
RP_FN uint32_t rp_fetch_match(const uint32_t *matches, uint32_t position, uint32_t end)
{
    return position < end ? matches[position] : 0;
}

#endif
