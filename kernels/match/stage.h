/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1: the sequences and literals of one block. Candidates, then a lazy parse; at the higher
 * efforts, the optimal parse follows, with prices from the parse before it.
 *
 * All cases give the same bytes. Which one runs (cuda/schedule.h decides it):
 *
 *     case                             a segment's lazy parse is    its matches are found
 *     -------------------------------  ---------------------------  ---------------------------
 *     host device                      serial: lazy_serial.h        on demand: match_on_demand.h
 *     GPU, 8192 segments or more       a thread's: lazy_thread.h    before: best_match.h
 *     GPU, fewer segments              a warp's: lazy_warp.h        before: best_match.h
 *     GPU, up to 128 inputs of up to   fused, all stages in one     before: best_match.h, in shared
 *       16 KiB at fast and default     launch; a warp's             memory where there is enough
 *     one or two of these, where a     clustered, four thread       before: best_match.h, in the
 *       GPU has clusters               blocks each; a warp's        memory of fused/shared_block.h
 *
 * A segment is 1 KiB of a block. The optimal parse follows the lazy parse in every case, where the
 * effort has one.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_STAGE_H
#define ROCKPRESS_KERNELS_MATCH_STAGE_H

#include "kernels/match/best_match.h"
#include "kernels/match/join.h"
#include "kernels/match/lazy_serial.h"
#include "kernels/match/lazy_thread.h"
#include "kernels/match/lazy_warp.h"
#include "kernels/match/literals_only.h"
#include "kernels/match/optimal.h"
#include "kernels/match/precheck.h"

/* Team memory of the parses. */
typedef union rp_parse_memory {
    struct {
        uint32_t n_segments;
        uint32_t n_joined;
        rp_segment segments[RP_MAX_SEGMENTS + 1];
        rp_block_counts counts;
        rp_prices prices;
    };
    rp_repeat_lists lists; /* when the join is done with the others */
} rp_parse_memory;

typedef char rp_lz77_tables_fit[sizeof(rp_lz77_tables) <= RP_TEAM_MEMORY_BYTES ? 1 : -1];
typedef char rp_incompressible_memory_fits_the_join
    [sizeof(rp_incompressible_memory) <= sizeof(rp_parse_memory) ? 1 : -1];
typedef char rp_parse_memory_fits[sizeof(rp_parse_memory) <= RP_TEAM_MEMORY_BYTES ? 1 : -1];

/* Scratch of the matcher for a block of up to n_bytes. */
typedef struct rp_lz77_scratch {
    rp_segment *lazy_segments;
    rp_parsed_match *parsed;
    rp_lz77_candidates candidates;
    uint32_t *matches; /* packed, of all positions; not touched by a parse that finds its own */
    rp_node *nodes;
} rp_lz77_scratch;

/* Divides the scratch. The nodes of the optimal parse replace the matches, which are not needed
 * any more then. */
RP_FN rp_lz77_scratch rp_lz77_divide_scratch(uint8_t *base, uint32_t n_bytes, bool optimal)
{
    rp_lz77_scratch scratch;
    size_t round = (n_bytes + UINT32_C(15)) & ~UINT32_C(15);
    scratch.lazy_segments = (rp_segment *)(void *)base;
    scratch.parsed = (rp_parsed_match *)(void *)(scratch.lazy_segments + rp_lazy_segments(n_bytes));
    scratch.candidates.hash4_hash8 =
        (uint16_t *)(void *)(scratch.parsed + rp_first_parsed(n_bytes) + 2);
    scratch.candidates.hash3 = NULL;
    scratch.matches = (uint32_t *)(void *)(scratch.candidates.hash4_hash8 + 2 * round);
    scratch.nodes = NULL;
    if (optimal) {
        scratch.candidates.hash3 = scratch.candidates.hash4_hash8 + 2 * round;
        scratch.nodes = (rp_node *)(void *)(scratch.candidates.hash3 + round);
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

/* Parses the block again, with prices from its sequences and literals, and replaces these. */
RP_FN void rp_optimal_pass(rp_team *team, rp_zstd_block_view view, const rp_lz77_scratch *scratch,
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
        rp_trace_segment(view.source, view.n_bytes, nodes, segment, end, scratch->parsed);
    }
    team_sync(team);
    rp_join_segments(team, view.source, view.n_bytes, memory->segments, n_segments, scratch->parsed,
                     repeats, &memory->n_joined, &memory->lists, output);
}

RP_FN rp_lz77_depths rp_depths(uint32_t hash8, uint32_t hash4, uint32_t hash3)
{
    rp_lz77_depths depths;
    depths.hash8 = hash8;
    depths.hash4 = hash4;
    depths.hash3 = hash3;
    return depths;
}

/* The lazy parse of each effort. Depths are in docs/kernels.md, with what they gain. */
RP_FN rp_lazy_plan rp_lazy_plan_of(bool is_fast)
{
    rp_lazy_plan plan;
    plan.depths = is_fast ? rp_depths(1, 1, 0) : rp_depths(1, 3, 0);
    plan.n_ahead = is_fast ? 1 : 2;
    return plan;
}

/* The scratch of one block, divided. */
RP_FN rp_lz77_scratch rp_lz77_scratch_of(const rp_stage_args *args, uint32_t block_index,
                                         uint32_t n_bytes)
{
    const rp_kernel_buffers *buffers = &args->buffers;
    uint8_t *base = buffers->d_scratch + block_index * buffers->scratch_stride;
    return rp_lz77_divide_scratch(base, n_bytes, args->effort >= RP_EFFORT_HIGH);
}

/* A block, and the memory in which the parts of the stage leave what the next one needs. */
typedef struct rp_lz77_block {
    rp_zstd_block_view view;
    rp_lz77_source source; /* its bytes, or a copy of them */
    rp_lz77_scratch scratch;
    bool is_in_shared_memory; /* on a GPU, the scratch is in shared memory */
} rp_lz77_block;

RP_FN rp_lz77_block rp_lz77_block_of(const rp_stage_args *args, uint32_t block_index)
{
    rp_lz77_block block;
    block.view = rp_view_zstd_block(args, block_index);
    block.source.bytes = block.view.source;
    block.source.n_bytes = block.view.n_bytes;
    block.source.is_padded = false;
    block.scratch = rp_lz77_scratch_of(args, block_index, block.view.n_bytes);
    block.is_in_shared_memory = false;
    return block;
}

/* First part of the stage: the candidates of all positions, into the scratch. */
RP_FN void rp_stage_lz77_find(rp_team *team, const rp_stage_args *args, uint32_t block_index,
                              void *team_memory)
{
    rp_lz77_block block = rp_lz77_block_of(args, block_index);
    if (block.view.n_bytes != 0)
        rp_lz77_find_candidates(team, block.view.source, block.view.n_bytes,
                                block.scratch.candidates, (rp_lz77_tables *)team_memory);
}

/* The same for one kind of candidates only. */
RP_FN void rp_stage_lz77_find_kind(rp_team *team, const rp_stage_args *args, uint32_t block_index,
                                   rp_lz77_kind kind, void *team_memory)
{
    rp_lz77_block block = rp_lz77_block_of(args, block_index);
    if (block.view.n_bytes != 0)
        rp_lz77_find_kind(team, block.view.source, block.view.n_bytes, kind,
                          block.scratch.candidates, (uint16_t *)team_memory);
}

/* The share of this part of the team in the scratch of rp_find_lengths(). */
RP_FN uint32_t *rp_find_scratch(rp_team *team, void *team_memory)
{
    uint32_t first = TEAM_PART(team) * (TEAM_SIZE(team) / TEAM_PARTS(team) * RP_FIND_SCRATCH_WORDS);
    RP_KEEP(first);
    return (uint32_t *)team_memory + first;
}

/* The best matches of n_positions from `begin` on, as far as the block has them. Each call has
 * a constant plan, which makes loops shorter. */
RP_FN void rp_lz77_block_find_matches(rp_team *team, const rp_lz77_block *block, uint32_t effort,
                                      uint32_t begin, uint32_t n_positions, uint32_t *scratch)
{
    if (effort == RP_EFFORT_FAST)
        rp_lz77_find_matches(team, block->source, begin, n_positions, block->scratch.candidates,
                             rp_lazy_plan_of(true).depths, block->scratch.matches,
                             block->is_in_shared_memory, scratch);
    else
        rp_lz77_find_matches(team, block->source, begin, n_positions, block->scratch.candidates,
                             rp_lazy_plan_of(false).depths, block->scratch.matches,
                             block->is_in_shared_memory, scratch);
}

/* The best matches of a block, a piece for each part of the team. */
RP_FN void rp_stage_lz77_find_matches(rp_team *team, const rp_stage_args *args,
                                      uint32_t block_index, void *team_memory)
{
    rp_lz77_block block = rp_lz77_block_of(args, block_index);
    uint32_t n_pieces = rp_find_pieces(block.view.n_bytes);
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, 0, n_pieces, team)
    {
        rp_lz77_block_find_matches(&part, &block, args->effort, i * RP_FIND_PIECE_BYTES,
                                   RP_FIND_PIECE_BYTES, rp_find_scratch(team, team_memory));
    }
    team_sync(team);
}

/* The repeat offsets at the begin of a block. */
RP_FN rp_repeat_offsets rp_first_repeats(rp_zstd_block_view view)
{
    rp_repeat_offsets repeats;
    repeats.offset[0] = view.is_first ? 1 : 0;
    repeats.offset[1] = view.is_first ? 4 : 0;
    repeats.offset[2] = view.is_first ? 8 : 0;
    return repeats;
}

/* Whether the matches of all positions are found before the parse (best_match.h): on a GPU, and
 * in the tests of its teams, where many workers find them side by side. */
#if defined(RP_TEAM_THREADS) || defined(__CUDACC__)
#define RP_LZ77_MATCHES_FIRST true
#else
#define RP_LZ77_MATCHES_FIRST false
#endif

/* The lazy parse of a segment: by the team if it is a warp, else by its first worker. The first
 * segment starts with the repeat offsets of the block, the others know none. */
RP_FN_INLINE void rp_lazy_parse(rp_team *team, rp_lz77_source source, uint32_t index,
                                rp_lz77_candidates candidates, const uint32_t *matches,
                                rp_lazy_plan plan, rp_repeat_offsets repeats, rp_segment *segments,
                                rp_parsed_match *parsed)
{
    uint32_t begin = index * RP_LAZY_SEGMENT_BYTES;
    uint32_t first = rp_first_parsed(begin);
    for (uint32_t k = 0; k < 3; k++)
        repeats.offset[k] = index == 0 ? repeats.offset[k] : 0;
    uint32_t end = begin + RP_LAZY_SEGMENT_BYTES;
    uint32_t n_parsed = 0;
    if (!RP_LZ77_MATCHES_FIRST)
        n_parsed =
            rp_lazy_parse_serial(source, begin, end, candidates, plan, repeats, parsed + first);
    else if (TEAM_SIZE(team) == RP_LAZY_WARP_WORKERS)
        n_parsed =
            rp_lazy_parse_warp(team, source, begin, end, matches, plan, repeats, parsed + first);
    else if (TEAM_RANK(team) == 0)
        n_parsed = rp_lazy_parse_thread(source, begin, end, matches, plan, repeats, parsed + first);
    if (TEAM_RANK(team) == 0) {
        segments[index].begin = begin;
        segments[index].first = first;
        segments[index].n_parsed = n_parsed;
    }
}

/* The same of a segment that the block may not have. */
RP_FN_APART void rp_lz77_block_parse_segment(rp_team *team, const rp_lz77_block *block,
                                             uint32_t effort, uint32_t segment)
{
    const rp_lz77_scratch *scratch = &block->scratch;
    rp_repeat_offsets repeats = rp_first_repeats(block->view);
    if (segment >= rp_lazy_segments(block->view.n_bytes))
        return;
    if (effort == RP_EFFORT_FAST)
        rp_lazy_parse(team, block->source, segment, scratch->candidates, scratch->matches,
                      rp_lazy_plan_of(true), repeats, scratch->lazy_segments, scratch->parsed);
    else
        rp_lazy_parse(team, block->source, segment, scratch->candidates, scratch->matches,
                      rp_lazy_plan_of(false), repeats, scratch->lazy_segments, scratch->parsed);
}

/* The same, of a zstd block. */
RP_FN void rp_stage_lz77_parse_segment(rp_team *team, const rp_stage_args *args,
                                       uint32_t block_index, uint32_t segment)
{
    rp_lz77_block block = rp_lz77_block_of(args, block_index);
    rp_lz77_block_parse_segment(team, &block, args->effort, segment);
}

/* The lazy parse of a block, a segment for each part of the team. */
RP_FN void rp_lz77_block_parse(rp_team *team, const rp_lz77_block *block, uint32_t effort)
{
    uint32_t n_segments = rp_lazy_segments(block->view.n_bytes);
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, 0, n_segments, team)
    {
        rp_lz77_block_parse_segment(&part, block, effort, i);
    }
    team_sync(team);
}

/* The same, of a zstd block. */
RP_FN void rp_stage_lz77_parse(rp_team *team, const rp_stage_args *args, uint32_t block_index)
{
    rp_lz77_block block = rp_lz77_block_of(args, block_index);
    rp_lz77_block_parse(team, &block, args->effort);
}

/* A block of random bytes has less than one byte of this many matched by the lazy parse. */
#define RP_LEAST_MATCHED 64

/* Whether the block looks random: it has hardly any match, and all its bytes are about equally
 * frequent, so that the optimal parse could not gain 3 bytes. A collective. */
RP_FN bool rp_looks_random(rp_team *team, rp_zstd_block_view view, const rp_lz77_output *output,
                           uint32_t *byte_counts)
{
    if (view.n_bytes - output->n_literals >= view.n_bytes / RP_LEAST_MATCHED)
        return false;
    uint32_t n = rp_count_source(team, view.source, view.n_bytes, 1, byte_counts);
    return rp_literals_cost(team, byte_counts, n) == n * 8 * RP_LOG2_ONE;
}

/* Up to this size the optimal parse gains nothing: the few sequences of the lazy one say little
 * about prices, and a table of prices alone is more work than the block. */
#define RP_OPTIMAL_ABOVE_BYTES 256

/* Copies the segments from the scratch to team memory. */
RP_FN void rp_lz77_take_segments(rp_team *team, const rp_segment *segments, uint32_t n_segments,
                                 rp_parse_memory *memory)
{
    TEAM_FOR (i, 0, n_segments, team) {
        memory->segments[i].begin = segments[i].begin;
        memory->segments[i].first = segments[i].first;
        memory->segments[i].n_parsed = segments[i].n_parsed;
    }
    team_sync(team);
}

/* From the lazy parse to sequences and literals, at the higher efforts by way of the optimal one.
 */
RP_FN void rp_lz77_join(rp_team *team, const rp_lz77_block *block, uint32_t effort, bool is_optimal,
                        rp_parse_memory *memory, rp_lz77_output *output)
{
    const rp_zstd_block_view view = block->view;
    const rp_lz77_scratch scratch = block->scratch;
    rp_repeat_offsets repeats = rp_first_repeats(view);
    uint32_t n_segments = rp_lazy_segments(view.n_bytes);
    rp_lz77_take_segments(team, scratch.lazy_segments, n_segments, memory);
    rp_join_segments(team, view.source, view.n_bytes, memory->segments, n_segments, scratch.parsed,
                     repeats, &memory->n_joined, &memory->lists, output);
    if (!is_optimal || view.n_bytes <= RP_OPTIMAL_ABOVE_BYTES ||
        rp_looks_random(team, view, output, memory->counts.literals))
        return;
    if (effort == RP_EFFORT_HIGH) {
        rp_optimal_pass(team, view, &scratch, rp_depths(1, 4, 1), repeats, memory, output);
    } else if (effort == RP_EFFORT_MAX) {
        rp_optimal_pass(team, view, &scratch, rp_depths(1, 4, 1), repeats, memory, output);
        rp_optimal_pass(team, view, &scratch, rp_depths(2, 16, 4), repeats, memory, output);
    }
}

/* Blocks of up to this size are never shortened, unless all bytes are equal: the sections take
 * 8 bytes for any two literals with a code or a sequence. */
#define RP_NEVER_SHORTER_BYTES 8

/* What the bytes of a block tell before its parse. */
typedef struct rp_lz77_precheck {
    bool is_spared; /* the block is literals, whatever the parse would find */
    uint32_t sample_entropy;
} rp_lz77_precheck;

/* Whether the block is spared all parts of the stage. */
RP_FN rp_lz77_precheck rp_lz77_precheck_block(rp_team *team, rp_zstd_block_view view,
                                              void *team_memory)
{
    rp_lz77_precheck precheck;
    precheck.is_spared = view.n_bytes <= RP_NEVER_SHORTER_BYTES ||
                         rp_is_incompressible(team, view.source, view.n_bytes,
                                              (rp_incompressible_memory *)team_memory);
    precheck.sample_entropy = RP_NOT_SAMPLED;
    return precheck;
}

/* The same, and the sample that would be taken after the parse. */
RP_FN rp_lz77_precheck rp_lz77_precheck_and_sample(rp_team *team, rp_zstd_block_view view,
                                                   void *team_memory)
{
    rp_lz77_precheck precheck = rp_lz77_precheck_block(team, view, team_memory);
    if (!precheck.is_spared)
        precheck.sample_entropy = rp_sample_entropy(team, view.source, view.n_bytes,
                                                    (rp_literals_only_memory *)team_memory);
    return precheck;
}

/* Whether the literals are written raw without a look at them: those of a block that is spared for
 * what its bytes are. */
RP_FN bool rp_literals_stay_raw(rp_lz77_precheck precheck, uint32_t n_bytes)
{
    return precheck.is_spared && n_bytes > RP_NEVER_SHORTER_BYTES;
}

/* The result of the stage: that of the parts before, unless the block is spared. */
RP_FN void rp_lz77_block_finish(rp_team *team, const rp_lz77_block *block,
                                const rp_stage_args *args, uint32_t block_index,
                                rp_lz77_precheck precheck, bool is_optimal, void *team_memory)
{
    const rp_kernel_buffers *buffers = &args->buffers;
    const rp_zstd_block_view view = block->view;
    rp_lz77_output output;
    output.sequences = buffers->d_sequences + block_index * buffers->sequences_stride;
    output.literals = buffers->d_literals + block_index * buffers->literals_stride;
    output.n_sequences = 0;
    output.n_literals = 0;
    if (precheck.is_spared) {
        rp_lz77_all_literals(team, view.source, view.n_bytes, &output);
    } else if (view.n_bytes != 0) {
        rp_lz77_join(team, block, args->effort, is_optimal, (rp_parse_memory *)team_memory,
                     &output);
        if (rp_literals_only_is_better(team, view.source, view.n_bytes, precheck.sample_entropy,
                                       &output, (rp_literals_only_memory *)team_memory))
            rp_lz77_all_literals(team, view.source, view.n_bytes, &output);
    }
    if (TEAM_RANK(team) == 0) {
        rp_zstd_block *zstd_block = &buffers->d_zstd_blocks[block_index];
        zstd_block->n_sequences = output.n_sequences;
        zstd_block->n_literals = output.n_literals;
        zstd_block->literals_section_bytes =
            rp_literals_stay_raw(precheck, view.n_bytes) ? RP_LITERALS_STAY_RAW : 0;
        zstd_block->sequences_section_bytes = 0;
    }
}

/* The last part of the stage, after parts that did not know whether the block is spared. Whether
 * the effort has the optimal parse is a constant for a GPU, since it takes many registers. */
RP_FN void rp_lz77_block_join(rp_team *team, const rp_lz77_block *block, const rp_stage_args *args,
                              uint32_t block_index, bool is_optimal, void *team_memory)
{
    rp_lz77_precheck precheck = rp_lz77_precheck_block(team, block->view, team_memory);
    rp_lz77_block_finish(team, block, args, block_index, precheck, is_optimal, team_memory);
}

/* The same, of a zstd block. */
RP_FN void rp_stage_lz77_join(rp_team *team, const rp_stage_args *args, uint32_t block_index,
                              bool is_optimal, void *team_memory)
{
    rp_lz77_block block = rp_lz77_block_of(args, block_index);
    rp_lz77_block_join(team, &block, args, block_index, is_optimal, team_memory);
}

/* All parts. They share nothing but the scratch, so they may also be launched one by one, on teams
 * of different sizes, with this stage's team memory for each. */
RP_FN void rp_stage_lz77_matcher(rp_team *team, const rp_stage_args *args, uint32_t block_index,
                                 void *team_memory)
{
    rp_lz77_block block = rp_lz77_block_of(args, block_index);
    rp_lz77_precheck precheck = rp_lz77_precheck_block(team, block.view, team_memory);
    if (!precheck.is_spared) {
        rp_stage_lz77_find(team, args, block_index, team_memory);
        if (RP_LZ77_MATCHES_FIRST)
            rp_stage_lz77_find_matches(team, args, block_index, team_memory);
        rp_stage_lz77_parse(team, args, block_index);
    }
    rp_lz77_block_finish(team, &block, args, block_index, precheck, args->effort >= RP_EFFORT_HIGH,
                         team_memory);
}

#endif
