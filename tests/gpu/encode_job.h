/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A number of inputs compressed on any device, with everything around them watched: inputs and
 * outputs lie at odd addresses between guard bytes, workspace and outputs are filled with garbage
 * before, and whatever the device had no business to write must be as it was.
 */
#ifndef ROCKPRESS_TESTS_GPU_ENCODE_JOB_H
#define ROCKPRESS_TESTS_GPU_ENCODE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/engine.h"

typedef struct test_input {
    char name[80];
    const uint8_t *bytes;
    size_t size;
} test_input;

typedef struct encode_job {
    const test_input *inputs;
    size_t n_inputs;
    const size_t *capacities; /* NULL: rp_compress_bound() of each */
    size_t max_input_bytes;   /* the batch's; 0: the largest input's */
    rp_effort effort;
    uint32_t flags;
    bool is_single; /* rp_compress_async() for each, on one workspace; else one batch */
    bool is_raw;    /* the workspace is left as it is allocated, for tools that watch for reads of
                     * what was never written */
    uint64_t seed;  /* of the garbage */
} encode_job;

typedef struct encode_result {
    uint8_t **frames; /* [n_inputs], into memory of this result */
    size_t *sizes;
    rp_status *statuses;
    rp_proof *proofs; /* zeros without RP_COMPRESS_VERIFY */
    char error[256];  /* why it failed, or what was overwritten; else "" */
    uint8_t *memory;
} encode_result;

/* Bytes of device memory that the workspace of a job takes. */
size_t encode_workspace_bytes(const encode_job *job);

/* False, with result->error, if a call failed, something was overwritten, or an outcome is one that
 * no input may have. Release with encode_free() in any case. Ends the program when the device does
 * not finish: its memory cannot be freed then. */
bool encode_run(const rp_device *device, const encode_job *job, encode_result *result);
void encode_free(encode_result *result);

/* Fills n bytes with garbage. */
void fill_garbage(uint8_t *bytes, size_t n, uint64_t seed);

#endif
