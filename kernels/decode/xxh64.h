/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Content_Checksum of a frame (RFC 8878, 3.1.1): the low 4 bytes of XXH64 with seed 0. The
 * encoder has another one (base/xxh64.h), which is not used here on purpose.
 */
#ifndef ROCKPRESS_KERNELS_DECODE_XXH64_H
#define ROCKPRESS_KERNELS_DECODE_XXH64_H

#include "kernels/base/memory.h"

#define RP_CHECKSUM_P1 UINT64_C(11400714785074694791)
#define RP_CHECKSUM_P2 UINT64_C(14029467366897019727)
#define RP_CHECKSUM_P3 UINT64_C(1609587929392839161)
#define RP_CHECKSUM_P4 UINT64_C(9650029242287828579)
#define RP_CHECKSUM_P5 UINT64_C(2870177450012600261)

RP_FN uint64_t rp_checksum_rotate(uint64_t value, uint32_t n_bits)
{
    return value << n_bits | value >> (64 - n_bits);
}

RP_FN uint64_t rp_checksum_step(uint64_t sum, uint64_t word)
{
    return rp_checksum_rotate(sum + word * RP_CHECKSUM_P2, 31) * RP_CHECKSUM_P1;
}

/* The checksum of n_bytes. One worker. */
RP_FN uint32_t rp_checksum(const uint8_t *source, size_t n_bytes)
{
    const uint8_t *next = source;
    size_t left = n_bytes;
    uint64_t hash = RP_CHECKSUM_P5;
    if (left >= 32) {
        uint64_t a = RP_CHECKSUM_P1 + RP_CHECKSUM_P2;
        uint64_t b = RP_CHECKSUM_P2;
        uint64_t c = 0;
        uint64_t d = 0 - RP_CHECKSUM_P1;
        for (; left >= 32; left -= 32, next += 32) {
            a = rp_checksum_step(a, rp_load64(next));
            b = rp_checksum_step(b, rp_load64(next + 8));
            c = rp_checksum_step(c, rp_load64(next + 16));
            d = rp_checksum_step(d, rp_load64(next + 24));
        }
        hash = rp_checksum_rotate(a, 1) + rp_checksum_rotate(b, 7) + rp_checksum_rotate(c, 12) +
               rp_checksum_rotate(d, 18);
        hash = (hash ^ rp_checksum_step(0, a)) * RP_CHECKSUM_P1 + RP_CHECKSUM_P4;
        hash = (hash ^ rp_checksum_step(0, b)) * RP_CHECKSUM_P1 + RP_CHECKSUM_P4;
        hash = (hash ^ rp_checksum_step(0, c)) * RP_CHECKSUM_P1 + RP_CHECKSUM_P4;
        hash = (hash ^ rp_checksum_step(0, d)) * RP_CHECKSUM_P1 + RP_CHECKSUM_P4;
    }
    hash += n_bytes;
    for (; left >= 8; left -= 8, next += 8)
        hash =
            rp_checksum_rotate(hash ^ rp_checksum_step(0, rp_load64(next)), 27) * RP_CHECKSUM_P1 +
            RP_CHECKSUM_P4;
    if (left >= 4) {
        hash = rp_checksum_rotate(hash ^ rp_load32(next) * RP_CHECKSUM_P1, 23) * RP_CHECKSUM_P2 +
               RP_CHECKSUM_P3;
        left -= 4;
        next += 4;
    }
    for (; left > 0; left--, next++)
        hash = rp_checksum_rotate(hash ^ *next * RP_CHECKSUM_P5, 11) * RP_CHECKSUM_P1;
    hash = (hash ^ hash >> 33) * RP_CHECKSUM_P2;
    hash = (hash ^ hash >> 29) * RP_CHECKSUM_P3;
    return (uint32_t)(hash ^ hash >> 32);
}

#endif
