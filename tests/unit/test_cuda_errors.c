/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each error of CUDA is to rockpress, without CUDA. The classes are written down here once
 * more, by number and from what CUDA's documentation says of each; a device that is lost must never
 * be taken for one that works, nor one that works for lost.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/support/cases.h"

#include "engine/cuda/errors.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define N_ERRORS 2000

/* "The process must be terminated and relaunched": illegal address, launch timeout, assert,
 * hardware stack, illegal instruction, misaligned address, address space, program counter, launch
 * failure, tensor memory, contained and external errors, MPS client terminated. */
static const int sticky[] = {226, 700, 702, 710, 714, 715, 716, 717, 718, 719, 721, 810, 911};

/* Memory of the GPU or its links went wrong, the context or the runtime is gone, nobody knows what
 * happened, or the MPS server is not there any more. */
static const int lost[] = {4, 214, 220, 709, 805, 999};

/* No driver, too old a driver, no GPU, no such GPU, busy, no code for it, or not now. */
static const int unavailable[] = {3,   34,  35,  46,  100, 101, 102, 209,
                                  222, 802, 803, 804, 807, 808, 809};

/* Invalid value and configuration, launch out of resources, not permitted, not supported, not
 * ready, invalid handle, peer access: of one call. */
static const int of_one_call[] = {1,   9,   13,  21,  98,  400, 500, 600,
                                  701, 704, 720, 800, 801, 900, 901};

static void expect(const int *errors, size_t n, rp_status expected)
{
    for (size_t i = 0; i < n; i++) {
        rp_status status = rp_status_of_cuda_error(errors[i]);
        if (status != expected)
            fail_msg("error %d: %s, expected %s", errors[i], rp_status_name(status),
                     rp_status_name(expected));
    }
}

static void test_classes(void **state)
{
    (void)state;
    expect(sticky, COUNT(sticky), RP_STATUS_DEVICE_FAULT);
    expect(lost, COUNT(lost), RP_STATUS_DEVICE_FAULT);
    expect(unavailable, COUNT(unavailable), RP_STATUS_DEVICE_UNAVAILABLE);
    expect(of_one_call, COUNT(of_one_call), RP_STATUS_LAUNCH_FAILED);
    assert_int_equal(rp_status_of_cuda_error(0), RP_STATUS_OK);
    assert_int_equal(rp_status_of_cuda_error(2), RP_STATUS_OUT_OF_DEVICE_MEMORY);
}

/* No other error takes a device away, and none is a success. */
static void test_all_others_are_of_one_call(void **state)
{
    (void)state;
    size_t n[64] = {0};
    for (int error = -1; error < N_ERRORS; error++) {
        rp_status status = rp_status_of_cuda_error(error);
        assert_in_range(status, 0, 63);
        n[status]++;
    }
    assert_int_equal(n[RP_STATUS_OK], 1);
    assert_int_equal(n[RP_STATUS_OUT_OF_DEVICE_MEMORY], 1);
    assert_int_equal(n[RP_STATUS_DEVICE_FAULT], COUNT(sticky) + COUNT(lost));
    assert_int_equal(n[RP_STATUS_DEVICE_UNAVAILABLE], COUNT(unavailable));
    assert_int_equal(n[RP_STATUS_LAUNCH_FAILED],
                     N_ERRORS + 1 - 2 - COUNT(sticky) - COUNT(lost) - COUNT(unavailable));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_all_others_are_of_one_call),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
