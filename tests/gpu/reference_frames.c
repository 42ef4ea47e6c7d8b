/* SPDX-License-Identifier: Apache-2.0 */
/* See reference_frames.h. */
#include "tests/gpu/reference_frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gpu/device_under_test.h"
#include "tests/support/inputs.h"

#define GUARD_BYTES 64
#define GARBAGE 0xC9

static void *allocate(size_t n_bytes)
{
    void *memory = malloc(n_bytes == 0 ? 1 : n_bytes);
    if (memory == NULL) {
        fprintf(stderr, "no memory for %zu bytes\n", n_bytes);
        exit(2);
    }
    return memory;
}

reference_frame *reference_frames_make(size_t n, size_t max_bytes, uint64_t seed)
{
    static const inputs_kind kinds[] = {INPUTS_RECORDS, INPUTS_MIXED, INPUTS_TEXT, INPUTS_KEYS,
                                        INPUTS_NOISE,   INPUTS_RUNS,  INPUTS_HEX};
    rp_device *host = NULL;
    rp_pool *pool = NULL;
    rp_lane *lane = NULL;
    rp_pool_options options = {sizeof(rp_pool_options), 1, max_bytes, 0, RP_EFFORT_MAX, NULL};
    reference_frame *frames = allocate(n * sizeof(*frames));
    inputs_random random = inputs_seed(seed);
    if (rp_device_open("host", &host) != RP_STATUS_OK ||
        rp_pool_create(host, &options, &pool) != RP_STATUS_OK ||
        rp_pool_acquire(pool, &lane) != RP_STATUS_OK)
        exit(2);
    for (size_t i = 0; i < n; i++) {
        reference_frame *one = &frames[i];
        one->effort = (rp_effort)(RP_EFFORT_FAST + i % RP_EFFORT_MAX);
        one->flags = i % 3 == 0 ? RP_COMPRESS_CHECKSUM : 0;
        one->input_size = inputs_magnitude(&random, (uint32_t)max_bytes);
        one->input = allocate(one->input_size);
        one->frame = allocate(rp_compress_bound(one->input_size));
        inputs_fill(kinds[i % (sizeof(kinds) / sizeof(kinds[0]))], one->input, one->input_size, i);
        rp_compress_options compress = {
            .struct_size = sizeof(rp_compress_options),
            .effort = one->effort,
            .flags = one->flags,
            .error = NULL,
        };
        if (rp_lane_compress(lane, one->input, one->input_size, one->frame,
                             rp_compress_bound(one->input_size), &one->frame_size, &compress,
                             TEST_WAIT_US) != RP_STATUS_OK)
            exit(2);
    }
    rp_pool_release(pool, lane);
    rp_pool_destroy(pool);
    rp_device_close(host);
    return frames;
}

void reference_frames_free(reference_frame *frames, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(frames[i].input);
        free(frames[i].frame);
    }
    free(frames);
}

static bool is_garbage(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != GARBAGE)
            return false;
    }
    return true;
}

reference_result reference_frame_compress(rp_lane *lane, const reference_frame *reference,
                                          uint32_t timeout_us, rp_status *status)
{
    size_t capacity = rp_compress_bound(reference->input_size);
    uint8_t *memory = allocate(capacity + 2 * GUARD_BYTES);
    uint8_t *output = memory + GUARD_BYTES;
    size_t size = 12345;
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = reference->effort,
        .flags = reference->flags,
        .error = NULL,
    };
    memset(memory, GARBAGE, capacity + 2 * GUARD_BYTES);
    *status = rp_lane_compress(lane, reference->input, reference->input_size, output, capacity,
                               &size, &options, timeout_us);
    bool good = is_garbage(memory, GUARD_BYTES) && is_garbage(output + capacity, GUARD_BYTES);
    if (*status == RP_STATUS_OK)
        good = good && size == reference->frame_size && memcmp(output, reference->frame, size) == 0;
    else
        good = good && size == 0;
    if (*status == RP_STATUS_TIMEOUT)
        good = good && is_garbage(output, capacity);
    free(memory);
    if (!good)
        return REFERENCE_DIFFERENT;
    return *status == RP_STATUS_OK ? REFERENCE_EQUAL : REFERENCE_NO_FRAME;
}
