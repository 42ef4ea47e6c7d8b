/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The strict decoder against libzstd (what it emits must be accepted, unless listed here), against
 * the examples and tables of the format document, and against hand-made and mutated bytes.
 */

#define ZSTD_STATIC_LINKING_ONLY /* literalCompressionMode, compressSequences */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"
#include <zstd.h>

#include "rfc8878_appendix_a.h"
#include "rfc8878_cases.h"
#include "rfc8878_decoder.h"
#include "rfc8878_samples.h"
#include "rfc8878_sequences.h"
#include "rfc8878_testing.h"

enum {
    CONTENT_MAX = 300000,
    N_RANDOM_FRAMES = 3000,
    N_SEQUENCE_FRAMES = 300,
    N_MUTATIONS = 40000,
};

static int frames_of_libzstd(rfc8878_stats *total)
{
    uint64_t random = 0x52464338383738;
    uint8_t *content = rfc8878_test_allocate(CONTENT_MAX);
    uint8_t *frame = rfc8878_test_allocate(RFC8878_TEST_CAPACITY);
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    assert_non_null(cctx);
    rfc8878_stats stats;
    int n_frames = 0;
    for (int i = 0; i < N_RANDOM_FRAMES; i++) {
        size_t n = i < 100 ? (size_t)i / 2 : rfc8878_random_magnitude(&random, 20000);
        rfc8878_fill(content, n, rfc8878_random_below(&random, RFC8878_N_KINDS), &random);
        rfc8878_test_choose_parameters(cctx, (int)rfc8878_random_below(&random, 25) - 5, &random);
        size_t size = rfc8878_random_below(&random, 4) == 0
                          ? rfc8878_test_compress_streamed(cctx, frame, content, n, &random)
                          : rfc8878_test_compress(cctx, frame, content, n);
        rfc8878_test_decodes(frame, size, content, n, &stats);
        rfc8878_test_add_stats(total, &stats);
        n_frames++;
    }
    static const int levels[] = {-5, 1, 3, 5, 8, 13, 19};
    for (unsigned kind = 0; kind < RFC8878_N_KINDS; kind++) {
        for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
            size_t n = CONTENT_MAX - rfc8878_random_below(&random, 3);
            rfc8878_fill(content, n, kind, &random);
            rfc8878_test_choose_parameters(cctx, levels[i], &random);
            size_t size = rfc8878_test_compress(cctx, frame, content, n);
            rfc8878_test_decodes(frame, size, content, n, &stats);
            rfc8878_test_add_stats(total, &stats);
            n_frames++;
        }
    }
    ZSTD_freeCCtx(cctx);
    free(frame);
    free(content);
    return n_frames;
}

static int frames_of_sequences(rfc8878_stats *total)
{
    uint64_t random = 0x53455155454E4345;
    uint8_t *content = rfc8878_test_allocate(CONTENT_MAX);
    uint8_t *frame = rfc8878_test_allocate(RFC8878_TEST_CAPACITY);
    ZSTD_Sequence *sequences = rfc8878_test_allocate(CONTENT_MAX * sizeof(*sequences));
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    assert_non_null(cctx);
    rfc8878_stats stats;
    for (int i = 0; i < N_SEQUENCE_FRAMES; i++) {
        bool dense = i < 3;
        size_t n = dense ? CONTENT_MAX : 1 + rfc8878_random_magnitude(&random, CONTENT_MAX - 1);
        size_t n_sequences = rfc8878_random_sequences(content, n, sequences, dense, &random);
        rfc8878_test_choose_parameters(cctx, 3, &random);
        rfc8878_test_set_parameter(cctx, ZSTD_c_minMatch, 3);
        rfc8878_test_set_parameter(cctx, ZSTD_c_windowLog, 19);
        rfc8878_test_set_parameter(cctx, ZSTD_c_blockDelimiters, ZSTD_sf_explicitBlockDelimiters);
        rfc8878_test_set_parameter(cctx, ZSTD_c_validateSequences, 1);
        size_t size = ZSTD_compressSequences(cctx, frame, RFC8878_TEST_CAPACITY, sequences,
                                             n_sequences, content, n);
        assert_false(ZSTD_isError(size));
        rfc8878_test_decodes(frame, size, content, n, &stats);
        rfc8878_test_add_stats(total, &stats);
    }
    ZSTD_freeCCtx(cctx);
    free(sequences);
    free(frame);
    free(content);
    return N_SEQUENCE_FRAMES;
}

static void test_accepts_what_libzstd_emits(void **state)
{
    (void)state;
    rfc8878_stats total = {0};
    int n = frames_of_libzstd(&total) + frames_of_sequences(&total);
    assert_true(n > 3000);
    rfc8878_test_all_seen(&total);
}

/*
 * Two rules that libzstd's encoder does not keep, in situations that rockpress never gets into: it
 * emits single segments, and one set of tables per block. They stay, as other decoders may rely
 * on them.
 */

/* Sequence Execution: offsets "must be smaller than Window_Size". libzstd goes up to it. */
static void test_keeps_window_rule_that_libzstd_breaks(void **state)
{
    (void)state;
    enum { WINDOW = 1024, N = 20 * WINDOW };
    uint64_t random = 1;
    uint8_t *content = rfc8878_test_allocate(N);
    rfc8878_fill(content, WINDOW, RFC8878_NOISE, &random);
    for (size_t i = WINDOW; i < N; i++) {
        content[i] = content[i - WINDOW];
    }
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    assert_non_null(cctx);
    rfc8878_test_set_parameter(cctx, ZSTD_c_compressionLevel, 6);
    rfc8878_test_set_parameter(cctx, ZSTD_c_windowLog, 10);
    uint8_t *frame = rfc8878_test_allocate(RFC8878_TEST_CAPACITY);
    size_t size = rfc8878_test_compress(cctx, frame, content, N);
    assert_true(size < 2 * WINDOW);
    uint8_t *decoded = rfc8878_test_allocate(N);
    size_t n;
    char error[RFC8878_ERROR_BYTES];
    assert_false(rfc8878_decode_frame(frame, size, decoded, N, &n, NULL, error, sizeof(error)));
    assert_non_null(strstr(error, "offset 1024 of sequence 0 is not smaller than Window_Size"));
    free(decoded);
    free(frame);
    ZSTD_freeCCtx(cctx);
    free(content);
}

/*
 * FSE_Compressed_Mode "must not be used when only one symbol is present". With targetCBlockSize,
 * libzstd makes several small blocks with the tables of one large block, and so uses the mode in
 * blocks whose sequences all have the same code. (The table itself has two symbols, hence one may
 * read the rule as kept; the decoder takes the stricter reading.)
 */
static void test_keeps_one_symbol_rule_that_libzstd_breaks(void **state)
{
    (void)state;
    enum { N = 100000 };
    uint64_t random = 2;
    uint8_t *content = rfc8878_test_allocate(N);
    rfc8878_fill(content, N, RFC8878_RECORDS, &random);
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    assert_non_null(cctx);
    uint8_t *frame = rfc8878_test_allocate(RFC8878_TEST_CAPACITY);
    uint8_t *decoded = rfc8878_test_allocate(N);
    int n_kept = 0;
    int n_broken = 0;
    for (int level = 1; level <= 19; level += 3) {
        rfc8878_test_set_parameter(cctx, ZSTD_c_compressionLevel, level);
        rfc8878_test_set_parameter(cctx, ZSTD_c_targetCBlockSize, ZSTD_TARGETCBLOCKSIZE_MIN);
        size_t size = rfc8878_test_compress(cctx, frame, content, N);
        size_t n;
        char error[RFC8878_ERROR_BYTES];
        if (rfc8878_decode_frame(frame, size, decoded, N, &n, NULL, error, sizeof(error))) {
            assert_int_equal(n, N);
            assert_memory_equal(decoded, content, N);
            n_kept++;
        } else {
            assert_non_null(strstr(error, "FSE_Compressed_Mode although all sequences have"));
            n_broken++;
        }
    }
    assert_true(n_kept + n_broken == 7 && n_broken > 0);
    free(decoded);
    free(frame);
    ZSTD_freeCCtx(cctx);
    free(content);
}

static void test_rejects_each_broken_rule(void **state)
{
    (void)state;
    uint8_t bytes[RFC8878_CASE_BYTES_MAX];
    for (size_t i = 0; i < rfc8878_n_broken_cases; i++) {
        const rfc8878_broken_case *c = &rfc8878_broken_cases[i];
        size_t size = rfc8878_test_parse_hex(c->hex, bytes);
        uint8_t *exact = rfc8878_test_exact_copy(bytes, size);
        char error[RFC8878_ERROR_BYTES];
        if (rfc8878_test_decode_case(c->kind, exact, size, error)) {
            fail_msg("accepted: %s", c->name);
        }
        if (strcmp(error, c->error) != 0) {
            fail_msg("%s: \"%s\" instead of \"%s\"", c->name, error, c->error);
        }
        free(exact);
    }
}

static void test_accepts_what_is_legal_but_unusual(void **state)
{
    (void)state;
    uint8_t *decoded = rfc8878_test_allocate(RFC8878_TEST_CAPACITY);
    uint8_t bytes[RFC8878_CASE_BYTES_MAX];
    uint8_t content[RFC8878_CASE_BYTES_MAX];
    for (size_t i = 0; i < rfc8878_n_legal_cases; i++) {
        const rfc8878_legal_case *c = &rfc8878_legal_cases[i];
        size_t size = rfc8878_test_parse_hex(c->hex, bytes);
        uint8_t *exact = rfc8878_test_exact_copy(bytes, size);
        char error[RFC8878_ERROR_BYTES];
        size_t n;
        if (!rfc8878_decode_frame(exact, size, decoded, RFC8878_TEST_CAPACITY, &n, NULL, error,
                                  sizeof(error))) {
            fail_msg("%s: %s", c->name, error);
        }
        free(exact);
        if (c->content_hex != NULL) {
            assert_int_equal(n, c->content_size);
            size_t n_listed = rfc8878_test_parse_hex(c->content_hex, content);
            for (size_t k = 0; k < n; k++) {
                assert_int_equal(decoded[k], content[k < n_listed ? k : n_listed - 1]);
            }
        }
        uint8_t *reference = rfc8878_test_allocate(RFC8878_TEST_CAPACITY);
        size_t n_reference = ZSTD_decompress(reference, RFC8878_TEST_CAPACITY, bytes, size);
        if (c->libzstd_rejects) {
            /* Not asserted: later versions of libzstd are free to accept it. */
            assert_true(ZSTD_isError(n_reference) || n_reference == n);
        } else {
            if (n_reference != n) {
                fail_msg("%s: libzstd says %s", c->name, ZSTD_getErrorName(n_reference));
            }
            assert_memory_equal(reference, decoded, n);
        }
        free(reference);
    }
    free(decoded);
}

static void assert_rows_equal(unsigned field, const rfc8878_fse_row *rows, size_t n)
{
    rfc8878_fse_table table;
    rfc8878_build_predefined_table(field, &table);
    assert_int_equal((size_t)1 << table.accuracy_log, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(table.rows[i].symbol, rows[i].symbol);
        assert_int_equal(table.rows[i].n_bits, rows[i].n_bits);
        assert_int_equal(table.rows[i].baseline, rows[i].baseline);
    }
}

static void test_builds_tables_of_appendix_a(void **state)
{
    (void)state;
    assert_rows_equal(RFC8878_LITERALS_LENGTH, rfc8878_appendix_a_literals_length, 64);
    assert_rows_equal(RFC8878_OFFSET, rfc8878_appendix_a_offset, 32);
    assert_rows_equal(RFC8878_MATCH_LENGTH, rfc8878_appendix_a_match_length, 64);
}

/*
 * Huffman Coding: weights 4 3 2 0 1 (1) for A to F, and the literals ABEF.
 *
 * The document contradicts itself here. "Conversion from weights to Huffman prefix codes" gives E
 * the code 0000 and F 0001, by its rule of natural order. The example stream in "Huffman-coded
 * Streams", 00010000 00001101, has them the other way around. The rule is what libzstd follows.
 */
static void test_huffman_example_of_the_document(void **state)
{
    (void)state;
    static const uint8_t description[] = {127 + 5, 0x43, 0x20, 0x10};
    static const uint8_t expected[] = {4, 3, 2, 0, 1, 1};
    uint8_t weights[RFC8878_WEIGHTS_MAX];
    size_t n;
    size_t consumed;
    unsigned max_bits;
    assert_true(rfc8878_decode_huffman_weights(description, sizeof(description), weights, &n,
                                               &max_bits, &consumed, NULL, NULL, 0));
    assert_int_equal(n, 6);
    assert_int_equal(max_bits, 4);
    assert_int_equal(consumed, sizeof(description));
    assert_memory_equal(weights, expected, 6);

    /* Compressed literals, 1 stream, Regenerated_Size 4, Compressed_Size 6. */
    static const uint8_t section[] = {0x42, 0x80, 0x01, 127 + 5, 0x43, 0x20, 0x10, 0x01, 0x0D};
    static const uint8_t literals[] = {0, 1, 4, 5};
    uint8_t decoded[4];
    assert_true(rfc8878_decode_literals_section(section, sizeof(section), decoded, 4, &n, &consumed,
                                                NULL, NULL, 0));
    assert_int_equal(n, 4);
    assert_int_equal(consumed, sizeof(section));
    assert_memory_equal(decoded, literals, 4);
}

typedef struct repeat_row {
    uint32_t offset_value;
    uint8_t literals_length;
    uint8_t literals_length_code;
    uint8_t extra_bits;
    uint8_t extra;
    uint32_t repeat[3]; /* after the sequence; the first one is the offset that it used */
} repeat_row;

/* Offset updates rules: the table of the document, one block of one sequence per row. */
static void test_repeat_offset_table_of_the_document(void **state)
{
    (void)state;
    static const repeat_row rows[] = {
        {1114, 11, 11, 0, 0, {1111, 1, 4}},
        {1, 22, 19, 1, 0, {1111, 1, 4}},
        {2225, 22, 19, 1, 0, {2222, 1111, 1}},
        {1114, 111, 25, 6, 47, {1111, 2222, 1111}},
        {3336, 33, 22, 3, 1, {3333, 1111, 2222}},
        {2, 22, 19, 1, 0, {1111, 3333, 2222}},
        {3, 33, 22, 3, 1, {2222, 1111, 3333}},
        {3, 0, 0, 0, 0, {2221, 2222, 1111}},
        {1, 0, 0, 0, 0, {2222, 2221, 1111}},
        /* Not in the document: the three values, each of which must now be in its place. */
        {3, 11, 11, 0, 0, {1111, 2222, 2221}},
        {2, 0, 0, 0, 0, {2221, 1111, 2222}},
    };
    enum { N_ROWS = sizeof(rows) / sizeof(*rows), N_FIRST = 4000 };
    uint64_t random = 3;
    uint8_t content[N_FIRST + 2000];
    uint8_t frame[N_FIRST + 2000] = {0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x18}; /* 8 KB window */
    size_t done = N_FIRST;
    size_t size = 6;
    rfc8878_fill(content, N_FIRST, RFC8878_NOISE, &random);
    frame[size++] = (uint8_t)(N_FIRST << 3);
    frame[size++] = (uint8_t)(N_FIRST >> 5);
    frame[size++] = 0;
    memcpy(frame + size, content, N_FIRST);
    size += N_FIRST;
    for (size_t i = 0; i < N_ROWS; i++) {
        const repeat_row *row = &rows[i];
        size_t header = size;
        size += 3;
        frame[size++] = (uint8_t)(row->literals_length << 4 | 4); /* raw, Size_Format 1 */
        frame[size++] = (uint8_t)(row->literals_length >> 4);
        for (size_t k = 0; k < row->literals_length; k++) {
            content[done] = (uint8_t)rfc8878_next_random(&random);
            frame[size++] = content[done++];
        }
        uint8_t code = 0;
        while (row->offset_value >> (code + 1) != 0) {
            code++;
        }
        uint64_t bits = UINT64_C(1) << code | (row->offset_value - (1U << code));
        bits = bits << row->extra_bits | row->extra;
        const uint8_t section[] = {1, 0x54, row->literals_length_code, code, 0};
        memcpy(frame + size, section, sizeof(section));
        size += sizeof(section);
        for (; bits != 0; bits >>= 8) {
            frame[size++] = (uint8_t)bits;
        }
        size_t block = (size - header - 3) << 3 | 2 << 1 | (i + 1 == N_ROWS);
        frame[header] = (uint8_t)block;
        frame[header + 1] = (uint8_t)(block >> 8);
        frame[header + 2] = (uint8_t)(block >> 16);
        for (size_t k = 0; k < 3; k++, done++) {
            content[done] = content[done - row->repeat[0]];
        }
    }
    rfc8878_stats stats;
    rfc8878_test_decodes(frame, size, content, done, &stats);
    assert_int_equal(stats.n_sequences, N_ROWS);
    assert_int_equal(stats.max_offset, 3333);
    assert_int_equal(stats.max_literals_length, 111);
    static const size_t expected[] = {1, 1, 2};
    static const size_t expected_without_literals[] = {1, 1, 1};
    assert_memory_equal(stats.repeat_offsets, expected, sizeof(expected));
    assert_memory_equal(stats.repeat_offsets_without_literals, expected_without_literals,
                        sizeof(expected));
}

static void test_rejects_every_prefix_and_suffix(void **state)
{
    (void)state;
    enum { N = 3000 };
    uint64_t random = 4;
    uint8_t content[N];
    uint8_t *frame = rfc8878_test_allocate(RFC8878_TEST_CAPACITY);
    uint8_t *decoded = rfc8878_test_allocate(N);
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    assert_non_null(cctx);
    char error[RFC8878_ERROR_BYTES];
    size_t n;
    for (unsigned kind = 0; kind < RFC8878_N_KINDS; kind++) {
        rfc8878_fill(content, N, kind, &random);
        rfc8878_test_choose_parameters(cctx, 3, &random);
        size_t size = rfc8878_test_compress(cctx, frame, content, N);
        frame[size] = 0;
        for (size_t prefix = 0; prefix <= size + 1; prefix++) {
            uint8_t *exact = rfc8878_test_exact_copy(frame, prefix);
            bool ok =
                rfc8878_decode_frame(exact, prefix, decoded, N, &n, NULL, error, sizeof(error));
            assert_true(ok == (prefix == size));
            assert_true(ok || n == 0);
            free(exact);
        }
        assert_false(rfc8878_decode_frame(frame, size, decoded, N - 1, &n, NULL, error, 12));
        assert_int_equal(strlen(error), 11);
        assert_false(rfc8878_decode_frame(frame, size, NULL, 0, &n, NULL, NULL, 0));
    }
    assert_false(rfc8878_decode_frame(NULL, 0, NULL, 0, &n, NULL, error, sizeof(error)));
    ZSTD_freeCCtx(cctx);
    free(decoded);
    free(frame);
}

/* The sections of a one-block frame, decoded alone, must add up to what the frame holds. */
static void assert_sections_add_up(const uint8_t *block, size_t size, size_t content_size,
                                   const rfc8878_stats *of_frame)
{
    uint8_t *literals = rfc8878_test_allocate(RFC8878_BLOCK_BYTES_MAX);
    rfc8878_sequence *sequences = rfc8878_test_allocate(RFC8878_SEQUENCES_MAX * sizeof(*sequences));
    uint8_t *exact = rfc8878_test_exact_copy(block, size);
    rfc8878_stats stats;
    char error[RFC8878_ERROR_BYTES];
    size_t n_literals;
    size_t consumed;
    assert_true(rfc8878_decode_literals_section(exact, size, literals, RFC8878_BLOCK_BYTES_MAX,
                                                &n_literals, &consumed, &stats, error,
                                                sizeof(error)));
    assert_int_equal(stats.n_literals_huffman_4_streams, of_frame->n_literals_huffman_4_streams);
    if (stats.n_weights_direct + stats.n_weights_fse > 0) {
        static const size_t header_sizes[] = {3, 3, 4, 5};
        size_t header = header_sizes[(exact[0] >> 2) & 3];
        uint8_t weights[RFC8878_WEIGHTS_MAX];
        size_t n_symbols;
        size_t description;
        unsigned max_bits;
        assert_true(rfc8878_decode_huffman_weights(exact + header, size - header, weights,
                                                   &n_symbols, &max_bits, &description, NULL, error,
                                                   sizeof(error)));
        size_t sum = 0;
        for (size_t i = 0; i < n_symbols; i++) {
            sum += weights[i] > 0 ? (size_t)1 << (weights[i] - 1) : 0;
        }
        assert_int_equal(sum, (size_t)1 << max_bits);
        assert_true(header + description < consumed);
    }

    size_t n;
    size_t section = size - consumed;
    assert_true(rfc8878_decode_sequences_section(exact + consumed, section, sequences,
                                                 RFC8878_SEQUENCES_MAX, &n, &stats, error,
                                                 sizeof(error)));
    assert_int_equal(n, of_frame->n_sequences);
    assert_memory_equal(stats.offset_modes, of_frame->offset_modes, sizeof(stats.offset_modes));
    size_t sum = n_literals;
    for (size_t i = 0; i < n; i++) {
        sum += sequences[i].match_length;
    }
    assert_int_equal(sum, content_size);
    if (stats.literals_length_modes[RFC8878_FSE] > 0) {
        size_t table = consumed + (n < 128 ? 2 : 3);
        int16_t probabilities[36];
        size_t n_symbols;
        size_t description;
        unsigned log;
        assert_true(rfc8878_decode_fse_table(exact + table, size - table, 35, 9, probabilities,
                                             &n_symbols, &log, &description, error, sizeof(error)));
        int points = 0;
        for (size_t i = 0; i < n_symbols; i++) {
            points += probabilities[i] < 0 ? 1 : probabilities[i];
        }
        assert_int_equal(points, 1 << log);
    }
    if (n > 0) {
        assert_false(rfc8878_decode_sequences_section(exact + consumed, section, sequences, n - 1,
                                                      &n, NULL, error, sizeof(error)));
        assert_non_null(strstr(error, "caller"));
    }
    free(exact);
    free(sequences);
    free(literals);
}

static void test_decodes_sections_alone(void **state)
{
    (void)state;
    uint64_t random = 5;
    uint8_t *content = rfc8878_test_allocate(30000);
    uint8_t *frame = rfc8878_test_allocate(RFC8878_TEST_CAPACITY);
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    assert_non_null(cctx);
    size_t n_blocks = 0;
    for (int i = 0; i < 300; i++) {
        size_t n = 100 + rfc8878_random_magnitude(&random, 29000);
        rfc8878_fill(content, n, rfc8878_random_below(&random, RFC8878_N_KINDS), &random);
        rfc8878_test_choose_parameters(cctx, 1 + (int)rfc8878_random_below(&random, 12), &random);
        rfc8878_test_set_parameter(cctx, ZSTD_c_checksumFlag, 0);
        size_t size = rfc8878_test_compress(cctx, frame, content, n);
        rfc8878_stats stats;
        rfc8878_test_decodes(frame, size, content, n, &stats);
        size_t header = ZSTD_frameHeaderSize(frame, size) + 3;
        if (stats.n_blocks_compressed == 1 && stats.n_blocks_raw + stats.n_blocks_rle == 0) {
            assert_sections_add_up(frame + header, size - header, n, &stats);
            n_blocks++;
        }
    }
    assert_true(n_blocks > 100);
    ZSTD_freeCCtx(cctx);
    free(frame);
    free(content);
}

/* What the strict decoder accepts, libzstd accepts, with the same content. */
static void test_mutated_frames(void **state)
{
    (void)state;
    uint64_t random = 6;
    rfc8878_seed *seeds =
        rfc8878_test_allocate((RFC8878_N_LIBZSTD_SEEDS + rfc8878_n_legal_cases) * sizeof(*seeds));
    size_t n_seeds = rfc8878_test_make_seeds(seeds, &random);
    uint8_t *bytes = rfc8878_test_allocate(RFC8878_TEST_CAPACITY);
    uint8_t *decoded = rfc8878_test_allocate(RFC8878_TEST_CAPACITY);
    uint8_t *reference = rfc8878_test_allocate(RFC8878_TEST_CAPACITY);
    size_t n_accepted = 0;
    for (int i = 0; i < N_MUTATIONS; i++) {
        const rfc8878_seed *s = &seeds[rfc8878_random_below(&random, (uint32_t)n_seeds)];
        memcpy(bytes, s->bytes, s->size);
        size_t size = rfc8878_test_mutate(bytes, s->size, &random);
        uint8_t *exact = rfc8878_test_exact_copy(bytes, size);
        char error[RFC8878_ERROR_BYTES];
        rfc8878_stats stats;
        size_t n;
        if (rfc8878_decode_frame(exact, size, decoded, RFC8878_TEST_CAPACITY, &n, &stats, error,
                                 sizeof(error))) {
            n_accepted++;
            size_t n_reference = ZSTD_decompress(reference, RFC8878_TEST_CAPACITY, exact, size);
            /* Legal, but rejected by libzstd 1.5.4: see the legal cases. */
            bool is_excused = stats.n_sequence_counts_long_zero > 0 ||
                              stats.window_size >= UINT64_C(2) << ZSTD_WINDOWLOG_MAX;
            if (n_reference != n && !is_excused) {
                fail_msg("mutation %d: accepted with %zu bytes, libzstd says %s", i, n,
                         ZSTD_getErrorName(n_reference));
            }
            if (n_reference == n) {
                assert_memory_equal(reference, decoded, n);
            }
        } else {
            assert_true(strlen(error) > 0);
        }
        /* Sections and tables, wherever they may begin: no overread. */
        size_t skip = rfc8878_random_magnitude(&random, 30);
        if (skip < size) {
            rfc8878_case_kind kind = (rfc8878_case_kind)rfc8878_random_below(&random, 7);
            rfc8878_test_decode_case(kind, exact + skip, size - skip, error);
        }
        free(exact);
    }
    assert_true(n_accepted > N_MUTATIONS / 100);
    for (size_t i = 0; i < n_seeds; i++) {
        free(seeds[i].bytes);
    }
    free(reference);
    free(decoded);
    free(bytes);
    free(seeds);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts_what_libzstd_emits),
        cmocka_unit_test(test_keeps_window_rule_that_libzstd_breaks),
        cmocka_unit_test(test_keeps_one_symbol_rule_that_libzstd_breaks),
        cmocka_unit_test(test_rejects_each_broken_rule),
        cmocka_unit_test(test_accepts_what_is_legal_but_unusual),
        cmocka_unit_test(test_builds_tables_of_appendix_a),
        cmocka_unit_test(test_huffman_example_of_the_document),
        cmocka_unit_test(test_repeat_offset_table_of_the_document),
        cmocka_unit_test(test_rejects_every_prefix_and_suffix),
        cmocka_unit_test(test_decodes_sections_alone),
        cmocka_unit_test(test_mutated_frames),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
