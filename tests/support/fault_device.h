/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device around another one, of which the nth call fails, once or from then on. A call that
 * fails is not passed on: nothing was allocated, copied or launched; a wait has not waited. What is
 * alive is counted, so that a leak is a number that is not 0.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_FAULT_DEVICE_H
#define ROCKPRESS_TESTS_SUPPORT_FAULT_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "rockpress/device.h"

/* The functions of the table that can fail, and all of them together. */
typedef enum fault_call {
    FAULT_MEMORY_ALLOC,
    FAULT_STAGING_ALLOC,
    FAULT_STREAM_CREATE,
    FAULT_COPY,
    FAULT_LAUNCH,
    FAULT_WAIT,
    FAULT_ANY,
    FAULT_N_CALLS
} fault_call;

typedef struct fault_plan {
    fault_call call;
    uint32_t nth;      /* counts from 1; 0: none fails */
    bool from_then_on; /* and all of that function's after it */
    rp_status status;
} fault_plan;

typedef struct fault_device {
    rp_device device; /* what is tested gets a pointer to this */
    const rp_device *inner;
    fault_plan plan;
    _Atomic uint32_t n_calls[FAULT_N_CALLS]; /* since the plan was made */
    _Atomic uint32_t n_failed;
    _Atomic uint32_t n_released; /* frees and destroyed streams, which cannot fail; likewise */
    _Atomic int n_memory;        /* alive */
    _Atomic int n_staging;
    _Atomic int n_streams;
} fault_device;

/* `flags` as in rp_device: 0 for the way through staging memory. No plan. Nothing to close. */
void fault_device_open(fault_device *self, const rp_device *inner, uint32_t flags);

/* Counts from 0 again. Not while calls are under way. */
void fault_device_plan(fault_device *self, fault_plan plan);

const char *fault_call_name(fault_call call);

#endif
