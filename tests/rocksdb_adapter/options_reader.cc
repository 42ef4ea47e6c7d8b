// SPDX-License-Identifier: Apache-2.0
// What a program that loads its options from a database gets for
// compression_manager: options_reader <database> lenient | strict. Not linked to
// the adapter, which may be preloaded.
#include <cstdio>
#include <cstring>
#include <vector>

#include "rocksdb/advanced_compression.h"
#include "rocksdb/convenience.h"
#include "rocksdb/options.h"
#include "rocksdb/utilities/options_util.h"

using namespace ROCKSDB_NAMESPACE;

namespace
{

int Print(const Status &status, const ColumnFamilyOptions &options)
{
    if (!status.ok()) {
        std::printf("%s\n", status.ToString().c_str());
        return 1;
    }
    std::printf("%s\n", options.compression_manager == nullptr
                            ? "none"
                            : options.compression_manager->GetId().c_str());
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 3) {
        return 2;
    }
    ConfigOptions config;
    config.ignore_unsupported_options = std::strcmp(argv[2], "strict") != 0;
    DBOptions db_options;
    std::vector<ColumnFamilyDescriptor> families;
    Status status = LoadLatestOptions(config, argv[1], &db_options, &families);
    int failed = Print(status, families.empty() ? ColumnFamilyOptions() : families[0].options);
    // And by name, as a program does that does not rely on the file.
    ColumnFamilyOptions by_name;
    status = GetColumnFamilyOptionsFromString(config, ColumnFamilyOptions(),
                                              "compression_manager=rockpress", &by_name);
    return Print(status, by_name) + failed;
}
