/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading bits of a frame that may hold anything. A part of the frame is a range of bytes, counted
 * from a base that is aligned to 4 bytes, so that a GPU finds any 32 bits in two aligned words. A
 * place in a bitstream is the number of bits from the base.
 *
 * Bitstreams are read from their end to their beginning (RFC 8878, 4.1). Nothing is read where a
 * stream has not enough bits: callers compare with its first bit. A bitstream has at least 8 bytes
 * of its frame before it, and 4 of them are behind the base. So the 32 bits before any place in it
 * may be loaded.
 */
#ifndef ROCKPRESS_KERNELS_DECODE_BIT_READER_H
#define ROCKPRESS_KERNELS_DECODE_BIT_READER_H

#include "kernels/base/memory.h"

/* The bytes [begin, end) of `base`. */
typedef struct rp_decode_range {
    uint32_t begin;
    uint32_t end;
} rp_decode_range;

/* The 32 bits before a place, the last one on top. On a GPU, `base` is aligned to 4 bytes. */
RP_FN uint32_t rp_decode_bits_before(const uint8_t *base, uint32_t place)
{
#if defined(__CUDACC__)
    const uint32_t *words = (const uint32_t *)base;
    return __funnelshift_r(words[(place - 32) >> 5], words[(place - 1) >> 5], place & 31);
#else
    const uint32_t end = (place + 7) / 8;
    return (uint32_t)(rp_load64(base + end - 8) << (8 * end - place) >> 32);
#endif
}

/* The highest n_bits (0 to 32) of a word, as a number. */
RP_FN uint32_t rp_decode_top(uint32_t word, uint32_t n_bits)
{
    return (uint32_t)((uint64_t)word << n_bits >> 32);
}

/* Reads n_bits (0 to 32) that are there. */
RP_FN uint32_t rp_decode_take(const uint8_t *base, uint32_t *place, uint32_t n_bits)
{
    const uint32_t word = rp_decode_bits_before(base, *place);
    *place -= n_bits;
    return rp_decode_top(word, n_bits);
}

/* Where the reading of a bitstream begins: below the highest set bit of its last byte, which marks
 * the end. Returns 0 without such a bit. */
RP_FN uint32_t rp_decode_open(const uint8_t *base, rp_decode_range stream)
{
    if (stream.end <= stream.begin)
        return 0;
    const uint32_t last = base[stream.end - 1];
    return last == 0 ? 0 : 8 * (stream.end - 1) + rp_high_bit(last);
}

/* A reader from the beginning to the end, of a table's description. */
typedef struct rp_decode_forward {
    const uint8_t *base;
    uint32_t place;
    uint32_t end; /* the place after the last bit */
} rp_decode_forward;

/* The next 16 bits, the first one lowest. Those after the end may be anything. */
RP_FN uint32_t rp_decode_peek_forward(const rp_decode_forward *reader)
{
#if defined(__CUDACC__)
    const uint32_t *words = (const uint32_t *)reader->base;
    const uint32_t last = (reader->end / 8 - 1) / 4;
    const uint32_t word = reader->place / 32;
    return __funnelshift_r(words[rp_min32(word, last)], words[rp_min32(word + 1, last)],
                           reader->place & 31) &
           0xFFFF;
#else
    const uint32_t byte = reader->place / 8;
    const uint32_t end = reader->end / 8;
    uint32_t bits = 0;
    if (byte + 4 <= end)
        return rp_load32(reader->base + byte) >> (reader->place & 7) & 0xFFFF;
    for (uint32_t i = 0; i < 3; i++)
        bits |= byte + i < end ? (uint32_t)reader->base[byte + i] << (8 * i) : 0;
    return bits >> (reader->place & 7) & 0xFFFF;
#endif
}

#endif
