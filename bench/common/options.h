/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command line parsing that the benchmark tools share. A bad argument ends the program with status
 * 2 and one line on stderr that names the value and what is allowed.
 */
#ifndef ROCKPRESS_BENCH_COMMON_OPTIONS_H
#define ROCKPRESS_BENCH_COMMON_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/* Exit statuses of the tools. */
enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 1, 2)))
#endif
void options_die(const char *format, ...);

/* If argv[*i] is the option `name`, or "name=value", returns its value and advances *i past it;
 * otherwise NULL. A missing value is a usage error. */
const char *options_value(int argc, char **argv, int *i, const char *name);

/* A decimal number in [lo, hi], with an optional binary suffix K, M or G if suffixes is set. */
uint64_t options_number(const char *option, const char *value, uint64_t lo, uint64_t hi,
                        int suffixes);

/* The value, if it names a corpus. */
const char *options_corpus(const char *option, const char *value);

#endif
