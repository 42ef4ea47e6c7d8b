/* SPDX-License-Identifier: Apache-2.0 */
/* See options.h. */
#include "bench/common/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void options_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    argp_err_exit_status = EXIT_USAGE;
    const error_t error = argp_parse(argp, argc, argv, ARGP_IN_ORDER, NULL, input);
    if (error != 0)
        options_die("%s", strerror(error));
}

void options_die(const char *format, ...)
{
    va_list args;
    fprintf(stderr, "%s: ", program_invocation_short_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_USAGE);
}

int64_t options_number(const char *option, const char *value, int64_t lowest, int64_t highest)
{
    static const char units[] = "KMG";
    char *end;
    errno = 0;
    int64_t number = strtoll(value, &end, 10);
    bool is_good = strchr("-0123456789", value[0]) != NULL && end != value && errno == 0;
    const char *unit = *end != 0 ? strchr(units, *end) : NULL;
    if (unit != NULL) {
        is_good = is_good &&
                  !__builtin_mul_overflow(number, INT64_C(1) << (10 * (unit - units + 1)), &number);
        end++;
    }
    if (!is_good || *end != 0 || number < lowest || number > highest)
        options_die("%s: \"%s\" is not a whole number from %lld to %lld; K, M and G may follow it",
                    option, value, (long long)lowest, (long long)highest);
    return number;
}

unsigned options_word(const char *option, const char *value, const char *const *allowed)
{
    unsigned n = 0;
    for (; allowed[n] != NULL; n++)
        if (strcmp(allowed[n], value) == 0)
            return n;
    fprintf(stderr, "%s: %s: \"%s\" is not allowed; allowed are", program_invocation_short_name,
            option, value);
    for (unsigned i = 0; i < n; i++)
        fprintf(stderr, " %s", allowed[i]);
    fputc('\n', stderr);
    exit(EXIT_USAGE);
}

static void add_to_list(struct options_list *list, const char *option, const char *value,
                        int64_t lowest, int64_t highest, const char *const *allowed)
{
    char copy[256], *rest = copy;
    if (!list->is_given)
        list->n = 0;
    list->is_given = true;
    if (strcmp(value, "none") == 0)
        return;
    if (strlen(value) >= sizeof copy)
        options_die("%s: \"%s\" is too long", option, value);
    strcpy(copy, value);
    for (char *part; (part = strsep(&rest, ",")) != NULL;) {
        if (list->n == OPTIONS_MAX_LIST)
            options_die("%s: more than %d values", option, OPTIONS_MAX_LIST);
        list->values[list->n++] = allowed != NULL ? (int64_t)options_word(option, part, allowed)
                                                  : options_number(option, part, lowest, highest);
    }
}

void options_numbers(struct options_list *list, const char *option, const char *value,
                     int64_t lowest, int64_t highest)
{
    add_to_list(list, option, value, lowest, highest, NULL);
}

void options_words(struct options_list *list, const char *option, const char *value,
                   const char *const *allowed)
{
    add_to_list(list, option, value, 0, 0, allowed);
}
