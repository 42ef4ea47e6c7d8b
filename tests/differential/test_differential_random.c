/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of random inputs from fixed seeds: mixtures of runs, copies from all distances and
 * skewed symbols, each with habits of its own, most of them small. Constructed inputs reach the
 * corners that somebody thought of; these are for the others. With an argument, that many
 * inputs from the second argument on: for a longer search, and to repeat one failure.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "tests/support/cases.h"

#include "tests/differential/checker.h"
#include "tests/differential/constructed.h"
#include "tests/differential/encoder.h"
#include "tests/support/inputs.h"

#define LARGEST 300000

static uint64_t n_inputs = 6000;
static uint64_t first_seed = 1;

/* Mostly small: small blocks are where headers, tables and limits meet. */
static size_t choose_size(inputs_random *random, uint64_t seed)
{
    if (seed % 50 == 0)
        return inputs_below(random, LARGEST + 1);
    if (seed % 5 == 0)
        return inputs_magnitude(random, LARGEST);
    return inputs_magnitude(random, 20000);
}

static void test_random_structure(void **state)
{
    (void)state;
    test_encoder encoder;
    frame_checker checker = {0};
    uint8_t *input = malloc(LARGEST);
    size_t capacity = rp_compress_bound(LARGEST);
    uint8_t *frame = malloc(capacity);
    assert_non_null(input);
    assert_non_null(frame);
    encoder_open(&encoder, LARGEST);
    for (uint64_t seed = first_seed; seed < first_seed + n_inputs; seed++) {
        inputs_random random = inputs_seed(~seed);
        size_t n = choose_size(&random, seed);
        if (seed % 16 == 0)
            constructed_repeat_offsets(input, n, seed);
        else
            inputs_fill_random(input, n, seed);
        size_t frame_bytes;
        uint32_t flags = seed & 1 ? RP_COMPRESS_CHECKSUM : 0;
        rp_status status = encoder_lane(&encoder, input, n, frame, capacity, &frame_bytes, flags);
        if (status != RP_STATUS_OK)
            fail_msg("seed %llu: %s", (unsigned long long)seed, rp_status_name(status));
        if (!checker_frame(&checker, input, n, frame, frame_bytes, flags != 0))
            fail_msg("seed %llu, %zu bytes: %s", (unsigned long long)seed, n, checker.error);
    }
    encoder_close(&encoder);
    checker_free(&checker);
    free(input);
    free(frame);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        n_inputs = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_structure),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
