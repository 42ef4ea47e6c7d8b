/* SPDX-License-Identifier: Apache-2.0 */
/* What the host makes of a device's results: see proof.h. */
#include "engine/proof.h"

#include <string.h>

#include "engine/hash.h"

/* No kernel writes these: a size beyond every capacity, and a status that is none. */
#define POISONED_SIZE SIZE_MAX
#define POISONED_STATUS ((rp_status)0x5A5A5A5A)

/* RFC 8878 section 3.1.1: magic number, descriptor, one byte of content size, one block header. */
#define SHORTEST_FRAME_BYTES 9

void rp_poison_results(const rp_results *results, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        results->sizes[i] = POISONED_SIZE;
        results->statuses[i] = POISONED_STATUS;
    }
    if (results->proofs != NULL)
        memset(results->proofs, 0x5A, n * sizeof(*results->proofs));
}

rp_status rp_judge_result(rp_status status, size_t frame_size, size_t capacity)
{
    bool is_possible;
    switch (status) {
    case RP_STATUS_OK:
        is_possible = frame_size >= SHORTEST_FRAME_BYTES && frame_size <= capacity;
        break;
    case RP_STATUS_OUTPUT_TOO_SMALL:
    case RP_STATUS_INPUT_TOO_LARGE:
    case RP_STATUS_INTERNAL:
        is_possible = frame_size == 0;
        break;
    default:
        is_possible = false;
        break;
    }
    return is_possible ? status : RP_STATUS_VERIFICATION_FAILED;
}

bool rp_is_proven(const rp_proof *proof, uint64_t input_hash, const void *frame, size_t frame_size)
{
    return proof->input_hash == input_hash && proof->frame_hash == rp_hash(frame, frame_size);
}

rp_status rp_check_proof(const rp_proof *proof, const void *input, size_t input_size,
                         const void *frame, size_t frame_size)
{
    if (proof == NULL || (input == NULL && input_size != 0) || (frame == NULL && frame_size != 0))
        return RP_STATUS_NULL_POINTER;
    return rp_is_proven(proof, rp_hash(input, input_size), frame, frame_size)
               ? RP_STATUS_OK
               : RP_STATUS_VERIFICATION_FAILED;
}
