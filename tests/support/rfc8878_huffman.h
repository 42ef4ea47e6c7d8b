/* SPDX-License-Identifier: Apache-2.0 */

/* Huffman coding of RFC 8878: tree descriptions and the streams coded with them. */

#ifndef ROCKPRESS_TESTS_SUPPORT_RFC8878_HUFFMAN_H
#define ROCKPRESS_TESTS_SUPPORT_RFC8878_HUFFMAN_H

#include "rfc8878_decoder.h"
#include "rfc8878_report.h"

enum {
    RFC8878_HUFFMAN_BITS_MAX = 11,     /* "limits maximum code length to 11 bits" */
    RFC8878_HUFFMAN_WEIGHT_LOG_MAX = 6 /* Accuracy_Log of FSE-compressed weights */
};

typedef struct rfc8878_weights {
    uint8_t weights[RFC8878_WEIGHTS_MAX];
    size_t n_symbols;  /* the implicit last one included */
    unsigned max_bits; /* Max_Number_of_Bits */
} rfc8878_weights;

typedef struct rfc8878_huffman_row {
    uint8_t symbol;
    uint8_t n_bits;
} rfc8878_huffman_row;

/* Indexed by the next max_bits bits of a stream. max_bits is 0 while there is no tree. */
typedef struct rfc8878_huffman_tree {
    unsigned max_bits;
    rfc8878_huffman_row rows[1 << RFC8878_HUFFMAN_BITS_MAX];
} rfc8878_huffman_tree;

/* Reads a Huffman_Tree_Description at the start of src; consumed is its size. */
bool rfc8878_read_weights(const rfc8878_report *report, const uint8_t *src, size_t size,
                          rfc8878_weights *weights, size_t *consumed, rfc8878_stats *stats);

void rfc8878_build_huffman_tree(const rfc8878_weights *weights, rfc8878_huffman_tree *tree);

/* Decodes the stream that is the whole of src[0..size) into exactly n symbols. */
bool rfc8878_read_huffman_stream(const rfc8878_report *report, const uint8_t *src, size_t size,
                                 const rfc8878_huffman_tree *tree, uint8_t *dst, size_t n);

#endif
