/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a block can not be compressed, as encrypted or compressed values can not. The source
 * alone tells, at a fraction of the cost of a parse, and nothing else need be done for such a
 * block.
 *
 * Two conditions must hold. All bytes are about equally frequent: a chi-squared test of a sample,
 * first of a small one, which decides nearly all blocks. And no string occurs twice: of the
 * positions whose byte has certain bits clear, no two that meet in a small table have the same 4
 * bytes. That choice depends on the bytes alone, so two copies have the same chosen positions.
 * Copies of more than some hundred bytes are hardly ever missed, nor are many short ones of
 * different bytes. A single string that is repeated often may have no chosen position, but then
 * its bytes are more frequent than others. What both tests miss are some hundredths of a block,
 * less than the eighth that RocksDB asks for before it keeps a compressed block.
 *
 * The answer depends on the source alone, not on the team, so the precheck may run before the
 * parse or after it.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_PRECHECK_H
#define ROCKPRESS_KERNELS_MATCH_PRECHECK_H

#include "kernels/base/memory.h"

/* Shorter blocks are never said to be incompressible: they have too few bytes for the test. */
#define RP_FLAT_LEAST_BYTES 512
#define RP_FLAT_FIRST_SAMPLE 256
/* The second sample has at least this many bytes, or all of the block, and one of
 * RP_FLAT_MOST_STRIDE of a long block. With fewer, a string of 16 bytes in every 100 random
 * ones could pass. */
#define RP_FLAT_SECOND_SAMPLE 2048
#define RP_FLAT_MOST_STRIDE 16
/* Chi-squared of 256 equally frequent bytes is 255 on average, with a standard deviation of 23.
 * At this limit, Huffman would gain about 13 bytes times the stride, and its tree cost some 50. */
#define RP_FLAT_CHI_SQUARED 400

/* How many positions are chosen: about as many as the table has entries, but at most one of 4
 * and at least one of 16. If there are more than entries, an entry holds the first of several
 * positions, which any copy of that one finds. */
#define RP_REPEAT_LEAST_EACH 4
#define RP_REPEAT_MOST_EACH 16
#define RP_REPEAT_TABLE_LOG 11

typedef struct rp_incompressible_memory {
    uint32_t counts[256];
    uint32_t first_with[1 << RP_REPEAT_TABLE_LOG];
} rp_incompressible_memory;

/* Whether a sample of the bytes has all values about equally often. Samples are n / n_samples bytes
 * apart, give or take as many, so that no width of a record hides its other columns. */
RP_FN bool rp_sample_is_flat(rp_team *team, const uint8_t *bytes, uint32_t n, uint32_t n_samples,
                             uint32_t *counts)
{
    uint32_t stride = n / n_samples;
    team_zero(team, counts, 256 * sizeof(counts[0]));
    team_sync(team);
    TEAM_FOR (i, 0, n_samples, team) {
        uint32_t shift = stride == 1 ? 0 : (((i * UINT32_C(2654435761)) >> 16) * stride) >> 16;
        team_atomic_add(&counts[bytes[i * stride + shift]], 1);
    }
    team_sync(team);
    uint32_t sum = 0;
    TEAM_FOR (s, 0, 256, team) {
        sum += counts[s] * counts[s];
    }
    uint64_t squares = team_reduce_add(team, sum);
    return squares * 256 < (uint64_t)(RP_FLAT_CHI_SQUARED + n_samples) * n_samples;
}

/* Whether n bytes are about as frequent as each other. `counts` is team memory. A collective. */
RP_FN bool rp_is_flat(rp_team *team, const uint8_t *bytes, uint32_t n, uint32_t *counts)
{
    uint32_t stride = rp_min32(rp_max32(n / RP_FLAT_SECOND_SAMPLE, 1), RP_FLAT_MOST_STRIDE);
    return n >= RP_FLAT_LEAST_BYTES &&
           rp_sample_is_flat(team, bytes, n, RP_FLAT_FIRST_SAMPLE, counts) &&
           rp_sample_is_flat(team, bytes, n, n / stride, counts);
}

/* Of 8 bytes, those that have no bit of `mask`: bit 7 of each. The mask has no bit 7. */
RP_FN uint64_t rp_bytes_without(uint64_t bytes, uint32_t mask)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    return ~((bytes & (mask * ones)) + 0x7F * ones) & 0x80 * ones;
}

/* A position is chosen if its byte has none of these bits. */
RP_FN uint32_t rp_repeat_mask(uint32_t n_bytes)
{
    uint32_t each = (UINT32_C(2) << rp_high_bit(n_bytes - 1)) >> RP_REPEAT_TABLE_LOG;
    return rp_min32(rp_max32(each, RP_REPEAT_LEAST_EACH), RP_REPEAT_MOST_EACH) - 1;
}

/* The entry of the first position with these 4 bytes, or with others of the same hash. */
RP_FN uint32_t *rp_repeat_entry(uint32_t *first_with, uint32_t bytes)
{
    return &first_with[(bytes * UINT32_C(2654435761)) >> (32 - RP_REPEAT_TABLE_LOG)];
}

/* Goes through the chosen positions. With `enters`, enters each as the first with its 4 bytes,
 * unless an earlier one is there. Without, returns whether one has the same bytes as an earlier
 * one. */
RP_FN bool rp_visit_positions(rp_team *team, const uint8_t *source, uint32_t n_bytes, bool enters,
                              uint32_t *first_with)
{
    uint32_t mask = rp_repeat_mask(n_bytes);
    bool found = false;
    TEAM_FOR (word, 0, (n_bytes - 4) / 8, team) {
        uint64_t chosen = rp_bytes_without(rp_load64(source + 8 * word), mask);
        for (; chosen != 0; chosen &= chosen - 1) {
            uint32_t position = 8 * word + (rp_trailing_zeros64(chosen) >> 3);
            uint32_t bytes = rp_load32(source + position);
            uint32_t *first = rp_repeat_entry(first_with, bytes);
            if (enters)
                team_atomic_min(first, position);
            else
                found |= *first != position && rp_load32(source + *first) == bytes;
        }
    }
    return found;
}

/* The same by one worker. It comes to the first of equal positions first, so once through is
 * enough. How many positions of a word are chosen is random, and a branch on that would be
 * mispredicted every other time, so 4 are listed for each word; those that do not exist are
 * overwritten. */
RP_FN bool rp_has_repeats_alone(const uint8_t *source, uint32_t n_bytes, uint32_t *first_with)
{
    enum { WORDS = 32, UNASKED = 4 };
    uint32_t positions[8 * WORDS + UNASKED];
    uint32_t mask = rp_repeat_mask(n_bytes);
    uint32_t n_words = (n_bytes - 4) / 8;
    for (uint32_t begin = 0; begin < n_words; begin += WORDS) {
        uint32_t n = 0;
        for (uint32_t word = begin; word < rp_min32(begin + WORDS, n_words); word++) {
            uint64_t chosen = rp_bytes_without(rp_load64(source + 8 * word), mask);
            uint32_t n_chosen = (uint32_t)(((chosen >> 7) * UINT64_C(0x0101010101010101)) >> 56);
            uint32_t *to = positions + n;
            RP_UNROLL
            for (uint32_t k = 0; k < UNASKED; k++) {
                *to++ = 8 * word + (rp_trailing_zeros64(chosen | UINT64_C(1) << 63) >> 3);
                chosen &= chosen - 1;
            }
            for (; chosen != 0; chosen &= chosen - 1)
                *to++ = 8 * word + (rp_trailing_zeros64(chosen) >> 3);
            n += n_chosen;
        }
        bool found = false;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t bytes = rp_load32(source + positions[i]);
            uint32_t *entry = rp_repeat_entry(first_with, bytes);
            uint32_t first = rp_min32(*entry, positions[i]);
            *entry = first;
            found |= (first != positions[i]) & (rp_load32(source + first) == bytes);
        }
        if (found)
            return true;
    }
    return false;
}

/* Whether a string occurs twice. A collective; n_bytes is at least RP_FLAT_LEAST_BYTES. */
RP_FN bool rp_has_repeats(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                          uint32_t *first_with)
{
    TEAM_FOR (i, 0, UINT32_C(1) << RP_REPEAT_TABLE_LOG, team) {
        first_with[i] = n_bytes;
    }
    team_sync(team);
    if (TEAM_SIZE(team) == 1)
        return rp_has_repeats_alone(source, n_bytes, first_with);
    (void)rp_visit_positions(team, source, n_bytes, true, first_with);
    team_sync(team);
    return team_any(team, rp_visit_positions(team, source, n_bytes, false, first_with));
}

/* A collective. */
RP_FN bool rp_is_incompressible(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                rp_incompressible_memory *memory)
{
    return rp_is_flat(team, source, n_bytes, memory->counts) &&
           !rp_has_repeats(team, source, n_bytes, memory->first_with);
}

#endif
