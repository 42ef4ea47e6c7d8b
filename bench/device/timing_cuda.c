/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GPU's own clock: one event before the first work and one after the last. With several
 * streams, all others wait for the first event, and the first stream waits for all others before
 * the second event.
 */
#include <cuda_runtime_api.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/device/timing.h"

struct cuda_events {
    cudaEvent_t start, stop;
    cudaEvent_t ends[DEVICE_MAX_STREAMS]; /* of all streams but the first */
};

static bool good(cudaError_t error, const char *what)
{
    if (error == cudaSuccess)
        return true;
    fprintf(stderr, "device: %s: %s\n", what, cudaGetErrorString(error));
    return false;
}

static cudaStream_t stream_of(const struct device_timer *timer, unsigned i)
{
    return (cudaStream_t)timer->streams[i].handle;
}

bool cuda_timer_open(struct device_timer *timer)
{
    struct cuda_events *e = calloc(1, sizeof *e);
    timer->events = e;
    if (!e || timer->n_streams > DEVICE_MAX_STREAMS)
        return false;
    bool all = good(cudaEventCreate(&e->start), "cudaEventCreate") &&
               good(cudaEventCreate(&e->stop), "cudaEventCreate");
    for (unsigned i = 1; i < timer->n_streams && all; i++)
        all = good(cudaEventCreateWithFlags(&e->ends[i], cudaEventDisableTiming),
                   "cudaEventCreateWithFlags");
    return all;
}

bool cuda_timer_start(struct device_timer *timer)
{
    struct cuda_events *e = timer->events;
    bool all = good(cudaEventRecord(e->start, stream_of(timer, 0)), "cudaEventRecord");
    for (unsigned i = 1; i < timer->n_streams && all; i++)
        all = good(cudaStreamWaitEvent(stream_of(timer, i), e->start, 0), "cudaStreamWaitEvent");
    return all;
}

bool cuda_timer_stop(struct device_timer *timer)
{
    struct cuda_events *e = timer->events;
    bool all = true;
    for (unsigned i = 1; i < timer->n_streams && all; i++)
        all = good(cudaEventRecord(e->ends[i], stream_of(timer, i)), "cudaEventRecord") &&
              good(cudaStreamWaitEvent(stream_of(timer, 0), e->ends[i], 0), "cudaStreamWaitEvent");
    return all && good(cudaEventRecord(e->stop, stream_of(timer, 0)), "cudaEventRecord");
}

bool cuda_timer_seconds(struct device_timer *timer, double *seconds)
{
    struct cuda_events *e = timer->events;
    float milliseconds = 0;
    const bool all =
        good(cudaEventSynchronize(e->stop), "cudaEventSynchronize") &&
        good(cudaEventElapsedTime(&milliseconds, e->start, e->stop), "cudaEventElapsedTime");
    *seconds = milliseconds * 1e-3;
    return all;
}

void cuda_timer_close(struct device_timer *timer)
{
    struct cuda_events *e = timer->events;
    if (!e)
        return;
    cudaEventDestroy(e->start);
    cudaEventDestroy(e->stop);
    for (unsigned i = 1; i < timer->n_streams; i++)
        cudaEventDestroy(e->ends[i]);
    free(e);
}
