/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idle ZSTD_CCtx, kept for the next caller of the same libzstd. BlobDB makes and frees a context
 * for every blob, a builder with parallel compression makes several for every SST, and RocksDB
 * from 10.7 on may make one for every block. Making one means allocating and clearing some hundred
 * KiB.
 *
 * For each library at most RP_IDLE_SLOTS contexts of at most RP_CONTEXT_CACHE_BYTES each are kept.
 */
#ifndef ROCKPRESS_PLUGIN_HOOK_CONTEXT_CACHE_H
#define ROCKPRESS_PLUGIN_HOOK_CONTEXT_CACHE_H

#include <stdbool.h>

#include "plugin/zstd/library.h"

/* A context at level 3 takes 0.1 to 1.3 MiB, by block size; larger ones (high levels, worker
 * threads, long streams) are freed instead. */
#define RP_CONTEXT_CACHE_BYTES ((size_t)2 << 20)

/* An idle context as good as new, or NULL. `slots` is how many of the slots are used. */
ZSTD_CCtx *rp_context_cache_take(struct rp_zstd *zstd, unsigned slots);

/* Resets the context and keeps it. False when it is too large, can't be reset, or all slots
 * are full: the caller still owns it. */
bool rp_context_cache_keep(struct rp_zstd *zstd, ZSTD_CCtx *cctx, unsigned slots);

/* Frees the library's idle contexts. */
void rp_context_cache_clear(struct rp_zstd *zstd);

#endif
