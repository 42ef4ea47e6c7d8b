/* SPDX-License-Identifier: Apache-2.0 */
/* Idle contexts: see hook/context_cache.h. */
#include "plugin/hook/context_cache.h"

#include "plugin/core/thread_state.h"

static _Atomic(ZSTD_CCtx *) idle[RP_CONTEXT_CACHE_SLOTS];

/* Threads begin at different slots, to stay out of each other's way. */
static unsigned first_slot(unsigned slots)
{
    return rp_thread_shard() * (RP_CONTEXT_CACHE_SLOTS / RP_N_SHARDS) % slots;
}

ZSTD_CCtx *rp_context_cache_take(unsigned slots)
{
    unsigned first, i;

    if (slots == 0)
        return NULL;
    first = first_slot(slots);
    for (i = 0; i < slots; i++) {
        unsigned slot = first + i < slots ? first + i : first + i - slots;
        ZSTD_CCtx *cctx = NULL;
        if (atomic_load_explicit(&idle[slot], memory_order_relaxed) != NULL)
            cctx = atomic_exchange_explicit(&idle[slot], NULL, memory_order_acquire);
        if (cctx != NULL)
            return cctx;
    }
    return NULL;
}

bool rp_context_cache_keep(struct rp_zstd *zstd, ZSTD_CCtx *cctx, unsigned slots)
{
    size_t (*size_of)(const ZSTD_CCtx *) = RP_ZSTD(zstd, sizeof_CCtx);
    size_t (*reset)(ZSTD_CCtx *, ZSTD_ResetDirective) = RP_ZSTD(zstd, CCtx_reset);
    unsigned first, i;

    if (slots == 0 || size_of == NULL || reset == NULL)
        return false;
    if (rp_zstd_is_error(reset(cctx, ZSTD_reset_session_and_parameters)) ||
        size_of(cctx) > RP_CONTEXT_CACHE_BYTES)
        return false;
    first = first_slot(slots);
    for (i = 0; i < slots; i++) {
        unsigned slot = first + i < slots ? first + i : first + i - slots;
        ZSTD_CCtx *empty = NULL;
        if (atomic_load_explicit(&idle[slot], memory_order_relaxed) == NULL &&
            atomic_compare_exchange_strong_explicit(&idle[slot], &empty, cctx, memory_order_release,
                                                    memory_order_relaxed))
            return true;
    }
    return false;
}
