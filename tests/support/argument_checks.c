/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/argument_checks.h"

#include "tests/support/cases.h"

counting_device counting;
rp_stream stream;
rp_error error;
uint8_t input[INPUT_BYTES];
uint8_t outputs[N_INPUTS][512];
uint8_t *workspace;
size_t workspace_bytes;
rp_status batch_statuses[N_INPUTS];

int set_up_arguments(void **state)
{
    (void)state;
    counting_device_open(&counting, RP_DEVICE_HOST_MEMORY);
    workspace_bytes = rp_workspace_size(INPUT_BYTES, N_INPUTS, RP_EFFORT_FAST);
    workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, workspace_bytes + RP_WORKSPACE_ALIGNMENT);
    return workspace == NULL || rp_stream_create(&counting.device, &stream) != RP_STATUS_OK;
}

int tear_down_arguments(void **state)
{
    (void)state;
    rp_stream_destroy(stream);
    counting_device_close(&counting);
    free(workspace);
    return 0;
}

static const void *batch_inputs[N_INPUTS] = {input, input, input};
static size_t batch_sizes[N_INPUTS] = {INPUT_BYTES, 0, 17};
static void *batch_outputs[N_INPUTS] = {outputs[0], outputs[1], outputs[2]};
static size_t batch_capacities[N_INPUTS] = {512, 512, 512};
static size_t batch_frame_bytes[N_INPUTS];

rp_batch working_batch(void)
{
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = batch_inputs,
        .d_input_sizes = batch_sizes,
        .max_input_bytes = INPUT_BYTES,
        .n_inputs = N_INPUTS,
        .d_outputs = batch_outputs,
        .d_output_capacities = batch_capacities,
        .d_output_sizes = batch_frame_bytes,
        .d_statuses = batch_statuses,
    };
    return batch;
}

const char *spoil_array(rp_batch *batch, int which)
{
    switch (which) {
    case 0:
        batch->d_inputs = NULL;
        return "d_inputs";
    case 1:
        batch->d_input_sizes = NULL;
        return "d_input_sizes";
    case 2:
        batch->d_outputs = NULL;
        return "d_outputs";
    case 3:
        batch->d_output_capacities = NULL;
        return "d_output_capacities";
    case 4:
        batch->d_output_sizes = NULL;
        return "d_output_sizes";
    default:
        batch->d_statuses = NULL;
        return "d_statuses";
    }
}

void expect_refusal(rp_status status, rp_status expected, const char *const *words)
{
    if (status != expected)
        fail_msg("%s, expected %s (\"%s\")", rp_status_name(status), rp_status_name(expected),
                 error.message);
    if (counting_device_enqueued(&counting) != 0)
        fail_msg("%s: %u operations were enqueued", rp_status_name(status),
                 counting_device_enqueued(&counting));
    assert_non_null(memchr(error.message, 0, sizeof(error.message)));
    for (; *words != NULL; words++) {
        if (strstr(error.message, *words) == NULL)
            fail_msg("%s: no \"%s\" in \"%s\"", rp_status_name(status), *words, error.message);
    }
}
