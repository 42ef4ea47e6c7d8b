/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmarks' JSON files have in common. */
#ifndef ROCKPRESS_BENCH_COMMON_JSON_H
#define ROCKPRESS_BENCH_COMMON_JSON_H

#include <stdio.h>

/* Corpus names come from file names, the command from anywhere: both may hold anything. */
void json_put_string(FILE *f, const char *s);

/* "machine": the processor, followed by a comma. */
void json_put_machine(FILE *f);

#endif
