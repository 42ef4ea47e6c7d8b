/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch route on a device that works asynchronously, and on one whose calls fail: whatever
 * fails, at whichever call, every block gets a right frame or a reason to take the cpu route, and
 * no memory stays behind. Each scenario runs in a process of its own.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "plugin/batch/batch.h"
#include "plugin/core/balance.h"
#include "plugin/core/costs.h"
#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/queue_device.h"
#include "tests/support/sampled_file.h"
#include "tests/support/scenarios.h"

static queue_device device;
static rp_device *runner;
static rp_device_ops ops;
static _Atomic bool all_stalled;
static _Atomic int n_launches;
static _Atomic int n_waits; /* that do not only ask */

/* The queue's functions, with what it has not. */
static rp_status copying(rp_stream stream, void *destination, const void *source, size_t bytes,
                         rp_copy_kind kind)
{
    return device.device.ops->copy_async(stream, destination, source, bytes, kind);
}

static rp_status launching(rp_stream stream, const struct rp_launch *launch)
{
    n_launches++;
    return device.device.ops->launch(stream, launch);
}

static _Atomic bool asks_are_in_vain; /* who only asks is told that the device is not done */
static void (*on_ask)(void);          /* in the middle of the first call that does */

static rp_status waiting(rp_stream stream, uint32_t timeout_us)
{
    void (*then)(void) = on_ask;

    if (asks_are_in_vain && timeout_us == 0) {
        on_ask = NULL;
        if (then != NULL)
            then();
        return RP_STATUS_TIMEOUT;
    }
    n_waits += timeout_us != 0;
    if (all_stalled) {
        if (timeout_us != 0)
            usleep(timeout_us < 20000 ? timeout_us : 20000);
        return RP_STATUS_TIMEOUT;
    }
    return device.device.ops->wait(stream, timeout_us);
}

static rp_device tested;

static bool configure(void (*adjust)(rp_plugin_config *))
{
    rp_plugin_config config;

    CHECK(rp_device_open("host", &runner) == RP_STATUS_OK);
    /* TEST_DEVICE_FLAGS: of RP_DEVICE_*; copies there and back without. */
    const char *flags = getenv("TEST_DEVICE_FLAGS");
    queue_device_open(&device, runner, flags == NULL ? 0 : (uint32_t)atoi(flags));
    ops = *device.device.ops;
    ops.copy_async = copying;
    ops.launch = launching;
    ops.wait = waiting;
    tested = device.device;
    tested.ops = &ops;
    rp_plugin_config_default(&config, sizeof(config));
    config.custom_device = &tested;
    config.batch = RP_BATCH_ON;
    config.goal = RP_GOAL_DEVICE;
    config.effort = RP_EFFORT_FAST;
    config.log = RP_LOG_OFF;
    config.batch_lanes = 3;
    config.batch_chunk_bytes = 512 << 10;
    config.max_block_bytes = 64 << 10;
    config.breaker_faults = 1000;
    if (adjust != NULL)
        adjust(&config);
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    return true;
}

static uint64_t n_faults(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < RP_N_FAULTS; i++)
        sum += rp_stats_value(RP_STAT_FAULTS, i);
    return sum;
}

/* How many blocks of the file have a frame, from any route of the device. */
static size_t ask_for_all(const sampled_file *file)
{
    size_t n = 0;

    for (size_t i = 0; i < file->n_blocks; i++)
        n += sampled_file_ask(file, i, 3, false) == RP_FALLBACK_NONE;
    return n;
}

static bool works_without_faults(void)
{
    rp_route_hint hint = {3, false};
    sampled_file file;

    CHECK(configure(NULL));
    sampled_file_make(&file, 1100, 4096, 0, 1);
    for (int i = 0; i < 3; i++) {
        int before = n_launches;
        CHECK(sampled_file_begin(&file, i == 0 ? NULL : &hint) != 0);
        /* Begun at once when the level is known, and only as far as it looks ahead. */
        CHECK((n_launches - before) == (i == 0 ? 0 : 3 * 5));
        CHECK(ask_for_all(&file) == 1100);
        CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    }
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH) == 3300 && n_faults() == 0);
    CHECK(rp_stats_value(RP_STAT_VERIFIED_BLOCKS, 0) > 1000);
    /* The file once, and what is in flight: at most half of it again. */
    CHECK(rp_stats_value(RP_STAT_BATCH_PEAK_BYTES, 0) <= 1100 * 4064 * 3 / 2);
    /* Lanes are made when needed: this device has finished a chunk whenever it is asked. */
    CHECK(device.n_streams == 1);
    sampled_file_free(&file);
    return true;
}

static bool a_wrong_guess_is_made_good(void)
{
    rp_route_hint hint = {3, true};
    sampled_file file;

    CHECK(configure(NULL));
    sampled_file_make(&file, 1100, 4096, 0, 8);
    CHECK(sampled_file_begin(&file, &hint) != 0);
    CHECK(n_launches == 3 * 5);
    /* Without a checksum, other than was guessed: three chunks are done again, no other. */
    CHECK(ask_for_all(&file) == 1100);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH) == 1100);
    CHECK(n_launches == (3 + 9) * 5);
    sampled_file_free(&file);
    return true;
}

static bool more_files_than_lanes(void)
{
    rp_route_hint hint = {3, false};
    sampled_file files[6];

    CHECK(configure(NULL));
    for (size_t f = 0; f < 6; f++) {
        sampled_file_make(&files[f], 300, 4096, 0, 30 + f);
        CHECK(sampled_file_begin(&files[f], &hint) != 0);
    }
    for (size_t i = 0; i < 300; i++) {
        for (size_t f = 0; f < 6; f++)
            CHECK(sampled_file_ask(&files[f], i, 3, false) == RP_FALLBACK_NONE);
    }
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH) == 1800 && device.n_streams <= 3);
    for (size_t f = 0; f < 6; f++)
        sampled_file_free(&files[f]);
    return true;
}

static bool abandoned_while_the_device_works(void)
{
    rp_route_hint hint = {3, false};
    sampled_file file;
    rp_batch_id id;

    CHECK(configure(NULL));
    sampled_file_make(&file, 300, 4096, 0, 2);
    all_stalled = true;
    id = sampled_file_begin(&file, &hint);
    CHECK(id != 0);
    rp_batch_end(id);
    /* What was not on the device is back, what is there is not. */
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) > 0 &&
          rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) <= 6 << 19);
    all_stalled = false;
    CHECK(sampled_file_begin(&file, &hint) != 0);
    CHECK(ask_for_all(&file) == 300);
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0 && n_faults() == 0);
    sampled_file_free(&file);
    return true;
}

static void impatient(rp_plugin_config *config)
{
    config->timeout_ms = 200; /* of which a busy machine may take some */
}

static bool a_device_that_hangs(void)
{
    rp_route_hint hint = {3, false};
    sampled_file file;
    size_t n;

    CHECK(configure(impatient));
    sampled_file_make(&file, 1100, 4096, 0, 3);
    CHECK(sampled_file_begin(&file, &hint) != 0);
    CHECK(sampled_file_ask(&file, 0, 3, false) == RP_FALLBACK_NONE);
    all_stalled = true;
    n = ask_for_all(&file);
    /* The first chunk is served; of the others each lane costs at most one wait, not each block.
     * Block 0, which was taken before, goes direct, and waits once, too. */
    CHECK(n > 0 && n < 300);
    CHECK(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_TIMEOUT) > 0 &&
          rp_stats_value(RP_STAT_FAULTS, RP_FAULT_TIMEOUT) <= 4);
    /* The device may still write to its slabs. */
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) > 0);
    all_stalled = false;
    CHECK(sampled_file_begin(&file, &hint) != 0);
    CHECK(ask_for_all(&file) == 1100);
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
    sampled_file_free(&file);
    return true;
}

static void choosing(rp_plugin_config *config)
{
    config->goal = RP_GOAL_AUTO;
    config->timeout_ms = 60000;
}

static sampled_file asked_file;
static pthread_t waiter;
static rp_fallback_reason waiter_got;

/* Has saved enough to wait for the device. */
static void *wait_for_first(void *unused)
{
    rp_balance_note(RP_BALANCE_MOST_NS, 0);
    waiter_got = sampled_file_ask(&asked_file, 0, 3, false);
    return unused;
}

static void begin_to_wait(void)
{
    if (pthread_create(&waiter, NULL, wait_for_first, NULL) != 0)
        abort();
    usleep(30000); /* it sleeps while this thread asks about its chunk */
}

/* A thread that does not wait for a chunk asks the device about it. The device is not done, and
 * another thread, which came meanwhile, goes on waiting for the device, and not for its time limit.
 */
static bool one_asks_while_another_waits(void)
{
    rp_route_hint hint = {3, false};

    CHECK(configure(choosing));
    for (int i = 0; i < 3; i++)
        rp_costs_note(RP_ROUTE_CPU, RP_EFFORT_FAST, 4096, 4096, 20000, 20000);
    sampled_file_make(&asked_file, 300, 4096, 0, 60);
    asks_are_in_vain = true;
    CHECK(sampled_file_begin(&asked_file, &hint) != 0);
    on_ask = begin_to_wait;
    CHECK(sampled_file_ask(&asked_file, 1, 3, false) == RP_FALLBACK_BUSY && on_ask == NULL);
    /* It had a quarter of a second, of which a busy machine may take most. */
    CHECK(pthread_join(waiter, NULL) == 0 && n_waits == 1 && n_faults() == 0);
    CHECK(waiter_got == RP_FALLBACK_NONE || waiter_got == RP_FALLBACK_BUSY);
    sampled_file_free(&asked_file);
    return true;
}

static queue_call failing_call;
static rp_status failing_status;

/* The nth call of one kind fails, for each n, in a process for each so that nothing is warm. */
static bool one_call_fails(int nth)
{
    rp_route_hint hint = {3, false};
    sampled_file file;
    size_t n;

    CHECK(configure(NULL));
    sampled_file_make(&file, 300, 4096, 0, 4);
    queue_device_fail(&device, failing_call, nth, failing_status);
    sampled_file_begin(&file, &hint);
    n = ask_for_all(&file);
    /* One chunk of four or five is lost at most; a file that could not be begun goes direct. */
    CHECK(n >= 100);
    if (device.fail_in[failing_call] == 0)
        CHECK(n_faults() <= 2);
    else
        CHECK(n_faults() == 0 && n == 300);
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0 || rp_batch_any_open());
    /* And all is well again. */
    queue_device_fail(&device, failing_call, 0, RP_STATUS_OK);
    CHECK(sampled_file_begin(&file, &hint) != 0);
    CHECK(ask_for_all(&file) == 300);
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0 && !rp_batch_any_open());
    /* Of each lane there is all or nothing. */
    CHECK(device.n_memory == device.n_streams && device.n_staging >= device.n_streams);
    sampled_file_free(&file);
    return true;
}

static bool every_call_in_turn(queue_call call, rp_status status, int n_calls)
{
    failing_call = call;
    failing_status = status;
    for (int n = 1; n <= n_calls; n++) {
        if (run_in_child(one_call_fails, n, 0) != 0) {
            fprintf(stderr, "call %d of kind %d\n", n, (int)call);
            return false;
        }
    }
    return true;
}

static bool streams_fail(void)
{
    return every_call_in_turn(QUEUE_STREAM_CREATE, RP_STATUS_LAUNCH_FAILED, 4);
}

static bool device_memory_runs_out(void)
{
    return every_call_in_turn(QUEUE_MEMORY_ALLOC, RP_STATUS_OUT_OF_DEVICE_MEMORY, 4);
}

static bool staging_runs_out(void)
{
    return every_call_in_turn(QUEUE_STAGING_ALLOC, RP_STATUS_OUT_OF_HOST_MEMORY, 12);
}

static bool copies_fail(void)
{
    return every_call_in_turn(QUEUE_COPY, RP_STATUS_LAUNCH_FAILED, 24);
}

static bool launches_fail(void)
{
    return every_call_in_turn(QUEUE_LAUNCH, RP_STATUS_LAUNCH_FAILED, 12);
}

static bool waits_fail(void)
{
    return every_call_in_turn(QUEUE_WAIT, RP_STATUS_LAUNCH_FAILED, 6);
}

static bool waits_time_out_once(void)
{
    return every_call_in_turn(QUEUE_WAIT, RP_STATUS_TIMEOUT, 6);
}

static bool the_device_is_lost(void)
{
    rp_route_hint hint = {3, false};
    sampled_file file;
    rp_batch_id id;

    CHECK(configure(NULL));
    sampled_file_make(&file, 300, 4096, 0, 5);
    id = sampled_file_begin(&file, &hint);
    CHECK(sampled_file_ask(&file, 0, 3, false) == RP_FALLBACK_NONE);
    queue_device_fail(&device, QUEUE_WAIT, 1, RP_STATUS_DEVICE_FAULT);
    ask_for_all(&file);
    CHECK(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_DEVICE) == 1 &&
          rp_stats_value(RP_STAT_DEVICE_ACTIVE, 0) == 0);
    for (size_t i = 0; i < 300; i++)
        CHECK(sampled_file_ask(&file, i, 3, false) == RP_FALLBACK_DEVICE);
    /* What the device can not be using is back. */
    rp_batch_end(id);
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) <= 6 << 19);
    CHECK(sampled_file_begin(&file, &hint) == 0);
    sampled_file_free(&file);
    return true;
}

static void touchy(rp_plugin_config *config)
{
    config->breaker_faults = 2;
    config->breaker_retry_ms = 50;
}

static bool the_breaker_covers_batches(void)
{
    rp_route_hint hint = {3, false};
    sampled_file file;
    int before;

    CHECK(configure(touchy));
    sampled_file_make(&file, 300, 4096, 0, 7);
    for (int i = 0; i < 2; i++) {
        queue_device_fail(&device, QUEUE_LAUNCH, 1, RP_STATUS_LAUNCH_FAILED);
        rp_batch_end(sampled_file_begin(&file, &hint));
    }
    CHECK(rp_stats_value(RP_STAT_BREAKER_OPENS, 0) == 1);
    before = n_launches;
    CHECK(sampled_file_begin(&file, &hint) == 0);
    CHECK(ask_for_all(&file) == 0 && n_launches == before);
    usleep(60000);
    /* A single block tries it, and then files go again. */
    CHECK(sampled_file_ask(&file, 0, 3, false) == RP_FALLBACK_NONE);
    CHECK(sampled_file_begin(&file, &hint) != 0);
    CHECK(ask_for_all(&file) == 300);
    sampled_file_free(&file);
    return true;
}

static const scenario scenarios[] = {
    SCENARIO(works_without_faults),
    SCENARIO(a_wrong_guess_is_made_good),
    SCENARIO(more_files_than_lanes),
    SCENARIO(abandoned_while_the_device_works),
    SCENARIO(a_device_that_hangs),
    SCENARIO(one_asks_while_another_waits),
    SCENARIO(streams_fail),
    SCENARIO(device_memory_runs_out),
    SCENARIO(staging_runs_out),
    SCENARIO(copies_fail),
    SCENARIO(launches_fail),
    SCENARIO(waits_fail),
    SCENARIO(waits_time_out_once),
    SCENARIO(the_device_is_lost),
    SCENARIO(the_breaker_covers_batches),
};

int main(void)
{
    return RUN_SCENARIOS(scenarios, 0);
}
