/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hooked compression functions: those that turn one block into one frame. RocksDB up to
 * 8.5 calls ZSTD_compress_usingDict (with an empty dictionary) or ZSTD_compress_usingCDict,
 * later versions ZSTD_compress2; ZSTD_compress and ZSTD_compressCCtx are here for other users
 * of the same kind. Streaming (RocksDB's WAL) is not hooked at all.
 *
 * A block is offered to the device when its frame would mean the same as libzstd's: no dictionary,
 * and no parameter beyond level and checksum. The caller always gets a frame, or libzstd's own
 * error for this very call. That matters, because RocksDB up to 8.5 takes any return value for a
 * length.
 */
#include "plugin/core/nesting.h"
#include "plugin/core/request.h"
#include "plugin/hook/asker.h"
#include "plugin/hook/caller.h"
#include "plugin/hook/dictionary_training.h"
#include "plugin/route/cpu.h"
#include "plugin/route/route.h"

/* Calls that libzstd refuses, or leaves undefined, are left to libzstd. */
static rp_fallback_reason try_device(const rp_asker *asker, const rp_request *request,
                                     size_t *frame_size)
{
    if (request->input == NULL || request->output == NULL || rp_request_overlaps(request))
        return RP_FALLBACK_PARAMETER;
    return rp_route_compress_for(asker, request, frame_size);
}

/* For the functions that ignore a context's parameters. Before 1.5 libzstd did not ignore all of
 * those that make a context opaque. */
static rp_fallback_reason try_device_simple(struct rp_context *context, const rp_request *request,
                                            size_t *frame_size)
{
    rp_asker asker;

    if (context == NULL || (context->flags & RP_CONTEXT_OPAQUE) != 0)
        return RP_FALLBACK_PARAMETER;
    asker = rp_asker_of(context, request, true);
    return try_device(&asker, request, frame_size);
}

static rp_fallback_reason try_device_advanced(struct rp_zstd *zstd, struct rp_context *context,
                                              ZSTD_CCtx *cctx, rp_request *request,
                                              size_t *frame_size)
{
    rp_fallback_reason reason;
    rp_asker asker;

    if (context == NULL || (context->flags & RP_CONTEXT_OPAQUE) != 0 || zstd->CCtx_reset == NULL)
        return RP_FALLBACK_PARAMETER;
    if ((context->flags & RP_CONTEXT_DICTIONARY) != 0)
        return RP_FALLBACK_DICTIONARY;
    request->level = context->level;
    request->checksum = (context->flags & RP_CONTEXT_CHECKSUM) != 0;
    asker = rp_asker_of(context, request, false);
    reason = try_device(&asker, request, frame_size);
    /* ZSTD_compress2 ends a stream that was begun on the context, so this does, too. It is cheap.
     */
    if (reason == RP_FALLBACK_NONE)
        zstd->CCtx_reset(cctx, ZSTD_reset_session_only);
    return reason;
}

static size_t end_cpu(rp_fallback_reason reason, const rp_request *request, size_t result,
                      const rp_cpu_block *block)
{
    rp_cpu_end(reason, request, rp_zstd_is_error(result) ? 0 : result, block);
    return result;
}

/*
 * Each function below has the same steps. A call that is nested, or for a library that is only
 * forwarded to, goes to libzstd as it is. Any other block is offered to the device first. `missing`
 * is the answer where there is no library, or the library lacks the function.
 */
static bool is_forwarded(const struct rp_zstd *zstd)
{
    return zstd->is_old || rp_nesting_is_nested();
}

static size_t missing(const struct rp_zstd *zstd)
{
    return zstd == NULL ? RP_ZSTD_NO_LIBRARY : RP_ZSTD_NO_FUNCTION;
}

RP_API size_t ZSTD_compress2(ZSTD_CCtx *cctx, void *dst, size_t dstCapacity, const void *src,
                             size_t srcSize)
{
    struct rp_context *context = rp_context_find(cctx);
    struct rp_zstd *zstd = rp_library_of(context, RP_CALLER());
    rp_request request = {src, srcSize, dst, dstCapacity, 0, false};
    rp_fallback_reason reason;
    rp_cpu_block block;
    size_t result;

    if (zstd == NULL || zstd->compress2 == NULL)
        return missing(zstd);
    if (is_forwarded(zstd))
        return zstd->compress2(cctx, dst, dstCapacity, src, srcSize);
    reason = try_device_advanced(zstd, context, cctx, &request, &result);
    if (reason == RP_FALLBACK_NONE)
        return result;
    rp_cpu_begin(reason, &block);
    result = zstd->compress2(cctx, dst, dstCapacity, src, srcSize);
    if (reason == RP_FALLBACK_DICTIONARY)
        rp_dictionary_was_used(dst, result);
    return end_cpu(reason, &request, result, &block);
}

RP_API size_t ZSTD_compress_usingDict(ZSTD_CCtx *ctx, void *dst, size_t dstCapacity,
                                      const void *src, size_t srcSize, const void *dict,
                                      size_t dictSize, int compressionLevel)
{
    struct rp_context *context = rp_context_find(ctx);
    struct rp_zstd *zstd = rp_library_of(context, RP_CALLER());
    rp_request request = {src, srcSize, dst, dstCapacity, compressionLevel, false};
    rp_fallback_reason reason = RP_FALLBACK_DICTIONARY;
    rp_cpu_block block;
    size_t result;

    if (zstd == NULL || zstd->compress_usingDict == NULL)
        return missing(zstd);
    if (is_forwarded(zstd))
        return zstd->compress_usingDict(ctx, dst, dstCapacity, src, srcSize, dict, dictSize,
                                        compressionLevel);
    if (dict == NULL || dictSize == 0)
        reason = try_device_simple(context, &request, &result);
    if (reason == RP_FALLBACK_NONE)
        return result;
    rp_cpu_begin(reason, &block);
    result = zstd->compress_usingDict(ctx, dst, dstCapacity, src, srcSize, dict, dictSize,
                                      compressionLevel);
    return end_cpu(reason, &request, result, &block);
}

RP_API size_t ZSTD_compress_usingCDict(ZSTD_CCtx *cctx, void *dst, size_t dstCapacity,
                                       const void *src, size_t srcSize, const ZSTD_CDict *cdict)
{
    struct rp_zstd *zstd = rp_library_of(rp_context_find(cctx), RP_CALLER());
    rp_request request = {src, srcSize, dst, dstCapacity, 0, false};
    rp_cpu_block block;
    size_t result;

    if (zstd == NULL || zstd->compress_usingCDict == NULL)
        return missing(zstd);
    if (is_forwarded(zstd))
        return zstd->compress_usingCDict(cctx, dst, dstCapacity, src, srcSize, cdict);
    rp_cpu_begin(RP_FALLBACK_DICTIONARY, &block);
    result = zstd->compress_usingCDict(cctx, dst, dstCapacity, src, srcSize, cdict);
    return end_cpu(RP_FALLBACK_DICTIONARY, &request, result, &block);
}

RP_API size_t ZSTD_compressCCtx(ZSTD_CCtx *cctx, void *dst, size_t dstCapacity, const void *src,
                                size_t srcSize, int compressionLevel)
{
    struct rp_context *context = rp_context_find(cctx);
    struct rp_zstd *zstd = rp_library_of(context, RP_CALLER());
    rp_request request = {src, srcSize, dst, dstCapacity, compressionLevel, false};
    rp_fallback_reason reason;
    rp_cpu_block block;
    size_t result;

    if (zstd == NULL || zstd->compressCCtx == NULL)
        return missing(zstd);
    if (is_forwarded(zstd))
        return zstd->compressCCtx(cctx, dst, dstCapacity, src, srcSize, compressionLevel);
    reason = try_device_simple(context, &request, &result);
    if (reason == RP_FALLBACK_NONE)
        return result;
    rp_cpu_begin(reason, &block);
    result = zstd->compressCCtx(cctx, dst, dstCapacity, src, srcSize, compressionLevel);
    return end_cpu(reason, &request, result, &block);
}

RP_API size_t ZSTD_compress(void *dst, size_t dstCapacity, const void *src, size_t srcSize,
                            int compressionLevel)
{
    struct rp_zstd *zstd = rp_library_of(NULL, RP_CALLER());
    rp_request request = {src, srcSize, dst, dstCapacity, compressionLevel, false};
    rp_fallback_reason reason;
    rp_cpu_block block;
    size_t result;

    if (zstd == NULL || zstd->compress == NULL)
        return missing(zstd);
    if (is_forwarded(zstd))
        return zstd->compress(dst, dstCapacity, src, srcSize, compressionLevel);
    reason = try_device(NULL, &request, &result);
    if (reason == RP_FALLBACK_NONE)
        return result;
    rp_cpu_begin(reason, &block);
    result = zstd->compress(dst, dstCapacity, src, srcSize, compressionLevel);
    return end_cpu(reason, &request, result, &block);
}
