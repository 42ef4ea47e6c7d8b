/* SPDX-License-Identifier: Apache-2.0 */
/* Idle contexts: see hook/context_cache.h. */
#include "plugin/hook/context_cache.h"

#include "plugin/core/idle_slots.h"

static struct rp_idle_slots idle;

ZSTD_CCtx *rp_context_cache_take(unsigned slots)
{
    return rp_idle_slots_take(&idle, slots);
}

bool rp_context_cache_keep(struct rp_zstd *zstd, ZSTD_CCtx *cctx, unsigned slots)
{
    size_t (*size_of)(const ZSTD_CCtx *) = RP_ZSTD(zstd, sizeof_CCtx);
    size_t (*reset)(ZSTD_CCtx *, ZSTD_ResetDirective) = RP_ZSTD(zstd, CCtx_reset);

    if (slots == 0 || size_of == NULL || reset == NULL)
        return false;
    if (rp_zstd_is_error(reset(cctx, ZSTD_reset_session_and_parameters)) ||
        size_of(cctx) > RP_CONTEXT_CACHE_BYTES)
        return false;
    return rp_idle_slots_keep(&idle, slots, cctx);
}
