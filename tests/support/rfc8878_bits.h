/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The two ways in which the format reads bits: forward (FSE table descriptions) and backward
 * (everything entropy-coded). Neither ever gives a bit that is not in the buffer.
 */

#ifndef ROCKPRESS_TESTS_SUPPORT_RFC8878_BITS_H
#define ROCKPRESS_TESTS_SUPPORT_RFC8878_BITS_H

#include "rfc8878_report.h"

typedef struct rfc8878_forward_bits {
    const uint8_t *bytes;
    size_t size;     /* bytes */
    size_t position; /* bits taken so far */
} rfc8878_forward_bits;

/* Takes n <= 32 bits; false, and nothing taken, if fewer are left. */
bool rfc8878_take_forward(rfc8878_forward_bits *bits, unsigned n, uint32_t *value);

typedef struct rfc8878_backward_bits {
    const uint8_t *bytes;
    size_t n_left; /* useful bits not yet taken: bits 0 to n_left - 1 of `bytes` */
} rfc8878_backward_bits;

/* Finds the final-bit flag of a backward bitstream that is the whole of src[0..size). */
bool rfc8878_open_backward(const rfc8878_report *report, const char *section, const uint8_t *src,
                           size_t size, rfc8878_backward_bits *bits);

/* Takes n <= 32 bits; false, and nothing taken, if fewer are left. */
bool rfc8878_take_backward(rfc8878_backward_bits *bits, unsigned n, uint32_t *value);

/* The next n <= 32 bits, followed by zeros where the stream has fewer. */
uint32_t rfc8878_peek_backward(const rfc8878_backward_bits *bits, unsigned n);

/* Where a message about the next bit should point. */
const uint8_t *rfc8878_backward_at(const rfc8878_backward_bits *bits);

#endif
