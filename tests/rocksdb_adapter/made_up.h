// SPDX-License-Identifier: Apache-2.0
// A plugin and a RocksDB that are made up, for test_interfaces.cc: what they were
// told, what they answer, and memory that runs out.
#ifndef ROCKPRESS_TESTS_ROCKSDB_ADAPTER_MADE_UP_H
#define ROCKPRESS_TESTS_ROCKSDB_ADAPTER_MADE_UP_H

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "builtin_manager.h"
#include "check.h"
#include "plugin/rocksdb/adapter.h"
#include "rocksdb/advanced_compression.h"
#include "rocksdb/utilities/object_registry.h"

using namespace rocksdb;

namespace
{

// What the plugin was told, and is to answer: to each thread on its own, so that
// all they share is the adapter's.
thread_local struct {
    rp_fallback_reason answer = RP_FALLBACK_NONE;
    size_t batch_bytes = 0;
    rp_route_file file;
    rp_request request;
    int routed = 0;
    uint32_t times = 0;
    int cpu_begins = 0;
    rp_fallback_reason cpu_reason = RP_FALLBACK_NONE;
    size_t cpu_frame_size = 0;
    size_t batch_samples = 0;
    rp_route_hint hint;
    rp_batch_id begun = 0;
    rp_batch_id ended = 0;
    bool begins = true;
    size_t gathered = 0; // to be counted for a file; 0: there is no room
    size_t counted = 0;  // and what is counted
    size_t most = 0;
    uint32_t kind = 0;
    size_t shown = 0;
    uint32_t parallel_threads = 0; // to be recommended
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

std::shared_ptr<ObjectLibrary> &ObjectLibrary::Default()
{
    static std::shared_ptr<ObjectLibrary> library = std::make_shared<ObjectLibrary>();
    return library;
}

const std::shared_ptr<CompressionManager> &rocksdb::GetBuiltinV2CompressionManager()
{
    static const std::shared_ptr<CompressionManager> manager = std::make_shared<BuiltinManager>();
    return manager;
}

extern "C" {
rp_fallback_reason rp_route_compress_parallel(const rp_request *request, uint32_t times,
                                              size_t *frame_size)
{
    plugin.routed++;
    plugin.times = times;
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

size_t rp_route_batch_bytes(const rp_route_file *file)
{
    plugin.file = *file;
    return plugin.batch_bytes;
}

uint32_t rp_route_parallel_threads(const rp_route_file *file)
{
    plugin.file = *file;
    return plugin.parallel_threads;
}

rp_batch_id rp_route_begin_gathered(const rp_route_file *file, const void *, const size_t *,
                                    size_t n_samples, const rp_route_hint *hint)
{
    CHECK(file->kind == plugin.file.kind && file->level == hint->level);
    plugin.batch_samples = n_samples;
    plugin.hint = *hint;
    return plugin.begins ? ++plugin.begun : 0;
}

uint32_t rp_gather_kind(const char *name, size_t length, uint32_t purpose)
{
    return static_cast<uint32_t>(length == 0 ? 0 : name[0]) << 20 ^ purpose;
}

size_t rp_gather_begin(uint32_t kind, size_t most_bytes, size_t limit_bytes)
{
    CHECK(limit_bytes == plugin.batch_bytes);
    plugin.kind = kind;
    plugin.most = most_bytes;
    plugin.counted += plugin.gathered;
    return plugin.gathered;
}

size_t rp_gather_most_samples(size_t limit_bytes)
{
    return limit_bytes - 1000;
}

size_t rp_gather_shown(uint32_t kind, size_t counted_bytes, size_t shown_bytes, size_t limit_bytes)
{
    CHECK(kind == plugin.kind && limit_bytes == plugin.batch_bytes);
    plugin.counted += shown_bytes - counted_bytes;
    plugin.shown = shown_bytes;
    return shown_bytes;
}

void rp_gather_end(size_t counted_bytes)
{
    plugin.counted -= counted_bytes;
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

#endif
