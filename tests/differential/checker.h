/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checker of a frame: what every frame of rockpress has to fulfil, whatever the input.
 *
 * Two decoders that share no code have to restore the input: libzstd, because it is what reads
 * the data later, and the strict decoder, because libzstd accepts more than RFC 8878 allows. The
 * checker knows nothing of the encoder but the public API, and nothing of the test framework, so
 * that fuzzers use it too.
 */
#ifndef ROCKPRESS_TESTS_DIFFERENTIAL_CHECKER_H
#define ROCKPRESS_TESTS_DIFFERENTIAL_CHECKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/rfc8878_decoder.h"

/* Zero-initialise before first use; release with checker_free(). One thread at a time. */
typedef struct frame_checker {
    uint8_t *decoded; /* room for the largest input so far */
    size_t capacity;
    rfc8878_stats stats; /* of the last frame */
    rfc8878_stats seen;  /* sums, and maxima for max_*, over all frames */
    size_t n_frames;
    char error[512]; /* why the last frame was rejected */
} frame_checker;

void checker_free(frame_checker *checker);

/* False, with the reason in checker->error, if the frame is not a correct one of the input. */
bool checker_frame(frame_checker *checker, const void *input, size_t input_size, const void *frame,
                   size_t frame_size, bool checksum);

/*
 * Names of the format's features that no frame had so far, separated by ", "; empty if all that
 * rockpress emits were there. Not expected: treeless literals and repeated tables, which blocks
 * that are encoded apart cannot have (checker_frame() rejects them), and RLE literals inside a
 * compressed block: a block whose literals are all alike is all alike itself, and an RLE block.
 */
const char *checker_unseen(frame_checker *checker);

#endif
