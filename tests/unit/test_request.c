/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests: whether input and output overlap, also where a range ends beyond the largest address,
 * which a comparison of ends gets wrong; and the effort of each zstd level.
 */
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/cases.h"

#include "plugin/core/request.h"

static bool overlaps(uintptr_t input, size_t input_size, uintptr_t output, size_t capacity)
{
    rp_request request = {(const void *)input, input_size, (void *)output, capacity, 3, false};

    return rp_request_overlaps(&request);
}

static void test_overlap(void **state)
{
    (void)state;
    assert_false(overlaps(1000, 100, 1100, 100));
    assert_false(overlaps(1100, 100, 1000, 100));
    assert_true(overlaps(1000, 101, 1100, 100));
    assert_true(overlaps(1100, 100, 1000, 101));
    assert_true(overlaps(1000, 100, 1000, 1));
    assert_true(overlaps(1000, 1, 1000, 100));
    assert_true(overlaps(1000, 1000, 1500, 10));
    assert_true(overlaps(1500, 10, 1000, 1000));
}

static void test_nothing_overlaps_no_bytes(void **state)
{
    (void)state;
    assert_false(overlaps(1000, 0, 1000, 100));
    assert_false(overlaps(1050, 0, 1000, 100));
    assert_false(overlaps(1000, 100, 1000, 0));
    assert_false(overlaps(1000, 100, 1050, 0));
}

static void test_overlap_at_the_largest_address(void **state)
{
    (void)state;
    /* A capacity of "all there is". */
    assert_true(overlaps(1000, 100, 500, SIZE_MAX));
    assert_false(overlaps(1000, 100, 1100, SIZE_MAX));
    assert_true(overlaps(1000, 101, 1100, SIZE_MAX));
    assert_true(overlaps(1000, SIZE_MAX, 1100, SIZE_MAX));
    /* The last bytes of the address space. */
    assert_true(overlaps(UINTPTR_MAX - 9, 10, UINTPTR_MAX, 1));
    assert_true(overlaps(UINTPTR_MAX, 1, UINTPTR_MAX - 9, 10));
    assert_false(overlaps(UINTPTR_MAX - 9, 9, UINTPTR_MAX, 1));
    assert_false(overlaps(UINTPTR_MAX - 9, 10, 1000, 100));
    assert_false(overlaps(1000, 100, UINTPTR_MAX - 9, 10));
}

static void test_efforts_of_levels(void **state)
{
    static const struct {
        int level;
        rp_effort effort;
    } cases[] = {
        {INT_MIN, RP_EFFORT_FAST}, {-1, RP_EFFORT_FAST}, {0, RP_EFFORT_DEFAULT},
        {1, RP_EFFORT_FAST},       {2, RP_EFFORT_FAST},  {3, RP_EFFORT_DEFAULT},
        {5, RP_EFFORT_DEFAULT},    {6, RP_EFFORT_HIGH},  {9, RP_EFFORT_HIGH},
        {10, RP_EFFORT_MAX},       {22, RP_EFFORT_MAX},  {INT_MAX, RP_EFFORT_MAX},
    };
    rp_plugin_config config = {.effort = RP_PLUGIN_EFFORT_AUTO};
    rp_compress_options options;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(rp_request_effort(cases[i].level), cases[i].effort);
        rp_request_options(&config, cases[i].level, true, &options);
        assert_int_equal(options.effort, cases[i].effort);
        assert_int_equal(options.flags, RP_COMPRESS_CHECKSUM);
    }
    config.effort = RP_EFFORT_HIGH;
    rp_request_options(&config, 1, false, &options);
    assert_int_equal(options.effort, RP_EFFORT_HIGH);
    assert_int_equal(options.flags, 0);
    config.checksum = RP_CHECKSUM_ON;
    rp_request_options(&config, 1, false, &options);
    assert_int_equal(options.flags, RP_COMPRESS_CHECKSUM);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_nothing_overlaps_no_bytes),
        cmocka_unit_test(test_overlap_at_the_largest_address),
        cmocka_unit_test(test_efforts_of_levels),
    };

    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
