/* SPDX-License-Identifier: Apache-2.0 */

#include "rfc8878_literals.h"

#include <string.h>

static const char section_header[] = "Literals_Section_Header";
static const char jump_table[] = "Jump Table";

enum { RAW_LITERALS, RLE_LITERALS, COMPRESSED_LITERALS, TREELESS_LITERALS };

enum {
    JUMP_TABLE_BYTES = 6,
    FOUR_STREAMS_REGENERATED_MIN = 6,
    FOUR_STREAMS_COMPRESSED_MIN = JUMP_TABLE_BYTES + 4, /* a final bit in each */
};

typedef struct literals_header {
    unsigned type; /* Literals_Block_Type */
    unsigned n_streams;
    size_t header_size;
    size_t regenerated_size;
    size_t compressed_size; /* of what follows the header, for every type */
} literals_header;

static size_t read_little_endian(const uint8_t *src, size_t n)
{
    size_t value = 0;
    for (size_t i = 0; i < n; i++) {
        value |= (size_t)src[i] << (8 * i);
    }
    return value;
}

/* Literals_Section_Header: sizes and number of streams, by Literals_Block_Type and Size_Format. */
static bool read_header(const rfc8878_report *report, const uint8_t *src, size_t size,
                        literals_header *header)
{
    if (size == 0) {
        return rfc8878_reject(report, src, section_header, "header is missing");
    }
    header->type = src[0] & 3;
    unsigned size_format = (src[0] >> 2) & 3;
    bool is_huffman = header->type == COMPRESSED_LITERALS || header->type == TREELESS_LITERALS;

    unsigned size_bits;
    unsigned used_bits = 4;
    if (is_huffman) {
        static const unsigned bits_by_format[4] = {10, 10, 14, 18};
        size_bits = bits_by_format[size_format];
        header->n_streams = size_format == 0 ? 1 : 4;
        header->header_size = (4 + 2 * size_bits + 7) / 8;
    } else {
        /* Size_Format 0 and 2 have one bit: the other belongs to the size. */
        static const unsigned bits_by_format[4] = {5, 12, 5, 20};
        size_bits = bits_by_format[size_format];
        used_bits = size_bits == 5 ? 3 : 4;
        header->n_streams = 1;
        header->header_size = (used_bits + size_bits + 7) / 8;
    }
    if (header->header_size > size) {
        return rfc8878_reject(report, src, section_header, "header of %zu bytes is truncated",
                              header->header_size);
    }

    uint64_t packed = 0;
    for (size_t i = 0; i < header->header_size; i++) {
        packed |= (uint64_t)src[i] << (8 * i);
    }
    uint64_t mask = (UINT64_C(1) << size_bits) - 1;
    header->regenerated_size = (size_t)((packed >> used_bits) & mask);
    if (is_huffman) {
        header->compressed_size = (size_t)((packed >> (used_bits + size_bits)) & mask);
    } else {
        header->compressed_size = header->type == RLE_LITERALS ? 1 : header->regenerated_size;
    }
    return true;
}

static bool check_header(const rfc8878_report *report, const uint8_t *src, size_t size,
                         size_t max_size, const literals_header *header)
{
    /* Block_Maximum_Size: literals are part of the decompressed block. */
    if (header->regenerated_size > max_size) {
        return rfc8878_reject(report, src, "Block_Maximum_Size",
                              "%zu literals exceed Block_Maximum_Size of %zu",
                              header->regenerated_size, max_size);
    }
    if (header->type == COMPRESSED_LITERALS || header->type == TREELESS_LITERALS) {
        /* Size_Format, note 2: "Compressed_Size can never be ==0". */
        if (header->compressed_size == 0) {
            return rfc8878_reject(report, src, section_header, "Compressed_Size is 0");
        }
        /* Size_Format 01, 10, 11: sizes of 4 streams start at 6. */
        if (header->n_streams == 4 && header->regenerated_size < FOUR_STREAMS_REGENERATED_MIN) {
            return rfc8878_reject(report, src, section_header,
                                  "Regenerated_Size %zu is below 6, with 4 streams",
                                  header->regenerated_size);
        }
        /* Size_Format, note 2: a jump table, and a byte for each stream. */
        if (header->n_streams == 4 && header->compressed_size < FOUR_STREAMS_COMPRESSED_MIN) {
            return rfc8878_reject(report, src, section_header,
                                  "Compressed_Size %zu is below 10, with 4 streams",
                                  header->compressed_size);
        }
    }
    if (header->compressed_size > size - header->header_size) {
        return rfc8878_reject(report, src, section_header,
                              "%zu bytes of literals are truncated to %zu", header->compressed_size,
                              size - header->header_size);
    }
    return true;
}

static bool read_four_streams(const rfc8878_report *report, const uint8_t *src, size_t size,
                              const rfc8878_huffman_tree *tree, uint8_t *dst, size_t n)
{
    /* Jump Table: corrupted if Total_Streams_Size < sizes of three streams + 6 + 1. */
    if (size < JUMP_TABLE_BYTES) {
        return rfc8878_reject(report, src, jump_table, "jump table is truncated");
    }
    size_t sizes[4];
    size_t n_used = JUMP_TABLE_BYTES;
    for (size_t i = 0; i < 3; i++) {
        sizes[i] = read_little_endian(src + 2 * i, 2);
        n_used += sizes[i];
    }
    if (size < n_used + 1) {
        return rfc8878_reject(report, src, jump_table,
                              "Total_Streams_Size %zu leaves nothing for stream 4", size);
    }
    sizes[3] = size - n_used;

    /* Jump Table: three streams of (Regenerated_Size + 3) / 4, the last one takes the rest. */
    const size_t part = (n + 3) / 4;
    const uint8_t *stream = src + JUMP_TABLE_BYTES;
    for (size_t i = 0; i < 4; i++) {
        if (!rfc8878_read_huffman_stream(report, stream, sizes[i], tree, dst + i * part,
                                         i < 3 ? part : n - 3 * part)) {
            return false;
        }
        stream += sizes[i];
    }
    return true;
}

static bool read_huffman_literals(const rfc8878_report *report, const uint8_t *src,
                                  const literals_header *header, rfc8878_huffman_tree *tree,
                                  uint8_t *dst, rfc8878_stats *stats)
{
    const uint8_t *streams = src + header->header_size;
    size_t streams_size = header->compressed_size;
    if (header->type == COMPRESSED_LITERALS) {
        rfc8878_weights weights;
        size_t tree_size;
        /* Huffman_Tree_Description: it is part of Compressed_Size. */
        if (!rfc8878_read_weights(report, streams, streams_size, &weights, &tree_size, stats)) {
            return false;
        }
        rfc8878_build_huffman_tree(&weights, tree);
        streams += tree_size;
        streams_size -= tree_size;
    } else if (tree->max_bits == 0) {
        return rfc8878_reject(report, src, "Treeless_Literals_Block",
                              "no previous Huffman tree in this frame");
    }
    if (header->n_streams == 4) {
        return read_four_streams(report, streams, streams_size, tree, dst,
                                 header->regenerated_size);
    }
    return rfc8878_read_huffman_stream(report, streams, streams_size, tree, dst,
                                       header->regenerated_size);
}

static void count_literals(const literals_header *header, rfc8878_stats *stats)
{
    bool is_single = header->n_streams == 1;
    switch (header->type) {
    case RAW_LITERALS:
        stats->n_literals_raw++;
        break;
    case RLE_LITERALS:
        stats->n_literals_rle++;
        break;
    case COMPRESSED_LITERALS:
        stats->n_literals_huffman_1_stream += is_single;
        stats->n_literals_huffman_4_streams += !is_single;
        break;
    default:
        stats->n_literals_treeless_1_stream += is_single;
        stats->n_literals_treeless_4_streams += !is_single;
        break;
    }
}

bool rfc8878_read_literals(const rfc8878_report *report, const uint8_t *src, size_t size,
                           size_t max_size, uint8_t *dst, size_t capacity, size_t *dst_size,
                           size_t *consumed, rfc8878_huffman_tree *tree, rfc8878_stats *stats)
{
    literals_header header = {0};
    if (!read_header(report, src, size, &header) ||
        !check_header(report, src, size, max_size, &header)) {
        return false;
    }
    if (header.regenerated_size > capacity) {
        return rfc8878_reject(report, src, "caller", "%zu literals do not fit into %zu bytes",
                              header.regenerated_size, capacity);
    }
    count_literals(&header, stats);

    const uint8_t *content = src + header.header_size;
    if (header.type == RAW_LITERALS) {
        if (header.regenerated_size > 0) {
            memcpy(dst, content, header.regenerated_size);
        }
    } else if (header.type == RLE_LITERALS) {
        if (header.regenerated_size > 0) {
            memset(dst, content[0], header.regenerated_size);
        }
    } else if (!read_huffman_literals(report, src, &header, tree, dst, stats)) {
        return false;
    }
    *dst_size = header.regenerated_size;
    *consumed = header.header_size + header.compressed_size;
    return true;
}
