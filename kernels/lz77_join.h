/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the steps of all segments to the sequences and literals of the block. Serial are a look at
 * each segment's first steps, and the repeat offsets: a few operations for each sequence.
 */
#ifndef ROCKPRESS_KERNELS_LZ77_JOIN_H
#define ROCKPRESS_KERNELS_LZ77_JOIN_H

#include "kernels/lz77_output.h"
#include "kernels/lz77_steps.h"

RP_FN void rp_note_first_step(rp_segment *segment, const rp_step *steps)
{
    rp_step step = segment->n_steps != 0 ? steps[segment->first] : 0;
    segment->first_position = rp_step_position(step);
    segment->first_end = rp_step_end(step);
}

/* The ends of each segment's steps, which are all that most of them are asked for. */
RP_FN void rp_note_steps(rp_team *team, rp_segment *segments, uint32_t n_segments,
                         const rp_step *steps)
{
    TEAM_FOR (i, 0, n_segments, team) {
        rp_segment *segment = &segments[i];
        rp_note_first_step(segment, steps);
        segment->last_end =
            segment->n_steps != 0 ? rp_step_end(steps[segment->first + segment->n_steps - 1]) : 0;
    }
    team_sync(team);
}

/* What the steps before a segment leave of its own: those that they cover, up to a few bytes, are
 * dropped. One worker. Returns the number of sequences. */
RP_FN uint32_t rp_trim_segments(rp_segment *segments, uint32_t n_segments, const rp_step *steps)
{
    uint32_t end = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_segments; i++) {
        rp_segment *segment = &segments[i];
        while (segment->n_steps != 0) {
            if (segment->first_position >= end || segment->first_end >= end + RP_LZ77_SHORT_BYTES)
                break;
            segment->first++;
            segment->n_steps--;
            rp_note_first_step(segment, steps);
        }
        segment->anchor = end;
        segment->sequence = n;
        n += segment->n_steps;
        if (segment->n_steps != 0)
            end = segment->last_end;
    }
    return n;
}

/* Sequences whose offset value is the offset plus 3, whether repeated or not. Matches get the bytes
 * before them that are equal, too: here, where the steps are divided among all, and a match at a
 * segment's begin may reach back into the segment before. */
RP_FN void rp_make_sequences(rp_team *team, const uint8_t *source, const rp_segment *segments,
                             uint32_t n_segments, const rp_step *steps, rp_sequence *sequences)
{
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, 0, n_segments, team)
    {
        const rp_step *own = steps + segments[i].first;
        rp_sequence *to = sequences + segments[i].sequence;
        TEAM_FOR (k, 0, segments[i].n_steps, &part) {
            uint32_t anchor = k == 0 ? segments[i].anchor : rp_step_end(own[k - 1]);
            uint32_t position = rp_extend_back(source, anchor, own[k]);
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

/* Goes through the sequences [begin, end): the repeat offsets behind them, given those before. With
 * `write`, offsets are replaced by repeat offsets where they are some. One worker. */
RP_FN rp_repeat_offsets rp_follow_repeats(rp_sequence *sequences, uint32_t begin, uint32_t end,
                                          rp_repeat_offsets repeats, bool write)
{
    rp_sequence next = begin < end ? sequences[begin] : 0; /* fetched ahead */
    for (uint32_t i = begin; i < end; i++) {
        rp_sequence sequence = next;
        next = sequences[rp_min32(i + 1, end - 1)];
        uint32_t literal_length = rp_sequence_literal_length(sequence);
        uint32_t value =
            rp_encode_offset(&repeats, rp_sequence_offset_value(sequence) - 3, literal_length == 0);
        if (write)
            sequences[i] =
                rp_make_sequence(literal_length, rp_sequence_match_length(sequence), value);
    }
    return repeats;
}

/* The repeat offsets before each worker's sequences [begin, end), given those before the first.
 * Only where the workers before have too few sequences to know what is left behind them, whatever
 * came before, one has to wait for the other. */
RP_FN rp_repeat_offsets rp_find_repeats(rp_team *team, rp_sequence *sequences, uint32_t n_sequences,
                                        uint32_t begin, uint32_t end, rp_repeat_offsets first)
{
    rp_repeat_offsets unknown = {{0, 0, 0}};
    rp_repeat_offsets behind =
        rp_follow_repeats(sequences, begin, end, TEAM_RANK(team) == 0 ? first : unknown, false);
    rp_repeat_offsets before = first;
    rp_repeat_offsets mine = first;
    if (!team_any(team, behind.offset[2] == 0 && end < n_sequences)) {
        for (uint32_t k = 0; k < 3; k++)
            mine.offset[k] = team_shift_up(team, behind.offset[k], first.offset[k]);
        return mine;
    }
    for (uint32_t rank = 0; rank + 1 < TEAM_SIZE(team); rank++) {
        /* What is known is in front. */
        if (team_broadcast(team, behind.offset[2], rank) == 0 && TEAM_RANK(team) == rank)
            behind = rp_follow_repeats(sequences, begin, end, before, false);
        for (uint32_t k = 0; k < 3; k++)
            before.offset[k] = team_broadcast(team, behind.offset[k], rank);
        mine = TEAM_RANK(team) == rank + 1 ? before : mine;
    }
    return mine;
}

/* Replaces offsets by repeat offsets where they are some. Which they are follows from the sequences
 * before: each worker has some that follow one another. */
RP_FN void rp_encode_offsets(rp_team *team, rp_sequence *sequences, uint32_t n_sequences,
                             rp_repeat_offsets repeats)
{
    uint32_t each = (n_sequences + TEAM_SIZE(team) - 1) / TEAM_SIZE(team);
    uint32_t begin = rp_min32(TEAM_RANK(team) * each, n_sequences);
    uint32_t end = rp_min32(begin + each, n_sequences);
    if (TEAM_SIZE(team) != 1)
        repeats = rp_find_repeats(team, sequences, n_sequences, begin, end, repeats);
    (void)rp_follow_repeats(sequences, begin, end, repeats, true);
}

/* Copies up to RP_FEW_LITERALS literals, of a block that ends n_left bytes from the first. One
 * worker; alone, it copies as many as that where there are fewer, and what is too much is
 * overwritten. */
RP_FN void rp_copy_few_literals(rp_team *team, uint8_t *to, const uint8_t *from, uint32_t n,
                                uint32_t n_left)
{
    if (TEAM_SIZE(team) == 1 && n_left >= RP_FEW_LITERALS) {
        memcpy(to, from, RP_FEW_LITERALS);
        return;
    }
    for (uint32_t k = 0; k < n; k++)
        to[k] = from[k];
}

/* The literals before each sequence, to their places, which are those of rp_place_literals(). Few
 * are copied by one worker each. */
RP_FN void rp_copy_literals(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                            const rp_sequence *sequences, uint32_t n_sequences,
                            const uint64_t *places, uint8_t *literals)
{
    rp_team part = team_part(team);
    uint32_t n_groups = (n_sequences + TEAM_SIZE(&part) - 1) / TEAM_SIZE(&part);
    TEAM_FOR_PARTS(group, 0, n_groups, team)
    {
        uint32_t i = group * TEAM_SIZE(&part) + TEAM_RANK(&part);
        uint32_t n = i < n_sequences ? rp_sequence_literal_length(sequences[i]) : 0;
        uint64_t place = i < n_sequences ? places[i] : 0;
        if (n <= RP_FEW_LITERALS) {
            rp_copy_few_literals(&part, literals + (uint32_t)(place >> 32),
                                 source + (uint32_t)place, n, n_bytes - (uint32_t)place);
            n = 0;
        }
        /* The others one by one, all workers together. */
        for (;;) {
            uint32_t who = team_reduce_min(&part, n != 0 ? TEAM_RANK(&part) : RP_TEAM_NONE);
            if (who == RP_TEAM_NONE)
                break;
            uint64_t its_place = team_broadcast64(&part, place, who);
            uint32_t its_n = team_broadcast(&part, n, who);
            team_copy(&part, literals + (uint32_t)(its_place >> 32), source + (uint32_t)its_place,
                      its_n);
            n = who == TEAM_RANK(&part) ? 0 : n;
        }
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
    rp_note_steps(team, segments, n_segments, steps);
    if (TEAM_RANK(team) == 0)
        *n_joined = rp_trim_segments(segments, n_segments, steps);
    team_sync(team);
    uint32_t n = *n_joined;
    rp_make_sequences(team, source, segments, n_segments, steps, output->sequences);
    uint64_t tail = rp_place_literals(team, output->sequences, n, steps);
    rp_copy_literals(team, source, n_bytes, output->sequences, n, steps, output->literals);
    uint32_t anchor = (uint32_t)tail;
    uint32_t n_literals = (uint32_t)(tail >> 32);
    team_copy(team, output->literals + n_literals, source + anchor, n_bytes - anchor);
    team_sync(team);
    rp_team part = team_part(team);
    if (TEAM_PART(team) == 0)
        rp_encode_offsets(&part, output->sequences, n, repeats);
    team_sync(team);
    output->n_sequences = n;
    output->n_literals = n_literals + n_bytes - anchor;
}

#endif
