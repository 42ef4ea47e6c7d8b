/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every argument error of rp_compress_async() and rp_compress_batch_async(): the right status, a
 * text that names the wrong value and what is allowed, and nothing enqueued.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/cases.h"

#include "tests/support/argument_checks.h"

/* The arguments of rp_compress_async(). */
typedef struct single {
    void *d_workspace;
    size_t workspace_size;
    const void *d_input;
    size_t input_size;
    void *d_output;
    size_t output_capacity;
    size_t *d_output_size;
    rp_status *d_status;
    rp_compress_options options;
    rp_stream stream;
} single;

static size_t result_bytes;
static rp_status result_status;

static single working_single(void)
{
    single s = {workspace,
                workspace_bytes,
                input,
                INPUT_BYTES,
                outputs[0],
                sizeof(outputs[0]),
                &result_bytes,
                &result_status,
                {
                    .struct_size = sizeof(rp_compress_options),
                    .effort = RP_EFFORT_FAST,
                    .flags = 0,
                    .error = &error,
                },
                stream};
    return s;
}

static rp_status run_single(const single *s)
{
    return rp_compress_async(s->d_workspace, s->workspace_size, s->d_input, s->input_size,
                             s->d_output, s->output_capacity, s->d_output_size, s->d_status,
                             &s->options, s->stream);
}

static void test_single(void **state)
{
    (void)state;
    single s = working_single();
    s.stream.device = NULL;
    EXPECT(run_single(&s), RP_STATUS_INVALID_STREAM, "NULL");
    rp_device no_table = {sizeof(rp_device), NULL, "none", 0, NULL};
    s.stream.device = &no_table;
    EXPECT(run_single(&s), RP_STATUS_INVALID_STREAM, "NULL");
    s = working_single();
    s.options.effort = (rp_effort)0;
    EXPECT(run_single(&s), RP_STATUS_INVALID_EFFORT, "effort 0", "1 (fast)");
    s.options.effort = (rp_effort)77;
    EXPECT(run_single(&s), RP_STATUS_INVALID_EFFORT, "effort 77", "1 (fast)");
    s = working_single();
    s.options.flags = UINT32_C(0x80000001);
    EXPECT(run_single(&s), RP_STATUS_INVALID_FLAGS, "0x80000001", "0x3");
    s = working_single();
    s.options.flags = RP_COMPRESS_VERIFY;
    EXPECT(run_single(&s), RP_STATUS_NULL_POINTER, "d_proofs");
    s = working_single();
    s.input_size = RP_MAX_INPUT_BYTES + 1;
    EXPECT(run_single(&s), RP_STATUS_INPUT_TOO_LARGE, "1073741825", "1073741824");
    s.input_size = SIZE_MAX;
    EXPECT(run_single(&s), RP_STATUS_INPUT_TOO_LARGE, "18446744073709551615", "1073741824");
    s = working_single();
    s.d_workspace = NULL;
    EXPECT(run_single(&s), RP_STATUS_NULL_POINTER, "d_workspace");
    for (size_t shift = 1; shift < RP_WORKSPACE_ALIGNMENT; shift *= 2) {
        char address[32];
        s = working_single();
        s.d_workspace = workspace + shift;
        snprintf(address, sizeof(address), "%p", s.d_workspace);
        EXPECT(run_single(&s), RP_STATUS_WORKSPACE_MISALIGNED, address, "256");
    }
    s = working_single();
    size_t needed = rp_workspace_size(INPUT_BYTES, 1, RP_EFFORT_FAST);
    size_t too_small[] = {0, 1, needed - 1};
    char needed_text[32];
    snprintf(needed_text, sizeof(needed_text), "%zu", needed);
    for (size_t i = 0; i < 3; i++) {
        char text[32];
        s.workspace_size = too_small[i];
        snprintf(text, sizeof(text), "%zu", too_small[i]);
        EXPECT(run_single(&s), RP_STATUS_WORKSPACE_TOO_SMALL, text, needed_text);
    }
    s = working_single();
    s.d_input = NULL;
    EXPECT(run_single(&s), RP_STATUS_NULL_POINTER, "d_input", "300");
    s = working_single();
    s.d_output = NULL;
    EXPECT(run_single(&s), RP_STATUS_NULL_POINTER, "d_output", "512");
    s = working_single();
    s.d_output_size = NULL;
    EXPECT(run_single(&s), RP_STATUS_NULL_POINTER, "d_output_size");
    s = working_single();
    s.d_status = NULL;
    EXPECT(run_single(&s), RP_STATUS_NULL_POINTER, "d_status");
}

static void test_single_overlap(void **state)
{
    (void)state;
    uint8_t both[2 * INPUT_BYTES] = {0};
    single s = working_single();
    s.d_input = both;
    s.d_output = both + INPUT_BYTES - 1;
    s.output_capacity = INPUT_BYTES;
    EXPECT(run_single(&s), RP_STATUS_OVERLAP, "overlap");
    s.d_output = both;
    s.d_input = both + INPUT_BYTES - 1;
    EXPECT(run_single(&s), RP_STATUS_OVERLAP, "overlap");
    s.d_input = both + 10;
    s.input_size = 1;
    EXPECT(run_single(&s), RP_STATUS_OVERLAP, "overlap");
    s = working_single();
    s.d_input = workspace + s.workspace_size - 1;
    EXPECT(run_single(&s), RP_STATUS_OVERLAP, "overlap");
    s = working_single();
    s.d_output = workspace + 1000;
    EXPECT(run_single(&s), RP_STATUS_OVERLAP, "overlap");
}

/* What is next to an error is allowed. */
static void test_single_limits(void **state)
{
    (void)state;
    single s = working_single();
    s.workspace_size = rp_workspace_size(INPUT_BYTES, 1, RP_EFFORT_FAST);
    assert_int_equal(run_single(&s), RP_STATUS_OK);
    assert_int_equal(result_status, RP_STATUS_OK);
    assert_int_equal(atomic_load(&counting.n_launches), 4);
    uint8_t both[2 * INPUT_BYTES] = {0};
    s.d_input = both;
    s.d_output = both + INPUT_BYTES;
    s.output_capacity = INPUT_BYTES;
    rp_proof proof = {0, 0};
    s.options.flags = RP_COMPRESS_FLAGS_ALL;
    s.options.d_proofs = &proof;
    assert_int_equal(run_single(&s), RP_STATUS_OK);
    assert_int_equal(result_status, RP_STATUS_OK);
    assert_true(proof.input_hash != 0 && proof.frame_hash != 0);
    s.d_output = NULL;
    s.output_capacity = 0;
    assert_int_equal(run_single(&s), RP_STATUS_OK);
    assert_int_equal(result_status, RP_STATUS_OUTPUT_TOO_SMALL);
    s = working_single();
    s.d_input = NULL;
    s.input_size = 0;
    assert_int_equal(run_single(&s), RP_STATUS_OK);
    assert_int_equal(result_status, RP_STATUS_OK);
    assert_int_equal(rp_compress_async(s.d_workspace, s.workspace_size, input, 10, outputs[0], 512,
                                       &result_bytes, &result_status, NULL, stream),
                     RP_STATUS_OK);
    /* A caller who wants no text gets the same status. */
    s.options.error = NULL;
    s.options.effort = (rp_effort)9;
    assert_int_equal(run_single(&s), RP_STATUS_INVALID_EFFORT);
    atomic_store(&counting.n_launches, 0);
}

static void test_batch(void **state)
{
    (void)state;
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = RP_EFFORT_FAST,
        .flags = 0,
        .error = &error,
    };
    rp_stream no_stream = {NULL, NULL};
    rp_batch batch = working_batch();
#define RUN() rp_compress_batch_async(workspace, workspace_bytes, &batch, &options, stream)
    EXPECT(rp_compress_batch_async(workspace, workspace_bytes, &batch, &options, no_stream),
           RP_STATUS_INVALID_STREAM, "NULL");
    EXPECT(rp_compress_batch_async(workspace, workspace_bytes, NULL, &options, stream),
           RP_STATUS_NULL_POINTER, "batch");
    EXPECT(rp_compress_batch_async(NULL, workspace_bytes, &batch, &options, stream),
           RP_STATUS_NULL_POINTER, "d_workspace");
    EXPECT(rp_compress_batch_async(workspace + 16, workspace_bytes, &batch, &options, stream),
           RP_STATUS_WORKSPACE_MISALIGNED, "256");
    char texts[2][32];
    snprintf(texts[0], sizeof(texts[0]), "%zu", workspace_bytes - 1);
    snprintf(texts[1], sizeof(texts[1]), "%zu", workspace_bytes);
    EXPECT(rp_compress_batch_async(workspace, workspace_bytes - 1, &batch, &options, stream),
           RP_STATUS_WORKSPACE_TOO_SMALL, texts[0], texts[1], "3 inputs", "300 bytes");
    options.effort = (rp_effort)-1;
    EXPECT(RUN(), RP_STATUS_INVALID_EFFORT, "effort -1", "1 (fast)");
    options.effort = RP_EFFORT_FAST;
    options.flags = RP_COMPRESS_FLAGS_ALL + 1;
    EXPECT(RUN(), RP_STATUS_INVALID_FLAGS, "0x4", "0x3");
    options.flags = RP_COMPRESS_VERIFY;
    EXPECT(RUN(), RP_STATUS_NULL_POINTER, "d_proofs");
    options.flags = 0;
    batch.d_deliveries = batch.d_outputs;
    EXPECT(RUN(), RP_STATUS_INVALID_OPTION, "d_deliveries", "RP_COMPRESS_VERIFY");
    for (int which = 0; which < 7; which++) {
        batch = working_batch();
        const char *name = spoil_array(&batch, which);
        EXPECT(RUN(), RP_STATUS_NULL_POINTER, name);
    }
    batch = working_batch();
    batch.n_inputs = 0;
    EXPECT(RUN(), RP_STATUS_INVALID_BATCH_SIZE, "batch of 0 inputs", "1 to 1048576");
    batch.n_inputs = RP_MAX_BATCH_INPUTS + 1;
    EXPECT(RUN(), RP_STATUS_INVALID_BATCH_SIZE, "1048577", "1 to 1048576");
    batch.n_inputs = SIZE_MAX;
    EXPECT(RUN(), RP_STATUS_INVALID_BATCH_SIZE, "18446744073709551615", "1 to 1048576");
    /* 2^20 inputs of 8192 zstd blocks are more than a launch can count. */
    batch.n_inputs = RP_MAX_BATCH_INPUTS;
    batch.max_input_bytes = RP_MAX_INPUT_BYTES;
    EXPECT(RUN(), RP_STATUS_INVALID_BATCH_SIZE, "1073741824", "2147483647");
    batch = working_batch();
    batch.max_input_bytes = RP_MAX_INPUT_BYTES + 1;
    EXPECT(RUN(), RP_STATUS_INPUT_TOO_LARGE, "1073741825", "1073741824");
    batch = working_batch();
    assert_int_equal(RUN(), RP_STATUS_OK);
    for (int i = 0; i < N_INPUTS; i++)
        assert_int_equal(batch_statuses[i], RP_STATUS_OK);
    atomic_store(&counting.n_launches, 0);
#undef RUN
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single),
        cmocka_unit_test(test_single_overlap),
        cmocka_unit_test(test_single_limits),
        cmocka_unit_test(test_batch),
    };
    return RUN_CASES(argc, argv, tests, set_up_arguments, tear_down_arguments);
}
