/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host makes of a device's results. Before a launch it poisons the places where results
 * are written, so that a device that did nothing is noticed. Afterwards it takes nothing for
 * granted: sizes and statuses have to be possible, and with RP_COMPRESS_VERIFY the hashes have to
 * be those of the host's own bytes.
 *
 * Thread rule: pure functions.
 */
#ifndef ROCKPRESS_ENGINE_PROOF_H
#define ROCKPRESS_ENGINE_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/engine.h"

/* What a device writes of one frame, where it writes it. */
typedef struct rp_results {
    size_t *sizes;
    rp_status *statuses;
    rp_proof *proofs; /* NULL: the frames are not proven */
} rp_results;

/* Poisons the results of n frames. */
void rp_poison_results(const rp_results *results, size_t n);

/* The status of one input, from what the device wrote: one that a kernel gives and that fits the
 * size of the frame, or RP_STATUS_VERIFICATION_FAILED. */
rp_status rp_judge_result(rp_status status, size_t frame_size, size_t capacity);

/* Whether a proof is that of these bytes. input_hash is that of the input. */
bool rp_is_proven(const rp_proof *proof, uint64_t input_hash, const void *frame, size_t frame_size);

#endif
