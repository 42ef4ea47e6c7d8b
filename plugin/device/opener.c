/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that opens a GPU: see device/opener.h. */
#include "plugin/device/opener.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "plugin/core/stats.h"
#include "plugin/device/helper_thread.h"

#define POLL_NS 1000000
#define INTERVAL_PAUSES 100u

static const rp_opener *running;
static const void *running_argument;

static void open_device(void)
{
    running->open(running_argument);
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
    error = rp_helper_thread_start(open_device);
    if (error == 0 && !await_done(RP_OPENER_WAIT_MS, watch_exit))
        watch_exit();
    return error;
}
