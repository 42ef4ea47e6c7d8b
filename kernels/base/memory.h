/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unaligned little-endian access to memory, and the few integer functions that every stage needs.
 *
 * A GPU loads aligned words only. It puts an unaligned word together from the two or three aligned
 * ones that it lies in, and loads none that has no byte of it. So nothing is read beyond the end of
 * an allocation, rounded up to 4 bytes.
 */
#ifndef ROCKPRESS_KERNELS_BASE_MEMORY_H
#define ROCKPRESS_KERNELS_BASE_MEMORY_H

#include "kernels/team/team.h"

#if !defined(__CUDACC__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "rockpress supports little-endian machines only"
#endif

/* 4 bytes at any address. */
RP_FN uint32_t rp_load32(const uint8_t *source)
{
#if defined(__CUDACC__)
    const uint32_t *low = (const uint32_t *)((uintptr_t)source & ~(uintptr_t)3);
    const uint32_t *high = (const uint32_t *)(((uintptr_t)source + 3) & ~(uintptr_t)3);
    return __funnelshift_r(*low, *high, (uint32_t)((uintptr_t)source & 3) * 8);
#else
    uint32_t value;
    memcpy(&value, source, sizeof(value));
    return value;
#endif
}

/* 8 bytes at any address. */
RP_FN uint64_t rp_load64(const uint8_t *source)
{
#if defined(__CUDACC__)
    const uint32_t *low = (const uint32_t *)((uintptr_t)source & ~(uintptr_t)3);
    const uint32_t *high = (const uint32_t *)(((uintptr_t)source + 7) & ~(uintptr_t)3);
    uint32_t shift = (uint32_t)((uintptr_t)source & 3) * 8;
    return (uint64_t)__funnelshift_r(low[0], low[1], shift) |
           (uint64_t)__funnelshift_r(low[1], *high, shift) << 32;
#else
    uint64_t value;
    memcpy(&value, source, sizeof(value));
    return value;
#endif
}

/* The i-th word of memory that is aligned to 4 bytes, whatever it holds. */
RP_FN uint32_t rp_load_word(const void *words, size_t i)
{
#if defined(__CUDACC__)
    return ((const uint32_t *)words)[i];
#else
    return rp_load32((const uint8_t *)words + 4 * i);
#endif
}

/* Four words, loaded and stored at once at an address that is a multiple of 16. */
typedef struct rp_four_words {
    uint32_t of[4];
} rp_four_words;

RP_FN rp_four_words rp_load_four_words(const void *fours, size_t i)
{
    rp_four_words four;
#if defined(__CUDACC__)
    uint4 loaded = ((const uint4 *)fours)[i];
    four.of[0] = loaded.x;
    four.of[1] = loaded.y;
    four.of[2] = loaded.z;
    four.of[3] = loaded.w;
#else
    memcpy(&four, (const uint8_t *)fours + sizeof(four) * i, sizeof(four));
#endif
    return four;
}

RP_FN void rp_store_four_words(void *fours, size_t i, rp_four_words four)
{
#if defined(__CUDACC__)
    ((uint4 *)fours)[i] = make_uint4(four.of[0], four.of[1], four.of[2], four.of[3]);
#else
    memcpy((uint8_t *)fours + sizeof(four) * i, &four, sizeof(four));
#endif
}

/* Returns the pointer, which points to global memory on a GPU. A compiler for GPUs keeps it in
 * registers, since it cannot see how the pointer was computed; else it would compute the pointer
 * again in each round of a loop. */
#if defined(__CUDACC__)
template <typename type> RP_FN type *rp_keep_pointer(type *pointer)
{
    asm volatile("" : "+l"(pointer));
    __builtin_assume(__isGlobal(pointer));
    return pointer;
}
#else
#define rp_keep_pointer(pointer) (pointer)
#endif

/* Makes a compiler for GPUs keep a number in a register, in the same way. */
#if defined(__CUDACC__)
#define RP_KEEP(number) asm volatile("" : "+r"(number))
#else
#define RP_KEEP(number) ((void)0)
#endif

/* Tells a GPU to load the memory at an address into its cache, since it will be read soon. */
RP_FN void rp_prefetch(const void *address)
{
#if defined(__CUDACC__)
    asm volatile("prefetch.global.L2 [%0];" ::"l"(address));
#else
    (void)address;
#endif
}

/* Writes the low n_bytes (0 to 8) of a value, little-endian. */
RP_FN void rp_store_bytes(uint8_t *destination, uint64_t value, uint32_t n_bytes)
{
    for (uint32_t i = 0; i < n_bytes; i++)
        destination[i] = (uint8_t)(value >> (8 * i));
}

/* Index of the highest set bit; value is not 0. */
RP_FN uint32_t rp_high_bit(uint32_t value)
{
#if defined(__CUDACC__)
    uint32_t bit; /* one instruction; 31 - __clz() is three */
    asm("bfind.u32 %0, %1;" : "=r"(bit) : "r"(value));
    return bit;
#else
    return 31 - (uint32_t)__builtin_clz(value);
#endif
}

/* Number of zero bits below the lowest set one; value is not 0. */
RP_FN uint32_t rp_trailing_zeros32(uint32_t value)
{
#if defined(__CUDACC__)
    return (uint32_t)__ffs((int)value) - 1;
#else
    return (uint32_t)__builtin_ctz(value);
#endif
}

RP_FN uint32_t rp_trailing_zeros64(uint64_t value)
{
#if defined(__CUDACC__)
    return (uint32_t)__ffsll((long long)value) - 1;
#else
    return (uint32_t)__builtin_ctzll(value);
#endif
}

RP_FN uint32_t rp_min32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

RP_FN uint32_t rp_max32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

#endif
