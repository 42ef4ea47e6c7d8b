/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XXH64 with seed 0, for a frame's Content_Checksum (RFC 8878 section 3.1.1). It is written here,
 * because it has to run inside a kernel. The tests compare it with libxxhash.
 */
#ifndef ROCKPRESS_KERNELS_BASE_XXH64_H
#define ROCKPRESS_KERNELS_BASE_XXH64_H

#include "kernels/base/memory.h"

#define RP_XXH_PRIME1 UINT64_C(0x9E3779B185EBCA87)
#define RP_XXH_PRIME2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define RP_XXH_PRIME3 UINT64_C(0x165667B19E3779F9)
#define RP_XXH_PRIME4 UINT64_C(0x85EBCA77C2B2AE63)
#define RP_XXH_PRIME5 UINT64_C(0x27D4EB2F165667C5)

RP_FN uint64_t rp_rotate_left64(uint64_t value, uint32_t n_bits)
{
    return value << n_bits | value >> (64 - n_bits);
}

RP_FN uint64_t rp_xxh64_round(uint64_t lane, uint64_t input)
{
    return rp_rotate_left64(lane + input * RP_XXH_PRIME2, 31) * RP_XXH_PRIME1;
}

/* The hash of n_bytes. By one worker: its four lanes are computed side by side. */
RP_FN uint64_t rp_xxh64(const uint8_t *source, size_t n_bytes)
{
    uint64_t hash;
    size_t i = 0;
    if (n_bytes >= 32) {
        uint64_t lanes[4] = {RP_XXH_PRIME1 + RP_XXH_PRIME2, RP_XXH_PRIME2, 0, 0 - RP_XXH_PRIME1};
        for (; i + 32 <= n_bytes; i += 32) {
            for (uint32_t lane = 0; lane < 4; lane++)
                lanes[lane] = rp_xxh64_round(lanes[lane], rp_load64(source + i + 8 * lane));
        }
        hash = rp_rotate_left64(lanes[0], 1) + rp_rotate_left64(lanes[1], 7) +
               rp_rotate_left64(lanes[2], 12) + rp_rotate_left64(lanes[3], 18);
        for (uint32_t lane = 0; lane < 4; lane++)
            hash = (hash ^ rp_xxh64_round(0, lanes[lane])) * RP_XXH_PRIME1 + RP_XXH_PRIME4;
    } else {
        hash = RP_XXH_PRIME5;
    }
    hash += n_bytes;
    for (; i + 8 <= n_bytes; i += 8) {
        hash ^= rp_xxh64_round(0, rp_load64(source + i));
        hash = rp_rotate_left64(hash, 27) * RP_XXH_PRIME1 + RP_XXH_PRIME4;
    }
    if (i + 4 <= n_bytes) {
        hash ^= rp_load32(source + i) * RP_XXH_PRIME1;
        hash = rp_rotate_left64(hash, 23) * RP_XXH_PRIME2 + RP_XXH_PRIME3;
        i += 4;
    }
    for (; i < n_bytes; i++) {
        hash ^= source[i] * RP_XXH_PRIME5;
        hash = rp_rotate_left64(hash, 11) * RP_XXH_PRIME1;
    }
    hash = (hash ^ hash >> 33) * RP_XXH_PRIME2;
    hash = (hash ^ hash >> 29) * RP_XXH_PRIME3;
    return hash ^ hash >> 32;
}

#endif
