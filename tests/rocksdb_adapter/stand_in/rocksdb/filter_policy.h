// SPDX-License-Identifier: Apache-2.0
// Stand-in for RocksDB's header: as much of it as the adapter uses.
#pragma once

#include <string>

#include "rocksdb/version.h"

namespace ROCKSDB_NAMESPACE
{

enum CompactionStyle : char { kCompactionStyleLevel = 0, kCompactionStyleUniversal = 1 };
enum class TableFileCreationReason { kFlush, kCompaction, kRecovery, kMisc };

struct FilterBuildingContext {
    CompactionStyle compaction_style = kCompactionStyleLevel;
    std::string column_family_name;
    int level_at_creation = -1;
    TableFileCreationReason reason = TableFileCreationReason::kMisc;
};

} // namespace ROCKSDB_NAMESPACE
