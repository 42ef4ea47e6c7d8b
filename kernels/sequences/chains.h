/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of the finite-state encoders for a block's sequences.
 *
 * Each of a sequence's three fields has an encoder, which goes from the last sequence to the first.
 * A step codes the field of one sequence: it writes the lowest bits of the state, here called state
 * bits, and goes to the next state. So the states of a field are a chain in which each one follows
 * from the one before. This is the serial part of stage 3.
 *
 * One worker walks the three chains side by side. In a team, one worker walks each chain and stores
 * its states; then all workers compute the state bits from these. A team of RP_CHAIN_SHARES_FROM
 * workers or more divides each chain into shares, which are walked at the same time:
 *
 *   - The first state of a share depends on all steps before it. But each step drops a part of what
 *     a state tells about them, so that some steps lead from all possible states to a few. Several
 *     workers take the RP_CHAIN_WARM_UP steps before a share, each from another state, and go on
 *     through the share.
 *   - Share by share, the last state of the share before tells which of these workers began right.
 *     From its first state, one worker walks the share again and stores the states. If none began
 *     right, the first one's state is taken.
 *   - A share that does not begin where the share before it ended is walked again, until all fit.
 *     At worst, all shares are walked one after the other.
 */
#ifndef ROCKPRESS_KERNELS_SEQUENCES_CHAINS_H
#define ROCKPRESS_KERNELS_SEQUENCES_CHAINS_H

#include "kernels/base/entry_points.h"
#include "kernels/base/stages.h"
#include "kernels/sequences/tables.h"

typedef struct rp_sequences_memory {
    rp_field_table fields[RP_N_FIELDS];
    uint32_t final_states[RP_N_FIELDS]; /* without the leading bit */
    uint32_t chain_bits[RP_N_FIELDS];   /* number of state bits, of all fields in the first */
    uint32_t lacks_offset;              /* number of sequences with an offset value of 0 */
} rp_sequences_memory;

typedef char rp_sequences_memory_fits[sizeof(rp_sequences_memory) <= RP_TEAM_MEMORY_BYTES ? 1 : -1];

/* A word holds the state bits of one sequence: those of the offset, match length and literal length
 * from bit 0 up, at most 8 + 9 + 9, and from this bit up their number. */
#define RP_STATE_COUNT_SHIFT 27

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

/* One step of one field. Appends its state bits to *bits. Returns the next state. */
RP_FN uint32_t rp_chain_step(const rp_fse_table *table, uint32_t state, uint32_t code,
                             uint32_t *bits, uint32_t *n_bits)
{
    uint32_t n_step_bits;
    uint32_t next = rp_fse_next_state(table, state, code, &n_step_bits);
    *bits |= (state & ((UINT32_C(1) << n_step_bits) - 1)) << *n_bits;
    *n_bits += n_step_bits;
    return next;
}

/* Leaves the states before a sequence, which are those after it was coded. */
RP_FN void rp_chains_leave_entry(rp_sequence_entry *entries, uint32_t i,
                                 const rp_sequences_memory *memory, uint32_t literal_state,
                                 uint32_t offset_state, uint32_t match_state)
{
    const rp_field_table *fields = memory->fields;
    literal_state &= (UINT32_C(1) << fields[RP_FIELD_LITERAL_LENGTH].fse.log) - 1;
    offset_state &= (UINT32_C(1) << fields[RP_FIELD_OFFSET].fse.log) - 1;
    match_state &= (UINT32_C(1) << fields[RP_FIELD_MATCH_LENGTH].fse.log) - 1;
    entries[i / RP_SEQUENCES_STRETCH].states = literal_state |
                                               match_state << RP_ENTRY_MATCH_LENGTH_SHIFT |
                                               offset_state << RP_ENTRY_OFFSET_SHIFT;
}

/* Walks the three chains by one worker, and stores the state bits of each sequence. The states
 * begin with the last sequence, so there are none at that. */
RP_FN void rp_chains_walk_alone(const rp_sequence *sequences, uint32_t n_sequences,
                                uint32_t *state_bits, rp_sequence_entry *entries,
                                rp_sequences_memory *memory)
{
    const rp_fse_table *literal_length = &memory->fields[RP_FIELD_LITERAL_LENGTH].fse;
    const rp_fse_table *offset = &memory->fields[RP_FIELD_OFFSET].fse;
    const rp_fse_table *match_length = &memory->fields[RP_FIELD_MATCH_LENGTH].fse;
    rp_sequence last = sequences[n_sequences - 1];
    uint32_t literal_state = rp_fse_first_state(literal_length, rp_code_of_literal_length(last));
    uint32_t offset_state = rp_fse_first_state(offset, rp_code_of_offset(last));
    uint32_t match_state = rp_fse_first_state(match_length, rp_code_of_match_length(last));
    uint32_t total = 0;
    state_bits[n_sequences - 1] = 0;
    if (rp_has_entry(entries, n_sequences - 1))
        rp_chains_leave_entry(entries, n_sequences - 1, memory, literal_state, offset_state,
                              match_state);
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
        state_bits[i] = bits | n_bits << RP_STATE_COUNT_SHIFT;
        total += n_bits;
        if (rp_has_entry(entries, i))
            rp_chains_leave_entry(entries, i, memory, literal_state, offset_state, match_state);
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

/* Steps before a share, to find its first state. */
#define RP_CHAIN_WARM_UP 24
/* Workers for each share. With 8, up to 4 percent of all shares have no worker that began right, in
 * blocks of 16 KiB of bench/corpus; with 4 it would be up to 10 percent. */
#define RP_CHAIN_STARTS 8
/* Teams of at least this size divide the chains. Smaller ones are used when a GPU is full: one
 * worker for each chain, all in the same warp, takes fewer instructions. The tests set it lower,
 * since their teams have 128 workers at most. */
#ifndef RP_CHAIN_SHARES_FROM
#define RP_CHAIN_SHARES_FROM 256
#endif

/* Steps of a chain that are taken as a group. What does not depend on the state is loaded ahead of
 * its use: the codes of the next group, and the table's entries for all codes of this one. */
#define RP_CHAIN_STEPS 4

/* The chain of one field. */
typedef struct rp_chain {
    const rp_fse_table *table;
    const uint32_t *codes; /* of each sequence, as rp_codes_of_sequence() has them */
    uint32_t shift;        /* of this field in them */
    uint16_t *states;      /* stored for each sequence: the state whose lowest bits it writes */
} rp_chain;

RP_FN rp_fse_symbol rp_chain_symbol(const rp_chain *chain, uint32_t codes)
{
    return chain->table->symbols[codes >> chain->shift & 0xFF];
}

/* Goes from `state` through the sequences [begin, end), the last one first, and stores the states
 * if `stores`. Returns the state after them. One worker. */
RP_FN_INLINE uint32_t rp_chain_walk(const rp_chain *chain, uint32_t state, uint32_t begin,
                                    uint32_t end, bool stores)
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
            uint16_t *stored = chain->states + (end - RP_CHAIN_STEPS);
            rp_fse_symbol symbols[RP_CHAIN_STEPS];
            RP_UNROLL
            for (uint32_t k = 0; k < RP_CHAIN_STEPS; k++)
                symbols[k] = rp_chain_symbol(chain, ahead[k]);
            RP_UNROLL
            for (uint32_t k = 0; k < RP_CHAIN_STEPS; k++)
                ahead[k] = farther[RP_CHAIN_STEPS - 1 - k];
            RP_UNROLL
            for (uint32_t k = 0; k < RP_CHAIN_STEPS; k++) {
                if (stores)
                    stored[RP_CHAIN_STEPS - 1 - k] = (uint16_t)state;
                state = rp_fse_step(chain->table, state, symbols[k], &n_bits);
            }
            end -= RP_CHAIN_STEPS;
        } while (end - begin >= RP_CHAIN_STEPS);
    }
    while (end-- != begin) {
        if (stores)
            chain->states[end] = (uint16_t)state;
        state =
            rp_fse_step(chain->table, state, rp_chain_symbol(chain, chain->codes[end]), &n_bits);
    }
    return state;
}

/* The same for sequences whose states were stored by a walk from another state, which ended in
 * `result`: stops where it meets that walk. */
RP_FN uint32_t rp_chain_walk_again(const rp_chain *chain, uint32_t state, uint32_t begin,
                                   uint32_t end, uint32_t result)
{
    while (end-- != begin) {
        if (chain->states[end] == state)
            return result;
        uint32_t n_bits;
        chain->states[end] = (uint16_t)state;
        state =
            rp_fse_step(chain->table, state, rp_chain_symbol(chain, chain->codes[end]), &n_bits);
    }
    return state;
}

/* What one worker does of a field's chain. */
typedef struct rp_chain_share {
    uint32_t n_shares;
    uint32_t index; /* of the share */
    uint32_t start; /* of the share's workers, which one */
    uint32_t begin; /* the share's sequences; none for a worker that has no share */
    uint32_t end;
    bool is_last;
} rp_chain_share;

RP_FN rp_chain_share rp_chain_share_of(uint32_t worker, uint32_t n_workers, uint32_t n_sequences)
{
    const uint32_t n_steps = n_sequences - 1;
    rp_chain_share share;
    share.n_shares = rp_max32(n_workers / RP_CHAIN_STARTS, 1);
    const uint32_t each = (n_steps + share.n_shares - 1) / share.n_shares;
    share.index = worker / RP_CHAIN_STARTS;
    share.start = worker % RP_CHAIN_STARTS;
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

/* Finds the states before and after a share, from the state that this worker starts with. */
RP_FN void rp_chain_try(const rp_chain *chain, rp_chain_share share, uint32_t n_sequences,
                        uint32_t worker, rp_chain_ends *ends)
{
    const uint32_t size = UINT32_C(1) << chain->table->log;
    const uint32_t from = rp_min32(share.end + RP_CHAIN_WARM_UP, n_sequences - 1);
    uint32_t state = size + share.start * size / RP_CHAIN_STARTS;
    if (from == n_sequences - 1)
        state = rp_chain_first(chain, n_sequences);
    state = rp_chain_walk(chain, state, share.end, from, false);
    ends->before[worker] = (uint16_t)state;
    ends->after[worker] = (uint16_t)rp_chain_walk(chain, state, share.begin, share.end, false);
}

/* The state before a share. `state` is the one before the first share. */
RP_FN uint32_t rp_chain_resolve(const rp_chain_ends *ends, rp_chain_share share, uint32_t state)
{
    for (uint32_t first = 0; first < share.index * RP_CHAIN_STARTS; first += RP_CHAIN_STARTS) {
        uint32_t next = ends->after[first];
        for (uint32_t k = 1; k < RP_CHAIN_STARTS; k++)
            next = ends->before[first + k] == state ? ends->after[first + k] : next;
        state = next;
    }
    return state;
}

/* Number of workers for each field. */
RP_FN uint32_t rp_chain_workers(rp_team *team)
{
    return TEAM_SIZE(team) < RP_CHAIN_SHARES_FROM
               ? 1
               : rp_min32(TEAM_SIZE(team) / RP_N_FIELDS, RP_CHAIN_MAX_WORKERS);
}

/* Stores the states of the chains from field `first` on, of as many as the team has workers for. */
RP_FN void rp_chains_store_states(rp_team *team, uint32_t first, const uint32_t *codes,
                                  uint16_t *states, uint32_t n_sequences,
                                  rp_sequences_memory *memory)
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
    const bool stores = works && share.start == 0;
    uint32_t before = 0;
    uint32_t after = 0;
    if (stores) {
        before = rp_chain_resolve(&table->ends, share, rp_chain_first(&chain, n_sequences));
        after = rp_chain_walk(&chain, before, share.begin, share.end, true);
    }
    team_sync(team);
    for (;;) {
        if (stores)
            table->ends.after[share.index] = (uint16_t)after;
        team_sync(team);
        uint32_t right = before;
        if (stores && share.index != 0)
            right = table->ends.after[share.index - 1];
        if (!team_any(team, right != before))
            break;
        if (right != before)
            after = rp_chain_walk_again(&chain, right, share.begin, share.end, after);
        before = right;
    }
    if (works && share.is_last)
        memory->final_states[field] = after & ((UINT32_C(1) << table->fse.log) - 1);
}

/* The state bits of one sequence, from the stored states. */
RP_FN uint32_t rp_state_bits_of(const rp_sequences_memory *memory, const uint16_t *states,
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
        uint32_t n_step_bits =
            (state + memory->fields[order[k]].fse.symbols[code].delta_bits) >> 16;
        bits |= (state & ((UINT32_C(1) << n_step_bits) - 1)) << n_bits;
        n_bits += n_step_bits;
    }
    return bits | n_bits << RP_STATE_COUNT_SHIFT;
}

/* Walks the three chains and stores the state bits of all sequences. Fills memory->final_states and
 * chain_bits, and leaves the states of the entry points unless `entries` is NULL. A team stores
 * states in state_bits, too: its capacity is 3 * n_sequences then. */
RP_FN void rp_chains_walk(rp_team *team, const rp_sequence *sequences, uint32_t n_sequences,
                          uint32_t *state_bits, rp_sequence_entry *entries,
                          rp_sequences_memory *memory)
{
    if (TEAM_SIZE(team) == 1) {
        rp_chains_walk_alone(sequences, n_sequences, state_bits, entries, memory);
        return;
    }
    uint16_t *states = (uint16_t *)(void *)(state_bits + n_sequences);
    TEAM_FOR (i, 0, n_sequences, team) {
        state_bits[i] = rp_codes_of_sequence(sequences[i]);
    }
    team_sync(team);
    for (uint32_t first = 0; first < RP_N_FIELDS; first += TEAM_SIZE(team) / rp_chain_workers(team))
        rp_chains_store_states(team, first, state_bits, states, n_sequences, memory);
    team_sync(team);
    uint32_t total = 0;
    TEAM_FOR (i, 0, n_sequences, team) {
        uint32_t bits = i + 1 == n_sequences
                            ? 0
                            : rp_state_bits_of(memory, states, n_sequences, i, state_bits[i]);
        total += bits >> RP_STATE_COUNT_SHIFT;
        state_bits[i] = bits;
        /* The states before a sequence's step are those after the next one's. */
        if (i + 1 != n_sequences && rp_has_entry(entries, i + 1))
            rp_chains_leave_entry(entries, i + 1, memory,
                                  states[RP_FIELD_LITERAL_LENGTH * n_sequences + i],
                                  states[RP_FIELD_OFFSET * n_sequences + i],
                                  states[RP_FIELD_MATCH_LENGTH * n_sequences + i]);
    }
    total = team_reduce_add(team, total);
    TEAM_FOR (field, 0, RP_N_FIELDS, team) {
        memory->chain_bits[field] = field == 0 ? total : 0;
    }
}

#endif
