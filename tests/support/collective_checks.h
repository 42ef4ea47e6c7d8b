/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collectives of team.h against plain definitions of their results, for any kind of team. This
 * file is compiled for teams of one, for teams of threads (test_team_collectives.c) and for teams
 * on a GPU (test_gpu_collectives.cu).
 *
 * The value that a rank passes in a round follows from (round, rank), so each rank knows what all
 * others pass. Collectives follow one another directly, in random order, because a missing barrier
 * at the end of one is seen in the next. Before each collective every rank leaves a mark, which
 * others look for after it: every collective is a barrier.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_COLLECTIVE_CHECKS_H
#define ROCKPRESS_TESTS_SUPPORT_COLLECTIVE_CHECKS_H

#include <stdio.h>

#include "kernels/match/source.h"
#include "kernels/team/team.h"

#define COLLECTIVE_MAX_SIZE 256
#define COLLECTIVE_SLOTS 1000
#define COLLECTIVE_FLIPPED 4 /* words */

typedef enum collective_operation {
    COLLECTIVE_BROADCAST,
    COLLECTIVE_SHUFFLE,
    COLLECTIVE_SHIFT_UP,
    COLLECTIVE_COUNT_ON,
    COLLECTIVE_REDUCE_MIN,
    COLLECTIVE_REDUCE_ADD,
    COLLECTIVE_SCAN_ADD,
    COLLECTIVE_SCAN_ADD_NO_TOTAL,
    COLLECTIVE_MATCH,
    COLLECTIVE_MATCH_RANK,
    COLLECTIVE_RANK_IF,
    COLLECTIVE_SYNC,
    COLLECTIVE_ATOMICS,
    COLLECTIVE_LOOP,
    COLLECTIVE_COPY,
    COLLECTIVE_EXTEND, /* rp_source_extend(): a match's true length */
    COLLECTIVE_MARKS,  /* not an operation: each of them as a barrier */
    COLLECTIVE_N_OPERATIONS = COLLECTIVE_MARKS
} collective_operation;

static const char *const collective_names[] = {
    "broadcast",
    "shuffle",
    "shift_up",
    "count_on",
    "reduce_min",
    "reduce_add",
    "scan_add",
    "scan_add without total",
    "match",
    "match_rank",
    "rank_if",
    "sync",
    "atomics",
    "TEAM_FOR",
    "copy",
    "extend",
    "a collective as a barrier",
};

typedef char collective_names_are_complete
    [sizeof(collective_names) / sizeof(collective_names[0]) == COLLECTIVE_MARKS + 1 ? 1 : -1];

/* What the workers share, and where each reports which operation failed. Zero-initialise. */
typedef struct collective_test {
    uint32_t size; /* of the team, 1 to COLLECTIVE_MAX_SIZE */
    uint32_t n_rounds;
    uint64_t seed;
    uint32_t marks[2][COLLECTIVE_MAX_SIZE];
    uint32_t slots[COLLECTIVE_SLOTS];
    uint8_t source[COLLECTIVE_SLOTS];
    uint8_t destination[COLLECTIVE_SLOTS];
    uint32_t sum;
    uint32_t bits;
    uint32_t smallest;
    uint16_t flipped[COLLECTIVE_FLIPPED]; /* after one of 4 bytes, so aligned like it */
    uint32_t n_rounds_done[COLLECTIVE_MAX_SIZE];
    uint32_t failed[COLLECTIVE_MAX_SIZE]; /* collective_operation + 1 */
    uint32_t failed_round[COLLECTIVE_MAX_SIZE];
} collective_test;

RP_FN uint64_t collective_value(const collective_test *test, uint32_t round, uint32_t rank)
{
    uint64_t z = test->seed + round * UINT64_C(0x9E3779B97F4A7C15) + rank * UINT64_C(0xD1B54A33);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* A choice below n, the same for all ranks. */
RP_FN uint32_t collective_choice(const collective_test *test, uint32_t round, uint32_t what,
                                 uint32_t n)
{
    return (uint32_t)(collective_value(test, round, 1000 + what) % n);
}

RP_FN bool collective_broadcast(rp_team *team, const collective_test *test, uint32_t round)
{
    uint32_t root = collective_choice(test, round, 0, test->size);
    uint64_t mine = collective_value(test, round, TEAM_RANK(team));
    uint64_t expected = collective_value(test, round, root);
    return team_broadcast64(team, mine, root) == expected &&
           team_broadcast(team, (uint32_t)mine, root) == (uint32_t)expected;
}

RP_FN bool collective_shuffle(rp_team *team, const collective_test *test, uint32_t round)
{
    uint32_t rank = TEAM_RANK(team);
    uint32_t from = (uint32_t)(collective_value(test, round, 3000 + rank) % test->size);
    return team_shuffle(team, (uint32_t)collective_value(test, round, rank), from) ==
           (uint32_t)collective_value(test, round, from);
}

RP_FN bool collective_shift_up(rp_team *team, const collective_test *test, uint32_t round)
{
    uint32_t rank = TEAM_RANK(team);
    uint32_t first = (uint32_t)collective_value(test, round, 2000);
    return team_shift_up(team, (uint32_t)collective_value(test, round, rank), first) ==
           (rank == 0 ? first : (uint32_t)collective_value(test, round, rank - 1));
}

RP_FN bool collective_count_on(rp_team *team, const collective_test *test, uint32_t round)
{
    /* At times no rank begins a count. */
    uint32_t rarity = 1 + collective_choice(test, round, 0, 3) * 20;
    uint32_t first = (uint32_t)collective_value(test, round, 2000);
    uint32_t expected = first;
    uint32_t mine = 0;
    bool goes_on = false;
    for (uint32_t rank = 0; rank <= TEAM_RANK(team); rank++) {
        mine = (uint32_t)collective_value(test, round, rank);
        goes_on = (mine >> 8) % (rarity + 1) != 0;
        expected = goes_on ? expected + 1 : mine;
    }
    return team_count_on(team, goes_on, mine, first) == expected;
}

RP_FN bool collective_reduce_min(rp_team *team, const collective_test *test, uint32_t round)
{
    /* Mostly UINT32_MAX, as in the parse. */
    bool rare = collective_choice(test, round, 0, 2) == 0;
    uint32_t expected = UINT32_MAX;
    uint32_t mine = 0;
    for (uint32_t rank = 0; rank < test->size; rank++) {
        uint32_t value = (uint32_t)collective_value(test, round, rank);
        if (rare && value % 8 != 0)
            value = UINT32_MAX;
        if (value < expected)
            expected = value;
        if (rank == TEAM_RANK(team))
            mine = value;
    }
    bool any = team_any(team, mine == UINT32_MAX);
    bool expected_any = false;
    for (uint32_t rank = 0; rank < test->size; rank++)
        expected_any =
            expected_any || (rare && (uint32_t)collective_value(test, round, rank) % 8 != 0);
    return team_reduce_min(team, mine) == expected && any == expected_any;
}

RP_FN bool collective_reduce_add(rp_team *team, const collective_test *test, uint32_t round)
{
    uint32_t expected = 0;
    for (uint32_t rank = 0; rank < test->size; rank++)
        expected += (uint32_t)collective_value(test, round, rank);
    return team_reduce_add(team, (uint32_t)collective_value(test, round, TEAM_RANK(team))) ==
           expected;
}

RP_FN bool collective_scan_add(rp_team *team, const collective_test *test, uint32_t round,
                               bool with_total)
{
    uint32_t below = 0;
    uint32_t all = 0;
    uint32_t mine = 0;
    for (uint32_t rank = 0; rank < test->size; rank++) {
        uint32_t value = (uint32_t)collective_value(test, round, rank) & 0xFFFFF;
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

RP_FN uint32_t collective_match_key(const collective_test *test, uint32_t round, uint32_t rank,
                                    bool *active)
{
    uint64_t value = collective_value(test, round, rank);
    uint32_t n_keys = 1 + collective_choice(test, round, 0, 6);
    *active = value >> 40 & 3 || collective_choice(test, round, 1, 4) == 0;
    /* Every word is a key, UINT32_MAX too. */
    return (uint32_t)(value % n_keys) - 1;
}

RP_FN bool collective_match(rp_team *team, const collective_test *test, uint32_t round)
{
    uint32_t self = TEAM_RANK(team);
    bool active;
    uint32_t key = collective_match_key(test, round, self, &active);
    uint32_t expected = RP_TEAM_NONE;
    bool expected_last = active;
    for (uint32_t rank = 0; rank < test->size; rank++) {
        bool other_active;
        if (collective_match_key(test, round, rank, &other_active) != key || !other_active ||
            !active)
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

RP_FN bool collective_match_rank(rp_team *team, const collective_test *test, uint32_t round)
{
    uint32_t self = TEAM_RANK(team);
    bool active;
    uint32_t key = collective_match_key(test, round, self, &active);
    uint32_t below = 0;
    uint32_t all = 0;
    for (uint32_t rank = 0; rank < test->size && active; rank++) {
        bool other_active;
        if (collective_match_key(test, round, rank, &other_active) != key || !other_active)
            continue;
        below += rank < self;
        all++;
    }
    uint32_t n_equal = ~all;
    return team_match_rank(team, key, active, &n_equal) == below && n_equal == all;
}

RP_FN bool collective_rank_if(rp_team *team, const collective_test *test, uint32_t round)
{
    uint32_t below = 0;
    uint32_t all = 0;
    bool mine = false;
    uint32_t rarity = 1 + collective_choice(test, round, 0, 5);
    for (uint32_t rank = 0; rank < test->size; rank++) {
        bool value = collective_value(test, round, rank) % rarity == 0;
        below += value && rank < TEAM_RANK(team);
        all += value;
        mine = rank == TEAM_RANK(team) ? value : mine;
    }
    uint32_t n = ~all;
    return team_rank_if(team, mine, &n) == below && n == all;
}

/* All workers see what all wrote before a team_sync(). */
RP_FN bool collective_sync(rp_team *team, collective_test *test, uint32_t round)
{
    bool good = true;
    test->slots[TEAM_RANK(team)] = (uint32_t)collective_value(test, round, TEAM_RANK(team));
    team_sync(team);
    for (uint32_t rank = 0; rank < test->size; rank++)
        good = good && test->slots[rank] == (uint32_t)collective_value(test, round, rank);
    team_sync(team);
    return good;
}

RP_FN bool collective_atomics(rp_team *team, collective_test *test, uint32_t round)
{
    uint32_t sum = 0;
    uint32_t bits = 0;
    uint32_t smallest = UINT32_MAX;
    uint16_t flipped[COLLECTIVE_FLIPPED] = {0};
    if (TEAM_RANK(team) == 0) {
        test->sum = test->bits = 0;
        test->smallest = UINT32_MAX;
        for (uint32_t i = 0; i < COLLECTIVE_FLIPPED; i++)
            test->flipped[i] = 0;
    }
    team_sync(team);
    team_atomic_add(&test->sum, (uint32_t)collective_value(test, round, TEAM_RANK(team)));
    team_atomic_or(&test->bits, UINT32_C(1) << collective_value(test, round, TEAM_RANK(team)) % 32);
    team_atomic_min(&test->smallest, (uint32_t)collective_value(test, round, TEAM_RANK(team)));
    uint64_t mine = collective_value(test, round, TEAM_RANK(team));
    team_atomic_xor16(test->flipped, (uint32_t)(mine >> 32) % COLLECTIVE_FLIPPED, (uint16_t)mine);
    team_sync(team);
    for (uint32_t rank = 0; rank < test->size; rank++) {
        sum += (uint32_t)collective_value(test, round, rank);
        bits |= UINT32_C(1) << collective_value(test, round, rank) % 32;
        uint32_t value = (uint32_t)collective_value(test, round, rank);
        smallest = value < smallest ? value : smallest;
        uint64_t theirs = collective_value(test, round, rank);
        flipped[(theirs >> 32) % COLLECTIVE_FLIPPED] ^= (uint16_t)theirs;
    }
    bool good = test->sum == sum && test->bits == bits && test->smallest == smallest;
    for (uint32_t i = 0; i < COLLECTIVE_FLIPPED; i++)
        good = good && test->flipped[i] == flipped[i];
    team_sync(team);
    return good;
}

/* TEAM_FOR gives out every index of [first, end) once, from first + rank in steps of the size. */
RP_FN bool collective_loop(rp_team *team, collective_test *test, uint32_t round)
{
    uint32_t first = collective_choice(test, round, 0, 50);
    uint32_t end = collective_choice(test, round, 1, 100);
    bool good = true;
    uint32_t expected = first + TEAM_RANK(team);
    TEAM_FOR (i, 0, COLLECTIVE_SLOTS, team) {
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
    for (uint32_t i = 0; i < COLLECTIVE_SLOTS; i++)
        good = good && test->slots[i] == (i >= first && i < end);
    team_sync(team);
    return good;
}

RP_FN bool collective_copy(rp_team *team, collective_test *test, uint32_t round)
{
    uint32_t n = collective_choice(test, round, 0, 200);
    uint32_t from = collective_choice(test, round, 1, 32);
    uint32_t to = collective_choice(test, round, 2, 32) + 1;
    bool good = true;
    TEAM_FOR (i, 0, COLLECTIVE_SLOTS, team) {
        test->source[i] = (uint8_t)collective_value(test, round, i);
        test->destination[i] = 0xEE;
    }
    team_sync(team);
    team_copy(team, test->destination + to, test->source + from, n);
    team_sync(team);
    for (uint32_t i = 0; i < COLLECTIVE_SLOTS; i++) {
        uint8_t expected =
            i >= to && i < to + n ? (uint8_t)collective_value(test, round, i - to + from) : 0xEE;
        good = good && test->destination[i] == expected;
    }
    team_sync(team);
    return good;
}

/* A match that ends inside the block or at its end. */
RP_FN bool collective_extend(rp_team *team, collective_test *test, uint32_t round)
{
    uint32_t offset = 1 + collective_choice(test, round, 0, 40);
    uint32_t begin = offset + collective_choice(test, round, 1, 40);
    uint32_t n = begin + collective_choice(test, round, 2, COLLECTIVE_SLOTS - 80);
    uint32_t expected = begin + collective_choice(test, round, 3, COLLECTIVE_SLOTS);
    if (TEAM_RANK(team) == 0) {
        for (uint32_t i = 0; i < COLLECTIVE_SLOTS; i++)
            test->source[i] =
                i < offset ? (uint8_t)collective_value(test, round, i) : test->source[i - offset];
        if (expected < COLLECTIVE_SLOTS)
            test->source[expected] ^= 1;
    }
    team_sync(team);
    rp_lz77_source source;
    source.bytes = test->source;
    source.n_bytes = n;
    source.is_padded = false;
    bool good = rp_source_extend(team, source, begin, offset) == rp_min32(expected, n);
    team_sync(team);
    return good;
}

/* Whether this team has the collectives that are for one warp on a GPU. */
RP_FN bool collective_has_warp_operations(const collective_test *test)
{
#if defined(__CUDACC__)
    return test->size == RP_WARP_THREADS;
#else
    return test->size != 0;
#endif
}

/* First each operation twice in a row, then random ones. */
RP_FN uint32_t collective_of_round(const collective_test *test, uint32_t round)
{
    uint32_t which = round < 2 * COLLECTIVE_N_OPERATIONS
                         ? round / 2
                         : collective_choice(test, round, 99, COLLECTIVE_N_OPERATIONS);
    bool of_one_warp = which == COLLECTIVE_SHUFFLE || which == COLLECTIVE_MATCH ||
                       which == COLLECTIVE_MATCH_RANK || which == COLLECTIVE_COUNT_ON ||
                       which == COLLECTIVE_RANK_IF;
    return of_one_warp && !collective_has_warp_operations(test) ? COLLECTIVE_BROADCAST : which;
}

RP_FN bool collective_run(rp_team *team, collective_test *test, uint32_t round, uint32_t which)
{
    switch (which) {
    case COLLECTIVE_BROADCAST:
        return collective_broadcast(team, test, round);
    case COLLECTIVE_SHUFFLE:
        return collective_shuffle(team, test, round);
    case COLLECTIVE_SHIFT_UP:
        return collective_shift_up(team, test, round);
    case COLLECTIVE_COUNT_ON:
        return collective_count_on(team, test, round);
    case COLLECTIVE_REDUCE_MIN:
        return collective_reduce_min(team, test, round);
    case COLLECTIVE_REDUCE_ADD:
        return collective_reduce_add(team, test, round);
    case COLLECTIVE_SCAN_ADD:
    case COLLECTIVE_SCAN_ADD_NO_TOTAL:
        return collective_scan_add(team, test, round, which == COLLECTIVE_SCAN_ADD);
    case COLLECTIVE_MATCH:
        return collective_match(team, test, round);
    case COLLECTIVE_RANK_IF:
        return collective_rank_if(team, test, round);
    case COLLECTIVE_MATCH_RANK:
        return collective_match_rank(team, test, round);
    case COLLECTIVE_SYNC:
        return collective_sync(team, test, round);
    case COLLECTIVE_ATOMICS:
        return collective_atomics(team, test, round);
    case COLLECTIVE_LOOP:
        return collective_loop(team, test, round);
    case COLLECTIVE_COPY:
        return collective_copy(team, test, round);
    case COLLECTIVE_EXTEND:
        return collective_extend(team, test, round);
    default:
        return false;
    }
}

/* Two sets of marks take turns, so that no mark is overwritten while others look for it. */
RP_FN bool collective_marks_seen(const rp_team *team, const collective_test *test, uint32_t round)
{
    uint32_t rank = TEAM_RANK(team);
    uint32_t next = rank + 1 == test->size ? 0 : rank + 1;
    uint32_t any = (uint32_t)(collective_value(test, round, 3000 + rank) % test->size);
    return test->marks[round % 2][next] == round + 1 && test->marks[round % 2][any] == round + 1;
}

/* Every worker runs this. */
RP_FN void collective_worker(rp_team *team, collective_test *test)
{
    uint32_t rank = TEAM_RANK(team);
    for (uint32_t round = 0; round < test->n_rounds; round++) {
        uint32_t which = collective_of_round(test, round);
#if defined(__CUDACC__)
        /* Threads get out of step, and at times one is much later than the others. */
        uint64_t delay = collective_value(test, round, 4000 + rank);
        if (delay % 16 == 0)
            __nanosleep((uint32_t)(delay >> 32) % 2000);
#endif
        test->marks[round % 2][rank] = round + 1;
        bool good = collective_run(team, test, round, which);
        if (!collective_marks_seen(team, test, round)) {
            good = false;
            which = COLLECTIVE_MARKS;
        }
        if (!good && test->failed[rank] == 0) {
            test->failed[rank] = which + 1;
            test->failed_round[rank] = round;
        }
        test->n_rounds_done[rank]++;
    }
}

/* False, with the operation that failed in `text`, if a rank saw a wrong result or did not do all
 * rounds. */
static inline bool collective_good(const collective_test *test, char *text, size_t n_text)
{
    for (uint32_t rank = 0; rank < test->size; rank++) {
        if (test->failed[rank] != 0) {
            snprintf(text, n_text, "%s is wrong on rank %u of %u in round %u",
                     collective_names[test->failed[rank] - 1], (unsigned)rank, (unsigned)test->size,
                     (unsigned)test->failed_round[rank]);
            return false;
        }
        if (test->n_rounds_done[rank] != test->n_rounds) {
            snprintf(text, n_text, "rank %u of %u has done %u rounds of %u", (unsigned)rank,
                     (unsigned)test->size, (unsigned)test->n_rounds_done[rank],
                     (unsigned)test->n_rounds);
            return false;
        }
    }
    return true;
}

#endif
