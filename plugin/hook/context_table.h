/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hook knows about each ZSTD_CCtx. The context itself stays libzstd's own, so that every
 * function of libzstd works on it, hooked or not. A wrapper, or a header in front of it, would
 * break for contexts that were made where the hook does not see it.
 *
 * An entry also says which libzstd the context belongs to. It decides where a call with the context
 * goes, since a caller may have got the context from elsewhere.
 *
 * The table has a fixed size, and finds contexts by address in sets of eight, like a CPU's cache. A
 * look-up reads one cache line of keys, and nothing is ever moved, allocated or locked. A context
 * whose set is full is not known, like one that was made out of the hook's sight, and takes the cpu
 * route.
 *
 * libzstd's rule that a context is used by one thread at a time covers its entry, too. Only
 * taking and leaving an entry can race with other threads, and those are single atomic writes.
 */
#ifndef ROCKPRESS_PLUGIN_HOOK_CONTEXT_TABLE_H
#define ROCKPRESS_PLUGIN_HOOK_CONTEXT_TABLE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Contexts whose compression the hook understands have these flags only. */
#define RP_CONTEXT_CHECKSUM UINT32_C(1)
/* A dictionary is set: the cpu route until it is taken away. */
#define RP_CONTEXT_DICTIONARY UINT32_C(2)
/* Something else is set: the cpu route until the parameters are reset. */
#define RP_CONTEXT_OPAQUE UINT32_C(4)
/* Made with libzstd's default allocator: may be kept for reuse. */
#define RP_CONTEXT_DEFAULT_MEMORY UINT32_C(8)
/* Has state that a reset does not undo: never reused. */
#define RP_CONTEXT_TAINTED UINT32_C(16)
/* Has been asked for a block, and for more than one (hook/asker.h). */
#define RP_CONTEXT_USED UINT32_C(32)
#define RP_CONTEXT_REUSED UINT32_C(64)

struct rp_context {
    uint32_t flags;
    int32_t level;
    uint32_t born; /* rp_context_clock() when it was inserted */
    uint32_t zstd; /* the number of its library (zstd/library.h) */
};

/* Level of a context that was not told one (ZSTD_CLEVEL_DEFAULT). */
#define RP_CONTEXT_DEFAULT_LEVEL 3

/* Enters the context of a library, or resets its entry. */
void rp_context_insert(const void *cctx, uint32_t zstd, uint32_t flags);

/* Removes a context before it is freed, and returns its last flags; 0 if it was not known. */
uint32_t rp_context_remove(const void *cctx);

/* Grows with each context that is inserted, and wraps around. */
uint32_t rp_context_clock(void);

/* Whether this thread has made the context, and that not after `born`. */
bool rp_context_is_own_and_older(const void *cctx, uint32_t born);

/* The youngest context that lives and that this thread has made; NULL: there is none. Reads the
 * owners of all entries: for once in a file, not for each block. */
struct rp_context *rp_context_youngest_own(void);

/* This thread no longer counts as the maker of contexts that are not younger than `born`. */
void rp_context_disown(uint32_t born);

/* 1024 sets of 8: RocksDB has one context per compression thread and open blob, some hundreds
 * at most. 256 KiB, of which pages that no context hashes to are never touched. */
#define RP_CONTEXT_SETS 1024u
#define RP_CONTEXT_WAYS 8u

struct rp_context_set {
    alignas(64) _Atomic uintptr_t keys[RP_CONTEXT_WAYS];
    struct rp_context contexts[RP_CONTEXT_WAYS];
    _Atomic uint32_t makers[RP_CONTEXT_WAYS]; /* rp_thread_number() of each; 0: nobody's */
};

extern struct rp_context_set rp_context_sets[RP_CONTEXT_SETS];

static inline struct rp_context_set *rp_context_set_of(const void *cctx)
{
    /* Allocations are 16 bytes apart or more; the multiplier is 2^64 by the golden ratio. */
    uint64_t hash = ((uint64_t)(uintptr_t)cctx >> 4) * UINT64_C(0x9E3779B97F4A7C15);

    return &rp_context_sets[hash >> 54];
}

_Static_assert(RP_CONTEXT_SETS == 1u << 10, "rp_context_set_of takes the top 10 bits");

struct rp_context *rp_context_find_in(struct rp_context_set *set, const void *cctx);

/* The entry, or NULL. Valid until the context is removed. Inline, since most calls of a hooked
 * function do little else. */
static inline struct rp_context *rp_context_find(const void *cctx)
{
    struct rp_context_set *set = rp_context_set_of(cctx);

    if (cctx != NULL &&
        atomic_load_explicit(&set->keys[0], memory_order_relaxed) == (uintptr_t)cctx)
        return &set->contexts[0];
    return rp_context_find_in(set, cctx);
}

#endif
