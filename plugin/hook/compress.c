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
#include "plugin/core/zstd_real.h"
#include "plugin/hook/asker.h"
#include "plugin/hook/context_table.h"
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
static rp_fallback_reason try_device_simple(const ZSTD_CCtx *cctx, const rp_request *request,
                                            size_t *frame_size)
{
    struct rp_context *context = rp_context_find(cctx);
    rp_asker asker;

    if (context == NULL || (context->flags & RP_CONTEXT_OPAQUE) != 0)
        return RP_FALLBACK_PARAMETER;
    asker = rp_asker_of(context, request, true);
    return try_device(&asker, request, frame_size);
}

static rp_fallback_reason try_device_advanced(struct rp_zstd *zstd, ZSTD_CCtx *cctx,
                                              rp_request *request, size_t *frame_size)
{
    struct rp_context *context = rp_context_find(cctx);
    size_t (*reset)(ZSTD_CCtx *, ZSTD_ResetDirective) = RP_ZSTD(zstd, CCtx_reset);
    rp_asker asker;
    rp_fallback_reason reason;

    if (context == NULL || (context->flags & RP_CONTEXT_OPAQUE) != 0 || reset == NULL)
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
        reset(cctx, ZSTD_reset_session_only);
    return reason;
}

static size_t end_cpu(rp_fallback_reason reason, const rp_request *request, size_t result,
                      uint64_t begun_ns)
{
    rp_cpu_end(reason, request, rp_zstd_is_error(result) ? 0 : result, begun_ns);
    return result;
}

RP_API size_t ZSTD_compress2(ZSTD_CCtx *cctx, void *dst, size_t dstCapacity, const void *src,
                             size_t srcSize)
{
    struct rp_zstd *zstd = rp_zstd_real();
    size_t (*real)(ZSTD_CCtx *, void *, size_t, const void *, size_t) = RP_ZSTD(zstd, compress2);
    rp_request request = {src, srcSize, dst, dstCapacity, 0, false};
    uint64_t begun;
    size_t result;
    rp_fallback_reason reason;

    if (real == NULL)
        return RP_ZSTD_GENERIC_ERROR;
    if (rp_nesting_is_nested())
        return real(cctx, dst, dstCapacity, src, srcSize);
    reason = try_device_advanced(zstd, cctx, &request, &result);
    if (reason == RP_FALLBACK_NONE)
        return result;
    begun = rp_cpu_begin(reason);
    result = real(cctx, dst, dstCapacity, src, srcSize);
    if (reason == RP_FALLBACK_DICTIONARY)
        rp_dictionary_was_used(dst, result);
    return end_cpu(reason, &request, result, begun);
}

RP_API size_t ZSTD_compress_usingDict(ZSTD_CCtx *ctx, void *dst, size_t dstCapacity,
                                      const void *src, size_t srcSize, const void *dict,
                                      size_t dictSize, int compressionLevel)
{
    struct rp_zstd *zstd = rp_zstd_real();
    size_t (*real)(ZSTD_CCtx *, void *, size_t, const void *, size_t, const void *, size_t, int) =
        RP_ZSTD(zstd, compress_usingDict);
    rp_request request = {src, srcSize, dst, dstCapacity, compressionLevel, false};
    uint64_t begun;
    size_t result;
    rp_fallback_reason reason;

    if (real == NULL)
        return RP_ZSTD_GENERIC_ERROR;
    if (rp_nesting_is_nested())
        return real(ctx, dst, dstCapacity, src, srcSize, dict, dictSize, compressionLevel);
    reason = dict != NULL && dictSize != 0 ? RP_FALLBACK_DICTIONARY
                                           : try_device_simple(ctx, &request, &result);
    if (reason == RP_FALLBACK_NONE)
        return result;
    begun = rp_cpu_begin(reason);
    result = real(ctx, dst, dstCapacity, src, srcSize, dict, dictSize, compressionLevel);
    return end_cpu(reason, &request, result, begun);
}

RP_API size_t ZSTD_compress_usingCDict(ZSTD_CCtx *cctx, void *dst, size_t dstCapacity,
                                       const void *src, size_t srcSize, const ZSTD_CDict *cdict)
{
    struct rp_zstd *zstd = rp_zstd_real();
    size_t (*real)(ZSTD_CCtx *, void *, size_t, const void *, size_t, const ZSTD_CDict *) =
        RP_ZSTD(zstd, compress_usingCDict);
    rp_request request = {src, srcSize, dst, dstCapacity, 0, false};
    uint64_t begun;
    size_t result;

    if (real == NULL)
        return RP_ZSTD_GENERIC_ERROR;
    if (rp_nesting_is_nested())
        return real(cctx, dst, dstCapacity, src, srcSize, cdict);
    begun = rp_cpu_begin(RP_FALLBACK_DICTIONARY);
    result = real(cctx, dst, dstCapacity, src, srcSize, cdict);
    return end_cpu(RP_FALLBACK_DICTIONARY, &request, result, begun);
}

RP_API size_t ZSTD_compressCCtx(ZSTD_CCtx *cctx, void *dst, size_t dstCapacity, const void *src,
                                size_t srcSize, int compressionLevel)
{
    struct rp_zstd *zstd = rp_zstd_real();
    size_t (*real)(ZSTD_CCtx *, void *, size_t, const void *, size_t, int) =
        RP_ZSTD(zstd, compressCCtx);
    rp_request request = {src, srcSize, dst, dstCapacity, compressionLevel, false};
    uint64_t begun;
    size_t result;
    rp_fallback_reason reason;

    if (real == NULL)
        return RP_ZSTD_GENERIC_ERROR;
    if (rp_nesting_is_nested())
        return real(cctx, dst, dstCapacity, src, srcSize, compressionLevel);
    reason = try_device_simple(cctx, &request, &result);
    if (reason == RP_FALLBACK_NONE)
        return result;
    begun = rp_cpu_begin(reason);
    result = real(cctx, dst, dstCapacity, src, srcSize, compressionLevel);
    return end_cpu(reason, &request, result, begun);
}

RP_API size_t ZSTD_compress(void *dst, size_t dstCapacity, const void *src, size_t srcSize,
                            int compressionLevel)
{
    struct rp_zstd *zstd = rp_zstd_real();
    size_t (*real)(void *, size_t, const void *, size_t, int) = RP_ZSTD(zstd, compress);
    rp_request request = {src, srcSize, dst, dstCapacity, compressionLevel, false};
    uint64_t begun;
    size_t result;
    rp_fallback_reason reason;

    if (real == NULL)
        return RP_ZSTD_GENERIC_ERROR;
    if (rp_nesting_is_nested())
        return real(dst, dstCapacity, src, srcSize, compressionLevel);
    reason = try_device(NULL, &request, &result);
    if (reason == RP_FALLBACK_NONE)
        return result;
    begun = rp_cpu_begin(reason);
    result = real(dst, dstCapacity, src, srcSize, compressionLevel);
    return end_cpu(reason, &request, result, begun);
}
