/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bit writers against one that appends bit by bit. This file is compiled for teams of threads,
 * where each worker writes a segment of the stream, and for teams of one. Segments have all lengths
 * around a word's, zero included, and streams begin at every byte of a word: a writer is most
 * likely to fail at the words that segments share.
 *
 * Bytes before a stream, and those after its slack, have to stay as they were.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "kernels/base/bit_writer.h"
#include "tests/support/inputs.h"
#include "tests/support/team_device.h"

#define MAX_WORKERS 32
#define MAX_PUTS 2000
#define CAPACITY (MAX_PUTS * 4 + 128)
#define SLACK_BYTES 8
#define FOREIGN 0xD7

typedef struct put {
    uint32_t value;
    uint32_t n_bits;
    bool flush; /* flush after it; at most 56 bits are put between two flushes */
} put;

typedef struct stream_test {
    put puts[MAX_PUTS];
    uint32_t n_puts;
    uint32_t segment_ends[MAX_WORKERS]; /* worker w writes puts [end of w - 1, end of w) */
    put trailer; /* put by the last worker with a segment and not in the scan, as an end mark is */
    uint32_t first_byte;
    uint32_t end_byte;
    uint8_t *bytes; /* aligned, CAPACITY */
} stream_test;

static uint32_t append_bits(uint8_t *bytes, uint32_t at_bit, uint32_t value, uint32_t n_bits)
{
    for (uint32_t i = 0; i < n_bits; i++, at_bit++) {
        uint8_t bit = (uint8_t)(1u << at_bit % 8);
        bytes[at_bit / 8] &= (uint8_t)~bit;
        if (value >> i & 1)
            bytes[at_bit / 8] |= bit;
    }
    return at_bit;
}

static void make_puts(stream_test *test, uint32_t n_puts, inputs_random *random)
{
    uint32_t since_flush = 0;
    test->trailer.n_bits = inputs_below(random, 33);
    test->trailer.value =
        (uint32_t)(inputs_next(random) & ((UINT64_C(1) << test->trailer.n_bits) - 1));
    uint32_t style = inputs_below(random, 4); /* any size, small, whole bytes, any size of ones */
    test->n_puts = n_puts;
    for (uint32_t i = 0; i < n_puts; i++) {
        put *one = &test->puts[i];
        one->n_bits = style == 1   ? inputs_below(random, 5)
                      : style == 2 ? 8 * inputs_below(random, 5)
                                   : inputs_below(random, 33);
        uint64_t mask = (UINT64_C(1) << one->n_bits) - 1;
        one->value = (uint32_t)((style == 3 ? UINT32_MAX : inputs_next(random)) & mask);
        if (i > 0 && since_flush + one->n_bits > 56) {
            test->puts[i - 1].flush = true;
            since_flush = 0;
        }
        since_flush += one->n_bits;
        one->flush = inputs_below(random, 6) == 0;
        if (one->flush)
            since_flush = 0;
    }
}

static void write_segment(struct rp_team *team, void *context)
{
    stream_test *test = context;
    uint32_t rank = TEAM_RANK(team);
    uint32_t begin = rank == 0 ? 0 : test->segment_ends[rank - 1];
    uint32_t n_bits = 0;
    for (uint32_t i = begin; i < test->segment_ends[rank]; i++)
        n_bits += test->puts[i].n_bits;
    rp_bits_clear(team, test->bytes, test->first_byte, test->end_byte);
    uint32_t first_bit = test->first_byte * 8 + team_scan_add(team, n_bits, NULL);
    rp_bit_writer writer = rp_bits_open(test->bytes, first_bit);
    for (uint32_t i = begin; i < test->segment_ends[rank]; i++) {
        rp_bits_put(&writer, test->puts[i].value, test->puts[i].n_bits);
        if (test->puts[i].flush)
            rp_bits_flush(&writer);
    }
    if (begin < test->n_puts && test->segment_ends[rank] == test->n_puts) {
        rp_bits_flush(&writer);
        rp_bits_put(&writer, test->trailer.value, test->trailer.n_bits);
    }
    rp_bits_close(&writer);
}

/* Fills in the expected stream. The stream to be written has foreign bytes everywhere. */
static void prepare(stream_test *test, uint8_t *expected, uint32_t first_byte)
{
    memset(test->bytes, FOREIGN, CAPACITY);
    memset(expected, FOREIGN, CAPACITY);
    uint32_t at = first_byte * 8;
    for (uint32_t i = 0; i < test->n_puts; i++)
        at = append_bits(expected, at, test->puts[i].value, test->puts[i].n_bits);
    if (test->n_puts != 0)
        at = append_bits(expected, at, test->trailer.value, test->trailer.n_bits);
    test->first_byte = first_byte;
    test->end_byte = (at + 7) / 8;
    append_bits(expected, at, 0, test->end_byte * 8 - at);
}

static void compare(const stream_test *test, const uint8_t *expected, uint32_t n_workers,
                    uint32_t round)
{
    for (uint32_t i = 0; i < CAPACITY; i++) {
        if (i >= test->end_byte && i < test->end_byte + SLACK_BYTES)
            continue;
        if (test->bytes[i] != expected[i])
            fail_msg("byte %u of [%u, %u) is %02x instead of %02x with %u workers in round %u", i,
                     test->first_byte, test->end_byte, test->bytes[i], expected[i], n_workers,
                     round);
    }
}

static stream_test *allocate_test(uint8_t **expected)
{
    stream_test *test = calloc(1, sizeof(*test));
    assert_non_null(test);
    test->bytes = aligned_alloc(64, CAPACITY);
    *expected = malloc(CAPACITY);
    assert_non_null(test->bytes);
    assert_non_null(*expected);
    return test;
}

static void free_test(stream_test *test, uint8_t *expected)
{
    free(test->bytes);
    free(test);
    free(expected);
}

static uint32_t any_n_puts(inputs_random *random)
{
    return inputs_below(random, 3) == 0 ? inputs_below(random, MAX_PUTS + 1)
                                        : inputs_below(random, 100);
}

#ifdef RP_TEAM_THREADS

static void cut_into_segments(stream_test *test, uint32_t n_workers, inputs_random *random)
{
    for (uint32_t w = 0; w + 1 < n_workers; w++) {
        uint32_t previous = w == 0 ? 0 : test->segment_ends[w - 1];
        uint32_t left = test->n_puts - previous;
        /* Most segments are short, so that several share a word. At times nothing is left for the
         * last workers. */
        uint32_t n = inputs_below(random, inputs_below(random, 4) == 0 ? 100 : 4);
        test->segment_ends[w] = previous + (n < left ? n : left);
    }
    test->segment_ends[n_workers - 1] = test->n_puts;
}

static void run_rounds(team_device_kind kind, uint32_t n_workers, uint32_t n_rounds)
{
    uint8_t *expected;
    stream_test *test = allocate_test(&expected);
    inputs_random random = inputs_seed(n_workers);
    rp_device *device = team_device_open(kind, n_workers, n_workers);
    assert_non_null(device);
    for (uint32_t round = 0; round < n_rounds; round++) {
        make_puts(test, any_n_puts(&random), &random);
        prepare(test, expected, round % 8);
        cut_into_segments(test, n_workers, &random);
        assert_true(team_device_run(device, write_segment, test));
        compare(test, expected, n_workers, round);
    }
    rp_device_close(device);
    free_test(test, expected);
}

static void test_segments_of_threads(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 2, 3, 8, 32};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        run_rounds(TEAM_DEVICE_THREADS, sizes[i], 100);
}

static void test_shuffled_segments(void **state)
{
    (void)state;
    if (!TEAM_DEVICE_CAN_SHUFFLE)
        skip_case(TEAM_DEVICE_NO_SHUFFLE);
    for (uint32_t size = 1; size <= MAX_WORKERS; size++)
        run_rounds(TEAM_DEVICE_SHUFFLED, size, 200);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments_of_threads),
        cmocka_unit_test(test_shuffled_segments),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}

#else

static void test_stream(void **state)
{
    (void)state;
    uint8_t *expected;
    stream_test *test = allocate_test(&expected);
    inputs_random random = inputs_seed(1);
    rp_team team;
    memset(&team, 0, sizeof(team));
    for (uint32_t round = 0; round < 20000; round++) {
        make_puts(test, any_n_puts(&random) % 300, &random);
        prepare(test, expected, round % 8);
        test->segment_ends[0] = test->n_puts;
        write_segment(&team, test);
        compare(test, expected, 1, round);
    }
    free_test(test, expected);
}

static void test_byte_writer(void **state)
{
    (void)state;
    uint8_t *expected;
    stream_test *test = allocate_test(&expected);
    inputs_random random = inputs_seed(2);
    for (uint32_t round = 0; round < 20000; round++) {
        make_puts(test, any_n_puts(&random) % 300, &random);
        prepare(test, expected, 0);
        rp_byte_writer writer = rp_bytes_open(test->bytes);
        for (uint32_t i = 0; i < test->n_puts; i++)
            rp_bytes_put(&writer, test->puts[i].value, test->puts[i].n_bits);
        if (test->n_puts != 0)
            rp_bytes_put(&writer, test->trailer.value, test->trailer.n_bits);
        assert_int_equal(rp_bytes_close(&writer), test->end_byte);
        assert_memory_equal(test->bytes, expected, CAPACITY); /* not one byte more */
    }
    free_test(test, expected);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_byte_writer),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}

#endif
