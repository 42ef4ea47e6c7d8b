/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the direct route does when a device misbehaves. Each scenario runs in a child process of
 * its own, because a process opens its device once and a lost one stays lost. The device is
 * "host" behind a table of functions that fail on command.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <zstd.h>

#include "plugin/route/route.h"
#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/scenarios.h"

static const rp_device *inner;
static _Atomic int launch_status, wait_status, alloc_status, stream_status;
static _Atomic bool corrupt;
static _Atomic int n_calls;

static rp_stream inner_stream(rp_stream stream)
{
    rp_stream passed = {inner, stream.handle};

    return passed;
}

static rp_status faulty_alloc(const rp_device *device, size_t bytes, void **memory)
{
    (void)device;
    n_calls++;
    *memory = NULL;
    return alloc_status != 0 ? (rp_status)alloc_status
                             : inner->ops->memory_alloc(inner, bytes, memory);
}

static void faulty_free(const rp_device *device, void *memory)
{
    (void)device;
    inner->ops->memory_free(inner, memory);
}

static rp_status faulty_stream_create(const rp_device *device, void **handle)
{
    (void)device;
    n_calls++;
    return stream_status != 0 ? (rp_status)stream_status : inner->ops->stream_create(inner, handle);
}

static void faulty_stream_destroy(const rp_device *device, void *handle)
{
    (void)device;
    inner->ops->stream_destroy(inner, handle);
}

static rp_status faulty_copy(rp_stream stream, void *destination, const void *source, size_t bytes,
                             rp_copy_kind kind)
{
    rp_status status =
        inner->ops->copy_async(inner_stream(stream), destination, source, bytes, kind);

    n_calls++;
    /* The frame, not its size: that copy is smaller. */
    if (corrupt && kind == RP_COPY_DEVICE_TO_HOST && bytes > 64)
        ((unsigned char *)destination)[60] ^= 0x10;
    return status;
}

static rp_status faulty_launch(rp_stream stream, const struct rp_launch *launch)
{
    n_calls++;
    return launch_status != 0 ? (rp_status)launch_status
                              : inner->ops->launch(inner_stream(stream), launch);
}

static rp_status faulty_wait(rp_stream stream, uint32_t timeout_us)
{
    n_calls++;
    return wait_status != 0 ? (rp_status)wait_status
                            : inner->ops->wait(inner_stream(stream), timeout_us);
}

static void faulty_close(rp_device *device)
{
    (void)device;
}

static const rp_device_ops faulty_ops = {
    sizeof(rp_device_ops), faulty_alloc,         faulty_free,           faulty_alloc,
    faulty_free,           faulty_stream_create, faulty_stream_destroy, faulty_copy,
    faulty_launch,         faulty_wait,          faulty_close,
};

/* Without RP_DEVICE_HOST_MEMORY: copies are made, as for a GPU. */
static const rp_device faulty = {sizeof(rp_device), &faulty_ops, "faulty", 0, NULL};

static char block[4096], frame[8192], decoded[4096];

static rp_fallback_reason compress_block(void)
{
    rp_request request = {block, sizeof(block), frame, sizeof(frame), 3, false};
    size_t size = 0;
    rp_fallback_reason reason = rp_route_compress(&request, &size);

    if (reason == RP_FALLBACK_NONE &&
        (ZSTD_decompress(decoded, sizeof(decoded), frame, size) != sizeof(block) ||
         memcmp(decoded, block, sizeof(block)) != 0)) {
        fprintf(stderr, "a wrong frame was handed over\n");
        exit(1);
    }
    return reason;
}

static void sleep_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

static bool configure(void (*adjust)(rp_plugin_config *))
{
    rp_plugin_config config;
    unsigned seed = 7;
    rp_device *host;

    for (size_t i = 0; i < sizeof(block); i++) {
        seed = seed * 1103515245u + 12345u;
        block[i] = i % 40 < 20 ? "k=000000001;status=o"[i % 20] : (char)('A' + (seed >> 16) % 20);
    }
    CHECK(rp_device_open("host", &host) == RP_STATUS_OK);
    inner = host;
    rp_plugin_config_default(&config, sizeof(config));
    config.custom_device = &faulty;
    config.goal = RP_GOAL_DEVICE;
    config.log = RP_LOG_OFF;
    config.breaker_faults = 3;
    config.breaker_retry_ms = 50;
    config.lanes = 4;
    if (adjust != NULL)
        adjust(&config);
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    return true;
}

static bool works_without_faults(void)
{
    CHECK(configure(NULL));
    for (int i = 0; i < 20; i++)
        CHECK(compress_block() == RP_FALLBACK_NONE);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 20 &&
          rp_stats_value(RP_STAT_VERIFIED_BLOCKS, 0) == 20);
    CHECK(rp_stats_value(RP_STAT_LANES, 0) == 1 && rp_stats_value(RP_STAT_DEVICE_ACTIVE, 0) == 1);
    CHECK(strcmp(rp_stats_device(), "faulty") == 0);
    return true;
}

static bool breaker_opens_and_closes(rp_fault fault, _Atomic int *knob, rp_status status)
{
    int calls;

    CHECK(configure(NULL));
    CHECK(compress_block() == RP_FALLBACK_NONE);
    *knob = (int)status;
    for (int i = 0; i < 3; i++)
        CHECK(compress_block() == RP_FALLBACK_FAULT);
    calls = n_calls;
    for (int i = 0; i < 100; i++)
        CHECK(compress_block() == RP_FALLBACK_BREAKER);
    CHECK(n_calls == calls);
    CHECK(rp_stats_value(RP_STAT_FAULTS, fault) == 3 &&
          rp_stats_value(RP_STAT_BREAKER_OPENS, 0) == 1);
    /* A probe fails: closed for twice as long. Then one succeeds. */
    sleep_ms(60);
    CHECK(compress_block() == RP_FALLBACK_FAULT);
    CHECK(compress_block() == RP_FALLBACK_BREAKER);
    *knob = 0;
    CHECK(compress_block() == RP_FALLBACK_BREAKER);
    sleep_ms(120);
    CHECK(compress_block() == RP_FALLBACK_NONE);
    CHECK(compress_block() == RP_FALLBACK_NONE);
    CHECK(rp_stats_value(RP_STAT_BREAKER_OPENS, 0) == 1 &&
          rp_stats_value(RP_STAT_DEVICE_ACTIVE, 0) == 1);
    return true;
}

static bool launch_fails(void)
{
    return breaker_opens_and_closes(RP_FAULT_LAUNCH, &launch_status, RP_STATUS_LAUNCH_FAILED);
}

static bool waits_time_out(void)
{
    return breaker_opens_and_closes(RP_FAULT_TIMEOUT, &wait_status, RP_STATUS_TIMEOUT);
}

static bool engine_is_broken(void)
{
    return breaker_opens_and_closes(RP_FAULT_INTERNAL, &launch_status, RP_STATUS_INVALID_OPTION);
}

static bool memory_runs_out(void)
{
    CHECK(configure(NULL));
    alloc_status = RP_STATUS_OUT_OF_DEVICE_MEMORY;
    for (int i = 0; i < 3; i++)
        CHECK(compress_block() == RP_FALLBACK_FAULT);
    CHECK(compress_block() == RP_FALLBACK_BREAKER);
    CHECK(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_MEMORY) == 3 &&
          rp_stats_value(RP_STAT_LANES, 0) == 0);
    alloc_status = 0;
    sleep_ms(60);
    CHECK(compress_block() == RP_FALLBACK_NONE);
    CHECK(rp_stats_value(RP_STAT_LANES, 0) == 1);
    return true;
}

static bool is_given_up(rp_status status, rp_fault fault)
{
    int calls;

    CHECK(configure(NULL));
    CHECK(compress_block() == RP_FALLBACK_NONE);
    launch_status = (int)status;
    CHECK(compress_block() == RP_FALLBACK_FAULT);
    launch_status = 0;
    calls = n_calls;
    sleep_ms(200);
    for (int i = 0; i < 10; i++)
        CHECK(compress_block() == RP_FALLBACK_DEVICE);
    CHECK(n_calls == calls);
    CHECK(rp_stats_value(RP_STAT_FAULTS, fault) == 1 &&
          rp_stats_value(RP_STAT_DEVICE_ACTIVE, 0) == 0);
    return true;
}

static bool lost_device_is_left_alone(void)
{
    return is_given_up(RP_STATUS_DEVICE_FAULT, RP_FAULT_DEVICE);
}

static bool device_of_impossible_data_is_left_alone(void)
{
    return is_given_up(RP_STATUS_INTERNAL, RP_FAULT_INTERNAL);
}

static bool wrong_bytes_are_noticed(void (*adjust)(rp_plugin_config *))
{
    CHECK(configure(adjust));
    CHECK(compress_block() == RP_FALLBACK_NONE);
    corrupt = true;
    CHECK(compress_block() == RP_FALLBACK_FAULT);
    corrupt = false;
    sleep_ms(200);
    CHECK(compress_block() == RP_FALLBACK_DEVICE);
    CHECK(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_VERIFY) == 1 &&
          rp_stats_value(RP_STAT_DEVICE_ACTIVE, 0) == 0);
    return true;
}

static bool wrong_bytes_are_never_handed_over(void)
{
    return wrong_bytes_are_noticed(NULL);
}

static void verify_all(rp_plugin_config *config)
{
    config->verify = RP_VERIFY_ALL;
}

static bool libzstd_notices_wrong_bytes(void)
{
    return wrong_bytes_are_noticed(verify_all);
}

static void verify_rarely(rp_plugin_config *config)
{
    config->verify = RP_VERIFY_SAMPLE;
    config->verify_interval = 10;
}

/* The frame of the nth block of a kind is verified each time or never. */
static bool sampling_is_as_documented(void)
{
    uint64_t n_first, n_again;

    CHECK(configure(verify_rarely));
    for (int i = 0; i < 1000; i++)
        CHECK(compress_block() == RP_FALLBACK_NONE);
    CHECK(rp_stats_value(RP_STAT_VERIFIED_BLOCKS, 0) == 1000 &&
          rp_stats_value(RP_STAT_UNPROVEN_FRAMES, 0) == 0);
    for (int i = 0; i < 1000; i++) {
        memcpy(block + 200, &i, sizeof(i));
        CHECK(compress_block() == RP_FALLBACK_NONE);
    }
    n_first = rp_stats_value(RP_STAT_VERIFIED_BLOCKS, 0) - 1000;
    CHECK(n_first > 50 && n_first < 200);
    CHECK(rp_stats_value(RP_STAT_UNPROVEN_FRAMES, 0) == 1000 - n_first);
    for (int i = 0; i < 1000; i++) {
        memcpy(block + 200, &i, sizeof(i));
        CHECK(compress_block() == RP_FALLBACK_NONE);
    }
    n_again = rp_stats_value(RP_STAT_VERIFIED_BLOCKS, 0) - 1000 - n_first;
    CHECK(n_again == n_first);
    return true;
}

static void verify_never(rp_plugin_config *config)
{
    config->verify = RP_VERIFY_OFF;
}

static bool verification_can_be_off(void)
{
    CHECK(configure(verify_never));
    for (int i = 0; i < 10; i++)
        CHECK(compress_block() == RP_FALLBACK_NONE);
    CHECK(rp_stats_value(RP_STAT_VERIFIED_BLOCKS, 0) == 0 &&
          rp_stats_value(RP_STAT_UNPROVEN_FRAMES, 0) == 10);
    return true;
}

static bool sizes_outside_the_limits_are_skipped(void)
{
    static char large[300 << 10], out[400 << 10];
    rp_request request = {large, sizeof(large), out, sizeof(out), 3, true};
    size_t size;

    CHECK(configure(NULL));
    CHECK(rp_route_compress(&request, &size) == RP_FALLBACK_SIZE);
    request.input_size = 511;
    CHECK(rp_route_compress(&request, &size) == RP_FALLBACK_SIZE);
    request.input_size = 0;
    CHECK(rp_route_compress(&request, &size) == RP_FALLBACK_SIZE);
    CHECK(n_calls == 0); /* the device was not even opened */
    request.input_size = 512;
    CHECK(rp_route_compress(&request, &size) == RP_FALLBACK_NONE);
    request.input_size = 256 << 10;
    CHECK(rp_route_compress(&request, &size) == RP_FALLBACK_NONE);
    request.output_capacity = 5;
    CHECK(rp_route_compress(&request, &size) == RP_FALLBACK_CAPACITY);
    CHECK(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_INTERNAL) == 0);
    return true;
}

/* A thread that holds the only lane for a while. */
static void one_lane(rp_plugin_config *config)
{
    config->lanes = 1;
    config->breaker_faults = 1000;
}

static bool lanes_that_timed_out_are_not_reused(void)
{
    CHECK(configure(one_lane));
    wait_status = RP_STATUS_TIMEOUT;
    CHECK(compress_block() == RP_FALLBACK_FAULT);
    CHECK(compress_block() == RP_FALLBACK_POOL);
    wait_status = 0;
    CHECK(compress_block() == RP_FALLBACK_NONE);
    CHECK(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_TIMEOUT) == 1 &&
          rp_stats_value(RP_STAT_LANES, 0) == 1);
    return true;
}

static bool children_leave_the_device_alone(void)
{
    int calls, status;
    pid_t child;

    CHECK(configure(NULL));
    CHECK(compress_block() == RP_FALLBACK_NONE);
    calls = n_calls;
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        bool good = true;
        for (int i = 0; i < 10; i++)
            good &= compress_block() == RP_FALLBACK_DEVICE;
        good &= n_calls == calls && rp_stats_value(RP_STAT_DEVICE_ACTIVE, 0) == 0;
        _exit(good ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(compress_block() == RP_FALLBACK_NONE);
    return true;
}

static void no_device(rp_plugin_config *config)
{
    config->custom_device = NULL;
    memcpy(config->device, "cuda:999", sizeof("cuda:999"));
}

static bool a_missing_device_is_no_error(void)
{
    CHECK(configure(no_device));
    for (int i = 0; i < 10; i++)
        CHECK(compress_block() == RP_FALLBACK_DEVICE);
    CHECK(strcmp(rp_stats_device(), "none") == 0 &&
          rp_stats_value(RP_STAT_FAULTS, RP_FAULT_DEVICE) == 0);
    return true;
}

static void *compress_many(void *result)
{
    char out[8192];
    rp_request request = {block, sizeof(block), out, sizeof(out), 3, false};
    size_t size;

    for (int i = 0; i < 500; i++) {
        rp_fallback_reason reason = rp_route_compress(&request, &size);
        /* Any reason may come, but a frame must be one. */
        if (reason == RP_FALLBACK_NONE && ZSTD_getFrameContentSize(out, size) != sizeof(block))
            *(bool *)result = false;
        if (reason != RP_FALLBACK_NONE && reason != RP_FALLBACK_DEVICE &&
            reason != RP_FALLBACK_FAULT && reason != RP_FALLBACK_BREAKER &&
            reason != RP_FALLBACK_POOL)
            *(bool *)result = false;
        if (i % 100 == 50)
            launch_status = launch_status != 0 ? 0 : RP_STATUS_LAUNCH_FAILED;
    }
    return NULL;
}

static bool threads_and_faults_together(void)
{
    pthread_t threads[6];
    bool good[6];

    CHECK(configure(NULL));
    for (int i = 0; i < 6; i++) {
        good[i] = true;
        CHECK(pthread_create(&threads[i], NULL, compress_many, &good[i]) == 0);
    }
    for (int i = 0; i < 6; i++) {
        pthread_join(threads[i], NULL);
        CHECK(good[i]);
    }
    CHECK(rp_stats_value(RP_STAT_LANES, 0) <= 4);
    return true;
}

static const scenario scenarios[] = {
    SCENARIO(works_without_faults),
    SCENARIO(launch_fails),
    SCENARIO(waits_time_out),
    SCENARIO(engine_is_broken),
    SCENARIO(memory_runs_out),
    SCENARIO(lost_device_is_left_alone),
    SCENARIO(device_of_impossible_data_is_left_alone),
    SCENARIO(wrong_bytes_are_never_handed_over),
    SCENARIO(libzstd_notices_wrong_bytes),
    SCENARIO(sampling_is_as_documented),
    SCENARIO(verification_can_be_off),
    SCENARIO(sizes_outside_the_limits_are_skipped),
    SCENARIO(lanes_that_timed_out_are_not_reused),
    SCENARIO(children_leave_the_device_alone),
    SCENARIO(a_missing_device_is_no_error),
    SCENARIO(threads_and_faults_together),
};

int main(void)
{
    return RUN_SCENARIOS(scenarios, 0);
}
