/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a block, and the only place that counts how many of them are equal at two
 * positions.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_SOURCE_H
#define ROCKPRESS_KERNELS_MATCH_SOURCE_H

#include "kernels/base/memory.h"

/* Matches are compared by their first 36 bytes, and extended once they are taken: first 4 bytes
 * and then at most 4 times 8. That bounds the work at each position, whatever the block is. By
 * the means of test_golden_ratios, 255 would be better by 0.05 to 0.22 % at effort default, 28
 * worse by 0.02 to 0.16 %. */
#define RP_LZ77_EVALUATED_LENGTH 36

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

/* How many bytes after a padded block may be read. */
#define RP_SOURCE_SLACK (RP_LZ77_EVALUATED_LENGTH + 8)

/*
 * The bytes of a block. A padded block begins at a multiple of 4 and is followed by
 * RP_SOURCE_SLACK bytes of any value: the copy of a block in the shared memory of a GPU is one.
 * Loads of unaligned words need not check for the end of a padded block, and the compiler knows
 * their addresses as those of shared memory, which a conversion to an integer and back would hide
 * from it.
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

/* Number of bytes from `at` on that equal those `offset` before them, eight at a time, of which the
 * first `from` are known to be: what there is up to `most`, or up to seven more. */
RP_FN uint32_t rp_source_count_eights(rp_lz77_source source, uint32_t at, uint32_t offset,
                                      uint32_t from, uint32_t most)
{
    uint32_t length = from;
    uint32_t equal = 8;
    while (equal == 8 && length < most) {
        uint32_t here = at + length;
        equal = rp_source_equal(source, here - offset, here);
        length += equal;
    }
    return length;
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

/* Sixteen bytes at a position. A GPU reads the words that they lie in and the next one, so the
 * block must have RP_SIXTEEN_READ bytes from there on. */
#define RP_SIXTEEN 16
#define RP_SIXTEEN_READ 20

typedef struct rp_bytes16 {
    uint32_t words[RP_SIXTEEN / 4];
} rp_bytes16;

RP_FN rp_bytes16 rp_source_load_bytes16(rp_lz77_source source, uint32_t at)
{
    rp_bytes16 bytes;
#if defined(__CUDACC__)
    uint32_t begin = (uint32_t)(uintptr_t)source.bytes & 3;
    const uint32_t *words = (const uint32_t *)(source.bytes - begin) + (begin + at) / 4;
    RP_UNROLL
    for (uint32_t k = 0; k < 4; k++)
        bytes.words[k] = __funnelshift_r(words[k], words[k + 1], 8 * (begin + at));
#else
    memcpy(&bytes, source.bytes + at, sizeof(bytes));
#endif
    return bytes;
}

/* Which of the 16 bytes differ, as bits. */
RP_FN uint32_t rp_bytes16_differ(rp_bytes16 a, rp_bytes16 b)
{
    uint32_t bytes[4]; /* bit 7 of each byte says so */
    RP_UNROLL
    for (uint32_t k = 0; k < 4; k++) {
        uint32_t bits = a.words[k] ^ b.words[k];
        bytes[k] = (((bits & 0x7F7F7F7F) + 0x7F7F7F7F) | bits) & 0x80808080;
    }
#if defined(__CUDACC__)
    uint32_t low = __dp4a(bytes[1], 0x80402010u, __dp4a(bytes[0], 0x08040201u, 0u));
    uint32_t high = __dp4a(bytes[3], 0x80402010u, __dp4a(bytes[2], 0x08040201u, 0u));
    return (high * 256 + low) >> 7;
#else
    uint32_t differ = 0;
    for (uint32_t k = 0; k < 4; k++)
        differ |= (bytes[k] >> 7) * UINT32_C(0x10204080) >> 28 << (4 * k);
    return differ;
#endif
}

/* Which of the 16 bytes at a position differ from those `offset` before them, as bits. Bytes
 * that are outside the block differ. */
RP_FN uint32_t rp_source_differ16_at_ends(rp_lz77_source source, uint32_t position, uint32_t offset)
{
    uint32_t differ = 0;
    for (uint32_t k = 0; k < RP_SIXTEEN; k++) {
        uint32_t at = position + k;
        bool are_equal = offset != 0 && offset <= at && at < source.n_bytes &&
                         source.bytes[at] == source.bytes[at - offset];
        differ |= (uint32_t)!are_equal << k;
    }
    return differ;
}

/* Number of equal bytes at two positions, a before b, up to `most`; 16 at a time. */
RP_FN uint32_t rp_source_count16(rp_lz77_source source, uint32_t a, uint32_t b, uint32_t most)
{
    uint32_t length = 0;
    while (length < most && source.n_bytes - (b + length) >= RP_SIXTEEN_READ) {
        uint32_t differ = rp_bytes16_differ(rp_source_load_bytes16(source, a + length),
                                            rp_source_load_bytes16(source, b + length));
        if (differ != 0)
            return rp_min32(length + rp_trailing_zeros32(differ), most);
        length += RP_SIXTEEN;
    }
    while (length < most && source.bytes[a + length] == source.bytes[b + length])
        length++;
    return rp_min32(length, most);
}

/* The first position from `position` on whose byte differs from the one `offset` before it, or
 * the end of the block. A collective. */
RP_FN uint32_t rp_source_extend(rp_team *team, rp_lz77_source source, uint32_t position,
                                uint32_t offset)
{
    const uint32_t strip = 8;
    for (;;) {
        uint32_t mine = rp_min32(position + TEAM_RANK(team) * strip, source.n_bytes);
        uint32_t most = rp_min32(strip, source.n_bytes - mine);
        uint32_t equal = rp_source_count(source, mine - offset, mine, most);
        bool stops = equal < most || mine + most == source.n_bytes;
        uint32_t first = team_reduce_min(team, stops ? mine + equal : RP_TEAM_NONE);
        if (first != RP_TEAM_NONE)
            return first;
        position += TEAM_SIZE(team) * strip;
    }
}

#endif
