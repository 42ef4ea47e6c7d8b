/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target on the files and folders given: regression tests with any compiler, where
 * there is no libFuzzer. Fails when there was nothing to run.
 */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static unsigned n_files;
static const char *current;

static int run_file(const char *path, size_t n)
{
    FILE *file = fopen(path, "rb");
    /* Of its exact size, so that a sanitizer sees a read after it. */
    uint8_t *data = malloc(n == 0 ? 1 : n);
    int failed = file == NULL || data == NULL || fread(data, 1, n, file) != n;
    if (failed)
        fprintf(stderr, "cannot read %s\n", path);
    if (file != NULL)
        fclose(file);
    if (!failed) {
        current = path;
        LLVMFuzzerTestOneInput(data, n);
        current = NULL;
        n_files++;
    }
    free(data);
    return failed;
}

static int run_path(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        fprintf(stderr, "no such file or folder: %s\n", path);
        return 1;
    }
    if (!S_ISDIR(status.st_mode))
        return run_file(path, (size_t)status.st_size);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return 1;
    int failed = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        failed |= run_path(name);
    }
    closedir(folder);
    return failed;
}

/* Not async-signal-safe, strictly; the process ends here anyway. */
static void on_abort(int signal_number)
{
    if (current != NULL)
        fprintf(stderr, "while running %s\n", current);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

int main(int argc, char **argv)
{
    int failed = 0;
    signal(SIGABRT, on_abort);
    /* A guard page was hit; a sanitizer has a handler of its own that tells more. */
    struct sigaction action;
    if (sigaction(SIGSEGV, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
        signal(SIGSEGV, on_abort);
    for (int i = 1; i < argc; i++)
        failed |= run_path(argv[i]);
    printf("%u inputs\n", n_files);
    return failed || n_files == 0 ? 1 : 0;
}
