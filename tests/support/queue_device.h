/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that looks like a slow GPU: nothing is done before it is waited for. Copies and launches
 * stay in a queue for each stream; a wait runs them on another device, whose memory is the host's,
 * or times out while the stream is stalled. Every function can be told to fail, and counts
 * what is alive, so that a leak is a number that is not 0.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_QUEUE_DEVICE_H
#define ROCKPRESS_TESTS_SUPPORT_QUEUE_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/device.h"

/* The functions that can fail. */
typedef enum queue_call {
    QUEUE_STREAM_CREATE,
    QUEUE_MEMORY_ALLOC,
    QUEUE_STAGING_ALLOC,
    QUEUE_COPY,
    QUEUE_LAUNCH,
    QUEUE_WAIT,
    QUEUE_N_CALLS
} queue_call;

typedef struct queue_device {
    rp_device device; /* what is tested gets a pointer to this */
    rp_device *runner;
    /* Nullable: called when somebody only asks (a wait of 0 us), before the answer is known. What
     * it does happens in the middle of the call that asks, as if done by another thread. */
    void (*on_ask)(void *context, rp_stream stream);
    void *on_ask_context;
    _Atomic int fail_in[QUEUE_N_CALLS]; /* 1: the next call fails; 0: none does */
    _Atomic int failure;                /* with this status */
    _Atomic int n_memory;               /* alive */
    _Atomic int n_staging;
    _Atomic int n_streams;
    _Atomic size_t memory_bytes;  /* of device memory that was asked for, ever */
    _Atomic size_t memory_in_use; /* of device memory, now */
    _Atomic size_t memory_peak;   /* and the most so far */
    _Atomic size_t memory_limit;  /* beyond it, RP_STATUS_OUT_OF_DEVICE_MEMORY; 0: none */
} queue_device;

/* All counters 0, no failures. `flags` as in rp_device. It is the caller's memory, with nothing to
 * close. */
void queue_device_open(queue_device *self, rp_device *runner, uint32_t flags);

/* The nth call from now on fails with this status, once. */
void queue_device_fail(queue_device *self, queue_call which, int nth, rp_status status);

/* While a stream is stalled, waits for it time out. Any thread. */
void queue_device_stall(rp_stream stream, bool stalled);

#endif
