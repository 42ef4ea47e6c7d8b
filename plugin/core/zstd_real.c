/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the real libzstd: see core/zstd_real.h. */
#include "plugin/core/zstd_real.h"

#include <dlfcn.h>
#include <errno.h>

struct rp_zstd rp_zstd_table;
_Atomic bool rp_zstd_found;

#ifdef ROCKPRESS_ZSTD_LINKED
/* Linked into a program together with RocksDB and its libzstd, which may be in no shared library.
 * Nothing is hooked there, so the names are libzstd's own. */
#define ADDRESS(prefix, name) prefix##name
#else
/* POSIX, unlike ISO C, promises that dlsym's result can be cast to a function pointer. */
#define ADDRESS(prefix, name) rp_zstd_symbol(#prefix #name)
#endif

void *rp_zstd_symbol(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    void *library;

    if (symbol != NULL)
        return symbol;
    library = dlopen("libzstd.so.1", RTLD_LAZY | RTLD_LOCAL);
    return library != NULL ? dlsym(library, name) : NULL;
}

#define STORE(prefix, type, name, parameters)                                                      \
    atomic_store_explicit(&rp_zstd_table.name, (type(*) parameters)ADDRESS(prefix, name),          \
                          memory_order_relaxed);

struct rp_zstd *rp_zstd_find(void)
{
    int saved_errno = errno;

    RP_ZSTD_FUNCTIONS(STORE)
    /* Without a libzstd, look again next time: it may yet be loaded. */
    if (RP_ZSTD(&rp_zstd_table, createCCtx) != NULL)
        atomic_store_explicit(&rp_zstd_found, true, memory_order_release);
    errno = saved_errno;
    return &rp_zstd_table;
}
