/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A strict decoder of Zstandard frames, the checker of everything that rockpress emits.
 *
 * It is written from the format document alone (RFC 8878, and its later editions), so that it
 * shares no mistake with an encoder or with libzstd, and it enforces every rule that the document
 * puts on an *encoder*. A decoder in the field tolerates more: a frame that libzstd accepts and
 * this decoder rejects is a frame that some other conforming decoder may refuse. What is legal but
 * merely wasteful (a short size in a long field, 4 streams for 6 literals) is accepted.
 *
 * It is slow and simple on purpose. All functions are pure: no global state, any thread.
 *
 * Errors: a function returns false and writes "byte N, Section: rule" to `error` (always
 * terminated, cut off if need be; `error` may be NULL). N counts from the function's `src`;
 * Section is the document's name of the field or chapter that states the rule.
 */

#ifndef ROCKPRESS_TESTS_SUPPORT_RFC8878_DECODER_H
#define ROCKPRESS_TESTS_SUPPORT_RFC8878_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RFC8878_BLOCK_BYTES_MAX = 128 * 1024, /* Block_Maximum_Size never exceeds this */
    RFC8878_MATCH_BYTES_MIN = 3,
    RFC8878_SEQUENCES_MAX = RFC8878_BLOCK_BYTES_MAX / RFC8878_MATCH_BYTES_MIN, /* per block */
    RFC8878_WEIGHTS_MAX = 256, /* one per byte value, the implicit last one included */
    RFC8878_ERROR_BYTES = 256, /* holds every error text whole */
};

/* Symbol_Compression_Modes: indices of the `*_modes` counters. */
enum { RFC8878_PREDEFINED, RFC8878_RLE, RFC8878_FSE, RFC8878_REPEAT };

/*
 * What was seen in the decoded bytes. Every entry point overwrites all of it; after a failure it
 * holds what was seen up to the broken rule.
 */
typedef struct rfc8878_stats {
    size_t n_blocks_raw;
    size_t n_blocks_rle;
    size_t n_blocks_compressed;

    /* One of these per compressed block. "huffman" brings its tree, "treeless" reuses one. */
    size_t n_literals_raw;
    size_t n_literals_rle;
    size_t n_literals_huffman_1_stream;
    size_t n_literals_huffman_4_streams;
    size_t n_literals_treeless_1_stream;
    size_t n_literals_treeless_4_streams;

    size_t n_weights_direct;
    size_t n_weights_fse;

    /* Indexed by RFC8878_PREDEFINED etc.; blocks without sequences count nowhere. */
    size_t literals_length_modes[4];
    size_t offset_modes[4];
    size_t match_length_modes[4];

    size_t n_sequences;
    size_t n_sequence_counts[3];        /* sections by bytes of Number_of_Sequences: 1, 2, 3 */
    size_t n_sequence_counts_long_zero; /* of the second: those that spell zero in two bytes */

    /* Sequences with offset_value 1, 2, 3, by whether the literals length is zero. */
    size_t repeat_offsets[3];
    size_t repeat_offsets_without_literals[3];

    uint32_t max_literals_length;
    uint32_t max_match_length;
    uint32_t max_offset; /* after repeat-offset resolution; only known to the frame decoder */

    bool single_segment;
    bool has_checksum;
    bool has_content_size;
    uint64_t content_size; /* Frame_Content_Size if present, else the decoded size */
    uint64_t window_size;
} rfc8878_stats;

/* One sequence as it is stored, before repeat offsets are resolved. */
typedef struct rfc8878_sequence {
    uint32_t literals_length; /* 0 to 131071 */
    uint32_t match_length;    /* 3 to 131074 */
    uint32_t offset_value;    /* 1 to 3: a repeat offset; else the offset plus 3 */
} rfc8878_sequence;

/*
 * Decodes the one Zstandard frame that is the whole of src[0..src_size): a skippable frame, a
 * second frame or trailing bytes are rejected, and so is a frame that names a dictionary.
 *
 * dst:       at least dst_capacity bytes, not overlapping src. May be NULL if dst_capacity is 0.
 *            A content larger than dst_capacity is reported as an error of section "caller".
 * dst_size:  set to the number of decoded bytes on success, to 0 on failure.
 * stats:     may be NULL.
 * Returns true if every rule held.
 */
bool rfc8878_decode_frame(const void *src, size_t src_size, void *dst, size_t dst_capacity,
                          size_t *dst_size, rfc8878_stats *stats, char *error,
                          size_t error_capacity);

/*
 * Decodes a Literals_Section that stands at the start of src, as in the first block of a frame:
 * Treeless_Literals_Block has no tree to reuse and is rejected. At most 128 KiB of literals.
 *
 * consumed: set to the size of the section on success; bytes after it are not looked at.
 * Otherwise as above; the tree's and streams' statistics are filled in.
 */
bool rfc8878_decode_literals_section(const void *src, size_t src_size, void *dst,
                                     size_t dst_capacity, size_t *dst_size, size_t *consumed,
                                     rfc8878_stats *stats, char *error, size_t error_capacity);

/*
 * Decodes a Sequences_Section that is the whole of src, as in the first block of a frame:
 * Repeat_Mode has no table to reuse and is rejected.
 *
 * sequences: room for `capacity` of them; a block cannot hold more than RFC8878_SEQUENCES_MAX.
 * n:         set to the number of sequences on success, to 0 on failure.
 *
 * Offsets and lengths are not checked against any content here; the frame decoder does that.
 */
bool rfc8878_decode_sequences_section(const void *src, size_t src_size, rfc8878_sequence *sequences,
                                      size_t capacity, size_t *n, rfc8878_stats *stats, char *error,
                                      size_t error_capacity);

/*
 * Decodes a Huffman_Tree_Description at the start of src.
 *
 * weights:   Weight of symbols 0 to n_symbols - 1, the implicit last one included.
 * max_bits:  Max_Number_of_Bits, 1 to 11; a symbol of Weight w > 0 has max_bits + 1 - w bits.
 * consumed:  the size of the description, header byte included.
 */
bool rfc8878_decode_huffman_weights(const void *src, size_t src_size,
                                    uint8_t weights[RFC8878_WEIGHTS_MAX], size_t *n_symbols,
                                    unsigned *max_bits, size_t *consumed, rfc8878_stats *stats,
                                    char *error, size_t error_capacity);

/*
 * Decodes an FSE table description at the start of src.
 *
 * max_symbol:       35 literals lengths, 52 match lengths, 31 offsets, 11 Huffman weights;
 *                   255 at most.
 * max_accuracy_log: 9, 9, 8 and 6 for the same fields; 9 at most.
 * probabilities:    room for max_symbol + 1; -1 stands for "less than 1".
 * n_symbols:        number of probabilities described, the last of which is not zero.
 * consumed:         bytes of the description.
 */
bool rfc8878_decode_fse_table(const void *src, size_t src_size, unsigned max_symbol,
                              unsigned max_accuracy_log, int16_t *probabilities, size_t *n_symbols,
                              unsigned *accuracy_log, size_t *consumed, char *error,
                              size_t error_capacity);

#endif
