/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CHECK for functions that return whether all is well: the first condition that does not hold is
 * printed, and the function returns false. For tests that run in forked children or carry no test
 * library; cmocka's own assertions do the same for the others.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_CHECK_H
#define ROCKPRESS_TESTS_SUPPORT_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "rockpress/status.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            return false;                                                                          \
        }                                                                                          \
    } while (0)

/* The same for a status; the message names both. */
#define CHECK_STATUS(expression, expected)                                                         \
    do {                                                                                           \
        rp_status status_ = (expression);                                                          \
        if (status_ != (expected)) {                                                               \
            fprintf(stderr, "%s:%d: %s: %s, expected %s\n", __FILE__, __LINE__, #expression,       \
                    rp_status_name(status_), rp_status_name(expected));                            \
            return false;                                                                          \
        }                                                                                          \
    } while (0)

#endif
