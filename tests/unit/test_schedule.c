/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which kernels run when: the cases of the table at the top of kernels/match/stage.h, on both sides
 * of each limit. No GPU is needed.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/support/cases.h"

#include "kernels/cuda/schedule.h"

/* What a thread block may have of shared memory, by compute capability. */
#define OF_86_89_120 ((size_t)99 * 1024)
#define OF_80 ((size_t)163 * 1024)
#define OF_90_100 ((size_t)227 * 1024)

static rp_stage_args batch_of(size_t n_inputs, size_t input_bytes, rp_effort effort)
{
    rp_stage_args args;
    memset(&args, 0, sizeof(args));
    args.batch.n_inputs = n_inputs;
    args.batch.max_input_bytes = input_bytes;
    args.buffers.zstd_block_bytes =
        input_bytes < RP_ZSTD_BLOCK_BYTES ? input_bytes : RP_ZSTD_BLOCK_BYTES;
    args.buffers.zstd_blocks_per_input =
        input_bytes == 0 ? 1 : (input_bytes + RP_ZSTD_BLOCK_BYTES - 1) / RP_ZSTD_BLOCK_BYTES;
    args.effort = (uint32_t)effort;
    return args;
}

static bool is_fused(size_t n_inputs, size_t input_bytes, rp_effort effort)
{
    rp_stage_args args = batch_of(n_inputs, input_bytes, effort);
    return rp_is_fused(&args);
}

static void test_fused(void **state)
{
    (void)state;
    assert_true(is_fused(1, 0, RP_EFFORT_FAST));
    assert_true(is_fused(1, 16384, RP_EFFORT_FAST));
    assert_true(is_fused(128, 16384, RP_EFFORT_DEFAULT));
    assert_false(is_fused(129, 16384, RP_EFFORT_DEFAULT));
    assert_false(is_fused(128, 16385, RP_EFFORT_DEFAULT));
    assert_false(is_fused(1, 2 * RP_ZSTD_BLOCK_BYTES, RP_EFFORT_FAST));
    assert_false(is_fused(1, 16384, RP_EFFORT_HIGH));
    assert_false(is_fused(1, 16384, RP_EFFORT_MAX));
}

static void test_kind_of_fused(void **state)
{
    (void)state;
    assert_int_equal(rp_choose_fused(1, OF_90_100, true), RP_FUSED_CLUSTERED);
    assert_int_equal(rp_choose_fused(2, OF_90_100, true), RP_FUSED_CLUSTERED);
    assert_int_equal(rp_choose_fused(3, OF_90_100, true), RP_FUSED_SHARED);
    assert_int_equal(rp_choose_fused(128, OF_90_100, true), RP_FUSED_SHARED);
    assert_int_equal(rp_choose_fused(1, OF_90_100, false), RP_FUSED_SHARED);
    assert_int_equal(rp_choose_fused(1, OF_80, false), RP_FUSED_GLOBAL);
    assert_int_equal(rp_choose_fused(1, OF_86_89_120, true), RP_FUSED_GLOBAL);
    assert_int_equal(rp_choose_fused(128, OF_86_89_120, false), RP_FUSED_GLOBAL);
}

static void test_matches(void **state)
{
    (void)state;
    assert_int_equal(rp_choose_matches(0, OF_86_89_120), RP_MATCHES_UP_TO_4K);
    assert_int_equal(rp_choose_matches(4096, OF_86_89_120), RP_MATCHES_UP_TO_4K);
    assert_int_equal(rp_choose_matches(4097, OF_86_89_120), RP_MATCHES_COPIED);
    assert_int_equal(rp_choose_matches(65536, OF_86_89_120), RP_MATCHES_COPIED);
    assert_int_equal(rp_choose_matches(RP_ZSTD_BLOCK_BYTES, OF_86_89_120), RP_MATCHES_IN_PLACE);
    assert_int_equal(rp_choose_matches(RP_ZSTD_BLOCK_BYTES, OF_80), RP_MATCHES_COPIED);
    assert_int_equal(rp_choose_matches(RP_ZSTD_BLOCK_BYTES, OF_90_100), RP_MATCHES_COPIED);
    /* The largest block whose copy has room beside the lists, and one more byte. */
    size_t largest = OF_86_89_120 - RP_MATCHES_MEMORY_BYTES(RP_FIND_THREADS, 0);
    assert_int_equal(largest % 4, 0);
    assert_int_equal(rp_choose_matches(largest, OF_86_89_120), RP_MATCHES_COPIED);
    assert_int_equal(rp_choose_matches(largest + 1, OF_86_89_120), RP_MATCHES_IN_PLACE);
}

static void test_parse(void **state)
{
    (void)state;
    assert_int_equal(rp_choose_parse(1), RP_PARSE_BY_WARPS);
    assert_int_equal(rp_choose_parse(8191), RP_PARSE_BY_WARPS);
    assert_int_equal(rp_choose_parse(8192), RP_PARSE_BY_THREADS);
    assert_int_equal(rp_choose_parse(UINT64_C(1) << 33), RP_PARSE_BY_THREADS);
}

static void test_beside_literals(void **state)
{
    (void)state;
    assert_true(rp_runs_beside_literals(1));
    assert_true(rp_runs_beside_literals(2048));
    assert_false(rp_runs_beside_literals(2049));
}

static void test_verifier(void **state)
{
    (void)state;
    assert_int_equal(rp_choose_verifier(1, 1, 0), RP_VERIFIER_WIDE);
    assert_int_equal(rp_choose_verifier(264, 1, 16384), RP_VERIFIER_WIDE);
    assert_int_equal(rp_choose_verifier(265, 1, 16384), RP_VERIFIER_COPIED);
    assert_int_equal(rp_choose_verifier(1, 1, 16385), RP_VERIFIER_IN_PLACE);
    assert_int_equal(rp_choose_verifier(265, 1, 16385), RP_VERIFIER_IN_PLACE);
    assert_int_equal(rp_choose_verifier(1, 2, RP_ZSTD_BLOCK_BYTES), RP_VERIFIER_IN_PLACE);
    /* Of several small zstd blocks, which only the launch of single stages has. */
    assert_int_equal(rp_choose_verifier(265, 2, 4096), RP_VERIFIER_IN_PLACE);
    /* The copies have room on every GPU. */
    assert_true(RP_VERIFY_MEMORY_BYTES(RP_VERIFY_COPY_MAX_BYTES) <= OF_86_89_120);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fused),    cmocka_unit_test(test_kind_of_fused),
        cmocka_unit_test(test_matches),  cmocka_unit_test(test_parse),
        cmocka_unit_test(test_verifier), cmocka_unit_test(test_beside_literals),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
