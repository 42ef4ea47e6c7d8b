/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XXH64 with seed 0, for a frame's Content_Checksum (RFC 8878 section 3.1.1). It is written here,
 * because it has to run inside a kernel. The tests compare it with libxxhash.
 *
 * The hash has four lanes. Each is a chain of rounds over every fourth word of 8 bytes, so
 * that no more than four workers can share the work.
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

#define RP_XXH_LANES 4
#define RP_XXH_STRIPE_BYTES (8 * RP_XXH_LANES)

RP_FN uint64_t rp_xxh64_lane_begin(uint32_t lane)
{
    return lane == 0   ? RP_XXH_PRIME1 + RP_XXH_PRIME2
           : lane == 1 ? RP_XXH_PRIME2
           : lane == 2 ? 0
                       : 0 - RP_XXH_PRIME1;
}

/* The hash, given the lanes after all whole stripes. */
RP_FN uint64_t rp_xxh64_end(const uint64_t *lanes, const uint8_t *source, size_t n_bytes)
{
    uint64_t hash;
    size_t i = n_bytes / RP_XXH_STRIPE_BYTES * RP_XXH_STRIPE_BYTES;
    if (i != 0) {
        hash = rp_rotate_left64(lanes[0], 1) + rp_rotate_left64(lanes[1], 7) +
               rp_rotate_left64(lanes[2], 12) + rp_rotate_left64(lanes[3], 18);
        for (uint32_t lane = 0; lane < RP_XXH_LANES; lane++)
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

/* The hash of n_bytes. By one worker: its four lanes are computed side by side. */
RP_FN uint64_t rp_xxh64(const uint8_t *source, size_t n_bytes)
{
    uint64_t lanes[RP_XXH_LANES];
    for (uint32_t lane = 0; lane < RP_XXH_LANES; lane++)
        lanes[lane] = rp_xxh64_lane_begin(lane);
    for (size_t i = 0; i + RP_XXH_STRIPE_BYTES <= n_bytes; i += RP_XXH_STRIPE_BYTES) {
        for (uint32_t lane = 0; lane < RP_XXH_LANES; lane++)
            lanes[lane] = rp_xxh64_round(lanes[lane], rp_load64(source + i + 8 * lane));
    }
    return rp_xxh64_end(lanes, source, n_bytes);
}

/* Stripes whose words are loaded together: a GPU waits for memory once for all of them. */
#define RP_XXH_STRIPES_AHEAD 8

/* One lane of whole stripes. One worker. */
RP_FN uint64_t rp_xxh64_lane(const uint8_t *source, size_t n_stripes, uint32_t lane)
{
    uint64_t value = rp_xxh64_lane_begin(lane);
    /* An empty input may be NULL, to which nothing is added. */
    const uint8_t *words = (const uint8_t *)((uintptr_t)source + 8 * lane);
    if (n_stripes >= RP_XXH_STRIPES_AHEAD) {
        uint64_t ahead[RP_XXH_STRIPES_AHEAD];
        RP_UNROLL
        for (uint32_t k = 0; k < RP_XXH_STRIPES_AHEAD; k++)
            ahead[k] = rp_load64(words + k * RP_XXH_STRIPE_BYTES);
        for (; n_stripes >= 2 * RP_XXH_STRIPES_AHEAD; n_stripes -= RP_XXH_STRIPES_AHEAD) {
            uint64_t now[RP_XXH_STRIPES_AHEAD];
            words += RP_XXH_STRIPES_AHEAD * RP_XXH_STRIPE_BYTES;
            RP_UNROLL
            for (uint32_t k = 0; k < RP_XXH_STRIPES_AHEAD; k++) {
                now[k] = ahead[k];
                ahead[k] = rp_load64(words + k * RP_XXH_STRIPE_BYTES);
            }
            RP_UNROLL
            for (uint32_t k = 0; k < RP_XXH_STRIPES_AHEAD; k++)
                value = rp_xxh64_round(value, now[k]);
        }
        RP_UNROLL
        for (uint32_t k = 0; k < RP_XXH_STRIPES_AHEAD; k++)
            value = rp_xxh64_round(value, ahead[k]);
        words += RP_XXH_STRIPES_AHEAD * RP_XXH_STRIPE_BYTES;
        n_stripes -= RP_XXH_STRIPES_AHEAD;
    }
    for (; n_stripes != 0; n_stripes--) {
        value = rp_xxh64_round(value, rp_load64(words));
        words += RP_XXH_STRIPE_BYTES;
    }
    return value;
}

/* The hash by a team, on rank 0; the others get 0. `lanes` is memory that the team shares. Any
 * team. */
RP_FN uint64_t team_xxh64(rp_team *team, const uint8_t *source, size_t n_bytes,
                          uint64_t lanes[RP_XXH_LANES])
{
    if (TEAM_SIZE(team) == 1)
        return rp_xxh64(source, n_bytes);
    TEAM_FOR (lane, 0, RP_XXH_LANES, team) {
        lanes[lane] = rp_xxh64_lane(source, n_bytes / RP_XXH_STRIPE_BYTES, lane);
    }
    team_sync(team);
    return TEAM_RANK(team) == 0 ? rp_xxh64_end(lanes, source, n_bytes) : 0;
}

#endif
