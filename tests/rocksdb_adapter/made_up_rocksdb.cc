// SPDX-License-Identifier: Apache-2.0
// A librocksdb.so that is made up: what a library that is loaded into a
// process finds of RocksDB there. Releases before 10.4 have no
// CompressionManager.
#include "rocksdb/utilities/object_registry.h"
#include "rocksdb/version.h"

using namespace rocksdb;

std::string rocksdb::GetRocksVersionAsString(bool with_patch)
{
    return std::to_string(STAND_IN_MAJOR) + "." + std::to_string(STAND_IN_MINOR) +
           (with_patch ? ".5" : "");
}

std::shared_ptr<ObjectLibrary> &ObjectLibrary::Default()
{
    static std::shared_ptr<ObjectLibrary> library = std::make_shared<ObjectLibrary>();
    return library;
}

#if STAND_IN >= 1004
const std::shared_ptr<CompressionManager> &rocksdb::GetBuiltinV2CompressionManager()
{
    static const std::shared_ptr<CompressionManager> manager;
    return manager;
}
#endif
