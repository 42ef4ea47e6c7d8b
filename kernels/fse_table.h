/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finite State Entropy (RFC 8878 section 4.1): distributions, their description and the
 * encoder's tables. J. Duda, "Asymmetric numeral systems", 2013; Y. Collet, FSE.
 *
 * Every function here is called by one worker for one table: a table has at most 512 states
 * and 53 symbols, and the three tables of a block are made by three workers side by side.
 *
 * A state is kept as in the paper, in [size, 2 * size): the bits that leave it are its lowest.
 */
#ifndef ROCKPRESS_KERNELS_FSE_TABLE_H
#define ROCKPRESS_KERNELS_FSE_TABLE_H

#include "kernels/bit_writer.h"
#include "kernels/log2.h"
#include "kernels/zstd_format.h"

#define RP_FSE_MAX_LOG 9
#define RP_FSE_MAX_SIZE (1 << RP_FSE_MAX_LOG)
/* A description takes at most 10 bits a symbol, and the log. */
#define RP_FSE_DESCRIPTION_BYTES 72

typedef struct rp_fse_symbol {
    uint32_t delta_bits; /* (state + delta_bits) >> 16 is the number of bits that leave */
    int32_t delta_state; /* what to add to the state, without those bits, to find the next */
} rp_fse_symbol;

typedef struct rp_fse_table {
    uint32_t log;
    rp_fse_symbol symbols[RP_MAX_CODES];
    uint16_t next_state[RP_FSE_MAX_SIZE];
} rp_fse_table;

/* Smallest table worth trying for n_values values of n_present symbols up to last_symbol: it has
 * a state for every symbol, and grows with the values that it is for. */
RP_FN uint32_t rp_fse_choose_log(uint32_t n_values, uint32_t n_present, uint32_t last_symbol,
                                 uint32_t max_log)
{
    uint32_t high = rp_high_bit(rp_max32(n_values - 1, 1));
    uint32_t log = high > 2 ? high - 2 : 0;
    uint32_t spread = rp_min32(high + 1, rp_high_bit(rp_max32(last_symbol, 1)) + 2);
    log = rp_max32(log, rp_max32(spread, rp_high_bit(n_present) + 1));
    return rp_min32(rp_max32(log, RP_FSE_MIN_LOG), max_log);
}

/*
 * Scales counts to probabilities that sum to 1 << log, each present symbol at least 1. At least two
 * symbols are present, and at most 1 << log. Rounds to nearest, then moves single units where it
 * pays: from p to p + 1 a symbol gains about count / (p + 1/2), and from p to p - 1 it loses
 * count / (p - 1/2). The best gain and the smallest loss are compared until they are equal.
 */
RP_FN void rp_fse_normalize(const uint32_t *counts, uint32_t n_symbols, uint32_t total,
                            uint32_t log, int16_t *probabilities)
{
    uint32_t size = UINT32_C(1) << log;
    uint32_t sum = 0;
    for (uint32_t s = 0; s < n_symbols; s++) {
        uint32_t p = 0;
        if (counts[s] != 0) {
            p = (uint32_t)((((uint64_t)counts[s] << log) * 2 + total) / (2 * (uint64_t)total));
            p = rp_min32(rp_max32(p, 1), size - 1);
        }
        probabilities[s] = (int16_t)p;
        sum += p;
    }
    for (;;) {
        uint32_t taker = 0;            /* gains most by one more */
        uint32_t giver = RP_MAX_CODES; /* loses least by one less */
        for (uint32_t s = 0; s < n_symbols; s++) {
            uint32_t p = (uint32_t)probabilities[s];
            if (p == 0)
                continue;
            uint32_t taker_p = (uint32_t)probabilities[taker];
            if (taker_p == 0 ||
                (uint64_t)counts[s] * (2 * taker_p + 1) > (uint64_t)counts[taker] * (2 * p + 1))
                taker = s;
            if (p == 1)
                continue;
            if (giver == RP_MAX_CODES ||
                (uint64_t)counts[s] * (2 * (uint32_t)probabilities[giver] - 1) <
                    (uint64_t)counts[giver] * (2 * p - 1))
                giver = s;
        }
        if (sum < size) {
            probabilities[taker]++;
            sum++;
        } else if (sum > size) {
            probabilities[giver]--;
            sum--;
        } else {
            if (giver == RP_MAX_CODES || giver == taker ||
                (uint64_t)counts[taker] * (2 * (uint32_t)probabilities[giver] - 1) <=
                    (uint64_t)counts[giver] * (2 * (uint32_t)probabilities[taker] + 1))
                return;
            probabilities[taker]++;
            probabilities[giver]--;
        }
    }
}

/* Cost of coding `counts` with a distribution, in bits times RP_LOG2_ONE; UINT32_MAX if a
 * symbol that occurs has no probability. A probability of -1 ("less than 1") codes as 1. */
RP_FN uint32_t rp_fse_cost(const uint32_t *counts, uint32_t n_symbols, const int16_t *probabilities,
                           uint32_t n_probabilities, uint32_t log)
{
    uint32_t cost = 0;
    for (uint32_t s = 0; s < n_symbols; s++) {
        if (counts[s] == 0)
            continue;
        if (s >= n_probabilities || probabilities[s] == 0)
            return UINT32_MAX;
        uint32_t p = probabilities[s] < 0 ? 1 : (uint32_t)probabilities[s];
        cost += counts[s] * (log * RP_LOG2_ONE - rp_log2(p));
    }
    return cost;
}

/* Section 4.1.1. Returns the number of bytes, at most RP_FSE_DESCRIPTION_BYTES. */
RP_FN uint32_t rp_fse_describe(const int16_t *probabilities, uint32_t n_symbols, uint32_t log,
                               uint8_t *description)
{
    rp_byte_writer writer = rp_bytes_open(description);
    rp_bytes_put(&writer, log - RP_FSE_MIN_LOG, 4);
    /* `left` counts the probability still to be given out, plus one: a value is coded in as
     * few bits as hold 0 to left, the small ones in one bit less. */
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
        /* After a zero: how many more follow, in steps of up to 3. */
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

/*
 * Builds the encoder's table. `spread` is scratch for 1 << log symbols. Log 0 is the table of
 * one symbol (RLE), which takes no bits.
 */
RP_FN void rp_fse_build(rp_fse_table *table, const int16_t *probabilities, uint32_t n_symbols,
                        uint32_t log, uint8_t *spread)
{
    uint32_t size = UINT32_C(1) << log;
    uint32_t high = size; /* states from here up belong to symbols of probability -1 */
    uint32_t first[RP_MAX_CODES];
    uint32_t sum = 0;
    table->log = log;
    for (uint32_t s = 0; s < n_symbols; s++) {
        int32_t p = probabilities[s];
        first[s] = sum;
        if (p == 0)
            continue;
        if (p == -1) {
            spread[--high] = (uint8_t)s;
            p = 1;
        }
        if (p == 1) {
            table->symbols[s].delta_bits = (log << 16) - size;
            table->symbols[s].delta_state = (int32_t)sum - 1;
        } else {
            uint32_t most_bits = log - rp_high_bit((uint32_t)p - 1);
            table->symbols[s].delta_bits = (most_bits << 16) - ((uint32_t)p << most_bits);
            table->symbols[s].delta_state = (int32_t)sum - p;
        }
        sum += (uint32_t)p;
    }
    uint32_t step = (size >> 1) + (size >> 3) + 3;
    uint32_t position = 0;
    for (uint32_t s = 0; s < n_symbols; s++) {
        for (int32_t i = 0; i < probabilities[s]; i++) {
            spread[position] = (uint8_t)s;
            do
                position = (position + step) & (size - 1);
            while (position >= high);
        }
    }
    for (uint32_t state = 0; state < size; state++)
        table->next_state[first[spread[state]]++] = (uint16_t)(size + state);
}

/* A state from which `symbol` is decoded. Of these, one that takes the most bits to leave: the
 * end of a stream of weights is recognised by its last state asking for bits (4.2.1.2). */
RP_FN uint32_t rp_fse_first_state(const rp_fse_table *table, uint32_t symbol)
{
    rp_fse_symbol transform = table->symbols[symbol];
    uint32_t n_bits = (transform.delta_bits + (UINT32_C(1) << 15)) >> 16;
    uint32_t state = (n_bits << 16) - transform.delta_bits;
    return table->next_state[(int32_t)(state >> n_bits) + transform.delta_state];
}

/* The state before `symbol`; the bits that leave are the lowest *n_bits of the old one. */
RP_FN uint32_t rp_fse_next_state(const rp_fse_table *table, uint32_t state, uint32_t symbol,
                                 uint32_t *n_bits)
{
    rp_fse_symbol transform = table->symbols[symbol];
    *n_bits = (state + transform.delta_bits) >> 16;
    return table->next_state[(int32_t)(state >> *n_bits) + transform.delta_state];
}

#endif
