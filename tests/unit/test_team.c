/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A team of any size gives the bytes that one worker gives, which is what makes a test on a CPU say
 * something about a GPU. Not only frames are compared but also what each stage leaves behind: a
 * wrong sequence in a block that is then stored raw is a mistake, too.
 *
 * Threads are for ThreadSanitizer, which reports a missing barrier whatever the bytes are. Their
 * barriers are slow, and the matcher has some 10 for each sequence, so that inputs are small
 * there; the other stages get larger ones, with sequences from the host. Shuffled teams need no
 * threads and take inputs of all sizes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/engine.h"
#include "tests/support/effort.h"
#include "tests/support/inputs.h"
#include "tests/support/team_device.h"

#define MAX_INPUTS 8

typedef struct input_spec {
    inputs_kind kind;
    size_t n_bytes;
} input_spec;

typedef enum stages { ALL_STAGES, WITHOUT_MATCHER } stages;

/* A batch: what goes in and, from the host device, what comes out. */
typedef struct batch_test {
    size_t n_inputs;
    size_t max_input_bytes;
    uint32_t flags;
    const void *inputs[MAX_INPUTS];
    size_t sizes[MAX_INPUTS];
    size_t capacities[MAX_INPUTS];
} batch_test;

typedef struct batch_result {
    uint8_t *workspace;
    rp_stage_buffers buffers;
    void *outputs[MAX_INPUTS];
    size_t output_sizes[MAX_INPUTS];
    rp_status statuses[MAX_INPUTS];
} batch_result;

static rp_device *host;

static uint8_t *allocate(size_t n_bytes)
{
    uint8_t *bytes = malloc(n_bytes == 0 ? 1 : n_bytes);
    assert_non_null(bytes);
    return bytes;
}

/* In memory of its exact size, for AddressSanitizer. */
static batch_test make_batch(const input_spec *specs, size_t n_inputs, uint32_t flags)
{
    batch_test test;
    memset(&test, 0, sizeof(test));
    test.n_inputs = n_inputs;
    test.flags = flags;
    for (size_t i = 0; i < n_inputs; i++) {
        uint8_t *bytes = malloc(specs[i].n_bytes);
        inputs_fill(specs[i].kind, bytes, specs[i].n_bytes, 1000 + i);
        test.inputs[i] = bytes;
        test.sizes[i] = specs[i].n_bytes;
        test.capacities[i] = rp_compress_bound(specs[i].n_bytes);
        if (specs[i].n_bytes > test.max_input_bytes)
            test.max_input_bytes = specs[i].n_bytes;
    }
    return test;
}

static void free_batch(batch_test *test)
{
    for (size_t i = 0; i < test->n_inputs; i++)
        free((void *)test->inputs[i]);
}

/* The workspace is filled with `garbage` before. */
static batch_result run_batch(const batch_test *test, rp_device *device, stages which,
                              uint8_t garbage)
{
    batch_result result;
    memset(&result, 0, sizeof(result));
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    options.effort = test_effort();
    options.flags = test->flags;
    size_t n_bytes = rp_workspace_size(test->max_input_bytes, test->n_inputs, options.effort);
    result.workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, n_bytes);
    assert_non_null(result.workspace);
    memset(result.workspace, garbage, n_bytes);
    result.buffers.struct_size = sizeof(result.buffers);
    assert_int_equal(rp_workspace_carve(result.workspace, n_bytes, test->max_input_bytes,
                                        test->n_inputs, options.effort, &result.buffers),
                     RP_STATUS_OK);
    for (size_t i = 0; i < test->n_inputs; i++) {
        result.outputs[i] = allocate(test->capacities[i]);
        memset(result.outputs[i], garbage, test->capacities[i]);
    }
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = test->inputs,
        .d_input_sizes = test->sizes,
        .max_input_bytes = test->max_input_bytes,
        .n_inputs = test->n_inputs,
        .d_outputs = result.outputs,
        .d_output_capacities = test->capacities,
        .d_output_sizes = result.output_sizes,
        .d_statuses = result.statuses,
    };
    rp_stream stream = {device, NULL};
    rp_stream host_stream = {host, NULL};
    rp_status status = rp_launch_lz77_matcher(&batch, &result.buffers, &options,
                                              which == ALL_STAGES ? stream : host_stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_huffman_encoder(&batch, &result.buffers, &options, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_fse_encoder(&batch, &result.buffers, &options, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_frame_assembler(&batch, &result.buffers, &options, stream);
    if (status != RP_STATUS_OK)
        fail_msg("%s: %s", rp_status_name(status),
                 device == host ? "host" : team_device_error(device));
    return result;
}

static void free_result(batch_result *result)
{
    free(result->workspace);
    for (size_t i = 0; i < MAX_INPUTS; i++)
        free(result->outputs[i]);
}

static void compare_bytes(const char *what, size_t index, const void *a, const void *b, size_t n)
{
    if (n != 0 && memcmp(a, b, n) != 0)
        fail_msg("%s %zu: not the same as the host's", what, index);
}

static void compare_zstd_block(const rp_stage_buffers *a, const rp_stage_buffers *b, size_t c)
{
    const rp_zstd_block *zstd_block = &a->d_zstd_blocks[c];
    compare_bytes("sizes of zstd block", c, zstd_block, &b->d_zstd_blocks[c], sizeof(*zstd_block));
    compare_bytes("sequences of zstd block", c, a->d_sequences + c * a->sequences_stride,
                  b->d_sequences + c * a->sequences_stride,
                  zstd_block->n_sequences * sizeof(rp_sequence));
    compare_bytes("literals of zstd block", c, a->d_literals + c * a->literals_stride,
                  b->d_literals + c * a->literals_stride, zstd_block->n_literals);
    compare_bytes("literals section of zstd block", c,
                  a->d_literals_sections + c * a->literals_section_stride,
                  b->d_literals_sections + c * a->literals_section_stride,
                  zstd_block->literals_section_bytes);
    compare_bytes("sequences section of zstd block", c,
                  a->d_sequences_sections + c * a->sequences_section_stride,
                  b->d_sequences_sections + c * a->sequences_section_stride,
                  zstd_block->sequences_section_bytes);
}

static void compare_results(const batch_test *test, const batch_result *a, const batch_result *b)
{
    for (size_t c = 0; c < a->buffers.n_zstd_blocks; c++)
        compare_zstd_block(&a->buffers, &b->buffers, c);
    for (size_t i = 0; i < test->n_inputs; i++) {
        assert_int_equal(a->statuses[i], b->statuses[i]);
        assert_int_equal(a->output_sizes[i], b->output_sizes[i]);
        compare_bytes("frame", i, a->outputs[i], b->outputs[i], a->output_sizes[i]);
    }
}

/* One batch on teams of many sizes. */
static void check_batch(const batch_test *test, team_device_kind kind, stages which,
                        const uint32_t *sizes, size_t n_sizes, uint32_t n_seeds)
{
    batch_result expected = run_batch(test, host, ALL_STAGES, 0);
    for (size_t i = 0; i < n_sizes; i++) {
        rp_device *device = team_device_open(kind, sizes[i], 0);
        assert_non_null(device);
        for (uint32_t seed = 1; seed <= n_seeds; seed++) {
            team_device_seed(device, seed * 1000 + sizes[i]);
            batch_result actual = run_batch(test, device, which, (uint8_t)(seed * 0x55));
            compare_results(test, &expected, &actual);
            free_result(&actual);
        }
        rp_device_close(device);
    }
    free_result(&expected);
}

static void check_inputs(const input_spec *specs, size_t n, uint32_t flags, team_device_kind kind,
                         stages which, const uint32_t *sizes, size_t n_sizes, uint32_t n_seeds)
{
    batch_test test = make_batch(specs, n, flags);
    check_batch(&test, kind, which, sizes, n_sizes, n_seeds);
    free_batch(&test);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint32_t thread_sizes[] = {1, 2, 4, 32};
static const uint32_t shuffled_sizes[] = {2, 3, 4, 7, 32, 128};
/* Where turns are slow, without the last one, which has most of them. */
#define N_SHUFFLED_SIZES (COUNT(shuffled_sizes) - TEAM_DEVICE_SLOW_TURNS)

/* Sequences of all kinds in a few hundred bytes. */
static const input_spec small_inputs[] = {
    {INPUTS_RECORDS, 700}, {INPUTS_TEXT, 600},     {INPUTS_RUNS, 400}, {INPUTS_EQUAL, 300},
    {INPUTS_NOISE, 300},   {INPUTS_PERIOD_3, 300}, {INPUTS_KEYS, 500}, {INPUTS_MIXED, 800},
};

/* Inputs that no stage may stumble on. */
static const input_spec tiny_inputs[] = {
    {INPUTS_NOISE, 0}, {INPUTS_NOISE, 1}, {INPUTS_EQUAL, 2},     {INPUTS_EQUAL, 4},
    {INPUTS_EQUAL, 7}, {INPUTS_TEXT, 23}, {INPUTS_PERIOD_2, 33}, {INPUTS_TWO_SYMBOLS, 65},
};

/* Four Huffman streams, every kind of table, raw and RLE literals, more than 127 sequences. */
static const input_spec medium_inputs[] = {
    {INPUTS_RECORDS, 6000},   {INPUTS_TEXT, 5000},  {INPUTS_HEX, 4000},    {INPUTS_FIBONACCI, 4000},
    {INPUTS_GEOMETRIC, 3000}, {INPUTS_NOISE, 3000}, {INPUTS_SPARSE, 4000}, {INPUTS_MIXED, 8000},
};

static void test_threads_small(void **state)
{
    (void)state;
    check_inputs(small_inputs, COUNT(small_inputs), RP_COMPRESS_CHECKSUM, TEAM_DEVICE_THREADS,
                 ALL_STAGES, thread_sizes, COUNT(thread_sizes), 1);
}

static void test_threads_tiny(void **state)
{
    (void)state;
    check_inputs(tiny_inputs, COUNT(tiny_inputs), 0, TEAM_DEVICE_THREADS, ALL_STAGES, thread_sizes,
                 COUNT(thread_sizes), 1);
}

static void test_threads_4k(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {2, 4};
    static const input_spec inputs[] = {{INPUTS_RECORDS, 4096}, {INPUTS_KEYS, 2000}};
    check_inputs(inputs, COUNT(inputs), 0, TEAM_DEVICE_THREADS, ALL_STAGES, sizes, COUNT(sizes), 1);
}

static void test_threads_entropy(void **state)
{
    (void)state;
    check_inputs(medium_inputs, COUNT(medium_inputs), RP_COMPRESS_CHECKSUM, TEAM_DEVICE_THREADS,
                 WITHOUT_MATCHER, thread_sizes, COUNT(thread_sizes), 2);
}

static void test_shuffled_small(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    check_inputs(small_inputs, COUNT(small_inputs), 0, TEAM_DEVICE_SHUFFLED, ALL_STAGES,
                 shuffled_sizes, N_SHUFFLED_SIZES, 4);
    check_inputs(tiny_inputs, COUNT(tiny_inputs), RP_COMPRESS_CHECKSUM, TEAM_DEVICE_SHUFFLED,
                 ALL_STAGES, shuffled_sizes, N_SHUFFLED_SIZES, 4);
}

static void test_shuffled_medium(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    check_inputs(medium_inputs, COUNT(medium_inputs), 0, TEAM_DEVICE_SHUFFLED, ALL_STAGES,
                 shuffled_sizes, N_SHUFFLED_SIZES, 1);
    /* These are cheap, and the order of ranks matters most here. */
    check_inputs(medium_inputs, COUNT(medium_inputs), 0, TEAM_DEVICE_SHUFFLED, WITHOUT_MATCHER,
                 shuffled_sizes, N_SHUFFLED_SIZES, 5);
}

static void test_shuffled_every_kind(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    static const uint32_t sizes[] = {3, 32};
    for (int kind = 0; kind < INPUTS_N_KINDS; kind++) {
        input_spec inputs[] = {{(inputs_kind)kind, 3000}, {(inputs_kind)kind, 257}};
        check_inputs(inputs, COUNT(inputs), 0, TEAM_DEVICE_SHUFFLED, ALL_STAGES, sizes,
                     COUNT(sizes), 1);
    }
}

static void test_shuffled_20k(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    static const uint32_t sizes[] = {4, 32};
    static const input_spec inputs[] = {{INPUTS_RECORDS, 20000}, {INPUTS_MIXED, 16384}};
    check_inputs(inputs, COUNT(inputs), 0, TEAM_DEVICE_SHUFFLED, ALL_STAGES, sizes,
                 COUNT(sizes) - TEAM_DEVICE_SLOW_TURNS, 1);
}

/* Several zstd blocks in a frame; the second one has unknown repeat offsets, and positions
 * beyond 16 bits occur. */
static void test_shuffled_zstd_blocks(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    static const uint32_t sizes[] = {7, 32};
    static const input_spec inputs[] = {
        {INPUTS_FAR_COPIES, RP_ZSTD_BLOCK_BYTES + 3000},
        {INPUTS_EQUAL, 2 * RP_ZSTD_BLOCK_BYTES + 1},
        {INPUTS_TEXT, 5000},
    };
    check_inputs(inputs, COUNT(inputs), RP_COMPRESS_CHECKSUM, TEAM_DEVICE_SHUFFLED, ALL_STAGES,
                 sizes, COUNT(sizes) - TEAM_DEVICE_SLOW_TURNS, 1);
}

/* An output that is too small and an input that is too large, beside good ones. */
static void check_faulty_batch(team_device_kind kind)
{
    batch_test test = make_batch(medium_inputs, 5, RP_COMPRESS_CHECKSUM);
    test.max_input_bytes = 5000;
    test.capacities[2] = 100;
    test.capacities[4] = 0;
    check_batch(&test, kind, WITHOUT_MATCHER, thread_sizes, COUNT(thread_sizes), 1);
    batch_result result = run_batch(&test, host, ALL_STAGES, 0);
    static const rp_status expected[] = {RP_STATUS_INPUT_TOO_LARGE, RP_STATUS_OK,
                                         RP_STATUS_OUTPUT_TOO_SMALL, RP_STATUS_OK,
                                         RP_STATUS_OUTPUT_TOO_SMALL};
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_int_equal(result.statuses[i], expected[i]);
    free_result(&result);
    free_batch(&test);
}

static void test_faulty_batch(void **state)
{
    (void)state;
    check_faulty_batch(TEAM_DEVICE_THREADS);
}

static void test_shuffled_faulty_batch(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    check_faulty_batch(TEAM_DEVICE_SHUFFLED);
}

/* The call for one input, which has no arrays on the device. */
static void check_single(team_device_kind kind)
{
    batch_test test = make_batch(&(input_spec){INPUTS_RECORDS, 900}, 1, RP_COMPRESS_CHECKSUM);
    batch_result expected = run_batch(&test, host, ALL_STAGES, 0);
    rp_device *device = team_device_open(kind, 4, 1);
    assert_non_null(device);
    rp_stream stream = {device, NULL};
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    options.effort = test_effort();
    options.flags = test.flags;
    size_t n_bytes = rp_workspace_size(test.sizes[0], 1, options.effort);
    void *workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, n_bytes);
    uint8_t *output = allocate(test.capacities[0]);
    size_t output_size = 0;
    rp_status status = RP_STATUS_INTERNAL;
    assert_int_equal(rp_compress_async(workspace, n_bytes, test.inputs[0], test.sizes[0], output,
                                       test.capacities[0], &output_size, &status, &options, stream),
                     RP_STATUS_OK);
    assert_int_equal(status, RP_STATUS_OK);
    assert_int_equal(output_size, expected.output_sizes[0]);
    assert_memory_equal(output, expected.outputs[0], output_size);
    free(workspace);
    free(output);
    rp_device_close(device);
    free_result(&expected);
    free_batch(&test);
}

static void test_single(void **state)
{
    (void)state;
    check_single(TEAM_DEVICE_THREADS);
}

static void test_shuffled_single(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    check_single(TEAM_DEVICE_SHUFFLED);
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_tiny),
        cmocka_unit_test(test_threads_small),
        cmocka_unit_test(test_threads_4k),
        cmocka_unit_test(test_threads_entropy),
        cmocka_unit_test(test_single),
        cmocka_unit_test(test_shuffled_single),
        cmocka_unit_test(test_faulty_batch),
        cmocka_unit_test(test_shuffled_faulty_batch),
        cmocka_unit_test(test_shuffled_small),
        cmocka_unit_test(test_shuffled_medium),
        cmocka_unit_test(test_shuffled_every_kind),
        cmocka_unit_test(test_shuffled_20k),
        cmocka_unit_test(test_shuffled_zstd_blocks),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
