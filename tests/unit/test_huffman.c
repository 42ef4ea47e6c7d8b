/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 2 alone, and the Huffman tree inside it. Literals sections are decoded by the strict
 * decoder. Trees are compared with the best ones that 11 bits allow. The test finds these by
 * package-merge (L. Larmore, D. Hirschberg, 1990), without code of the encoder.
 *
 * Counts are synthetic, because what is difficult about Huffman coding (depth, ties, few symbols,
 * holes in the alphabet) hardly occurs in data.
 *
 * The file is compiled a second time with RP_TEAM_THREADS, for the trees that a team makes by other
 * algorithms than one worker.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "kernels/base/stages.h"
#include "kernels/entropy/huffman_weights.h"
#include "rockpress/engine.h"
#include "tests/support/inputs.h"
#include "tests/support/rfc8878_decoder.h"
#include "tests/support/team_device.h"

#define MAX_LITERALS RP_ZSTD_BLOCK_BYTES

typedef enum shape {
    UNIFORM,
    ONE_RARE, /* all equal but one */
    ONE_FREQUENT,
    GEOMETRIC,
    FIBONACCI, /* the deepest tree for a given total */
    ZIPF,
    TWO_LEVELS,
    RANDOM,
    RANDOM_MAGNITUDE,
    N_SHAPES
} shape;

typedef enum placement { LOWEST, HIGHEST, SCATTERED, N_PLACEMENTS } placement;

static rp_device *host;
#ifdef RP_TEAM_THREADS
#define N_WORKERS 7
/* A team on one CPU is slow: every second number of symbols. */
#define N_SYMBOLS_STEP 2
static rp_device *team_device;
#else
#define N_SYMBOLS_STEP 1
#endif
static rfc8878_stats seen;

/* Sum of the bits of all literals with the best code of at most 11 bits. */
static uint64_t best_bits(const uint32_t counts[256])
{
    uint64_t leaves[256];
    uint64_t list[512];
    uint64_t merged[512];
    size_t n = 0;
    for (uint32_t s = 0; s < 256; s++) {
        size_t at = n;
        if (counts[s] == 0)
            continue;
        for (; at > 0 && leaves[at - 1] > counts[s]; at--)
            leaves[at] = leaves[at - 1];
        leaves[at] = counts[s];
        n++;
    }
    size_t n_list = n;
    memcpy(list, leaves, sizeof(leaves));
    for (uint32_t level = 1; level < RP_HUFFMAN_MAX_BITS; level++) {
        size_t n_packages = n_list / 2;
        size_t package = 0;
        size_t leaf = 0;
        size_t n_merged = 0;
        while (package < n_packages || leaf < n) {
            uint64_t sum = package < n_packages ? list[2 * package] + list[2 * package + 1] : 0;
            if (leaf < n && (package == n_packages || leaves[leaf] <= sum)) {
                merged[n_merged++] = leaves[leaf++];
            } else {
                merged[n_merged++] = sum;
                package++;
            }
        }
        n_list = n_merged;
        memcpy(list, merged, sizeof(list));
    }
    uint64_t bits = 0;
    for (size_t i = 0; i < 2 * n - 2; i++)
        bits += list[i];
    return bits;
}

/* Makes n_symbols counts of at least 1 that sum to about `total`. */
static void make_counts(uint32_t counts[256], uint32_t n_symbols, uint32_t total, shape form,
                        placement place, inputs_random *random)
{
    double weights[256];
    double sum = 0;
    double ratio = 0.3 + inputs_below(random, 690) / 1000.0;
    for (uint32_t i = 0; i < n_symbols; i++) {
        double weight = 1;
        if (form == ONE_RARE)
            weight = i == 0 ? 0 : 1;
        else if (form == ONE_FREQUENT)
            weight = i == 0 ? 1 : 0;
        else if (form == GEOMETRIC)
            weight = i == 0 ? 1 : weights[i - 1] * ratio;
        else if (form == FIBONACCI)
            weight = i < 2 ? 1 : weights[i - 1] + weights[i - 2];
        else if (form == ZIPF)
            weight = 1.0 / (i + 1);
        else if (form == TWO_LEVELS)
            weight = i % 2 == 0 ? 1 : 1 / (ratio * 100);
        else if (form == RANDOM)
            weight = 1 + inputs_below(random, 1000);
        else if (form == RANDOM_MAGNITUDE)
            weight = 1 + inputs_magnitude(random, 1000000);
        weights[i] = weight;
        sum += weight;
    }
    memset(counts, 0, 256 * sizeof(counts[0]));
    uint32_t spare = total > n_symbols ? total - n_symbols : 0;
    for (uint32_t i = 0; i < n_symbols; i++) {
        uint32_t symbol = place == LOWEST ? i : 255 - i;
        if (place == SCATTERED) {
            do
                symbol = inputs_below(random, 256);
            while (counts[symbol] != 0);
        }
        counts[symbol] = 1 + (sum > 0 ? (uint32_t)(spare * (weights[i] / sum)) : 0);
    }
}

/* A tree, and the scratch for making and describing it. */
typedef struct made_tree {
    const uint32_t *counts;
    rp_huffman_code code;
    rp_huffman_scratch scratch;
    rp_huffman_weights weights;
} made_tree;

/* Makes a tree as for the most literals that a block can have, which allow the longest codes. */
static void make_tree(struct rp_team *team, void *context)
{
    made_tree *tree = context;
    rp_huffman_build(team, tree->counts, (uint32_t)RP_ZSTD_BLOCK_BYTES, &tree->code,
                     &tree->scratch);
    if (TEAM_PART(team) == 0) {
        rp_team part = team_part(team);
        rp_huffman_describe(&part, &tree->code, &tree->weights);
    }
}

/* Checks one tree: it is complete, within the limits and the best, and its description decodes. */
static void check_tree(const uint32_t counts[256], double *worst)
{
    static made_tree made;
    memset(&made, 0xA5, sizeof(made));
    made.counts = counts;
#ifdef RP_TEAM_THREADS
    if (!team_device_run(team_device, make_tree, &made))
        fail_msg("%s", team_device_error(team_device));
#else
    rp_team alone;
    memset(&alone, 0, sizeof(alone));
    make_tree(&alone, &made);
#endif
    const rp_huffman_code code = made.code;
    const rp_huffman_weights weights = made.weights;
    uint64_t bits = 0;
    uint64_t raw_bits = 0;
    uint32_t space = 0;
    uint32_t longest = 0;
    for (uint32_t s = 0; s < 256; s++) {
        assert_true((code.lengths[s] != 0) == (counts[s] != 0));
        assert_true(code.lengths[s] <= RP_HUFFMAN_MAX_BITS);
        bits += (uint64_t)counts[s] * code.lengths[s];
        raw_bits += (uint64_t)counts[s] * 8;
        if (code.lengths[s] != 0)
            space += 1u << (RP_HUFFMAN_MAX_BITS - code.lengths[s]);
        if (code.lengths[s] > longest)
            longest = code.lengths[s];
    }
    assert_int_equal(space, 1u << RP_HUFFMAN_MAX_BITS);
    assert_int_equal(longest, code.max_bits);
    uint64_t best = best_bits(counts);
    assert_true(bits >= best);
    double excess = (double)bits / (double)best - 1;
    if (excess > *worst)
        *worst = excess;
    if (bits > best)
        fail_msg("%llu bits instead of %llu", (unsigned long long)bits, (unsigned long long)best);

    if (weights.description_bytes == 0) {
        /* Too many weights to be direct, and equal ones, which FSE cannot express: coding these
         * literals would gain nothing. */
        assert_true(bits * 100 >= raw_bits * 99);
        return;
    }
    uint8_t decoded[RFC8878_WEIGHTS_MAX];
    char error[RFC8878_ERROR_BYTES];
    size_t n_symbols;
    size_t consumed;
    unsigned max_bits;
    if (!rfc8878_decode_huffman_weights(weights.description, weights.description_bytes, decoded,
                                        &n_symbols, &max_bits, &consumed, NULL, error,
                                        sizeof(error)))
        fail_msg("%s", error);
    assert_int_equal(consumed, weights.description_bytes);
    assert_int_equal(n_symbols, code.last_symbol + 1);
    assert_int_equal(max_bits, code.max_bits);
    for (uint32_t s = 0; s < n_symbols; s++)
        assert_int_equal(decoded[s], counts[s] == 0 ? 0 : max_bits + 1 - code.lengths[s]);
}

static void test_trees(void **state)
{
    (void)state;
    inputs_random random = inputs_seed(1);
    uint32_t counts[256];
    double worst = 0;
    for (int form = 0; form < N_SHAPES; form++) {
        for (uint32_t n_symbols = 2; n_symbols <= 256; n_symbols += N_SYMBOLS_STEP) {
            for (uint32_t repeat = 0; repeat < 6; repeat++) {
                uint32_t most = repeat < 3 ? MAX_LITERALS : 2000;
                uint32_t total = n_symbols + inputs_below(&random, most - n_symbols);
                make_counts(counts, n_symbols, total, (shape)form,
                            (placement)(repeat % N_PLACEMENTS), &random);
                check_tree(counts, &worst);
            }
        }
    }
    print_message("worst tree: %.3f %% above the best\n", 100 * worst);
}

/* Makes literals with these counts, in random order. Returns their number. */
static uint32_t make_literals(uint8_t *literals, const uint32_t counts[256], inputs_random *random)
{
    uint32_t n = 0;
    for (uint32_t s = 0; s < 256; s++) {
        for (uint32_t i = 0; i < counts[s]; i++)
            literals[n++] = (uint8_t)s;
    }
    for (uint32_t i = n; i > 1; i--) {
        uint32_t other = inputs_below(random, i);
        uint8_t swapped = literals[i - 1];
        literals[i - 1] = literals[other];
        literals[other] = swapped;
    }
    return n;
}

/* Bytes of the team memory that the last encode() wrote. */
static size_t n_memory_bytes;

/* Runs the stage on a zstd block of n_literals bytes; without literals, of one byte. Returns a copy
 * of the section, of its exact size. */
static uint8_t *encode(const uint8_t *literals, uint32_t n_literals, uint32_t *section_bytes)
{
    size_t input_bytes = n_literals == 0 ? 1 : n_literals;
    size_t workspace_bytes = rp_workspace_size(input_bytes, 1, RP_EFFORT_FAST);
    uint8_t *workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, workspace_bytes);
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    assert_non_null(workspace);
    memset(workspace, 0xA5, workspace_bytes);
    assert_int_equal(
        rp_workspace_carve(workspace, workspace_bytes, input_bytes, 1, RP_EFFORT_FAST, &buffers),
        RP_STATUS_OK);
    if (n_literals != 0)
        memcpy(buffers.d_literals, literals, n_literals);
    buffers.d_zstd_blocks[0] = (rp_zstd_block){7, n_literals, 0, 123};
    const void *inputs[1] = {workspace}; /* not read */
    void *outputs[1] = {NULL};
    size_t capacities[1] = {0};
    size_t output_sizes[1];
    rp_status statuses[1];
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = inputs,
        .d_input_sizes = &input_bytes,
        .max_input_bytes = input_bytes,
        .n_inputs = 1,
        .d_outputs = outputs,
        .d_output_capacities = capacities,
        .d_output_sizes = output_sizes,
        .d_statuses = statuses,
    };
    rp_stream stream = {host, NULL};
    assert_int_equal(rp_launch_huffman_encoder(&batch, &buffers, NULL, stream), RP_STATUS_OK);
    *section_bytes = buffers.d_zstd_blocks[0].literals_section_bytes;
    n_memory_bytes = 0;
    for (uint32_t i = 0; i < RP_TEAM_MEMORY_BYTES; i++)
        n_memory_bytes += buffers.d_team_memory[i] != 0xA5;
    assert_int_equal(buffers.d_zstd_blocks[0].n_sequences, 7);
    assert_int_equal(buffers.d_zstd_blocks[0].n_literals, n_literals);
    assert_int_equal(buffers.d_zstd_blocks[0].sequences_section_bytes, 123);
    uint8_t *section = malloc(*section_bytes);
    assert_non_null(section);
    memcpy(section, buffers.d_literals_sections, *section_bytes);
    free(workspace);
    return section;
}

static void add_stats(const rfc8878_stats *stats)
{
    seen.n_literals_raw += stats->n_literals_raw;
    seen.n_literals_rle += stats->n_literals_rle;
    seen.n_literals_huffman_1_stream += stats->n_literals_huffman_1_stream;
    seen.n_literals_huffman_4_streams += stats->n_literals_huffman_4_streams;
    seen.n_weights_direct += stats->n_weights_direct;
    seen.n_weights_fse += stats->n_weights_fse;
}

static uint32_t simple_header_bytes(uint32_t n_literals)
{
    return n_literals < 32 ? 1 : n_literals < 4096 ? 2 : 3;
}

static void check_literals(const uint8_t *literals, uint32_t n_literals)
{
    uint32_t counts[256] = {0};
    uint32_t n_symbols = 0;
    for (uint32_t i = 0; i < n_literals; i++)
        n_symbols += counts[literals[i]]++ == 0;
    uint32_t section_bytes;
    uint8_t *section = encode(literals, n_literals, &section_bytes);
    uint8_t *decoded = malloc(n_literals + (size_t)1);
    size_t n_decoded;
    size_t consumed;
    rfc8878_stats stats;
    char error[RFC8878_ERROR_BYTES];
    if (!rfc8878_decode_literals_section(section, section_bytes, decoded, n_literals, &n_decoded,
                                         &consumed, &stats, error, sizeof(error)))
        fail_msg("%u literals of %u symbols: %s", n_literals, n_symbols, error);
    assert_int_equal(consumed, section_bytes);
    assert_int_equal(n_decoded, n_literals);
    assert_memory_equal(decoded, literals, n_literals);
    add_stats(&stats);

    uint32_t raw_bytes = simple_header_bytes(n_literals) + n_literals;
    assert_true(section_bytes <= raw_bytes);
    assert_true(stats.n_literals_rle == 0 || n_symbols == 1);
    if (n_symbols == 1)
        assert_true(section_bytes <= simple_header_bytes(n_literals) + 1u);
    /* Beside its codes, a Huffman section has a header, a tree, a jump table, and the last byte of
     * each stream. Literals that stay raw would not have gained more than these take. */
    if (stats.n_literals_raw != 0 && n_symbols > 1)
        assert_true(best_bits(counts) / 8 + 5 + 129 + 6 + 4 >= n_literals);
    if (stats.n_literals_huffman_1_stream != 0)
        assert_true(section_bytes <= 3 + 129 + (best_bits(counts) + n_symbols + 16) / 8 + 1);
    if (stats.n_literals_huffman_4_streams != 0)
        assert_true(section_bytes <= 5 + 129 + 6 + (best_bits(counts) + n_symbols + 16) / 8 + 4);
    free(decoded);
    free(section);
}

static void check_counts(uint32_t n_symbols, uint32_t total, shape form, placement place,
                         inputs_random *random)
{
    static uint8_t literals[MAX_LITERALS + 256];
    uint32_t counts[256];
    make_counts(counts, n_symbols, total, form, place, random);
    uint32_t n = make_literals(literals, counts, random);
    if (n <= MAX_LITERALS)
        check_literals(literals, n);
}

/* Whether few literals are worth a tree is known from their counts: nothing else is written to the
 * team's memory for those that are not. */
static void test_few_literals_take_no_tree(void **state)
{
    (void)state;
    static const char words[] = "a block of hardly any bytes, as the last one of a file may be: no "
                                "tree is made for the first words, and one is for all of them";
    const size_t counts_bytes = 2 * 256 * sizeof(uint32_t);
    uint8_t noise[255]; /* one stream */
    for (uint32_t n = 1; n <= 16; n++) {
        check_literals((const uint8_t *)words, n);
        assert_true(n_memory_bytes <= counts_bytes);
    }
    check_literals((const uint8_t *)words, sizeof(words) - 1);
    assert_true(n_memory_bytes > counts_bytes);
    for (uint32_t n = 2; n <= sizeof(noise); n++) {
        inputs_fill(INPUTS_NOISE, noise, n, n);
        check_literals(noise, n);
        assert_true(n_memory_bytes <= counts_bytes);
    }
}

static void test_every_size(void **state)
{
    (void)state;
    inputs_random random = inputs_seed(2);
    check_literals(NULL, 0);
    for (uint32_t n = 1; n <= 1030; n++) {
        for (int form = 0; form < N_SHAPES; form++) {
            uint32_t n_symbols = 1 + inputs_magnitude(&random, (n < 256 ? n : 256) - 1);
            check_counts(n_symbols, n, (shape)form, (placement)inputs_below(&random, N_PLACEMENTS),
                         &random);
        }
    }
}

static void test_every_alphabet(void **state)
{
    (void)state;
    inputs_random random = inputs_seed(3);
    for (uint32_t n_symbols = 1; n_symbols <= 256; n_symbols++) {
        for (int form = 0; form < N_SHAPES; form++)
            check_counts(n_symbols, n_symbols + inputs_magnitude(&random, 20000), (shape)form,
                         (placement)(n_symbols % N_PLACEMENTS), &random);
    }
}

/* Sizes around those where headers change, and the largest block. */
static void test_large(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {4095,  4096,  16383,  16384,
                                     65535, 65536, 131071, (uint32_t)MAX_LITERALS};
    static const uint32_t alphabets[] = {1, 2, 3, 17, 64, 129, 200, 256};
    inputs_random random = inputs_seed(4);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (int form = 0; form < N_SHAPES; form++)
            check_counts(alphabets[(i + (size_t)form) % 8], sizes[i], (shape)form, SCATTERED,
                         &random);
    }
}

/* Symbols sorted, so that each of the four streams has symbols that the others lack. */
static void test_uneven_streams(void **state)
{
    (void)state;
    uint8_t literals[5000];
    for (uint32_t n = 256; n < 5000; n += 7) {
        for (uint32_t i = 0; i < n; i++)
            literals[i] = (uint8_t)(i < n / 2 ? 0 : i < n * 3 / 4 ? 1 + i % 2 : 3 + i % 40);
        check_literals(literals, n);
    }
}

static void test_coverage(void **state)
{
    (void)state;
    assert_true(seen.n_literals_raw > 100);
    assert_true(seen.n_literals_rle > 10);
    assert_true(seen.n_literals_huffman_1_stream > 500);
    assert_true(seen.n_literals_huffman_4_streams > 2000);
    assert_true(seen.n_weights_direct > 100);
    assert_true(seen.n_weights_fse > 1000);
}

static int open_devices(void **state)
{
    (void)state;
#ifdef RP_TEAM_THREADS
    const team_device_kind kind =
        TEAM_DEVICE_CAN_SHUFFLE ? TEAM_DEVICE_SHUFFLED : TEAM_DEVICE_THREADS;
    team_device = team_device_open(kind, N_WORKERS, 1);
    if (team_device == NULL)
        return -1;
#endif
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

static int close_devices(void **state)
{
    (void)state;
#ifdef RP_TEAM_THREADS
    rp_device_close(team_device);
#endif
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_literals_take_no_tree),
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_every_alphabet),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_uneven_streams),
        cmocka_unit_test(test_coverage),
    };
    return RUN_CASES(argc, argv, tests, open_devices, close_devices);
}
