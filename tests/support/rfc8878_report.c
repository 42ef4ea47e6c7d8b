/* SPDX-License-Identifier: Apache-2.0 */

#include "rfc8878_report.h"

#include <stdarg.h>
#include <stdio.h>

rfc8878_report rfc8878_report_open(const void *origin, char *text, size_t capacity)
{
    if (text != NULL && capacity > 0) {
        text[0] = '\0';
    }
    return (rfc8878_report){.origin = origin, .text = text, .capacity = capacity};
}

bool rfc8878_reject(const rfc8878_report *report, const uint8_t *at, const char *section,
                    const char *format, ...)
{
    if (report->text == NULL || report->capacity == 0) {
        return false;
    }
    size_t position = at == report->origin ? 0 : (size_t)(at - report->origin);
    int n = snprintf(report->text, report->capacity, "byte %zu, %s: ", position, section);
    if (n >= 0 && (size_t)n < report->capacity) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(report->text + n, report->capacity - (size_t)n, format, arguments);
        va_end(arguments);
    }
    return false;
}
