/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finite State Entropy (RFC 8878 section 4.1): the encoder's table and its steps. The distribution
 * that a table is made from is in entropy/fse_distribution.h, the making in entropy/fse_build.h.
 * J. Duda, "Asymmetric numeral systems", 2013; Y. Collet, FSE.
 *
 * The encoder codes symbols from the last to the first. A step writes the lowest bits of the state
 * and goes to a state of the symbol, so that a decoder in that state knows the symbol, reads the
 * bits and is back in the old state. States are numbered as in the paper, in [size, 2 * size).
 */
#ifndef ROCKPRESS_KERNELS_ENTROPY_FSE_TABLE_H
#define ROCKPRESS_KERNELS_ENTROPY_FSE_TABLE_H

#include "kernels/base/zstd_format.h"

#define RP_FSE_MAX_LOG 9
#define RP_FSE_MAX_SIZE (1 << RP_FSE_MAX_LOG)

/* A symbol's step. */
typedef struct rp_fse_symbol {
    uint32_t delta_bits; /* (state + delta_bits) >> 16 is the number of bits to write */
    int32_t delta_state; /* added to the state without these bits: the index in next_state */
} rp_fse_symbol;

typedef struct rp_fse_table {
    uint32_t log; /* of the number of states: Accuracy_Log */
    rp_fse_symbol symbols[RP_MAX_CODES];
    uint16_t next_state[RP_FSE_MAX_SIZE];
} rp_fse_table;

/* Scratch for making a table. */
typedef struct rp_fse_work {
    uint32_t give_costs[RP_MAX_CODES]; /* rp_fse_set_move_costs() */
    uint32_t take_costs[RP_MAX_CODES];
    uint16_t next[RP_MAX_CODES];         /* index in next_state of a symbol's next state */
    uint16_t first_spread[RP_MAX_CODES]; /* sum of the probabilities before a symbol, without -1 */
    uint8_t spread[RP_FSE_MAX_SIZE];     /* symbol of each state */
} rp_fse_work;

/* The state to begin with, so that the decoder's last symbol is `symbol`. Of the symbol's states it
 * is one whose step needs the most bits: a decoder of Huffman weights recognises the end of the
 * stream by the lack of these bits (4.2.1.2). */
RP_FN uint32_t rp_fse_first_state(const rp_fse_table *table, uint32_t symbol)
{
    rp_fse_symbol transform = table->symbols[symbol];
    uint32_t n_bits = (transform.delta_bits + (UINT32_C(1) << 15)) >> 16;
    uint32_t state = (n_bits << 16) - transform.delta_bits;
    return table->next_state[(int32_t)(state >> n_bits) + transform.delta_state];
}

/* One step, with the symbol's entry of the table. Returns the next state. The step writes the
 * lowest *n_bits of the old one. */
RP_FN uint32_t rp_fse_step(const rp_fse_table *table, uint32_t state, rp_fse_symbol transform,
                           uint32_t *n_bits)
{
    *n_bits = (state + transform.delta_bits) >> 16;
    return table->next_state[(int32_t)(state >> *n_bits) + transform.delta_state];
}

/* The same, with the symbol. */
RP_FN uint32_t rp_fse_next_state(const rp_fse_table *table, uint32_t state, uint32_t symbol,
                                 uint32_t *n_bits)
{
    return rp_fse_step(table, state, table->symbols[symbol], n_bits);
}

#endif
