/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One input of 64 MiB and a few bytes: 513 zstd blocks in one frame, of all kinds in turn, so
 * that raw, RLE and compressed blocks follow each other in every order and offsets, sizes and
 * the checksum go beyond what 16 and 24 bits hold.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "tests/support/cases.h"

#include "tests/differential/checker.h"
#include "tests/differential/encoder.h"
#include "tests/support/inputs.h"

static void test_64_mib(void **state)
{
    (void)state;
    size_t n = ((size_t)64 << 20) + 13;
    size_t capacity = rp_compress_bound(n);
    uint8_t *input = malloc(n);
    uint8_t *frame = malloc(capacity);
    assert_non_null(input);
    assert_non_null(frame);
    inputs_random random = inputs_seed(64);
    /* Stretches of a quarter to twice a zstd block: their borders are rarely the blocks'. */
    for (size_t at = 0; at < n;) {
        size_t length = 32768 + inputs_below(&random, 230000);
        length = length < n - at ? length : n - at;
        inputs_fill((inputs_kind)inputs_below(&random, INPUTS_N_KINDS), input + at, length, at);
        at += length;
    }
    test_encoder encoder;
    frame_checker checker = {0};
    size_t frame_bytes;
    encoder_open(&encoder, n);
    assert_int_equal(
        encoder_lane(&encoder, input, n, frame, capacity, &frame_bytes, RP_COMPRESS_CHECKSUM),
        RP_STATUS_OK);
    if (!checker_frame(&checker, input, n, frame, frame_bytes, true))
        fail_msg("%s", checker.error);
    assert_true(checker.stats.n_blocks_raw > 0);
    assert_true(checker.stats.n_blocks_rle > 0);
    assert_true(checker.stats.n_blocks_compressed > 0);
    encoder_close(&encoder);
    checker_free(&checker);
    free(input);
    free(frame);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_64_mib),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
