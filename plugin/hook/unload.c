/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dlclose, which may unload a libzstd. The idle contexts and decoders of libraries that can be
 * unloaded are freed first, by their own library, and afterwards the tables of those that are gone
 * are marked (zstd/library.h). A program sees nothing of it: libraries are unloaded when they would
 * be without the hook.
 *
 * If another library's dlclose is found before this one, as with a sanitizer, or the hook was
 * itself dlopen'ed, then unloads are not seen, and nothing of such libraries is kept.
 */
#include <dlfcn.h>
#include <stdatomic.h>

#include "plugin/core/nesting.h"
#include "plugin/device/verify.h"
#include "plugin/hook/context_cache.h"
#include "plugin/zstd/library.h"
#include "rockpress/export.h"

typedef int close_function(void *handle);

static _Atomic(close_function *) real_close;

static close_function *find_real(void)
{
    close_function *found = atomic_load_explicit(&real_close, memory_order_acquire);

    if (found == NULL) {
        found = (close_function *)dlsym(RTLD_NEXT, "dlclose");
        atomic_store_explicit(&real_close, found, memory_order_release);
    }
    return found;
}

static void free_idle(void)
{
    rp_nesting nesting;

    rp_nesting_enter(&nesting);
    for (uint32_t number = 1; number <= RP_ZSTD_MAX; number++) {
        struct rp_zstd *zstd = rp_zstd_by_number(number);

        if (zstd == NULL)
            break;
        if (zstd->stays_loaded || atomic_load(&zstd->is_gone))
            continue;
        rp_context_cache_clear(zstd);
        rp_verify_clear(zstd);
    }
    rp_nesting_leave(&nesting);
}

RP_API int dlclose(void *handle)
{
    close_function *real = find_real();
    int result;

    if (real == NULL)
        return -1;
    rp_zstd_unload_begin();
    free_idle();
    result = real(handle);
    rp_zstd_unload_end();
    return result;
}

__attribute__((constructor)) static void find_at_load(void)
{
    close_function *first = (close_function *)dlsym(RTLD_DEFAULT, "dlclose");

    rp_zstd_set_unloads_seen(first == dlclose && find_real() != NULL);
}
