/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a device works on what is enqueued on a number of streams. On "cuda" the GPU's events
 * measure it, on other devices the host's clock does. The host's clock includes the time to
 * enqueue; events include it only where the GPU had to wait for it.
 */
#ifndef ROCKPRESS_BENCH_DEVICE_TIMING_H
#define ROCKPRESS_BENCH_DEVICE_TIMING_H

#include <stdbool.h>

#include "rockpress/device.h"

enum { DEVICE_MAX_STREAMS = 64 };

struct device_timer {
    const rp_stream *streams; /* the caller's; idle whenever a measurement starts */
    unsigned n_streams;
    bool is_cuda;
    double start; /* host clock */
    void *events; /* CUDA */
};

/* "CUDA events" or "host clock". */
const char *device_timer_kind(const rp_device *device);

/* All functions that return a bool: false, with a line on stderr, if they fail. */
bool device_timer_open(struct device_timer *timer, const rp_device *device,
                       const rp_stream *streams, unsigned n_streams);
/* Call start before the first thing is enqueued, and stop after the last. */
bool device_timer_start(struct device_timer *timer);
bool device_timer_stop(struct device_timer *timer);
/* Waits for the streams. Seconds between start and stop. */
bool device_timer_seconds(struct device_timer *timer, double *seconds);
void device_timer_close(struct device_timer *timer);

/* In timing_cuda.c; without CUDA they return false. */
bool cuda_timer_open(struct device_timer *timer);
bool cuda_timer_start(struct device_timer *timer);
bool cuda_timer_stop(struct device_timer *timer);
bool cuda_timer_seconds(struct device_timer *timer, double *seconds);
void cuda_timer_close(struct device_timer *timer);

#endif
