/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of sizes compress: the corpora of bench/corpus, cut out of real SST files at
 * RocksDB's block sizes, and a few contents made by tests/support/inputs, for what no corpus has
 * (hexadecimal digits, whose best parse is none at all). The same arguments give the same bytes,
 * the corpora's for one version of RocksDB.
 */
#ifndef ROCKPRESS_TESTS_SAMPLES_H
#define ROCKPRESS_TESTS_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/corpus/corpus.h"

/* RocksDB's block sizes that are looked at. */
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

/* The corpora come first: [0, sample_n_corpora()); then the made ones: up to sample_count(). */
size_t sample_n_corpora(void);
size_t sample_count(void);

/* Up to total_bytes in blocks of about block_bytes. Ends the program with a message and status 2
 * when it cannot be made: no size means anything then. */
sample sample_open(size_t index, size_t block_bytes, size_t total_bytes);
void sample_close(sample *s);

#endif
