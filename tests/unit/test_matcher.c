/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1 alone: the sequences and literals of any input give the input back. They are checked
 * twice: by a decoder of a few lines, which knows repeat offsets from RFC 8878 section 3.1.1.5
 * and takes those that a block cannot know for an error; and by libzstd, which gets the same
 * sequences with plain offsets, validates them, encodes them and decodes the frame.
 *
 * The stage has no tables of its own to be wrong about, but much arithmetic at the ends of
 * buffers: hence all small sizes, and inputs in memory of their exact size.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"
#include <zstd.h>

#include "rockpress/engine.h"
#include "tests/support/effort.h"
#include "tests/support/inputs.h"

#define MIN_MATCH_BYTES 4

/* What the inputs together must have had, or the test would show less than it says. */
typedef struct coverage {
    uint64_t n_sequences;
    uint64_t repeats[3];
    uint64_t repeats_without_literals[3];
    uint64_t n_later_blocks;
    uint32_t max_offset;
    uint32_t max_match_length;
    uint32_t max_literal_length;
} coverage;

static rp_device *host;
static coverage seen;

typedef struct matched {
    uint8_t *workspace;
    rp_stage_buffers buffers;
} matched;

static matched match(const uint8_t *input, size_t n_bytes)
{
    matched result;
    size_t workspace_bytes = rp_workspace_size(n_bytes, 1, test_effort());
    result.workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, workspace_bytes);
    assert_non_null(result.workspace);
    memset(result.workspace, 0xA5, workspace_bytes);
    result.buffers.struct_size = sizeof(result.buffers);
    assert_int_equal(rp_workspace_carve(result.workspace, workspace_bytes, n_bytes, 1,
                                        test_effort(), &result.buffers),
                     RP_STATUS_OK);
    const void *inputs[1] = {input};
    void *outputs[1] = {NULL};
    size_t capacities[1] = {0};
    size_t output_sizes[1];
    rp_status statuses[1];
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = inputs,
        .d_input_sizes = &n_bytes,
        .max_input_bytes = n_bytes,
        .n_inputs = 1,
        .d_outputs = outputs,
        .d_output_capacities = capacities,
        .d_output_sizes = output_sizes,
        .d_statuses = statuses,
    };
    rp_stream stream = {host, NULL};
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = test_effort(),
        .flags = 0,
        .error = NULL,
    };
    assert_int_equal(rp_launch_lz77_matcher(&batch, &result.buffers, &options, stream),
                     RP_STATUS_OK);
    return result;
}

/* The offset of a sequence, 0 if it is not known; 3.1.1.5. */
static uint32_t resolve_offset(uint32_t repeats[3], uint32_t value, uint32_t literal_length)
{
    if (value > 3) {
        repeats[2] = repeats[1];
        repeats[1] = repeats[0];
        repeats[0] = value - 3;
        return repeats[0];
    }
    uint32_t which = value - (literal_length != 0 ? 1 : 0);
    uint32_t offset = which < 3 ? repeats[which] : repeats[0] == 0 ? 0 : repeats[0] - 1;
    if (which >= 2)
        repeats[2] = repeats[1];
    if (which >= 1)
        repeats[1] = repeats[0];
    repeats[0] = offset;
    return offset;
}

static void count_seen(rp_sequence sequence, uint32_t offset)
{
    uint32_t value = rp_sequence_offset_value(sequence);
    uint32_t literal_length = rp_sequence_literal_length(sequence);
    seen.n_sequences++;
    if (value <= 3 && literal_length != 0)
        seen.repeats[value - 1]++;
    else if (value <= 3)
        seen.repeats_without_literals[value - 1]++;
    if (offset > seen.max_offset)
        seen.max_offset = offset;
    if (rp_sequence_match_length(sequence) > seen.max_match_length)
        seen.max_match_length = rp_sequence_match_length(sequence);
    if (literal_length > seen.max_literal_length)
        seen.max_literal_length = literal_length;
}

/* Decodes zstd block c after `begin` bytes; appends its sequences with plain offsets and a block
 * delimiter to `plain`. Returns their number. */
static size_t decode_zstd_block(const rp_stage_buffers *buffers, size_t c, uint8_t *decoded,
                                size_t begin, size_t end, ZSTD_Sequence *plain)
{
    const rp_zstd_block *zstd_block = &buffers->d_zstd_blocks[c];
    const rp_sequence *sequences = buffers->d_sequences + c * buffers->sequences_stride;
    const uint8_t *literals = buffers->d_literals + c * buffers->literals_stride;
    uint32_t repeats[3] = {c == 0 ? 1 : 0, c == 0 ? 4 : 0, c == 0 ? 8 : 0};
    size_t at = begin;
    uint32_t n_literals = 0;
    assert_true(zstd_block->n_sequences <= (end - begin) / MIN_MATCH_BYTES);
    /* No code would shorten literals: only of a block that is nothing else. */
    assert_true(zstd_block->literals_section_bytes <= (zstd_block->n_sequences == 0));
    assert_int_equal(zstd_block->sequences_section_bytes, 0);
    for (uint32_t i = 0; i < zstd_block->n_sequences; i++) {
        uint32_t literal_length = rp_sequence_literal_length(sequences[i]);
        uint32_t match_length = rp_sequence_match_length(sequences[i]);
        uint32_t value = rp_sequence_offset_value(sequences[i]);
        assert_true(value != 0);
        assert_true(literal_length <= zstd_block->n_literals - n_literals);
        assert_true(literal_length + match_length <= end - at);
        memcpy(decoded + at, literals + n_literals, literal_length);
        n_literals += literal_length;
        at += literal_length;
        uint32_t offset = resolve_offset(repeats, value, literal_length);
        assert_true(offset != 0 && offset <= at);
        for (uint32_t k = 0; k < match_length; k++, at++)
            decoded[at] = decoded[at - offset];
        count_seen(sequences[i], offset);
        plain[i] = (ZSTD_Sequence){offset, literal_length, match_length, 0};
    }
    uint32_t left = zstd_block->n_literals - n_literals;
    assert_int_equal(left, end - at);
    memcpy(decoded + at, literals + n_literals, left);
    plain[zstd_block->n_sequences] = (ZSTD_Sequence){0, left, 0, 0};
    return zstd_block->n_sequences + (size_t)1;
}

static void check_with_libzstd(const uint8_t *input, size_t n_bytes, const ZSTD_Sequence *plain,
                               size_t n_plain, uint8_t *decoded)
{
    size_t capacity = ZSTD_compressBound(n_bytes);
    uint8_t *frame = malloc(capacity);
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    assert_non_null(frame);
    assert_non_null(cctx);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_validateSequences, 1);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_minMatch, 3); /* as ours, by the optimal parse */
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_blockDelimiters, ZSTD_sf_explicitBlockDelimiters);
    size_t frame_bytes =
        ZSTD_compressSequences(cctx, frame, capacity, plain, n_plain, input, n_bytes);
    if (ZSTD_isError(frame_bytes))
        fail_msg("libzstd: %s", ZSTD_getErrorName(frame_bytes));
    memset(decoded, 0, n_bytes);
    assert_int_equal(ZSTD_decompress(decoded, n_bytes, frame, frame_bytes), n_bytes);
    assert_memory_equal(decoded, input, n_bytes);
    ZSTD_freeCCtx(cctx);
    free(frame);
}

static void check_bytes(const uint8_t *input, size_t n_bytes)
{
    matched result = match(input, n_bytes);
    const rp_stage_buffers *buffers = &result.buffers;
    uint8_t *decoded = malloc(n_bytes + 1);
    ZSTD_Sequence *plain =
        malloc((n_bytes / MIN_MATCH_BYTES + buffers->n_zstd_blocks) * sizeof(ZSTD_Sequence));
    assert_non_null(decoded);
    assert_non_null(plain);
    size_t n_plain = 0;
    for (size_t c = 0; c < buffers->n_zstd_blocks; c++) {
        size_t begin = c * buffers->zstd_block_bytes;
        size_t end = begin + buffers->zstd_block_bytes < n_bytes ? begin + buffers->zstd_block_bytes
                                                                 : n_bytes;
        n_plain += decode_zstd_block(buffers, c, decoded, begin, end, plain + n_plain);
        seen.n_later_blocks += c != 0;
    }
    assert_memory_equal(decoded, input, n_bytes);
    check_with_libzstd(input, n_bytes, plain, n_plain, decoded);
    free(plain);
    free(decoded);
    free(result.workspace);
}

static void check_kind(inputs_kind kind, size_t n_bytes, uint64_t seed)
{
    uint8_t *input = malloc(n_bytes);
    inputs_fill(kind, input, n_bytes, seed);
    check_bytes(input, n_bytes);
    free(input);
}

static void test_small_sizes(void **state)
{
    (void)state;
    for (int kind = 0; kind < INPUTS_N_KINDS; kind++) {
        for (size_t n = 0; n <= 70; n++)
            check_kind((inputs_kind)kind, n, n);
    }
}

static void test_block_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {255, 256, 257, 4095, 4096, 16383, 16385, 65535, 65537, 100000};
    for (int kind = 0; kind < INPUTS_N_KINDS; kind++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
            check_kind((inputs_kind)kind, sizes[i], i);
    }
}

static void test_many_blocks(void **state)
{
    (void)state;
    static const size_t more[] = {0, 1, 4, 5000, RP_ZSTD_BLOCK_BYTES, 2 * RP_ZSTD_BLOCK_BYTES + 9};
    for (int kind = 0; kind < INPUTS_N_KINDS; kind++) {
        for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
            check_kind((inputs_kind)kind, RP_ZSTD_BLOCK_BYTES + more[i], i);
    }
}

static void test_random_mixtures(void **state)
{
    (void)state;
    inputs_random random = inputs_seed(77);
    for (uint64_t seed = 0; seed < 1500; seed++)
        check_kind(INPUTS_MIXED, inputs_magnitude(&random, 60000), seed);
}

/* Text of few words over few symbols: matches of the shortest lengths everywhere, close offsets,
 * sequences without literals. */
static void test_dense_matches(void **state)
{
    (void)state;
    inputs_random random = inputs_seed(78);
    for (uint32_t round = 0; round < 600; round++) {
        size_t n = 1 + inputs_below(&random, 3000);
        uint32_t n_symbols = 1 + inputs_below(&random, 4);
        uint32_t word = 1 + inputs_below(&random, 9);
        uint8_t *input = malloc(n);
        for (size_t i = 0; i < n; i++)
            input[i] = i >= 4 * word && i / word % 3 != 0
                           ? input[i - word * (1 + inputs_below(&random, 4))]
                           : (uint8_t)('a' + inputs_below(&random, n_symbols));
        check_bytes(input, n);
        free(input);
    }
}

typedef struct expected_case {
    const char *input;
    uint32_t n_sequences;
    rp_sequence first;
} expected_case;

#define SEQUENCE(literal_length, match_length, offset_value)                                       \
    ((uint64_t)(literal_length) | (uint64_t)((match_length)-3) << 17 |                             \
     (uint64_t)(offset_value) << 34)

/* What there is only one good answer to. Offset 1 is the first repeat offset from the start, 4
 * the second, 8 the third. */
static void test_expected_sequences(void **state)
{
    (void)state;
    static const expected_case cases[] = {
        {"", 0, 0},
        {"aaa", 0, 0},
        {"abcdefghijklmnop", 0, 0},
        {"aaaaaaaaaaaaaaaaaaaa", 1, SEQUENCE(1, 19, 1)},
        {"abcdabcdabcdabcdabcd", 1, SEQUENCE(4, 16, 2)},
        {"abcdefghabcdefghabcd", 1, SEQUENCE(8, 12, 3)},
        {"abcabcabcabcabcabcab", 1, SEQUENCE(3, 17, 3 + 3)},
        {"0123456789_0123456789", 1, SEQUENCE(11, 10, 11 + 3)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = strlen(cases[i].input);
        matched result = match((const uint8_t *)cases[i].input, n);
        assert_int_equal(result.buffers.d_zstd_blocks[0].n_sequences, cases[i].n_sequences);
        if (cases[i].n_sequences != 0)
            assert_true(result.buffers.d_sequences[0] == cases[i].first);
        free(result.workspace);
    }
}

/* Hexadecimal digits have short matches everywhere, and are shorter without any. */
static void test_literals_only(void **state)
{
    (void)state;
    static const size_t sizes[] = {2000, 4096, 16384, 65536};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t *input = malloc(sizes[i]);
        inputs_fill(INPUTS_HEX, input, sizes[i], i);
        matched result = match(input, sizes[i]);
        assert_int_equal(result.buffers.d_zstd_blocks[0].n_sequences, 0);
        assert_int_equal(result.buffers.d_zstd_blocks[0].n_literals, sizes[i]);
        free(result.workspace);
        free(input);
    }
}

/* The longest match and the longest literals of one block. */
static void test_longest(void **state)
{
    (void)state;
    check_kind(INPUTS_EQUAL, RP_ZSTD_BLOCK_BYTES, 1);
    check_kind(INPUTS_LITERALS_END, RP_ZSTD_BLOCK_BYTES, 1);
    /* Equal bytes are literals to the matcher, which are shorter still as RLE. */
    assert_true(seen.max_match_length >= RP_ZSTD_BLOCK_BYTES - 4);
}

/* Bytes of the scratch that are not as match() left them, and what came of the block. */
typedef struct effects {
    size_t scratch_bytes;
    uint32_t n_sequences;
    uint32_t n_literals;
} effects;

static effects effects_of(const uint8_t *input, size_t n_bytes)
{
    matched result = match(input, n_bytes);
    const rp_zstd_block *zstd_block = &result.buffers.d_zstd_blocks[0];
    effects seen_there = {0, zstd_block->n_sequences, zstd_block->n_literals};
    for (size_t i = 0; i < result.buffers.scratch_stride; i++)
        seen_there.scratch_bytes += result.buffers.d_scratch[i] != 0xA5;
    free(result.workspace);
    return seen_there;
}

static uint8_t *make_input(inputs_kind kind, size_t n_bytes)
{
    uint8_t *input = malloc(n_bytes);
    assert_non_null(input);
    inputs_fill(kind, input, n_bytes, 3);
    return input;
}

/* The optimal parse has a node of many bytes for each position; random bytes with a few that come
 * twice are spared it, and only they: neither all twice nor bytes that Huffman gains on. */
static void test_random_bytes_are_parsed_once(void **state)
{
    (void)state;
    enum { N_BYTES = 16384, COPIED = 128 };
    uint8_t *input = make_input(INPUTS_NOISE, N_BYTES);
    memcpy(input + 9000, input + 1000, COPIED);
    effects once = effects_of(input, N_BYTES);
    free(input);
    assert_int_equal(once.n_sequences, 1);
    static const inputs_kind others[] = {INPUTS_TEXT, INPUTS_LONG_MATCH, INPUTS_LITERALS_ONLY};
    for (size_t i = 0; i < 3 && test_effort() >= RP_EFFORT_HIGH; i++) {
        input = make_input(others[i], N_BYTES);
        assert_true(effects_of(input, N_BYTES).scratch_bytes > once.scratch_bytes + 4 * N_BYTES);
        free(input);
    }
}

/* Blocks that can't be compressed get no candidates. A string that occurs twice is found
 * though, and so are bytes of which some are more frequent than others. */
static void test_incompressible_blocks_are_spared(void **state)
{
    (void)state;
    static const size_t sizes[] = {512,  513,  1024,  2048,  2049,
                                   4096, 5001, 16384, 65536, RP_ZSTD_BLOCK_BYTES};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t n = sizes[i];
        uint8_t *input = make_input(INPUTS_NOISE, n);
        effects of_noise = effects_of(input, n);
        assert_int_equal(of_noise.scratch_bytes, 0);
        assert_int_equal(of_noise.n_sequences, 0);

        /* A twentieth of the block, at the end, where nothing is left to come. */
        memcpy(input + n - n / 20, input + n - n / 20 - n / 3, n / 20);
        effects of_copy = effects_of(input, n);
        assert_true(of_copy.n_sequences > 0);
        assert_in_range(n - of_copy.n_literals, n / 20 - 4, n / 20 + 100);

        inputs_fill(INPUTS_NOISE, input, n, 4);
        for (size_t k = 0; k < n; k += 8)
            input[k] = 'x';
        assert_true(effects_of(input, n).scratch_bytes > 0);
        free(input);
    }
}

/* Nor are blocks that are too small to be shortened. */
static void test_tiny_blocks_are_spared(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 9; n++) {
        uint8_t *input = make_input(INPUTS_EQUAL, n);
        effects there = effects_of(input, n);
        assert_true((there.scratch_bytes == 0) == (n <= 8));
        assert_int_equal(there.n_sequences == 0, n <= 8);
        free(input);
    }
}

/* A string that comes in every record, between values that can't be compressed, may have none of
 * the positions that the precheck chooses. Then its bytes are more frequent than others. */
static void test_strings_between_noise_are_found(void **state)
{
    (void)state;
    enum { RECORD = 100, STRING = 16, N_STRINGS = 40 };
    static const size_t sizes[] = {1024, 2048, 3000, 4096, 8192, 16384};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (uint64_t k = 0; k < N_STRINGS; k++) {
            uint8_t *input = make_input(INPUTS_NOISE, sizes[i]);
            inputs_fill(INPUTS_NOISE, input, STRING, 1000 + k);
            for (size_t at = RECORD; at + STRING <= sizes[i]; at += RECORD)
                memcpy(input + at, input, STRING);
            assert_true(effects_of(input, sizes[i]).n_sequences >= sizes[i] / RECORD - 1);
            free(input);
        }
    }
}

static void test_coverage(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(seen.repeats[i] > 100);
        assert_true(seen.repeats_without_literals[i] > 10);
    }
    assert_true(seen.n_sequences > 100000);
    assert_true(seen.n_later_blocks > 50);
    assert_true(seen.max_offset > 60000);
    assert_true(seen.max_literal_length > 60000);
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expected_sequences),
        cmocka_unit_test(test_small_sizes),
        cmocka_unit_test(test_block_sizes),
        cmocka_unit_test(test_many_blocks),
        cmocka_unit_test(test_random_mixtures),
        cmocka_unit_test(test_dense_matches),
        cmocka_unit_test(test_literals_only),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_random_bytes_are_parsed_once),
        cmocka_unit_test(test_incompressible_blocks_are_spared),
        cmocka_unit_test(test_tiny_blocks_are_spared),
        cmocka_unit_test(test_strings_between_noise_are_found),
        cmocka_unit_test(test_coverage),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
