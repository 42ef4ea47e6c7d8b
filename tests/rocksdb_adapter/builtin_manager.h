// SPDX-License-Identifier: Apache-2.0
// The built-in CompressionManager of a RocksDB that is made up, but for its
// compressor, which each test has its own of.
#ifndef ROCKPRESS_TESTS_ROCKSDB_ADAPTER_BUILTIN_MANAGER_H
#define ROCKPRESS_TESTS_ROCKSDB_ADAPTER_BUILTIN_MANAGER_H

#include <memory>

#include "rocksdb/advanced_compression.h"

class BuiltinManagerBase : public rocksdb::CompressionManager
{
  public:
    const char *Name() const override
    {
        return "Builtin";
    }
    const char *CompatibilityName() const override
    {
        return "Schema";
    }
    bool SupportsCompressionType(rocksdb::CompressionType) const override
    {
        return true;
    }
    std::shared_ptr<rocksdb::Decompressor> GetDecompressor() override
    {
        return nullptr;
    }
};

#endif
