/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1: the sequences and literals of one block. Candidates, then a lazy parse; at the higher
 * efforts, the optimal parse follows, with prices from the parse before it.
 */
#ifndef ROCKPRESS_KERNELS_LZ77_STAGE_H
#define ROCKPRESS_KERNELS_LZ77_STAGE_H

#include "kernels/lz77_join.h"
#include "kernels/lz77_lazy.h"
#include "kernels/lz77_literals_only.h"
#include "kernels/lz77_optimal.h"

/* Team memory of the parses. */
typedef struct rp_parse_memory {
    uint32_t n_segments;
    uint32_t n_joined;
    rp_segment segments[RP_MAX_SEGMENTS + 1];
    rp_block_counts counts;
    rp_prices prices;
} rp_parse_memory;

typedef char rp_lz77_tables_fit[sizeof(rp_lz77_tables) <= RP_TEAM_MEMORY_BYTES ? 1 : -1];
typedef char rp_parse_memory_fits[sizeof(rp_parse_memory) <= RP_TEAM_MEMORY_BYTES ? 1 : -1];

/* Scratch of the matcher for a block of up to n_bytes. */
typedef struct rp_lz77_scratch {
    rp_lz77_candidates candidates;
    uint32_t *matches; /* of the lazy parse; NULL: not wanted */
    rp_step *steps;
    rp_node *nodes;
} rp_lz77_scratch;

/* Whether the best match of each position is found before the parse. On a GPU many threads do that
 * side by side, and a single warp parses. One worker is faster without, because most positions
 * are inside matches and are never looked at. */
#if defined(RP_TEAM_THREADS) || defined(__CUDACC__)
#define RP_LZ77_MATCHES_FIRST true
#else
#define RP_LZ77_MATCHES_FIRST false
#endif

/* Divides the scratch. The nodes of the optimal parse replace the matches, which are used up. */
RP_FN rp_lz77_scratch rp_lz77_divide_scratch(uint8_t *base, uint32_t n_bytes, bool optimal)
{
    rp_lz77_scratch scratch;
    size_t round = (n_bytes + UINT32_C(15)) & ~UINT32_C(15);
    scratch.steps = (rp_step *)(void *)base;
    scratch.candidates.of_both = (uint16_t *)(void *)(scratch.steps + rp_first_step(n_bytes) + 2);
    scratch.candidates.of_three = NULL;
    scratch.matches = (uint32_t *)(void *)(scratch.candidates.of_both + 2 * round);
    scratch.nodes = NULL;
    if (optimal) {
        scratch.candidates.of_three = scratch.candidates.of_both + 2 * round;
        scratch.nodes = (rp_node *)(void *)(scratch.candidates.of_three + round);
        scratch.matches = (uint32_t *)(void *)scratch.nodes;
    }
    return scratch;
}

/* Bytes of scratch that a block of n_bytes takes. */
RP_FN size_t rp_lz77_scratch_bytes(uint32_t n_bytes, bool optimal)
{
    uint8_t *origin = (uint8_t *)RP_WORKSPACE_ALIGNMENT; /* an address that is not NULL */
    rp_lz77_scratch scratch = rp_lz77_divide_scratch(origin, n_bytes, optimal);
    uintptr_t end = (uintptr_t)(optimal ? (void *)(scratch.nodes + n_bytes + RP_MAX_SEGMENTS + 1)
                                        : (void *)(scratch.matches + n_bytes));
    return (size_t)(end - (uintptr_t)origin);
}

/* Parses again under prices from the sequences and literals that are there, and replaces them. */
RP_FN void rp_optimal_pass(rp_team *team, rp_chunk_view view, const rp_lz77_scratch *scratch,
                           rp_lz77_depths depths, rp_repeat_offsets repeats,
                           rp_parse_memory *memory, rp_lz77_output *output)
{
    rp_count_parse(team, output->literals, output->n_literals, output->sequences,
                   output->n_sequences, &memory->counts);
    rp_price_parse(team, &memory->counts, output->n_literals, output->n_sequences, &memory->prices);
    if (TEAM_RANK(team) == 0)
        memory->n_segments = rp_cut_segments(output->sequences, output->n_sequences, view.n_bytes,
                                             repeats, memory->segments);
    team_sync(team);
    uint32_t n_segments = memory->n_segments;
    TEAM_FOR (i, 0, n_segments, team) {
        rp_segment *segment = &memory->segments[i];
        uint32_t end = memory->segments[i + 1].begin;
        rp_node *nodes = scratch->nodes + segment->begin + i;
        rp_solve_segment(view.source, view.n_bytes, segment, end, scratch->candidates, depths,
                         &memory->prices, nodes);
        rp_trace_segment(view.source, view.n_bytes, nodes, segment, end, scratch->steps);
    }
    team_sync(team);
    rp_join_steps(team, view.source, view.n_bytes, memory->segments, n_segments, scratch->steps,
                  repeats, &memory->n_joined, output);
}

RP_FN rp_lz77_depths rp_depths(uint32_t of_long, uint32_t of_short, uint32_t of_three)
{
    rp_lz77_depths depths;
    depths.of_long = of_long;
    depths.of_short = of_short;
    depths.of_three = of_three;
    return depths;
}

/* The lazy parse of each effort. Depths are in docs/kernels.md, with what they gain. */
RP_FN rp_lazy_plan rp_lazy_plan_of(bool is_fast)
{
    rp_lazy_plan plan;
    plan.depths = is_fast ? rp_depths(1, 1, 0) : rp_depths(2, 4, 0);
    plan.n_ahead = is_fast ? 1 : 2;
    return plan;
}

/* The scratch of one block, divided. */
RP_FN rp_lz77_scratch rp_lz77_scratch_of(const rp_stage_args *args, uint32_t chunk_index,
                                         uint32_t n_bytes)
{
    const rp_stage_buffers *buffers = &args->buffers;
    uint8_t *base = buffers->d_scratch + chunk_index * buffers->scratch_stride;
    rp_lz77_scratch scratch = rp_lz77_divide_scratch(base, n_bytes, args->effort >= RP_EFFORT_HIGH);
    if (!RP_LZ77_MATCHES_FIRST)
        scratch.matches = NULL;
    return scratch;
}

/* First half of the stage: the candidates of all positions, into the scratch. */
RP_FN void rp_stage_lz77_find(rp_team *team, const rp_stage_args *args, uint32_t chunk_index,
                              void *team_memory)
{
    rp_chunk_view view = rp_view_chunk(args, chunk_index);
    if (view.n_bytes == 0)
        return;
    rp_lz77_scratch scratch = rp_lz77_scratch_of(args, chunk_index, view.n_bytes);
    rp_lz77_find_candidates(team, view.source, view.n_bytes, scratch.candidates,
                            (rp_lz77_tables *)team_memory);
}

/* The same for one kind of candidates only. */
RP_FN void rp_stage_lz77_find_kind(rp_team *team, const rp_stage_args *args, uint32_t chunk_index,
                                   rp_lz77_kind kind, void *team_memory)
{
    rp_chunk_view view = rp_view_chunk(args, chunk_index);
    if (view.n_bytes == 0)
        return;
    rp_lz77_candidates candidates = rp_lz77_scratch_of(args, chunk_index, view.n_bytes).candidates;
    rp_lz77_find_kind(team, view.source, view.n_bytes, kind, candidates, (uint16_t *)team_memory);
}

/* The lazy parse of an effort; the plan is a constant, and its loops get shorter by that. */
RP_FN_INLINE uint32_t rp_lz77_lazy(rp_team *team, rp_chunk_view view, rp_lazy_plan plan,
                                   const rp_lz77_scratch *scratch, rp_repeat_offsets repeats,
                                   rp_segment *segments)
{
    if (scratch->matches != NULL)
        rp_lz77_find_matches(team, view.source, view.n_bytes, scratch->candidates, plan.depths,
                             scratch->matches);
    return rp_lazy_parse_segments(team, view.source, view.n_bytes, scratch->candidates,
                                  scratch->matches, plan, repeats, segments, scratch->steps);
}

RP_FN void rp_lz77_parse(rp_team *team, rp_chunk_view view, const rp_stage_args *args,
                         const rp_lz77_scratch *scratch, rp_repeat_offsets repeats,
                         rp_parse_memory *memory, rp_lz77_output *output)
{
    uint32_t n_segments;
    if (args->effort == RP_EFFORT_FAST)
        n_segments =
            rp_lz77_lazy(team, view, rp_lazy_plan_of(true), scratch, repeats, memory->segments);
    else
        n_segments =
            rp_lz77_lazy(team, view, rp_lazy_plan_of(false), scratch, repeats, memory->segments);
    rp_join_steps(team, view.source, view.n_bytes, memory->segments, n_segments, scratch->steps,
                  repeats, &memory->n_joined, output);
    if (args->effort == RP_EFFORT_HIGH) {
        rp_optimal_pass(team, view, scratch, rp_depths(1, 4, 1), repeats, memory, output);
    } else if (args->effort == RP_EFFORT_MAX) {
        for (uint32_t pass = 0; pass < 2; pass++)
            rp_optimal_pass(team, view, scratch, rp_depths(2, 16, 4), repeats, memory, output);
    }
}

/* Second half: sequences and literals from the candidates. */
RP_FN void rp_stage_lz77_parse(rp_team *team, const rp_stage_args *args, uint32_t chunk_index,
                               void *team_memory)
{
    const rp_stage_buffers *buffers = &args->buffers;
    rp_chunk_view view = rp_view_chunk(args, chunk_index);
    rp_lz77_output output;
    output.sequences = buffers->d_sequences + chunk_index * buffers->sequences_stride;
    output.literals = buffers->d_literals + chunk_index * buffers->literals_stride;
    output.n_sequences = 0;
    output.n_literals = 0;
    if (view.n_bytes != 0) {
        rp_lz77_scratch scratch = rp_lz77_scratch_of(args, chunk_index, view.n_bytes);
        rp_repeat_offsets repeats;
        repeats.offset[0] = view.is_first ? 1 : 0;
        repeats.offset[1] = view.is_first ? 4 : 0;
        repeats.offset[2] = view.is_first ? 8 : 0;
        rp_lz77_parse(team, view, args, &scratch, repeats, (rp_parse_memory *)team_memory, &output);
        if (rp_literals_only_is_better(team, view.source, view.n_bytes, &output,
                                       (rp_literals_only_memory *)team_memory))
            rp_lz77_all_literals(team, view.source, view.n_bytes, &output);
    }
    if (TEAM_RANK(team) == 0) {
        rp_chunk *chunk = &buffers->d_chunks[chunk_index];
        chunk->n_sequences = output.n_sequences;
        chunk->n_literals = output.n_literals;
        chunk->literals_section_bytes = 0;
        chunk->sequences_section_bytes = 0;
    }
}

/* Both halves. They share nothing but the scratch, so they may also be launched one by one, on
 * teams of different sizes, with this stage's team memory for each. */
RP_FN void rp_stage_lz77_matcher(rp_team *team, const rp_stage_args *args, uint32_t chunk_index,
                                 void *team_memory)
{
    rp_stage_lz77_find(team, args, chunk_index, team_memory);
    rp_stage_lz77_parse(team, args, chunk_index, team_memory);
}

#endif
