/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The libzstd that a hooked function passes a call on to. The context decides. Only where there is
 * none yet, or it was made out of the hook's sight, the calling code decides: the return address
 * may lie elsewhere, because libzstd's functions jump into one another (ZSTD_freeCStream ends with
 * a jump to ZSTD_freeCCtx).
 */
#ifndef ROCKPRESS_PLUGIN_HOOK_CALLER_H
#define ROCKPRESS_PLUGIN_HOOK_CALLER_H

#include "plugin/core/thread_state.h"
#include "plugin/hook/context_table.h"
#include "plugin/zstd/library.h"

/* In an exported function: where it was called from. */
#define RP_CALLER() __builtin_return_address(0)

/* The library, or NULL: the call fails with RP_ZSTD_NO_LIBRARY. `context` is NULL for a function
 * that has none, too. */
static inline struct rp_zstd *rp_library_of(const struct rp_context *context, const void *caller)
{
    struct rp_zstd *zstd = context != NULL ? rp_zstd_by_number(context->zstd) : NULL;

    /* Gone: the entry of a context that was never freed, at an address that is in use again. */
    if (zstd == NULL || atomic_load_explicit(&zstd->is_gone, memory_order_relaxed))
        zstd = rp_zstd_of_caller(caller);
    rp_thread.zstd = zstd;
    return zstd;
}

#endif
