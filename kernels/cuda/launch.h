/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What engine/cuda/device.c needs of cuda/launch.c. Results are values of cudaError_t, 0 is
 * success; streams are cudaStream_t. Both are for the thread's current device.
 */
#ifndef ROCKPRESS_KERNELS_CUDA_LAUNCH_H
#define ROCKPRESS_KERNELS_CUDA_LAUNCH_H

#include "rockpress/engine.h"

struct rp_launch;

#ifdef __cplusplus
extern "C" {
#endif

/* Loads every kernel and allows it its shared memory, so that the first launch need not. */
int rp_prepare_kernels(void);

/* Enqueues one launch; nothing else. */
int rp_launch_kernels(const struct rp_launch *launch, void *stream);

#ifdef __cplusplus
}
#endif

#endif
