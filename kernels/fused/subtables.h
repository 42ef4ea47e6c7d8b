/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candidates for hashes of 4 and of 8 bytes, the same as those of match/candidates.h, in less time
 * and more memory. A block is cut into slices, one for each team, and a slice into quarters, each
 * with a subtable of its own; the parts of a team fill the subtables side by side. If the subtable
 * of a position has no earlier position with its hash, the candidate is that of the subtables
 * before it, then of the slices before it. Teams read each other's subtables when all are filled.
 *
 * Blocks have up to 16 KiB, so no position is RP_LZ77_NO_POSITION.
 */
#ifndef ROCKPRESS_KERNELS_FUSED_SUBTABLES_H
#define ROCKPRESS_KERNELS_FUSED_SUBTABLES_H

#include "kernels/match/candidates.h"

/* Most slices of a block. */
#define RP_LZ77_SLICES 4
#define RP_LZ77_SUBTABLES 4
#define RP_SHARED_BLOCK_MAX_BYTES 16384
#define RP_LZ77_SUBTABLE_LOG 13

/* An entry where a table has no position with that hash. */
#define RP_LZ77_NO_POSITION 0xFFFF

/* A table for each kind of hash. */
typedef struct rp_lz77_subtable {
    uint16_t of[RP_LZ77_HASH8 + 1][1 << RP_LZ77_SUBTABLE_LOG];
} rp_lz77_subtable;

#define RP_LZ77_SUBTABLE_FOURS (sizeof(rp_lz77_subtable) / sizeof(rp_four_words))

typedef struct rp_lz77_subtables {
    rp_lz77_subtable of[RP_LZ77_SUBTABLES];
} rp_lz77_subtables;

/* The positions [begin, end) of a block. */
typedef struct rp_lz77_slice {
    uint32_t index;
    uint32_t begin;
    uint32_t end;
} rp_lz77_slice;

/* Positions of each subtable of a slice; the last may have fewer. */
RP_FN uint32_t rp_lz77_subtable_positions(rp_lz77_slice slice)
{
    return rp_max32((slice.end - slice.begin + RP_LZ77_SUBTABLES - 1) / RP_LZ77_SUBTABLES, 1);
}

/* Eight entries at once: those of `newer`, and of `older` where it has none. */
RP_FN rp_four_words rp_lz77_overlay(rp_four_words newer, rp_four_words older)
{
    RP_UNROLL
    for (uint32_t k = 0; k < 4; k++) {
        uint32_t word = newer.of[k];
        uint32_t low = (word & 0xFFFF) == RP_LZ77_NO_POSITION ? older.of[k] : word;
        uint32_t high = word >> 16 == RP_LZ77_NO_POSITION ? older.of[k] : word;
        newer.of[k] = (low & 0xFFFF) | (high & 0xFFFF0000);
    }
    return newer;
}

/* An empty entry of a single table is position 0, so the first subtable begins with that. */
RP_FN void rp_lz77_clear_subtables(rp_team *team, rp_lz77_slice slice, rp_lz77_subtables *tables)
{
    team_set(team, &tables->of[0], slice.index == 0 ? 0 : 0xFF, sizeof(tables->of[0]));
    team_set(team, &tables->of[1], 0xFF, sizeof(*tables) - sizeof(tables->of[0]));
}

/* First part, after rp_lz77_clear_subtables(): the candidates that a position has in its own
 * subtable. Then each subtable gets the entries of those before it where it has none. */
RP_FN void rp_lz77_find_in_subtables(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                     rp_lz77_slice slice, rp_lz77_candidates candidates,
                                     rp_lz77_subtables *tables)
{
    uint32_t each = rp_lz77_subtable_positions(slice);
    uint32_t end_hash4 = rp_lz77_end(RP_LZ77_HASH4, n_bytes);
    uint32_t end_hash8 = rp_lz77_end(RP_LZ77_HASH8, n_bytes);
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, 0, 2 * RP_LZ77_SUBTABLES, team)
    {
        uint32_t subtable = i / 2;
        uint32_t begin = slice.begin + subtable * each;
        uint32_t end = rp_min32(begin + each, slice.end);
        if (i % 2 == RP_LZ77_HASH4)
            rp_lz77_find_range(&part, source, n_bytes, RP_LZ77_HASH4, begin,
                               rp_min32(end, end_hash4), candidates,
                               tables->of[subtable].of[RP_LZ77_HASH4]);
        else
            rp_lz77_find_range(&part, source, n_bytes, RP_LZ77_HASH8, begin,
                               rp_min32(end, end_hash8), candidates,
                               tables->of[subtable].of[RP_LZ77_HASH8]);
    }
    team_sync(team);
    TEAM_FOR (i, 0, RP_LZ77_SUBTABLE_FOURS, team) {
        rp_four_words before = rp_load_four_words(&tables->of[0], i);
        RP_UNROLL
        for (uint32_t subtable = 1; subtable < RP_LZ77_SUBTABLES; subtable++) {
            before = rp_lz77_overlay(rp_load_four_words(&tables->of[subtable], i), before);
            rp_store_four_words(&tables->of[subtable], i, before);
        }
    }
    team_sync(team);
}

/* One table of all slices before this one, given the subtables of all. */
RP_FN void rp_lz77_overlay_slices(rp_team *team, rp_lz77_slice slice,
                                  const rp_lz77_subtables *const *of_slices,
                                  rp_lz77_subtable *before)
{
    if (slice.index == 0)
        return;
    TEAM_FOR (i, 0, RP_LZ77_SUBTABLE_FOURS, team) {
        rp_four_words entries = {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}};
        RP_UNROLL
        for (uint32_t k = RP_LZ77_SLICES - 1; k-- > 0;) {
            if (k < slice.index)
                entries = rp_lz77_overlay(
                    entries, rp_load_four_words(&of_slices[k]->of[RP_LZ77_SUBTABLES - 1], i));
        }
        rp_store_four_words(before, i, entries);
    }
    team_sync(team);
}

/* The distance to the candidate of a position, given the one that its own subtable had. For the
 * first slice, the subtables before it have all that is before it. */
RP_FN uint32_t rp_lz77_complete(const rp_lz77_subtables *tables, const rp_lz77_subtable *before,
                                const uint8_t *source, uint32_t log, rp_lz77_kind kind,
                                uint32_t subtable, uint32_t position, uint32_t distance)
{
    if (distance != ((position - RP_LZ77_NO_POSITION) & 0xFFFF))
        return distance;
    uint32_t key = rp_lz77_hash(kind, rp_lz77_load(kind, source, position), log);
    uint32_t candidate = RP_LZ77_NO_POSITION;
    if (subtable != 0)
        candidate = tables->of[subtable - 1].of[kind][key];
    if (candidate == RP_LZ77_NO_POSITION && before != NULL)
        candidate = before->of[kind][key];
    return position - candidate;
}

/* Second part: the candidates of the positions that had none in their own subtable. */
RP_FN void rp_lz77_complete_from_subtables(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                           rp_lz77_slice slice, rp_lz77_candidates candidates,
                                           const rp_lz77_subtables *tables,
                                           const rp_lz77_subtable *before)
{
    uint32_t log = rp_lz77_table_log(n_bytes);
    uint32_t each = rp_lz77_subtable_positions(slice);
    uint32_t end = rp_min32(slice.end, rp_lz77_end(RP_LZ77_HASH4, n_bytes));
    uint32_t end_hash8 = rp_lz77_end(RP_LZ77_HASH8, n_bytes);
    /* Nothing is before the first subtable of the block. */
    uint32_t begin = slice.begin + (slice.index == 0 ? each : 0);
    TEAM_FOR (i, begin, end, team) {
        uint16_t *distances = candidates.hash4_hash8 + 2 * i;
        uint32_t subtable = (i - slice.begin) / each;
        uint32_t hash4 =
            rp_lz77_complete(tables, before, source, log, RP_LZ77_HASH4, subtable, i, distances[0]);
        uint32_t hash8 = hash4;
        if (i < end_hash8)
            hash8 = rp_lz77_complete(tables, before, source, log, RP_LZ77_HASH8, subtable, i,
                                     distances[1]);
        distances[0] = (uint16_t)hash4;
        distances[1] = (uint16_t)hash8;
    }
    team_sync(team);
}

#endif
