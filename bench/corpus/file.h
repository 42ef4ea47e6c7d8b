/* SPDX-License-Identifier: Apache-2.0 */
/* What the corpus library's files share: errors, growing arrays, whole files. */
#ifndef ROCKPRESS_BENCH_CORPUS_FILE_H
#define ROCKPRESS_BENCH_CORPUS_FILE_H

#include <stdbool.h>

#include "bench/corpus/corpus.h"

/* Fills *error (nullable) and returns `status`. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
corpus_status
corpus_fail(corpus_error *error, corpus_status status, const char *format, ...);

/* Gives an array from malloc a capacity of at least `needed` elements. Without memory: false, and
 * the array stays as it was. */
bool corpus_grow(void **array, size_t *capacity, size_t needed, size_t element);

/* A whole file in memory from malloc. *bytes is NULL and *size 0 on failure. */
corpus_status corpus_read_file(const char *path, unsigned char **bytes, size_t *size,
                               corpus_error *error);

/* corpus_generate() for CORPUS_RANDOM, with arguments that are in range and an empty *out. */
corpus_status corpus_random(size_t block_bytes, size_t max_total_bytes, uint64_t seed,
                            corpus_blocks *out, corpus_error *error);

#endif
