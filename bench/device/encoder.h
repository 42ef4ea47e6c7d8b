/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encoders that `device` measures, with one interface: rockpress at an effort, and nvCOMP's
 * batched zstd. Both take a batch in device memory, described by arrays in device memory, and a
 * temporary buffer.
 */
#ifndef ROCKPRESS_BENCH_DEVICE_ENCODER_H
#define ROCKPRESS_BENCH_DEVICE_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/engine.h"

/* Arrays of n elements in device memory. Inputs and outputs are aligned to DEVICE_ALIGNMENT. A
 * status of 0 is success, with both encoders. */
struct device_batch {
    size_t n;
    size_t max_bytes;   /* of an input */
    size_t total_bytes; /* of all inputs */
    const void *const *d_inputs;
    const size_t *d_input_sizes;
    void *const *d_outputs;
    const size_t *d_output_capacities;
    size_t *d_output_sizes;
    int32_t *d_statuses;
};

enum { DEVICE_ALIGNMENT = 16 };

struct device_encoder {
    const char *name;    /* "rockpress", "nvcomp" */
    const char *variant; /* an effort, a version */
    /* 0, with a line on stderr, if the encoder cannot say. */
    size_t (*temp_bytes)(const struct device_encoder *e, size_t n, size_t max_bytes,
                         size_t total_bytes);
    size_t (*output_bytes)(const struct device_encoder *e, size_t max_bytes);
    /* False, with a line on stderr. */
    bool (*enqueue)(const struct device_encoder *e, const struct device_batch *batch, void *d_temp,
                    size_t temp_bytes, rp_stream stream);
    rp_effort effort;
    bool verifies; /* proves its frames on the device (RP_COMPRESS_VERIFY) */
};

/* The options of every call that is measured: `flags`, and those (RP_COMPRESS_*; 0) that are set
 * before anything is measured. */
rp_compress_options device_options(rp_effort effort, uint32_t flags);
void device_set_flags(uint32_t flags);

void device_encoder_rockpress(struct device_encoder *e, rp_effort effort, bool verifies);

/* The name of an effort in results, with verification or without. */
const char *device_variant_name(rp_effort effort, bool verifies);

/* Loads nvCOMP's shared library from a path, or with NULL by the names that pip's packages give it.
 * False, with the reason on stderr, if that fails. */
bool device_encoder_nvcomp(struct device_encoder *e, const char *path);

/* nvCOMP's decompression of a batch's outputs, after device_encoder_nvcomp(): bytes of its
 * temporary buffer, 0 with a line on stderr if it cannot say; and the launch, to buffers of the
 * inputs' sizes. A status of 0 is success. */
size_t device_nvcomp_decode_bytes(const struct device_batch *batch);
bool device_nvcomp_decode(const struct device_batch *batch, void *const *d_decoded,
                          size_t *d_decoded_sizes, int32_t *d_statuses, void *d_temp,
                          size_t temp_bytes, rp_stream stream);

#endif
