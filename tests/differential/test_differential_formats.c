/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The corners of the format, each reached on purpose by a constructed input: the statistics of
 * the strict decoder prove that it was reached, so a change of the parser cannot make a test
 * void without a failure. The last test asserts that all of them together cover everything that
 * rockpress emits. The inputs have no match but those made on purpose, not even of 3 bytes, so
 * that the parses of all efforts are the same and sequences can be counted.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "tests/differential/checker.h"
#include "tests/differential/constructed.h"
#include "tests/differential/encoder.h"
#include "tests/support/inputs.h"

#define LARGEST ((size_t)400 * 1024)
#define BLOCK RP_ZSTD_BLOCK_BYTES

static test_encoder encoder;
static frame_checker checker;
static uint8_t input[LARGEST];
static uint8_t frame[LARGEST + 1024];
static size_t frame_bytes;

static int set_up(void **state)
{
    (void)state;
    encoder_open(&encoder, LARGEST);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    checker_free(&checker);
    encoder_close(&encoder);
    return 0;
}

/* Compresses and checks input[0..n). */
static const rfc8878_stats *check(const char *name, size_t n)
{
    rp_status status = encoder_lane(&encoder, input, n, frame, sizeof(frame), &frame_bytes,
                                    (uint32_t)(n & 1) * RP_COMPRESS_CHECKSUM);
    if (status != RP_STATUS_OK)
        fail_msg("%s, %zu bytes: %s", name, n, rp_status_name(status));
    if (!checker_frame(&checker, input, n, frame, frame_bytes, (n & 1) != 0))
        fail_msg("%s, %zu bytes: %s", name, n, checker.error);
    return &checker.stats;
}

/* The literals section of the first block; the block has to be a compressed one. */
static const uint8_t *first_literals_section(size_t n, size_t *n_section)
{
    size_t at = n < 256 ? 6 : n < 65536 + 256 ? 7 : 9;
    uint32_t header =
        (uint32_t)frame[at] | (uint32_t)frame[at + 1] << 8 | (uint32_t)frame[at + 2] << 16;
    assert_int_equal(header >> 1 & 3, 2);
    *n_section = header >> 3;
    return frame + at + 3;
}

static void test_repeat_offsets(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        size_t n = 20000 + (size_t)seed * 20000;
        n = n < LARGEST ? n : LARGEST;
        constructed_repeat_offsets(input, n, seed);
        const rfc8878_stats *stats = check("repeat offsets", n);
        for (int value = 0; value < 3; value++) {
            assert_true(stats->repeat_offsets[value] >= 10);
            assert_true(stats->repeat_offsets_without_literals[value] >= 10);
        }
    }
}

/* The first sequence of a frame may repeat the offsets 1, 4 and 8 that a frame starts with;
 * those of a later block must not rely on what an earlier block left there. */
static void test_initial_repeat_offsets(void **state)
{
    (void)state;
    static const struct {
        inputs_kind kind;
        int value;
    } periods[] = {{INPUTS_PERIOD_1, 1}, {INPUTS_PERIOD_4, 2}, {INPUTS_PERIOD_8, 3}};
    for (size_t i = 0; i < 3; i++) {
        inputs_fill(periods[i].kind, input, 300, 1);
        const rfc8878_stats *stats = check(inputs_kind_name(periods[i].kind), 300);
        assert_int_equal(stats->n_sequences, 1);
        assert_int_equal(stats->repeat_offsets[periods[i].value - 1], 1);

        inputs_fill(INPUTS_NOISE, input, BLOCK, 2);
        inputs_fill(periods[i].kind, input + BLOCK, 300, 3);
        stats = check("a repeat offset in the second block", BLOCK + 300);
        assert_int_equal(stats->n_blocks_raw, 1);
        assert_int_equal(stats->n_sequences, 1);
    }
}

static void test_huffman_depth_limit(void **state)
{
    (void)state;
    size_t n_limited = 0;
    static const inputs_kind kinds[] = {INPUTS_FIBONACCI, INPUTS_GEOMETRIC};
    for (size_t i = 0; i < 40; i++) {
        size_t n = i < 20 ? 4096 * (i + 1) : BLOCK;
        inputs_fill(kinds[i & 1], input, n, i);
        check("deep Huffman tree", n);
        size_t n_section;
        const uint8_t *section = first_literals_section(n, &n_section);
        size_t n_literals;
        size_t n_consumed;
        rfc8878_stats stats;
        static uint8_t literals[RP_ZSTD_BLOCK_BYTES];
        assert_true(rfc8878_decode_literals_section(section, n_section, literals, BLOCK,
                                                    &n_literals, &n_consumed, &stats, NULL, 0));
        assert_int_equal(stats.n_literals_huffman_4_streams, 1);
        uint8_t weights[RFC8878_WEIGHTS_MAX];
        size_t n_symbols;
        unsigned max_bits;
        size_t n_header = (section[0] >> 2 & 3) < 2 ? 3 : (section[0] >> 2 & 3) + 2;
        assert_true(rfc8878_decode_huffman_weights(section + n_header, n_section - n_header,
                                                   weights, &n_symbols, &max_bits, &n_consumed,
                                                   NULL, NULL, 0));
        assert_true(max_bits <= 11);
        /* Without a limit, codes of one length belong to counts within a factor of about two;
         * where the limit binds, much rarer symbols share the longest code. */
        uint32_t counts[256] = {0};
        for (size_t k = 0; k < n_literals; k++)
            counts[literals[k]]++;
        uint32_t rarest = UINT32_MAX;
        uint32_t most = 0;
        for (size_t s = 0; s < n_symbols; s++) {
            if (weights[s] == 1 && max_bits == 11) {
                rarest = counts[s] < rarest ? counts[s] : rarest;
                most = counts[s] > most ? counts[s] : most;
            }
        }
        n_limited += most > 2 * (uint64_t)rarest + 2;
    }
    assert_true(n_limited >= 10);
}

/* Number_of_Sequences takes 1 byte up to 127, 2 up to 0x7EFF, 3 above. */
static void check_sequence_count(const rfc8878_stats *stats, size_t n_sequences, size_t n_bytes)
{
    assert_int_equal(stats->n_sequences, n_sequences);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(stats->n_sequence_counts[i], i + 1 == n_bytes);
}

static void test_sequence_counts(void **state)
{
    (void)state;
    static const size_t few[] = {1, 2, 126, 127, 128, 129, 255, 256, 257};
    for (size_t i = 0; i < sizeof(few) / sizeof(few[0]); i++) {
        size_t n = 116 * few[i] + 50;
        constructed_one_code(input, n, false, 1);
        check_sequence_count(check("few sequences", n), few[i], few[i] < 128 ? 1 : 2);
    }
    for (size_t n_sequences = 0x7EFE; n_sequences <= 0x7F01; n_sequences++) {
        /* A word of 4 bytes more is one sequence more. */
        size_t n = BLOCK;
        bool found = false;
        for (int attempt = 0; attempt < 8 && n <= BLOCK && !found; attempt++) {
            constructed_short_matches(input, n, 4);
            size_t reached = check("short matches", n)->n_sequences;
            found = reached == n_sequences;
            n = n + 4 * n_sequences - 4 * reached;
        }
        if (!found)
            fail_msg("no input of one block found with %zu sequences", n_sequences);
        check_sequence_count(&checker.stats, n_sequences, n_sequences < 0x7F00 ? 2 : 3);
    }
}

/* A whole block of literals and one match after them, and a block that is one match. */
static void test_longest_lengths(void **state)
{
    (void)state;
    inputs_fill(INPUTS_LITERALS_END, input, BLOCK, 0);
    const rfc8878_stats *stats = check("literals, one match", BLOCK);
    assert_int_equal(stats->n_sequences, 1);
    assert_true(stats->max_literals_length >= BLOCK - 48);
    for (size_t n = BLOCK - 2; n <= BLOCK; n++) {
        inputs_fill(INPUTS_PURE_PERIOD_3, input, n, 0);
        stats = check("one match", n);
        assert_int_equal(stats->n_sequences, 1);
        assert_int_equal(stats->max_match_length, n - 3);
    }
    /* A match of 131071 bytes: all bytes are equal, which is an RLE block. */
    inputs_fill(INPUTS_EQUAL, input, 3 * BLOCK, 0);
    assert_int_equal(check("equal", 3 * BLOCK)->n_blocks_rle, 3);
    /* Literal and match lengths around each power of two. */
    for (uint32_t bits = 3; bits <= 16; bits++) {
        for (uint32_t d = 0; d < 5; d++) {
            size_t length = ((size_t)1 << bits) + d - 2;
            inputs_random random = inputs_seed(bits);
            inputs_fill_unmatched(input, length + 8, 100, 3, &random);
            memcpy(input + length + 8, input + length - 5, 12);
            check("literal lengths", length + 20);
            inputs_fill_unmatched(input, 48, 100, 3, &random);
            for (size_t i = 48; i < 48 + length + 3; i++)
                input[i] = input[i - 31];
            inputs_fill_unmatched(input + 51 + length, 20, 100, 3, &random);
            check("match lengths", 71 + length);
        }
    }
}

static void test_offsets(void **state)
{
    (void)state;
    uint32_t max_offset = 0;
    /* Around each power of two: 16 bytes again, `offset` after their first occurrence. */
    for (uint32_t bits = 3; bits <= 17; bits++) {
        for (uint32_t d = 0; d < 9; d++) {
            size_t offset = ((size_t)1 << bits) + d - 4;
            inputs_random random = inputs_seed(bits);
            if (offset + 16 > BLOCK)
                continue;
            inputs_fill_unmatched(input, offset + 16, 200, 3, &random);
            for (size_t i = 0; i < 16; i++)
                input[offset + i] = input[i];
            const rfc8878_stats *stats = check("offsets", offset + 16);
            max_offset = stats->max_offset > max_offset ? stats->max_offset : max_offset;
        }
    }
    assert_int_equal(max_offset, 65535);
}

static void test_one_code_per_field(void **state)
{
    (void)state;
    for (int repeat = 0; repeat < 2; repeat++) {
        for (size_t n = 500; n < 30000; n = n * 3 / 2) {
            constructed_one_code(input, n, repeat != 0, n);
            const rfc8878_stats *stats = check("one code per field", n);
            assert_int_equal(stats->n_sequences, (n - 1) / 116);
            assert_int_equal(stats->repeat_offsets[0], repeat ? stats->n_sequences : 0);
            if (stats->n_sequences < 20)
                continue;
            assert_int_equal(stats->literals_length_modes[RFC8878_RLE], 1);
            assert_int_equal(stats->match_length_modes[RFC8878_RLE], 1);
            assert_int_equal(stats->offset_modes[RFC8878_RLE], 1);
        }
    }
}

/* Contents whose literals take each form, at sizes around those forms' limits. */
static void test_literals_forms(void **state)
{
    (void)state;
    for (size_t n = 4; n < 1200; n = n < 300 ? n + 1 : n + 37) {
        for (uint32_t n_symbols = 2; n_symbols <= 256; n_symbols *= 2) {
            inputs_random random = inputs_seed(n);
            inputs_fill_unmatched(input, n, n_symbols, 4, &random);
            check("literals", n);
            /* The same symbols, from the top of the alphabet down: more weights. */
            for (size_t i = 0; i < n; i++)
                input[i] = (uint8_t)(255 - input[i]);
            check("literals from the top", n);
            for (size_t i = 0; i < n; i++)
                input[i] = (uint8_t)(input[i] * 129);
            check("literals apart", n);
        }
    }
}

/* Literals that stay raw in a block that is compressed: their size field has 5, 12 or 20 bits, and
 * the match after them is what makes the block worth compressing. */
static void test_raw_literals(void **state)
{
    (void)state;
    static const size_t sizes[] = {30,   31,   32,   33,    4094,  4095,
                                   4096, 4097, 4098, 16384, 65535, 100000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        inputs_random random = inputs_seed(i);
        inputs_fill_unmatched(input, sizes[i], 256, 3, &random);
        /* Of long blocks, enough that the matcher does not give them up as incompressible. */
        bool is_long = sizes[i] >= 10000;
        size_t distance = !is_long ? 29 : sizes[i] < 65535 ? sizes[i] : 65535;
        size_t match_bytes = is_long ? 100 + sizes[i] / 20 : 100;
        for (size_t k = 0; k < match_bytes; k++)
            input[sizes[i] + k] = input[sizes[i] + k - distance];
        const rfc8878_stats *stats = check("raw literals", sizes[i] + match_bytes);
        assert_int_equal(stats->n_literals_raw, 1);
        assert_int_equal(stats->n_sequences, 1);
        assert_int_equal(stats->max_literals_length, sizes[i]);
    }
}

static void test_every_kind(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < INPUTS_N_KINDS; kind++) {
        static const size_t sizes[] = {100, 500, 4096, 16000, 65536, 131072, LARGEST};
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            inputs_fill((inputs_kind)kind, input, sizes[i], 99);
            check(inputs_kind_name((inputs_kind)kind), sizes[i]);
        }
    }
}

static void test_everything_was_seen(void **state)
{
    (void)state;
    const char *unseen = checker_unseen(&checker);
    if (unseen[0] != '\0')
        fail_msg("not seen in %zu frames: %s", checker.n_frames, unseen);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeat_offsets),      cmocka_unit_test(test_initial_repeat_offsets),
        cmocka_unit_test(test_huffman_depth_limit), cmocka_unit_test(test_sequence_counts),
        cmocka_unit_test(test_longest_lengths),     cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_one_code_per_field),  cmocka_unit_test(test_literals_forms),
        cmocka_unit_test(test_raw_literals),        cmocka_unit_test(test_every_kind),
        cmocka_unit_test(test_everything_was_seen),
    };
    return RUN_CASES(argc, argv, tests, set_up, tear_down);
}
