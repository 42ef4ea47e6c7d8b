/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch route. RocksDB's table builder, when it samples blocks for a dictionary, holds all
 * data blocks of a file and shows them in one call before it compresses the first. That call
 * begins a batch: the blocks are copied, cut into chunks and compressed on the device chunk
 * by chunk; the calls that compress one block, which follow, take their frames from it.
 *
 *     id = rp_batch_begin(samples, sizes, n, NULL)     in the call with the samples
 *     rp_offload_compress(request, &size)              for each block: takes it from a batch
 *     rp_batch_end(id)                                 when the file is done, or given up
 *
 * What a block is taken by is its content, never its place or length: a frame is handed over only
 * after all bytes of the block were compared with those that the frame was made from. So it does
 * not matter which thread asks, in which order, how many files are built at once, or whether a
 * sample was cut short: a block that was not in a batch is just not found.
 *
 * Knows neither zstd nor RocksDB: the zstd hook and RocksDB's CompressionManager both use it.
 * Thread rule: any thread, except that a batch is ended by one thread.
 */
#ifndef ROCKPRESS_PLUGIN_BATCH_BATCH_H
#define ROCKPRESS_PLUGIN_BATCH_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/route/route.h"

/* Names a batch, for as long as the process lives: an id is never used again. 0 is none. */
typedef uint64_t rp_batch_id;

/* How the blocks will be asked for, where the caller of rp_batch_begin knows it. */
typedef struct rp_batch_hint {
    int level; /* zstd's */
    bool checksum;
} rp_batch_hint;

/* Whether ROCKPRESS_BATCH is on. Then whoever shows samples is told that there is no dictionary,
 * also when no batch could be begun. Says so once in the log. */
bool rp_batch_is_on(void);

/*
 * Begins a batch of n_samples blocks that lie one after the other in `samples`, sizes[i] bytes the
 * i-th, in the order in which RocksDB samples them. Nothing of the caller's is read after the
 * return. `hint` may be NULL: then the level of recent blocks is assumed, and if it was another,
 * the work begun is thrown away at the first block that is asked for. Returns 0 when there is no
 * batch: switched off, no device, no memory. Blocks that do not fit the memory are left out.
 */
rp_batch_id rp_batch_begin(const void *samples, const size_t *sizes, size_t n_samples,
                           const rp_batch_hint *hint);

/* Ends it: what was not taken is freed, as soon as threads that are just taking from it have
 * finished. Never waits for the device. 0 and batches that have ended are allowed. */
void rp_batch_end(rp_batch_id id);

/*
 * Takes the frame of a block: used by rp_offload_compress, while the device is open. False when no
 * batch has the block. True: one has it, and *reason says whether it was served (RP_FALLBACK_NONE:
 * done and counted, the frame is output[0, *frame_size)) or why not.
 */
bool rp_batch_take(const rp_plugin_config *config, const rp_offload_request *request,
                   size_t *frame_size, rp_fallback_reason *reason);

/* Whether any batch is open: a look-up without one costs a single load. */
bool rp_batch_any_open(void);

#endif
