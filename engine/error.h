/* SPDX-License-Identifier: Apache-2.0 */
/* Argument errors: sets the caller's text, if it wants one, and passes the status through. */
#ifndef ROCKPRESS_ENGINE_ERROR_H
#define ROCKPRESS_ENGINE_ERROR_H

#include <stdarg.h>
#include <stdio.h>

#include "rockpress/status.h"

#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 3, 4)))
#endif
static inline rp_status
rp_fail(rp_error *error, rp_status status, const char *format, ...)
{
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error->message, sizeof(error->message), format, arguments);
        va_end(arguments);
    }
    return status;
}

#endif
