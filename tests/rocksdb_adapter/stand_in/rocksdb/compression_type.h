// SPDX-License-Identifier: Apache-2.0
// Stand-in for RocksDB's header: as much of it as the adapter uses.
#pragma once

#include <cstdint>

#include "rocksdb/version.h"

namespace ROCKSDB_NAMESPACE
{

enum CompressionType : unsigned char {
    kNoCompression = 0,
    kLZ4Compression = 4,
    kZSTD = 7,
    kDisableCompressionOption = 255
};

struct CompressionOptions {
    static constexpr int kDefaultCompressionLevel = 32767;
    int level = kDefaultCompressionLevel;
    uint32_t max_dict_bytes = 0;
    uint32_t zstd_max_train_bytes = 0;
    uint32_t parallel_threads = 1;
    uint64_t max_dict_buffer_bytes = 0;
    int max_compressed_bytes_per_kb = 896;
    bool checksum = false;
};

} // namespace ROCKSDB_NAMESPACE
