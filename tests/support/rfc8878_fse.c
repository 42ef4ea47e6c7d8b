/* SPDX-License-Identifier: Apache-2.0 */

#include "rfc8878_fse.h"

#include <string.h>

#include "rfc8878_bits.h"

/*
 * One Value of an FSE table description, 0 to `max` inclusive.
 *
 * The field has just enough bits for `max`; the values that would be left over let the smallest
 * ones do with one bit less. The bits are taken in two steps, because the long form may not exist
 * at the end of the buffer.
 */
static bool take_value(rfc8878_forward_bits *bits, uint32_t max, uint32_t *value)
{
    unsigned n_bits = 0;
    while ((1U << n_bits) <= max) {
        n_bits++;
    }
    uint32_t n_short = (1U << n_bits) - 1 - max;
    uint32_t low;
    if (!rfc8878_take_forward(bits, n_bits - 1, &low)) {
        return false;
    }
    if (low < n_short) {
        *value = low;
        return true;
    }
    uint32_t high;
    if (!rfc8878_take_forward(bits, 1, &high)) {
        return false;
    }
    /* n_bits is at least 1: there is at least one value to tell apart. */
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
    *value = high ? low + (1U << (n_bits - 1)) - n_short : low;
    return true;
}

bool rfc8878_read_distribution(const rfc8878_report *report, const uint8_t *src, size_t size,
                               const rfc8878_fse_limits *limits, rfc8878_distribution *distribution,
                               size_t *consumed)
{
    rfc8878_forward_bits bits = {.bytes = src, .size = size, .position = 0};
    const char *section = limits->section;

    /* FSE Table Description: all of it is inside the buffer. */
    uint32_t low_bits;
    if (!rfc8878_take_forward(&bits, 4, &low_bits)) {
        return rfc8878_reject(report, src, section, "FSE table description is truncated");
    }

    /* FSE_Compressed_Mode; FSE compression of Huffman weights: the limit of each field. */
    unsigned accuracy_log = low_bits + 5;
    if (accuracy_log > limits->max_accuracy_log) {
        return rfc8878_reject(report, src, section, "Accuracy_Log %u exceeds the maximum of %u",
                              accuracy_log, limits->max_accuracy_log);
    }

    uint32_t n_left = 1U << accuracy_log;
    unsigned symbol = 0;
    unsigned n_present = 0;
    while (n_left > 0) {
        const uint8_t *at = src + bits.position / 8;
        /* FSE Table Description: points are left, so a symbol with a probability must follow,
         * and it would be outside of the range that the table is defined for. */
        if (symbol > limits->max_symbol) {
            return rfc8878_reject(report, at, section,
                                  "probability for a symbol beyond the maximum of %u",
                                  limits->max_symbol);
        }
        uint32_t value;
        if (!take_value(&bits, n_left + 1, &value)) {
            return rfc8878_reject(report, at, section, "FSE table description is truncated");
        }
        int16_t probability = (int16_t)((int)value - 1);
        distribution->probabilities[symbol++] = probability;
        /* take_value() never exceeds what is left, so the sum is exact when the loop ends. */
        n_left -= value == 0 ? 1 : value - 1;
        if (probability != 0) {
            n_present++;
            continue;
        }
        uint32_t repeat;
        do {
            if (!rfc8878_take_forward(&bits, 2, &repeat)) {
                return rfc8878_reject(report, at, section, "zero-repeat flag is truncated");
            }
            if (symbol + repeat > limits->max_symbol) {
                return rfc8878_reject(report, at, section,
                                      "zero-repeat flags lead beyond the maximum symbol of %u",
                                      limits->max_symbol);
            }
            for (uint32_t i = 0; i < repeat; i++) {
                distribution->probabilities[symbol++] = 0;
            }
        } while (repeat == 3);
    }

    /* FSE Table Description: "two or more symbols with non-zero probabilities". */
    if (n_present < 2) {
        return rfc8878_reject(report, src, section,
                              "only one symbol has a probability, at least two must");
    }

    /* FSE Table Description: "any remaining bit within the last byte is just unused". */
    distribution->accuracy_log = accuracy_log;
    distribution->n_symbols = symbol;
    *consumed = (bits.position + 7) / 8;
    return true;
}

/* Gives every row its symbol: "From normalized distribution to decoding tables". */
static void spread_symbols(const rfc8878_distribution *distribution, rfc8878_fse_table *table)
{
    const unsigned size = 1U << distribution->accuracy_log;
    const unsigned step = (size >> 1) + (size >> 3) + 3;
    bool taken[1 << RFC8878_FSE_LOG_MAX] = {false};

    unsigned end = size;
    for (unsigned symbol = 0; symbol < distribution->n_symbols; symbol++) {
        if (distribution->probabilities[symbol] < 0) {
            end--;
            table->rows[end].symbol = (uint8_t)symbol;
            taken[end] = true;
        }
    }
    unsigned position = 0;
    for (unsigned symbol = 0; symbol < distribution->n_symbols; symbol++) {
        for (int i = 0; i < distribution->probabilities[symbol]; i++) {
            while (taken[position]) {
                position = (position + step) & (size - 1);
            }
            table->rows[position].symbol = (uint8_t)symbol;
            taken[position] = true;
        }
    }
}

/*
 * Gives the rows of one symbol their Number_of_Bits and Baseline.
 *
 * The state space is cut into as many equal shares as the next power of two; the lowest rows take
 * two shares each until all are used, and Baseline starts with the first row that takes one.
 */
static void assign_transitions(rfc8878_fse_table *table, unsigned symbol, unsigned probability)
{
    unsigned n_shares = 1;
    unsigned share_bits = table->accuracy_log;
    while (n_shares < probability) {
        n_shares *= 2;
        share_bits--;
    }
    const unsigned n_double = n_shares - probability;
    const unsigned share = 1U << share_bits;
    const unsigned n_single = probability - n_double;
    unsigned order = 0;
    for (unsigned row = 0; row < 1U << table->accuracy_log; row++) {
        rfc8878_fse_row *r = &table->rows[row];
        if (r->symbol != symbol) {
            continue;
        }
        if (order < n_double) {
            r->n_bits = (uint8_t)(share_bits + 1);
            r->baseline = (uint16_t)(n_single * share + order * 2 * share);
        } else {
            r->n_bits = (uint8_t)share_bits;
            r->baseline = (uint16_t)((order - n_double) * share);
        }
        order++;
    }
}

void rfc8878_build_fse_table(const rfc8878_distribution *distribution, rfc8878_fse_table *table)
{
    memset(table, 0, sizeof(*table));
    table->accuracy_log = distribution->accuracy_log;
    spread_symbols(distribution, table);
    for (unsigned symbol = 0; symbol < distribution->n_symbols; symbol++) {
        int probability = distribution->probabilities[symbol];
        if (probability != 0) {
            assign_transitions(table, symbol, probability < 0 ? 1 : (unsigned)probability);
        }
    }
}

void rfc8878_build_rle_table(uint8_t symbol, rfc8878_fse_table *table)
{
    memset(table, 0, sizeof(*table));
    table->rows[0].symbol = symbol;
}
