/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard error that is not ours. What counts is what descriptor 2 was when a program was loaded,
 * so each case is this program once more, started with a descriptor 2 of the test's making: it does
 * what the case is about, writes one line, and reports by its exit status whether that was written.
 */
#include "plugin/core/standard_error.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/cases.h"

#define LINE "one line\n"
#define N_LINE (sizeof(LINE) - 1)

/* Exit statuses of a case. */
enum { WRITTEN = 10, REFUSED = 11, BROKEN = 12 };

static int write_line(void)
{
    return rp_standard_error_write(LINE, N_LINE, 0) ? WRITTEN : REFUSED;
}

/* Opens files until one has descriptor 2, and with `inode` not 0, until one has that inode, too. */
static bool open_as_standard_error(const char *path, ino_t inode)
{
    for (int i = 0;; i++) {
        struct stat status;
        int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (descriptor != STDERR_FILENO || fstat(descriptor, &status) != 0)
            return false;
        if (inode == 0 || status.st_ino == inode)
            return true;
        close(descriptor);
        unlink(path);
    }
    return true; /* this file system does not use them again; the file is another one all the same
                  */
}

static int run_case(const char *name, const char *path)
{
    struct stat status;
    sigset_t pending;
    int result;

    if (strcmp(name, "as it was") == 0)
        return write_line();
    if (strcmp(name, "closed") == 0) {
        close(STDERR_FILENO);
        return write_line();
    }
    if (strcmp(name, "another file has its number") == 0) {
        close(STDERR_FILENO);
        if (!open_as_standard_error(path, 0))
            return BROKEN;
        result = write_line();
        return fstat(STDERR_FILENO, &status) == 0 && status.st_size == 0 ? result : BROKEN;
    }
    if (strcmp(name, "another file has its inode") == 0) {
        if (fstat(STDERR_FILENO, &status) != 0 || unlink(path) != 0)
            return BROKEN;
        close(STDERR_FILENO);
        if (!open_as_standard_error(path, status.st_ino))
            return BROKEN;
        result = write_line();
        return fstat(STDERR_FILENO, &status) == 0 && status.st_size == 0 ? result : BROKEN;
    }
    if (strcmp(name, "nobody reads") == 0) {
        static const char much[1 << 20];
        return rp_standard_error_write(much, sizeof(much), 0) ? WRITTEN : REFUSED;
    }
    if (strcmp(name, "no reader") == 0) {
        signal(SIGPIPE, SIG_DFL);
        result = write_line();
        return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 0 ? result : BROKEN;
    }
    return BROKEN;
}

/* Starts a case with `error` as descriptor 2, and `input` as 0 unless it is -1. Its exit status, or
 * minus the signal that ended it. Closes `error` here. */
static int start_case(const char *name, const char *path, int input, int error)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        if (input >= 0)
            dup2(input, STDIN_FILENO);
        dup2(error, STDERR_FILENO);
        /* What is left open of this process would take the number 2 before the case's file does. */
        for (int descriptor = 3; descriptor < 256; descriptor++)
            close(descriptor);
        execl("/proc/self/exe", "test_standard_error", "--start", name, path, (char *)NULL);
        _exit(BROKEN);
    }
    assert_true(child > 0);
    close(error);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* How many bytes there are to read. The other end is closed. */
static size_t read_all(int descriptor, char *bytes, size_t capacity)
{
    size_t n = 0;
    ssize_t got;

    while (n < capacity && (got = read(descriptor, bytes + n, capacity - n)) > 0)
        n += (size_t)got;
    return n;
}

/* Runs a case with a pipe, or a pair of sockets, as descriptor 2. Returns what arrived. */
static size_t start_case_on(int ends[2], const char *name, const char *path, bool as_input,
                            int expected)
{
    char bytes[64];
    size_t n;

    assert_int_equal(start_case(name, path, as_input ? ends[1] : -1, ends[1]), expected);
    n = read_all(ends[0], bytes, sizeof(bytes));
    close(ends[0]);
    if (n != 0)
        assert_memory_equal(bytes, LINE, N_LINE);
    return n;
}

static char directory[] = "/tmp/test_standard_error.XXXXXX";
static char path[64];

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/file", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static void test_written_where_it_was(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(start_case_on(ends, "as it was", path, false, WRITTEN), N_LINE);
}

static void test_not_written_once_closed(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(start_case_on(ends, "closed", path, false, REFUSED), 0);
}

static void test_file_that_got_the_number_stays_empty(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(start_case_on(ends, "another file has its number", path, false, REFUSED), 0);
}

static void test_file_that_got_the_inode_stays_empty(void **state)
{
    int error;

    (void)state;
    error = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(error >= 0);
    assert_int_equal(start_case("another file has its inode", path, -1, error), REFUSED);
}

static void test_connection_of_inetd_gets_nothing(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(start_case_on(ends, "as it was", path, true, REFUSED), 0);
}

/* As a service of systemd, whose standard error is a socket of the journal. */
static void test_local_socket_is_written_to(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(start_case_on(ends, "as it was", path, false, WRITTEN), N_LINE);
}

static void test_reader_that_does_not_read_is_not_waited_for(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(start_case("nobody reads", path, -1, ends[1]), REFUSED);
    close(ends[0]);
}

static void test_pipe_without_a_reader_ends_nobody(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(start_case("no reader", path, -1, ends[1]), REFUSED);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_where_it_was),
        cmocka_unit_test(test_not_written_once_closed),
        cmocka_unit_test(test_file_that_got_the_number_stays_empty),
        cmocka_unit_test(test_file_that_got_the_inode_stays_empty),
        cmocka_unit_test(test_connection_of_inetd_gets_nothing),
        cmocka_unit_test(test_local_socket_is_written_to),
        cmocka_unit_test(test_reader_that_does_not_read_is_not_waited_for),
        cmocka_unit_test(test_pipe_without_a_reader_ends_nobody),
    };

    if (argc == 4 && strcmp(argv[1], "--start") == 0)
        return run_case(argv[2], argv[3]);
    return RUN_CASES(argc, argv, tests, make_directory, remove_directory);
}
