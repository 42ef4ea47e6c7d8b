/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs made so that the encoder has to use one corner of the format, which random content
 * reaches rarely or never. The tests check with the strict decoder's statistics that it did.
 */
#ifndef ROCKPRESS_TESTS_DIFFERENTIAL_CONSTRUCTED_H
#define ROCKPRESS_TESTS_DIFFERENTIAL_CONSTRUCTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Matches that repeat one of the last three offsets, or the last one less one, with and without
 * literals in between, mixed with new offsets. */
void constructed_repeat_offsets(uint8_t *bytes, size_t n, uint64_t seed);

/* As many sequences as n bytes can have: after a head of literals, matches of 4 bytes each without
 * literals in between. Up to one zstd block. */
void constructed_short_matches(uint8_t *bytes, size_t n, uint64_t seed);

/* Sequences of 100 literals and a match of 16 bytes: one code for each field, which RLE mode is
 * for. All matches have offset 1, or none of them repeats an offset. */
void constructed_one_code(uint8_t *bytes, size_t n, bool repeat, uint64_t seed);

#endif
