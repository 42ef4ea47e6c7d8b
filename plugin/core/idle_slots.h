/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idle objects that any thread may take and reuse: an array of slots for the whole process, each
 * taken and filled by a single atomic exchange. A cache for each thread would need a destructor at
 * thread exit, and would strand objects in threads that only make them.
 *
 * Thread rule: any thread. Threads begin at different slots, to stay out of each other's way.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_IDLE_SLOTS_H
#define ROCKPRESS_PLUGIN_CORE_IDLE_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "plugin/core/thread_state.h"

/* As many as there may be threads that use such an object at the same time. */
#define RP_IDLE_SLOTS 64u

struct rp_idle_slots {
    _Atomic(void *) objects[RP_IDLE_SLOTS];
};

static inline unsigned rp_idle_slots_first(unsigned n)
{
    return rp_thread_shard() * (RP_IDLE_SLOTS / RP_N_SHARDS) % n;
}

/* An object, or NULL. Only the first n slots are used, at most RP_IDLE_SLOTS. */
static inline void *rp_idle_slots_take(struct rp_idle_slots *slots, unsigned n)
{
    unsigned first = n != 0 ? rp_idle_slots_first(n) : 0;

    for (unsigned i = 0; i < n; i++) {
        _Atomic(void *) *slot = &slots->objects[first + i < n ? first + i : first + i - n];
        void *object = NULL;
        if (atomic_load_explicit(slot, memory_order_relaxed) != NULL)
            object = atomic_exchange_explicit(slot, NULL, memory_order_acquire);
        if (object != NULL)
            return object;
    }
    return NULL;
}

/* False when all slots are full: the caller still owns the object. */
static inline bool rp_idle_slots_keep(struct rp_idle_slots *slots, unsigned n, void *object)
{
    unsigned first = n != 0 ? rp_idle_slots_first(n) : 0;

    for (unsigned i = 0; i < n; i++) {
        _Atomic(void *) *slot = &slots->objects[first + i < n ? first + i : first + i - n];
        void *empty = NULL;
        if (atomic_load_explicit(slot, memory_order_relaxed) == NULL &&
            atomic_compare_exchange_strong_explicit(slot, &empty, object, memory_order_release,
                                                    memory_order_relaxed))
            return true;
    }
    return false;
}

#endif
