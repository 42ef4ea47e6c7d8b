/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Provoked faults: of a GPU by kernels that are there for nothing else (gpu_faults.cu), of the
 * simulated device by its switches. All of them are for the device that was opened last, by name
 * "cuda", "cuda:N" or "simulated"; false if it cannot be done.
 */
#ifndef ROCKPRESS_TESTS_GPU_GPU_FAULTS_H
#define ROCKPRESS_TESTS_GPU_GPU_FAULTS_H

#include <stdbool.h>

#include "rockpress/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A kernel that traps: soon everything that uses this GPU in this process fails. */
bool fault_kill(const rp_device *device);

/* A kernel that holds all of the GPU until fault_release(), but 30 seconds at most. */
bool fault_occupy(const rp_device *device);
void fault_release(const rp_device *device);

/* Of gpu_faults.cu: the same for a GPU by its number. */
bool gpu_kill(int ordinal);
bool gpu_occupy(int ordinal);
void gpu_release(void);

#ifdef __cplusplus
}
#endif

#endif
