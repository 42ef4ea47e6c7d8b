// SPDX-License-Identifier: Apache-2.0
// Stand-in for RocksDB's header: the version is the one that the compiler is
// told.
#pragma once

#include <string>

#define ROCKSDB_MAJOR STAND_IN_MAJOR
#define ROCKSDB_MINOR STAND_IN_MINOR
#define ROCKSDB_NAMESPACE rocksdb
#define STAND_IN (STAND_IN_MAJOR * 100 + STAND_IN_MINOR)

namespace ROCKSDB_NAMESPACE
{

std::string GetRocksVersionAsString(bool with_patch = true);

} // namespace ROCKSDB_NAMESPACE
