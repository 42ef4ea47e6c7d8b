/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches, in two shapes.
 *
 * The first has the shape of nvCOMP's low-level batched zstd compression: ask for the size of
 * temporary memory, ask for the largest output, compress asynchronously on a stream of one's own,
 * with device arrays of device pointers. Function names are nvCOMP's, which calls an input a chunk.
 * A caller of nvCOMP moves over by renaming; docs/nvcomp_migration.md has a table, and what
 * differs. It is stateless like the engine that it uses (rockpress/engine.h): nothing here
 * allocates, locks or waits. Thread rule: any number of threads, each with its own stream and
 * temporary memory.
 *
 * The second is for callers who don't want to manage streams and device memory: arrays and blocks
 * in host memory, a lane of a pool, one call that returns when the frames are there.
 *
 * In both, options may be NULL, which means RP_COMPRESS_OPTIONS_DEFAULT.
 */
#ifndef ROCKPRESS_BATCHED_H
#define ROCKPRESS_BATCHED_H

#include <stddef.h>
#include <stdint.h>

#include "rockpress/device.h"
#include "rockpress/engine.h"
#include "rockpress/pool.h"
#include "rockpress/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What addresses have to be multiples of, in bytes. */
typedef struct rp_batched_alignments {
    size_t struct_size;
    size_t input;
    size_t output;
    size_t temp;
} rp_batched_alignments;

#define RP_BATCHED_ALIGNMENTS_INIT                                                                 \
    {                                                                                              \
        sizeof(rp_batched_alignments), 0, 0, 0                                                     \
    }

/* Inputs and outputs may lie anywhere; temporary memory needs RP_WORKSPACE_ALIGNMENT.
 * Returns RP_STATUS_OK, RP_STATUS_NULL_POINTER, RP_STATUS_INVALID_STRUCT_SIZE (of the alignments or
 * of the options), RP_STATUS_INVALID_EFFORT or RP_STATUS_INVALID_FLAGS. */
RP_API rp_status rp_batched_compress_get_required_alignments(const rp_compress_options *options,
                                                             rp_batched_alignments *alignments);

/*
 * Bytes of temporary device memory for a batch of up to n_inputs inputs of up to max_input_bytes
 * each. max_total_input_bytes is not used: every input has a part of its own, sized for the
 * largest. Pure arithmetic, without a device.
 * RP_STATUS_OK, RP_STATUS_NULL_POINTER, RP_STATUS_INVALID_STRUCT_SIZE, RP_STATUS_INVALID_EFFORT,
 * RP_STATUS_INVALID_FLAGS, RP_STATUS_INPUT_TOO_LARGE (beyond RP_MAX_INPUT_BYTES) or
 * RP_STATUS_INVALID_BATCH_SIZE (0, or beyond RP_MAX_BATCH_INPUTS); then *temp_bytes is 0.
 */
RP_API rp_status rp_batched_compress_get_temp_size_async(size_t n_inputs, size_t max_input_bytes,
                                                         const rp_compress_options *options,
                                                         size_t *temp_bytes,
                                                         size_t max_total_input_bytes);

/* The capacity that each output of rp_batched_compress_async() has: rp_compress_bound(). Returns as
 * above, and *max_output_bytes is 0 on an error. */
RP_API rp_status rp_batched_compress_get_max_output_chunk_size(size_t max_input_bytes,
                                                               const rp_compress_options *options,
                                                               size_t *max_output_bytes);

/*
 * Compresses each input to a zstd frame of its own.
 *   d_inputs             [n_inputs] in device memory, of device pointers; likewise
 *   d_input_sizes        sizes in bytes, each at most max_input_bytes
 *   d_temp, temp_bytes   at least what rp_batched_compress_get_temp_size_async() says
 *   d_outputs            outputs, each of at least
 *                        rp_batched_compress_get_max_output_chunk_size() bytes
 *   d_output_sizes       out: bytes of each frame, 0 unless its status is RP_STATUS_OK
 *   d_statuses           out: RP_STATUS_OK, RP_STATUS_INPUT_TOO_LARGE (larger than
 *                        max_input_bytes; the others are not affected) or RP_STATUS_INTERNAL;
 *                        nullable
 * Returns RP_STATUS_OK when everything was enqueued, an argument error when nothing was, or a
 * run-time status of the device, after which the contents of the outputs are undefined.
 * rp_compress_batch_async() is the same with a capacity for each output.
 */
RP_API rp_status rp_batched_compress_async(const void *const *d_inputs, const size_t *d_input_sizes,
                                           size_t max_input_bytes, size_t n_inputs, void *d_temp,
                                           size_t temp_bytes, void *const *d_outputs,
                                           size_t *d_output_sizes,
                                           const rp_compress_options *options,
                                           rp_status *d_statuses, rp_stream stream);

/* A batch in host memory: arrays of n_inputs elements. No output overlaps an input or another
 * output. */
typedef struct rp_host_batch {
    size_t struct_size;
    const void *const *inputs; /* NULL only where the size is 0 */
    const size_t *input_sizes;
    size_t n_inputs;      /* any number, 0 too */
    void *const *outputs; /* NULL only where the capacity is 0 */
    const size_t *output_capacities;
    size_t *output_sizes; /* out: bytes of each frame, 0 unless its status is RP_STATUS_OK */
    rp_status *statuses;  /* out: see rp_lane_compress_batch() */
} rp_host_batch;

#define RP_HOST_BATCH_INIT                                                                         \
    {                                                                                              \
        sizeof(rp_host_batch), NULL, NULL, 0, NULL, NULL, NULL, NULL                               \
    }

/*
 * Compresses a batch from host memory to host memory on a lane and waits for it, for at most
 * timeout_us microseconds in all. A batch that is larger than the lane is done in parts, one after
 * the other. A part holds somewhat less input than the pool's max_input_bytes; larger parts need a
 * pool with a larger max_input_bytes. While the device works on one part, the thread copies the
 * inputs of the next and the outputs of the one before.
 *
 * RP_STATUS_OK: each input has a status of its own, RP_STATUS_OK, RP_STATUS_OUTPUT_TOO_SMALL,
 * RP_STATUS_INPUT_TOO_LARGE (beyond the pool's max_input_bytes) or RP_STATUS_INTERNAL.
 * An argument error: nothing was enqueued, the outputs and their arrays are as they were.
 * A run-time status: it is also the status of every input of the part that failed and of the parts
 * after it. Parts before it are complete. The device no longer touches the caller's memory, not
 * even after RP_STATUS_TIMEOUT.
 */
RP_API rp_status rp_lane_compress_batch(rp_lane *lane, const rp_host_batch *batch,
                                        const rp_compress_options *options, uint32_t timeout_us);

/* The same on a lane that is taken from the pool and given back. If the pool has no lane to give,
 * the status of rp_pool_acquire() is returned and is that of every input. Any thread. */
RP_API rp_status rp_batched_compress_pooled(rp_pool *pool, const rp_host_batch *batch,
                                            const rp_compress_options *options,
                                            uint32_t timeout_us);

#ifdef __cplusplus
}
#endif

#endif
