/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs with their frames from the host device, to compress on the lanes of another device. */
#ifndef ROCKPRESS_TESTS_GPU_REFERENCE_FRAMES_H
#define ROCKPRESS_TESTS_GPU_REFERENCE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/pool.h"

#define REFERENCE_MAX_BYTES ((size_t)70000)

typedef struct reference_frame {
    rp_effort effort;
    uint32_t flags;
    size_t input_size;
    size_t frame_size;
    uint8_t *input;
    uint8_t *frame;
} reference_frame;

/* n of them with all efforts, up to max_bytes each; ends the program when there is no memory. */
reference_frame *reference_frames_make(size_t n, size_t max_bytes, uint64_t seed);
void reference_frames_free(reference_frame *frames, size_t n);

typedef enum reference_result {
    REFERENCE_EQUAL,
    REFERENCE_DIFFERENT,
    REFERENCE_NO_FRAME
} reference_result;

/*
 * rp_lane_compress() into memory between guard bytes. REFERENCE_NO_FRAME: *status is not
 * RP_STATUS_OK. REFERENCE_DIFFERENT: another frame, a size with a status that has none, an output
 * that was written to after a failure that promises not to, or a guard that was overwritten. Any
 * thread.
 */
reference_result reference_frame_compress(rp_lane *lane, const reference_frame *reference,
                                          uint32_t timeout_us, rp_status *status);

#endif
