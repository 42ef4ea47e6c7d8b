/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeping until a word changes (futex(2)): many threads are woken by one call, and without a lock
 * that each of them would need first. No cancellation point; errno stays. */
#ifndef ROCKPRESS_ENGINE_FUTEX_H
#define ROCKPRESS_ENGINE_FUTEX_H

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Returns when somebody woke those who wait here, after the time, for a signal, or at once if the
 * word has another value. The caller looks again. */
static inline void rp_futex_wait(_Atomic uint32_t *word, uint32_t value, uint32_t timeout_us)
{
    const struct timespec limit = {timeout_us / 1000000, (long)(timeout_us % 1000000) * 1000};
    int saved_errno = errno;
    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &limit, NULL, 0);
    errno = saved_errno;
}

static inline void rp_futex_wake_all(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static inline void rp_futex_wake_one(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

#endif
