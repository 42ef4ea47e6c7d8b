/* SPDX-License-Identifier: Apache-2.0 */

/* What tests of the strict decoder share. All of it fails the running cmocka test on error. */

#ifndef ROCKPRESS_TESTS_SUPPORT_RFC8878_TESTING_H
#define ROCKPRESS_TESTS_SUPPORT_RFC8878_TESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zstd.h>

#include "rfc8878_cases.h"
#include "rfc8878_decoder.h"

enum {
    RFC8878_TEST_CAPACITY = 1 << 20, /* of buffers for frames and content */
    RFC8878_CASE_BYTES_MAX = 256,    /* no hand-made case is larger */
    RFC8878_N_LIBZSTD_SEEDS = 200,
};

/* malloc(), also for 0 bytes. */
void *rfc8878_test_allocate(size_t n);

/* A copy whose end is the end of its allocation, so that a sanitizer sees any overread. */
uint8_t *rfc8878_test_exact_copy(const void *bytes, size_t n);

/* Strict acceptance, with room for the content and no more, and equal content. */
void rfc8878_test_decodes(const uint8_t *frame, size_t frame_size, const uint8_t *content,
                          size_t content_size, rfc8878_stats *stats);

/* Adds the counters up; not the maxima, nor what describes one frame. */
void rfc8878_test_add_stats(rfc8878_stats *total, const rfc8878_stats *seen);

/* Every feature that libzstd's encoder has was met, else comparing with it is hollow. */
void rfc8878_test_all_seen(const rfc8878_stats *stats);

void rfc8878_test_set_parameter(ZSTD_CCtx *cctx, ZSTD_cParameter parameter, int value);

/* A level, with random checksum, content size and literal compression flags. */
void rfc8878_test_choose_parameters(ZSTD_CCtx *cctx, int level, uint64_t *random);

/* Both return the frame's size; `frame` has RFC8878_TEST_CAPACITY bytes. */
size_t rfc8878_test_compress(ZSTD_CCtx *cctx, uint8_t *frame, const uint8_t *content, size_t n);

/* An unknown size makes libzstd emit a window descriptor and, mostly, more blocks. */
size_t rfc8878_test_compress_streamed(ZSTD_CCtx *cctx, uint8_t *frame, const uint8_t *content,
                                      size_t n, uint64_t *random);

/* Returns the number of bytes. */
size_t rfc8878_test_parse_hex(const char *hex, uint8_t *bytes);

/* Runs the function that the kind is for; `error` has RFC8878_ERROR_BYTES. */
bool rfc8878_test_decode_case(rfc8878_case_kind kind, const uint8_t *bytes, size_t size,
                              char *error);

typedef struct rfc8878_seed {
    uint8_t *bytes; /* from malloc() */
    size_t size;
} rfc8878_seed;

/*
 * Small frames of every kind, from libzstd and from the legal cases: RFC8878_N_LIBZSTD_SEEDS +
 * rfc8878_n_legal_cases of them. Returns that number.
 */
size_t rfc8878_test_make_seeds(rfc8878_seed *seeds, uint64_t *random);

/* Changes a few bytes, deletes or inserts some; room for 3 more. Returns the new size. */
size_t rfc8878_test_mutate(uint8_t *bytes, size_t size, uint64_t *random);

#endif
