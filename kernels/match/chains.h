/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains of candidates: the candidate of a position, the candidate of that one, and so on, as the
 * offsets of matches that a parse may try.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_CHAINS_H
#define ROCKPRESS_KERNELS_MATCH_CHAINS_H

#include "kernels/match/candidates.h"

/* How many positions back each chain of candidates is followed. */
typedef struct rp_lz77_depths {
    uint32_t hash8;
    uint32_t hash4;
    uint32_t hash3;
} rp_lz77_depths;

/* Most offsets of one position: three repeat offsets and the chains. */
#define RP_LZ77_MAX_OFFSETS 32

/* Fills offsets with the distances to the positions of one chain: the candidate of `position`,
 * which is `distance` back, the candidate of that one, and so on; 0 where there is none. The
 * candidate of position p is at candidates[p * stride]. It was found before p, so it is never
 * before the begin of the block. */
RP_FN_INLINE void rp_lz77_follow(const uint16_t *candidates, uint32_t stride, uint32_t position,
                                 uint32_t distance, uint32_t depth, uint32_t *offsets)
{
    uint32_t offset = 0;
    RP_UNROLL
    for (uint32_t k = 0; k < depth; k++) {
        if (k != 0)
            distance = candidates[(position - offset) * stride];
        offset += distance;
        offsets[k] = distance != 0 && offset <= 0xFFFF ? offset : 0;
    }
}

/* The candidates by 4 and by 8 bytes with one load; that by 4 bytes is in the low half. */
RP_FN_INLINE uint32_t rp_lz77_both(rp_lz77_candidates candidates, uint32_t position)
{
    return rp_load_word(candidates.hash4_hash8, position);
}

/* Fills offsets with the distances along all chains of a position, 0 where there is none.
 * Returns how many places are filled. */
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
    /* Often both chains begin with the same position, which need not be evaluated twice. */
    offsets[n] = offsets[n] == offsets[depths.hash3] ? 0 : offsets[n];
    return n + depths.hash8;
}

#endif
