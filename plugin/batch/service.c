/* SPDX-License-Identifier: Apache-2.0 */
/* See batch/service.h. */
#include "plugin/batch/service.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

#include "plugin/batch/chunk.h"
#include "plugin/batch/lane.h"
#include "plugin/core/costs.h"
#include "plugin/core/nesting.h"
#include "plugin/core/stats.h"
#include "plugin/device/bounded_device.h"
#include "plugin/device/helper_thread.h"
#include "plugin/device/session.h"

/* The end of the process waits for a thread that is idle: not much longer than this. */
#define IDLE_NS (20 * UINT64_C(1000000))

static bool is_on, measures_cpu;
static uint32_t timeout_us;
static pthread_cond_t wanted; /* a lane waits, or a look; CLOCK_MONOTONIC */

/* Under rp_batch_lock. */
static uint32_t n_threads; /* that serve, or are being started */
static uint32_t n_idle;    /* of them: those that wait for work, or have not begun */
static struct rp_batch_lane *first_waiting, *last_waiting;
static uint32_t n_waiting;
static bool is_look_wanted;

void rp_batch_service_setup(const rp_plugin_config *config, const rp_device *device)
{
    pthread_condattr_t attributes;

    if (config->sharing != RP_SHARING_SERVED || (device->flags & RP_DEVICE_HOST_MEMORY) != 0)
        return;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    is_on = pthread_cond_init(&wanted, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    timeout_us = config->timeout_ms * 1000u;
    measures_cpu = config->goal != RP_GOAL_DEVICE;
}

bool rp_batch_service_is_on(void)
{
    return is_on;
}

bool rp_batch_service_is_stuck(void)
{
    return is_on && rp_bounded_device_is_overdue();
}

/* The one that waits for the longest time. Nobody waits any more for a chunk that was given up or
 * released meanwhile: its lane is free again. */
static struct rp_batch_lane *take_waiting(void)
{
    struct rp_batch_lane *lane;

    while ((lane = first_waiting) != NULL) {
        first_waiting = lane->next;
        n_waiting--;
        if (lane->chunk != NULL && lane->chunk->state == RP_CHUNK_RUNNING)
            break;
        rp_batch_lane_clear(lane);
    }
    return lane;
}

static void append(struct rp_batch_lane *lane)
{
    lane->next = NULL;
    if (first_waiting == NULL)
        first_waiting = lane;
    else
        last_waiting->next = lane;
    last_waiting = lane;
    n_waiting++;
}

/* From the launch to the end. */
static void serve_lane(struct rp_batch_lane *lane)
{
    rp_nesting nesting;
    rp_status status;

    lane->cpu_begun_ns = measures_cpu ? rp_costs_cpu_ns() : 0;
    pthread_mutex_unlock(&rp_batch_lock);
    rp_nesting_enter(&nesting);
    status = rp_batch_lane_launch(lane);
    rp_nesting_leave(&nesting);
    pthread_mutex_lock(&rp_batch_lock);
    /* What was enqueued before something failed runs, too. */
    if (status != RP_STATUS_OK)
        rp_batch_lane_settle(lane, status);
    rp_batch_lane_attend(lane, timeout_us);
}

/* False: there was nothing to do for a while. */
static bool await_work(void)
{
    uint64_t until_ns = rp_clock_ns() + IDLE_NS;
    struct timespec until = {(time_t)(until_ns / 1000000000u), (long)(until_ns % 1000000000u)};

    n_idle++;
    while (first_waiting == NULL && !is_look_wanted && rp_clock_ns() < until_ns)
        pthread_cond_timedwait(&wanted, &rp_batch_lock, &until);
    n_idle--;
    return first_waiting != NULL || is_look_wanted;
}

/* The process ends, and what the driver needs may be gone. No fault of the device. */
static void decline_waiting(void)
{
    struct rp_batch_lane *lane;

    while ((lane = take_waiting()) != NULL) {
        lane->chunk->state = RP_CHUNK_FAILED;
        rp_batch_lane_clear(lane);
    }
    pthread_cond_broadcast(&rp_batch_changed);
}

static void serve_waiting(void)
{
    struct rp_batch_lane *lane;

    do {
        while ((lane = take_waiting()) != NULL)
            serve_lane(lane);
        is_look_wanted = false;
        rp_batch_lanes_collect(false);
    } while (await_work());
}

/* Let in where the device was given up, too: somebody may wait. */
static void serve(void)
{
    bool is_in_use = rp_session_return_begin();

    pthread_mutex_lock(&rp_batch_lock);
    n_idle--; /* it was being started */
    if (is_in_use)
        serve_waiting();
    else
        decline_waiting();
    n_threads--;
    pthread_mutex_unlock(&rp_batch_lock);
    if (is_in_use)
        rp_session_use_end();
}

/* Nobody comes: this thread launches all that waits. Those who wait for it attend to it. */
static void launch_waiting(void)
{
    struct rp_batch_lane *lane;
    rp_status status;

    while ((lane = take_waiting()) != NULL) {
        pthread_mutex_unlock(&rp_batch_lock);
        status = rp_batch_lane_launch(lane);
        pthread_mutex_lock(&rp_batch_lock);
        lane->is_attended = false;
        if (status != RP_STATUS_OK)
            rp_batch_lane_settle(lane, status);
        pthread_cond_broadcast(&rp_batch_changed);
    }
}

/* One more thread, if those that are idle are too few for the work that there is. */
static void call_thread(void)
{
    bool is_started;

    if (n_idle >= n_waiting + is_look_wanted || n_threads == rp_batch_lanes_most()) {
        pthread_cond_signal(&wanted);
        return;
    }
    n_threads++;
    n_idle++;
    pthread_mutex_unlock(&rp_batch_lock);
    is_started = rp_helper_thread_start(serve) == 0;
    pthread_mutex_lock(&rp_batch_lock);
    if (!is_started) {
        n_threads--;
        n_idle--;
    }
}

bool rp_batch_service_launch(struct rp_batch_lane *lane)
{
    if (!is_on)
        return false;
    append(lane);
    call_thread();
    if (n_threads == 0)
        launch_waiting();
    return true;
}

bool rp_batch_service_look(bool with_slabs)
{
    if (is_on && rp_batch_lanes_await_look(with_slabs)) {
        is_look_wanted = true;
        call_thread();
        if (n_threads == 0)
            is_look_wanted = false;
        return n_threads != 0;
    }
    return is_on;
}
