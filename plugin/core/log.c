/* SPDX-License-Identifier: Apache-2.0 */
/* The log: see core/log.h. A line that is longer than the buffer is cut, never split. */
#include "plugin/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "plugin/core/standard_error.h"

static _Atomic int log_level = RP_LOG_ERROR;
static _Atomic(const char *) log_file = "";

void rp_log_set_level(rp_log_level level)
{
    atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

void rp_log_set_file(const char *path)
{
    atomic_store_explicit(&log_file, path, memory_order_release);
}

/* Where a program has closed its standard descriptors, a file that is opened here gets one of their
 * numbers, and what the program writes there would be in the log. */
static int above_standard(int file)
{
    int moved;

    if (file < 0 || file > STDERR_FILENO)
        return file;
    moved = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(file);
    return moved;
}

static bool append(const char *path, const char *line, size_t n_bytes)
{
    /* O_NONBLOCK: the path may be a pipe that nobody reads. */
    int file = above_standard(
        open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644));
    bool is_written;

    if (file < 0)
        return false;
    is_written = write(file, line, n_bytes) == (ssize_t)n_bytes;
    close(file);
    return is_written;
}

void rp_log(rp_log_level level, const char *format, ...)
{
    static const char prefix[] = "rockpress: ";
    const char *file = atomic_load_explicit(&log_file, memory_order_acquire);
    char line[512];
    int saved_errno = errno;
    va_list arguments;
    size_t used = sizeof(prefix) - 1;
    int n;

    if ((int)level > atomic_load_explicit(&log_level, memory_order_relaxed))
        return;
    memcpy(line, prefix, used);
    va_start(arguments, format);
    n = vsnprintf(line + used, sizeof(line) - used - 1, format, arguments);
    va_end(arguments);
    if (n > 0)
        used += (size_t)n < sizeof(line) - used - 1 ? (size_t)n : sizeof(line) - used - 2;
    if (strcmp(file, "syslog") == 0) {
        syslog(LOG_DAEMON | (level == RP_LOG_ERROR ? LOG_WARNING : LOG_INFO), "%.*s", (int)used,
               line);
    } else {
        line[used++] = '\n';
        if (file[0] == '\0' || !append(file, line, used))
            rp_standard_error_write(line, used, 0);
    }
    errno = saved_errno;
}
