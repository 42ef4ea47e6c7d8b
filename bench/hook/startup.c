/* SPDX-License-Identifier: Apache-2.0 */
/*
 * startup [--rounds N] <library>: what a preloaded library costs a program that does nothing.
 *
 * Runs itself as such a program, with the library preloaded and without it in turn, N times each.
 * Prints the medians of both and of the differences of each round: wall time from before the fork
 * to the end of the program, memory (resident, and what of it no other process shares),
 * thread-local storage, and the number of shared objects. A median of rounds is steady on a machine
 * with neighbours, where a mean is not.
 */
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ROUNDS 10000

enum { WALL_US, RSS_KIB, PRIVATE_KIB, TLS_BYTES, OBJECTS, N_MEASURES };

static const char *const names[N_MEASURES] = {"wall time, us", "resident, KiB", "private, KiB",
                                              "thread-local storage, bytes",
                                              "objects in the process"};

struct measures {
    long value[N_MEASURES];
};

static int add_object(struct dl_phdr_info *info, size_t size, void *own)
{
    struct measures *measures = own;

    (void)size;
    measures->value[OBJECTS]++;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_TLS)
            measures->value[TLS_BYTES] += (long)info->dlpi_phdr[i].p_memsz;
    }
    return 0;
}

/* The sum of the fields of smaps_rollup whose names begin so, in KiB. */
static long memory(const char *text, const char *name)
{
    long sum = 0;

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, strlen(name)) == 0)
            sum += strtol(strchr(line, ':') + 1, NULL, 10);
    }
    return sum;
}

/* The program that does nothing: it says how large it is, without stdio's buffers. */
static int measured_program(int to)
{
    static char text[8192];
    struct measures own = {{0}};
    int from = open("/proc/self/smaps_rollup", O_RDONLY);
    ssize_t n = from < 0 ? -1 : read(from, text, sizeof(text) - 1);

    if (n <= 0)
        return 1;
    text[n] = '\0';
    own.value[RSS_KIB] = memory(text, "Rss:");
    own.value[PRIVATE_KIB] = memory(text, "Private_");
    dl_iterate_phdr(add_object, &own);
    return write(to, &own, sizeof(own)) != (ssize_t)sizeof(own);
}

static long now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static struct measures run(const char *library)
{
    struct measures found;
    char number[16];
    int ends[2], status;
    long begin;
    pid_t child;

    if (pipe(ends) != 0)
        exit(1);
    begin = now_ns();
    child = fork();
    if (child == 0) {
        if (library != NULL)
            setenv("LD_PRELOAD", library, 1);
        snprintf(number, sizeof(number), "%d", ends[1]);
        execl("/proc/self/exe", "startup", "--measured", number, (char *)NULL);
        _exit(1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0 ||
        read(ends[0], &found, sizeof(found)) != (ssize_t)sizeof(found)) {
        fprintf(stderr, "startup: the measured program failed\n");
        exit(1);
    }
    found.value[WALL_US] = (now_ns() - begin) / 1000;
    close(ends[0]);
    close(ends[1]);
    return found;
}

static int compare(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;

    return (x > y) - (x < y);
}

static long median(long *values, int n)
{
    qsort(values, (size_t)n, sizeof(values[0]), compare);
    return values[n / 2];
}

int main(int argc, char **argv)
{
    static struct measures stock[MAX_ROUNDS], with[MAX_ROUNDS];
    static long values[MAX_ROUNDS];
    const char *library = argv[argc - 1];
    int rounds = 200;

    if (argc == 3 && strcmp(argv[1], "--measured") == 0)
        return measured_program(atoi(argv[2]));
    if (argc == 4 && strcmp(argv[1], "--rounds") == 0)
        rounds = atoi(argv[2]);
    else if (argc != 2)
        rounds = 0;
    if (rounds < 1 || rounds > MAX_ROUNDS || access(library, R_OK) != 0) {
        fprintf(stderr, "usage: startup [--rounds 1 to %d] <library>\n", MAX_ROUNDS);
        return 2;
    }
    unsetenv("LD_PRELOAD");
    for (int i = 0; i < rounds; i++) {
        /* Who comes first may find colder caches. */
        if (i % 2 == 0)
            stock[i] = run(NULL);
        with[i] = run(library);
        if (i % 2 != 0)
            stock[i] = run(NULL);
    }
    printf("%-28s %10s %10s %10s\n", "medians", "without", "with", "difference");
    for (int k = 0; k < N_MEASURES; k++) {
        long medians[3];
        for (int which = 0; which < 3; which++) {
            for (int i = 0; i < rounds; i++)
                values[i] = which == 0   ? stock[i].value[k]
                            : which == 1 ? with[i].value[k]
                                         : with[i].value[k] - stock[i].value[k];
            medians[which] = median(values, rounds);
        }
        printf("%-28s %10ld %10ld %10ld\n", names[k], medians[0], medians[1], medians[2]);
    }
    return 0;
}
