/* SPDX-License-Identifier: Apache-2.0 */

#define ZSTD_STATIC_LINKING_ONLY /* literalCompressionMode */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rfc8878_samples.h"
#include "rfc8878_testing.h"

void *rfc8878_test_allocate(size_t n)
{
    void *memory = malloc(n > 0 ? n : 1);
    assert_non_null(memory);
    return memory;
}

uint8_t *rfc8878_test_exact_copy(const void *bytes, size_t n)
{
    uint8_t *copy = rfc8878_test_allocate(n);
    if (n > 0) {
        memcpy(copy, bytes, n);
    }
    return copy;
}

void rfc8878_test_decodes(const uint8_t *frame, size_t frame_size, const uint8_t *content,
                          size_t content_size, rfc8878_stats *stats)
{
    char error[RFC8878_ERROR_BYTES];
    uint8_t *exact_frame = rfc8878_test_exact_copy(frame, frame_size);
    uint8_t *decoded = rfc8878_test_allocate(content_size);
    size_t decoded_size;
    if (!rfc8878_decode_frame(exact_frame, frame_size, decoded, content_size, &decoded_size, stats,
                              error, sizeof(error))) {
        fail_msg("frame of %zu bytes rejected: %s", frame_size, error);
    }
    assert_int_equal(decoded_size, content_size);
    assert_int_equal(stats->content_size, content_size);
    assert_memory_equal(decoded, content, content_size);
    free(decoded);
    free(exact_frame);
}

static void add_counts(size_t *total, const size_t *seen, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        total[i] += seen[i];
    }
}

void rfc8878_test_add_stats(rfc8878_stats *total, const rfc8878_stats *seen)
{
    total->n_blocks_raw += seen->n_blocks_raw;
    total->n_blocks_rle += seen->n_blocks_rle;
    total->n_blocks_compressed += seen->n_blocks_compressed;
    total->n_literals_raw += seen->n_literals_raw;
    total->n_literals_rle += seen->n_literals_rle;
    total->n_literals_huffman_1_stream += seen->n_literals_huffman_1_stream;
    total->n_literals_huffman_4_streams += seen->n_literals_huffman_4_streams;
    total->n_literals_treeless_1_stream += seen->n_literals_treeless_1_stream;
    total->n_literals_treeless_4_streams += seen->n_literals_treeless_4_streams;
    total->n_weights_direct += seen->n_weights_direct;
    total->n_weights_fse += seen->n_weights_fse;
    add_counts(total->literals_length_modes, seen->literals_length_modes, 4);
    add_counts(total->offset_modes, seen->offset_modes, 4);
    add_counts(total->match_length_modes, seen->match_length_modes, 4);
    add_counts(total->n_sequence_counts, seen->n_sequence_counts, 3);
    add_counts(total->repeat_offsets, seen->repeat_offsets, 3);
    add_counts(total->repeat_offsets_without_literals, seen->repeat_offsets_without_literals, 3);
}

void rfc8878_test_all_seen(const rfc8878_stats *s)
{
    assert_true(s->n_blocks_raw > 0 && s->n_blocks_rle > 0 && s->n_blocks_compressed > 0);
    assert_true(s->n_literals_raw > 0 && s->n_literals_rle > 0);
    assert_true(s->n_literals_huffman_1_stream > 0 && s->n_literals_huffman_4_streams > 0);
    assert_true(s->n_literals_treeless_1_stream > 0 && s->n_literals_treeless_4_streams > 0);
    assert_true(s->n_weights_direct > 0 && s->n_weights_fse > 0);
    for (size_t i = 0; i < 4; i++) {
        assert_true(s->literals_length_modes[i] > 0);
        assert_true(s->offset_modes[i] > 0);
        assert_true(s->match_length_modes[i] > 0);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_true(s->n_sequence_counts[i] > 0);
        assert_true(s->repeat_offsets[i] > 0);
        assert_true(s->repeat_offsets_without_literals[i] > 0);
    }
}

void rfc8878_test_set_parameter(ZSTD_CCtx *cctx, ZSTD_cParameter parameter, int value)
{
    assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(cctx, parameter, value)));
}

size_t rfc8878_test_compress(ZSTD_CCtx *cctx, uint8_t *frame, const uint8_t *content, size_t n)
{
    size_t size = ZSTD_compress2(cctx, frame, RFC8878_TEST_CAPACITY, content, n);
    assert_false(ZSTD_isError(size));
    return size;
}

size_t rfc8878_test_compress_streamed(ZSTD_CCtx *cctx, uint8_t *frame, const uint8_t *content,
                                      size_t n, uint64_t *random)
{
    ZSTD_outBuffer out = {frame, RFC8878_TEST_CAPACITY, 0};
    ZSTD_inBuffer in = {content, 0, 0};
    while (in.size < n) {
        in.size += 1 + rfc8878_random_magnitude(random, (uint32_t)(n - in.size - 1));
        assert_false(ZSTD_isError(ZSTD_compressStream2(
            cctx, &out, &in, rfc8878_random_below(random, 2) ? ZSTD_e_flush : ZSTD_e_continue)));
        if (in.size - in.pos > 0) {
            in.size = in.pos;
        }
    }
    assert_int_equal(ZSTD_compressStream2(cctx, &out, &in, ZSTD_e_end), 0);
    return out.pos;
}

void rfc8878_test_choose_parameters(ZSTD_CCtx *cctx, int level, uint64_t *random)
{
    ZSTD_CCtx_reset(cctx, ZSTD_reset_session_and_parameters);
    rfc8878_test_set_parameter(cctx, ZSTD_c_compressionLevel, level);
    rfc8878_test_set_parameter(cctx, ZSTD_c_checksumFlag, (int)rfc8878_random_below(random, 2));
    /* Without a content size there is no single segment. */
    rfc8878_test_set_parameter(cctx, ZSTD_c_contentSizeFlag, rfc8878_random_below(random, 4) != 0);
    rfc8878_test_set_parameter(cctx, ZSTD_c_literalCompressionMode,
                               (int)rfc8878_random_below(random, 3));
}

size_t rfc8878_test_parse_hex(const char *hex, uint8_t *bytes)
{
    size_t n = 0;
    while (*hex != '\0') {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        unsigned value;
        assert_int_equal(sscanf(hex, "%2x", &value), 1);
        bytes[n++] = (uint8_t)value;
        hex += 2;
    }
    return n;
}

bool rfc8878_test_decode_case(rfc8878_case_kind kind, const uint8_t *bytes, size_t size,
                              char *error)
{
    /* Only what the kind needs: fuzzing comes through here. */
    bool has_content = kind == RFC8878_CASE_FRAME || kind == RFC8878_CASE_LITERALS;
    bool has_sequences = kind == RFC8878_CASE_SEQUENCES;
    uint8_t *decoded = rfc8878_test_allocate(has_content ? RFC8878_TEST_CAPACITY : 0);
    rfc8878_sequence *sequences =
        rfc8878_test_allocate(has_sequences ? RFC8878_SEQUENCES_MAX * sizeof(rfc8878_sequence) : 0);
    uint8_t weights[RFC8878_WEIGHTS_MAX];
    int16_t probabilities[64];
    size_t n;
    size_t consumed;
    unsigned log;
    unsigned max_symbol = kind == RFC8878_CASE_LITERALS_LENGTH_TABLE ? 35 : 52;
    bool ok = false;
    switch (kind) {
    case RFC8878_CASE_FRAME:
        ok = rfc8878_decode_frame(bytes, size, decoded, RFC8878_TEST_CAPACITY, &n, NULL, error,
                                  RFC8878_ERROR_BYTES);
        break;
    case RFC8878_CASE_LITERALS:
        ok = rfc8878_decode_literals_section(bytes, size, decoded, RFC8878_TEST_CAPACITY, &n,
                                             &consumed, NULL, error, RFC8878_ERROR_BYTES);
        break;
    case RFC8878_CASE_SEQUENCES:
        ok = rfc8878_decode_sequences_section(bytes, size, sequences, RFC8878_SEQUENCES_MAX, &n,
                                              NULL, error, RFC8878_ERROR_BYTES);
        break;
    case RFC8878_CASE_WEIGHTS:
        ok = rfc8878_decode_huffman_weights(bytes, size, weights, &n, &log, &consumed, NULL, error,
                                            RFC8878_ERROR_BYTES);
        break;
    case RFC8878_CASE_OFFSET_TABLE:
        ok = rfc8878_decode_fse_table(bytes, size, 31, 8, probabilities, &n, &log, &consumed, error,
                                      RFC8878_ERROR_BYTES);
        break;
    case RFC8878_CASE_LITERALS_LENGTH_TABLE:
    case RFC8878_CASE_MATCH_LENGTH_TABLE:
        ok = rfc8878_decode_fse_table(bytes, size, max_symbol, 9, probabilities, &n, &log,
                                      &consumed, error, RFC8878_ERROR_BYTES);
        break;
    }
    free(sequences);
    free(decoded);
    return ok;
}

size_t rfc8878_test_make_seeds(rfc8878_seed *seeds, uint64_t *random)
{
    uint8_t *content = rfc8878_test_allocate(4000);
    uint8_t *frame = rfc8878_test_allocate(RFC8878_TEST_CAPACITY);
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    assert_non_null(cctx);
    size_t n_seeds = 0;
    for (; n_seeds < RFC8878_N_LIBZSTD_SEEDS; n_seeds++) {
        size_t n = 1 + rfc8878_random_magnitude(random, 3999);
        rfc8878_fill(content, n, rfc8878_random_below(random, RFC8878_N_KINDS), random);
        rfc8878_test_choose_parameters(cctx, (int)rfc8878_random_below(random, 25) - 5, random);
        rfc8878_test_set_parameter(cctx, ZSTD_c_checksumFlag, 0);
        size_t size = n_seeds % 4 == 0
                          ? rfc8878_test_compress_streamed(cctx, frame, content, n, random)
                          : rfc8878_test_compress(cctx, frame, content, n);
        seeds[n_seeds] = (rfc8878_seed){rfc8878_test_exact_copy(frame, size), size};
    }
    for (size_t i = 0; i < rfc8878_n_legal_cases; i++) {
        size_t size = rfc8878_test_parse_hex(rfc8878_legal_cases[i].hex, frame);
        seeds[n_seeds++] = (rfc8878_seed){rfc8878_test_exact_copy(frame, size), size};
    }
    ZSTD_freeCCtx(cctx);
    free(frame);
    free(content);
    return n_seeds;
}

size_t rfc8878_test_mutate(uint8_t *bytes, size_t size, uint64_t *random)
{
    size_t n_changes = 1 + rfc8878_random_below(random, 3);
    for (size_t i = 0; i < n_changes && size > 0; i++) {
        /* Headers are where the rules are: half of the changes go to the first 40 bytes. */
        uint32_t range = rfc8878_random_below(random, 2) && size > 40 ? 40 : (uint32_t)size;
        uint32_t at = rfc8878_random_below(random, range);
        switch (rfc8878_random_below(random, 6)) {
        case 0:
        case 1:
            bytes[at] ^= (uint8_t)(1U << rfc8878_random_below(random, 8));
            break;
        case 2:
            bytes[at] = (uint8_t)rfc8878_next_random(random);
            break;
        case 3:
            bytes[at] = (uint8_t)(bytes[at] + (rfc8878_random_below(random, 2) ? 1 : -1));
            break;
        case 4:
            memmove(bytes + at, bytes + at + 1, size - at - 1);
            size--;
            break;
        default:
            memmove(bytes + at + 1, bytes + at, size - at);
            bytes[at] = (uint8_t)rfc8878_next_random(random);
            size++;
            break;
        }
    }
    return size;
}
