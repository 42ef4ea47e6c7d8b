/* SPDX-License-Identifier: Apache-2.0 */
/* The hash of proofs: see hash.h. */
#include "engine/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t rp_hash(const void *bytes, size_t n_bytes)
{
#if defined(ROCKPRESS_HASH_AVX2)
    if (__builtin_cpu_supports("avx2"))
        return rp_hash_avx2(bytes, n_bytes);
#endif
    return XXH3_64bits(bytes, n_bytes);
}
