/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stages on a workspace that no earlier stage has written, or that something has overwritten since:
 * whatever it holds, they stay inside of it and of the outputs, and each input gets a status. The
 * memory ends at a guard page, and the builds with AddressSanitizer see more.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/engine.h"
#include "tests/differential/guarded.h"
#include "tests/support/inputs.h"
#include "tests/support/team_device.h"

#define N_INPUTS 3
#define INPUT_BYTES ((size_t)2000)

typedef struct damage {
    rp_stream stream;
    guarded_memory workspace_memory;
    guarded_memory output_memory;
    uint8_t *workspace;
    size_t workspace_bytes;
    uint8_t *input;
    const void *inputs[N_INPUTS];
    size_t input_sizes[N_INPUTS];
    void *outputs[N_INPUTS];
    size_t capacities[N_INPUTS];
    size_t frame_bytes[N_INPUTS];
    rp_status statuses[N_INPUTS];
    rp_batch batch;
    rp_stage_buffers buffers;
    rp_compress_options options;
    uint64_t random;
} damage;

static uint64_t draw(damage *d)
{
    d->random ^= d->random << 13;
    d->random ^= d->random >> 7;
    d->random ^= d->random << 17;
    return d->random;
}

static void open_damage(damage *d, const rp_device *device, rp_effort effort)
{
    const rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    size_t capacity = rp_compress_bound(INPUT_BYTES);
    memset(d, 0, sizeof(*d));
    d->random = 88172645463325252u;
    d->options = options;
    d->options.effort = effort;
    assert_int_equal(rp_stream_create(device, &d->stream), RP_STATUS_OK);
    d->workspace_bytes = rp_workspace_size(INPUT_BYTES, N_INPUTS, effort);
    guarded_map(&d->workspace_memory, d->workspace_bytes);
    guarded_map(&d->output_memory, N_INPUTS * capacity);
    d->workspace = guarded_last(&d->workspace_memory, d->workspace_bytes);
    d->input = malloc(INPUT_BYTES);
    assert_non_null(d->input);
    for (size_t i = 0; i < INPUT_BYTES; i++)
        d->input[i] = (uint8_t)("key=value;"[i % 10] + (draw(d) % 32 == 0));
    uint8_t *outputs = guarded_last(&d->output_memory, N_INPUTS * capacity);
    for (size_t i = 0; i < N_INPUTS; i++) {
        d->inputs[i] = d->input;
        d->input_sizes[i] = INPUT_BYTES - i;
        d->outputs[i] = outputs + i * capacity;
        d->capacities[i] = capacity;
    }
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = d->inputs,
        .d_input_sizes = d->input_sizes,
        .max_input_bytes = INPUT_BYTES,
        .n_inputs = N_INPUTS,
        .d_outputs = d->outputs,
        .d_output_capacities = d->capacities,
        .d_output_sizes = d->frame_bytes,
        .d_statuses = d->statuses,
    };
    d->batch = batch;
    d->buffers.struct_size = sizeof(d->buffers);
    assert_int_equal(rp_workspace_carve(d->workspace, d->workspace_bytes, INPUT_BYTES, N_INPUTS,
                                        effort, &d->buffers),
                     RP_STATUS_OK);
}

static void close_damage(damage *d)
{
    guarded_unmap(&d->workspace_memory);
    guarded_unmap(&d->output_memory);
    free(d->input);
    rp_stream_destroy(d->stream);
}

static void match(damage *d)
{
    assert_int_equal(rp_launch_lz77_matcher(&d->batch, &d->buffers, &d->options, d->stream),
                     RP_STATUS_OK);
}

static void encode(damage *d)
{
    assert_int_equal(rp_launch_huffman_encoder(&d->batch, &d->buffers, &d->options, d->stream),
                     RP_STATUS_OK);
    assert_int_equal(rp_launch_fse_encoder(&d->batch, &d->buffers, &d->options, d->stream),
                     RP_STATUS_OK);
}

static void assemble(damage *d)
{
    for (size_t i = 0; i < N_INPUTS; i++) {
        d->statuses[i] = (rp_status)12345;
        d->frame_bytes[i] = 12345;
    }
    assert_int_equal(rp_launch_frame_assembler(&d->batch, &d->buffers, &d->options, d->stream),
                     RP_STATUS_OK);
    assert_int_equal(rp_stream_wait(d->stream, 1000000), RP_STATUS_OK);
    for (size_t i = 0; i < N_INPUTS; i++) {
        if (d->statuses[i] == RP_STATUS_OK)
            assert_in_range(d->frame_bytes[i], 1, d->capacities[i]);
        else
            assert_int_equal(d->frame_bytes[i], 0);
        assert_true(d->statuses[i] == RP_STATUS_OK || d->statuses[i] == RP_STATUS_INTERNAL);
    }
}

static void expect_all(const damage *d, rp_status expected)
{
    for (size_t i = 0; i < N_INPUTS; i++)
        assert_int_equal(d->statuses[i], expected);
}

/* With one byte everywhere, or with random ones. */
#define RANDOM 256
static void fill(damage *d, int how)
{
    if (how != RANDOM)
        memset(d->workspace, how, d->workspace_bytes);
    for (size_t i = 0; how == RANDOM && i < d->workspace_bytes; i += sizeof(uint64_t)) {
        uint64_t bytes = draw(d);
        memcpy(d->workspace + i, &bytes, sizeof(bytes));
    }
}

/* Counts that say more than there is room for. */
static void check_filled(damage *d)
{
    static const int fillings[] = {0xFF, 0x7F, 0x80, 0, RANDOM};
    for (size_t i = 0; i < sizeof(fillings) / sizeof(fillings[0]); i++) {
        fill(d, fillings[i]);
        assemble(d);
        if (fillings[i] != 0)
            expect_all(d, RP_STATUS_INTERNAL);
        fill(d, fillings[i]);
        encode(d);
        assemble(d);
        if (fillings[i] != 0)
            expect_all(d, RP_STATUS_INTERNAL);
    }
}

/* Each count and size alone, one beyond what it may be. */
static void check_limits(damage *d)
{
    rp_zstd_block *block = &d->buffers.d_zstd_blocks[1];
    uint32_t n_bytes = (uint32_t)d->input_sizes[1];
    for (int which = 0; which < 6; which++) {
        match(d);
        if (which == 0)
            block->n_literals = n_bytes + 1;
        if (which == 1)
            block->n_sequences = n_bytes / 3 + 2;
        if (which == 2)
            d->buffers.d_sequences[d->buffers.sequences_stride] &= ((uint64_t)1 << 34) - 1;
        encode(d);
        if (which == 3)
            block->literals_section_bytes = n_bytes + 4;
        if (which == 4)
            block->sequences_section_bytes = n_bytes + 1;
        if (which == 5) { /* together 4: the sum wraps around */
            block->literals_section_bytes = UINT32_MAX;
            block->sequences_section_bytes = 5;
        }
        assemble(d);
        assert_int_equal(d->statuses[0], RP_STATUS_OK);
        assert_int_equal(d->statuses[1], RP_STATUS_INTERNAL);
        assert_int_equal(d->statuses[2], RP_STATUS_OK);
    }
}

/* Counts that are possible, in front of anything. */
static void check_contents(damage *d, int n_rounds)
{
    for (int round = 0; round < n_rounds; round++) {
        fill(d, RANDOM);
        for (size_t i = 0; i < N_INPUTS; i++) {
            uint32_t n_bytes = (uint32_t)d->input_sizes[i];
            rp_zstd_block block = {(uint32_t)(draw(d) % (n_bytes / 3 + 2)),
                                   (uint32_t)(draw(d) % (n_bytes + 1)), 0, 0};
            d->buffers.d_zstd_blocks[i] = block;
            for (uint32_t k = 0; k < block.n_sequences && round % 2 == 0; k++)
                d->buffers.d_sequences[i * d->buffers.sequences_stride + k] |= (uint64_t)1 << 34;
        }
        encode(d);
        assemble(d);
    }
}

/* Single bits that change between two stages. */
static void check_flips(damage *d, int n_rounds)
{
    for (int round = 0; round < n_rounds; round++) {
        match(d);
        for (uint64_t k = draw(d) % 40 + 1; k != 0; k--)
            d->workspace[draw(d) % d->workspace_bytes] ^= (uint8_t)(1u << draw(d) % 8);
        for (uint64_t k = draw(d) % 4; k != 0; k--)
            d->buffers.d_sequences[draw(d) % 300] ^= (uint64_t)1 << draw(d) % 64;
        encode(d);
        for (uint64_t k = draw(d) % 2; k != 0; k--)
            ((uint8_t *)d->buffers.d_zstd_blocks)[draw(d) % (N_INPUTS * sizeof(rp_zstd_block))] ^=
                (uint8_t)(1u << draw(d) % 8);
        assemble(d);
    }
}

static void check_device(const rp_device *device, int n_rounds)
{
    for (int effort = RP_EFFORT_FAST; effort <= RP_EFFORT_MAX; effort++) {
        damage d;
        open_damage(&d, device, (rp_effort)effort);
        check_filled(&d);
        check_limits(&d);
        check_contents(&d, n_rounds);
        check_flips(&d, n_rounds);
        close_damage(&d);
    }
}

static void test_host(void **state)
{
    (void)state;
    rp_device *device;
    assert_int_equal(rp_device_open("host", &device), RP_STATUS_OK);
    check_device(device, 60);
    rp_device_close(device);
}

static void test_shuffled_team(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    rp_device *device = team_device_open(TEAM_DEVICE_SHUFFLED, 32, 1);
    assert_non_null(device);
    check_device(device, 4);
    assert_string_equal(team_device_error(device), "");
    rp_device_close(device);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_shuffled_team),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
