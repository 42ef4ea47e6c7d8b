/* SPDX-License-Identifier: Apache-2.0 */
/* What `blocks` measured, as a table for people and as JSON for tools. */
#ifndef ROCKPRESS_BENCH_BLOCKS_RESULTS_H
#define ROCKPRESS_BENCH_BLOCKS_RESULTS_H

#include <stdint.h>

#include "bench/blocks/codecs.h"

enum { MAX_CODECS = 64 };

struct measurement {
    size_t compressed_bytes;
    double ratio;         /* raw bytes / compressed bytes, over all blocks */
    double compress_mb_s; /* median over the rounds, 1e6 raw bytes per second of CPU time */
};

/* One corpus at one block size. */
struct result_row {
    char corpus[64];
    size_t block_bytes, n_blocks, raw_bytes;
    uint64_t hash; /* of the blocks, as bench/corpus prints it */
    struct measurement by_codec[MAX_CODECS];
};

struct results {
    const struct codec *codecs;
    unsigned n_codecs, rounds;
    int argc;
    char **argv;
    struct result_row *rows;
    size_t n_rows;
};

/* For each block size: ratio and speed per corpus, their geometric means, and every rockpress
 * effort relative to zstd levels 1 and 3 where those were measured. */
void report_print(const struct results *results);

/* An object: the machine, the versions, the command as it was given, and for each corpus and block
 * size the hash of the blocks and what each codec made of them. bench/blocks/report reads it. False
 * with a message on stderr if the file cannot be written. */
bool report_write_json(const struct results *results, const char *path);

#endif
