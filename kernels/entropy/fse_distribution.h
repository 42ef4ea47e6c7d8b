/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distributions for Finite State Entropy: from counts to probabilities, the cost of coding with
 * them, and their description (RFC 8878 section 4.1.1). A distribution has at most 53 symbols,
 * which is two for each worker of a warp.
 */
#ifndef ROCKPRESS_KERNELS_ENTROPY_FSE_DISTRIBUTION_H
#define ROCKPRESS_KERNELS_ENTROPY_FSE_DISTRIBUTION_H

#include "kernels/base/bit_writer.h"
#include "kernels/base/log2.h"
#include "kernels/entropy/fse_table.h"

/* A description has at most 10 bits for each symbol, and 4 for the log. */
#define RP_FSE_DESCRIPTION_BYTES 72

/* The log of the table for n_values values, of which n_present differ, up to last_symbol. The table
 * has a state for every symbol that is present, and is larger for more values. */
RP_FN uint32_t rp_fse_choose_log(uint32_t n_values, uint32_t n_present, uint32_t last_symbol,
                                 uint32_t max_log)
{
    uint32_t high = rp_high_bit(rp_max32(n_values - 1, 1));
    uint32_t log = high > 2 ? high - 2 : 0;
    uint32_t spread = rp_min32(high + 1, rp_high_bit(rp_max32(last_symbol, 1)) + 2);
    log = rp_max32(log, rp_max32(spread, rp_high_bit(n_present) + 1));
    return rp_min32(rp_max32(log, RP_FSE_MIN_LOG), max_log);
}

/* Counts are below 1 << RP_FSE_COUNT_BITS. */
#define RP_FSE_COUNT_BITS 16
#define RP_FSE_WORTH_BITS 26

/* The worth of the last of a symbol's p units of probability, as count / (p - 1/2): about the bits
 * that all its codes together are shorter by it. */
RP_FN uint32_t rp_fse_worth(uint32_t count, uint32_t p)
{
    return (count << (RP_FSE_WORTH_BITS - RP_FSE_COUNT_BITS)) / (2 * p - 1);
}

/* Sets what it costs that symbol s gives one of its p units away, and that it takes another one.
 * The smaller number is the better move. The low 6 bits are the symbol, so that no two are equal.
 */
RP_FN void rp_fse_set_move_costs(rp_fse_work *work, uint32_t s, uint32_t count, uint32_t p)
{
    const uint32_t most = (UINT32_C(1) << RP_FSE_WORTH_BITS) - 1;
    work->give_costs[s] = p < 2 ? UINT32_MAX : rp_fse_worth(count, p) << 6 | s;
    work->take_costs[s] = p == 0 ? UINT32_MAX : (most - rp_fse_worth(count, p + 1)) << 6 | s;
}

/*
 * Scales counts to probabilities that sum to 1 << log, each symbol that is present at least 1. At
 * least 2 and at most 1 << log symbols are present. Rounds to the nearest, then moves single units
 * from the symbol that loses least to the symbol that gains most, until the sum is right and no
 * move makes the codes shorter. Of equal symbols the first one moves. A part of a team.
 */
RP_FN void rp_fse_normalize(rp_team *team, const uint32_t *counts, uint32_t n_symbols,
                            uint32_t total, uint32_t log, int16_t *probabilities, rp_fse_work *work)
{
    const uint32_t most = (UINT32_C(1) << RP_FSE_WORTH_BITS) - 1;
    uint32_t size = UINT32_C(1) << log;
    uint32_t sum = 0;
    TEAM_FOR (s, 0, n_symbols, team) {
        uint32_t p = 0;
        if (counts[s] != 0) {
            p = ((counts[s] << log) * 2 + total) / (2 * total);
            p = rp_min32(rp_max32(p, 1), size - 1);
        }
        probabilities[s] = (int16_t)p;
        rp_fse_set_move_costs(work, s, counts[s], p);
        sum += p;
    }
    sum = team_reduce_add(team, sum);
    for (;;) {
        uint32_t taker = UINT32_MAX;
        uint32_t giver = UINT32_MAX;
        TEAM_FOR (s, 0, n_symbols, team) {
            taker = rp_min32(taker, work->take_costs[s]);
            giver = rp_min32(giver, work->give_costs[s]);
        }
        taker = team_reduce_min(team, taker);
        giver = team_reduce_min(team, giver);
        if (sum == size && most - (taker >> 6) <= giver >> 6)
            break;
        /* Only the worker that a symbol belongs to reads and writes it in these loops. */
        uint32_t s = taker & 63;
        if (sum <= size && s % TEAM_SIZE(team) == TEAM_RANK(team))
            rp_fse_set_move_costs(work, s, counts[s], (uint32_t)++probabilities[s]);
        s = giver & 63;
        if (sum >= size && s % TEAM_SIZE(team) == TEAM_RANK(team))
            rp_fse_set_move_costs(work, s, counts[s], (uint32_t)--probabilities[s]);
        sum = sum < size ? sum + 1 : sum > size ? sum - 1 : sum;
    }
    team_sync(team);
}

/* Cost of coding `counts` with a distribution, in bits times RP_LOG2_ONE; UINT32_MAX if a symbol
 * that occurs has no probability. A probability of -1 ("less than 1") counts as 1. */
RP_FN uint32_t rp_fse_cost(rp_team *team, const uint32_t *counts, uint32_t n_symbols,
                           const int16_t *probabilities, uint32_t n_probabilities, uint32_t log)
{
    uint32_t cost = 0;
    uint32_t n_impossible = 0;
    TEAM_FOR (s, 0, n_symbols, team) {
        if (counts[s] == 0)
            continue;
        if (s >= n_probabilities || probabilities[s] == 0) {
            n_impossible++;
            continue;
        }
        uint32_t p = probabilities[s] < 0 ? 1 : (uint32_t)probabilities[s];
        cost += counts[s] * (log * RP_LOG2_ONE - rp_log2(p));
    }
    cost = team_reduce_add(team, cost);
    return team_reduce_add(team, n_impossible) != 0 ? UINT32_MAX : cost;
}

/* Writes the description of a distribution (4.1.1). Returns its bytes, at most
 * RP_FSE_DESCRIPTION_BYTES. One worker. */
RP_FN uint32_t rp_fse_describe(const int16_t *probabilities, uint32_t n_symbols, uint32_t log,
                               uint8_t *description)
{
    rp_byte_writer writer = rp_bytes_open(description);
    rp_bytes_put(&writer, log - RP_FSE_MIN_LOG, 4);
    /* `left` is the sum of the probabilities that follow, plus one. A value takes as many bits as
     * the number `left` has, and the smallest values one bit less. */
    uint32_t left = (UINT32_C(1) << log) + 1;
    uint32_t s = 0;
    while (left > 1 && s < n_symbols) {
        int32_t p = probabilities[s++];
        uint32_t value = (uint32_t)(p + 1);
        uint32_t n_bits = rp_high_bit(left) + 1;
        uint32_t n_short = (UINT32_C(1) << n_bits) - 1 - left;
        uint32_t half = UINT32_C(1) << (n_bits - 1);
        if (value < n_short)
            rp_bytes_put(&writer, value, n_bits - 1);
        else
            rp_bytes_put(&writer, value >= half ? value + n_short : value, n_bits);
        left -= (uint32_t)(p < 0 ? -p : p);
        if (p != 0)
            continue;
        /* After a zero, the number of zeros that follow it, up to 3 in each 2 bits. */
        uint32_t run = 0;
        while (s < n_symbols && probabilities[s] == 0) {
            run++;
            s++;
        }
        for (; run >= 3; run -= 3)
            rp_bytes_put(&writer, 3, 2);
        rp_bytes_put(&writer, run, 2);
    }
    return rp_bytes_close(&writer);
}

#endif
