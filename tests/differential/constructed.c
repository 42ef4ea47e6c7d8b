/* SPDX-License-Identifier: Apache-2.0 */
/* See constructed.h. */
#include "tests/differential/constructed.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/match/candidates.h"
#include "tests/support/inputs.h"

static void copy_back(uint8_t *bytes, size_t at, size_t distance, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[at + i] = bytes[at + i - distance];
}

void constructed_repeat_offsets(uint8_t *bytes, size_t n, uint64_t seed)
{
    inputs_random random = inputs_seed(seed);
    size_t recent[3] = {1, 4, 8}; /* as the decoder has them: RFC 8878, 3.1.1.5 */
    inputs_fill_unmatched(bytes, n, 256, 3, &random);
    size_t at = n < 200 ? n : 200;
    while (at < n) {
        size_t n_literals = inputs_below(&random, 2);
        n_literals *= 1 + inputs_below(&random, 5);
        uint32_t slot = inputs_below(&random, 5);
        size_t offset = 1 + inputs_below(&random, at < 3000 ? (uint32_t)at : 3000);
        if (slot < 3 && n_literals != 0)
            offset = recent[slot];
        else if (slot < 3)
            offset = slot < 2 ? recent[slot + 1] : recent[0] - 1;
        size_t length = 8 + inputs_below(&random, 20);
        at += n_literals;
        if (at + length > n || offset == 0 || offset > at ||
            (n_literals == 0 && offset == recent[0])) {
            at++;
            continue;
        }
        copy_back(bytes, at, offset, length);
        at += length;
        if (offset != recent[0]) {
            if (offset != recent[1])
                recent[2] = recent[1];
            recent[1] = recent[0];
            recent[0] = offset;
        }
    }
}

/*
 * Words of 4 bytes. After the first use of each, every word is a match, and it ends after 4
 * bytes because no two words follow each other twice. The encoder looks words up in a hash
 * table that holds only the last position of each hash, so pairs of words are avoided that
 * would put one of the 4-byte strings across their border where a word's hash is.
 */
#define N_WORDS 204

typedef struct word_list {
    uint8_t words[N_WORDS][4];
    bool is_taken[1 << RP_LZ77_MAX_TABLE_LOG]; /* a word has this hash */
    bool is_used[N_WORDS][N_WORDS];            /* the pair occurred */
    uint32_t n_left[N_WORDS];                  /* pairs left that start with this word */
    uint32_t log;
} word_list;

static uint32_t hash_of(const word_list *list, const uint8_t *bytes)
{
    return rp_lz77_hash4(rp_load32(bytes), list->log);
}

static bool is_harmless(const word_list *list, uint32_t a, uint32_t b)
{
    uint8_t pair[8];
    memcpy(pair, list->words[a], 4);
    memcpy(pair + 4, list->words[b], 4);
    for (uint32_t i = 1; i < 4; i++) {
        if (list->is_taken[hash_of(list, pair + i)])
            return false;
    }
    return true;
}

static void make_words(word_list *list, inputs_random *random)
{
    for (uint32_t i = 0; i < N_WORDS; i++) {
        uint8_t *word = list->words[i];
        do {
            word[0] = (uint8_t)i;
            for (uint32_t k = 1; k < 4; k++)
                word[k] = (uint8_t)inputs_next(random);
        } while (list->is_taken[hash_of(list, word)]);
        list->is_taken[hash_of(list, word)] = true;
    }
    for (uint32_t a = 0; a < N_WORDS; a++) {
        for (uint32_t b = 0; b < N_WORDS; b++) {
            list->is_used[a][b] = a == b || !is_harmless(list, a, b);
            list->n_left[a] += !list->is_used[a][b];
        }
    }
}

/* The word after `word` with the most ways on, among those not used for the longest time. */
static uint32_t next_word(word_list *list, uint32_t word, const uint32_t *last_use)
{
    uint32_t best = N_WORDS;
    for (uint32_t b = 0; b < N_WORDS; b++) {
        if (list->is_used[word][b])
            continue;
        if (best == N_WORDS || list->n_left[b] > list->n_left[best] ||
            (list->n_left[b] == list->n_left[best] && last_use[b] < last_use[best]))
            best = b;
    }
    if (best == N_WORDS)
        return (word + 1) % N_WORDS;
    list->is_used[word][best] = true;
    list->n_left[word]--;
    return best;
}

void constructed_short_matches(uint8_t *bytes, size_t n, uint64_t seed)
{
    inputs_random random = inputs_seed(seed);
    word_list *list = calloc(1, sizeof(*list));
    uint32_t last_use[N_WORDS] = {0};
    if (list == NULL)
        abort();
    list->log = rp_lz77_table_log((uint32_t)n);
    make_words(list, &random);
    uint32_t word = 0;
    uint32_t n_words = 0;
    for (size_t at = 0; at < n; at += 4) {
        memcpy(bytes + at, list->words[word], n - at < 4 ? n - at : 4);
        last_use[word] = ++n_words;
        if (n_words < N_WORDS) {
            list->is_used[word][word + 1] = true;
            word = word + 1;
        } else {
            word = next_word(list, word, last_use);
        }
    }
    free(list);
}

enum { ONE_CODE_LITERALS = 100, ONE_CODE_MATCH = 16 };

static void fill_one_code(uint8_t *bytes, size_t n, bool repeat, uint64_t seed)
{
    inputs_random random = inputs_seed(seed);
    inputs_fill_unmatched(bytes, n, 256, 3, &random);
    size_t ordinal = 0;
    for (size_t at = ONE_CODE_LITERALS; at + ONE_CODE_MATCH < n;
         at += ONE_CODE_LITERALS + ONE_CODE_MATCH) {
        /* A new offset each time, different from the last three: 40 to 47, offset code 5. */
        size_t offset = repeat ? 1 : 40 + ordinal++ % 8;
        if (bytes[at - 1] == bytes[at - 1 - offset])
            bytes[at - 1]++;
        copy_back(bytes, at, offset, ONE_CODE_MATCH);
        if (bytes[at + ONE_CODE_MATCH] == bytes[at + ONE_CODE_MATCH - offset])
            bytes[at + ONE_CODE_MATCH]++;
    }
}

/* Whether 3 bytes occur twice that are not inside a copy. What a copy of offset 1 continues counts
 * as inside: the byte before it is the same. */
static bool has_chance_match(const uint8_t *bytes, size_t n, bool repeat)
{
    bool *seen = calloc((size_t)1 << 24, sizeof(*seen));
    bool found = false;
    if (seen == NULL)
        abort();
    for (size_t i = 0; i + 3 <= n && !found; i++) {
        size_t in_period = i % (ONE_CODE_LITERALS + ONE_CODE_MATCH);
        bool is_inside = in_period + repeat >= ONE_CODE_LITERALS &&
                         in_period <= ONE_CODE_LITERALS + ONE_CODE_MATCH - 3;
        uint32_t three = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        found = !is_inside && seen[three];
        seen[three] = true;
    }
    free(seen);
    return found;
}

void constructed_one_code(uint8_t *bytes, size_t n, bool repeat, uint64_t seed)
{
    /* The copies' ends are what inputs_fill_unmatched() could not know of. */
    do {
        fill_one_code(bytes, n, repeat, seed++);
    } while (has_chance_match(bytes, n, repeat));
}
