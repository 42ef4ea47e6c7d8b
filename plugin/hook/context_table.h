/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hook knows about each ZSTD_CCtx. The context itself stays libzstd's own, so that every
 * function of libzstd works on it, hooked or not. A wrapper, or a header in front of it, would
 * break for contexts that were made where the hook does not see it.
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

#include <stdbool.h>
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
};

/* Level of a context that was not told one (ZSTD_CLEVEL_DEFAULT). */
#define RP_CONTEXT_DEFAULT_LEVEL 3

/* Enters the context, or resets its entry. */
void rp_context_insert(const void *cctx, uint32_t flags);

/* Removes a context before it is freed, and returns its last flags; 0 if it was not known. *born
 * (nullable) is when it was inserted. */
uint32_t rp_context_remove(const void *cctx, uint32_t *born);

/* Grows with each context that is inserted, and wraps around. */
uint32_t rp_context_clock(void);

/* Whether this thread has made the context, and that not after `born`. */
bool rp_context_is_own_and_older(const void *cctx, uint32_t born);

/* The youngest context that lives and that this thread has made; NULL: there is none. Reads the
 * owners of all entries: for once in a file, not for each block. */
struct rp_context *rp_context_youngest_own(void);

/* This thread no longer counts as the maker of contexts that are not younger than `born`. */
void rp_context_disown(uint32_t born);

/* The entry, or NULL. Valid until the context is removed. */
struct rp_context *rp_context_find(const void *cctx);

#endif
