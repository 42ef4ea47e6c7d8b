/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the steps of all segments to the sequences and literals of the block. Serial are a look at
 * each segment's first steps, and the repeat offsets: a few operations for each sequence.
 */
#ifndef ROCKPRESS_KERNELS_LZ77_JOIN_H
#define ROCKPRESS_KERNELS_LZ77_JOIN_H

#include "kernels/lz77_output.h"
#include "kernels/lz77_steps.h"

/* What the steps before a segment leave of its own: those that they cover, up to a few bytes, are
 * dropped. One worker. Returns the number of sequences. */
RP_FN uint32_t rp_trim_segments(rp_segment *segments, uint32_t n_segments, const rp_step *steps)
{
    uint32_t end = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_segments; i++) {
        rp_segment *segment = &segments[i];
        while (segment->n_steps != 0) {
            rp_step step = steps[segment->first];
            if (rp_step_position(step) >= end || rp_step_end(step) >= end + RP_LZ77_SHORT_BYTES)
                break;
            segment->first++;
            segment->n_steps--;
        }
        segment->anchor = end;
        segment->sequence = n;
        n += segment->n_steps;
        if (segment->n_steps != 0)
            end = rp_step_end(steps[segment->first + segment->n_steps - 1]);
    }
    return n;
}

/* Sequences whose offset value is the offset plus 3, whether repeated or not. */
RP_FN void rp_make_sequences(rp_team *team, const rp_segment *segments, uint32_t n_segments,
                             const rp_step *steps, rp_sequence *sequences)
{
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, 0, n_segments, team)
    {
        const rp_step *own = steps + segments[i].first;
        rp_sequence *to = sequences + segments[i].sequence;
        TEAM_FOR (k, 0, segments[i].n_steps, &part) {
            uint32_t anchor = k == 0 ? segments[i].anchor : rp_step_end(own[k - 1]);
            uint32_t position = rp_max32(rp_step_position(own[k]), anchor);
            to[k] = rp_make_sequence(position - anchor, rp_step_end(own[k]) - position,
                                     rp_step_offset(own[k]) + 3);
        }
    }
    team_sync(team);
}

/* Where the literals of each sequence come from and go to, as source | destination << 32. Returns
 * the same for those behind the last sequence. */
RP_FN uint64_t rp_place_literals(rp_team *team, const rp_sequence *sequences, uint32_t n_sequences,
                                 uint64_t *places)
{
    uint32_t source = 0;
    uint32_t destination = 0;
    for (uint32_t first = 0; first < n_sequences; first += TEAM_SIZE(team)) {
        uint32_t i = first + TEAM_RANK(team);
        uint32_t literal_length = 0;
        uint32_t length = 0;
        if (i < n_sequences) {
            literal_length = rp_sequence_literal_length(sequences[i]);
            length = literal_length + rp_sequence_match_length(sequences[i]);
        }
        uint32_t all_literals;
        uint32_t all;
        uint32_t literals_before = team_scan_add(team, literal_length, &all_literals);
        uint32_t before = team_scan_add(team, length, &all);
        if (i < n_sequences)
            places[i] = (source + before) | (uint64_t)(destination + literals_before) << 32;
        source += all;
        destination += all_literals;
    }
    team_sync(team);
    return source | (uint64_t)destination << 32;
}

/* Replaces offsets by repeat offsets where they are some. Which they are follows from all the
 * sequences before, so this goes through one by one; loads and stores are for the whole team. */
RP_FN void rp_encode_offsets(rp_team *team, rp_sequence *sequences, uint32_t n_sequences,
                             rp_repeat_offsets repeats)
{
    for (uint32_t first = 0; first < n_sequences; first += TEAM_SIZE(team)) {
        uint32_t mine = first + TEAM_RANK(team);
        rp_sequence sequence = mine < n_sequences ? sequences[mine] : 0;
        uint32_t value = 0;
        uint32_t n = rp_min32(TEAM_SIZE(team), n_sequences - first);
        for (uint32_t k = 0; k < n; k++) {
            rp_sequence one = team_broadcast(team, sequence, k);
            uint32_t offset = rp_sequence_offset_value(one) - 3;
            uint32_t encoded =
                rp_encode_offset(&repeats, offset, rp_sequence_literal_length(one) == 0);
            value = k == TEAM_RANK(team) ? encoded : value;
        }
        if (mine < n_sequences)
            sequences[mine] = rp_make_sequence(rp_sequence_literal_length(sequence),
                                               rp_sequence_match_length(sequence), value);
    }
}

/*
 * The sequences and literals of the block; segments and steps are used up. `repeats` are those at
 * the block's begin; n_joined is team memory.
 */
RP_FN void rp_join_steps(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                         rp_segment *segments, uint32_t n_segments, rp_step *steps,
                         rp_repeat_offsets repeats, uint32_t *n_joined, rp_lz77_output *output)
{
    if (TEAM_RANK(team) == 0)
        *n_joined = rp_trim_segments(segments, n_segments, steps);
    team_sync(team);
    uint32_t n = *n_joined;
    rp_make_sequences(team, segments, n_segments, steps, output->sequences);
    uint64_t tail = rp_place_literals(team, output->sequences, n, steps);
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, 0, n, team)
    {
        uint32_t n_literals = rp_sequence_literal_length(output->sequences[i]);
        team_copy(&part, output->literals + (uint32_t)(steps[i] >> 32), source + (uint32_t)steps[i],
                  n_literals);
    }
    uint32_t anchor = (uint32_t)tail;
    uint32_t n_literals = (uint32_t)(tail >> 32);
    team_copy(team, output->literals + n_literals, source + anchor, n_bytes - anchor);
    team_sync(team);
    if (TEAM_PART(team) == 0)
        rp_encode_offsets(&part, output->sequences, n, repeats);
    team_sync(team);
    output->n_sequences = n;
    output->n_literals = n_literals + n_bytes - anchor;
}

#endif
