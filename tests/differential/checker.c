/* SPDX-License-Identifier: Apache-2.0 */
/* See checker.h. */
#include "tests/differential/checker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "rockpress/engine.h"

/* RFC 8878, 3.1.1.1.2: what decoders are recommended to support, and encoders not to exceed. */
#define SEGMENT_MAX_BYTES ((size_t)8 << 20)
#define WINDOW_DESCRIPTOR 0x38 /* exponent 7, mantissa 0: 128 KiB, a zstd block */

__attribute__((format(printf, 2, 3))) static bool reject(frame_checker *checker, const char *format,
                                                         ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(checker->error, sizeof(checker->error), format, arguments);
    va_end(arguments);
    return false;
}

void checker_free(frame_checker *checker)
{
    free(checker->decoded);
    memset(checker, 0, sizeof(*checker));
}

static void reserve(frame_checker *checker, size_t n)
{
    if (n <= checker->capacity && checker->decoded != NULL)
        return;
    free(checker->decoded);
    checker->decoded = malloc(n + 1);
    if (checker->decoded == NULL)
        abort();
    checker->capacity = n;
}

static bool same(const void *a, const void *b, size_t n)
{
    return n == 0 || memcmp(a, b, n) == 0;
}

/* The header's first bytes, read here a third time: neither decoder says whether a field was
 * there that it did not need. */
static bool check_header(frame_checker *checker, const uint8_t *frame, size_t frame_size,
                         size_t input_size, bool checksum)
{
    unsigned size_flag = input_size < 256 ? 0 : input_size < 65536 + 256 ? 1 : 2;
    const bool is_segment = input_size <= SEGMENT_MAX_BYTES;
    unsigned expected = size_flag << 6 | (is_segment ? 1U << 5 : 0) | (checksum ? 1U << 2 : 0);
    if (frame_size < 6)
        return reject(checker, "a frame of %zu bytes", frame_size);
    if (frame[4] != expected)
        return reject(checker, "Frame_Header_Descriptor is 0x%02x, expected 0x%02x", frame[4],
                      expected);
    if (!is_segment && frame[5] != WINDOW_DESCRIPTOR)
        return reject(checker, "Window_Descriptor is 0x%02x, expected 0x%02x", frame[5],
                      WINDOW_DESCRIPTOR);
    if (ZSTD_getFrameContentSize(frame, frame_size) != input_size)
        return reject(checker, "Frame_Content_Size is %llu of %zu",
                      ZSTD_getFrameContentSize(frame, frame_size), input_size);
    if (ZSTD_findFrameCompressedSize(frame, frame_size) != frame_size)
        return reject(checker, "libzstd sees %zu bytes of a frame of %zu",
                      ZSTD_findFrameCompressedSize(frame, frame_size), frame_size);
    return true;
}

static bool check_stats(frame_checker *checker, size_t input_size, bool checksum)
{
    const rfc8878_stats *stats = &checker->stats;
    if (!stats->has_content_size || stats->content_size != input_size)
        return reject(checker, "not a frame with its content size");
    if (stats->window_size > SEGMENT_MAX_BYTES)
        return reject(checker, "a window of %llu bytes", (unsigned long long)stats->window_size);
    if (stats->has_checksum != checksum)
        return reject(checker, "checksum is %s", checksum ? "missing" : "there");
    if (stats->n_literals_treeless_1_stream + stats->n_literals_treeless_4_streams +
            stats->literals_length_modes[RFC8878_REPEAT] + stats->offset_modes[RFC8878_REPEAT] +
            stats->match_length_modes[RFC8878_REPEAT] !=
        0)
        return reject(checker, "a block depends on the tables of the one before");
    if (stats->n_sequence_counts_long_zero != 0)
        return reject(checker, "a zero Number_of_Sequences in two bytes");
    size_t n_blocks = stats->n_blocks_raw + stats->n_blocks_rle + stats->n_blocks_compressed;
    size_t n_expected =
        input_size == 0 ? 1 : (input_size + RP_ZSTD_BLOCK_BYTES - 1) / RP_ZSTD_BLOCK_BYTES;
    if (n_blocks != n_expected)
        return reject(checker, "%zu zstd blocks, expected %zu", n_blocks, n_expected);
    return true;
}

static void add(size_t *sums, const size_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sums[i] += values[i];
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void remember(frame_checker *checker)
{
    rfc8878_stats *to = &checker->seen;
    const rfc8878_stats *from = &checker->stats;
    to->n_blocks_raw += from->n_blocks_raw;
    to->n_blocks_rle += from->n_blocks_rle;
    to->n_blocks_compressed += from->n_blocks_compressed;
    to->n_literals_raw += from->n_literals_raw;
    to->n_literals_rle += from->n_literals_rle;
    to->n_literals_huffman_1_stream += from->n_literals_huffman_1_stream;
    to->n_literals_huffman_4_streams += from->n_literals_huffman_4_streams;
    to->n_weights_direct += from->n_weights_direct;
    to->n_weights_fse += from->n_weights_fse;
    add(to->literals_length_modes, from->literals_length_modes, 4);
    add(to->offset_modes, from->offset_modes, 4);
    add(to->match_length_modes, from->match_length_modes, 4);
    to->n_sequences += from->n_sequences;
    add(to->n_sequence_counts, from->n_sequence_counts, 3);
    add(to->repeat_offsets, from->repeat_offsets, 3);
    add(to->repeat_offsets_without_literals, from->repeat_offsets_without_literals, 3);
    to->max_literals_length = larger(to->max_literals_length, from->max_literals_length);
    to->max_match_length = larger(to->max_match_length, from->max_match_length);
    to->max_offset = larger(to->max_offset, from->max_offset);
    checker->n_frames++;
}

bool checker_frame(frame_checker *checker, const void *input, size_t input_size, const void *frame,
                   size_t frame_size, bool checksum)
{
    checker->error[0] = '\0';
    size_t bound = rp_compress_bound(input_size);
    if (frame_size > bound)
        return reject(checker, "%zu bytes, more than rp_compress_bound() %zu", frame_size, bound);
    if (bound > ZSTD_compressBound(input_size))
        return reject(checker, "rp_compress_bound() %zu is more than ZSTD_compressBound() %zu",
                      bound, ZSTD_compressBound(input_size));
    if (!check_header(checker, frame, frame_size, input_size, checksum))
        return false;

    reserve(checker, input_size);
    size_t n = ZSTD_decompress(checker->decoded, input_size, frame, frame_size);
    if (ZSTD_isError(n))
        return reject(checker, "libzstd: %s", ZSTD_getErrorName(n));
    if (n != input_size || !same(checker->decoded, input, n))
        return reject(checker, "libzstd decodes %zu bytes that are not the input", n);

    memset(checker->decoded, 0xA5, input_size);
    char reason[RFC8878_ERROR_BYTES];
    if (!rfc8878_decode_frame(frame, frame_size, checker->decoded, input_size, &n, &checker->stats,
                              reason, sizeof(reason)))
        return reject(checker, "strict decoder: %s", reason);
    if (n != input_size || !same(checker->decoded, input, n))
        return reject(checker, "the strict decoder decodes %zu bytes that are not the input", n);
    if (!check_stats(checker, input_size, checksum))
        return false;
    remember(checker);
    return true;
}

const char *checker_unseen(frame_checker *checker)
{
    const rfc8878_stats *seen = &checker->seen;
    const struct {
        size_t n;
        const char *name;
    } features[] = {
        {seen->n_blocks_raw, "raw block"},
        {seen->n_blocks_rle, "RLE block"},
        {seen->n_blocks_compressed, "compressed block"},
        {seen->n_literals_raw, "raw literals"},
        {seen->n_literals_huffman_1_stream, "one Huffman stream"},
        {seen->n_literals_huffman_4_streams, "four Huffman streams"},
        {seen->n_weights_direct, "direct weights"},
        {seen->n_weights_fse, "FSE weights"},
        {seen->literals_length_modes[RFC8878_PREDEFINED], "predefined literal lengths"},
        {seen->literals_length_modes[RFC8878_RLE], "RLE literal lengths"},
        {seen->literals_length_modes[RFC8878_FSE], "FSE literal lengths"},
        {seen->offset_modes[RFC8878_PREDEFINED], "predefined offsets"},
        {seen->offset_modes[RFC8878_RLE], "RLE offsets"},
        {seen->offset_modes[RFC8878_FSE], "FSE offsets"},
        {seen->match_length_modes[RFC8878_PREDEFINED], "predefined match lengths"},
        {seen->match_length_modes[RFC8878_RLE], "RLE match lengths"},
        {seen->match_length_modes[RFC8878_FSE], "FSE match lengths"},
        {seen->n_sequence_counts[0], "Number_of_Sequences in 1 byte"},
        {seen->n_sequence_counts[1], "Number_of_Sequences in 2 bytes"},
        {seen->n_sequence_counts[2], "Number_of_Sequences in 3 bytes"},
        {seen->repeat_offsets[0], "offset value 1 with literals"},
        {seen->repeat_offsets[1], "offset value 2 with literals"},
        {seen->repeat_offsets[2], "offset value 3 with literals"},
        {seen->repeat_offsets_without_literals[0], "offset value 1 without literals"},
        {seen->repeat_offsets_without_literals[1], "offset value 2 without literals"},
        {seen->repeat_offsets_without_literals[2], "offset value 3 without literals"},
        {seen->max_literals_length >= 65536, "literal length of code 35"},
        {seen->max_match_length >= 65539, "match length of code 52"},
        {seen->max_offset >= 65533, "offset of code 16"},
    };
    checker->error[0] = '\0';
    size_t at = 0;
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        if (features[i].n == 0 && at < sizeof(checker->error) - 1)
            at += (size_t)snprintf(checker->error + at, sizeof(checker->error) - at, "%s%s",
                                   at == 0 ? "" : ", ", features[i].name);
    }
    return checker->error;
}
