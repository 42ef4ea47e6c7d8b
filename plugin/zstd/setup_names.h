/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of libzstd that set a context up in ways that the hook does not follow
 * (hook/opaque_setup.c). Their declarations differ between the headers of libzstd 1.4 and 1.5, so
 * this list has only names, and this file does not include libzstd's headers.
 */
#ifndef ROCKPRESS_PLUGIN_ZSTD_SETUP_NAMES_H
#define ROCKPRESS_PLUGIN_ZSTD_SETUP_NAMES_H

#define RP_ZSTD_SETUP_NAMES(X)                                                                     \
    X(ZSTD_CCtx_loadDictionary_advanced)                                                           \
    X(ZSTD_CCtx_loadDictionary_byReference)                                                        \
    X(ZSTD_CCtx_refPrefix)                                                                         \
    X(ZSTD_CCtx_refPrefix_advanced)                                                                \
    X(ZSTD_CCtx_refThreadPool)                                                                     \
    X(ZSTD_CCtx_setCParams)                                                                        \
    X(ZSTD_CCtx_setFParams)                                                                        \
    X(ZSTD_CCtx_setParams)                                                                         \
    X(ZSTD_CCtx_setParametersUsingCCtxParams)                                                      \
    X(ZSTD_generateSequences)                                                                      \
    X(ZSTD_initCStream)                                                                            \
    X(ZSTD_initCStream_advanced)                                                                   \
    X(ZSTD_initCStream_srcSize)                                                                    \
    X(ZSTD_initCStream_usingCDict)                                                                 \
    X(ZSTD_initCStream_usingCDict_advanced)                                                        \
    X(ZSTD_initCStream_usingDict)                                                                  \
    X(ZSTD_registerSequenceProducer)

#define RP_ZSTD_SETUP_NUMBER(name) RP_##name,
enum rp_zstd_setup_number { RP_ZSTD_SETUP_NAMES(RP_ZSTD_SETUP_NUMBER) RP_ZSTD_N_SETUP };
#undef RP_ZSTD_SETUP_NUMBER

#endif
