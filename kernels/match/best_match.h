/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best match of the chains at every position, each by itself: work for as many workers as there
 * are, before a parse that then only adds repeat offsets.
 *
 * What takes the time is counting equal bytes, and hardly any of it is needed: if a position
 * matches at an offset and so does the next one, its match is one byte longer than that one's. So
 * positions are gone through from last to first, the team at as many at once as it has workers, and
 * bytes are counted only where a run of positions with the same offset ends, by whichever worker.
 * Lengths are what counting would have given.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_BEST_MATCH_H
#define ROCKPRESS_KERNELS_MATCH_BEST_MATCH_H

#include "kernels/match/candidates.h"
#include "kernels/match/packed_match.h"

/* Positions that are one part's work. */
#define RP_FIND_PIECE_BYTES 1024

/* Most offsets of a position, so that those of one fit 64 bits and their lengths 32. */
#define RP_FIND_MAX_OFFSETS 4

/* 16 bits for each place in the list of offsets. */
typedef struct rp_find_offsets {
    uint32_t words[RP_FIND_MAX_OFFSETS / 2];
} rp_find_offsets;

/* The k-th. */
RP_FN uint32_t rp_find_offset(rp_find_offsets offsets, uint32_t k)
{
    uint64_t both = offsets.words[0] | (uint64_t)offsets.words[1] << 32;
    return (uint32_t)(both >> (16 * k)) & 0xFFFF;
}

/* Words of memory for each worker that counts: the matches of its position, and their lengths. */
#define RP_FIND_ROOM_WORDS (RP_FIND_MAX_OFFSETS + 1)
#define RP_FIND_ROOM_BYTES(n_workers) ((n_workers)*RP_FIND_ROOM_WORDS * sizeof(uint32_t))

/*
 * Counts the lengths of the matches that are pending, 4 bytes of which are known to be equal, at
 * the position of each rank; rank 0 is at the last one. The result has 8 bits for each, 0 for those
 * that are not pending. Few positions have any, and some have several: they are dealt out to all
 * workers. `room` has RP_FIND_ROOM_WORDS for each. Its collectives are barriers where one is
 * needed, also for a team_unordered().
 */
RP_FN_INLINE uint32_t rp_find_lengths(rp_team *team, rp_lz77_source source, uint32_t last_position,
                                      const uint32_t *offsets, const bool *is_pending,
                                      uint32_t n_offsets, uint32_t *room)
{
    const uint32_t rank = TEAM_RANK(team);
    uint32_t *lengths = room;
    uint32_t *pending = room + TEAM_SIZE(team);
    uint32_t n = 0;
    lengths[rank] = 0;
    RP_UNROLL
    for (uint32_t k = 0; k < n_offsets; k++) {
        uint32_t n_here;
        uint32_t place = n + team_rank_if(team, is_pending[k], &n_here);
        if (is_pending[k])
            pending[place] = rp_pend_match(offsets[k], rank, k);
        n += n_here;
    }
    team_sync(team);
    for (uint32_t i = rank; i < n; i += TEAM_SIZE(team)) {
        uint32_t where = rp_pending_index(pending[i]);
        uint32_t offset = rp_pending_offset(pending[i]);
        uint32_t position = last_position - where / 4;
        uint32_t length = rp_source_count_eights(source, position, offset, RP_LZ77_HASH4_BYTES,
                                                 RP_LZ77_EVALUATED_LENGTH);
        ((uint8_t *)lengths)[where] = (uint8_t)rp_min32(length, source.n_bytes - position);
    }
    team_sync(team);
    return lengths[rank];
}

typedef char rp_key_has_all_places[RP_FIND_MAX_OFFSETS == RP_KEY_MAX_PLACE + 1 ? 1 : -1];

/* The match of a key. */
RP_FN uint32_t rp_find_match(int32_t key, rp_find_offsets offsets)
{
    return rp_pack_match(rp_key_length(key), rp_find_offset(offsets, rp_key_place(key)));
}

/* Rank r + 1 is at the position before that of rank r, which begins with the last of those that are
 * to be done; ranks too many are at the first. */
RP_FN uint32_t rp_find_position(uint32_t begin, uint32_t n_todo, uint32_t rank)
{
    return begin + (rank < n_todo ? n_todo - 1 - rank : 0);
}

/* Positions [begin, end). Of a GPU, candidates and matches are in its global memory, unless they
 * are said to be near. `room` is that of rp_find_lengths(). */
RP_FN_INLINE void rp_find_positions(const rp_team *whole_team, rp_lz77_source source,
                                    uint32_t begin, uint32_t end, rp_lz77_candidates candidates,
                                    rp_lz77_depths depths, uint32_t *matches, bool are_near,
                                    uint32_t *room)
{
    const uint32_t n_offsets = depths.hash3 + depths.hash4 + depths.hash8;
    const uint32_t n_words = (n_offsets + 1) / 2;
    rp_team values = team_unordered(whole_team);
    rp_team *team = &values;
    TEAM_KEEP_RANK(team);
    const uint32_t rank = TEAM_RANK(team);
    if (!are_near) {
        candidates.hash4_hash8 = rp_keep_pointer(candidates.hash4_hash8);
        matches = rp_keep_pointer(matches);
    }
    /* Of the position behind those that the team looks at: its offsets and their lengths, 8 bits
     * for each place. */
    rp_find_offsets carried = {{0}};
    uint32_t carried_lengths = 0;
    uint32_t distance = 0; /* from there to the next position that has a match, */
    uint32_t next = 0;     /* and that match, if it is of this piece */
    for (uint32_t n_todo = end - begin; n_todo != 0;) {
        uint32_t n = rp_min32(n_todo, TEAM_SIZE(team));
        bool active = rank < n;
        uint32_t position = rp_find_position(begin, n_todo, rank);
        uint32_t offsets[RP_LZ77_MAX_OFFSETS];
        rp_lz77_chains(position, candidates, depths, offsets);
        uint32_t bytes = rp_source_load32(source, position);
        rp_find_offsets packed = {{0}};
        RP_UNROLL
        for (uint32_t k = 0; k < n_offsets; k++) {
            bool is_equal = (rp_source_load32(source, position - offsets[k]) == bytes) & active;
            offsets[k] = is_equal ? offsets[k] : 0;
            packed.words[k / 2] |= offsets[k] << (k % 2 * 16);
        }
        rp_find_offsets behind = {{0}};
        RP_UNROLL
        for (uint32_t i = 0; i < n_words; i++)
            behind.words[i] = team_shift_up(team, packed.words[i], carried.words[i]);
        bool goes_on[RP_FIND_MAX_OFFSETS];
        bool is_pending[RP_FIND_MAX_OFFSETS];
        RP_UNROLL
        for (uint32_t k = 0; k < n_offsets; k++) {
            uint32_t changed = packed.words[k / 2] ^ behind.words[k / 2];
            bool is_same = k % 2 == 0 ? (changed & 0xFFFF) == 0 : changed <= 0xFFFF;
            goes_on[k] = offsets[k] != 0 && is_same;
            is_pending[k] = offsets[k] != 0 && !is_same;
        }
        uint32_t counted =
            rp_find_lengths(team, source, begin + n_todo - 1, offsets, is_pending, n_offsets, room);
        int32_t best = RP_KEY_NONE;
        uint32_t lengths = 0;
        RP_UNROLL
        for (uint32_t k = 0; k < n_offsets; k++) {
            uint32_t length = team_count_on(team, goes_on[k], counted >> (8 * k) & 0xFF,
                                            carried_lengths >> (8 * k) & 0xFF);
            length = rp_min32(length, RP_LZ77_EVALUATED_LENGTH);
            lengths |= length << (8 * k);
            int32_t key = rp_match_key(length, offsets[k], k);
            best = key > best ? key : best;
        }
        RP_UNROLL
        for (uint32_t i = 0; i < n_words; i++)
            carried.words[i] = team_broadcast(team, packed.words[i], TEAM_SIZE(team) - 1);
        carried_lengths = team_broadcast(team, lengths, TEAM_SIZE(team) - 1);
        bool none = best <= RP_KEY_NONE;
        uint32_t found = none ? 0 : rp_find_match(best, packed);
        distance = team_count_on(team, none, 0, distance);
        uint32_t of_team = team_shuffle(team, found, distance <= rank ? rank - distance : 0);
        next = distance <= rank ? of_team : next;
        if (active)
            matches[position] = distance == 0 ? found : rp_pack_distant_match(next, distance);
        distance = team_broadcast(team, distance, TEAM_SIZE(team) - 1);
        next = team_broadcast(team, next, TEAM_SIZE(team) - 1);
        n_todo -= n;
    }
}

/* Number of pieces of a block. */
RP_FN uint32_t rp_find_pieces(uint32_t n_bytes)
{
    return (n_bytes + RP_FIND_PIECE_BYTES - 1) / RP_FIND_PIECE_BYTES;
}

/* The matches of a piece of a block, of the positions from `begin` on; those of the last 3 bytes
 * are not set. What the parse finds does not depend on how a block is cut. */
RP_FN_INLINE void rp_lz77_find_matches(rp_team *team, rp_lz77_source source, uint32_t begin,
                                       uint32_t n_positions, rp_lz77_candidates candidates,
                                       rp_lz77_depths depths, uint32_t *matches, bool are_near,
                                       uint32_t *room)
{
    uint32_t end = rp_min32(begin + n_positions, rp_lz77_end(RP_LZ77_HASH4, source.n_bytes));
    if (begin < end)
        rp_find_positions(team, source, begin, end, candidates, depths, matches, are_near, room);
}

#endif
