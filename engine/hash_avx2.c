/* SPDX-License-Identifier: Apache-2.0 */
/* The hash of proofs, compiled for CPUs with AVX2: see hash.h. */
#include "engine/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t rp_hash_avx2(const void *bytes, size_t n_bytes)
{
    return XXH3_64bits(bytes, n_bytes);
}
