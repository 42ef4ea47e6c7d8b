/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device does when its GPU fails, is busy, or is used from a forked child. A GPU that has
 * failed stays so for its process: each scenario runs in a child of its own, and one that hangs is
 * ended by an alarm. With "--device simulated" the tests are tried on a stand-in.
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

#include "tests/gpu/device_under_test.h"
#include "tests/gpu/gpu_faults.h"
#include "tests/gpu/reference_frames.h"
#include "tests/support/check.h"
#include "tests/support/scenarios.h"

#define N_REFERENCES 16
#define N_THREADS 16
#define MAX_SECONDS 120

static const char *name;
static rp_device *device;
static rp_pool *pool;
static reference_frame *references;

static void sleep_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static bool is_simulated(void)
{
    return strcmp(name, "simulated") == 0;
}

static bool open_all(uint32_t max_lanes)
{
    rp_pool_options options = {sizeof(rp_pool_options), max_lanes, REFERENCE_MAX_BYTES, 0,
                               RP_EFFORT_MAX,           NULL};
    references = reference_frames_make(N_REFERENCES, REFERENCE_MAX_BYTES, 5);
    device = device_under_test_open(name);
    CHECK_STATUS(rp_pool_create(device, &options, &pool), RP_STATUS_OK);
    return true;
}

static void close_all(void)
{
    rp_pool_destroy(pool);
    rp_device_close(device);
    reference_frames_free(references, N_REFERENCES);
}

static bool works(rp_lane *lane)
{
    for (int i = 0; i < N_REFERENCES; i++) {
        rp_status status;
        reference_result result =
            reference_frame_compress(lane, &references[i], TEST_WAIT_US, &status);
        if (result != REFERENCE_EQUAL) {
            printf("input %d: %s\n", i, rp_status_name(status));
            return false;
        }
    }
    return true;
}

/* Compresses until that fails, which it has to, with RP_STATUS_DEVICE_FAULT. */
static bool meets_fault(rp_lane *lane)
{
    for (int i = 0; i < 20000; i++) {
        rp_status status = RP_STATUS_OK;
        reference_result result =
            reference_frame_compress(lane, &references[i % N_REFERENCES], TEST_WAIT_US, &status);
        CHECK(result != REFERENCE_DIFFERENT);
        if (result == REFERENCE_NO_FRAME) {
            CHECK_STATUS(status, RP_STATUS_DEVICE_FAULT);
            return true;
        }
    }
    printf("the device works on after the fault\n");
    return false;
}

/* Nothing works any more, everything says so, nothing has to be freed and everything may be. */
static bool everything_fails(rp_lane *lane, void *d_memory, void *staging, rp_stream stream)
{
    const rp_device_ops *ops = device->ops;
    void *memory = device;
    rp_stream created = {device, device};
    rp_lane *another = lane;
    size_t workspace_size;
    uint8_t *d_workspace = rp_lane_workspace(lane, &workspace_size);
    uint8_t bytes[16] = {0};
    for (int i = 0; i < 3; i++) {
        rp_status status;
        CHECK(reference_frame_compress(lane, &references[i], TEST_WAIT_US, &status) ==
              REFERENCE_NO_FRAME);
        CHECK_STATUS(status, RP_STATUS_DEVICE_FAULT);
        CHECK_STATUS(ops->memory_alloc(device, 4096, &memory), RP_STATUS_DEVICE_FAULT);
        CHECK(memory == NULL);
        CHECK_STATUS(ops->staging_alloc(device, 4096, &memory), RP_STATUS_DEVICE_FAULT);
        CHECK(memory == NULL);
        CHECK_STATUS(rp_stream_create(device, &created), RP_STATUS_DEVICE_FAULT);
        CHECK_STATUS(rp_stream_wait(stream, 0), RP_STATUS_DEVICE_FAULT);
        CHECK_STATUS(rp_stream_wait(stream, 1000), RP_STATUS_DEVICE_FAULT);
        CHECK_STATUS(ops->copy_async(stream, d_memory, bytes, 16, RP_COPY_HOST_TO_DEVICE),
                     RP_STATUS_DEVICE_FAULT);
        CHECK_STATUS(rp_compress_async(d_workspace, workspace_size, NULL, 0, d_memory, 1024,
                                       (size_t *)d_memory + 512, (rp_status *)d_memory + 1000, NULL,
                                       stream),
                     RP_STATUS_DEVICE_FAULT);
        CHECK_STATUS(rp_pool_acquire(pool, &another), RP_STATUS_DEVICE_FAULT);
        CHECK(another == NULL);
    }
    ops->memory_free(device, d_memory);
    ops->staging_free(device, staging);
    rp_stream_destroy(stream);
    return true;
}

static bool a_killed_gpu_is_lost(void)
{
    void *d_memory;
    void *staging;
    rp_stream stream;
    rp_lane *lane;
    CHECK(open_all(4));
    CHECK_STATUS(device->ops->memory_alloc(device, 8192, &d_memory), RP_STATUS_OK);
    CHECK_STATUS(device->ops->staging_alloc(device, 8192, &staging), RP_STATUS_OK);
    CHECK_STATUS(rp_stream_create(device, &stream), RP_STATUS_OK);
    CHECK_STATUS(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
    CHECK(works(lane));
    CHECK(fault_kill(device));
    CHECK(meets_fault(lane));
    CHECK(everything_fails(lane, d_memory, staging, stream));
    rp_pool_release(pool, lane);
    if (!is_simulated()) {
        rp_device *again = device;
        rp_device_info infos[8] = {RP_DEVICE_INFO_INIT};
        rp_status status = rp_device_open(name, &again);
        CHECK(status != RP_STATUS_OK && again == NULL);
        size_t n = rp_device_list(infos, 8);
        CHECK(n >= 2 && infos[1].status != RP_STATUS_OK && infos[1].reason[0] != '\0');
        printf("reopening: %s; listed as %s: %s\n", rp_status_name(status), infos[1].name,
               infos[1].reason);
    }
    close_all();
    return true;
}

typedef struct fault_thread {
    pthread_t thread;
    rp_lane *lane;
    bool good;
} fault_thread;

static void *fault_thread_main(void *context)
{
    fault_thread *one = context;
    one->good = meets_fault(one->lane);
    return NULL;
}

static bool threads_meet_a_killed_gpu(void)
{
    fault_thread threads[N_THREADS];
    CHECK(open_all(N_THREADS));
    for (int i = 0; i < N_THREADS; i++) {
        CHECK_STATUS(rp_pool_acquire(pool, &threads[i].lane), RP_STATUS_OK);
        CHECK(works(threads[i].lane));
    }
    for (int i = 0; i < N_THREADS; i++)
        CHECK(pthread_create(&threads[i].thread, NULL, fault_thread_main, &threads[i]) == 0);
    sleep_ms(30);
    CHECK(fault_kill(device));
    bool good = true;
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i].thread, NULL);
        rp_pool_release(pool, threads[i].lane);
        good = good && threads[i].good;
    }
    CHECK(good);
    close_all();
    return true;
}

/* A kernel of ours that reads what is not there. */
static bool a_wild_input_is_a_device_fault(void)
{
    rp_lane *lane;
    size_t n;
    if (is_simulated())
        return true;
    CHECK(open_all(2));
    CHECK_STATUS(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
    CHECK(works(lane));
    rp_stream stream = rp_lane_stream(lane);
    uint8_t *d_workspace = rp_lane_workspace(lane, &n);
    void *d_output;
    CHECK_STATUS(device->ops->memory_alloc(device, 8192, &d_output), RP_STATUS_OK);
    const void *wild = (const void *)(uintptr_t)0x1000;
    CHECK_STATUS(rp_compress_async(d_workspace, n, wild, 4096, d_output, 4000,
                                   (size_t *)d_output + 600, (rp_status *)d_output + 1500, NULL,
                                   stream),
                 RP_STATUS_OK);
    CHECK_STATUS(rp_stream_wait(stream, TEST_WAIT_US), RP_STATUS_DEVICE_FAULT);
    CHECK(meets_fault(lane));
    rp_pool_release(pool, lane);
    close_all();
    return true;
}

static bool a_busy_gpu_is_waited_for_in_vain_only_so_long(void)
{
    rp_lane *lanes[2];
    rp_lane *none = NULL;
    rp_status status;
    CHECK(open_all(2));
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(rp_pool_acquire(pool, &lanes[i]), RP_STATUS_OK);
        CHECK(works(lanes[i]));
    }
    CHECK(fault_occupy(device));
    for (int i = 0; i < 2; i++) {
        /* Neither output nor input is touched any more: the latter is freed at the end. */
        CHECK(reference_frame_compress(lanes[i], &references[3], 50000, &status) ==
              REFERENCE_NO_FRAME);
        CHECK_STATUS(status, RP_STATUS_TIMEOUT);
        CHECK_STATUS(rp_stream_wait(rp_lane_stream(lanes[i]), 0), RP_STATUS_TIMEOUT);
    }
    for (int i = 0; i < 2; i++)
        rp_pool_release(pool, lanes[i]);
    /* Set aside until the GPU is done with them. */
    CHECK_STATUS(rp_pool_acquire(pool, &none), RP_STATUS_POOL_EXHAUSTED);
    fault_release(device);
    for (int i = 0; i < 2; i++) {
        int tries = 0;
        while ((status = rp_pool_acquire(pool, &lanes[i])) == RP_STATUS_POOL_EXHAUSTED &&
               tries++ < 10000)
            sleep_ms(1);
        CHECK_STATUS(status, RP_STATUS_OK);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(works(lanes[i]));
        rp_pool_release(pool, lanes[i]);
    }
    close_all();
    return true;
}

/* What is left then is leaked, not freed under the GPU's hands. */
static bool a_pool_is_destroyed_under_a_busy_gpu(void)
{
    rp_lane *lane;
    rp_status status;
    CHECK(open_all(1));
    CHECK_STATUS(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
    CHECK(works(lane));
    CHECK(fault_occupy(device));
    CHECK(reference_frame_compress(lane, &references[3], 1000, &status) == REFERENCE_NO_FRAME);
    rp_pool_release(pool, lane);
    rp_pool_destroy(pool);
    fault_release(device);
    rp_pool_options options = {sizeof(rp_pool_options), 1,   REFERENCE_MAX_BYTES, 0,
                               RP_EFFORT_MAX,           NULL};
    CHECK_STATUS(rp_pool_create(device, &options, &pool), RP_STATUS_OK);
    CHECK_STATUS(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
    CHECK(works(lane));
    rp_pool_release(pool, lane);
    close_all();
    return true;
}

/* CUDA does not survive a fork: a child is told so, and its parent goes on. */
static bool a_forked_child_gets_no_gpu(void)
{
    rp_lane *lane;
    int status = 1;
    CHECK(open_all(1));
    CHECK_STATUS(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
    CHECK(works(lane));
    pid_t child = fork();
    if (child == 0) {
        rp_device *again = device;
        rp_device_info infos[8] = {RP_DEVICE_INFO_INIT};
        rp_status opened = rp_device_open(is_simulated() ? "cuda" : name, &again);
        alarm(30);
        size_t n = rp_device_list(infos, 8);
        printf("in the child: %s; listed: %s\n", rp_status_name(opened),
               n > 1 ? infos[1].reason : "nothing");
        fflush(stdout);
        _exit(opened == RP_STATUS_DEVICE_UNAVAILABLE && again == NULL && n > 1 &&
                      infos[1].status == RP_STATUS_DEVICE_UNAVAILABLE && infos[1].reason[0] != '\0'
                  ? 0
                  : 1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(works(lane));
    rp_pool_release(pool, lane);
    close_all();
    return true;
}

/* A device opened twice, a stream that is NULL (the default one on a GPU). */
static bool devices_and_streams_may_be_shared(void)
{
    CHECK(open_all(1));
    rp_device *second = NULL;
    rp_lane *lane;
    CHECK_STATUS(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
    if (!is_simulated()) {
        rp_pool *other_pool;
        rp_lane *other;
        rp_pool_options options = {sizeof(rp_pool_options), 1,   REFERENCE_MAX_BYTES, 0,
                                   RP_EFFORT_MAX,           NULL};
        CHECK_STATUS(rp_device_open(name, &second), RP_STATUS_OK);
        CHECK_STATUS(rp_pool_create(second, &options, &other_pool), RP_STATUS_OK);
        CHECK_STATUS(rp_pool_acquire(other_pool, &other), RP_STATUS_OK);
        CHECK(works(other) && works(lane));
        rp_pool_release(other_pool, other);
        rp_pool_destroy(other_pool);
        rp_device_close(second);
    }
    CHECK(works(lane));
    size_t n;
    uint8_t *d_workspace = rp_lane_workspace(lane, &n);
    void *d_output;
    uint8_t frame[64];
    rp_stream stream = {device, NULL};
    CHECK_STATUS(device->ops->memory_alloc(device, 8192, &d_output), RP_STATUS_OK);
    CHECK_STATUS(rp_compress_async(d_workspace, n, NULL, 0, d_output, 4000,
                                   (size_t *)d_output + 600, (rp_status *)d_output + 1500, NULL,
                                   stream),
                 RP_STATUS_OK);
    CHECK_STATUS(device->ops->copy_async(stream, frame, d_output, 64, RP_COPY_DEVICE_TO_HOST),
                 RP_STATUS_OK);
    CHECK_STATUS(rp_stream_wait(stream, TEST_WAIT_US), RP_STATUS_OK);
    CHECK(memcmp(frame, "\x28\xB5\x2F\xFD", 4) == 0);
    device->ops->memory_free(device, d_output);
    rp_pool_release(pool, lane);
    close_all();
    return true;
}

static const scenario scenarios[] = {
    SCENARIO(devices_and_streams_may_be_shared),
    SCENARIO(a_forked_child_gets_no_gpu),
    SCENARIO(a_busy_gpu_is_waited_for_in_vain_only_so_long),
    SCENARIO(a_pool_is_destroyed_under_a_busy_gpu),
    SCENARIO(a_killed_gpu_is_lost),
    SCENARIO(threads_meet_a_killed_gpu),
    SCENARIO(a_wild_input_is_a_device_fault),
};

int main(int argc, char **argv)
{
    name = device_under_test_name();
    if (argc == 3 && strcmp(argv[1], "--device") == 0) {
        name = argv[2];
    } else if (argc != 1) {
        fprintf(stderr, "usage: test_gpu_faults [--device NAME]\n");
        return 2;
    }
    return RUN_SCENARIOS(scenarios, MAX_SECONDS);
}
