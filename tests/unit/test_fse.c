/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 3 alone, and the distributions inside it. The strict decoder has to decode each section to
 * the same sequences. Sequences are synthetic, because the extremes of the format (codes of 16
 * extra bits, thousands of equal fields, offsets of 30 bits) hardly occur in data.
 *
 * The cost of a distribution is compared with that of the best one of the same size. The test finds
 * it unit by unit: a symbol gains less by each further unit of probability, so giving each unit to
 * the symbol that gains most is optimal.
 */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "engine/stages.h"
#include "kernels/sequences/stage.h"
#include "tests/support/inputs.h"
#include "tests/support/rfc8878_decoder.h"

#define MAX_SEQUENCES 43690 /* a block of 128 KiB, all matches of 3 bytes */
#define MAX_LENGTH 0x1FFFF  /* of literals, and of a match less 3 */
#define MAX_OFFSET_VALUE ((UINT32_C(1) << 30) - 1)
#define MAX_SECTION_BYTES (MAX_SEQUENCES * (size_t)12 + 1024)

/* How one field is drawn. */
typedef enum style {
    EQUAL,
    SMALL,
    ANY_MAGNITUDE,
    UNIFORM,
    SKEWED, /* half of them 0, a quarter 1, and so on */
    LARGEST,
    N_STYLES
} style;

static rp_device *host;
static rfc8878_stats seen;
static rp_team alone;
static rp_fse_work work;
static uint64_t n_refused;

static uint32_t draw(style how, uint32_t max, uint32_t fixed, inputs_random *random)
{
    switch (how) {
    case EQUAL:
        return fixed;
    case SMALL:
        return inputs_below(random, 20) % (max + 1);
    case ANY_MAGNITUDE:
        return inputs_magnitude(random, max);
    case UNIFORM:
        return inputs_below(random, max + 1);
    case SKEWED: {
        uint32_t zeros = 0;
        while (inputs_below(random, 2) == 0)
            zeros++;
        return zeros;
    }
    default:
        return max;
    }
}

static void make_sequences(rp_sequence *sequences, uint32_t n, const style how[3],
                           inputs_random *random)
{
    uint32_t fixed[3] = {inputs_magnitude(random, MAX_LENGTH),
                         inputs_magnitude(random, MAX_OFFSET_VALUE - 1),
                         inputs_magnitude(random, MAX_LENGTH)};
    for (uint32_t i = 0; i < n; i++) {
        uint64_t literal_length = draw(how[0], MAX_LENGTH, fixed[0], random);
        uint64_t offset_value = 1 + draw(how[1], MAX_OFFSET_VALUE - 1, fixed[1], random);
        uint64_t match_length = draw(how[2], MAX_LENGTH, fixed[2], random);
        sequences[i] = literal_length | match_length << 17 | offset_value << 34;
    }
}

/* Runs the stage on a zstd block of zstd_block_bytes. Returns the section's size. */
static uint32_t encode(const rp_sequence *sequences, uint32_t n, size_t zstd_block_bytes,
                       uint8_t *section)
{
    static uint8_t input[RP_ZSTD_BLOCK_BYTES];
    size_t scratch_bytes = (n + (size_t)64) * sizeof(uint32_t);
    scratch_bytes = (scratch_bytes + 255) / 256 * 256;
    size_t section_bytes = (zstd_block_bytes + RP_BUFFER_SLACK + 255) / 256 * 256;
    rp_zstd_block zstd_block = {n, 5, 123, 456};
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    buffers.n_zstd_blocks = 1;
    buffers.zstd_blocks_per_input = 1;
    buffers.zstd_block_bytes = zstd_block_bytes;
    buffers.d_zstd_blocks = &zstd_block;
    buffers.d_sequences = malloc((n + (size_t)1) * sizeof(rp_sequence));
    buffers.d_literals = input;
    buffers.d_literals_sections = input;
    buffers.d_sequences_sections = aligned_alloc(RP_WORKSPACE_ALIGNMENT, section_bytes);
    buffers.d_scratch = aligned_alloc(RP_WORKSPACE_ALIGNMENT, scratch_bytes);
    assert_non_null(buffers.d_sequences);
    assert_non_null(buffers.d_sequences_sections);
    buffers.d_team_memory = aligned_alloc(RP_WORKSPACE_ALIGNMENT, RP_TEAM_MEMORY_BYTES);
    assert_non_null(buffers.d_scratch);
    assert_non_null(buffers.d_team_memory);
    memset(buffers.d_team_memory, 0xA5, RP_TEAM_MEMORY_BYTES);
    memset(buffers.d_scratch, 0xA5, scratch_bytes);
    memset(buffers.d_sequences_sections, 0xA5, section_bytes);
    if (n != 0)
        memcpy(buffers.d_sequences, sequences, n * sizeof(rp_sequence));
    const void *inputs[1] = {input};
    void *outputs[1] = {NULL};
    size_t capacities[1] = {0};
    size_t output_sizes[1];
    rp_status statuses[1];
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = inputs,
        .d_input_sizes = &zstd_block_bytes,
        .max_input_bytes = zstd_block_bytes,
        .n_inputs = 1,
        .d_outputs = outputs,
        .d_output_capacities = capacities,
        .d_output_sizes = output_sizes,
        .d_statuses = statuses,
    };
    rp_stream stream = {host, NULL};
    /* Launched without rp_launch_fse_encoder(), which refuses buffers that are only as large as
     * these sequences need. So AddressSanitizer sees every access beyond them. */
    struct rp_launch launch;
    memset(&launch, 0, sizeof(launch));
    launch.stage = RP_STAGE_FSE_ENCODER;
    launch.n_teams = 1;
    assert_int_equal(rp_read_batch(&batch, &launch.args.batch, NULL), RP_STATUS_OK);
    assert_int_equal(rp_read_buffers(&buffers, &launch.args.buffers, NULL), RP_STATUS_OK);
    launch.args.effort = RP_EFFORT_DEFAULT;
    assert_int_equal(host->ops->launch(stream, &launch), RP_STATUS_OK);
    assert_int_equal(zstd_block.n_sequences, n);
    assert_int_equal(zstd_block.n_literals, 5);
    assert_int_equal(zstd_block.literals_section_bytes, 123);
    assert_true(zstd_block.sequences_section_bytes <= zstd_block_bytes);
    memcpy(section, buffers.d_sequences_sections, zstd_block.sequences_section_bytes);
    free(buffers.d_sequences);
    free(buffers.d_sequences_sections);
    free(buffers.d_scratch);
    free(buffers.d_team_memory);
    return zstd_block.sequences_section_bytes;
}

/* The same without a bound on the section's size. */
static uint32_t encode_unbounded(const rp_sequence *sequences, uint32_t n, uint8_t *section)
{
    static rp_sequences_memory memory;
    static uint32_t state_bits[MAX_SEQUENCES];
    rp_team team;
    memset(&team, 0, sizeof(team));
    memset(&memory, 0xA5, sizeof(memory));
    return rp_sequences_encode(&team, sequences, n, state_bits, section, MAX_SECTION_BYTES, NULL,
                               &memory);
}

static void add_stats(const rfc8878_stats *stats)
{
    for (int i = 0; i < 4; i++) {
        seen.literals_length_modes[i] += stats->literals_length_modes[i];
        seen.offset_modes[i] += stats->offset_modes[i];
        seen.match_length_modes[i] += stats->match_length_modes[i];
    }
    for (int i = 0; i < 3; i++)
        seen.n_sequence_counts[i] += stats->n_sequence_counts[i];
}

static void check_section(const uint8_t *section, uint32_t section_bytes,
                          const rp_sequence *sequences, uint32_t n)
{
    static rfc8878_sequence decoded[MAX_SEQUENCES];
    char error[RFC8878_ERROR_BYTES];
    rfc8878_stats stats;
    size_t n_decoded;
    if (!rfc8878_decode_sequences_section(section, section_bytes, decoded, n, &n_decoded, &stats,
                                          error, sizeof(error)))
        fail_msg("%u sequences: %s", n, error);
    assert_int_equal(n_decoded, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(decoded[i].literals_length, rp_sequence_literal_length(sequences[i]));
        assert_int_equal(decoded[i].match_length, rp_sequence_match_length(sequences[i]));
        assert_int_equal(decoded[i].offset_value, rp_sequence_offset_value(sequences[i]));
    }
    add_stats(&stats);
}

static void check_sequences(const rp_sequence *sequences, uint32_t n)
{
    static uint8_t bytes[MAX_SECTION_BYTES];
    static uint8_t unbounded[MAX_SECTION_BYTES];
    uint32_t n_bytes = encode(sequences, n, RP_ZSTD_BLOCK_BYTES, bytes);
    uint32_t n_unbounded = encode_unbounded(sequences, n, unbounded);
    if (n_bytes == 0) {
        n_refused++;
        assert_true(n_unbounded > RP_ZSTD_BLOCK_BYTES);
    } else {
        assert_int_equal(n_bytes, n_unbounded);
        assert_memory_equal(bytes, unbounded, n_bytes);
    }
    /* A copy of its exact size. */
    uint8_t *section = malloc(n_unbounded);
    assert_non_null(section);
    memcpy(section, unbounded, n_unbounded);
    check_section(section, n_unbounded, sequences, n);
    free(section);
}

static void check_styles(uint32_t n, style literal_length, style offset, style match_length,
                         inputs_random *random)
{
    static rp_sequence sequences[MAX_SEQUENCES];
    style how[3] = {literal_length, offset, match_length};
    make_sequences(sequences, n, how, random);
    check_sequences(sequences, n);
}

static void test_counts_and_styles(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1,   2,   3,   4,      7,      16,     33,    100,
                                      126, 127, 128, 0x7EFF, 0x7F00, 0x7F01, 43690, 1000};
    inputs_random random = inputs_seed(1);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        /* Large counts are slow: fewer styles. */
        int step = counts[i] > 30000 ? 5 : 1;
        for (int mix = (int)(i % (size_t)step); mix < N_STYLES * N_STYLES * N_STYLES; mix += step)
            check_styles(counts[i], (style)(mix % N_STYLES), (style)(mix / N_STYLES % N_STYLES),
                         (style)(mix / N_STYLES / N_STYLES), &random);
    }
}

static void test_random_lists(void **state)
{
    (void)state;
    inputs_random random = inputs_seed(2);
    for (uint32_t round = 0; round < 6000; round++) {
        uint32_t n = 1 + inputs_magnitude(&random, round % 20 == 0 ? 20000 : 600);
        style of_literals = (style)inputs_below(&random, N_STYLES);
        style of_offsets = (style)inputs_below(&random, N_STYLES);
        style of_matches = (style)inputs_below(&random, N_STYLES);
        check_styles(n, of_literals, of_offsets, of_matches, &random);
    }
}

/* Each code of each field, alone, at both ends of its range: with RLE or predefined tables. */
static void test_every_code(void **state)
{
    (void)state;
    rp_sequence sequences[3];
    for (uint32_t bits = 0; bits < 17; bits++) {
        for (uint32_t low = 0; low < 2; low++) {
            uint32_t length = (UINT32_C(1) << bits) - low;
            sequences[0] = length | UINT64_C(20) << 17 | UINT64_C(7) << 34;
            sequences[1] = 20 | (uint64_t)length << 17 | UINT64_C(7) << 34;
            sequences[2] = 20 | UINT64_C(20) << 17 | (uint64_t)(length + 1) << 34;
            for (uint32_t i = 0; i < 3; i++)
                check_sequences(sequences + i, 1);
            check_sequences(sequences, 3);
        }
    }
    for (uint32_t value = 0; value < 128; value++) {
        sequences[0] = value | (uint64_t)value << 17 | (uint64_t)(value + 1) << 34;
        check_sequences(sequences, 1);
    }
    for (uint32_t bits = 0; bits < 30; bits++) {
        sequences[0] = UINT64_C(1) << bits << 34;
        check_sequences(sequences, 1);
    }
    sequences[0] = UINT64_MAX;
    check_sequences(sequences, 1);
}

static void test_no_sequences(void **state)
{
    (void)state;
    uint8_t section[8];
    assert_int_equal(encode(NULL, 0, 1, section), 1);
    assert_int_equal(section[0], 0);
}

/* The stage makes no section if it would be longer than its zstd block, and only then. */
static void test_bound(void **state)
{
    (void)state;
    static rp_sequence sequences[500];
    static uint8_t section[MAX_SECTION_BYTES];
    static uint8_t again[MAX_SECTION_BYTES];
    inputs_random random = inputs_seed(3);
    for (uint32_t n = 1; n < 500; n += 7) {
        static const style how[3] = {SMALL, ANY_MAGNITUDE, SKEWED};
        make_sequences(sequences, n, how, &random);
        uint32_t n_bytes = encode(sequences, n, RP_ZSTD_BLOCK_BYTES, section);
        assert_int_equal(encode(sequences, n, n_bytes, again), n_bytes);
        assert_memory_equal(section, again, n_bytes);
        assert_int_equal(encode(sequences, n, n_bytes - 1, again), 0);
    }
}

static void test_coverage(void **state)
{
    (void)state;
    for (int mode = RFC8878_PREDEFINED; mode <= RFC8878_FSE; mode++) {
        assert_true(seen.literals_length_modes[mode] > 100);
        assert_true(seen.offset_modes[mode] > 100);
        assert_true(seen.match_length_modes[mode] > 100);
    }
    for (int i = 0; i < 3; i++)
        assert_true(seen.n_sequence_counts[i] > 20);
    assert_true(n_refused > 10);
}

/* Distributions. */

static double cost_of(const uint32_t *counts, uint32_t n_symbols, const int16_t *probabilities,
                      uint32_t n_probabilities, uint32_t log)
{
    double bits = 0;
    for (uint32_t s = 0; s < n_symbols; s++) {
        if (counts[s] == 0)
            continue;
        if (s >= n_probabilities || probabilities[s] == 0)
            return INFINITY;
        bits += counts[s] * (log - log2(probabilities[s] < 0 ? 1 : probabilities[s]));
    }
    return bits;
}

static double best_cost(const uint32_t *counts, uint32_t n_symbols, uint32_t log)
{
    int16_t probabilities[RP_MAX_CODES];
    double gains[RP_MAX_CODES];
    int32_t left = INT32_C(1) << log;
    for (uint32_t s = 0; s < n_symbols; s++) {
        probabilities[s] = counts[s] != 0;
        gains[s] = counts[s];
        left -= counts[s] != 0;
    }
    for (; left > 0; left--) {
        uint32_t best = 0;
        for (uint32_t s = 1; s < n_symbols; s++) {
            if (gains[s] > gains[best])
                best = s;
        }
        probabilities[best]++;
        gains[best] = counts[best] * log2(1 + 1.0 / probabilities[best]);
    }
    return cost_of(counts, n_symbols, probabilities, n_symbols, log);
}

/* Makes counts of n_symbols, of which at least two occur, the last one included. Returns their sum.
 */
static uint32_t make_counts(uint32_t *counts, uint32_t n_symbols, inputs_random *random)
{
    uint32_t total = 0;
    uint32_t form = inputs_below(random, 4);
    uint32_t max = 1 + inputs_magnitude(random, 3000);
    for (uint32_t s = 0; s < n_symbols; s++) {
        counts[s] = inputs_below(random, max + 1);
        if (form == 1)
            counts[s] = inputs_magnitude(random, max);
        else if (form == 2)
            counts[s] = max >> s % 14;
        else if (form == 3)
            counts[s] = inputs_below(random, 12) == 0 ? max : inputs_below(random, 2);
    }
    uint32_t favourite = inputs_below(random, n_symbols - 1);
    counts[favourite] += 1 + inputs_magnitude(random, max);
    counts[n_symbols - 1]++;
    for (uint32_t s = 0; s < n_symbols; s++)
        total += counts[s];
    return total;
}

static uint32_t last_present(const uint32_t *counts, uint32_t n_symbols)
{
    uint32_t last = n_symbols - 1;
    while (last > 0 && counts[last] == 0)
        last--;
    return last;
}

static uint32_t count_present(const uint32_t *counts, uint32_t n_symbols)
{
    uint32_t n = 0;
    for (uint32_t s = 0; s < n_symbols; s++)
        n += counts[s] != 0;
    return n;
}

static void test_distributions(void **state)
{
    (void)state;
    inputs_random random = inputs_seed(4);
    double worst = 0;
    for (uint32_t round = 0; round < 30000; round++) {
        uint32_t counts[RP_MAX_CODES];
        int16_t probabilities[RP_MAX_CODES];
        uint32_t n_symbols = 2 + inputs_below(&random, RP_MAX_CODES - 1);
        uint32_t total = make_counts(counts, n_symbols, &random);
        uint32_t n_present = count_present(counts, n_symbols);
        uint32_t log = RP_FSE_MIN_LOG + inputs_below(&random, RP_FSE_MAX_LOG - RP_FSE_MIN_LOG + 1);
        /* As rp_fse_choose_log() does. */
        log = rp_max32(log, rp_high_bit(n_present) + 1);
        rp_fse_normalize(&alone, counts, n_symbols, total, log, probabilities, &work);
        int32_t sum = 0;
        for (uint32_t s = 0; s < n_symbols; s++) {
            assert_true(probabilities[s] >= 0);
            assert_true((probabilities[s] != 0) == (counts[s] != 0));
            sum += probabilities[s];
        }
        assert_int_equal(sum, INT32_C(1) << log);

        double cost = cost_of(counts, n_symbols, probabilities, n_symbols, log);
        double best = best_cost(counts, n_symbols, log);
        if (cost / best - 1 > worst)
            worst = cost / best - 1;
        if (cost > best * 1.005)
            fail_msg("%u symbols, log %u: %.2f bits instead of %.2f", n_symbols, log, cost, best);

        uint8_t description[RP_FSE_DESCRIPTION_BYTES];
        int16_t decoded[RP_MAX_CODES];
        char error[RFC8878_ERROR_BYTES];
        size_t n_decoded;
        size_t consumed;
        unsigned decoded_log;
        uint32_t n_bytes = rp_fse_describe(probabilities, n_symbols, log, description);
        assert_true(n_bytes <= sizeof(description));
        if (!rfc8878_decode_fse_table(description, n_bytes, n_symbols - 1, RP_FSE_MAX_LOG, decoded,
                                      &n_decoded, &decoded_log, &consumed, error, sizeof(error)))
            fail_msg("%s", error);
        assert_int_equal(consumed, n_bytes);
        assert_int_equal(decoded_log, log);
        assert_int_equal(n_decoded, n_symbols);
        assert_memory_equal(decoded, probabilities, n_symbols * sizeof(decoded[0]));
    }
    print_message("worst distribution: %.3f %% above the best\n", 100 * worst);
}

/* The mode that is chosen is the shortest, within the precision of costs in 1/256 bits. */
static void test_choice_of_mode(void **state)
{
    (void)state;
    static rp_field_table table;
    inputs_random random = inputs_seed(5);
    uint64_t n_modes[3] = {0, 0, 0};
    for (uint32_t round = 0; round < 30000; round++) {
        uint32_t field = round % RP_N_FIELDS;
        rp_field_format format = rp_format_of_field(field);
        memset(&table, 0xA5, sizeof(table));
        memset(table.counts, 0, sizeof(table.counts));
        uint32_t n_symbols = 2 + inputs_below(&random, format.n_codes - 1);
        uint32_t total = make_counts(table.counts, n_symbols, &random);
        if (round % 5 == 0) {
            memset(table.counts, 0, sizeof(table.counts));
            total = table.counts[n_symbols - 1] = 1 + inputs_below(&random, 10);
        }
        double predefined = cost_of(table.counts, n_symbols, format.predefined, format.n_predefined,
                                    format.predefined_log);
        double other = 8; /* RLE */
        if (count_present(table.counts, n_symbols) > 1) {
            int16_t probabilities[RP_MAX_CODES];
            uint8_t description[RP_FSE_DESCRIPTION_BYTES];
            uint32_t log = rp_fse_choose_log(total, count_present(table.counts, n_symbols),
                                             last_present(table.counts, n_symbols), format.max_log);
            rp_fse_normalize(&alone, table.counts, n_symbols, total, log, probabilities, &work);
            other = 8.0 * rp_fse_describe(probabilities, n_symbols, log, description) +
                    cost_of(table.counts, n_symbols, probabilities, n_symbols, log);
        }
        rp_choose_field_table(&alone, &table, field, total);
        n_modes[table.mode]++;
        double taken = table.mode == RP_MODE_PREDEFINED ? predefined : other;
        assert_true(taken <= fmin(predefined, other) * (1 + 2.0 / RP_LOG2_ONE) + 0.1);
    }
    for (int mode = 0; mode < 3; mode++)
        assert_true(n_modes[mode] > 500);
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distributions), cmocka_unit_test(test_choice_of_mode),
        cmocka_unit_test(test_no_sequences),  cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_bound),         cmocka_unit_test(test_counts_and_styles),
        cmocka_unit_test(test_random_lists),  cmocka_unit_test(test_coverage),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
