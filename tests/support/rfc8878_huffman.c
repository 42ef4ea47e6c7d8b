/* SPDX-License-Identifier: Apache-2.0 */

#include "rfc8878_huffman.h"

#include <string.h>

#include "rfc8878_bits.h"
#include "rfc8878_fse.h"

static const char tree_header[] = "Huffman Tree header";
static const char tree_description[] = "Huffman Tree Description";
static const char weights_fse[] = "FSE compression of Huffman weights";
static const char huffman_streams[] = "Huffman-coded Streams";

enum {
    LISTED_WEIGHTS_MAX = RFC8878_WEIGHTS_MAX - 1, /* the last one is never listed */
    DIRECT_HEADER_MIN = 128,                      /* headerByte of the direct representation */
};

/*
 * Huffman Tree header: 4 bits per Weight, first one on top. The low bits of the last byte are not
 * used if their number is odd; the document does not say that they are zero.
 */
static bool read_direct_weights(const rfc8878_report *report, const uint8_t *src, size_t size,
                                rfc8878_weights *out, size_t *consumed)
{
    size_t n = (size_t)src[0] - (DIRECT_HEADER_MIN - 1);
    size_t n_bytes = (n + 1) / 2;
    if (n_bytes > size - 1) {
        return rfc8878_reject(report, src, tree_header, "%zu direct weights are truncated", n);
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t pair = src[1 + i / 2];
        out->weights[i] = i % 2 == 0 ? pair >> 4 : pair & 15;
    }
    out->n_symbols = n;
    *consumed = 1 + n_bytes;
    return true;
}

/* FSE compression of Huffman weights: two states take turns on one bitstream. */
static bool read_fse_weights(const rfc8878_report *report, const uint8_t *src, size_t size,
                             rfc8878_weights *out, size_t *consumed)
{
    size_t compressed_size = src[0];
    if (compressed_size > size - 1) {
        return rfc8878_reject(report, src, tree_header,
                              "%zu bytes of FSE-compressed weights are truncated", compressed_size);
    }
    const uint8_t *body = src + 1;

    /* FSE Table Description: no probability outside of the range of symbols; a Weight is at most
     * Max_Number_of_Bits, which is at most 11. */
    static const rfc8878_fse_limits limits = {
        .section = weights_fse,
        .max_symbol = RFC8878_HUFFMAN_BITS_MAX,
        .max_accuracy_log = RFC8878_HUFFMAN_WEIGHT_LOG_MAX,
    };
    rfc8878_distribution distribution;
    size_t table_size;
    if (!rfc8878_read_distribution(report, body, compressed_size, &limits, &distribution,
                                   &table_size)) {
        return false;
    }
    rfc8878_fse_table table;
    rfc8878_build_fse_table(&distribution, &table);

    rfc8878_backward_bits bits;
    if (!rfc8878_open_backward(report, weights_fse, body + table_size, compressed_size - table_size,
                               &bits)) {
        return false;
    }
    uint32_t states[2];
    if (!rfc8878_take_backward(&bits, table.accuracy_log, &states[0]) ||
        !rfc8878_take_backward(&bits, table.accuracy_log, &states[1])) {
        return rfc8878_reject(report, rfc8878_backward_at(&bits), weights_fse,
                              "an initial state is absent or truncated");
    }

    /* The end is where an update would need more bits than remain ("extra bits are 0": they are
     * never looked at). The other state then still holds one symbol. A row of 0 bits does not end
     * anything: an encoder that starts in one gets more weights than it meant. */
    size_t n = 0;
    unsigned turn = 0;
    bool ended = false;
    while (n < LISTED_WEIGHTS_MAX) {
        rfc8878_fse_row row = table.rows[states[turn]];
        out->weights[n++] = row.symbol;
        if (ended) {
            out->n_symbols = n;
            *consumed = 1 + compressed_size;
            return true;
        }
        uint32_t low;
        if (rfc8878_take_backward(&bits, row.n_bits, &low)) {
            states[turn] = row.baseline + low;
        } else {
            ended = true;
        }
        turn ^= 1;
    }
    return rfc8878_reject(report, rfc8878_backward_at(&bits), weights_fse, "more than %d weights",
                          LISTED_WEIGHTS_MAX);
}

/* Huffman Tree Description: adds the last Weight, which completes the sum to a power of two. */
static bool complete_weights(const rfc8878_report *report, const uint8_t *at, rfc8878_weights *out)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < out->n_symbols; i++) {
        unsigned weight = out->weights[i];
        if (weight > RFC8878_HUFFMAN_BITS_MAX) {
            return rfc8878_reject(report, at, tree_description,
                                  "Weight %u of symbol %zu exceeds %d", weight, i,
                                  RFC8878_HUFFMAN_BITS_MAX);
        }
        sum += weight > 0 ? 1U << (weight - 1) : 0;
    }
    /* With all listed weights zero, the implicit one would be alone. */
    if (sum == 0) {
        return rfc8878_reject(report, at, tree_description,
                              "fewer than two symbols with a non-zero Weight");
    }
    unsigned max_bits = 0;
    while ((1U << max_bits) <= sum) {
        max_bits++;
    }
    if (max_bits > RFC8878_HUFFMAN_BITS_MAX) {
        return rfc8878_reject(report, at, tree_description, "Max_Number_of_Bits %u exceeds %d",
                              max_bits, RFC8878_HUFFMAN_BITS_MAX);
    }
    uint32_t rest = (1U << max_bits) - sum;
    if ((rest & (rest - 1)) != 0) {
        return rfc8878_reject(report, at, tree_description,
                              "no last Weight completes the sum %u to a power of 2", sum);
    }
    uint8_t last = 1;
    while (rest > 1) {
        rest /= 2;
        last++;
    }
    out->weights[out->n_symbols++] = last;
    out->max_bits = max_bits;
    if (memchr(out->weights, 1, out->n_symbols) == NULL) {
        return rfc8878_reject(report, at, tree_description, "no symbol has a Weight of 1");
    }
    return true;
}

bool rfc8878_read_weights(const rfc8878_report *report, const uint8_t *src, size_t size,
                          rfc8878_weights *weights, size_t *consumed, rfc8878_stats *stats)
{
    if (size == 0) {
        return rfc8878_reject(report, src, tree_header, "headerByte is missing");
    }
    if (src[0] >= DIRECT_HEADER_MIN) {
        stats->n_weights_direct++;
        if (!read_direct_weights(report, src, size, weights, consumed)) {
            return false;
        }
    } else {
        stats->n_weights_fse++;
        if (!read_fse_weights(report, src, size, weights, consumed)) {
            return false;
        }
    }
    return complete_weights(report, src, weights);
}

/* Conversion from weights to Huffman prefix codes: ascending by Weight, then by symbol. */
void rfc8878_build_huffman_tree(const rfc8878_weights *weights, rfc8878_huffman_tree *tree)
{
    tree->max_bits = weights->max_bits;
    size_t row = 0;
    for (unsigned weight = 1; weight <= weights->max_bits; weight++) {
        for (size_t symbol = 0; symbol < weights->n_symbols; symbol++) {
            if (weights->weights[symbol] != weight) {
                continue;
            }
            for (size_t i = 0; i < (size_t)1 << (weight - 1); i++) {
                tree->rows[row].symbol = (uint8_t)symbol;
                tree->rows[row].n_bits = (uint8_t)(weights->max_bits + 1 - weight);
                row++;
            }
        }
    }
}

bool rfc8878_read_huffman_stream(const rfc8878_report *report, const uint8_t *src, size_t size,
                                 const rfc8878_huffman_tree *tree, uint8_t *dst, size_t n)
{
    rfc8878_backward_bits bits;
    if (!rfc8878_open_backward(report, huffman_streams, src, size, &bits)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        rfc8878_huffman_row row = tree->rows[rfc8878_peek_backward(&bits, tree->max_bits)];
        uint32_t code;
        if (!rfc8878_take_backward(&bits, row.n_bits, &code)) {
            return rfc8878_reject(report, src, huffman_streams,
                                  "bitstream ends inside symbol %zu of %zu", i, n);
        }
        dst[i] = row.symbol;
    }
    if (bits.n_left != 0) {
        return rfc8878_reject(report, rfc8878_backward_at(&bits), huffman_streams,
                              "%zu bits are left over after the last of %zu symbols", bits.n_left,
                              n);
    }
    return true;
}
