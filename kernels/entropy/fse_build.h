/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a distribution to the encoder's table. RFC 8878 section 4.1.1 has the decoder's: it spreads
 * each symbol over as many states as its probability says. The encoder's table lists the states of
 * each symbol in rising order, one symbol after the other.
 */
#ifndef ROCKPRESS_KERNELS_ENTROPY_FSE_BUILD_H
#define ROCKPRESS_KERNELS_ENTROPY_FSE_BUILD_H

#include "kernels/entropy/fse_distribution.h"

/* The step of a symbol of probability p, which is not 0. `before` is the sum of the probabilities
 * of the symbols before it. */
RP_FN rp_fse_symbol rp_fse_transform(int32_t p, uint32_t before, uint32_t log)
{
    rp_fse_symbol transform;
    if (p == -1 || p == 1) {
        transform.delta_bits = (log << 16) - (UINT32_C(1) << log);
        transform.delta_state = (int32_t)before - 1;
    } else {
        uint32_t most_bits = log - rp_high_bit((uint32_t)p - 1);
        transform.delta_bits = (most_bits << 16) - ((uint32_t)p << most_bits);
        transform.delta_state = (int32_t)before - p;
    }
    return transform;
}

/* The distance between states that are given out one after the other. */
RP_FN uint32_t rp_fse_spread_step(uint32_t size)
{
    return (size >> 1) + (size >> 3) + 3;
}

/* Fills table->symbols, work->spread and work->next, by one worker. */
RP_FN void rp_fse_spread_alone(rp_fse_table *table, const int16_t *probabilities,
                               uint32_t n_symbols, uint32_t log, rp_fse_work *work)
{
    uint32_t size = UINT32_C(1) << log;
    uint32_t high = size; /* states from here on belong to symbols of probability -1 */
    uint32_t sum = 0;
    for (uint32_t s = 0; s < n_symbols; s++) {
        int32_t p = probabilities[s];
        work->next[s] = (uint16_t)sum;
        if (p == 0)
            continue;
        table->symbols[s] = rp_fse_transform(p, sum, log);
        if (p == -1)
            work->spread[--high] = (uint8_t)s;
        sum += p < 0 ? 1 : (uint32_t)p;
    }
    uint32_t step = rp_fse_spread_step(size);
    uint32_t position = 0;
    for (uint32_t s = 0; s < n_symbols; s++) {
        for (int32_t i = 0; i < probabilities[s]; i++) {
            work->spread[position] = (uint8_t)s;
            do
                position = (position + step) & (size - 1);
            while (position >= high);
        }
    }
}

/* The symbol of the state that is given out as number `slot`. */
RP_FN uint32_t rp_fse_symbol_of_slot(const rp_fse_work *work, uint32_t n_symbols, uint32_t slot)
{
    uint32_t low = 0; /* the last symbol whose slots begin at `slot` or before is in [low, high) */
    uint32_t high = n_symbols;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (work->first_spread[middle] <= slot)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The same by a part of a team. Each worker goes through states in the order in which they are
 * given out. A scan over those that are not reserved for symbols of probability -1 numbers them. */
RP_FN void rp_fse_spread(rp_team *team, rp_fse_table *table, const int16_t *probabilities,
                         uint32_t n_symbols, uint32_t log, rp_fse_work *work)
{
    uint32_t size = UINT32_C(1) << log;
    uint32_t sum = 0;
    uint32_t n_low = 0; /* number of symbols of probability -1 */
    for (uint32_t first = 0; first < n_symbols; first += TEAM_SIZE(team)) {
        uint32_t s = first + TEAM_RANK(team);
        int32_t p = s < n_symbols ? probabilities[s] : 0;
        uint32_t share = p < 0 ? 1 : (uint32_t)p;
        uint32_t n_all;
        uint32_t n_low_all;
        uint32_t before = sum + team_scan_add(team, share, &n_all);
        uint32_t low_before = n_low + team_scan_add(team, p < 0, &n_low_all);
        if (s < n_symbols) {
            work->next[s] = (uint16_t)before;
            work->first_spread[s] = (uint16_t)(before - low_before);
        }
        if (p != 0)
            table->symbols[s] = rp_fse_transform(p, before, log);
        if (p < 0)
            work->spread[size - 1 - low_before] = (uint8_t)s;
        sum += n_all;
        n_low += n_low_all;
    }
    team_sync(team);
    uint32_t step = rp_fse_spread_step(size);
    uint32_t n_slots = 0;
    for (uint32_t first = 0; first < size; first += TEAM_SIZE(team)) {
        uint32_t i = first + TEAM_RANK(team);
        uint32_t position = (i * step) & (size - 1);
        bool is_slot = i < size && position < size - n_low;
        uint32_t n_here;
        uint32_t slot = n_slots + team_scan_add(team, is_slot, &n_here);
        if (is_slot)
            work->spread[position] = (uint8_t)rp_fse_symbol_of_slot(work, n_symbols, slot);
        n_slots += n_here;
    }
    team_sync(team);
}

/* Builds the encoder's table; probabilities sum to 1 << log. Log 0 is the table of a single symbol
 * (RLE), whose steps write no bits. A part of a team. */
RP_FN void rp_fse_build(rp_team *team, rp_fse_table *table, const int16_t *probabilities,
                        uint32_t n_symbols, uint32_t log, rp_fse_work *work)
{
    uint32_t size = UINT32_C(1) << log;
    if (TEAM_RANK(team) == 0)
        table->log = log;
    if (TEAM_SIZE(team) == 1)
        rp_fse_spread_alone(table, probabilities, n_symbols, log, work);
    else
        rp_fse_spread(team, table, probabilities, n_symbols, log, work);
    for (uint32_t first = 0; first < size; first += TEAM_SIZE(team)) {
        uint32_t state = first + TEAM_RANK(team);
        uint32_t s = state < size ? work->spread[state] : 0;
        uint32_t n_equal;
        uint32_t order = team_match_rank(team, s, state < size, &n_equal);
        uint32_t next = work->next[s] + order;
        team_sync(team);
        if (state < size) {
            table->next_state[next] = (uint16_t)(size + state);
            if (order + 1 == n_equal)
                work->next[s] = (uint16_t)(next + 1);
        }
        team_sync(team);
    }
}

#endif
