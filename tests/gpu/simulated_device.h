/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for a GPU, on which the tests of faults are tried where there is none: memory of its
 * own, of which there is a limited amount, runs the host's kernels, can be kept busy, and can be
 * lost.
 */
#ifndef ROCKPRESS_TESTS_GPU_SIMULATED_DEVICE_H
#define ROCKPRESS_TESTS_GPU_SIMULATED_DEVICE_H

#include <stdbool.h>

#include "rockpress/device.h"

/* There is one; it starts working, idle and empty. */
rp_device *simulated_device_open(void);

/* From now on everything fails with RP_STATUS_DEVICE_FAULT. */
void simulated_device_lose(void);

/* Waits time out while it is busy. */
void simulated_device_set_busy(bool is_busy);

#endif
