/* SPDX-License-Identifier: Apache-2.0 */
/* See round_trip.h. The mappings are made once: a fuzzer's time goes into the encoder. */
#include "tests/fuzz/round_trip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rockpress/engine.h"
#include "tests/differential/checker.h"
#include "tests/differential/guarded.h"
#include "tests/support/effort.h"

static guarded_memory input_memory;
static guarded_memory output_memory;
static guarded_memory workspace_memory;
static rp_device *device;
static frame_checker checker;
static uint8_t *expected;

static void set_up(void)
{
    guarded_map(&input_memory, ROUND_TRIP_MAX_BYTES);
    guarded_map(&output_memory, rp_compress_bound(ROUND_TRIP_MAX_BYTES));
    guarded_map(&workspace_memory, rp_workspace_size(ROUND_TRIP_MAX_BYTES, 1, test_effort()));
    expected = malloc(rp_compress_bound(ROUND_TRIP_MAX_BYTES));
    if (expected == NULL || rp_device_open("host", &device) != RP_STATUS_OK)
        abort();
}

static void check(int is_good, const char *what, size_t n)
{
    if (is_good)
        return;
    fprintf(stderr, "content of %zu bytes: %s\n", n, what);
    abort();
}

static rp_status compress(const uint8_t *input, size_t n, size_t capacity, int garbage,
                          size_t *frame_bytes, uint32_t flags)
{
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = test_effort(),
        .flags = flags,
        .error = NULL,
    };
    rp_stream stream = {device, NULL};
    rp_status status = RP_STATUS_INTERNAL;
    size_t workspace_bytes = rp_workspace_size(n, 1, test_effort());
    uint8_t *workspace = guarded_last(&workspace_memory, workspace_bytes);
    memset(workspace, garbage, workspace_bytes);
    *frame_bytes = SIZE_MAX;
    check(rp_compress_async(workspace, workspace_bytes, input, n,
                            guarded_last(&output_memory, capacity), capacity, frame_bytes, &status,
                            &options, stream) == RP_STATUS_OK,
          "not enqueued", n);
    check(rp_stream_wait(stream, 0) == RP_STATUS_OK, "not done", n);
    return status;
}

void round_trip(const uint8_t *content, size_t n, unsigned how)
{
    if (device == NULL)
        set_up();
    n = n < ROUND_TRIP_MAX_BYTES ? n : ROUND_TRIP_MAX_BYTES;
    uint8_t *input = how & ROUND_TRIP_AT_THE_START ? guarded_first(&input_memory)
                                                   : guarded_last(&input_memory, n);
    uint32_t flags = how & ROUND_TRIP_CHECKSUM ? RP_COMPRESS_CHECKSUM : 0;
    size_t bound = rp_compress_bound(n);
    size_t exact;
    size_t frame_bytes;
    if (n != 0)
        memcpy(input, content, n);
    check(compress(input, n, bound, 0xFF, &exact, flags) == RP_STATUS_OK, "fails", n);
    memcpy(expected, guarded_last(&output_memory, bound), exact);
    check(checker_frame(&checker, input, n, expected, exact, flags != 0), checker.error, n);
    check(n == 0 || memcmp(input, content, n) == 0, "the input was written to", n);

    check(compress(input, n, exact, 0, &frame_bytes, flags) == RP_STATUS_OK,
          "fails with the exact capacity", n);
    check(frame_bytes == exact && memcmp(expected, guarded_last(&output_memory, exact), exact) == 0,
          "other bytes with the exact capacity, or from another workspace", n);

    check(compress(input, n, exact - 1, 0x55, &frame_bytes, flags) == RP_STATUS_OUTPUT_TOO_SMALL,
          "one byte less than needed is not too small", n);
    check(frame_bytes == 0, "an output size with RP_STATUS_OUTPUT_TOO_SMALL", n);
}
