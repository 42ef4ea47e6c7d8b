/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nvCOMP's batched zstd. It is loaded at run time, so that neither its headers nor its library are
 * needed to build or to start. The declarations here hold for its versions 5 and 6. Only the
 * function that asks for the size of the temporary buffer differs: version 6 renamed it and added a
 * stream.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "bench/device/encoder.h"

/* Passed by value: 64 bytes that have to be 0. */
typedef struct zstd_options {
    char reserved[64];
} zstd_options;

typedef struct properties {
    uint32_t version; /* 6000 is 6.0.0 */
    uint32_t cudart_version;
} properties;

typedef int get_properties(properties *p);
typedef int get_temp_size_5(size_t n_chunks, size_t max_chunk_bytes, zstd_options options,
                            size_t *temp_bytes, size_t max_total_bytes);
typedef int get_temp_size_6(size_t n_chunks, size_t max_chunk_bytes, zstd_options options,
                            size_t *temp_bytes, size_t max_total_bytes, void *stream);
typedef int get_max_output(size_t max_chunk_bytes, zstd_options options, size_t *max_output_bytes);
typedef int compress_async(const void *const *d_inputs, const size_t *d_input_sizes,
                           size_t max_chunk_bytes, size_t n_chunks, void *d_temp, size_t temp_bytes,
                           void *const *d_outputs, size_t *d_output_sizes, zstd_options options,
                           int *d_statuses, void *stream);

/* Passed by value: the default backend, and bytes that have to be 0. */
typedef struct decode_options {
    int32_t backend;
    char reserved[60];
} decode_options;

typedef int get_decode_temp_5(size_t n_chunks, size_t max_chunk_bytes, decode_options options,
                              size_t *temp_bytes, size_t max_total_bytes);
typedef int get_decode_temp_6(size_t n_chunks, size_t max_chunk_bytes, decode_options options,
                              size_t *temp_bytes, size_t max_total_bytes, void *stream);
typedef int decode_async(const void *const *d_frames, const size_t *d_frame_sizes,
                         const size_t *d_capacities, size_t *d_decoded_sizes, size_t n_chunks,
                         void *d_temp, size_t temp_bytes, void *const *d_decoded,
                         decode_options options, int *d_statuses, void *stream);

static get_decode_temp_5 *decode_temp_5;
static get_decode_temp_6 *decode_temp_6;
static decode_async *decode;
static get_temp_size_5 *temp_size_5;
static get_temp_size_6 *temp_size_6;
static get_max_output *max_output;
static compress_async *compress;
static char version_text[32];

static bool good(int status, const char *what)
{
    if (status != 0)
        fprintf(stderr, "device: nvCOMP: %s: status %d\n", what, status);
    return status == 0;
}

static size_t temp_bytes(const struct device_encoder *e, size_t n, size_t max_bytes,
                         size_t total_bytes)
{
    (void)e;
    const zstd_options options = {{0}};
    size_t bytes = 0;
    const int status = temp_size_6 ? temp_size_6(n, max_bytes, options, &bytes, total_bytes, NULL)
                                   : temp_size_5(n, max_bytes, options, &bytes, total_bytes);
    /* 0 bytes would mean that the size is not known. */
    return good(status, "size of the temporary buffer") ? (bytes ? bytes : 1) : 0;
}

static size_t output_bytes(const struct device_encoder *e, size_t max_bytes)
{
    (void)e;
    const zstd_options options = {{0}};
    size_t bytes = 0;
    return good(max_output(max_bytes, options, &bytes), "size of an output") ? bytes : 0;
}

static bool enqueue(const struct device_encoder *e, const struct device_batch *batch, void *d_temp,
                    size_t n_temp_bytes, rp_stream stream)
{
    (void)e;
    const zstd_options options = {{0}};
    return good(compress(batch->d_inputs, batch->d_input_sizes, batch->max_bytes, batch->n, d_temp,
                         n_temp_bytes, batch->d_outputs, batch->d_output_sizes, options,
                         (int *)batch->d_statuses, stream.handle),
                "compress");
}

size_t device_nvcomp_decode_bytes(const struct device_batch *batch)
{
    const decode_options options = {0, {0}};
    size_t bytes = 0;
    if (!decode || (!decode_temp_5 && !decode_temp_6)) {
        fputs("device: this nvCOMP lacks functions for decompression\n", stderr);
        return 0;
    }
    const int status =
        decode_temp_6
            ? decode_temp_6(batch->n, batch->max_bytes, options, &bytes, batch->total_bytes, NULL)
            : decode_temp_5(batch->n, batch->max_bytes, options, &bytes, batch->total_bytes);
    return good(status, "size of the decoder's buffer") ? (bytes ? bytes : 1) : 0;
}

bool device_nvcomp_decode(const struct device_batch *batch, void *const *d_decoded,
                          size_t *d_decoded_sizes, int32_t *d_statuses, void *d_temp,
                          size_t n_temp_bytes, rp_stream stream)
{
    const decode_options options = {0, {0}};
    return good(decode((const void *const *)batch->d_outputs, batch->d_output_sizes,
                       batch->d_input_sizes, d_decoded_sizes, batch->n, d_temp, n_temp_bytes,
                       d_decoded, options, (int *)d_statuses, stream.handle),
                "decompress");
}

bool device_encoder_nvcomp(struct device_encoder *e, const char *path)
{
    static const char *const names[] = {"libnvcomp.so.6", "libnvcomp.so.5", "libnvcomp.so"};
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    for (unsigned i = 0; !path && !library && i < sizeof names / sizeof names[0]; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "device: left out: nvCOMP cannot be loaded: %s\n", dlerror());
        return false;
    }
    temp_size_6 = (get_temp_size_6 *)dlsym(library, "nvcompBatchedZstdCompressGetTempSize");
    temp_size_5 = (get_temp_size_5 *)dlsym(library, "nvcompBatchedZstdCompressGetTempSizeAsync");
    max_output = (get_max_output *)dlsym(library, "nvcompBatchedZstdCompressGetMaxOutputChunkSize");
    compress = (compress_async *)dlsym(library, "nvcompBatchedZstdCompressAsync");
    decode_temp_6 = (get_decode_temp_6 *)dlsym(library, "nvcompBatchedZstdDecompressGetTempSize");
    decode_temp_5 =
        (get_decode_temp_5 *)dlsym(library, "nvcompBatchedZstdDecompressGetTempSizeAsync");
    decode = (decode_async *)dlsym(library, "nvcompBatchedZstdDecompressAsync");
    get_properties *properties_of = (get_properties *)dlsym(library, "nvcompGetProperties");
    properties p = {0, 0};
    if (!properties_of || properties_of(&p) != 0 || !max_output || !compress) {
        fputs("device: left out: this nvCOMP lacks functions that are needed\n", stderr);
        return false;
    }
    /* Older versions have functions of these names with other parameters. */
    const unsigned major = p.version / 1000;
    if (major < 6)
        temp_size_6 = NULL;
    if (major < 6)
        decode_temp_6 = NULL;
    if ((major != 5 && major != 6) || (!temp_size_5 && !temp_size_6)) {
        fprintf(stderr, "device: left out: nvCOMP %u; supported: 5 and 6\n", (unsigned)p.version);
        return false;
    }
    snprintf(version_text, sizeof version_text, "%u.%u.%u", major, (unsigned)p.version / 100 % 10,
             (unsigned)p.version % 100);
    *e = (struct device_encoder){.name = "nvcomp",
                                 .variant = version_text,
                                 .temp_bytes = temp_bytes,
                                 .output_bytes = output_bytes,
                                 .enqueue = enqueue,
                                 .effort = RP_EFFORT_DEFAULT};
    return true;
}
