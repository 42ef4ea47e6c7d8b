/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the parsed matches of all segments to the sequences and literals of the block. Only the
 * look at the first matches of each segment is serial.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_JOIN_H
#define ROCKPRESS_KERNELS_MATCH_JOIN_H

#include "kernels/match/candidates.h"
#include "kernels/match/output.h"
#include "kernels/match/segments.h"

RP_FN void rp_set_first(rp_segment *segment, const rp_parsed_match *parsed)
{
    rp_parsed_match match = segment->n_parsed != 0 ? parsed[segment->first] : 0;
    segment->first_position = rp_parsed_position(match);
    segment->first_end = rp_parsed_end(match);
}

/* Where the parsed matches of each segment begin and end. Most segments are asked for nothing
 * else. */
RP_FN void rp_set_ends(rp_team *team, rp_segment *segments, uint32_t n_segments,
                       const rp_parsed_match *parsed)
{
    TEAM_FOR (i, 0, n_segments, team) {
        rp_segment *segment = &segments[i];
        rp_set_first(segment, parsed);
        segment->last_end = segment->n_parsed != 0
                                ? rp_parsed_end(parsed[segment->first + segment->n_parsed - 1])
                                : 0;
    }
    team_sync(team);
}

/* Drops the matches of each segment that those of the segments before cover, up to a few bytes.
 * One worker. Returns the number of sequences. */
RP_FN uint32_t rp_trim_segments(rp_segment *segments, uint32_t n_segments,
                                const rp_parsed_match *parsed)
{
    uint32_t end = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_segments; i++) {
        rp_segment *segment = &segments[i];
        while (segment->n_parsed != 0) {
            if (segment->first_position >= end || segment->first_end >= end + RP_LZ77_HASH4_BYTES)
                break;
            segment->first++;
            segment->n_parsed--;
            rp_set_first(segment, parsed);
        }
        segment->anchor = end;
        segment->sequence = n;
        n += segment->n_parsed;
        if (segment->n_parsed != 0)
            end = segment->last_end;
    }
    return n;
}

/* Makes sequences, with offset values that are the offset plus 3, repeated or not. Each match
 * is extended backwards over equal bytes. That is done here because here matches are divided
 * among all workers, and a match at the begin of a segment may reach back into the segment
 * before. */
RP_FN void rp_make_sequences(rp_team *team, const uint8_t *source, const rp_segment *segments,
                             uint32_t n_segments, const rp_parsed_match *parsed,
                             rp_sequence *sequences)
{
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, 0, n_segments, team)
    {
        const rp_parsed_match *own = parsed + segments[i].first;
        rp_sequence *to = sequences + segments[i].sequence;
        TEAM_FOR (k, 0, segments[i].n_parsed, &part) {
            uint32_t anchor = k == 0 ? segments[i].anchor : rp_parsed_end(own[k - 1]);
            uint32_t position = rp_extend_back(source, anchor, own[k]);
            to[k] = rp_make_sequence(position - anchor, rp_parsed_end(own[k]) - position,
                                     rp_parsed_offset(own[k]) + 3);
        }
    }
    team_sync(team);
}

/* Where the literals of each sequence come from and go to, as source | destination << 32.
 * Returns the same for the literals after the last sequence. */
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

/* The repeat offsets after the sequences [begin, end), given those before. With `write`,
 * offsets are replaced by repeat offsets where they are equal to one. One worker. */
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

/* Most workers that the offsets of a block are divided among. */
#define RP_REPEATS_MAX_WORKERS 512

/* For each worker, the repeat offsets after its sequences as far as some of the sequences
 * before tell. Two lists, since each round reads one and writes the other. Team memory. */
typedef struct rp_repeat_lists {
    rp_repeat_offsets after[2][RP_REPEATS_MAX_WORKERS];
} rp_repeat_lists;

/* The repeat offsets after some sequences, given those before and what these sequences alone
 * tell. `after` has their last different offsets, the last one first, and 0 for those that they
 * do not tell. */
RP_FN rp_repeat_offsets rp_complete_repeats(rp_repeat_offsets before, rp_repeat_offsets after)
{
    for (uint32_t k = 0; k < 3; k++) {
        uint32_t offset = before.offset[k];
        bool is_there =
            offset == after.offset[0] || offset == after.offset[1] || offset == after.offset[2];
        bool is_second = after.offset[1] == 0;
        bool is_first = after.offset[0] == 0;
        uint32_t into = is_there || after.offset[2] != 0 ? 3 : is_first ? 0 : is_second ? 1 : 2;
        after.offset[0] = into == 0 ? offset : after.offset[0];
        after.offset[1] = into == 1 ? offset : after.offset[1];
        after.offset[2] = into == 2 ? offset : after.offset[2];
    }
    return after;
}

/* Whether two sequences without literals between them have the same offset. That offset is not
 * found by its repeat code and enters the repeat offsets twice. No parse makes such sequences,
 * but they may come up where a match between two segments is dropped. */
RP_FN bool rp_repeats_itself(const rp_sequence *sequences, uint32_t begin, uint32_t end)
{
    for (uint32_t i = rp_max32(begin, 1); i < end; i++) {
        if (rp_sequence_literal_length(sequences[i]) == 0 &&
            rp_sequence_offset_value(sequences[i]) == rp_sequence_offset_value(sequences[i - 1]))
            return true;
    }
    return false;
}

/* The repeat offsets before each worker's sequences [begin, end), given those before the first
 * sequence. What the workers' sequences tell is combined as in a prefix sum. */
RP_FN rp_repeat_offsets rp_find_repeats(rp_team *team, rp_sequence *sequences, uint32_t begin,
                                        uint32_t end, rp_repeat_offsets first,
                                        rp_repeat_lists *lists)
{
    const rp_repeat_offsets unknown = {{0, 0, 0}};
    const uint32_t rank = TEAM_RANK(team);
    rp_repeat_offsets after =
        rp_follow_repeats(sequences, begin, end, rank == 0 ? first : unknown, false);
    uint32_t turn = 0;
    lists->after[turn][rank] = after;
    team_sync(team);
    for (uint32_t distance = 1; distance < TEAM_SIZE(team); distance *= 2) {
        if (rank >= distance)
            after = rp_complete_repeats(lists->after[turn][rank - distance], after);
        turn ^= 1;
        lists->after[turn][rank] = after;
        team_sync(team);
    }
    return rank == 0 ? first : lists->after[turn][rank - 1];
}

/* Replaces offsets by repeat offsets where they are equal to one. Repeat offsets follow from
 * the sequences before, so each worker has sequences that follow one another. */
RP_FN void rp_encode_offsets(rp_team *team, rp_sequence *sequences, uint32_t n_sequences,
                             rp_repeat_offsets repeats, rp_repeat_lists *lists)
{
    uint32_t n_workers = rp_min32(TEAM_SIZE(team), RP_REPEATS_MAX_WORKERS);
    uint32_t each = (n_sequences + n_workers - 1) / n_workers;
    uint32_t begin = rp_min32(TEAM_RANK(team) * each, n_sequences);
    uint32_t end = rp_min32(begin + each, n_sequences);
    if (TEAM_SIZE(team) != 1) {
        if (team_any(team, rp_repeats_itself(sequences, begin, end))) {
            begin = 0;
            end = TEAM_RANK(team) == 0 ? n_sequences : 0;
        } else {
            repeats = rp_find_repeats(team, sequences, begin, end, repeats, lists);
        }
    }
    (void)rp_follow_repeats(sequences, begin, end, repeats, true);
}

/* Copies up to RP_FEW_LITERALS literals; the block ends n_left bytes after the first of them.
 * One worker. A worker that is alone always copies RP_FEW_LITERALS, if the block has them: what
 * is too much is overwritten later. */
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

/* Copies the literals of each sequence to the places that rp_place_literals() gave them. Short
 * runs are copied by one worker each. */
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
        /* Long runs are copied one by one, by all workers together. */
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

/* First part of the join: the sequences of the block, without repeat offsets. The segments are
 * changed. n_joined is team memory. Returns the number of sequences. */
RP_FN uint32_t rp_join_sequences(rp_team *team, const uint8_t *source, rp_segment *segments,
                                 uint32_t n_segments, const rp_parsed_match *parsed,
                                 uint32_t *n_joined, rp_sequence *sequences)
{
    rp_set_ends(team, segments, n_segments, parsed);
    if (TEAM_RANK(team) == 0)
        *n_joined = rp_trim_segments(segments, n_segments, parsed);
    team_sync(team);
    uint32_t n = *n_joined;
    rp_make_sequences(team, source, segments, n_segments, parsed, sequences);
    return n;
}

/* Second part: the literals. `places` has an entry for each sequence. Returns the number of
 * literals. */
RP_FN uint32_t rp_join_literals(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                const rp_sequence *sequences, uint32_t n_sequences,
                                uint64_t *places, uint8_t *literals)
{
    uint64_t tail = rp_place_literals(team, sequences, n_sequences, places);
    rp_copy_literals(team, source, n_bytes, sequences, n_sequences, places, literals);
    uint32_t anchor = (uint32_t)tail;
    uint32_t n_literals = (uint32_t)(tail >> 32);
    team_copy(team, literals + n_literals, source + anchor, n_bytes - anchor);
    team_sync(team);
    return n_literals + n_bytes - anchor;
}

/*
 * The sequences and literals of the block, from segments and parsed matches, both of which are
 * overwritten. `repeats` are the repeat offsets at the begin of the block. n_joined and lists are
 * team memory; lists may overlap the segments.
 */
RP_FN void rp_join_segments(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                            rp_segment *segments, uint32_t n_segments, rp_parsed_match *parsed,
                            rp_repeat_offsets repeats, uint32_t *n_joined, rp_repeat_lists *lists,
                            rp_lz77_output *output)
{
    output->n_sequences =
        rp_join_sequences(team, source, segments, n_segments, parsed, n_joined, output->sequences);
    output->n_literals = rp_join_literals(team, source, n_bytes, output->sequences,
                                          output->n_sequences, parsed, output->literals);
    rp_encode_offsets(team, output->sequences, output->n_sequences, repeats, lists);
    team_sync(team);
}

#endif
