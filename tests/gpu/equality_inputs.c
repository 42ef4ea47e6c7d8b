/* SPDX-License-Identifier: Apache-2.0 */
/* See equality_inputs.h. */
#include "tests/gpu/equality_inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/corpus/corpus.h"
#include "tests/support/inputs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint8_t *append(input_set *set, size_t n)
{
    if (set->n_inputs == set->capacity) {
        set->capacity = set->capacity * 2 + 64;
        set->inputs = realloc(set->inputs, set->capacity * sizeof(*set->inputs));
    }
    uint8_t *bytes = malloc(n == 0 ? 1 : n);
    if (set->inputs == NULL || bytes == NULL) {
        fprintf(stderr, "no memory for inputs\n");
        exit(2);
    }
    test_input *input = &set->inputs[set->n_inputs++];
    input->bytes = bytes;
    input->size = n;
    set->n_bytes += n;
    return bytes;
}

static test_input *last_of(input_set *set)
{
    return &set->inputs[set->n_inputs - 1];
}

void input_set_add(input_set *set, int kind, size_t n, uint64_t seed)
{
    inputs_fill((inputs_kind)kind, append(set, n), n, seed);
    snprintf(last_of(set)->name, sizeof(last_of(set)->name), "%s, seed %llu",
             inputs_kind_name((inputs_kind)kind), (unsigned long long)seed);
}

void input_set_tiny(input_set *set)
{
    static const inputs_kind kinds[] = {INPUTS_NOISE, INPUTS_EQUAL, INPUTS_TEXT, INPUTS_PERIOD_3,
                                        INPUTS_TWO_SYMBOLS};
    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (size_t n = 0; n <= 64; n++)
            input_set_add(set, kinds[k], n, 1);
    }
}

static void add_zeros(input_set *set, size_t n)
{
    memset(append(set, n), 0, n);
    snprintf(last_of(set)->name, sizeof(last_of(set)->name), "zeros");
}

void input_set_zeros(input_set *set)
{
    for (size_t power = 1; power <= (size_t)256 * 1024; power *= 2) {
        for (size_t n = power - 1; n <= power + 1; n++)
            add_zeros(set, n);
    }
    add_zeros(set, 100000);
    add_zeros(set, 3 * RP_ZSTD_BLOCK_BYTES - 1);
    add_zeros(set, (size_t)300 * 1024);
}

void input_set_kinds(input_set *set, const size_t *sizes, size_t n_sizes)
{
    for (int kind = 0; kind < INPUTS_N_KINDS; kind++) {
        for (size_t i = 0; i < n_sizes; i++)
            input_set_add(set, kind, sizes[i], 7);
    }
}

void input_set_long(input_set *set)
{
    static const inputs_kind kinds[] = {INPUTS_RECORDS,  INPUTS_TEXT,       INPUTS_MIXED,
                                        INPUTS_NOISE,    INPUTS_LONG_MATCH, INPUTS_FAR_COPIES,
                                        INPUTS_PERIOD_7, INPUTS_HEX};
    static const size_t sizes[] = {131073, 200000, 262144, 262145, 500000};
    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (size_t i = 0; i < COUNT(sizes); i++)
            input_set_add(set, kinds[k], sizes[i], 3);
    }
}

void input_set_random(input_set *set, size_t n_inputs, size_t max_bytes, uint64_t seed)
{
    inputs_random random = inputs_seed(seed);
    for (size_t i = 0; i < n_inputs; i++)
        input_set_add(set, INPUTS_MIXED, inputs_magnitude(&random, (uint32_t)max_bytes), seed + i);
}

void input_set_small(input_set *set)
{
    static const size_t tiny[] = {0, 1, 4, 7, 31, 64};
    static const inputs_kind kinds[] = {INPUTS_RECORDS, INPUTS_TEXT,     INPUTS_MIXED,
                                        INPUTS_NOISE,   INPUTS_PERIOD_3, INPUTS_FIBONACCI,
                                        INPUTS_RUNS,    INPUTS_HEX};
    for (size_t i = 0; i < COUNT(tiny); i++) {
        input_set_add(set, INPUTS_EQUAL, tiny[i], 1);
        input_set_add(set, INPUTS_TEXT, tiny[i], 1);
    }
    for (size_t k = 0; k < COUNT(kinds); k++) {
        input_set_add(set, kinds[k], 333, 1);
        input_set_add(set, kinds[k], 3000, 2);
    }
}

bool input_set_file(input_set *set, const char *path, size_t max_bytes)
{
    corpus_blocks blocks;
    corpus_error error;
    if (corpus_load(path, &blocks, &error) != CORPUS_OK) {
        printf("%s\n", error.message);
        return false;
    }
    const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    for (size_t i = 0; i < blocks.n_blocks && set->n_bytes < max_bytes; i++) {
        const corpus_block *block = &blocks.blocks[i];
        memcpy(append(set, block->size), block->data, block->size);
        snprintf(last_of(set)->name, sizeof(last_of(set)->name), "%.40s, block %zu", base, i);
    }
    corpus_free(&blocks);
    return true;
}

void input_set_free(input_set *set)
{
    for (size_t i = 0; i < set->n_inputs; i++)
        free((void *)set->inputs[i].bytes);
    free(set->inputs);
    memset(set, 0, sizeof(*set));
}
