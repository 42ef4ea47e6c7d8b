/* SPDX-License-Identifier: Apache-2.0 */

/* Reproducible random content for tests of encoders and decoders. */

#ifndef ROCKPRESS_TESTS_SUPPORT_RFC8878_SAMPLES_H
#define ROCKPRESS_TESTS_SUPPORT_RFC8878_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zstd.h> /* define ZSTD_STATIC_LINKING_ONLY before, for ZSTD_Sequence */

/* `state` is any value but 0; the sequence is the same on every machine. */
uint32_t rfc8878_next_random(uint64_t *state);

/* 0 to n - 1, all alike. */
uint32_t rfc8878_random_below(uint64_t *state, uint32_t n);

/* 0 to max, all magnitudes about alike. */
uint32_t rfc8878_random_magnitude(uint64_t *state, uint32_t max);

/* Kinds of content. Each one makes an encoder choose something else. */
enum {
    RFC8878_ZEROS,
    RFC8878_NOISE,
    RFC8878_WORDS,
    RFC8878_SKEWED, /* each letter half as frequent as the one before: long Huffman codes */
    RFC8878_RECORDS,
    RFC8878_TWO_SYMBOLS,
    RFC8878_ALPHABET, /* 200 symbols, few matches */
    RFC8878_MIXED,    /* stretches of the others */
    RFC8878_N_KINDS,
};

void rfc8878_fill(uint8_t *bytes, size_t n, unsigned kind, uint64_t *random);

/*
 * Content made by executing random sequences, so that all offsets and lengths occur, with those
 * sequences and explicit block delimiters every 128 KiB.
 *
 * content:   n bytes.
 * sequences: room for n.
 * dense:     only the shortest matches, with at most one literal.
 * Returns the number of sequences, delimiters included.
 */
size_t rfc8878_random_sequences(uint8_t *content, size_t n, ZSTD_Sequence *sequences, bool dense,
                                uint64_t *random);

#endif
