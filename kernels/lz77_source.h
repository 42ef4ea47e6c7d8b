/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a block, and how many are equal at two places: what the matcher compares.
 */
#ifndef ROCKPRESS_KERNELS_LZ77_SOURCE_H
#define ROCKPRESS_KERNELS_LZ77_SOURCE_H

#include "kernels/memory.h"

/* Matches are judged by up to so many bytes, and extended once they are taken: by the first 4 and
 * at most 4 times 8 more. That bounds the work at each position, whatever the block. Of
 * test_golden_ratios' means 255 would be better by 0.05 to 0.22 % at effort default, 28 worse by
 * 0.02 to 0.16 %. */
#define RP_LZ77_JUDGED_LENGTH 36

/* Number of equal bytes at a and b, before end; b < a. */
RP_FN uint32_t rp_lz77_count_equal(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
    const uint8_t *start = a;
    while (end - a >= 8) {
        uint64_t difference = rp_load64(a) ^ rp_load64(b);
        if (difference != 0)
            return (uint32_t)(a - start) + (rp_trailing_zeros64(difference) >> 3);
        a += 8;
        b += 8;
    }
    while (a < end && *a == *b) {
        a++;
        b++;
    }
    return (uint32_t)(a - start);
}

/* So much behind a block is read at most, where that is allowed. */
#define RP_SOURCE_SLACK (RP_LZ77_JUDGED_LENGTH + 8)

/*
 * The block's bytes. A padded block begins at a multiple of 4 and has RP_SOURCE_SLACK bytes of any
 * value behind it: what a GPU makes of a block in its shared memory. Unaligned words need no
 * care for the block's end then, and their addresses stay those of shared memory, which a
 * conversion to an integer and back would hide from the compiler.
 */
typedef struct rp_lz77_source {
    const uint8_t *bytes;
    uint32_t n_bytes;
    bool is_padded;
} rp_lz77_source;

RP_FN uint32_t rp_source_load32(rp_lz77_source source, uint32_t at)
{
#if defined(__CUDACC__)
    if (source.is_padded) {
        const uint32_t *words = (const uint32_t *)source.bytes + at / 4;
        return __funnelshift_r(words[0], words[1], 8 * at);
    }
#endif
    return rp_load32(source.bytes + at);
}

/* Number of equal bytes at two positions, a before b, 8 at most. */
RP_FN uint32_t rp_source_equal(rp_lz77_source source, uint32_t a, uint32_t b)
{
#if defined(__CUDACC__)
    if (source.is_padded) {
        const uint32_t *one = (const uint32_t *)source.bytes + a / 4;
        const uint32_t *two = (const uint32_t *)source.bytes + b / 4;
        uint32_t low =
            __funnelshift_r(one[0], one[1], 8 * a) ^ __funnelshift_r(two[0], two[1], 8 * b);
        uint32_t high =
            __funnelshift_r(one[1], one[2], 8 * a) ^ __funnelshift_r(two[1], two[2], 8 * b);
        uint32_t n_bits = (uint32_t)__clz((int)__brev(low != 0 ? low : high));
        return (n_bits + (low != 0 ? 0 : 32)) / 8;
    }
#endif
    if (source.n_bytes - b < 8)
        return rp_lz77_count_equal(source.bytes + b, source.bytes + a,
                                   source.bytes + source.n_bytes);
    uint64_t difference = rp_load64(source.bytes + a) ^ rp_load64(source.bytes + b);
    return difference != 0 ? rp_trailing_zeros64(difference) >> 3 : 8;
}

/* Number of equal bytes at two positions, a before b, up to `most`. */
RP_FN uint32_t rp_source_count(rp_lz77_source source, uint32_t a, uint32_t b, uint32_t most)
{
    uint32_t length = 0;
    uint32_t equal = 8;
    while (equal == 8 && length < most) {
        equal = rp_source_equal(source, a + length, b + length);
        length += equal;
    }
    return rp_min32(length, most);
}

#endif
