/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of a device on the hot path, counted by its table of functions: launches and, on a
 * lane, copies and one wait. Never memory, a stream, or anything to be freed; the engine's own
 * functions never wait; what is refused asks nothing at all.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/batched.h"
#include "tests/support/fault_device.h"
#include "tests/support/inputs.h"

#define N_BLOCKS 6
#define BLOCK_BYTES 1000
#define LANE_BYTES ((size_t)4 * BLOCK_BYTES)
#define TIMEOUT_US 10000000

static rp_device *host;

typedef struct world {
    fault_device device;
    rp_stream stream;
    void *workspace;
    size_t workspace_bytes;
    uint8_t blocks[N_BLOCKS][BLOCK_BYTES];
    uint8_t frames[N_BLOCKS][BLOCK_BYTES + 100];
    const void *inputs[N_BLOCKS];
    size_t sizes[N_BLOCKS];
    void *outputs[N_BLOCKS];
    size_t capacities[N_BLOCKS];
    size_t frame_bytes[N_BLOCKS];
    rp_status statuses[N_BLOCKS];
    rp_batch batch;
    rp_host_batch host_batch;
} world;

static void start_counting(world *w)
{
    const fault_plan none = {FAULT_ANY, 0, false, RP_STATUS_OK};
    fault_device_plan(&w->device, none);
}

static void expect_calls(world *w, const char *what, uint32_t copies, uint32_t launches,
                         uint32_t waits)
{
    const fault_device *device = &w->device;
    const uint32_t expected[FAULT_N_CALLS] = {
        [FAULT_COPY] = copies,
        [FAULT_LAUNCH] = launches,
        [FAULT_WAIT] = waits,
        [FAULT_ANY] = copies + launches + waits,
    };
    for (int c = 0; c < FAULT_N_CALLS; c++) {
        if (device->n_calls[c] != expected[c])
            fail_msg("%s: %u calls of %s, expected %u", what, device->n_calls[c],
                     fault_call_name((fault_call)c), expected[c]);
    }
    if (device->n_released != 0)
        fail_msg("%s: %u frees", what, device->n_released);
    start_counting(w);
}

static world *world_open(uint32_t flags)
{
    world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    fault_device_open(&w->device, host, flags);
    assert_int_equal(rp_stream_create(&w->device.device, &w->stream), RP_STATUS_OK);
    w->workspace_bytes = rp_workspace_size(BLOCK_BYTES, N_BLOCKS, RP_EFFORT_MAX) + 256;
    w->workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, w->workspace_bytes);
    assert_non_null(w->workspace);
    for (size_t i = 0; i < N_BLOCKS; i++) {
        inputs_fill(INPUTS_TEXT, w->blocks[i], BLOCK_BYTES, i);
        w->inputs[i] = w->blocks[i];
        w->sizes[i] = BLOCK_BYTES;
        w->outputs[i] = w->frames[i];
        w->capacities[i] = sizeof(w->frames[i]);
    }
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = w->inputs,
        .d_input_sizes = w->sizes,
        .max_input_bytes = BLOCK_BYTES,
        .n_inputs = N_BLOCKS,
        .d_outputs = w->outputs,
        .d_output_capacities = w->capacities,
        .d_output_sizes = w->frame_bytes,
        .d_statuses = w->statuses,
    };
    rp_host_batch host_batch = {
        sizeof(rp_host_batch), w->inputs,      w->sizes,   N_BLOCKS, w->outputs,
        w->capacities,         w->frame_bytes, w->statuses};
    w->batch = batch;
    w->host_batch = host_batch;
    start_counting(w);
    return w;
}

static void world_close(world *w)
{
    rp_stream_destroy(w->stream);
    assert_int_equal(w->device.n_streams, 0);
    assert_int_equal(w->device.n_memory, 0);
    assert_int_equal(w->device.n_staging, 0);
    free(w->workspace);
    free(w);
}

static void test_engine(void **state)
{
    (void)state;
    for (rp_effort effort = RP_EFFORT_FAST; effort <= RP_EFFORT_MAX; effort++) {
        world *w = world_open(0);
        rp_compress_options options = {
            .struct_size = sizeof(rp_compress_options),
            .effort = effort,
            .flags = RP_COMPRESS_CHECKSUM,
            .error = NULL,
        };
        assert_int_equal(rp_compress_async(w->workspace, w->workspace_bytes, w->blocks[0],
                                           BLOCK_BYTES, w->frames[0], sizeof(w->frames[0]),
                                           &w->frame_bytes[0], &w->statuses[0], &options,
                                           w->stream),
                         RP_STATUS_OK);
        expect_calls(w, "rp_compress_async", 0, 4, 0);
        assert_int_equal(rp_compress_batch_async(w->workspace, w->workspace_bytes, &w->batch,
                                                 &options, w->stream),
                         RP_STATUS_OK);
        expect_calls(w, "rp_compress_batch_async", 0, 4, 0);
        assert_int_equal(rp_batched_compress_async(w->inputs, w->sizes, BLOCK_BYTES, N_BLOCKS,
                                                   w->workspace, w->workspace_bytes, w->outputs,
                                                   w->frame_bytes, &options, NULL, w->stream),
                         RP_STATUS_OK);
        expect_calls(w, "rp_batched_compress_async", 0, 4, 0);
        world_close(w);
    }
}

static void test_stages(void **state)
{
    (void)state;
    world *w = world_open(0);
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    size_t n;
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    (void)rp_workspace_size(BLOCK_BYTES, N_BLOCKS, RP_EFFORT_DEFAULT);
    assert_int_equal(
        rp_batched_compress_get_temp_size_async(N_BLOCKS, BLOCK_BYTES, &options, &n, 0),
        RP_STATUS_OK);
    assert_int_equal(rp_workspace_carve(w->workspace, w->workspace_bytes, BLOCK_BYTES, N_BLOCKS,
                                        RP_EFFORT_DEFAULT, &buffers),
                     RP_STATUS_OK);
    expect_calls(w, "sizes", 0, 0, 0);
    assert_int_equal(rp_launch_lz77_matcher(&w->batch, &buffers, NULL, w->stream), RP_STATUS_OK);
    expect_calls(w, "rp_launch_lz77_matcher", 0, 1, 0);
    assert_int_equal(rp_launch_huffman_encoder(&w->batch, &buffers, NULL, w->stream), RP_STATUS_OK);
    expect_calls(w, "rp_launch_huffman_encoder", 0, 1, 0);
    assert_int_equal(rp_launch_fse_encoder(&w->batch, &buffers, NULL, w->stream), RP_STATUS_OK);
    expect_calls(w, "rp_launch_fse_encoder", 0, 1, 0);
    assert_int_equal(rp_launch_frame_assembler(&w->batch, &buffers, NULL, w->stream), RP_STATUS_OK);
    expect_calls(w, "rp_launch_frame_assembler", 0, 1, 0);
    world_close(w);
}

static void test_refusals(void **state)
{
    (void)state;
    world *w = world_open(0);
    assert_int_equal(rp_compress_async(w->workspace, 1, w->blocks[0], BLOCK_BYTES, w->frames[0], 1,
                                       &w->frame_bytes[0], &w->statuses[0], NULL, w->stream),
                     RP_STATUS_WORKSPACE_TOO_SMALL);
    assert_int_equal(rp_compress_batch_async(w->workspace, 1, &w->batch, NULL, w->stream),
                     RP_STATUS_WORKSPACE_TOO_SMALL);
    assert_int_equal(rp_launch_lz77_matcher(&w->batch, NULL, NULL, w->stream),
                     RP_STATUS_NULL_POINTER);
    expect_calls(w, "refusals", 0, 0, 0);
    world_close(w);
}

/* `staged`: 0 where host and device share their memory. */
static void check_lane_with(uint32_t flags, uint32_t staged, uint32_t compress_flags)
{
    world *w = world_open(flags);
    const bool is_copied_back = flags == 0;
    const uint32_t copies = staged + (is_copied_back ? 2 : 0);
    const uint32_t launches = (compress_flags & RP_COMPRESS_VERIFY) != 0 ? 5 : 4;
    const rp_compress_options compress = {
        .struct_size = sizeof(rp_compress_options),
        .effort = RP_EFFORT_DEFAULT,
        .flags = compress_flags,
    };
    rp_pool_options options = {sizeof(rp_pool_options), 2, LANE_BYTES, 0, RP_EFFORT_DEFAULT, NULL};
    rp_pool *pool;
    rp_lane *lane;
    size_t n;
    assert_int_equal(rp_pool_create(&w->device.device, &options, &pool), RP_STATUS_OK);
    expect_calls(w, "rp_pool_create", 0, 0, 0);
    /* The first time a lane is made: a stream, memory, staging memory, and nothing else. */
    assert_int_equal(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
    assert_int_equal(w->device.n_calls[FAULT_STREAM_CREATE], 1);
    assert_int_equal(w->device.n_calls[FAULT_MEMORY_ALLOC], 1);
    assert_int_equal(w->device.n_calls[FAULT_STAGING_ALLOC], staged);
    assert_int_equal(w->device.n_calls[FAULT_ANY], 2 + staged);
    start_counting(w);
    for (int round = 0; round < 3; round++) {
        rp_pool_release(pool, lane);
        assert_int_equal(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
        expect_calls(w, "release and acquire", 0, 0, 0);
        assert_int_equal(rp_lane_compress(lane, w->blocks[0], BLOCK_BYTES, w->frames[0],
                                          sizeof(w->frames[0]), &n, &compress, TIMEOUT_US),
                         RP_STATUS_OK);
        /* There: the input. Unless the device brings them, also the poison of the results, and
         * back: results and frame, together. */
        expect_calls(w, "rp_lane_compress", copies, launches, 1);
        assert_int_equal(rp_lane_compress(lane, w->blocks[0], BLOCK_BYTES, w->frames[0], 5, &n,
                                          &compress, TIMEOUT_US),
                         RP_STATUS_OUTPUT_TOO_SMALL);
        expect_calls(w, "rp_lane_compress, capacity too small", copies, launches, 1);
        assert_int_equal(rp_lane_compress(lane, w->blocks[0], LANE_BYTES + 1, w->frames[0], 5, &n,
                                          &compress, TIMEOUT_US),
                         RP_STATUS_INPUT_TOO_LARGE);
        expect_calls(w, "rp_lane_compress refuses", 0, 0, 0);
        w->host_batch.n_inputs = 1;
        assert_int_equal(rp_lane_compress_batch(lane, &w->host_batch, &compress, TIMEOUT_US),
                         RP_STATUS_OK);
        expect_calls(w, "rp_lane_compress_batch, one part", copies, launches, 1);
        w->host_batch.n_inputs = N_BLOCKS;
        assert_int_equal(rp_lane_compress_batch(lane, &w->host_batch, &compress, TIMEOUT_US),
                         RP_STATUS_OK);
        uint32_t n_parts = w->device.n_calls[FAULT_WAIT];
        assert_in_range(n_parts, 2, N_BLOCKS);
        expect_calls(w, "rp_lane_compress_batch, parts", copies * n_parts, launches * n_parts,
                     n_parts);
    }
    rp_pool_release(pool, lane);
    expect_calls(w, "rp_pool_release", 0, 0, 0);
    rp_pool_destroy(pool);
    world_close(w);
}

static void check_lane(uint32_t flags, uint32_t staged)
{
    check_lane_with(flags, staged, 0);
    check_lane_with(flags, staged, RP_COMPRESS_VERIFY);
}

static void test_lane_staged(void **state)
{
    (void)state;
    check_lane(0, 1);
}

static void test_lane_delivers(void **state)
{
    (void)state;
    check_lane(RP_DEVICE_MAPPED_STAGING, 1);
}

static void test_lane_in_place(void **state)
{
    (void)state;
    check_lane(RP_DEVICE_HOST_MEMORY, 0);
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_engine),        cmocka_unit_test(test_stages),
        cmocka_unit_test(test_refusals),      cmocka_unit_test(test_lane_staged),
        cmocka_unit_test(test_lane_delivers), cmocka_unit_test(test_lane_in_place),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
