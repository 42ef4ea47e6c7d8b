// SPDX-License-Identifier: Apache-2.0
// Stand-in for RocksDB's header: as much of it as the adapter uses.
#pragma once

#include <cstddef>
#include <string>

#include "rocksdb/version.h"

namespace ROCKSDB_NAMESPACE
{

class Status
{
  public:
    static Status OK()
    {
        return Status();
    }
    bool ok() const
    {
        return true;
    }
};

class Slice
{
  public:
    Slice() = default;
    Slice(const std::string &of) : data_(of.data()), size_(of.size())
    {
    }
    const char *data() const
    {
        return data_;
    }
    size_t size() const
    {
        return size_;
    }
    bool empty() const
    {
        return size_ == 0;
    }

  private:
    const char *data_ = "";
    size_t size_ = 0;
};

} // namespace ROCKSDB_NAMESPACE
