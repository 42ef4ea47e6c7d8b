/* SPDX-License-Identifier: Apache-2.0 */
/* See core/output_file.h. */
#include "plugin/core/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/core/random.h"
#include "plugin/core/standard_error.h"

/* Names that somebody else has taken, all of them random: there is something else wrong. */
#define MAX_NAMES 8

static int above_standard(int file)
{
    int moved;

    if (file < 0 || file > STDERR_FILENO)
        return file;
    moved = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(file);
    return moved;
}

static bool may_be_written(mode_t mode)
{
    return S_ISREG(mode) || S_ISFIFO(mode) || S_ISCHR(mode);
}

/* What the path was when it was looked at tells nothing about what is opened, so the descriptor is
 * asked again. O_NONBLOCK: a pipe without a reader fails, instead of waiting for one. */
static int open_existing(const char *path, int flags)
{
    struct stat status;
    int file = above_standard(
        open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags, 0644));

    if (file >= 0 && (fstat(file, &status) != 0 || !may_be_written(status.st_mode))) {
        close(file);
        errno = EINVAL;
        return -1;
    }
    return file;
}

static bool write_and_close(int file, const char *bytes, size_t n_bytes, int wait_ms)
{
    bool is_written;

    if (file < 0)
        return false;
    is_written = rp_write_to_reader(file, bytes, n_bytes, wait_ms);
    /* Some file systems report only here that the disk is full. */
    return close(file) == 0 && is_written;
}

bool rp_output_append(const char *path, const char *bytes, size_t n_bytes, int wait_ms)
{
    return write_and_close(open_existing(path, O_CREAT), bytes, n_bytes, wait_ms);
}

/* The links of /dev and /proc to files that are open already: to replace such a link, or the file,
 * is not what is meant. */
static bool is_descriptor(const char *path)
{
    return strncmp(path, "/dev/std", 8) == 0 || strncmp(path, "/dev/fd/", 8) == 0 ||
           strncmp(path, "/proc/", 6) == 0;
}

static int open_temporary(const char *path, char *temporary, size_t size)
{
    int file = -1;

    errno = EEXIST;
    for (int i = 0; i < MAX_NAMES && file < 0 && errno == EEXIST; i++) {
        int n = snprintf(temporary, size, "%s.tmp.%016" PRIx64, path, rp_random());
        if (n < 0 || (size_t)n >= size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    }
    return above_standard(file);
}

bool rp_output_replace(const char *path, const char *bytes, size_t n_bytes, int wait_ms)
{
    char temporary[PATH_MAX];
    struct stat status;
    int file;

    if (is_descriptor(path) || (stat(path, &status) == 0 && !S_ISREG(status.st_mode)))
        return write_and_close(open_existing(path, 0), bytes, n_bytes, wait_ms);
    file = open_temporary(path, temporary, sizeof(temporary));
    if (file < 0)
        return false;
    if (write_and_close(file, bytes, n_bytes, wait_ms) && rename(temporary, path) == 0)
        return true;
    (void)unlink(temporary);
    return false;
}
