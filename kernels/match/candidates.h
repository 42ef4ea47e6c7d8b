/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Match candidates: for every position of a block, the most recent earlier positions with the same
 * hash of 4 bytes, of 8 bytes and, for the optimal parse, of 3. Every position has its candidate,
 * so candidates form chains, and a parse may follow them as far back as it likes.
 *
 * Positions go through the tables in order, one tile of team-size positions at a time. Where a
 * tile has a key twice, team_match() tells the order, so the candidate of each position is the
 * same as if positions had gone through one by one: the result does not depend on the team. Every
 * position is entered, also those inside matches; so this pass does not depend on the parse.
 *
 * Entries are the low 16 bits of a position. A position in a block has up to 17 bits, so an entry
 * stands for the nearest earlier position with these low bits. The few entries that are wrong by
 * 64 KiB fail the comparison of bytes that every candidate has to pass anyway, and so does the
 * empty entry. That halves the tables, which have to fit the shared memory of a GPU, and costs
 * only the matches farther back than 64 KiB.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_CANDIDATES_H
#define ROCKPRESS_KERNELS_MATCH_CANDIDATES_H

#include "rockpress/engine.h"

#include "kernels/base/memory.h"

#define RP_LZ77_HASH4_BYTES 4
#define RP_LZ77_HASH8_BYTES 8
#define RP_LZ77_MAX_TABLE_LOG 14
#define RP_LZ77_MIN_TABLE_LOG 8

typedef struct rp_lz77_tables {
    uint16_t hash4_table[1 << RP_LZ77_MAX_TABLE_LOG];
    uint16_t hash8_table[1 << RP_LZ77_MAX_TABLE_LOG];
} rp_lz77_tables;

/* The candidates of all positions, as distances modulo 64 Ki; 0 where there is none. */
typedef struct rp_lz77_candidates {
    uint16_t *hash4_hash8; /* [2 i]: by the 4 bytes at i; [2 i + 1]: by the 8 bytes */
    uint16_t *hash3;       /* NULL for efforts without it */
} rp_lz77_candidates;

/* An entry for each position up to 8 Ki, and no more entries for up to 16 Ki positions: so
 * twice as many tables fit the shared memory of a GPU. test_golden_ratios has default at 1.0004
 * of level 6 with that instead of 1.0011. Two tables of 2^14 entries are what the team memory
 * holds, and lose nothing up to 64 Ki positions. */
RP_FN uint32_t rp_lz77_table_log(uint32_t n_bytes)
{
    uint32_t log = rp_high_bit(rp_max32(n_bytes, 2) - 1) + 1;
    log -= log >= RP_LZ77_MAX_TABLE_LOG ? 1 : 0;
    return rp_min32(rp_max32(log, RP_LZ77_MIN_TABLE_LOG), RP_LZ77_MAX_TABLE_LOG);
}

/* Hashes the lowest 3 bytes. */
RP_FN uint32_t rp_lz77_hash3(uint32_t bytes, uint32_t log)
{
    return ((bytes << 8) * UINT32_C(506832829)) >> (32 - log);
}

RP_FN uint32_t rp_lz77_hash4(uint32_t bytes, uint32_t log)
{
    return (bytes * UINT32_C(2654435761)) >> (32 - log);
}

RP_FN uint32_t rp_lz77_hash8(uint64_t bytes, uint32_t log)
{
    return (uint32_t)((bytes * UINT64_C(0xCF1BBCDCB7A56463)) >> (64 - log));
}

/* Looks up `key` and enters the position of this rank; the entry that was there is the
 * candidate. A rank enters its position by flipping the bits that differ, which is atomic. If its
 * key is its own, the entry is the position then. Ranks that share a key have different positions,
 * so at most one of them finds its own in what they leave. If any finds another, team_match()
 * tells the order. */
RP_FN uint32_t rp_lz77_exchange(rp_team *team, uint16_t *table, uint32_t key, uint32_t position,
                                bool active)
{
    uint32_t entry = position & 0xFFFF;
    RP_KEEP(entry); /* a GPU compares 32 bits only */
    uint32_t candidate = active ? table[key] : 0;
    team_sync(team);
    if (active)
        team_atomic_xor16(table, key, (uint16_t)(candidate ^ entry));
    team_sync(team);
    uint32_t left = active ? table[key] : entry;
    if (team_any(team, left != entry)) {
        bool is_last;
        uint32_t previous = team_match(team, key, active, &is_last);
        if (previous != RP_TEAM_NONE)
            candidate = position - TEAM_RANK(team) + previous;
        if (is_last)
            table[key] = (uint16_t)entry;
        team_sync(team);
    }
    return candidate;
}

RP_FN void rp_lz77_clear(rp_team *team, uint16_t *table, uint32_t log)
{
    team_zero(team, table, sizeof(table[0]) << log);
    team_sync(team);
}

/* The hashes by which candidates are found. */
typedef enum rp_lz77_kind { RP_LZ77_HASH4, RP_LZ77_HASH8, RP_LZ77_HASH3 } rp_lz77_kind;

/* The number of kinds that an effort has: it has the first of them. */
RP_FN uint32_t rp_candidate_kinds(uint32_t effort)
{
    return effort >= RP_EFFORT_HIGH ? RP_LZ77_HASH3 + 1 : RP_LZ77_HASH8 + 1;
}

/* The bytes at a position that its hash is of. */
RP_FN uint64_t rp_lz77_load(rp_lz77_kind kind, const uint8_t *source, uint32_t position)
{
    return kind == RP_LZ77_HASH8 ? rp_load64(source + position) : rp_load32(source + position);
}

RP_FN uint32_t rp_lz77_hash(rp_lz77_kind kind, uint64_t bytes, uint32_t log)
{
    return kind == RP_LZ77_HASH8   ? rp_lz77_hash8(bytes, log)
           : kind == RP_LZ77_HASH4 ? rp_lz77_hash4((uint32_t)bytes, log)
                                   : rp_lz77_hash3((uint32_t)bytes, log);
}

/* Tiles that are hashed together. The bytes of the next ones are fetched meanwhile, since that
 * does not depend on the table, which goes from tile to tile. */
#define RP_LZ77_TILES 4
/* Bytes that each worker has on their way from the memory of a GPU to its cache, since nobody
 * has read the block before: a cache line, which is what the tiles of a warp have. */
#define RP_PREFETCH_BYTES 128

/* The end of the positions that have a candidate of this kind. */
RP_FN uint32_t rp_lz77_end(rp_lz77_kind kind, uint32_t n_bytes)
{
    uint32_t n_hashed = kind == RP_LZ77_HASH8 ? RP_LZ77_HASH8_BYTES : RP_LZ77_HASH4_BYTES;
    return n_bytes < n_hashed ? 0 : n_bytes - n_hashed + 1;
}

/* The bytes at the positions of this rank in some tiles. A GPU keeps the words that they lie in
 * and puts them together when they are hashed, so nothing waits for a load before that. */
typedef struct rp_lz77_tiles {
#if defined(__CUDACC__)
    uint32_t words[RP_LZ77_TILES][3];
    uint32_t shift;
#else
    uint64_t bytes[RP_LZ77_TILES];
#endif
} rp_lz77_tiles;

/* Bytes that are read from the last position of some tiles on, at most. */
#define RP_LZ77_TILES_READ 12

RP_FN rp_lz77_tiles rp_lz77_load_tiles(rp_team *team, rp_lz77_kind kind, const uint8_t *source,
                                       uint32_t first)
{
    rp_lz77_tiles tiles;
#if defined(__CUDACC__)
    /* All positions of this rank are at the same place in their words. */
    uint32_t begin = (uint32_t)(uintptr_t)source & 3;
    uint32_t at = begin + first + TEAM_RANK(team);
    const uint32_t *words = (const uint32_t *)(source - begin) + at / 4;
    tiles.shift = 8 * at;
    RP_UNROLL
    for (uint32_t k = 0; k < RP_LZ77_TILES; k++) {
        RP_UNROLL
        for (uint32_t i = 0; i < (kind == RP_LZ77_HASH8 ? 3 : 2); i++)
            tiles.words[k][i] = words[k * TEAM_SIZE(team) / 4 + i];
    }
#else
    for (uint32_t k = 0; k < RP_LZ77_TILES; k++)
        tiles.bytes[k] = rp_lz77_load(kind, source, first + k * TEAM_SIZE(team) + TEAM_RANK(team));
#endif
    return tiles;
}

RP_FN uint64_t rp_lz77_tile(const rp_lz77_tiles *tiles, rp_lz77_kind kind, uint32_t k)
{
#if defined(__CUDACC__)
    const uint32_t *words = tiles->words[k];
    uint64_t bytes = __funnelshift_r(words[0], words[1], tiles->shift);
    if (kind == RP_LZ77_HASH8)
        bytes |= (uint64_t)__funnelshift_r(words[1], words[2], tiles->shift) << 32;
    return bytes;
#else
    (void)kind;
    return tiles->bytes[k];
#endif
}

/* Where the candidate of a position is stored. */
RP_FN uint16_t *rp_lz77_place(rp_lz77_candidates candidates, rp_lz77_kind kind, uint32_t position)
{
    return kind == RP_LZ77_HASH3 ? candidates.hash3 + position
                                 : candidates.hash4_hash8 + 2 * position + (kind == RP_LZ77_HASH8);
}

/* Takes the tiles from `first` on through the table. Tiles are full if all their positions are
 * before `end` and have 8 bytes, as most are. */
RP_FN_INLINE void rp_lz77_find_tiles(rp_team *team, rp_lz77_kind kind, uint32_t n_bytes,
                                     uint32_t first, uint32_t end, bool are_full,
                                     const uint32_t *keys, rp_lz77_candidates candidates,
                                     uint16_t *table)
{
    const uint32_t stride = (kind == RP_LZ77_HASH3 ? 1 : 2) * TEAM_SIZE(team);
    uint16_t *places = rp_lz77_place(candidates, kind, first + TEAM_RANK(team));
    RP_UNROLL
    for (uint32_t k = 0; k < RP_LZ77_TILES; k++) {
        uint32_t i = first + k * TEAM_SIZE(team) + TEAM_RANK(team);
        bool active = are_full || i < end;
        uint32_t candidate = rp_lz77_exchange(team, table, keys[k], i, active);
        if (active)
            places[k * stride] = (uint16_t)(i - candidate);
        if (!are_full && active && kind == RP_LZ77_HASH4 && i + RP_LZ77_HASH8_BYTES > n_bytes)
            places[k * stride + 1] = (uint16_t)(i - candidate);
    }
}

/* The candidates of one kind of the positions [begin, end). Where a hash comes up for the first
 * time, the entry that the table has before is the candidate. */
RP_FN void rp_lz77_find_range(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                              rp_lz77_kind kind, uint32_t begin, uint32_t end,
                              rp_lz77_candidates candidates, uint16_t *table)
{
    if (begin >= end)
        return;
    TEAM_KEEP_RANK(team);
    const uint32_t stride = RP_LZ77_TILES * TEAM_SIZE(team);
    uint32_t log = rp_lz77_table_log(n_bytes);
    uint32_t keys[RP_LZ77_TILES];
    uint32_t first = begin;
    rp_prefetch(source + rp_min32(begin + TEAM_RANK(team) * RP_PREFETCH_BYTES, end - 1));
    if (end - begin >= stride && begin + stride + RP_LZ77_TILES_READ <= n_bytes) {
        const uint32_t last =
            rp_min32(end, n_bytes - RP_LZ77_TILES_READ) - stride; /* of full tiles */
        rp_lz77_tiles tiles = rp_lz77_load_tiles(team, kind, source, first);
        for (; first <= last; first += stride) {
            RP_UNROLL
            for (uint32_t k = 0; k < RP_LZ77_TILES; k++)
                keys[k] = rp_lz77_hash(kind, rp_lz77_tile(&tiles, kind, k), log);
            rp_prefetch(source + rp_min32(first + TEAM_SIZE(team) * RP_PREFETCH_BYTES, end - 1));
            tiles = rp_lz77_load_tiles(team, kind, source, rp_min32(first + stride, last));
            rp_lz77_find_tiles(team, kind, n_bytes, first, end, true, keys, candidates, table);
        }
    }
    for (; first < end; first += stride) {
        RP_UNROLL
        for (uint32_t k = 0; k < RP_LZ77_TILES; k++) {
            uint32_t i = rp_min32(first + k * TEAM_SIZE(team) + TEAM_RANK(team), end - 1);
            keys[k] = rp_lz77_hash(kind, rp_lz77_load(kind, source, i), log);
        }
        rp_lz77_find_tiles(team, kind, n_bytes, first, end, false, keys, candidates, table);
    }
}

/* The candidates of one kind of all positions that have 4 bytes; by 8 bytes, that have 8. */
RP_FN void rp_lz77_find_kind(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                             rp_lz77_kind kind, rp_lz77_candidates candidates, uint16_t *table)
{
    rp_lz77_clear(team, table, rp_lz77_table_log(n_bytes));
    rp_lz77_find_range(team, source, n_bytes, kind, 0, rp_lz77_end(kind, n_bytes), candidates,
                       table);
}

/* The candidates of both kinds that every effort has, by one worker in one pass over the
 * source. */
RP_FN void rp_lz77_find_hash4_hash8(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                    rp_lz77_candidates candidates, rp_lz77_tables *tables)
{
    uint32_t log = rp_lz77_table_log(n_bytes);
    rp_lz77_clear(team, tables->hash4_table, log);
    rp_lz77_clear(team, tables->hash8_table, log);
    uint32_t end_hash8 = rp_lz77_end(RP_LZ77_HASH8, n_bytes);
    uint32_t end_hash4 = rp_lz77_end(RP_LZ77_HASH4, n_bytes);
    for (uint32_t i = 0; i < end_hash8; i++) {
        uint64_t bytes = rp_load64(source + i);
        uint16_t *hash4 = &tables->hash4_table[rp_lz77_hash4((uint32_t)bytes, log)];
        uint16_t *hash8 = &tables->hash8_table[rp_lz77_hash8(bytes, log)];
        /* One store for both: stores bound this loop. */
        uint32_t both = ((i - *hash4) & 0xFFFF) | (i - *hash8) << 16;
        memcpy(candidates.hash4_hash8 + 2 * i, &both, sizeof(both));
        *hash4 = (uint16_t)i;
        *hash8 = (uint16_t)i;
    }
    for (uint32_t i = end_hash8; i < end_hash4; i++) {
        uint16_t *hash4 = &tables->hash4_table[rp_lz77_hash4(rp_load32(source + i), log)];
        candidates.hash4_hash8[2 * i] = (uint16_t)(i - *hash4);
        candidates.hash4_hash8[2 * i + 1] = (uint16_t)(i - *hash4);
        *hash4 = (uint16_t)i;
    }
}

/* The candidates of positions [0, n_bytes - 3). Where there are no 8 bytes left, the candidate
 * by 8 bytes is that by 4. */
RP_FN void rp_lz77_find_candidates(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                   rp_lz77_candidates candidates, rp_lz77_tables *tables)
{
    if (TEAM_SIZE(team) == 1) {
        rp_lz77_find_hash4_hash8(team, source, n_bytes, candidates, tables);
    } else {
        rp_team part = team_part(team);
        TEAM_FOR_PARTS(kind, RP_LZ77_HASH4, RP_LZ77_HASH8 + 1, team)
        {
            if (kind == RP_LZ77_HASH4)
                rp_lz77_find_kind(&part, source, n_bytes, RP_LZ77_HASH4, candidates,
                                  tables->hash4_table);
            else
                rp_lz77_find_kind(&part, source, n_bytes, RP_LZ77_HASH8, candidates,
                                  tables->hash8_table);
        }
        team_sync(team);
    }
    /* A pass of its own: the team memory does not hold three tables. */
    if (candidates.hash3 != NULL && TEAM_PART(team) == 0) {
        rp_team part = team_part(team);
        rp_lz77_find_kind(&part, source, n_bytes, RP_LZ77_HASH3, candidates, tables->hash4_table);
    }
    team_sync(team);
}

#endif
