/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, and medians of what they measured. */
#ifndef ROCKPRESS_BENCH_COMMON_TIMES_H
#define ROCKPRESS_BENCH_COMMON_TIMES_H

#include <stddef.h>
#include <time.h>

/* A clock of clock_gettime(), in seconds. */
double times_now(clockid_t clock);

void times_sort(double *times, size_t n);

/* Sorts them. 0 if there are none. */
double times_median(double *times, size_t n);

#endif
