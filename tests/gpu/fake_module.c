/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_module.h. */
#include "tests/gpu/fake_module.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/cuda/module.h"
#include "engine/devices.h"
#include "kernels/base/stages.h"

extern fake_module_state fake_module_now;
RP_API fake_module_state fake_module_now;

static long number(const char *variable, long otherwise)
{
    const char *value = getenv(variable);
    return value != NULL ? atol(value) : otherwise;
}

static int count_devices(rp_device_info *why_none)
{
    const rp_device_info none = {sizeof(none), "cuda", "", RP_STATUS_DEVICE_UNAVAILABLE,
                                 FAKE_MODULE_NO_GPU};
    if (number("FAKE_MODULE_GPU", 0) != 0)
        return 1;
    *why_none = none;
    return 0;
}

static void describe_device(int ordinal, rp_device_info *info)
{
    const rp_device_info fake = {sizeof(fake), "cuda:0", "the host by another name", RP_STATUS_OK,
                                 ""};
    (void)ordinal;
    *info = fake;
}

/* As CUDA's device after CUDA's functions for the end of the process. */
static _Atomic bool is_lost;
static _Atomic int n_launching;
static rp_status (*host_launch)(rp_stream stream, const struct rp_launch *launch);

static void lose_device(void)
{
    is_lost = true;
    if (n_launching != 0)
        _exit(FAKE_MODULE_ENDED_INSIDE);
}

static void sleep_for(long ms)
{
    struct timespec duration = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&duration, &duration) != 0)
        ;
}

static rp_status launch(rp_stream stream, const struct rp_launch *launch)
{
    rp_status status = RP_STATUS_DEVICE_FAULT;

    n_launching++;
    fake_module_now.n_launches++;
    sleep_for(number("FAKE_MODULE_LAUNCH_MS", 0));
    if (!is_lost)
        status = host_launch(stream, launch);
    n_launching--;
    return status;
}

static bool all_signals_are_blocked(void)
{
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    return sigismember(&blocked, SIGINT) == 1 && sigismember(&blocked, SIGTERM) == 1 &&
           sigismember(&blocked, SIGCHLD) == 1 && sigismember(&blocked, SIGUSR1) == 1 &&
           sigismember(&blocked, SIGPROF) == 1 && sigismember(&blocked, SIGRTMAX) == 1;
}

static size_t stack_bytes(void)
{
    pthread_attr_t attributes;
    size_t n = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstacksize(&attributes, &n);
        pthread_attr_destroy(&attributes);
    }
    return n;
}

static rp_status open_device(int ordinal, rp_device **device)
{
    static rp_device fake;
    rp_device *host;
    long ms = number("FAKE_MODULE_OPEN_MS", 0);
    fake_module_now.opener = gettid();
    fake_module_now.had_all_signals_blocked = all_signals_are_blocked();
    fake_module_now.stack_bytes = stack_bytes();
    fake_module_now.n_begun++;
    sleep_for(ms);
    *device = NULL;
    rp_status status = RP_STATUS_DEVICE_UNAVAILABLE;
    if (number("FAKE_MODULE_GPU", 0) != 0 && ordinal <= 0)
        status = rp_open_host_device(&host);
    if (status == RP_STATUS_OK) {
        static rp_device_ops ops;
        ops = *host->ops;
        host_launch = ops.launch;
        ops.launch = launch;
        fake = *host;
        fake.ops = &ops;
        fake.name = "cuda:0";
        atexit(lose_device);
        *device = &fake;
    }
    fake_module_now.n_ended++;
    return status;
}

static rp_cuda_table table = {0, 0, 0, count_devices, describe_device, open_device};

__attribute__((constructor)) static void begin(void)
{
    table.struct_size = (size_t)number("FAKE_MODULE_SIZE", sizeof(table));
    table.version = (uint32_t)number("FAKE_MODULE_VERSION", RP_VERSION_NUMBER);
    table.launch_bytes = (uint32_t)number("FAKE_MODULE_LAUNCH_SIZE", sizeof(struct rp_launch));
}

__attribute__((destructor)) static void end(void)
{
    if (fake_module_now.n_begun != fake_module_now.n_ended)
        _exit(FAKE_MODULE_ENDED_INSIDE);
}

const rp_cuda_table *rp_cuda_module(void)
{
    return &table;
}
