/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers so large that a check's own arithmetic wraps around, and lets pass what it is there to
 * stop. Random arguments miss these: each needs one particular number, and a device that runs
 * nothing, since the call would otherwise crash before it can be checked.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/engine.h"
#include "tests/differential/counting_device.h"

#define N_INPUTS 4
#define INPUT_BYTES 4096

static counting_device idle;
static rp_stream stream;
static uint8_t *workspace;
static size_t workspace_bytes;

static int set_up(void **state)
{
    (void)state;
    counting_device_open(&idle, 0);
    idle.is_idle = true;
    stream.device = &idle.device;
    workspace_bytes = rp_workspace_size(INPUT_BYTES, N_INPUTS, RP_EFFORT_FAST);
    workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, workspace_bytes);
    return workspace == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    counting_device_close(&idle);
    free(workspace);
    return 0;
}

static void expect_refused(const char *what, rp_status status)
{
    if (status == RP_STATUS_OK || status >= RP_STATUS_FIRST_RUNTIME)
        fail_msg("%s: %s, expected an argument error", what, rp_status_name(status));
    assert_int_equal(counting_device_enqueued(&idle), 0);
}

typedef struct stage_arguments {
    const void *inputs[N_INPUTS];
    void *outputs[N_INPUTS];
    size_t sizes[N_INPUTS];
    rp_status statuses[N_INPUTS];
    rp_batch batch;
    rp_stage_buffers buffers;
} stage_arguments;

static void make_arguments(stage_arguments *a)
{
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = a->inputs,
        .d_input_sizes = a->sizes,
        .max_input_bytes = INPUT_BYTES,
        .n_inputs = N_INPUTS,
        .d_outputs = a->outputs,
        .d_output_capacities = a->sizes,
        .d_output_sizes = a->sizes,
        .d_statuses = a->statuses,
    };
    a->batch = batch;
    a->buffers.struct_size = sizeof(a->buffers);
    assert_int_equal(rp_workspace_carve(workspace, workspace_bytes, INPUT_BYTES, N_INPUTS,
                                        RP_EFFORT_FAST, &a->buffers),
                     RP_STATUS_OK);
    atomic_store(&idle.n_launches, 0);
}

static void test_zstd_blocks_of_all_inputs(void **state)
{
    (void)state;
    stage_arguments a;
    make_arguments(&a);
    /* 2^20 * (2^44 + 1) is 2^20 in 64 bits. */
    a.batch.n_inputs = RP_MAX_BATCH_INPUTS;
    a.buffers.zstd_blocks_per_input = ((size_t)1 << 44) + 1;
    a.buffers.n_zstd_blocks = RP_MAX_BATCH_INPUTS;
    expect_refused("2^44 + 1 zstd blocks for each input",
                   rp_launch_lz77_matcher(&a.batch, &a.buffers, NULL, stream));
}

static void test_zstd_block_larger_than_the_largest(void **state)
{
    (void)state;
    stage_arguments a;
    make_arguments(&a);
    a.buffers.zstd_block_bytes = RP_ZSTD_BLOCK_BYTES + 1;
    expect_refused("zstd blocks of 131073 bytes",
                   rp_launch_huffman_encoder(&a.batch, &a.buffers, NULL, stream));
}

static void test_input_larger_than_any(void **state)
{
    (void)state;
    stage_arguments a;
    make_arguments(&a);
    a.batch.max_input_bytes = SIZE_MAX;
    a.buffers.zstd_block_bytes = SIZE_MAX;
    expect_refused("inputs of 2^64 - 1 bytes",
                   rp_launch_fse_encoder(&a.batch, &a.buffers, NULL, stream));
}

/* A caller who says "any capacity" still must not compress in place. */
static void test_overlap_with_the_largest_capacity(void **state)
{
    (void)state;
    uint8_t memory[1000] = {0};
    size_t frame_bytes;
    rp_status status;
    static const size_t capacities[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX - 4095};
    atomic_store(&idle.n_launches, 0);
    for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++)
        expect_refused("input inside of the output",
                       rp_compress_async(workspace, workspace_bytes, memory + 10, 500, memory,
                                         capacities[i], &frame_bytes, &status, NULL, stream));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zstd_blocks_of_all_inputs),
        cmocka_unit_test(test_zstd_block_larger_than_the_largest),
        cmocka_unit_test(test_input_larger_than_any),
        cmocka_unit_test(test_overlap_with_the_largest_capacity),
    };
    return RUN_CASES(argc, argv, tests, set_up, tear_down);
}
