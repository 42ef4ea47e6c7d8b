/* SPDX-License-Identifier: Apache-2.0 */

/* FSE of RFC 8878: table descriptions, and decoding tables built from them. */

#ifndef ROCKPRESS_TESTS_SUPPORT_RFC8878_FSE_H
#define ROCKPRESS_TESTS_SUPPORT_RFC8878_FSE_H

#include "rfc8878_report.h"

enum {
    RFC8878_FSE_SYMBOLS_MAX = 256,
    RFC8878_FSE_LOG_MAX = 9, /* the largest Accuracy_Log that any field may use */
};

/* What a field allows: sections "FSE_Compressed_Mode" and "FSE compression of Huffman weights". */
typedef struct rfc8878_fse_limits {
    const char *section; /* name for messages */
    unsigned max_symbol;
    unsigned max_accuracy_log;
} rfc8878_fse_limits;

typedef struct rfc8878_distribution {
    unsigned accuracy_log;
    unsigned n_symbols;
    int16_t probabilities[RFC8878_FSE_SYMBOLS_MAX]; /* -1: "less than 1" */
} rfc8878_distribution;

typedef struct rfc8878_fse_row {
    uint8_t symbol;
    uint8_t n_bits;
    uint16_t baseline;
} rfc8878_fse_row;

/* `1 << accuracy_log` rows. RLE_Mode is a table of one row, whose state takes no bits. */
typedef struct rfc8878_fse_table {
    unsigned accuracy_log;
    rfc8878_fse_row rows[1 << RFC8878_FSE_LOG_MAX];
} rfc8878_fse_table;

/* Reads an FSE table description at the start of src; consumed is its size in bytes. */
bool rfc8878_read_distribution(const rfc8878_report *report, const uint8_t *src, size_t size,
                               const rfc8878_fse_limits *limits, rfc8878_distribution *distribution,
                               size_t *consumed);

/* The distribution must sum to its power of two, with an Accuracy_Log up to 9. */
void rfc8878_build_fse_table(const rfc8878_distribution *distribution, rfc8878_fse_table *table);

void rfc8878_build_rle_table(uint8_t symbol, rfc8878_fse_table *table);

#endif
