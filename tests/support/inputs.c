/* SPDX-License-Identifier: Apache-2.0 */
/* See inputs.h. Everything is written out: libc's random numbers differ between machines. */
#include "inputs.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64: any seed will do, neighbouring ones too. */
static uint64_t next64(inputs_random *random)
{
    random->state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t value = random->state;
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

inputs_random inputs_seed(uint64_t seed)
{
    inputs_random random = {seed};
    return random;
}

uint32_t inputs_next(inputs_random *random)
{
    return (uint32_t)(next64(random) >> 32);
}

uint32_t inputs_below(inputs_random *random, uint32_t n)
{
    return (uint32_t)(((uint64_t)inputs_next(random) * n) >> 32);
}

uint32_t inputs_magnitude(inputs_random *random, uint32_t max)
{
    uint32_t n_bits = inputs_below(random, 33);
    uint64_t value = inputs_next(random) & ((UINT64_C(1) << n_bits) - 1);
    return (uint32_t)(value % ((uint64_t)max + 1));
}

static void fill_noise(uint8_t *bytes, size_t n, inputs_random *random)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)inputs_next(random);
}

static void fill_alphabet(uint8_t *bytes, size_t n, const char *alphabet, inputs_random *random)
{
    uint32_t n_symbols = (uint32_t)strlen(alphabet);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)alphabet[inputs_below(random, n_symbols)];
}

static void fill_permutations(uint8_t *bytes, size_t n, inputs_random *random)
{
    uint8_t order[256];
    for (uint32_t i = 0; i < 256; i++)
        order[i] = (uint8_t)i;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)(i & 255);
        uint32_t other = at + inputs_below(random, 256 - at);
        uint8_t symbol = order[other];
        order[other] = order[at];
        order[at] = symbol;
        bytes[i] = symbol;
    }
}

/* Byte by byte, so that a distance below the length repeats itself. */
static void copy_back(uint8_t *bytes, size_t at, size_t distance, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[at + i] = bytes[at + i - distance];
}

static void fill_period(uint8_t *bytes, size_t n, size_t period, size_t head, inputs_random *random)
{
    size_t n_noise = head + period < n ? head + period : n;
    fill_noise(bytes, n_noise, random);
    copy_back(bytes, n_noise, period, n - n_noise);
}

/* An open-addressed set of the values of 4 bytes in a row. */
typedef struct gram_set {
    uint64_t *slots; /* value + 1, or 0 */
    size_t mask;
} gram_set;

static bool gram_add(gram_set *set, uint32_t gram)
{
    size_t slot = (size_t)((gram * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & set->mask;
    while (set->slots[slot] != 0) {
        if (set->slots[slot] == (uint64_t)gram + 1)
            return false;
        slot = (slot + 1) & set->mask;
    }
    set->slots[slot] = (uint64_t)gram + 1;
    return true;
}

void inputs_fill_unmatched(uint8_t *bytes, size_t n, uint32_t n_symbols, uint32_t length,
                           inputs_random *random)
{
    uint32_t mask = length < 4 ? (UINT32_C(1) << 8 * length) - 1 : UINT32_MAX;
    gram_set set;
    size_t n_slots = 1024;
    while (n_slots < 2 * n)
        n_slots *= 2;
    set.mask = n_slots - 1;
    set.slots = calloc(n_slots, sizeof(*set.slots));
    if (set.slots == NULL)
        abort();
    uint32_t gram = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t symbol = 0;
        for (int attempt = 0; attempt < 64; attempt++) {
            symbol = (uint8_t)inputs_below(random, n_symbols);
            if (i + 1 < length || gram_add(&set, (gram << 8 | symbol) & mask))
                break;
        }
        bytes[i] = symbol;
        gram = gram << 8 | symbol;
    }
    free(set.slots);
}

/* Symbol k occurs about ratio times as often as symbol k - 1. */
static void fill_skewed(uint8_t *bytes, size_t n, double ratio, uint32_t n_symbols,
                        inputs_random *random)
{
    uint64_t up_to[32];
    double weight = 1;
    double sum = 0;
    for (uint32_t i = 0; i < n_symbols; i++) {
        sum += weight;
        up_to[i] = (uint64_t)(sum * 1024);
        weight *= ratio;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t value = next64(random) % up_to[n_symbols - 1];
        uint32_t symbol = n_symbols - 1;
        while (symbol > 0 && value < up_to[symbol - 1])
            symbol--;
        bytes[i] = (uint8_t)(symbol * 37 + 11);
    }
}

static void fill_runs(uint8_t *bytes, size_t n, inputs_random *random)
{
    size_t at = 0;
    while (at < n) {
        size_t run = 1 + inputs_magnitude(random, 4000);
        run = run < n - at ? run : n - at;
        memset(bytes + at, (int)inputs_below(random, 256), run);
        at += run;
    }
}

/* Appends as much of a piece as fits. */
static size_t append(uint8_t *bytes, size_t at, size_t n, const void *piece, size_t n_piece)
{
    size_t left = n - at;
    size_t take = n_piece < left ? n_piece : left;
    memcpy(bytes + at, piece, take);
    return at + take;
}

static void fill_text(uint8_t *bytes, size_t n, inputs_random *random)
{
    static const char *const words[] = {
        "the ",     "block ",      "of ",     "a ",       "table ",  "is ",     "read ",
        "before ",  "compaction ", "and ",    "written ", "again, ", "which ",  "costs ",
        "nothing ", "to ",         "level ",  "key ",     "value ",  "order ",  "with ",
        "in ",      "memory.\n",   "Then ",   "it ",      "merges ", "longer ", "sequences ",
        "between ", "filters ",    "cache; ", "whenever "};
    size_t at = 0;
    while (at < n) {
        /* The smaller of two: early words are more frequent. */
        uint32_t first = inputs_below(random, 32);
        uint32_t second = inputs_below(random, 32);
        const char *word = words[first < second ? first : second];
        at = append(bytes, at, n, word, strlen(word));
    }
}

static void fill_records(uint8_t *bytes, size_t n, inputs_random *random)
{
    size_t at = 0;
    for (uint32_t row = 0; at < n; row++) {
        char record[64];
        /* One after the other: compilers evaluate arguments in different orders. */
        uint32_t month = inputs_below(random, 12);
        uint32_t whole = inputs_below(random, 5000);
        uint32_t cents = inputs_below(random, 100);
        int length =
            snprintf(record, sizeof(record), "user%010u|%02u|EUR|%6u.%02u|OPEN    |",
                     (unsigned)(row * 7), (unsigned)month, (unsigned)whole, (unsigned)cents);
        at = append(bytes, at, n, record, (size_t)length);
    }
}

static void fill_keys(uint8_t *bytes, size_t n, inputs_random *random)
{
    size_t at = 0;
    uint64_t key = 1000000;
    while (at < n) {
        uint8_t entry[64];
        key += 1 + inputs_below(random, 50);
        uint32_t n_value = 4 + inputs_below(random, 24);
        entry[0] = 12;
        entry[1] = 5;
        entry[2] = (uint8_t)n_value;
        for (uint32_t i = 0; i < 8; i++)
            entry[3 + i] = (uint8_t)(key >> (8 * (7 - i)));
        for (uint32_t i = 0; i < n_value; i++)
            entry[11 + i] = (uint8_t)(i < 4 ? inputs_next(random) : 'a' + i);
        at = append(bytes, at, n, entry, 11 + n_value);
    }
}

static void fill_far_copies(uint8_t *bytes, size_t n, inputs_random *random)
{
    static const uint32_t distances[] = {32767, 32768, 32769, 65532, 65533,  65534,
                                         65535, 65536, 65537, 98304, 131068, 131071};
    size_t at = 0;
    while (at < n) {
        size_t left = n - at;
        uint32_t distance = distances[inputs_below(random, 12)];
        size_t length =
            distance <= at ? 9 + inputs_below(random, 60) : 1 + inputs_below(random, 40);
        length = length < left ? length : left;
        if (distance <= at)
            copy_back(bytes, at, distance, length);
        else
            fill_noise(bytes + at, length, random);
        at += length;
    }
}

void inputs_fill_random(uint8_t *bytes, size_t n, uint64_t seed)
{
    inputs_random random = inputs_seed(seed);
    uint32_t recent[3] = {1, 4, 8};
    /* Each input has its own habits, so that some have only short pieces, some only long ones. */
    uint32_t longest = 1 + inputs_magnitude(&random, 70000);
    uint32_t farthest = 1 + inputs_magnitude(&random, 140000);
    uint32_t n_weights[6];
    uint32_t all = 0;
    for (uint32_t i = 0; i < 6; i++) {
        n_weights[i] = inputs_below(&random, 4);
        n_weights[i] *= inputs_below(&random, 8);
        all += n_weights[i];
    }
    n_weights[0] += all == 0;
    all += all == 0;
    double ratio = 1 + inputs_below(&random, 120) / 100.0;
    uint32_t n_symbols = 2 + inputs_below(&random, 31);
    size_t at = 0;
    while (at < n) {
        uint32_t choice = inputs_below(&random, all);
        uint32_t piece = 0;
        while (choice >= n_weights[piece])
            choice -= n_weights[piece++];
        size_t length = 1 + inputs_magnitude(&random, longest);
        length = length < n - at ? length : n - at;
        uint32_t distance = 1 + inputs_magnitude(&random, farthest);
        if (piece == 4) {
            distance = recent[inputs_below(&random, 3)];
            distance -= inputs_below(&random, 2);
        }
        switch (piece) {
        case 0:
            fill_skewed(bytes + at, length, ratio, n_symbols, &random);
            break;
        case 1:
            fill_noise(bytes + at, length, &random);
            break;
        case 2:
            memset(bytes + at, (int)inputs_below(&random, 256), length);
            break;
        case 3: /* a copy from anywhere */
        case 4: /* from where an earlier one came */
            if (distance == 0 || distance > at) {
                bytes[at] = (uint8_t)inputs_next(&random);
                length = 1;
                break;
            }
            copy_back(bytes, at, distance, length);
            recent[2] = recent[1];
            recent[1] = recent[0];
            recent[0] = distance;
            break;
        default:
            fill_alphabet(bytes + at, length, "0123456789abcdef", &random);
            break;
        }
        at += length;
    }
}

#define MATCH_AT_THE_END 24

static void fill_literals_end(uint8_t *bytes, size_t n, inputs_random *random)
{
    inputs_fill_unmatched(bytes, n, 128, 3, random);
    if (n > 3 * MATCH_AT_THE_END)
        copy_back(bytes, n - MATCH_AT_THE_END, 2 * MATCH_AT_THE_END, MATCH_AT_THE_END);
}

void inputs_fill(inputs_kind kind, uint8_t *bytes, size_t n, uint64_t seed)
{
    inputs_random random = inputs_seed(seed ^ (uint64_t)kind << 56 ^ n);
    switch (kind) {
    case INPUTS_EQUAL:
        memset(bytes, (int)inputs_below(&random, 256), n);
        break;
    case INPUTS_TWO_SYMBOLS:
        fill_alphabet(bytes, n, "xy", &random);
        break;
    case INPUTS_EQUIPROBABLE:
        fill_permutations(bytes, n, &random);
        break;
    case INPUTS_NOISE:
        fill_noise(bytes, n, &random);
        break;
    case INPUTS_LONG_MATCH:
        fill_period(bytes, n, n / 2 + 1, 0, &random);
        break;
    case INPUTS_PERIOD_1:
    case INPUTS_PERIOD_2:
    case INPUTS_PERIOD_3:
    case INPUTS_PERIOD_4:
    case INPUTS_PERIOD_5:
    case INPUTS_PERIOD_6:
    case INPUTS_PERIOD_7:
    case INPUTS_PERIOD_8:
        fill_period(bytes, n, (size_t)(kind - INPUTS_PERIOD_1) + 1, 29, &random);
        break;
    case INPUTS_PURE_PERIOD_3:
        fill_period(bytes, n, 3, 0, &random);
        break;
    case INPUTS_LITERALS_END:
        fill_literals_end(bytes, n, &random);
        break;
    case INPUTS_LITERALS_ONLY:
        inputs_fill_unmatched(bytes, n, 128, 3, &random);
        break;
    case INPUTS_FIBONACCI:
        fill_skewed(bytes, n, 1.618, 26, &random);
        break;
    case INPUTS_GEOMETRIC:
        fill_skewed(bytes, n, 2, 20, &random);
        break;
    case INPUTS_SPARSE:
        for (size_t i = 0; i < n; i++)
            bytes[i] = inputs_below(&random, 50) == 0 ? (uint8_t)inputs_next(&random) : 0;
        break;
    case INPUTS_RUNS:
        fill_runs(bytes, n, &random);
        break;
    case INPUTS_TEXT:
        fill_text(bytes, n, &random);
        break;
    case INPUTS_RECORDS:
        fill_records(bytes, n, &random);
        break;
    case INPUTS_HEX:
        fill_alphabet(bytes, n, "0123456789abcdef", &random);
        break;
    case INPUTS_KEYS:
        fill_keys(bytes, n, &random);
        break;
    case INPUTS_FAR_COPIES:
        fill_far_copies(bytes, n, &random);
        break;
    case INPUTS_MIXED:
    case INPUTS_N_KINDS:
        inputs_fill_random(bytes, n, seed ^ n);
        break;
    }
}

const char *inputs_kind_name(inputs_kind kind)
{
    static const char *const names[INPUTS_N_KINDS] = {
        [INPUTS_EQUAL] = "equal",
        [INPUTS_TWO_SYMBOLS] = "two symbols",
        [INPUTS_EQUIPROBABLE] = "equiprobable",
        [INPUTS_NOISE] = "noise",
        [INPUTS_LONG_MATCH] = "long match",
        [INPUTS_PERIOD_1] = "period 1",
        [INPUTS_PERIOD_2] = "period 2",
        [INPUTS_PERIOD_3] = "period 3",
        [INPUTS_PERIOD_4] = "period 4",
        [INPUTS_PERIOD_5] = "period 5",
        [INPUTS_PERIOD_6] = "period 6",
        [INPUTS_PERIOD_7] = "period 7",
        [INPUTS_PERIOD_8] = "period 8",
        [INPUTS_PURE_PERIOD_3] = "pure period 3",
        [INPUTS_LITERALS_END] = "literals, one match",
        [INPUTS_LITERALS_ONLY] = "literals only",
        [INPUTS_FIBONACCI] = "fibonacci",
        [INPUTS_GEOMETRIC] = "geometric",
        [INPUTS_SPARSE] = "sparse",
        [INPUTS_RUNS] = "runs",
        [INPUTS_TEXT] = "text",
        [INPUTS_RECORDS] = "records",
        [INPUTS_HEX] = "hex",
        [INPUTS_KEYS] = "keys",
        [INPUTS_FAR_COPIES] = "far copies",
        [INPUTS_MIXED] = "mixed",
    };
    return kind < INPUTS_N_KINDS ? names[kind] : "unknown";
}
