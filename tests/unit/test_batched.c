/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch API of nvCOMP's shape on the host device, whose memory is the host's: frames are those
 * of the engine and decode, no byte is written outside of the temporary memory and of what the
 * query says for an output, and every argument error is found before anything is enqueued.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"
#include <zstd.h>

#include "rockpress/batched.h"
#include "tests/differential/counting_device.h"
#include "tests/support/inputs.h"

#define N_INPUTS 7
#define MAX_BYTES 5000
#define GUARD_BYTES 64
#define GUARD 0xB7

static counting_device counting;
static rp_stream stream;
static rp_error error;

typedef struct batch {
    size_t max_bytes;
    const void *inputs[N_INPUTS];
    size_t sizes[N_INPUTS];
    void *outputs[N_INPUTS];
    size_t output_bytes; /* of each, what the query says */
    size_t frame_bytes[N_INPUTS];
    rp_status statuses[N_INPUTS];
    uint8_t *temp;
    size_t temp_bytes;
    rp_compress_options options;
} batch;

static int set_up(void **state)
{
    (void)state;
    counting_device_open(&counting, RP_DEVICE_HOST_MEMORY);
    return rp_stream_create(&counting.device, &stream) != RP_STATUS_OK;
}

static int tear_down(void **state)
{
    (void)state;
    rp_stream_destroy(stream);
    counting_device_close(&counting);
    return 0;
}

static uint8_t *guarded(size_t alignment, size_t n_bytes)
{
    size_t rounded = (n_bytes + GUARD_BYTES + alignment - 1) / alignment * alignment;
    uint8_t *memory = aligned_alloc(alignment, rounded);
    assert_non_null(memory);
    memset(memory + n_bytes, GUARD, GUARD_BYTES);
    return memory;
}

static void check_guard(const uint8_t *memory, size_t n_bytes)
{
    for (size_t i = 0; i < GUARD_BYTES; i++)
        assert_int_equal(memory[n_bytes + i], GUARD);
}

static void batch_open(batch *b, size_t max_bytes, rp_effort effort)
{
    memset(b, 0, sizeof(*b));
    b->max_bytes = max_bytes;
    const rp_compress_options options = {
        .struct_size = sizeof(options), .effort = effort, .error = &error};
    b->options = options;
    rp_batched_alignments alignments = RP_BATCHED_ALIGNMENTS_INIT;
    assert_int_equal(rp_batched_compress_get_required_alignments(&b->options, &alignments),
                     RP_STATUS_OK);
    assert_int_equal(
        rp_batched_compress_get_max_output_chunk_size(max_bytes, &b->options, &b->output_bytes),
        RP_STATUS_OK);
    assert_int_equal(rp_batched_compress_get_temp_size_async(N_INPUTS, max_bytes, &b->options,
                                                             &b->temp_bytes, N_INPUTS * max_bytes),
                     RP_STATUS_OK);
    b->temp = guarded(alignments.temp, b->temp_bytes);
    static const inputs_kind kinds[] = {INPUTS_TEXT, INPUTS_RECORDS, INPUTS_NOISE, INPUTS_MIXED};
    for (size_t i = 0; i < N_INPUTS; i++) {
        b->sizes[i] = i == 0 ? 0 : max_bytes * i / (N_INPUTS - 1);
        /* Any address is good for an input and for an output, which the alignments say. */
        uint8_t *input = malloc(b->sizes[i] + i);
        assert_true(input != NULL || b->sizes[i] + i == 0);
        if (b->sizes[i] != 0)
            inputs_fill(kinds[i % 4], input + i * (alignments.input == 1), b->sizes[i], i);
        b->inputs[i] = input == NULL ? NULL : input + i * (alignments.input == 1);
        b->outputs[i] = guarded(alignments.output, b->output_bytes);
    }
}

static void batch_close(batch *b)
{
    check_guard(b->temp, b->temp_bytes);
    free(b->temp);
    for (size_t i = 0; i < N_INPUTS; i++) {
        check_guard(b->outputs[i], b->output_bytes);
        free(b->outputs[i]);
        free(b->inputs[i] == NULL ? NULL : (uint8_t *)(uintptr_t)b->inputs[i] - i);
    }
}

static rp_status run(batch *b, rp_status *d_statuses)
{
    return rp_batched_compress_async(b->inputs, b->sizes, b->max_bytes, N_INPUTS, b->temp,
                                     b->temp_bytes, b->outputs, b->frame_bytes, &b->options,
                                     d_statuses, stream);
}

static void check_frame(const batch *b, size_t i)
{
    uint8_t *decoded = malloc(b->sizes[i] + 1);
    assert_non_null(decoded);
    size_t n = ZSTD_decompress(decoded, b->sizes[i] + 1, b->outputs[i], b->frame_bytes[i]);
    assert_int_equal(n, b->sizes[i]);
    if (n != 0)
        assert_memory_equal(decoded, b->inputs[i], n);
    free(decoded);
}

/* The engine's own batch, which has capacities, gives the same bytes. */
static void check_against_engine(const batch *b)
{
    size_t n_workspace = rp_workspace_size(b->max_bytes, N_INPUTS, b->options.effort);
    void *workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, n_workspace);
    void *outputs[N_INPUTS];
    size_t capacities[N_INPUTS];
    size_t frame_bytes[N_INPUTS];
    rp_status statuses[N_INPUTS];
    for (size_t i = 0; i < N_INPUTS; i++) {
        capacities[i] = rp_compress_bound(b->sizes[i]);
        outputs[i] = malloc(capacities[i]);
    }
    rp_batch engine = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = b->inputs,
        .d_input_sizes = b->sizes,
        .max_input_bytes = b->max_bytes,
        .n_inputs = N_INPUTS,
        .d_outputs = outputs,
        .d_output_capacities = capacities,
        .d_output_sizes = frame_bytes,
        .d_statuses = statuses,
    };
    assert_int_equal(rp_compress_batch_async(workspace, n_workspace, &engine, &b->options, stream),
                     RP_STATUS_OK);
    for (size_t i = 0; i < N_INPUTS; i++) {
        assert_int_equal(statuses[i], RP_STATUS_OK);
        assert_int_equal(frame_bytes[i], b->frame_bytes[i]);
        assert_memory_equal(outputs[i], b->outputs[i], frame_bytes[i]);
        free(outputs[i]);
    }
    free(workspace);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 300, MAX_BYTES, 2 * RP_ZSTD_BLOCK_BYTES + 77};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        for (rp_effort effort = RP_EFFORT_FAST; effort <= RP_EFFORT_MAX; effort++) {
            batch b;
            batch_open(&b, sizes[s], effort);
            b.options.flags = s % 2 == 0 ? 0 : RP_COMPRESS_CHECKSUM;
            assert_int_equal(run(&b, b.statuses), RP_STATUS_OK);
            for (size_t i = 0; i < N_INPUTS; i++) {
                assert_int_equal(b.statuses[i], RP_STATUS_OK);
                check_frame(&b, i);
            }
            check_against_engine(&b);
            batch_close(&b);
        }
    }
}

static void test_proven(void **state)
{
    (void)state;
    rp_proof proofs[N_INPUTS];
    batch b;
    batch_open(&b, MAX_BYTES, RP_EFFORT_FAST);
    memset(proofs, 0x7E, sizeof(proofs));
    b.options.flags = RP_COMPRESS_VERIFY;
    b.options.d_proofs = proofs;
    assert_int_equal(run(&b, b.statuses), RP_STATUS_OK);
    for (size_t i = 0; i < N_INPUTS; i++) {
        assert_int_equal(b.statuses[i], RP_STATUS_OK);
        check_frame(&b, i);
        assert_int_equal(
            rp_check_proof(&proofs[i], b.inputs[i], b.sizes[i], b.outputs[i], b.frame_bytes[i]),
            RP_STATUS_OK);
    }
    batch_close(&b);
}

/* As with nvCOMP 4, which has none: a size of 0 says that there is no frame. */
static void test_without_statuses(void **state)
{
    (void)state;
    batch b;
    batch_open(&b, MAX_BYTES, RP_EFFORT_FAST);
    size_t too_large = b.sizes[2];
    b.sizes[2] = MAX_BYTES + 1;
    assert_int_equal(run(&b, NULL), RP_STATUS_OK);
    assert_int_equal(b.frame_bytes[2], 0);
    b.sizes[2] = too_large;
    for (size_t i = 0; i < N_INPUTS; i++) {
        if (i != 2)
            check_frame(&b, i);
    }
    batch_close(&b);
}

/* The same, said by the status of that input; the others are as ever. */
static void test_input_larger_than_announced(void **state)
{
    (void)state;
    batch b;
    batch_open(&b, MAX_BYTES, RP_EFFORT_DEFAULT);
    size_t too_large = b.sizes[5];
    b.sizes[5] = SIZE_MAX;
    assert_int_equal(run(&b, b.statuses), RP_STATUS_OK);
    b.sizes[5] = too_large;
    for (size_t i = 0; i < N_INPUTS; i++) {
        assert_int_equal(b.statuses[i], i == 5 ? RP_STATUS_INPUT_TOO_LARGE : RP_STATUS_OK);
        if (i == 5)
            assert_int_equal(b.frame_bytes[i], 0);
        else
            check_frame(&b, i);
    }
    batch_close(&b);
}

/* One error in otherwise good arguments: its status, its text, nothing enqueued. */
static void refuse(batch *b, rp_status expected, const char *word)
{
    atomic_store(&counting.n_launches, 0);
    memset(&error, 0x7E, sizeof(error));
    assert_int_equal(run(b, b->statuses), expected);
    assert_int_equal(counting_device_enqueued(&counting), 0);
    assert_non_null(memchr(error.message, 0, sizeof(error.message)));
    if (strstr(error.message, word) == NULL)
        fail_msg("no \"%s\" in \"%s\"", word, error.message);
}

static void test_errors(void **state)
{
    (void)state;
    batch good;
    batch_open(&good, MAX_BYTES, RP_EFFORT_HIGH);
    batch b = good;
    b.temp_bytes--;
    refuse(&b, RP_STATUS_WORKSPACE_TOO_SMALL, "temp_bytes");
    b = good;
    b.temp_bytes = 0;
    refuse(&b, RP_STATUS_WORKSPACE_TOO_SMALL, "temp_bytes 0");
    b = good;
    b.temp += RP_WORKSPACE_ALIGNMENT / 2;
    refuse(&b, RP_STATUS_WORKSPACE_MISALIGNED, "256");
    b = good;
    b.temp = NULL;
    refuse(&b, RP_STATUS_NULL_POINTER, "NULL");
    b = good;
    b.options.effort = (rp_effort)9;
    refuse(&b, RP_STATUS_INVALID_EFFORT, "9");
    b = good;
    b.options.flags = RP_COMPRESS_FLAGS_ALL + 1;
    refuse(&b, RP_STATUS_INVALID_FLAGS, "0x4");
    b = good;
    b.options.flags = RP_COMPRESS_VERIFY;
    refuse(&b, RP_STATUS_NULL_POINTER, "d_proofs");
    b = good;
    b.max_bytes = RP_MAX_INPUT_BYTES + 1;
    refuse(&b, RP_STATUS_INPUT_TOO_LARGE, "1073741825");
    /* The temporary memory that does for one more byte doesn't do for twice as many. */
    b = good;
    b.max_bytes = 2 * MAX_BYTES;
    refuse(&b, RP_STATUS_WORKSPACE_TOO_SMALL, "needed");
    batch_close(&good);
}

static void test_errors_of_arrays(void **state)
{
    (void)state;
    batch b;
    batch_open(&b, MAX_BYTES, RP_EFFORT_FAST);
    rp_stream none = {NULL, NULL};
    atomic_store(&counting.n_launches, 0);
#define RUN(inputs, sizes, outputs, frames, n, on)                                                 \
    rp_batched_compress_async(inputs, sizes, MAX_BYTES, n, b.temp, b.temp_bytes, outputs, frames,  \
                              &b.options, b.statuses, on)
    assert_int_equal(RUN(NULL, b.sizes, b.outputs, b.frame_bytes, N_INPUTS, stream),
                     RP_STATUS_NULL_POINTER);
    assert_non_null(strstr(error.message, "d_inputs"));
    assert_int_equal(RUN(b.inputs, NULL, b.outputs, b.frame_bytes, N_INPUTS, stream),
                     RP_STATUS_NULL_POINTER);
    assert_non_null(strstr(error.message, "d_input_sizes"));
    assert_int_equal(RUN(b.inputs, b.sizes, NULL, b.frame_bytes, N_INPUTS, stream),
                     RP_STATUS_NULL_POINTER);
    assert_non_null(strstr(error.message, "d_outputs"));
    assert_int_equal(RUN(b.inputs, b.sizes, b.outputs, NULL, N_INPUTS, stream),
                     RP_STATUS_NULL_POINTER);
    assert_non_null(strstr(error.message, "d_output_sizes"));
    assert_int_equal(RUN(b.inputs, b.sizes, b.outputs, b.frame_bytes, 0, stream),
                     RP_STATUS_INVALID_BATCH_SIZE);
    assert_int_equal(RUN(b.inputs, b.sizes, b.outputs, b.frame_bytes, SIZE_MAX, stream),
                     RP_STATUS_INVALID_BATCH_SIZE);
    /* A batch that is larger than the temporary memory was asked for. */
    assert_int_equal(RUN(b.inputs, b.sizes, b.outputs, b.frame_bytes, N_INPUTS + 1, stream),
                     RP_STATUS_WORKSPACE_TOO_SMALL);
    assert_int_equal(RUN(b.inputs, b.sizes, b.outputs, b.frame_bytes, N_INPUTS, none),
                     RP_STATUS_INVALID_STREAM);
    assert_int_equal(counting_device_enqueued(&counting), 0);
    assert_int_equal(RUN(b.inputs, b.sizes, b.outputs, b.frame_bytes, N_INPUTS, stream),
                     RP_STATUS_OK);
#undef RUN
    batch_close(&b);
}

static void test_queries(void **state)
{
    (void)state;
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    assert_int_equal(options.effort, RP_EFFORT_DEFAULT);
    assert_int_equal(options.flags, 0);
    assert_null(options.error);
    options.error = &error;
    size_t n = 1;
    size_t before = 0;
    for (size_t n_inputs = 1; n_inputs < 2000; n_inputs += 13) {
        assert_int_equal(rp_batched_compress_get_temp_size_async(n_inputs, 4096, &options, &n, 0),
                         RP_STATUS_OK);
        assert_true(n > before);
        assert_true(n >= rp_workspace_size(4096, n_inputs, RP_EFFORT_DEFAULT) +
                             n_inputs * sizeof(rp_status));
        before = n;
    }
    static const struct {
        size_t n_inputs;
        size_t bytes;
        rp_status expected;
    } cases[] = {
        {0, 4096, RP_STATUS_INVALID_BATCH_SIZE},
        {RP_MAX_BATCH_INPUTS + 1, 4096, RP_STATUS_INVALID_BATCH_SIZE},
        {SIZE_MAX, 4096, RP_STATUS_INVALID_BATCH_SIZE},
        {1, RP_MAX_INPUT_BYTES + 1, RP_STATUS_INPUT_TOO_LARGE},
        {1, SIZE_MAX, RP_STATUS_INPUT_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        n = 1;
        assert_int_equal(rp_batched_compress_get_temp_size_async(cases[i].n_inputs, cases[i].bytes,
                                                                 &options, &n, 0),
                         cases[i].expected);
        assert_int_equal(n, 0);
    }
    assert_int_equal(rp_batched_compress_get_max_output_chunk_size(SIZE_MAX, &options, &n),
                     RP_STATUS_INPUT_TOO_LARGE);
    assert_int_equal(n, 0);
    assert_int_equal(
        rp_batched_compress_get_max_output_chunk_size(RP_MAX_INPUT_BYTES, &options, &n),
        RP_STATUS_OK);
    assert_int_equal(n, rp_compress_bound(RP_MAX_INPUT_BYTES));
    assert_int_equal(rp_batched_compress_get_temp_size_async(1, 1, &options, NULL, 0),
                     RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_batched_compress_get_max_output_chunk_size(1, &options, NULL),
                     RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_batched_compress_get_required_alignments(&options, NULL),
                     RP_STATUS_NULL_POINTER);
    rp_batched_alignments alignments = RP_BATCHED_ALIGNMENTS_INIT;
    options.effort = (rp_effort)0;
    assert_int_equal(rp_batched_compress_get_required_alignments(&options, &alignments),
                     RP_STATUS_INVALID_EFFORT);
    assert_int_equal(rp_batched_compress_get_temp_size_async(1, 1, &options, &n, 0),
                     RP_STATUS_INVALID_EFFORT);
    assert_int_equal(rp_batched_compress_get_max_output_chunk_size(1, &options, &n),
                     RP_STATUS_INVALID_EFFORT);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),       cmocka_unit_test(test_proven),
        cmocka_unit_test(test_without_statuses), cmocka_unit_test(test_input_larger_than_announced),
        cmocka_unit_test(test_errors),           cmocka_unit_test(test_errors_of_arrays),
        cmocka_unit_test(test_queries),
    };
    return RUN_CASES(argc, argv, tests, set_up, tear_down);
}
