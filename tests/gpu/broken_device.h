/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host device with a defect, for tests of tests. Defects, each after the frame assembler of
 * every launch: "frame" flips a bit of the first frame that has 20 bytes or more, "size" adds one
 * to its size, "status" sets its status to RP_STATUS_INTERNAL, "output" writes a byte after its
 * output's capacity, "input" flips a bit of the input, "workspace" writes a byte after the scratch
 * of the last team. And "sequence", after the matcher: changes the last sequence of the first zstd
 * block that has one.
 */
#ifndef ROCKPRESS_TESTS_GPU_BROKEN_DEVICE_H
#define ROCKPRESS_TESTS_GPU_BROKEN_DEVICE_H

#include "rockpress/device.h"

/* NULL for another defect. One at a time. */
rp_device *broken_device_open(const char *defect);

#endif
