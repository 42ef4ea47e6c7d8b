/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue device with a gate: while it is closed, no wait ends but by its time limit. So a test
 * decides how long the device works, and what arrives meanwhile. It also counts the calls that
 * copy, launch or wait, and those made by threads that are forbidden to.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_GATE_DEVICE_H
#define ROCKPRESS_TESTS_SUPPORT_GATE_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "tests/support/queue_device.h"

#define GATE_HOLDS_NONE (-1)

typedef struct gate_device {
    queue_device queue;
    rp_device_ops ops;
    rp_device device; /* what is tested gets a pointer to this */
    _Atomic bool is_closed;
    _Atomic bool never_returns; /* a wait, while it is closed: time limits are not kept either */
    _Atomic int holding;        /* a queue_call: QUEUE_COPY and QUEUE_LAUNCH do not return while it
                                 * is that. GATE_HOLDS_NONE */
    _Atomic int n_at_gate;      /* threads that wait there */
    _Atomic int most_at_gate;   /* at any time */
    _Atomic int n_calls;
    _Atomic int n_forbidden_calls;
    /* Nullable: called after a wait that ended. What it does to the host's memory is what the
     * device did wrong. */
    void (*after_wait)(void);
} gate_device;

/* Open. `flags` as in rp_device. It is the caller's memory, one in a process. */
void gate_device_open(gate_device *self, rp_device *runner, uint32_t flags);

/* From now on this thread should call nothing of the device. */
void gate_device_forbid(void);

/* Waits until n threads are at the gate. */
void gate_device_await(gate_device *self, int n);

#endif
