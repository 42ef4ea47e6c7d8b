/* SPDX-License-Identifier: Apache-2.0 */
// rockpress as a CompressionManager of RocksDB. Where a column family's
// compression is zstd, its compressor is wrapped: a block goes to the plugin
// first, and to the built-in compressor when the plugin declines it. Both write
// the same kind of block (kZSTD: the size as varint32, then a zstd frame),
// under the built-in schema's name, so files are read by RocksDB without
// rockpress.
//
// A working area keeps the context of the built-in compressor, which is made
// when it is first needed. It does not keep a lane of the device: RocksDB has a
// working area for each thread of each file being built, most of them idle, and
// taking a lane for a block costs only a compare-and-swap.
//
// The interface is experimental and has changed. ROCKPRESS_ROCKSDB_INTERFACE
// below is all that this file knows of versions; tests/rocksdb_adapter compiles
// each of them.
#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "plugin/rocksdb/adapter.h"
#include "rockpress/rocksdb.h"
#include "rocksdb/advanced_compression.h"
#include "rocksdb/compression_type.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/status.h"
#include "rocksdb/utilities/object_registry.h"
#include "rocksdb/version.h"

// Each is the first release with that shape of Compressor:
//   10.4   CompressBlock into a string; GetMaxSampleSizeIfWantDict
//   10.6   CompressBlock into a buffer that is as large as it may become
//   10.9   Clone; MaybeCloneSpecialized is const
//   10.11  GetDictGuidance, DictConfigArgs
//   11.2   GetRecommendedParallelThreads
#define ROCKPRESS_ROCKSDB_VERSION (ROCKSDB_MAJOR * 100 + ROCKSDB_MINOR)
#if ROCKPRESS_ROCKSDB_VERSION >= 1102
#define ROCKPRESS_ROCKSDB_INTERFACE 1102
#elif ROCKPRESS_ROCKSDB_VERSION >= 1011
#define ROCKPRESS_ROCKSDB_INTERFACE 1011
#elif ROCKPRESS_ROCKSDB_VERSION >= 1009
#define ROCKPRESS_ROCKSDB_INTERFACE 1009
#elif ROCKPRESS_ROCKSDB_VERSION >= 1006
#define ROCKPRESS_ROCKSDB_INTERFACE 1006
#elif ROCKPRESS_ROCKSDB_VERSION >= 1004
#define ROCKPRESS_ROCKSDB_INTERFACE 1004
#else
#error "the CompressionManager interface came with RocksDB 10.4"
#endif

namespace ROCKSDB_NAMESPACE {
namespace {

constexpr const char* kName = "rockpress";
constexpr size_t kMaxVarint32Bytes = 5;

// RocksDB's default level of zstd.
constexpr int kZstdDefaultLevel = 3;

// The length of a block before its frame. Returns where the frame begins.
char* PutLength(char* to, uint32_t length) {
  while (length >= 0x80) {
    *to++ = static_cast<char>(length | 0x80);
    length >>= 7;
  }
  *to++ = static_cast<char>(length);
  return to;
}

// The batch of a file that is being built.
class Batch {
 public:
  Batch() = default;
  explicit Batch(rp_batch_id id) : id_(id) {}
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() { rp_batch_end(id_); }

 private:
  rp_batch_id id_ = 0;
};

// The files of one kind, as far as their size goes. Without a context, nothing
// is known of it.
struct FileKind {
  uint32_t number = 0;
  // RocksDB has a limit for them, though it does not tell.
  bool is_bounded = false;
};

FileKind KindOf(const FilterBuildingContext& context) {
  FileKind kind;
  uint32_t purpose = static_cast<uint32_t>(context.reason) << 16 |
                     static_cast<uint16_t>(context.level_at_creation);
  kind.number = rp_gather_kind(context.column_family_name.data(),
                               context.column_family_name.size(), purpose);
  switch (context.reason) {
    case TableFileCreationReason::kFlush:
    case TableFileCreationReason::kRecovery:
      kind.is_bounded = true;
      break;
    case TableFileCreationReason::kCompaction:
      // Universal compaction to level 0 makes one file of all.
      kind.is_bounded = context.level_at_creation > 0 ||
                        context.compaction_style != kCompactionStyleUniversal;
      break;
    case TableFileCreationReason::kMisc:
      break;
  }
  return kind;
}

// The threads that compress a file's blocks.
class FileThreads {
 public:
  // By the thread that builds the file.
  void Recommend(uint32_t threads, uint32_t instead_of) {
    builder_ = std::this_thread::get_id();
    times_ = threads / std::max<uint32_t>(instead_of, 1);
  }

  // How many times as many as RocksDB's options say. RocksDB may have reasons
  // to build a file on one thread all the same: then none of its blocks is
  // another thread's.
  uint32_t Times() const {
    uint32_t times = times_.load(std::memory_order_acquire);
    return times > 1 && std::this_thread::get_id() != builder_ ? times : 1;
  }

 private:
  std::thread::id builder_;  // before times_
  std::atomic<uint32_t> times_{1};
};

class RockpressCompressor : public CompressorWrapper {
 public:
  RockpressCompressor(std::unique_ptr<Compressor> builtin,
                      const CompressionOptions& options, FileKind kind,
                      rp_batch_id batch = 0)
      : CompressorWrapper(std::move(builtin)),
        options_(options),
        kind_(kind),
        batch_(batch) {}

  ~RockpressCompressor() override { rp_gather_end(gathered_bytes_); }

  const char* Name() const override { return kName; }

#if ROCKPRESS_ROCKSDB_INTERFACE >= 1009
  std::unique_ptr<Compressor> Clone() const override {
    return Wrap(wrapped_->Clone(), options_, kind_);
  }
#endif

  // Wraps a compressor of zstd blocks; any other one stays as it is.
  static std::unique_ptr<Compressor> Wrap(std::unique_ptr<Compressor> builtin,
                                          const CompressionOptions& options,
                                          FileKind kind = FileKind(),
                                          rp_batch_id batch = 0) {
    if (builtin == nullptr || builtin->GetPreferredCompressionType() != kZSTD) {
      rp_batch_end(batch);
      return builtin;
    }
    // Without memory for the wrapper, the built-in one does alone.
    RockpressCompressor* wrapper = nullptr;
    try {
      wrapper =
          new RockpressCompressor(std::move(builtin), options, kind, batch);
    } catch (...) {
      rp_batch_end(batch);
    }
    return wrapper != nullptr ? std::unique_ptr<Compressor>(wrapper)
                              : std::move(builtin);
  }

#if ROCKPRESS_ROCKSDB_INTERFACE >= 1011
  // Asks for all data blocks of a file where there are batches.
  DictConfig GetDictGuidance(CacheEntryRole block_type) const override {
    size_t batch_bytes = Gather(block_type);
    if (batch_bytes > 0) {
      return DictSampling{batch_bytes};
    }
    return wrapped_->GetDictGuidance(block_type);
  }

  std::unique_ptr<Compressor> MaybeCloneSpecialized(
      CacheEntryRole block_type, DictConfigArgs&& dict_config) const override {
    DictSamples* samples = std::get_if<DictSamples>(&dict_config);
    if (samples != nullptr && !samples->empty()) {
      std::unique_ptr<Compressor> of_batch = BeginBatch(block_type, samples);
      if (of_batch != nullptr) {
        return of_batch;
      }
    }
    return Wrap(
        wrapped_->MaybeCloneSpecialized(block_type, std::move(dict_config)),
        options_, kind_);
  }
#else
  size_t GetMaxSampleSizeIfWantDict(CacheEntryRole block_type) const override {
    size_t batch_bytes = Gather(block_type);
    return batch_bytes > 0 ? batch_bytes
                           : wrapped_->GetMaxSampleSizeIfWantDict(block_type);
  }

#if ROCKPRESS_ROCKSDB_INTERFACE >= 1009
  std::unique_ptr<Compressor> MaybeCloneSpecialized(
      CacheEntryRole block_type, DictSampleArgs&& samples) const override {
#else
  std::unique_ptr<Compressor> MaybeCloneSpecialized(
      CacheEntryRole block_type, DictSampleArgs&& samples) override {
#endif
    if (!samples.empty()) {
      std::unique_ptr<Compressor> of_batch = BeginBatch(block_type, &samples);
      if (of_batch != nullptr) {
        return of_batch;
      }
    }
    return Wrap(wrapped_->MaybeCloneSpecialized(block_type, std::move(samples)),
                options_, kind_);
  }
#endif

#if ROCKPRESS_ROCKSDB_INTERFACE >= 1102
  // RocksDB asks once for each file, after it knows whether it samples blocks.
  uint32_t GetRecommendedParallelThreads() const override {
    uint32_t builtin = wrapped_->GetRecommendedParallelThreads();
    uint32_t threads = 0;
    if (gathered_bytes_ == 0) {
      rp_route_file file = RouteFile();
      file.threads = builtin;
      threads = rp_route_parallel_threads(&file);
    }
    if (threads == 0) {
      return builtin;
    }
    threads_.Recommend(threads, builtin);
    return threads;
  }
#endif

  ManagedWorkingArea ObtainWorkingArea() override {
    Area* area = new (std::nothrow) Area();
    return area != nullptr ? ManagedWorkingArea(area, this)
                           : ManagedWorkingArea();
  }

  void ReleaseWorkingArea(WorkingArea* area) override {
    delete static_cast<Area*>(area);
  }

#if ROCKPRESS_ROCKSDB_INTERFACE >= 1006
  Status CompressBlock(Slice block, char* output, size_t* output_size,
                       CompressionType* type,
                       ManagedWorkingArea* area) override {
    rp_request request;
    rp_fallback_reason reason = Offload(block, output, output_size, &request);
    if (reason == RP_FALLBACK_NONE) {
      *type = kZSTD;
      return Status::OK();
    }
    rp_cpu_block cpu;
    rp_cpu_begin(reason, &cpu);
    Status status = wrapped_->CompressBlock(block, output, output_size, type,
                                            BuiltinArea(area));
    bool good = status.ok() && *type != kNoCompression;
    rp_cpu_end(reason, &request, good ? *output_size : 0, &cpu);
    return status;
  }
#else
  // The built-in compressor may write any length into the string, and its
  // caller refuses a string that is longer than the options allow. A frame from
  // the device that would be refused is not written at all.
  Status CompressBlock(Slice block, std::string* output, CompressionType* type,
                       ManagedWorkingArea* area) override {
    rp_request request;
    rp_fallback_reason reason = OffloadToString(block, output, &request);
    if (reason == RP_FALLBACK_NONE) {
      *type = kZSTD;
      return Status::OK();
    }
    rp_cpu_block cpu;
    rp_cpu_begin(reason, &cpu);
    Status status =
        wrapped_->CompressBlock(block, output, type, BuiltinArea(area));
    bool good = status.ok() && *type != kNoCompression;
    rp_cpu_end(reason, &request, good ? output->size() : 0, &cpu);
    return status;
  }
#endif

 private:
  struct Area : public WorkingArea {
    ManagedWorkingArea builtin;
  };

  // The built-in compressor's part of a working area; null when there is none,
  // which it accepts.
  ManagedWorkingArea* BuiltinArea(ManagedWorkingArea* area) {
    if (area == nullptr || area->owner() != this || area->get() == nullptr) {
      return nullptr;
    }
    ManagedWorkingArea* builtin = &static_cast<Area*>(area->get())->builtin;
    if (builtin->get() == nullptr) {
      try {
        *builtin = wrapped_->ObtainWorkingArea();
      } catch (...) {
        return nullptr;
      }
    }
    return builtin;
  }

  // Makes the block on the device as RocksDB stores it, in at most *output_size
  // bytes. RP_FALLBACK_NONE: done, and *output_size is its size.
  rp_fallback_reason Offload(const Slice& block, char* output,
                             size_t* output_size, rp_request* request) const {
    size_t frame_size;

    *request = rp_request();
    request->input = block.data();
    request->input_size = block.size();
    if (*output_size <= kMaxVarint32Bytes) {
      return RP_FALLBACK_CAPACITY;
    }
    if (block.size() > std::numeric_limits<uint32_t>::max()) {
      return RP_FALLBACK_SIZE;
    }
    if (!wrapped_->GetSerializedDict().empty()) {
      return RP_FALLBACK_DICTIONARY;
    }
    char* frame = PutLength(output, static_cast<uint32_t>(block.size()));
    size_t length_bytes = static_cast<size_t>(frame - output);
    request->output = frame;
    request->output_capacity = *output_size - length_bytes;
    request->level = Level();
    request->checksum = options_.checksum;
    rp_fallback_reason reason =
        rp_route_compress_parallel(request, threads_.Times(), &frame_size);
    if (reason == RP_FALLBACK_NONE) {
      *output_size = length_bytes + frame_size;
    }
    return reason;
  }

#if ROCKPRESS_ROCKSDB_INTERFACE < 1006
  rp_fallback_reason OffloadToString(const Slice& block, std::string* output,
                                     rp_request* request) const {
    // RocksDB's own rule, by which a block must become a little smaller.
    uint64_t per_kb = static_cast<uint64_t>(
        std::max(0, std::min(1023, options_.max_compressed_bytes_per_kb)));
    size_t size = static_cast<size_t>((per_kb * block.size()) >> 10);
    rp_fallback_reason reason;
    try {
      output->resize(size);
      reason = Offload(block, &(*output)[0], &size, request);
      if (reason == RP_FALLBACK_NONE) {
        output->resize(size);
      }
    } catch (...) {
      *request = rp_request();
      request->input_size = block.size();
      reason = RP_FALLBACK_FAULT;
    }
    if (reason != RP_FALLBACK_NONE) {
      output->clear();
    }
    return reason;
  }
#endif

  // The level that the built-in compressor gives to libzstd. For libzstd 0 is
  // its default; from 11.5 on RocksDB asks for -1 there.
  int Level() const {
    if (options_.level == CompressionOptions::kDefaultCompressionLevel) {
      return kZstdDefaultLevel;
    }
#if ROCKPRESS_ROCKSDB_VERSION >= 1105
    if (options_.level == 0) {
      return -1;
    }
#endif
    return options_.level;
  }

  // What the file would be without a batch. A dictionary of raw samples takes
  // no more of them than it is large.
  rp_route_file RouteFile() const {
    rp_route_file file = rp_route_file();
    file.kind = kind_.number;
    file.level = Level();
    file.dictionary_bytes = options_.max_dict_bytes;
    file.sample_bytes = options_.zstd_max_train_bytes;
    // From 10.7 on, a file whose blocks are sampled is compressed by one
    // thread.
    file.threads =
        ROCKPRESS_ROCKSDB_VERSION >= 1007 ? options_.parallel_threads : 1;
    return file;
  }

  // How many bytes of samples to ask for: all blocks of a file, if the memory
  // of batches has room for a file of that kind. RocksDB's builder asks once
  // for each file, of a compressor that lives as long as the file is being
  // built.
  size_t Gather(CacheEntryRole block_type) const {
    if (block_type != CacheEntryRole::kDataBlock) {
      return 0;
    }
    rp_route_file file = RouteFile();
    size_t limit = gathered_bytes_ != 0 ? static_cast<size_t>(limit_bytes_)
                                        : rp_route_batch_bytes(&file);
    if (limit == 0) {
      return 0;
    }
    if (gathered_bytes_ == 0) {
      size_t most = options_.max_dict_buffer_bytes != 0
                        ? static_cast<size_t>(options_.max_dict_buffer_bytes)
                    : kind_.is_bounded ? std::numeric_limits<size_t>::max()
                                       : 0;
      size_t bytes = rp_gather_begin(kind_.number, most, limit);
      size_t none = 0;
      if (bytes == 0) {
        return 0;
      }
      if (!gathered_bytes_.compare_exchange_strong(none, bytes)) {
        rp_gather_end(bytes);
      }
      limit_bytes_ = limit;
    }
    return rp_gather_most_samples(limit);
  }

  // How many bytes of samples the built-in compressor wants for a dictionary.
  size_t BuiltinSampleBytes(CacheEntryRole block_type) const {
#if ROCKPRESS_ROCKSDB_INTERFACE >= 1011
    const DictConfig guidance = wrapped_->GetDictGuidance(block_type);
    const DictSampling* sampling = std::get_if<DictSampling>(&guidance);
    return sampling != nullptr ? sampling->max_sample_bytes : 0;
#else
    return wrapped_->GetMaxSampleSizeIfWantDict(block_type);
#endif
  }

  // As if RocksDB had stopped at that many bytes.
  template <typename Samples>
  static void CutSamples(Samples* samples, size_t bytes) {
    size_t kept = 0, n = 0;
    while (n < samples->sample_lens.size() && kept < bytes) {
      samples->sample_lens[n] = std::min(samples->sample_lens[n], bytes - kept);
      kept += samples->sample_lens[n++];
    }
    samples->sample_lens.resize(n);
    samples->sample_data.resize(kept);
  }

  // A compressor without a dictionary, for the blocks of a batch and any
  // others. Null where there is no batch and the samples, of which it leaves as
  // many as the built-in compressor wants, are for a dictionary.
  template <typename Samples>
  std::unique_ptr<Compressor> BeginBatch(CacheEntryRole block_type,
                                         Samples* samples) const {
    if (gathered_bytes_ == 0) {
      return nullptr;
    }
    gathered_bytes_ =
        rp_gather_shown(kind_.number, gathered_bytes_,
                        samples->sample_data.size(), limit_bytes_);
    rp_route_hint hint = {Level(), options_.checksum};
    rp_route_file file = RouteFile();
    rp_batch_id batch = rp_route_begin_gathered(
        &file, samples->sample_data.data(), samples->sample_lens.data(),
        samples->sample_lens.size(), &hint);
    size_t wanted = batch == 0 ? BuiltinSampleBytes(block_type) : 0;
    if (wanted > 0) {
      CutSamples(samples, wanted);
      return nullptr;
    }
    // Some releases keep them until the file is written.
    std::string().swap(samples->sample_data);
    return Wrap(
        GetBuiltinV2CompressionManager()->GetCompressor(options_, kZSTD),
        options_, kind_, batch);
  }

  const CompressionOptions options_;
  const FileKind kind_;
  // What rp_gather_begin has counted for this file, and with which limit.
  mutable std::atomic<size_t> gathered_bytes_{0}, limit_bytes_{0};
  const Batch batch_;
  // Of a compressor that RocksDB has asked for their number. It has the file's
  // blocks, unless they are a batch or have a dictionary.
  mutable FileThreads threads_;
};

class RockpressManager : public CompressionManagerWrapper {
 public:
  RockpressManager()
      : CompressionManagerWrapper(GetBuiltinV2CompressionManager()) {}

  static const char* kClassName() { return kName; }
  const char* Name() const override { return kName; }

  std::unique_ptr<Compressor> GetCompressorForSST(
      const FilterBuildingContext& context, const CompressionOptions& options,
      CompressionType preferred) override {
    return RockpressCompressor::Wrap(
        wrapped_->GetCompressorForSST(context, options, preferred), options,
        KindOf(context));
  }

  std::unique_ptr<Compressor> GetCompressor(const CompressionOptions& options,
                                            CompressionType type) override {
    return RockpressCompressor::Wrap(wrapped_->GetCompressor(options, type),
                                     options);
  }
};

// Whether the RocksDB that runs is of the release that this was compiled for.
// The classes differ between releases, and neither the name of a shared library
// nor a left-over object file of a plugin's folder tells minor ones apart.
bool IsOurRelease() {
  const std::string ours =
      std::to_string(ROCKSDB_MAJOR) + "." + std::to_string(ROCKSDB_MINOR);
#ifdef ROCKPRESS_REGISTER_ON_LOAD
  // librockpress_rocksdb.so brings no RocksDB along (adapter.cmake): what it
  // does not find in the process is null, which a compiler cannot know.
  std::string (*volatile version)(bool) = &GetRocksVersionAsString;
  if (version == nullptr) {
    rp_log(RP_LOG_INFO,
           "the CompressionManager for RocksDB %s was loaded where no RocksDB "
           "is; it was not registered",
           ours.c_str());
    return false;
  }
#endif
  const std::string theirs = GetRocksVersionAsString(false);
  if (theirs == ours) {
    return true;
  }
  rp_log(RP_LOG_ERROR,
         "this CompressionManager was built for RocksDB %s and is of no use to "
         "%s; it was not registered",
         ours.c_str(), theirs.c_str());
  return false;
}

void AddTo(ObjectLibrary& library) {
  library.AddFactory<CompressionManager>(
      kName,
      [](const std::string& /*uri*/, std::unique_ptr<CompressionManager>* guard,
         std::string* /*message*/) {
        guard->reset(new RockpressManager());
        return guard->get();
      });
}

}  // namespace
}  // namespace ROCKSDB_NAMESPACE

extern "C" {

int rockpress_register(void) {
  try {
    static const bool added = [] {
      if (!ROCKSDB_NAMESPACE::IsOurRelease()) {
        return false;
      }
      ROCKSDB_NAMESPACE::AddTo(*ROCKSDB_NAMESPACE::ObjectLibrary::Default());
      return true;
    }();
    return added ? 0 : -1;
  } catch (...) {
    return -1;
  }
}

// What a RocksDB that is built with ROCKSDB_PLUGINS=rockpress calls. Returns
// how many names were added.
RP_API int rockpress_register_plugin(ROCKSDB_NAMESPACE::ObjectLibrary& library,
                                     const std::string& /*argument*/) {
  try {
    if (!ROCKSDB_NAMESPACE::IsOurRelease()) {
      return 0;
    }
    ROCKSDB_NAMESPACE::AddTo(library);
    return 1;
  } catch (...) {
    return 0;
  }
}

#ifdef ROCKPRESS_REGISTER_ON_LOAD
// The configuration is not in force yet, and the program may still set its own.
// What the environment says of the log holds until then.
static void LogAsTheEnvironmentSays() {
  static rp_plugin_config config;
  if (rp_plugin_config_default(&config, sizeof(config)) == RP_STATUS_OK) {
    rp_plugin_config_from_environment(&config, nullptr);
    rp_log_set_level(config.log);
    rp_log_set_file(config.log_file);
  }
}

__attribute__((constructor)) static void RegisterOnLoad() {
  LogAsTheEnvironmentSays();
  if (rockpress_register() == 0) {
    rp_log(
        RP_LOG_INFO,
        "the CompressionManager \"rockpress\" is registered; column families "
        "have it whose options say compression_manager=rockpress, until a "
        "program without this library opens the database for writing and "
        "loses that from its OPTIONS file");
  }
}
#endif
}
