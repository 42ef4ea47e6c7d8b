/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmarks' JSON files have in common. */
#ifndef ROCKPRESS_BENCH_COMMON_JSON_H
#define ROCKPRESS_BENCH_COMMON_JSON_H

#include <stdio.h>

/* Writes a string with quotes, and escapes what JSON asks to be escaped. */
void json_put_string(FILE *f, const char *s);

/* Writes the member "machine", which describes the processor, and a comma. */
void json_put_machine(FILE *f);

#endif
