/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every argument error of rp_workspace_carve() and of the launches of single stages: the right
 * status, a text that names the wrong value and what is allowed, and nothing enqueued.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/cases.h"

#include "tests/support/argument_checks.h"

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
                                              rp_launch_fse_encoder, rp_launch_frame_assembler,
                                              rp_launch_frame_verifier};
    rp_proof proofs[N_INPUTS];
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
                .d_proofs = proofs,
            };
            rp_batch batch = working_batch();
            bool fits = rp_workspace_size(INPUT_BYTES, N_INPUTS, effort) <= exactly;
            assert_true(fits || effort > carved);
            for (size_t i = 0; i < 5; i++) {
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
        cmocka_unit_test(test_carve),
        cmocka_unit_test(test_stages),
        cmocka_unit_test(test_stages_at_another_effort),
    };
    return RUN_CASES(argc, argv, tests, set_up_arguments, tear_down_arguments);
}
