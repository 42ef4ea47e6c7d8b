/* SPDX-License-Identifier: Apache-2.0 */
/* See core/random.h. */
#include "plugin/core/random.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static uint64_t mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return sum ^ sum >> 32;
}

static uint64_t guess(void)
{
    static _Atomic uint64_t n_calls;
    struct timespec now;
    uint64_t sum = mix(atomic_fetch_add(&n_calls, 1), (uint64_t)getpid());

    clock_gettime(CLOCK_REALTIME, &now);
    sum = mix(sum, (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec);
    clock_gettime(CLOCK_MONOTONIC, &now);
    sum = mix(sum, (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec);
    /* The loader chooses where code is, the kernel where the stack is. */
    sum = mix(sum, (uint64_t)(uintptr_t)&n_calls);
    return mix(sum, (uint64_t)(uintptr_t)&now);
}

uint64_t rp_random(void)
{
    int saved_errno = errno;
    uint64_t number;

    if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
        number = guess();
    errno = saved_errno;
    return number;
}
