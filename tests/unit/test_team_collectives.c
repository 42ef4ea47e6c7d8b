/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collectives of team.h, and that of a match's true length, against plain definitions of what
 * they return, for teams of 1 to 33 workers, twice: this file is compiled for teams of threads and
 * for teams of one.
 *
 * What every rank passes in a round follows from (round, rank), so each rank knows what all the
 * others passed without asking them. Collectives follow one another directly, as a missing
 * barrier behind one shows in the next; and the random rounds change which one that is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/lz77_output.h"
#include "kernels/team.h"
#include "tests/support/team_device.h"

#define MAX_SIZE 33
#define N_SLOTS 1000

typedef enum operation {
    BROADCAST,
    SHIFT_UP,
    REDUCE_MIN,
    SCAN_ADD,
    SCAN_ADD_NO_TOTAL,
    MATCH,
    SYNC,
    ATOMICS,
    LOOP,
    COPY,
    EXTEND,
    N_OPERATIONS
} operation;

static const char *const operation_names[N_OPERATIONS] = {
    "broadcast", "shift_up", "reduce_min", "scan_add", "scan_add without total", "match", "sync",
    "atomics",   "TEAM_FOR", "copy",       "extend",
};

/* What the workers share, and where each says which operation has failed it. */
typedef struct collective_test {
    uint32_t size;
    uint32_t n_rounds;
    uint64_t seed;
    uint32_t slots[N_SLOTS];
    uint8_t source[N_SLOTS];
    uint8_t destination[N_SLOTS];
    uint32_t sum;
    uint32_t bits;
    uint32_t failed[MAX_SIZE]; /* operation + 1 */
    uint32_t failed_round[MAX_SIZE];
} collective_test;

static uint64_t value_of(const collective_test *test, uint32_t round, uint32_t rank)
{
    uint64_t z = test->seed + round * UINT64_C(0x9E3779B97F4A7C15) + rank * UINT64_C(0xD1B54A33);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* What the whole team agrees on. */
static uint32_t choice(const collective_test *test, uint32_t round, uint32_t what, uint32_t n)
{
    return (uint32_t)(value_of(test, round, 1000 + what) % n);
}

static bool check_broadcast(rp_team *team, const collective_test *test, uint32_t round)
{
    uint32_t root = choice(test, round, 0, test->size);
    return team_broadcast(team, value_of(test, round, TEAM_RANK(team)), root) ==
           value_of(test, round, root);
}

static bool check_shift_up(rp_team *team, const collective_test *test, uint32_t round)
{
    uint32_t rank = TEAM_RANK(team);
    uint64_t first = value_of(test, round, 2000);
    return team_shift_up(team, value_of(test, round, rank), first) ==
           (rank == 0 ? first : value_of(test, round, rank - 1));
}

static bool check_reduce_min(rp_team *team, const collective_test *test, uint32_t round)
{
    /* Mostly "none", as the parser has it. */
    bool rare = choice(test, round, 0, 2) == 0;
    uint32_t expected = UINT32_MAX;
    uint32_t mine = 0;
    for (uint32_t rank = 0; rank < test->size; rank++) {
        uint32_t value = (uint32_t)value_of(test, round, rank);
        if (rare && value % 8 != 0)
            value = UINT32_MAX;
        if (value < expected)
            expected = value;
        if (rank == TEAM_RANK(team))
            mine = value;
    }
    return team_reduce_min(team, mine) == expected;
}

static bool check_scan_add(rp_team *team, const collective_test *test, uint32_t round,
                           bool with_total)
{
    uint32_t below = 0;
    uint32_t all = 0;
    uint32_t mine = 0;
    for (uint32_t rank = 0; rank < test->size; rank++) {
        uint32_t value = (uint32_t)value_of(test, round, rank) & 0xFFFFF;
        if (rank == TEAM_RANK(team)) {
            below = all;
            mine = value;
        }
        all += value;
    }
    uint32_t total = all;
    uint32_t result = team_scan_add(team, mine, with_total ? &total : NULL);
    return result == below && total == all;
}

static uint32_t match_key(const collective_test *test, uint32_t round, uint32_t rank, bool *active)
{
    uint64_t value = value_of(test, round, rank);
    uint32_t n_keys = 1 + choice(test, round, 0, 6);
    *active = value >> 40 & 3 || choice(test, round, 1, 4) == 0;
    /* Every word is a key, UINT32_MAX too. */
    return (uint32_t)(value % n_keys) - 1;
}

static bool check_match(rp_team *team, const collective_test *test, uint32_t round)
{
    uint32_t self = TEAM_RANK(team);
    bool active;
    uint32_t key = match_key(test, round, self, &active);
    uint32_t expected = RP_TEAM_NONE;
    bool expected_last = active;
    for (uint32_t rank = 0; rank < test->size; rank++) {
        bool other_active;
        if (match_key(test, round, rank, &other_active) != key || !other_active || !active)
            continue;
        if (rank < self)
            expected = rank;
        if (rank > self)
            expected_last = false;
    }
    bool last = !expected_last;
    uint32_t previous = team_match(team, key, active, &last);
    return previous == expected && last == expected_last;
}

/* All see what all wrote before. */
static bool check_sync(rp_team *team, collective_test *test, uint32_t round)
{
    bool good = true;
    test->slots[TEAM_RANK(team)] = (uint32_t)value_of(test, round, TEAM_RANK(team));
    team_sync(team);
    for (uint32_t rank = 0; rank < test->size; rank++)
        good = good && test->slots[rank] == (uint32_t)value_of(test, round, rank);
    team_sync(team);
    return good;
}

static bool check_atomics(rp_team *team, collective_test *test, uint32_t round)
{
    uint32_t sum = 0;
    uint32_t bits = 0;
    if (TEAM_RANK(team) == 0)
        test->sum = test->bits = 0;
    team_sync(team);
    team_atomic_add(&test->sum, (uint32_t)value_of(test, round, TEAM_RANK(team)));
    team_atomic_or(&test->bits, UINT32_C(1) << value_of(test, round, TEAM_RANK(team)) % 32);
    team_sync(team);
    for (uint32_t rank = 0; rank < test->size; rank++) {
        sum += (uint32_t)value_of(test, round, rank);
        bits |= UINT32_C(1) << value_of(test, round, rank) % 32;
    }
    bool good = test->sum == sum && test->bits == bits;
    team_sync(team);
    return good;
}

/* Every index of [first, end) once, in steps of the team's size from first + rank. */
static bool check_loop(rp_team *team, collective_test *test, uint32_t round)
{
    uint32_t first = choice(test, round, 0, 50);
    uint32_t end = choice(test, round, 1, 100);
    bool good = true;
    uint32_t expected = first + TEAM_RANK(team);
    TEAM_FOR (i, 0, N_SLOTS, team) {
        test->slots[i] = 0;
    }
    team_sync(team);
    TEAM_FOR (i, first, end, team) {
        good = good && i == expected;
        expected += test->size;
        test->slots[i]++;
    }
    good = good && expected >= end;
    team_sync(team);
    for (uint32_t i = 0; i < N_SLOTS; i++)
        good = good && test->slots[i] == (i >= first && i < end);
    team_sync(team);
    return good;
}

static bool check_copy(rp_team *team, collective_test *test, uint32_t round)
{
    uint32_t n = choice(test, round, 0, 200);
    uint32_t from = choice(test, round, 1, 32);
    uint32_t to = choice(test, round, 2, 32) + 1;
    bool good = true;
    TEAM_FOR (i, 0, N_SLOTS, team) {
        test->source[i] = (uint8_t)value_of(test, round, i);
        test->destination[i] = 0xEE;
    }
    team_sync(team);
    team_copy(team, test->destination + to, test->source + from, n);
    team_sync(team);
    for (uint32_t i = 0; i < N_SLOTS; i++) {
        uint8_t expected =
            i >= to && i < to + n ? (uint8_t)value_of(test, round, i - to + from) : 0xEE;
        good = good && test->destination[i] == expected;
    }
    team_sync(team);
    return good;
}

/* A match that goes on for some bytes, to the end of the block or not. */
static bool check_extend(rp_team *team, collective_test *test, uint32_t round)
{
    uint32_t offset = 1 + choice(test, round, 0, 40);
    uint32_t begin = offset + choice(test, round, 1, 40);
    uint32_t n = begin + choice(test, round, 2, N_SLOTS - 80);
    uint32_t expected = begin + choice(test, round, 3, N_SLOTS);
    if (TEAM_RANK(team) == 0) {
        for (uint32_t i = 0; i < N_SLOTS; i++)
            test->source[i] =
                i < offset ? (uint8_t)value_of(test, round, i) : test->source[i - offset];
        if (expected < N_SLOTS)
            test->source[expected] ^= 1;
    }
    team_sync(team);
    bool good = rp_lz77_extend(team, test->source, begin, n, offset) == rp_min32(expected, n);
    team_sync(team);
    return good;
}

static void worker_main(struct rp_team *team, void *context)
{
    collective_test *test = context;
    for (uint32_t round = 0; round < test->n_rounds; round++) {
        /* First each one on its own, twice in a row, then any. */
        operation which = round < 2 * N_OPERATIONS
                              ? (operation)(round / 2)
                              : (operation)choice(test, round, 99, N_OPERATIONS);
        bool good = false;
        switch (which) {
        case BROADCAST:
            good = check_broadcast(team, test, round);
            break;
        case SHIFT_UP:
            good = check_shift_up(team, test, round);
            break;
        case REDUCE_MIN:
            good = check_reduce_min(team, test, round);
            break;
        case SCAN_ADD:
        case SCAN_ADD_NO_TOTAL:
            good = check_scan_add(team, test, round, which == SCAN_ADD);
            break;
        case MATCH:
            good = check_match(team, test, round);
            break;
        case SYNC:
            good = check_sync(team, test, round);
            break;
        case ATOMICS:
            good = check_atomics(team, test, round);
            break;
        case LOOP:
            good = check_loop(team, test, round);
            break;
        case COPY:
            good = check_copy(team, test, round);
            break;
        case EXTEND:
            good = check_extend(team, test, round);
            break;
        case N_OPERATIONS:
            break;
        }
        if (!good && test->failed[TEAM_RANK(team)] == 0) {
            test->failed[TEAM_RANK(team)] = which + 1;
            test->failed_round[TEAM_RANK(team)] = round;
        }
    }
}

static void report(const collective_test *test)
{
    for (uint32_t rank = 0; rank < test->size; rank++) {
        if (test->failed[rank] != 0)
            fail_msg("%s is wrong on rank %u of %u in round %u",
                     operation_names[test->failed[rank] - 1], rank, test->size,
                     test->failed_round[rank]);
    }
}

#ifdef RP_TEAM_THREADS

static void run_sizes(team_device_kind kind, uint32_t n_rounds)
{
    for (uint32_t size = 1; size <= MAX_SIZE; size++) {
        collective_test test;
        memset(&test, 0, sizeof(test));
        test.size = size;
        test.n_rounds = n_rounds;
        test.seed = size;
        rp_device *device = team_device_open(kind, size, size);
        assert_non_null(device);
        if (!team_device_run(device, worker_main, &test))
            fail_msg("%s", team_device_error(device));
        report(&test);
        rp_device_close(device);
    }
}

static void test_threads(void **state)
{
    (void)state;
    run_sizes(TEAM_DEVICE_THREADS, 60);
}

static void test_shuffled(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip();
    run_sizes(TEAM_DEVICE_SHUFFLED, 1000);
}

/* The device itself: ranks that don't meet at the same barriers. */
typedef struct divergent_test {
    uint32_t odd_rank;
    uint32_t n_barriers;     /* of the odd rank */
    uint32_t n_all_barriers; /* of the others */
} divergent_test;

static void divergent_main(struct rp_team *team, void *context)
{
    const divergent_test *test = context;
    uint32_t n = TEAM_RANK(team) == test->odd_rank ? test->n_barriers : test->n_all_barriers;
    for (uint32_t i = 0; i < n; i++)
        team_sync(team);
}

static void check_divergence(team_device_kind kind)
{
    static const divergent_test fewer = {2, 3, 5};
    static const divergent_test more = {0, 1, 0};
    static const divergent_test same = {1, 4, 4};
    rp_device *device = team_device_open(kind, 4, 1);
    assert_non_null(device);
    for (uint32_t i = 0; i < 3; i++) {
        assert_false(team_device_run(device, divergent_main, (void *)&fewer));
        assert_string_equal(team_device_error(device),
                            "rank 2 of 4 ended after 3 barriers, rank 0 waits at barrier 4");
        assert_false(team_device_run(device, divergent_main, (void *)&more));
        assert_string_equal(team_device_error(device),
                            "rank 1 of 4 ended after 0 barriers, rank 0 waits at barrier 1");
        assert_true(team_device_run(device, divergent_main, (void *)&same));
        assert_string_equal(team_device_error(device), "");
        assert_int_equal(team_device_barriers(device), 4);
    }
    rp_device_close(device);
}

static void test_divergent_barriers(void **state)
{
    (void)state;
    check_divergence(TEAM_DEVICE_THREADS);
    if (TEAM_DEVICE_CAN_SHUFFLE)
        check_divergence(TEAM_DEVICE_SHUFFLED);
}

/* The order of the ranks differs between barriers and follows from the seed. */
typedef struct order_test {
    uint32_t n;
    uint32_t order[2][8];
} order_test;

static void order_main(struct rp_team *team, void *context)
{
    order_test *test = context;
    for (uint32_t phase = 0; phase < 2; phase++) {
        test->order[phase][test->n++ % 8] = TEAM_RANK(team);
        team_sync(team);
    }
}

static void test_shuffled_order(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip();
    order_test runs[3] = {{0, {{0}}}, {0, {{0}}}, {0, {{0}}}};
    rp_device *device = team_device_open(TEAM_DEVICE_SHUFFLED, 8, 5);
    assert_non_null(device);
    for (uint32_t i = 0; i < 3; i++) {
        if (i == 2)
            team_device_seed(device, 5);
        assert_true(team_device_run(device, order_main, &runs[i]));
        assert_memory_not_equal(runs[i].order[0], runs[i].order[1], sizeof(runs[i].order[0]));
    }
    assert_memory_equal(runs[0].order, runs[2].order, sizeof(runs[0].order));
    assert_memory_not_equal(runs[0].order, runs[1].order, sizeof(runs[0].order));
    rp_device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_shuffled),
        cmocka_unit_test(test_divergent_barriers),
        cmocka_unit_test(test_shuffled_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}

#else

static void test_solo(void **state)
{
    (void)state;
    collective_test test;
    rp_team team;
    memset(&test, 0, sizeof(test));
    memset(&team, 0, sizeof(team));
    test.size = 1;
    test.n_rounds = 2000;
    assert_int_equal(TEAM_RANK(&team), 0);
    assert_int_equal(TEAM_SIZE(&team), 1);
    worker_main(&team, &test);
    report(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_solo)};
    return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}

#endif
