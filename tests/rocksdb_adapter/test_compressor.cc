// SPDX-License-Identifier: Apache-2.0
// The adapter's compressors, one block at a time, under a real RocksDB: what
// its table builder and its blob files would ask of them.
//
// test_compressor <case>; the configuration comes from the environment.
#include <zstd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "rockpress/plugin.h"
#include "rockpress/rocksdb.h"
#include "rocksdb/advanced_compression.h"
#include "rocksdb/convenience.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/options.h"
#include "rocksdb/table.h"
#include "rocksdb/version.h"

using namespace ROCKSDB_NAMESPACE;

#define VERSION (ROCKSDB_MAJOR * 100 + ROCKSDB_MINOR)

namespace
{

struct Result {
    Status status;
    CompressionType type = kNoCompression;
    std::string bytes;
};

// Bytes after the output, which nobody may write to.
constexpr size_t kGuardBytes = 64;

// As the table builder does it: into capacity bytes at most, where the
// interface has that.
Result Compress(Compressor &compressor, const std::string &block, size_t capacity,
                Compressor::ManagedWorkingArea *area)
{
    Result result;
#if VERSION >= 1006
    std::string output(capacity + kGuardBytes, '\x5a');
    size_t size = capacity;
    result.status = compressor.CompressBlock(block, output.data(), &size, &result.type, area);
    CHECK(output.compare(capacity, kGuardBytes, std::string(kGuardBytes, '\x5a')) == 0);
    if (result.type != kNoCompression) {
        CHECK(size <= capacity);
        result.bytes = output.substr(0, size);
    }
#else
    result.status = compressor.CompressBlock(block, &result.bytes, &result.type, area);
    if (result.type == kNoCompression || result.bytes.size() > capacity) {
        result.type = kNoCompression;
        result.bytes.clear();
    }
#endif
    return result;
}

std::shared_ptr<CompressionManager> Manager()
{
    std::shared_ptr<CompressionManager> manager;
    Status status = CompressionManager::CreateFromString(ConfigOptions(), "rockpress", &manager);
    if (!status.ok()) {
        std::fprintf(stderr, "%s\n", status.ToString().c_str());
        std::exit(1);
    }
    return manager;
}

std::string Text(size_t size, unsigned seed)
{
    std::string text;
    while (text.size() < size) {
        seed = seed * 1103515245u + 12345u;
        text += "{\"order\":" + std::to_string(seed >> 12) +
                ",\"state\":\"shipped\",\"total\":" + std::to_string(seed >> 22) + "}\n";
    }
    text.resize(size);
    return text;
}

std::string Noise(size_t size)
{
    std::string noise(size, '\0');
    unsigned state = 1;
    for (char &byte : noise) {
        state = state * 1664525u + 1013904223u;
        byte = static_cast<char>(state >> 24);
    }
    return noise;
}

// Decodes as stock RocksDB would: with the built-in manager.
std::string Decode(const Result &result, Slice dictionary = Slice())
{
    std::shared_ptr<Decompressor> decompressor =
        GetBuiltinV2CompressionManager()->GetDecompressor();
    std::unique_ptr<Decompressor> with_dictionary;
    Decompressor *used = decompressor.get();
    if (!dictionary.empty()) {
        CHECK(used->MaybeCloneForDict(dictionary, &with_dictionary).ok());
        used = with_dictionary.get();
    }
    Decompressor::Args args;
    args.compression_type = result.type;
    args.compressed_data = result.bytes;
    CHECK(used->ExtractUncompressedSize(args).ok());
    std::string block(args.uncompressed_size, '\0');
    CHECK(used->DecompressBlock(args, block.data()).ok());
    return block;
}

size_t Allowed(size_t size)
{
    return size * 896 / 1024;
}

// The frame in a block, after its length.
std::string Frame(const Result &result)
{
    size_t at = 0;
    while (result.bytes[at++] & 0x80) {
    }
    return result.bytes.substr(at);
}

bool HasChecksum(const Result &result)
{
    return Frame(result)[4] & 4;
}

void CheckDirect()
{
    auto manager = Manager();
    auto compressor = manager->GetCompressor(CompressionOptions(), kZSTD);
    auto area = compressor->ObtainWorkingArea();
    uint64_t blocks = 0;
    for (size_t size : {512, 513, 4096, 16384, 65536, 200000}) {
        std::string block = Text(size, static_cast<unsigned>(size));
        Result result = Compress(*compressor, block, Allowed(size), &area);
        CHECK(result.status.ok() && result.type == kZSTD);
        CHECK(Decode(result) == block);
        CHECK(!HasChecksum(result));
        CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == ++blocks);
        // Without a working area, and with somebody else's.
        CHECK(Compress(*compressor, block, Allowed(size), nullptr).bytes == result.bytes);
        auto other = manager->GetCompressor(CompressionOptions(), kZSTD);
        auto other_area = other->ObtainWorkingArea();
        CHECK(Compress(*compressor, block, Allowed(size), &other_area).bytes == result.bytes);
        blocks += 2;
    }
    // Too small, so the built-in compressor's, with each kind of area.
    std::string block = Text(400, 1);
    auto other = manager->GetCompressor(CompressionOptions(), kZSTD);
    auto other_area = other->ObtainWorkingArea();
    for (Compressor::ManagedWorkingArea *each :
         {&area, static_cast<Compressor::ManagedWorkingArea *>(nullptr), &other_area, &area}) {
        Result result = Compress(*compressor, block, Allowed(400), each);
        CHECK(result.type == kZSTD && Decode(result) == block);
    }
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == blocks);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_CPU) == 4 &&
          rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_SIZE) == 4);
    CHECK(rp_stats_value(RP_STAT_BYTES_IN, RP_ROUTE_CPU) == 1600);
}

void CheckNames()
{
    CHECK(rockpress_register() == 0);
    auto manager = Manager();
    CHECK(std::strcmp(manager->Name(), "rockpress") == 0);
    CHECK(manager->GetId() == "rockpress");
    CHECK(std::strcmp(manager->CompatibilityName(),
                      GetBuiltinV2CompressionManager()->CompatibilityName()) == 0);
    // The built-in schema is found from ours, and ours is not asked for anything
    // else.
    auto builtin = manager->FindCompatibleCompressionManager(manager->CompatibilityName());
    CHECK(builtin != nullptr);
    CHECK(manager->FindCompatibleCompressionManager("Unheard") == nullptr);
    CHECK(manager->GetCompressor(CompressionOptions(), kNoCompression) == nullptr);
    auto compressor = manager->GetCompressor(CompressionOptions(), kZSTD);
    CHECK(std::strcmp(compressor->Name(), "rockpress") == 0);
    CHECK(compressor->GetPreferredCompressionType() == kZSTD);
    CHECK(compressor->GetSerializedDict().empty());
    for (CompressionType type : {kZlibCompression, kLZ4Compression}) {
        if (!manager->SupportsCompressionType(type)) {
            continue;
        }
        auto other = manager->GetCompressor(CompressionOptions(), type);
        CHECK(other->GetPreferredCompressionType() == type);
        CHECK(std::strcmp(other->Name(), "rockpress") != 0);
    }
    // Options keep the name, both ways.
    ColumnFamilyOptions options, again;
    CHECK(GetColumnFamilyOptionsFromString(
              ConfigOptions(), options, "compression=kZSTD;compression_manager=rockpress", &options)
              .ok());
    std::string text;
    CHECK(GetStringFromColumnFamilyOptions(ConfigOptions(), options, &text).ok());
    CHECK(text.find("rockpress") != std::string::npos);
    CHECK(GetColumnFamilyOptionsFromString(ConfigOptions(), again, text, &again).ok());
    CHECK(again.compression_manager->GetId() == "rockpress");
}

// A frame has a checksum where the option asks for it, or the environment.
void CheckChecksum()
{
    CompressionOptions options;
    options.checksum = std::getenv("ROCKPRESS_CHECKSUM") == nullptr;
    auto compressor = Manager()->GetCompressor(options, kZSTD);
    std::string block = Text(16384, 5);
    Result result = Compress(*compressor, block, Allowed(16384), nullptr);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 1);
    CHECK(HasChecksum(result) && Decode(result) == block);
    // The last four bytes are it: libzstd refuses them changed.
    std::string frame = Frame(result), out(block.size(), '\0');
    CHECK(ZSTD_decompress(out.data(), out.size(), frame.data(), frame.size()) == block.size());
    frame.back() ^= 1;
    CHECK(ZSTD_isError(ZSTD_decompress(out.data(), out.size(), frame.data(), frame.size())));
}

// Capacities around each block's own length, down to nothing.
void CheckCapacity()
{
    CompressionOptions options;
    auto compressor = Manager()->GetCompressor(options, kZSTD);
    auto builtin = GetBuiltinV2CompressionManager()->GetCompressor(options, kZSTD);
    auto area = compressor->ObtainWorkingArea();
    for (size_t size : {600, 4096, 40000}) {
        std::string block = Text(size, 9);
        size_t needed = Compress(*compressor, block, size, &area).bytes.size();
        CHECK(needed > 0);
        for (size_t capacity = 0; capacity <= needed + 8;
             capacity += capacity < 12 || capacity + 12 + 97 > needed ? 1 : 97) {
            Result result = Compress(*compressor, block, capacity, &area);
            CHECK(result.status.ok());
            if (capacity >= needed) {
                CHECK(result.type == kZSTD && result.bytes.size() == needed);
            } else if (result.type != kNoCompression) {
                CHECK(result.bytes.size() <= capacity && Decode(result) == block);
                // Only where libzstd makes it smaller than we do.
                CHECK(Compress(*builtin, block, capacity, nullptr).type == kZSTD);
            }
        }
    }
    // What does not shrink is left as it is; the device has tried.
    std::string noise = Noise(16384);
    uint64_t too_small = rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_CAPACITY);
    uint64_t rejected = rp_stats_value(RP_STAT_REJECTED_BLOCKS, 0);
    Result result = Compress(*compressor, noise, Allowed(16384), &area);
    CHECK(result.status.ok() && result.type == kNoCompression);
    CHECK(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_CAPACITY) == too_small + 1);
#if VERSION >= 1006
    CHECK(rp_stats_value(RP_STAT_REJECTED_BLOCKS, 0) == rejected + 1);
#else
    (void)rejected;
#endif
}

// The options' own limit: RocksDB gives the capacity where the interface has
// one, and refuses what is longer where it has not.
void CheckLimit()
{
#if VERSION < 1006
    std::string block = Text(16384, 3), output;
    CompressionType type;
    CompressionOptions options;
    auto manager = Manager();
    size_t size =
        Compress(*manager->GetCompressor(options, kZSTD), block, 16384, nullptr).bytes.size();
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 1);
    options.max_compressed_bytes_per_kb = static_cast<int>(size * 1024 / 16384);
    auto compressor = manager->GetCompressor(options, kZSTD);
    CHECK(compressor->CompressBlock(block, &output, &type, nullptr).ok());
    CHECK(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_CAPACITY) == 1);
    CHECK(type == kNoCompression || output.size() > 0);
#endif
}

void CheckClone()
{
#if VERSION >= 1009
    CompressionOptions options;
    options.checksum = true;
    auto compressor = Manager()->GetCompressor(options, kZSTD);
    auto clone = compressor->Clone();
    std::string block = Text(8192, 2);
    Result one = Compress(*compressor, block, 8192, nullptr);
    compressor.reset();
    Result other = Compress(*clone, block, 8192, nullptr);
    CHECK(one.bytes == other.bytes && HasChecksum(other));
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 2);
#endif
}

std::unique_ptr<Compressor> Specialized(Compressor &compressor,
                                        const std::vector<std::string> &blocks)
{
#if VERSION >= 1011
    Compressor::DictSamples samples;
#else
    Compressor::DictSampleArgs samples;
#endif
    for (const std::string &block : blocks) {
        samples.sample_data += block;
        samples.sample_lens.push_back(block.size());
    }
    return compressor.MaybeCloneSpecialized(CacheEntryRole::kDataBlock, std::move(samples));
}

// How many bytes of samples the compressor asks for; 0: none.
size_t Sampling(const Compressor &compressor, CacheEntryRole role)
{
#if VERSION >= 1011
    auto guidance = compressor.GetDictGuidance(role);
    auto *sampling = std::get_if<Compressor::DictSampling>(&guidance);
    return sampling != nullptr ? sampling->max_sample_bytes : 0;
#else
    return compressor.GetMaxSampleSizeIfWantDict(role);
#endif
}

std::vector<std::string> Blocks(size_t n)
{
    std::vector<std::string> blocks;
    for (size_t i = 0; i < n; i++) {
        blocks.push_back(Text(4096, static_cast<unsigned>(i + 100)));
    }
    return blocks;
}

void CheckDictionary()
{
    CompressionOptions options;
    options.max_dict_bytes = 8192;
    options.zstd_max_train_bytes = 1 << 20;
    auto compressor = Manager()->GetCompressor(options, kZSTD);
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 1 << 20);
    auto blocks = Blocks(100);
    auto with_dictionary = Specialized(*compressor, blocks);
    CHECK(with_dictionary != nullptr);
    Slice dictionary = with_dictionary->GetSerializedDict();
    CHECK(!dictionary.empty());
    auto area = with_dictionary->ObtainWorkingArea();
    for (const std::string &block : blocks) {
        Result result = Compress(*with_dictionary, block, 4096, &area);
        CHECK(result.type == kZSTD && Decode(result, dictionary) == block);
    }
    CHECK(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_DICTIONARY) == 100);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 0);
#if VERSION >= 1009
    auto clone = with_dictionary->Clone();
    CHECK(clone->GetSerializedDict() == dictionary);
#endif
    // None, and no wish for one, without samples.
    CHECK(Specialized(*compressor, {}) == nullptr);
    auto plain = Manager()->GetCompressor(CompressionOptions(), kZSTD);
    CHECK(Sampling(*plain, CacheEntryRole::kDataBlock) == 0);
}

// Of a file that is flushed.
std::unique_ptr<Compressor> ForFlush(const CompressionOptions &options)
{
    static const BlockBasedTableOptions table_options;
    FilterBuildingContext context(table_options);
    context.reason = TableFileCreationReason::kFlush;
    context.level_at_creation = 0;
    return Manager()->GetCompressorForSST(context, options, kZSTD);
}

// ROCKPRESS_BATCH=on
void CheckBatch()
{
    CompressionOptions options;
    options.checksum = true;
    auto compressor = ForFlush(options);
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) >= 4 << 20);
    CHECK(Sampling(*compressor, CacheEntryRole::kIndexBlock) == 0);
    auto blocks = Blocks(200);
    auto of_batch = Specialized(*compressor, blocks);
    CHECK(of_batch != nullptr && of_batch->GetSerializedDict().empty());
    CHECK(rp_stats_value(RP_STAT_BATCHES, 0) == 1 &&
          rp_stats_value(RP_STAT_BATCH_BLOCKS, 0) == 200);
    auto area = of_batch->ObtainWorkingArea();
    for (const std::string &block : blocks) {
        Result result = Compress(*of_batch, block, Allowed(4096), &area);
        CHECK(result.type == kZSTD && Decode(result) == block);
        CHECK(HasChecksum(result));
    }
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH) == 200);
    // Other blocks are the direct route's, of this or any other compressor.
    std::string index = Text(4096, 7);
    CHECK(Decode(Compress(*of_batch, index, 4096, &area)) == index);
    CHECK(Decode(Compress(*compressor, index, 4096, nullptr)) == index);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 2);
    // Files end their batch, taken or not.
    area = Compressor::ManagedWorkingArea();
    compressor = ForFlush(options);
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) >= 4 << 20);
    auto abandoned = Specialized(*compressor, Blocks(50));
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) > 0);
    abandoned.reset();
    of_batch.reset();
    CHECK(rp_stats_value(RP_STAT_BATCH_UNTAKEN_BLOCKS, 0) == 50);
    CHECK(rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0);
}

// Threads share a compressor, each with a working area of its own, as with
// parallel_threads.
void CheckThreads()
{
    auto manager = Manager();
    auto compressor = manager->GetCompressor(CompressionOptions(), kZSTD);
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 8; t++) {
        threads.emplace_back([&compressor, t] {
            auto area = compressor->ObtainWorkingArea();
            for (unsigned i = 0; i < 50; i++) {
                // Every third one is too small for the device.
                std::string block = Text(i % 3 == 0 ? 300 : 4096, t * 1000 + i);
                Result result = Compress(*compressor, block, block.size(), &area);
                CHECK(result.type == kZSTD && Decode(result) == block);
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) +
              rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_CPU) ==
          400);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) > 100);
}

// ROCKPRESS_DEVICE=off: as if it were not there.
void CheckOff()
{
    auto compressor = Manager()->GetCompressor(CompressionOptions(), kZSTD);
    auto builtin = GetBuiltinV2CompressionManager()->GetCompressor(CompressionOptions(), kZSTD);
    auto area = compressor->ObtainWorkingArea();
    for (unsigned i = 0; i < 20; i++) {
        std::string block = Text(4096 + i, i);
        CHECK(Compress(*compressor, block, 4096, &area).bytes ==
              Compress(*builtin, block, 4096, nullptr).bytes);
    }
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_CPU) == 20);
    CHECK(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_DEVICE) == 20);
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 0);
}

// A level of libzstd's that gives the frame of the built-in compressor.
int ZstdLevel(const CompressionOptions &options, const std::string &block)
{
    auto builtin = GetBuiltinV2CompressionManager()->GetCompressor(options, kZSTD);
    const std::string frame = Frame(Compress(*builtin, block, block.size(), nullptr));
    std::string other(block.size(), '\0');
    for (int level = -5; level <= 22; level++) {
        size_t size = ZSTD_compress(other.data(), other.size(), block.data(), block.size(), level);
        if (level != 0 && frame == other.substr(0, size)) {
            return level;
        }
    }
    return 0;
}

void CheckLevel()
{
    // At the highest levels the device's effort is the highest, too.
    CompressionOptions low, high;
    low.level = 1;
    high.level = 19;
    std::string block = Text(65536, 4);
    auto manager = Manager();
    size_t at_low =
        Compress(*manager->GetCompressor(low, kZSTD), block, 65536, nullptr).bytes.size();
    size_t at_high =
        Compress(*manager->GetCompressor(high, kZSTD), block, 65536, nullptr).bytes.size();
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 2);
    CHECK(at_high < at_low);
    // Whatever the level, the device's effort is that of the level at which the
    // built-in compressor calls libzstd, which its frame tells.
    for (int level = -5; level <= 23; level++) {
        CompressionOptions options, as_zstd;
        options.level = level == 23 ? CompressionOptions::kDefaultCompressionLevel : level;
        as_zstd.level = ZstdLevel(options, block);
        CHECK(as_zstd.level != 0);
        CHECK(Compress(*manager->GetCompressor(options, kZSTD), block, 65536, nullptr).bytes ==
              Compress(*manager->GetCompressor(as_zstd, kZSTD), block, 65536, nullptr).bytes);
    }
}

struct Case {
    const char *name;
    void (*run)();
} const kCases[] = {
    {"names", CheckNames},           {"direct", CheckDirect},
    {"checksum", CheckChecksum},     {"capacity", CheckCapacity},
    {"limit", CheckLimit},           {"clone", CheckClone},
    {"dictionary", CheckDictionary}, {"batch", CheckBatch},
    {"threads", CheckThreads},       {"off", CheckOff},
    {"level", CheckLevel},           {"checksum_on", CheckChecksum},
};

} // namespace

int main(int argc, char **argv)
{
    for (const Case &each : kCases) {
        if (argc == 2 && std::strcmp(argv[1], each.name) == 0) {
            each.run();
            return 0;
        }
    }
    std::fprintf(stderr, "usage: %s <case>\n", argv[0]);
    return 2;
}
