/* SPDX-License-Identifier: Apache-2.0 */
/* When something has to be done: a time limit that several waits share. */
#ifndef ROCKPRESS_ENGINE_DEADLINE_H
#define ROCKPRESS_ENGINE_DEADLINE_H

#include <stdint.h>
#include <time.h>

typedef struct rp_deadline {
    uint64_t begin_us;
    uint32_t timeout_us;
} rp_deadline;

static inline uint64_t rp_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static inline rp_deadline rp_deadline_in(uint32_t timeout_us)
{
    const rp_deadline by = {rp_now_us(), timeout_us};
    return by;
}

/* 0 from the deadline on. */
static inline uint32_t rp_time_left_us(const rp_deadline *by)
{
    uint64_t passed = rp_now_us() - by->begin_us;
    return passed < by->timeout_us ? by->timeout_us - (uint32_t)passed : 0;
}

#endif
