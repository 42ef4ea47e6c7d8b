/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scenarios.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child returns, EXIT_SKIPPED from its own exit() included. */
static int status_of(pid_t child)
{
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 1;
    if (WIFSIGNALED(status))
        printf("signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Without this, what is in the buffer would be printed by parent and child. */
static pid_t fork_flushed(unsigned max_seconds)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        alarm(max_seconds);
    return child;
}

int run_in_child(bool (*run)(int), int argument, unsigned max_seconds)
{
    pid_t child = fork_flushed(max_seconds);
    if (child == 0)
        exit(run(argument) ? 0 : 1);
    return status_of(child);
}

int run_scenarios(const scenario *scenarios, size_t n_scenarios, unsigned max_seconds)
{
    size_t n_failed = 0;
    for (size_t i = 0; i < n_scenarios; i++) {
        pid_t child = fork_flushed(max_seconds);
        if (child == 0)
            exit(scenarios[i].run() ? 0 : 1);
        int status = status_of(child);
        if (status == EXIT_SKIPPED)
            return EXIT_SKIPPED;
        n_failed += status != 0;
        printf("%s %s\n", status == 0 ? "ok    " : "FAILED", scenarios[i].name);
    }
    printf("%zu of %zu scenarios failed\n", n_failed, n_scenarios);
    return n_scenarios == 0 || n_failed != 0;
}
