/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 3: the sequences section of one zstd block (RFC 8878 section 3.1.1.3.2).
 *
 *   1  All workers count the codes of each field.
 *   2  A part of the team for each field chooses and builds its table (sequences/tables.h).
 *   3  The states of the three encoders are found (sequences/chains.h). From then on, what a
 *      sequence adds to the bitstream does not depend on its neighbours.
 *   4  A scan over the bit counts says where each worker's sequences begin, and all workers write.
 */
#ifndef ROCKPRESS_KERNELS_SEQUENCES_STAGE_H
#define ROCKPRESS_KERNELS_SEQUENCES_STAGE_H

#include "kernels/match/packed_match.h"
#include "kernels/sequences/chains.h"

/* Number_of_Sequences, 3.1.1.3.2.1. Returns the number of its bytes, 1 to 3. Writes them if
 * `write`. One worker. */
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

/* Number of extra bits of all fields. */
RP_FN uint32_t rp_sequence_extra_bits(rp_sequence sequence)
{
    return rp_literal_length_extra_bits[rp_code_of_literal_length(sequence)] +
           rp_match_length_extra_bits[rp_code_of_match_length(sequence)] +
           rp_code_of_offset(sequence);
}

/* Writes the lowest n_bits of a value that may have more. */
RP_FN void rp_put_low_bits(rp_bit_writer *writer, uint32_t value, uint32_t n_bits)
{
    rp_bits_put(writer, value & (uint32_t)((UINT64_C(1) << n_bits) - 1), n_bits);
}

/* Writes the bitstream, the last sequence first, from a byte on: state bits and extra bits of each
 * sequence, then the final states and the bit that marks the end. Completes the entry points, whose
 * states the walk along the chains has left. */
RP_FN void rp_sequences_write(rp_team *team, const rp_sequence *sequences, uint32_t n_sequences,
                              const uint32_t *state_bits, uint8_t *section, uint32_t first_byte,
                              rp_sequence_entry *entries, const rp_sequences_memory *memory)
{
    /* Rank 0 takes the last sequences, which come first in the bitstream. */
    uint32_t each = (n_sequences + TEAM_SIZE(team) - 1) / TEAM_SIZE(team);
    uint32_t end = n_sequences - rp_min32(TEAM_RANK(team) * each, n_sequences);
    uint32_t begin = end - rp_min32(each, end);
    uint32_t n_bits = 0;
    if (TEAM_SIZE(team) > 1) {
        for (uint32_t i = begin; i < end; i++)
            n_bits +=
                (state_bits[i] >> RP_STATE_COUNT_SHIFT) + rp_sequence_extra_bits(sequences[i]);
    }
    uint32_t first_bit = first_byte * 8 + team_scan_add(team, n_bits, NULL);
    rp_bit_writer writer = rp_bits_open(section, first_bit);
    for (uint32_t i = end; i-- > begin;) {
        rp_sequence sequence = sequences[i];
        uint32_t literal_length = rp_sequence_literal_length(sequence);
        uint32_t match_length = rp_sequence_match_length(sequence) - 3;
        uint32_t offset_value = rp_sequence_offset_value(sequence);
        rp_put_low_bits(&writer, state_bits[i], state_bits[i] >> RP_STATE_COUNT_SHIFT);
        rp_put_low_bits(&writer, literal_length,
                        rp_literal_length_extra_bits[rp_literal_length_code(literal_length)]);
        rp_bits_flush(&writer);
        rp_put_low_bits(&writer, match_length,
                        rp_match_length_extra_bits[rp_match_length_code(match_length)]);
        rp_put_low_bits(&writer, offset_value, rp_high_bit(offset_value));
        rp_bits_flush(&writer);
        if (rp_has_entry(entries, i))
            entries[i / RP_SEQUENCES_STRETCH].bits_left =
                rp_bits_position(&writer, section) - first_byte * 8;
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

/* Writes the sequences section. Returns its size, or 0 without writing where it would take more
 * than max_bytes, or RP_SECTION_IMPOSSIBLE if a sequence has no offset. state_bits is scratch, as
 * rp_chains_walk() needs it. Leaves entry points unless `entries` is NULL. */
RP_FN uint32_t rp_sequences_encode(rp_team *team, const rp_sequence *sequences,
                                   uint32_t n_sequences, uint32_t *state_bits, uint8_t *section,
                                   uint32_t max_bytes, rp_sequence_entry *entries,
                                   rp_sequences_memory *memory)
{
    if (n_sequences == 0) {
        if (TEAM_RANK(team) == 0)
            section[0] = 0;
        return 1;
    }
    TEAM_FOR (i, 0, RP_N_FIELDS * RP_MAX_CODES, team) {
        memory->fields[i / RP_MAX_CODES].counts[i % RP_MAX_CODES] = 0;
    }
    if (TEAM_RANK(team) == 0)
        memory->lacks_offset = 0;
    team_sync(team);
    TEAM_FOR (i, 0, n_sequences, team) {
        rp_sequence sequence = sequences[i];
        /* 0 has no code. All other bits that a sequence can have are those of some codes. */
        if (rp_sequence_offset_value(sequence) == 0) {
            team_atomic_add(&memory->lacks_offset, 1);
            continue;
        }
        team_atomic_add(
            &memory->fields[RP_FIELD_LITERAL_LENGTH].counts[rp_code_of_literal_length(sequence)],
            1);
        team_atomic_add(&memory->fields[RP_FIELD_OFFSET].counts[rp_code_of_offset(sequence)], 1);
        team_atomic_add(
            &memory->fields[RP_FIELD_MATCH_LENGTH].counts[rp_code_of_match_length(sequence)], 1);
    }
    team_sync(team);
    if (memory->lacks_offset != 0)
        return RP_SECTION_IMPOSSIBLE;
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(field, 0, RP_N_FIELDS, team)
    {
        rp_choose_field_table(&part, &memory->fields[field], field, n_sequences);
    }
    team_sync(team);
    rp_chains_walk(team, sequences, n_sequences, state_bits, entries, memory);
    team_sync(team);

    uint32_t at = rp_sequences_count_header(section, n_sequences, false) + 1;
    uint32_t stream_bits = 1; /* the mark at the end */
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
    rp_sequences_write(team, sequences, n_sequences, state_bits, section, at, entries, memory);
    return n_bytes;
}

/* The stage, for one zstd block. Stores the section's size, or 0 if it would be longer than the
 * block. */
RP_FN void rp_stage_fse_encoder(rp_team *team, const rp_stage_args *args, uint32_t block_index,
                                void *team_memory)
{
    const rp_kernel_buffers *buffers = &args->buffers;
    rp_zstd_block *zstd_block = &buffers->d_zstd_blocks[block_index];
    uint32_t n_bytes = rp_view_zstd_block(args, block_index).n_bytes;
    if (n_bytes == 0)
        return;
    uint32_t n_section = RP_SECTION_IMPOSSIBLE;
    if (zstd_block->n_sequences <= n_bytes / RP_PARSED_MIN_BYTES + 1)
        n_section = rp_sequences_encode(
            team, buffers->d_sequences + block_index * buffers->sequences_stride,
            zstd_block->n_sequences,
            (uint32_t *)(void *)(buffers->d_scratch + block_index * buffers->scratch_stride),
            buffers->d_sequences_sections + block_index * buffers->sequences_section_stride,
            n_bytes, rp_entry_points_of(args, block_index).sequences,
            (rp_sequences_memory *)team_memory);
    if (TEAM_RANK(team) == 0)
        zstd_block->sequences_section_bytes = n_section;
}

#endif
