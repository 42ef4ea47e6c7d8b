/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stateless engine on a cudaStream_t of the program's own: blocks that are in GPU memory are
 * compressed there, between other work on the same stream. The program owns all memory, and nothing
 * waits before its one synchronisation at the end.
 *
 *     cc own_stream.c $(pkg-config --cflags --libs rockpress) -lcudart -lzstd
 *
 * Exit status 77: there is no GPU to run on.
 */
#include <cuda_runtime_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "rockpress/device.h"
#include "rockpress/engine.h"

enum { N_BLOCKS = 64, BLOCK_BYTES = 16384 };

/* What the batch needs in GPU memory beside the workspace; an image of it in host memory is copied
 * there and back. */
typedef struct arrays {
    const void *inputs[N_BLOCKS];
    size_t input_sizes[N_BLOCKS];
    void *outputs[N_BLOCKS];
    size_t capacities[N_BLOCKS];
    size_t output_sizes[N_BLOCKS];
    rp_status statuses[N_BLOCKS];
    char blocks[N_BLOCKS][BLOCK_BYTES];
} arrays;

static void cuda(cudaError_t error, const char *what)
{
    if (error == cudaSuccess)
        return;
    fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
    exit(1);
}

static void rockpress(rp_status status, const char *what, const rp_error *error)
{
    if (status == RP_STATUS_OK)
        return;
    fprintf(stderr, "%s: %s %s\n", what, rp_status_string(status), error->message);
    exit(1);
}

static void fill(arrays *host, arrays *d_arrays, char *d_frames, size_t capacity)
{
    for (int i = 0; i < N_BLOCKS; i++) {
        for (int used = 0, n = 0; used + 64 < BLOCK_BYTES; n++)
            used += snprintf(host->blocks[i] + used, 64, "order%08d|%s|%d;", i * 1000 + n,
                             n % 3 == 0 ? "shipped" : "open", n * 37 % 1000);
        host->inputs[i] =
            d_arrays->blocks[i]; /* an address in GPU memory, which is not read here */
        host->input_sizes[i] = BLOCK_BYTES;
        host->outputs[i] = d_frames + (size_t)i * capacity;
        host->capacities[i] = capacity;
    }
}

/* Decodes each frame with libzstd. */
static int check(const arrays *host, const char *frames, size_t capacity)
{
    static char decoded[BLOCK_BYTES];
    size_t total = 0;
    for (int i = 0; i < N_BLOCKS; i++) {
        if (host->statuses[i] != RP_STATUS_OK) {
            fprintf(stderr, "block %d: %s\n", i, rp_status_string(host->statuses[i]));
            return 1;
        }
        if (ZSTD_decompress(decoded, BLOCK_BYTES, frames + (size_t)i * capacity,
                            host->output_sizes[i]) != BLOCK_BYTES ||
            memcmp(decoded, host->blocks[i], BLOCK_BYTES) != 0) {
            fprintf(stderr, "block %d: libzstd decodes something else\n", i);
            return 1;
        }
        total += host->output_sizes[i];
    }
    printf("%d blocks of %d bytes: %zu bytes of frames\n", N_BLOCKS, BLOCK_BYTES, total);
    return 0;
}

int main(void)
{
    rp_error error = {""};
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    rp_batch batch = RP_BATCH_INIT;
    rp_device *device;
    const size_t capacity = rp_compress_bound(BLOCK_BYTES);
    const size_t workspace_bytes = rp_workspace_size(BLOCK_BYTES, N_BLOCKS, options.effort);
    arrays *host = (arrays *)calloc(1, sizeof(*host));
    char *frames = (char *)malloc(N_BLOCKS * capacity);
    cudaStream_t cuda_stream;
    void *workspace, *arrays_memory, *frames_memory;

    rp_status status = rp_device_open("cuda", &device);
    if (status != RP_STATUS_OK) {
        printf("skipped: %s\n", rp_status_string(status));
        return 77;
    }
    if (host == NULL || frames == NULL)
        return 1;
    cuda(cudaStreamCreate(&cuda_stream), "cudaStreamCreate");
    cuda(cudaMalloc(&workspace, workspace_bytes), "cudaMalloc"); /* aligned to 256 bytes */
    cuda(cudaMalloc(&arrays_memory, sizeof(arrays)), "cudaMalloc");
    cuda(cudaMalloc(&frames_memory, N_BLOCKS * capacity), "cudaMalloc");
    arrays *d_arrays = (arrays *)arrays_memory;
    fill(host, d_arrays, (char *)frames_memory, capacity);
    cuda(cudaMemcpyAsync(d_arrays, host, sizeof(arrays), cudaMemcpyHostToDevice, cuda_stream),
         "cudaMemcpyAsync");

    rp_stream stream = {device, cuda_stream};
    options.error = &error;
    batch.d_inputs = d_arrays->inputs;
    batch.d_input_sizes = d_arrays->input_sizes;
    batch.max_input_bytes = BLOCK_BYTES;
    batch.n_inputs = N_BLOCKS;
    batch.d_outputs = d_arrays->outputs;
    batch.d_output_capacities = d_arrays->capacities;
    batch.d_output_sizes = d_arrays->output_sizes;
    batch.d_statuses = d_arrays->statuses;
    rockpress(rp_compress_batch_async(workspace, workspace_bytes, &batch, &options, stream),
              "rp_compress_batch_async", &error);

    cuda(cudaMemcpyAsync(host, d_arrays, sizeof(arrays), cudaMemcpyDeviceToHost, cuda_stream),
         "cudaMemcpyAsync");
    cuda(cudaMemcpyAsync(frames, frames_memory, N_BLOCKS * capacity, cudaMemcpyDeviceToHost,
                         cuda_stream),
         "cudaMemcpyAsync");
    cuda(cudaStreamSynchronize(cuda_stream), "cudaStreamSynchronize");
    int result = check(host, frames, capacity);

    cuda(cudaFree(frames_memory), "cudaFree");
    cuda(cudaFree(arrays_memory), "cudaFree");
    cuda(cudaFree(workspace), "cudaFree");
    cuda(cudaStreamDestroy(cuda_stream), "cudaStreamDestroy");
    rp_device_close(device);
    free(frames);
    free(host);
    return result;
}
