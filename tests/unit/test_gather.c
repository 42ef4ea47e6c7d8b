/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files may be gathered for a batch, by the memory that those of their kind took before. Each
 * test ends the files that it began, and has kinds of its own: what is known of a kind is kept for
 * as long as the process lives.
 */
#include <stddef.h>
#include <stdint.h>

#include "tests/support/cases.h"

#include "plugin/batch/gather.h"
#include "rockpress/plugin.h"

#define MIB ((size_t)1 << 20)
#define LIMIT (1024 * MIB)

static uint64_t n_kept_out(void)
{
    return rp_stats_value(RP_STAT_FILES_WITHOUT_MEMORY, 0);
}

/* A whole file of that size, alone. Returns whether it was let in. */
static bool one_file(uint32_t kind, size_t bytes)
{
    size_t counted = rp_gather_begin(kind, SIZE_MAX, LIMIT);
    size_t most = rp_gather_most_samples(LIMIT);

    if (counted == 0)
        return false;
    rp_gather_end(rp_gather_shown(kind, counted, bytes < most ? bytes : most, LIMIT));
    return true;
}

static void test_size_is_learnt(void **state)
{
    uint32_t kind = 1;
    size_t counted;

    (void)state;
    /* Unknown: an eighth of the limit. */
    counted = rp_gather_begin(kind, SIZE_MAX, LIMIT);
    assert_int_equal(counted, LIMIT / 8);
    counted = rp_gather_shown(kind, counted, 64 * MIB, LIMIT);
    assert_int_equal(counted, 64 * MIB);
    rp_gather_end(counted);
    counted = rp_gather_begin(kind, SIZE_MAX, LIMIT);
    assert_int_equal(counted, 64 * MIB);
    /* A larger one is remembered at once, a smaller one takes little off. */
    rp_gather_end(rp_gather_shown(kind, counted, 100 * MIB, LIMIT));
    assert_true(one_file(kind, 4 * MIB));
    counted = rp_gather_begin(kind, SIZE_MAX, LIMIT);
    assert_int_equal(counted, 97 * MIB);
    rp_gather_end(counted);
}

static void test_sum_is_bounded(void **state)
{
    size_t counted[16], sum = 0;
    uint64_t kept_out = n_kept_out();
    uint32_t kind = 2, n = 0;

    (void)state;
    assert_true(one_file(kind, 64 * MIB));
    while (n < 16 && (counted[n] = rp_gather_begin(kind, SIZE_MAX, LIMIT)) != 0)
        sum += counted[n++];
    assert_int_equal(n, 8);
    assert_int_equal(sum, LIMIT / 2);
    assert_int_equal(n_kept_out(), kept_out + 1);
    /* A file that is smaller than expected makes room when its samples are there. */
    counted[0] = rp_gather_shown(kind, counted[0], 1, LIMIT);
    assert_int_equal(rp_gather_begin(kind, 60 * MIB, LIMIT), 60 * MIB);
    rp_gather_end(60 * MIB);
    while (n > 0)
        rp_gather_end(counted[--n]);
    assert_true(one_file(kind, 64 * MIB));
}

static void test_more_than_there_is_room_for(void **state)
{
    uint32_t kind = 3;
    unsigned n_out = 0;

    (void)state;
    /* The first one can not be known. */
    assert_true(one_file(kind, 900 * MIB));
    while (n_out < 10000 && !one_file(kind, 900 * MIB))
        n_out++;
    assert_in_range(n_out, 300, 1500);
    assert_false(one_file(kind, 900 * MIB));
    /* One that has a limit of its own is let in. */
    assert_int_equal(rp_gather_begin(kind, 32 * MIB, LIMIT), 32 * MIB);
    rp_gather_end(32 * MIB);
    /* Other kinds have nothing to do with it. */
    assert_true(one_file(4, 64 * MIB));
}

static void test_no_limit_of_its_own(void **state)
{
    uint64_t kept_out = n_kept_out();

    (void)state;
    assert_int_equal(rp_gather_begin(5, 0, LIMIT), 0);
    assert_int_equal(rp_gather_begin(5, 10, 0), 0);
    assert_int_equal(n_kept_out(), kept_out + 2);
    assert_int_equal(rp_gather_begin(5, 10, LIMIT), 10);
    rp_gather_end(10);
}

static void test_kinds(void **state)
{
    (void)state;
    assert_int_equal(rp_gather_kind("default", 7, 1), rp_gather_kind("default", 7, 1));
    assert_int_not_equal(rp_gather_kind("default", 7, 1), rp_gather_kind("default", 7, 2));
    assert_int_not_equal(rp_gather_kind("default", 7, 1), rp_gather_kind("default", 6, 1));
    for (uint32_t i = 0; i < 1000; i++)
        assert_in_range(rp_gather_kind(NULL, 0, i), 0, 255);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_is_learnt),
        cmocka_unit_test(test_sum_is_bounded),
        cmocka_unit_test(test_more_than_there_is_room_for),
        cmocka_unit_test(test_no_limit_of_its_own),
        cmocka_unit_test(test_kinds),
    };

    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
