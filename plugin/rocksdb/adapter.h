/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of the plugin that rocksdb/rocksdb_adapter.cc uses, for C++: the same as the zstd
 * hook's. None of these headers needs C11's atomics.
 */
#ifndef ROCKPRESS_PLUGIN_ROCKSDB_ADAPTER_H
#define ROCKPRESS_PLUGIN_ROCKSDB_ADAPTER_H

#ifdef __cplusplus
extern "C" {
#endif

#include "plugin/batch/batch.h"
#include "plugin/batch/gather.h"
#include "plugin/core/log.h"
#include "plugin/route/cpu.h"
#include "plugin/route/route.h"

#ifdef __cplusplus
}
#endif

#endif
