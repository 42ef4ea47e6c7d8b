/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the log and of the statistics in a folder where somebody else has put things: links,
 * files and pipes under the names that will be used. The test knows these names, because it has the
 * random numbers that they are made of.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/cases.h"

#include "plugin/core/output_file.h"
#include "plugin/core/random.h"

#define TEXT "what is written\n"
#define N_TEXT (sizeof(TEXT) - 1)
#define OLD "what was there\n"
#define PATH_BYTES 128
/* Nothing here takes a tenth of it. */
#define HANGS_AFTER_S 20

static char folder[] = "output_file_XXXXXX";
static uint64_t next_random;

uint64_t rp_random(void)
{
    return next_random++;
}

static int lowest_written = INT_MAX;
static int n_interrupted;

ssize_t __real_write(int file, const void *bytes, size_t n_bytes);
ssize_t __wrap_write(int file, const void *bytes, size_t n_bytes);

ssize_t __wrap_write(int file, const void *bytes, size_t n_bytes)
{
    if (file < lowest_written)
        lowest_written = file;
    if (n_interrupted > 0) {
        n_interrupted--;
        errno = EINTR;
        return -1;
    }
    return __real_write(file, bytes, n_bytes);
}

static int set_up(void **state)
{
    (void)state;
    alarm(HANGS_AFTER_S);
    return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder); /* fails where something was left */
}

static const char *name_of(const char *name)
{
    static char paths[4][PATH_BYTES];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, PATH_BYTES, "%s/%s", folder, name);
    return path;
}

/* The n-th temporary file that is tried for the path. */
static const char *temporary_of(const char *path, unsigned n)
{
    static char temporary[2 * PATH_BYTES];
    snprintf(temporary, sizeof(temporary), "%s.tmp.%016" PRIx64, path, next_random + n);
    return temporary;
}

static void make_file(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(OLD, file) >= 0);
    fclose(file);
}

static void expect_contents(const char *path, const char *expected)
{
    char contents[256];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    contents[fread(contents, 1, sizeof(contents) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(contents, expected);
}

static void test_planted_names(void **state)
{
    (void)state;
    const char *path = name_of("stats"), *victim = name_of("victim");
    char planted[3][2 * PATH_BYTES];
    make_file(victim);
    for (unsigned i = 0; i < 3; i++)
        strcpy(planted[i], temporary_of(path, i));
    assert_int_equal(symlink("victim", planted[0]), 0);
    assert_int_equal(symlink("nothing yet", planted[1]), 0);
    make_file(planted[2]);
    assert_true(rp_output_replace(path, TEXT, N_TEXT, 0));
    expect_contents(path, TEXT);
    expect_contents(victim, OLD);
    expect_contents(planted[2], OLD);
    assert_int_equal(access(name_of("nothing yet"), F_OK), -1);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(unlink(planted[i]), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(victim), 0);
}

/* Somebody who has all names: no statistics, and nothing of his is touched. */
static void test_all_names_planted(void **state)
{
    (void)state;
    enum { N_PLANTED = 50 };
    const char *path = name_of("stats");
    char planted[N_PLANTED][2 * PATH_BYTES];
    for (unsigned i = 0; i < N_PLANTED; i++) {
        strcpy(planted[i], temporary_of(path, i));
        make_file(planted[i]);
    }
    assert_false(rp_output_replace(path, TEXT, N_TEXT, 0));
    assert_int_equal(errno, EEXIST);
    assert_int_equal(access(path, F_OK), -1);
    for (unsigned i = 0; i < N_PLANTED; i++) {
        expect_contents(planted[i], OLD);
        assert_int_equal(unlink(planted[i]), 0);
    }
}

static void test_link_to_a_file(void **state)
{
    (void)state;
    const char *path = name_of("link"), *target = name_of("target");
    struct stat status;
    make_file(target);
    assert_int_equal(symlink("target", path), 0);
    assert_true(rp_output_append(path, TEXT, N_TEXT, 0));
    expect_contents(target, OLD TEXT);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_true(rp_output_replace(path, TEXT, N_TEXT, 0));
    expect_contents(target, OLD TEXT);
    expect_contents(path, TEXT);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(target), 0);
}

typedef bool output_function(const char *path, const char *bytes, size_t n_bytes, int wait_ms);
static output_function *const both[] = {rp_output_append, rp_output_replace};

static void test_pipes(void **state)
{
    (void)state;
    const char *path = name_of("pipe");
    char *much = calloc(1, 1 << 20), read_back[N_TEXT];
    assert_non_null(much);
    assert_int_equal(mkfifo(path, 0600), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_false(both[i](path, TEXT, N_TEXT, 0));
        assert_int_equal(errno, ENXIO);
        int reader = open(path, O_RDONLY | O_NONBLOCK);
        assert_true(reader >= 0);
        assert_true(both[i](path, TEXT, N_TEXT, 0));
        assert_int_equal(read(reader, read_back, N_TEXT), N_TEXT);
        assert_memory_equal(read_back, TEXT, N_TEXT);
        /* A reader that does not read. */
        assert_false(both[i](path, much, 1 << 20, 10));
        close(reader);
    }
    assert_int_equal(unlink(path), 0);
    free(much);
}

static void test_no_files(void **state)
{
    (void)state;
    const char *inside = name_of("folder"), *socket_path = name_of("socket");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(mkdir(inside, 0700), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_false(both[i](inside, TEXT, N_TEXT, 0));
        assert_false(both[i](socket_path, TEXT, N_TEXT, 0));
        assert_false(both[i]("/nonexistent/file", TEXT, N_TEXT, 0));
        assert_true(both[i]("/dev/null", TEXT, N_TEXT, 0));
    }
    close(listener);
    assert_int_equal(unlink(socket_path), 0);
    assert_int_equal(rmdir(inside), 0);
}

/* Standard error that is a file: the text comes after what is there, and the file stays. Not by the
 * name /dev/stderr: if this case fails, root replaces that link for the whole machine. */
static void test_descriptors(void **state)
{
    (void)state;
    static const char *const names[] = {"/dev/fd/2", "/proc/self/fd/2"};
    const char *path = name_of("stderr");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        make_file(path);
        int saved = dup(STDERR_FILENO), file = open(path, O_WRONLY | O_APPEND);
        assert_true(saved >= 0 && file >= 0 && dup2(file, STDERR_FILENO) == STDERR_FILENO);
        bool is_written = rp_output_replace(names[i], TEXT, N_TEXT, 0);
        dup2(saved, STDERR_FILENO);
        close(saved);
        close(file);
        assert_true(is_written);
        expect_contents(path, OLD TEXT);
    }
    assert_int_equal(unlink(path), 0);
}

/* The path itself is a good one, and the name beside it is not. */
static void test_path_that_fills_the_buffer(void **state)
{
    (void)state;
    char path[PATH_MAX];
    size_t used = strlen(folder);
    memcpy(path, folder, used);
    while (used < PATH_MAX - 12) {
        path[used++] = '/';
        path[used++] = '.';
    }
    strcpy(path + used, "/stats");
    make_file(path);
    assert_false(rp_output_replace(path, TEXT, N_TEXT, 0));
    expect_contents(path, OLD);
    assert_true(rp_output_append(path, TEXT, N_TEXT, 0));
    expect_contents(path, OLD TEXT);
    assert_int_equal(unlink(path), 0);
}

/* What was there stays, and the part that could be written does not. */
static void test_full_disk(void **state)
{
    (void)state;
    const char *path = name_of("stats");
    const char *temporary = temporary_of(path, 0);
    struct rlimit before, small;
    make_file(path);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = N_TEXT / 2;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool is_written = rp_output_replace(path, TEXT, N_TEXT, 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_false(is_written);
    assert_int_equal(access(temporary, F_OK), -1);
    expect_contents(path, OLD);
    assert_int_equal(unlink(path), 0);
}

/* A daemon has closed its standard descriptors. Whoever prints to one of them later must not find
 * the file there. */
static void test_closed_standard_input(void **state)
{
    (void)state;
    const char *path = name_of("stats");
    for (size_t i = 0; i < 2; i++) {
        int saved = dup(STDIN_FILENO);
        assert_true(saved > STDERR_FILENO);
        close(STDIN_FILENO);
        lowest_written = INT_MAX;
        bool is_written = both[i](path, TEXT, N_TEXT, 0);
        bool is_closed = fcntl(STDIN_FILENO, F_GETFD) == -1;
        int lowest = lowest_written;
        dup2(saved, STDIN_FILENO);
        close(saved);
        assert_true(is_written && is_closed);
        assert_true(lowest > STDERR_FILENO);
        expect_contents(path, TEXT);
        assert_int_equal(unlink(path), 0);
    }
}

static void test_interrupted_writes(void **state)
{
    (void)state;
    const char *path = name_of("stats");
    n_interrupted = 3;
    assert_true(rp_output_replace(path, TEXT, N_TEXT, 0));
    assert_int_equal(n_interrupted, 0);
    expect_contents(path, TEXT);
    assert_int_equal(unlink(path), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_names),
        cmocka_unit_test(test_all_names_planted),
        cmocka_unit_test(test_link_to_a_file),
        cmocka_unit_test(test_pipes),
        cmocka_unit_test(test_no_files),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_path_that_fills_the_buffer),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_closed_standard_input),
        cmocka_unit_test(test_interrupted_writes),
    };
    return RUN_CASES(argc, argv, tests, set_up, tear_down);
}
