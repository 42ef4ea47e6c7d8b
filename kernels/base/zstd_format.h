/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The constants and tables of RFC 8878 that the encoder needs. Section numbers are the RFC's.
 */
#ifndef ROCKPRESS_KERNELS_BASE_ZSTD_FORMAT_H
#define ROCKPRESS_KERNELS_BASE_ZSTD_FORMAT_H

#include "kernels/base/memory.h"

#define RP_FRAME_MAGIC UINT32_C(0xFD2FB528) /* 3.1.1 */

/* Frame_Header, 3.1.1.1. The window of a single segment is its whole content. So larger inputs get
 * a Window_Descriptor: decoders are recommended to support windows of 8 MiB, and many refuse
 * larger ones than 128 MiB. No match leaves a zstd block, so a window as large as one will do. */
#define RP_SEGMENT_MAX_BYTES ((size_t)8 << 20)
#define RP_FRAME_WINDOW_LOG 17
#define RP_WINDOW_DESCRIPTOR ((RP_FRAME_WINDOW_LOG - 10) << 3) /* mantissa 0 */

/* Block_Type, 3.1.1.2.2 */
#define RP_BLOCK_RAW 0
#define RP_BLOCK_RLE 1
#define RP_BLOCK_COMPRESSED 2
#define RP_BLOCK_HEADER_BYTES 3

/* Literals_Block_Type, 3.1.1.3.1.1 */
#define RP_LITERALS_RAW 0
#define RP_LITERALS_RLE 1
#define RP_LITERALS_COMPRESSED 2

/* Huffman coding, 4.2.1 */
#define RP_HUFFMAN_MAX_BITS 11
#define RP_HUFFMAN_WEIGHTS_MAX_LOG 6
#define RP_HUFFMAN_MAX_DIRECT_WEIGHTS 128

/* Symbol_Compression_Modes, 3.1.1.3.2.1.1 */
#define RP_MODE_PREDEFINED 0
#define RP_MODE_RLE 1
#define RP_MODE_FSE 2

/* The three fields of a sequence, in the order of their tables (3.1.1.3.2.1). */
#define RP_FIELD_LITERAL_LENGTH 0
#define RP_FIELD_OFFSET 1
#define RP_FIELD_MATCH_LENGTH 2
#define RP_N_FIELDS 3

#define RP_LITERAL_LENGTH_CODES 36
#define RP_MATCH_LENGTH_CODES 53
#define RP_OFFSET_CODES 32 /* an offset value has at most 31 bits */
#define RP_PREDEFINED_OFFSET_CODES 29
#define RP_MAX_CODES 53
#define RP_FSE_MIN_LOG 5
#define RP_LITERAL_LENGTH_MAX_LOG 9 /* 3.1.1.3.2.1.1: the largest Accuracy_Log of each field */
#define RP_OFFSET_MAX_LOG 8
#define RP_MATCH_LENGTH_MAX_LOG 9
#define RP_LITERAL_LENGTH_PREDEFINED_LOG 6
#define RP_OFFSET_PREDEFINED_LOG 5
#define RP_MATCH_LENGTH_PREDEFINED_LOG 6

/* Number of extra bits of each code, 3.1.1.3.2.1.1. An offset code's is the code itself. */
RP_CONSTANT uint8_t rp_literal_length_extra_bits[RP_LITERAL_LENGTH_CODES] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  1,  1,
    1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
};
RP_CONSTANT uint8_t rp_match_length_extra_bits[RP_MATCH_LENGTH_CODES] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  0,  0,  0,
    0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
};

/* The code of a literal length below 64, and that of a match length minus 3 below 128. Larger ones
 * have a code for each power of two. */
RP_CONSTANT uint8_t rp_literal_length_code_of[64] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 16, 17, 17, 18, 18,
    19, 19, 20, 20, 20, 20, 21, 21, 21, 21, 22, 22, 22, 22, 22, 22, 22, 22, 23, 23, 23, 23,
    23, 23, 23, 23, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24,
};
RP_CONSTANT uint8_t rp_match_length_code_of[128] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 32, 33, 33, 34, 34, 35, 35, 36, 36, 36, 36,
    37, 37, 37, 37, 38, 38, 38, 38, 38, 38, 38, 38, 39, 39, 39, 39, 39, 39, 39, 39, 40, 40,
    40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 41, 41, 41, 41, 41, 41, 41, 41,
    41, 41, 41, 41, 41, 41, 41, 41, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42,
    42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42,
};

/* Default distributions, 3.1.1.3.2.2. */
RP_CONSTANT int16_t rp_literal_length_predefined[RP_LITERAL_LENGTH_CODES] = {
    4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,  1,  2,  2,
    2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
};
RP_CONSTANT int16_t rp_match_length_predefined[RP_MATCH_LENGTH_CODES] = {
    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1,  1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
};
RP_CONSTANT int16_t rp_offset_predefined[RP_PREDEFINED_OFFSET_CODES] = {
    1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
};

/* The code of a literal length. */
RP_FN uint32_t rp_literal_length_code(uint32_t literal_length)
{
    return literal_length < 64 ? rp_literal_length_code_of[literal_length]
                               : rp_high_bit(literal_length) + 19;
}

/* The code of a match length, which is passed less 3. */
RP_FN uint32_t rp_match_length_code(uint32_t match_length_minus_3)
{
    return match_length_minus_3 < 128 ? rp_match_length_code_of[match_length_minus_3]
                                      : rp_high_bit(match_length_minus_3) + 36;
}

/* Number of extra bits of a field's code. */
RP_FN uint32_t rp_field_extra_bits(uint32_t field, uint32_t code)
{
    if (field == RP_FIELD_LITERAL_LENGTH)
        return rp_literal_length_extra_bits[code];
    if (field == RP_FIELD_MATCH_LENGTH)
        return rp_match_length_extra_bits[code];
    return code;
}

#endif
