/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best match of every position among its candidates, before the parse. Each position is
 * independent of the parse, so there is work for any number of workers; the parse then only adds
 * repeat offsets.
 *
 * Most of the time would go into counting equal bytes, and hardly any of that is needed: if a
 * position and the next one match at the same offset, the first match is one byte longer than the
 * second. So the team goes through positions from the last to the first, as many at once as it has
 * workers. Bytes are counted only where a run of positions with the same offset ends, by any of
 * the workers. The lengths are those that counting everywhere would give.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_BEST_MATCH_H
#define ROCKPRESS_KERNELS_MATCH_BEST_MATCH_H

#include "kernels/match/chains.h"
#include "kernels/match/packed_match.h"

/* Positions of a piece: the work of one part of the team. */
#define RP_FIND_PIECE_BYTES 1024

/* Most offsets of a position. Four offsets fit 64 bits, and their lengths 32. */
#define RP_FIND_MAX_OFFSETS 4

/* The offsets of a position, 16 bits each. */
typedef struct rp_find_offsets {
    uint32_t words[RP_FIND_MAX_OFFSETS / 2];
} rp_find_offsets;

/* The offset at place k. */
RP_FN uint32_t rp_find_offset(rp_find_offsets offsets, uint32_t k)
{
    uint64_t both = offsets.words[0] | (uint64_t)offsets.words[1] << 32;
    return (uint32_t)(both >> (16 * k)) & 0xFFFF;
}

/* Scratch words for each worker: the pending matches of its position, and their lengths. */
#define RP_FIND_SCRATCH_WORDS (RP_FIND_MAX_OFFSETS + 1)
#define RP_FIND_SCRATCH_BYTES(n_workers) ((n_workers)*RP_FIND_SCRATCH_WORDS * sizeof(uint32_t))

/*
 * Counts the lengths of the pending matches at the position of each rank, which are known to have
 * 4 equal bytes. Rank 0 has the last position. The result has 8 bits for each offset, 0 for one
 * that is not pending. Few positions have pending matches, and some have several, so they are
 * dealt out to all workers. `scratch` has RP_FIND_SCRATCH_WORDS for each worker. There are
 * barriers where memory needs them, also for a team_unordered().
 */
RP_FN_INLINE uint32_t rp_find_lengths(rp_team *team, rp_lz77_source source, uint32_t last_position,
                                      const uint32_t *offsets, const bool *is_pending,
                                      uint32_t n_offsets, uint32_t *scratch)
{
    const uint32_t rank = TEAM_RANK(team);
    uint32_t *lengths = scratch;
    uint32_t *pending = scratch + TEAM_SIZE(team);
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

/* The position of a rank, when n_todo positions from `begin` on are left: rank 0 has the last
 * of them, rank 1 the one before, and ranks beyond the first position have the first. */
RP_FN uint32_t rp_find_position(uint32_t begin, uint32_t n_todo, uint32_t rank)
{
    return begin + (rank < n_todo ? n_todo - 1 - rank : 0);
}

/* The best matches of the positions [begin, end). On a GPU, candidates and matches are in
 * global memory unless are_in_shared_memory. `scratch` is that of rp_find_lengths(). */
RP_FN_INLINE void rp_find_positions(const rp_team *whole_team, rp_lz77_source source,
                                    uint32_t begin, uint32_t end, rp_lz77_candidates candidates,
                                    rp_lz77_depths depths, uint32_t *matches,
                                    bool are_in_shared_memory, uint32_t *scratch)
{
    const uint32_t n_offsets = depths.hash3 + depths.hash4 + depths.hash8;
    const uint32_t n_words = (n_offsets + 1) / 2;
    rp_team values = team_unordered(whole_team);
    rp_team *team = &values;
    TEAM_KEEP_RANK(team);
    const uint32_t rank = TEAM_RANK(team);
    if (!are_in_shared_memory) {
        candidates.hash4_hash8 = rp_keep_pointer(candidates.hash4_hash8);
        matches = rp_keep_pointer(matches);
    }
    /* What is carried from the position after those of this round: its offsets, and their
     * lengths with 8 bits for each place. */
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
        rp_find_offsets after = {{0}};
        RP_UNROLL
        for (uint32_t i = 0; i < n_words; i++)
            after.words[i] = team_shift_up(team, packed.words[i], carried.words[i]);
        bool goes_on[RP_FIND_MAX_OFFSETS];
        bool is_pending[RP_FIND_MAX_OFFSETS];
        RP_UNROLL
        for (uint32_t k = 0; k < n_offsets; k++) {
            uint32_t changed = packed.words[k / 2] ^ after.words[k / 2];
            bool is_same = k % 2 == 0 ? (changed & 0xFFFF) == 0 : changed <= 0xFFFF;
            goes_on[k] = offsets[k] != 0 && is_same;
            is_pending[k] = offsets[k] != 0 && !is_same;
        }
        uint32_t counted = rp_find_lengths(team, source, begin + n_todo - 1, offsets, is_pending,
                                           n_offsets, scratch);
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

/* The matches of n_positions from `begin` on, which are a piece of a block. The last 3
 * positions of the block get none. What the parse finds does not depend on how a block is cut
 * into pieces. */
RP_FN_INLINE void rp_lz77_find_matches(rp_team *team, rp_lz77_source source, uint32_t begin,
                                       uint32_t n_positions, rp_lz77_candidates candidates,
                                       rp_lz77_depths depths, uint32_t *matches,
                                       bool are_in_shared_memory, uint32_t *scratch)
{
    uint32_t end = rp_min32(begin + n_positions, rp_lz77_end(RP_LZ77_HASH4, source.n_bytes));
    if (begin < end)
        rp_find_positions(team, source, begin, end, candidates, depths, matches,
                          are_in_shared_memory, scratch);
}

#endif
