/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame verifier on single inputs, for tests and fuzzers: compresses on the host device, which
 * leaves entry points, and proves frames on any device whose memory is the host's. Inputs, frames
 * and the verifier's buffers are copied to memory of their exact size, for AddressSanitizer.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_PROVER_H
#define ROCKPRESS_TESTS_SUPPORT_PROVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/engine.h"

typedef struct prover {
    rp_device *host;
    size_t max_input_bytes;
    rp_effort effort;
    void *workspace;
    rp_stage_buffers buffers; /* d_scratch and d_entry_points apart from the workspace */
    char error[256];          /* why the last call failed that was not to */
} prover;

/* Aborts without memory: nothing can be tested then. */
void prover_open(prover *p, size_t max_input_bytes, rp_effort effort);
void prover_close(prover *p);

/* Compresses on a device, which leaves the entry points of the frame. */
rp_status prover_compress(prover *p, rp_device *device, const void *input, size_t n_bytes,
                          uint32_t flags, void *frame, size_t capacity, size_t *frame_bytes);

typedef struct prover_result {
    rp_status status;
    size_t frame_bytes; /* after the verifier */
    rp_proof proof;
    bool is_delivered; /* the delivery has the bytes of the frame */
} prover_result;

/* Proves a frame, with the entry points that are in p->buffers or without. */
prover_result prover_prove(prover *p, rp_device *device, const void *input, size_t n_bytes,
                           const void *frame, size_t frame_bytes, bool with_entry_points);

/* Whether the verifier has to accept a frame: the strict decoder restores the input, and the frame
 * says its size and names no dictionary. Frames that refer to tables of earlier blocks are none
 * that the verifier knows: *is_foreign says whether it may refuse this one. */
bool prover_expects(const void *input, size_t n_bytes, const void *frame, size_t frame_bytes,
                    bool *is_foreign);

#endif
