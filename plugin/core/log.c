/* SPDX-License-Identifier: Apache-2.0 */
/* The log: see core/log.h. A line that is longer than the buffer is cut, never split. */
#include "plugin/core/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "plugin/core/output_file.h"
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
        if (file[0] == '\0' || !rp_output_append(file, line, used, 0))
            rp_standard_error_write(line, used, 0);
    }
    errno = saved_errno;
}
