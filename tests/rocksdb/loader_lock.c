/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader_lock <loader_lock_module.so>: loads a module whose constructor waits for a thread that
 * compresses, then compresses until the hook's device has a block. Without a hook it does not wait
 * for that.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <zstd.h>

#include "rockpress/plugin.h"

typedef uint64_t value_function(rp_stat stat, uint32_t index);

static int compress_block(void)
{
    char block[9000], frame[9500];
    size_t n;

    memset(block, 'x', sizeof(block));
    n = ZSTD_compress(frame, sizeof(frame), block, sizeof(block), 3);
    return ZSTD_isError(n) ? -1 : (int)n;
}

int main(int argc, char **argv)
{
    const struct timespec pause = {0, 20000000};
    /* The hook finds libzstd before the lock is held. */
    int is_bad = argc != 2 || ZSTD_freeCCtx(ZSTD_createCCtx()) != 0;
    void *module = is_bad ? NULL : dlopen(argv[1], RTLD_NOW);
    int *result = module != NULL ? dlsym(module, "loader_lock_result") : NULL;
    value_function *value = (value_function *)dlsym(RTLD_DEFAULT, "rp_stats_value");

    if (result == NULL) {
        puts(is_bad ? "usage: loader_lock MODULE" : dlerror());
        return 2;
    }
    printf("loaded, %s\n", *result > 0 ? "a frame" : "no frame");
    for (int i = 0; i < 500 && value != NULL && value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 0; i++) {
        if (compress_block() <= 0)
            return 1;
        nanosleep(&pause, NULL);
    }
    return 0;
}
