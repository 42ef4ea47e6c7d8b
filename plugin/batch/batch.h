/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches: whole files, compressed on the device before their blocks are asked for. RocksDB's table
 * builder, when it samples blocks for a dictionary, holds all data blocks of a file and shows them
 * in one call before it compresses the first. That call begins a batch: the blocks are copied, cut
 * into chunks and compressed on the device chunk by chunk. The calls that compress one block, which
 * follow, take their frames from it.
 *
 *     id = rp_batch_begin(config, samples, sizes, n, options)   in the call with the samples
 *     rp_batch_find(...), rp_batch_serve(...)                   for each block
 *     rp_batch_end(id)                                          when the file is done, or given up
 *
 * A block is found by its content, never by its place or length: a frame is handed over only after
 * all bytes of the block were compared with those that the frame was made from. So it does not
 * matter which thread asks, in which order, how many files are built at once, or whether a sample
 * was cut short: a block that is in no batch is not found, and takes another route.
 *
 * Which blocks take this route is not decided here (route/route.h). Thread rule: any thread, except
 * that a batch is ended by one thread.
 */
#ifndef ROCKPRESS_PLUGIN_BATCH_BATCH_H
#define ROCKPRESS_PLUGIN_BATCH_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/core/request.h"
#include "rockpress/plugin.h"

/* Names a batch, for as long as the process lives: an id is never used again. 0 is none. */
typedef uint64_t rp_batch_id;

/* Whether a file may be a batch that shows sample_bytes of blocks for a dictionary of
 * dictionary_bytes. `is_of_rocksdb`: RocksDB shows them for sure. With ROCKPRESS_BATCH=on any file
 * may. With "auto" only one of RocksDB's that shows more than RP_BATCH_SAMPLES times the
 * dictionary: RocksDB recommends to train from 100 times the dictionary, so more was not meant for
 * one. */
bool rp_batch_may_be(bool is_of_rocksdb, uint64_t dictionary_bytes, uint64_t sample_bytes);

#define RP_BATCH_SAMPLES 128u

/* Whether any batch is open: a look-up without one costs a single load. */
bool rp_batch_any_open(void);

/* What comes before a batch: opens the device, ends batches that were forgotten. False when none
 * can be begun: switched off, no device, or the device is left alone. Not for a file that may be
 * none (rp_batch_may_be): it may open a GPU. */
bool rp_batch_prepare(void);

/*
 * Begins a batch of n_samples blocks that lie one after the other in `samples`, sizes[i] bytes the
 * i-th, in the order in which RocksDB samples them. After rp_batch_prepare. Nothing of the
 * caller's is read after the return. `options` is how the blocks will probably be asked for: if the
 * first block is asked for with others, the work that was begun is thrown away. NULL: nothing is
 * known, and the first block starts the work. Returns 0 when there is no batch, for lack of
 * memory. Blocks that do not fit the memory are left out. rp_thread.own_batch_born tells contexts
 * that are older than the batch from younger ones (rp_asker). The log says once that a batch takes
 * the place of a dictionary.
 */
rp_batch_id rp_batch_begin(const rp_plugin_config *config, const void *samples, const size_t *sizes,
                           size_t n_samples, const rp_compress_options *options);

/* Ends a batch. Its memory is freed as soon as the threads that are taking a block from it have
 * finished. Never waits for the device. 0 and batches that have ended are allowed. */
void rp_batch_end(rp_batch_id id);

/* Whether none of the batch's blocks was taken, up to now or when it ended. Of batches that ended
 * long ago it may be false all the same. */
bool rp_batch_is_in_vain(rp_batch_id id);

/* A block of an open batch, claimed by one thread. */
typedef struct rp_batch_claim {
    struct rp_batch_slot *slot;
    uint32_t block;
    uint64_t begun_ns, cpu_begun_ns; /* cpu_begun_ns is 0 when CPU time is not measured */
} rp_batch_claim;

/* Finds the request's block in the open batches, while the device is open. True: *claim has it,
 * and the caller ends the claim with one of the two functions below. `asker` may be NULL: then any
 * batch will do. */
bool rp_batch_find(const rp_plugin_config *config, const rp_request *request, const rp_asker *asker,
                   rp_batch_claim *claim);

/* Serves the block. RP_FALLBACK_NONE: done and counted, the frame is output[0, *frame_size).
 * RP_FALLBACK_BUSY: the device is expected to need longer than max_wait_ns. */
rp_fallback_reason rp_batch_serve(const rp_plugin_config *config, const rp_batch_claim *claim,
                                  const rp_request *request, const rp_compress_options *options,
                                  uint64_t max_wait_ns, size_t *frame_size);

/* Leaves the block to another route. */
void rp_batch_decline(const rp_plugin_config *config, const rp_batch_claim *claim,
                      const rp_compress_options *options);

#endif
