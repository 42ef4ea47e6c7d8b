/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks for a block: a table builder, or a thread that reads? RocksDB's compressed secondary
 * cache, with zstd, compresses blocks that fall out of the block cache, on the threads of the
 * program that read. These should not wait for a device that has to be asked for one block at a
 * time. Nothing in such a call says so, but all of this is true of it:
 *
 * - The context is made for the block and freed after it, as that thread's contexts before it were.
 *   Table builders have contexts for a file, but for files that are sampled for a dictionary from
 *   10.7 on.
 * - The output holds nearly as much as the block, or more. From 10.7 on a table builder wants
 *   blocks that shrink by an eighth.
 * - The thread is none of RocksDB's own, whose names begin with "rocksdb:". Threads that these
 *   start (subcompactions, parallel compression) have the same names. Blobs come from them.
 *
 * Thread rule: as for contexts.
 */
#ifndef ROCKPRESS_PLUGIN_HOOK_ASKER_H
#define ROCKPRESS_PLUGIN_HOOK_ASKER_H

#include <stdbool.h>
#include <stdint.h>

#include "plugin/core/request.h"
#include "plugin/hook/context_table.h"

/* Whether a thread that reads asks, which only a context's first block can say. Notes that the
 * context was asked. */
bool rp_asker_reads(struct rp_context *context, const rp_request *request);

/* What a block that the context is asked for says of the caller; is_legacy as in rp_asker. */
static inline rp_asker rp_asker_of(struct rp_context *context, const rp_request *request,
                                   bool is_legacy)
{
    rp_asker asker = {context->born, is_legacy, false};

    if ((context->flags & RP_CONTEXT_REUSED) == 0)
        asker.is_reader = rp_asker_reads(context, request);
    return asker;
}

/* Whether this is one of RocksDB's own threads. */
bool rp_asker_is_rocksdb(void);

/* The thread frees a context that had these flags. */
void rp_asker_note_freed(uint32_t flags);

#endif
