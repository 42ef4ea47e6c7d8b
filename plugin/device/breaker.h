/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The breaker. After some faults in a row a device is left alone. Then one block at a time is tried
 * on it, at intervals that double until one succeeds. Without the breaker every block would wait
 * for the timeout of a device that is stuck, and a database would crawl.
 *
 * Lock-free, and while it is closed a block costs it two relaxed loads. Time is a parameter,
 * in nanoseconds of a monotonic clock and never 0: tests need not wait.
 */
#ifndef ROCKPRESS_PLUGIN_DEVICE_BREAKER_H
#define ROCKPRESS_PLUGIN_DEVICE_BREAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct rp_breaker {
    uint32_t threshold;           /* faults in a row that open it, at least 1 */
    uint64_t first_interval_ns;   /* at least 1 */
    _Atomic uint32_t faults;      /* in a row, so far */
    _Atomic uint64_t retry_at_ns; /* 0: closed */
    _Atomic uint64_t interval_ns; /* current pause */
};

/* The pause doubles up to this many times the first one. */
#define RP_BREAKER_MAX_FACTOR 64u

typedef enum rp_breaker_pass {
    RP_BREAKER_CLOSED = 0, /* go ahead */
    RP_BREAKER_PROBE = 1,  /* go ahead; this block decides whether it closes */
    RP_BREAKER_OPEN = 2    /* leave the device alone */
} rp_breaker_pass;

void rp_breaker_init(struct rp_breaker *breaker, uint32_t threshold, uint64_t first_interval_ns);

static inline bool rp_breaker_is_closed(struct rp_breaker *breaker)
{
    return atomic_load_explicit(&breaker->retry_at_ns, memory_order_relaxed) == 0;
}

/* Whether a block may use the device. */
rp_breaker_pass rp_breaker_enter(struct rp_breaker *breaker, uint64_t now_ns);

/* Reports the outcome of a block, with the pass that it had. Both return true when the breaker
 * changed: closed by a success, opened by a fault. */
bool rp_breaker_success(struct rp_breaker *breaker, rp_breaker_pass pass);
bool rp_breaker_fault(struct rp_breaker *breaker, rp_breaker_pass pass, uint64_t now_ns);

#endif
