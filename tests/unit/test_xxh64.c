/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels' XXH64 against libxxhash: every length up to 1000 at every alignment of 8, so that
 * tails of 32, 8, 4 and 1 bytes occur in all combinations, and large inputs.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"
#include <xxhash.h>

#include "kernels/base/xxh64.h"
#include "tests/support/inputs.h"

#define LARGEST ((size_t)3 << 20)

/* By one worker, and by lanes as a team has them. */
static bool same_hash(const uint8_t *bytes, size_t n)
{
    uint64_t expected = XXH64(bytes, n, 0);
    uint64_t lanes[RP_XXH_LANES];
    for (uint32_t lane = 0; lane < RP_XXH_LANES; lane++)
        lanes[lane] = rp_xxh64_lane(bytes, n / RP_XXH_STRIPE_BYTES, lane);
    return rp_xxh64(bytes, n) == expected && rp_xxh64_end(lanes, bytes, n) == expected;
}

static void test_against_libxxhash(void **state)
{
    (void)state;
    uint8_t *bytes = malloc(LARGEST + 8);
    assert_non_null(bytes);
    inputs_fill(INPUTS_NOISE, bytes, LARGEST + 8, 1);
    for (size_t n = 0; n <= 1000; n++) {
        for (size_t shift = 0; shift < 8; shift++)
            assert_true(same_hash(bytes + shift, n));
    }
    for (size_t n = 1000; n < LARGEST; n = n * 5 / 4 + 1)
        assert_true(same_hash(bytes, n));
    assert_true(same_hash(bytes, LARGEST));
    /* Extreme bytes, for carries and signs. */
    memset(bytes, 0xFF, 4096);
    for (size_t n = 0; n <= 300; n++)
        assert_true(same_hash(bytes, n));
    memset(bytes, 0, 4096);
    for (size_t n = 0; n <= 300; n++)
        assert_true(same_hash(bytes, n));
    free(bytes);
}

/* Reads no byte after the input. AddressSanitizer sees it, since the allocation has the input's
 * size. */
static void test_reads_only_the_input(void **state)
{
    (void)state;
    for (size_t n = 1; n < 100; n++) {
        uint8_t *bytes = malloc(n);
        assert_non_null(bytes);
        memset(bytes, (int)n, n);
        assert_true(same_hash(bytes, n));
        free(bytes);
    }
    assert_true(same_hash(NULL, 0));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_libxxhash),
        cmocka_unit_test(test_reads_only_the_input),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
