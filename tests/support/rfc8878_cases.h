/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Hand-made inputs for decoders: one that breaks each rule of the format document that the strict
 * decoder enforces, and ones that look wrong but are legal.
 *
 * Bytes are hexadecimal, with spaces where fields begin.
 */

#ifndef ROCKPRESS_TESTS_SUPPORT_RFC8878_CASES_H
#define ROCKPRESS_TESTS_SUPPORT_RFC8878_CASES_H

#include <stdbool.h>
#include <stddef.h>

/* Which function of rfc8878_decoder.h the input is for. */
typedef enum rfc8878_case_kind {
    RFC8878_CASE_FRAME,
    RFC8878_CASE_LITERALS,
    RFC8878_CASE_SEQUENCES,
    RFC8878_CASE_WEIGHTS,
    RFC8878_CASE_LITERALS_LENGTH_TABLE, /* FSE table with the limits of that field */
    RFC8878_CASE_OFFSET_TABLE,
    RFC8878_CASE_MATCH_LENGTH_TABLE,
} rfc8878_case_kind;

typedef struct rfc8878_broken_case {
    rfc8878_case_kind kind;
    const char *name;
    const char *hex;
    const char *error; /* the whole message expected from the strict decoder */
} rfc8878_broken_case;

/* A frame. */
typedef struct rfc8878_legal_case {
    const char *name;
    const char *hex;
    const char *content_hex; /* its last byte repeats up to content_size; NULL: what libzstd says */
    size_t content_size;
    bool libzstd_rejects; /* a known flaw or limit of libzstd 1.5.4 */
} rfc8878_legal_case;

extern const rfc8878_broken_case rfc8878_broken_cases[];
extern const size_t rfc8878_n_broken_cases;
extern const rfc8878_legal_case rfc8878_legal_cases[];
extern const size_t rfc8878_n_legal_cases;

#endif
