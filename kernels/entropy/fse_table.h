/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finite State Entropy (RFC 8878 section 4.1): the encoder's table and its steps; what it is made
 * of is in entropy/fse_distribution.h, how in entropy/fse_build.h. J. Duda, "Asymmetric numeral
 * systems", 2013; Y. Collet, FSE.
 *
 * A state is kept as in the paper, in [size, 2 * size): the bits that leave it are its lowest.
 */
#ifndef ROCKPRESS_KERNELS_ENTROPY_FSE_TABLE_H
#define ROCKPRESS_KERNELS_ENTROPY_FSE_TABLE_H

#include "kernels/base/zstd_format.h"

#define RP_FSE_MAX_LOG 9
#define RP_FSE_MAX_SIZE (1 << RP_FSE_MAX_LOG)
typedef struct rp_fse_symbol {
    uint32_t delta_bits; /* (state + delta_bits) >> 16 is the number of bits that leave */
    int32_t delta_state; /* what to add to the state, without those bits, to find the next */
} rp_fse_symbol;

typedef struct rp_fse_table {
    uint32_t log;
    rp_fse_symbol symbols[RP_MAX_CODES];
    uint16_t next_state[RP_FSE_MAX_SIZE];
} rp_fse_table;

/* Scratch of its making. */
typedef struct rp_fse_work {
    uint32_t gives[RP_MAX_CODES]; /* entropy/fse_distribution.h */
    uint32_t takes[RP_MAX_CODES];
    uint16_t next[RP_MAX_CODES];         /* where the next state of a symbol is noted */
    uint16_t first_spread[RP_MAX_CODES]; /* sums, symbols of probability -1 left out */
    uint8_t spread[RP_FSE_MAX_SIZE];     /* symbol of each state */
} rp_fse_work;

/* A state from which `symbol` is decoded. Of these, one that takes the most bits to leave: the
 * end of a stream of weights is recognised by its last state asking for bits (4.2.1.2). */
RP_FN uint32_t rp_fse_first_state(const rp_fse_table *table, uint32_t symbol)
{
    rp_fse_symbol transform = table->symbols[symbol];
    uint32_t n_bits = (transform.delta_bits + (UINT32_C(1) << 15)) >> 16;
    uint32_t state = (n_bits << 16) - transform.delta_bits;
    return table->next_state[(int32_t)(state >> n_bits) + transform.delta_state];
}

/* The state before a symbol, given what the table has of it; see rp_fse_next_state(). */
RP_FN uint32_t rp_fse_follow(const rp_fse_table *table, uint32_t state, rp_fse_symbol transform,
                             uint32_t *n_bits)
{
    *n_bits = (state + transform.delta_bits) >> 16;
    return table->next_state[(int32_t)(state >> *n_bits) + transform.delta_state];
}

/* The state before `symbol`; the bits that leave are the lowest *n_bits of the old one. */
RP_FN uint32_t rp_fse_next_state(const rp_fse_table *table, uint32_t state, uint32_t symbol,
                                 uint32_t *n_bits)
{
    return rp_fse_follow(table, state, table->symbols[symbol], n_bits);
}

#endif
