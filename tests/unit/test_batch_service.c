/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of the plugin's own that call the device for batches: nobody else calls it, a driver that
 * never returns has them and nobody else, and what their chunks and batches were is gone meanwhile.
 * Each scenario has a process of its own.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "plugin/batch/batch.h"
#include "plugin/core/costs.h"
#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/gate_device.h"
#include "tests/support/sampled_file.h"
#include "tests/support/sanitizers.h"
#include "tests/support/scenarios.h"

#define IS_SLOW (TEST_ADDRESS_SANITIZER || TEST_THREAD_SANITIZER)

/* A file is three chunks, or two. */
enum { N_BUILDERS = 3, N_BLOCKS = IS_SLOW ? 140 : 300, N_LANES = 3 };

#define BOUND_MS 60000u

static gate_device gate;
static rp_plugin_config config;
static const rp_route_hint hint = {3, false};

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static bool await(bool (*is_so)(void))
{
    for (unsigned i = 0; i < BOUND_MS && !is_so(); i++)
        usleep(1000);
    return is_so();
}

static bool configure_for(rp_goal goal, uint32_t flags, uint32_t timeout_ms)
{
    rp_device *host;

    CHECK(rp_device_open("host", &host) == RP_STATUS_OK);
    gate_device_open(&gate, host, flags);
    rp_plugin_config_default(&config, sizeof(config));
    config.custom_device = &gate.device;
    config.sharing = RP_SHARING_SERVED;
    config.batch = RP_BATCH_ON;
    config.goal = goal;
    config.effort = RP_EFFORT_FAST;
    config.log = RP_LOG_OFF;
    config.batch_lanes = N_LANES;
    config.batch_chunk_bytes = 512 << 10;
    config.max_block_bytes = 64 << 10;
    config.timeout_ms = timeout_ms;
    config.breaker_faults = 3;
    config.breaker_retry_ms = 1;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    return true;
}

static bool configure(uint32_t flags, uint32_t timeout_ms)
{
    return configure_for(RP_GOAL_DEVICE, flags, timeout_ms);
}

static uint64_t n_faults(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < RP_N_FAULTS; i++)
        sum += rp_stats_value(RP_STAT_FAULTS, i);
    return sum;
}

static uint64_t n_batched(void)
{
    return rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH);
}

/* The frame slabs of chunks come back to those who serve a moment after their blocks were taken. */
static bool is_memory_back(void)
{
    return rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0;
}

/* A thread of RocksDB's, which should call nothing of the device, and the file that it builds. */
typedef struct builder {
    pthread_t thread;
    uint64_t seed;
    bool is_abandoned; /* in the middle */
    size_t n_frames;
    size_t n_exhausted;  /* blocks for which all lanes and groups were taken */
    uint64_t longest_us; /* that it took for a block, or for the batch to begin */
} builder;

static void note_time(builder *self, uint64_t begun_us)
{
    uint64_t us = now_us() - begun_us;

    if (us > self->longest_us)
        self->longest_us = us;
}

static void *build(void *argument)
{
    builder *self = argument;
    uint64_t begun_us;
    sampled_file file;
    rp_batch_id id;

    gate_device_forbid();
    sampled_file_make(&file, N_BLOCKS, 4096, 0, self->seed);
    begun_us = now_us();
    id = sampled_file_begin(&file, &hint);
    note_time(self, begun_us);
    for (size_t i = 0; i < (self->is_abandoned ? N_BLOCKS / 2 : N_BLOCKS); i++) {
        rp_fallback_reason reason;
        begun_us = now_us();
        reason = sampled_file_ask(&file, i, 3, false);
        note_time(self, begun_us);
        self->n_frames += reason == RP_FALLBACK_NONE;
        self->n_exhausted += reason == RP_FALLBACK_POOL;
    }
    rp_batch_end(id);
    sampled_file_free(&file);
    return NULL;
}

/* The sum of what all saw. */
static builder run_builders(unsigned n, bool is_abandoned, uint64_t seed)
{
    builder builders[N_BUILDERS], sum = {.seed = seed};

    for (unsigned b = 0; b < n; b++) {
        builders[b] = (builder){.seed = seed + b, .is_abandoned = is_abandoned};
        if (pthread_create(&builders[b].thread, NULL, build, &builders[b]) != 0)
            abort();
    }
    for (unsigned b = 0; b < n; b++) {
        pthread_join(builders[b].thread, NULL);
        sum.n_frames += builders[b].n_frames;
        sum.n_exhausted += builders[b].n_exhausted;
        if (builders[b].longest_us > sum.longest_us)
            sum.longest_us = builders[b].longest_us;
    }
    return sum;
}

static bool serve(uint32_t flags)
{
    builder sum;

    CHECK(configure(flags, 60000));
    CHECK(run_builders(1, false, 5).n_frames == N_BLOCKS); /* the device is open */
    for (unsigned round = 0; round < (IS_SLOW ? 2 : 3); round++) {
        uint64_t before = n_batched();
        sum = run_builders(N_BUILDERS, false, 10 * round + 10);
        /* Where no lane is free, a block goes alone, and where all is taken, to libzstd. */
        CHECK(sum.n_frames + sum.n_exhausted == (size_t)N_BUILDERS * N_BLOCKS);
        CHECK(n_batched() - before >= (uint64_t)N_BUILDERS * N_BLOCKS / 2);
        CHECK(await(is_memory_back));
        usleep(round == 0 ? 200000 : 0); /* those who serve have left, and come again */
    }
    CHECK(n_faults() == 0 && gate.n_forbidden_calls == 0 && gate.n_calls > 0);
    return true;
}

static bool batches_are_served(void)
{
    return serve(0);
}

static bool batches_are_served_mapped(void)
{
    return serve(RP_DEVICE_MAPPED_STAGING);
}

static bool a_file_that_is_abandoned(void)
{
    CHECK(configure(0, 60000));
    CHECK(run_builders(1, false, 39).n_frames == N_BLOCKS);
    run_builders(N_BUILDERS, true, 40);
    CHECK(await(is_memory_back));
    CHECK(run_builders(1, false, 50).n_frames == N_BLOCKS);
    CHECK(n_faults() == 0 && gate.n_forbidden_calls == 0);
    return true;
}

/* The device works while its file is given up. Its memory is others' when the device is done. */
static bool a_file_ends_while_the_device_works(void)
{
    sampled_file file;
    rp_batch_id id;

    CHECK(configure(0, 60000));
    CHECK(run_builders(1, false, 60).n_frames == N_BLOCKS);
    gate.is_closed = true;
    gate_device_forbid();
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 61);
    id = sampled_file_begin(&file, &hint);
    gate_device_await(&gate, 1);
    rp_batch_end(id);
    CHECK(!rp_batch_any_open() && !is_memory_back());
    gate.is_closed = false;
    CHECK(await(is_memory_back));
    CHECK(n_faults() == 0 && gate.n_forbidden_calls == 0);
    sampled_file_free(&file);
    return true;
}

/* Whether a file was compressed as a batch, after the device has come back. */
static bool is_well_again(void)
{
    static uint64_t seed = 1000;
    uint64_t before = n_batched();

    run_builders(1, false, seed++);
    return n_batched() - before >= N_BLOCKS / 2;
}

/* What the device needs for a chunk, many times. */
#define SHORT_MS (IS_SLOW ? 1500u : 400u)

static const uint32_t flags_of_hang[] = {0, RP_DEVICE_MAPPED_STAGING};

/* A call that never returns: 0 copies, 1 launches, 2 waits; +3 on a device that writes to the
 * host's memory. */
static bool a_call_hangs(int which)
{
    builder sum;

    CHECK(configure(flags_of_hang[which / 3], SHORT_MS));
    CHECK(run_builders(1, false, 70).n_frames == N_BLOCKS);
    gate.never_returns = true;
    gate.is_closed = which % 3 == 2;
    if (which % 3 != 2)
        gate.holding = which % 3 == 0 ? QUEUE_COPY : QUEUE_LAUNCH;
    /* Files end, and the threads that serve are still inside. */
    sum = run_builders(N_BUILDERS, false, 71);
    CHECK(sum.n_frames == 0 && gate.n_forbidden_calls == 0);
    CHECK(sum.longest_us < UINT64_C(10) * SHORT_MS * 1000);
    CHECK(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_TIMEOUT) == n_faults() && n_faults() >= 3);
    CHECK(rp_stats_value(RP_STAT_BREAKER_OPENS, 0) > 0);
    /* From some time on nobody waits any more: each file is a probe of the breaker or two. */
    usleep(3000 * SHORT_MS);
    sum = run_builders(1, false, 80);
    CHECK(sum.n_frames == 0 && sum.longest_us < UINT64_C(1000) * SHORT_MS);
    gate.holding = GATE_HOLDS_NONE;
    gate.never_returns = false;
    gate.is_closed = false;
    CHECK(await(is_well_again) && await(is_memory_back));
    CHECK(gate.n_forbidden_calls == 0);
    return true;
}

static bool a_driver_hangs(void)
{
    /* Each takes some of those time limits. */
    for (int which = 0; which < 6; which += IS_SLOW ? 5 : 1) {
        if (run_in_child(a_call_hangs, which, 300) != 0) {
            fprintf(stderr, "hanging call %d\n", which);
            return false;
        }
    }
    return true;
}

/* A chunk is lost, and its lane is used again once the device is done with it. */
static bool a_launch_fails(int nth)
{
    builder sum;

    CHECK(configure(0, 60000));
    CHECK(run_builders(1, false, 90).n_frames == N_BLOCKS);
    queue_device_fail(&gate.queue, QUEUE_LAUNCH, nth, RP_STATUS_LAUNCH_FAILED);
    sum = run_builders(1, false, 91);
    CHECK(sum.n_frames > 0 && sum.n_frames < N_BLOCKS);
    CHECK(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_LAUNCH) == 1 && n_faults() == 1);
    CHECK(await(is_memory_back));
    for (uint64_t i = 0; i < N_LANES; i++)
        CHECK(run_builders(1, false, 92 + i).n_frames == N_BLOCKS);
    CHECK(gate.n_forbidden_calls == 0);
    return true;
}

static bool every_launch_fails_in_turn(void)
{
    for (int nth = 1; nth <= 6; nth += IS_SLOW ? 4 : 1) {
        if (run_in_child(a_launch_fails, nth, 300) != 0) {
            fprintf(stderr, "launch %d\n", nth);
            return false;
        }
    }
    return true;
}

/* Waits that time out: the lanes are looked at again by those who serve. */
static bool the_device_is_late(void)
{
    CHECK(configure(0, SHORT_MS));
    CHECK(run_builders(1, false, 100).n_frames == N_BLOCKS);
    gate.is_closed = true;
    CHECK(run_builders(N_BUILDERS, false, 101).n_frames == 0);
    gate.is_closed = false;
    CHECK(await(is_well_again) && await(is_memory_back));
    CHECK(gate.n_forbidden_calls == 0);
    return true;
}

static _Atomic bool no_threads;
static _Atomic bool are_held;       /* new threads, before they do anything */
static _Atomic int n_fail_together; /* so many starts fail, none before the last one is tried */

typedef struct held {
    void *(*run)(void *);
    void *argument;
} held;

static void *run_later(void *argument)
{
    held call = *(held *)argument;

    free(argument);
    while (are_held)
        usleep(200);
    return call.run(call.argument);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
    held *call = malloc(sizeof(*call));

    if (n_fail_together != 0) {
        n_fail_together--;
        while (n_fail_together != 0)
            usleep(200);
        no_threads = true;
    }
    if (call == NULL || no_threads) {
        free(call);
        return EAGAIN;
    }
    *call = (held){run, argument};
    return __real_pthread_create(thread, attributes, run_later, call);
}

static unsigned n_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    unsigned n = 0;

    while (tasks != NULL && readdir(tasks) != NULL)
        n++;
    if (tasks != NULL)
        closedir(tasks);
    return n - 2; /* . and .. */
}

static unsigned n_threads_at_first;

static void *end_at_once(void *argument)
{
    return argument;
}

/* ThreadSanitizer begins a thread of its own with the first one. */
static bool count_threads_at_first(void)
{
    pthread_t other;

    CHECK(pthread_create(&other, NULL, end_at_once, NULL) == 0);
    pthread_join(other, NULL);
    n_threads_at_first = n_threads();
    return true;
}

static bool is_alone(void)
{
    return n_threads() == n_threads_at_first;
}

/* The threads that serve come when nobody waits any more: nothing is launched. */
static bool a_file_ends_before_it_is_launched(void)
{
    sampled_file file;
    rp_batch_id id;
    int n_calls;

    CHECK(configure(0, 60000));
    CHECK(count_threads_at_first() && run_builders(1, false, 120).n_frames == N_BLOCKS);
    CHECK(await(is_alone));
    n_calls = gate.n_calls;
    are_held = true;
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 121);
    id = sampled_file_begin(&file, &hint);
    CHECK(id != 0 && n_threads() > n_threads_at_first);
    rp_batch_end(id);
    CHECK(!is_memory_back());
    are_held = false;
    CHECK(await(is_memory_back) && await(is_alone));
    CHECK(gate.n_calls == n_calls && n_faults() == 0);
    CHECK(run_builders(1, false, 122).n_frames == N_BLOCKS);
    sampled_file_free(&file);
    return true;
}

/* Where the system has no thread, the thread that compresses calls the device. */
static bool nobody_serves(void)
{
    sampled_file file;
    size_t n = 0;

    CHECK(configure(0, 60000));
    CHECK(count_threads_at_first());
    CHECK(run_builders(1, false, 110).n_frames == N_BLOCKS);
    /* Memory is there. The threads that made it and those that serve have left. */
    CHECK(await(is_alone));
    no_threads = true;
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 111);
    CHECK(sampled_file_begin(&file, &hint) != 0);
    for (size_t i = 0; i < N_BLOCKS; i++)
        n += sampled_file_ask(&file, i, 3, false) == RP_FALLBACK_NONE;
    CHECK(n == N_BLOCKS && n_batched() >= 2 * N_BLOCKS - N_BLOCKS / 2);
    CHECK(is_memory_back() && n_faults() == 0);
    no_threads = false;
    CHECK(run_builders(1, false, 112).n_frames == N_BLOCKS && gate.n_forbidden_calls == 0);
    CHECK(await(is_alone));
    sampled_file_free(&file);
    return true;
}

/* All lanes, and the slabs of as many files as there are builders. Whoever made them has left. */
static bool make_all_memory(void)
{
    rp_batch_id ids[N_BUILDERS];
    sampled_file file;

    CHECK(count_threads_at_first() && run_builders(1, false, 130).n_frames == N_BLOCKS);
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 131);
    gate.is_closed = true;
    for (unsigned b = 0; b < N_BUILDERS; b++)
        ids[b] = sampled_file_begin(&file, &hint);
    gate_device_await(&gate, N_LANES);
    gate.is_closed = false;
    for (unsigned b = 0; b < N_BUILDERS; b++)
        rp_batch_end(ids[b]);
    CHECK(await(is_memory_back) && await(is_alone));
    sampled_file_free(&file);
    return true;
}

static _Atomic bool may_begin;

static void *build_later(void *argument)
{
    while (!may_begin)
        usleep(200);
    return build(argument);
}

/* Two builders have a thread started, each counts on the other's, and both starts fail. */
static bool starts_fail_together(void)
{
    builder builders[2] = {{.seed = 140}, {.seed = 141}};

    CHECK(configure(0, 60000) && make_all_memory());
    for (unsigned b = 0; b < 2; b++)
        CHECK(pthread_create(&builders[b].thread, NULL, build_later, &builders[b]) == 0);
    n_fail_together = 2;
    may_begin = true;
    for (unsigned b = 0; b < 2; b++) {
        pthread_join(builders[b].thread, NULL);
        CHECK(builders[b].n_frames == N_BLOCKS && builders[b].longest_us < 30000000);
    }
    CHECK(n_fail_together == 0 && no_threads && n_faults() == 0 && is_memory_back());
    return true;
}

/* Nor is what an abandoned file has left on the device looked at by threads that are not there. */
static bool a_file_is_abandoned_and_nobody_serves(void)
{
    sampled_file file;
    uint64_t before;
    rp_batch_id id;

    CHECK(configure(0, 60000) && make_all_memory());
    no_threads = true;
    before = n_batched();
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 150);
    for (int i = 0; i < 3; i++) {
        id = sampled_file_begin(&file, &hint);
        for (size_t k = 0; k < N_BLOCKS / 2; k++)
            CHECK(sampled_file_ask(&file, k, 3, false) == RP_FALLBACK_NONE);
        rp_batch_end(id);
        CHECK(is_memory_back());
    }
    CHECK(n_batched() - before == 3 * (N_BLOCKS / 2) && n_faults() == 0);
    /* Nor does anybody wait for what was begun. */
    rp_batch_end(sampled_file_begin(&file, &hint));
    CHECK(is_memory_back());
    sampled_file_free(&file);
    return true;
}

/* All lanes are taken by files whose builders do something else. The device is done with them. */
static bool lanes_are_taken_and_nobody_serves(void)
{
    sampled_file file;
    uint64_t before;

    CHECK(configure(0, 60000) && make_all_memory());
    no_threads = true;
    before = n_batched();
    sampled_file_make(&file, 20, 4096, 0, 155);
    for (int i = 0; i < N_LANES; i++)
        CHECK(sampled_file_begin(&file, &hint) != 0);
    sampled_file_free(&file);
    sampled_file_make(&file, 20, 4096, 0, 156);
    CHECK(sampled_file_begin(&file, &hint) != 0);
    for (size_t i = 0; i < 20; i++)
        CHECK(sampled_file_ask(&file, i, 3, false) == RP_FALLBACK_NONE);
    CHECK(n_batched() - before == 20 && n_faults() == 0);
    sampled_file_free(&file);
    return true;
}

/* Who does not wait for the device notices all the same that it hangs. */
static bool a_call_hangs_and_nobody_waits(int goal)
{
    sampled_file file;
    rp_batch_id id;

    CHECK(configure_for((rp_goal)goal, 0, SHORT_MS));
    for (int i = 0; i < 3; i++)
        rp_costs_note(RP_ROUTE_CPU, RP_EFFORT_FAST, 4096, 4096, 20000, 20000);
    gate_device_forbid();
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 160);
    gate.holding = QUEUE_LAUNCH;
    id = sampled_file_begin(&file, &hint);
    CHECK(id != 0);
    for (size_t k = 0; k < N_BLOCKS; k++) {
        if (k == 20)
            usleep(1500 * SHORT_MS);
        CHECK(sampled_file_ask(&file, k, 3, false) != RP_FALLBACK_NONE);
    }
    rp_batch_end(id);
    CHECK(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_TIMEOUT) >= 1 && gate.n_forbidden_calls == 0);
    gate.holding = GATE_HOLDS_NONE;
    sampled_file_free(&file);
    return true;
}

static bool every_goal(void)
{
    static const rp_goal goals[] = {RP_GOAL_AUTO, RP_GOAL_THROUGHPUT, RP_GOAL_CPU};

    for (size_t g = 0; g < sizeof(goals) / sizeof(goals[0]); g++) {
        if (run_in_child(a_call_hangs_and_nobody_waits, (int)goals[g], 300) != 0) {
            fprintf(stderr, "goal %d\n", (int)goals[g]);
            return false;
        }
    }
    return true;
}

int main(void)
{
    static const scenario scenarios[] = {
        SCENARIO(batches_are_served),
        SCENARIO(batches_are_served_mapped),
        SCENARIO(a_file_that_is_abandoned),
        SCENARIO(a_file_ends_while_the_device_works),
        SCENARIO(every_launch_fails_in_turn),
        SCENARIO(nobody_serves),
        SCENARIO(a_file_ends_before_it_is_launched),
        SCENARIO(starts_fail_together),
        SCENARIO(a_file_is_abandoned_and_nobody_serves),
        SCENARIO(lanes_are_taken_and_nobody_serves),
        /* With time limits, than which the device is slower under ThreadSanitizer. */
        SCENARIO(a_driver_hangs),
        SCENARIO(the_device_is_late),
        SCENARIO(every_goal),
    };
    const size_t n = sizeof(scenarios) / sizeof(scenarios[0]);

    return run_scenarios(scenarios, TEST_THREAD_SANITIZER ? n - 3 : n, 1800);
}
