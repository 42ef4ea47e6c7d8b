/* SPDX-License-Identifier: Apache-2.0 */
/* The breaker: see device/breaker.h. */
#include "plugin/device/breaker.h"

void rp_breaker_init(struct rp_breaker *breaker, uint32_t threshold, uint64_t first_interval_ns)
{
    breaker->threshold = threshold;
    breaker->first_interval_ns = first_interval_ns;
    atomic_init(&breaker->faults, 0);
    atomic_init(&breaker->retry_at_ns, 0);
    atomic_init(&breaker->interval_ns, first_interval_ns);
}

rp_breaker_pass rp_breaker_enter(struct rp_breaker *breaker, uint64_t now_ns)
{
    uint64_t retry_at = atomic_load_explicit(&breaker->retry_at_ns, memory_order_relaxed);
    uint64_t next;

    if (retry_at == 0)
        return RP_BREAKER_CLOSED;
    if (now_ns < retry_at)
        return RP_BREAKER_OPEN;
    /* One thread wins the probe; for the others the next one is an interval away. */
    next = now_ns + atomic_load_explicit(&breaker->interval_ns, memory_order_relaxed);
    return atomic_compare_exchange_strong_explicit(&breaker->retry_at_ns, &retry_at, next,
                                                   memory_order_relaxed, memory_order_relaxed)
               ? RP_BREAKER_PROBE
               : RP_BREAKER_OPEN;
}

bool rp_breaker_success(struct rp_breaker *breaker, rp_breaker_pass pass)
{
    if (atomic_load_explicit(&breaker->faults, memory_order_relaxed) != 0)
        atomic_store_explicit(&breaker->faults, 0, memory_order_relaxed);
    /* A block that was already on its way when the breaker opened does not close it. */
    if (pass != RP_BREAKER_PROBE)
        return false;
    atomic_store_explicit(&breaker->interval_ns, breaker->first_interval_ns, memory_order_relaxed);
    return atomic_exchange_explicit(&breaker->retry_at_ns, 0, memory_order_relaxed) != 0;
}

bool rp_breaker_fault(struct rp_breaker *breaker, rp_breaker_pass pass, uint64_t now_ns)
{
    uint64_t interval = atomic_load_explicit(&breaker->interval_ns, memory_order_relaxed);
    uint64_t closed = 0;

    if (pass == RP_BREAKER_PROBE) {
        if (interval < breaker->first_interval_ns * RP_BREAKER_MAX_FACTOR)
            interval *= 2;
        atomic_store_explicit(&breaker->interval_ns, interval, memory_order_relaxed);
        atomic_store_explicit(&breaker->retry_at_ns, now_ns + interval, memory_order_relaxed);
        return false;
    }
    if (atomic_fetch_add_explicit(&breaker->faults, 1, memory_order_relaxed) + 1 <
        breaker->threshold)
        return false;
    return atomic_compare_exchange_strong_explicit(&breaker->retry_at_ns, &closed,
                                                   now_ns + interval, memory_order_relaxed,
                                                   memory_order_relaxed);
}
