/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines of the benchmark tools. glibc's argp reads the options and prints the help; what
 * the tools' values have in common is here. A bad argument ends the program with status 2 and one
 * line on stderr that names the value and what is allowed.
 */
#ifndef ROCKPRESS_BENCH_COMMON_OPTIONS_H
#define ROCKPRESS_BENCH_COMMON_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

/* Exit statuses of the tools. */
enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* argp_parse(), without changing the order of argv. */
void options_parse(const struct argp *argp, int argc, char **argv, void *input);

#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 1, 2)))
#endif
void options_die(const char *format, ...);

/* A whole number in [lowest, highest], with an optional binary suffix K, M or G. */
int64_t options_number(const char *option, const char *value, int64_t lowest, int64_t highest);

/* The index of the value in a list of allowed words that ends with NULL. */
unsigned options_word(const char *option, const char *value, const char *const *allowed);

enum { OPTIONS_MAX_LIST = 32 };

/* The values of an option that has several. */
struct options_list {
    unsigned n;
    bool is_given; /* on the command line; until then the list is the tool's default */
    int64_t values[OPTIONS_MAX_LIST];
};

/* Numbers separated by commas, or "none"; more of them where the option was given before. */
void options_numbers(struct options_list *list, const char *option, const char *value,
                     int64_t lowest, int64_t highest);

/* The same with allowed words, whose indices become the values. */
void options_words(struct options_list *list, const char *option, const char *value,
                   const char *const *allowed);

#endif
