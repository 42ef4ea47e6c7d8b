/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1: the sequences and literals of one block. A lazy parse, by one: a match is taken
 * unless the next position has a clearly better one.
 *
 * The team looks at a window of team-size positions at once, each worker at one of them, with
 * the repeat offsets as they are at the window's start. That is right for every position up to
 * the first one where a match is taken, and nothing behind it is used: the next window starts
 * behind that match. Whether the match of a position is taken depends on it and on the next
 * position alone, so windows of any size give the same sequences; a match at a window's last
 * position is carried into the next window as `pending`.
 */
#ifndef ROCKPRESS_KERNELS_LZ77_STAGE_H
#define ROCKPRESS_KERNELS_LZ77_STAGE_H

#include "kernels/lz77_match.h"
#include "kernels/stages.h"

/* How much better the next position's match must be: it costs a literal more. */
#define RP_LZ77_LAZY_MARGIN 4
/* A match of this length is taken without looking further, which also bounds the time that is
 * spent on comparing bytes of matches that are not taken. */
#define RP_LZ77_SUFFICIENT_LENGTH 64

typedef char rp_lz77_tables_fit[sizeof(rp_lz77_tables) <= RP_TEAM_MEMORY_BYTES ? 1 : -1];

typedef struct rp_lz77_output {
    rp_sequence *sequences;
    uint8_t *literals;
    uint32_t n_sequences;
    uint32_t n_literals;
} rp_lz77_output;

RP_FN uint64_t rp_pack_match(rp_match match)
{
    return (uint64_t)match.offset << 32 | match.length;
}

RP_FN rp_sequence rp_make_sequence(uint32_t literal_length, uint32_t match_length,
                                   uint32_t offset_value)
{
    return (uint64_t)literal_length | (uint64_t)(match_length - 3) << 17 |
           (uint64_t)offset_value << 34;
}

/* Appends the match and the literals before it; returns the position behind it. */
RP_FN uint32_t rp_lz77_take(rp_team *team, const uint8_t *source, uint32_t anchor,
                            uint32_t position, uint32_t length, uint32_t offset,
                            rp_repeat_offsets *repeats, rp_lz77_output *output)
{
    uint32_t end = position + length;
    while (position > anchor && position > offset &&
           source[position - 1] == source[position - 1 - offset])
        position--;
    uint32_t n_literals = position - anchor;
    uint32_t offset_value = rp_encode_offset(repeats, offset, n_literals == 0);
    if (TEAM_RANK(team) == 0)
        output->sequences[output->n_sequences] =
            rp_make_sequence(n_literals, end - position, offset_value);
    team_copy(team, output->literals + output->n_literals, source + anchor, n_literals);
    output->n_sequences++;
    output->n_literals += n_literals;
    return end;
}

RP_FN void rp_lz77_parse(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                         rp_lz77_candidates candidates, rp_repeat_offsets repeats,
                         rp_lz77_output *output)
{
    uint32_t end = n_bytes < RP_LZ77_SHORT_BYTES ? 0 : n_bytes - RP_LZ77_SHORT_BYTES + 1;
    uint32_t anchor = 0;   /* first byte that is not in a sequence yet */
    uint32_t position = 0; /* the window's start */
    rp_match pending;      /* match at position - 1 */
    pending.length = 0;
    pending.offset = 0;
    pending.gain = 0;
    while (position < end || pending.length != 0) {
        uint32_t mine = position + TEAM_RANK(team);
        rp_match match;
        match.length = 0;
        match.offset = 0;
        match.gain = 0;
        if (mine < end)
            match = rp_lz77_best_match(source, n_bytes, mine, candidates, repeats, mine == anchor);
        /* The worker that sees both a match and its successor decides on it. */
        uint64_t packed = team_shift_up(team, rp_pack_match(match), rp_pack_match(pending));
        int32_t previous_gain =
            (int32_t)team_shift_up(team, (uint64_t)(int64_t)match.gain, (uint64_t)pending.gain);
        uint32_t previous_length = (uint32_t)packed;
        bool take = previous_length != 0 && (previous_length >= RP_LZ77_SUFFICIENT_LENGTH ||
                                             match.gain <= previous_gain + RP_LZ77_LAZY_MARGIN);
        uint32_t taker = team_reduce_min(team, take ? TEAM_RANK(team) : RP_TEAM_NONE);
        if (taker == RP_TEAM_NONE) {
            uint32_t last = TEAM_SIZE(team) - 1;
            packed = team_broadcast(team, rp_pack_match(match), last);
            pending.gain = (int32_t)team_broadcast(team, (uint64_t)(int64_t)match.gain, last);
            pending.length = (uint32_t)packed;
            pending.offset = (uint32_t)(packed >> 32);
            position += TEAM_SIZE(team);
            continue;
        }
        packed = team_broadcast(team, packed, taker);
        position = rp_lz77_take(team, source, anchor, position + taker - 1, (uint32_t)packed,
                                (uint32_t)(packed >> 32), &repeats, output);
        anchor = position;
        pending.length = 0;
        pending.gain = 0;
    }
    team_copy(team, output->literals + output->n_literals, source + anchor, n_bytes - anchor);
    output->n_literals += n_bytes - anchor;
}

RP_FN void rp_stage_lz77_matcher(rp_team *team, const rp_stage_args *args, uint32_t chunk_index,
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
        uint16_t *scratch =
            (uint16_t *)(void *)(buffers->d_scratch + chunk_index * buffers->scratch_stride +
                                 RP_TEAM_MEMORY_BYTES);
        rp_lz77_candidates candidates;
        candidates.of_short = scratch;
        candidates.of_long = scratch + view.n_bytes;
        rp_repeat_offsets repeats;
        repeats.offset[0] = view.is_first ? 1 : 0;
        repeats.offset[1] = view.is_first ? 4 : 0;
        repeats.offset[2] = view.is_first ? 8 : 0;
        rp_lz77_find_candidates(team, view.source, view.n_bytes, candidates,
                                (rp_lz77_tables *)team_memory);
        rp_lz77_parse(team, view.source, view.n_bytes, candidates, repeats, &output);
    }
    if (TEAM_RANK(team) == 0) {
        rp_chunk *chunk = &buffers->d_chunks[chunk_index];
        chunk->n_sequences = output.n_sequences;
        chunk->n_literals = output.n_literals;
        chunk->literals_section_bytes = 0;
        chunk->sequences_section_bytes = 0;
    }
}

#endif
