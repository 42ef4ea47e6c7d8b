/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame verifier against the strict decoder: it accepts the frames of the encoder, with and
 * without entry points, and frames of libzstd. Of frames that have been changed it accepts those
 * that the strict decoder still decodes to the input, and no other. With entry points it may refuse
 * these, too: the changed bits may lead to the same content by other states.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include <xxhash.h>
#include <zstd.h>

#include "tests/differential/constructed.h"
#include "tests/support/effort.h"
#include "tests/support/inputs.h"
#include "tests/support/prover.h"

#define LARGEST 300000
#define CAPACITY (LARGEST + 4096)

static rp_device *host;
static uint8_t input[LARGEST];
static uint8_t frame[CAPACITY];

static void expect(prover *p, rp_device *device, size_t n_bytes, size_t frame_bytes,
                   bool with_entry_points, bool is_right, const char *what, uint64_t which)
{
    prover_result result =
        prover_prove(p, device, input, n_bytes, frame, frame_bytes, with_entry_points);
    if (!is_right) {
        if (result.status != RP_STATUS_VERIFICATION_FAILED || result.frame_bytes != 0 ||
            result.proof.input_hash != 0 || result.proof.frame_hash != 0)
            fail_msg("%s %llu, %zu bytes, entry points %d: %s for a wrong frame (%s)", what,
                     (unsigned long long)which, n_bytes, with_entry_points,
                     rp_status_name(result.status), p->error);
        return;
    }
    if (result.status != RP_STATUS_OK)
        fail_msg("%s %llu, %zu bytes, entry points %d: %s (%s) for a right frame", what,
                 (unsigned long long)which, n_bytes, with_entry_points,
                 rp_status_name(result.status), p->error);
    assert_int_equal(result.frame_bytes, frame_bytes);
    assert_true(result.is_delivered);
    assert_true(result.proof.input_hash == XXH3_64bits(input, n_bytes));
    assert_true(result.proof.frame_hash == XXH3_64bits(frame, frame_bytes));
}

/* Of a frame that was changed. */
static void expect_changed(prover *p, size_t n_bytes, size_t frame_bytes, const char *what,
                           uint64_t which, size_t *n_right)
{
    bool is_foreign;
    const bool is_right = prover_expects(input, n_bytes, frame, frame_bytes, &is_foreign);
    expect(p, host, n_bytes, frame_bytes, false, is_right && !is_foreign, what, which);
    if (!is_right)
        expect(p, host, n_bytes, frame_bytes, true, false, what, which);
    *n_right += is_right;
}

static size_t compress(prover *p, size_t n_bytes, uint32_t flags)
{
    size_t frame_bytes = 0;
    rp_status status =
        prover_compress(p, host, input, n_bytes, flags, frame, CAPACITY, &frame_bytes);
    if (status != RP_STATUS_OK)
        fail_msg("%s", p->error);
    return frame_bytes;
}

static void test_encoded_frames(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,    1,    2,     5,     100,    255,    256,
                                   1000, 4096, 16384, 65536, 131072, 131073, LARGEST};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        prover p;
        prover_open(&p, sizes[s], test_effort());
        for (int kind = 0; kind < INPUTS_N_KINDS; kind++) {
            inputs_fill((inputs_kind)kind, input, sizes[s], 77 + s);
            for (uint32_t flags = 0; flags <= RP_COMPRESS_CHECKSUM; flags++) {
                size_t n = compress(&p, sizes[s], flags);
                expect(&p, host, sizes[s], n, true, true, inputs_kind_name((inputs_kind)kind), s);
                expect(&p, host, sizes[s], n, false, true, inputs_kind_name((inputs_kind)kind), s);
            }
        }
        prover_close(&p);
    }
}

/* Every flip of one bit of some frames of up to 300 bytes. */
static void test_single_flips(void **state)
{
    (void)state;
    static const size_t sizes[] = {3, 40, 300, 600, 1000, 2500};
    size_t n_flips = 0;
    size_t n_right = 0;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        prover p;
        prover_open(&p, sizes[s], test_effort());
        for (int kind = 0; kind < INPUTS_N_KINDS; kind++) {
            inputs_fill((inputs_kind)kind, input, sizes[s], 5 + s);
            size_t n = compress(&p, sizes[s], kind % 4 == 0 ? RP_COMPRESS_CHECKSUM : 0);
            for (size_t bit = 0; bit < 8 * n; bit++) {
                frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
                expect_changed(&p, sizes[s], n, inputs_kind_name((inputs_kind)kind), bit, &n_right);
                frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
                n_flips++;
            }
        }
        prover_close(&p);
    }
    printf("%zu flips, %zu without a difference\n", n_flips, n_right);
}

/* Several flips, in the frame or in the entry points, of larger ones. */
static void test_random_flips(void **state)
{
    (void)state;
    prover p;
    prover_open(&p, 20000, test_effort());
    size_t n_right = 0;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        inputs_random random = inputs_seed(seed);
        static size_t n_bytes;
        static size_t n;
        static uint8_t original[CAPACITY];
        if (seed % 20 == 1) {
            n_bytes = inputs_magnitude(&random, 20000);
            inputs_fill_random(input, n_bytes, seed);
            n = compress(&p, n_bytes, seed % 3 == 0 ? RP_COMPRESS_CHECKSUM : 0);
            memcpy(original, frame, n);
        }
        memcpy(frame, original, n);
        for (uint32_t k = inputs_below(&random, 4) + 1; k > 0; k--)
            frame[inputs_below(&random, (uint32_t)n)] ^= (uint8_t)(1 << inputs_below(&random, 8));
        expect_changed(&p, n_bytes, n, "seed", seed, &n_right);
    }
    prover_close(&p);
    printf("%zu without a difference\n", n_right);
}

/* Wrong entry points make a right frame fail or change nothing; they never let a wrong one pass. */
static void test_wrong_entry_points(void **state)
{
    (void)state;
    prover p;
    prover_open(&p, 20000, test_effort());
    uint8_t *right = malloc(p.buffers.entry_points_stride);
    assert_non_null(right);
    size_t n_failed = 0;
    for (uint64_t seed = 1; seed <= 4000; seed++) {
        inputs_random random = inputs_seed(seed);
        static size_t n_bytes;
        static size_t n;
        if (seed % 20 == 1) {
            n_bytes = 2000 + inputs_below(&random, 18000);
            inputs_fill_random(input, n_bytes, seed);
            n = compress(&p, n_bytes, 0);
            memcpy(right, p.buffers.d_entry_points, p.buffers.entry_points_stride);
        }
        uint8_t *entries = p.buffers.d_entry_points;
        memcpy(entries, right, p.buffers.entry_points_stride);
        if (seed % 20 == 2) {
            memset(entries, (int)inputs_below(&random, 256), p.buffers.entry_points_stride);
        } else {
            for (uint32_t k = inputs_below(&random, 40) + 1; k > 0; k--)
                entries[inputs_below(&random, (uint32_t)p.buffers.entry_points_stride)] ^=
                    (uint8_t)(1 << inputs_below(&random, 8));
        }
        prover_result result = prover_prove(&p, host, input, n_bytes, frame, n, true);
        assert_true(result.status == RP_STATUS_OK ||
                    result.status == RP_STATUS_VERIFICATION_FAILED);
        n_failed += result.status != RP_STATUS_OK;
        /* The frame of another input. */
        input[inputs_below(&random, (uint32_t)n_bytes)] ^= (uint8_t)(1 << inputs_below(&random, 8));
        expect(&p, host, n_bytes, n, true, false, "seed", seed);
        expect(&p, host, n_bytes, n, false, false, "seed", seed);
        inputs_fill_random(input, n_bytes, seed - (seed - 1) % 20);
    }
    assert_true(n_failed > 100);
    free(right);
    prover_close(&p);
}

/* Frames of libzstd: other tables, other matches, blocks of other sizes. */
static void test_frames_of_libzstd(void **state)
{
    (void)state;
    ZSTD_CCtx *context = ZSTD_createCCtx();
    assert_non_null(context);
    size_t n_foreign = 0;
    size_t n_frames = 0;
    prover p;
    prover_open(&p, LARGEST, test_effort());
    for (uint64_t seed = 1; seed <= 300; seed++) {
        inputs_random random = inputs_seed(seed);
        size_t n_bytes =
            seed % 10 == 0 ? inputs_below(&random, LARGEST) : inputs_magnitude(&random, 60000);
        if (seed % 3 == 0)
            inputs_fill((inputs_kind)inputs_below(&random, INPUTS_N_KINDS), input, n_bytes, seed);
        else
            inputs_fill_random(input, n_bytes, seed);
        int level = (int)inputs_below(&random, 19) + 1;
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, (int)inputs_below(&random, 2));
        size_t n = ZSTD_compress2(context, frame, CAPACITY, input, n_bytes);
        assert_false(ZSTD_isError(n));
        bool is_foreign;
        assert_true(prover_expects(input, n_bytes, frame, n, &is_foreign));
        expect(&p, host, n_bytes, n, false, !is_foreign, "seed", seed);
        n_foreign += is_foreign;
        n_frames++;
    }
    assert_true(n_foreign < n_frames / 2);
    prover_close(&p);
    ZSTD_freeCCtx(context);
}

static rp_sequence sequence_of(uint32_t literal_length, uint32_t match_length,
                               uint32_t offset_value)
{
    return (rp_sequence)literal_length | (rp_sequence)(match_length - 3) << 17 |
           (rp_sequence)offset_value << 34;
}

/* The frame of sequences that no matcher makes, with the one literal 'a' before them. */
static size_t assemble(prover *p, const rp_sequence *sequences, uint32_t n, size_t n_bytes)
{
    const void *inputs[1] = {input};
    void *outputs[1] = {frame};
    const size_t capacities[1] = {CAPACITY};
    size_t frame_bytes = 0;
    rp_status status = RP_STATUS_INTERNAL;
    const rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = inputs,
        .d_input_sizes = &n_bytes,
        .max_input_bytes = n_bytes,
        .n_inputs = 1,
        .d_outputs = outputs,
        .d_output_capacities = capacities,
        .d_output_sizes = &frame_bytes,
        .d_statuses = &status,
    };
    const rp_zstd_block zstd_block = {n, 1, 0, 0};
    const rp_stream stream = {host, NULL};
    p->buffers.d_zstd_blocks[0] = zstd_block;
    p->buffers.d_literals[0] = 'a';
    memcpy(p->buffers.d_sequences, sequences, n * sizeof(*sequences));
    assert_int_equal(rp_launch_huffman_encoder(&batch, &p->buffers, NULL, stream), RP_STATUS_OK);
    assert_int_equal(rp_launch_fse_encoder(&batch, &p->buffers, NULL, stream), RP_STATUS_OK);
    assert_int_equal(rp_launch_frame_assembler(&batch, &p->buffers, NULL, stream), RP_STATUS_OK);
    assert_int_equal(status, RP_STATUS_OK);
    return frame_bytes;
}

/* Value 3 without literals is the first repeat offset less one. That is 0 here, and a match would
 * be compared with itself. */
static void test_offset_0(void **state)
{
    (void)state;
    enum { N_BYTES = 200 };
    prover p;
    prover_open(&p, N_BYTES, test_effort());
    for (uint32_t value = 1; value <= 3; value++) {
        const rp_sequence sequences[] = {sequence_of(1, 100, 1), sequence_of(0, 99, value)};
        bool is_foreign;
        memset(input, 'a', N_BYTES);
        size_t n = assemble(&p, sequences, 2, N_BYTES);
        /* Without literals value 1 is the second offset, 4, and value 2 the third, 8. */
        assert_true(prover_expects(input, N_BYTES, frame, n, &is_foreign) == (value != 3));
        expect(&p, host, N_BYTES, n, true, value != 3, "value", value);
        expect(&p, host, N_BYTES, n, false, value != 3, "value", value);
        memset(input + 101, 'b', 99);
        expect(&p, host, N_BYTES, n, true, false, "value", value);
        expect(&p, host, N_BYTES, n, false, false, "value", value);
    }
    prover_close(&p);
}

int main(int argc, char **argv)
{
    if (rp_device_open("host", &host) != RP_STATUS_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encoded_frames),    cmocka_unit_test(test_single_flips),
        cmocka_unit_test(test_random_flips),      cmocka_unit_test(test_wrong_entry_points),
        cmocka_unit_test(test_frames_of_libzstd), cmocka_unit_test(test_offset_0),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
