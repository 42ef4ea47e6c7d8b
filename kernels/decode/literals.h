/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The literals section of a decoder (RFC 8878, 3.1.1.3.1). The streams of Huffman codes are decoded
 * stretch by stretch from the entry points, side by side. A stretch must end where the next one
 * begins, and the last one where its stream does. So the literals are those of reading each stream
 * in one go, whatever the entry points say: a wrong one only makes a stretch end in a wrong place.
 */
#ifndef ROCKPRESS_KERNELS_DECODE_LITERALS_H
#define ROCKPRESS_KERNELS_DECODE_LITERALS_H

#include "kernels/base/entry_points.h"
#include "kernels/decode/huffman.h"

typedef struct rp_decode_literals {
    uint32_t type; /* RP_DECODE_*_LITERALS */
    uint32_t n_literals;
    uint32_t n_streams;         /* 1 or 4, of Huffman codes */
    uint32_t each;              /* literals of a stream; the last one has the rest */
    rp_decode_range content;    /* what follows the header; ends with the section */
    rp_decode_range tree;       /* of Huffman codes: the description of their tree */
    rp_decode_range streams[4]; /* and their bitstreams */
} rp_decode_literals;

/* Reads the header of the section that a block's content begins with, and the sizes of the
 * streams. Returns false if a rule is broken. One worker. */
RP_FN bool rp_decode_read_literals(const uint8_t *base, rp_decode_range block, uint32_t max_bytes,
                                   rp_decode_literals *literals)
{
    const uint32_t available = block.end - block.begin;
    if (available == 0)
        return false;
    const uint32_t first = base[block.begin];
    const uint32_t size_format = first >> 2 & 3;
    const bool is_coded = (first & 3) >= RP_DECODE_HUFFMAN_LITERALS;
    uint32_t n_used_bits = 4;
    uint32_t n_size_bits;
    if (is_coded) {
        n_size_bits = size_format < 2 ? 10 : size_format == 2 ? 14 : 18;
    } else {
        n_size_bits = size_format == 1 ? 12 : size_format == 3 ? 20 : 5;
        n_used_bits = n_size_bits == 5 ? 3 : 4;
    }
    const uint32_t n_header = (n_used_bits + n_size_bits * (is_coded ? 2 : 1) + 7) / 8;
    if (n_header > available)
        return false;
    uint64_t header = 0;
    for (uint32_t i = 0; i < n_header; i++)
        header |= (uint64_t)base[block.begin + i] << (8 * i);
    const uint32_t mask = (UINT32_C(1) << n_size_bits) - 1;
    const uint32_t n_literals = (uint32_t)(header >> n_used_bits) & mask;
    uint32_t n_content = n_literals;
    if (is_coded)
        n_content = (uint32_t)(header >> (n_used_bits + n_size_bits)) & mask;
    else if ((first & 3) == RP_DECODE_RLE_LITERALS)
        n_content = 1;
    /* Type 3 has the tree of an earlier block, which no encoder of ours leaves a decoder with. */
    if ((first & 3) > RP_DECODE_HUFFMAN_LITERALS || n_literals > max_bytes ||
        n_content > available - n_header)
        return false;
    literals->type = first & 3;
    literals->n_literals = n_literals;
    literals->content.begin = block.begin + n_header;
    literals->content.end = literals->content.begin + n_content;
    literals->n_streams = size_format == 0 ? 1 : 4;
    literals->each = literals->n_streams == 1 ? n_literals : (n_literals + 3) / 4;
    if (!is_coded)
        return true;

    rp_decode_range rest = literals->content;
    if (n_content == 0)
        return false;
    literals->tree.begin = rest.begin;
    const uint32_t n_tree = rp_decode_tree_bytes(base[rest.begin]);
    if (n_tree > n_content)
        return false;
    rest.begin += n_tree;
    literals->tree.end = rest.begin;
    literals->streams[0] = rest;
    if (literals->n_streams == 1)
        return true;
    if (n_literals < 6 || rest.end - rest.begin < 6)
        return false;
    uint32_t at = rest.begin + 6;
    for (uint32_t k = 0; k < 3; k++) {
        const uint8_t *size = base + rest.begin + 2 * k;
        literals->streams[k].begin = at;
        at += size[0] | (uint32_t)size[1] << 8;
        literals->streams[k].end = at;
    }
    literals->streams[3].begin = at;
    literals->streams[3].end = rest.end;
    return at < rest.end;
}

/* How the literals are divided into stretches. */
typedef struct rp_decode_stretches {
    uint32_t length;     /* literals of a stretch */
    uint32_t per_stream; /* stretches */
} rp_decode_stretches;

RP_FN rp_decode_stretches rp_decode_literal_stretches(const rp_decode_literals *literals,
                                                      bool has_entries)
{
    rp_decode_stretches stretches;
    stretches.length = has_entries ? RP_LITERALS_STRETCH : rp_max32(literals->each, 1);
    stretches.per_stream = rp_max32((literals->each + stretches.length - 1) / stretches.length, 1);
    return stretches;
}

/* Decodes n literals from a place in a stream on, whose first bit is at `first`. Returns where the
 * reading ends, which may be before `first` if the stream has too few bits. One worker. */
RP_FN uint32_t rp_decode_symbols(const uint8_t *base, uint32_t place, uint32_t first, uint32_t n,
                                 const rp_decode_huffman *huffman, uint8_t *literals)
{
    const uint32_t shift = 32 - huffman->max_bits;
    uint32_t i = 0;
#if !defined(__CUDACC__)
    /* A CPU loads the bits of four codes at once. */
    while (n - i >= 4 && place >= first) {
        uint64_t bits = rp_decode_many_bits_before(base, place);
        for (uint32_t k = 0; k < 4; k++) {
            const uint32_t entry = huffman->entries[bits >> (shift + 32)];
            bits <<= entry >> 8;
            place -= entry >> 8;
            literals[i + k] = (uint8_t)entry;
        }
        i += 4;
    }
#endif
    while (n - i >= 2 && place >= first) {
        const uint32_t bits = rp_decode_bits_before(base, place);
        const uint32_t a = huffman->entries[bits >> shift];
        const uint32_t b = huffman->entries[bits << (a >> 8) >> shift];
        place -= (a >> 8) + (b >> 8);
        literals[i] = (uint8_t)a;
        literals[i + 1] = (uint8_t)b;
        i += 2;
    }
    if (n - i == 1 && place >= first) {
        const uint32_t a = huffman->entries[rp_decode_bits_before(base, place) >> shift];
        place -= a >> 8;
        literals[i] = (uint8_t)a;
    }
    return place;
}

/* Decodes a stretch to its place among the literals. `entries` are those of the section, or NULL.
 * Returns false if it does not end where it must. One worker. */
RP_FN bool rp_decode_literal_stretch(const uint8_t *base, const rp_decode_literals *section,
                                     rp_decode_stretches stretches, uint32_t index,
                                     const uint32_t *entries, uint32_t entries_each,
                                     const rp_decode_huffman *huffman, uint8_t *literals)
{
    const uint32_t stream = index / stretches.per_stream;
    const uint32_t k = index % stretches.per_stream;
    const rp_decode_range range = section->streams[stream];
    const uint32_t first = 8 * range.begin;
    const uint32_t begin = stream * section->each;
    const uint32_t n_stream =
        stream + 1 == section->n_streams ? section->n_literals - begin : section->each;
    const uint32_t done = k * stretches.length;
    if (done > n_stream || (done == n_stream && k != 0))
        return true;
    uint32_t place = rp_decode_open(base, range);
    if (place == 0)
        return false;
    if (k != 0) {
        const uint32_t left = entries[stream * entries_each + k];
        if (left > place - first)
            return false;
        place = first + left;
    }
    uint32_t n = n_stream - done;
    uint32_t end = first;
    if (n > stretches.length) {
        n = stretches.length;
        const uint32_t left = entries[stream * entries_each + k + 1];
        if (left > place - first)
            return false;
        end = first + left;
    }
    return rp_decode_symbols(base, place, first, n, huffman, literals + begin + done) == end;
}

#endif
