/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verifier's XXH3 and content checksum against libxxhash: every length up to 600 and around the
 * blocks of 1024 bytes, at several alignments, larger inputs, and nothing read beside the input. It
 * is compiled for teams of threads and for a team of one.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"
#include <xxhash.h>

#include "kernels/decode/xxh3.h"
#include "kernels/decode/xxh64.h"
#include "tests/support/inputs.h"
#if defined(RP_TEAM_THREADS)
#include "tests/support/team_device.h"
#endif

#define LARGEST ((size_t)200000)

typedef struct hash_call {
    const uint8_t *bytes;
    size_t n_bytes;
    uint64_t hash;
    rp_xxh3_memory memory;
} hash_call;

static void hash_by_team(struct rp_team *team, void *context)
{
    hash_call *call = context;
    uint64_t hash = rp_xxh3(team, call->bytes, call->n_bytes, &call->memory);
    if (TEAM_RANK(team) == 0)
        call->hash = hash;
}

#if defined(RP_TEAM_THREADS)
static rp_device *device;

static void run(hash_call *call)
{
    if (!team_device_run(device, hash_by_team, call))
        fail_msg("%s", team_device_error(device));
}
#else
static void run(hash_call *call)
{
    rp_team team = {0};
    hash_by_team(&team, call);
}
#endif

static void check(const uint8_t *bytes, size_t n)
{
    static hash_call call;
    call.bytes = bytes;
    call.n_bytes = n;
    memset(&call.memory, 0xA5, sizeof(call.memory));
    run(&call);
    if (call.hash != XXH3_64bits(bytes, n))
        fail_msg("XXH3 of %zu bytes", n);
    if (rp_checksum(bytes, n) != (uint32_t)XXH64(bytes, n, 0))
        fail_msg("checksum of %zu bytes", n);
}

/* In memory of the exact size. */
static void check_copy(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n == 0 ? 1 : n);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    check(copy, n);
    free(copy);
}

static void check_lengths(size_t all_up_to, size_t step)
{
    uint8_t *bytes = malloc(LARGEST + 8);
    assert_non_null(bytes);
    inputs_fill(INPUTS_NOISE, bytes, LARGEST + 8, 1);
    for (size_t n = 0; n <= all_up_to; n += step) {
        check_copy(bytes, n);
        check(bytes + n % 8, n);
    }
    for (size_t n = 1024; n <= LARGEST; n = n * 2 + step) {
        for (size_t k = 0; k < 4; k++)
            check_copy(bytes, n - 1 + k);
        check_copy(bytes, n + 64);
    }
    memset(bytes, 0xFF, 5000);
    check_copy(bytes, 5000);
    check_copy(bytes, 200);
    free(bytes);
}

#if defined(RP_TEAM_THREADS)
static void on_teams(team_device_kind kind, const uint32_t *sizes, size_t n_sizes, size_t step)
{
    for (size_t i = 0; i < n_sizes; i++) {
        device = team_device_open(kind, sizes[i], 7);
        assert_non_null(device);
        check_lengths(600, step);
        rp_device_close(device);
    }
}

static void test_threads(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 4};
    on_teams(TEAM_DEVICE_THREADS, sizes, 2, 7);
}

static void test_shuffled(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {2, 32, 128};
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    on_teams(TEAM_DEVICE_SHUFFLED, sizes, 3, 1);
}
#else
static void test_alone(void **state)
{
    (void)state;
    check_lengths(3000, 1);
}
#endif

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
#if defined(RP_TEAM_THREADS)
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_shuffled),
#else
        cmocka_unit_test(test_alone),
#endif
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
