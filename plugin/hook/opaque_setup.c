/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that change what a ZSTD_CCtx will do in ways that the hook does not follow:
 * prefixes, thread pools, foreign sequence producers, whole parameter sets, the older
 * streaming set-up. RocksDB calls none of them. A program that does must get libzstd's
 * behaviour, so the context is marked and takes the cpu route until its parameters are reset. It is
 * also never kept for reuse, since a reset does not undo all of these.
 *
 * This file does not include libzstd's headers and declares these functions itself: in the headers
 * of 1.4 to 1.5 some of them are missing or declared differently, while their calling convention is
 * the same in all. Structures that are passed by value are therefore repeated here.
 */
#include <stddef.h>

#include "plugin/core/nesting.h"
#include "plugin/hook/context_table.h"
#include "plugin/zstd/setup_names.h"
#include "rockpress/export.h"

typedef struct ZSTD_CCtx_s ZSTD_CCtx;

/* ZSTD_compressionParameters, ZSTD_frameParameters, ZSTD_parameters */
typedef struct compression_parameters {
    unsigned window_log, chain_log, hash_log, search_log, min_match, target_length;
    int strategy;
} compression_parameters;

typedef struct frame_parameters {
    int content_size_flag, checksum_flag, no_dict_id_flag;
} frame_parameters;

typedef struct parameters {
    compression_parameters compression;
    frame_parameters frame;
} parameters;

/* From hook/caller.c, which includes libzstd's headers: the function of the call's library. Without
 * it NULL, and *error is what the call returns. */
void (*rp_setup_function_of(const struct rp_context *context, const void *caller,
                            enum rp_zstd_setup_number number, size_t *error))(void);

static void mark(struct rp_context *context)
{
    if (context != NULL)
        context->flags |= RP_CONTEXT_OPAQUE | RP_CONTEXT_TAINTED;
}

/* Nested calls (ZSTD_CCtx_loadDictionary uses ZSTD_CCtx_loadDictionary_advanced) don't mark. */
#define DEFINE_OPAQUE(name, declared, arguments)                                                   \
    RP_API size_t name declared;                                                                   \
    RP_API size_t name declared                                                                    \
    {                                                                                              \
        struct rp_context *context = rp_context_find(cctx);                                        \
        rp_nesting nesting;                                                                        \
        size_t result;                                                                             \
        size_t(*real) declared = (size_t(*) declared)rp_setup_function_of(                         \
            context, __builtin_return_address(0), RP_##name, &result);                             \
        if (real == NULL)                                                                          \
            return result;                                                                         \
        if (rp_nesting_is_nested())                                                                \
            return real arguments;                                                                 \
        mark(context);                                                                             \
        rp_nesting_enter(&nesting);                                                                \
        result = real arguments;                                                                   \
        rp_nesting_leave(&nesting);                                                                \
        return result;                                                                             \
    }

DEFINE_OPAQUE(ZSTD_CCtx_setParametersUsingCCtxParams, (ZSTD_CCtx * cctx, const void *params),
              (cctx, params))
DEFINE_OPAQUE(ZSTD_CCtx_setCParams, (ZSTD_CCtx * cctx, compression_parameters params),
              (cctx, params))
DEFINE_OPAQUE(ZSTD_CCtx_setFParams, (ZSTD_CCtx * cctx, frame_parameters params), (cctx, params))
DEFINE_OPAQUE(ZSTD_CCtx_setParams, (ZSTD_CCtx * cctx, parameters params), (cctx, params))
DEFINE_OPAQUE(ZSTD_CCtx_loadDictionary_byReference,
              (ZSTD_CCtx * cctx, const void *dict, size_t size), (cctx, dict, size))
DEFINE_OPAQUE(ZSTD_CCtx_loadDictionary_advanced,
              (ZSTD_CCtx * cctx, const void *dict, size_t size, int method, int type),
              (cctx, dict, size, method, type))
DEFINE_OPAQUE(ZSTD_CCtx_refPrefix, (ZSTD_CCtx * cctx, const void *prefix, size_t size),
              (cctx, prefix, size))
DEFINE_OPAQUE(ZSTD_CCtx_refPrefix_advanced,
              (ZSTD_CCtx * cctx, const void *prefix, size_t size, int type),
              (cctx, prefix, size, type))
DEFINE_OPAQUE(ZSTD_CCtx_refThreadPool, (ZSTD_CCtx * cctx, void *pool), (cctx, pool))
DEFINE_OPAQUE(ZSTD_generateSequences,
              (ZSTD_CCtx * cctx, void *sequences, size_t capacity, const void *src, size_t size),
              (cctx, sequences, capacity, src, size))
DEFINE_OPAQUE(ZSTD_initCStream, (ZSTD_CCtx * cctx, int level), (cctx, level))
DEFINE_OPAQUE(ZSTD_initCStream_srcSize, (ZSTD_CCtx * cctx, int level, unsigned long long pledged),
              (cctx, level, pledged))
DEFINE_OPAQUE(ZSTD_initCStream_usingDict,
              (ZSTD_CCtx * cctx, const void *dict, size_t size, int level),
              (cctx, dict, size, level))
DEFINE_OPAQUE(ZSTD_initCStream_usingCDict, (ZSTD_CCtx * cctx, const void *cdict), (cctx, cdict))
DEFINE_OPAQUE(ZSTD_initCStream_advanced,
              (ZSTD_CCtx * cctx, const void *dict, size_t size, parameters params,
               unsigned long long pledged),
              (cctx, dict, size, params, pledged))
DEFINE_OPAQUE(ZSTD_initCStream_usingCDict_advanced,
              (ZSTD_CCtx * cctx, const void *cdict, frame_parameters params,
               unsigned long long pledged),
              (cctx, cdict, params, pledged))

RP_API void ZSTD_registerSequenceProducer(ZSTD_CCtx *cctx, void *state, void (*producer)(void));
RP_API void ZSTD_registerSequenceProducer(ZSTD_CCtx *cctx, void *state, void (*producer)(void))
{
    struct rp_context *context = rp_context_find(cctx);
    size_t error;
    void (*real)(ZSTD_CCtx *, void *, void (*)(void)) =
        (void (*)(ZSTD_CCtx *, void *, void (*)(void)))rp_setup_function_of(
            context, __builtin_return_address(0), RP_ZSTD_registerSequenceProducer, &error);

    if (!rp_nesting_is_nested())
        mark(context);
    if (real != NULL)
        real(cctx, state, producer);
}
