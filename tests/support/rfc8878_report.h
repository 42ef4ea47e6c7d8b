/* SPDX-License-Identifier: Apache-2.0 */

/* How the parts of the RFC 8878 decoder say which rule was broken, where. */

#ifndef ROCKPRESS_TESTS_SUPPORT_RFC8878_REPORT_H
#define ROCKPRESS_TESTS_SUPPORT_RFC8878_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rfc8878_report {
    const uint8_t *origin; /* byte 0 of positions in messages */
    char *text;
    size_t capacity;
} rfc8878_report;

/* An empty text until something is rejected. `text` may be NULL. */
rfc8878_report rfc8878_report_open(const void *origin, char *text, size_t capacity);

#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
/* Writes "byte N, section: message" and returns false, so that a caller can return the call. */
bool rfc8878_reject(const rfc8878_report *report, const uint8_t *at, const char *section,
                    const char *format, ...);

#endif
