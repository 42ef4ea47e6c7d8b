/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rockpress as a CompressionManager of RocksDB 10.4 and later: librockpress_rocksdb.so. RocksDB's C
 * interface has no function for one, but options in text form know it by name:
 *
 *     rockpress_register();
 *     rocksdb_get_options_from_string(base, "compression=kZSTD;compression_manager=rockpress",
 *                                     options, &error);
 *
 * Column families whose compression is not zstd are left alone. The files are ordinary ones with
 * zstd blocks, and can be read without rockpress. rockpress/plugin.h configures it and has its
 * counters.
 */
#ifndef ROCKPRESS_ROCKSDB_H
#define ROCKPRESS_ROCKSDB_H

#include "rockpress/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes the name "rockpress" known to RocksDB's object registry. Loading the library has done that
 * already, but without a call a linker may leave the library out, and a static build needs one. May
 * be called any number of times, from any thread. Returns 0; or -1 when memory ran out, when there
 * is no RocksDB where the dynamic linker looked for it as the library was loaded, or when the
 * RocksDB that is running is of another release (10.7, say) than the one that the library was built
 * for (10.8).
 */
RP_API int rockpress_register(void);

#ifdef __cplusplus
}
#endif

#endif
