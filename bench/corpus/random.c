/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of random bytes: encrypted or compressed values look like this to a compressor. They are
 * not data blocks of RocksDB, so means over the corpora leave them out; they are generated only
 * when their name is given.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/corpus/file.h"
#include "bench/corpus/generator.h"

corpus_status corpus_random(size_t block_bytes, size_t max_total_bytes, uint64_t seed,
                            corpus_blocks *out, corpus_error *error)
{
    const size_t n_blocks = max_total_bytes / block_bytes;
    struct corpus_rng rng;
    out->storage = malloc(n_blocks * block_bytes);
    out->blocks = malloc(n_blocks * sizeof *out->blocks);
    if (!out->storage || !out->blocks) {
        corpus_free(out);
        return corpus_fail(error, CORPUS_NO_MEMORY, "no memory for %zu blocks", n_blocks);
    }
    corpus_rng_seed(&rng, seed, CORPUS_RANDOM);
    for (size_t i = 0; i < n_blocks; i++) {
        unsigned char *block = out->storage + i * block_bytes;
        for (size_t at = 0; at < block_bytes; at += 8) {
            const uint64_t bytes = corpus_rng_next(&rng);
            for (size_t k = 0; k < 8 && at + k < block_bytes; k++)
                block[at + k] = (unsigned char)(bytes >> (8 * k));
        }
        out->blocks[i].data = block;
        out->blocks[i].size = block_bytes;
    }
    out->n_blocks = n_blocks;
    out->total_bytes = n_blocks * block_bytes;
    return CORPUS_OK;
}
