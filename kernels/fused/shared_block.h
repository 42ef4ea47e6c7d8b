/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the matcher up to the parse in memory that is near, for the least time that one
 * block can take: a GPU's thread blocks that are alone on an SM each. A block of up to
 * RP_LZ77_QUARTERS_MAX_BYTES is cut into slices of whole segments. A team has one of them, a copy
 * of the block and, instead of the scratch, what the parts leave each other; from the other teams
 * it fetches what a part needs of theirs. Not for the efforts with an optimal parse.
 *
 * Every team takes the steps in this order, and before those with a number all meet:
 *
 *       rp_near_clear
 *       rp_near_find         of its own slice, behind a barrier of the team
 *    1  rp_near_complete     asks the tables of the slices before
 *       rp_near_look         the first team
 *    2  rp_near_fetch_candidates
 *       rp_near_match
 *       rp_near_parse
 *    3  rp_near_fetch_parsed  by a team that goes on with all of them (fused/shared_encode.h)
 *
 * A team that is alone has no use for what fetches.
 */
#ifndef ROCKPRESS_KERNELS_FUSED_SHARED_BLOCK_H
#define ROCKPRESS_KERNELS_FUSED_SHARED_BLOCK_H

#include "kernels/fused/subtables.h"
#include "kernels/match/stage.h"

/* The parse looks at matches so far behind its segment, at most. */
#define RP_NEAR_AHEAD 2

/* What is used up makes room. The steps are where no other team looks while this one parses. */
typedef struct rp_near_memory {
    uint8_t copy[(RP_LZ77_QUARTERS_MAX_BYTES + RP_SOURCE_SLACK + 15) / 16 * 16];
    union {
        struct {
            uint16_t candidates[2 * RP_LZ77_QUARTERS_MAX_BYTES];
            union {
                rp_lz77_quarter_tables tables;
                struct {
                    uint32_t matches[RP_LZ77_QUARTERS_MAX_BYTES];
                    rp_parsed_match parsed[RP_LZ77_QUARTERS_MAX_BYTES / RP_PARSED_MIN_BYTES + 2];
                    rp_segment segments[RP_LZ77_QUARTERS_MAX_BYTES / RP_LAZY_SEGMENT_BYTES];
                };
            };
        };
        uint8_t free[8 * RP_LZ77_QUARTERS_MAX_BYTES]; /* behind the parse: all but the steps */
    };
    rp_lz77_precheck precheck; /* of the first team's */
} rp_near_memory;

/* A team's part of the work on a block. */
typedef struct rp_near {
    rp_lz77_block block; /* in `own` memory */
    rp_lz77_slice slice;
    uint32_t effort;
    rp_near_memory *own;
} rp_near;

/* Slice `index` of so many. A slice takes a power of two, so that none of several is on either side
 * of the middle of the memory (rp_near_room()); the later ones of a short block are
 * empty. */
RP_FN rp_lz77_slice rp_near_slice(uint32_t n_bytes, uint32_t index, uint32_t n_slices)
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

RP_FN rp_near rp_near_open(const rp_stage_args *args, uint32_t block_index, uint32_t slice,
                           uint32_t n_slices, rp_near_memory *memory)
{
    rp_near near;
    near.block = rp_lz77_block_of(args, block_index);
    near.block.source.bytes = memory->copy;
    near.block.source.is_padded = true;
    near.block.scratch.candidates.hash4_hash8 = memory->candidates;
    near.block.scratch.candidates.hash3 = NULL;
    near.block.scratch.matches = memory->matches;
    near.block.scratch.parsed = memory->parsed;
    near.block.scratch.lazy_segments = memory->segments;
    near.block.is_near = true;
    near.slice = rp_near_slice(near.block.view.n_bytes, slice, n_slices);
    near.effort = args->effort;
    near.own = memory;
    return near;
}

RP_FN void rp_near_clear(rp_team *team, const rp_near *near)
{
    rp_lz77_clear_quarters(team, near->slice, &near->own->tables);
}

RP_FN void rp_near_find(rp_team *team, const rp_near *near)
{
    rp_lz77_find_in_quarters(team, near->own->copy, near->block.view.n_bytes, near->slice,
                             near->block.scratch.candidates, &near->own->tables);
}

/* Room for a table where the candidates of other slices will be. */
RP_FN void *rp_near_room(const rp_near *near)
{
    bool is_low = near->slice.begin >= RP_LZ77_QUARTERS_MAX_BYTES / 2;
    uint16_t *low = near->own->candidates;
    return is_low ? low : low + RP_LZ77_QUARTERS_MAX_BYTES;
}

typedef char rp_near_has_room
    [sizeof(rp_lz77_quarter_table) <= sizeof(uint16_t) * RP_LZ77_QUARTERS_MAX_BYTES ? 1 : -1];

/* `all` is the memory of all slices' teams. */
RP_FN void rp_near_complete(rp_team *team, const rp_near *near, rp_near_memory *const *all)
{
    const rp_lz77_quarter_tables *tables[RP_LZ77_SLICES];
    rp_lz77_quarter_table *before = (rp_lz77_quarter_table *)rp_near_room(near);
    RP_UNROLL
    for (uint32_t k = 0; k < RP_LZ77_SLICES; k++)
        tables[k] = &all[k]->tables;
    rp_lz77_overlay_slices(team, near->slice, tables, before);
    rp_lz77_complete_quarters(team, near->own->copy, near->block.view.n_bytes, near->slice,
                              near->block.scratch.candidates, &near->own->tables, before);
}

/* The same for a slice that is the whole block. */
RP_FN void rp_near_complete_alone(rp_team *team, const rp_near *near)
{
    rp_lz77_complete_quarters(team, near->own->copy, near->block.view.n_bytes, near->slice,
                              near->block.scratch.candidates, &near->own->tables, NULL);
}

/* What is seen of the block as a whole, for all. */
RP_FN void rp_near_look(rp_team *team, const rp_near *near)
{
    rp_lz77_precheck precheck =
        rp_lz77_precheck_and_sample(team, near->block.view, rp_near_room(near));
    if (TEAM_RANK(team) == 0)
        near->own->precheck = precheck;
    team_sync(team);
}

/* What the matches of a slice take of the candidates of others. */
RP_FN void rp_near_fetch_candidates(rp_team *team, const rp_near *near, uint32_t n_slices,
                                    rp_near_memory *const *all)
{
    RP_UNROLL
    for (uint32_t k = 0; k < RP_LZ77_SLICES; k++) {
        rp_lz77_slice slice = rp_near_slice(near->block.view.n_bytes, k, n_slices);
        if (k >= n_slices || k == near->slice.index)
            continue;
        /* Four positions at once, and none of an empty slice, which begins anywhere; of a later
         * slice, those that the parse looks at. */
        uint32_t end =
            k < near->slice.index ? slice.end : rp_min32(slice.begin + RP_NEAR_AHEAD, slice.end);
        TEAM_FOR (i, (slice.begin + 3) / 4, (end + 3) / 4, team) {
            rp_store_four_words(near->own->candidates, i,
                                rp_load_four_words(all[k]->candidates, i));
        }
    }
    team_sync(team);
}

/* Pieces of the best matches are as many as parts of the team, but not shorter than this. */
#define RP_NEAR_LEAST_PIECE_BYTES 128

RP_FN void rp_near_match(rp_team *team, const rp_near *near)
{
    uint32_t begin = near->slice.begin;
    uint32_t end = rp_min32(near->slice.end + RP_NEAR_AHEAD, near->block.view.n_bytes);
    uint32_t piece_bytes = ((end - begin) / TEAM_PARTS(team) + 31) / 32 * 32;
    piece_bytes = rp_max32(piece_bytes, RP_NEAR_LEAST_PIECE_BYTES);
    uint32_t *room = rp_find_room(team, near->own->parsed); /* none are there yet */
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, 0, (end - begin + piece_bytes - 1) / piece_bytes, team)
    {
        uint32_t first = begin + i * piece_bytes;
        rp_lz77_block_find_matches(&part, &near->block, near->effort, first,
                                   rp_min32(piece_bytes, end - first), room);
    }
    team_sync(team);
}

RP_FN void rp_near_parse(rp_team *team, const rp_near *near)
{
    uint32_t end = rp_lazy_segments(near->slice.end);
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, rp_lazy_segments(near->slice.begin), end, team)
    {
        rp_lz77_block_parse_segment(&part, &near->block, near->effort, i);
    }
    team_sync(team);
}

/* What the parse of the other slices left, to the place that it has in all teams' memory. */
RP_FN void rp_near_fetch_parsed(rp_team *team, const rp_near *near, uint32_t n_slices,
                                rp_near_memory *const *all)
{
    rp_team part = team_part(team);
    RP_UNROLL
    for (uint32_t k = 0; k < RP_LZ77_SLICES; k++) {
        rp_lz77_slice slice = rp_near_slice(near->block.view.n_bytes, k, n_slices);
        if (k >= n_slices || k == near->slice.index)
            continue;
        TEAM_FOR_PARTS(i, rp_lazy_segments(slice.begin), rp_lazy_segments(slice.end), team)
        {
            rp_segment segment = all[k]->segments[i];
            if (TEAM_RANK(&part) == 0)
                near->own->segments[i] = segment;
            TEAM_FOR (m, segment.first, segment.first + segment.n_parsed, &part) {
                near->own->parsed[m] = all[k]->parsed[m];
            }
        }
    }
    team_sync(team);
}

#endif
