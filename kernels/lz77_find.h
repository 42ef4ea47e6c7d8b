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

/* Most offsets of a position, so that those of one fit 64 bits and their lengths 32. */
#define RP_FIND_MAX_OFFSETS 4

/* Number of equal bytes at a and b, 8 at most; n_left can be read. */
RP_FN_INLINE uint32_t rp_find_equal(const uint8_t *a, const uint8_t *b, uint32_t n_left)
{
    if (n_left < 8)
        return rp_lz77_count_equal(a, b, a + n_left);
    uint64_t difference = rp_load64(a) ^ rp_load64(b);
    return difference != 0 ? rp_trailing_zeros64(difference) >> 3 : 8;
}

/* So much behind a block is read at most. */
#define RP_FIND_SLACK (RP_LZ77_JUDGED_LENGTH + 8)

/* Counts the lengths of the matches whose bits are set in `pending`, 4 bytes of which are known to
 * be equal. `offsets` has 16 bits for each, the result 8. Workers count at the same time, whichever
 * match it is. n_slack bytes behind the n_left from `at` on can be read. */
RP_FN_INLINE uint32_t rp_find_lengths(const uint8_t *at, uint32_t n_left, uint32_t n_slack,
                                      uint64_t offsets, uint32_t pending)
{
    uint32_t most = rp_min32(n_left, RP_LZ77_JUDGED_LENGTH);
    uint32_t lengths = 0;
    uint32_t length = RP_LZ77_SHORT_BYTES;
    while (pending != 0) {
        uint32_t k = rp_trailing_zeros32(pending);
        uint32_t offset = (uint32_t)(offsets >> (16 * k)) & 0xFFFF;
        const uint8_t *from = at + length;
        uint32_t n_readable = n_slack >= RP_FIND_SLACK ? 8 : n_left - length;
        uint32_t equal = rp_find_equal(from, from - offset, n_readable);
        length += equal;
        if (equal < 8 || length >= most) {
            lengths |= rp_min32(length, most) << (8 * k);
            length = RP_LZ77_SHORT_BYTES;
            pending &= pending - 1;
        }
    }
    return lengths;
}

/* Positions [begin, end). */
RP_FN_INLINE void rp_find_positions(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                    uint32_t n_slack, uint32_t begin, uint32_t end,
                                    rp_lz77_candidates candidates, rp_lz77_depths depths,
                                    uint32_t *matches)
{
    const uint32_t n_offsets = depths.of_three + depths.of_short + depths.of_long;
    /* Of the position behind those that the team looks at: offset << 16 | length, for each place in
     * the list of offsets. */
    uint32_t carried[RP_FIND_MAX_OFFSETS] = {0, 0, 0, 0};
    uint32_t distance = 0; /* from there to the next position that has a match */
    for (uint32_t n_todo = end - begin; n_todo != 0;) {
        /* Rank r + 1 is at the position before that of rank r. */
        uint32_t n = rp_min32(n_todo, TEAM_SIZE(team));
        bool active = TEAM_RANK(team) < n;
        uint32_t position = begin + (active ? n_todo - 1 - TEAM_RANK(team) : 0);
        const uint8_t *at = source + position;
        uint32_t n_left = n_bytes - position;
        uint32_t offsets[RP_LZ77_MAX_OFFSETS];
        rp_lz77_chains(position, candidates, depths, offsets);
        uint32_t equal = active ? rp_lz77_equal_at(at, offsets, n_offsets) : 0;
        uint32_t goes_on = 0;
        uint64_t packed = 0;
        RP_UNROLL
        for (uint32_t k = 0; k < n_offsets; k++) {
            offsets[k] = (equal >> k & 1) != 0 ? offsets[k] : 0;
            bool same = team_shift_up(team, offsets[k], carried[k] >> 16) == offsets[k];
            goes_on |= (uint32_t)same << k;
            packed |= (uint64_t)offsets[k] << (16 * k);
        }
        goes_on &= equal;
        uint32_t lengths = rp_find_lengths(at, n_left, n_slack, packed, equal & ~goes_on);
        rp_match best = rp_no_match();
        RP_UNROLL
        for (uint32_t k = 0; k < n_offsets; k++) {
            uint32_t length = team_count_on(team, (goes_on >> k & 1) != 0,
                                            lengths >> (8 * k) & 0xFF, carried[k] & 0xFFFF);
            length = rp_min32(length, rp_min32(n_left, RP_LZ77_JUDGED_LENGTH));
            carried[k] = team_broadcast(team, offsets[k] << 16 | length, TEAM_SIZE(team) - 1);
            if (offsets[k] != 0)
                rp_lz77_weigh(length, offsets[k], &best);
        }
        bool none = best.length == 0;
        distance = team_count_on(team, none, 0, distance);
        if (active)
            matches[position] = none ? rp_pack_distance(distance) : rp_pack_match(best);
        distance = team_broadcast(team, distance, TEAM_SIZE(team) - 1);
        n_todo -= n;
    }
}

/* Number of pieces of a block. */
RP_FN uint32_t rp_find_pieces(uint32_t n_bytes)
{
    return (n_bytes + RP_FIND_PIECE_BYTES - 1) / RP_FIND_PIECE_BYTES;
}

/* The matches of one piece of a block; those of the last 3 bytes are not set. n_slack bytes behind
 * the block can be read, of any value. */
RP_FN_INLINE void rp_lz77_find_matches(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                       uint32_t n_slack, uint32_t piece,
                                       rp_lz77_candidates candidates, rp_lz77_depths depths,
                                       uint32_t *matches)
{
    uint32_t end = n_bytes < RP_LZ77_SHORT_BYTES ? 0 : n_bytes - RP_LZ77_SHORT_BYTES + 1;
    uint32_t begin = piece * RP_FIND_PIECE_BYTES;
    end = rp_min32(begin + RP_FIND_PIECE_BYTES, end);
    if (begin < end)
        rp_find_positions(team, source, n_bytes, n_slack, begin, end, candidates, depths, matches);
}

#endif
