/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests that each need a process of their own, because a process reads its configuration once,
 * opens its device once, and keeps a device that it has lost. Each scenario runs in a forked child
 * and returns whether all was well (check.h).
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_SCENARIOS_H
#define ROCKPRESS_TESTS_SUPPORT_SCENARIOS_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/exit_status.h"

typedef struct scenario {
    const char *name;
    bool (*run)(void);
} scenario;

/* clang-format would put the braces on lines of their own. */
/* clang-format off */
#define SCENARIO(function) {#function, function}
/* clang-format on */

/*
 * Runs them one after the other and prints a line for each. A child that takes longer than
 * max_seconds is ended; 0 sets no limit. A child that exits with EXIT_SKIPPED ends the run, as what
 * it lacks the others lack, too. Returns what main() returns: 0, 1, or EXIT_SKIPPED.
 */
int run_scenarios(const scenario *scenarios, size_t n_scenarios, unsigned max_seconds);

#define RUN_SCENARIOS(scenarios, max_seconds)                                                      \
    run_scenarios(scenarios, sizeof(scenarios) / sizeof((scenarios)[0]), max_seconds)

/* run(argument) in a forked child: its exit status, 0 if run() returned true; 1 after a signal. */
int run_in_child(bool (*run)(int), int argument, unsigned max_seconds);

#endif
