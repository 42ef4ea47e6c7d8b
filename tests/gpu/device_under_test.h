/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device that a test of this folder is about, by name: "cuda", "cuda:N" and "host" as
 * rp_device_open() takes them, so that the tests can be tried without a GPU; "team:N", shuffled
 * teams of N workers (tests/support/team_device.h); "simulated" (simulated_device.h); and
 * "broken:DEFECT" (broken_device.h), with which a test has to fail.
 */
#ifndef ROCKPRESS_TESTS_GPU_DEVICE_UNDER_TEST_H
#define ROCKPRESS_TESTS_GPU_DEVICE_UNDER_TEST_H

#include "rockpress/device.h"

/* Waits are bounded, but by far more than any work takes, even under compute-sanitizer. */
#define TEST_WAIT_US (300 * UINT32_C(1000000))

/* What the variable TEST_DEVICE says, else "cuda". */
const char *device_under_test_name(void);

/* Opens it. Without one, says why on standard output and ends the program: with EXIT_SKIPPED if it
 * is just not there, with 2 if there is no such name. Close with rp_device_close(). */
rp_device *device_under_test_open(const char *name);

#endif
