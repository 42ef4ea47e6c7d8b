/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real RocksDB data blocks of every corpus at 4, 16 and 64 KiB: each frame is checked by two
 * decoders, and together they must not be larger than what libzstd makes of them at level 1. That
 * is a size oracle against a mistake that no decoder sees, such as a match finder that stopped
 * finding; the level is one that the fast effort beats clearly.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "tests/support/cases.h"
#include <zstd.h>

#include "bench/corpus/corpus.h"
#include "tests/differential/checker.h"
#include "tests/differential/encoder.h"

#define TOTAL_BYTES ((size_t)1 << 20)
#define BASELINE_LEVEL 1

typedef struct corpus_sizes {
    size_t input;
    size_t ours;
    size_t baseline;
} corpus_sizes;

static corpus_sizes check_corpus(test_encoder *encoder, frame_checker *checker, ZSTD_CCtx *context,
                                 const char *name, size_t block_bytes)
{
    corpus_blocks blocks = {0};
    corpus_error error;
    corpus_sizes sizes = {0, 0, 0};
    if (corpus_generate(name, block_bytes, TOTAL_BYTES, CORPUS_DEFAULT_SEED, &blocks, &error) !=
        CORPUS_OK)
        fail_msg("%s, blocks of %zu bytes: %s", name, block_bytes, error.message);
    for (size_t i = 0; i < blocks.n_blocks; i++) {
        const corpus_block *block = &blocks.blocks[i];
        size_t capacity = ZSTD_compressBound(block->size);
        uint8_t *frame = malloc(capacity);
        assert_non_null(frame);
        size_t n;
        uint32_t flags = i & 1 ? RP_COMPRESS_CHECKSUM : 0;
        rp_status status =
            encoder_lane(encoder, block->data, block->size, frame, capacity, &n, flags);
        if (status != RP_STATUS_OK)
            fail_msg("%s, block %zu: %s", name, i, rp_status_name(status));
        if (!checker_frame(checker, block->data, block->size, frame, n, flags != 0))
            fail_msg("%s, block %zu of %zu bytes: %s", name, i, block->size, checker->error);
        sizes.input += block->size;
        sizes.ours += n - (flags != 0 ? 4 : 0);
        n = ZSTD_compressCCtx(context, frame, capacity, block->data, block->size, BASELINE_LEVEL);
        assert_false(ZSTD_isError(n));
        sizes.baseline += n;
        free(frame);
    }
    corpus_free(&blocks);
    return sizes;
}

static void check_block_size(size_t block_bytes)
{
    test_encoder encoder;
    frame_checker checker = {0};
    ZSTD_CCtx *context = ZSTD_createCCtx();
    double ours = 0;
    double baseline = 0;
    assert_non_null(context);
    encoder_open(&encoder, block_bytes + 65536);
    for (size_t i = 0; i < corpus_count(); i++) {
        corpus_sizes sizes = check_corpus(&encoder, &checker, context, corpus_name(i), block_bytes);
        double ratio = (double)sizes.input / (double)sizes.ours;
        double baseline_ratio = (double)sizes.input / (double)sizes.baseline;
        ours += log(ratio);
        baseline += log(baseline_ratio);
        print_message("%6zu  %-12s  ratio %6.3f  level %d %6.3f  %+.1f %%\n", block_bytes,
                      corpus_name(i), ratio, BASELINE_LEVEL, baseline_ratio,
                      100 * (ratio / baseline_ratio - 1));
    }
    ours = exp(ours / (double)corpus_count());
    baseline = exp(baseline / (double)corpus_count());
    print_message("%6zu  geometric mean: ratio %.3f, level %d %.3f\n", block_bytes, ours,
                  BASELINE_LEVEL, baseline);
    assert_true(ours >= baseline);
    ZSTD_freeCCtx(context);
    checker_free(&checker);
    encoder_close(&encoder);
}

static void test_4_kib(void **state)
{
    (void)state;
    check_block_size(4096);
}

static void test_16_kib(void **state)
{
    (void)state;
    check_block_size(16384);
}

static void test_64_kib(void **state)
{
    (void)state;
    check_block_size(65536);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_4_kib),
        cmocka_unit_test(test_16_kib),
        cmocka_unit_test(test_64_kib),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
