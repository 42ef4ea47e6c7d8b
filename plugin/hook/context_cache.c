/* SPDX-License-Identifier: Apache-2.0 */
/* Idle contexts: see hook/context_cache.h. */
#include "plugin/hook/context_cache.h"

ZSTD_CCtx *rp_context_cache_take(struct rp_zstd *zstd, unsigned slots)
{
    return rp_idle_slots_take(&zstd->idle_contexts, slots);
}

bool rp_context_cache_keep(struct rp_zstd *zstd, ZSTD_CCtx *cctx, unsigned slots)
{
    if (slots == 0 || zstd->sizeof_CCtx == NULL || zstd->CCtx_reset == NULL ||
        !rp_zstd_may_keep(zstd))
        return false;
    if (rp_zstd_is_error(zstd->CCtx_reset(cctx, ZSTD_reset_session_and_parameters)) ||
        zstd->sizeof_CCtx(cctx) > RP_CONTEXT_CACHE_BYTES)
        return false;
    return rp_idle_slots_keep(&zstd->idle_contexts, slots, cctx);
}

void rp_context_cache_clear(struct rp_zstd *zstd)
{
    ZSTD_CCtx *cctx;

    while ((cctx = rp_idle_slots_take(&zstd->idle_contexts, RP_IDLE_SLOTS)) != NULL)
        zstd->freeCCtx(cctx);
}
