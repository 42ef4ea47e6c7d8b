/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XXH3_64bits of libxxhash, with seed 0: the hash by which a host knows its own bytes again
 * (rp_proof). The caller's side of it is libxxhash or another program's, so it is written here for
 * the workers of a team.
 *
 * Inputs of up to 240 bytes are one worker's. A longer one is a sum over its stripes of 64 bytes,
 * but for a scramble of the eight sums after every 1024 bytes. So the sums of many such blocks are
 * made side by side, and then one worker for each of the eight goes from block to block.
 */
#ifndef ROCKPRESS_KERNELS_DECODE_XXH3_H
#define ROCKPRESS_KERNELS_DECODE_XXH3_H

#include "kernels/base/memory.h"

#define RP_XXH3_STRIPE_BYTES 64
#define RP_XXH3_LANES 8
#define RP_XXH3_BLOCK_STRIPES 16
#define RP_XXH3_BLOCK_BYTES (RP_XXH3_BLOCK_STRIPES * RP_XXH3_STRIPE_BYTES)
#define RP_XXH3_SHORT_BYTES 240
/* Blocks whose sums are made at a time. */
#define RP_XXH3_ROUND_BLOCKS 16

#define RP_XXH3_P32_1 UINT64_C(0x9E3779B1)
#define RP_XXH3_P32_2 UINT64_C(0x85EBCA77)
#define RP_XXH3_P32_3 UINT64_C(0xC2B2AE3D)
#define RP_XXH3_P64_1 UINT64_C(0x9E3779B185EBCA87)
#define RP_XXH3_P64_2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define RP_XXH3_P64_3 UINT64_C(0x165667B19E3779F9)
#define RP_XXH3_P64_4 UINT64_C(0x85EBCA77C2B2AE63)
#define RP_XXH3_P64_5 UINT64_C(0x27D4EB2F165667C5)

/* The default secret, as little-endian words. */
RP_CONSTANT uint64_t rp_xxh3_secret[24] = {
    UINT64_C(0xBE4BA423396CFEB8), UINT64_C(0x1CAD21F72C81017C), UINT64_C(0xDB979083E96DD4DE),
    UINT64_C(0x1F67B3B7A4A44072), UINT64_C(0x78E5C0CC4EE679CB), UINT64_C(0x2172FFCC7DD05A82),
    UINT64_C(0x8E2443F7744608B8), UINT64_C(0x4C263A81E69035E0), UINT64_C(0xCB00C391BB52283C),
    UINT64_C(0xA32E531B8B65D088), UINT64_C(0x4EF90DA297486471), UINT64_C(0xD8ACDEA946EF1938),
    UINT64_C(0x3F349CE33F76FAA8), UINT64_C(0x1D4F0BC7C7BBDCF9), UINT64_C(0x3159B4CD4BE0518A),
    UINT64_C(0x647378D9C97E9FC8), UINT64_C(0xC3EBD33483ACC5EA), UINT64_C(0xEB6313FAFFA081C5),
    UINT64_C(0x49DAF0B751DD0D17), UINT64_C(0x9E68D429265516D3), UINT64_C(0xFCA1477D58BE162B),
    UINT64_C(0xCE31D07AD1B8F88F), UINT64_C(0x280416958F3ACB45), UINT64_C(0x7E404BBBCAFBD7AF),
};

/* What the workers share. */
typedef struct rp_xxh3_memory {
    /* Of each block, for each lane: the sum of the products, and that of the words. */
    uint64_t products[RP_XXH3_ROUND_BLOCKS][RP_XXH3_LANES];
    uint64_t words[RP_XXH3_ROUND_BLOCKS][RP_XXH3_LANES];
    uint64_t sums[RP_XXH3_LANES];
} rp_xxh3_memory;

/* 8 bytes of the secret, from a byte on. */
RP_FN uint64_t rp_xxh3_secret_at(uint32_t byte)
{
    return rp_load64((const uint8_t *)rp_xxh3_secret + byte);
}

/* The two halves of the product of 128 bits, combined. */
RP_FN uint64_t rp_xxh3_fold(uint64_t a, uint64_t b)
{
#if defined(__CUDACC__)
    return a * b ^ __umul64hi(a, b);
#else
    const uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);
    const uint64_t middle_a = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
    const uint64_t middle_b = (a & UINT32_MAX) * (b >> 32) + (middle_a & UINT32_MAX);
    const uint64_t high = (a >> 32) * (b >> 32) + (middle_a >> 32) + (middle_b >> 32);
    return a * b ^ high;
#endif
}

RP_FN uint64_t rp_xxh3_avalanche(uint64_t hash)
{
    hash = (hash ^ hash >> 37) * UINT64_C(0x165667919E3779F9);
    return hash ^ hash >> 32;
}

/* That of XXH64, for the shortest inputs. */
RP_FN uint64_t rp_xxh3_avalanche64(uint64_t hash)
{
    hash = (hash ^ hash >> 33) * RP_XXH3_P64_2;
    hash = (hash ^ hash >> 29) * RP_XXH3_P64_3;
    return hash ^ hash >> 32;
}

RP_FN uint64_t rp_xxh3_rotate(uint64_t value, uint32_t n_bits)
{
    return value << n_bits | value >> (64 - n_bits);
}

RP_FN uint64_t rp_xxh3_swap(uint64_t value)
{
    value =
        (value & UINT64_C(0x00FF00FF00FF00FF)) << 8 | (value >> 8 & UINT64_C(0x00FF00FF00FF00FF));
    value =
        (value & UINT64_C(0x0000FFFF0000FFFF)) << 16 | (value >> 16 & UINT64_C(0x0000FFFF0000FFFF));
    return value << 32 | value >> 32;
}

/* 16 bytes, and those of the secret from a byte on. */
RP_FN uint64_t rp_xxh3_mix16(const uint8_t *source, uint32_t secret_byte)
{
    return rp_xxh3_fold(rp_load64(source) ^ rp_xxh3_secret_at(secret_byte),
                        rp_load64(source + 8) ^ rp_xxh3_secret_at(secret_byte + 8));
}

RP_FN uint64_t rp_xxh3_up_to_16(const uint8_t *source, uint32_t n_bytes)
{
    if (n_bytes > 8) {
        const uint64_t low = rp_load64(source) ^ rp_xxh3_secret_at(24) ^ rp_xxh3_secret_at(32);
        const uint64_t high =
            rp_load64(source + n_bytes - 8) ^ rp_xxh3_secret_at(40) ^ rp_xxh3_secret_at(48);
        return rp_xxh3_avalanche(n_bytes + rp_xxh3_swap(low) + high + rp_xxh3_fold(low, high));
    }
    if (n_bytes >= 4) {
        uint64_t hash = rp_load32(source + n_bytes - 4) | (uint64_t)rp_load32(source) << 32;
        hash ^= rp_xxh3_secret_at(8) ^ rp_xxh3_secret_at(16);
        hash ^= rp_xxh3_rotate(hash, 49) ^ rp_xxh3_rotate(hash, 24);
        hash *= UINT64_C(0x9FB21C651E98DF25);
        hash ^= (hash >> 35) + n_bytes;
        hash *= UINT64_C(0x9FB21C651E98DF25);
        return hash ^ hash >> 28;
    }
    if (n_bytes > 0) {
        const uint32_t combined = (uint32_t)source[0] << 16 | (uint32_t)source[n_bytes >> 1] << 24 |
                                  source[n_bytes - 1] | n_bytes << 8;
        const uint64_t secret = rp_xxh3_secret_at(0);
        return rp_xxh3_avalanche64(combined ^ (uint32_t)(secret ^ secret >> 32));
    }
    return rp_xxh3_avalanche64(rp_xxh3_secret_at(56) ^ rp_xxh3_secret_at(64));
}

/* 17 to 240 bytes. */
RP_FN uint64_t rp_xxh3_up_to_240(const uint8_t *source, uint32_t n_bytes)
{
    uint64_t sum = n_bytes * RP_XXH3_P64_1;
    if (n_bytes <= 128) {
        /* Pairs of 16 bytes, from both ends inwards. */
        for (uint32_t i = 0; i < (n_bytes + 31) / 32; i++)
            sum += rp_xxh3_mix16(source + 16 * i, 32 * i) +
                   rp_xxh3_mix16(source + n_bytes - 16 * (i + 1), 32 * i + 16);
        return rp_xxh3_avalanche(sum);
    }
    for (uint32_t i = 0; i < 8; i++)
        sum += rp_xxh3_mix16(source + 16 * i, 16 * i);
    sum = rp_xxh3_avalanche(sum);
    for (uint32_t i = 8; i < n_bytes / 16; i++)
        sum += rp_xxh3_mix16(source + 16 * i, 16 * (i - 8) + 3);
    return rp_xxh3_avalanche(sum + rp_xxh3_mix16(source + n_bytes - 16, 136 - 17));
}

/* What lane `lane` has of a stripe: of the word and of the stripe's 64 bytes of secret. */
RP_FN uint64_t rp_xxh3_product(uint64_t word, uint64_t secret)
{
    const uint64_t key = word ^ secret;
    return (key & UINT32_MAX) * (key >> 32);
}

/* The initial sum of a lane. */
RP_FN uint64_t rp_xxh3_initial(uint32_t lane)
{
    switch (lane) {
    case 0:
        return RP_XXH3_P32_3;
    case 1:
        return RP_XXH3_P64_1;
    case 2:
        return RP_XXH3_P64_2;
    case 3:
        return RP_XXH3_P64_3;
    case 4:
        return RP_XXH3_P64_4;
    case 5:
        return RP_XXH3_P32_2;
    case 6:
        return RP_XXH3_P64_5;
    default:
        return RP_XXH3_P32_1;
    }
}

RP_FN uint64_t rp_xxh3_scramble(uint64_t sum, uint32_t lane)
{
    return (sum ^ sum >> 47 ^ rp_xxh3_secret[16 + lane]) * RP_XXH3_P32_1;
}

/* The hash of the eight sums. One worker. */
RP_FN uint64_t rp_xxh3_merge(const uint64_t *sums, size_t n_bytes)
{
    uint64_t hash = n_bytes * RP_XXH3_P64_1;
    for (uint32_t i = 0; i < RP_XXH3_LANES; i += 2)
        hash += rp_xxh3_fold(sums[i] ^ rp_xxh3_secret_at(11 + 8 * i),
                             sums[i + 1] ^ rp_xxh3_secret_at(19 + 8 * i));
    return rp_xxh3_avalanche(hash);
}

/* More than 240 bytes, by one worker. */
RP_FN uint64_t rp_xxh3_long_alone(const uint8_t *source, size_t n_bytes)
{
    uint64_t sums[RP_XXH3_LANES];
    const size_t n_stripes = (n_bytes - 1) / RP_XXH3_STRIPE_BYTES;
    for (uint32_t lane = 0; lane < RP_XXH3_LANES; lane++)
        sums[lane] = rp_xxh3_initial(lane);
    for (size_t i = 0; i < n_stripes; i++) {
        const uint32_t in_block = (uint32_t)(i % RP_XXH3_BLOCK_STRIPES);
        for (uint32_t lane = 0; lane < RP_XXH3_LANES; lane++) {
            const uint64_t word = rp_load64(source + RP_XXH3_STRIPE_BYTES * i + 8 * lane);
            sums[lane ^ 1] += word;
            sums[lane] += rp_xxh3_product(word, rp_xxh3_secret[in_block + lane]);
        }
        if (in_block + 1 == RP_XXH3_BLOCK_STRIPES) {
            for (uint32_t lane = 0; lane < RP_XXH3_LANES; lane++)
                sums[lane] = rp_xxh3_scramble(sums[lane], lane);
        }
    }
    for (uint32_t lane = 0; lane < RP_XXH3_LANES; lane++) {
        const uint64_t word = rp_load64(source + n_bytes - RP_XXH3_STRIPE_BYTES + 8 * lane);
        sums[lane ^ 1] += word;
        sums[lane] += rp_xxh3_product(word, rp_xxh3_secret_at(121 + 8 * lane));
    }
    return rp_xxh3_merge(sums, n_bytes);
}

/* The sums of one lane over the stripes of a block of at most 16. Workers of the same warp have
 * different blocks, which begin in the same bank of shared memory, so each begins with another
 * stripe. */
RP_FN void rp_xxh3_sum_block(const uint8_t *block, uint32_t n_stripes, uint32_t order,
                             uint32_t lane, uint64_t *product_sum, uint64_t *word_sum)
{
    uint64_t products = 0;
    uint64_t words = 0;
    for (uint32_t i = 0; i < RP_XXH3_BLOCK_STRIPES; i++) {
        const uint32_t stripe = (i + order) % RP_XXH3_BLOCK_STRIPES;
        if (stripe < n_stripes) {
            const uint64_t word = rp_load64(block + RP_XXH3_STRIPE_BYTES * stripe + 8 * lane);
            words += word;
            products += rp_xxh3_product(word, rp_xxh3_secret[stripe + lane]);
        }
    }
    *product_sum = products;
    *word_sum = words;
}

/* The hash of n_bytes. Rank 0 gets it, the others 0. A collective of any team; on a GPU, a warp at
 * least. The source and the memory may be written again after the next barrier. */
RP_FN uint64_t rp_xxh3(rp_team *team, const uint8_t *source, size_t n_bytes, rp_xxh3_memory *memory)
{
    if (n_bytes <= RP_XXH3_SHORT_BYTES) {
        if (TEAM_RANK(team) != 0)
            return 0;
        return n_bytes <= 16 ? rp_xxh3_up_to_16(source, (uint32_t)n_bytes)
                             : rp_xxh3_up_to_240(source, (uint32_t)n_bytes);
    }
    if (TEAM_SIZE(team) == 1)
        return rp_xxh3_long_alone(source, n_bytes);
    const size_t n_stripes = (n_bytes - 1) / RP_XXH3_STRIPE_BYTES;
    const size_t n_blocks = (n_stripes + RP_XXH3_BLOCK_STRIPES - 1) / RP_XXH3_BLOCK_STRIPES;
    TEAM_FOR (lane, 0, RP_XXH3_LANES, team) {
        memory->sums[lane] = rp_xxh3_initial(lane);
    }
    for (size_t first = 0; first < n_blocks; first += RP_XXH3_ROUND_BLOCKS) {
        const size_t left = n_blocks - first;
        const uint32_t n = left < RP_XXH3_ROUND_BLOCKS ? (uint32_t)left : RP_XXH3_ROUND_BLOCKS;
        TEAM_FOR (i, 0, n * RP_XXH3_LANES, team) {
            const uint32_t block = i / RP_XXH3_LANES;
            const uint32_t lane = i % RP_XXH3_LANES;
            const size_t begin = (first + block) * RP_XXH3_BLOCK_STRIPES;
            const size_t stripes = n_stripes - begin;
            rp_xxh3_sum_block(
                source + RP_XXH3_STRIPE_BYTES * begin,
                stripes < RP_XXH3_BLOCK_STRIPES ? (uint32_t)stripes : RP_XXH3_BLOCK_STRIPES, block,
                lane, &memory->products[block][lane], &memory->words[block][lane ^ 1]);
        }
        team_sync(team);
        TEAM_FOR (lane, 0, RP_XXH3_LANES, team) {
            uint64_t sum = memory->sums[lane];
            for (uint32_t block = 0; block < n; block++) {
                sum += memory->products[block][lane] + memory->words[block][lane];
                if ((first + block + 1) * RP_XXH3_BLOCK_STRIPES <= n_stripes)
                    sum = rp_xxh3_scramble(sum, lane);
            }
            memory->sums[lane] = sum;
        }
        team_sync(team);
    }
    TEAM_FOR (lane, 0, RP_XXH3_LANES, team) {
        const uint8_t *last = source + n_bytes - RP_XXH3_STRIPE_BYTES;
        memory->sums[lane] +=
            rp_load64(last + 8 * (lane ^ 1)) +
            rp_xxh3_product(rp_load64(last + 8 * lane), rp_xxh3_secret_at(121 + 8 * lane));
    }
    team_sync(team);
    return TEAM_RANK(team) == 0 ? rp_xxh3_merge(memory->sums, n_bytes) : 0;
}

#endif
