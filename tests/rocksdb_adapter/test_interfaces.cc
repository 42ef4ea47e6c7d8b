// SPDX-License-Identifier: Apache-2.0
// The adapter with one version's interface, on top of a RocksDB and a plugin
// that are made up here: each call has to reach the one it is for.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "builtin_manager.h"
#include "check.h"
#include "plugin/rocksdb/adapter.h"
#include "rockpress/rocksdb.h"
#include "rocksdb/advanced_compression.h"
#include "rocksdb/utilities/object_registry.h"

using namespace rocksdb;

// As RocksDB declares it for each plugin.
extern "C" int rockpress_register_plugin(ObjectLibrary &library, const std::string &);

namespace
{

// What the plugin was told, and is to answer: to each thread on its own, so that
// all they share is the adapter's.
thread_local struct {
    rp_fallback_reason answer = RP_FALLBACK_NONE;
    size_t batch_bytes = 0;
    bool batch_on = false;
    rp_request request;
    int routed = 0;
    int cpu_begins = 0;
    rp_fallback_reason cpu_reason = RP_FALLBACK_NONE;
    size_t cpu_frame_size = 0;
    size_t batch_samples = 0;
    rp_route_hint hint;
    rp_batch_id begun = 0;
    rp_batch_id ended = 0;
    int log_lines = 0;
} plugin;

// How many allocations of this thread go well before one fails; below 0: all.
thread_local int n_allocations = -1;

std::atomic<int> n_areas{0};

// The RocksDB that runs.
std::string release = std::to_string(STAND_IN_MAJOR) + "." + std::to_string(STAND_IN_MINOR);

class Builtin : public Compressor
{
  public:
    Builtin(CompressionType type, std::string dictionary)
        : type_(type), dictionary_(std::move(dictionary))
    {
    }

    const char *Name() const override
    {
        return "Builtin";
    }
    Slice GetSerializedDict() const override
    {
        return dictionary_;
    }
    CompressionType GetPreferredCompressionType() const override
    {
        return type_;
    }
    ManagedWorkingArea ObtainWorkingArea() override
    {
        ManagedWorkingArea area(new WorkingArea(), this);
        n_areas++;
        return area;
    }
    void ReleaseWorkingArea(WorkingArea *area) override
    {
        n_areas--;
        delete area;
    }

#if STAND_IN >= 1102
    uint32_t GetRecommendedParallelThreads() const override
    {
        return 5;
    }
#endif
#if STAND_IN >= 1009
    std::unique_ptr<Compressor> Clone() const override
    {
        return std::make_unique<Builtin>(type_, dictionary_);
    }
#endif
#if STAND_IN >= 1011
    DictConfig GetDictGuidance(CacheEntryRole) const override
    {
        return DictSampling{77};
    }
    std::unique_ptr<Compressor> MaybeCloneSpecialized(CacheEntryRole,
                                                      DictConfigArgs &&args) const override
    {
        auto *samples = std::get_if<DictSamples>(&args);
        if (samples != nullptr && !samples->empty()) {
            return std::make_unique<Builtin>(type_, samples->sample_data);
        }
        if (auto *given = std::get_if<DictPreDefined>(&args)) {
            return std::make_unique<Builtin>(type_, given->dict_data);
        }
        return nullptr;
    }
#else
    size_t GetMaxSampleSizeIfWantDict(CacheEntryRole) const override
    {
        return 77;
    }
    std::unique_ptr<Compressor> MaybeCloneSpecialized(CacheEntryRole, DictSampleArgs &&samples)
#if STAND_IN >= 1009
        const
#endif
        override
    {
        return samples.empty() ? nullptr : std::make_unique<Builtin>(type_, samples.sample_data);
    }
#endif

#if STAND_IN >= 1006
    Status CompressBlock(Slice, char *output, size_t *size, CompressionType *type,
                         ManagedWorkingArea *area) override
    {
        own_area = area != nullptr && area->owner() == this;
        foreign_area = area != nullptr && !own_area;
        if (*size < 7) {
            *type = kNoCompression;
            return Status::OK();
        }
        std::memcpy(output, "builtin", 7);
        *size = 7;
#else
    Status CompressBlock(Slice, std::string *output, CompressionType *type,
                         ManagedWorkingArea *area) override
    {
        own_area = area != nullptr && area->owner() == this;
        foreign_area = area != nullptr && !own_area;
        CHECK(output->empty());
        *output = "builtin";
#endif
        *type = type_;
        return Status::OK();
    }

    inline static thread_local bool own_area = false;
    inline static thread_local bool foreign_area = false;

  private:
    const CompressionType type_;
    const std::string dictionary_;
};

class BuiltinManager : public BuiltinManagerBase
{
  public:
    std::unique_ptr<Compressor> GetCompressor(const CompressionOptions &,
                                              CompressionType type) override
    {
        return type == kNoCompression ? nullptr : std::make_unique<Builtin>(type, "");
    }
};

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
#if STAND_IN >= 1102
    CHECK(compressor->GetRecommendedParallelThreads() == 5);
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

void CheckBatches(CompressionManager &manager)
{
    const std::string block(1000, 'x');
    CompressionOptions options;
    options.checksum = true;
    auto compressor = manager.GetCompressor(options, kZSTD);
    plugin.batch_bytes = 5000;
    plugin.batch_on = true;
    CHECK(Sampling(*compressor, CacheEntryRole::kDataBlock) == 5000);
    CHECK(Sampling(*compressor, CacheEntryRole::kIndexBlock) == 77);
    auto of_batch = Specialized(*compressor, "samples");
    CHECK(plugin.begun == 1 && plugin.batch_samples == 1 && plugin.ended == 0);
    CHECK(plugin.hint.level == 3 && plugin.hint.checksum);
    CHECK(of_batch->GetSerializedDict().empty());
    CHECK(std::strcmp(of_batch->Name(), "rockpress") == 0);
    CHECK(Compress(*of_batch, block, nullptr) == "ours");
    CHECK(plugin.ended == 0);
    of_batch.reset();
    CHECK(plugin.ended == 1);
    plugin.batch_bytes = 0;
    plugin.batch_on = false;
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
    plugin.batch_on = true;
    Samples samples = SamplesOf("samples");
    n_allocations = 1;
    auto of_batch =
        compressor->MaybeCloneSpecialized(CacheEntryRole::kDataBlock, std::move(samples));
    CHECK(n_allocations == -1 && std::strcmp(of_batch->Name(), "Builtin") == 0);
    CHECK(plugin.ended == plugin.begun);
    plugin.batch_on = false;
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
            plugin.batch_on = true;
            auto of_batch = Specialized(*compressor, "samples");
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

// Not inlined: where only one of a pair is, gcc takes it for a mismatch.
__attribute__((noinline)) void *operator new(size_t size)
{
    void *memory = n_allocations == 0 ? nullptr : std::malloc(size);
    if (n_allocations >= 0) {
        n_allocations--;
    }
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

void *operator new(size_t size, const std::nothrow_t &) noexcept
{
    try {
        return operator new(size);
    } catch (...) {
        return nullptr;
    }
}

__attribute__((noinline)) void operator delete(void *memory) noexcept
{
    std::free(memory);
}

__attribute__((noinline)) void operator delete(void *memory, size_t) noexcept
{
    std::free(memory);
}

std::string rocksdb::GetRocksVersionAsString(bool with_patch)
{
    return with_patch ? release + ".5" : release;
}

const std::shared_ptr<CompressionManager> &rocksdb::GetBuiltinV2CompressionManager()
{
    static const std::shared_ptr<CompressionManager> manager = std::make_shared<BuiltinManager>();
    return manager;
}

extern "C" {
rp_fallback_reason rp_route_compress(const rp_request *request, size_t *frame_size)
{
    plugin.routed++;
    plugin.request = *request;
    // Also where it is declined the output may have been written to.
    std::memcpy(request->output, "frame", 5);
    *frame_size = 5;
    return plugin.answer;
}

void rp_cpu_begin(rp_fallback_reason reason, rp_cpu_block *block)
{
    plugin.cpu_begins++;
    plugin.cpu_reason = reason;
    block->begun_ns = 4711;
}

void rp_cpu_end(rp_fallback_reason reason, const rp_request *request, size_t frame_size,
                const rp_cpu_block *block)
{
    CHECK(reason == plugin.cpu_reason && block->begun_ns == 4711);
    CHECK(request->input_size == 1000);
    plugin.cpu_frame_size = frame_size;
}

size_t rp_route_batch_bytes(void)
{
    return plugin.batch_bytes;
}
bool rp_batch_is_on(void)
{
    return plugin.batch_on;
}

rp_batch_id rp_route_begin_batch(const void *, const size_t *, size_t n_samples,
                                 const rp_route_hint *hint)
{
    plugin.batch_samples = n_samples;
    plugin.hint = *hint;
    return ++plugin.begun;
}

void rp_batch_end(rp_batch_id id)
{
    if (id != 0) {
        plugin.ended = id;
    }
}

void rp_log(rp_log_level level, const char *, ...)
{
    CHECK(level == RP_LOG_ERROR);
    plugin.log_lines++;
}
}

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
    CHECK(n_areas == 0);
    CheckMemory(*manager);
    CheckThreads(*manager);
    return 0;
}
