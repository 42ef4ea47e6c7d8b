/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch from host memory through a pool: blocks in, frames out, without a stream or device memory
 * of the program's own.
 *
 *     cc host_batch.c $(pkg-config --cflags --libs rockpress) -lzstd
 *     ./a.out [device]
 *
 * The device is "host", which needs no GPU, unless another is named: "cuda" or "cuda:N".
 * Exit status 77: that device cannot be used on this machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "rockpress/batched.h"
#include "rockpress/pool.h"
#include "rockpress/version.h"

enum { N_BLOCKS = 200, BLOCK_BYTES = 16384, TIMEOUT_US = 60000000 };

static char blocks[N_BLOCKS][BLOCK_BYTES];
static const void *inputs[N_BLOCKS];
static size_t input_sizes[N_BLOCKS];
static void *outputs[N_BLOCKS];
static size_t capacities[N_BLOCKS];
static size_t output_sizes[N_BLOCKS];
static rp_status statuses[N_BLOCKS];

static void fill(void)
{
    for (int i = 0; i < N_BLOCKS; i++) {
        for (int used = 0, n = 0; used + 64 < BLOCK_BYTES; n++)
            used += snprintf(blocks[i] + used, 64, "order%08d|%s|%d;", i * 1000 + n,
                             n % 3 == 0 ? "shipped" : "open", n * 37 % 1000);
    }
}

/* The batch, on a lane of the pool. */
static rp_status compress(rp_pool *pool, rp_error *error)
{
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    rp_host_batch batch = RP_HOST_BATCH_INIT;
    options.flags = RP_COMPRESS_CHECKSUM;
    options.error = error;
    batch.inputs = inputs;
    batch.input_sizes = input_sizes;
    batch.n_inputs = N_BLOCKS;
    batch.outputs = outputs;
    batch.output_capacities = capacities;
    batch.output_sizes = output_sizes;
    batch.statuses = statuses;
    return rp_batched_compress_pooled(pool, &batch, &options, TIMEOUT_US);
}

/* Decodes each frame with libzstd. */
static int check(void)
{
    static char decoded[BLOCK_BYTES];
    size_t total = 0;
    for (int i = 0; i < N_BLOCKS; i++) {
        if (statuses[i] != RP_STATUS_OK) {
            fprintf(stderr, "block %d: %s\n", i, rp_status_string(statuses[i]));
            return 1;
        }
        if (ZSTD_decompress(decoded, BLOCK_BYTES, outputs[i], output_sizes[i]) != BLOCK_BYTES ||
            memcmp(decoded, blocks[i], BLOCK_BYTES) != 0) {
            fprintf(stderr, "block %d: libzstd decodes something else\n", i);
            return 1;
        }
        total += output_sizes[i];
    }
    printf("rockpress %s: %d blocks of %d bytes, %zu bytes of frames\n", rp_version_string(),
           N_BLOCKS, BLOCK_BYTES, total);
    return 0;
}

int main(int argc, char **argv)
{
    rp_error error = {""};
    rp_pool_options options = RP_POOL_OPTIONS_INIT;
    rp_device *device;
    rp_pool *pool = NULL;
    int result = 1;

    rp_status status = rp_device_open(argc > 1 ? argv[1] : "host", &device);
    if (status != RP_STATUS_OK) {
        printf("skipped: %s\n", rp_status_string(status));
        return status == RP_STATUS_DEVICE_UNAVAILABLE ? 77 : 1;
    }
    fill();
    for (int i = 0; i < N_BLOCKS; i++) {
        inputs[i] = blocks[i];
        input_sizes[i] = BLOCK_BYTES;
        capacities[i] = rp_compress_bound(BLOCK_BYTES);
        outputs[i] = malloc(capacities[i]);
        if (outputs[i] == NULL)
            return 1;
    }
    options.max_lanes = 1;
    options.max_input_bytes = 1 << 20; /* of one part of the batch, about */
    options.error = &error;
    status = rp_pool_create(device, &options, &pool);
    if (status == RP_STATUS_OK)
        status = compress(pool, &error);
    if (status == RP_STATUS_OK)
        result = check();
    else
        fprintf(stderr, "%s %s\n", rp_status_string(status), error.message);
    rp_pool_destroy(pool);
    rp_device_close(device);
    for (int i = 0; i < N_BLOCKS; i++)
        free(outputs[i]);
    return result;
}
