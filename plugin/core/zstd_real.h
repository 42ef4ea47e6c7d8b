/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's libzstd, whose symbols the hook takes over. The plugin is not linked to libzstd,
 * since its own references would come back to the hook. It is found once, at the first use, by
 *   dlsym(RTLD_NEXT)          the next library in search order that has the symbol; the usual case
 *   dlopen("libzstd.so.1")    when RocksDB itself was dlopen'ed, as a storage engine is, its
 *                             libzstd is in no global scope, and RTLD_NEXT does not see it
 * dlopen returns the library that is already loaded, and is never undone.
 *
 * Two threads may look at the same time; they find and store the same addresses.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_ZSTD_REAL_H
#define ROCKPRESS_PLUGIN_CORE_ZSTD_REAL_H

#define ZSTD_STATIC_LINKING_ONLY
#define ZSTD_DISABLE_DEPRECATE_WARNINGS
#define ZDICT_DISABLE_DEPRECATE_WARNINGS
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <zdict.h>
#include <zstd.h>
#include <zstd_errors.h>

/* X(library prefix, return type, name, parameters) */
#define RP_ZSTD_FUNCTIONS(X)                                                                       \
    X(ZSTD_, ZSTD_CCtx *, createCCtx, (void))                                                      \
    X(ZSTD_, ZSTD_CCtx *, createCCtx_advanced, (ZSTD_customMem))                                   \
    X(ZSTD_, size_t, freeCCtx, (ZSTD_CCtx *))                                                      \
    X(ZSTD_, size_t, freeCStream, (ZSTD_CStream *))                                                \
    X(ZSTD_, size_t, sizeof_CCtx, (const ZSTD_CCtx *))                                             \
    X(ZSTD_, size_t, CCtx_reset, (ZSTD_CCtx *, ZSTD_ResetDirective))                               \
    X(ZSTD_, size_t, CCtx_setParameter, (ZSTD_CCtx *, ZSTD_cParameter, int))                       \
    X(ZSTD_, size_t, CCtx_refCDict, (ZSTD_CCtx *, const ZSTD_CDict *))                             \
    X(ZSTD_, size_t, CCtx_loadDictionary, (ZSTD_CCtx *, const void *, size_t))                     \
    X(ZSTD_, size_t, compress, (void *, size_t, const void *, size_t, int))                        \
    X(ZSTD_, size_t, compressCCtx, (ZSTD_CCtx *, void *, size_t, const void *, size_t, int))       \
    X(ZSTD_, size_t, compress2, (ZSTD_CCtx *, void *, size_t, const void *, size_t))               \
    X(ZSTD_, size_t, compress_usingDict,                                                           \
      (ZSTD_CCtx *, void *, size_t, const void *, size_t, const void *, size_t, int))              \
    X(ZSTD_, size_t, compress_usingCDict,                                                          \
      (ZSTD_CCtx *, void *, size_t, const void *, size_t, const ZSTD_CDict *))                     \
    X(ZSTD_, ZSTD_DCtx *, createDCtx, (void))                                                      \
    X(ZSTD_, size_t, freeDCtx, (ZSTD_DCtx *))                                                      \
    X(ZSTD_, size_t, decompressDCtx, (ZSTD_DCtx *, void *, size_t, const void *, size_t))          \
    X(ZDICT_, size_t, trainFromBuffer, (void *, size_t, const void *, const size_t *, unsigned))   \
    X(ZDICT_, size_t, finalizeDictionary,                                                          \
      (void *, size_t, const void *, size_t, const void *, const size_t *, unsigned,               \
       ZDICT_params_t))

#define RP_ZSTD_MEMBER(prefix, type, name, parameters) type(*_Atomic name) parameters;
struct rp_zstd {
    RP_ZSTD_FUNCTIONS(RP_ZSTD_MEMBER)
};
#undef RP_ZSTD_MEMBER

extern struct rp_zstd rp_zstd_table;
extern _Atomic bool rp_zstd_found;

/* Looks for libzstd. Members of functions that do not exist are NULL; never returns NULL. */
struct rp_zstd *rp_zstd_find(void);

static inline struct rp_zstd *rp_zstd_real(void)
{
    return atomic_load_explicit(&rp_zstd_found, memory_order_acquire) ? &rp_zstd_table
                                                                      : rp_zstd_find();
}

/* One function of libzstd: RP_ZSTD(zstd, compress2)(...). May be NULL. */
#define RP_ZSTD(zstd, name) atomic_load_explicit(&(zstd)->name, memory_order_relaxed)

/* Any other symbol of the real libzstd by name; NULL if it has none. */
void *rp_zstd_symbol(const char *name);

/* libzstd's own error for "something failed": the hook's answer when no libzstd is found. */
#define RP_ZSTD_GENERIC_ERROR ((size_t)-ZSTD_error_GENERIC)

static inline bool rp_zstd_is_error(size_t result)
{
    return result > (size_t)-ZSTD_error_maxCode;
}

#endif
