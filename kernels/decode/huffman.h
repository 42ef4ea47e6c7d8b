/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Huffman table of a decoder (RFC 8878, 4.2.1): reading the description of the weights, and
 * making the table of them. Weights that are coded with FSE are two chains of up to 128 steps, by
 * one worker. The rest is divided among a part of the team, and the table among all of it.
 */
#ifndef ROCKPRESS_KERNELS_DECODE_HUFFMAN_H
#define ROCKPRESS_KERNELS_DECODE_HUFFMAN_H

#include "kernels/decode/fse.h"
#include "kernels/decode/xxh3.h"

#define RP_DECODE_MAX_WEIGHTS 256

typedef struct rp_decode_huffman {
    uint32_t is_valid;
    uint32_t max_bits; /* Max_Number_of_Bits */
    uint32_t n_weights;
    uint8_t weights[RP_DECODE_MAX_WEIGHTS];
    uint8_t sorted[RP_DECODE_MAX_WEIGHTS]; /* symbols by weight */
    uint32_t counts[RP_DECODE_MAX_CODE_BITS + 2];
    /* Of the symbols of a weight: the place of the first in `sorted`, and its first entry. */
    uint32_t first_place[RP_DECODE_MAX_CODE_BITS + 2];
    uint32_t first_entry[RP_DECODE_MAX_CODE_BITS + 2];
    rp_decode_distribution distribution;
    uint32_t cells[1 << RP_DECODE_WEIGHTS_MAX_LOG];
    union {
        /* By the next bits of a stream: a symbol, and from bit 8 up the length of its code. */
        uint16_t entries[1 << RP_DECODE_MAX_CODE_BITS];
        rp_xxh3_memory hash; /* before (decode/block.h) */
    };
} rp_decode_huffman;

/* Bytes of a tree's description by its first byte, this one included. */
RP_FN uint32_t rp_decode_tree_bytes(uint32_t first)
{
    return first < 128 ? 1 + first : 1 + (first - 127 + 1) / 2;
}

/* Reads weights that are coded with FSE: two states take turns. Returns their number, or 0 if a
 * rule is broken. One worker. */
RP_FN uint32_t rp_decode_walk_weights(const uint8_t *base, rp_decode_range stream,
                                      rp_decode_huffman *huffman)
{
    const uint32_t log = huffman->distribution.log;
    const uint32_t first = 8 * stream.begin;
    uint32_t place = rp_decode_open(base, stream);
    if (place < first + 2 * log)
        return 0;
    uint32_t cell = huffman->cells[rp_decode_take(base, &place, log)];
    uint32_t other = huffman->cells[rp_decode_take(base, &place, log)];
    /* It ends where a step would need more bits than are left. The other state still has one
     * weight then. A state's cell is fetched a step before it is needed. */
    for (uint32_t n = 0; n + 1 < RP_DECODE_MAX_WEIGHTS;) {
        const uint32_t n_bits = rp_decode_cell_step_bits(cell);
        huffman->weights[n++] = (uint8_t)rp_decode_cell_symbol(cell);
        if (place - first < n_bits) {
            if (n + 1 >= RP_DECODE_MAX_WEIGHTS)
                return 0;
            huffman->weights[n++] = (uint8_t)rp_decode_cell_symbol(other);
            return n;
        }
        const uint32_t state = rp_decode_cell_base(cell) + rp_decode_take(base, &place, n_bits);
        cell = other;
        other = huffman->cells[state];
    }
    return 0;
}

/* Reads the description into the weights. Sets their number, 0 if a rule is broken. The range is
 * that of the description, of the length that its first byte says. A part of a team. */
RP_FN void rp_decode_read_weights(rp_team *team, const uint8_t *base, rp_decode_range range,
                                  rp_decode_huffman *huffman)
{
    const uint32_t header = base[range.begin];
    rp_decode_range rest = {range.begin + 1, range.end};
    if (header >= 128) {
        const uint32_t n = header - 127;
        TEAM_FOR (i, 0, n, team) {
            const uint32_t pair = base[rest.begin + i / 2];
            huffman->weights[i] = (uint8_t)(i % 2 == 0 ? pair >> 4 : pair & 15);
        }
        if (TEAM_RANK(team) == 0)
            huffman->n_weights = n;
        return;
    }
    uint32_t n_bytes = 0;
    if (TEAM_RANK(team) == 0) {
        huffman->distribution.mode = RP_DECODE_FSE_MODE;
        n_bytes = rp_decode_describe(base, rest, rp_decode_limits_of(RP_DECODE_WEIGHTS),
                                     &huffman->distribution);
        huffman->n_weights = 0;
    }
    n_bytes = team_broadcast(team, n_bytes, 0);
    if (n_bytes == 0)
        return;
    rp_decode_make_table(team, &huffman->distribution, RP_DECODE_WEIGHTS, huffman->cells);
    team_sync(team);
    if (TEAM_RANK(team) == 0) {
        rest.begin += n_bytes;
        huffman->n_weights = rp_decode_walk_weights(base, rest, huffman);
    }
}

/* Counts the weights, adds the one that is not described, and checks the rules of 4.2.1. Sets
 * max_bits, counts and is_valid. A part of a team. */
RP_FN void rp_decode_complete_weights(rp_team *team, rp_decode_huffman *huffman)
{
    const uint32_t n = huffman->n_weights;
    uint32_t sum = 0;
    uint32_t n_wrong = n == 0;
    TEAM_FOR (w, 0, RP_DECODE_MAX_CODE_BITS + 2, team) {
        huffman->counts[w] = 0;
    }
    team_sync(team);
    TEAM_FOR (s, 0, n, team) {
        const uint32_t weight = huffman->weights[s];
        if (weight > RP_DECODE_MAX_CODE_BITS) {
            n_wrong++;
        } else if (weight != 0) {
            sum += UINT32_C(1) << (weight - 1);
            team_atomic_add(&huffman->counts[weight], 1);
        }
    }
    sum = team_reduce_add(team, sum);
    n_wrong = team_reduce_add(team, n_wrong);
    if (TEAM_RANK(team) != 0)
        return;
    huffman->is_valid = 0;
    if (n_wrong != 0 || sum == 0 || sum >= UINT32_C(1) << RP_DECODE_MAX_CODE_BITS)
        return;
    const uint32_t max_bits = rp_high_bit(sum) + 1;
    const uint32_t rest = (UINT32_C(1) << max_bits) - sum;
    if ((rest & (rest - 1)) != 0)
        return;
    const uint32_t weight = rp_high_bit(rest) + 1;
    huffman->weights[n] = (uint8_t)weight;
    huffman->n_weights = n + 1;
    huffman->counts[weight]++;
    huffman->max_bits = max_bits;
    uint32_t place = 0;
    uint32_t entry = 0;
    for (uint32_t w = 1; w <= RP_DECODE_MAX_CODE_BITS; w++) {
        huffman->first_place[w] = place;
        huffman->first_entry[w] = entry;
        place += huffman->counts[w];
        entry += huffman->counts[w] << (w - 1);
    }
    huffman->first_entry[RP_DECODE_MAX_CODE_BITS + 1] = entry;
    huffman->is_valid = huffman->counts[1] != 0;
}

/* Sorts the symbols by weight, equal ones by their value. Changes the counts. A part of a team. */
RP_FN void rp_decode_sort_symbols(rp_team *team, rp_decode_huffman *huffman)
{
    TEAM_FOR (w, 1, RP_DECODE_MAX_CODE_BITS + 1, team) {
        huffman->counts[w] = huffman->first_place[w];
    }
    team_sync(team);
    for (uint32_t first = 0; first < huffman->n_weights; first += TEAM_SIZE(team)) {
        const uint32_t s = first + TEAM_RANK(team);
        const uint32_t weight = s < huffman->n_weights ? huffman->weights[s] : 0;
        uint32_t n_equal;
        const uint32_t below = team_match_rank(team, weight, weight != 0, &n_equal);
        const uint32_t place = huffman->counts[weight] + below;
        team_sync(team);
        if (weight != 0) {
            huffman->sorted[place] = (uint8_t)s;
            if (below + 1 == n_equal)
                huffman->counts[weight] = place + 1;
        }
        team_sync(team);
    }
}

/* Reads a description and makes what rp_decode_fill_entries() needs. Sets is_valid. A part of a
 * team. */
RP_FN void rp_decode_read_tree(rp_team *team, const uint8_t *base, rp_decode_range range,
                               rp_decode_huffman *huffman)
{
    rp_decode_read_weights(team, base, range, huffman);
    team_sync(team);
    rp_decode_complete_weights(team, huffman);
    team_sync(team);
    if (huffman->is_valid != 0)
        rp_decode_sort_symbols(team, huffman);
}

/* Makes the table. The whole team. */
RP_FN void rp_decode_fill_entries(rp_team *team, rp_decode_huffman *huffman)
{
    const uint32_t max_bits = huffman->max_bits;
    uint32_t weight = 1;
    TEAM_FOR (i, 0, UINT32_C(1) << max_bits, team) {
        while (huffman->first_entry[weight + 1] <= i)
            weight++;
        const uint32_t place =
            huffman->first_place[weight] + ((i - huffman->first_entry[weight]) >> (weight - 1));
        huffman->entries[i] = (uint16_t)(huffman->sorted[place] | (max_bits + 1 - weight) << 8);
    }
}

#endif
