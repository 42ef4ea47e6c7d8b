/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that runs the kernels with a team of several workers on CPUs, so that what a GPU
 * does with a thread block can be tested on any machine. Two kinds:
 *
 *   threads    each rank is a thread, and they meet at a barrier. For ThreadSanitizer: the
 *              barrier orders exactly what a team_sync() orders, so a missing one is a race.
 *   shuffled   all ranks take turns on the calling thread: each runs up to its next barrier, in
 *              an order that is drawn anew after every barrier. What depends on the order, or
 *              on memory that nobody has written, changes the bytes. Cheap with many ranks;
 *              not for builds with ThreadSanitizer, which cannot follow the switches.
 *
 * Before every team starts, its team memory and its part of the scratch buffer are filled with
 * random bytes: neither has a defined content there.
 *
 * A rank that ends while another waits at a barrier is reported, instead of waiting for ever.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_TEAM_DEVICE_H
#define ROCKPRESS_TESTS_SUPPORT_TEAM_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "rockpress/device.h"
#include "tests/support/sanitizers.h"

#define TEAM_DEVICE_MAX_SIZE 128

#define TEAM_DEVICE_CAN_SHUFFLE (!TEST_THREAD_SANITIZER)
/* Why not, for skip_case(). */
#define TEAM_DEVICE_NO_SHUFFLE "ThreadSanitizer cannot follow workers that take turns on one thread"

/* 1: each turn of a shuffled team is a system call (see team_device.c), so tests take less of the
 * same; 0 otherwise. */
#define TEAM_DEVICE_SLOW_TURNS TEST_ADDRESS_SANITIZER

typedef enum team_device_kind { TEAM_DEVICE_THREADS, TEAM_DEVICE_SHUFFLED } team_device_kind;

/*
 * Opens a device with teams of `size` workers, 1 to TEAM_DEVICE_MAX_SIZE; NULL without memory
 * or threads. Everything random follows from `seed`. One launch at a time. Its memory is host
 * memory, so its streams can be mixed with those of the host device. Close with
 * rp_device_close().
 */
rp_device *team_device_open(team_device_kind kind, uint32_t size, uint64_t seed);

/* Restarts everything random. */
void team_device_seed(rp_device *device, uint64_t seed);

/* Why the last launch or run failed: which rank ended after how many barriers; else "". */
const char *team_device_error(const rp_device *device);

/* Barriers that each rank has passed in the last team. */
uint64_t team_device_barriers(const rp_device *device);

struct rp_team;
typedef void team_function(struct rp_team *team, void *context);

/* Runs any function as a kernel with one team. It comes from a file that is compiled with
 * RP_TEAM_THREADS. False if the ranks did not meet at the same barriers. */
bool team_device_run(rp_device *device, team_function *function, void *context);

#endif
