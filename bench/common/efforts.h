/* SPDX-License-Identifier: Apache-2.0 */
/* Efforts on a command line. */
#ifndef ROCKPRESS_BENCH_COMMON_EFFORTS_H
#define ROCKPRESS_BENCH_COMMON_EFFORTS_H

#include "bench/common/options.h"
#include "rockpress/engine.h"

/* For options_words(), in the order of rp_effort. */
static const char *const effort_words[] = {"fast", "default", "high", "max", NULL};

static inline rp_effort effort_of(int64_t word)
{
    return (rp_effort)(RP_EFFORT_FAST + word);
}

#endif
