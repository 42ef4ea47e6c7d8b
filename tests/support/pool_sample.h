/* SPDX-License-Identifier: Apache-2.0 */
/* An input and its frame from the host device, to compress on the lanes of a pool. */
#ifndef ROCKPRESS_TESTS_SUPPORT_POOL_SAMPLE_H
#define ROCKPRESS_TESTS_SUPPORT_POOL_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/pool.h"
#include "tests/support/inputs.h"

#define POOL_SAMPLE_MAX_BYTES 5000

typedef struct pool_sample {
    size_t n_bytes;
    size_t frame_bytes;
    uint8_t input[POOL_SAMPLE_MAX_BYTES];
    uint8_t frame[POOL_SAMPLE_MAX_BYTES + 64];
} pool_sample;

/* From calloc(); fails the running test on error. */
pool_sample *pool_sample_make(rp_device *host, inputs_kind kind, size_t n_bytes);

/* rp_lane_compress() with a timeout that does not matter. Both: any thread. */
rp_status pool_sample_compress(rp_lane *lane, const pool_sample *sample, uint8_t *output,
                               size_t capacity, size_t *output_size);

/* True if the lane gives the frame of the host device. */
bool pool_sample_compresses(rp_lane *lane, const pool_sample *sample);

#endif
