/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idle ZSTD_CCtx, kept for the next caller. BlobDB makes and frees a context for every blob,
 * and a builder with parallel compression several for every SST; making one means allocating
 * and clearing some hundred KiB.
 *
 * One process-wide array of slots, each taken and filled by a single atomic exchange: a cache
 * per thread would need a destructor at thread exit, and would strand contexts in threads that
 * only make them. What it holds is bounded: RP_CONTEXT_CACHE_BYTES for each of at most
 * RP_CONTEXT_CACHE_SLOTS contexts.
 */
#ifndef ROCKPRESS_PLUGIN_HOOK_CONTEXT_CACHE_H
#define ROCKPRESS_PLUGIN_HOOK_CONTEXT_CACHE_H

#include <stdbool.h>

#include "plugin/core/zstd_real.h"

#define RP_CONTEXT_CACHE_SLOTS 64u

/* A context at level 3 takes 0.1 to 1.3 MiB, by block size; larger ones (high levels, worker
 * threads, long streams) are freed instead. */
#define RP_CONTEXT_CACHE_BYTES ((size_t)2 << 20)

/* An idle context as good as new, or NULL. `slots` is how many to use. */
ZSTD_CCtx *rp_context_cache_take(unsigned slots);

/* Resets the context and keeps it. False when it is too large, can't be reset, or all slots
 * are full: the caller still owns it. */
bool rp_context_cache_keep(struct rp_zstd *zstd, ZSTD_CCtx *cctx, unsigned slots);

#endif
