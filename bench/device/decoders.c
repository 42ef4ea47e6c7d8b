/* SPDX-License-Identifier: Apache-2.0 */
/* The frame verifier alone, beside nvCOMP's decompression of the same frames: see measure.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/common/times.h"
#include "bench/device/measure.h"

#define WAIT_US (60 * UINT32_C(1000000))

const char *const device_decoder_names[DEVICE_N_DECODERS] = {"verifier", "verifier, one stretch",
                                                             "nvcomp"};

/* One part of a load, and the memory of its decoders. */
struct decoding {
    struct device_load *load;
    rp_batch batch;
    rp_stage_buffers buffers;
    rp_stage_buffers without_entry_points;
    rp_compress_options options;
    void *d_workspace;
    rp_proof *d_proofs;
    /* Of nvCOMP. */
    void *d_temp;
    size_t temp_bytes;
    uint8_t *d_decoded;
    void **d_pointers; /* to the parts of it; then sizes and statuses */
    size_t *d_sizes;
    int32_t *d_statuses;
};

static bool allocate(const struct device_load *load, size_t n_bytes, void **d_memory)
{
    return device_good(load->device->ops->memory_alloc(load->device, n_bytes, d_memory),
                       "memory for decoding");
}

static bool copy(const struct device_load *load, void *to, const void *from, size_t n_bytes,
                 rp_copy_kind kind)
{
    return device_good(load->device->ops->copy_async(load->streams[0], to, from, n_bytes, kind),
                       "copy") &&
           device_good(rp_stream_wait(load->streams[0], WAIT_US), "copy");
}

/* Whether all words of an array of the device are 0, as statuses of success are. */
static bool all_zero(const struct device_load *load, const int32_t *d_words, size_t n,
                     const char *what)
{
    int32_t *words = malloc(n * sizeof *words);
    bool good = words && copy(load, words, d_words, n * sizeof *words, RP_COPY_DEVICE_TO_HOST);
    for (size_t i = 0; i < n && good; i++) {
        good = words[i] == 0;
        if (!good)
            fprintf(stderr, "device: %s: frame %zu: status %d\n", what, i, (int)words[i]);
    }
    free(words);
    return good;
}

static bool open_verifier(struct decoding *d, rp_effort effort)
{
    const struct device_batch *part = &d->load->parts[0];
    void *d_proofs = NULL;
    const size_t n_bytes = rp_workspace_size(part->max_bytes, part->n, effort);
    d->batch = (rp_batch){
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
    d->buffers.struct_size = sizeof d->buffers;
    if (!allocate(d->load, n_bytes, &d->d_workspace) ||
        !allocate(d->load, part->n * sizeof(rp_proof), &d_proofs))
        return false;
    d->d_proofs = d_proofs;
    d->options = (rp_compress_options){
        .struct_size = sizeof(rp_compress_options),
        .effort = effort,
        .flags = 0,
        .error = NULL,
        .d_proofs = d->d_proofs,
    };
    const bool good = device_good(
        rp_workspace_carve(d->d_workspace, n_bytes, part->max_bytes, part->n, effort, &d->buffers),
        "workspace");
    d->without_entry_points = d->buffers;
    d->without_entry_points.d_entry_points = NULL;
    return good;
}

static bool open_nvcomp(struct decoding *d)
{
    struct device_load *load = d->load;
    const struct device_batch *part = &load->parts[0];
    const size_t each =
        (part->max_bytes + DEVICE_ALIGNMENT - 1) / DEVICE_ALIGNMENT * DEVICE_ALIGNMENT;
    const size_t word = sizeof(void *) + sizeof(size_t) + sizeof(int32_t);
    void *d_decoded = NULL;
    void *d_arrays = NULL;
    d->temp_bytes = device_nvcomp_decode_bytes(part);
    if (d->temp_bytes == 0 || !allocate(load, d->temp_bytes, &d->d_temp) ||
        !allocate(load, part->n * each, &d_decoded))
        return false;
    d->d_decoded = d_decoded;
    if (!allocate(load, part->n * word, &d_arrays))
        return false;
    d->d_pointers = d_arrays;
    d->d_sizes = (size_t *)(void *)(d->d_pointers + part->n);
    d->d_statuses = (int32_t *)(void *)(d->d_sizes + part->n);
    void **pointers = malloc(part->n * sizeof *pointers);
    for (size_t i = 0; i < part->n && pointers; i++)
        pointers[i] = d->d_decoded + i * each;
    const bool good = pointers && copy(load, d->d_pointers, pointers, part->n * sizeof *pointers,
                                       RP_COPY_HOST_TO_DEVICE);
    free(pointers);
    return good;
}

/* Leaves the frames, and their entry points. */
static bool compress(struct decoding *d)
{
    const rp_stream stream = d->load->streams[0];
    return device_good(rp_launch_lz77_matcher(&d->batch, &d->buffers, &d->options, stream),
                       "matcher") &&
           device_good(rp_launch_huffman_encoder(&d->batch, &d->buffers, &d->options, stream),
                       "literals") &&
           device_good(rp_launch_fse_encoder(&d->batch, &d->buffers, &d->options, stream),
                       "sequences") &&
           device_good(rp_launch_frame_assembler(&d->batch, &d->buffers, &d->options, stream),
                       "frames");
}

static bool enqueue(struct decoding *d, unsigned decoder)
{
    const rp_stream stream = d->load->streams[0];
    if (decoder == 2)
        return device_nvcomp_decode(&d->load->parts[0], d->d_pointers, d->d_sizes, d->d_statuses,
                                    d->d_temp, d->temp_bytes, stream);
    return device_good(
        rp_launch_frame_verifier(&d->batch, decoder == 0 ? &d->buffers : &d->without_entry_points,
                                 &d->options, stream),
        "verifier");
}

bool device_measure_decoders(struct device_load *load, rp_effort effort, bool with_nvcomp,
                             unsigned n_rounds, double seconds[DEVICE_N_DECODERS])
{
    static double rounds[DEVICE_N_DECODERS][DEVICE_MAX_ROUNDS];
    struct decoding d;
    struct device_timer timer;
    const size_t n = load->parts[0].n;
    const unsigned n_decoders = with_nvcomp ? DEVICE_N_DECODERS : DEVICE_N_DECODERS - 1;
    memset(&d, 0, sizeof d);
    d.load = load;
    const bool has_timer = device_timer_open(&timer, load->device, load->streams, 1);
    bool good =
        has_timer && open_verifier(&d, effort) && (!with_nvcomp || open_nvcomp(&d)) && compress(&d);
    /* The first round warms up and is checked. */
    for (unsigned r = 0; r <= n_rounds && good; r++)
        for (unsigned k = 0; k < n_decoders && good; k++) {
            double one;
            good = device_timer_start(&timer) && enqueue(&d, k) && device_timer_stop(&timer) &&
                   device_timer_seconds(&timer, &one);
            if (good && r == 0)
                good = all_zero(load, k == 2 ? d.d_statuses : load->parts[0].d_statuses, n,
                                device_decoder_names[k]);
            else if (good)
                rounds[k][r - 1] = one;
        }
    for (unsigned k = 0; k < n_decoders && good; k++)
        seconds[k] = times_median(rounds[k], n_rounds);
    if (has_timer)
        device_timer_close(&timer);
    void *const memory[] = {d.d_workspace, d.d_proofs, d.d_temp, d.d_decoded, d.d_pointers};
    for (size_t i = 0; i < sizeof memory / sizeof memory[0]; i++)
        if (memory[i])
            load->device->ops->memory_free(load->device, memory[i]);
    return good;
}
