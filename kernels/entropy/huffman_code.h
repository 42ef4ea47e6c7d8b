/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Huffman code lengths and codes for bytes (RFC 8878 section 4.2.1).
 *
 * A team sorts symbols by counting: a symbol's place is the number of symbols that come before it.
 * Each worker finds it for its own symbols, without exchange. One worker sorts by digits instead.
 */
#ifndef ROCKPRESS_KERNELS_ENTROPY_HUFFMAN_CODE_H
#define ROCKPRESS_KERNELS_ENTROPY_HUFFMAN_CODE_H

#include "kernels/base/zstd_format.h"
#include "kernels/entropy/huffman_limit.h"
#include "kernels/entropy/huffman_tree.h"

typedef struct rp_huffman_code {
    uint32_t n_present;                     /* symbols that occur */
    uint32_t last_symbol;                   /* highest symbol that occurs */
    uint32_t max_bits;                      /* length of the longest code */
    uint32_t keys[256 + 1];                 /* count << 8 | symbol, of the present symbols */
    uint32_t sorted[256];                   /* the counts, rising; replaced by the lengths */
    uint8_t symbol_at[256];                 /* symbol at each place of the sorted order */
    uint8_t lengths[256];                   /* bits of each symbol's code, 0 if it does not occur */
    uint16_t codes[256];                    /* code << 4 | length */
    uint32_t next[RP_HUFFMAN_MAX_BITS + 1]; /* code of the next symbol of each length */
} rp_huffman_code;

/* Scratch for making a code. The two are used one after the other. */
typedef union rp_huffman_scratch {
    rp_huffman_tree tree;
    rp_package_merge limit;
} rp_huffman_scratch;

RP_FN uint32_t rp_huffman_entry_bits(uint16_t entry)
{
    return entry & 15;
}

RP_FN uint32_t rp_huffman_entry_code(uint16_t entry)
{
    return (uint32_t)entry >> 4;
}

/* Assigns the codes: from 0 up, longer codes first, and within a length in the order of the symbols
 * (4.2.1.3). A part of a team. */
RP_FN void rp_huffman_assign(rp_team *team, rp_huffman_code *code)
{
    TEAM_FOR (bits, 0, RP_HUFFMAN_MAX_BITS + 1, team) {
        code->next[bits] = 0;
    }
    team_sync(team);
    TEAM_FOR (i, 0, code->n_present, team) {
        team_atomic_add(&code->next[code->sorted[i]], 1);
    }
    team_sync(team);
    if (TEAM_RANK(team) == 0) {
        uint32_t first = 0;
        for (uint32_t bits = RP_HUFFMAN_MAX_BITS; bits > 0; bits--) {
            uint32_t n = code->next[bits];
            code->next[bits] = first;
            first = (first + n) >> 1;
        }
    }
    team_sync(team);
    for (uint32_t first = 0; first <= code->last_symbol; first += TEAM_SIZE(team)) {
        uint32_t s = first + TEAM_RANK(team);
        uint32_t bits = s <= code->last_symbol ? code->lengths[s] : 0;
        uint32_t n_equal;
        uint32_t order = team_match_rank(team, bits, bits != 0, &n_equal);
        uint32_t next = code->next[bits] + order;
        team_sync(team);
        if (s <= code->last_symbol)
            code->codes[s] = bits == 0 ? 0 : (uint16_t)(next << 4 | bits);
        if (bits != 0 && order + 1 == n_equal)
            code->next[bits] = next + 1;
        team_sync(team);
    }
}

/* Limits the lengths in code->sorted. The limit begins low, since a shallow tree has a short
 * description, and rises until the codes lose no more than that saves. */
RP_FN void rp_huffman_shorten(rp_team *team, rp_huffman_code *code, const uint32_t *counts,
                              uint32_t n_literals, rp_package_merge *limit)
{
    uint32_t n = code->n_present;
    uint32_t most_bits = rp_huffman_choose_limit(n, n_literals);
    if (code->sorted[0] <= most_bits)
        return;
    uint32_t most = 0;
    TEAM_FOR (i, 0, n, team) {
        uint32_t count = counts[code->symbol_at[i]];
        limit->leaves[i] = count;
        most += count * code->sorted[i];
    }
    most = team_reduce_add(team, most) + n + RP_HUFFMAN_LIMIT_SLACK_BITS;
    uint32_t n_levels = 0;
    uint32_t n_list = 0;
    for (;; most_bits++) {
        for (; n_levels < most_bits; n_levels++)
            n_list = rp_make_list(team, n, n_levels, n_list, limit);
        if (TEAM_PART(team) == 0) {
            rp_team part = team_part(team);
            uint32_t bits = rp_take_packages(&part, n, n_levels, limit, code->sorted);
            if (TEAM_RANK(&part) == 0)
                limit->bits = bits;
        }
        team_sync(team);
        if (most_bits == RP_HUFFMAN_MAX_BITS || limit->bits <= most)
            return;
    }
}

/* Sorts the symbols by count, and by symbol where counts are equal. By a team of several. */
RP_FN void rp_huffman_sort(rp_team *team, rp_huffman_code *code)
{
    uint32_t n = code->n_present;
    TEAM_FOR (i, 0, n, team) {
        uint32_t key = code->keys[i];
        uint32_t place = 0;
        for (uint32_t j = 0; j < n; j++)
            place += code->keys[j] < key;
        code->sorted[place] = key >> 8;
        code->symbol_at[place] = (uint8_t)key;
    }
    team_sync(team);
}

/* The same by one worker, by the digits of the counts, the lowest first: 2 or 3 passes over the
 * symbols. Symbols are in order at the beginning, and each pass keeps the order of equal digits. */
RP_FN void rp_huffman_sort_alone(rp_huffman_code *code, uint32_t n_literals)
{
    uint32_t n = code->n_present;
    uint32_t *from = code->keys;
    uint32_t *to = code->sorted;
    for (uint32_t shift = 8; shift < 32 && n_literals >> (shift - 8) != 0; shift += 8) {
        uint32_t places[256] = {0};
        for (uint32_t i = 0; i < n; i++)
            places[from[i] >> shift & 255]++;
        uint32_t below = 0;
        for (uint32_t digit = 0; digit < 256; digit++) {
            uint32_t here = places[digit];
            places[digit] = below;
            below += here;
        }
        for (uint32_t i = 0; i < n; i++)
            to[places[from[i] >> shift & 255]++] = from[i];
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t key = from[i];
        code->symbol_at[i] = (uint8_t)key;
        code->sorted[i] = key >> 8;
    }
}

/* Fills `code`, except for `codes` and `next`, from the counts of 256 symbols. At least two symbols
 * occur, and counts are at most RP_ZSTD_BLOCK_BYTES. */
RP_FN void rp_huffman_build(rp_team *team, const uint32_t *counts, uint32_t n_literals,
                            rp_huffman_code *code, rp_huffman_scratch *scratch)
{
    uint32_t n = 0;
    for (uint32_t first = 0; first < 256; first += TEAM_SIZE(team)) {
        uint32_t s = first + TEAM_RANK(team);
        uint32_t count = s < 256 ? counts[s] : 0;
        uint32_t n_present;
        uint32_t at = n + team_scan_add(team, count != 0, &n_present);
        if (count != 0)
            code->keys[at] = count << 8 | s;
        n += n_present;
    }
    TEAM_FOR (s, 0, 256, team) {
        code->lengths[s] = 0;
    }
    team_sync(team);
    if (TEAM_RANK(team) == 0) {
        code->n_present = n;
        code->last_symbol = code->keys[n - 1] & 0xFF;
    }
    team_sync(team);
    if (TEAM_SIZE(team) == 1)
        rp_huffman_sort_alone(code, n_literals);
    else
        rp_huffman_sort(team, code);
    rp_huffman_lengths(team, code->sorted, n, &scratch->tree);
    rp_huffman_shorten(team, code, counts, n_literals, &scratch->limit);
    if (TEAM_RANK(team) == 0)
        code->max_bits = code->sorted[0];
    TEAM_FOR (i, 0, n, team) {
        code->lengths[code->symbol_at[i]] = (uint8_t)code->sorted[i];
    }
    team_sync(team);
}

#endif
