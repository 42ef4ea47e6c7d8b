/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What literals and sequences cost once they are entropy-coded, estimated from the counts of an
 * earlier parse of the same block. Prices are in bits times RP_LOG2_ONE.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_PRICES_H
#define ROCKPRESS_KERNELS_MATCH_PRICES_H

#include "kernels/base/log2.h"
#include "kernels/base/stages.h"
#include "kernels/base/zstd_format.h"

/* Lengths below this have a table of their own. */
#define RP_PRICED_MATCH_LENGTHS 256
/* Offsets reach back 65535 bytes, so offset values have up to 17 bits. */
#define RP_PRICED_OFFSET_CODES 17

/* A quarter of this is added to the count of every symbol: the next parse is not the last one,
 * and symbols that this one did not use must not become too dear to be tried. 1 costs 0.3 %, 64
 * is about the best. */
#define RP_PRICE_SMOOTHING 64

typedef struct rp_block_counts {
    uint32_t literals[256];
    uint32_t literal_lengths[RP_LITERAL_LENGTH_CODES];
    uint32_t offsets[RP_OFFSET_CODES];
    uint32_t match_lengths[RP_MATCH_LENGTH_CODES];
} rp_block_counts;

typedef struct rp_prices {
    uint32_t literal[256];
    uint32_t sequence; /* without offset and match length: the price of literal length 0 */
    uint32_t offset_code[RP_PRICED_OFFSET_CODES]; /* extra bits included, also in what follows */
    uint32_t match_length_code[RP_MATCH_LENGTH_CODES];
    uint32_t match_length[RP_PRICED_MATCH_LENGTHS];
} rp_prices;

RP_FN uint32_t rp_price_match_length(const rp_prices *prices, uint32_t match_length)
{
    if (match_length < RP_PRICED_MATCH_LENGTHS)
        return prices->match_length[match_length];
    return prices->match_length_code[rp_match_length_code(match_length - 3)];
}

RP_FN void rp_count_parse(rp_team *team, const uint8_t *literals, uint32_t n_literals,
                          const rp_sequence *sequences, uint32_t n_sequences,
                          rp_block_counts *counts)
{
    uint32_t *all = (uint32_t *)(void *)counts;
    TEAM_FOR (i, 0, sizeof(*counts) / sizeof(*all), team) {
        all[i] = 0;
    }
    team_sync(team);
    TEAM_FOR (i, 0, n_literals, team) {
        team_atomic_add(&counts->literals[literals[i]], 1);
    }
    TEAM_FOR (i, 0, n_sequences, team) {
        rp_sequence sequence = sequences[i];
        uint32_t literal_length = rp_literal_length_code(rp_sequence_literal_length(sequence));
        uint32_t match_length = rp_match_length_code(rp_sequence_match_length(sequence) - 3);
        team_atomic_add(&counts->literal_lengths[literal_length], 1);
        team_atomic_add(&counts->offsets[rp_high_bit(rp_sequence_offset_value(sequence))], 1);
        team_atomic_add(&counts->match_lengths[match_length], 1);
    }
    team_sync(team);
}

/* log2 of four times the smoothed count of n symbols. */
RP_FN uint32_t rp_log2_smoothed(uint32_t count, uint32_t n)
{
    return rp_log2(4 * count + RP_PRICE_SMOOTHING * n);
}

/* Fills the prices of n symbols. */
RP_FN void rp_price_symbols(rp_team *team, const uint32_t *counts, uint32_t n, uint32_t total,
                            uint32_t *prices)
{
    uint32_t log_total = rp_log2_smoothed(total, n);
    TEAM_FOR (s, 0, n, team) {
        prices[s] = log_total - rp_log2_smoothed(counts[s], 1);
    }
}

RP_FN void rp_price_parse(rp_team *team, const rp_block_counts *counts, uint32_t n_literals,
                          uint32_t n_sequences, rp_prices *prices)
{
    rp_price_symbols(team, counts->literals, 256, n_literals, prices->literal);
    if (TEAM_RANK(team) == 0)
        prices->sequence = rp_log2_smoothed(n_sequences, RP_LITERAL_LENGTH_CODES) -
                           rp_log2_smoothed(counts->literal_lengths[0], 1);
    rp_price_symbols(team, counts->offsets, RP_PRICED_OFFSET_CODES, n_sequences,
                     prices->offset_code);
    rp_price_symbols(team, counts->match_lengths, RP_MATCH_LENGTH_CODES, n_sequences,
                     prices->match_length_code);
    team_sync(team);
    TEAM_FOR (code, 0, RP_PRICED_OFFSET_CODES, team) {
        prices->offset_code[code] += code * RP_LOG2_ONE;
    }
    TEAM_FOR (code, 0, RP_MATCH_LENGTH_CODES, team) {
        prices->match_length_code[code] += rp_match_length_extra_bits[code] * RP_LOG2_ONE;
    }
    team_sync(team);
    TEAM_FOR (length, 3, RP_PRICED_MATCH_LENGTHS, team) {
        prices->match_length[length] = prices->match_length_code[rp_match_length_code(length - 3)];
    }
    team_sync(team);
}

#endif
