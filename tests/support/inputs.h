/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs for tests of the whole encoder: kinds of content that can be made at any size, and
 * random mixtures of runs, copies and symbols. The same arguments give the same bytes on every
 * machine, so a failure is named by its kind, size and seed. No state outside of the arguments;
 * any thread.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_INPUTS_H
#define ROCKPRESS_TESTS_SUPPORT_INPUTS_H

#include <stddef.h>
#include <stdint.h>

/* A random sequence; start it with inputs_seed(). */
typedef struct inputs_random {
    uint64_t state;
} inputs_random;

inputs_random inputs_seed(uint64_t seed);
uint32_t inputs_next(inputs_random *random);
/* 0 to n - 1; n is not 0. */
uint32_t inputs_below(inputs_random *random, uint32_t n);
/* 0 to max, all magnitudes alike. */
uint32_t inputs_magnitude(inputs_random *random, uint32_t max);

typedef enum inputs_kind {
    INPUTS_EQUAL = 0,    /* one byte value */
    INPUTS_TWO_SYMBOLS,  /* two, at random */
    INPUTS_EQUIPROBABLE, /* shuffled permutations of all 256: equal counts, few matches */
    INPUTS_NOISE,        /* incompressible */
    INPUTS_LONG_MATCH,   /* noise, then the same noise again */
    INPUTS_PERIOD_1,     /* a noisy head, then matches that overlap themselves: offset 1 */
    INPUTS_PERIOD_2,     /* and so on */
    INPUTS_PERIOD_3,
    INPUTS_PERIOD_4,
    INPUTS_PERIOD_5,
    INPUTS_PERIOD_6,
    INPUTS_PERIOD_7,
    INPUTS_PERIOD_8,
    INPUTS_PURE_PERIOD_3, /* no head: one sequence makes up the block */
    INPUTS_LITERALS_END,  /* literals that compress but never match, then one match */
    INPUTS_LITERALS_ONLY, /* the same without the match */
    INPUTS_FIBONACCI,     /* counts like Fibonacci numbers: the deepest Huffman trees */
    INPUTS_GEOMETRIC,     /* counts halve from symbol to symbol */
    INPUTS_SPARSE,        /* zeros with rare other bytes */
    INPUTS_RUNS,          /* runs of random length */
    INPUTS_TEXT,          /* words */
    INPUTS_RECORDS,       /* rows of a fixed width with counters and a few random fields */
    INPUTS_HEX,           /* hexadecimal digits: Huffman gains, matches do not */
    INPUTS_KEYS,          /* sorted keys with shared prefixes, varint lengths */
    INPUTS_FAR_COPIES,    /* copies from around 32 KiB and 64 KiB back, and farther */
    INPUTS_MIXED,         /* inputs_fill_random() */
    INPUTS_N_KINDS
} inputs_kind;

const char *inputs_kind_name(inputs_kind kind);

/* Fills n bytes with one kind of content. */
void inputs_fill(inputs_kind kind, uint8_t *bytes, size_t n, uint64_t seed);

/* Fills n bytes with a random mixture: runs, copies from earlier at distances of all magnitudes
 * (often one of the last three again), symbols of skewed alphabets, noise. */
void inputs_fill_random(uint8_t *bytes, size_t n, uint64_t seed);

/* Fills n bytes from n_symbols values (2 to 256) so that no `length` bytes in a row (3 or 4) occur
 * twice, as long as that is possible: n_symbols to the power of length is much more than n. The
 * lazy parse has no shorter match than 4 bytes, the optimal parse none shorter than 3. */
void inputs_fill_unmatched(uint8_t *bytes, size_t n, uint32_t n_symbols, uint32_t length,
                           inputs_random *random);

#endif
