/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder on the host device at one effort, for tests that compare sizes. */
#ifndef ROCKPRESS_TESTS_GOLDEN_SIZED_ENCODER_H
#define ROCKPRESS_TESTS_GOLDEN_SIZED_ENCODER_H

#include "rockpress/engine.h"

#define N_EFFORTS ((size_t)(RP_EFFORT_MAX - RP_EFFORT_FAST + 1))

typedef struct sized_encoder {
    rp_effort effort;
    rp_device *device;
    rp_stream stream;
    void *workspace;
    size_t workspace_bytes;
    uint8_t *frame; /* the last one */
    size_t frame_bytes;
    size_t frame_capacity;
    uint8_t *decoded;
    /* The results of the stages for the last block. */
    rp_stage_buffers buffers;
} sized_encoder;

/* For blocks of up to SAMPLE_MAX_BLOCK_BYTES. Aborts when there is no memory. */
void sized_encoder_open(sized_encoder *encoder, rp_effort effort);
void sized_encoder_close(sized_encoder *encoder);

/* Bytes of the block's frame, without checksum. libzstd decodes the frame; if that does not give
 * the block, the size means nothing, and the program ends with status 2. */
size_t sized_encoder_compress(sized_encoder *encoder, const void *block, size_t block_bytes);

#endif
