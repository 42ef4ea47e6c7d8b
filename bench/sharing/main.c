/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `sharing`: what a block of the direct route costs the CPU beside the driver and the
 * device. Threads compress blocks as RocksDB's do, one at a time, in four ways that take turns:
 * libzstd; a lane for each block; shared launches, led by their first threads; shared launches with
 * two threads that serve. Counted is the CPU time of all these threads, those that serve too; the
 * device's own threads are left out (worker_device.h). Frames are proven, as the plugin has them.
 *
 * Results are medians over the rounds.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zstd.h>

#include "bench/common/options.h"
#include "bench/common/orders.h"
#include "bench/common/times.h"
#include "bench/sharing/worker_device.h"
#include "rockpress/combiner.h"
#include "rockpress/pool.h"

#define MAX_ROUNDS 200
#define MAX_THREADS 256
#define LAUNCH_BLOCKS 64u
#define MAX_RUNNING 2u
#define TIMEOUT_US 60000000u
#define IDLE_US 1000000u

enum way { LIBZSTD, LANES, SHARED, SERVED, N_WAYS };

static const char *const names[N_WAYS] = {"libzstd", "a lane each", "shared", "served"};

static size_t block_bytes = 16384;
static unsigned n_threads = 16, n_blocks = 2000, n_rounds = 7;
static int level = 3;
static uint8_t *blocks;
static rp_pool *pool;
static rp_combiner *combiners[N_WAYS];
static rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
static enum way way;
static _Atomic unsigned next_block, n_failed;

static void fail(const char *what)
{
    fprintf(stderr, "sharing: %s\n", what);
    exit(1);
}

static bool compress(const uint8_t *block, uint8_t *frame, size_t capacity, ZSTD_CCtx *context)
{
    size_t size;
    rp_lane *lane;
    rp_status status;

    switch (way) {
    case LIBZSTD:
        return !ZSTD_isError(
            ZSTD_compressCCtx(context, frame, capacity, block, block_bytes, level));
    case LANES:
        if (rp_pool_acquire(pool, &lane) != RP_STATUS_OK)
            return false;
        status = rp_lane_compress(lane, block, block_bytes, frame, capacity, &size, &options,
                                  TIMEOUT_US);
        rp_pool_release(pool, lane);
        return status == RP_STATUS_OK;
    default:
        return rp_combiner_compress(combiners[way], block, block_bytes, frame, capacity, &size,
                                    &options, TIMEOUT_US, NULL) == RP_STATUS_OK;
    }
}

/* The thread's CPU time in seconds. */
static void *write_blocks(void *result)
{
    size_t capacity = rp_compress_bound(block_bytes);
    uint8_t *frame = malloc(capacity);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    unsigned i;

    if (frame == NULL || context == NULL)
        fail("out of memory");
    while ((i = atomic_fetch_add(&next_block, 1)) < n_blocks)
        n_failed += !compress(blocks + i % 64 * block_bytes, frame, capacity, context);
    ZSTD_freeCCtx(context);
    free(frame);
    *(double *)result = times_now(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

static void *serve(void *result)
{
    (void)rp_combiner_serve(combiners[SERVED], IDLE_US, TIMEOUT_US);
    *(double *)result = times_now(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

static uint64_t launches_of(enum way which)
{
    rp_combiner_counts counts = RP_COMBINER_COUNTS_INIT;

    if (combiners[which] == NULL || rp_combiner_read_counts(combiners[which], &counts) != 0)
        return 0;
    return counts.n_launches;
}

/* Microseconds of CPU time for a block. */
static double run_round(void)
{
    pthread_t threads[MAX_THREADS + MAX_RUNNING];
    double spent[MAX_THREADS + MAX_RUNNING], sum = 0;
    unsigned n_servants = way == SERVED ? MAX_RUNNING : 0;

    next_block = 0;
    for (unsigned t = 0; t < n_threads + n_servants; t++) {
        if (pthread_create(&threads[t], NULL, t < n_servants ? serve : write_blocks, &spent[t]) !=
            0)
            fail("no threads");
    }
    for (unsigned t = 0; t < n_threads + n_servants; t++) {
        pthread_join(threads[t], NULL);
        sum += spent[t];
    }
    return sum * 1e6 / n_blocks;
}

static rp_combiner *make_combiner(const rp_device *device)
{
    rp_combiner_options wanted = RP_COMBINER_OPTIONS_INIT;
    rp_combiner *made;

    wanted.max_input_bytes = block_bytes;
    wanted.launch_bytes = LAUNCH_BLOCKS * block_bytes;
    wanted.max_inputs = LAUNCH_BLOCKS;
    wanted.max_running = MAX_RUNNING;
    if (rp_combiner_create(device, &wanted, &made) != RP_STATUS_OK ||
        rp_combiner_reserve(made, 2 * MAX_RUNNING + 2) != RP_STATUS_OK)
        fail("no combiner");
    return made;
}

static void make_all(void)
{
    const rp_device *device = worker_device_open();
    rp_pool_options wanted = RP_POOL_OPTIONS_INIT;

    wanted.max_lanes = n_threads;
    wanted.max_input_bytes = block_bytes;
    blocks = malloc(64 * block_bytes);
    if (device == NULL || blocks == NULL ||
        rp_pool_create(device, &wanted, &pool) != RP_STATUS_OK ||
        rp_pool_reserve(pool, n_threads) != RP_STATUS_OK)
        fail("out of memory");
    orders_fill(blocks, 64 * block_bytes);
    combiners[SHARED] = make_combiner(device);
    combiners[SERVED] = make_combiner(device);
    options.flags = RP_COMPRESS_VERIFY;
}

static const struct argp_option argp_options[] = {
    {"block-bytes", 'b', "BYTES", 0, "of each block (16384)", 0},
    {"threads", 't', "N", 0, "that compress (16)", 0},
    {"blocks", 'n', "N", 0, "of a round (2000)", 0},
    {"rounds", 'r', "N", 0, "of each way (7)", 0},
    {"level", 'l', "N", 0, "of libzstd (3)", 0},
    {0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    (void)state;
    switch (key) {
    case 'b':
        block_bytes = (size_t)options_number("--block-bytes", value, 512, 131072);
        return 0;
    case 't':
        n_threads = (unsigned)options_number("--threads", value, 1, MAX_THREADS);
        return 0;
    case 'n':
        n_blocks = (unsigned)options_number("--blocks", value, 1, 10000000);
        return 0;
    case 'r':
        n_rounds = (unsigned)options_number("--rounds", value, 1, MAX_ROUNDS);
        return 0;
    case 'l':
        level = (int)options_number("--level", value, 1, 19);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options,
    parse,
    NULL,
    "What a block of the direct route costs the CPU beside the driver and the device: alone on a "
    "lane, and in shared launches.",
    NULL,
    NULL,
    NULL,
};

int main(int argc, char **argv)
{
    static double times[N_WAYS][MAX_ROUNDS];

    options_parse(&argp, argc, argv, NULL);
    make_all();
    for (unsigned r = 0; r < n_rounds; r++) {
        for (way = LIBZSTD; way < N_WAYS; way++)
            times[way][r] = run_round();
    }
    printf("%zu bytes, %u threads, %u blocks, %u rounds: us of CPU time a block\n", block_bytes,
           n_threads, n_blocks, n_rounds);
    for (way = LIBZSTD; way < N_WAYS; way++) {
        uint64_t n_launches = launches_of(way);
        printf("%-12s %8.2f", names[way], times_median(times[way], n_rounds));
        if (n_launches != 0)
            printf("   %.1f blocks a launch", (double)n_blocks * n_rounds / (double)n_launches);
        printf("\n");
    }
    if (n_failed != 0)
        fprintf(stderr, "sharing: %u blocks failed\n", (unsigned)n_failed);
    return n_failed != 0;
}
