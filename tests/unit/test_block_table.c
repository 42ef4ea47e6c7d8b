/* SPDX-License-Identifier: Apache-2.0 */
/* Fingerprints of blocks: that nobody who does not know the key can make them collide, and that
 * they distinguish blocks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "plugin/batch/block_table.h"

#define N_BLOCKS 400
#define BLOCK_BYTES 4096
#define SMALL_BYTES 100

static uint8_t block[BLOCK_BYTES];
static uint64_t fingerprints[N_BLOCKS];

static void make_block(uint64_t number)
{
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (uint8_t)(i * i >> 4);
    memcpy(block, &number, sizeof(number));
}

static void check_distinct(void)
{
    for (size_t i = 0; i < N_BLOCKS; i++) {
        for (size_t k = 0; k < i; k++)
            assert_true(fingerprints[i] != fingerprints[k]);
    }
}

static void test_key_of_the_process(void **state)
{
    (void)state;
    uint64_t sizes[2][3];
    for (int i = 0; i < 2; i++) {
        rp_block_table_setup();
        make_block(1);
        sizes[i][0] = rp_block_table_fingerprint(block, BLOCK_BYTES);
        sizes[i][1] = rp_block_table_fingerprint(block, SMALL_BYTES);
        sizes[i][2] = rp_block_table_fingerprint(block, 0);
        assert_true(sizes[i][0] == rp_block_table_fingerprint(block, BLOCK_BYTES));
    }
    for (int i = 0; i < 3; i++)
        assert_true(sizes[0][i] != sizes[1][i]);
}

/* Blocks with a word at the end that makes the last product 0, if the key is the one that stands in
 * the source: all had the fingerprint 0. */
static void test_chosen_blocks(void **state)
{
    (void)state;
    static const uint64_t constants[] = {UINT64_C(0x9E3779B97F4A7C15), UINT64_C(0xB504F333F9DE6485),
                                         0, UINT64_MAX};
    rp_block_table_setup();
    for (size_t c = 0; c < sizeof(constants) / sizeof(constants[0]); c++) {
        for (uint64_t i = 0; i < N_BLOCKS; i++) {
            make_block(i);
            memcpy(block + BLOCK_BYTES - 8, &constants[c], 8);
            memcpy(block + 40, &constants[c], 8);
            fingerprints[i] = rp_block_table_fingerprint(block, BLOCK_BYTES);
        }
        check_distinct();
    }
}

/* All that is looked at counts: the first key, the end and the size. */
static void test_what_differs(void **state)
{
    (void)state;
    rp_block_table_setup();
    for (uint64_t i = 0; i < N_BLOCKS; i++) {
        make_block(1);
        size_t n_bytes = BLOCK_BYTES;
        if (i < 48)
            block[i] ^= 1;
        else if (i < 64)
            block[BLOCK_BYTES - 1 - (i - 48)] ^= 1;
        else
            n_bytes -= i;
        fingerprints[i] = rp_block_table_fingerprint(block, n_bytes);
    }
    check_distinct();
    for (uint64_t i = 0; i < SMALL_BYTES; i++) {
        make_block(1);
        block[i] ^= 1;
        fingerprints[i] = rp_block_table_fingerprint(block, SMALL_BYTES);
        for (uint64_t k = 0; k < i; k++)
            assert_true(fingerprints[i] != fingerprints[k]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_of_the_process),
        cmocka_unit_test(test_chosen_blocks),
        cmocka_unit_test(test_what_differs),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
