/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd/library.h for the archive that is linked into a program together with RocksDB and its
 * libzstd, which may be in no shared library. Nothing is hooked there, so libzstd's functions have
 * their own names. Only the CompressionManager is there to use them, and only to decode.
 */
#include "plugin/zstd/library.h"

static struct rp_zstd own = {
    .versionNumber = ZSTD_versionNumber,
    .createDCtx = ZSTD_createDCtx,
    .freeDCtx = ZSTD_freeDCtx,
    .decompressDCtx = ZSTD_decompressDCtx,
    .stays_loaded = true,
};

struct rp_zstd *rp_zstd_own(void)
{
    return &own;
}

bool rp_zstd_may_keep(const struct rp_zstd *zstd)
{
    return zstd->stays_loaded;
}
