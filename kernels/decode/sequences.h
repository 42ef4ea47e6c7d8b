/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sequences section of a decoder (RFC 8878, 3.1.1.3.2). As the literals, sequences are decoded
 * stretch by stretch from the entry points, and a stretch must end with the bit and the states that
 * the next one begins with. Then:
 *
 *   1  A scan over the stretches finds with which literal, which position and which repeat offsets
 *      each begins.
 *   2  A worker for each stretch goes through its sequences again and places them: where its
 *      literals begin, where they lie in the block, and the offset of its match.
 */
#ifndef ROCKPRESS_KERNELS_DECODE_SEQUENCES_H
#define ROCKPRESS_KERNELS_DECODE_SEQUENCES_H

#include "kernels/base/entry_points.h"
#include "kernels/decode/fse.h"
#include "kernels/decode/repeats.h"
#include "kernels/decode/xxh3.h"

/* Cells of the tables, each of the size of its largest Accuracy_Log. */
#define RP_DECODE_ALL_CELLS (512 + 512 + 256)

RP_FN uint32_t rp_decode_first_cell(uint32_t field)
{
    return field == RP_DECODE_LITERAL_LENGTHS ? 0 : field == RP_DECODE_MATCH_LENGTHS ? 512 : 1024;
}

typedef struct rp_decode_sequences {
    uint32_t n_sequences;
    rp_decode_range stream;
    rp_decode_distribution fields[RP_DECODE_FIELDS];
    union {
        uint32_t cells[RP_DECODE_ALL_CELLS]; /* of the three tables: rp_decode_first_cell() */
        rp_xxh3_memory hash;                 /* before (decode/block.h) */
    };
    uint32_t literal_length_base[36]; /* by code */
    uint32_t match_length_base[53];
} rp_decode_sequences;

/* A sequence as it is decoded: literal length, match length less 3, offset value; placed: first
 * literal, position in the zstd block, offset. */
#define RP_DECODE_LENGTH_BITS 17
#define RP_DECODE_POSITION_BITS 18

/* What is known of a stretch: first of itself alone, then with what is before it. */
typedef struct rp_decode_stretch {
    uint32_t n_literals;
    uint32_t n_bytes;
    rp_decode_repeats repeats;
} rp_decode_stretch;

/* Reads the section's header and its distributions. Returns false if a rule is broken. One
 * worker. */
RP_FN bool rp_decode_read_sequences(const uint8_t *base, rp_decode_range section,
                                    uint32_t max_sequences, rp_decode_sequences *sequences)
{
    uint32_t at = section.begin;
    if (at == section.end)
        return false;
    const uint32_t first = base[at];
    const uint32_t n_header = first < 128 ? 1 : first < 255 ? 2 : 3;
    if (n_header > section.end - at)
        return false;
    uint32_t n = first;
    if (n_header == 2)
        n = (first - 128) << 8 | base[at + 1];
    else if (n_header == 3)
        n = (base[at + 1] | (uint32_t)base[at + 2] << 8) + 0x7F00;
    at += n_header;
    sequences->n_sequences = n;
    if (n == 0)
        return at == section.end;
    if (n > max_sequences || at == section.end)
        return false;
    const uint32_t modes = base[at++];
    if ((modes & 3) != 0)
        return false;
    for (uint32_t field = 0; field < RP_DECODE_FIELDS; field++) {
        rp_decode_distribution *distribution = &sequences->fields[field];
        const rp_decode_limits limits = rp_decode_limits_of(field);
        distribution->mode = modes >> (6 - 2 * field) & 3;
        if (distribution->mode == RP_DECODE_PREDEFINED_MODE) {
            rp_decode_use_predefined(field, distribution);
        } else if (distribution->mode == RP_DECODE_RLE_MODE) {
            if (at == section.end || base[at] > limits.max_symbol)
                return false;
            distribution->log = 0;
            distribution->n_symbols = 1;
            distribution->probabilities[0] = (int16_t)base[at++];
        } else if (distribution->mode == RP_DECODE_FSE_MODE) {
            const rp_decode_range rest = {at, section.end};
            const uint32_t n_bytes = rp_decode_describe(base, rest, limits, distribution);
            if (n_bytes == 0)
                return false;
            at += n_bytes;
        } else {
            return false; /* the table of an earlier block, which no encoder of ours refers to */
        }
    }
    sequences->stream.begin = at;
    sequences->stream.end = section.end;
    return at <= section.end;
}

/* The baselines of the codes, where reading them is fast. */
RP_FN void rp_decode_fill_bases(rp_team *team, rp_decode_sequences *sequences)
{
    TEAM_FOR (code, 0, 36, team) {
        sequences->literal_length_base[code] =
            code < RP_DECODE_LITERAL_LENGTHS_DIRECT
                ? code
                : rp_decode_literal_length_base[code - RP_DECODE_LITERAL_LENGTHS_DIRECT];
    }
    TEAM_FOR (code, 0, 53, team) {
        sequences->match_length_base[code] =
            code < RP_DECODE_MATCH_LENGTHS_DIRECT
                ? code + RP_DECODE_MIN_MATCH
                : rp_decode_match_length_base[code - RP_DECODE_MATCH_LENGTHS_DIRECT];
    }
}

/* Where the reading of the sequences is. */
typedef struct rp_decode_states {
    uint32_t place;
    uint32_t of[RP_DECODE_FIELDS];
} rp_decode_states;

/* Reads the states that the bitstream begins with. Returns false if it has none. */
RP_FN bool rp_decode_first_states(const uint8_t *base, const rp_decode_sequences *sequences,
                                  rp_decode_states *states)
{
    const uint32_t first = 8 * sequences->stream.begin;
    states->place = rp_decode_open(base, sequences->stream);
    for (uint32_t field = 0; field < RP_DECODE_FIELDS; field++) {
        const uint32_t log = sequences->fields[field].log;
        if (states->place < first + log)
            return false;
        states->of[field] = rp_decode_take(base, &states->place, log);
    }
    return true;
}

/* The states of an entry point. Returns false if there can't be such ones. */
RP_FN bool rp_decode_entry_states(const rp_decode_sequences *sequences, rp_sequence_entry entry,
                                  uint32_t n_bits, rp_decode_states *states)
{
    states->place = 8 * sequences->stream.begin + entry.bits_left;
    states->of[RP_DECODE_LITERAL_LENGTHS] = entry.states & 0x1FF;
    states->of[RP_DECODE_MATCH_LENGTHS] = entry.states >> RP_ENTRY_MATCH_LENGTH_SHIFT & 0x1FF;
    states->of[RP_DECODE_OFFSETS] = entry.states >> RP_ENTRY_OFFSET_SHIFT;
    bool is_valid = entry.bits_left <= n_bits;
    for (uint32_t field = 0; field < RP_DECODE_FIELDS; field++)
        is_valid = is_valid && states->of[field] >> sequences->fields[field].log == 0;
    return is_valid;
}

/* Which fields have had a code that is not the first sequence's: a bit for each. */
RP_FN uint32_t rp_decode_differing(uint32_t differences, uint32_t field)
{
    return (differences >> RP_DECODE_CELL_SYMBOL_SHIFT != 0 ? UINT32_C(1) : 0) << field;
}

/*
 * Decodes the sequences [begin, end) from `states` on, and stores them. Returns false if the stream
 * has too few bits, or if they cannot be those of a block of max_bytes. With is_last, the last
 * sequence is the block's: no states are read after it. *differing gets the bits of
 * rp_decode_differing(). One worker.
 */
RP_FN bool rp_decode_stretch_sequences(const uint8_t *base, const rp_decode_sequences *sequences,
                                       uint32_t begin, uint32_t end, bool is_last,
                                       uint32_t max_bytes, rp_decode_states *states,
                                       const uint32_t *first_cells, uint64_t *decoded,
                                       rp_decode_stretch *stretch, uint32_t *differing)
{
    const uint32_t first = 8 * sequences->stream.begin;
    uint32_t place = states->place;
    uint32_t literal_state = states->of[RP_DECODE_LITERAL_LENGTHS];
    uint32_t match_state = states->of[RP_DECODE_MATCH_LENGTHS];
    uint32_t offset_state = states->of[RP_DECODE_OFFSETS];
    const uint32_t *literal_cells =
        sequences->cells + rp_decode_first_cell(RP_DECODE_LITERAL_LENGTHS);
    const uint32_t *match_cells = sequences->cells + rp_decode_first_cell(RP_DECODE_MATCH_LENGTHS);
    const uint32_t *offset_cells = sequences->cells + rp_decode_first_cell(RP_DECODE_OFFSETS);
    uint32_t differences[RP_DECODE_FIELDS] = {0, 0, 0};
    rp_decode_stretch sums = {0, 0, rp_decode_unknown_repeats()};
    bool is_valid = true;
    for (uint32_t i = begin; i < end && is_valid; i++) {
        const uint32_t literal_cell = literal_cells[literal_state];
        const uint32_t match_cell = match_cells[match_state];
        const uint32_t offset_cell = offset_cells[offset_state];
        const uint32_t n_literal = rp_decode_cell_extra_bits(literal_cell);
        const uint32_t n_match = rp_decode_cell_extra_bits(match_cell);
        const uint32_t n_offset = rp_decode_cell_extra_bits(offset_cell);
        const uint32_t n_literal_step = rp_decode_cell_step_bits(literal_cell);
        const uint32_t n_match_step = rp_decode_cell_step_bits(match_cell);
        const uint32_t n_offset_step = rp_decode_cell_step_bits(offset_cell);
        const bool steps = i + 1 != end || !is_last;
        const uint32_t n_steps = steps ? n_literal_step + n_match_step + n_offset_step : 0;
        if (place - first < n_offset + n_match + n_literal + n_steps ||
            n_offset > RP_DECODE_MAX_OFFSET_LOG) {
            is_valid = false;
            break;
        }
        const uint32_t offset_value =
            (UINT32_C(1) << n_offset) + rp_decode_take(base, &place, n_offset);
        const uint32_t lengths = rp_decode_bits_before(base, place);
        const uint32_t match_length =
            sequences->match_length_base[rp_decode_cell_symbol(match_cell)] +
            rp_decode_top(lengths, n_match);
        const uint32_t literal_length =
            sequences->literal_length_base[rp_decode_cell_symbol(literal_cell)] +
            rp_decode_top(lengths << n_match, n_literal);
        place -= n_match + n_literal;
        if (steps) {
            uint32_t bits = rp_decode_bits_before(base, place);
            literal_state = rp_decode_cell_base(literal_cell) + rp_decode_top(bits, n_literal_step);
            bits <<= n_literal_step;
            match_state = rp_decode_cell_base(match_cell) + rp_decode_top(bits, n_match_step);
            bits <<= n_match_step;
            offset_state = rp_decode_cell_base(offset_cell) + rp_decode_top(bits, n_offset_step);
            place -= n_steps;
        }
        differences[RP_DECODE_LITERAL_LENGTHS] |=
            literal_cell ^ first_cells[RP_DECODE_LITERAL_LENGTHS];
        differences[RP_DECODE_MATCH_LENGTHS] |= match_cell ^ first_cells[RP_DECODE_MATCH_LENGTHS];
        differences[RP_DECODE_OFFSETS] |= offset_cell ^ first_cells[RP_DECODE_OFFSETS];
        decoded[i] = (uint64_t)literal_length |
                     (uint64_t)(match_length - RP_DECODE_MIN_MATCH) << RP_DECODE_LENGTH_BITS |
                     (uint64_t)offset_value << (2 * RP_DECODE_LENGTH_BITS);
        sums.n_literals += literal_length;
        sums.n_bytes += literal_length + match_length;
        is_valid = sums.n_bytes <= max_bytes;
        rp_decode_apply(&sums.repeats, offset_value, literal_length != 0);
    }
    states->place = place;
    states->of[RP_DECODE_LITERAL_LENGTHS] = literal_state;
    states->of[RP_DECODE_MATCH_LENGTHS] = match_state;
    states->of[RP_DECODE_OFFSETS] = offset_state;
    *stretch = sums;
    for (uint32_t field = 0; field < RP_DECODE_FIELDS; field++)
        *differing |= rp_decode_differing(differences[field], field);
    return is_valid;
}

/* Decodes a stretch of at most `length` sequences. `entries` are those of the section, or NULL with
 * a single stretch. Returns false if it does not end where it must. One worker. */
RP_FN bool rp_decode_sequence_stretch(const uint8_t *base, const rp_decode_sequences *sequences,
                                      uint32_t index, uint32_t length, uint32_t max_bytes,
                                      const rp_sequence_entry *entries, uint64_t *decoded,
                                      rp_decode_stretch *stretch, uint32_t *differing)
{
    const uint32_t begin = index * length;
    const uint32_t end = rp_min32(begin + length, sequences->n_sequences);
    const bool is_last = end == sequences->n_sequences;
    rp_decode_states states;
    uint32_t first_cells[RP_DECODE_FIELDS];
    if (!rp_decode_first_states(base, sequences, &states))
        return false;
    for (uint32_t field = 0; field < RP_DECODE_FIELDS; field++)
        first_cells[field] = sequences->cells[rp_decode_first_cell(field) + states.of[field]];
    const uint32_t n_bits = states.place - 8 * sequences->stream.begin;
    if (index != 0 && !rp_decode_entry_states(sequences, entries[index], n_bits, &states))
        return false;
    rp_decode_states next = {8 * sequences->stream.begin, {0, 0, 0}};
    if (!is_last && !rp_decode_entry_states(sequences, entries[index + 1], n_bits, &next))
        return false;
    if (!rp_decode_stretch_sequences(base, sequences, begin, end, is_last, max_bytes, &states,
                                     first_cells, decoded, stretch, differing))
        return false;
    if (is_last)
        return states.place == next.place;
    return states.place == next.place && states.of[0] == next.of[0] && states.of[1] == next.of[1] &&
           states.of[2] == next.of[2];
}

/* What a stretch and the one after it are together. */
RP_FN rp_decode_stretch rp_decode_join(rp_decode_stretch before, rp_decode_stretch after)
{
    rp_decode_stretch both;
    both.n_literals = before.n_literals + after.n_literals;
    both.n_bytes = before.n_bytes + after.n_bytes;
    both.repeats = rp_decode_after(before.repeats, after.repeats);
    return both;
}

/* The stretch that another worker passes. */
RP_FN rp_decode_stretch rp_decode_stretch_of(rp_team *team, rp_decode_stretch stretch,
                                             uint32_t rank)
{
    stretch.n_literals = team_shuffle(team, stretch.n_literals, rank);
    stretch.n_bytes = team_shuffle(team, stretch.n_bytes, rank);
    for (uint32_t i = 0; i < RP_REPEATS; i++)
        stretch.repeats.of[i] = team_shuffle(team, stretch.repeats.of[i], rank);
    return stretch;
}

/* Sums up the stretches: each gets what is before it, and *end what is behind all of them. A scan
 * by a part of the team. */
RP_FN void rp_decode_sum_stretches(rp_team *team, rp_decode_stretch *stretches, uint32_t n,
                                   rp_decode_repeats repeats, rp_decode_stretch *end)
{
    const uint32_t rank = TEAM_RANK(team);
    const uint32_t last = TEAM_SIZE(team) - 1;
    const rp_decode_stretch nothing = {0, 0, rp_decode_unknown_repeats()};
    rp_decode_stretch before = {0, 0, repeats};
    for (uint32_t first = 0; first < n; first += TEAM_SIZE(team)) {
        const uint32_t i = first + rank;
        rp_decode_stretch sum = nothing;
        if (i < n)
            sum = stretches[i];
        if (rank == 0)
            sum = rp_decode_join(before, sum);
        for (uint32_t distance = 1; distance < TEAM_SIZE(team); distance *= 2) {
            const rp_decode_stretch below =
                rp_decode_stretch_of(team, sum, rank < distance ? rank : rank - distance);
            if (rank >= distance)
                sum = rp_decode_join(below, sum);
        }
        const rp_decode_stretch below = rp_decode_stretch_of(team, sum, rank == 0 ? 0 : rank - 1);
        if (i < n)
            stretches[i] = rank == 0 ? before : below;
        before = rp_decode_stretch_of(team, sum, last);
    }
    if (rank == 0)
        *end = before;
}

/* Places the sequences of a stretch. Returns false if an offset is 0 or too large. One worker. */
RP_FN bool rp_decode_place_sequences(uint64_t *decoded, uint32_t begin, uint32_t end,
                                     rp_decode_stretch at)
{
    const uint32_t mask = (UINT32_C(1) << RP_DECODE_LENGTH_BITS) - 1;
    bool is_valid = true;
    for (uint32_t i = begin; i < end; i++) {
        const uint64_t sequence = decoded[i];
        const uint32_t literal_length = (uint32_t)sequence & mask;
        const uint32_t match_length =
            ((uint32_t)(sequence >> RP_DECODE_LENGTH_BITS) & mask) + RP_DECODE_MIN_MATCH;
        const uint32_t offset_value = (uint32_t)(sequence >> (2 * RP_DECODE_LENGTH_BITS));
        const uint32_t offset = rp_decode_apply(&at.repeats, offset_value, literal_length != 0);
        is_valid = is_valid && offset != 0;
        decoded[i] = (uint64_t)at.n_literals | (uint64_t)at.n_bytes << RP_DECODE_POSITION_BITS |
                     (uint64_t)offset << (2 * RP_DECODE_POSITION_BITS);
        at.n_literals += literal_length;
        at.n_bytes += literal_length + match_length;
    }
    return is_valid;
}

/* A placed sequence. */
typedef struct rp_decode_placed {
    uint32_t literal;  /* its first */
    uint32_t position; /* in the zstd block, of its first literal */
    uint32_t offset;
} rp_decode_placed;

RP_FN rp_decode_placed rp_decode_unpack(uint64_t sequence)
{
    const uint32_t mask = (UINT32_C(1) << RP_DECODE_POSITION_BITS) - 1;
    rp_decode_placed placed;
    placed.literal = (uint32_t)sequence & mask;
    placed.position = (uint32_t)(sequence >> RP_DECODE_POSITION_BITS) & mask;
    placed.offset = (uint32_t)(sequence >> (2 * RP_DECODE_POSITION_BITS));
    return placed;
}

#endif
