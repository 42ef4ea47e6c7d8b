// SPDX-License-Identifier: Apache-2.0
// A program that uses RocksDB: prints its release, and what has been registered
// with it.
#include <cstdio>

#include "rocksdb/utilities/object_registry.h"
#include "rocksdb/version.h"

int main()
{
    std::printf("%s: %s\n", rocksdb::GetRocksVersionAsString().c_str(),
                rocksdb::ObjectLibrary::Default()->names.c_str());
    return 0;
}
