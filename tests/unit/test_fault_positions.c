/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call that the engine, the pool and the batches make of a device's table fails in turn: the
 * first, the second, and so on until a run has none left to fail. Each time the status comes
 * back that the device gave, nothing is left on the device, and the next run succeeds with
 * the right bytes. TEST_DEVICE names the device that is made to fail: "host" unless set, and "cuda"
 * in a test of its own, which is skipped where there is no GPU.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/batched.h"
#include "tests/support/exit_status.h"
#include "tests/support/fault_device.h"
#include "tests/support/inputs.h"

#define N_BLOCKS ((size_t)5)
#define BLOCK_BYTES ((size_t)2500)
#define FRAME_ROOM (BLOCK_BYTES + 100)
#define TIMEOUT_US 60000000
#define MAX_POSITIONS 200

static rp_device *inner;
static uint8_t blocks[N_BLOCKS][BLOCK_BYTES];
static uint8_t expected[N_BLOCKS][FRAME_ROOM];
static size_t expected_bytes[N_BLOCKS];

/* What a scenario writes. */
static uint8_t frames[N_BLOCKS][FRAME_ROOM];
static size_t frame_bytes[N_BLOCKS];
static rp_status statuses[N_BLOCKS];

/* Memory of the device for N_BLOCKS blocks; also its picture on the host, copied there and back. */
typedef struct image {
    const void *inputs[N_BLOCKS];
    size_t sizes[N_BLOCKS];
    void *outputs[N_BLOCKS];
    size_t capacities[N_BLOCKS];
    size_t output_sizes[N_BLOCKS];
    rp_status statuses[N_BLOCKS];
    uint8_t blocks[N_BLOCKS][BLOCK_BYTES];
    uint8_t frames[N_BLOCKS][FRAME_ROOM];
} image;

typedef enum way { SINGLES, BATCH, STAGES, NVCOMP_SHAPE } way;

static rp_status enqueue_stages(const rp_batch *batch, void *workspace, size_t workspace_bytes,
                                rp_stream stream)
{
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    rp_status status = rp_workspace_carve(workspace, workspace_bytes, BLOCK_BYTES, N_BLOCKS,
                                          RP_EFFORT_DEFAULT, &buffers);
    if (status == RP_STATUS_OK)
        status = rp_launch_lz77_matcher(batch, &buffers, NULL, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_huffman_encoder(batch, &buffers, NULL, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_fse_encoder(batch, &buffers, NULL, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_frame_assembler(batch, &buffers, NULL, stream);
    return status;
}

static rp_status enqueue(way how, image *d_image, void *workspace, size_t workspace_bytes,
                         rp_stream stream)
{
    /* Addresses on the device are calculated, never read. */
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = d_image->inputs,
        .d_input_sizes = d_image->sizes,
        .max_input_bytes = BLOCK_BYTES,
        .n_inputs = N_BLOCKS,
        .d_outputs = d_image->outputs,
        .d_output_capacities = d_image->capacities,
        .d_output_sizes = d_image->output_sizes,
        .d_statuses = d_image->statuses,
    };
    rp_status status = RP_STATUS_OK;
    switch (how) {
    case SINGLES:
        for (size_t i = 0; i < N_BLOCKS && status == RP_STATUS_OK; i++)
            status = rp_compress_async(workspace, workspace_bytes, d_image->blocks[i], BLOCK_BYTES,
                                       d_image->frames[i], FRAME_ROOM, &d_image->output_sizes[i],
                                       &d_image->statuses[i], NULL, stream);
        return status;
    case BATCH:
        return rp_compress_batch_async(workspace, workspace_bytes, &batch, NULL, stream);
    case STAGES:
        return enqueue_stages(&batch, workspace, workspace_bytes, stream);
    default:
        return rp_batched_compress_async(batch.d_inputs, batch.d_input_sizes, BLOCK_BYTES, N_BLOCKS,
                                         workspace, workspace_bytes, batch.d_outputs,
                                         batch.d_output_sizes, NULL, batch.d_statuses, stream);
    }
}

static void picture(image *here, image *d_image)
{
    memset(here, 0, sizeof(*here));
    memcpy(here->blocks, blocks, sizeof(blocks));
    for (size_t i = 0; i < N_BLOCKS; i++) {
        here->inputs[i] = d_image->blocks[i];
        here->sizes[i] = BLOCK_BYTES;
        here->outputs[i] = d_image->frames[i];
        here->capacities[i] = FRAME_ROOM;
    }
}

/* Stream and memory of our own. Whatever fails, what was enqueued is waited for and all is freed.
 */
static rp_status on_own_stream(const rp_device *device, way how)
{
    static image here;
    size_t workspace_bytes = rp_workspace_size(BLOCK_BYTES, N_BLOCKS, RP_EFFORT_DEFAULT) + 256;
    rp_stream stream = {NULL, NULL};
    void *memory = NULL;
    rp_status status = rp_stream_create(device, &stream);
    if (status == RP_STATUS_OK)
        status = device->ops->memory_alloc(device, workspace_bytes + sizeof(image), &memory);
    if (status == RP_STATUS_OK) {
        image *d_image = (image *)(void *)((uint8_t *)memory + workspace_bytes);
        picture(&here, d_image);
        status =
            device->ops->copy_async(stream, d_image, &here, sizeof(here), RP_COPY_HOST_TO_DEVICE);
        if (status == RP_STATUS_OK)
            status = enqueue(how, d_image, memory, workspace_bytes, stream);
        if (status == RP_STATUS_OK)
            status = device->ops->copy_async(stream, &here, d_image, sizeof(here),
                                             RP_COPY_DEVICE_TO_HOST);
        rp_status waited = rp_stream_wait(stream, TIMEOUT_US);
        if (status == RP_STATUS_OK)
            status = waited;
        device->ops->memory_free(device, memory);
    }
    rp_stream_destroy(stream);
    if (status == RP_STATUS_OK) {
        memcpy(frames, here.frames, sizeof(frames));
        memcpy(frame_bytes, here.output_sizes, sizeof(frame_bytes));
        memcpy(statuses, here.statuses, sizeof(statuses));
    }
    return status;
}

static rp_status singles(const rp_device *device)
{
    return on_own_stream(device, SINGLES);
}

static rp_status batch(const rp_device *device)
{
    return on_own_stream(device, BATCH);
}

static rp_status stages(const rp_device *device)
{
    return on_own_stream(device, STAGES);
}

static rp_status nvcomp_shape(const rp_device *device)
{
    return on_own_stream(device, NVCOMP_SHAPE);
}

static rp_pool *make_pool(const rp_device *device)
{
    rp_pool_options options = {sizeof(rp_pool_options), 2,   2 * BLOCK_BYTES, 0,
                               RP_EFFORT_DEFAULT,       NULL};
    rp_pool *pool;
    assert_int_equal(rp_pool_create(device, &options, &pool), RP_STATUS_OK);
    return pool;
}

/* Two lanes side by side; each is released whatever became of its blocks. */
static rp_status lanes(const rp_device *device)
{
    rp_pool *pool = make_pool(device);
    rp_lane *both[2] = {NULL, NULL};
    rp_status status = rp_pool_acquire(pool, &both[0]);
    if (status == RP_STATUS_OK)
        status = rp_pool_acquire(pool, &both[1]);
    for (size_t i = 0; i < N_BLOCKS && status == RP_STATUS_OK; i++)
        statuses[i] = status = rp_lane_compress(both[i % 2], blocks[i], BLOCK_BYTES, frames[i],
                                                FRAME_ROOM, &frame_bytes[i], NULL, TIMEOUT_US);
    for (int i = 0; i < 2; i++)
        rp_pool_release(pool, both[i]);
    rp_pool_destroy(pool);
    return status;
}

/* In parts, as two blocks fill a lane. */
static rp_status pooled(const rp_device *device)
{
    rp_pool *pool = make_pool(device);
    const void *inputs[N_BLOCKS];
    void *outputs[N_BLOCKS];
    size_t sizes[N_BLOCKS];
    size_t capacities[N_BLOCKS];
    for (size_t i = 0; i < N_BLOCKS; i++) {
        inputs[i] = blocks[i];
        sizes[i] = BLOCK_BYTES;
        outputs[i] = frames[i];
        capacities[i] = FRAME_ROOM;
    }
    rp_host_batch all = {sizeof(rp_host_batch), inputs,  sizes, N_BLOCKS, outputs, capacities,
                         frame_bytes,           statuses};
    rp_status status = rp_batched_compress_pooled(pool, &all, NULL, TIMEOUT_US);
    rp_pool_destroy(pool);
    return status;
}

static const struct scenario {
    const char *name;
    rp_status (*run)(const rp_device *device);
} scenarios[] = {
    {"singles", singles},           {"batch", batch}, {"stages", stages},
    {"nvcomp_shape", nvcomp_shape}, {"lanes", lanes}, {"pooled", pooled},
};

static void check_frames(const char *name)
{
    for (size_t i = 0; i < N_BLOCKS; i++) {
        if (statuses[i] != RP_STATUS_OK || frame_bytes[i] != expected_bytes[i] ||
            memcmp(frames[i], expected[i], expected_bytes[i]) != 0)
            fail_msg("%s: block %zu: %s, or not its frame", name, i, rp_status_name(statuses[i]));
    }
}

static void clear_frames(void)
{
    memset(frames, 0, sizeof(frames));
    memset(frame_bytes, 0, sizeof(frame_bytes));
    memset(statuses, 0x55, sizeof(statuses));
}

/* What is alive of a device's. */
typedef struct alive {
    int memory;
    int staging;
    int streams;
} alive;

static alive alive_now(fault_device *device)
{
    alive now = {(int)atomic_load(&device->n_memory), (int)atomic_load(&device->n_staging),
                 (int)atomic_load(&device->n_streams)};
    return now;
}

/* A lane that could not be waited for is left to its device on purpose, if that still works on it:
 * then more may be alive than before, and stays so. */
static void check_nothing_is_left(fault_device *device, alive before, const char *name,
                                  uint32_t position, fault_call failed)
{
    bool works_on = (inner->flags & RP_DEVICE_HOST_MEMORY) == 0;
    alive now = alive_now(device);
    if (works_on && (failed == FAULT_WAIT || failed == FAULT_ANY))
        return;
    if (now.memory != before.memory || now.staging != before.staging ||
        now.streams != before.streams)
        fail_msg("%s, call %u failed: %d pieces of memory, %d of staging memory, %d streams more",
                 name, position, now.memory - before.memory, now.staging - before.staging,
                 now.streams - before.streams);
}

/* Returns how many positions there were. */
static uint32_t fail_at_every_position(fault_device *device, const struct scenario *scenario,
                                       fault_plan plan)
{
    const fault_plan none = {FAULT_ANY, 0, false, RP_STATUS_OK};
    for (plan.nth = 1; plan.nth < MAX_POSITIONS; plan.nth++) {
        clear_frames();
        fault_device_plan(device, plan);
        alive before = alive_now(device);
        rp_status status = scenario->run(&device->device);
        bool failed = atomic_load(&device->n_failed) > 0;
        if (status != (failed ? plan.status : RP_STATUS_OK))
            fail_msg("%s, %s %u fails with %s: %s", scenario->name, fault_call_name(plan.call),
                     plan.nth, rp_status_name(plan.status), rp_status_name(status));
        check_nothing_is_left(device, before, scenario->name, plan.nth, plan.call);
        fault_device_plan(device, none);
        if (!failed) {
            check_frames(scenario->name);
            return plan.nth - 1;
        }
        clear_frames();
        assert_int_equal(scenario->run(&device->device), RP_STATUS_OK);
        check_frames(scenario->name);
    }
    fail_msg("%s: more than %d calls", scenario->name, MAX_POSITIONS);
    return 0;
}

static void test_every_position(void **state)
{
    (void)state;
    static const rp_status failures[] = {RP_STATUS_LAUNCH_FAILED, RP_STATUS_OUT_OF_DEVICE_MEMORY,
                                         RP_STATUS_DEVICE_FAULT};
    /* Where host and device share their memory, all ways are to be had. */
    static const uint32_t flags_of_ways[] = {0, RP_DEVICE_MAPPED_STAGING, RP_DEVICE_HOST_MEMORY};
    int n_ways = (inner->flags & RP_DEVICE_HOST_MEMORY) != 0      ? 3
                 : (inner->flags & RP_DEVICE_MAPPED_STAGING) != 0 ? 2
                                                                  : 1;
    for (size_t s = 0; s < sizeof(scenarios) / sizeof(scenarios[0]); s++) {
        for (int w = 0; w < n_ways; w++) {
            fault_device device;
            fault_device_open(&device, inner, flags_of_ways[w]);
            for (size_t f = 0; f < 3; f++) {
                for (int on = 0; on < 2; on++) {
                    fault_plan plan = {FAULT_ANY, 0, on != 0, failures[f]};
                    uint32_t n = fail_at_every_position(&device, &scenarios[s], plan);
                    /* A stream, memory, four launches and a wait are the least. */
                    assert_true(n >= 7);
                    uint32_t n_single = 0;
                    for (plan.call = FAULT_MEMORY_ALLOC; plan.call < FAULT_ANY; plan.call++)
                        n_single += fail_at_every_position(&device, &scenarios[s], plan);
                    assert_int_equal(n_single, n);
                }
            }
            /* Waits that time out, once: what times out for ever is leaked on purpose. */
            fault_plan plan = {FAULT_WAIT, 0, false, RP_STATUS_TIMEOUT};
            assert_true(fail_at_every_position(&device, &scenarios[s], plan) >= 1);
        }
    }
}

/* A pool that goes on after each fault, and is not made anew. */
static void test_pool_survives_every_position(void **state)
{
    (void)state;
    static const rp_status failures[] = {RP_STATUS_LAUNCH_FAILED, RP_STATUS_TIMEOUT,
                                         RP_STATUS_OUT_OF_HOST_MEMORY};
    const fault_plan none = {FAULT_ANY, 0, false, RP_STATUS_OK};
    for (size_t f = 0; f < 3; f++) {
        fault_device device;
        fault_device_open(&device, inner, 0);
        rp_pool *pool = make_pool(&device.device);
        for (uint32_t nth = 1; nth < 40; nth++) {
            fault_plan plan = {FAULT_ANY, nth, false, failures[f]};
            fault_device_plan(&device, plan);
            for (size_t i = 0; i < N_BLOCKS; i++) {
                rp_lane *lane;
                size_t n_bytes = 1;
                rp_status status = rp_pool_acquire(pool, &lane);
                if (status == RP_STATUS_OK) {
                    status = rp_lane_compress(lane, blocks[i], BLOCK_BYTES, frames[i], FRAME_ROOM,
                                              &n_bytes, NULL, TIMEOUT_US);
                    rp_pool_release(pool, lane);
                    assert_int_equal(n_bytes, status == RP_STATUS_OK ? expected_bytes[i] : 0);
                }
                assert_true(status == RP_STATUS_OK || status == failures[f]);
            }
            assert_in_range(atomic_load(&device.n_failed), 0, 1);
            assert_in_range(rp_pool_lane_count(pool), 0, 2);
        }
        fault_device_plan(&device, none);
        rp_lane *both[2];
        for (int i = 0; i < 2; i++)
            assert_int_equal(rp_pool_acquire(pool, &both[i]), RP_STATUS_OK);
        for (int i = 0; i < 2; i++)
            rp_pool_release(pool, both[i]);
        rp_pool_destroy(pool);
        const alive nothing = {0, 0, 0};
        check_nothing_is_left(&device, nothing, "pool", 0, FAULT_MEMORY_ALLOC);
    }
}

static void expected_frames(void)
{
    rp_device *host;
    size_t workspace_bytes = rp_workspace_size(BLOCK_BYTES, 1, RP_EFFORT_DEFAULT);
    void *workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, workspace_bytes);
    if (rp_device_open("host", &host) != RP_STATUS_OK || workspace == NULL)
        abort();
    rp_stream stream = {host, NULL};
    for (size_t i = 0; i < N_BLOCKS; i++) {
        rp_status status;
        inputs_fill(i % 2 == 0 ? INPUTS_TEXT : INPUTS_MIXED, blocks[i], BLOCK_BYTES, i);
        if (rp_compress_async(workspace, workspace_bytes, blocks[i], BLOCK_BYTES, expected[i],
                              FRAME_ROOM, &expected_bytes[i], &status, NULL,
                              stream) != RP_STATUS_OK ||
            status != RP_STATUS_OK)
            abort();
    }
    free(workspace);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_position),
        cmocka_unit_test(test_pool_survives_every_position),
    };
    const char *name = getenv("TEST_DEVICE");
    rp_status status = rp_device_open(name != NULL ? name : "host", &inner);
    if (status == RP_STATUS_DEVICE_UNAVAILABLE) {
        printf("skipped: device %s: %s\n", name, rp_status_string(status));
        return EXIT_SKIPPED;
    }
    if (status != RP_STATUS_OK)
        return 1;
    expected_frames();
    int exit_status = RUN_CASES(argc, argv, tests, NULL, NULL);
    rp_device_close(inner);
    return exit_status;
}
