/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rocksdb/rocksdb_adapter.cc needs of the plugin, in C that C++ can include: the same
 * functions as the zstd hook's, and the few that it would otherwise take from headers with C11's
 * atomics.
 *
 * Thread rule: any thread.
 */
#ifndef ROCKPRESS_PLUGIN_ROCKSDB_ADAPTER_H
#define ROCKPRESS_PLUGIN_ROCKSDB_ADAPTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "plugin/batch/batch.h"
#include "plugin/core/log.h"
#include "plugin/route/route.h"

/*
 * Around a block that RocksDB's own compressor compresses, because of `reason`. begin returns what
 * end takes. frame_size is 0 when there was no frame.
 */
uint64_t rp_adapter_cpu_begin(rp_fallback_reason reason);
void rp_adapter_cpu_end(rp_fallback_reason reason, const rp_offload_request *request,
                        size_t frame_size, uint64_t begun_ns);

/* Most bytes of data blocks that are worth being shown to rp_batch_begin; 0 when ROCKPRESS_BATCH is
 * off or there is no device. */
size_t rp_adapter_batch_bytes(void);

#ifdef __cplusplus
}
#endif

#endif
