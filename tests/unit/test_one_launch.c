/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which batches go in a single launch on a device with RP_DEVICE_FUSED_LAUNCH: few inputs, small
 * ones, at the lower efforts; all others in one launch for each stage. The frames are the same.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "kernels/cuda/tuning.h"
#include "rockpress/engine.h"
#include "tests/support/fault_device.h"
#include "tests/support/inputs.h"

#define N_STAGES 4

static rp_device *host;

typedef struct frames {
    size_t n;
    uint8_t *bytes;
    size_t stride;
    size_t *sizes;
} frames;

/* Compresses n inputs of n_bytes each, all but the first of them of a byte less; returns the
 * launches that it took. */
static unsigned compress(uint32_t flags, size_t n, size_t n_bytes, rp_effort effort, frames *out)
{
    fault_device device;
    rp_stream stream;
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = effort,
        .flags = RP_COMPRESS_CHECKSUM,
        .error = NULL,
    };
    size_t n_workspace = rp_workspace_size(n_bytes, n, effort);
    uint8_t *workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, n_workspace);
    uint8_t *input = malloc(n_bytes + n);
    const void **inputs = calloc(n, sizeof(*inputs));
    void **outputs = calloc(n, sizeof(*outputs));
    size_t *sizes = calloc(n, sizeof(*sizes));
    size_t *capacities = calloc(n, sizeof(*capacities));
    rp_status *statuses = calloc(n, sizeof(*statuses));
    fault_device_open(&device, host, flags);
    assert_int_equal(rp_stream_create(&device.device, &stream), RP_STATUS_OK);
    inputs_fill(INPUTS_TEXT, input, n_bytes + n, 1);
    out->n = n;
    out->stride = rp_compress_bound(n_bytes);
    out->bytes = calloc(n, out->stride);
    out->sizes = calloc(n, sizeof(*out->sizes));
    for (size_t i = 0; i < n; i++) {
        inputs[i] = input + i;
        sizes[i] = n_bytes - (i != 0 ? 1 : 0);
        outputs[i] = out->bytes + i * out->stride;
        capacities[i] = out->stride;
    }
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = inputs,
        .d_input_sizes = sizes,
        .max_input_bytes = n_bytes,
        .n_inputs = n,
        .d_outputs = outputs,
        .d_output_capacities = capacities,
        .d_output_sizes = out->sizes,
        .d_statuses = statuses,
    };
    rp_status status =
        n == 1 ? rp_compress_async(workspace, n_workspace, input, n_bytes, out->bytes, out->stride,
                                   out->sizes, statuses, &options, stream)
               : rp_compress_batch_async(workspace, n_workspace, &batch, &options, stream);
    assert_int_equal(status, RP_STATUS_OK);
    assert_int_equal(rp_stream_wait(stream, 0), RP_STATUS_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(statuses[i], RP_STATUS_OK);
    rp_stream_destroy(stream);
    free(workspace);
    free(input);
    free((void *)inputs);
    free((void *)outputs);
    free(sizes);
    free(capacities);
    free(statuses);
    return device.n_calls[FAULT_LAUNCH];
}

static void expect(size_t n, size_t n_bytes, rp_effort effort, unsigned n_launches)
{
    frames plain;
    frames fused;
    assert_int_equal(compress(RP_DEVICE_HOST_MEMORY, n, n_bytes, effort, &plain), N_STAGES);
    unsigned taken =
        compress(RP_DEVICE_HOST_MEMORY | RP_DEVICE_FUSED_LAUNCH, n, n_bytes, effort, &fused);
    if (taken != n_launches)
        fail_msg("%zu inputs of %zu bytes, effort %s: %u launches, expected %u", n, n_bytes,
                 rp_effort_name(effort), taken, n_launches);
    assert_memory_equal(plain.sizes, fused.sizes, n * sizeof(size_t));
    assert_memory_equal(plain.bytes, fused.bytes, n * plain.stride);
    free(plain.bytes);
    free(plain.sizes);
    free(fused.bytes);
    free(fused.sizes);
}

static void test_few_and_small(void **state)
{
    (void)state;
    for (rp_effort effort = RP_EFFORT_FAST; effort <= RP_EFFORT_DEFAULT; effort++) {
        expect(1, 1, effort, 1);
        expect(1, RP_FUSED_MAX_BYTES, effort, 1);
        expect(2, RP_FUSED_MAX_BYTES, effort, 1);
        expect(RP_FUSED_MAX_INPUTS, 100, effort, 1);
    }
}

static void test_others(void **state)
{
    (void)state;
    for (rp_effort effort = RP_EFFORT_FAST; effort <= RP_EFFORT_DEFAULT; effort++) {
        expect(1, RP_FUSED_MAX_BYTES + 1, effort, N_STAGES);
        expect(3, RP_FUSED_MAX_BYTES + 1, effort, N_STAGES);
        expect(RP_FUSED_MAX_INPUTS + 1, 100, effort, N_STAGES);
        expect(1, 200000, effort, N_STAGES);
    }
    for (rp_effort effort = RP_EFFORT_HIGH; effort <= RP_EFFORT_MAX; effort++) {
        expect(1, 1000, effort, N_STAGES);
        expect(5, 1000, effort, N_STAGES);
    }
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_and_small),
        cmocka_unit_test(test_others),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
