/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The description of a Huffman tree (RFC 8878 section 4.2.1): the weights of all symbols up to
 * the last but one, which the decoder completes; either 4 bits each or FSE-compressed,
 * whichever is shorter. At most 255 weights; coding them is a chain of states, for one worker.
 */
#ifndef ROCKPRESS_KERNELS_HUFFMAN_WEIGHTS_H
#define ROCKPRESS_KERNELS_HUFFMAN_WEIGHTS_H

#include "kernels/fse_build.h"
#include "kernels/huffman_code.h"

#define RP_HUFFMAN_WEIGHT_SYMBOLS (RP_HUFFMAN_MAX_BITS + 1)
/* A header byte, then at most 127 bytes of FSE or 64 of direct weights. */
#define RP_HUFFMAN_DESCRIPTION_BYTES 136

typedef struct rp_huffman_weights {
    uint8_t weights[256];
    uint8_t description[RP_HUFFMAN_DESCRIPTION_BYTES];
    uint32_t description_bytes; /* 0: this tree cannot be described */
    uint8_t compressed[512];
    uint32_t counts[RP_HUFFMAN_WEIGHT_SYMBOLS];
    int16_t probabilities[RP_HUFFMAN_WEIGHT_SYMBOLS];
    rp_fse_table table;
    rp_fse_work work;
} rp_huffman_weights;

/*
 * Two states take turns, the first has the even weights (4.2.1.2). Writing runs backwards, so
 * that the last two weights are what the states start from. Returns the number of bytes in
 * `compressed`. n_weights is at least 3. One worker.
 */
RP_FN uint32_t rp_huffman_write_weights(rp_huffman_weights *work, uint32_t n_weights, uint32_t log)
{
    uint32_t n_bytes =
        rp_fse_describe(work->probabilities, RP_HUFFMAN_WEIGHT_SYMBOLS, log, work->compressed);
    rp_byte_writer writer = rp_bytes_open(work->compressed + n_bytes);
    uint32_t state = rp_fse_first_state(&work->table, work->weights[n_weights - 1]);
    uint32_t other = rp_fse_first_state(&work->table, work->weights[n_weights - 2]);
    /* What does not depend on the states is fetched ahead. */
    uint32_t i = n_weights - 2;
    rp_fse_symbol ahead = work->table.symbols[work->weights[i - 1]];
    uint32_t farther = work->weights[i - rp_min32(i, 2)];
    while (i-- != 0) {
        rp_fse_symbol symbol = ahead;
        ahead = work->table.symbols[farther];
        farther = work->weights[i - rp_min32(i, 2)];
        uint32_t n_bits;
        uint32_t next = rp_fse_follow(&work->table, state, symbol, &n_bits);
        rp_bytes_put(&writer, state & ((UINT32_C(1) << n_bits) - 1), n_bits);
        state = other;
        other = next;
    }
    uint32_t mask = (UINT32_C(1) << log) - 1;
    rp_bytes_put(&writer, state & mask, log); /* of the odd weights */
    rp_bytes_put(&writer, other & mask, log);
    rp_bytes_put(&writer, 1, 1);
    return n_bytes + rp_bytes_close(&writer);
}

/* The weights FSE-compressed; 0 bytes if they are all alike, which FSE cannot express. The result
 * is rank 0's. */
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
    return TEAM_RANK(team) == 0 ? rp_huffman_write_weights(work, n_weights, log) : 0;
}

/* Describes the tree of `code`. */
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
    if (TEAM_RANK(team) == 0) {
        work->description_bytes = 0;
        if (compressed_bytes != 0 && compressed_bytes < 128 &&
            (!direct_allowed || compressed_bytes < direct_bytes)) {
            work->description[0] = (uint8_t)compressed_bytes;
            for (uint32_t i = 0; i < compressed_bytes; i++)
                work->description[1 + i] = work->compressed[i];
            work->description_bytes = 1 + compressed_bytes;
        } else if (direct_allowed) {
            work->description[0] = (uint8_t)(127 + n_weights);
            for (uint32_t i = 0; i < direct_bytes; i++) {
                uint32_t low = 2 * i + 1 < n_weights ? work->weights[2 * i + 1] : 0;
                work->description[1 + i] = (uint8_t)(work->weights[2 * i] << 4 | low);
            }
            work->description_bytes = 1 + direct_bytes;
        }
    }
    team_sync(team);
}

#endif
