/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver whose calls do not return, or return late. Every block of the threads that are not
 * inside such a call is done in bounded time, the process can end, and when the driver comes back,
 * the device is used again. Each scenario runs in a process of its own.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "plugin/batch/batch.h"
#include "plugin/batch/chunk.h"
#include "plugin/core/stats.h"
#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/queue_device.h"
#include "tests/support/sampled_file.h"
#include "tests/support/sanitizers.h"
#include "tests/support/scenarios.h"

/* A chunk takes the host some milliseconds, and many more with a sanitizer. */
#define TIMEOUT_MS (TEST_SLOW_KERNELS ? 500u : 100u)
#define N_THREADS 8
#define N_BLOCKS 400
/* Some limits for some faults before the breaker opens, on a machine that does other things, too.
 * One limit for each block would be 40 s. */
#define BOUND_MS 10000u

static queue_device queue;
static rp_device_ops ops;
static rp_device tested;
static _Atomic unsigned hanging; /* bits of queue_call: the next call of that kind hangs, or all */
static _Atomic bool only_one;
static _Atomic int n_inside;
static _Atomic bool is_back; /* calls that hang return */
static _Atomic bool no_streams;
static _Atomic int staging_ms; /* what an allocation of staging memory takes */
static _Atomic int n_staging_calls;

static void sleep_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

static unsigned ms_since(uint64_t begun_ns)
{
    return (unsigned)((rp_clock_ns() - begun_ns) / 1000000);
}

static _Atomic int n_locked;

/* Whether the lock of all batches is held during a call: not if it is free once in this time, which
 * is shorter than the limit of the call. */
static void look_for_the_lock(void)
{
    for (int i = 0; i < 20; i++) {
        if (pthread_mutex_trylock(&rp_batch_lock) == 0) {
            pthread_mutex_unlock(&rp_batch_lock);
            return;
        }
        sleep_ms(1);
    }
    n_locked++;
}

static void may_hang(queue_call call)
{
    unsigned bit = 1u << call;

    look_for_the_lock();

    if ((only_one ? atomic_fetch_and(&hanging, ~bit) & bit : hanging & bit) == 0)
        return;
    n_inside++;
    while (!is_back)
        sleep_ms(1);
    n_inside--;
}

static rp_status memory_alloc(const rp_device *device, size_t bytes, void **memory)
{
    may_hang(QUEUE_MEMORY_ALLOC);
    return queue.device.ops->memory_alloc(device, bytes, memory);
}

static rp_status staging_alloc(const rp_device *device, size_t bytes, void **memory)
{
    may_hang(QUEUE_STAGING_ALLOC);
    n_staging_calls++;
    sleep_ms(staging_ms);
    return queue.device.ops->staging_alloc(device, bytes, memory);
}

static rp_status stream_create(const rp_device *device, void **handle)
{
    may_hang(QUEUE_STREAM_CREATE);
    if (no_streams)
        return RP_STATUS_OUT_OF_DEVICE_MEMORY;
    return queue.device.ops->stream_create(device, handle);
}

static rp_status copy_async(rp_stream stream, void *destination, const void *source, size_t bytes,
                            rp_copy_kind kind)
{
    may_hang(QUEUE_COPY);
    return queue.device.ops->copy_async(stream, destination, source, bytes, kind);
}

static rp_status launch(rp_stream stream, const struct rp_launch *work)
{
    may_hang(QUEUE_LAUNCH);
    return queue.device.ops->launch(stream, work);
}

static rp_status wait(rp_stream stream, uint32_t timeout_us)
{
    may_hang(QUEUE_WAIT);
    return queue.device.ops->wait(stream, timeout_us);
}

static bool configure(uint32_t breaker_faults)
{
    rp_plugin_config config;
    rp_device *host;

    CHECK(rp_device_open("host", &host) == RP_STATUS_OK);
    queue_device_open(&queue, host, 0);
    ops = *queue.device.ops;
    ops.memory_alloc = memory_alloc;
    ops.staging_alloc = staging_alloc;
    ops.stream_create = stream_create;
    ops.copy_async = copy_async;
    ops.launch = launch;
    ops.wait = wait;
    tested = queue.device;
    tested.ops = &ops;
    rp_plugin_config_default(&config, sizeof(config));
    config.custom_device = &tested;
    config.goal = RP_GOAL_DEVICE;
    config.batch = RP_BATCH_ON;
    config.effort = RP_EFFORT_FAST;
    config.log = RP_LOG_OFF;
    config.lanes = 64; /* more than there are threads */
    config.batch_lanes = 4;
    config.batch_chunk_bytes = 512 << 10;
    config.timeout_ms = TIMEOUT_MS;
    config.breaker_faults = breaker_faults;
    config.breaker_retry_ms = 1;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    return true;
}

static sampled_file file;
static _Atomic size_t next_block;
static _Atomic int n_done, n_served, n_ended;

static void *ask(void *unused)
{
    size_t i;

    while ((i = atomic_fetch_add(&next_block, 1)) < file.n_blocks) {
        if (sampled_file_ask(&file, i, 3, false) == RP_FALLBACK_NONE)
            n_served++;
        n_done++;
    }
    n_ended++;
    return unused;
}

/* All blocks of the file, by threads that nobody has to wait for. How many of the threads are
 * inside a call that hangs at the end. */
static bool ask_for_all(int max_inside)
{
    uint64_t begun = rp_clock_ns();

    next_block = 0;
    n_done = n_served = n_ended = 0;
    for (int t = 0; t < N_THREADS; t++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, ask, NULL) == 0 && pthread_detach(thread) == 0);
    }
    while (n_ended < N_THREADS - max_inside && ms_since(begun) < BOUND_MS)
        sleep_ms(1);
    printf("%d of %d blocks in %u ms, %d on the device; %d threads have ended, %d are inside\n",
           (int)n_done, (int)file.n_blocks, ms_since(begun), (int)n_served, (int)n_ended,
           (int)n_inside);
    CHECK(n_ended >= N_THREADS - max_inside);
    CHECK(n_done >= (int)file.n_blocks - max_inside);
    return true;
}

/* Asks until the device serves blocks again. */
static bool is_used_again(void)
{
    uint64_t begun = rp_clock_ns();

    is_back = true;
    hanging = 0;
    while (ms_since(begun) < BOUND_MS) {
        if (ask_for_block(file.blocks[0], file.sizes[0], 3, false) == RP_FALLBACK_NONE)
            return true;
        sleep_ms(10);
    }
    return false;
}

/* Single blocks, and blocks of a batch that was begun before the driver hung. */
static bool check(queue_call call, bool is_batch, bool one, int max_inside)
{
    CHECK(configure(3));
    sampled_file_make(&file, N_BLOCKS, 8192, 0, 1);
    only_one = one;
    if (is_batch)
        CHECK(sampled_file_begin(&file, NULL) != 0);
    hanging = 1u << call;
    CHECK(ask_for_all(max_inside));
    CHECK(is_used_again());
    CHECK(n_locked == 0);
    return true;
}

/* The helper is inside the call, and no thread that compresses is. */
static bool device_memory_for_single_blocks(void)
{
    return check(QUEUE_MEMORY_ALLOC, false, false, 0);
}

static bool pinned_memory_for_single_blocks(void)
{
    return check(QUEUE_STAGING_ALLOC, false, false, 0);
}

static bool a_stream_for_single_blocks(void)
{
    return check(QUEUE_STREAM_CREATE, false, false, 0);
}

static bool device_memory_for_a_batch(void)
{
    return check(QUEUE_MEMORY_ALLOC, true, false, 0);
}

static bool pinned_memory_for_a_batch(void)
{
    return check(QUEUE_STAGING_ALLOC, true, false, 0);
}

static bool a_stream_for_a_batch(void)
{
    return check(QUEUE_STREAM_CREATE, true, false, 0);
}

/* One thread is inside, and the others go on. */
static bool one_copy_of_single_blocks(void)
{
    return check(QUEUE_COPY, false, true, 1);
}

static bool one_launch_of_single_blocks(void)
{
    return check(QUEUE_LAUNCH, false, true, 1);
}

static bool one_wait_of_single_blocks(void)
{
    return check(QUEUE_WAIT, false, true, 1);
}

static bool one_copy_of_a_batch(void)
{
    return check(QUEUE_COPY, true, true, 1);
}

static bool one_launch_of_a_batch(void)
{
    return check(QUEUE_LAUNCH, true, true, 1);
}

static bool one_wait_of_a_batch(void)
{
    return check(QUEUE_WAIT, true, true, 1);
}

/* A builder begins a batch while the driver hangs. */
static bool a_batch_is_begun(void)
{
    uint64_t begun;
    rp_batch_id id = 0;

    CHECK(configure(1000));
    sampled_file_make(&file, N_BLOCKS, 8192, 0, 1);
    CHECK(ask_for_block(file.blocks[0], file.sizes[0], 3, false) == RP_FALLBACK_NONE);
    hanging = 1u << QUEUE_STAGING_ALLOC;
    begun = rp_clock_ns();
    for (int i = 0; i < 20; i++)
        rp_batch_end(sampled_file_begin(&file, NULL));
    printf("%u ms\n", ms_since(begun));
    /* One waits. */
    CHECK(ms_since(begun) < 10 * TIMEOUT_MS);
    CHECK(is_used_again());
    /* The call that hung may need a moment more than this thread. */
    for (int i = 0; i < 100 && id == 0; i++) {
        sleep_ms(1);
        id = sampled_file_begin(&file, NULL);
    }
    CHECK(id != 0);
    return ask_for_all(0) && n_served > 0;
}

/* Each slab comes in time, and all together would not. */
static bool a_batch_is_begun_by_a_slow_driver(void)
{
    rp_batch_id id;

    CHECK(configure(1000));
    sampled_file_make(&file, N_BLOCKS, 8192, 0, 1);
    CHECK(ask_for_block(file.blocks[0], file.sizes[0], 3, false) == RP_FALLBACK_NONE);
    n_staging_calls = 0;
    staging_ms = TIMEOUT_MS * 6 / 10;
    id = sampled_file_begin(&file, NULL);
    /* Of seven. */
    CHECK(n_staging_calls >= 1 && n_staging_calls <= 2);
    staging_ms = 0;
    rp_batch_end(id);
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    CHECK(sampled_file_begin(&file, NULL) != 0);
    return ask_for_all(0) && n_served > 0;
}

static void *ask_for_one(void *unused)
{
    (void)ask_for_block(file.blocks[1], file.sizes[1], 3, false);
    n_ended++;
    return unused;
}

/* One thread is inside the launch of a chunk, and another one asks for all of its blocks. */
static bool a_chunk_is_waited_for_once(void)
{
    pthread_t thread;
    uint64_t begun;

    CHECK(configure(1000));
    sampled_file_make(&file, N_BLOCKS, 8192, 0, 1);
    CHECK(sampled_file_begin(&file, NULL) != 0);
    only_one = true;
    hanging = 1u << QUEUE_LAUNCH;
    CHECK(pthread_create(&thread, NULL, ask_for_one, NULL) == 0 && pthread_detach(thread) == 0);
    for (unsigned i = 0; i < BOUND_MS && n_inside == 0; i++)
        sleep_ms(1);
    CHECK(n_inside == 1);
    begun = rp_clock_ns();
    for (size_t i = 2; i < 60; i++)
        CHECK(sampled_file_ask(&file, i, 3, false) != RP_FALLBACK_NONE);
    printf("%u ms\n", ms_since(begun));
    CHECK(ms_since(begun) >= TIMEOUT_MS / 2 && ms_since(begun) < 10 * TIMEOUT_MS);
    return is_used_again();
}

/* While the driver hangs, new threads do not follow those that are inside: 30 of them, one after
 * the other, as RocksDB starts some for each file. */
static bool new_threads_stay_out(void)
{
    CHECK(configure(1000));
    sampled_file_make(&file, N_BLOCKS, 8192, 0, 1);
    CHECK(ask_for_block(file.blocks[0], file.sizes[0], 3, false) == RP_FALLBACK_NONE);
    hanging = 1u << QUEUE_LAUNCH;
    for (int i = 0; i < 30; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, ask_for_one, NULL) == 0);
        CHECK(pthread_detach(thread) == 0);
        sleep_ms(TIMEOUT_MS);
    }
    sleep_ms(TIMEOUT_MS);
    printf("%d of 30 have ended, %d are inside\n", (int)n_ended, (int)n_inside);
    CHECK(n_inside >= 1 && n_inside <= 6 && n_ended == 30 - n_inside);
    return is_used_again();
}

/* All blocks of a chunk have gone elsewhere while its launch hung. Then the launch goes on. */
static bool a_late_launch_does_no_harm(void)
{
    rp_route_hint hint = {3, false};

    CHECK(configure(1000));
    sampled_file_make(&file, N_BLOCKS, 8192, 0, 1);
    for (int round = 0; round < 5; round++) {
        CHECK(sampled_file_begin(&file, round % 2 == 0 ? &hint : NULL) != 0);
        only_one = true;
        is_back = false;
        hanging = 1u << (round % 2 == 0 ? QUEUE_LAUNCH : QUEUE_COPY);
        CHECK(ask_for_all(1));
        hanging = 0;
        is_back = true;
        for (unsigned i = 0; i < BOUND_MS && (n_inside != 0 || n_ended != N_THREADS); i++)
            sleep_ms(1);
        CHECK(n_ended == N_THREADS && !rp_batch_any_open());
        CHECK(is_used_again());
    }
    CHECK(sampled_file_begin(&file, NULL) != 0 && ask_for_all(0));
    CHECK(n_served > 0 && rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    return true;
}

/* All blocks of the last chunks have gone elsewhere, as there were no lanes. Then there are some.
 */
static bool a_chunk_without_blocks_is_not_started(void)
{
    CHECK(configure(1000));
    sampled_file_make(&file, N_BLOCKS, 8192, 0, 1);
    CHECK(sampled_file_begin(&file, NULL) != 0);
    no_streams = true;
    for (size_t i = N_BLOCKS / 2; i < N_BLOCKS; i++)
        CHECK(sampled_file_ask(&file, i, 3, false) != RP_FALLBACK_NONE);
    no_streams = false;
    for (size_t i = 0; i < N_BLOCKS / 2; i++)
        (void)sampled_file_ask(&file, i, 3, false);
    CHECK(!rp_batch_any_open());
    /* What is still on the device is collected when the next batch begins. */
    CHECK(sampled_file_begin(&file, NULL) != 0 && ask_for_all(0));
    CHECK(n_served > 0 && rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    return true;
}

/* What was made too late is kept, not made anew: each call makes one thing. */
static bool a_slow_driver_is_used_all_the_same(void)
{
    CHECK(configure(1000));
    sampled_file_make(&file, N_BLOCKS, 8192, 0, 1);
    only_one = true;
    hanging = 1u << QUEUE_MEMORY_ALLOC | 1u << QUEUE_STAGING_ALLOC | 1u << QUEUE_STREAM_CREATE;
    for (int i = 0; i < 3; i++) {
        is_back = false;
        CHECK(ask_for_block(file.blocks[0], file.sizes[0], 3, false) == RP_FALLBACK_FAULT);
        is_back = true;
        for (unsigned k = 0; k < BOUND_MS && n_inside != 0; k++)
            sleep_ms(1);
        sleep_ms(TIMEOUT_MS / 2); /* it still has to be put aside */
    }
    CHECK(is_used_again());
    CHECK(queue.n_memory == 1 && queue.n_staging == 1 && queue.n_streams == 1);
    return true;
}

/* With a thread inside a launch, and the helper inside an allocation. */
static bool end_while_it_hangs(int unused)
{
    pthread_t thread;

    (void)unused;
    CHECK(configure(1000));
    sampled_file_make(&file, N_BLOCKS, 8192, 0, 1);
    CHECK(ask_for_block(file.blocks[0], file.sizes[0], 3, false) == RP_FALLBACK_NONE);
    hanging = 1u << QUEUE_LAUNCH | 1u << QUEUE_STAGING_ALLOC;
    CHECK(pthread_create(&thread, NULL, ask_for_one, NULL) == 0 && pthread_detach(thread) == 0);
    for (unsigned i = 0; i < BOUND_MS && n_inside == 0; i++)
        sleep_ms(1);
    CHECK(sampled_file_begin(&file, NULL) == 0);
    CHECK(n_inside == 2);
    return true;
}

static bool the_process_ends(void)
{
    uint64_t begun = rp_clock_ns();

    CHECK(run_in_child(end_while_it_hangs, 0, 30) == 0);
    CHECK(ms_since(begun) < BOUND_MS);
    return true;
}

int main(void)
{
    const scenario scenarios[] = {
        SCENARIO(device_memory_for_single_blocks),
        SCENARIO(pinned_memory_for_single_blocks),
        SCENARIO(a_stream_for_single_blocks),
        SCENARIO(device_memory_for_a_batch),
        SCENARIO(pinned_memory_for_a_batch),
        SCENARIO(a_stream_for_a_batch),
        SCENARIO(one_copy_of_single_blocks),
        SCENARIO(one_launch_of_single_blocks),
        SCENARIO(one_wait_of_single_blocks),
        SCENARIO(one_copy_of_a_batch),
        SCENARIO(one_launch_of_a_batch),
        SCENARIO(one_wait_of_a_batch),
        SCENARIO(a_batch_is_begun),
        SCENARIO(a_batch_is_begun_by_a_slow_driver),
        SCENARIO(a_chunk_is_waited_for_once),
        SCENARIO(new_threads_stay_out),
        SCENARIO(a_late_launch_does_no_harm),
        SCENARIO(a_chunk_without_blocks_is_not_started),
        SCENARIO(a_slow_driver_is_used_all_the_same),
        SCENARIO(the_process_ends),
    };

    return RUN_SCENARIOS(scenarios, 60);
}
