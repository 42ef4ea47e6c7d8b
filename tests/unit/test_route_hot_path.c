/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Once warm, compressing a block through the hook allocates nothing and takes no lock: on the
 * direct route with verification, on the cpu route, in threads that are new, and when contexts
 * come and go. This program replaces malloc and pthread_mutex_lock for the whole process, so
 * what libzstd and libc do counts, too.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "rockpress/plugin.h"
#include "tests/support/exit_status.h"
#include "tests/support/sanitizers.h"

#if TEST_ADDRESS_SANITIZER || TEST_THREAD_SANITIZER
int main(void)
{
    puts("skipped: a sanitizer has replaced malloc already");
    return EXIT_SKIPPED;
}
#else

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static _Thread_local bool counting;
static _Atomic unsigned n_allocations, n_locks;
static int (*real_lock)(pthread_mutex_t *);

/* Visible to the libraries, too. */
#pragma GCC visibility push(default)

void *malloc(size_t size)
{
    n_allocations += counting;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    n_allocations += counting;
    return __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
    n_allocations += counting;
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    n_allocations += counting;
    return __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size)
{
    n_allocations += counting;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    n_allocations += counting;
    *memory = __libc_memalign(alignment, size);
    return *memory != NULL ? 0 : ENOMEM;
}

void free(void *memory)
{
    n_allocations += counting && memory != NULL;
    __libc_free(memory);
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    n_locks += counting;
    /* NULL while the program is being loaded, by one thread. */
    return real_lock != NULL ? real_lock(mutex) : 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    static int (*real_unlock)(pthread_mutex_t *);

    if (real_lock == NULL)
        return 0;
    if (real_unlock == NULL)
        real_unlock = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_unlock");
    return real_unlock(mutex);
}

#pragma GCC visibility pop

#define BLOCK_BYTES 4096
#define N_BLOCKS 64

static char blocks[N_BLOCKS][BLOCK_BYTES];

static void make_blocks(void)
{
    unsigned seed = 1;

    for (size_t i = 0; i < sizeof(blocks); i++) {
        seed = seed * 1103515245u + 12345u;
        blocks[i / BLOCK_BYTES][i % BLOCK_BYTES] = i % 50 < 30
                                                       ? "customer=0000,status=active,amo"[i % 31]
                                                       : (char)('a' + (seed >> 16) % 26);
    }
}

static bool compress_some(int n, bool new_contexts)
{
    char out[BLOCK_BYTES * 2], small[64];
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    bool good = cctx != NULL;

    for (int i = 0; i < n && good; i++) {
        const char *block = blocks[i % N_BLOCKS];
        if (new_contexts) {
            ZSTD_freeCCtx(cctx);
            cctx = ZSTD_createCCtx();
            ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, 3);
            ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1);
        }
        ZSTD_CCtx_loadDictionary(cctx, NULL, 0);
        good = !ZSTD_isError(ZSTD_compress2(cctx, out, sizeof(out), block, BLOCK_BYTES));
        good &= !ZSTD_isError(
            ZSTD_compress_usingDict(cctx, out, sizeof(out), block, BLOCK_BYTES, NULL, 0, 3));
        /* Too small for the device's limits, then too small an output: both go to the CPU. */
        good &= !ZSTD_isError(ZSTD_compress2(cctx, out, sizeof(out), block, 100));
        good &= ZSTD_isError(ZSTD_compress2(cctx, small, sizeof(small), block, BLOCK_BYTES));
    }
    ZSTD_freeCCtx(cctx);
    return good;
}

static void *in_a_new_thread(void *result)
{
    counting = true;
    *(bool *)result = compress_some(200, true);
    counting = false;
    return NULL;
}

static bool expect(bool condition, const char *what)
{
    if (!condition)
        fprintf(stderr, "failed: %s (%u allocations, %u locks)\n", what, n_allocations, n_locks);
    return condition;
}

int main(void)
{
    bool good, thread_good = false;
    void *volatile memory; /* or the compiler leaves both calls out */
    rp_plugin_config config;
    pthread_t thread;

    real_lock = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock");
    rp_plugin_config_default(&config, sizeof(config));
    rp_plugin_config_set(&config, "DEVICE", "host", NULL);
    config.goal = RP_GOAL_DEVICE;
    config.verify_interval = 2;
    if (!expect(rp_plugin_configure(&config, NULL) == RP_STATUS_OK, "configuration"))
        return 1;
    make_blocks();
    good = expect(compress_some(600, false) && compress_some(100, true), "warming up");
    /* The counters of this test count: an empty result would prove nothing. */
    counting = true;
    memory = malloc(1);
    free(memory);
    counting = false;
    good = expect(n_allocations == 2, "the count") && good;
    n_allocations = 0;

    counting = true;
    good = compress_some(2000, false) && good;
    good = compress_some(500, true) && good;
    counting = false;
    good = expect(n_allocations == 0 && n_locks == 0, "this thread, when warm") && good;
    for (int i = 0; i < 4; i++) {
        if (pthread_create(&thread, NULL, in_a_new_thread, &thread_good) != 0)
            return 1;
        pthread_join(thread, NULL);
        good = expect(thread_good, "blocks of a new thread") && good;
    }
    good = expect(n_allocations == 0 && n_locks == 0, "a new thread") && good;
    good = expect(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 2 * (700 + 2500 + 800),
                  "the direct route") &&
           good;
    good = expect(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_SIZE) == 4000 &&
                      rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_CAPACITY) == 4000,
                  "the cpu route") &&
           good;
    good = expect(rp_stats_value(RP_STAT_VERIFIED_BLOCKS, 0) > 3000 &&
                      rp_stats_value(RP_STAT_LANES, 0) == 1,
                  "verification, lanes") &&
           good;
    return good ? 0 : 1;
}
#endif
