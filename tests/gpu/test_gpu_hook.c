/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libzstd's functions with the hook in front, as RocksDB's threads call them, while a GPU
 * compresses, and while and after it is killed: every call succeeds and every frame decodes to its
 * block, whoever made it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zstd.h>

#include "rockpress/plugin.h"
#include "tests/gpu/device_under_test.h"
#include "tests/gpu/gpu_faults.h"
#include "tests/support/inputs.h"

#define N_THREADS 48
#define N_BLOCKS 40
#define MAX_BLOCK_BYTES 20000
#define MAX_SECONDS 300

static _Atomic unsigned n_failures;
static _Atomic unsigned n_started;

static void fail(const char *what, const char *detail)
{
    if (atomic_fetch_add(&n_failures, 1) < 10)
        printf("FAILED: %s: %s\n", what, detail);
}

/* One block as RocksDB 7.8 does it, or as later versions do. */
static size_t compress(ZSTD_CCtx *context, bool legacy, int level, const void *block, size_t size,
                       void *frame, size_t capacity)
{
    if (legacy)
        return ZSTD_compress_usingDict(context, frame, capacity, block, size, NULL, 0, level);
    if (ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, level & 1)))
        return 0;
    return ZSTD_compress2(context, frame, capacity, block, size);
}

static void *thread_main(void *unused)
{
    static const int levels[] = {1, 3, 7, 12, 3, 3};
    unsigned self = atomic_fetch_add(&n_started, 1);
    inputs_random random = inputs_seed(self);
    uint8_t *block = malloc(MAX_BLOCK_BYTES);
    uint8_t *decoded = malloc(MAX_BLOCK_BYTES);
    size_t capacity = ZSTD_compressBound(MAX_BLOCK_BYTES);
    uint8_t *frame = malloc(capacity);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    for (unsigned i = 0; i < N_BLOCKS && frame != NULL && decoded != NULL && block != NULL; i++) {
        size_t size = 1 + inputs_below(&random, MAX_BLOCK_BYTES);
        inputs_fill(INPUTS_RECORDS, block, size, self * 1000 + i);
        size_t n = compress(context, self % 2 == 0, levels[i % 6], block, size, frame, capacity);
        if (n == 0 || ZSTD_isError(n))
            fail("compress", ZSTD_getErrorName(n));
        else if (ZSTD_decompress(decoded, MAX_BLOCK_BYTES, frame, n) != size ||
                 memcmp(decoded, block, size) != 0)
            fail("decompress", "not the block");
    }
    ZSTD_freeCCtx(context);
    free(block);
    free(decoded);
    free(frame);
    return unused;
}

/* All threads at once; kills the device in the middle of it, if there is one to kill. */
static void run_threads(const char *name, const rp_device *to_kill)
{
    pthread_t threads[N_THREADS];
    unsigned n = 0;
    atomic_store(&n_started, 0);
    while (n < N_THREADS && pthread_create(&threads[n], NULL, thread_main, NULL) == 0)
        n++;
    if (to_kill != NULL && !fault_kill(to_kill))
        fail(name, "could not be killed");
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    printf("%-16s %u threads: %llu blocks by %s so far, %llu by libzstd; %llu device faults, "
           "active %u\n",
           name, n, (unsigned long long)rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT),
           rp_stats_device(), (unsigned long long)rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_CPU),
           (unsigned long long)rp_stats_value(RP_STAT_FAULTS, RP_FAULT_DEVICE),
           (unsigned)rp_stats_value(RP_STAT_DEVICE_ACTIVE, 0));
}

static bool run(const char *name)
{
    rp_plugin_config config;
    rp_error error = {""};
    rp_device *device = device_under_test_open(name);
    rp_plugin_config_default(&config, sizeof(config));
    config.verify = RP_VERIFY_ALL;
    config.timeout_ms = 60000;
    config.min_block_bytes = 0;
    config.max_block_bytes = MAX_BLOCK_BYTES;
    config.custom_device = device;
    config.goal = RP_GOAL_DEVICE;
    config.log = RP_LOG_INFO;
    if (rp_plugin_configure(&config, &error) != RP_STATUS_OK) {
        printf("%s\n", error.message);
        return false;
    }
    run_threads("in good health", NULL);
    uint64_t n_direct = rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT);
    /* Those that are being compressed while the device is opened are libzstd's, and there are more
     * threads than cores, not lanes. */
    if (n_direct < N_THREADS * N_BLOCKS / 2 || rp_stats_value(RP_STAT_DEVICE_ACTIVE, 0) != 1)
        fail(name, "it has not compressed most blocks");
    for (int fault = 0; fault < RP_N_FAULTS; fault++) {
        if (rp_stats_value(RP_STAT_FAULTS, fault) != 0)
            fail("a fault in good health", rp_fault_name((rp_fault)fault));
    }
    run_threads("killed", device);
    run_threads("dead", NULL);
    if (rp_stats_value(RP_STAT_DEVICE_ACTIVE, 0) != 0 ||
        rp_stats_value(RP_STAT_FAULTS, RP_FAULT_DEVICE) == 0 ||
        rp_stats_value(RP_STAT_FAULTS, RP_FAULT_VERIFY) != 0)
        fail(name, "its death was not noticed");
    if (rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_CPU) < N_THREADS * N_BLOCKS)
        fail(name, "blocks of a dead device");
    return n_failures == 0;
}

int main(int argc, char **argv)
{
    const char *name = device_under_test_name();
    int status = 1;
    if (argc == 3 && strcmp(argv[1], "--device") == 0)
        name = argv[2];
    /* The end of a process with a dead GPU is part of it. */
    pid_t child = fork();
    if (child == 0) {
        alarm(MAX_SECONDS);
        exit(run(name) ? 0 : 1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 1;
    if (WIFSIGNALED(status))
        printf("FAILED: signal %d\n", WTERMSIG(status));
    else
        printf("%s: status %d\n", name, WEXITSTATUS(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
