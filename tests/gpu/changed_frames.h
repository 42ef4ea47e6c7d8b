/* SPDX-License-Identifier: Apache-2.0 */
/* The frame verifier of a device refuses frames that were changed. */
#ifndef ROCKPRESS_TESTS_GPU_CHANGED_FRAMES_H
#define ROCKPRESS_TESTS_GPU_CHANGED_FRAMES_H

#include "tests/gpu/encode_job.h"

typedef struct changed_frames {
    size_t n_frames;
    size_t n_right; /* that libzstd still decodes to the input */
} changed_frames;

/*
 * Compresses an input on the device, stage by stage, and proves several copies of its frame at
 * once: one as it is, and others with a bit changed. The first must be proven, and any other
 * refused unless libzstd decodes it to the input. False, with the reason, if that is not so.
 */
bool check_changed_frames(rp_device *device, const test_input *input, rp_effort effort,
                          uint64_t seed, changed_frames *changed, char *error, size_t n_error);

#endif
