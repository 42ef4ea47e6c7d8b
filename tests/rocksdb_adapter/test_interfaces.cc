// SPDX-License-Identifier: Apache-2.0
// The adapter with one version's interface, on top of a RocksDB and a plugin
// that are made up here: each call has to reach the one it is for.
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "made_up.h"
#include "rockpress/rocksdb.h"
#include "rocksdb/advanced_compression.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/utilities/object_registry.h"

using namespace rocksdb;

// As RocksDB declares it for each plugin.
extern "C" int rockpress_register_plugin(ObjectLibrary &library, const std::string &);

namespace
{

// "ours" or "builtin", whichever made the block; empty when nobody did.
std::string Compress(Compressor &compressor, const std::string &block,
                     Compressor::ManagedWorkingArea *area, size_t capacity = 900)
{
    CompressionType type = kDisableCompressionOption;
#if STAND_IN >= 1006
    std::string output(capacity, '\0');
    size_t size = capacity;
    CHECK(compressor.CompressBlock(block, &output[0], &size, &type, area).ok());
    output.resize(size);
#else
    (void)capacity;
    std::string output;
    CHECK(compressor.CompressBlock(block, &output, &type, area).ok());
#endif
    if (type == kNoCompression) {
        return "";
    }
    if (output == "builtin") {
        return output;
    }
    // The length as varint32, then the frame, made where it is to be.
    CHECK(type == kZSTD && block.size() == 1000);
    CHECK(output == std::string("\xe8\x07") + "frame");
    return "ours";
}

#if STAND_IN >= 1011
using Samples = Compressor::DictSamples;
#else
using Samples = Compressor::DictSampleArgs;
#endif

Samples SamplesOf(const std::string &samples)
{
    return Samples{samples, {samples.size()}};
}

std::unique_ptr<Compressor> Specialized(Compressor &compressor, const std::string &samples)
{
    return compressor.MaybeCloneSpecialized(CacheEntryRole::kDataBlock, SamplesOf(samples));
}

size_t Sampling(const Compressor &compressor, CacheEntryRole role)
{
#if STAND_IN >= 1011
    auto guidance = compressor.GetDictGuidance(role);
    return std::get<Compressor::DictSampling>(guidance).max_sample_bytes;
#else
    return compressor.GetMaxSampleSizeIfWantDict(role);
#endif
}

void CheckRoutes(CompressionManager &manager)
{
    const std::string block(1000, 'x');
    CompressionOptions options;
    options.level = 7;
    options.checksum = true;
    auto compressor = manager.GetCompressor(options, kZSTD);
    auto area = compressor->ObtainWorkingArea();
    CHECK(Compress(*compressor, block, &area) == "ours");
    CHECK(plugin.routed == 1 && plugin.cpu_begins == 0);
    CHECK(plugin.request.input == block.data());
    CHECK(plugin.request.input_size == 1000);
    CHECK(plugin.request.level == 7 && plugin.request.checksum);
#if STAND_IN >= 1006
    CHECK(plugin.request.output_capacity == 898);
#else
    CHECK(plugin.request.output_capacity == 1000 * 896 / 1024 - 2);
#endif
    // The built-in one's working area is there once it is needed.
    CHECK(n_areas == 0);
    plugin.answer = RP_FALLBACK_BREAKER;
    for (int i = 0; i < 2; i++) {
        CHECK(Compress(*compressor, block, &area) == "builtin");
        CHECK(Builtin::own_area && n_areas == 1);
        CHECK(plugin.cpu_reason == RP_FALLBACK_BREAKER && plugin.cpu_frame_size == 7);
    }
    CHECK(Compress(*compressor, block, nullptr) == "builtin");
    CHECK(!Builtin::own_area);
    auto other = manager.GetCompressor(options, kZSTD);
    CHECK(Compress(*other, block, &area) == "builtin" && !Builtin::own_area &&
          !Builtin::foreign_area);
    CHECK(plugin.cpu_begins == 4 && n_areas == 1);
    plugin.answer = RP_FALLBACK_NONE;
#if STAND_IN >= 1006
    // No capacity for the length: the plugin is not asked.
    int routed = plugin.routed;
    CHECK(Compress(*compressor, block, &area, 5) == "");
    CHECK(plugin.routed == routed);
    CHECK(plugin.cpu_reason == RP_FALLBACK_CAPACITY && plugin.cpu_frame_size == 0);
#endif
    area = Compressor::ManagedWorkingArea();
    CHECK(Compress(*manager.GetCompressor(CompressionOptions(), kZSTD), block, nullptr) == "ours");
    CHECK(plugin.request.level == 3 && !plugin.request.checksum);
    for (int level : {-5, 0, 1, 22}) {
        options.level = level;
        CHECK(Compress(*manager.GetCompressor(options, kZSTD), block, nullptr) == "ours");
        CHECK(plugin.request.level == (level == 0 && STAND_IN >= 1105 ? -1 : level));
    }
#if STAND_IN < 1006
    options.max_compressed_bytes_per_kb = 2000;
    CHECK(Compress(*manager.GetCompressor(options, kZSTD), block, nullptr) == "ours");
    CHECK(plugin.request.output_capacity == 1000 * 1023 / 1024 - 2);
#endif
}

void CheckClones(CompressionManager &manager)
{
    const std::string block(1000, 'x');
    auto compressor = manager.GetCompressor(CompressionOptions(), kZSTD);
#if STAND_IN >= 1009
    auto clone = compressor->Clone();
    CHECK(std::strcmp(clone->Name(), "rockpress") == 0);
    CHECK(Compress(*clone, block, nullptr) == "ours");
#endif
#if STAND_IN >= 1011
    auto given = compressor->MaybeCloneSpecialized(CacheEntryRole::kDataBlock,
                                                   Compressor::DictPreDefined{"given"});
    CHECK(given->GetSerializedDict().size() == 5);
    CHECK(Compress(*given, block, nullptr) == "builtin");
#endif
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 77);
    CHECK(Specialized(*compressor, "") == nullptr);
    auto trained = Specialized(*compressor, "samples");
    CHECK(trained->GetSerializedDict().size() == 7);
    CHECK(Compress(*trained, block, nullptr) == "builtin");
    CHECK(plugin.cpu_reason == RP_FALLBACK_DICTIONARY && plugin.begun == 0);
#if STAND_IN >= 1009
    CHECK(trained->Clone()->GetSerializedDict().size() == 7);
#endif
}

std::unique_ptr<Compressor> ForFile(CompressionManager &manager, const CompressionOptions &options,
                                    TableFileCreationReason reason,
                                    CompactionStyle style = kCompactionStyleLevel, int level = 0)
{
    FilterBuildingContext context;
    context.reason = reason;
    context.compaction_style = style;
    context.level_at_creation = level;
    context.column_family_name = "name";
    return manager.GetCompressorForSST(context, options, kZSTD);
}

std::unique_ptr<Compressor> ForFlush(CompressionManager &manager)
{
    return ForFile(manager, CompressionOptions(), TableFileCreationReason::kFlush);
}

void CheckBatches(CompressionManager &manager)
{
    const std::string block(1000, 'x');
    CompressionOptions options;
    options.checksum = true;
    auto compressor = ForFile(manager, options, TableFileCreationReason::kFlush);
    plugin.batch_bytes = 5000;
    plugin.gathered = 100;
    CHECK(Sampling(*compressor, CacheEntryRole::kIndexBlock) == 77 && plugin.counted == 0);
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 4000);
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 4000 && plugin.counted == 100);
    auto of_batch = Specialized(*compressor, "samples");
    CHECK(plugin.begun == 1 && plugin.batch_samples == 1 && plugin.ended == 0);
    CHECK(plugin.shown == 7 && plugin.counted == 7);
    CHECK(plugin.hint.level == 3 && plugin.hint.checksum);
    CHECK(of_batch->GetSerializedDict().empty());
    CHECK(std::strcmp(of_batch->Name(), "rockpress") == 0);
    CHECK(Compress(*of_batch, block, nullptr) == "ours");
    CHECK(plugin.ended == 0);
    of_batch.reset();
    CHECK(plugin.ended == 1 && plugin.counted == 7);
    compressor.reset();
    CHECK(plugin.counted == 0);
    // Where no batch is begun, the built-in compressor gets the samples, and no
    // more of them than it wants.
    plugin.begins = false;
    compressor = ForFlush(manager);
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 4000);
    auto trained = Specialized(*compressor, std::string(500, 's'));
    CHECK(plugin.begun == 1 && plugin.shown == 500 && plugin.counted == 500);
    CHECK(trained->GetSerializedDict().size() == 77);
    compressor.reset();
    CHECK(plugin.begun == 1 && plugin.counted == 0);
    plugin.begins = true;
    plugin.gathered = 0;
    plugin.batch_bytes = 0;
}

// Which files are asked for, and how much RocksDB may hold of them.
void CheckGathering(CompressionManager &manager)
{
    using Reason = TableFileCreationReason;
    const size_t unlimited = SIZE_MAX;
    const struct {
        Reason reason;
        CompactionStyle style;
        int level;
        uint64_t max_dict_buffer_bytes;
        size_t most;
    } files[] = {
        {Reason::kFlush, kCompactionStyleLevel, 0, 0, unlimited},
        {Reason::kFlush, kCompactionStyleUniversal, 0, 0, unlimited},
        {Reason::kRecovery, kCompactionStyleLevel, 0, 0, unlimited},
        {Reason::kCompaction, kCompactionStyleLevel, 0, 0, unlimited},
        {Reason::kCompaction, kCompactionStyleLevel, 3, 0, unlimited},
        {Reason::kCompaction, kCompactionStyleUniversal, 3, 0, unlimited},
        {Reason::kCompaction, kCompactionStyleUniversal, 0, 0, 0},
        {Reason::kCompaction, kCompactionStyleUniversal, 0, 900, 900},
        {Reason::kMisc, kCompactionStyleLevel, -1, 0, 0},
        {Reason::kMisc, kCompactionStyleLevel, -1, 900, 900},
        {Reason::kFlush, kCompactionStyleLevel, 0, 900, 900},
    };
    plugin.batch_bytes = 5000;
    for (const auto &file : files) {
        CompressionOptions options;
        options.max_dict_buffer_bytes = file.max_dict_buffer_bytes;
        auto compressor = ForFile(manager, options, file.reason, file.style, file.level);
        // There is no room: the file is as without batches.
        CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 77);
        CHECK(plugin.most == file.most);
        int begun = static_cast<int>(plugin.begun);
        CHECK(Specialized(*compressor, "samples")->GetSerializedDict().size() == 7);
        CHECK(static_cast<int>(plugin.begun) == begun);
    }
    uint32_t to_level_0 = plugin.kind;
    auto compressor =
        ForFile(manager, CompressionOptions(), Reason::kFlush, kCompactionStyleLevel, 1);
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 77 && plugin.kind != to_level_0);
    // What the file would have without a batch.
    CompressionOptions rich;
    rich.level = 9;
    rich.max_dict_bytes = 16384;
    rich.zstd_max_train_bytes = 1 << 20;
    rich.parallel_threads = 4;
    compressor = ForFile(manager, rich, Reason::kFlush);
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 77);
    CHECK(plugin.file.level == 9 && plugin.file.dictionary_bytes == 16384);
    CHECK(plugin.file.sample_bytes == 1 << 20 && plugin.file.kind == plugin.kind);
    // Sampling takes threads away from 10.7 on.
    CHECK(plugin.file.threads == (STAND_IN >= 1007 ? 4 : 1));
    // Of what is no file, nothing is known.
    plugin.gathered = 1;
    compressor = manager.GetCompressor(CompressionOptions(), kZSTD);
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 4000 && plugin.most == 0);
    compressor.reset();
    plugin.gathered = 0;
    plugin.batch_bytes = 0;
    CHECK(plugin.counted == 0);
}

// Blocks of a file that is no batch may come from more threads than RocksDB's options say.
void CheckParallelThreads(CompressionManager &manager)
{
#if STAND_IN >= 1102
    const std::string block(1000, 'x');
    CompressionOptions options;
    options.level = 4;
    options.parallel_threads = 2;
    auto compressor = ForFile(manager, options, TableFileCreationReason::kFlush);
    CHECK(compressor->GetRecommendedParallelThreads() == 5); // the built-in one's answer
    CHECK(plugin.file.threads == 5 && plugin.file.level == 4);
    CHECK(Compress(*compressor, block, nullptr) == "ours" && plugin.times == 1);
    plugin.parallel_threads = 20;
    CHECK(compressor->GetRecommendedParallelThreads() == 20);
    // The thread that builds the file, and those that compress beside it.
    CHECK(Compress(*compressor, block, nullptr) == "ours" && plugin.times == 1);
    std::thread([&] {
        CHECK(Compress(*compressor, block, nullptr) == "ours" && plugin.times == 4);
        auto other = ForFile(manager, options, TableFileCreationReason::kFlush);
        CHECK(Compress(*other, block, nullptr) == "ours" && plugin.times == 1);
    }).join();
    // Of another type, it is as without rockpress.
    CHECK(manager.GetCompressor(options, kLZ4Compression)->GetRecommendedParallelThreads() == 5);
    // RocksDB holds the blocks of a batch, and has one thread for them.
    plugin.batch_bytes = 5000;
    plugin.gathered = 100;
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 4000);
    CHECK(compressor->GetRecommendedParallelThreads() == 5);
    compressor.reset();
    // There was no room for a batch.
    plugin.gathered = 0;
    compressor = ForFile(manager, options, TableFileCreationReason::kFlush);
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 77);
    CHECK(compressor->GetRecommendedParallelThreads() == 20);
    plugin.batch_bytes = 0;
    plugin.parallel_threads = 0;
#else
    (void)manager;
#endif
}

void CheckManager(CompressionManager &manager)
{
    CHECK(std::strcmp(manager.Name(), "rockpress") == 0);
    CHECK(std::strcmp(manager.CompatibilityName(), "Schema") == 0);
    CHECK(manager.GetCompressor(CompressionOptions(), kNoCompression) == nullptr);
    CHECK(std::strcmp(manager.GetCompressor(CompressionOptions(), kLZ4Compression)->Name(),
                      "Builtin") == 0);
    auto for_file =
        manager.GetCompressorForSST(FilterBuildingContext(), CompressionOptions(), kZSTD);
    CHECK(std::strcmp(for_file->Name(), "rockpress") == 0);
    CHECK(for_file->GetPreferredCompressionType() == kZSTD);
}

// Without memory the built-in compressor does alone, and nothing is thrown.
void CheckMemory(CompressionManager &manager)
{
    const std::string block(1000, 'x');
    ObjectLibrary library;
    library.names.assign(library.names.capacity(), 'x'); // so that it has to grow
    n_allocations = 0;
    CHECK(rockpress_register_plugin(library, "") == 0);
    n_allocations = 1; // the built-in one
    auto compressor = manager.GetCompressor(CompressionOptions(), kZSTD);
    CHECK(n_allocations == -1 && std::strcmp(compressor->Name(), "Builtin") == 0);

    compressor = manager.GetCompressor(CompressionOptions(), kZSTD);
    n_allocations = 0;
    auto area = compressor->ObtainWorkingArea();
    CHECK(n_allocations == -1 && area.get() == nullptr);
    CHECK(Compress(*compressor, block, &area) == "ours");
    plugin.answer = RP_FALLBACK_POOL;
    CHECK(Compress(*compressor, block, &area) == "builtin" && !Builtin::own_area);
    area = compressor->ObtainWorkingArea();
    std::string output(900, '\0');
    CompressionType type = kNoCompression;
    n_allocations = 0;
#if STAND_IN >= 1006
    size_t size = output.size();
    CHECK(compressor->CompressBlock(block, &output[0], &size, &type, &area).ok());
    CHECK(n_allocations == -1 && type == kZSTD && size == 7 && !Builtin::own_area);
    n_allocations = -1;
#else
    // It is the output that cannot be made as large as it may become.
    output.clear();
    output.shrink_to_fit();
    plugin.answer = RP_FALLBACK_NONE;
    CHECK(compressor->CompressBlock(block, &output, &type, &area).ok());
    CHECK(n_allocations == -1 && type == kZSTD && output == "builtin");
    CHECK(plugin.cpu_reason == RP_FALLBACK_FAULT);
#endif
    plugin.answer = RP_FALLBACK_NONE;
    area = Compressor::ManagedWorkingArea();

    // A batch that no compressor could be made for is ended.
    plugin.batch_bytes = 5000;
    plugin.gathered = 100;
    compressor = ForFlush(manager);
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 4000);
    Samples samples = SamplesOf("samples");
    n_allocations = 1;
    auto of_batch =
        compressor->MaybeCloneSpecialized(CacheEntryRole::kDataBlock, std::move(samples));
    CHECK(n_allocations == -1 && std::strcmp(of_batch->Name(), "Builtin") == 0);
    CHECK(plugin.ended == plugin.begun);
    plugin.gathered = 0;
    plugin.batch_bytes = 0;
}

// Threads share a compressor, each with a working area of its own, and ask it
// for others meanwhile.
void CheckThreads(CompressionManager &manager)
{
    const std::string block(1000, 'x');
    auto compressor = manager.GetCompressor(CompressionOptions(), kZSTD);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([&] {
            CHECK(rockpress_register() == 0);
            auto area = compressor->ObtainWorkingArea();
            for (int i = 0; i < 200; i++) {
                plugin.answer = i % 3 == 2 ? RP_FALLBACK_POOL : RP_FALLBACK_NONE;
                CHECK(Compress(*compressor, block, &area) == (i % 3 == 2 ? "builtin" : "ours"));
                CHECK(plugin.cpu_begins == (i + 1) / 3);
            }
            CHECK(Builtin::own_area);
            CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 77);
            auto trained = Specialized(*compressor, "samples");
            CHECK(Compress(*trained, block, nullptr) == "builtin");
            auto another = manager.GetCompressor(CompressionOptions(), kZSTD);
            plugin.batch_bytes = 5000;
            plugin.gathered = 100;
            auto for_file = ForFlush(manager);
            CHECK(Sampling(*for_file, CacheEntryRole::kDataBlock) == 4000);
            auto of_batch = Specialized(*for_file, "samples");
            plugin.answer = RP_FALLBACK_NONE;
            CHECK(Compress(*of_batch, block, nullptr) == "ours");
            of_batch.reset();
            CHECK(plugin.begun == 1 && plugin.ended == 1);
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    CHECK(n_areas == 0);
}

} // namespace

int main()
{
    ObjectLibrary &library = *ObjectLibrary::Default();
    CHECK(rockpress_register() == 0 && rockpress_register() == 0);
    CHECK(library.names == "rockpress ");
    std::string another_release = "11.99";
    ObjectLibrary of_plugin;
    CHECK(rockpress_register_plugin(of_plugin, "") == 1);
    CHECK(of_plugin.names == "rockpress ");
    CHECK(plugin.log_lines == 0);

    // A RocksDB of another release has another interface, and would crash.
    ObjectLibrary of_another;
    std::swap(release, another_release);
    CHECK(rockpress_register_plugin(of_another, "") == 0);
    CHECK(of_another.names.empty() && plugin.log_lines == 1);
    std::swap(release, another_release);

    std::unique_ptr<CompressionManager> manager;
    std::string message;
    CHECK(library.make("rockpress", &manager, &message) == manager.get());
    CheckManager(*manager);
    CheckRoutes(*manager);
    CheckClones(*manager);
    CheckBatches(*manager);
    CheckGathering(*manager);
    CheckParallelThreads(*manager);
    CHECK(n_areas == 0);
    CheckMemory(*manager);
    CheckThreads(*manager);
    return 0;
}
