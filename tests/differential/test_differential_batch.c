/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches whose inputs have nothing in common: sizes from 0 up, capacities that fit and that do
 * not, one input larger than announced. Every input has its own result, what goes wrong with one
 * does not touch its neighbours, and each frame has the bytes that its input gets alone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "tests/differential/checker.h"
#include "tests/differential/encoder.h"
#include "tests/support/inputs.h"

#define N_INPUTS 24
#define GUARD_BYTES 32
#define GUARD_VALUE 0xC3

typedef struct test_batch {
    const void *inputs[N_INPUTS];
    size_t sizes[N_INPUTS];
    void *outputs[N_INPUTS];
    size_t capacities[N_INPUTS];
    size_t frame_bytes[N_INPUTS];
    rp_status statuses[N_INPUTS];
    uint8_t *frames[N_INPUTS]; /* what each input gives alone */
    size_t alone_bytes[N_INPUTS];
} test_batch;

/* Makes the inputs, and each one's frame alone; sizes are given. */
static void make_batch(test_batch *batch, test_encoder *encoder, uint64_t seed, uint32_t flags)
{
    for (size_t i = 0; i < N_INPUTS; i++) {
        size_t n = batch->sizes[i];
        size_t bound = rp_compress_bound(n);
        uint8_t *input = malloc(n + 1);
        batch->frames[i] = malloc(bound);
        batch->outputs[i] = malloc(bound + GUARD_BYTES);
        assert_non_null(input);
        assert_non_null(batch->frames[i]);
        assert_non_null(batch->outputs[i]);
        inputs_fill((inputs_kind)((i + seed) % INPUTS_N_KINDS), input, n, seed);
        /* An empty input needs no address. */
        batch->inputs[i] = n == 0 && i % 2 == 0 ? NULL : input;
        if (batch->inputs[i] == NULL)
            free(input);
        memset(batch->outputs[i], GUARD_VALUE, bound + GUARD_BYTES);
        batch->capacities[i] = bound;
        assert_int_equal(encoder_lane(encoder, batch->inputs[i], n, batch->frames[i], bound,
                                      &batch->alone_bytes[i], flags),
                         RP_STATUS_OK);
    }
}

static void free_batch(test_batch *batch)
{
    for (size_t i = 0; i < N_INPUTS; i++) {
        free((void *)(uintptr_t)batch->inputs[i]);
        free(batch->frames[i]);
        free(batch->outputs[i]);
    }
}

static rp_status run_batch(test_batch *batch, test_encoder *encoder, size_t max_input_bytes,
                           uint32_t flags)
{
    rp_batch arguments = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = batch->inputs,
        .d_input_sizes = batch->sizes,
        .max_input_bytes = max_input_bytes,
        .n_inputs = N_INPUTS,
        .d_outputs = batch->outputs,
        .d_output_capacities = batch->capacities,
        .d_output_sizes = batch->frame_bytes,
        .d_statuses = batch->statuses,
    };
    memset(batch->frame_bytes, 0xFF, sizeof(batch->frame_bytes));
    memset(batch->statuses, 0xFF, sizeof(batch->statuses));
    return encoder_batch(encoder, &arguments, flags);
}

/* Nothing was written after the end of what the output may hold. */
static bool is_guard_intact(const test_batch *batch, size_t i)
{
    const uint8_t *output = batch->outputs[i];
    size_t end = rp_compress_bound(batch->sizes[i]) + GUARD_BYTES;
    for (size_t k = batch->capacities[i]; k < end; k++) {
        if (output[k] != GUARD_VALUE)
            return false;
    }
    return true;
}

static void check_result(const test_batch *batch, size_t i, rp_status expected)
{
    if (batch->statuses[i] != expected)
        fail_msg("input %zu of %zu bytes: %s, expected %s", i, batch->sizes[i],
                 rp_status_name(batch->statuses[i]), rp_status_name(expected));
    assert_true(is_guard_intact(batch, i));
    if (expected != RP_STATUS_OK) {
        assert_int_equal(batch->frame_bytes[i], 0);
        return;
    }
    assert_int_equal(batch->frame_bytes[i], batch->alone_bytes[i]);
    assert_memory_equal(batch->outputs[i], batch->frames[i], batch->frame_bytes[i]);
}

static void choose_sizes(test_batch *batch, size_t max_input_bytes, uint64_t seed)
{
    inputs_random random = inputs_seed(seed);
    for (size_t i = 0; i < N_INPUTS; i++)
        batch->sizes[i] = inputs_magnitude(&random, (uint32_t)max_input_bytes);
    batch->sizes[0] = max_input_bytes;
    batch->sizes[1] = 0;
    batch->sizes[N_INPUTS - 2] = 0;
    batch->sizes[N_INPUTS - 1] = max_input_bytes;
}

static const size_t maxima[] = {1, 100, 4096, 65536, 131072, 131073, 400000};

static void test_mixed_sizes(void **state)
{
    (void)state;
    test_encoder encoder;
    frame_checker checker = {0};
    encoder_open(&encoder, 400000);
    for (uint64_t seed = 0; seed < 7; seed++) {
        test_batch batch;
        size_t max_input_bytes = maxima[seed];
        uint32_t flags = seed & 1 ? RP_COMPRESS_CHECKSUM : 0;
        choose_sizes(&batch, max_input_bytes, seed);
        make_batch(&batch, &encoder, seed, flags);
        assert_int_equal(run_batch(&batch, &encoder, max_input_bytes, flags), RP_STATUS_OK);
        for (size_t i = 0; i < N_INPUTS; i++) {
            check_result(&batch, i, RP_STATUS_OK);
            if (!checker_frame(&checker, batch.inputs[i], batch.sizes[i], batch.outputs[i],
                               batch.frame_bytes[i], flags != 0))
                fail_msg("input %zu of batch %u: %s", i, (unsigned)seed, checker.error);
        }
        free_batch(&batch);
    }
    checker_free(&checker);
    encoder_close(&encoder);
}

static void test_larger_than_announced(void **state)
{
    (void)state;
    test_encoder encoder;
    encoder_open(&encoder, 400001);
    for (uint64_t seed = 0; seed < 7; seed++) {
        test_batch batch;
        size_t max_input_bytes = maxima[seed];
        choose_sizes(&batch, max_input_bytes, seed);
        /* One byte more, much more, and more zstd blocks than were announced. */
        batch.sizes[3] = max_input_bytes + 1;
        batch.sizes[7] = max_input_bytes < 200000 ? 2 * max_input_bytes : max_input_bytes;
        batch.sizes[11] = 400000;
        make_batch(&batch, &encoder, seed, 0);
        assert_int_equal(run_batch(&batch, &encoder, max_input_bytes, 0), RP_STATUS_OK);
        for (size_t i = 0; i < N_INPUTS; i++)
            check_result(&batch, i,
                         batch.sizes[i] > max_input_bytes ? RP_STATUS_INPUT_TOO_LARGE
                                                          : RP_STATUS_OK);
        free_batch(&batch);
    }
    encoder_close(&encoder);
}

static void test_sizes_beyond_any_memory(void **state)
{
    (void)state;
    test_encoder encoder;
    test_batch batch;
    encoder_open(&encoder, 4096);
    choose_sizes(&batch, 4096, 1);
    make_batch(&batch, &encoder, 1, 0);
    size_t real = batch.sizes[4];
    batch.sizes[4] = SIZE_MAX;
    batch.sizes[9] = RP_MAX_INPUT_BYTES + 1;
    assert_int_equal(run_batch(&batch, &encoder, 4096, 0), RP_STATUS_OK);
    for (size_t i = 0; i < N_INPUTS; i++) {
        if (i != 4 && i != 9)
            check_result(&batch, i, RP_STATUS_OK);
    }
    assert_int_equal(batch.statuses[4], RP_STATUS_INPUT_TOO_LARGE);
    assert_int_equal(batch.statuses[9], RP_STATUS_INPUT_TOO_LARGE);
    assert_int_equal(batch.frame_bytes[4], 0);
    batch.sizes[4] = real;
    free_batch(&batch);
    encoder_close(&encoder);
}

static void test_one_that_does_not_fit(void **state)
{
    (void)state;
    test_encoder encoder;
    encoder_open(&encoder, 131073);
    for (uint64_t seed = 1; seed < 6; seed++) {
        test_batch batch;
        choose_sizes(&batch, maxima[seed], seed);
        make_batch(&batch, &encoder, seed, RP_COMPRESS_CHECKSUM);
        for (size_t i = 0; i < N_INPUTS; i++) {
            static const int differences[] = {0, -1, 1, 0, -2};
            batch.capacities[i] = batch.alone_bytes[i] + (size_t)differences[i % 5];
            if (i % 7 == 6)
                batch.capacities[i] = 0;
        }
        assert_int_equal(run_batch(&batch, &encoder, maxima[seed], RP_COMPRESS_CHECKSUM),
                         RP_STATUS_OK);
        for (size_t i = 0; i < N_INPUTS; i++)
            check_result(&batch, i,
                         batch.capacities[i] < batch.alone_bytes[i] ? RP_STATUS_OUTPUT_TOO_SMALL
                                                                    : RP_STATUS_OK);
        free_batch(&batch);
    }
    encoder_close(&encoder);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mixed_sizes),
        cmocka_unit_test(test_larger_than_announced),
        cmocka_unit_test(test_sizes_beyond_any_memory),
        cmocka_unit_test(test_one_that_does_not_fit),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
