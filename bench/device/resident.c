/* SPDX-License-Identifier: Apache-2.0 */
/* Batches in device memory: see measure.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "bench/common/times.h"
#include "bench/device/encoder.h"
#include "bench/device/measure.h"

#define WAIT_US (60 * UINT32_C(1000000))

bool device_good(rp_status status, const char *what)
{
    if (status != RP_STATUS_OK)
        fprintf(stderr, "device: %s: %s\n", what, rp_status_name(status));
    return status == RP_STATUS_OK;
}

static size_t round_up(size_t bytes)
{
    return (bytes + DEVICE_ALIGNMENT - 1) / DEVICE_ALIGNMENT * DEVICE_ALIGNMENT;
}

static bool copy(const struct device_load *load, void *to, const void *from, size_t bytes,
                 rp_copy_kind kind)
{
    return device_good(load->device->ops->copy_async(load->streams[0], to, from, bytes, kind),
                       "copy") &&
           device_good(rp_stream_wait(load->streams[0], WAIT_US), "copy");
}

/* Makes an image of arrays and inputs on the host, with the device's addresses, and copies it. */
static bool upload(struct device_load *load, size_t inputs_bytes)
{
    const size_t n = load->n_blocks;
    const size_t arrays_bytes = round_up(n * (2 * sizeof(void *) + 2 * sizeof(size_t)));
    uint8_t *image = calloc(1, arrays_bytes + inputs_bytes);
    if (!image) {
        fputs("device: no memory for the batch\n", stderr);
        return false;
    }
    uint8_t *d_base = load->d_memory;
    const void **inputs = (const void **)(void *)image;
    size_t *sizes = (size_t *)(void *)(inputs + n);
    void **outputs = (void **)(void *)(sizes + n);
    size_t *capacities = (size_t *)(void *)(outputs + n);
    size_t at = arrays_bytes;
    for (size_t i = 0; i < n; i++) {
        const corpus_block *block = &load->group->blocks[i % load->group->n_blocks];
        memcpy(image + at, block->data, block->size);
        inputs[i] = d_base + at;
        sizes[i] = block->size;
        outputs[i] = load->d_outputs + i * load->max_output_bytes;
        capacities[i] = load->max_output_bytes;
        at += round_up(block->size);
    }
    const bool good =
        copy(load, d_base, image, arrays_bytes + inputs_bytes, RP_COPY_HOST_TO_DEVICE);
    for (unsigned s = 0; s < load->n_streams; s++) {
        const size_t first = n * s / load->n_streams, end = n * (s + 1) / load->n_streams;
        struct device_batch *part = &load->parts[s];
        part->n = end - first;
        part->max_bytes = load->group->max_bytes;
        for (size_t i = first; i < end; i++)
            part->total_bytes += sizes[i];
        const void *const *d_inputs = (const void *const *)(void *)d_base;
        const size_t *d_input_sizes = (const size_t *)(const void *)(d_inputs + n);
        void *const *d_outputs = (void *const *)(const void *)(d_input_sizes + n);
        part->d_inputs = d_inputs + first;
        part->d_input_sizes = d_input_sizes + first;
        part->d_outputs = d_outputs + first;
        part->d_output_capacities = (const size_t *)(const void *)(d_outputs + n) + first;
        part->d_output_sizes = load->d_sizes + first;
        part->d_statuses = load->d_statuses + first;
        load->raw_bytes += part->total_bytes;
    }
    free(image);
    return good;
}

bool device_load_open(struct device_load *load, rp_device *device, const struct device_group *group,
                      size_t n_blocks, unsigned n_streams, size_t max_output_bytes)
{
    memset(load, 0, sizeof *load);
    load->device = device;
    load->group = group;
    load->n_blocks = n_blocks;
    load->max_output_bytes = round_up(max_output_bytes);
    for (; load->n_streams < n_streams; load->n_streams++)
        if (!device_good(rp_stream_create(device, &load->streams[load->n_streams]), "stream"))
            return false;
    size_t inputs_bytes = 0;
    for (size_t i = 0; i < n_blocks; i++)
        inputs_bytes += round_up(group->blocks[i % group->n_blocks].size);
    const size_t front =
        round_up(n_blocks * (2 * sizeof(void *) + 2 * sizeof(size_t))) + round_up(inputs_bytes);
    const size_t outputs = n_blocks * load->max_output_bytes;
    const size_t sizes = round_up(n_blocks * sizeof(size_t));
    if (!device_good(device->ops->memory_alloc(device,
                                               front + outputs + sizes + n_blocks * sizeof(int32_t),
                                               &load->d_memory),
                     "memory for the batch"))
        return false;
    load->d_outputs = (uint8_t *)load->d_memory + front;
    load->d_sizes = (size_t *)(void *)(load->d_outputs + outputs);
    load->d_statuses = (int32_t *)(void *)(load->d_outputs + outputs + sizes);
    return upload(load, round_up(inputs_bytes));
}

void device_load_close(struct device_load *load)
{
    if (load->d_memory)
        load->device->ops->memory_free(load->device, load->d_memory);
    for (unsigned i = 0; i < load->n_streams; i++)
        rp_stream_destroy(load->streams[i]);
    memset(load, 0, sizeof *load);
}

static bool verify_frame(const corpus_block *block, const uint8_t *frame, size_t size, size_t i)
{
    uint8_t *decoded = malloc(block->size);
    const size_t n = decoded ? ZSTD_decompress(decoded, block->size, frame, size) : 0;
    const bool good = n == block->size && memcmp(decoded, block->data, n) == 0;
    if (!good)
        fprintf(stderr, "device: frame %zu of %zu bytes is not its block: %s\n", i, size,
                ZSTD_isError(n) ? ZSTD_getErrorName(n) : "other bytes");
    free(decoded);
    return good;
}

/* Checks all sizes and statuses, and decodes the first n_verify frames. */
static bool check(const struct device_load *load, size_t n_verify, struct device_result *result)
{
    const size_t n = load->n_blocks;
    const size_t n_frames = n_verify < n ? n_verify : n;
    size_t *sizes = malloc(n * sizeof *sizes);
    int32_t *statuses = malloc(n * sizeof *statuses);
    uint8_t *frames = malloc(n_frames * load->max_output_bytes + 1);
    bool good =
        sizes && statuses && frames &&
        copy(load, sizes, load->d_sizes, n * sizeof *sizes, RP_COPY_DEVICE_TO_HOST) &&
        copy(load, statuses, load->d_statuses, n * sizeof *statuses, RP_COPY_DEVICE_TO_HOST) &&
        (n_frames == 0 || copy(load, frames, load->d_outputs, n_frames * load->max_output_bytes,
                               RP_COPY_DEVICE_TO_HOST));
    result->compressed_bytes = 0;
    result->n_verified = 0;
    for (size_t i = 0; i < n && good; i++) {
        result->compressed_bytes += sizes[i];
        good = statuses[i] == 0 && sizes[i] <= load->max_output_bytes;
        if (!good)
            fprintf(stderr, "device: block %zu: status %d, %zu bytes\n", i, (int)statuses[i],
                    sizes[i]);
        if (good && i < n_frames) {
            good = verify_frame(&load->group->blocks[i % load->group->n_blocks],
                                frames + i * load->max_output_bytes, sizes[i], i);
            result->n_verified += good;
        }
    }
    free(sizes);
    free(statuses);
    free(frames);
    return good;
}

/* The temporary memory of one encoder, for each stream. */
struct temporaries {
    void *d_memory[DEVICE_MAX_STREAMS];
    size_t bytes[DEVICE_MAX_STREAMS];
};

static bool open_temporaries(struct temporaries *t, const struct device_load *load,
                             const struct device_encoder *e)
{
    for (unsigned s = 0; s < load->n_streams; s++) {
        const struct device_batch *part = &load->parts[s];
        t->bytes[s] = e->temp_bytes(e, part->n, part->max_bytes, part->total_bytes);
        if (t->bytes[s] == 0 || !device_good(load->device->ops->memory_alloc(
                                                 load->device, t->bytes[s], &t->d_memory[s]),
                                             "temporary memory"))
            return false;
    }
    return true;
}

static void close_temporaries(struct temporaries *t, const struct device_load *load)
{
    for (unsigned s = 0; s < load->n_streams; s++)
        if (t->d_memory[s])
            load->device->ops->memory_free(load->device, t->d_memory[s]);
}

static bool run(struct device_load *load, struct device_timer *timer, const struct temporaries *t,
                const struct device_encoder *e, double *seconds)
{
    bool good = device_timer_start(timer);
    for (unsigned s = 0; s < load->n_streams && good; s++)
        good = e->enqueue(e, &load->parts[s], t->d_memory[s], t->bytes[s], load->streams[s]);
    return good && device_timer_stop(timer) && device_timer_seconds(timer, seconds);
}

bool device_measure_resident(struct device_load *load, const struct device_encoder *encoders,
                             unsigned n_encoders, unsigned n_rounds, size_t n_verify,
                             struct device_result *results)
{
    struct temporaries temporaries[DEVICE_MAX_ENCODERS];
    struct device_timer timer;
    memset(temporaries, 0, sizeof temporaries);
    bool good = device_timer_open(&timer, load->device, load->streams, load->n_streams);
    for (unsigned k = 0; k < n_encoders && good; k++) {
        double unused;
        results[k].n_rounds = 0;
        good = open_temporaries(&temporaries[k], load, &encoders[k]) &&
               run(load, &timer, &temporaries[k], &encoders[k], &unused) &&
               check(load, n_verify, &results[k]);
    }
    for (unsigned r = 0; r < n_rounds && good; r++)
        for (unsigned k = 0; k < n_encoders && good; k++)
            good = run(load, &timer, &temporaries[k], &encoders[k],
                       &results[k].seconds[results[k].n_rounds++]);
    device_timer_close(&timer);
    for (unsigned k = 0; k < n_encoders; k++)
        close_temporaries(&temporaries[k], load);
    return good;
}

typedef rp_status launcher(const rp_batch *batch, const rp_stage_buffers *buffers,
                           const rp_compress_options *options, rp_stream stream);

bool device_measure_stages(struct device_load *load, rp_effort effort, unsigned n_rounds,
                           double seconds[DEVICE_N_STAGES])
{
    static launcher *const launchers[DEVICE_N_STAGES] = {
        rp_launch_lz77_matcher, rp_launch_huffman_encoder, rp_launch_fse_encoder,
        rp_launch_frame_assembler};
    static double rounds[DEVICE_N_STAGES][DEVICE_MAX_ROUNDS];
    const struct device_batch *part = &load->parts[0];
    const rp_compress_options options = device_options(effort, 0);
    const rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = part->d_inputs,
        .d_input_sizes = part->d_input_sizes,
        .max_input_bytes = part->max_bytes,
        .n_inputs = part->n,
        .d_outputs = part->d_outputs,
        .d_output_capacities = part->d_output_capacities,
        .d_output_sizes = part->d_output_sizes,
        .d_statuses = (rp_status *)part->d_statuses,
    };
    struct device_timer timer;
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    void *d_workspace = NULL;
    const size_t bytes = rp_workspace_size(part->max_bytes, part->n, effort);
    bool good = device_good(load->device->ops->memory_alloc(load->device, bytes, &d_workspace),
                            "workspace") &&
                device_good(rp_workspace_carve(d_workspace, bytes, part->max_bytes, part->n, effort,
                                               &buffers),
                            "workspace") &&
                device_timer_open(&timer, load->device, load->streams, 1);
    for (unsigned r = 0; r <= n_rounds && good; r++)
        for (unsigned k = 0; k < DEVICE_N_STAGES && good; k++) {
            double one;
            good =
                device_timer_start(&timer) &&
                device_good(launchers[k](&batch, &buffers, &options, load->streams[0]), "stage") &&
                device_timer_stop(&timer) && device_timer_seconds(&timer, &one);
            if (good && r != 0) /* the first round warms up */
                rounds[k][r - 1] = one;
        }
    for (unsigned k = 0; k < DEVICE_N_STAGES && good; k++)
        seconds[k] = times_median(rounds[k], n_rounds);
    if (d_workspace) {
        device_timer_close(&timer);
        load->device->ops->memory_free(load->device, d_workspace);
    }
    return good;
}
