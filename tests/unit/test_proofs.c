/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host makes of a device's results: a device that leaves work undone and says that all is
 * well never gets a wrong frame through, and results that are impossible are none.
 */
#include <xxhash.h>
#include <zstd.h>

#include "engine/hash.h"
#include "engine/proof.h"
#include "rockpress/batched.h"
#include "rockpress/pool.h"
#include "tests/support/cases.h"
#include "tests/support/inputs.h"

enum { BLOCK_BYTES = 4096, N_BLOCKS = 5, TIMEOUT_US = 1000000 };

/* A device around the host that does not do the nth copy or launch, nor any when all are left. */
static struct {
    rp_device device;
    rp_device_ops ops;
    const rp_device *host;
    uint32_t n_calls;
    uint32_t nth; /* counts from 1; 0: none */
    bool leaves_all;
} idle;

static rp_stream on_host(rp_stream stream)
{
    rp_stream passed = {idle.host, stream.handle};
    return passed;
}

static bool is_left_undone(void)
{
    idle.n_calls++;
    return idle.leaves_all || idle.n_calls == idle.nth;
}

static rp_status idle_copy(rp_stream stream, void *destination, const void *source, size_t bytes,
                           rp_copy_kind kind)
{
    if (is_left_undone())
        return RP_STATUS_OK;
    return idle.host->ops->copy_async(on_host(stream), destination, source, bytes, kind);
}

static rp_status idle_launch(rp_stream stream, const struct rp_launch *launch)
{
    return is_left_undone() ? RP_STATUS_OK : idle.host->ops->launch(on_host(stream), launch);
}

static rp_status idle_wait(rp_stream stream, uint32_t timeout_us)
{
    return idle.host->ops->wait(on_host(stream), timeout_us);
}

static void idle_open(uint32_t flags)
{
    rp_device *host;
    assert_int_equal(rp_device_open("host", &host), RP_STATUS_OK);
    memset(&idle, 0, sizeof(idle));
    idle.host = host;
    idle.ops = *host->ops;
    idle.ops.copy_async = idle_copy;
    idle.ops.launch = idle_launch;
    idle.ops.wait = idle_wait;
    idle.device = *host;
    idle.device.ops = &idle.ops;
    idle.device.name = "idle";
    idle.device.flags = flags;
}

static void leave_undone(uint32_t nth, bool leaves_all)
{
    idle.n_calls = 0;
    idle.nth = nth;
    idle.leaves_all = leaves_all;
}

static const uint32_t kinds_of_device[] = {RP_DEVICE_HOST_MEMORY, RP_DEVICE_MAPPED_STAGING, 0};

#define N_KINDS (sizeof(kinds_of_device) / sizeof(kinds_of_device[0]))

/* Blocks of two rounds: what is left over from the first is wrong in the second. */
static uint8_t blocks[2][N_BLOCKS][BLOCK_BYTES];
static uint8_t frames[N_BLOCKS][2 * BLOCK_BYTES];
static size_t frame_bytes[N_BLOCKS];

static bool is_frame_of(uint32_t round, uint32_t i)
{
    static uint8_t decoded[BLOCK_BYTES];
    return ZSTD_decompress(decoded, sizeof(decoded), frames[i], frame_bytes[i]) == BLOCK_BYTES &&
           memcmp(decoded, blocks[round][i], BLOCK_BYTES) == 0;
}

static void make_blocks(void)
{
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < N_BLOCKS; i++)
            inputs_fill(round == 0 ? INPUTS_RECORDS : INPUTS_TEXT, blocks[round][i], BLOCK_BYTES,
                        1 + round * N_BLOCKS + i);
    }
}

static rp_compress_options with(uint32_t flags)
{
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    options.flags = flags;
    return options;
}

static rp_pool *make_pool(rp_lane **lane)
{
    const rp_pool_options options = {sizeof(options),   1,   16 * BLOCK_BYTES, 0,
                                     RP_EFFORT_DEFAULT, NULL};
    rp_pool *pool;
    assert_int_equal(rp_pool_create(&idle.device, &options, &pool), RP_STATUS_OK);
    assert_int_equal(rp_pool_acquire(pool, lane), RP_STATUS_OK);
    return pool;
}

static rp_status compress_one(rp_lane *lane, uint32_t round, uint32_t flags)
{
    const rp_compress_options options = with(flags);
    return rp_lane_compress(lane, blocks[round][0], BLOCK_BYTES, frames[0], sizeof(frames[0]),
                            &frame_bytes[0], &options, TIMEOUT_US);
}

static rp_status compress_all(rp_lane *lane, uint32_t round, uint32_t flags, rp_status *statuses)
{
    const rp_compress_options options = with(flags);
    const void *inputs[N_BLOCKS];
    size_t sizes[N_BLOCKS];
    void *outputs[N_BLOCKS];
    size_t capacities[N_BLOCKS];
    for (uint32_t i = 0; i < N_BLOCKS; i++) {
        inputs[i] = blocks[round][i];
        sizes[i] = BLOCK_BYTES;
        outputs[i] = frames[i];
        capacities[i] = sizeof(frames[i]);
    }
    const rp_host_batch batch = {sizeof(batch), inputs,     sizes,       N_BLOCKS,
                                 outputs,       capacities, frame_bytes, statuses};
    return rp_lane_compress_batch(lane, &batch, &options, TIMEOUT_US);
}

/* How many calls one block takes. */
static uint32_t count_calls(rp_lane *lane)
{
    leave_undone(0, false);
    assert_int_equal(compress_one(lane, 0, RP_COMPRESS_VERIFY), RP_STATUS_OK);
    return idle.n_calls;
}

static void test_one_call_left_undone(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < N_KINDS; kind++) {
        rp_lane *lane;
        idle_open(kinds_of_device[kind]);
        rp_pool *pool = make_pool(&lane);
        uint32_t n_refused = 0;
        uint32_t n = count_calls(lane);
        for (uint32_t nth = 1; nth <= n; nth++) {
            leave_undone(0, false);
            assert_int_equal(compress_one(lane, 0, RP_COMPRESS_VERIFY), RP_STATUS_OK);
            assert_true(is_frame_of(0, 0));
            leave_undone(nth, false);
            rp_status status = compress_one(lane, 1, RP_COMPRESS_VERIFY);
            if (status == RP_STATUS_OK && !is_frame_of(1, 0))
                fail_msg("kind %zu, call %u of %u: a wrong frame", kind, nth, n);
            if (status != RP_STATUS_OK)
                assert_int_equal(frame_bytes[0], 0);
            n_refused += status == RP_STATUS_VERIFICATION_FAILED;
        }
        /* All but two matter: the copy of the poison, and the sequences, without which the frame
         * holds the block as it is. */
        assert_true(n_refused >= n - 2);
        rp_pool_release(pool, lane);
        rp_pool_destroy(pool);
    }
}

static void test_one_call_of_a_batch_left_undone(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < N_KINDS; kind++) {
        rp_status statuses[N_BLOCKS];
        rp_lane *lane;
        idle_open(kinds_of_device[kind]);
        rp_pool *pool = make_pool(&lane);
        assert_int_equal(compress_all(lane, 0, RP_COMPRESS_VERIFY, statuses), RP_STATUS_OK);
        uint32_t n = idle.n_calls;
        uint32_t n_refused = 0;
        for (uint32_t nth = 1; nth <= n; nth++) {
            leave_undone(0, false);
            assert_int_equal(compress_all(lane, 0, RP_COMPRESS_VERIFY, statuses), RP_STATUS_OK);
            leave_undone(nth, false);
            rp_status status = compress_all(lane, 1, RP_COMPRESS_VERIFY, statuses);
            for (uint32_t i = 0; i < N_BLOCKS; i++) {
                bool is_good = status == RP_STATUS_OK && statuses[i] == RP_STATUS_OK;
                if (is_good && !is_frame_of(1, i))
                    fail_msg("kind %zu, call %u of %u, block %u: a wrong frame", kind, nth, n, i);
                n_refused += !is_good;
            }
        }
        assert_true(n_refused >= n - 2);
        rp_pool_release(pool, lane);
        rp_pool_destroy(pool);
    }
}

/* Without proofs a device that does nothing at all is noticed, since its results are poison. */
static void test_nothing_done(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < N_KINDS; kind++) {
        rp_status statuses[N_BLOCKS];
        rp_lane *lane;
        idle_open(kinds_of_device[kind]);
        rp_pool *pool = make_pool(&lane);
        for (uint32_t flags = 0; flags <= RP_COMPRESS_VERIFY; flags += RP_COMPRESS_VERIFY) {
            leave_undone(0, false);
            assert_int_equal(compress_one(lane, 0, flags), RP_STATUS_OK);
            assert_int_equal(compress_all(lane, 0, flags, statuses), RP_STATUS_OK);
            leave_undone(0, true);
            assert_int_equal(compress_one(lane, 0, flags), RP_STATUS_VERIFICATION_FAILED);
            assert_int_equal(compress_all(lane, 0, flags, statuses), RP_STATUS_OK);
            for (uint32_t i = 0; i < N_BLOCKS; i++) {
                assert_int_equal(statuses[i], RP_STATUS_VERIFICATION_FAILED);
                assert_int_equal(frame_bytes[i], 0);
            }
        }
        rp_pool_release(pool, lane);
        rp_pool_destroy(pool);
    }
}

static void test_impossible_results(void **state)
{
    (void)state;
    size_t size = 7;
    rp_status status = RP_STATUS_OK;
    const rp_results results = {&size, &status, NULL};
    assert_int_equal(rp_judge_result(RP_STATUS_OK, 9, 9), RP_STATUS_OK);
    assert_int_equal(rp_judge_result(RP_STATUS_OK, 100, 9), RP_STATUS_VERIFICATION_FAILED);
    assert_int_equal(rp_judge_result(RP_STATUS_OK, 8, 9), RP_STATUS_VERIFICATION_FAILED);
    assert_int_equal(rp_judge_result(RP_STATUS_OK, 0, 9), RP_STATUS_VERIFICATION_FAILED);
    for (int value = -100; value <= 100; value++) {
        bool is_kernels = value == RP_STATUS_OUTPUT_TOO_SMALL ||
                          value == RP_STATUS_INPUT_TOO_LARGE || value == RP_STATUS_INTERNAL;
        if (value != RP_STATUS_OK)
            assert_int_equal(rp_judge_result((rp_status)value, 0, 9),
                             is_kernels ? value : RP_STATUS_VERIFICATION_FAILED);
        assert_int_equal(rp_judge_result((rp_status)value, 10, 9), RP_STATUS_VERIFICATION_FAILED);
    }
    rp_poison_results(&results, 1);
    assert_int_equal(rp_judge_result(status, 0, SIZE_MAX), RP_STATUS_VERIFICATION_FAILED);
    assert_int_equal(rp_judge_result(RP_STATUS_OK, size, SIZE_MAX - 1),
                     RP_STATUS_VERIFICATION_FAILED);
}

static void test_check_proof(void **state)
{
    (void)state;
    const char *input = "the input";
    const char *frame = "the frame";
    rp_proof proof = {XXH3_64bits(input, 9), XXH3_64bits(frame, 9)};
    assert_int_equal(rp_check_proof(&proof, input, 9, frame, 9), RP_STATUS_OK);
    assert_int_equal(rp_check_proof(&proof, input, 8, frame, 9), RP_STATUS_VERIFICATION_FAILED);
    assert_int_equal(rp_check_proof(&proof, input, 9, frame, 8), RP_STATUS_VERIFICATION_FAILED);
    assert_int_equal(rp_check_proof(&proof, frame, 9, input, 9), RP_STATUS_VERIFICATION_FAILED);
    assert_int_equal(rp_check_proof(NULL, input, 9, frame, 9), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_check_proof(&proof, NULL, 9, frame, 9), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_check_proof(&proof, input, 9, NULL, 9), RP_STATUS_NULL_POINTER);
    proof.input_hash = XXH3_64bits(NULL, 0);
    assert_int_equal(rp_check_proof(&proof, NULL, 0, frame, 9), RP_STATUS_OK);
}

static void test_hash(void **state)
{
    (void)state;
    static uint8_t bytes[70000];
    inputs_fill(INPUTS_NOISE, bytes, sizeof(bytes), 3);
    for (size_t n = 0; n < 1100; n++)
        assert_true(rp_hash(bytes + n % 7, n) == XXH3_64bits(bytes + n % 7, n));
    assert_true(rp_hash(bytes, sizeof(bytes)) == XXH3_64bits(bytes, sizeof(bytes)));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(test_one_call_left_undone),
        cmocka_unit_test(test_one_call_of_a_batch_left_undone),
        cmocka_unit_test(test_nothing_done),
        cmocka_unit_test(test_impossible_results),
        cmocka_unit_test(test_check_proof),
        cmocka_unit_test(test_hash),
    };
    make_blocks();
    return run_cases(argc, argv, cases, sizeof(cases) / sizeof(cases[0]), NULL, NULL);
}
