/* SPDX-License-Identifier: Apache-2.0 */
/* See samples.h. */
#include "tests/golden/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "tests/support/inputs.h"

const size_t sample_block_sizes[SAMPLE_N_BLOCK_SIZES] = {4096, 16384, 65536};

/* Contents that no corpus has: some compress best without matches, some need long distances. Runs
 * are left out, because one byte more of their frames would be a percent. */
static const struct {
    const char *name;
    inputs_kind kind;
} made[] = {
    {"made-hex", INPUTS_HEX},     {"made-two-symbols", INPUTS_TWO_SYMBOLS},
    {"made-text", INPUTS_TEXT},   {"made-records", INPUTS_RECORDS},
    {"made-keys", INPUTS_KEYS},   {"made-sparse", INPUTS_SPARSE},
    {"made-mixed", INPUTS_MIXED}, {"made-far-copies", INPUTS_FAR_COPIES},
};

size_t sample_n_corpora(void)
{
    return corpus_count();
}

size_t sample_count(void)
{
    return corpus_count() + sizeof(made) / sizeof(made[0]);
}

static void make_blocks(inputs_kind kind, size_t block_bytes, size_t total_bytes,
                        corpus_blocks *blocks)
{
    blocks->n_blocks = total_bytes / block_bytes;
    blocks->total_bytes = blocks->n_blocks * block_bytes;
    blocks->storage = malloc(blocks->total_bytes);
    blocks->blocks = calloc(blocks->n_blocks, sizeof(*blocks->blocks));
    if (blocks->storage == NULL || blocks->blocks == NULL)
        abort();
    for (size_t i = 0; i < blocks->n_blocks; i++) {
        unsigned char *bytes = blocks->storage + i * block_bytes;
        inputs_fill(kind, bytes, block_bytes, i + 1);
        blocks->blocks[i].data = bytes;
        blocks->blocks[i].size = block_bytes;
    }
}

sample sample_open(size_t index, size_t block_bytes, size_t total_bytes)
{
    sample s;
    memset(&s, 0, sizeof(s));
    s.block_bytes = block_bytes;
    s.is_made = index >= corpus_count();
    if (s.is_made) {
        size_t i = index - corpus_count();
        s.name = made[i].name;
        make_blocks(made[i].kind, block_bytes, total_bytes, &s.blocks);
    } else {
        corpus_error error;
        s.name = corpus_name(index);
        if (corpus_generate(s.name, block_bytes, total_bytes, CORPUS_DEFAULT_SEED, &s.blocks,
                            &error) != CORPUS_OK) {
            fprintf(stderr, "%s, blocks of %zu bytes: %s\n", s.name, block_bytes, error.message);
            exit(2);
        }
    }
    for (size_t i = 0; i < s.blocks.n_blocks; i++) {
        if (s.blocks.blocks[i].size > SAMPLE_MAX_BLOCK_BYTES) {
            fprintf(stderr, "%s: a block of %zu bytes\n", s.name, s.blocks.blocks[i].size);
            exit(2);
        }
        s.hash = XXH64(s.blocks.blocks[i].data, s.blocks.blocks[i].size, s.hash);
    }
    return s;
}

void sample_close(sample *s)
{
    corpus_free(&s->blocks);
}
