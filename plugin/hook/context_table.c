/* SPDX-License-Identifier: Apache-2.0 */
/* The table of contexts: see hook/context_table.h. */
#include "plugin/hook/context_table.h"

#include "plugin/core/thread_state.h"

struct rp_context_set rp_context_sets[RP_CONTEXT_SETS];
static _Atomic uint32_t n_inserted;

uint32_t rp_context_clock(void)
{
    return atomic_load_explicit(&n_inserted, memory_order_relaxed);
}

static void set_maker(struct rp_context_set *set, unsigned way)
{
    atomic_store_explicit(&set->makers[way], rp_thread_number(), memory_order_relaxed);
}

static bool is_own(struct rp_context_set *set, unsigned way)
{
    return atomic_load_explicit(&set->makers[way], memory_order_relaxed) == rp_thread_number();
}

void rp_context_insert(const void *cctx, uint32_t zstd, uint32_t flags)
{
    struct rp_context_set *set = rp_context_set_of(cctx);
    struct rp_context *known = rp_context_find(cctx);
    uint32_t born = atomic_fetch_add_explicit(&n_inserted, 1, memory_order_relaxed) + 1;
    struct rp_context fresh = {flags, RP_CONTEXT_DEFAULT_LEVEL, born, zstd};

    if (known != NULL) {
        *known = fresh;
        set_maker(set, (unsigned)(known - set->contexts));
        return;
    }
    for (unsigned i = 0; i < RP_CONTEXT_WAYS; i++) {
        uintptr_t empty = 0;
        if (atomic_load_explicit(&set->keys[i], memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong_explicit(&set->keys[i], &empty, (uintptr_t)cctx,
                                                    memory_order_acquire, memory_order_relaxed)) {
            set->contexts[i] = fresh;
            set_maker(set, i);
            return;
        }
    }
}

static unsigned way_of(struct rp_context_set *set, const void *cctx)
{
    unsigned i = 0;

    while (i < RP_CONTEXT_WAYS &&
           atomic_load_explicit(&set->keys[i], memory_order_relaxed) != (uintptr_t)cctx)
        i++;
    return i;
}

uint32_t rp_context_remove(const void *cctx)
{
    struct rp_context_set *set = rp_context_set_of(cctx);
    unsigned way = way_of(set, cctx);
    uint32_t flags;

    if (cctx == NULL || way == RP_CONTEXT_WAYS)
        return 0;
    flags = set->contexts[way].flags;
    atomic_store_explicit(&set->makers[way], 0, memory_order_relaxed);
    /* Release: these reads come before the writes of the next owner of the entry. */
    atomic_store_explicit(&set->keys[way], 0, memory_order_release);
    return flags;
}

struct rp_context *rp_context_find_in(struct rp_context_set *set, const void *cctx)
{
    unsigned way = way_of(set, cctx);

    return cctx != NULL && way < RP_CONTEXT_WAYS ? &set->contexts[way] : NULL;
}

bool rp_context_is_own_and_older(const void *cctx, uint32_t born)
{
    struct rp_context_set *set = rp_context_set_of(cctx);
    unsigned way = way_of(set, cctx);

    return cctx != NULL && way < RP_CONTEXT_WAYS && is_own(set, way) &&
           (int32_t)(set->contexts[way].born - born) <= 0;
}

/* A context that is used stays where it is. One that another thread frees just now may have given
 * its entry to a new one: then the entry has another maker. */
struct rp_context *rp_context_youngest_own(void)
{
    struct rp_context *youngest = NULL;

    for (unsigned i = 0; i < RP_CONTEXT_SETS; i++) {
        for (unsigned way = 0; way < RP_CONTEXT_WAYS; way++) {
            struct rp_context *context = &rp_context_sets[i].contexts[way];
            if (is_own(&rp_context_sets[i], way) &&
                (youngest == NULL || (int32_t)(context->born - youngest->born) > 0))
                youngest = context;
        }
    }
    return youngest;
}

void rp_context_disown(uint32_t born)
{
    for (unsigned i = 0; i < RP_CONTEXT_SETS; i++) {
        for (unsigned way = 0; way < RP_CONTEXT_WAYS; way++) {
            if (is_own(&rp_context_sets[i], way) &&
                (int32_t)(rp_context_sets[i].contexts[way].born - born) <= 0)
                atomic_store_explicit(&rp_context_sets[i].makers[way], 0, memory_order_relaxed);
        }
    }
}
