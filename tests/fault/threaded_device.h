/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that works as a GPU does: copies and launches are queued, and a thread for each stream
 * does them in order, with the host's kernels, while the thread that asked goes on. Its memory is
 * not what the host reads: without RP_DEVICE_MAPPED_STAGING all goes there and back by copies.
 * New memory has a pattern in it, so that who reads what was never written notices. As with
 * CUDA, freeing memory waits for all work that was queued before, and a copy or a launch of what
 * is not in memory of this device loses it: copies of addresses may have been left out.
 */
#ifndef ROCKPRESS_TESTS_FAULT_THREADED_DEVICE_H
#define ROCKPRESS_TESTS_FAULT_THREADED_DEVICE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "rockpress/device.h"

struct threaded_stream;
struct threaded_memory;

typedef struct threaded_device {
    rp_device device; /* what is used gets a pointer to this */
    rp_device *runner;
    pthread_mutex_t lock; /* of all that follows, and of the streams */
    pthread_cond_t changed;
    struct threaded_stream *streams;
    struct threaded_memory *memory; /* alive */
    bool is_lost;
} threaded_device;

/* `flags` as in rp_device, without RP_DEVICE_HOST_MEMORY. It is the caller's memory. */
void threaded_device_open(threaded_device *self, rp_device *host, uint32_t flags);

#endif
