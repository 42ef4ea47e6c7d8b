/* SPDX-License-Identifier: Apache-2.0 */
/* See times.h. */
#include "bench/common/times.h"

#include <stdlib.h>

double times_now(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void times_sort(double *times, size_t n)
{
    qsort(times, n, sizeof *times, by_value);
}

double times_median(double *times, size_t n)
{
    times_sort(times, n);
    return n == 0 ? 0 : n % 2 != 0 ? times[n / 2] : (times[n / 2 - 1] + times[n / 2]) / 2;
}
