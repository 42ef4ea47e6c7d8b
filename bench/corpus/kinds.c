/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of corpora, and the kinds that are short: secondary-index entries and the values of two
 * well-known benchmarks. The longer kinds have files of their own: rows.c (json, csv),
 * binary.c (structs, timeseries), logs.c, prose.c.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/corpus/corpus.h"
#include "bench/corpus/generator.h"

const struct corpus_kind corpus_kinds[] = {
    {"json", "JSON documents: orders, users, events", corpus_json, true},
    {"csv", "CSV lines of an order system", corpus_csv, true},
    {"structs", "fixed-stride binary structs of three tables", corpus_structs, true},
    {"timeseries", "time series points: series id and time to a double", corpus_timeseries, false},
    {"logs", "log lines of several programs, by time", corpus_logs, false},
    {"prose", "English text in paragraphs", corpus_prose, true},
    {"index", "secondary index entries: column value and primary key, no value", corpus_index,
     true},
    {"ycsb", "YCSB records: ten fields of 100 random printable bytes", corpus_ycsb, false},
    {"dbbench", "db_bench values: 100 bytes at compression_ratio 0.5", corpus_dbbench, false},
};
const size_t corpus_n_kinds = LENGTH(corpus_kinds);

size_t corpus_count(void)
{
    return corpus_n_kinds;
}

const char *corpus_name(size_t i)
{
    return i < corpus_n_kinds ? corpus_kinds[i].name : NULL;
}

const char *corpus_description(size_t i)
{
    return i < corpus_n_kinds ? corpus_kinds[i].description : NULL;
}

const size_t *corpus_block_sizes(size_t *n)
{
    static const size_t sizes[] = {4096, 16384, 65536};
    *n = LENGTH(sizes);
    return sizes;
}

struct entries {
    struct corpus_rng *rng;
    struct corpus_text key, value;
};

/* Index entries are keys that sort by column value: index id, the value in a form that memcmp
 * orders, then the primary key. Strings are cut into groups of 8 bytes with a marker after each. */
static void key_string(struct corpus_text *key, const char *s)
{
    size_t left = strlen(s);
    for (;;) {
        const size_t n = left < 8 ? left : 8;
        text_bytes(key, s, n);
        for (size_t i = n; i < 8; i++)
            text_char(key, 0);
        text_char(key, (char)(left > 8 ? 9 : n));
        if (left <= 8)
            return;
        s += 8;
        left -= 8;
    }
}

bool corpus_index(struct corpus_rng *rng, struct corpus_writer *w)
{
    struct entries *e = malloc(sizeof *e);
    if (!e)
        return false;
    uint64_t row = 41870000, now_ms = CORPUS_EPOCH_MS;
    while (corpus_wants_more(w)) {
        struct corpus_person who;
        struct corpus_product product;
        static const char *const states[] = {"delivered", "shipped", "paid", "pending",
                                             "cancelled"};
        const uint64_t customer = 400000 + corpus_zipf(rng, 90000, 3000);
        row += 1 + corpus_exponential(rng, 2);
        now_ms += corpus_exponential(rng, 2300);
        corpus_person_of(&who, customer);
        corpus_product_of(&product, 1000 + corpus_zipf(rng, 6000, 25));
        /* Each row has an entry in every index of its table. */
        for (uint32_t index = 0; index < 6; index++) {
            text_clear(&e->key);
            text_clear(&e->value);
            text_be(&e->key, 0x110 + index, 4);
            switch (index) {
            case 0:
                text_be(&e->key, customer | UINT64_C(1) << 63, 8);
                break;
            case 1:
                text_be(&e->key, now_ms / 1000, 4);
                break;
            case 2:
                key_string(&e->key, states[corpus_zipf(rng, LENGTH(states), 1)]);
                break;
            case 3:
                key_string(&e->key, who.email);
                break;
            case 4:
                key_string(&e->key, product.sku);
                break;
            default: /* a UUID column in binary */
                text_be(&e->key, corpus_rng_next(rng), 8);
                text_be(&e->key, corpus_rng_next(rng), 8);
                break;
            }
            text_be(&e->key, row | UINT64_C(1) << 63, 8);
            /* A covering index carries one more column. */
            if (index == 4)
                text_le(&e->value, product.price_cents, 4);
            corpus_put(w, &e->key, &e->value);
        }
    }
    free(e);
    return true;
}

/* Records of YCSB's load phase: keys are "user" and a hash of the record's number; a field is 100
 * characters made of 5 or 6 random bits above the space, which favours the characters up to '?'. */
bool corpus_ycsb(struct corpus_rng *rng, struct corpus_writer *w)
{
    struct entries *e = malloc(sizeof *e);
    if (!e)
        return false;
    for (uint64_t record = 0; corpus_wants_more(w); record++) {
        text_clear(&e->key);
        text_clear(&e->value);
        uint64_t hash = UINT64_C(0xcbf29ce484222325);
        for (unsigned i = 0; i < 8; i++)
            hash = (hash ^ ((record >> (8 * i)) & 0xff)) * UINT64_C(0x100000001b3);
        text_printf(&e->key, "user%llu", (unsigned long long)(hash & INT64_MAX));
        for (unsigned field = 0; field < 10; field++) {
            static const unsigned char masks[] = {31, 63, 95};
            text_be(&e->value, 6, 4);
            text_printf(&e->value, "field%u", field);
            text_be(&e->value, 100, 4);
            for (unsigned i = 0; i < 100; i++)
                text_char(&e->value, (char)(' ' + (corpus_rng_next(rng) >> 32 & masks[i % 3])));
        }
        corpus_put(w, &e->key, &e->value);
    }
    free(e);
    return true;
}

/* db_bench: a megabyte of 100-byte pieces, each 50 random printable characters repeated to the end;
 * values are cut from it one after the other. Keys are a big-endian number padded with zeros. */
bool corpus_dbbench(struct corpus_rng *rng, struct corpus_writer *w)
{
    enum { POOL_BYTES = 1 << 20, PIECE_BYTES = 100, VALUE_BYTES = 100, KEY_BYTES = 16 };
    struct entries *e = malloc(sizeof *e);
    char *pool = malloc(POOL_BYTES + PIECE_BYTES);
    if (!e || !pool) {
        free(e);
        free(pool);
        return false;
    }
    size_t size = 0;
    while (size < POOL_BYTES) {
        for (unsigned i = 0; i < PIECE_BYTES / 2; i++)
            pool[size + i] = (char)(' ' + corpus_below(rng, 95));
        memcpy(pool + size + PIECE_BYTES / 2, pool + size, PIECE_BYTES / 2);
        size += PIECE_BYTES;
    }
    const uint64_t n_keys = w->goal_bytes / (VALUE_BYTES + KEY_BYTES) + 1;
    size_t position = 0;
    while (corpus_wants_more(w)) {
        text_clear(&e->key);
        text_clear(&e->value);
        text_be(&e->key, corpus_below(rng, n_keys), 8);
        while (e->key.size < KEY_BYTES)
            text_char(&e->key, '0');
        if (position + VALUE_BYTES > size)
            position = 0;
        text_bytes(&e->value, pool + position, VALUE_BYTES);
        position += VALUE_BYTES;
        corpus_put(w, &e->key, &e->value);
    }
    free(e);
    free(pool);
    return true;
}
