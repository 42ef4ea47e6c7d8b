/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main() of a program of cmocka test cases, and cmocka itself with the headers that it needs.
 *
 *   test_x                        all cases
 *   test_x PATTERN                the cases whose name matches, as a shell matches names of files
 *   test_x --without PATTERN      all others
 *
 * ctest sees processes, not cases. So a case that may have to be skipped is registered as a test of
 * its own, by its name, and the others with --without: a program of which some cases were skipped
 * and others ran has failed, because it would count as passed. tests/hygiene/cases.sh keeps
 * cmocka's own functions for both out of the other files.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_CASES_H
#define ROCKPRESS_TESTS_SUPPORT_CASES_H

#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/exit_status.h"

/* How many cases of this program have called skip_case(). */
static size_t n_cases_skipped;

/* Ends the running case as skipped. */
static inline void skip_case(const char *reason)
{
    printf("skipped: %s\n", reason);
    n_cases_skipped++;
    skip();
}

/*
 * Runs the cases that the arguments select. Returns what main() returns: 0 if all passed, 1 if one
 * failed or only some were skipped, 2 if the arguments are wrong or select nothing, EXIT_SKIPPED if
 * all were skipped.
 */
static inline int run_cases(int argc, char **argv, const struct CMUnitTest *cases, size_t n_cases,
                            CMFixtureFunction set_up, CMFixtureFunction tear_down)
{
    const bool without = argc == 3 && strcmp(argv[1], "--without") == 0;
    if (argc > 2 && !without) {
        fprintf(stderr, "usage: %s [PATTERN | --without PATTERN]\n", argv[0]);
        return 2;
    }
    struct CMUnitTest *selected = malloc((n_cases + 1) * sizeof(*selected));
    size_t n_selected = 0;
    for (size_t i = 0; selected != NULL && i < n_cases; i++) {
        if (argc == 1 || (fnmatch(argv[argc - 1], cases[i].name, 0) == 0) != without)
            selected[n_selected++] = cases[i];
    }
    if (n_selected == 0) {
        fprintf(stderr, "%s: no case is selected\n", argv[0]);
        free(selected);
        return 2;
    }
    int n_failed = _cmocka_run_group_tests(argv[0], selected, n_selected, set_up, tear_down);
    free(selected);
    if (n_failed != 0)
        return 1;
    if (n_cases_skipped != 0 && n_cases_skipped != n_selected) {
        fprintf(stderr, "%s: %zu of %zu cases were skipped: these need a test of their own\n",
                argv[0], n_cases_skipped, n_selected);
        return 1;
    }
    return n_cases_skipped != 0 ? EXIT_SKIPPED : 0;
}

#define RUN_CASES(argc, argv, cases, set_up, tear_down)                                            \
    run_cases(argc, argv, cases, sizeof(cases) / sizeof((cases)[0]), set_up, tear_down)

#endif
