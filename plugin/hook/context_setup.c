/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hooked functions that make, free and set up a ZSTD_CCtx. Set-up calls always go to libzstd
 * first, and only what it accepted is noted. So its errors (a parameter out of range, a dictionary
 * in the middle of a stream) are the hook's errors.
 *
 * No list of parameters is needed: level and checksum are understood, and any other one at 0 has
 * libzstd's default. The exception is the content size, whose default is 1. A dictionary id changes
 * nothing without a dictionary.
 */
#include "plugin/batch/batch.h"
#include "plugin/core/config.h"
#include "plugin/core/nesting.h"
#include "plugin/core/stats.h"
#include "plugin/hook/asker.h"
#include "plugin/hook/caller.h"
#include "plugin/hook/context_cache.h"

static unsigned cache_slots(void)
{
    const rp_plugin_config *config = rp_config_get();

    return config != NULL ? config->contexts : 0;
}

/* The hook only forwards to an old library: it can't follow what its contexts will do. */
static void insert(struct rp_zstd *zstd, ZSTD_CCtx *cctx, uint32_t flags)
{
    rp_context_insert(cctx, zstd->number, zstd->is_old ? RP_CONTEXT_OPAQUE : flags);
}

static ZSTD_CCtx *create_default(struct rp_zstd *zstd)
{
    ZSTD_CCtx *cctx = rp_context_cache_take(zstd, cache_slots());

    if (cctx != NULL) {
        rp_stats_count(RP_COUNT_CONTEXTS_RECYCLED);
    } else {
        rp_nesting nesting;

        rp_nesting_enter(&nesting);
        cctx = zstd->createCCtx();
        rp_nesting_leave(&nesting);
        if (cctx == NULL)
            return NULL;
        rp_stats_count(RP_COUNT_CONTEXTS_CREATED);
    }
    insert(zstd, cctx, RP_CONTEXT_DEFAULT_MEMORY);
    return cctx;
}

RP_API ZSTD_CCtx *ZSTD_createCCtx(void)
{
    struct rp_zstd *zstd = rp_library_of(NULL, RP_CALLER());

    if (zstd == NULL || zstd->createCCtx == NULL)
        return NULL;
    return rp_nesting_is_nested() ? zstd->createCCtx() : create_default(zstd);
}

RP_API ZSTD_CCtx *ZSTD_createCCtx_advanced(ZSTD_customMem customMem)
{
    struct rp_zstd *zstd = rp_library_of(NULL, RP_CALLER());
    rp_nesting nesting;
    ZSTD_CCtx *cctx;

    if (zstd == NULL || zstd->createCCtx == NULL || zstd->createCCtx_advanced == NULL)
        return NULL;
    if (rp_nesting_is_nested())
        return zstd->createCCtx_advanced(customMem);
    if (customMem.customAlloc == NULL && customMem.customFree == NULL)
        return create_default(zstd);
    /* A caller's own allocator must get its memory back: such a context is never kept. */
    rp_nesting_enter(&nesting);
    cctx = zstd->createCCtx_advanced(customMem);
    rp_nesting_leave(&nesting);
    if (cctx != NULL) {
        rp_stats_count(RP_COUNT_CONTEXTS_CREATED);
        insert(zstd, cctx, 0);
    }
    return cctx;
}

/* Forgets the context even in a nested call: libzstd frees the contexts of its worker threads
 * from inside ZSTD_freeCCtx, but makes them where the hook sees it. */
static size_t free_context(struct rp_zstd *zstd, size_t (*real)(ZSTD_CCtx *), ZSTD_CCtx *cctx)
{
    bool ends_batch = rp_thread.own_batch != 0 && !rp_nesting_is_nested() &&
                      rp_context_is_own_and_older(cctx, rp_thread.own_batch_born);
    uint32_t flags = rp_context_remove(cctx);
    rp_nesting nesting;
    bool keep = (flags & (RP_CONTEXT_DEFAULT_MEMORY | RP_CONTEXT_TAINTED | RP_CONTEXT_OPAQUE)) ==
                RP_CONTEXT_DEFAULT_MEMORY;
    size_t result;

    if (real == NULL)
        return cctx == NULL ? 0 : RP_ZSTD_NO_LIBRARY;
    if (rp_nesting_is_nested())
        return real(cctx);
    rp_asker_note_freed(flags);
    /* The batch's file is done: hook/dictionary_training.c says why. */
    if (ends_batch) {
        rp_batch_end(rp_thread.own_batch);
        rp_thread.own_batch = 0;
    }
    rp_nesting_enter(&nesting);
    result = keep && rp_context_cache_keep(zstd, cctx, cache_slots()) ? 0 : real(cctx);
    rp_nesting_leave(&nesting);
    return result;
}

RP_API size_t ZSTD_freeCCtx(ZSTD_CCtx *cctx)
{
    struct rp_zstd *zstd = rp_library_of(rp_context_find(cctx), RP_CALLER());

    return free_context(zstd, zstd != NULL ? zstd->freeCCtx : NULL, cctx);
}

RP_API size_t ZSTD_freeCStream(ZSTD_CStream *zcs)
{
    struct rp_zstd *zstd = rp_library_of(rp_context_find(zcs), RP_CALLER());

    return free_context(zstd, zstd != NULL ? zstd->freeCStream : NULL, zcs);
}

static void note_parameter(struct rp_context *context, ZSTD_cParameter param, int value)
{
    if (param == ZSTD_c_compressionLevel)
        rp_thread.set_level = value != 0 ? value : RP_CONTEXT_DEFAULT_LEVEL;
    if (param == ZSTD_c_checksumFlag)
        rp_thread.set_checksum = value != 0;
    switch (param) {
    case ZSTD_c_compressionLevel:
        context->level = value != 0 ? value : RP_CONTEXT_DEFAULT_LEVEL;
        break;
    case ZSTD_c_checksumFlag:
        context->flags &= ~RP_CONTEXT_CHECKSUM;
        context->flags |= value != 0 ? RP_CONTEXT_CHECKSUM : 0;
        break;
    case ZSTD_c_dictIDFlag:
        break;
    case ZSTD_c_contentSizeFlag:
        context->flags |= value == 0 ? RP_CONTEXT_OPAQUE | RP_CONTEXT_TAINTED : 0;
        break;
    default:
        context->flags |= value != 0 ? RP_CONTEXT_OPAQUE | RP_CONTEXT_TAINTED : 0;
        break;
    }
}

RP_API size_t ZSTD_CCtx_setParameter(ZSTD_CCtx *cctx, ZSTD_cParameter param, int value)
{
    struct rp_context *context = rp_context_find(cctx);
    struct rp_zstd *zstd = rp_library_of(context, RP_CALLER());
    rp_nesting nesting;
    size_t result;

    if (zstd == NULL || zstd->CCtx_setParameter == NULL)
        return zstd == NULL ? RP_ZSTD_NO_LIBRARY : RP_ZSTD_NO_FUNCTION;
    if (rp_nesting_is_nested())
        return zstd->CCtx_setParameter(cctx, param, value);
    rp_nesting_enter(&nesting);
    result = zstd->CCtx_setParameter(cctx, param, value);
    rp_nesting_leave(&nesting);
    if (context != NULL && !rp_zstd_is_error(result))
        note_parameter(context, param, value);
    return result;
}

static void note_dictionary(struct rp_context *context, size_t result, bool is_set)
{
    if (context == NULL || rp_zstd_is_error(result))
        return;
    context->flags &= ~RP_CONTEXT_DICTIONARY;
    context->flags |= is_set ? RP_CONTEXT_DICTIONARY : 0;
}

RP_API size_t ZSTD_CCtx_refCDict(ZSTD_CCtx *cctx, const ZSTD_CDict *cdict)
{
    struct rp_context *context = rp_context_find(cctx);
    struct rp_zstd *zstd = rp_library_of(context, RP_CALLER());
    rp_nesting nesting;
    size_t result;

    if (zstd == NULL || zstd->CCtx_refCDict == NULL)
        return zstd == NULL ? RP_ZSTD_NO_LIBRARY : RP_ZSTD_NO_FUNCTION;
    if (rp_nesting_is_nested())
        return zstd->CCtx_refCDict(cctx, cdict);
    rp_nesting_enter(&nesting);
    result = zstd->CCtx_refCDict(cctx, cdict);
    rp_nesting_leave(&nesting);
    note_dictionary(context, result, cdict != NULL);
    return result;
}

RP_API size_t ZSTD_CCtx_loadDictionary(ZSTD_CCtx *cctx, const void *dict, size_t dictSize)
{
    struct rp_context *context = rp_context_find(cctx);
    struct rp_zstd *zstd = rp_library_of(context, RP_CALLER());
    rp_nesting nesting;
    size_t result;

    if (zstd == NULL || zstd->CCtx_loadDictionary == NULL)
        return zstd == NULL ? RP_ZSTD_NO_LIBRARY : RP_ZSTD_NO_FUNCTION;
    if (rp_nesting_is_nested())
        return zstd->CCtx_loadDictionary(cctx, dict, dictSize);
    rp_nesting_enter(&nesting);
    result = zstd->CCtx_loadDictionary(cctx, dict, dictSize);
    rp_nesting_leave(&nesting);
    note_dictionary(context, result, dict != NULL && dictSize != 0);
    return result;
}

RP_API size_t ZSTD_CCtx_reset(ZSTD_CCtx *cctx, ZSTD_ResetDirective reset)
{
    struct rp_context *context = rp_context_find(cctx);
    struct rp_zstd *zstd = rp_library_of(context, RP_CALLER());
    rp_nesting nesting;
    size_t result;

    if (zstd == NULL || zstd->CCtx_reset == NULL)
        return zstd == NULL ? RP_ZSTD_NO_LIBRARY : RP_ZSTD_NO_FUNCTION;
    if (rp_nesting_is_nested())
        return zstd->CCtx_reset(cctx, reset);
    rp_nesting_enter(&nesting);
    result = zstd->CCtx_reset(cctx, reset);
    rp_nesting_leave(&nesting);
    if (context != NULL && !rp_zstd_is_error(result) && reset != ZSTD_reset_session_only) {
        context->flags &= ~(RP_CONTEXT_CHECKSUM | RP_CONTEXT_DICTIONARY);
        if (!zstd->is_old)
            context->flags &= ~RP_CONTEXT_OPAQUE;
        context->level = RP_CONTEXT_DEFAULT_LEVEL;
    }
    return result;
}
