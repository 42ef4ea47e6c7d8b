/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The size and the layout of a workspace: sizes at the limits and beyond, buffers that are
 * aligned, apart from each other, inside the workspace and large enough for what the stages
 * put there; and the same layout for the stages that the engine itself uses.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "kernels/base/stages.h"
#include "rockpress/engine.h"

static void test_limits(void **state)
{
    (void)state;
    rp_effort fast = RP_EFFORT_FAST;
    assert_true(rp_workspace_size(0, 1, fast) > 0);
    assert_true(rp_workspace_size(1, 1, fast) > 0);
    assert_true(rp_workspace_size(RP_MAX_INPUT_BYTES, 1, fast) > RP_MAX_INPUT_BYTES);
    assert_true(rp_workspace_size(4096, RP_MAX_BATCH_INPUTS, fast) > 4096 * RP_MAX_BATCH_INPUTS);
    assert_int_equal(rp_workspace_size(RP_MAX_INPUT_BYTES + 1, 1, fast), 0);
    assert_int_equal(rp_workspace_size(SIZE_MAX, 1, fast), 0);
    assert_int_equal(rp_workspace_size(4096, 0, fast), 0);
    assert_int_equal(rp_workspace_size(4096, RP_MAX_BATCH_INPUTS + 1, fast), 0);
    assert_int_equal(rp_workspace_size(4096, SIZE_MAX, fast), 0);
    assert_int_equal(rp_workspace_size(SIZE_MAX, SIZE_MAX, fast), 0);
    /* Both in range, but together more zstd blocks than one launch counts: 2^20 * 2^13. */
    assert_int_equal(rp_workspace_size(RP_MAX_INPUT_BYTES, RP_MAX_BATCH_INPUTS, fast), 0);
    /* 2^31 blocks are one too many, a few inputs less are not. */
    size_t block = RP_ZSTD_BLOCK_BYTES;
    assert_int_equal(rp_workspace_size(2048 * block, RP_MAX_BATCH_INPUTS, fast), 0);
    assert_true(rp_workspace_size(2048 * block, RP_MAX_BATCH_INPUTS - 1, fast) > 0);
}

/* A larger input or a larger batch never takes less, so that one workspace does for all below. */
static void test_monotonous(void **state)
{
    (void)state;
    size_t before = 0;
    for (size_t n = 0; n < 600000; n += n < 300 ? 1 : 997) {
        size_t bytes = rp_workspace_size(n, 3, RP_EFFORT_FAST);
        assert_true(bytes >= before);
        assert_int_equal(bytes % RP_WORKSPACE_ALIGNMENT, 0);
        before = bytes;
    }
    before = 0;
    for (size_t n_inputs = 1; n_inputs < 3000; n_inputs++) {
        size_t bytes = rp_workspace_size(4096, n_inputs, RP_EFFORT_FAST);
        assert_true(bytes > before);
        before = bytes;
    }
}

typedef struct range {
    uintptr_t begin;
    uintptr_t end;
} range;

static range range_of(const void *begin, size_t bytes)
{
    range r = {(uintptr_t)begin, (uintptr_t)begin + bytes};
    return r;
}

static void check_layout(size_t max_input_bytes, size_t n_inputs)
{
    /* Addresses only: nothing is touched. */
    uint8_t *base = (uint8_t *)((uintptr_t)1 << 40);
    size_t bytes = rp_workspace_size(max_input_bytes, n_inputs, RP_EFFORT_FAST);
    rp_stage_buffers b;
    memset(&b, 0xEE, sizeof(b));
    b.struct_size = sizeof(b);
    assert_int_equal(rp_workspace_carve(base, bytes, max_input_bytes, n_inputs, RP_EFFORT_FAST, &b),
                     RP_STATUS_OK);
    assert_true(b.zstd_blocks_per_input >= 1);
    assert_int_equal(b.n_zstd_blocks, n_inputs * b.zstd_blocks_per_input);
    assert_true(b.zstd_block_bytes >= 1 && b.zstd_block_bytes <= RP_ZSTD_BLOCK_BYTES);
    assert_true(b.zstd_block_bytes * b.zstd_blocks_per_input >= max_input_bytes);
    assert_true(b.zstd_block_bytes * (b.zstd_blocks_per_input - 1) < max_input_bytes ||
                b.zstd_blocks_per_input == 1);
    /* What one zstd block can have: a sequence for every 4 bytes, all bytes as literals, a section
     * header more than that. */
    assert_true(b.sequences_stride >= b.zstd_block_bytes / 4);
    assert_true(b.literals_stride >= b.zstd_block_bytes);
    assert_true(b.literals_section_stride >= b.zstd_block_bytes + 3 + 8);
    assert_true(b.sequences_section_stride >= b.zstd_block_bytes + 8);
    range ranges[] = {
        range_of(b.d_zstd_blocks, b.n_zstd_blocks * sizeof(rp_zstd_block)),
        range_of(b.d_sequences, b.n_zstd_blocks * b.sequences_stride * sizeof(rp_sequence)),
        range_of(b.d_literals, b.n_zstd_blocks * b.literals_stride),
        range_of(b.d_literals_sections, b.n_zstd_blocks * b.literals_section_stride),
        range_of(b.d_sequences_sections, b.n_zstd_blocks * b.sequences_section_stride),
        range_of(b.d_scratch, b.n_zstd_blocks * b.scratch_stride),
        range_of(b.d_team_memory, RP_TEAM_MEMORY_BYTES),
    };
    for (size_t i = 0; i < 7; i++) {
        assert_true(ranges[i].begin >= (uintptr_t)base && ranges[i].end <= (uintptr_t)base + bytes);
        assert_int_equal(ranges[i].begin % RP_WORKSPACE_ALIGNMENT, 0);
        for (size_t k = 0; k < i; k++)
            assert_true(ranges[k].end <= ranges[i].begin || ranges[i].end <= ranges[k].begin);
    }
    assert_int_equal(b.literals_section_stride % 4, 0);
    assert_int_equal(b.sequences_section_stride % 4, 0);
    assert_int_equal(b.scratch_stride % sizeof(rp_sequence), 0);
}

static void test_layout(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,
                                   1,
                                   2,
                                   3,
                                   4,
                                   255,
                                   256,
                                   257,
                                   4096,
                                   65535,
                                   65536,
                                   131071,
                                   131072,
                                   131073,
                                   262144,
                                   262145,
                                   300000,
                                   1 << 20,
                                   RP_MAX_INPUT_BYTES};
    static const size_t counts[] = {1, 2, 3, 7, 64, 1000, RP_MAX_BATCH_INPUTS};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
            if (rp_workspace_size(sizes[i], counts[k], RP_EFFORT_FAST) != 0)
                check_layout(sizes[i], counts[k]);
        }
    }
}

/* The stages by hand, on a workspace carved for more than is used, make the engine's frame. */
static void test_stages_make_the_frame(void **state)
{
    (void)state;
    static uint8_t input[200000];
    static uint8_t frames[2][210000];
    const void *inputs[1] = {input};
    void *outputs[1] = {frames[0]};
    size_t sizes[1] = {sizeof(input)};
    size_t capacities[1] = {sizeof(frames[0])};
    size_t frame_bytes[2] = {0, 0};
    rp_status statuses[2] = {RP_STATUS_INTERNAL, RP_STATUS_INTERNAL};
    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (uint8_t)(i * i >> (i % 7));
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = inputs,
        .d_input_sizes = sizes,
        .max_input_bytes = sizeof(input),
        .n_inputs = 1,
        .d_outputs = outputs,
        .d_output_capacities = capacities,
        .d_output_sizes = frame_bytes,
        .d_statuses = statuses,
    };
    rp_device *device;
    rp_stream stream;
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    size_t bytes = rp_workspace_size(500000, 1, RP_EFFORT_FAST);
    void *workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, bytes);
    assert_non_null(workspace);
    memset(workspace, 0xD7, bytes);
    assert_int_equal(rp_device_open("host", &device), RP_STATUS_OK);
    assert_int_equal(rp_stream_create(device, &stream), RP_STATUS_OK);
    assert_int_equal(rp_workspace_carve(workspace, bytes, 500000, 1, RP_EFFORT_FAST, &buffers),
                     RP_STATUS_OK);
    assert_int_equal(rp_launch_lz77_matcher(&batch, &buffers, NULL, stream), RP_STATUS_OK);
    assert_int_equal(rp_launch_huffman_encoder(&batch, &buffers, NULL, stream), RP_STATUS_OK);
    assert_int_equal(rp_launch_fse_encoder(&batch, &buffers, NULL, stream), RP_STATUS_OK);
    assert_int_equal(rp_launch_frame_assembler(&batch, &buffers, NULL, stream), RP_STATUS_OK);
    memset(workspace, 0x11, bytes);
    assert_int_equal(rp_compress_async(workspace, bytes, input, sizeof(input), frames[1],
                                       sizeof(frames[1]), &frame_bytes[1], &statuses[1], NULL,
                                       stream),
                     RP_STATUS_OK);
    assert_int_equal(rp_stream_wait(stream, 0), RP_STATUS_OK);
    assert_int_equal(statuses[0], RP_STATUS_OK);
    assert_int_equal(statuses[1], RP_STATUS_OK);
    assert_int_equal(frame_bytes[0], frame_bytes[1]);
    assert_memory_equal(frames[0], frames[1], frame_bytes[0]);
    rp_stream_destroy(stream);
    rp_device_close(device);
    free(workspace);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_monotonous),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_stages_make_the_frame),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
