// SPDX-License-Identifier: Apache-2.0
// A RocksDB that is made up, with the real adapter and plugin linked in: one
// block on the direct route, decoded by libzstd.
#include <zstd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "builtin_manager.h"
#include "check.h"
#include "rockpress/plugin.h"
#include "rockpress/rocksdb.h"
#include "rocksdb/advanced_compression.h"
#include "rocksdb/utilities/object_registry.h"

using namespace rocksdb;

namespace
{

// Declines every block.
class Builtin : public Compressor
{
  public:
    const char *Name() const override
    {
        return "Builtin";
    }
    CompressionType GetPreferredCompressionType() const override
    {
        return kZSTD;
    }
    std::unique_ptr<Compressor> Clone() const override
    {
        return std::make_unique<Builtin>();
    }
    Status CompressBlock(Slice, char *, size_t *, CompressionType *type,
                         ManagedWorkingArea *) override
    {
        *type = kNoCompression;
        return Status::OK();
    }
};

class BuiltinManager : public BuiltinManagerBase
{
  public:
    std::unique_ptr<Compressor> GetCompressor(const CompressionOptions &, CompressionType) override
    {
        return std::make_unique<Builtin>();
    }
};

} // namespace

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

std::string rocksdb::GetRocksVersionAsString(bool)
{
    return std::to_string(STAND_IN_MAJOR) + "." + std::to_string(STAND_IN_MINOR);
}

// As RocksDB declares it for each plugin.
extern "C" int rockpress_register_plugin(ObjectLibrary &, const std::string &);

int main()
{
    ObjectLibrary library;
    CHECK(rockpress_register_plugin(library, "") == 1);
    std::unique_ptr<CompressionManager> guard;
    std::string message;
    CompressionManager *manager = library.make("rockpress", &guard, &message);
    CHECK(manager != nullptr);
    auto compressor = manager->GetCompressor(CompressionOptions(), kZSTD);

    std::string block;
    for (int i = 0; block.size() < 16384; i++) {
        block += "order" + std::to_string(i * i) + ",shipped;";
    }
    block.resize(16384);
    std::string output(16384, '\0'), decoded(16384, '\0');
    size_t size = output.size();
    CompressionType type = kNoCompression;
    CHECK(compressor->CompressBlock(block, &output[0], &size, &type, nullptr).ok());
    CHECK(type == kZSTD && size < 8192);
    // Three bytes of length come first.
    CHECK(ZSTD_decompress(&decoded[0], decoded.size(), output.data() + 3, size - 3) == 16384);
    CHECK(decoded == block);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 1);
    return 0;
}
