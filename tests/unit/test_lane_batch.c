/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches from host memory on a lane and on a pool, in place, through staging memory and with
 * results written there by the device: each block has its capacity and its status, larger batches
 * are done in parts, and whatever a device does wrong, blocks before are complete, blocks after say
 * so, and nobody's memory is touched later.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/batched.h"
#include "tests/differential/counting_device.h"
#include "tests/support/inputs.h"
#include "tests/support/queue_device.h"

#define TIMEOUT_US 10000000
#define LANE_BYTES ((size_t)20000)
#define FILL 0xE9

static rp_device *host;
static rp_error error;

/* Blocks, with their frames from the host device for comparison. */
typedef struct blocks {
    size_t n;
    const void **inputs;
    size_t *sizes;
    void **outputs;
    size_t *capacities;
    size_t *output_sizes;
    rp_status *statuses;
    uint8_t **frames;
    size_t *frame_bytes;
    rp_host_batch batch;
    rp_compress_options options;
} blocks;

static void reference_frame(blocks *b, size_t i, void *workspace, size_t n_workspace)
{
    rp_stream stream = {host, NULL};
    size_t capacity = rp_compress_bound(b->sizes[i]);
    rp_status status;
    b->frames[i] = malloc(capacity);
    assert_int_equal(rp_compress_async(workspace, n_workspace, b->inputs[i], b->sizes[i],
                                       b->frames[i], capacity, &b->frame_bytes[i], &status,
                                       &b->options, stream),
                     RP_STATUS_OK);
    assert_int_equal(status, RP_STATUS_OK);
}

static void fresh_outputs(blocks *b)
{
    for (size_t i = 0; i < b->n; i++) {
        memset(b->outputs[i], FILL, b->capacities[i] + 1);
        b->output_sizes[i] = 12345;
        b->statuses[i] = (rp_status)12345;
    }
}

/* n blocks of up to max_bytes, of all sizes, among them the largest and the empty one. */
static blocks *blocks_open(size_t n, size_t max_bytes, rp_effort effort)
{
    blocks *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = effort,
        .flags = 0,
        .error = &error,
    };
    inputs_random random = inputs_seed(n * 1000003 + max_bytes);
    size_t n_workspace = rp_workspace_size(max_bytes, 1, effort);
    void *workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, n_workspace);
    b->n = n;
    b->options = options;
    b->inputs = calloc(n, sizeof(b->inputs[0]));
    b->sizes = calloc(n, sizeof(b->sizes[0]));
    b->outputs = calloc(n, sizeof(b->outputs[0]));
    b->capacities = calloc(n, sizeof(b->capacities[0]));
    b->output_sizes = calloc(n, sizeof(b->output_sizes[0]));
    b->statuses = calloc(n, sizeof(b->statuses[0]));
    b->frames = calloc(n, sizeof(b->frames[0]));
    b->frame_bytes = calloc(n, sizeof(b->frame_bytes[0]));
    for (size_t i = 0; i < n; i++) {
        b->sizes[i] = i % 5 == 1   ? max_bytes
                      : i % 7 == 3 ? 0
                                   : inputs_below(&random, (uint32_t)max_bytes) + 1;
        uint8_t *input = malloc(b->sizes[i] + 1);
        if (b->sizes[i] != 0)
            inputs_fill(i % 3 == 0 ? INPUTS_NOISE : INPUTS_TEXT, input, b->sizes[i], i);
        b->inputs[i] = input;
        reference_frame(b, i, workspace, n_workspace);
        b->capacities[i] = rp_compress_bound(b->sizes[i]) + i % 3 * 100;
        b->outputs[i] = malloc(b->capacities[i] + 1);
    }
    free(workspace);
    rp_host_batch batch = {sizeof(rp_host_batch), b->inputs,       b->sizes,   n, b->outputs,
                           b->capacities,         b->output_sizes, b->statuses};
    b->batch = batch;
    fresh_outputs(b);
    return b;
}

static void blocks_close(blocks *b)
{
    for (size_t i = 0; i < b->n; i++) {
        free((void *)(uintptr_t)b->inputs[i]);
        free(b->outputs[i]);
        free(b->frames[i]);
    }
    free(b->inputs);
    free(b->sizes);
    free(b->outputs);
    free(b->capacities);
    free(b->output_sizes);
    free(b->statuses);
    free(b->frames);
    free(b->frame_bytes);
    free(b);
}

/* The frame of the host device, and nothing after the capacity. */
static void check_block(const blocks *b, size_t i)
{
    const uint8_t *output = b->outputs[i];
    if (b->statuses[i] != RP_STATUS_OK)
        fail_msg("block %zu of %zu bytes: %s", i, b->sizes[i], rp_status_name(b->statuses[i]));
    assert_int_equal(b->output_sizes[i], b->frame_bytes[i]);
    assert_memory_equal(output, b->frames[i], b->frame_bytes[i]);
    assert_int_equal(output[b->capacities[i]], FILL);
}

static void check_untouched(const blocks *b, size_t i)
{
    const uint8_t *output = b->outputs[i];
    for (size_t k = 0; k <= b->capacities[i]; k++)
        assert_int_equal(output[k], FILL);
}

static rp_pool *make_pool(const rp_device *device, rp_effort effort)
{
    rp_pool_options options = {sizeof(rp_pool_options), 2, LANE_BYTES, 0, effort, NULL};
    rp_pool *pool;
    assert_int_equal(rp_pool_create(device, &options, &pool), RP_STATUS_OK);
    return pool;
}

/* As the counting device runs everything at once, its flags alone decide between the ways. */
#define N_WAYS 3
static const uint32_t ways[N_WAYS] = {RP_DEVICE_HOST_MEMORY, 0, RP_DEVICE_MAPPED_STAGING};

static void test_batches_of_all_sizes(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 9, 200};
    static const size_t sizes[] = {1, 100, 4096, LANE_BYTES};
    for (size_t way = 0; way < N_WAYS; way++) {
        counting_device device;
        counting_device_open(&device, ways[way]);
        for (rp_effort effort = RP_EFFORT_FAST; effort <= RP_EFFORT_HIGH; effort++) {
            rp_pool *pool = make_pool(&device.device, effort);
            for (size_t c = 0; c < 4; c++) {
                for (size_t s = 0; s < 4; s++) {
                    blocks *b = blocks_open(counts[c], sizes[s], effort);
                    assert_int_equal(
                        rp_batched_compress_pooled(pool, &b->batch, &b->options, TIMEOUT_US),
                        RP_STATUS_OK);
                    for (size_t i = 0; i < b->n; i++)
                        check_block(b, i);
                    blocks_close(b);
                }
            }
            assert_int_equal(rp_pool_lane_count(pool), 1);
            rp_pool_destroy(pool);
        }
        assert_int_equal(atomic_load(&device.n_allocated), 0);
        counting_device_close(&device);
    }
}

/* 8 blocks of a tenth of the lane are one part, 200 of them some 20: neither one by one nor more
 * than the lane holds, which the device's memory under AddressSanitizer would tell. */
static void test_parts(void **state)
{
    (void)state;
    for (size_t way = 0; way < N_WAYS; way++) {
        counting_device device;
        counting_device_open(&device, ways[way]);
        rp_pool *pool = make_pool(&device.device, RP_EFFORT_FAST);
        static const size_t counts[] = {3, 200};
        for (size_t c = 0; c < 2; c++) {
            blocks *b = blocks_open(counts[c], LANE_BYTES / 10, RP_EFFORT_FAST);
            atomic_store(&device.n_launches, 0);
            assert_int_equal(rp_batched_compress_pooled(pool, &b->batch, &b->options, TIMEOUT_US),
                             RP_STATUS_OK);
            unsigned n_parts = atomic_load(&device.n_launches) / 4;
            if (c == 0)
                assert_int_equal(n_parts, 1);
            else
                assert_in_range(n_parts, 10, 50);
            blocks_close(b);
        }
        rp_pool_destroy(pool);
        counting_device_close(&device);
    }
}

/* A lane for a higher effort has memory for a larger workspace than it needs here, but not for more
 * staging memory. */
static void test_lower_effort_than_the_pool_is_for(void **state)
{
    (void)state;
    counting_device device;
    counting_device_open(&device, 0);
    rp_pool *pool = make_pool(&device.device, RP_EFFORT_MAX);
    static const size_t sizes[] = {40, LANE_BYTES / 10, LANE_BYTES};
    for (size_t s = 0; s < 3; s++) {
        blocks *b = blocks_open(300, sizes[s], RP_EFFORT_FAST);
        assert_int_equal(rp_batched_compress_pooled(pool, &b->batch, &b->options, TIMEOUT_US),
                         RP_STATUS_OK);
        for (size_t i = 0; i < b->n; i++)
            check_block(b, i);
        blocks_close(b);
    }
    rp_pool_destroy(pool);
    counting_device_close(&device);
}

static void test_capacities(void **state)
{
    (void)state;
    for (size_t way = 0; way < N_WAYS; way++) {
        counting_device device;
        counting_device_open(&device, ways[way]);
        rp_pool *pool = make_pool(&device.device, RP_EFFORT_FAST);
        blocks *b = blocks_open(30, LANE_BYTES / 4, RP_EFFORT_FAST);
        for (size_t i = 0; i < b->n; i++) {
            static const int less[] = {0, 1, -1};
            b->capacities[i] = i % 4 == 3 ? 0 : b->frame_bytes[i] - (size_t)less[i % 4 % 3];
        }
        /* With a capacity of 0 the address doesn't matter. */
        void *outputs_3 = b->outputs[3];
        fresh_outputs(b);
        b->outputs[3] = NULL;
        assert_int_equal(rp_batched_compress_pooled(pool, &b->batch, &b->options, TIMEOUT_US),
                         RP_STATUS_OK);
        b->outputs[3] = outputs_3;
        for (size_t i = 0; i < b->n; i++) {
            if (b->capacities[i] >= b->frame_bytes[i]) {
                check_block(b, i);
                continue;
            }
            assert_int_equal(b->statuses[i], RP_STATUS_OUTPUT_TOO_SMALL);
            assert_int_equal(b->output_sizes[i], 0);
            assert_int_equal(((uint8_t *)b->outputs[i])[b->capacities[i]], FILL);
        }
        blocks_close(b);
        rp_pool_destroy(pool);
        counting_device_close(&device);
    }
}

/* One block larger than the pool's largest is that block's problem; it is not even read. */
static void test_block_too_large(void **state)
{
    (void)state;
    for (size_t way = 0; way < N_WAYS; way++) {
        counting_device device;
        counting_device_open(&device, ways[way]);
        rp_pool *pool = make_pool(&device.device, RP_EFFORT_FAST);
        blocks *b = blocks_open(10, 3000, RP_EFFORT_FAST);
        b->sizes[0] = LANE_BYTES + 1;
        b->sizes[4] = SIZE_MAX;
        assert_int_equal(rp_batched_compress_pooled(pool, &b->batch, &b->options, TIMEOUT_US),
                         RP_STATUS_OK);
        for (size_t i = 0; i < b->n; i++) {
            if (i != 0 && i != 4) {
                check_block(b, i);
                continue;
            }
            assert_int_equal(b->statuses[i], RP_STATUS_INPUT_TOO_LARGE);
            assert_int_equal(b->output_sizes[i], 0);
            check_untouched(b, i);
        }
        blocks_close(b);
        rp_pool_destroy(pool);
        counting_device_close(&device);
    }
}

static void refuse(rp_pool *pool, counting_device *device, const blocks *b,
                   const rp_host_batch *batch, const rp_compress_options *options,
                   rp_status expected, const char *word)
{
    rp_lane *lane;
    assert_int_equal(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
    for (int pooled = 0; pooled < 2; pooled++) {
        memset(&error, 0x7E, sizeof(error));
        assert_int_equal(pooled ? rp_batched_compress_pooled(pool, batch, options, TIMEOUT_US)
                                : rp_lane_compress_batch(lane, batch, options, TIMEOUT_US),
                         expected);
        assert_int_equal(counting_device_enqueued(device), 0);
        assert_non_null(memchr(error.message, 0, sizeof(error.message)));
        if (strstr(error.message, word) == NULL)
            fail_msg("no \"%s\" in \"%s\"", word, error.message);
        for (size_t i = 0; i < b->n; i++) {
            assert_int_equal(b->output_sizes[i], 12345);
            assert_int_equal(b->statuses[i], 12345);
            check_untouched(b, i);
        }
    }
    rp_pool_release(pool, lane);
}

static void test_argument_errors(void **state)
{
    (void)state;
    counting_device device;
    counting_device_open(&device, 0);
    rp_pool *pool = make_pool(&device.device, RP_EFFORT_FAST);
    blocks *b = blocks_open(6, LANE_BYTES, RP_EFFORT_FAST);
    static const char *const names[] = {
        "inputs", "input_sizes", "outputs", "output_capacities", "output_sizes", "statuses"};
    for (int which = 0; which < 6; which++) {
        rp_host_batch batch = b->batch;
        batch.inputs = which == 0 ? NULL : batch.inputs;
        batch.input_sizes = which == 1 ? NULL : batch.input_sizes;
        batch.outputs = which == 2 ? NULL : batch.outputs;
        batch.output_capacities = which == 3 ? NULL : batch.output_capacities;
        batch.output_sizes = which == 4 ? NULL : batch.output_sizes;
        batch.statuses = which == 5 ? NULL : batch.statuses;
        refuse(pool, &device, b, &batch, &b->options, RP_STATUS_NULL_POINTER, names[which]);
    }
    refuse(pool, &device, b, NULL, &b->options, RP_STATUS_NULL_POINTER, "batch");
    const void *input = b->inputs[5];
    b->inputs[5] = NULL;
    refuse(pool, &device, b, &b->batch, &b->options, RP_STATUS_NULL_POINTER, "inputs[5]");
    b->inputs[5] = input;
    void *output = b->outputs[2];
    b->batch.n_inputs = 3;
    b->outputs[2] = NULL;
    blocks without_outputs = *b;
    without_outputs.n = 2;
    refuse(pool, &device, &without_outputs, &b->batch, &b->options, RP_STATUS_NULL_POINTER,
           "outputs[2]");
    b->outputs[2] = output;
    b->batch.n_inputs = b->n;
    rp_compress_options options = b->options;
    options.effort = (rp_effort)7;
    refuse(pool, &device, b, &b->batch, &options, RP_STATUS_INVALID_EFFORT, "7");
    options = b->options;
    options.flags = 4;
    refuse(pool, &device, b, &b->batch, &options, RP_STATUS_INVALID_FLAGS, "0x4");
    /* The lanes are made for FAST. */
    options = b->options;
    options.effort = RP_EFFORT_MAX;
    refuse(pool, &device, b, &b->batch, &options, RP_STATUS_WORKSPACE_TOO_SMALL, "effort max");
    assert_int_equal(rp_batched_compress_pooled(NULL, &b->batch, NULL, 0), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_lane_compress_batch(NULL, &b->batch, NULL, 0), RP_STATUS_NULL_POINTER);
    const rp_host_batch empty = RP_HOST_BATCH_INIT;
    assert_int_equal(rp_batched_compress_pooled(pool, &empty, NULL, 0), RP_STATUS_OK);
    assert_int_equal(counting_device_enqueued(&device), 0);
    blocks_close(b);
    rp_pool_destroy(pool);
    counting_device_close(&device);
}

/* A lane for inputs of one byte takes no arrays, so each input goes alone: one that is too large is
 * told of in its status, like any other. */
static void test_too_large_for_the_smallest_lane(void **state)
{
    (void)state;
    for (size_t way = 0; way < N_WAYS; way++) {
        const rp_pool_options options = {sizeof(options), 1, 1, 0, RP_EFFORT_FAST, NULL};
        counting_device device;
        rp_pool *pool;
        counting_device_open(&device, ways[way]);
        assert_int_equal(rp_pool_create(&device.device, &options, &pool), RP_STATUS_OK);
        blocks *b = blocks_open(3, 1, RP_EFFORT_FAST);
        uint8_t large[2] = {1, 2};
        const void *inputs[3] = {b->inputs[0], large, b->inputs[2]};
        const size_t sizes[3] = {b->sizes[0], 2, b->sizes[2]};
        rp_host_batch batch = b->batch;
        batch.inputs = inputs;
        batch.input_sizes = sizes;
        assert_int_equal(rp_batched_compress_pooled(pool, &batch, &b->options, TIMEOUT_US),
                         RP_STATUS_OK);
        assert_int_equal(b->statuses[1], RP_STATUS_INPUT_TOO_LARGE);
        assert_int_equal(b->output_sizes[1], 0);
        check_untouched(b, 1);
        check_block(b, 0);
        check_block(b, 2);
        blocks_close(b);
        rp_pool_destroy(pool);
        counting_device_close(&device);
    }
}

static void test_pool_exhausted(void **state)
{
    (void)state;
    rp_pool *pool = make_pool(host, RP_EFFORT_FAST);
    blocks *b = blocks_open(5, 500, RP_EFFORT_FAST);
    rp_lane *lanes[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(rp_pool_acquire(pool, &lanes[i]), RP_STATUS_OK);
    assert_int_equal(rp_batched_compress_pooled(pool, &b->batch, &b->options, TIMEOUT_US),
                     RP_STATUS_POOL_EXHAUSTED);
    for (size_t i = 0; i < b->n; i++) {
        assert_int_equal(b->statuses[i], RP_STATUS_POOL_EXHAUSTED);
        assert_int_equal(b->output_sizes[i], 0);
        check_untouched(b, i);
    }
    rp_pool_release(pool, lanes[0]);
    assert_int_equal(rp_batched_compress_pooled(pool, &b->batch, &b->options, TIMEOUT_US),
                     RP_STATUS_OK);
    for (size_t i = 0; i < b->n; i++)
        check_block(b, i);
    rp_pool_release(pool, lanes[1]);
    rp_pool_destroy(pool);
    blocks_close(b);
}

/* The device hangs: the caller's memory is its own again, whatever the device does later. */
static void test_timeout(void **state)
{
    (void)state;
    queue_device device;
    queue_device_open(&device, host, 0);
    rp_pool *pool = make_pool(&device.device, RP_EFFORT_FAST);
    blocks *b = blocks_open(12, LANE_BYTES / 5, RP_EFFORT_FAST);
    rp_lane *lane;
    assert_int_equal(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
    queue_device_stall(rp_lane_stream(lane), true);
    assert_int_equal(rp_lane_compress_batch(lane, &b->batch, &b->options, TIMEOUT_US),
                     RP_STATUS_TIMEOUT);
    for (size_t i = 0; i < b->n; i++) {
        assert_int_equal(b->statuses[i], RP_STATUS_TIMEOUT);
        assert_int_equal(b->output_sizes[i], 0);
    }
    rp_pool_release(pool, lane);
    rp_lane *another;
    assert_int_equal(rp_pool_acquire(pool, &another), RP_STATUS_OK);
    assert_ptr_not_equal(another, lane);
    queue_device_stall(rp_lane_stream(lane), false);
    rp_lane *same;
    assert_int_equal(rp_pool_acquire(pool, &same), RP_STATUS_OK);
    assert_ptr_equal(same, lane);
    for (size_t i = 0; i < b->n; i++)
        check_untouched(b, i);
    fresh_outputs(b);
    assert_int_equal(rp_lane_compress_batch(lane, &b->batch, &b->options, TIMEOUT_US),
                     RP_STATUS_OK);
    for (size_t i = 0; i < b->n; i++)
        check_block(b, i);
    rp_pool_release(pool, lane);
    rp_pool_release(pool, another);
    rp_pool_destroy(pool);
    assert_int_equal(atomic_load(&device.n_memory), 0);
    blocks_close(b);
}

static void count_ask(void *context, rp_stream stream)
{
    (void)stream;
    ++*(size_t *)context;
}

/* The parts after the first have used the only microsecond up: they get none. */
static void test_timeout_is_for_all_parts(void **state)
{
    (void)state;
    queue_device device;
    size_t n_asked = 0;
    queue_device_open(&device, host, 0);
    device.on_ask = count_ask;
    device.on_ask_context = &n_asked;
    rp_pool *pool = make_pool(&device.device, RP_EFFORT_FAST);
    blocks *b = blocks_open(50, LANE_BYTES / 5, RP_EFFORT_FAST);
    assert_int_equal(rp_batched_compress_pooled(pool, &b->batch, &b->options, 1), RP_STATUS_OK);
    assert_in_range(n_asked, 5, 25);
    blocks_close(b);
    rp_pool_destroy(pool);
}

/* The nth copy, launch or wait fails, for every n until none does. */
static void test_faults_at_every_call(void **state)
{
    (void)state;
    queue_device device;
    queue_device_open(&device, host, 0);
    blocks *b = blocks_open(25, LANE_BYTES / 5, RP_EFFORT_FAST);
    for (int call = 0; call < QUEUE_N_CALLS; call++) {
        size_t n_complete_before = 0;
        for (int nth = 1;; nth++) {
            rp_pool *pool = make_pool(&device.device, RP_EFFORT_FAST);
            fresh_outputs(b);
            queue_device_fail(&device, (queue_call)call, nth, RP_STATUS_LAUNCH_FAILED);
            rp_status status = rp_batched_compress_pooled(pool, &b->batch, &b->options, TIMEOUT_US);
            bool failed = atomic_load(&device.fail_in[call]) == 0;
            atomic_store(&device.fail_in[call], 0);
            assert_int_equal(status, failed ? RP_STATUS_LAUNCH_FAILED : RP_STATUS_OK);
            size_t n_complete = 0;
            while (n_complete < b->n && b->statuses[n_complete] == RP_STATUS_OK)
                check_block(b, n_complete++);
            for (size_t i = n_complete; i < b->n; i++) {
                assert_int_equal(b->statuses[i], RP_STATUS_LAUNCH_FAILED);
                assert_int_equal(b->output_sizes[i], 0);
                check_untouched(b, i);
            }
            assert_true(failed ? n_complete < b->n : n_complete == b->n);
            assert_true(n_complete >= n_complete_before);
            n_complete_before = n_complete;
            /* The lane is as good as before. */
            fresh_outputs(b);
            assert_int_equal(rp_batched_compress_pooled(pool, &b->batch, NULL, TIMEOUT_US),
                             RP_STATUS_OK);
            rp_pool_destroy(pool);
            assert_int_equal(atomic_load(&device.n_memory), 0);
            if (!failed)
                break;
            assert_true(nth < 100);
        }
    }
    blocks_close(b);
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches_of_all_sizes),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_lower_effort_than_the_pool_is_for),
        cmocka_unit_test(test_timeout_is_for_all_parts),
        cmocka_unit_test(test_capacities),
        cmocka_unit_test(test_block_too_large),
        cmocka_unit_test(test_argument_errors),
        cmocka_unit_test(test_too_large_for_the_smallest_lane),
        cmocka_unit_test(test_pool_exhausted),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_faults_at_every_call),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
