/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A librockpress_cuda.so without CUDA, for tests of how it is loaded and of the thread that opens a
 * GPU. Its GPU is the host device by another name. The environment says what it does:
 *   FAKE_MODULE_GPU=1          there is a GPU, cuda:0; without, there is none
 *   FAKE_MODULE_OPEN_MS=n      opening it takes n milliseconds
 *   FAKE_MODULE_VERSION=n      the version that it says it has
 *   FAKE_MODULE_SIZE=n         the size of its table that it says it has
 *   FAKE_MODULE_LAUNCH_SIZE=n  the size of a launch
 *   FAKE_MODULE_LAUNCH_MS=n    a launch takes that much longer
 * If the process ends while the GPU is being opened or during a launch, it ends with
 * FAKE_MODULE_ENDED_INSIDE. After that the GPU is lost.
 */
#ifndef ROCKPRESS_TESTS_GPU_FAKE_MODULE_H
#define ROCKPRESS_TESTS_GPU_FAKE_MODULE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#define FAKE_MODULE_NO_GPU "the fake module has no GPU"
#define FAKE_MODULE_ENDED_INSIDE 99

/* Exported as fake_module_now. */
typedef struct fake_module_state {
    _Atomic int n_begun; /* calls that open the GPU */
    _Atomic int n_ended;
    _Atomic int n_launches; /* that have begun */
    _Atomic pid_t opener;   /* the thread of the last call */
    _Atomic bool had_all_signals_blocked;
    _Atomic size_t stack_bytes;
} fake_module_state;

#endif
