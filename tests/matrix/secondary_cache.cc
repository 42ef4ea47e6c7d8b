// SPDX-License-Identifier: Apache-2.0
// A block cache with a compressed secondary cache behind it, which RocksDB's C interface cannot
// make and its options in text form cannot name.
#include "secondary_cache.h"

#include <memory>

#include "rocksdb/cache.h"

using namespace ROCKSDB_NAMESPACE;

struct rocksdb_cache_t {
    std::shared_ptr<Cache> rep; // as RocksDB's own c.cc has it
};

rocksdb_cache_t *matrix_make_cache(size_t capacity, size_t secondary_capacity)
{
    CompressedSecondaryCacheOptions secondary;
    secondary.capacity = secondary_capacity;
    secondary.compression_type = kZSTD;
    LRUCacheOptions options;
    options.capacity = capacity;
    options.num_shard_bits = 0;
    options.secondary_cache = NewCompressedSecondaryCache(secondary);
    return new rocksdb_cache_t{NewLRUCache(options)};
}
