/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A GPU is opened on a thread of its own, which a block waits for, but not for long. Each scenario
 * runs in a child process, because a process opens its device once. The GPU is that of
 * tests/gpu/fake_module.h, which takes as long as it is told.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <zdict.h>
#include <zstd.h>

#include "plugin/core/stats.h"
#include "plugin/core/thread_state.h"
#include "plugin/device/opener.h"
#include "plugin/device/session.h"
#include "plugin/route/route.h"
#include "rockpress/plugin.h"
#include "tests/gpu/fake_module.h"
#include "tests/support/check.h"
#include "tests/support/scenarios.h"

#define RETRY_MS 1000u

/* --wrap: threads that the plugin starts are counted, and do not start on command. */
static _Atomic int n_started, n_to_fail;
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
    n_started++;
    if (n_to_fail > 0) {
        n_to_fail--;
        return EAGAIN;
    }
    return __real_pthread_create(thread, attributes, run, argument);
}

static rp_fallback_reason compress_block(void)
{
    char block[4096], frame[8192], decoded[4096];
    rp_request request = {block, sizeof(block), frame, sizeof(frame), 3, false};
    size_t size = 0;
    rp_fallback_reason reason;

    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (char)('a' + i * i % 13);
    reason = rp_route_compress(&request, &size);
    if (reason == RP_FALLBACK_NONE &&
        (ZSTD_decompress(decoded, sizeof(decoded), frame, size) != sizeof(block) ||
         memcmp(decoded, block, sizeof(block)) != 0)) {
        fprintf(stderr, "a wrong frame was handed over\n");
        exit(1);
    }
    return reason;
}

static unsigned ms_since(uint64_t begun_ns)
{
    return (unsigned)((rp_clock_ns() - begun_ns) / 1000000);
}

static void sleep_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* NULL if it is not loaded. */
static fake_module_state *module_state(void)
{
    void *library = dlopen(getenv("ROCKPRESS_CUDA_LIBRARY"), RTLD_NOW | RTLD_NOLOAD);

    return library != NULL ? dlsym(library, "fake_module_now") : NULL;
}

static char log_path[] = "/tmp/rockpress_opener_XXXXXX";

/* The lines of the log that have these words. */
static int lines_with(const char *words)
{
    char line[1024];
    int n = 0;
    FILE *log = fopen(log_path, "r");

    while (log != NULL && fgets(line, sizeof(line), log) != NULL)
        n += strstr(line, words) != NULL;
    if (log != NULL)
        fclose(log);
    return n;
}

static void remove_log(void)
{
    unlink(log_path);
}

static uint32_t parallel_threads;

static bool configure(const char *device, rp_batch_mode batch, const char *open_ms)
{
    rp_plugin_config config;
    int file = mkstemp(log_path);

    CHECK(file >= 0 && close(file) == 0 && atexit(remove_log) == 0);
    setenv("FAKE_MODULE_GPU", "1", 1);
    setenv("FAKE_MODULE_OPEN_MS", open_ms, 1);
    rp_plugin_config_default(&config, sizeof(config));
    snprintf(config.device, sizeof(config.device), "%s", device);
    snprintf(config.log_file, sizeof(config.log_file), "%s", log_path);
    config.log = RP_LOG_INFO;
    config.batch = batch;
    config.parallel_threads = parallel_threads;
    config.goal = RP_GOAL_DEVICE;
    config.breaker_retry_ms = RETRY_MS;
    config.timeout_ms = 60000;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    return true;
}

static bool await_device(void)
{
    for (int i = 0; i < 2000 && !rp_session_is_open(); i++)
        sleep_ms(10);
    return rp_session_is_open();
}

static bool is_thread(pid_t thread)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/task/%d", (int)thread);
    return access(path, F_OK) == 0;
}

/* Whatever signals this thread lets through, the other one has none and this one keeps its own. */
static bool signals_are_left_alone(void)
{
    sigset_t mine, after;

    sigemptyset(&mine);
    sigaddset(&mine, SIGUSR2);
    CHECK(pthread_sigmask(SIG_SETMASK, &mine, NULL) == 0);
    errno = E2BIG;
    CHECK(compress_block() == RP_FALLBACK_NONE);
    CHECK(errno == E2BIG);
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &after) == 0);
    for (int signal = 1; signal < 32; signal++)
        CHECK(sigismember(&after, signal) == (signal == SIGUSR2));
    return true;
}

static bool a_gpu_is_opened_on_a_thread_that_ends(void)
{
    fake_module_state *state;

    CHECK(configure("cuda", RP_BATCH_OFF, "30") && module_state() == NULL);
    CHECK(signals_are_left_alone());
    state = module_state();
    /* The other one makes lanes (device/bounded_device.h). */
    CHECK(state != NULL && state->n_ended == 1 && n_started == 2);
    CHECK(state->had_all_signals_blocked && state->opener != gettid());
    CHECK(state->stack_bytes >= (size_t)1 << 20);
    CHECK(strcmp(rp_stats_device(), "cuda:0") == 0);
    for (int i = 0; i < 2000 && is_thread(state->opener); i++)
        sleep_ms(10);
    CHECK(!is_thread(state->opener));
    for (int i = 0; i < 20; i++)
        CHECK(compress_block() == RP_FALLBACK_NONE);
    CHECK(state->n_begun == 1 && n_started == 2);
    return true;
}

static bool batches_of_auto_open_one(void)
{
    CHECK(configure("auto", RP_BATCH_ON, "0"));
    CHECK(compress_block() == RP_FALLBACK_NONE);
    CHECK(n_started == 2 && module_state()->n_ended == 1);
    return true;
}

static bool shows_a_file(bool is_of_rocksdb)
{
    static uint8_t samples[200 * 4096], dictionary[1024];
    static size_t sizes[200];
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    bool is_batch;

    for (size_t i = 0; i < sizeof(samples); i++)
        samples[i] = (uint8_t)('a' + (i * i >> 7) % 19);
    for (size_t i = 0; i < 200; i++)
        sizes[i] = 4096;
    prctl(PR_SET_NAME, is_of_rocksdb ? "rocksdb:high0" : "server", 0, 0, 0);
    rp_thread.name = 0;
    is_batch =
        ZDICT_isError(ZDICT_trainFromBuffer(dictionary, sizeof(dictionary), samples, sizes, 200));
    ZSTD_freeCCtx(cctx);
    return is_batch;
}

/* By default: whatever a program compresses, no GPU is opened before RocksDB shows a file. */
static bool auto_waits_for_a_file(void)
{
    CHECK(configure("auto", RP_BATCH_AUTO, "0"));
    for (int i = 0; i < 10; i++)
        CHECK(compress_block() == RP_FALLBACK_DEVICE);
    CHECK(!rp_session_may_work() && !rp_session_is_child());
    CHECK(!shows_a_file(false) && compress_block() == RP_FALLBACK_DEVICE);
    CHECK(n_started == 0 && module_state() == NULL);
    CHECK(lines_with("a GPU is looked for when RocksDB shows a file's blocks") == 1);
    CHECK(shows_a_file(true) && n_started == 2 && module_state()->n_ended == 1);
    CHECK(compress_block() == RP_FALLBACK_NONE);
    return true;
}

/* The first thing that happens. */
static bool a_file_comes_first(void)
{
    CHECK(configure("auto", RP_BATCH_AUTO, "0"));
    CHECK(shows_a_file(true) && module_state()->n_ended == 1);
    CHECK(compress_block() == RP_FALLBACK_NONE);
    return true;
}

/* The CompressionManager asks on RocksDB's behalf. */
static bool a_file_of_the_manager(void)
{
    const rp_route_file parallel = {1, 3, 0, 0, 4}, trained = {1, 3, 16384, 1 << 20, 1};
    const rp_route_file plain = {1, 3, 0, 0, 1}, sampled = {1, 3, 16384, 1 << 30, 1};

    CHECK(configure("auto", RP_BATCH_AUTO, "0"));
    CHECK(rp_route_batch_bytes(&parallel) == 0 && rp_route_batch_bytes(&trained) == 0);
    CHECK(n_started == 0 && compress_block() == RP_FALLBACK_DEVICE);
    CHECK(rp_route_batch_bytes(&plain) == (size_t)1 << 30 && n_started == 1);
    CHECK(rp_route_batch_bytes(&sampled) == (size_t)1 << 30);
    CHECK(rp_route_batch_bytes(&parallel) == 0 && rp_route_batch_bytes(&trained) == 0);
    return true;
}

/* And where it recommends threads for a file's blocks. */
static bool a_file_of_threads(void)
{
    const rp_route_file file = {1, 3, 0, 0, 1}, parallel = {1, 3, 0, 0, 8};

    parallel_threads = 8;
    CHECK(configure("auto", RP_BATCH_OFF, "0"));
    CHECK(rp_route_batch_bytes(&file) == 0 && rp_route_parallel_threads(&parallel) == 0);
    CHECK(n_started == 0 && compress_block() == RP_FALLBACK_DEVICE);
    CHECK(rp_route_parallel_threads(&file) == 8 && n_started == 1);
    CHECK(compress_block() == RP_FALLBACK_NONE);
    /* As many as there would be anyway are nothing to recommend. */
    CHECK(rp_route_parallel_threads(&parallel) == 0);
    rp_session_fault(RP_STATUS_DEVICE_FAULT, RP_BREAKER_CLOSED);
    CHECK(rp_route_parallel_threads(&file) == 0);
    return true;
}

static bool no_threads_are_recommended_unasked(void)
{
    const rp_route_file file = {1, 3, 0, 0, 0};

    CHECK(configure("auto", RP_BATCH_OFF, "0"));
    CHECK(rp_route_parallel_threads(&file) == 0);
    CHECK(n_started == 0 && compress_block() == RP_FALLBACK_DEVICE);
    return true;
}

/* It has nothing of its parent's, and may open a GPU of its own. */
static bool a_child_forked_before_waits_too(void)
{
    int status = 1;
    pid_t child;

    CHECK(configure("auto", RP_BATCH_AUTO, "0") && compress_block() == RP_FALLBACK_DEVICE);
    child = fork();
    if (child == 0)
        _exit(!rp_session_is_child() && compress_block() == RP_FALLBACK_DEVICE &&
                      shows_a_file(true) && compress_block() == RP_FALLBACK_NONE
                  ? 0
                  : 1);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    return module_state() == NULL;
}

/* No thread, and no library is loaded. */
static bool starts_nothing(const char *device, rp_fallback_reason expected)
{
    CHECK(configure(device, RP_BATCH_OFF, "0"));
    for (int i = 0; i < 10; i++)
        CHECK(compress_block() == expected);
    CHECK(n_started == 0 && module_state() == NULL);
    return true;
}

static bool auto_without_batches_starts_nothing(void)
{
    return starts_nothing("auto", RP_FALLBACK_DEVICE) && lines_with("device auto: batches are off");
}

static bool off_starts_nothing(void)
{
    return starts_nothing("off", RP_FALLBACK_DEVICE);
}

static bool the_host_device_needs_no_thread(void)
{
    return starts_nothing("host", RP_FALLBACK_NONE);
}

/* The GPU takes this much longer than the wait. */
#define LONGER "3000"

static bool the_wait_is_bounded(void)
{
    uint64_t begun = rp_clock_ns();

    CHECK(configure("cuda", RP_BATCH_OFF, LONGER));
    CHECK(compress_block() == RP_FALLBACK_DEVICE);
    CHECK(ms_since(begun) >= RP_OPENER_WAIT_MS && module_state()->n_ended == 0);
    /* Nobody waits again. */
    for (int i = 0; i < 100; i++)
        CHECK(compress_block() == RP_FALLBACK_DEVICE);
    CHECK(module_state()->n_ended == 0);
    CHECK(await_device() && compress_block() == RP_FALLBACK_NONE);
    CHECK(n_started == 2 && module_state()->n_begun == 1);
    CHECK(rp_stats_value(RP_STAT_DEVICE_ACTIVE, 0) == 1);
    return true;
}

static void *compress_one(void *reason)
{
    *(rp_fallback_reason *)reason = compress_block();
    return NULL;
}

/* Starts a thread that waits for a GPU, and waits until it is being opened. */
static bool begin_opening(pthread_t *waiting, rp_fallback_reason *reason)
{
    CHECK(configure("cuda", RP_BATCH_OFF, "1500"));
    CHECK(__real_pthread_create(waiting, NULL, compress_one, reason) == 0);
    for (int i = 0; i < 2000 && (module_state() == NULL || module_state()->n_begun == 0); i++)
        sleep_ms(1);
    CHECK(module_state() != NULL && module_state()->n_begun == 1);
    return true;
}

static bool other_blocks_do_not_wait(void)
{
    rp_fallback_reason reason = RP_N_FALLBACK_REASONS;
    pthread_t waiting;

    CHECK(begin_opening(&waiting, &reason));
    for (int i = 0; i < 20; i++)
        CHECK(compress_block() == RP_FALLBACK_DEVICE);
    CHECK(module_state()->n_ended == 0);
    pthread_join(waiting, NULL);
    CHECK(reason == RP_FALLBACK_NONE && compress_block() == RP_FALLBACK_NONE);
    return true;
}

static bool a_child_forked_meanwhile_has_no_device(void)
{
    rp_fallback_reason reason = RP_N_FALLBACK_REASONS;
    pthread_t waiting;
    int status = 1;
    pid_t child;

    CHECK(begin_opening(&waiting, &reason));
    child = fork();
    if (child == 0) {
        bool good = rp_session_is_child() && !rp_session_may_work();

        alarm(30);
        for (int i = 0; i < 10; i++)
            good &= compress_block() == RP_FALLBACK_DEVICE;
        _exit(good ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    pthread_join(waiting, NULL);
    CHECK(reason == RP_FALLBACK_NONE && compress_block() == RP_FALLBACK_NONE);
    return true;
}

static bool end_inside(int unused)
{
    (void)unused;
    return configure("cuda", RP_BATCH_OFF, LONGER) && compress_block() == RP_FALLBACK_DEVICE &&
           module_state()->n_ended == 0;
}

/* The module ends the process with a status of its own if its functions for the end are called
 * while it is being used. */
static bool the_end_of_the_process_waits(void)
{
    int status = run_in_child(end_inside, 0, 60);

    if (status != 0)
        fprintf(stderr, "status %d\n", status);
    return status == 0;
}

/* Registered first, so it runs after everything else. Nothing is given back to the driver any more,
 * either. */
static void compress_last(void)
{
    bool good = compress_block() == RP_FALLBACK_DEVICE && !rp_session_return_begin() &&
                rp_stats_value(RP_STAT_FAULTS, RP_FAULT_DEVICE) == 0;

    _exit(good ? 0 : 1);
}

static bool end_with_a_block(int unused)
{
    (void)unused;
    CHECK(atexit(compress_last) == 0);
    CHECK(configure("cuda", RP_BATCH_OFF, "0"));
    CHECK(compress_block() == RP_FALLBACK_NONE);
    exit(1);
}

static bool a_block_at_the_end_is_no_fault(void)
{
    return run_in_child(end_with_a_block, 0, 60) == 0;
}

static bool end_during_a_block(int unused)
{
    static rp_fallback_reason reason;
    pthread_t thread;
    int n_before;

    (void)unused;
    CHECK(configure("cuda", RP_BATCH_OFF, "0") && compress_block() == RP_FALLBACK_NONE);
    setenv("FAKE_MODULE_LAUNCH_MS", "500", 1);
    n_before = module_state()->n_launches;
    CHECK(__real_pthread_create(&thread, NULL, compress_one, &reason) == 0);
    pthread_detach(thread);
    for (int i = 0; i < 2000 && module_state()->n_launches == n_before; i++)
        sleep_ms(1);
    CHECK(module_state()->n_launches == n_before + 1);
    exit(0);
}

static bool the_end_waits_for_a_block(void)
{
    int status = run_in_child(end_during_a_block, 0, 60);

    if (status != 0)
        fprintf(stderr, "status %d\n", status);
    return status == 0;
}

static bool a_missing_thread_is_tried_again(void)
{
    uint64_t begun;

    CHECK(configure("cuda", RP_BATCH_OFF, "0"));
    n_to_fail = 2;
    for (int round = 0; round < 2; round++) {
        begun = rp_clock_ns();
        CHECK(compress_block() == RP_FALLBACK_DEVICE && n_started == round + 1);
        while (ms_since(begun) < RETRY_MS / 4)
            CHECK(compress_block() == RP_FALLBACK_DEVICE);
        CHECK(n_started == round + 1 && module_state() == NULL);
        sleep_ms(RETRY_MS);
    }
    CHECK(compress_block() == RP_FALLBACK_NONE && n_started == 4);
    CHECK(lines_with("device cuda: no thread to open it: ") == 1);
    return true;
}

/* The log says what the list of devices says. */
static bool says(const char *device, const char *library, const char *reason)
{
    if (library != NULL)
        setenv("ROCKPRESS_CUDA_LIBRARY", library, 1);
    CHECK(configure(device, RP_BATCH_OFF, "0"));
    if (library == NULL)
        unsetenv("FAKE_MODULE_GPU");
    CHECK(compress_block() == RP_FALLBACK_DEVICE);
    CHECK(!rp_session_may_work());
    CHECK(lines_with(reason) == 1);
    return true;
}

static bool a_missing_library_is_named(void)
{
    return says("cuda", "/nonexistent/module.so", "device cuda: /nonexistent/module.so: ");
}

/* Those of the module are in the list, each described by it. */
static bool gpus_are_listed(void)
{
    rp_device_info infos[4] = {RP_DEVICE_INFO_INIT};

    setenv("FAKE_MODULE_GPU", "1", 1);
    CHECK(rp_device_list(NULL, 0) == 2);
    CHECK(rp_device_list(infos, 4) == 2);
    CHECK(strcmp(infos[0].name, "host") == 0 && strcmp(infos[1].name, "cuda:0") == 0);
    CHECK(infos[1].status == RP_STATUS_OK &&
          strcmp(infos[1].description, "the host by another name") == 0);
    return true;
}

static bool a_missing_gpu_is_explained(void)
{
    return says("cuda:0", NULL, "device cuda:0: " FAKE_MODULE_NO_GPU);
}

static const scenario scenarios[] = {
    SCENARIO(a_gpu_is_opened_on_a_thread_that_ends),
    SCENARIO(batches_of_auto_open_one),
    SCENARIO(auto_without_batches_starts_nothing),
    SCENARIO(auto_waits_for_a_file),
    SCENARIO(a_file_comes_first),
    SCENARIO(a_file_of_the_manager),
    SCENARIO(a_file_of_threads),
    SCENARIO(no_threads_are_recommended_unasked),
    SCENARIO(a_child_forked_before_waits_too),
    SCENARIO(off_starts_nothing),
    SCENARIO(the_host_device_needs_no_thread),
    SCENARIO(the_wait_is_bounded),
    SCENARIO(other_blocks_do_not_wait),
    SCENARIO(a_child_forked_meanwhile_has_no_device),
    SCENARIO(the_end_of_the_process_waits),
    SCENARIO(a_block_at_the_end_is_no_fault),
    SCENARIO(the_end_waits_for_a_block),
    SCENARIO(a_missing_thread_is_tried_again),
    SCENARIO(a_missing_library_is_named),
    SCENARIO(gpus_are_listed),
    SCENARIO(a_missing_gpu_is_explained),
};

int main(void)
{
    if (getenv("ROCKPRESS_CUDA_LIBRARY") == NULL) {
        fprintf(stderr, "ROCKPRESS_CUDA_LIBRARY is to name the fake module\n");
        return 2;
    }
    return RUN_SCENARIOS(scenarios, 60);
}
