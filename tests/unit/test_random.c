/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers, with the kernel's and without: getrandom() is the test's. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "tests/support/cases.h"

#include "plugin/core/random.h"

#define N_NUMBERS 200

static bool has_numbers;
static uint64_t from_kernel;
static size_t n_given;

ssize_t getrandom(void *bytes, size_t n_bytes, unsigned flags)
{
    assert_true((flags & GRND_NONBLOCK) != 0);
    if (!has_numbers) {
        memset(bytes, 0, n_given); /* a part of what was asked for */
        errno = EAGAIN;
        return n_given != 0 ? (ssize_t)n_given : -1;
    }
    memcpy(bytes, &from_kernel, n_bytes);
    return (ssize_t)n_bytes;
}

static void test_the_kernels(void **state)
{
    (void)state;
    has_numbers = true;
    from_kernel = UINT64_C(0x123456789ABCDEF0);
    assert_true(rp_random() == from_kernel);
    from_kernel = 0;
    assert_true(rp_random() == 0);
}

static void check_guesses(void)
{
    uint64_t numbers[N_NUMBERS], ones = 0, all = UINT64_MAX;
    errno = 5;
    for (size_t i = 0; i < N_NUMBERS; i++) {
        numbers[i] = rp_random();
        ones |= numbers[i];
        all &= numbers[i];
        for (size_t k = 0; k < i; k++)
            assert_true(numbers[i] != numbers[k]);
    }
    assert_int_equal(errno, 5);
    /* Each bit is 0 in some and 1 in others. */
    assert_true(ones == UINT64_MAX);
    assert_true(all == 0);
}

static void test_without_them(void **state)
{
    (void)state;
    has_numbers = false;
    n_given = 0;
    check_guesses();
    n_given = 4;
    check_guesses();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_kernels),
        cmocka_unit_test(test_without_them),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
