/* SPDX-License-Identifier: Apache-2.0 */
/* See broken_device.h. */
#include "tests/gpu/broken_device.h"

#include <stddef.h>
#include <string.h>

#include "kernels/base/stages.h"

typedef struct output_view {
    uint8_t *input;
    size_t input_size;
    uint8_t *output;
    size_t capacity;
    size_t *size;
    rp_status *status;
} output_view;

typedef enum defect_kind { FRAME, SIZE, STATUS, OUTPUT, INPUT, WORKSPACE, SEQUENCE } defect_kind;

static const char *const defect_names[] = {"frame", "size",      "status",  "output",
                                           "input", "workspace", "sequence"};

static rp_device_ops ops;
static rp_device *host;
static defect_kind defect;

static bool view_output(const rp_stage_args *args, size_t i, output_view *view)
{
    if (i >= args->batch.n_inputs)
        return false;
    bool single = args->batch.d_inputs == NULL;
    view->input = (uint8_t *)(single ? args->single.d_input : args->batch.d_inputs[i]);
    view->input_size = single ? args->single.input_size : args->batch.d_input_sizes[i];
    view->output = single ? args->single.d_output : args->batch.d_outputs[i];
    view->capacity = single ? args->single.output_capacity : args->batch.d_output_capacities[i];
    view->size = &args->batch.d_output_sizes[i];
    view->status = &args->batch.d_statuses[i];
    return true;
}

static void damage_output(const struct rp_launch *launch)
{
    const rp_kernel_buffers *buffers = &launch->args.buffers;
    output_view view;
    size_t i = 0;
    while (view_output(&launch->args, i, &view) && *view.size < 20)
        i++;
    if (i == launch->args.batch.n_inputs)
        return;
    if (defect == FRAME)
        view.output[*view.size - 3] ^= 0x10;
    else if (defect == SIZE)
        *view.size += 1;
    else if (defect == STATUS)
        *view.status = RP_STATUS_INTERNAL;
    else if (defect == OUTPUT)
        view.output[view.capacity] ^= 1;
    else if (defect == INPUT)
        view.input[view.input_size / 2] ^= 1;
    else if (defect == WORKSPACE)
        buffers->d_scratch[buffers->n_zstd_blocks * buffers->scratch_stride] ^= 1;
}

static void damage_sequence(const struct rp_launch *launch)
{
    const rp_kernel_buffers *buffers = &launch->args.buffers;
    size_t i = 0;
    while (i < buffers->n_zstd_blocks && buffers->d_zstd_blocks[i].n_sequences == 0)
        i++;
    if (i != buffers->n_zstd_blocks)
        buffers->d_sequences[i * buffers->sequences_stride + buffers->d_zstd_blocks[i].n_sequences -
                             1] ^= UINT64_C(1) << 34;
}

static rp_status broken_launch(rp_stream stream, const struct rp_launch *launch)
{
    rp_stream host_stream = {host, stream.handle};
    rp_status status = host->ops->launch(host_stream, launch);
    if (launch->stage == RP_STAGE_FRAME_ASSEMBLER)
        damage_output(launch);
    else if (launch->stage == RP_STAGE_LZ77_MATCHER && defect == SEQUENCE)
        damage_sequence(launch);
    return status;
}

static void broken_close(rp_device *device)
{
    (void)device;
}

rp_device *broken_device_open(const char *name)
{
    static rp_device device;
    for (size_t i = 0; i < sizeof(defect_names) / sizeof(defect_names[0]); i++) {
        if (strcmp(name, defect_names[i]) != 0)
            continue;
        if (rp_device_open("host", &host) != RP_STATUS_OK)
            return NULL;
        defect = (defect_kind)i;
        ops = *host->ops;
        ops.launch = broken_launch;
        ops.close = broken_close;
        device = *host;
        device.ops = &ops;
        device.name = "broken";
        return &device;
    }
    return NULL;
}
