/* SPDX-License-Identifier: Apache-2.0 */
/* See timing.h. */
#include "bench/device/timing.h"

#include <stdio.h>
#include <string.h>

#include "bench/common/times.h"

#ifndef ROCKPRESS_WITH_CUDA
bool cuda_timer_open(struct device_timer *timer)
{
    (void)timer;
    return false;
}

bool cuda_timer_start(struct device_timer *timer)
{
    (void)timer;
    return false;
}

bool cuda_timer_stop(struct device_timer *timer)
{
    (void)timer;
    return false;
}

bool cuda_timer_seconds(struct device_timer *timer, double *seconds)
{
    (void)timer;
    (void)seconds;
    return false;
}

void cuda_timer_close(struct device_timer *timer)
{
    (void)timer;
}
#endif

static bool is_cuda(const rp_device *device)
{
    return strncmp(device->name, "cuda", 4) == 0;
}

const char *device_timer_kind(const rp_device *device)
{
    return is_cuda(device) ? "CUDA events" : "host clock";
}

bool device_timer_open(struct device_timer *timer, const rp_device *device,
                       const rp_stream *streams, unsigned n_streams)
{
    memset(timer, 0, sizeof *timer);
    timer->streams = streams;
    timer->n_streams = n_streams;
    timer->is_cuda = is_cuda(device);
    return !timer->is_cuda || cuda_timer_open(timer);
}

bool device_timer_start(struct device_timer *timer)
{
    timer->start = times_now(CLOCK_MONOTONIC);
    return !timer->is_cuda || cuda_timer_start(timer);
}

bool device_timer_stop(struct device_timer *timer)
{
    return !timer->is_cuda || cuda_timer_stop(timer);
}

bool device_timer_seconds(struct device_timer *timer, double *seconds)
{
    for (unsigned i = 0; i < timer->n_streams; i++) {
        const rp_status status = rp_stream_wait(timer->streams[i], 60 * UINT32_C(1000000));
        if (status != RP_STATUS_OK) {
            fprintf(stderr, "device: waiting for stream %u: %s\n", i, rp_status_name(status));
            return false;
        }
    }
    *seconds = times_now(CLOCK_MONOTONIC) - timer->start;
    return !timer->is_cuda || cuda_timer_seconds(timer, seconds);
}

void device_timer_close(struct device_timer *timer)
{
    if (timer->is_cuda)
        cuda_timer_close(timer);
    memset(timer, 0, sizeof *timer);
}
