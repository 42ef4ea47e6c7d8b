/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hook knows about a ZSTD_CCtx, kept beside it. A context stays the real one, so every
 * function of libzstd works on it, the ones that are not hooked too; wrapping it, or a header
 * in front of it, would break as soon as one that was made elsewhere comes along.
 *
 * A table of fixed size, by address, in sets of eight like a CPU's cache: a look-up reads one
 * cache line of keys, nothing is ever moved, allocated or locked. A context that finds its set
 * full, or that was made out of the hook's sight, is just not known, and takes the cpu route.
 *
 * libzstd's rule that a context is used by one thread at a time covers its entry, too; only
 * taking and leaving an entry are races between threads, and those are single atomic writes.
 */
#ifndef ROCKPRESS_PLUGIN_HOOK_CONTEXT_TABLE_H
#define ROCKPRESS_PLUGIN_HOOK_CONTEXT_TABLE_H

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

/* A block was served from the batch of the thread that used it. */
#define RP_CONTEXT_SERVED UINT32_C(32)

struct rp_context {
    uint32_t flags;
    int32_t level;
    uint32_t born; /* rp_context_clock() when it was inserted */
};

/* Level of a context that was not told one (ZSTD_CLEVEL_DEFAULT). */
#define RP_CONTEXT_DEFAULT_LEVEL 3

/* Makes the context known, or anew. */
void rp_context_insert(const void *cctx, uint32_t flags);

/* Forgets it, and returns its last flags; 0 if it was not known. Before it is freed. *born
 * (nullable) is when it was inserted. */
uint32_t rp_context_remove(const void *cctx, uint32_t *born);

/* Grows with each context that is inserted, and wraps around. */
uint32_t rp_context_clock(void);

/* The entry, or NULL. Valid until the context is removed. */
struct rp_context *rp_context_find(const void *cctx);

#endif
