/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which route a block takes. The callers (the zstd hook, RocksDB's CompressionManager) know where
 * blocks come from, the routes know devices, and neither knows the other.
 *
 *   route    who                                    when
 *   batch    the device, a whole file at once       an open batch has the block (batch/batch.h)
 *   direct   the device, while the caller waits     no batch has it, and the router takes it
 *            (route/direct.h)
 *   cpu      libzstd, called by the caller          everything else; rp_fallback_reason says why
 *            (route/cpu.h)
 *
 * Thread rule: any thread. Once the device is open and a lane is made, a call of
 * rp_route_compress allocates nothing, and takes a lock only for a chunk of a batch that is not
 * done yet. With shared launches it takes one for moments, may make a group, and may start a thread
 * that serves. errno stays.
 */
#ifndef ROCKPRESS_PLUGIN_ROUTE_ROUTE_H
#define ROCKPRESS_PLUGIN_ROUTE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/batch/batch.h"
#include "plugin/core/request.h"
#include "rockpress/plugin.h"

/*
 * Compresses one block on the device. RP_FALLBACK_NONE: done and counted, the frame is output[0,
 * *frame_size). Any other value is the reason why not: the caller compresses the block on the CPU,
 * between rp_cpu_begin and rp_cpu_end; the output's contents are then undefined.
 */
rp_fallback_reason rp_route_compress(const rp_request *request, size_t *frame_size);

/* The same for a block of a file of which RocksDB compresses `times` as many blocks side by side as
 * its options say, since rp_route_parallel_threads has told it to. */
rp_fallback_reason rp_route_compress_parallel(const rp_request *request, uint32_t times,
                                              size_t *frame_size);

/* The same for a context that the caller knows something about. */
rp_fallback_reason rp_route_compress_for(const rp_asker *asker, const rp_request *request,
                                         size_t *frame_size);

/* How the blocks of a file will be asked for, where that is known. */
typedef struct rp_route_hint {
    int level; /* zstd's */
    bool checksum;
} rp_route_hint;

/*
 * Begins a batch of a file's blocks, unless libzstd is the cheaper way for them. Samples are as
 * rp_batch_begin takes them. `hint` may be NULL: then the options of recent blocks are assumed.
 * Returns 0 when there is no batch.
 */
rp_batch_id rp_route_begin_batch(const void *samples, const size_t *sizes, size_t n_samples,
                                 const rp_route_hint *hint);

/* A file that RocksDB is going to build, and what it gives up if its blocks are held for a batch.
 */
typedef struct rp_route_file {
    uint32_t kind;                         /* rp_gather_kind's */
    int level;                             /* zstd's */
    size_t dictionary_bytes, sample_bytes; /* of a dictionary that the options ask for, or 0 */
    uint32_t threads;                      /* that would compress its blocks side by side */
} rp_route_file;

/*
 * Most bytes of the file's data blocks that are worth being shown to rp_route_begin_gathered. 0:
 * the file is better built without. With ROCKPRESS_BATCH=auto it is if it would lose a dictionary
 * or threads; in any case if there is no device, or if libzstd was cheaper for files of this kind.
 */
size_t rp_route_batch_bytes(const rp_route_file *file);

/*
 * How many threads RocksDB should compress the blocks of such a file on, side by side, now that it
 * is not a batch. 0: as many as it would without rockpress, since none are configured, since it has
 * as many, or since no device takes blocks. Asked for a file that is being begun.
 */
uint32_t rp_route_parallel_threads(const rp_route_file *file);

/* The same as rp_route_begin_batch for such a file. rp_route_batch_bytes has chosen the way. */
rp_batch_id rp_route_begin_gathered(const rp_route_file *file, const void *samples,
                                    const size_t *sizes, size_t n_samples,
                                    const rp_route_hint *hint);

#endif
