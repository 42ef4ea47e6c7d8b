/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The description of a Huffman tree (RFC 8878 section 4.2.1): the weights of all symbols before the
 * last one that occurs, whose weight the decoder finds by itself. Weights, at most 255, have 4 bits
 * each or are FSE-compressed, whichever is shorter. Two FSE states take turns, so compressing is
 * two chains of states. In a team, one worker walks each.
 */
#ifndef ROCKPRESS_KERNELS_ENTROPY_HUFFMAN_WEIGHTS_H
#define ROCKPRESS_KERNELS_ENTROPY_HUFFMAN_WEIGHTS_H

#include "kernels/base/bit_writer.h"
#include "kernels/entropy/fse_build.h"
#include "kernels/entropy/huffman_code.h"

#define RP_HUFFMAN_WEIGHT_SYMBOLS (RP_HUFFMAN_MAX_BITS + 1)
/* A header byte, then at most 127 bytes of FSE or 64 of direct weights. */
#define RP_HUFFMAN_DESCRIPTION_BYTES 136

typedef struct rp_huffman_weights {
    uint8_t weights[256];
    uint8_t description[RP_HUFFMAN_DESCRIPTION_BYTES];
    uint32_t description_bytes; /* 0: this tree cannot be described */
    uint8_t compressed[512];    /* aligned to 4 bytes */
    uint16_t state_bits[256];   /* what the step of each weight writes, and its number of bits */
    uint32_t final_states[2];   /* of the even and of the odd weights */
    uint32_t counts[RP_HUFFMAN_WEIGHT_SYMBOLS];
    int16_t probabilities[RP_HUFFMAN_WEIGHT_SYMBOLS];
    rp_fse_table table;
    rp_fse_work work;
} rp_huffman_weights;

/*
 * Writes the FSE-compressed weights to `compressed`, the distribution's description before them.
 * Two states take turns, the first one for the even weights (4.2.1.2). Weights are coded from the
 * last one to the first, so the states begin with the last two. Returns the number of bytes.
 * n_weights is at least 3. By one worker.
 */
RP_FN uint32_t rp_huffman_write_alone(rp_huffman_weights *work, uint32_t n_weights, uint32_t log)
{
    uint32_t n_bytes =
        rp_fse_describe(work->probabilities, RP_HUFFMAN_WEIGHT_SYMBOLS, log, work->compressed);
    rp_byte_writer writer = rp_bytes_open(work->compressed + n_bytes);
    uint32_t state = rp_fse_first_state(&work->table, work->weights[n_weights - 1]);
    uint32_t other = rp_fse_first_state(&work->table, work->weights[n_weights - 2]);
    /* What does not depend on the states is loaded ahead of its use. */
    uint32_t i = n_weights - 2;
    rp_fse_symbol ahead = work->table.symbols[work->weights[i - 1]];
    uint32_t farther = work->weights[i - rp_min32(i, 2)];
    while (i-- != 0) {
        rp_fse_symbol symbol = ahead;
        ahead = work->table.symbols[farther];
        farther = work->weights[i - rp_min32(i, 2)];
        uint32_t n_bits;
        uint32_t next = rp_fse_step(&work->table, state, symbol, &n_bits);
        rp_bytes_put(&writer, state & ((UINT32_C(1) << n_bits) - 1), n_bits);
        state = other;
        other = next;
    }
    uint32_t mask = (UINT32_C(1) << log) - 1;
    rp_bytes_put(&writer, state & mask, log); /* the odd weights' final state */
    rp_bytes_put(&writer, other & mask, log);
    rp_bytes_put(&writer, 1, 1);
    return n_bytes + rp_bytes_close(&writer);
}

/* An entry of state_bits has the bits below this bit, and their number from it up. */
#define RP_WEIGHT_COUNT_SHIFT 8

/* Walks the chain of the weights with even or odd indices, from the last one to the first, and
 * stores the state bits of each but the last. One worker. */
RP_FN void rp_huffman_walk_weights(rp_huffman_weights *work, uint32_t n_weights, uint32_t odd,
                                   uint32_t log)
{
    uint32_t i = n_weights - 1 - ((n_weights - 1 - odd) & 1);
    uint32_t state = rp_fse_first_state(&work->table, work->weights[i]);
    /* What does not depend on the state is loaded ahead of its use. */
    rp_fse_symbol ahead = work->table.symbols[work->weights[i - rp_min32(i, 2)]];
    uint32_t farther = work->weights[i - rp_min32(i, 4)];
    while (i >= 2) {
        rp_fse_symbol symbol = ahead;
        ahead = work->table.symbols[farther];
        i -= 2;
        farther = work->weights[i - rp_min32(i, 4)];
        uint32_t n_bits;
        uint32_t next = rp_fse_step(&work->table, state, symbol, &n_bits);
        work->state_bits[i] =
            (uint16_t)((state & ((UINT32_C(1) << n_bits) - 1)) | n_bits << RP_WEIGHT_COUNT_SHIFT);
        state = next;
    }
    work->final_states[odd] = state & ((UINT32_C(1) << log) - 1);
}

/* Writes the same bytes as rp_huffman_write_alone(), by a part of a team of several: a worker walks
 * each chain, then all write. */
RP_FN uint32_t rp_huffman_write_together(rp_team *team, rp_huffman_weights *work,
                                         uint32_t n_weights, uint32_t log)
{
    uint32_t n_bytes = 0;
    TEAM_FOR (odd, 0, 2, team) {
        rp_huffman_walk_weights(work, n_weights, odd, log);
    }
    if (TEAM_RANK(team) == 0)
        n_bytes =
            rp_fse_describe(work->probabilities, RP_HUFFMAN_WEIGHT_SYMBOLS, log, work->compressed);
    n_bytes = team_broadcast(team, n_bytes, 0);
    /* Rank 0 takes the last weights, which come first in the stream. The last two have no bits. */
    uint32_t n = n_weights - 2;
    uint32_t each = (n + TEAM_SIZE(team) - 1) / TEAM_SIZE(team);
    uint32_t end = n - rp_min32(TEAM_RANK(team) * each, n);
    uint32_t begin = end - rp_min32(each, end);
    uint32_t n_bits = 0;
    for (uint32_t i = begin; i < end; i++)
        n_bits += work->state_bits[i] >> RP_WEIGHT_COUNT_SHIFT;
    uint32_t all_bits;
    uint32_t first_bit = 8 * n_bytes + team_scan_add(team, n_bits, &all_bits);
    uint32_t end_byte = n_bytes + (all_bits + 2 * log + 1 + 7) / 8;
    rp_bits_clear(team, work->compressed, n_bytes, end_byte);
    rp_bit_writer writer = rp_bits_open(work->compressed, first_bit);
    for (uint32_t i = end; i-- > begin;) {
        uint32_t bits = work->state_bits[i];
        rp_bits_put(&writer, bits & ((1 << RP_WEIGHT_COUNT_SHIFT) - 1),
                    bits >> RP_WEIGHT_COUNT_SHIFT);
    }
    if (begin == 0 && end > 0) {
        rp_bits_put(&writer, work->final_states[1], log);
        rp_bits_put(&writer, work->final_states[0], log);
        rp_bits_put(&writer, 1, 1);
    }
    rp_bits_close(&writer);
    team_sync(team);
    return end_byte;
}

/* Compresses the weights by FSE. Returns the number of bytes, or 0 for weights that are all equal,
 * which FSE cannot express, and for fewer than 3. A part of a team. */
RP_FN uint32_t rp_huffman_compress_weights(rp_team *team, rp_huffman_weights *work,
                                           uint32_t n_weights)
{
    TEAM_FOR (w, 0, RP_HUFFMAN_WEIGHT_SYMBOLS, team) {
        work->counts[w] = 0;
    }
    team_sync(team);
    TEAM_FOR (i, 0, n_weights, team) {
        team_atomic_add(&work->counts[work->weights[i]], 1);
    }
    team_sync(team);
    uint32_t n_present = 0;
    for (uint32_t w = 0; w < RP_HUFFMAN_WEIGHT_SYMBOLS; w++)
        n_present += work->counts[w] != 0;
    if (n_present < 2 || n_weights < 3)
        return 0;
    uint32_t log =
        rp_fse_choose_log(n_weights, n_present, RP_HUFFMAN_MAX_BITS, RP_HUFFMAN_WEIGHTS_MAX_LOG);
    rp_fse_normalize(team, work->counts, RP_HUFFMAN_WEIGHT_SYMBOLS, n_weights, log,
                     work->probabilities, &work->work);
    rp_fse_build(team, &work->table, work->probabilities, RP_HUFFMAN_WEIGHT_SYMBOLS, log,
                 &work->work);
    return TEAM_SIZE(team) == 1 ? rp_huffman_write_alone(work, n_weights, log)
                                : rp_huffman_write_together(team, work, n_weights, log);
}

/* Describes the tree of `code`: sets description and description_bytes. A part of a team. */
RP_FN void rp_huffman_describe(rp_team *team, const rp_huffman_code *code, rp_huffman_weights *work)
{
    uint32_t n_weights = code->last_symbol;
    TEAM_FOR (s, 0, n_weights, team) {
        uint32_t bits = code->lengths[s];
        work->weights[s] = (uint8_t)(bits == 0 ? 0 : code->max_bits + 1 - bits);
    }
    team_sync(team);
    uint32_t compressed_bytes = rp_huffman_compress_weights(team, work, n_weights);
    uint32_t direct_bytes = (n_weights + 1) / 2;
    bool direct_allowed = n_weights <= RP_HUFFMAN_MAX_DIRECT_WEIGHTS;
    bool is_compressed = compressed_bytes != 0 && compressed_bytes < 128 &&
                         (!direct_allowed || compressed_bytes < direct_bytes);
    uint32_t n_bytes = is_compressed ? compressed_bytes : direct_allowed ? direct_bytes : 0;
    TEAM_FOR (i, 0, n_bytes, team) {
        uint32_t byte = work->compressed[i];
        if (!is_compressed) {
            uint32_t low = 2 * i + 1 < n_weights ? work->weights[2 * i + 1] : 0;
            byte = work->weights[2 * i] << 4 | low;
        }
        work->description[1 + i] = (uint8_t)byte;
    }
    if (TEAM_RANK(team) == 0) {
        work->description[0] = (uint8_t)(is_compressed ? compressed_bytes : 127 + n_weights);
        work->description_bytes = n_bytes == 0 ? 0 : 1 + n_bytes;
    }
    team_sync(team);
}

#endif
