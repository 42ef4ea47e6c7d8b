/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1 of a block in shared memory (fused/shared_block.h), which a GPU runs for single blocks,
 * of the whole block and of slices: the candidates are those that one table has, position after
 * position, and the sections are those of the `host` device, for teams of several sizes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "engine/stages.h"
#include "kernels/fused/shared_encode.h"
#include "rockpress/engine.h"
#include "tests/support/inputs.h"
#include "tests/support/team_device.h"

#define MAX_BYTES RP_SHARED_BLOCK_MAX_BYTES
#define SLACK 64

/* The scratch of one block, and the stage's result. */
typedef struct workspace {
    uint8_t *memory;
    rp_stage_buffers buffers;
} workspace;

static workspace open_workspace(rp_effort effort)
{
    workspace w;
    size_t n_bytes = rp_workspace_size(MAX_BYTES, 1, effort);
    w.memory = aligned_alloc(RP_WORKSPACE_ALIGNMENT, n_bytes);
    assert_non_null(w.memory);
    memset(w.memory, 0xA5, n_bytes);
    w.buffers.struct_size = sizeof(w.buffers);
    assert_int_equal(rp_workspace_carve(w.memory, n_bytes, MAX_BYTES, 1, effort, &w.buffers),
                     RP_STATUS_OK);
    return w;
}

static rp_device *host;
static uint8_t input[MAX_BYTES + SLACK];
static rp_shared_block_memory memories[RP_LZ77_SLICES];
static uint16_t found[2 * MAX_BYTES]; /* the candidates, before their memory is reused */

typedef struct block_run {
    rp_stage_args args;
    uint32_t n_bytes;
    uint32_t n_slices; /* 1 or RP_LZ77_SLICES */
} block_run;

/* One team takes the part of each slice's in turn. */
static void open_all(struct rp_team *team, const block_run *run, rp_shared_block *shared,
                     rp_shared_block_memory **all)
{
    for (uint32_t k = 0; k < RP_LZ77_SLICES; k++) {
        all[k] = &memories[k];
        shared[k] = rp_shared_block_open(&run->args, 0, k, run->n_slices, &memories[k]);
        shared[k].block.view.source = memories[k].copy;
        rp_shared_block_clear(team, &shared[k]);
        TEAM_FOR (i, 0, run->n_bytes, team) {
            memories[k].copy[i] = input[i];
        }
    }
    team_sync(team);
}

/* The first two phases. */
static void find_all(struct rp_team *team, const block_run *run, const rp_shared_block *shared,
                     rp_shared_block_memory *const *all)
{
    for (uint32_t k = 0; k < run->n_slices; k++)
        rp_shared_block_find(team, &shared[k]);
    for (uint32_t k = 0; k < run->n_slices; k++)
        rp_shared_block_complete(team, &shared[k], run->n_slices, all);
}

static void find(struct rp_team *team, void *context)
{
    const block_run *run = context;
    rp_shared_block shared[RP_LZ77_SLICES];
    rp_shared_block_memory *all[RP_LZ77_SLICES];
    open_all(team, run, shared, all);
    find_all(team, run, shared, all);
    for (uint32_t k = 0; k < run->n_slices && run->n_slices != 1; k++)
        rp_shared_block_fetch_candidates(team, &shared[k], RP_LZ77_SLICES, all);
    TEAM_FOR (i, 0, 2 * run->n_bytes, team) {
        found[i] = memories[run->n_slices - 1].candidates[i];
    }
}

static void match(struct rp_team *team, void *context)
{
    const block_run *run = context;
    rp_shared_block shared[RP_LZ77_SLICES];
    rp_shared_block_memory *all[RP_LZ77_SLICES];
    open_all(team, run, shared, all);
    find_all(team, run, shared, all);
    for (uint32_t k = 0; k < run->n_slices; k++)
        rp_shared_block_parse(team, &shared[k], run->n_slices, all);
    if (run->n_slices == 1) {
        rp_lz77_block_join(team, &shared[0].block, &run->args, 0, false, memories[0].free);
        team_sync(team);
        rp_stage_huffman_encoder(team, &run->args, 0, memories[0].free);
        rp_stage_fse_encoder(team, &run->args, 0, memories[1].free);
        return;
    }
    for (uint32_t k = 0; k < 2; k++)
        rp_shared_block_fetch_parsed(team, &shared[k], RP_LZ77_SLICES, all);
    rp_lz77_precheck precheck = memories[0].precheck;
    bool only_literals = rp_shared_block_encode_literals(team, &shared[0], &run->args, 0, precheck);
    rp_shared_block_encode_sequences(team, &shared[1], &run->args, 0, precheck);
    team_sync(team);
    rp_shared_block_close(team, &run->args, 0, run->n_bytes, only_literals);
}

static void run_team(rp_device *device, team_function *function, block_run *run)
{
    memset(memories, 0xA5, sizeof(memories));
    if (!team_device_run(device, function, run))
        fail_msg("%s", team_device_error(device));
}

/* The last position before each with the same hash; none is the block's begin. */
static void check_candidates(uint32_t n_bytes)
{
    static uint16_t last[RP_LZ77_HASH8 + 1][1 << RP_LZ77_SUBTABLE_LOG];
    static uint16_t expected[2 * MAX_BYTES];
    uint32_t log = rp_lz77_table_log(n_bytes);
    uint32_t n = n_bytes < RP_LZ77_HASH4_BYTES ? 0 : n_bytes - RP_LZ77_HASH4_BYTES + 1;
    memset(last, 0, sizeof(last));
    for (uint32_t i = 0; i < n; i++) {
        uint16_t *hash4 = &last[RP_LZ77_HASH4][rp_lz77_hash4(rp_load32(input + i), log)];
        expected[2 * i] = (uint16_t)(i - *hash4);
        expected[2 * i + 1] = expected[2 * i];
        *hash4 = (uint16_t)i;
        if (i + RP_LZ77_HASH8_BYTES <= n_bytes) {
            uint16_t *hash8 = &last[RP_LZ77_HASH8][rp_lz77_hash8(rp_load64(input + i), log)];
            expected[2 * i + 1] = (uint16_t)(i - *hash8);
            *hash8 = (uint16_t)i;
        }
    }
    assert_memory_equal(found, expected, 2 * n * sizeof(found[0]));
}

/* What the frame assembler is given. */
static void check_sections(const rp_stage_buffers *made, const rp_stage_buffers *wanted,
                           uint32_t n_bytes)
{
    const rp_zstd_block *zstd_block = &made->d_zstd_blocks[0];
    if (n_bytes == 0)
        return;
    assert_int_equal(zstd_block->n_sequences, wanted->d_zstd_blocks[0].n_sequences);
    assert_int_equal(zstd_block->n_literals, wanted->d_zstd_blocks[0].n_literals);
    assert_int_equal(zstd_block->literals_section_bytes,
                     wanted->d_zstd_blocks[0].literals_section_bytes);
    assert_int_equal(zstd_block->sequences_section_bytes,
                     wanted->d_zstd_blocks[0].sequences_section_bytes);
    if (zstd_block->n_sequences != 0)
        assert_memory_equal(made->d_sequences, wanted->d_sequences, sizeof(rp_sequence));
    assert_memory_equal(made->d_literals_sections, wanted->d_literals_sections,
                        zstd_block->literals_section_bytes);
    assert_memory_equal(made->d_sequences_sections, wanted->d_sequences_sections,
                        zstd_block->sequences_section_bytes);
}

static void check_input(rp_device *device, uint32_t n_bytes, rp_effort effort, uint32_t n_slices)
{
    size_t size = n_bytes;
    workspace expected = open_workspace(effort);
    workspace shared = open_workspace(effort);
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
        .effort = effort,
        .flags = 0,
        .error = NULL,
    };
    const rp_stream stream = {host, NULL};
    assert_int_equal(rp_launch_lz77_matcher(&batch, &expected.buffers, &options, stream),
                     RP_STATUS_OK);
    assert_int_equal(rp_launch_huffman_encoder(&batch, &expected.buffers, &options, stream),
                     RP_STATUS_OK);
    assert_int_equal(rp_launch_fse_encoder(&batch, &expected.buffers, &options, stream),
                     RP_STATUS_OK);
    block_run run;
    memset(&run, 0, sizeof(run));
    assert_int_equal(rp_read_batch(&batch, &run.args.batch, NULL), RP_STATUS_OK);
    assert_int_equal(rp_read_buffers(&shared.buffers, &run.args.buffers, NULL), RP_STATUS_OK);
    run.args.effort = (uint32_t)effort;
    run.n_bytes = n_bytes;
    run.n_slices = n_slices;
    run_team(device, find, &run);
    check_candidates(n_bytes);
    run_team(device, match, &run);
    check_sections(&shared.buffers, &expected.buffers, n_bytes);
    free(expected.memory);
    free(shared.memory);
}

static void run_size(uint32_t n_workers, uint32_t n_seeds, bool also_whole)
{
    const team_device_kind kind =
        TEAM_DEVICE_CAN_SHUFFLE ? TEAM_DEVICE_SHUFFLED : TEAM_DEVICE_THREADS;
    rp_device *device = team_device_open(kind, n_workers, n_workers);
    assert_non_null(device);
    for (uint32_t seed = 1; seed <= n_seeds; seed++) {
        for (int kinds = 0; kinds <= INPUTS_MIXED; kinds += 1 + 2 * TEAM_DEVICE_SLOW_TURNS) {
            inputs_random random = inputs_seed(seed * 100 + (uint32_t)kinds);
            uint32_t n_bytes = inputs_magnitude(&random, seed == 1 ? 600 : MAX_BYTES);
            n_bytes = seed == 2 ? MAX_BYTES - (n_bytes & 7) : n_bytes;
            inputs_fill((inputs_kind)kinds, input, n_bytes, seed);
            const rp_effort effort = seed % 2 ? RP_EFFORT_FAST : RP_EFFORT_DEFAULT;
            if (also_whole)
                check_input(device, n_bytes, effort, 1);
            check_input(device, n_bytes, effort, RP_LZ77_SLICES);
        }
    }
    rp_device_close(device);
}

static void test_small_sizes(void **state)
{
    (void)state;
    rp_device *device = team_device_open(TEAM_DEVICE_THREADS, 1, 1);
    assert_non_null(device);
    for (uint32_t n_bytes = 0; n_bytes <= 300; n_bytes += n_bytes < 72 ? 1 : 7) {
        inputs_fill_random(input, n_bytes, n_bytes);
        const rp_effort effort = n_bytes % 2 ? RP_EFFORT_FAST : RP_EFFORT_DEFAULT;
        check_input(device, n_bytes, effort, 1);
        check_input(device, n_bytes, effort, RP_LZ77_SLICES);
    }
    rp_device_close(device);
}

static void test_one_worker(void **state)
{
    (void)state;
    run_size(1, 3, true);
}

static void test_few_workers(void **state)
{
    (void)state;
    run_size(5, TEAM_DEVICE_CAN_SHUFFLE ? 2 : 1, true);
}

static void test_shuffled_warp(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE); /* threads take minutes */
    run_size(32, 1, false);
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_sizes),
        cmocka_unit_test(test_one_worker),
        cmocka_unit_test(test_few_workers),
        cmocka_unit_test(test_shuffled_warp),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
