/* SPDX-License-Identifier: Apache-2.0 */
/* The log: see core/log.h. A line that is longer than the buffer is cut, never split. */
#include "plugin/core/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Atomic int log_level = RP_LOG_ERROR;

void rp_log_set_level(rp_log_level level)
{
    atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

void rp_log(rp_log_level level, const char *format, ...)
{
    static const char prefix[] = "rockpress: ";
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
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, used) < 0) {
        /* There is nowhere to report it. */
    }
    errno = saved_errno;
}
