/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Frames, blocks and sequence execution, and the entry points of the decoder.
 *
 * Every check names the section of the format document that states its rule, either in a comment
 * or as the section of its message.
 */

#include "rfc8878_decoder.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "rfc8878_literals.h"
#include "rfc8878_sequences.h"

static const char frame_header[] = "Frame_Header";
static const char sequence_execution[] = "Sequence Execution";
static const char block_maximum_size[] = "Block_Maximum_Size";

enum { RAW_BLOCK, RLE_BLOCK, COMPRESSED_BLOCK, RESERVED_BLOCK };

/* All that one frame carries from block to block, too large for a stack. */
typedef struct frame_state {
    rfc8878_report report;
    rfc8878_stats stats;

    /* Input: src[0..size) with everything before `position` read. */
    const uint8_t *src;
    size_t size;
    size_t position;

    uint8_t *dst;
    size_t capacity;
    size_t dst_size;
    size_t block_start; /* dst_size when the block began */
    size_t block_size_max;

    uint32_t repeat[3]; /* Repeated_Offset1 to 3 */
    rfc8878_huffman_tree tree;
    rfc8878_sequence_tables tables;
    size_t literals_size;
    uint8_t *literals;           /* block_size_max bytes */
    rfc8878_sequence *sequences; /* n_sequences_max of them */
    size_t n_sequences_max;
} frame_state;

static uint64_t read_little_endian(const uint8_t *src, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        value |= (uint64_t)src[i] << (8 * i);
    }
    return value;
}

/* Takes n bytes of the frame; `what` is for the message. */
static bool take_bytes(frame_state *f, size_t n, const char *what, const uint8_t **bytes)
{
    *bytes = f->src + f->position;
    if (n > f->size - f->position) {
        return rfc8878_reject(&f->report, *bytes, what, "truncated, %zu bytes of %zu are there",
                              f->size - f->position, n);
    }
    f->position += n;
    return true;
}

static bool read_window_descriptor(frame_state *f)
{
    const uint8_t *bytes;
    if (!take_bytes(f, 1, "Window_Descriptor", &bytes)) {
        return false;
    }
    /* Window_Descriptor. Any size is legal; the 8 MB for interoperability are "merely a
     * recommendation", and nothing is allocated by it here. */
    uint64_t base = UINT64_C(1) << (10 + (bytes[0] >> 3));
    f->stats.window_size = base + base / 8 * (bytes[0] & 7);
    return true;
}

static bool read_frame_header(frame_state *f)
{
    const uint8_t *bytes;
    if (!take_bytes(f, 4, "Magic_Number", &bytes)) {
        return false;
    }
    if (read_little_endian(bytes, 4) != 0xFD2FB528) {
        return rfc8878_reject(&f->report, bytes, "Magic_Number", "not a Zstandard frame");
    }
    if (!take_bytes(f, 1, frame_header, &bytes)) {
        return false;
    }
    unsigned descriptor = bytes[0];
    unsigned content_size_flag = descriptor >> 6;
    unsigned dictionary_id_flag = descriptor & 3;
    f->stats.single_segment = (descriptor >> 5) & 1;
    f->stats.has_checksum = (descriptor >> 2) & 1;
    /* Unused_bit: a decoder ignores it, an encoder "must set this bit to zero". */
    if ((descriptor >> 4) & 1) {
        return rfc8878_reject(&f->report, bytes, "Unused_bit", "an encoder must set it to zero");
    }
    if ((descriptor >> 3) & 1) {
        return rfc8878_reject(&f->report, bytes, "Reserved_bit", "it must be zero");
    }

    if (!f->stats.single_segment && !read_window_descriptor(f)) {
        return false;
    }

    static const size_t dictionary_id_sizes[4] = {0, 1, 2, 4};
    if (!take_bytes(f, dictionary_id_sizes[dictionary_id_flag], "Dictionary_ID", &bytes)) {
        return false;
    }
    /* Dictionary_ID: "a value of 0 has same meaning as no Dictionary_ID". That no dictionary is
     * used at all is a rule of rockpress, not of the document. */
    if (read_little_endian(bytes, dictionary_id_sizes[dictionary_id_flag]) != 0) {
        return rfc8878_reject(&f->report, bytes, "Dictionary_ID", "a dictionary is required");
    }

    /* Frame_Content_Size: any variant that can express the size may be used. */
    static const size_t content_size_sizes[4] = {0, 2, 4, 8};
    size_t n = content_size_sizes[content_size_flag];
    if (n == 0 && f->stats.single_segment) {
        n = 1;
    }
    if (!take_bytes(f, n, "Frame_Content_Size", &bytes)) {
        return false;
    }
    f->stats.has_content_size = n > 0;
    f->stats.content_size = read_little_endian(bytes, n) + (n == 2 ? 256 : 0);
    if (f->stats.single_segment) {
        f->stats.window_size = f->stats.content_size;
    }
    f->block_size_max = f->stats.window_size < RFC8878_BLOCK_BYTES_MAX
                            ? (size_t)f->stats.window_size
                            : RFC8878_BLOCK_BYTES_MAX;
    return true;
}

/* Claims n more bytes of decoded content, of which `at` is the cause. */
static bool claim_content(frame_state *f, const uint8_t *at, size_t n)
{
    /* Block_Maximum_Size: "applicable to both the decompressed size and the compressed size". */
    if (n > f->block_size_max - (f->dst_size - f->block_start)) {
        return rfc8878_reject(&f->report, at, block_maximum_size,
                              "decompressed block exceeds Block_Maximum_Size of %zu",
                              f->block_size_max);
    }
    /* Frame_Content_Size: "this is the original (uncompressed) size". */
    if (f->stats.has_content_size && n > f->stats.content_size - f->dst_size) {
        return rfc8878_reject(&f->report, at, "Frame_Content_Size",
                              "content exceeds Frame_Content_Size of %llu",
                              (unsigned long long)f->stats.content_size);
    }
    if (n > f->capacity - f->dst_size) {
        return rfc8878_reject(&f->report, at, "caller", "content does not fit into %zu bytes",
                              f->capacity);
    }
    return true;
}

static bool append_bytes(frame_state *f, const uint8_t *at, const uint8_t *bytes, size_t n)
{
    if (!claim_content(f, at, n)) {
        return false;
    }
    if (n > 0) {
        memcpy(f->dst + f->dst_size, bytes, n);
    }
    f->dst_size += n;
    return true;
}

/*
 * Repeat offsets, and Offset updates rules: the offset of one sequence; false if it is zero.
 */
static bool resolve_offset(uint32_t repeat[3], const rfc8878_sequence *sequence, uint32_t *offset)
{
    if (sequence->offset_value > 3) {
        *offset = sequence->offset_value - 3;
    } else {
        /* Without literals, the meanings shift by one, and the last one is new. */
        uint32_t which = sequence->offset_value - 1 + (sequence->literals_length == 0);
        if (which < 3) {
            *offset = repeat[which];
            for (uint32_t i = which; i > 0; i--) {
                repeat[i] = repeat[i - 1];
            }
            repeat[0] = *offset;
            return true;
        }
        *offset = repeat[0] - 1;
    }
    repeat[2] = repeat[1];
    repeat[1] = repeat[0];
    repeat[0] = *offset;
    return *offset != 0;
}

static bool execute_sequence(frame_state *f, const uint8_t *at, size_t index,
                             const rfc8878_sequence *sequence, size_t *literals_used)
{
    size_t n_literals = sequence->literals_length;
    if (n_literals > f->literals_size - *literals_used) {
        return rfc8878_reject(&f->report, at, sequence_execution,
                              "sequence %zu takes more literals than are left (%zu)", index,
                              f->literals_size - *literals_used);
    }
    if (!append_bytes(f, at, f->literals + *literals_used, n_literals)) {
        return false;
    }
    *literals_used += n_literals;

    uint32_t offset;
    if (!resolve_offset(f->repeat, sequence, &offset)) {
        return rfc8878_reject(&f->report, at, "Repeat offsets",
                              "offset of sequence %zu is Repeated_Offset1 - 1 = 0", index);
    }
    if (offset > f->dst_size) {
        return rfc8878_reject(&f->report, at, sequence_execution,
                              "offset %u of sequence %zu leads before the content", offset, index);
    }
    /* Sequence Execution: "all offsets leading to previously decoded data must be smaller than
     * Window_Size". Equal is what libzstd allows itself. */
    if (offset >= f->stats.window_size) {
        return rfc8878_reject(&f->report, at, sequence_execution,
                              "offset %u of sequence %zu is not smaller than Window_Size", offset,
                              index);
    }
    if (!claim_content(f, at, sequence->match_length)) {
        return false;
    }
    for (size_t i = 0; i < sequence->match_length; i++) {
        f->dst[f->dst_size] = f->dst[f->dst_size - offset];
        f->dst_size++;
    }
    if (offset > f->stats.max_offset) {
        f->stats.max_offset = offset;
    }
    return true;
}

static bool decode_compressed_block(frame_state *f, const uint8_t *content, size_t size)
{
    size_t section_size;
    if (!rfc8878_read_literals(&f->report, content, size, f->block_size_max, f->literals,
                               f->block_size_max, &f->literals_size, &section_size, &f->tree,
                               &f->stats)) {
        return false;
    }
    const uint8_t *section = content + section_size;
    size_t n;
    if (!rfc8878_read_sequences(&f->report, section, size - section_size, f->block_size_max,
                                f->sequences, f->n_sequences_max, &n, &f->tables, &f->stats)) {
        return false;
    }
    size_t literals_used = 0;
    for (size_t i = 0; i < n; i++) {
        if (!execute_sequence(f, section, i, &f->sequences[i], &literals_used)) {
            return false;
        }
    }
    /* Sequences Section: left-over literals end the block. */
    return append_bytes(f, content, f->literals + literals_used, f->literals_size - literals_used);
}

static bool decode_block(frame_state *f, bool *is_last)
{
    const uint8_t *header;
    if (!take_bytes(f, 3, "Block_Header", &header)) {
        return false;
    }
    uint32_t packed = (uint32_t)read_little_endian(header, 3);
    unsigned type = (packed >> 1) & 3;
    size_t block_size = packed >> 3;
    *is_last = packed & 1;
    if (type == RESERVED_BLOCK) {
        return rfc8878_reject(&f->report, header, "Block_Type", "Reserved is corrupted data");
    }
    /* Block_Size: "limited by Block_Maximum_Size", for all types; and so is Block_Content, which
     * is one byte for an RLE_Block. */
    size_t content_size = type == RLE_BLOCK ? 1 : block_size;
    if (block_size > f->block_size_max || content_size > f->block_size_max) {
        return rfc8878_reject(&f->report, header, block_maximum_size,
                              "Block_Size %zu (content %zu) exceeds Block_Maximum_Size of %zu",
                              block_size, content_size, f->block_size_max);
    }
    const uint8_t *content;
    if (!take_bytes(f, content_size, "Block_Content", &content)) {
        return false;
    }
    f->block_start = f->dst_size;
    switch (type) {
    case RAW_BLOCK:
        f->stats.n_blocks_raw++;
        return append_bytes(f, header, content, block_size);
    case RLE_BLOCK:
        f->stats.n_blocks_rle++;
        if (!claim_content(f, header, block_size)) {
            return false;
        }
        if (block_size > 0) {
            memset(f->dst + f->dst_size, content[0], block_size);
        }
        f->dst_size += block_size;
        return true;
    default:
        f->stats.n_blocks_compressed++;
        return decode_compressed_block(f, content, block_size);
    }
}

static bool check_frame_end(frame_state *f)
{
    if (f->stats.has_content_size && f->dst_size != f->stats.content_size) {
        return rfc8878_reject(&f->report, f->src + f->position, "Frame_Content_Size",
                              "content of %zu bytes, Frame_Content_Size is %llu", f->dst_size,
                              (unsigned long long)f->stats.content_size);
    }
    f->stats.content_size = f->dst_size;
    if (f->stats.has_checksum) {
        const uint8_t *checksum;
        if (!take_bytes(f, 4, "Content_Checksum", &checksum)) {
            return false;
        }
        if (read_little_endian(checksum, 4) != (XXH64(f->dst, f->dst_size, 0) & UINT32_MAX)) {
            return rfc8878_reject(&f->report, checksum, "Content_Checksum",
                                  "not the low 4 bytes of the content's XXH64");
        }
    }
    /* Last_Block: "the frame will end after this last block". */
    if (f->position != f->size) {
        return rfc8878_reject(&f->report, f->src + f->position, "Last_Block",
                              "%zu bytes follow the end of the frame", f->size - f->position);
    }
    return true;
}

static bool decode_frame(frame_state *f)
{
    if (!read_frame_header(f)) {
        return false;
    }
    /* By the size of the frame: most frames of a test are small. + 1, as malloc(0) may be NULL. */
    f->n_sequences_max = f->block_size_max / RFC8878_MATCH_BYTES_MIN;
    f->literals = malloc(f->block_size_max + 1);
    f->sequences = malloc((f->n_sequences_max + 1) * sizeof(*f->sequences));
    if (f->literals == NULL || f->sequences == NULL) {
        return rfc8878_reject(&f->report, f->src, "caller", "out of memory");
    }
    /* Blocks: "each frame must have at least one block". */
    bool is_last;
    do {
        if (!decode_block(f, &is_last)) {
            return false;
        }
    } while (!is_last);
    return check_frame_end(f);
}

/* A null `src` of no bytes becomes a real address, so that positions can be computed. */
static const uint8_t *as_bytes(const void *src)
{
    static const uint8_t nothing[1];
    return src != NULL ? src : nothing;
}

bool rfc8878_decode_frame(const void *src, size_t src_size, void *dst, size_t dst_capacity,
                          size_t *dst_size, rfc8878_stats *stats, char *error,
                          size_t error_capacity)
{
    *dst_size = 0;
    if (stats != NULL) {
        *stats = (rfc8878_stats){0};
    }
    const uint8_t *bytes = as_bytes(src);
    rfc8878_report report = rfc8878_report_open(bytes, error, error_capacity);
    frame_state *f = malloc(sizeof(*f));
    if (f == NULL) {
        return rfc8878_reject(&report, bytes, "caller", "out of memory");
    }
    f->report = report;
    f->stats = (rfc8878_stats){0};
    f->src = bytes;
    f->size = src_size;
    f->position = 0;
    f->dst = dst;
    f->capacity = dst_capacity;
    f->dst_size = 0;
    f->literals = NULL;
    f->sequences = NULL;
    f->tree.max_bits = 0;
    f->tables.present = false;
    /* Repeat offsets: the starting values of a frame. */
    f->repeat[0] = 1;
    f->repeat[1] = 4;
    f->repeat[2] = 8;

    bool is_valid = decode_frame(f);
    if (is_valid) {
        *dst_size = f->dst_size;
    }
    if (stats != NULL) {
        *stats = f->stats;
    }
    free(f->sequences);
    free(f->literals);
    free(f);
    return is_valid;
}

bool rfc8878_decode_literals_section(const void *src, size_t src_size, void *dst,
                                     size_t dst_capacity, size_t *dst_size, size_t *consumed,
                                     rfc8878_stats *stats, char *error, size_t error_capacity)
{
    rfc8878_report report = rfc8878_report_open(as_bytes(src), error, error_capacity);
    rfc8878_stats own = {0};
    rfc8878_huffman_tree tree;
    tree.max_bits = 0;
    size_t n = 0;
    size_t section_size = 0;
    bool is_valid = rfc8878_read_literals(&report, as_bytes(src), src_size, RFC8878_BLOCK_BYTES_MAX,
                                          dst, dst_capacity, &n, &section_size, &tree, &own);
    *dst_size = is_valid ? n : 0;
    *consumed = is_valid ? section_size : 0;
    if (stats != NULL) {
        *stats = own;
    }
    return is_valid;
}

bool rfc8878_decode_sequences_section(const void *src, size_t src_size, rfc8878_sequence *sequences,
                                      size_t capacity, size_t *n, rfc8878_stats *stats, char *error,
                                      size_t error_capacity)
{
    rfc8878_report report = rfc8878_report_open(as_bytes(src), error, error_capacity);
    rfc8878_stats own = {0};
    rfc8878_sequence_tables tables;
    tables.present = false;
    size_t n_read = 0;
    bool is_valid =
        rfc8878_read_sequences(&report, as_bytes(src), src_size, RFC8878_BLOCK_BYTES_MAX, sequences,
                               capacity, &n_read, &tables, &own);
    *n = is_valid ? n_read : 0;
    if (stats != NULL) {
        *stats = own;
    }
    return is_valid;
}

bool rfc8878_decode_huffman_weights(const void *src, size_t src_size,
                                    uint8_t weights[RFC8878_WEIGHTS_MAX], size_t *n_symbols,
                                    unsigned *max_bits, size_t *consumed, rfc8878_stats *stats,
                                    char *error, size_t error_capacity)
{
    rfc8878_report report = rfc8878_report_open(as_bytes(src), error, error_capacity);
    rfc8878_stats own = {0};
    rfc8878_weights read = {0};
    size_t size = 0;
    bool is_valid = rfc8878_read_weights(&report, as_bytes(src), src_size, &read, &size, &own);
    *n_symbols = is_valid ? read.n_symbols : 0;
    *max_bits = is_valid ? read.max_bits : 0;
    *consumed = is_valid ? size : 0;
    if (is_valid) {
        memcpy(weights, read.weights, read.n_symbols);
    }
    if (stats != NULL) {
        *stats = own;
    }
    return is_valid;
}

bool rfc8878_decode_fse_table(const void *src, size_t src_size, unsigned max_symbol,
                              unsigned max_accuracy_log, int16_t *probabilities, size_t *n_symbols,
                              unsigned *accuracy_log, size_t *consumed, char *error,
                              size_t error_capacity)
{
    rfc8878_report report = rfc8878_report_open(as_bytes(src), error, error_capacity);
    const rfc8878_fse_limits limits = {
        .section = "FSE Table Description",
        .max_symbol =
            max_symbol < RFC8878_FSE_SYMBOLS_MAX ? max_symbol : RFC8878_FSE_SYMBOLS_MAX - 1,
        .max_accuracy_log =
            max_accuracy_log < RFC8878_FSE_LOG_MAX ? max_accuracy_log : RFC8878_FSE_LOG_MAX,
    };
    rfc8878_distribution read = {0};
    size_t size = 0;
    bool is_valid =
        rfc8878_read_distribution(&report, as_bytes(src), src_size, &limits, &read, &size);
    *n_symbols = is_valid ? read.n_symbols : 0;
    *accuracy_log = is_valid ? read.accuracy_log : 0;
    *consumed = is_valid ? size : 0;
    if (is_valid) {
        memcpy(probabilities, read.probabilities, read.n_symbols * sizeof(*probabilities));
    }
    return is_valid;
}
