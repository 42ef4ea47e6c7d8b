/* SPDX-License-Identifier: Apache-2.0 */
/* Where two devices part: the first stage whose results for an input are not the same. */
#ifndef ROCKPRESS_TESTS_GPU_STAGE_DIFFERENCE_H
#define ROCKPRESS_TESTS_GPU_STAGE_DIFFERENCE_H

#include "tests/gpu/encode_job.h"

/* One line into `text`: which stage, zstd block and element differ first; or that none does. */
void describe_stage_difference(const rp_device *device, const rp_device *reference,
                               const test_input *input, rp_effort effort, uint32_t flags,
                               char *text, size_t n_text);

#endif
