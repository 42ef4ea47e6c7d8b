/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chains of FSE states, which a large team walks in shares (sequences/chains.h): the section is
 * the one that the `host` device makes of the same sequences. The codes of a field are about
 * equally frequent. So different states stay different for many steps, and workers begin in wrong
 * ones.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "engine/stages.h"
#include "kernels/sequences/stage.h"
#include "rockpress/engine.h"
#include "tests/support/inputs.h"
#include "tests/support/team_device.h"

#define MAX_BYTES 65536

static rp_device *host;
static uint8_t input[MAX_BYTES];
static rp_sequences_memory memory;

typedef struct workspace {
    uint8_t *memory;
    rp_stage_buffers buffers;
} workspace;

static workspace open_workspace(void)
{
    workspace w;
    size_t n_bytes = rp_workspace_size(MAX_BYTES, 1, RP_EFFORT_FAST);
    w.memory = aligned_alloc(RP_WORKSPACE_ALIGNMENT, n_bytes);
    assert_non_null(w.memory);
    memset(w.memory, 0xA5, n_bytes);
    w.buffers.struct_size = sizeof(w.buffers);
    assert_int_equal(
        rp_workspace_carve(w.memory, n_bytes, MAX_BYTES, 1, RP_EFFORT_FAST, &w.buffers),
        RP_STATUS_OK);
    return w;
}

static void encode(struct rp_team *team, void *context)
{
    rp_stage_fse_encoder(team, context, 0, &memory);
}

/* Fills in n sequences. Literal and match lengths have n_bits random bits, and offsets that many
 * random codes. */
static void fill_sequences(rp_stage_buffers *buffers, uint32_t n, uint32_t n_bits, uint64_t seed)
{
    inputs_random random = inputs_seed(seed);
    const uint32_t most = UINT32_C(1) << n_bits;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t literal_length = inputs_below(&random, most);
        uint64_t match_length = inputs_below(&random, most);
        uint64_t offset_value = (UINT64_C(1) << inputs_below(&random, most)) + 3;
        buffers->d_sequences[i] = literal_length | match_length << 17 | offset_value << 34;
    }
    buffers->d_zstd_blocks[0].n_sequences = n;
}

static void check(rp_device *device, uint32_t n, uint32_t n_bits, uint64_t seed)
{
    size_t size = MAX_BYTES;
    workspace expected = open_workspace();
    workspace made = open_workspace();
    const void *inputs[1] = {input};
    void *outputs[1] = {NULL};
    size_t capacities[1] = {0};
    size_t output_sizes[1];
    rp_status statuses[1];
    const rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = inputs,
        .d_input_sizes = &size,
        .max_input_bytes = MAX_BYTES,
        .n_inputs = 1,
        .d_outputs = outputs,
        .d_output_capacities = capacities,
        .d_output_sizes = output_sizes,
        .d_statuses = statuses,
    };
    const rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = RP_EFFORT_FAST,
        .flags = 0,
        .error = NULL,
    };
    const rp_stream stream = {host, NULL};
    fill_sequences(&expected.buffers, n, n_bits, seed);
    fill_sequences(&made.buffers, n, n_bits, seed);
    assert_int_equal(rp_launch_fse_encoder(&batch, &expected.buffers, &options, stream),
                     RP_STATUS_OK);
    rp_stage_args args;
    memset(&args, 0, sizeof(args));
    assert_int_equal(rp_read_batch(&batch, &args.batch, NULL), RP_STATUS_OK);
    assert_int_equal(rp_read_buffers(&made.buffers, &args.buffers, NULL), RP_STATUS_OK);
    args.effort = RP_EFFORT_FAST;
    memset(&memory, 0xA5, sizeof(memory));
    if (!team_device_run(device, encode, &args))
        fail_msg("%s", team_device_error(device));
    uint32_t n_bytes = expected.buffers.d_zstd_blocks[0].sequences_section_bytes;
    assert_int_not_equal(n_bytes, 0);
    assert_int_equal(made.buffers.d_zstd_blocks[0].sequences_section_bytes, n_bytes);
    assert_memory_equal(made.buffers.d_sequences_sections, expected.buffers.d_sequences_sections,
                        n_bytes);
    free(expected.memory);
    free(made.memory);
}

static void run_size(uint32_t n_workers)
{
    const team_device_kind kind =
        TEAM_DEVICE_CAN_SHUFFLE ? TEAM_DEVICE_SHUFFLED : TEAM_DEVICE_THREADS;
    const uint32_t counts[] = {1, 2, 3, 24, 25, 26, 60, 300, 1500};
    rp_device *device = team_device_open(kind, n_workers, n_workers);
    assert_non_null(device);
    for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
        for (uint32_t n_bits = 0; n_bits <= 4; n_bits++)
            check(device, counts[k], n_bits, 100 * k + n_bits);
    }
    rp_device_close(device);
}

static void test_chains_that_one_worker_walks(void **state)
{
    (void)state;
    run_size(4);
}

static void test_two_shares(void **state)
{
    (void)state;
    run_size(48);
}

static void test_shuffled_many_shares(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE); /* 128 threads take minutes */
    run_size(128);
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chains_that_one_worker_walks),
        cmocka_unit_test(test_two_shares),
        cmocka_unit_test(test_shuffled_many_shares),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
