/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device around another one that makes the faults of a plan (plan.h), for tests only. Which of
 * the calls have a fault is decided by the seed and by the number of the call, so a run of one
 * thread is repeated exactly; of several threads the order of calls is theirs.
 *
 * Faults of data are made in the memory of the device underneath, by copies from it and to it, so
 * the stream is waited for meanwhile. Only a device whose memory is the host's is different: the
 * input is the caller's own, so one launch gets a wrong copy of it instead.
 */
#ifndef ROCKPRESS_TESTS_FAULT_INJECTING_DEVICE_H
#define ROCKPRESS_TESTS_FAULT_INJECTING_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "rockpress/device.h"
#include "tests/fault/plan.h"

typedef struct injecting_device {
    rp_device device; /* what is used gets a pointer to this */
    const rp_device *inner;
    injection_plan plan;
    _Atomic uint32_t n_calls[AT_ANY + 1];
    _Atomic uint32_t n_seen[MAX_INJECTIONS]; /* how often each could have been made */
    _Atomic uint32_t n_made[MAX_INJECTIONS];
    /* The sum of these, where it can be found when the process has been killed; or NULL. */
    _Atomic uint64_t *n_made_outside;
    _Atomic bool is_lost;
    pthread_mutex_t lock;         /* of the list */
    struct staging_part *staging; /* what of the host's memory is the device's, too */
} injecting_device;

/* It is the caller's memory, for the rest of the process; `inner` stays, too. */
void injecting_device_open(injecting_device *self, const rp_device *inner,
                           const injection_plan *plan);

/* Opens the device that a plan names: itself, what is underneath, all of it for the rest of the
 * process. There is one. RP_STATUS_UNKNOWN_DEVICE if there is one already. */
rp_status injecting_device_open_name(const injection_plan *plan, rp_device **device);

/* The device that injecting_device_open_name() has made, or NULL. */
injecting_device *injecting_device_opened(void);

/* All that were made. */
uint64_t injecting_device_n_made(const injecting_device *self);

/* A line for each function of the table with how often it was called, one for each injection with
 * how often it was made and could have been, and the sum: "made N". */
void injecting_device_report(const injecting_device *self, FILE *file);

#endif
