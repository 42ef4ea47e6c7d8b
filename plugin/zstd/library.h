/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The libzstd of a caller. A process may have several: the system's, and those inside a jar, a
 * wheel or a plugin. The hook takes over calls to all of them. A call has to reach the library that
 * it would have reached without the hook, since one library can't work on another one's context.
 *
 * Each library has a table of its functions. The library is, in this order:
 *   1. what the dynamic linker finds next after us when we are loaded: the usual case. It is in the
 *      scope of everything in the process, so every caller would have got it
 *   2. what the calling object's other references to libzstd are bound to
 *   3. the calling object's own scope: itself, and the libraries that it needs
 *   4. the only libzstd of the process
 *   5. dlopen("libzstd.so.1"), if the process has none
 * If there are several libraries and none of this tells, there is no answer: never a wrong library.
 *
 * 2 to 4 take no lock of the loader (zstd/objects.h says why). What they find is remembered for the
 * calling object until something is unloaded.
 *
 * Releases before RP_ZSTD_OLDEST work with the hook, which only forwards to them.
 *
 * Thread rule: any thread. A table is never freed: contexts know theirs.
 */
#ifndef ROCKPRESS_PLUGIN_ZSTD_LIBRARY_H
#define ROCKPRESS_PLUGIN_ZSTD_LIBRARY_H

#define ZSTD_STATIC_LINKING_ONLY
#define ZSTD_DISABLE_DEPRECATE_WARNINGS
#define ZDICT_DISABLE_DEPRECATE_WARNINGS
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zdict.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "plugin/core/idle_slots.h"
#include "plugin/zstd/setup_names.h"

/* X(library prefix, return type, name, parameters) */
#define RP_ZSTD_FUNCTIONS(X)                                                                       \
    X(ZSTD_, unsigned, versionNumber, (void))                                                      \
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

/* The first release whose interface for contexts is the present one. */
#define RP_ZSTD_OLDEST 10400u

#define RP_ZSTD_MEMBER(prefix, type, name, parameters) type(*name) parameters;
struct rp_zstd {
    /* NULL where the library does not have the function. */
    RP_ZSTD_FUNCTIONS(RP_ZSTD_MEMBER)
    void (*setup[RP_ZSTD_N_SETUP])(void);

    uint32_t number;      /* rp_zstd_by_number */
    bool is_old;          /* before RP_ZSTD_OLDEST */
    bool stays_loaded;    /* for the life of the process */
    _Atomic bool is_gone; /* unloaded: nothing of it may be called */
    uintptr_t base;       /* with dynamic: which object it is */
    const void *dynamic;
    uintptr_t begin; /* the first address of the object */

    /* Kept for the next caller: ZSTD_CCtx, and what device/verify.c decodes with. */
    struct rp_idle_slots idle_contexts;
    struct rp_idle_slots idle_verifiers;
};
#undef RP_ZSTD_MEMBER

/* A process may have this many libraries at a time; further ones are not found. */
#define RP_ZSTD_MAX 255u

extern _Atomic(struct rp_zstd *) rp_zstd_tables[RP_ZSTD_MAX + 1];

/* The table with this number, from 1 to RP_ZSTD_MAX. */
static inline struct rp_zstd *rp_zstd_by_number(uint32_t number)
{
    return atomic_load_explicit(&rp_zstd_tables[number], memory_order_acquire);
}

/* What 1 finds, or NULL. Looked for once. */
extern _Atomic(struct rp_zstd *) rp_zstd_global;
struct rp_zstd *rp_zstd_search(const void *caller);

/* The library of the code at this address: the return address of a call. NULL if there is none, or
 * it can't be told, which is logged once. */
static inline struct rp_zstd *rp_zstd_of_caller(const void *caller)
{
    struct rp_zstd *zstd = atomic_load_explicit(&rp_zstd_global, memory_order_acquire);

    return zstd != NULL ? zstd : rp_zstd_search(caller);
}

/* The library of this object itself, which the CompressionManager uses. */
struct rp_zstd *rp_zstd_own(void);

/* Around an unload of any object. Between the two nothing is remembered. After it, the tables of
 * libraries that are not loaded any more are marked as gone. */
void rp_zstd_unload_begin(void);
void rp_zstd_unload_end(void);

/* Whether the process's dlclose calls the two. If not, what a caller's library is has to be found
 * anew each time, and nothing of a library that may be unloaded is kept. */
void rp_zstd_set_unloads_seen(bool are_seen);

/* Whether objects of the library may be kept for later. */
bool rp_zstd_may_keep(const struct rp_zstd *zstd);

/* What functions of the hook return when there is no library to ask: as without memory. Not -1,
 * "generic error": RocksDB up to 8.5 takes any result for a length, and adds four bytes to it. */
#define RP_ZSTD_NO_LIBRARY ((size_t)-ZSTD_error_memory_allocation)
/* ... and when the library has no such function. */
#define RP_ZSTD_NO_FUNCTION ((size_t)-ZSTD_error_parameter_unsupported)

static inline bool rp_zstd_is_error(size_t result)
{
    return result > (size_t)-ZSTD_error_maxCode;
}

#endif
