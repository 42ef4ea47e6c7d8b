/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a block can't be compressed, as encrypted or compressed values can't: seen from the
 * source alone and at a fraction of what a parse costs, so that nothing else need be done for such
 * a block.
 *
 * Two things have to be true. Bytes are about as frequent as each other: a chi-squared test of a
 * sample, first of a small one that decides nearly all blocks. And nothing occurs twice: of all
 * positions whose byte has some bits clear, wherever they are, no two that meet in a small table
 * have the same 4 bytes. Of two copies the same positions are looked at, so copies of more than
 * some hundred bytes are hardly ever missed, nor are many short ones of different bytes. One string
 * that comes again and again may have no such position, but then its bytes are more frequent than
 * others. What both tests miss are some hundredths of a block, less than the eighth that RocksDB
 * asks for before it keeps a compressed block.
 *
 * The answer depends on the source alone, not on the team, so it may be asked for before the parse
 * or after it.
 */
#ifndef ROCKPRESS_KERNELS_INCOMPRESSIBLE_H
#define ROCKPRESS_KERNELS_INCOMPRESSIBLE_H

#include "kernels/memory.h"

/* Shorter blocks are never said to be incompressible: they have too few bytes for the test. */
#define RP_FLAT_LEAST_BYTES 512
#define RP_FLAT_FIRST_SAMPLE 256
/* The second sample: at least so many bytes, or all; one of so many of long blocks. With fewer, a
 * string of 16 bytes in each 100 random ones could pass. */
#define RP_FLAT_SECOND_SAMPLE 2048
#define RP_FLAT_MOST_STRIDE 8
/* Chi-squared of 256 equally frequent bytes is 255 on average, with a standard deviation of 23.
 * At this limit, Huffman would gain about 13 bytes for each one of the stride, and its tree cost
 * some 50. */
#define RP_FLAT_CHI_SQUARED 400

/* One of about so many positions is looked at for copies. Of long blocks that are more than the
 * table holds: each of its entries is then the first of several, which any copy of it finds. */
#define RP_REPEAT_EACH 8
/* Of blocks shorter than that, one of half as many. */
#define RP_REPEAT_SHORT_BYTES 4096
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

/* Goes through the positions that are looked at. With `enter`, each is noted as the first with its
 * 4 bytes, unless an earlier one is. With `compare`, says whether one that is not the first has the
 * same bytes as the first has. */
RP_FN bool rp_visit_positions(rp_team *team, const uint8_t *source, uint32_t n_bytes, bool enter,
                              bool compare, uint32_t *first_with)
{
    uint32_t mask = (n_bytes < RP_REPEAT_SHORT_BYTES ? RP_REPEAT_EACH / 2 : RP_REPEAT_EACH) - 1;
    bool found = false;
    TEAM_FOR (word, 0, (n_bytes - 4) / 8, team) {
        uint64_t chosen = rp_bytes_without(rp_load64(source + 8 * word), mask);
        for (; chosen != 0; chosen &= chosen - 1) {
            uint32_t position = 8 * word + (rp_trailing_zeros64(chosen) >> 3);
            uint32_t bytes = rp_load32(source + position);
            uint32_t *first =
                &first_with[(bytes * UINT32_C(2654435761)) >> (32 - RP_REPEAT_TABLE_LOG)];
            if (enter)
                team_atomic_min(first, position);
            if (compare)
                found |= *first != position && rp_load32(source + *first) == bytes;
        }
    }
    return found;
}

/* Whether something occurs twice. A collective; n_bytes is at least RP_FLAT_LEAST_BYTES. */
RP_FN bool rp_has_repeats(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                          uint32_t *first_with)
{
    TEAM_FOR (i, 0, UINT32_C(1) << RP_REPEAT_TABLE_LOG, team) {
        first_with[i] = n_bytes;
    }
    team_sync(team);
    /* One worker comes to the first of them first. */
    if (TEAM_SIZE(team) == 1)
        return rp_visit_positions(team, source, n_bytes, true, true, first_with);
    (void)rp_visit_positions(team, source, n_bytes, true, false, first_with);
    team_sync(team);
    return team_any(team, rp_visit_positions(team, source, n_bytes, false, true, first_with));
}

/* A collective. */
RP_FN bool rp_is_incompressible(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                rp_incompressible_memory *memory)
{
    return rp_is_flat(team, source, n_bytes, memory->counts) &&
           !rp_has_repeats(team, source, n_bytes, memory->first_with);
}

#endif
