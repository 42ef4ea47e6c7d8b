/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that opens a GPU: see device/opener.h. */
#include "plugin/device/opener.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "plugin/core/nesting.h"
#include "plugin/core/stats.h"

/* CUDA's calls need more than the smallest stacks, and a program may have set the default low. */
#define MIN_STACK_BYTES ((size_t)1 << 20)

#define POLL_NS 1000000
#define INTERVAL_PAUSES 100u

static const rp_opener *running;
static const void *running_argument;

/* What holds this code is not unloaded while the thread runs. The hook and the adapter never are; a
 * librocksdb.so with the plugin inside may be. */
static void stay_loaded(void)
{
    Dl_info info;

    if (dladdr((void *)(uintptr_t)stay_loaded, &info) != 0)
        (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    /* A program is not found by its name. The error is freed when it is asked for again. */
    while (dlerror() != NULL)
        ;
}

static void *thread_main(void *unused)
{
    rp_nesting nesting;

    (void)unused;
    stay_loaded();
    rp_nesting_enter(&nesting);
    running->open(running_argument);
    rp_nesting_leave(&nesting);
    return NULL;
}

static int start_thread(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    size_t stack_bytes = 0;
    int error = pthread_attr_init(&attributes);

    if (error != 0)
        return error;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_attr_getstacksize(&attributes, &stack_bytes) == 0 && stack_bytes < MIN_STACK_BYTES)
        (void)pthread_attr_setstacksize(&attributes, MIN_STACK_BYTES);
    /* The program's signals are for its own threads. Those of the driver inherit the mask. */
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, thread_main, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return error;
}

/* Sleeps and looks again: a lock would be held in a child that is forked meanwhile. */
static bool await_done(uint32_t wait_ms, void (*each_interval)(void))
{
    const struct timespec pause = {0, POLL_NS};
    uint64_t end = rp_clock_ns() + (uint64_t)wait_ms * 1000000;
    unsigned n_pauses = 0;

    while (!running->is_done()) {
        if (rp_clock_ns() >= end)
            return false;
        if (each_interval != NULL && n_pauses++ % INTERVAL_PAUSES == 0)
            each_interval();
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

static void at_exit(void)
{
    (void)await_done(RP_OPENER_EXIT_WAIT_MS, NULL);
}

/* CUDA's libraries have functions that run when the process ends, and must not run while the thread
 * is inside one of these libraries. Functions run in the opposite order of their registration, so
 * this one comes before those that the libraries have registered so far. They register more while
 * the GPU is being opened: this is done again and again. */
static void watch_exit(void)
{
    (void)atexit(at_exit);
}

int rp_opener_run(const rp_opener *opener, const void *argument)
{
    int error;

    running = opener;
    running_argument = argument;
    error = start_thread();
    if (error == 0 && !await_done(RP_OPENER_WAIT_MS, watch_exit))
        watch_exit();
    return error;
}
