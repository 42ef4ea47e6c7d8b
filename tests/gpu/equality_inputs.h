/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of inputs on which two devices are compared: made from tests/support/inputs.h, or read from
 * files of blocks (bench/corpus/corpus.h). */
#ifndef ROCKPRESS_TESTS_GPU_EQUALITY_INPUTS_H
#define ROCKPRESS_TESTS_GPU_EQUALITY_INPUTS_H

#include "tests/gpu/encode_job.h"

typedef struct input_set {
    const char *name;
    test_input *inputs;
    size_t n_inputs;
    size_t capacity;
    size_t n_bytes;
} input_set;

/* Appends n bytes of one kind. Kind and size give the name. */
void input_set_add(input_set *set, int kind, size_t n, uint64_t seed);

/* Empty, one byte, and every length up to 64, of several kinds. */
void input_set_tiny(input_set *set);
/* Zeros, up to 300 KiB: around every power of two and every limit of the format. */
void input_set_zeros(input_set *set);
/* Every kind of tests/support/inputs.h at n_sizes sizes. */
void input_set_kinds(input_set *set, const size_t *sizes, size_t n_sizes);
/* Inputs of several zstd blocks. */
void input_set_long(input_set *set);
/* Random mixtures of random sizes. */
void input_set_random(input_set *set, size_t n_inputs, size_t max_bytes, uint64_t seed);
/* A few small ones of everything, for tools that make a GPU slow. */
void input_set_small(input_set *set);
/* The first blocks of a file, up to max_bytes. False, with a line on standard output, if it cannot
 * be read. */
bool input_set_file(input_set *set, const char *path, size_t max_bytes);

void input_set_free(input_set *set);

#endif
