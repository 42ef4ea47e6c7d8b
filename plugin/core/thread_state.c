/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a thread: see core/thread_state.h. Threads take shards in turn, not by a hash of
 * their id. The threads of one SST start together, and so never share a shard before all are in
 * use.
 */
#include "plugin/core/thread_state.h"

#include <stdatomic.h>

__thread struct rp_thread_state rp_thread;
_Static_assert(sizeof(rp_thread) <= 128, "thread_state.h says why");

static _Atomic uint32_t next_shard;

uint32_t rp_thread_choose_shard(void)
{
    uint32_t shard = atomic_fetch_add_explicit(&next_shard, 1, memory_order_relaxed) % RP_N_SHARDS;
    rp_thread.shard = shard + 1;
    return shard;
}

static _Atomic uint32_t last_number;

uint32_t rp_thread_choose_number(void)
{
    while (rp_thread.number == 0)
        rp_thread.number = atomic_fetch_add_explicit(&last_number, 1, memory_order_relaxed) + 1;
    return rp_thread.number;
}
