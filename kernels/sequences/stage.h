/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 3: the sequences section of one block (RFC 8878 section 3.1.1.3.2).
 *
 * A block's sequences are coded backwards, and each field's state follows from the one before.
 * These three chains are the serial part, which a team breaks: each worker begins its share in the
 * state that it is likely in. What a sequence adds to the stream is then known without its
 * neighbours, a scan says where, and all workers write.
 */
#ifndef ROCKPRESS_KERNELS_SEQUENCES_STAGE_H
#define ROCKPRESS_KERNELS_SEQUENCES_STAGE_H

#include "kernels/base/stages.h"
#include "kernels/sequences/tables.h"

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

/*
 * A chain is walked in shares side by side. A share's first state follows from all steps before,
 * but each step drops some of what a state tells of them: from whatever state one begins, after
 * some steps only few are possible. So several workers take the steps before a share from different
 * states, and go on through the share. Which of them was right is known when those of the share
 * before are, one after the other; that one's way is then gone through again and noted. Where none
 * was right, one is taken to be, and who did not end where the next began has the next one go
 * again: at worst all go one after the other.
 */

/* Steps before a share. */
#define RP_CHAIN_WARM_UP 24
/* Workers for each share, of few or many that a field has. Of the starts of all shares, so many
 * per cent are missed by 4 and by 8, in blocks of 16 KiB of bench/corpus: 0 to 10 and 0 to 4. */
#define RP_CHAIN_FEW_STARTS 4
#define RP_CHAIN_MANY_STARTS 8
#define RP_CHAIN_ARE_MANY 128
/* Teams from this size on break the chains. Fewer workers, when a GPU is full, have their whole
 * walked by one each, all in the same part of the team: that takes fewer instructions. */
#if defined(__CUDACC__)
#define RP_CHAIN_SHARES_FROM 256
#else
#define RP_CHAIN_SHARES_FROM 24
#endif

/* So many steps of a chain are taken at a time. What does not depend on the state is fetched before
 * it is needed: codes for the steps after these, and what the table has of all of these. */
#define RP_CHAIN_STEPS 4

/* One field's chain, of all sequences. */
typedef struct rp_chain {
    const rp_fse_table *table;
    const uint32_t *codes; /* of all fields */
    uint32_t shift;        /* of this one's */
    uint16_t *states;      /* noted: at each sequence the state whose bits leave there */
} rp_chain;

RP_FN rp_fse_symbol rp_chain_symbol(const rp_chain *chain, uint32_t codes)
{
    return chain->table->symbols[codes >> chain->shift & 0xFF];
}

/* Goes from `state` through the sequences [begin, end), the last one first. Returns the state
 * behind. One worker. */
RP_FN_INLINE uint32_t rp_chain_walk(const rp_chain *chain, uint32_t state, uint32_t begin,
                                    uint32_t end, bool notes)
{
    uint32_t n_bits;
    if (end - begin >= RP_CHAIN_STEPS) {
        uint32_t ahead[RP_CHAIN_STEPS];
        RP_UNROLL
        for (uint32_t k = 0; k < RP_CHAIN_STEPS; k++)
            ahead[k] = chain->codes[end - 1 - k];
        do {
            const uint32_t *farther =
                chain->codes + (end < 2 * RP_CHAIN_STEPS ? 0 : end - 2 * RP_CHAIN_STEPS);
            uint16_t *noted = chain->states + (end - RP_CHAIN_STEPS);
            rp_fse_symbol symbols[RP_CHAIN_STEPS];
            RP_UNROLL
            for (uint32_t k = 0; k < RP_CHAIN_STEPS; k++)
                symbols[k] = rp_chain_symbol(chain, ahead[k]);
            RP_UNROLL
            for (uint32_t k = 0; k < RP_CHAIN_STEPS; k++)
                ahead[k] = farther[RP_CHAIN_STEPS - 1 - k];
            RP_UNROLL
            for (uint32_t k = 0; k < RP_CHAIN_STEPS; k++) {
                if (notes)
                    noted[RP_CHAIN_STEPS - 1 - k] = (uint16_t)state;
                state = rp_fse_follow(chain->table, state, symbols[k], &n_bits);
            }
            end -= RP_CHAIN_STEPS;
        } while (end - begin >= RP_CHAIN_STEPS);
    }
    while (end-- != begin) {
        if (notes)
            chain->states[end] = (uint16_t)state;
        state =
            rp_fse_follow(chain->table, state, rp_chain_symbol(chain, chain->codes[end]), &n_bits);
    }
    return state;
}

/* The same where the states that are noted come from another one, which ended in `result`: until
 * one of them is met. */
RP_FN uint32_t rp_chain_walk_again(const rp_chain *chain, uint32_t state, uint32_t begin,
                                   uint32_t end, uint32_t result)
{
    while (end-- != begin) {
        if (chain->states[end] == state)
            return result;
        uint32_t n_bits;
        chain->states[end] = (uint16_t)state;
        state =
            rp_fse_follow(chain->table, state, rp_chain_symbol(chain, chain->codes[end]), &n_bits);
    }
    return state;
}

/* What a team's worker has of a field's chain. */
typedef struct rp_chain_share {
    uint32_t n_starts; /* workers for each share */
    uint32_t n_shares;
    uint32_t index;
    uint32_t start; /* of these workers */
    uint32_t begin; /* the share's sequences; none for a worker that has no share */
    uint32_t end;
    bool is_last;
} rp_chain_share;

RP_FN rp_chain_share rp_chain_share_of(uint32_t worker, uint32_t n_workers, uint32_t n_sequences)
{
    const uint32_t n_steps = n_sequences - 1;
    rp_chain_share share;
    share.n_starts = n_workers < RP_CHAIN_ARE_MANY ? RP_CHAIN_FEW_STARTS : RP_CHAIN_MANY_STARTS;
    share.n_shares = rp_max32(n_workers / share.n_starts, 1);
    const uint32_t each = (n_steps + share.n_shares - 1) / share.n_shares;
    share.index = worker / share.n_starts;
    share.start = worker % share.n_starts;
    share.end = n_steps - rp_min32(share.index * each, n_steps);
    share.begin = share.end - rp_min32(share.index < share.n_shares ? each : 0, share.end);
    share.is_last = share.index + 1 == share.n_shares && share.start == 0;
    return share;
}

/* The state that the chain begins with. */
RP_FN uint32_t rp_chain_first(const rp_chain *chain, uint32_t n_sequences)
{
    return rp_fse_first_state(chain->table, chain->codes[n_sequences - 1] >> chain->shift & 0xFF);
}

/* The state before a share and behind it, from this worker's start. */
RP_FN void rp_chain_try(const rp_chain *chain, rp_chain_share share, uint32_t n_sequences,
                        uint32_t worker, rp_chain_ends *ends)
{
    const uint32_t size = UINT32_C(1) << chain->table->log;
    const uint32_t from = rp_min32(share.end + RP_CHAIN_WARM_UP, n_sequences - 1);
    uint32_t state = size + share.start * size / share.n_starts;
    if (from == n_sequences - 1)
        state = rp_chain_first(chain, n_sequences);
    state = rp_chain_walk(chain, state, share.end, from, false);
    ends->before[worker] = (uint16_t)state;
    ends->behind[worker] = (uint16_t)rp_chain_walk(chain, state, share.begin, share.end, false);
}

/* The state before a share, given `first` before the first one and those of all workers. */
RP_FN uint32_t rp_chain_resolve(const rp_chain_ends *ends, rp_chain_share share, uint32_t state)
{
    for (uint32_t first = 0; first < share.index * share.n_starts; first += share.n_starts) {
        uint32_t next = ends->behind[first];
        for (uint32_t k = 1; k < share.n_starts; k++)
            next = ends->before[first + k] == state ? ends->behind[first + k] : next;
        state = next;
    }
    return state;
}

/* Workers of each field. */
RP_FN uint32_t rp_chain_workers(rp_team *team)
{
    return TEAM_SIZE(team) < RP_CHAIN_SHARES_FROM
               ? 1
               : rp_min32(TEAM_SIZE(team) / RP_N_FIELDS, RP_CHAIN_MAX_WORKERS);
}

/* Notes all states of the chains of fields from `first` on, as many as the team has workers for. */
RP_FN void rp_chains_walk(rp_team *team, uint32_t first, const uint32_t *codes, uint16_t *states,
                          uint32_t n_sequences, rp_sequences_memory *memory)
{
    const uint32_t n_workers = rp_chain_workers(team);
    const uint32_t worker = TEAM_RANK(team) % n_workers;
    const uint32_t field = first + TEAM_RANK(team) / n_workers;
    const bool works = field < RP_N_FIELDS;
    rp_field_table *table = &memory->fields[works ? field : 0];
    const rp_chain_share share = rp_chain_share_of(worker, n_workers, n_sequences);
    rp_chain chain;
    chain.table = &table->fse;
    chain.codes = codes;
    chain.shift = 8 * field;
    chain.states = states + field * n_sequences;
    if (works && share.n_shares > 1)
        rp_chain_try(&chain, share, n_sequences, worker, &table->ends);
    team_sync(team);
    const bool notes = works && share.start == 0;
    uint32_t before = 0;
    uint32_t behind = 0;
    if (notes) {
        before = rp_chain_resolve(&table->ends, share, rp_chain_first(&chain, n_sequences));
        behind = rp_chain_walk(&chain, before, share.begin, share.end, true);
    }
    team_sync(team);
    for (;;) {
        if (notes)
            table->ends.behind[share.index] = (uint16_t)behind;
        team_sync(team);
        uint32_t right = before;
        if (notes && share.index != 0)
            right = table->ends.behind[share.index - 1];
        if (!team_any(team, right != before))
            break;
        if (right != before)
            behind = rp_chain_walk_again(&chain, right, share.begin, share.end, behind);
        before = right;
    }
    if (works && share.is_last)
        memory->final_states[field] = behind & ((UINT32_C(1) << table->fse.log) - 1);
}

/* The bits that leave the states of all fields at one sequence, and how many they are, as
 * rp_sequences_walk() notes them. Nothing leaves at the last sequence. */
RP_FN uint32_t rp_leaving_bits(const rp_sequences_memory *memory, const uint16_t *states,
                               uint32_t n_sequences, uint32_t i, uint32_t codes)
{
    const uint32_t order[RP_N_FIELDS] = {RP_FIELD_OFFSET, RP_FIELD_MATCH_LENGTH,
                                         RP_FIELD_LITERAL_LENGTH};
    uint32_t bits = 0;
    uint32_t n_bits = 0;
    RP_UNROLL
    for (uint32_t k = 0; k < RP_N_FIELDS; k++) {
        uint32_t state = states[order[k] * n_sequences + i];
        uint32_t code = codes >> (8 * order[k]) & 0xFF;
        uint32_t n_leaving = (state + memory->fields[order[k]].fse.symbols[code].delta_bits) >> 16;
        bits |= (state & ((UINT32_C(1) << n_leaving) - 1)) << n_bits;
        n_bits += n_leaving;
    }
    return bits | n_bits << RP_STATE_COUNT_SHIFT;
}

/* Walks the three chains; leaving_bits has room for three times n_sequences. */
RP_FN void rp_sequences_walk_all(rp_team *team, const rp_sequence *sequences, uint32_t n_sequences,
                                 uint32_t *leaving_bits, rp_sequences_memory *memory)
{
    if (TEAM_SIZE(team) == 1) {
        rp_sequences_walk(sequences, n_sequences, leaving_bits, memory);
        return;
    }
    uint16_t *states = (uint16_t *)(void *)(leaving_bits + n_sequences);
    TEAM_FOR (i, 0, n_sequences, team) {
        leaving_bits[i] = rp_codes_of_sequence(sequences[i]);
    }
    team_sync(team);
    for (uint32_t first = 0; first < RP_N_FIELDS; first += TEAM_SIZE(team) / rp_chain_workers(team))
        rp_chains_walk(team, first, leaving_bits, states, n_sequences, memory);
    team_sync(team);
    uint32_t total = 0;
    TEAM_FOR (i, 0, n_sequences, team) {
        uint32_t bits = i + 1 == n_sequences
                            ? 0
                            : rp_leaving_bits(memory, states, n_sequences, i, leaving_bits[i]);
        total += bits >> RP_STATE_COUNT_SHIFT;
        leaving_bits[i] = bits;
    }
    total = team_reduce_add(team, total);
    TEAM_FOR (field, 0, RP_N_FIELDS, team) {
        memory->chain_bits[field] = field == 0 ? total : 0;
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

RP_FN void rp_stage_fse_encoder(rp_team *team, const rp_stage_args *args, uint32_t block_index,
                                void *team_memory)
{
    const rp_kernel_buffers *buffers = &args->buffers;
    rp_zstd_block *zstd_block = &buffers->d_zstd_blocks[block_index];
    uint32_t n_bytes = rp_view_zstd_block(args, block_index).n_bytes;
    if (n_bytes == 0)
        return;
    uint32_t n_section = rp_sequences_encode(
        team, buffers->d_sequences + block_index * buffers->sequences_stride,
        zstd_block->n_sequences,
        (uint32_t *)(void *)(buffers->d_scratch + block_index * buffers->scratch_stride),
        buffers->d_sequences_sections + block_index * buffers->sequences_section_stride, n_bytes,
        (rp_sequences_memory *)team_memory);
    if (TEAM_RANK(team) == 0)
        zstd_block->sequences_section_bytes = n_section;
}

#endif
