// SPDX-License-Identifier: Apache-2.0
// Stand-in for RocksDB's header: the virtual functions of each of its versions,
// from 10.4 on, so that the adapter can be compiled and run for all of them
// where no RocksDB is. real_header.sh compares with a real one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rocksdb/compression_type.h"
#include "rocksdb/status.h"

namespace ROCKSDB_NAMESPACE
{

struct FilterBuildingContext;
class Decompressor
{
};
class Compressor;

enum class CacheEntryRole { kDataBlock, kIndexBlock, kMisc };

// Of this one the functions are all virtual ones of the base class that the
// adapter's base has, too.
class Customizable
{
  public:
    virtual ~Customizable() = default;
    virtual const char *Name() const = 0;
};

template <typename T, class Owner, auto kRelease> class ManagedPtr
{
  public:
    ManagedPtr() = default;
    ManagedPtr(T *object, Owner *owner) : object_(object), owner_(owner)
    {
    }
    ManagedPtr(ManagedPtr &&from) noexcept
    {
        *this = std::move(from);
    }
    ~ManagedPtr()
    {
        if (object_ != nullptr && owner_ != nullptr) {
            (owner_->*kRelease)(object_);
        }
    }
    ManagedPtr &operator=(ManagedPtr &&from) noexcept
    {
        std::swap(object_, from.object_);
        std::swap(owner_, from.owner_);
        return *this;
    }
    T *get() const
    {
        return object_;
    }
    Owner *owner() const
    {
        return owner_;
    }

  private:
    T *object_ = nullptr;
    Owner *owner_ = nullptr;
};

class Compressor
{
  public:
#if STAND_IN >= 1011
    struct DictDisabled {
    };
    struct DictSampling {
        size_t max_sample_bytes = 0;
    };
    struct DictPreDefined {
        std::string dict_data;
    };
    struct DictSamples {
        std::string sample_data;
        std::vector<size_t> sample_lens;
        bool empty() const
        {
            return sample_data.empty();
        }
    };
    using DictConfig = std::variant<DictDisabled, DictSampling, DictPreDefined>;
    using DictConfigArgs = std::variant<DictDisabled, DictSamples, DictPreDefined>;
#else
    struct DictSampleArgs {
        std::string sample_data;
        std::vector<size_t> sample_lens;
        bool empty()
        {
            return sample_data.empty();
        }
    };
#endif
    struct WorkingArea {
    };

    virtual ~Compressor() = default;
    virtual const char *Name() const = 0;
    virtual std::string GetId() const
    {
        return Name();
    }
    virtual Slice GetSerializedDict() const
    {
        return Slice();
    }
    virtual CompressionType GetPreferredCompressionType() const
    {
        return kDisableCompressionOption;
    }
#if STAND_IN >= 1102
    virtual uint32_t GetRecommendedParallelThreads() const
    {
        return 0;
    }
#endif
#if STAND_IN >= 1009
    virtual std::unique_ptr<Compressor> Clone() const = 0;
#endif
#if STAND_IN >= 1011
    virtual DictConfig GetDictGuidance(CacheEntryRole) const
    {
        return DictDisabled{};
    }
    virtual std::unique_ptr<Compressor> MaybeCloneSpecialized(CacheEntryRole,
                                                              DictConfigArgs &&) const
    {
        return nullptr;
    }
#else
    virtual size_t GetMaxSampleSizeIfWantDict(CacheEntryRole) const
    {
        return 0;
    }
#if STAND_IN >= 1009
    virtual std::unique_ptr<Compressor> MaybeCloneSpecialized(CacheEntryRole,
                                                              DictSampleArgs &&) const
    {
        return nullptr;
    }
#else
    virtual std::unique_ptr<Compressor> MaybeCloneSpecialized(CacheEntryRole, DictSampleArgs &&)
    {
        return nullptr;
    }
#endif
#endif

#if STAND_IN < 1005
  protected:
#endif
    virtual void ReleaseWorkingArea(WorkingArea *)
    {
    }

  public:
    using ManagedWorkingArea = ManagedPtr<WorkingArea, Compressor, &Compressor::ReleaseWorkingArea>;
    virtual ManagedWorkingArea ObtainWorkingArea()
    {
        return ManagedWorkingArea();
    }
#if STAND_IN >= 1006
    virtual Status CompressBlock(Slice, char *, size_t *, CompressionType *,
                                 ManagedWorkingArea *) = 0;
    virtual std::shared_ptr<Decompressor> GetOptimizedDecompressor() const
    {
        return nullptr;
    }
#else
    virtual Status CompressBlock(Slice, std::string *, CompressionType *, ManagedWorkingArea *) = 0;
#endif
};

class CompressionManager : public Customizable
{
  public:
    virtual ~CompressionManager() = default;
    virtual const char *CompatibilityName() const = 0;
    virtual std::shared_ptr<CompressionManager> FindCompatibleCompressionManager(Slice)
    {
        return nullptr;
    }
    virtual bool SupportsCompressionType(CompressionType) const = 0;
#if STAND_IN >= 1103
    virtual std::string CompressionTypeToString(CompressionType) const
    {
        return "";
    }
#endif
    virtual std::unique_ptr<Compressor> GetCompressorForSST(const FilterBuildingContext &,
                                                            const CompressionOptions &options,
                                                            CompressionType type)
    {
        return GetCompressor(options, type);
    }
    virtual std::unique_ptr<Compressor> GetCompressor(const CompressionOptions &,
                                                      CompressionType) = 0;
    virtual std::shared_ptr<Decompressor> GetDecompressor() = 0;
    virtual std::shared_ptr<Decompressor> GetDecompressorOptimizeFor(CompressionType)
    {
        return nullptr;
    }
    virtual std::shared_ptr<Decompressor> GetDecompressorForTypes(const CompressionType *,
                                                                  const CompressionType *)
    {
        return nullptr;
    }
#if STAND_IN < 1006
    virtual std::shared_ptr<Decompressor> GetDecompressorForCompressor(const Compressor &)
    {
        return nullptr;
    }
#endif
};

// As with RocksDB, the wrappers pass on what they are not told otherwise, and a
// wrapper's specialized clones are the deriving class's to make.
class CompressorWrapper : public Compressor
{
  public:
    explicit CompressorWrapper(std::unique_ptr<Compressor> wrapped) : wrapped_(std::move(wrapped))
    {
    }
    Slice GetSerializedDict() const override
    {
        return wrapped_->GetSerializedDict();
    }
    CompressionType GetPreferredCompressionType() const override
    {
        return wrapped_->GetPreferredCompressionType();
    }

  protected:
    std::unique_ptr<Compressor> wrapped_;
};

class CompressionManagerWrapper : public CompressionManager
{
  public:
    explicit CompressionManagerWrapper(std::shared_ptr<CompressionManager> wrapped)
        : wrapped_(std::move(wrapped))
    {
    }
    const char *CompatibilityName() const override
    {
        return wrapped_->CompatibilityName();
    }
    bool SupportsCompressionType(CompressionType type) const override
    {
        return wrapped_->SupportsCompressionType(type);
    }
    std::unique_ptr<Compressor> GetCompressor(const CompressionOptions &options,
                                              CompressionType type) override
    {
        return wrapped_->GetCompressor(options, type);
    }
    std::shared_ptr<Decompressor> GetDecompressor() override
    {
        return wrapped_->GetDecompressor();
    }

  protected:
    std::shared_ptr<CompressionManager> wrapped_;
};

const std::shared_ptr<CompressionManager> &GetBuiltinV2CompressionManager();

} // namespace ROCKSDB_NAMESPACE
