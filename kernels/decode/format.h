/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the frame verifier knows of RFC 8878. It is written down anew, and nothing of the encoder's
 * is included in kernels/decode/: a mistake or a damaged table of one of them is not shared by the
 * other. Section numbers are the RFC's.
 */
#ifndef ROCKPRESS_KERNELS_DECODE_FORMAT_H
#define ROCKPRESS_KERNELS_DECODE_FORMAT_H

#include "kernels/base/memory.h"

#define RP_DECODE_MAGIC UINT32_C(0xFD2FB528) /* 3.1.1 */
/* The shortest frame: magic number, descriptor, content size of one byte, a block header. */
#define RP_DECODE_MIN_FRAME_BYTES 9
#define RP_DECODE_BLOCK_HEADER_BYTES 3
#define RP_DECODE_BLOCK_MAX_BYTES (UINT32_C(128) << 10) /* 3.1.1.2.4 */

/* Block_Type, 3.1.1.2.2 */
enum { RP_DECODE_RAW_BLOCK, RP_DECODE_RLE_BLOCK, RP_DECODE_COMPRESSED_BLOCK };

/* Literals_Block_Type, 3.1.1.3.1.1 */
enum { RP_DECODE_RAW_LITERALS, RP_DECODE_RLE_LITERALS, RP_DECODE_HUFFMAN_LITERALS };

/* Symbol_Compression_Modes, 3.1.1.3.2.1 */
enum { RP_DECODE_PREDEFINED_MODE, RP_DECODE_RLE_MODE, RP_DECODE_FSE_MODE };

/* The three fields of a sequence, in the order of their tables, and Huffman weights, which have an
 * FSE table, too (4.2.1.2). */
enum {
    RP_DECODE_LITERAL_LENGTHS,
    RP_DECODE_OFFSETS,
    RP_DECODE_MATCH_LENGTHS,
    RP_DECODE_FIELDS,
    RP_DECODE_WEIGHTS = RP_DECODE_FIELDS
};

#define RP_DECODE_MAX_FSE_LOG 9
#define RP_DECODE_MAX_FSE_SYMBOLS 53
#define RP_DECODE_WEIGHTS_MAX_LOG 6
#define RP_DECODE_MAX_CODE_BITS 11 /* of a Huffman code, 4.2.1 */
#define RP_DECODE_MIN_MATCH 3

/* Larger offsets are refused. No match of an encoder's leaves its zstd block, so none is near. */
#define RP_DECODE_MAX_OFFSET_LOG 27

/* Largest Accuracy_Log and largest symbol of a field's table, 3.1.1.3.2.1 and 4.2.1.2. */
typedef struct rp_decode_limits {
    uint32_t max_log;
    uint32_t max_symbol;
} rp_decode_limits;

RP_FN rp_decode_limits rp_decode_limits_of(uint32_t field)
{
    rp_decode_limits limits = {9, 35};
    if (field == RP_DECODE_OFFSETS) {
        limits.max_log = 8;
        limits.max_symbol = 31;
    } else if (field == RP_DECODE_MATCH_LENGTHS) {
        limits.max_symbol = 52;
    } else if (field == RP_DECODE_WEIGHTS) {
        limits.max_log = RP_DECODE_WEIGHTS_MAX_LOG;
        limits.max_symbol = RP_DECODE_MAX_CODE_BITS;
    }
    return limits;
}

/* Codes of literal lengths from 16 on and of match lengths from 32 on: baseline and number of extra
 * bits, 3.1.1.3.2.1.1. The codes below are the lengths themselves, less 3 for a match. */
#define RP_DECODE_LITERAL_LENGTHS_DIRECT 16
#define RP_DECODE_MATCH_LENGTHS_DIRECT 32

RP_CONSTANT uint32_t rp_decode_literal_length_base[20] = {
    16,  18,  20,  22,   24,   28,   32,   40,    48,    64,
    128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536,
};
RP_CONSTANT uint8_t rp_decode_literal_length_bits[20] = {
    1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
};
RP_CONSTANT uint32_t rp_decode_match_length_base[21] = {
    35,  37,  39,  41,   43,   47,   51,   59,    67,    83,    99,
    131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539,
};
RP_CONSTANT uint8_t rp_decode_match_length_bits[21] = {
    1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
};

/* Number of extra bits of a field's code. */
RP_FN uint32_t rp_decode_extra_bits(uint32_t field, uint32_t code)
{
    if (field == RP_DECODE_OFFSETS)
        return code;
    if (field == RP_DECODE_LITERAL_LENGTHS && code >= RP_DECODE_LITERAL_LENGTHS_DIRECT)
        return rp_decode_literal_length_bits[code - RP_DECODE_LITERAL_LENGTHS_DIRECT];
    if (field == RP_DECODE_MATCH_LENGTHS && code >= RP_DECODE_MATCH_LENGTHS_DIRECT)
        return rp_decode_match_length_bits[code - RP_DECODE_MATCH_LENGTHS_DIRECT];
    return 0;
}

/* Default distributions, 3.1.1.3.2.2.1: probabilities, of which -1 is "less than 1". */
#define RP_DECODE_PREDEFINED_OFFSETS 29
RP_CONSTANT int16_t rp_decode_predefined[RP_DECODE_FIELDS][RP_DECODE_MAX_FSE_SYMBOLS] = {
    {4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,  1,  2,  2,
     2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1},
    {1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1},
    {1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1, 1,
     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1},
};

/* Accuracy_Log and number of symbols of a default distribution. */
RP_FN uint32_t rp_decode_predefined_log(uint32_t field)
{
    return field == RP_DECODE_OFFSETS ? 5 : 6;
}

RP_FN uint32_t rp_decode_predefined_symbols(uint32_t field)
{
    return field == RP_DECODE_OFFSETS ? RP_DECODE_PREDEFINED_OFFSETS
                                      : rp_decode_limits_of(field).max_symbol + 1;
}

#endif
