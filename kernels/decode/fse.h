/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FSE tables of a decoder (RFC 8878, 4.1): reading the description of a distribution, and making
 * the table of it. A description is a chain of up to 53 steps for one worker. A table is divided
 * among the workers of a part of the team.
 */
#ifndef ROCKPRESS_KERNELS_DECODE_FSE_H
#define ROCKPRESS_KERNELS_DECODE_FSE_H

#include "kernels/decode/bit_reader.h"
#include "kernels/decode/format.h"

/* A cell of a table, which a state is the index of. From bit 0: the next state less the bits read
 * for it (10 bits), the number of these (4), the number of the symbol's extra bits (5), and the
 * symbol (6). */
#define RP_DECODE_CELL_STEP_SHIFT 10
#define RP_DECODE_CELL_EXTRA_SHIFT 14
#define RP_DECODE_CELL_SYMBOL_SHIFT 19

RP_FN uint32_t rp_decode_cell_symbol(uint32_t cell)
{
    return cell >> RP_DECODE_CELL_SYMBOL_SHIFT;
}

RP_FN uint32_t rp_decode_cell_extra_bits(uint32_t cell)
{
    return cell >> RP_DECODE_CELL_EXTRA_SHIFT & 31;
}

RP_FN uint32_t rp_decode_cell_step_bits(uint32_t cell)
{
    return cell >> RP_DECODE_CELL_STEP_SHIFT & 15;
}

RP_FN uint32_t rp_decode_cell_base(uint32_t cell)
{
    return cell & 0x3FF;
}

/* What a table is made of. */
typedef struct rp_decode_distribution {
    uint32_t mode;
    uint32_t log; /* Accuracy_Log; 0 for a single symbol */
    uint32_t n_symbols;
    int16_t probabilities[RP_DECODE_MAX_FSE_SYMBOLS + 3]; /* -1: less than 1 */
    /* For making the table: cells of lower symbols, and the next number of a symbol's states. */
    uint16_t sums[RP_DECODE_MAX_FSE_SYMBOLS + 3];
    uint16_t next[RP_DECODE_MAX_FSE_SYMBOLS + 3];
} rp_decode_distribution;

/* Reads an FSE table description (4.1.1) from a range on. Returns the number of its bytes, or 0 if
 * it breaks a rule. One worker. */
RP_FN uint32_t rp_decode_describe(const uint8_t *base, rp_decode_range range,
                                  rp_decode_limits limits, rp_decode_distribution *distribution)
{
    rp_decode_forward reader = {base, 8 * range.begin, 8 * range.end};
    const uint32_t log = (rp_decode_peek_forward(&reader) & 15) + 5;
    reader.place += 4;
    if (log > limits.max_log)
        return 0;
    uint32_t left = UINT32_C(1) << log;
    uint32_t symbol = 0;
    uint32_t n_present = 0;
    while (left > 0) {
        if (symbol > limits.max_symbol)
            return 0;
        /* A value of 0 to left + 1. The lowest values do with one bit less. */
        const uint32_t n_bits = rp_high_bit(left + 1) + 1;
        const uint32_t n_short = (UINT32_C(1) << n_bits) - 2 - left;
        const uint32_t bits = rp_decode_peek_forward(&reader);
        uint32_t value = bits & ((UINT32_C(1) << (n_bits - 1)) - 1);
        if (value < n_short) {
            reader.place += n_bits - 1;
        } else {
            value = bits & ((UINT32_C(1) << n_bits) - 1);
            value -= value >= UINT32_C(1) << (n_bits - 1) ? n_short : 0;
            reader.place += n_bits;
        }
        if (reader.place > reader.end)
            return 0;
        distribution->probabilities[symbol++] = (int16_t)((int32_t)value - 1);
        left -= value == 0 ? 1 : value - 1;
        if (value != 1) {
            n_present++;
            continue;
        }
        uint32_t repeat;
        do {
            repeat = rp_decode_peek_forward(&reader) & 3;
            reader.place += 2;
            if (reader.place > reader.end || symbol + repeat > limits.max_symbol)
                return 0;
            for (uint32_t i = 0; i < repeat; i++)
                distribution->probabilities[symbol++] = 0;
        } while (repeat == 3);
    }
    if (n_present < 2)
        return 0;
    distribution->log = log;
    distribution->n_symbols = symbol;
    return (reader.place + 7) / 8 - range.begin;
}

/* The default distribution of a field. One worker. */
RP_FN void rp_decode_use_predefined(uint32_t field, rp_decode_distribution *distribution)
{
    distribution->log = rp_decode_predefined_log(field);
    distribution->n_symbols = rp_decode_predefined_symbols(field);
    for (uint32_t s = 0; s < distribution->n_symbols; s++)
        distribution->probabilities[s] = rp_decode_predefined[field][s];
}

/* Counts cells: those of lower symbols, and the number of a symbol's states. Symbols of
 * probability "less than 1" get the last cells. Returns the number of the other cells. */
RP_FN uint32_t rp_decode_count_cells(rp_team *team, rp_decode_distribution *distribution,
                                     uint32_t *cells)
{
    const uint32_t size = UINT32_C(1) << distribution->log;
    uint32_t n_before = 0;
    uint32_t n_last = 0;
    for (uint32_t first = 0; first < distribution->n_symbols; first += TEAM_SIZE(team)) {
        const uint32_t s = first + TEAM_RANK(team);
        const int32_t p = s < distribution->n_symbols ? distribution->probabilities[s] : 0;
        uint32_t n;
        uint32_t n_low;
        const uint32_t before = n_before + team_scan_add(team, p > 0 ? (uint32_t)p : 0, &n);
        const uint32_t low = n_last + team_scan_add(team, p < 0 ? 1 : 0, &n_low);
        if (s < distribution->n_symbols) {
            distribution->sums[s] = (uint16_t)before;
            distribution->next[s] = (uint16_t)(p < 0 ? 1 : p);
        }
        if (p < 0)
            cells[size - 1 - low] = s;
        n_before += n;
        n_last += n_low;
    }
    return size - n_last;
}

/* Gives each of the first n_spread cells its symbol (4.1.1). */
RP_FN void rp_decode_spread(rp_team *team, const rp_decode_distribution *distribution,
                            uint32_t n_spread, uint32_t *cells)
{
    const uint32_t size = UINT32_C(1) << distribution->log;
    const uint32_t step = (size >> 1) + (size >> 3) + 3;
    uint32_t symbol = 0;
    uint32_t n_done = 0;
    for (uint32_t first = 0; first < size; first += TEAM_SIZE(team)) {
        const uint32_t i = first + TEAM_RANK(team);
        const uint32_t cell = i * step & (size - 1);
        const bool is_free = i < size && cell < n_spread;
        uint32_t n;
        const uint32_t order = n_done + team_rank_if(team, is_free, &n);
        if (is_free) {
            /* The last symbol whose cells begin at or before this one. */
            while (symbol + 1 < distribution->n_symbols && distribution->sums[symbol + 1] <= order)
                symbol++;
            cells[cell] = symbol;
        }
        n_done += n;
    }
}

/* Makes a table of 2^log cells. A part of a team. */
RP_FN void rp_decode_make_table(rp_team *team, rp_decode_distribution *distribution, uint32_t field,
                                uint32_t *cells)
{
    const uint32_t log = distribution->log;
    const uint32_t size = UINT32_C(1) << log;
    if (distribution->mode == RP_DECODE_RLE_MODE) {
        const uint32_t symbol = (uint32_t)distribution->probabilities[0];
        if (TEAM_RANK(team) == 0)
            cells[0] = rp_decode_extra_bits(field, symbol) << RP_DECODE_CELL_EXTRA_SHIFT |
                       symbol << RP_DECODE_CELL_SYMBOL_SHIFT;
        return;
    }
    const uint32_t n_spread = rp_decode_count_cells(team, distribution, cells);
    team_sync(team);
    rp_decode_spread(team, distribution, n_spread, cells);
    team_sync(team);
    for (uint32_t first = 0; first < size; first += TEAM_SIZE(team)) {
        const uint32_t i = first + TEAM_RANK(team);
        const uint32_t symbol = i < size ? cells[i] : 0;
        uint32_t n_equal;
        const uint32_t below = team_match_rank(team, symbol, i < size, &n_equal);
        const uint32_t number = distribution->next[symbol] + below;
        team_sync(team);
        if (i < size) {
            const uint32_t n_bits = log - rp_high_bit(number);
            if (below + 1 == n_equal)
                distribution->next[symbol] = (uint16_t)(number + 1);
            cells[i] = ((number << n_bits) - size) | n_bits << RP_DECODE_CELL_STEP_SHIFT |
                       rp_decode_extra_bits(field, symbol) << RP_DECODE_CELL_EXTRA_SHIFT |
                       symbol << RP_DECODE_CELL_SYMBOL_SHIFT;
        }
        team_sync(team);
    }
}

#endif
