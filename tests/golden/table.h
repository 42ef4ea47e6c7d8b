/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of compressed sizes in sizes.txt, and its comparison with new sizes. A line of the file
 * has the sample, the block size, bytes and hash of the input, and the bytes of the frames at each
 * effort.
 */
#ifndef ROCKPRESS_TESTS_GOLDEN_TABLE_H
#define ROCKPRESS_TESTS_GOLDEN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/golden/sized_encoder.h"

#define GOLDEN_MAX_ROWS 128

typedef struct golden_row {
    char name[32];
    bool needs_rocksdb; /* another version may give another input; not in the file */
    size_t block_bytes;
    size_t input_bytes;
    uint64_t input_hash;
    size_t frame_bytes[N_EFFORTS];
} golden_row;

typedef struct golden_table {
    char rocksdb[32]; /* the version that the corpora come from */
    size_t n_rows;
    golden_row rows[GOLDEN_MAX_ROWS];
} golden_table;

/* What a sample may lose, in parts per thousand: a change that pays on most samples costs some of
 * them a little. What the mean over the samples of one block size and effort may lose: such changes
 * even out in the mean, and a parse that is worse everywhere shows there. */
#define GOLDEN_SAMPLE_PER_MILLE 5.0
#define GOLDEN_MEAN_PER_MILLE 1.0

typedef struct golden_result {
    unsigned n_failures; /* worse, missing, unknown, another input: each with a line of text */
    unsigned n_better;   /* by as much as would be a failure if they were worse; each with a line */
    unsigned n_not_compared; /* rows whose input is another version of RocksDB's */
} golden_result;

/* False, with a line of text, for what golden_write() would not write. */
bool golden_read(FILE *file, golden_table *table, FILE *report);
void golden_write(FILE *file, const golden_table *table);

golden_result golden_compare(const golden_table *golden, const golden_table *now, FILE *report);

#endif
