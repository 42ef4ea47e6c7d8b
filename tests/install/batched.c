/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batched [device]: the two shapes of batches, as in docs/nvcomp_migration.md. Blocks go through
 * rp_batched_compress_async() with memory, arrays and stream of our own, and once more through
 * rp_batched_compress_pooled(); the frames are equal and libzstd decodes them. In the common
 * subset of C11 and C++17, as it is compiled as both. For a cuda device, memory and copies may
 * just as well be those of the CUDA runtime, and the stream's handle a cudaStream_t.
 */
#include <rockpress/batched.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define N_BLOCKS ((size_t)20)
#define BLOCK_BYTES ((size_t)4096)
#define TIMEOUT_US 10000000

static char blocks[N_BLOCKS][BLOCK_BYTES];
static char *frames[2]; /* of each shape, N_BLOCKS times the largest output */
static size_t frame_bytes[2][N_BLOCKS];
static rp_status statuses[2][N_BLOCKS];
static size_t output_bytes;

static int check(const char *what, rp_status status)
{
    if (status == RP_STATUS_OK)
        return 1;
    fprintf(stderr, "%s: %s\n", what, rp_status_string(status));
    return 0;
}

/* Everything that lives on the device, in one piece of memory. */
typedef struct device_memory {
    char *blocks;
    char *outputs;
    const void **block_ptrs;
    size_t *block_bytes;
    void **output_ptrs;
    size_t *output_sizes;
    rp_status *statuses;
    void *temp;
} device_memory;

static size_t lay_out(device_memory *memory, char *base, size_t temp_bytes)
{
    size_t at = 0;
    memory->temp = base; /* the most strictly aligned comes first */
    at += temp_bytes;
    memory->block_ptrs = (const void **)(void *)(base + at);
    at += N_BLOCKS * sizeof(void *);
    memory->output_ptrs = (void **)(void *)(base + at);
    at += N_BLOCKS * sizeof(void *);
    memory->block_bytes = (size_t *)(void *)(base + at);
    at += N_BLOCKS * sizeof(size_t);
    memory->output_sizes = (size_t *)(void *)(base + at);
    at += N_BLOCKS * sizeof(size_t);
    memory->statuses = (rp_status *)(void *)(base + at);
    at += N_BLOCKS * sizeof(rp_status);
    memory->blocks = base + at;
    at += N_BLOCKS * BLOCK_BYTES;
    memory->outputs = base + at;
    at += N_BLOCKS * output_bytes;
    return at;
}

static int upload(rp_stream stream, const device_memory *memory)
{
    const void *block_ptrs[N_BLOCKS];
    void *output_ptrs[N_BLOCKS];
    size_t block_bytes[N_BLOCKS];
    const rp_device_ops *ops = stream.device->ops;

    for (size_t i = 0; i < N_BLOCKS; i++) {
        block_ptrs[i] = memory->blocks + i * BLOCK_BYTES;
        output_ptrs[i] = memory->outputs + i * output_bytes;
        block_bytes[i] = BLOCK_BYTES;
    }
    /* Waited for, as the arrays above are gone when this returns. */
    return check("copy", ops->copy_async(stream, memory->blocks, blocks, sizeof(blocks),
                                         RP_COPY_HOST_TO_DEVICE)) &&
           check("copy", ops->copy_async(stream, memory->block_ptrs, block_ptrs, sizeof(block_ptrs),
                                         RP_COPY_HOST_TO_DEVICE)) &&
           check("copy", ops->copy_async(stream, memory->output_ptrs, output_ptrs,
                                         sizeof(output_ptrs), RP_COPY_HOST_TO_DEVICE)) &&
           check("copy", ops->copy_async(stream, memory->block_bytes, block_bytes,
                                         sizeof(block_bytes), RP_COPY_HOST_TO_DEVICE)) &&
           check("wait", rp_stream_wait(stream, TIMEOUT_US));
}

static int download(rp_stream stream, const device_memory *memory)
{
    const rp_device_ops *ops = stream.device->ops;

    return check("copy", ops->copy_async(stream, frame_bytes[0], memory->output_sizes,
                                         sizeof(frame_bytes[0]), RP_COPY_DEVICE_TO_HOST)) &&
           check("copy", ops->copy_async(stream, statuses[0], memory->statuses, sizeof(statuses[0]),
                                         RP_COPY_DEVICE_TO_HOST)) &&
           check("copy", ops->copy_async(stream, frames[0], memory->outputs,
                                         N_BLOCKS * output_bytes, RP_COPY_DEVICE_TO_HOST)) &&
           check("wait", rp_stream_wait(stream, TIMEOUT_US));
}

/* Stream, memory and arrays are ours. */
static int compress_on_device(const rp_device *device)
{
    rp_stream stream;
    device_memory memory;
    void *base = NULL;
    size_t temp_bytes = 0;
    int good;

    if (!check("get_temp_size",
               rp_batched_compress_get_temp_size_async(N_BLOCKS, BLOCK_BYTES, NULL, &temp_bytes,
                                                       N_BLOCKS * BLOCK_BYTES)) ||
        !check("rp_stream_create", rp_stream_create(device, &stream)))
        return 0;
    good = check("memory_alloc",
                 device->ops->memory_alloc(device, lay_out(&memory, NULL, temp_bytes), &base));
    if (good) {
        lay_out(&memory, (char *)base, temp_bytes);
        good =
            upload(stream, &memory) &&
            check("rp_batched_compress_async",
                  rp_batched_compress_async(memory.block_ptrs, memory.block_bytes, BLOCK_BYTES,
                                            N_BLOCKS, memory.temp, temp_bytes, memory.output_ptrs,
                                            memory.output_sizes, NULL, memory.statuses, stream)) &&
            download(stream, &memory);
        device->ops->memory_free(device, base);
    }
    rp_stream_destroy(stream);
    return good;
}

/* Arrays and blocks in host memory; the pool has the stream and the device memory. */
static int compress_pooled(const rp_device *device)
{
    const void *inputs[N_BLOCKS];
    void *outputs[N_BLOCKS];
    size_t sizes[N_BLOCKS], capacities[N_BLOCKS];
    rp_host_batch batch = RP_HOST_BATCH_INIT;
    rp_pool_options options = RP_POOL_OPTIONS_INIT;
    rp_pool *pool = NULL;
    int good;

    for (size_t i = 0; i < N_BLOCKS; i++) {
        inputs[i] = blocks[i];
        sizes[i] = BLOCK_BYTES;
        outputs[i] = frames[1] + i * output_bytes;
        capacities[i] = output_bytes;
    }
    batch.inputs = inputs;
    batch.input_sizes = sizes;
    batch.n_inputs = N_BLOCKS;
    batch.outputs = outputs;
    batch.output_capacities = capacities;
    batch.output_sizes = frame_bytes[1];
    batch.statuses = statuses[1];
    options.max_lanes = 1;
    options.max_input_bytes = 8 * BLOCK_BYTES; /* so that the batch takes several parts */
    good = check("rp_pool_create", rp_pool_create(device, &options, &pool)) &&
           check("rp_batched_compress_pooled",
                 rp_batched_compress_pooled(pool, &batch, NULL, TIMEOUT_US));
    rp_pool_destroy(pool);
    return good;
}

static int check_frames(void)
{
    char decoded[BLOCK_BYTES];
    size_t total = 0;

    for (size_t i = 0; i < N_BLOCKS; i++) {
        const char *one = frames[0] + i * output_bytes;
        const char *other = frames[1] + i * output_bytes;
        if (!check("block", statuses[0][i]) || !check("block", statuses[1][i]))
            return 0;
        if (frame_bytes[0][i] != frame_bytes[1][i] || memcmp(one, other, frame_bytes[0][i]) != 0) {
            fprintf(stderr, "block %d: the two frames differ\n", (int)i);
            return 0;
        }
        if (ZSTD_decompress(decoded, BLOCK_BYTES, one, frame_bytes[0][i]) != BLOCK_BYTES ||
            memcmp(decoded, blocks[i], BLOCK_BYTES) != 0) {
            fprintf(stderr, "block %d: libzstd decodes something else\n", (int)i);
            return 0;
        }
        total += frame_bytes[0][i];
    }
    printf("%d blocks, %d bytes to %d and back\n", (int)N_BLOCKS, (int)sizeof(blocks), (int)total);
    return total < sizeof(blocks) / 2;
}

int main(int argc, char **argv)
{
    rp_device *device = NULL;
    int good;

    for (size_t b = 0; b < N_BLOCKS; b++) {
        for (size_t used = 0, i = 0; used + 48 < BLOCK_BYTES; i++)
            used += (size_t)snprintf(blocks[b] + used, 48, "key%08d|value of key %d|",
                                     (int)(100 * b + i), (int)(i * i));
    }
    if (!check("get_max_output_chunk_size",
               rp_batched_compress_get_max_output_chunk_size(BLOCK_BYTES, NULL, &output_bytes)))
        return 1;
    frames[0] = (char *)malloc(N_BLOCKS * output_bytes);
    frames[1] = (char *)malloc(N_BLOCKS * output_bytes);
    good = frames[0] != NULL && frames[1] != NULL &&
           check("rp_device_open", rp_device_open(argc > 1 ? argv[1] : "host", &device)) &&
           compress_on_device(device) && compress_pooled(device) && check_frames();
    rp_device_close(device);
    free(frames[0]);
    free(frames[1]);
    return good ? 0 : 1;
}
