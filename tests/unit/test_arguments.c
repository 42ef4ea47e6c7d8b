/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every argument error of the engine and its stages: the right status, a text that names the
 * wrong value and what is allowed, and nothing enqueued. The device counts what it is asked for.
 * Each case starts from arguments that are known to work and spoils one of them, so a status can
 * only come from that one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/engine.h"
#include "tests/differential/counting_device.h"

#define INPUT_BYTES 300
#define N_INPUTS 3

static counting_device counting;
static rp_stream stream;
static rp_error error;
static uint8_t input[INPUT_BYTES];
static uint8_t outputs[N_INPUTS][512];
static uint8_t *workspace;
static size_t workspace_bytes;

static int set_up(void **state)
{
    (void)state;
    counting_device_open(&counting, RP_DEVICE_HOST_MEMORY);
    workspace_bytes = rp_workspace_size(INPUT_BYTES, N_INPUTS, RP_EFFORT_FAST);
    workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, workspace_bytes + RP_WORKSPACE_ALIGNMENT);
    return workspace == NULL || rp_stream_create(&counting.device, &stream) != RP_STATUS_OK;
}

static int tear_down(void **state)
{
    (void)state;
    rp_stream_destroy(stream);
    counting_device_close(&counting);
    free(workspace);
    return 0;
}

/* The status, the text and that nothing happened. `words` are what the text has to contain. */
static void expect(rp_status status, rp_status expected, const char *const *words)
{
    if (status != expected)
        fail_msg("%s, expected %s (\"%s\")", rp_status_name(status), rp_status_name(expected),
                 error.message);
    if (counting_device_enqueued(&counting) != 0)
        fail_msg("%s: %u operations were enqueued", rp_status_name(status),
                 counting_device_enqueued(&counting));
    assert_non_null(memchr(error.message, 0, sizeof(error.message)));
    for (; *words != NULL; words++) {
        if (strstr(error.message, *words) == NULL)
            fail_msg("%s: no \"%s\" in \"%s\"", rp_status_name(status), *words, error.message);
    }
}

#define EXPECT(call, expected, ...)                                                                \
    do {                                                                                           \
        const char *const words[] = {__VA_ARGS__, NULL};                                           \
        memset(&error, 0x7E, sizeof(error));                                                       \
        rp_status expect_status = (call);                                                          \
        expect(expect_status, expected, words);                                                    \
    } while (0)

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

static const void *batch_inputs[N_INPUTS] = {input, input, input};
static size_t batch_sizes[N_INPUTS] = {INPUT_BYTES, 0, 17};
static void *batch_outputs[N_INPUTS] = {outputs[0], outputs[1], outputs[2]};
static size_t batch_capacities[N_INPUTS] = {512, 512, 512};
static size_t batch_frame_bytes[N_INPUTS];
static rp_status batch_statuses[N_INPUTS];

static rp_batch working_batch(void)
{
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = batch_inputs,
        .d_input_sizes = batch_sizes,
        .max_input_bytes = INPUT_BYTES,
        .n_inputs = N_INPUTS,
        .d_outputs = batch_outputs,
        .d_output_capacities = batch_capacities,
        .d_output_sizes = batch_frame_bytes,
        .d_statuses = batch_statuses,
    };
    return batch;
}

/* One of the six arrays of a batch is NULL; its name comes back. */
static const char *spoil_array(rp_batch *batch, int which)
{
    switch (which) {
    case 0:
        batch->d_inputs = NULL;
        return "d_inputs";
    case 1:
        batch->d_input_sizes = NULL;
        return "d_input_sizes";
    case 2:
        batch->d_outputs = NULL;
        return "d_outputs";
    case 3:
        batch->d_output_capacities = NULL;
        return "d_output_capacities";
    case 4:
        batch->d_output_sizes = NULL;
        return "d_output_sizes";
    default:
        batch->d_statuses = NULL;
        return "d_statuses";
    }
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
    batch.d_deliveries = batch_outputs;
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

static void test_carve(void **state)
{
    (void)state;
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    size_t n = workspace_bytes;
    const struct {
        void *d_workspace;
        size_t workspace_size;
        size_t max_input_bytes;
        size_t n_inputs;
        int effort;
        bool no_buffers;
        rp_status expected;
    } cases[] = {
        {workspace, n, INPUT_BYTES, N_INPUTS, RP_EFFORT_FAST, false, RP_STATUS_OK},
        {NULL, n, INPUT_BYTES, N_INPUTS, RP_EFFORT_FAST, false, RP_STATUS_NULL_POINTER},
        {workspace, n, INPUT_BYTES, N_INPUTS, RP_EFFORT_FAST, true, RP_STATUS_NULL_POINTER},
        {workspace + 128, n, INPUT_BYTES, N_INPUTS, RP_EFFORT_FAST, false,
         RP_STATUS_WORKSPACE_MISALIGNED},
        {workspace, n, INPUT_BYTES, N_INPUTS, 0, false, RP_STATUS_INVALID_EFFORT},
        {workspace, n, RP_MAX_INPUT_BYTES + 1, 1, RP_EFFORT_FAST, false, RP_STATUS_INPUT_TOO_LARGE},
        {workspace, n, INPUT_BYTES, 0, RP_EFFORT_FAST, false, RP_STATUS_INVALID_BATCH_SIZE},
        {workspace, n, INPUT_BYTES, RP_MAX_BATCH_INPUTS + 1, RP_EFFORT_FAST, false,
         RP_STATUS_INVALID_BATCH_SIZE},
        {workspace, SIZE_MAX, RP_MAX_INPUT_BYTES, RP_MAX_BATCH_INPUTS, RP_EFFORT_FAST, false,
         RP_STATUS_INVALID_BATCH_SIZE},
        {workspace, n - 1, INPUT_BYTES, N_INPUTS, RP_EFFORT_FAST, false,
         RP_STATUS_WORKSPACE_TOO_SMALL},
        {workspace, 0, 0, 1, RP_EFFORT_FAST, false, RP_STATUS_WORKSPACE_TOO_SMALL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rp_status status = rp_workspace_carve(
            cases[i].d_workspace, cases[i].workspace_size, cases[i].max_input_bytes,
            cases[i].n_inputs, (rp_effort)cases[i].effort, cases[i].no_buffers ? NULL : &buffers);
        if (status != cases[i].expected)
            fail_msg("case %zu: %s", i, rp_status_name(status));
    }
}

typedef rp_status (*stage_function)(const rp_batch *batch, const rp_stage_buffers *buffers,
                                    const rp_compress_options *options, rp_stream on_stream);

static rp_stage_buffers working_buffers(void)
{
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    assert_int_equal(rp_workspace_carve(workspace, workspace_bytes, INPUT_BYTES, N_INPUTS,
                                        RP_EFFORT_FAST, &buffers),
                     RP_STATUS_OK);
    return buffers;
}

static void check_stage_buffers(stage_function launch)
{
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = RP_EFFORT_FAST,
        .flags = 0,
        .error = &error,
    };
    rp_batch batch = working_batch();
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    EXPECT(launch(&batch, NULL, &options, stream), RP_STATUS_NULL_POINTER, "buffers");
    for (int which = 0; which < 7; which++) {
        buffers = working_buffers();
        buffers.d_zstd_blocks = which == 0 ? NULL : buffers.d_zstd_blocks;
        buffers.d_sequences = which == 1 ? NULL : buffers.d_sequences;
        buffers.d_literals = which == 2 ? NULL : buffers.d_literals;
        buffers.d_literals_sections = which == 3 ? NULL : buffers.d_literals_sections;
        buffers.d_sequences_sections = which == 4 ? NULL : buffers.d_sequences_sections;
        buffers.d_scratch = which == 5 ? NULL : buffers.d_scratch;
        buffers.d_team_memory = which == 6 ? NULL : buffers.d_team_memory;
        EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_NULL_POINTER,
               "rp_workspace_carve()");
    }
    buffers = working_buffers();
    batch.n_inputs = N_INPUTS + 1;
    EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_INVALID_BATCH_SIZE, "4 inputs",
           "3 zstd blocks");
    batch.n_inputs = 0;
    EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_INVALID_BATCH_SIZE, "0 inputs");
    batch.n_inputs = RP_MAX_BATCH_INPUTS + 1;
    EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_INVALID_BATCH_SIZE, "1048577");
    batch = working_batch();
    buffers.zstd_blocks_per_input = 0;
    EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_INVALID_BATCH_SIZE,
           "0 for each input");
    buffers = working_buffers();
    buffers.n_zstd_blocks = 0;
    EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_INVALID_BATCH_SIZE,
           "0 zstd blocks");
    buffers = working_buffers();
    batch.max_input_bytes = INPUT_BYTES + 1;
    EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_INPUT_TOO_LARGE, "301", "300");
}

/* Each stride: one element, and what carving aligns to, below what the effort needs. */
static void check_stage_strides(stage_function launch)
{
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = RP_EFFORT_FAST,
        .flags = 0,
        .error = &error,
    };
    rp_batch batch = working_batch();
    static const char *const names[] = {"sequences_stride",        "literals_stride",
                                        "literals_section_stride", "sequences_section_stride",
                                        "scratch_stride",          "entry_points_stride"};
    for (size_t which = 0; which < sizeof(names) / sizeof(names[0]); which++) {
        for (int by = 0; by < 3; by++) {
            rp_stage_buffers buffers = working_buffers();
            size_t *const strides[] = {
                &buffers.sequences_stride,        &buffers.literals_stride,
                &buffers.literals_section_stride, &buffers.sequences_section_stride,
                &buffers.scratch_stride,          &buffers.entry_points_stride};
            size_t needed = *strides[which];
            size_t less = which == 0 ? 1 : RP_WORKSPACE_ALIGNMENT;
            *strides[which] = by == 0 ? needed - less : by == 1 ? needed - 1 : 0;
            char has[64];
            char allowed[64];
            snprintf(has, sizeof(has), "%s %zu ", names[which], *strides[which]);
            snprintf(allowed, sizeof(allowed), "from %zu on", needed);
            EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_WORKSPACE_TOO_SMALL, has,
                   allowed);
        }
    }
    rp_stage_buffers buffers = working_buffers();
    buffers.d_entry_points += 8;
    EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_WORKSPACE_MISALIGNED,
           "d_entry_points", "256");
    buffers = working_buffers();
    buffers.scratch_stride += 8;
    EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_WORKSPACE_TOO_SMALL,
           "multiples of 256");
    buffers = working_buffers();
    buffers.d_scratch += 8;
    EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_WORKSPACE_MISALIGNED, "d_scratch",
           "256");
    /* Larger zstd blocks than the strides are for. */
    buffers = working_buffers();
    buffers.zstd_block_bytes = RP_ZSTD_BLOCK_BYTES;
    EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_WORKSPACE_TOO_SMALL,
           "zstd blocks of 131072 bytes");
}

/* Buffers serve the effort that they were carved for and those below; the optimal parse of the
 * higher ones writes more scratch than the lower ones have. */
static void test_stages_at_another_effort(void **state)
{
    (void)state;
    static const stage_function launches[] = {rp_launch_lz77_matcher, rp_launch_huffman_encoder,
                                              rp_launch_fse_encoder, rp_launch_frame_assembler};
    size_t bytes = rp_workspace_size(INPUT_BYTES, N_INPUTS, RP_EFFORT_MAX);
    uint8_t *memory = aligned_alloc(RP_WORKSPACE_ALIGNMENT, bytes);
    assert_non_null(memory);
    for (rp_effort carved = RP_EFFORT_FAST; carved <= RP_EFFORT_MAX; carved++) {
        size_t exactly = rp_workspace_size(INPUT_BYTES, N_INPUTS, carved);
        rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
        assert_int_equal(
            rp_workspace_carve(memory, exactly, INPUT_BYTES, N_INPUTS, carved, &buffers),
            RP_STATUS_OK);
        for (rp_effort effort = RP_EFFORT_FAST; effort <= RP_EFFORT_MAX; effort++) {
            rp_compress_options options = {
                .struct_size = sizeof(rp_compress_options),
                .effort = effort,
                .flags = 0,
                .error = &error,
            };
            rp_batch batch = working_batch();
            bool fits = rp_workspace_size(INPUT_BYTES, N_INPUTS, effort) <= exactly;
            assert_true(fits || effort > carved);
            for (size_t i = 0; i < 4; i++) {
                if (fits)
                    assert_int_equal(launches[i](&batch, &buffers, &options, stream), RP_STATUS_OK);
                else
                    EXPECT(launches[i](&batch, &buffers, &options, stream),
                           RP_STATUS_WORKSPACE_TOO_SMALL, "scratch_stride", rp_effort_name(effort));
            }
            atomic_store(&counting.n_launches, 0);
        }
    }
    free(memory);
}

static void check_stage(stage_function launch)
{
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = RP_EFFORT_FAST,
        .flags = 0,
        .error = &error,
    };
    rp_stream no_stream = {NULL, NULL};
    rp_batch batch = working_batch();
    rp_stage_buffers buffers = working_buffers();
    EXPECT(launch(&batch, &buffers, &options, no_stream), RP_STATUS_INVALID_STREAM, "NULL");
    EXPECT(launch(NULL, &buffers, &options, stream), RP_STATUS_NULL_POINTER, "batch");
    options.effort = (rp_effort)1000;
    EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_INVALID_EFFORT, "1000",
           "1 (fast)");
    options.effort = RP_EFFORT_FAST;
    options.flags = UINT32_MAX;
    EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_INVALID_FLAGS, "0xffffffff",
           "0x3");
    for (int which = 0; which < 7; which++) {
        options.flags = 0;
        batch = working_batch();
        const char *name = spoil_array(&batch, which);
        EXPECT(launch(&batch, &buffers, &options, stream), RP_STATUS_NULL_POINTER, name);
    }
    check_stage_buffers(launch);
    check_stage_strides(launch);
}

static void test_stages(void **state)
{
    (void)state;
    static const stage_function launches[] = {rp_launch_lz77_matcher, rp_launch_huffman_encoder,
                                              rp_launch_fse_encoder, rp_launch_frame_assembler,
                                              rp_launch_frame_verifier};
    for (size_t i = 0; i < 5; i++)
        check_stage(launches[i]);
    /* In order, they are rp_compress_batch_async(), with and without entry points, whose stride
     * does not matter then. */
    rp_batch batch = working_batch();
    rp_proof proofs[N_INPUTS];
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    options.d_proofs = proofs;
    for (int with = 0; with < 2; with++) {
        rp_stage_buffers buffers = working_buffers();
        if (with == 0) {
            buffers.d_entry_points = NULL;
            buffers.entry_points_stride = 1;
        }
        memset(proofs, 0, sizeof(proofs));
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(launches[i](&batch, &buffers, &options, stream), RP_STATUS_OK);
            assert_int_equal(atomic_load(&counting.n_launches), i + 1);
        }
        for (int i = 0; i < N_INPUTS; i++) {
            assert_int_equal(batch_statuses[i], RP_STATUS_OK);
            assert_true(proofs[i].input_hash != 0 && proofs[i].frame_hash != 0);
        }
        atomic_store(&counting.n_launches, 0);
    }
    rp_stage_buffers buffers = working_buffers();
    options.d_proofs = NULL;
    options.error = &error;
    EXPECT(rp_launch_frame_verifier(&batch, &buffers, &options, stream), RP_STATUS_NULL_POINTER,
           "d_proofs");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single),
        cmocka_unit_test(test_single_overlap),
        cmocka_unit_test(test_single_limits),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_carve),
        cmocka_unit_test(test_stages),
        cmocka_unit_test(test_stages_at_another_effort),
    };
    return RUN_CASES(argc, argv, tests, set_up, tear_down);
}
