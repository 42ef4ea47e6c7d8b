/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 3: the sequences section of one block (RFC 8878 section 3.1.1.3.2).
 *
 * A block's sequences are coded backwards, and each field's state follows from the one before.
 * These three chains are the serial part: a worker walks each, noting the bits that leave the
 * states of each sequence. What a sequence adds to the stream is then known without its neighbours,
 * a scan says where, and all workers write.
 */
#ifndef ROCKPRESS_KERNELS_SEQUENCES_STAGE_H
#define ROCKPRESS_KERNELS_SEQUENCES_STAGE_H

#include "kernels/sequences_tables.h"
#include "kernels/stages.h"

typedef struct rp_sequences_memory {
    rp_field_table fields[RP_N_FIELDS];
    uint32_t final_states[RP_N_FIELDS]; /* without the leading bit */
    uint32_t chain_bits[RP_N_FIELDS];   /* that leave the states */
} rp_sequences_memory;

typedef char rp_sequences_memory_fits[sizeof(rp_sequences_memory) <= RP_TEAM_MEMORY_BYTES ? 1 : -1];

/* Most bytes of the section's header without the tables: number of sequences, modes. */
#define RP_SEQUENCES_HEADER_BYTES 4

/* State bits that leave at one sequence: offset, match length and literal length from bit 0 up,
 * at most 8 + 9 + 9, and from bit 27 up how many they are. */
#define RP_STATE_COUNT_SHIFT 27

/* Number_of_Sequences, 3.1.1.3.2.1. Returns its bytes, 1 to 3. */
RP_FN uint32_t rp_sequences_count_header(uint8_t *section, uint32_t n_sequences, bool write)
{
    if (n_sequences < 128) {
        if (write)
            section[0] = (uint8_t)n_sequences;
        return 1;
    }
    if (n_sequences < 0x7F00) {
        if (write) {
            section[0] = (uint8_t)((n_sequences >> 8) + 128);
            section[1] = (uint8_t)n_sequences;
        }
        return 2;
    }
    if (write) {
        section[0] = 255;
        rp_store_bytes(section + 1, n_sequences - 0x7F00, 2);
    }
    return 3;
}

RP_FN uint32_t rp_code_of_literal_length(rp_sequence sequence)
{
    return rp_literal_length_code(rp_sequence_literal_length(sequence));
}

RP_FN uint32_t rp_code_of_offset(rp_sequence sequence)
{
    return rp_high_bit(rp_sequence_offset_value(sequence));
}

RP_FN uint32_t rp_code_of_match_length(rp_sequence sequence)
{
    return rp_match_length_code(rp_sequence_match_length(sequence) - 3);
}

/* One step of one field's chain: appends the bits that leave to *bits. */
RP_FN uint32_t rp_chain_step(const rp_fse_table *table, uint32_t state, uint32_t code,
                             uint32_t *bits, uint32_t *n_bits)
{
    uint32_t n_leaving;
    uint32_t next = rp_fse_next_state(table, state, code, &n_leaving);
    *bits |= (state & ((UINT32_C(1) << n_leaving) - 1)) << *n_bits;
    *n_bits += n_leaving;
    return next;
}

/* Walks the three chains from the last sequence to the first. One worker. The bits that leave
 * when going to sequence i are noted at i; the last sequence has none. */
RP_FN void rp_sequences_walk(const rp_sequence *sequences, uint32_t n_sequences,
                             uint32_t *leaving_bits, rp_sequences_memory *memory)
{
    const rp_fse_table *literal_length = &memory->fields[RP_FIELD_LITERAL_LENGTH].fse;
    const rp_fse_table *offset = &memory->fields[RP_FIELD_OFFSET].fse;
    const rp_fse_table *match_length = &memory->fields[RP_FIELD_MATCH_LENGTH].fse;
    rp_sequence last = sequences[n_sequences - 1];
    uint32_t literal_state = rp_fse_first_state(literal_length, rp_code_of_literal_length(last));
    uint32_t offset_state = rp_fse_first_state(offset, rp_code_of_offset(last));
    uint32_t match_state = rp_fse_first_state(match_length, rp_code_of_match_length(last));
    uint32_t total = 0;
    leaving_bits[n_sequences - 1] = 0;
    for (uint32_t i = n_sequences - 1; i-- > 0;) {
        rp_sequence sequence = sequences[i];
        uint32_t bits = 0;
        uint32_t n_bits = 0;
        offset_state =
            rp_chain_step(offset, offset_state, rp_code_of_offset(sequence), &bits, &n_bits);
        match_state = rp_chain_step(match_length, match_state, rp_code_of_match_length(sequence),
                                    &bits, &n_bits);
        literal_state = rp_chain_step(literal_length, literal_state,
                                      rp_code_of_literal_length(sequence), &bits, &n_bits);
        leaving_bits[i] = bits | n_bits << RP_STATE_COUNT_SHIFT;
        total += n_bits;
    }
    memory->final_states[RP_FIELD_LITERAL_LENGTH] =
        literal_state & ((UINT32_C(1) << literal_length->log) - 1);
    memory->final_states[RP_FIELD_OFFSET] = offset_state & ((UINT32_C(1) << offset->log) - 1);
    memory->final_states[RP_FIELD_MATCH_LENGTH] =
        match_state & ((UINT32_C(1) << match_length->log) - 1);
    memory->chain_bits[0] = total;
    memory->chain_bits[1] = 0;
    memory->chain_bits[2] = 0;
}

/* The codes of a sequence, 8 bits for each field. */
RP_FN uint32_t rp_codes_of_sequence(rp_sequence sequence)
{
    return rp_code_of_literal_length(sequence) << (8 * RP_FIELD_LITERAL_LENGTH) |
           rp_code_of_offset(sequence) << (8 * RP_FIELD_OFFSET) |
           rp_code_of_match_length(sequence) << (8 * RP_FIELD_MATCH_LENGTH);
}

/* Most bits that one field's state gives off: 9, and above them how many they are. */
#define RP_CHAIN_COUNT_SHIFT 12

/* So many steps of a chain are taken at a time. What does not depend on the state is fetched before
 * it is needed: codes for the steps after these, and what the table has of all of these. */
#define RP_CHAIN_STEPS 4

/* The state before a symbol; notes the bits that leave, and adds up how many they are. */
RP_FN uint32_t rp_chain_note(const rp_fse_table *table, uint32_t state, rp_fse_symbol symbol,
                             uint16_t *leaving, uint32_t *total)
{
    uint32_t n_bits;
    uint32_t next = rp_fse_follow(table, state, symbol, &n_bits);
    uint32_t bits = state & ((UINT32_C(1) << n_bits) - 1);
    *leaving = (uint16_t)(bits | n_bits << RP_CHAIN_COUNT_SHIFT);
    *total += n_bits;
    return next;
}

/* The same for one field's chain, whose bits go to `leaving`, given the codes of all sequences. */
RP_FN void rp_sequences_walk_field(const uint32_t *codes, uint32_t n_sequences, uint32_t field,
                                   uint16_t *leaving, rp_sequences_memory *memory)
{
    const rp_fse_table *table = &memory->fields[field].fse;
    const uint32_t shift = 8 * field;
    uint32_t total = 0;
    uint32_t n_left = n_sequences - 1;
    uint32_t state = rp_fse_first_state(table, codes[n_left] >> shift & 0xFF);
    leaving[n_left] = 0;
    if (n_left >= RP_CHAIN_STEPS) {
        uint32_t ahead[RP_CHAIN_STEPS];
        RP_UNROLL
        for (uint32_t k = 0; k < RP_CHAIN_STEPS; k++)
            ahead[k] = codes[n_left - 1 - k];
        do {
            const uint32_t *farther =
                codes + (n_left < 2 * RP_CHAIN_STEPS ? 0 : n_left - 2 * RP_CHAIN_STEPS);
            uint16_t *to = leaving + n_left - RP_CHAIN_STEPS;
            rp_fse_symbol symbols[RP_CHAIN_STEPS];
            RP_UNROLL
            for (uint32_t k = 0; k < RP_CHAIN_STEPS; k++)
                symbols[k] = table->symbols[ahead[k] >> shift & 0xFF];
            RP_UNROLL
            for (uint32_t k = 0; k < RP_CHAIN_STEPS; k++)
                ahead[k] = farther[RP_CHAIN_STEPS - 1 - k];
            RP_UNROLL
            for (uint32_t k = 0; k < RP_CHAIN_STEPS; k++)
                state =
                    rp_chain_note(table, state, symbols[k], to + RP_CHAIN_STEPS - 1 - k, &total);
            n_left -= RP_CHAIN_STEPS;
        } while (n_left >= RP_CHAIN_STEPS);
    }
    while (n_left-- != 0)
        state = rp_chain_note(table, state, table->symbols[codes[n_left] >> shift & 0xFF],
                              leaving + n_left, &total);
    memory->final_states[field] = state & ((UINT32_C(1) << table->log) - 1);
    memory->chain_bits[field] = total;
}

/*
 * Walks the three chains; leaving_bits has room for three times n_sequences. A worker walks each,
 * all in the same part of the team: the steps of a GPU's threads in one warp are one instruction.
 */
RP_FN void rp_sequences_walk_all(rp_team *team, const rp_sequence *sequences, uint32_t n_sequences,
                                 uint32_t *leaving_bits, rp_sequences_memory *memory)
{
    if (TEAM_SIZE(team) == 1) {
        rp_sequences_walk(sequences, n_sequences, leaving_bits, memory);
        return;
    }
    uint16_t *of_fields = (uint16_t *)(void *)(leaving_bits + n_sequences);
    TEAM_FOR (i, 0, n_sequences, team) {
        leaving_bits[i] = rp_codes_of_sequence(sequences[i]);
    }
    team_sync(team);
    rp_team part = team_part(team);
    if (TEAM_PART(team) == 0) {
        TEAM_FOR (field, 0, RP_N_FIELDS, &part) {
            rp_sequences_walk_field(leaving_bits, n_sequences, field,
                                    of_fields + field * n_sequences, memory);
        }
    }
    team_sync(team);
    TEAM_FOR (i, 0, n_sequences, team) {
        const uint32_t order[RP_N_FIELDS] = {RP_FIELD_OFFSET, RP_FIELD_MATCH_LENGTH,
                                             RP_FIELD_LITERAL_LENGTH};
        uint32_t bits = 0;
        uint32_t n_bits = 0;
        for (uint32_t k = 0; k < RP_N_FIELDS; k++) {
            uint32_t of_field = of_fields[order[k] * n_sequences + i];
            bits |= (of_field & ((1 << RP_CHAIN_COUNT_SHIFT) - 1)) << n_bits;
            n_bits += of_field >> RP_CHAIN_COUNT_SHIFT;
        }
        leaving_bits[i] = bits | n_bits << RP_STATE_COUNT_SHIFT;
    }
}

RP_FN uint32_t rp_sequence_extra_bits(rp_sequence sequence)
{
    return rp_literal_length_extra_bits[rp_code_of_literal_length(sequence)] +
           rp_match_length_extra_bits[rp_code_of_match_length(sequence)] +
           rp_code_of_offset(sequence);
}

RP_FN void rp_put_low_bits(rp_bit_writer *writer, uint32_t value, uint32_t n_bits)
{
    rp_bits_put(writer, value & (uint32_t)((UINT64_C(1) << n_bits) - 1), n_bits);
}

RP_FN void rp_sequences_write(rp_team *team, const rp_sequence *sequences, uint32_t n_sequences,
                              const uint32_t *leaving_bits, uint8_t *section, uint32_t first_byte,
                              const rp_sequences_memory *memory)
{
    /* Rank 0 has the last sequences: they come first in the stream. */
    uint32_t each = (n_sequences + TEAM_SIZE(team) - 1) / TEAM_SIZE(team);
    uint32_t end = n_sequences - rp_min32(TEAM_RANK(team) * each, n_sequences);
    uint32_t begin = end - rp_min32(each, end);
    uint32_t n_bits = 0;
    if (TEAM_SIZE(team) > 1) {
        for (uint32_t i = begin; i < end; i++)
            n_bits +=
                (leaving_bits[i] >> RP_STATE_COUNT_SHIFT) + rp_sequence_extra_bits(sequences[i]);
    }
    uint32_t first_bit = first_byte * 8 + team_scan_add(team, n_bits, NULL);
    rp_bit_writer writer = rp_bits_open(section, first_bit);
    for (uint32_t i = end; i-- > begin;) {
        rp_sequence sequence = sequences[i];
        uint32_t literal_length = rp_sequence_literal_length(sequence);
        uint32_t match_length = rp_sequence_match_length(sequence) - 3;
        uint32_t offset_value = rp_sequence_offset_value(sequence);
        rp_put_low_bits(&writer, leaving_bits[i], leaving_bits[i] >> RP_STATE_COUNT_SHIFT);
        rp_put_low_bits(&writer, literal_length,
                        rp_literal_length_extra_bits[rp_literal_length_code(literal_length)]);
        rp_bits_flush(&writer);
        rp_put_low_bits(&writer, match_length,
                        rp_match_length_extra_bits[rp_match_length_code(match_length)]);
        rp_put_low_bits(&writer, offset_value, rp_high_bit(offset_value));
        rp_bits_flush(&writer);
    }
    if (begin == 0 && end > 0) {
        rp_bits_put(&writer, memory->final_states[RP_FIELD_MATCH_LENGTH],
                    memory->fields[RP_FIELD_MATCH_LENGTH].fse.log);
        rp_bits_put(&writer, memory->final_states[RP_FIELD_OFFSET],
                    memory->fields[RP_FIELD_OFFSET].fse.log);
        rp_bits_put(&writer, memory->final_states[RP_FIELD_LITERAL_LENGTH],
                    memory->fields[RP_FIELD_LITERAL_LENGTH].fse.log);
        rp_bits_put(&writer, 1, 1);
    }
    rp_bits_close(&writer);
}

/*
 * The sequences section, or 0 and nothing written when it would take more than max_bytes.
 * leaving_bits has room for three times n_sequences.
 */
RP_FN uint32_t rp_sequences_encode(rp_team *team, const rp_sequence *sequences,
                                   uint32_t n_sequences, uint32_t *leaving_bits, uint8_t *section,
                                   uint32_t max_bytes, rp_sequences_memory *memory)
{
    if (n_sequences == 0) {
        if (TEAM_RANK(team) == 0)
            section[0] = 0;
        return 1;
    }
    TEAM_FOR (i, 0, RP_N_FIELDS * RP_MAX_CODES, team) {
        memory->fields[i / RP_MAX_CODES].counts[i % RP_MAX_CODES] = 0;
    }
    team_sync(team);
    TEAM_FOR (i, 0, n_sequences, team) {
        rp_sequence sequence = sequences[i];
        team_atomic_add(
            &memory->fields[RP_FIELD_LITERAL_LENGTH].counts[rp_code_of_literal_length(sequence)],
            1);
        team_atomic_add(&memory->fields[RP_FIELD_OFFSET].counts[rp_code_of_offset(sequence)], 1);
        team_atomic_add(
            &memory->fields[RP_FIELD_MATCH_LENGTH].counts[rp_code_of_match_length(sequence)], 1);
    }
    team_sync(team);
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(field, 0, RP_N_FIELDS, team)
    {
        rp_choose_field_table(&part, &memory->fields[field], field, n_sequences);
    }
    team_sync(team);
    rp_sequences_walk_all(team, sequences, n_sequences, leaving_bits, memory);
    team_sync(team);

    uint32_t at = rp_sequences_count_header(section, n_sequences, false) + 1;
    uint32_t stream_bits = 1; /* that marks the end */
    for (uint32_t field = 0; field < RP_N_FIELDS; field++) {
        const rp_field_table *table = &memory->fields[field];
        at += table->description_bytes;
        stream_bits += memory->chain_bits[field] + table->extra_bits + table->fse.log;
    }
    uint32_t n_bytes = at + (stream_bits + 7) / 8;
    if (n_bytes > max_bytes)
        return 0;
    rp_bits_clear(team, section, at, n_bytes);
    if (TEAM_RANK(team) == 0) {
        uint32_t to = rp_sequences_count_header(section, n_sequences, true);
        section[to++] = (uint8_t)(memory->fields[RP_FIELD_LITERAL_LENGTH].mode << 6 |
                                  memory->fields[RP_FIELD_OFFSET].mode << 4 |
                                  memory->fields[RP_FIELD_MATCH_LENGTH].mode << 2);
        for (uint32_t field = 0; field < RP_N_FIELDS; field++) {
            for (uint32_t i = 0; i < memory->fields[field].description_bytes; i++)
                section[to++] = memory->fields[field].description[i];
        }
    }
    team_sync(team);
    rp_sequences_write(team, sequences, n_sequences, leaving_bits, section, at, memory);
    return n_bytes;
}

RP_FN void rp_stage_fse_encoder(rp_team *team, const rp_stage_args *args, uint32_t chunk_index,
                                void *team_memory)
{
    const rp_stage_buffers *buffers = &args->buffers;
    rp_chunk *chunk = &buffers->d_chunks[chunk_index];
    uint32_t n_bytes = rp_view_chunk(args, chunk_index).n_bytes;
    if (n_bytes == 0)
        return;
    uint32_t n_section = rp_sequences_encode(
        team, buffers->d_sequences + chunk_index * buffers->sequences_stride, chunk->n_sequences,
        (uint32_t *)(void *)(buffers->d_scratch + chunk_index * buffers->scratch_stride),
        buffers->d_sequences_sections + chunk_index * buffers->sequences_section_stride, n_bytes,
        (rp_sequences_memory *)team_memory);
    if (TEAM_RANK(team) == 0)
        chunk->sequences_section_bytes = n_section;
}

#endif
