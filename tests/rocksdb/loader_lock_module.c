/* SPDX-License-Identifier: Apache-2.0 */
/* A module that starts its engine when it is loaded: its constructor, which runs under the dynamic
 * linker's lock, waits for a thread that compresses. */
#include <pthread.h>
#include <string.h>

#include <zstd.h>

extern int loader_lock_result;
__attribute__((visibility("default"))) int loader_lock_result = -1;

static void *compress(void *unused)
{
    char block[9000], frame[9500];
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t n;

    memset(block, 'x', sizeof(block));
    n = ZSTD_compressCCtx(context, frame, sizeof(frame), block, sizeof(block), 3);
    ZSTD_freeCCtx(context);
    loader_lock_result = ZSTD_isError(n) ? -1 : (int)n;
    return unused;
}

__attribute__((constructor)) static void start(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, compress, NULL) == 0)
        pthread_join(thread, NULL);
}
