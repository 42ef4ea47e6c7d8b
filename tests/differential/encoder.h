/* SPDX-License-Identifier: Apache-2.0 */
/* The ways into the encoder on the host device, for tests and fuzzers: a lane, a batch. */
#ifndef ROCKPRESS_TESTS_DIFFERENTIAL_ENCODER_H
#define ROCKPRESS_TESTS_DIFFERENTIAL_ENCODER_H

#include "rockpress/engine.h"
#include "rockpress/pool.h"

typedef struct test_encoder {
    rp_device *device;
    rp_pool *pool;
    rp_lane *lane;
    size_t max_input_bytes;
} test_encoder;

/* Aborts when there is no memory: nothing can be tested then. */
void encoder_open(test_encoder *encoder, size_t max_input_bytes);
void encoder_close(test_encoder *encoder);

/* rp_lane_compress(). */
rp_status encoder_lane(test_encoder *encoder, const void *input, size_t input_size, void *output,
                       size_t capacity, size_t *output_size, uint32_t flags);

/* rp_compress_batch_async() with a workspace of exactly the size asked for, and a wait.
 * batch->n_inputs and max_input_bytes are the caller's to set. */
rp_status encoder_batch(test_encoder *encoder, const rp_batch *batch, uint32_t flags);

#endif
