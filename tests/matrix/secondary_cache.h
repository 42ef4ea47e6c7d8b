/* SPDX-License-Identifier: Apache-2.0 */
/* The block cache of the matrix's cells with a compressed secondary cache. */
#ifndef ROCKPRESS_TESTS_MATRIX_SECONDARY_CACHE_H
#define ROCKPRESS_TESTS_MATRIX_SECONDARY_CACHE_H

#include <stddef.h>

#include <rocksdb/c.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A cache of `capacity` bytes, behind which blocks are kept compressed with zstd.
 * rocksdb_cache_destroy() of RocksDB's releases it. */
rocksdb_cache_t *matrix_make_cache(size_t capacity, size_t secondary_capacity);

#ifdef __cplusplus
}
#endif

#endif
