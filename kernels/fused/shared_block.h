/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of stage 1 up to the lazy parse of a block that lies in shared memory, with all that
 * the parts leave each other: the fastest way for a single block, if a GPU's thread block has an SM
 * to itself. For blocks of up to RP_SHARED_BLOCK_MAX_BYTES, and not for the efforts with an optimal
 * parse.
 *
 * The block is cut into slices of whole segments, one for each team: a thread block of a cluster. A
 * team has a copy of the block and memory of its own, and reads the memory of the other teams. A
 * team that is alone has the whole block as its slice. The work has three phases, and all teams
 * meet before the next one begins:
 *
 *     1  rp_shared_block_find      the candidates within the slice
 *     2  rp_shared_block_complete  the candidates in the slices before it; the first team also does
 *                                  the precheck
 *     3  rp_shared_block_parse     best matches and lazy parse of the slice
 *
 * Then the teams that need all parsed matches fetch them (fused/shared_encode.h).
 */
#ifndef ROCKPRESS_KERNELS_FUSED_SHARED_BLOCK_H
#define ROCKPRESS_KERNELS_FUSED_SHARED_BLOCK_H

#include "kernels/fused/subtables.h"
#include "kernels/match/stage.h"

/* The lazy parse of a segment compares the matches of up to this many positions after it. */
#define RP_SHARED_BLOCK_AHEAD 2

/* Regions whose contents are no longer needed are reused. The parsed matches lie where no other
 * team reads while this one parses. */
typedef struct rp_shared_block_memory {
    uint8_t copy[(RP_SHARED_BLOCK_MAX_BYTES + RP_SOURCE_SLACK + 15) / 16 * 16];
    union {
        struct {
            uint16_t candidates[2 * RP_SHARED_BLOCK_MAX_BYTES];
            union {
                rp_lz77_subtables tables;
                struct {
                    uint32_t matches[RP_SHARED_BLOCK_MAX_BYTES];
                    rp_parsed_match parsed[RP_SHARED_BLOCK_MAX_BYTES / RP_PARSED_MIN_BYTES + 2];
                    rp_segment segments[RP_SHARED_BLOCK_MAX_BYTES / RP_LAZY_SEGMENT_BYTES];
                };
            };
        };
        uint8_t
            free[8 * RP_SHARED_BLOCK_MAX_BYTES]; /* after the parse: all but the parsed matches */
    };
    rp_lz77_precheck precheck; /* that of the whole block; in the memory of the first team */
} rp_shared_block_memory;

/* A team's part of the work on a block. */
typedef struct rp_shared_block {
    rp_lz77_block block; /* in `own` memory */
    rp_lz77_slice slice;
    uint32_t effort;
    rp_shared_block_memory *own;
} rp_shared_block;

/* Slice `index` of n_slices. The size of a slice is a power of two, so that none of several lies
 * across the middle of the memory (rp_shared_block_spare_table()). The later slices of a short
 * block are empty. */
RP_FN rp_lz77_slice rp_shared_block_slice(uint32_t n_bytes, uint32_t index, uint32_t n_slices)
{
    uint32_t each = RP_LAZY_SEGMENT_BYTES;
    while (each * n_slices < n_bytes)
        each *= 2;
    rp_lz77_slice slice;
    slice.index = index;
    slice.begin = rp_min32(index * each, n_bytes);
    slice.end = rp_min32(slice.begin + each, n_bytes);
    return slice;
}

RP_FN rp_shared_block rp_shared_block_open(const rp_stage_args *args, uint32_t block_index,
                                           uint32_t slice, uint32_t n_slices,
                                           rp_shared_block_memory *memory)
{
    rp_shared_block shared;
    shared.block = rp_lz77_block_of(args, block_index);
    shared.block.source.bytes = memory->copy;
    shared.block.source.is_padded = true;
    shared.block.scratch.candidates.hash4_hash8 = memory->candidates;
    shared.block.scratch.candidates.hash3 = NULL;
    shared.block.scratch.matches = memory->matches;
    shared.block.scratch.parsed = memory->parsed;
    shared.block.scratch.lazy_segments = memory->segments;
    shared.block.is_in_shared_memory = true;
    shared.slice = rp_shared_block_slice(shared.block.view.n_bytes, slice, n_slices);
    shared.effort = args->effort;
    shared.own = memory;
    return shared;
}

/* Before the first phase. */
RP_FN void rp_shared_block_clear(rp_team *team, const rp_shared_block *shared)
{
    rp_lz77_clear_subtables(team, shared->slice, &shared->own->tables);
}

/* The first phase. */
RP_FN void rp_shared_block_find(rp_team *team, const rp_shared_block *shared)
{
    rp_lz77_find_in_subtables(team, shared->own->copy, shared->block.view.n_bytes, shared->slice,
                              shared->block.scratch.candidates, &shared->own->tables);
}

/* Memory for a table: the candidates of other slices are written there later. */
RP_FN void *rp_shared_block_spare_table(const rp_shared_block *shared)
{
    bool is_low = shared->slice.begin >= RP_SHARED_BLOCK_MAX_BYTES / 2;
    uint16_t *low = shared->own->candidates;
    return is_low ? low : low + RP_SHARED_BLOCK_MAX_BYTES;
}

typedef char rp_shared_block_spare_table_fits
    [sizeof(rp_lz77_subtable) <= sizeof(uint16_t) * RP_SHARED_BLOCK_MAX_BYTES ? 1 : -1];

/* `all` is the memory of the teams of all slices. */
RP_FN void rp_shared_block_complete_slice(rp_team *team, const rp_shared_block *shared,
                                          rp_shared_block_memory *const *all)
{
    const rp_lz77_subtables *tables[RP_LZ77_SLICES];
    rp_lz77_subtable *before = (rp_lz77_subtable *)rp_shared_block_spare_table(shared);
    RP_UNROLL
    for (uint32_t k = 0; k < RP_LZ77_SLICES; k++)
        tables[k] = &all[k]->tables;
    rp_lz77_overlay_slices(team, shared->slice, tables, before);
    rp_lz77_complete_from_subtables(team, shared->own->copy, shared->block.view.n_bytes,
                                    shared->slice, shared->block.scratch.candidates,
                                    &shared->own->tables, before);
}

/* The same for a slice that is the whole block. It needs no precheck: the join does that. */
RP_FN void rp_shared_block_complete_whole(rp_team *team, const rp_shared_block *shared)
{
    rp_lz77_complete_from_subtables(team, shared->own->copy, shared->block.view.n_bytes,
                                    shared->slice, shared->block.scratch.candidates,
                                    &shared->own->tables, NULL);
}

/* The precheck of the whole block, for all teams. */
RP_FN void rp_shared_block_precheck(rp_team *team, const rp_shared_block *shared)
{
    rp_lz77_precheck precheck =
        rp_lz77_precheck_and_sample(team, shared->block.view, rp_shared_block_spare_table(shared));
    if (TEAM_RANK(team) == 0)
        shared->own->precheck = precheck;
    team_sync(team);
}

/* The second phase. */
RP_FN void rp_shared_block_complete(rp_team *team, const rp_shared_block *shared, uint32_t n_slices,
                                    rp_shared_block_memory *const *all)
{
    if (n_slices == 1) {
        rp_shared_block_complete_whole(team, shared);
        return;
    }
    rp_shared_block_complete_slice(team, shared, all);
    if (shared->slice.index == 0) /* has the least to complete */
        rp_shared_block_precheck(team, shared);
}

/* The candidates of other slices that the matches of this one need. */
RP_FN void rp_shared_block_fetch_candidates(rp_team *team, const rp_shared_block *shared,
                                            uint32_t n_slices, rp_shared_block_memory *const *all)
{
    RP_UNROLL
    for (uint32_t k = 0; k < RP_LZ77_SLICES; k++) {
        rp_lz77_slice slice = rp_shared_block_slice(shared->block.view.n_bytes, k, n_slices);
        if (k >= n_slices || k == shared->slice.index)
            continue;
        /* Four positions at once. An empty slice has none; of a later slice, only those that the
         * parse of this one compares. */
        uint32_t end = k < shared->slice.index
                           ? slice.end
                           : rp_min32(slice.begin + RP_SHARED_BLOCK_AHEAD, slice.end);
        TEAM_FOR (i, (slice.begin + 3) / 4, (end + 3) / 4, team) {
            rp_store_four_words(shared->own->candidates, i,
                                rp_load_four_words(all[k]->candidates, i));
        }
    }
    team_sync(team);
}

/* The slice is divided into a piece for each part of the team, but not shorter than this. */
#define RP_SHARED_BLOCK_LEAST_PIECE_BYTES 128

RP_FN void rp_shared_block_match(rp_team *team, const rp_shared_block *shared)
{
    uint32_t begin = shared->slice.begin;
    uint32_t end = rp_min32(shared->slice.end + RP_SHARED_BLOCK_AHEAD, shared->block.view.n_bytes);
    uint32_t piece_bytes = ((end - begin) / TEAM_PARTS(team) + 31) / 32 * 32;
    piece_bytes = rp_max32(piece_bytes, RP_SHARED_BLOCK_LEAST_PIECE_BYTES);
    uint32_t *scratch = rp_find_scratch(team, shared->own->parsed); /* none are there yet */
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, 0, (end - begin + piece_bytes - 1) / piece_bytes, team)
    {
        uint32_t first = begin + i * piece_bytes;
        rp_lz77_block_find_matches(&part, &shared->block, shared->effort, first,
                                   rp_min32(piece_bytes, end - first), scratch);
    }
    team_sync(team);
}

RP_FN void rp_shared_block_parse_slice(rp_team *team, const rp_shared_block *shared)
{
    uint32_t end = rp_lazy_segments(shared->slice.end);
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, rp_lazy_segments(shared->slice.begin), end, team)
    {
        rp_lz77_block_parse_segment(&part, &shared->block, shared->effort, i);
    }
    team_sync(team);
}

/* The third phase. */
RP_FN void rp_shared_block_parse(rp_team *team, const rp_shared_block *shared, uint32_t n_slices,
                                 rp_shared_block_memory *const *all)
{
    if (n_slices != 1)
        rp_shared_block_fetch_candidates(team, shared, n_slices, all);
    rp_shared_block_match(team, shared);
    rp_shared_block_parse_slice(team, shared);
}

/* The parsed matches of the other slices, to the places that they have in every team's memory. */
RP_FN void rp_shared_block_fetch_parsed(rp_team *team, const rp_shared_block *shared,
                                        uint32_t n_slices, rp_shared_block_memory *const *all)
{
    rp_team part = team_part(team);
    RP_UNROLL
    for (uint32_t k = 0; k < RP_LZ77_SLICES; k++) {
        rp_lz77_slice slice = rp_shared_block_slice(shared->block.view.n_bytes, k, n_slices);
        if (k >= n_slices || k == shared->slice.index)
            continue;
        TEAM_FOR_PARTS(i, rp_lazy_segments(slice.begin), rp_lazy_segments(slice.end), team)
        {
            rp_segment segment = all[k]->segments[i];
            if (TEAM_RANK(&part) == 0)
                shared->own->segments[i] = segment;
            TEAM_FOR (m, segment.first, segment.first + segment.n_parsed, &part) {
                shared->own->parsed[m] = all[k]->parsed[m];
            }
        }
    }
    team_sync(team);
}

#endif
