/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device with the public table of functions that counts the calls it gets and passes them on
 * to the host device. Tests of "nothing was enqueued" need to see what the library asks of a
 * device, and tests of the staged way need a device whose memory is not the host's.
 */
#ifndef ROCKPRESS_TESTS_DIFFERENTIAL_COUNTING_DEVICE_H
#define ROCKPRESS_TESTS_DIFFERENTIAL_COUNTING_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "rockpress/device.h"

typedef struct counting_device {
    rp_device device; /* what the library gets */
    rp_device *host;
    bool is_idle;            /* launches and copies are counted, but not done */
    rp_status alloc_status;  /* what memory_alloc and staging_alloc fail with, or RP_STATUS_OK */
    rp_status stream_status; /* and stream_create */
    atomic_uint n_launches;
    atomic_uint n_copies;
    atomic_uint n_waits;
    atomic_uint n_allocated; /* memory and staging memory, less what was freed */
    atomic_uint n_streams;   /* less those destroyed */
} counting_device;

/* flags: RP_DEVICE_HOST_MEMORY, or 0 for a device that is copied to and from. */
void counting_device_open(counting_device *counting, uint32_t flags);
void counting_device_close(counting_device *counting);

/* Launches and copies so far. */
unsigned counting_device_enqueued(counting_device *counting);

#endif
