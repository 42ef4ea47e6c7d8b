/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offsets that become repeat offsets (match/join.h), divided among the workers of a team: what a
 * decoder makes of them are the offsets that were there, whatever sequences a parse has left. That
 * includes those which no parse makes: the same offset twice, with no literals between.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/support/cases.h"

#include "kernels/match/join.h"
#include "tests/support/inputs.h"
#include "tests/support/team_device.h"

#define MAX_SEQUENCES 700

typedef struct block {
    uint32_t n;
    rp_sequence sequences[MAX_SEQUENCES];
    uint32_t literal_lengths[MAX_SEQUENCES];
    uint32_t offsets[MAX_SEQUENCES];
    rp_repeat_offsets first;
    rp_repeat_lists lists;
} block;

static block drawn;

static void encode(struct rp_team *team, void *context)
{
    block *b = context;
    rp_encode_offsets(team, b->sequences, b->n, b->first, &b->lists);
}

/* RFC 8878 section 3.1.1.5: the offset, and the repeat offsets after it. */
static uint32_t decode(uint32_t value, uint32_t literal_length, uint32_t repeats[3])
{
    uint32_t which = value - 1 + (literal_length == 0);
    uint32_t offset = value > 3 ? value - 3 : which == 3 ? repeats[0] - 1 : repeats[which];
    if (value > 3 || which >= 2)
        repeats[2] = repeats[1];
    if (value > 3 || which >= 1) {
        repeats[1] = repeats[0];
        repeats[0] = offset;
    }
    return offset;
}

/* Offsets 2 to n_offsets + 1. How often sequences repeat themselves comes back. */
static uint32_t draw(uint32_t n, uint32_t n_offsets, uint32_t most_literals, uint64_t seed)
{
    inputs_random random = inputs_seed(seed);
    const rp_repeat_offsets initial = {{1, 4, 8}};
    uint32_t n_repeated = 0;
    drawn.n = n;
    drawn.first = initial;
    for (uint32_t i = 0; i < n; i++) {
        drawn.literal_lengths[i] = (uint32_t)inputs_below(&random, most_literals + 1);
        drawn.offsets[i] = 2 + (uint32_t)inputs_below(&random, n_offsets);
        drawn.sequences[i] =
            rp_make_sequence(drawn.literal_lengths[i], 5 + i % 7, drawn.offsets[i] + 3);
        n_repeated +=
            i > 0 && drawn.literal_lengths[i] == 0 && drawn.offsets[i] == drawn.offsets[i - 1];
    }
    return n_repeated;
}

static void check(rp_device *device)
{
    uint32_t repeats[3] = {1, 4, 8};
    memset(&drawn.lists, 0xA5, sizeof(drawn.lists));
    if (!team_device_run(device, encode, &drawn))
        fail_msg("%s", team_device_error(device));
    for (uint32_t i = 0; i < drawn.n; i++) {
        rp_sequence sequence = drawn.sequences[i];
        assert_int_equal(rp_sequence_literal_length(sequence), drawn.literal_lengths[i]);
        assert_int_equal(rp_sequence_match_length(sequence), 5 + i % 7);
        uint32_t offset =
            decode(rp_sequence_offset_value(sequence), drawn.literal_lengths[i], repeats);
        if (offset != drawn.offsets[i])
            fail_msg("sequence %u: offset %u, expected %u", i, offset, drawn.offsets[i]);
    }
}

static void run_size(team_device_kind kind, uint32_t n_workers)
{
    static const uint32_t counts[] = {0, 1, 2, 3, 16, 33, 150, MAX_SEQUENCES};
    uint32_t n_repeated = 0;
    uint32_t n_others = 0;
    rp_device *device = team_device_open(kind, n_workers, n_workers);
    assert_non_null(device);
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
        for (uint32_t n_offsets = 1; n_offsets <= 9; n_offsets += 2) {
            for (uint32_t most_literals = 0; most_literals <= 20; most_literals += 10) {
                uint32_t n = draw(counts[c], n_offsets, most_literals, c * 100 + n_offsets);
                n_repeated += n != 0;
                n_others += n == 0 && counts[c] > n_workers;
                check(device);
            }
            /* With a literal before each match, none repeats itself. */
            draw(counts[c], n_offsets, 5, c);
            for (uint32_t i = 0; i < drawn.n; i++) {
                drawn.literal_lengths[i]++;
                drawn.sequences[i] =
                    rp_make_sequence(drawn.literal_lengths[i], 5 + i % 7, drawn.offsets[i] + 3);
            }
            n_others += counts[c] > n_workers;
            check(device);
        }
    }
    assert_true(n_repeated > 10 && n_others > 4);
    rp_device_close(device);
}

static void test_threads(void **state)
{
    (void)state;
    run_size(TEAM_DEVICE_THREADS, 1);
    run_size(TEAM_DEVICE_THREADS, 4);
    run_size(TEAM_DEVICE_THREADS, 7);
}

static void test_shuffled(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    run_size(TEAM_DEVICE_SHUFFLED, 32);
    run_size(TEAM_DEVICE_SHUFFLED, 128);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_shuffled),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
