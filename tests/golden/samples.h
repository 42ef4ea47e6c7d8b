/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inputs of the tests of sizes: the corpora of bench/corpus, cut out of real SST files at
 * RocksDB's block sizes, and a few contents made by tests/support/inputs that no corpus has, such
 * as hexadecimal digits, which compress best without matches. The same arguments give the same
 * bytes; for the corpora this holds for one version of RocksDB.
 */
#ifndef ROCKPRESS_TESTS_GOLDEN_SAMPLES_H
#define ROCKPRESS_TESTS_GOLDEN_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/corpus/corpus.h"

/* The block sizes of the samples. */
#define SAMPLE_N_BLOCK_SIZES 3
extern const size_t sample_block_sizes[SAMPLE_N_BLOCK_SIZES];
/* No block is longer: RocksDB ends one with the record that fills it. */
#define SAMPLE_MAX_BLOCK_BYTES ((size_t)96 * 1024)

typedef struct sample {
    const char *name; /* no blanks */
    bool is_made;     /* independent of RocksDB */
    size_t block_bytes;
    corpus_blocks blocks;
    uint64_t hash; /* of all blocks' bytes */
} sample;

/* Samples [0, sample_n_corpora()) are corpora; those from there to sample_count() are made. */
size_t sample_n_corpora(void);
size_t sample_count(void);

/* Up to total_bytes in blocks of about block_bytes. If the sample cannot be made, the program ends
 * with a message and status 2, because no size would mean anything. */
sample sample_open(size_t index, size_t block_bytes, size_t total_bytes);
void sample_close(sample *s);

#endif
