/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same candidates of both kinds as in match/candidates.h in less time, where the memory is
 * there: part of a block, a slice, is cut into quarters that have tables of their own, which parts
 * of the team go through side by side. Where a quarter has no earlier position with a hash, what
 * the quarters before it have is the candidate, and then the slices before. Each slice is a team's
 * work; slices look into each other's tables when all have theirs.
 *
 * For blocks of up to 16 KiB: no position is RP_LZ77_NO_POSITION.
 */
#ifndef ROCKPRESS_KERNELS_FUSED_SUBTABLES_H
#define ROCKPRESS_KERNELS_FUSED_SUBTABLES_H

#include "kernels/match/candidates.h"

/* Most slices of a block. */
#define RP_LZ77_SLICES 4
#define RP_LZ77_QUARTERS 4
#define RP_LZ77_QUARTERS_MAX_BYTES 16384
#define RP_LZ77_QUARTER_TABLE_LOG 13

/* An entry where a table has no position with that hash. */
#define RP_LZ77_NO_POSITION 0xFFFF

/* One table for each kind. */
typedef struct rp_lz77_quarter_table {
    uint16_t of[RP_LZ77_HASH8 + 1][1 << RP_LZ77_QUARTER_TABLE_LOG];
} rp_lz77_quarter_table;

#define RP_LZ77_QUARTER_TABLE_FOURS (sizeof(rp_lz77_quarter_table) / sizeof(rp_four_words))

typedef struct rp_lz77_quarter_tables {
    rp_lz77_quarter_table of[RP_LZ77_QUARTERS];
} rp_lz77_quarter_tables;

/* The positions [begin, end) of a block. */
typedef struct rp_lz77_slice {
    uint32_t index;
    uint32_t begin;
    uint32_t end;
} rp_lz77_slice;

/* Bytes of a slice's quarters, the last one apart. */
RP_FN uint32_t rp_lz77_quarter_bytes(rp_lz77_slice slice)
{
    return rp_max32((slice.end - slice.begin + RP_LZ77_QUARTERS - 1) / RP_LZ77_QUARTERS, 1);
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

/* Before the block's begin there is position 0, as one table has. */
RP_FN void rp_lz77_clear_quarters(rp_team *team, rp_lz77_slice slice,
                                  rp_lz77_quarter_tables *tables)
{
    team_set(team, &tables->of[0], slice.index == 0 ? 0 : 0xFF, sizeof(tables->of[0]));
    team_set(team, &tables->of[1], 0xFF, sizeof(*tables) - sizeof(tables->of[0]));
}

/* First part, when the tables are cleared: the candidates of a slice's positions that are in their
 * own quarter, and the tables of what comes before the end of each quarter in the slice. */
RP_FN void rp_lz77_find_in_quarters(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                    rp_lz77_slice slice, rp_lz77_candidates candidates,
                                    rp_lz77_quarter_tables *tables)
{
    uint32_t each = rp_lz77_quarter_bytes(slice);
    uint32_t end_hash4 = rp_lz77_end(RP_LZ77_HASH4, n_bytes);
    uint32_t end_hash8 = rp_lz77_end(RP_LZ77_HASH8, n_bytes);
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, 0, 2 * RP_LZ77_QUARTERS, team)
    {
        uint32_t quarter = i / 2;
        uint32_t begin = slice.begin + quarter * each;
        uint32_t end = rp_min32(begin + each, slice.end);
        if (i % 2 == RP_LZ77_HASH4)
            rp_lz77_find_range(&part, source, n_bytes, RP_LZ77_HASH4, begin,
                               rp_min32(end, end_hash4), candidates,
                               tables->of[quarter].of[RP_LZ77_HASH4]);
        else
            rp_lz77_find_range(&part, source, n_bytes, RP_LZ77_HASH8, begin,
                               rp_min32(end, end_hash8), candidates,
                               tables->of[quarter].of[RP_LZ77_HASH8]);
    }
    team_sync(team);
    TEAM_FOR (i, 0, RP_LZ77_QUARTER_TABLE_FOURS, team) {
        rp_four_words before = rp_load_four_words(&tables->of[0], i);
        RP_UNROLL
        for (uint32_t quarter = 1; quarter < RP_LZ77_QUARTERS; quarter++) {
            before = rp_lz77_overlay(rp_load_four_words(&tables->of[quarter], i), before);
            rp_store_four_words(&tables->of[quarter], i, before);
        }
    }
    team_sync(team);
}

/* What the slices before this one have, given the tables of all. */
RP_FN void rp_lz77_overlay_slices(rp_team *team, rp_lz77_slice slice,
                                  const rp_lz77_quarter_tables *const *of_slices,
                                  rp_lz77_quarter_table *before)
{
    if (slice.index == 0)
        return;
    TEAM_FOR (i, 0, RP_LZ77_QUARTER_TABLE_FOURS, team) {
        rp_four_words entries = {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}};
        RP_UNROLL
        for (uint32_t k = RP_LZ77_SLICES - 1; k-- > 0;) {
            if (k < slice.index)
                entries = rp_lz77_overlay(
                    entries, rp_load_four_words(&of_slices[k]->of[RP_LZ77_QUARTERS - 1], i));
        }
        rp_store_four_words(before, i, entries);
    }
    team_sync(team);
}

/* How far back the candidate of a position in this quarter is, given what its own quarter had. In
 * the first slice, the quarters before have them all. */
RP_FN uint32_t rp_lz77_complete(const rp_lz77_quarter_tables *tables,
                                const rp_lz77_quarter_table *before, const uint8_t *source,
                                uint32_t log, rp_lz77_kind kind, uint32_t quarter,
                                uint32_t position, uint32_t noted)
{
    if (noted != ((position - RP_LZ77_NO_POSITION) & 0xFFFF))
        return noted;
    uint32_t key = rp_lz77_hash(kind, rp_lz77_load(kind, source, position), log);
    uint32_t candidate = RP_LZ77_NO_POSITION;
    if (quarter != 0)
        candidate = tables->of[quarter - 1].of[kind][key];
    if (candidate == RP_LZ77_NO_POSITION && before != NULL)
        candidate = before->of[kind][key];
    return position - candidate;
}

/* Second part: the candidates of a slice's positions that are in none of their quarter. */
RP_FN void rp_lz77_complete_quarters(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                     rp_lz77_slice slice, rp_lz77_candidates candidates,
                                     const rp_lz77_quarter_tables *tables,
                                     const rp_lz77_quarter_table *before)
{
    uint32_t log = rp_lz77_table_log(n_bytes);
    uint32_t each = rp_lz77_quarter_bytes(slice);
    uint32_t end = rp_min32(slice.end, rp_lz77_end(RP_LZ77_HASH4, n_bytes));
    uint32_t end_hash8 = rp_lz77_end(RP_LZ77_HASH8, n_bytes);
    /* The first quarter of the block has nothing before it. */
    uint32_t begin = slice.begin + (slice.index == 0 ? each : 0);
    TEAM_FOR (i, begin, end, team) {
        uint16_t *noted = candidates.hash4_hash8 + 2 * i;
        uint32_t quarter = (i - slice.begin) / each;
        uint32_t hash4 =
            rp_lz77_complete(tables, before, source, log, RP_LZ77_HASH4, quarter, i, noted[0]);
        uint32_t hash8 = hash4;
        if (i < end_hash8)
            hash8 =
                rp_lz77_complete(tables, before, source, log, RP_LZ77_HASH8, quarter, i, noted[1]);
        noted[0] = (uint16_t)hash4;
        noted[1] = (uint16_t)hash8;
    }
    team_sync(team);
}

#endif
