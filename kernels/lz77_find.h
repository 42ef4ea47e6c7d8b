/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best match of the chains at every position, each by itself: work for as many workers as there
 * are, before a parse that then only adds repeat offsets.
 *
 * What takes the time is counting equal bytes, and hardly any of it is needed: if a position
 * matches at an offset and so does the next one, its match is one byte longer than that one's. So
 * positions are gone through from last to first, the team at as many at once as it has workers, and
 * bytes are counted only where a run of positions with the same offset ends. Lengths are what
 * counting would have given.
 */
#ifndef ROCKPRESS_KERNELS_LZ77_FIND_H
#define ROCKPRESS_KERNELS_LZ77_FIND_H

#include "kernels/lz77_match.h"

/* Positions that are one part's work. */
#define RP_FIND_PIECE_BYTES 2048

/* Offset and length at the position behind those that the team looks at, for each place in the list
 * of offsets. */
typedef struct rp_find_carry {
    uint32_t offsets[RP_LZ77_MAX_OFFSETS];
    uint32_t lengths[RP_LZ77_MAX_OFFSETS];
} rp_find_carry;

/* The length of the match of `offset`, 0: none, at each worker's position; that of rank r + 1 is
 * before that of rank r. */
RP_FN_INLINE uint32_t rp_find_length(rp_team *team, const uint8_t *at, uint32_t most,
                                     uint32_t offset, uint32_t *carried_offset,
                                     uint32_t *carried_length)
{
    bool goes_on = team_shift_up(team, offset, *carried_offset) == offset && offset != 0;
    uint32_t length = 0;
    if (offset != 0 && !goes_on)
        length =
            RP_LZ77_SHORT_BYTES + rp_lz77_count_equal(at + RP_LZ77_SHORT_BYTES,
                                                      at + RP_LZ77_SHORT_BYTES - offset, at + most);
    length = team_count_on(team, goes_on, length, *carried_length);
    length = rp_min32(length, most);
    *carried_offset = (uint32_t)team_broadcast(team, offset, TEAM_SIZE(team) - 1);
    *carried_length = (uint32_t)team_broadcast(team, length, TEAM_SIZE(team) - 1);
    return length;
}

/* Positions [begin, end). */
RP_FN_INLINE void rp_find_positions(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                    uint32_t begin, uint32_t end, rp_lz77_candidates candidates,
                                    rp_lz77_depths depths, uint32_t *matches)
{
    const uint32_t n_offsets = depths.of_three + depths.of_short + depths.of_long;
    rp_find_carry carry;
    uint32_t distance = 0; /* from the position behind to the next one that has a match */
    RP_UNROLL
    for (uint32_t k = 0; k < n_offsets; k++) {
        carry.offsets[k] = 0;
        carry.lengths[k] = 0;
    }
    for (uint32_t n_left = end - begin; n_left != 0;) {
        uint32_t n = rp_min32(n_left, TEAM_SIZE(team));
        bool active = TEAM_RANK(team) < n;
        uint32_t position = begin + (active ? n_left - 1 - TEAM_RANK(team) : 0);
        const uint8_t *at = source + position;
        uint32_t most = rp_min32(n_bytes - position, RP_LZ77_JUDGED_LENGTH);
        uint32_t offsets[RP_LZ77_MAX_OFFSETS];
        rp_lz77_chains(position, candidates, depths, offsets);
        uint32_t equal = active ? rp_lz77_equal_at(at, offsets, n_offsets) : 0;
        rp_match best = rp_no_match();
        RP_UNROLL
        for (uint32_t k = 0; k < n_offsets; k++) {
            uint32_t offset = (equal >> k & 1) != 0 ? offsets[k] : 0;
            uint32_t length =
                rp_find_length(team, at, most, offset, &carry.offsets[k], &carry.lengths[k]);
            if (offset != 0)
                rp_lz77_weigh(length, offset, &best);
        }
        bool none = best.length == 0;
        distance = team_count_on(team, none, 0, distance);
        if (active)
            matches[position] = none ? rp_pack_distance(distance) : rp_pack_match(best);
        distance = (uint32_t)team_broadcast(team, distance, TEAM_SIZE(team) - 1);
        n_left -= n;
    }
}

/* Number of pieces of a block. */
RP_FN uint32_t rp_find_pieces(uint32_t n_bytes)
{
    return (n_bytes + RP_FIND_PIECE_BYTES - 1) / RP_FIND_PIECE_BYTES;
}

/* The matches of one piece of a block; those of the last 3 bytes are not set. */
RP_FN_INLINE void rp_lz77_find_matches(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                       uint32_t piece, rp_lz77_candidates candidates,
                                       rp_lz77_depths depths, uint32_t *matches)
{
    uint32_t end = n_bytes < RP_LZ77_SHORT_BYTES ? 0 : n_bytes - RP_LZ77_SHORT_BYTES + 1;
    uint32_t begin = piece * RP_FIND_PIECE_BYTES;
    end = rp_min32(begin + RP_FIND_PIECE_BYTES, end);
    if (begin < end)
        rp_find_positions(team, source, n_bytes, begin, end, candidates, depths, matches);
}

#endif
