// SPDX-License-Identifier: Apache-2.0
// Whole databases written through the adapter, then read back without it.
//
// workload write <scenario> <directory>   writes, checks counters and files
// workload read <directory>               reads everything with the built-in
//                                         manager, checksums verified
//
// Two processes, so that nothing of the first is left in a cache. The
// configuration of rockpress comes from the environment.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#include "rockpress/plugin.h"
#include "rocksdb/convenience.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
#include "rocksdb/table.h"
#include "rocksdb/table_properties.h"

using namespace ROCKSDB_NAMESPACE;

namespace
{

constexpr int kKeys = 30000;

[[noreturn]] void Fail(const std::string &what)
{
    std::fprintf(stderr, "%s\n", what.c_str());
    std::exit(1);
}

void Check(const Status &status, const char *what)
{
    if (!status.ok()) {
        Fail(std::string(what) + ": " + status.ToString());
    }
}

void Check(bool condition, const char *what)
{
    if (!condition) {
        Fail(what);
    }
}

std::string Key(int i)
{
    char key[32];
    std::snprintf(key, sizeof(key), "customer%08d", i);
    return key;
}

// Two generations: the second overwrites every third key.
std::string Value(int i)
{
    unsigned random = static_cast<unsigned>(i) * 2654435761u;
    std::string value = i % 3 == 0 ? "{\"state\":\"shipped\"" : "{\"state\":\"open\"";
    value += ",\"order\":" + std::to_string(random) + ",\"total\":" + std::to_string(random >> 20) +
             ",\"note\":\"";
    value.append(random >> 26, 'x');
    return value + "\"}";
}

struct Scenario {
    const char *name;
    const char *options;
    rp_route route; // must have served blocks
};

// Options that the scenarios change.
const char kBase[] = "compression=kZSTD;write_buffer_size=1M;target_file_size_base=512K;"
                     "level0_file_num_compaction_trigger=4;"
                     "block_based_table_factory={format_version=5;block_size=4K};";

const Scenario kScenarios[] = {
    {"plain", "", RP_ROUTE_DIRECT},
    {"parallel", "compression_opts={parallel_threads=8;level=3};", RP_ROUTE_DIRECT},
    {"checksum", "compression_opts={checksum=true;level=3};", RP_ROUTE_DIRECT},
    {"tight", "compression_opts={max_compressed_bytes_per_kb=260;level=3};", RP_ROUTE_DIRECT},
    {"dictionary", "compression_opts={max_dict_bytes=16K;zstd_max_train_bytes=1M;level=3};",
     RP_ROUTE_CPU},
    {"blobs", "enable_blob_files=true;min_blob_size=64;blob_compression_type=kZSTD;",
     RP_ROUTE_DIRECT},
    {"batch", "", RP_ROUTE_BATCH},
    {"batch_parallel", "compression_opts={parallel_threads=8;level=3};", RP_ROUTE_BATCH},
    // Compactions of all files to one of any size.
    {"batch_unbounded", "compaction_style=kCompactionStyleUniversal;num_levels=1;", RP_ROUTE_BATCH},
    {"batch_bounded",
     "compaction_style=kCompactionStyleUniversal;num_levels=1;"
     "compression_opts={max_dict_buffer_bytes=256K;level=3};",
     RP_ROUTE_BATCH},
    {"verified",
     "block_based_table_factory={format_version=5;verify_compression=true;"
     "block_size=16K};",
     RP_ROUTE_DIRECT},
    {"newest", "block_based_table_factory={block_size=16K};", RP_ROUTE_DIRECT},
    {"remote", "", RP_ROUTE_DIRECT},
};

// Runs a compaction that was handed away as a worker would, with options and
// nothing else of the first database's.
class Worker : public CompactionService
{
  public:
    Worker(std::string db, Options options) : db_(std::move(db)), options_(std::move(options))
    {
    }

    const char *Name() const override
    {
        return "Worker";
    }

    CompactionServiceScheduleResponse Schedule(const CompactionServiceJobInfo &info,
                                               const std::string &input) override
    {
        std::string id = std::to_string(info.job_id);
        std::string output = db_ + "/worker" + id;
        CompactionServiceOptionsOverride overriding;
        overriding.env = options_.env;
        overriding.file_checksum_gen_factory = options_.file_checksum_gen_factory;
        overriding.comparator = options_.comparator;
        overriding.table_factory = options_.table_factory;
        uint64_t before = rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT);
        status_ =
            DB::OpenAndCompact(OpenAndCompactOptions(), db_, output, input, &result_, overriding);
        direct_ += rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) - before;
        n_++;
        return CompactionServiceScheduleResponse(id, CompactionServiceJobStatus::kSuccess);
    }

    CompactionServiceJobStatus Wait(const std::string & /*id*/, std::string *result) override
    {
        *result = result_;
        return status_.ok() ? CompactionServiceJobStatus::kSuccess
                            : CompactionServiceJobStatus::kFailure;
    }

    Status status() const
    {
        return status_;
    }
    uint64_t direct() const
    {
        return direct_;
    }
    int n() const
    {
        return n_;
    }

  private:
    const std::string db_;
    const Options options_;
    std::string result_;
    Status status_;
    uint64_t direct_ = 0;
    int n_ = 0;
};

Options ParseOptions(const std::string &text)
{
    Options base, options;
    base.create_if_missing = true;
    Check(GetOptionsFromString(ConfigOptions(), base, text, &options), "options");
    return options;
}

void Fill(DB *db)
{
    // The second round writes the final values.
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < kKeys; i++) {
            if (round == 0 || i % 3 == 0) {
                std::string value = Value(i);
                Check(db->Put(WriteOptions(), Key(i),
                              round == 0 && i % 3 == 0 ? "old" + value : value),
                      "put");
            }
        }
        Check(db->Flush(FlushOptions()), "flush");
    }
}

void CheckFiles(DB *db, bool explicit_name)
{
    TablePropertiesCollection tables;
    Check(db->GetPropertiesOfAllTables(&tables), "properties");
    Check(!tables.empty(), "no tables");
    for (const auto &[file, properties] : tables) {
        // By this name RocksDB without rockpress decides that it can read them.
        const std::string &name = properties->compression_name;
        Check(name.find(explicit_name ? "BuiltinV2;07;" : "ZSTD") != std::string::npos,
              (file + ": compression is named " + name).c_str());
    }
}

void Report()
{
    for (unsigned i = 0; i < RP_N_ROUTES; i++) {
        std::printf("%s %llu  ", rp_route_name(static_cast<rp_route>(i)),
                    static_cast<unsigned long long>(rp_stats_value(RP_STAT_BLOCKS, i)));
    }
    std::printf("untaken %llu, misses %llu\n",
                static_cast<unsigned long long>(rp_stats_value(RP_STAT_BATCH_UNTAKEN_BLOCKS, 0)),
                static_cast<unsigned long long>(rp_stats_value(RP_STAT_BATCH_MISSES, 0)));
}

void CheckCounters(const Scenario &scenario)
{
    Report();
    Check(rp_stats_value(RP_STAT_BLOCKS, scenario.route) > 100, "the route served hardly a block");
    for (unsigned kind = 0; kind < RP_N_FAULTS; kind++) {
        Check(rp_stats_value(RP_STAT_FAULTS, kind) == 0, "faults");
    }
    if (std::strncmp(scenario.name, "batch", 5) == 0) {
        Check(rp_stats_value(RP_STAT_BATCH_UNTAKEN_BLOCKS, 0) == 0,
              "blocks of batches were not taken");
        Check(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH) ==
                  rp_stats_value(RP_STAT_BATCH_BLOCKS, 0),
              "not every block of batches was served");
        Check(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0, "a batch was not ended");
    }
    if (std::strcmp(scenario.name, "dictionary") == 0) {
        Check(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_DICTIONARY) > 100, "no dictionary");
    }
    // RocksDB is not asked to hold what has no bound.
    bool is_unbounded = std::strcmp(scenario.name, "batch_unbounded") == 0;
    Check((rp_stats_value(RP_STAT_FILES_WITHOUT_MEMORY, 0) > 0) == is_unbounded,
          "files without memory for batches");
    if (std::strcmp(scenario.name, "tight") == 0) {
        Check(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_CAPACITY) > 0,
              "the limit was never met");
    }
}

void Write(const char *name, const std::string &directory)
{
    const Scenario *scenario = nullptr;
    for (const Scenario &each : kScenarios) {
        if (std::strcmp(each.name, name) == 0) {
            scenario = &each;
        }
    }
    Check(scenario != nullptr, "no such scenario");
    Options options =
        ParseOptions(std::string(kBase) + "compression_manager=rockpress;" + scenario->options);
    std::shared_ptr<Worker> worker;
    if (std::strcmp(name, "remote") == 0) {
        worker = std::make_shared<Worker>(directory, options);
        options.compaction_service = worker;
    }
    std::unique_ptr<DB> db;
    Check(DB::Open(options, directory, &db), "open");
    Fill(db.get());
    Check(db->CompactRange(CompactRangeOptions(), nullptr, nullptr), "compact");
    if (worker != nullptr) {
        Check(worker->status(), "the worker");
        Check(worker->n() > 0 && worker->direct() > 0,
              "no compaction went to the worker and through rockpress there");
    }
    CheckFiles(db.get(),
               std::strcmp(name, "newest") == 0 && BlockBasedTableOptions().format_version >= 7);
    if (std::strcmp(name, "blobs") == 0) {
        uint64_t blob_files = 0;
        Check(db->GetIntProperty("rocksdb.num-blob-files", &blob_files) && blob_files > 0,
              "no blob files");
    }
    Check(db->Close(), "close");
    db.reset();
    CheckCounters(*scenario);
}

void Read(const std::string &directory)
{
    // As the files say, not as the options of their writer do.
    Options options;
    std::unique_ptr<DB> db;
    Check(DB::OpenForReadOnly(options, directory, &db), "open");
    Check(db->VerifyChecksum(), "checksums");
    std::unique_ptr<Iterator> it(db->NewIterator(ReadOptions()));
    int i = 0;
    for (it->SeekToFirst(); it->Valid(); it->Next(), i++) {
        Check(it->key() == Key(i), "a key");
        Check(it->value() == Value(i), "a value");
    }
    Check(it->status(), "iterator");
    Check(i == kKeys, "the number of keys");
}

} // namespace

int main(int argc, char **argv)
{
    if (argc == 4 && std::strcmp(argv[1], "write") == 0) {
        Write(argv[2], argv[3]);
    } else if (argc == 3 && std::strcmp(argv[1], "read") == 0) {
        Read(argv[2]);
    } else {
        std::fprintf(stderr, "usage: %s write <scenario> <dir> | read <dir>\n", argv[0]);
        return 2;
    }
    return 0;
}
