// SPDX-License-Identifier: Apache-2.0
// Stand-in for RocksDB's header: as much of it as the adapter uses.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "rocksdb/advanced_compression.h"

namespace ROCKSDB_NAMESPACE
{

class ObjectLibrary
{
  public:
    template <typename T>
    using FactoryFunc =
        std::function<T *(const std::string &, std::unique_ptr<T> *, std::string *)>;

    // Holds compression managers only.
    template <typename T> void AddFactory(const std::string &name, const FactoryFunc<T> &factory)
    {
        names += name + " ";
        make = factory;
    }

    static std::shared_ptr<ObjectLibrary> &Default();

    std::string names;
    FactoryFunc<CompressionManager> make;
};

} // namespace ROCKSDB_NAMESPACE
