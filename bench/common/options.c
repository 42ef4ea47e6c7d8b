/* SPDX-License-Identifier: Apache-2.0 */
/* Command line parsing that the benchmark tools share. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/common/options.h"

void options_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_USAGE);
}

const char *options_value(int argc, char **argv, int *i, const char *name)
{
    const size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0)
        return NULL;
    if (argv[*i][n] == '=')
        return argv[*i] + n + 1;
    if (argv[*i][n] != 0)
        return NULL;
    if (*i + 1 >= argc)
        options_die("%s: a value is missing", name);
    return argv[++*i];
}

uint64_t options_number(const char *option, const char *value, uint64_t lo, uint64_t hi,
                        int suffixes)
{
    uint64_t number = 0;
    static const char units[] = "KMG";
    const char *c = value;
    bool good = *c >= '0' && *c <= '9';
    for (; good && *c >= '0' && *c <= '9'; c++) {
        const uint64_t digit = (uint64_t)(*c - '0');
        good = number <= (UINT64_MAX - digit) / 10;
        number = number * 10 + digit;
    }
    if (good && suffixes && *c) {
        const char *suffix = strchr(units, *c);
        const unsigned shift = suffix ? 10 * (unsigned)(suffix - units + 1) : 0;
        good = suffix && number <= UINT64_MAX >> shift;
        number <<= good ? shift : 0;
        c++;
    }
    if (!good || *c || number < lo || number > hi)
        options_die("%s: \"%s\" is not allowed; allowed are whole numbers from %llu to %llu%s",
                    option, value, (unsigned long long)lo, (unsigned long long)hi,
                    suffixes ? ", with a suffix K, M or G if you like" : "");
    return number;
}
