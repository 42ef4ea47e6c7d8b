/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 4 alone. The assembler gets sections that the test made up, and every byte of its frame is
 * compared with a frame that the test puts together by RFC 8878 section 3.1.1. Sections that are
 * not going to be decoded are noise, since the assembler reads nothing of them but the type of the
 * literals, which may tell that the block is a run. Bytes after the frame and after the capacity
 * have to stay as they were.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"
#include <xxhash.h>
#include <zstd.h>

#include "rockpress/engine.h"
#include "tests/support/inputs.h"
#include "tests/support/rfc8878_decoder.h"

#define MAX_ZSTD_BLOCKS 4
#define GUARD_BYTES 64
#define GUARD 0xC3

typedef enum block_type { RAW = 0, RLE = 1, COMPRESSED = 2 } block_type;

/* What the earlier stages have stored for one zstd block, and how it has to be written. */
typedef struct zstd_block_spec {
    rp_zstd_block zstd_block;
    rp_sequence first_sequence;
    uint8_t literals_first_byte; /* of the section; the lowest two bits are its type */
    block_type expected;
} zstd_block_spec;

typedef struct frame_test {
    uint8_t *input;
    size_t n_bytes;
    uint32_t flags;
    zstd_block_spec zstd_blocks[MAX_ZSTD_BLOCKS];
    uint8_t *workspace;
    rp_stage_buffers buffers;
    uint8_t *frame; /* expected */
    size_t frame_bytes;
} frame_test;

static rp_device *host;

static void append(frame_test *test, uint64_t value, uint32_t n_bytes)
{
    for (uint32_t i = 0; i < n_bytes; i++)
        test->frame[test->frame_bytes++] = (uint8_t)(value >> (8 * i));
}

static void append_bytes(frame_test *test, const uint8_t *bytes, size_t n_bytes)
{
    memcpy(test->frame + test->frame_bytes, bytes, n_bytes);
    test->frame_bytes += n_bytes;
}

static void expect_header(frame_test *test)
{
    bool has_checksum = (test->flags & RP_COMPRESS_CHECKSUM) != 0;
    uint32_t checksum_flag = has_checksum ? 4 : 0;
    append(test, UINT32_C(0xFD2FB528), 4);
    if (test->n_bytes < 256) {
        append(test, 0x20 | checksum_flag, 1);
        append(test, test->n_bytes, 1);
    } else if (test->n_bytes < 65536 + 256) {
        append(test, 0x60 | checksum_flag, 1);
        append(test, test->n_bytes - 256, 2);
    } else {
        append(test, 0xA0 | checksum_flag, 1);
        append(test, test->n_bytes, 4);
    }
}

static void expect_block(frame_test *test, size_t c, bool is_last)
{
    const rp_stage_buffers *buffers = &test->buffers;
    const zstd_block_spec *spec = &test->zstd_blocks[c];
    size_t begin = c * buffers->zstd_block_bytes;
    size_t n_bytes = test->n_bytes - begin;
    if (n_bytes > buffers->zstd_block_bytes)
        n_bytes = buffers->zstd_block_bytes;
    size_t n_compressed =
        spec->zstd_block.literals_section_bytes + spec->zstd_block.sequences_section_bytes;
    append(test,
           (is_last ? 1 : 0) | (uint64_t)spec->expected << 1 |
               (spec->expected == COMPRESSED ? n_compressed : n_bytes) << 3,
           3);
    if (spec->expected == RAW) {
        append_bytes(test, test->input + begin, n_bytes);
    } else if (spec->expected == RLE) {
        append_bytes(test, test->input + begin, 1);
    } else {
        append_bytes(test, buffers->d_literals_sections + c * buffers->literals_section_stride,
                     spec->zstd_block.literals_section_bytes);
        append_bytes(test, buffers->d_sequences_sections + c * buffers->sequences_section_stride,
                     spec->zstd_block.sequences_section_bytes);
    }
}

/* Makes the input and the sections of noise, and the expected frame. */
static frame_test make_test(size_t n_bytes, uint32_t flags, const zstd_block_spec *specs)
{
    frame_test test;
    memset(&test, 0, sizeof(test));
    test.n_bytes = n_bytes;
    test.flags = flags;
    test.input = malloc(n_bytes);
    test.frame = malloc(rp_compress_bound(n_bytes));
    assert_non_null(test.frame);
    inputs_fill(INPUTS_NOISE, test.input, n_bytes, n_bytes);
    size_t workspace_bytes = rp_workspace_size(n_bytes, 1, RP_EFFORT_FAST);
    test.workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, workspace_bytes);
    assert_non_null(test.workspace);
    inputs_fill(INPUTS_NOISE, test.workspace, workspace_bytes, 1);
    test.buffers.struct_size = sizeof(test.buffers);
    assert_int_equal(rp_workspace_carve(test.workspace, workspace_bytes, n_bytes, 1, RP_EFFORT_FAST,
                                        &test.buffers),
                     RP_STATUS_OK);
    rp_stage_buffers *buffers = &test.buffers;
    assert_true(buffers->n_zstd_blocks <= MAX_ZSTD_BLOCKS);
    expect_header(&test);
    for (size_t c = 0; c < buffers->n_zstd_blocks; c++) {
        if (specs != NULL)
            test.zstd_blocks[c] = specs[c];
        buffers->d_zstd_blocks[c] = test.zstd_blocks[c].zstd_block;
        buffers->d_sequences[c * buffers->sequences_stride] = test.zstd_blocks[c].first_sequence;
        buffers->d_literals_sections[c * buffers->literals_section_stride] =
            test.zstd_blocks[c].literals_first_byte;
        expect_block(&test, c, c + 1 == buffers->n_zstd_blocks);
    }
    if ((flags & RP_COMPRESS_CHECKSUM) != 0)
        append(&test, XXH64(test.input, n_bytes, 0), 4);
    return test;
}

static void free_test(frame_test *test)
{
    free(test->input);
    free(test->frame);
    free(test->workspace);
}

static uint8_t *run(const frame_test *test, size_t capacity, size_t *output_size, rp_status *status)
{
    uint8_t *output = malloc(capacity + GUARD_BYTES);
    assert_non_null(output);
    memset(output, GUARD, capacity + GUARD_BYTES);
    const void *inputs[1] = {test->input};
    void *outputs[1] = {output};
    *output_size = 12345;
    *status = RP_STATUS_INTERNAL;
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = inputs,
        .d_input_sizes = &test->n_bytes,
        .max_input_bytes = test->n_bytes,
        .n_inputs = 1,
        .d_outputs = outputs,
        .d_output_capacities = &capacity,
        .d_output_sizes = output_size,
        .d_statuses = status,
    };
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    options.flags = test->flags;
    rp_stream stream = {host, NULL};
    assert_int_equal(rp_launch_frame_assembler(&batch, &test->buffers, &options, stream),
                     RP_STATUS_OK);
    return output;
}

static void check_guard(const uint8_t *output, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        assert_int_equal(output[i], GUARD);
}

static void check_capacity(const frame_test *test, size_t capacity)
{
    size_t output_size;
    rp_status status;
    uint8_t *output = run(test, capacity, &output_size, &status);
    if (capacity < test->frame_bytes) {
        assert_int_equal(status, RP_STATUS_OUTPUT_TOO_SMALL);
        assert_int_equal(output_size, 0);
        check_guard(output, capacity, capacity + GUARD_BYTES);
    } else {
        assert_int_equal(status, RP_STATUS_OK);
        assert_int_equal(output_size, test->frame_bytes);
        assert_memory_equal(output, test->frame, test->frame_bytes);
        check_guard(output, test->frame_bytes, capacity + GUARD_BYTES);
    }
    free(output);
}

static void check_frame(const frame_test *test)
{
    check_capacity(test, test->frame_bytes);
    check_capacity(test, test->frame_bytes + 100);
    check_capacity(test, test->frame_bytes - 1);
    check_capacity(test, 0);
}

/* Both decoders read it. */
static void check_decodes(const frame_test *test)
{
    uint8_t *decoded = malloc(test->n_bytes + 1);
    assert_non_null(decoded);
    size_t n_decoded;
    rfc8878_stats stats;
    char error[RFC8878_ERROR_BYTES];
    if (!rfc8878_decode_frame(test->frame, test->frame_bytes, decoded, test->n_bytes, &n_decoded,
                              &stats, error, sizeof(error)))
        fail_msg("%s", error);
    assert_int_equal(n_decoded, test->n_bytes);
    if (test->n_bytes != 0)
        assert_memory_equal(decoded, test->input, test->n_bytes);
    assert_true(stats.single_segment);
    assert_true(stats.has_content_size);
    assert_int_equal(stats.content_size, test->n_bytes);
    assert_int_equal(stats.has_checksum, (test->flags & RP_COMPRESS_CHECKSUM) != 0);
    assert_int_equal(ZSTD_decompress(decoded, test->n_bytes, test->frame, test->frame_bytes),
                     test->n_bytes);
    free(decoded);
}

static void test_headers(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,     1,     2,     255,    256,    257,    4096,   65535,
                                   65536, 65791, 65792, 131071, 131072, 131073, 262144, 300000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (uint32_t flags = 0; flags <= RP_COMPRESS_CHECKSUM; flags++) {
            frame_test test = make_test(sizes[i], flags, NULL);
            check_frame(&test);
            check_decodes(&test);
            free_test(&test);
        }
    }
}

static void test_every_capacity(void **state)
{
    (void)state;
    static const zstd_block_spec compressed = {{3, 20, 30, 40}, 0, RAW, COMPRESSED};
    for (uint32_t flags = 0; flags <= RP_COMPRESS_CHECKSUM; flags++) {
        frame_test raw = make_test(100, flags, NULL);
        frame_test other = make_test(100, flags, &compressed);
        for (size_t capacity = 0; capacity < 130; capacity++) {
            check_capacity(&raw, capacity);
            check_capacity(&other, capacity);
        }
        assert_int_equal(raw.frame_bytes, 100 + 9 + ((flags & RP_COMPRESS_CHECKSUM) != 0 ? 4 : 0));
        assert_int_equal(other.frame_bytes, 70 + 9 + ((flags & RP_COMPRESS_CHECKSUM) != 0 ? 4 : 0));
        free_test(&raw);
        free_test(&other);
    }
}

/* First bytes of literals sections, whose lowest two bits are the type. */
#define RAW_LITERALS 0xF0
#define RLE_LITERALS 0xF1
#define HUFFMAN_LITERALS 0xF2

#define SEQUENCE(literal_length, match_length, offset_value)                                       \
    ((uint64_t)(literal_length) | (uint64_t)((match_length)-3) << 17 |                             \
     (uint64_t)(offset_value) << 34)

/* Zstd blocks of 1000 bytes. */
static const zstd_block_spec choices[] = {
    /* The smallest of raw and compressed. */
    {{10, 500, 400, 599}, SEQUENCE(5, 5, 5), HUFFMAN_LITERALS, COMPRESSED},
    {{10, 500, 400, 600}, SEQUENCE(5, 5, 5), HUFFMAN_LITERALS, RAW},
    {{10, 500, 999, 600}, SEQUENCE(5, 5, 5), HUFFMAN_LITERALS, RAW},
    {{10, 500, 400, 0}, SEQUENCE(5, 5, 5), HUFFMAN_LITERALS, RAW}, /* no sequences section */
    {{10, 500, 1, 1}, SEQUENCE(1, 999, 1), RLE_LITERALS, COMPRESSED},
    {{0, 1000, 900, 1}, SEQUENCE(1, 999, 1), HUFFMAN_LITERALS, COMPRESSED},
    {{0, 1000, 999, 1}, SEQUENCE(1, 999, 1), RAW_LITERALS, RAW},
    /* A run of equal bytes. */
    {{0, 1000, 3, 1}, SEQUENCE(9, 9, 9), RLE_LITERALS, RLE},
    {{1, 1, 2, 8}, SEQUENCE(1, 999, 1), RAW_LITERALS, RLE},
    {{1, 1, 2, 8}, SEQUENCE(1, 999, 4), RAW_LITERALS, RLE},
    {{1, 1, 2, 0}, SEQUENCE(1, 999, 4), RAW_LITERALS, RLE},
    /* Almost a run. */
    {{1, 1, 2, 8},
     SEQUENCE(0, 999, 1),
     RAW_LITERALS,
     COMPRESSED}, /* offset 4, no literal before it */
    {{1, 1, 2, 8}, SEQUENCE(1, 999, 2), RAW_LITERALS, COMPRESSED},
    {{1, 1, 2, 8}, SEQUENCE(1, 999, 3), RAW_LITERALS, COMPRESSED},
    {{1, 1, 2, 8}, SEQUENCE(1, 999, 5), RAW_LITERALS, COMPRESSED},
    {{1, 2, 3, 8}, SEQUENCE(1, 998, 1), RAW_LITERALS, COMPRESSED},
    {{1, 2, 3, 8}, SEQUENCE(2, 998, 1), RLE_LITERALS, COMPRESSED},
    {{2, 1, 2, 9}, SEQUENCE(1, 500, 1), RAW_LITERALS, COMPRESSED},
};

static void test_choice(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        frame_test test = make_test(1000, RP_COMPRESS_CHECKSUM, &choices[i]);
        check_frame(&test);
        free_test(&test);
    }
}

/* A block of one byte is raw, since RLE would be as long. */
static void test_one_byte(void **state)
{
    (void)state;
    static const zstd_block_spec spec = {{0, 1, 2, 1}, 0, RLE_LITERALS, RAW};
    frame_test test = make_test(1, 0, &spec);
    check_frame(&test);
    check_decodes(&test);
    free_test(&test);
}

static void test_many_blocks(void **state)
{
    (void)state;
    static const zstd_block_spec compressed = {
        {9, 90, 70000, 61071}, SEQUENCE(5, 5, 5), 2, COMPRESSED};
    static const zstd_block_spec raw = {{9, 90, 70000, 61072}, SEQUENCE(5, 5, 5), 2, RAW};
    static const zstd_block_spec run_spec = {{1, 1, 2, 8}, SEQUENCE(1, 131071, 4), 0, RLE};
    static const zstd_block_spec tail = {{9, 90, 20, 10}, SEQUENCE(5, 5, 5), 2, COMPRESSED};
    const zstd_block_spec orders[][MAX_ZSTD_BLOCKS] = {
        {compressed, raw, run_spec, tail},
        {raw, run_spec, compressed, tail},
        {run_spec, compressed, raw, tail},
    };
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        frame_test test = make_test(3 * RP_ZSTD_BLOCK_BYTES + 31, RP_COMPRESS_CHECKSUM, orders[i]);
        check_frame(&test);
        free_test(&test);
    }
}

/* Real sections: the four stages, launched one by one, make the frame that one call makes. */
static void check_stages(inputs_kind kind, size_t n_bytes)
{
    frame_test test = make_test(n_bytes, RP_COMPRESS_CHECKSUM, NULL);
    inputs_fill(kind, test.input, n_bytes, 7);
    size_t capacity = rp_compress_bound(n_bytes);
    size_t output_size;
    rp_status status;
    const void *inputs[1] = {test.input};
    void *outputs[1] = {test.frame};
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = inputs,
        .d_input_sizes = &n_bytes,
        .max_input_bytes = n_bytes,
        .n_inputs = 1,
        .d_outputs = outputs,
        .d_output_capacities = &capacity,
        .d_output_sizes = &output_size,
        .d_statuses = &status,
    };
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    options.flags = test.flags;
    rp_stream stream = {host, NULL};
    size_t workspace_bytes = rp_workspace_size(n_bytes, 1, RP_EFFORT_FAST);
    assert_int_equal(
        rp_compress_batch_async(test.workspace, workspace_bytes, &batch, &options, stream),
        RP_STATUS_OK);
    assert_int_equal(status, RP_STATUS_OK);
    test.frame_bytes = output_size;
    check_decodes(&test);

    memset(test.workspace, 0xA5, workspace_bytes);
    assert_int_equal(rp_launch_lz77_matcher(&batch, &test.buffers, &options, stream), RP_STATUS_OK);
    assert_int_equal(rp_launch_huffman_encoder(&batch, &test.buffers, &options, stream),
                     RP_STATUS_OK);
    assert_int_equal(rp_launch_fse_encoder(&batch, &test.buffers, &options, stream), RP_STATUS_OK);
    check_frame(&test);
    free_test(&test);
}

static void test_after_real_stages(void **state)
{
    (void)state;
    for (int kind = 0; kind < INPUTS_N_KINDS; kind++) {
        static const size_t sizes[] = {0, 1, 2, 3, 17, 255, 256, 3000, 70000, 200000};
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
            check_stages((inputs_kind)kind, sizes[i]);
    }
}

/* Each input of a batch has its own size, capacity and result. */
static void test_batch(void **state)
{
    (void)state;
    enum { N = 5 };
    static const size_t sizes[N] = {500, 501, 0, 300, 499};
    static const size_t capacities[N] = {511, 600, 9, 308, 600};
    static const rp_status expected[N] = {RP_STATUS_OK, RP_STATUS_INPUT_TOO_LARGE, RP_STATUS_OK,
                                          RP_STATUS_OUTPUT_TOO_SMALL, RP_STATUS_OK};
    uint8_t input[600];
    uint8_t output[N][700];
    const void *inputs[N];
    void *outputs[N];
    size_t output_sizes[N];
    rp_status statuses[N];
    inputs_fill(INPUTS_NOISE, input, sizeof(input), 3);
    memset(output, GUARD, sizeof(output));
    for (size_t i = 0; i < N; i++) {
        inputs[i] = input + i;
        outputs[i] = output[i];
        output_sizes[i] = 999;
        statuses[i] = RP_STATUS_INTERNAL;
    }
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = inputs,
        .d_input_sizes = sizes,
        .max_input_bytes = 500,
        .n_inputs = N,
        .d_outputs = outputs,
        .d_output_capacities = capacities,
        .d_output_sizes = output_sizes,
        .d_statuses = statuses,
    };
    size_t workspace_bytes = rp_workspace_size(500, N, RP_EFFORT_FAST);
    uint8_t *workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, workspace_bytes);
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    assert_non_null(workspace);
    assert_int_equal(
        rp_workspace_carve(workspace, workspace_bytes, 500, N, RP_EFFORT_FAST, &buffers),
        RP_STATUS_OK);
    memset(buffers.d_literals_sections, 0, N * buffers.literals_section_stride);
    memset(buffers.d_zstd_blocks, 0, N * sizeof(buffers.d_zstd_blocks[0]));
    rp_stream stream = {host, NULL};
    assert_int_equal(rp_launch_frame_assembler(&batch, &buffers, NULL, stream), RP_STATUS_OK);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(statuses[i], expected[i]);
        if (expected[i] != RP_STATUS_OK) {
            assert_int_equal(output_sizes[i], 0);
        } else {
            size_t header_bytes = sizes[i] < 256 ? 6 : 7;
            assert_int_equal(output_sizes[i], header_bytes + 3 + sizes[i]);
            assert_memory_equal(output[i] + header_bytes + 3, inputs[i], sizes[i]);
        }
        check_guard(output[i], capacities[i], sizeof(output[i]));
    }
    free(workspace);
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),     cmocka_unit_test(test_every_capacity),
        cmocka_unit_test(test_choice),      cmocka_unit_test(test_one_byte),
        cmocka_unit_test(test_many_blocks), cmocka_unit_test(test_after_real_stages),
        cmocka_unit_test(test_batch),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
