/* SPDX-License-Identifier: Apache-2.0 */
/* What the lazy parses of one worker and of a warp have in common: how far they look, and when a
 * match is taken. */
#ifndef ROCKPRESS_KERNELS_LZ77_LAZY_PLAN_H
#define ROCKPRESS_KERNELS_LZ77_LAZY_PLAN_H

#include "kernels/lz77_match.h"

/* How much more the match of the position after the next must save: it costs two literals. That
 * of the next position need only save more at all. */
#define RP_LZ77_SECOND_MARGIN 3
/* A match of this length is taken without looking further. */
#define RP_LZ77_SUFFICIENT_LENGTH RP_LZ77_JUDGED_LENGTH

typedef struct rp_lazy_plan {
    rp_lz77_depths depths;
    uint32_t n_ahead; /* positions that are looked at before a match is taken, 1 or 2 */
} rp_lazy_plan;

/* matches[position], or none behind them. One worker alone fetches it before it is needed: most of
 * the time of a GPU's thread is waiting for these. */
RP_FN uint32_t rp_fetch_match(const uint32_t *matches, uint32_t position, uint32_t end)
{
    return position < end ? matches[position] : 0;
}

#endif
