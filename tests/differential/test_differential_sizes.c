/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every kind of content at every size where something changes: the frame header's size fields
 * (255/256, 65791/65792), the literals' size fields and the number of Huffman streams (around
 * 256, 1 Ki, 4 Ki, 16 Ki), the tables' sizes, the 16-bit positions (64 Ki) and the number of
 * zstd blocks (128 Ki). Each frame is checked by two decoders, and the two ways into the
 * encoder, a lane and a batch, must give the same bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "tests/differential/checker.h"
#include "tests/differential/encoder.h"
#include "tests/support/inputs.h"

static const size_t small_sizes[] = {
    0,  1,  2,  3,  4,   5,   6,   7,   8,   9,   10,  11,  12,   15,   16,   17,   24,   31,
    32, 33, 63, 64, 100, 127, 128, 129, 200, 255, 256, 257, 1023, 1024, 1025, 1500, 2048, 3000,
};
static const size_t medium_sizes[] = {4095,  4096,  4097,  16383, 16384, 16385,
                                      65535, 65536, 65537, 65791, 65792, 65793};
static const size_t large_sizes[] = {131071, 131072, 131073, 262144, 1048576 + 7};

/* All kinds of one size: a batch, and each alone. */
static void check_size(test_encoder *encoder, frame_checker *checker, size_t n, uint64_t seed,
                       uint32_t flags)
{
    const void *inputs[INPUTS_N_KINDS];
    void *outputs[INPUTS_N_KINDS];
    size_t sizes[INPUTS_N_KINDS];
    size_t capacities[INPUTS_N_KINDS];
    size_t frame_sizes[INPUTS_N_KINDS];
    rp_status statuses[INPUTS_N_KINDS];
    size_t bound = rp_compress_bound(n);
    uint8_t *content = malloc(n * INPUTS_N_KINDS + 1);
    uint8_t *frames = malloc(bound * INPUTS_N_KINDS);
    uint8_t *alone = malloc(bound);
    assert_non_null(content);
    assert_non_null(frames);
    assert_non_null(alone);
    for (size_t kind = 0; kind < INPUTS_N_KINDS; kind++) {
        inputs_fill((inputs_kind)kind, content + kind * n, n, seed);
        inputs[kind] = content + kind * n;
        outputs[kind] = frames + kind * bound;
        sizes[kind] = n;
        capacities[kind] = bound;
    }
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = inputs,
        .d_input_sizes = sizes,
        .max_input_bytes = n,
        .n_inputs = INPUTS_N_KINDS,
        .d_outputs = outputs,
        .d_output_capacities = capacities,
        .d_output_sizes = frame_sizes,
        .d_statuses = statuses,
    };
    assert_int_equal(encoder_batch(encoder, &batch, flags), RP_STATUS_OK);
    for (size_t kind = 0; kind < INPUTS_N_KINDS; kind++) {
        const char *name = inputs_kind_name((inputs_kind)kind);
        if (statuses[kind] != RP_STATUS_OK)
            fail_msg("%s, %zu bytes: %s", name, n, rp_status_name(statuses[kind]));
        if (!checker_frame(checker, inputs[kind], n, outputs[kind], frame_sizes[kind],
                           (flags & RP_COMPRESS_CHECKSUM) != 0))
            fail_msg("%s, %zu bytes, seed %llu: %s", name, n, (unsigned long long)seed,
                     checker->error);
        size_t alone_size = 0;
        assert_int_equal(encoder_lane(encoder, inputs[kind], n, alone, bound, &alone_size, flags),
                         RP_STATUS_OK);
        if (alone_size != frame_sizes[kind] || memcmp(alone, outputs[kind], alone_size) != 0)
            fail_msg("%s, %zu bytes: a batch and a lane give different frames", name, n);
    }
    free(content);
    free(frames);
    free(alone);
}

static void check_sizes(const size_t *sizes, size_t n_sizes, size_t largest, uint64_t n_seeds)
{
    test_encoder encoder;
    frame_checker checker = {0};
    encoder_open(&encoder, largest);
    for (size_t i = 0; i < n_sizes; i++) {
        for (uint64_t seed = 0; seed < n_seeds; seed++)
            check_size(&encoder, &checker, sizes[i], seed, (uint32_t)((seed + i) & 1));
    }
    checker_free(&checker);
    encoder_close(&encoder);
}

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static void test_small(void **state)
{
    (void)state;
    check_sizes(small_sizes, N_ELEMENTS(small_sizes), 3000, 4);
}

static void test_every_size_up_to_300(void **state)
{
    (void)state;
    size_t sizes[301];
    for (size_t i = 0; i <= 300; i++)
        sizes[i] = i;
    check_sizes(sizes, 301, 300, 2);
}

static void test_medium(void **state)
{
    (void)state;
    check_sizes(medium_sizes, N_ELEMENTS(medium_sizes), 65793, 2);
}

static void test_several_blocks(void **state)
{
    (void)state;
    check_sizes(large_sizes, N_ELEMENTS(large_sizes), 1048576 + 7, 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_every_size_up_to_300),
        cmocka_unit_test(test_medium),
        cmocka_unit_test(test_several_blocks),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
