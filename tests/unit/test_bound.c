/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rp_compress_bound() and rp_workspace_size(), at their limits and beyond; and the names and
 * sentences of statuses and efforts. That the bound holds for real frames is the differential
 * tests' business.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/support/cases.h"
#include <zstd.h>

#include "rockpress/engine.h"

static void test_bound_limits(void **state)
{
    (void)state;
    assert_int_equal(rp_compress_bound(RP_MAX_INPUT_BYTES + 1), 0);
    assert_int_equal(rp_compress_bound(SIZE_MAX), 0);
    assert_true(rp_compress_bound(RP_MAX_INPUT_BYTES) > RP_MAX_INPUT_BYTES);
    /* The largest frame of a raw block: magic, descriptor, content size, block header, checksum. */
    assert_true(rp_compress_bound(0) >= 4 + 1 + 1 + 3 + 4);
    /* Beyond 8 MiB the header has a byte more. */
    const size_t segment = (size_t)8 << 20;
    assert_int_equal(rp_compress_bound(segment), segment + 4 + 1 + 4 + 64 * 3 + 4);
    assert_int_equal(rp_compress_bound(segment + 1), segment + 1 + 4 + 2 + 4 + 65 * 3 + 4);
}

/* RocksDB sizes its buffers with ZSTD_compressBound(). */
static void test_bound_is_within_that_of_zstd(void **state)
{
    (void)state;
    size_t before = 0;
    for (size_t n = 0; n <= RP_MAX_INPUT_BYTES; n = n < 600000 ? n + 1 : n + n / 1000) {
        size_t bound = rp_compress_bound(n);
        if (bound > ZSTD_compressBound(n) || bound < n + 13 || bound <= before)
            fail_msg("%zu bytes: bound %zu, of zstd %zu, of fewer bytes %zu", n, bound,
                     ZSTD_compressBound(n), before);
        before = bound;
    }
    assert_true(rp_compress_bound(RP_MAX_INPUT_BYTES) <= ZSTD_compressBound(RP_MAX_INPUT_BYTES));
}

static void test_effort_names(void **state)
{
    (void)state;
    assert_string_equal(rp_effort_name(RP_EFFORT_FAST), "fast");
    assert_string_equal(rp_effort_name(RP_EFFORT_DEFAULT), "default");
    assert_string_equal(rp_effort_name(RP_EFFORT_HIGH), "high");
    assert_string_equal(rp_effort_name(RP_EFFORT_MAX), "max");
    for (int effort = -1000; effort <= 1000; effort++) {
        const char *name = rp_effort_name((rp_effort)effort);
        assert_true((name != NULL) == (effort >= RP_EFFORT_FAST && effort <= RP_EFFORT_MAX));
        /* What has no name has no workspace. */
        assert_true((rp_workspace_size(4096, 1, (rp_effort)effort) != 0) == (name != NULL));
    }
}

static void test_status_names(void **state)
{
    (void)state;
#define STATUS(status)                                                                             \
    {                                                                                              \
        status, #status                                                                            \
    }
    static const struct {
        rp_status status;
        const char *name;
    } statuses[] = {
        STATUS(RP_STATUS_OK),
        STATUS(RP_STATUS_NULL_POINTER),
        STATUS(RP_STATUS_INVALID_STREAM),
        STATUS(RP_STATUS_INVALID_EFFORT),
        STATUS(RP_STATUS_INVALID_FLAGS),
        STATUS(RP_STATUS_INPUT_TOO_LARGE),
        STATUS(RP_STATUS_INVALID_BATCH_SIZE),
        STATUS(RP_STATUS_WORKSPACE_MISALIGNED),
        STATUS(RP_STATUS_WORKSPACE_TOO_SMALL),
        STATUS(RP_STATUS_INVALID_OPTION),
        STATUS(RP_STATUS_UNKNOWN_DEVICE),
        STATUS(RP_STATUS_OVERLAP),
        STATUS(RP_STATUS_INVALID_STRUCT_SIZE),
        STATUS(RP_STATUS_INVALID_LANE),
        STATUS(RP_STATUS_OUTPUT_TOO_SMALL),
        STATUS(RP_STATUS_POOL_EXHAUSTED),
        STATUS(RP_STATUS_OUT_OF_HOST_MEMORY),
        STATUS(RP_STATUS_OUT_OF_DEVICE_MEMORY),
        STATUS(RP_STATUS_DEVICE_UNAVAILABLE),
        STATUS(RP_STATUS_LAUNCH_FAILED),
        STATUS(RP_STATUS_TIMEOUT),
        STATUS(RP_STATUS_DEVICE_FAULT),
        STATUS(RP_STATUS_INTERNAL),
        STATUS(RP_STATUS_VERIFICATION_FAILED),
    };
    size_t n_named = 0;
    for (int value = -100; value <= 1000; value++)
        n_named += strcmp(rp_status_name((rp_status)value), "RP_STATUS_UNKNOWN") != 0;
    /* A status that is missing above, or in the library, makes these differ. */
    assert_int_equal(n_named, sizeof(statuses) / sizeof(statuses[0]));
    for (size_t i = 0; i < n_named; i++) {
        assert_string_equal(rp_status_name(statuses[i].status), statuses[i].name);
        const char *sentence = rp_status_string(statuses[i].status);
        assert_true(strlen(sentence) > 5);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(sentence, rp_status_string(statuses[k].status));
    }
    assert_string_equal(rp_status_name((rp_status)31), "RP_STATUS_UNKNOWN");
    assert_non_null(rp_status_string((rp_status)31));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound_limits),
        cmocka_unit_test(test_bound_is_within_that_of_zstd),
        cmocka_unit_test(test_effort_names),
        cmocka_unit_test(test_status_names),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
