/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame verifier on teams: it proves what the host proves, with entry points of a team's
 * encoder or the host's and without, and refuses the same changed frames. Threads are for
 * ThreadSanitizer, which reports a missing barrier; shuffled teams take inputs of all sizes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "tests/support/effort.h"
#include "tests/support/inputs.h"
#include "tests/support/prover.h"
#include "tests/support/team_device.h"

#define LARGEST 140000
#define CAPACITY (LARGEST + 4096)

static uint8_t input[LARGEST];
static uint8_t frame[CAPACITY];

static void expect_same(prover *p, rp_device *device, size_t n_bytes, size_t frame_bytes,
                        bool with_entry_points, const char *what)
{
    prover_result expected =
        prover_prove(p, p->host, input, n_bytes, frame, frame_bytes, with_entry_points);
    prover_result actual =
        prover_prove(p, device, input, n_bytes, frame, frame_bytes, with_entry_points);
    if (actual.status != expected.status)
        fail_msg("%s, %zu bytes, entry points %d: %s, expected %s; %s; %s", what, n_bytes,
                 with_entry_points, rp_status_name(actual.status), rp_status_name(expected.status),
                 p->error, team_device_error(device));
    assert_int_equal(actual.frame_bytes, expected.frame_bytes);
    assert_true(actual.proof.input_hash == expected.proof.input_hash);
    assert_true(actual.proof.frame_hash == expected.proof.frame_hash);
    assert_true(actual.is_delivered);
}

static size_t compress(prover *p, rp_device *device, size_t n_bytes)
{
    size_t frame_bytes = 0;
    if (prover_compress(p, device, input, n_bytes, RP_COMPRESS_CHECKSUM, frame, CAPACITY,
                        &frame_bytes) != RP_STATUS_OK)
        fail_msg("%s", p->error);
    return frame_bytes;
}

/* The frame of the host; with flips of a bit at a few places, too. */
static void check_input(prover *p, rp_device *device, size_t n_bytes, uint32_t n_flips,
                        const char *what)
{
    const size_t n = compress(p, p->host, n_bytes);
    inputs_random random = inputs_seed(n);
    expect_same(p, device, n_bytes, n, true, what);
    expect_same(p, device, n_bytes, n, false, what);
    for (uint32_t k = 0; k < n_flips; k++) {
        const uint32_t bit = inputs_below(&random, 8 * (uint32_t)n);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_same(p, device, n_bytes, n, k % 2 == 0, what);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void check_team(team_device_kind kind, uint32_t size, size_t largest, uint32_t n_flips)
{
    static const size_t sizes[] = {1, 300, 5000, 16384, 20000, LARGEST};
    rp_device *device = team_device_open(kind, size, size);
    assert_non_null(device);
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]) && sizes[s] <= largest; s++) {
        prover p;
        prover_open(&p, sizes[s], test_effort());
        for (int k = 0; k < INPUTS_N_KINDS; k++) {
            inputs_fill((inputs_kind)k, input, sizes[s], 33 + s);
            check_input(&p, device, sizes[s], n_flips, inputs_kind_name((inputs_kind)k));
        }
        prover_close(&p);
    }
    rp_device_close(device);
}

static void test_threads(void **state)
{
    (void)state;
    check_team(TEAM_DEVICE_THREADS, 4, 300, 5);
    prover p;
    rp_device *device = team_device_open(TEAM_DEVICE_THREADS, 3, 3);
    assert_non_null(device);
    prover_open(&p, 6000, test_effort());
    inputs_fill(INPUTS_TEXT, input, 6000, 3);
    check_input(&p, device, 6000, 3, "text");
    prover_close(&p);
    rp_device_close(device);
}

static void test_shuffled_teams(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    if (TEAM_DEVICE_SLOW_TURNS) {
        check_team(TEAM_DEVICE_SHUFFLED, 1, 20000, 2);
        check_team(TEAM_DEVICE_SHUFFLED, 4, 5000, 2);
        check_team(TEAM_DEVICE_SHUFFLED, 32, 5000, 2);
        return;
    }
    check_team(TEAM_DEVICE_SHUFFLED, 1, LARGEST, 4);
    check_team(TEAM_DEVICE_SHUFFLED, 4, 20000, 20);
    check_team(TEAM_DEVICE_SHUFFLED, 32, LARGEST, 4);
    check_team(TEAM_DEVICE_SHUFFLED, 128, 20000, 10);
}

/* Teams of any size leave the same entry points, where they leave any. */
static void test_shuffled_entry_points(void **state)
{
    (void)state;
    static const uint32_t team_sizes[] = {4, 32, 128};
    static uint8_t poison[100000];
    prover p;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    prover_open(&p, 20000, test_effort());
    const size_t n_bytes = p.buffers.entry_points_stride;
    assert_true(n_bytes <= sizeof(poison));
    uint8_t *expected = malloc(n_bytes);
    assert_non_null(expected);
    size_t n_changed = 0;
    for (int kind = 0; kind < INPUTS_N_KINDS; kind++) {
        inputs_fill((inputs_kind)kind, input, 20000, 9);
        memset(p.buffers.d_entry_points, 0x5A, n_bytes);
        memcpy(poison, p.buffers.d_entry_points, n_bytes);
        compress(&p, p.host, 20000);
        memcpy(expected, p.buffers.d_entry_points, n_bytes);
        n_changed += memcmp(expected, poison, n_bytes) != 0;
        for (size_t i = 0; i < (TEAM_DEVICE_SLOW_TURNS ? 1 : 3); i++) {
            rp_device *device = team_device_open(TEAM_DEVICE_SHUFFLED, team_sizes[i], 1);
            assert_non_null(device);
            memset(p.buffers.d_entry_points, 0x5A, n_bytes);
            const size_t n = compress(&p, device, 20000);
            if (memcmp(p.buffers.d_entry_points, expected, n_bytes) != 0)
                fail_msg("%s: other entry points with %u workers",
                         inputs_kind_name((inputs_kind)kind), (unsigned)team_sizes[i]);
            expect_same(&p, device, 20000, n, true, "own entry points");
            rp_device_close(device);
        }
    }
    assert_true(n_changed > 10);
    free(expected);
    prover_close(&p);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_shuffled_teams),
        cmocka_unit_test(test_shuffled_entry_points),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
