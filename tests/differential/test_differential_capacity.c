/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capacities that do not fit: the exact status, an output size of 0, and not one byte written
 * after the capacity. The output ends at a guard page and so does the workspace, the input
 * lies between two of them: random data would miss an overrun of a few bytes that slack absorbs.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/engine.h"
#include "tests/differential/checker.h"
#include "tests/differential/guarded.h"
#include "tests/support/effort.h"
#include "tests/support/inputs.h"

static const size_t sizes[] = {0,    1,    2,     3,     5,     17,    100,    255,    256,   1000,
                               4096, 4097, 16384, 20000, 65536, 70000, 131072, 131073, 300000};

typedef struct guarded_arena {
    guarded_memory input;
    guarded_memory output;
    guarded_memory workspace;
    rp_stream stream;
} guarded_arena;

/* Memory for one input of n bytes, with the workspace at its exact size. */
static rp_status compress(const guarded_arena *arena, const uint8_t *input, size_t n,
                          size_t capacity, size_t *frame_bytes, uint32_t flags)
{
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = test_effort(),
        .flags = flags,
        .error = NULL,
    };
    size_t bytes = rp_workspace_size(n, 1, test_effort());
    rp_status status = RP_STATUS_INTERNAL;
    *frame_bytes = SIZE_MAX;
    assert_int_equal(rp_compress_async(guarded_last(&arena->workspace, bytes), bytes, input, n,
                                       guarded_last(&arena->output, capacity), capacity,
                                       frame_bytes, &status, &options, arena->stream),
                     RP_STATUS_OK);
    assert_int_equal(rp_stream_wait(arena->stream, 0), RP_STATUS_OK);
    return status;
}

static void check_capacities(const guarded_arena *arena, frame_checker *checker, inputs_kind kind,
                             size_t n, uint32_t flags)
{
    size_t bound = rp_compress_bound(n);
    uint8_t *input = guarded_last(&arena->input, n);
    size_t frame_bytes;
    inputs_fill(kind, input, n, 5);
    assert_int_equal(compress(arena, input, n, bound, &frame_bytes, flags), RP_STATUS_OK);
    size_t exact = frame_bytes;
    uint8_t *expected = malloc(exact);
    assert_non_null(expected);
    memcpy(expected, guarded_last(&arena->output, bound), exact);
    if (!checker_frame(checker, input, n, expected, exact, flags != 0))
        fail_msg("%s, %zu bytes: %s", inputs_kind_name(kind), n, checker->error);

    size_t capacities[] = {0, 1, exact / 2, exact - 1, exact, exact + 1, bound + 100};
    for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
        size_t capacity = capacities[i];
        /* The input at either end of its mapping: reads before and after it fault. */
        uint8_t *at = i & 1 ? guarded_first(&arena->input) : guarded_last(&arena->input, n);
        memmove(at, input, n);
        input = at;
        uint8_t *output = guarded_last(&arena->output, capacity);
        size_t n_before = (size_t)(output - guarded_first(&arena->output));
        n_before = n_before < 64 ? n_before : 64;
        memset(output - n_before, 0x5C, n_before);
        rp_status status = compress(arena, input, n, capacity, &frame_bytes, flags);
        rp_status expected_status = capacity < exact ? RP_STATUS_OUTPUT_TOO_SMALL : RP_STATUS_OK;
        if (status != expected_status)
            fail_msg("%s, %zu bytes, capacity %zu of %zu: %s", inputs_kind_name(kind), n, capacity,
                     exact, rp_status_name(status));
        assert_int_equal(frame_bytes, capacity < exact ? 0 : exact);
        if (capacity >= exact)
            assert_memory_equal(output, expected, exact);
        for (size_t k = 1; k <= n_before; k++)
            assert_int_equal(output[-(ptrdiff_t)k], 0x5C);
    }
    free(expected);
}

static void test_capacities(void **state)
{
    (void)state;
    size_t largest = sizes[sizeof(sizes) / sizeof(sizes[0]) - 1];
    guarded_arena arena;
    frame_checker checker = {0};
    rp_device *device;
    assert_int_equal(rp_device_open("host", &device), RP_STATUS_OK);
    assert_int_equal(rp_stream_create(device, &arena.stream), RP_STATUS_OK);
    guarded_map(&arena.output, rp_compress_bound(largest) + 256);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        guarded_map(&arena.input, sizes[i]);
        guarded_map(&arena.workspace, rp_workspace_size(sizes[i], 1, test_effort()));
        for (size_t kind = 0; kind < INPUTS_N_KINDS; kind++)
            check_capacities(&arena, &checker, (inputs_kind)kind, sizes[i],
                             (uint32_t)(kind & 1) * RP_COMPRESS_CHECKSUM);
        guarded_unmap(&arena.input);
        guarded_unmap(&arena.workspace);
    }
    guarded_unmap(&arena.output);
    checker_free(&checker);
    rp_stream_destroy(arena.stream);
    rp_device_close(device);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capacities),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
