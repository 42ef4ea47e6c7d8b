/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effort that a test runs at: the one that the variable TEST_EFFORT names, else the default
 * one. The same program is registered once for each effort.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_EFFORT_H
#define ROCKPRESS_TESTS_SUPPORT_EFFORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rockpress/engine.h"

static inline rp_effort test_effort(void)
{
    const char *wanted = getenv("TEST_EFFORT");
    if (wanted == NULL)
        return RP_EFFORT_DEFAULT;
    for (int effort = RP_EFFORT_FAST; effort <= RP_EFFORT_MAX; effort++) {
        if (strcmp(rp_effort_name((rp_effort)effort), wanted) == 0)
            return (rp_effort)effort;
    }
    fprintf(stderr, "TEST_EFFORT is '%s'; allowed: fast, default, high, max\n", wanted);
    abort();
}

#endif
