/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal to the corpus generator: random numbers, text building, the entities that several
 * corpora share, and the interface between a record generator and what stores its records.
 *
 * A corpus is the same on every machine. So generators compute with integers only, because libm's
 * last bit differs between C libraries; a double in a record comes from one exact operation. And no
 * expression draws two random numbers in an order that C leaves open, as that of a call's
 * arguments.
 */
#ifndef ROCKPRESS_BENCH_CORPUS_GENERATOR_H
#define ROCKPRESS_BENCH_CORPUS_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LENGTH(a) ((uint32_t)(sizeof(a) / sizeof(a)[0]))

/* xoshiro256**, seeded through splitmix64. */
struct corpus_rng {
    uint64_t s[4];
};

/* The label keeps two uses of one seed apart. */
void corpus_rng_seed(struct corpus_rng *rng, uint64_t seed, const char *label);
uint64_t corpus_rng_next(struct corpus_rng *rng);
/* Uniform in [0, n), n > 0. */
uint64_t corpus_below(struct corpus_rng *rng, uint64_t n);
/* Uniform in [lo, hi]. */
int64_t corpus_between(struct corpus_rng *rng, int64_t lo, int64_t hi);
/* True with probability percent / 100. */
bool corpus_chance(struct corpus_rng *rng, unsigned percent);
/* Rank in [0, n) with probability close to 1 / (rank + q): Zipf's law, flattened at its head by a
 * larger q. n > 0, q > 0. */
uint32_t corpus_zipf(struct corpus_rng *rng, uint32_t n, uint32_t q);
/* Exponentially distributed with the given mean, rounded down. */
uint64_t corpus_exponential(struct corpus_rng *rng, uint64_t mean);
/* Approximately normal around 0. */
int64_t corpus_gauss(struct corpus_rng *rng, int64_t sigma);
/* An index into weights[0..n) with probability weight / sum. */
unsigned corpus_weighted(struct corpus_rng *rng, const uint16_t *weights, unsigned n);

/* A key or a value under construction. If something doesn't fit, `overflow` is set and corpus_put
 * refuses the record. */
#define CORPUS_TEXT_MAX 16384
struct corpus_text {
    size_t size;
    bool overflow;
    char data[CORPUS_TEXT_MAX];
};

void text_clear(struct corpus_text *t);
void text_bytes(struct corpus_text *t, const void *bytes, size_t n);
void text_char(struct corpus_text *t, char c);
void text_str(struct corpus_text *t, const char *s);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void text_printf(struct corpus_text *t, const char *format, ...);
/* The low n_bytes of v. */
void text_le(struct corpus_text *t, uint64_t v, unsigned n_bytes);
void text_be(struct corpus_text *t, uint64_t v, unsigned n_bytes);
void text_f64(struct corpus_text *t, double v);
void text_hex(struct corpus_text *t, struct corpus_rng *rng, unsigned n_digits);
void text_uuid(struct corpus_text *t, struct corpus_rng *rng);
/* 1234 -> "12.34" */
void text_money(struct corpus_text *t, int64_t cents);

/* A moment in the proleptic Gregorian calendar, UTC. */
struct corpus_date {
    int year, month, day, hour, minute, second, ms;
};
struct corpus_date corpus_date_of(uint64_t unix_ms);
/* 2024-02-29T12:34:56.789Z */
void text_iso_time(struct corpus_text *t, uint64_t unix_ms);
/* 2024-02-29 12:34:56 */
void text_sql_time(struct corpus_text *t, uint64_t unix_ms);
/* 2024-02-29 */
void text_iso_date(struct corpus_text *t, uint64_t unix_ms);
const char *corpus_month_name(int month);

/* Where time starts in the corpora: 2024-01-08 06:00:00 UTC. */
#define CORPUS_EPOCH_MS UINT64_C(1704693600000)

/* A person or a product is a pure function of its id, so that the same one looks the same in every
 * record that mentions it. */
struct corpus_person {
    const char *first, *last, *city, *country, *currency, *language, *domain;
    char email[64];
    char phone[24];
    char postcode[12];
    uint32_t street_number;
    const char *street;
    uint8_t ip[4];
    const char *user_agent;
};
struct corpus_product {
    char sku[16];
    char title[64];
    const char *category;
    const char *brand;
    uint32_t price_cents;
    uint32_t grams;
};
void corpus_person_of(struct corpus_person *p, uint64_t id);
void corpus_product_of(struct corpus_product *p, uint64_t id);
void text_ip(struct corpus_text *t, const uint8_t ip[4]);
const char *corpus_user_agent(struct corpus_rng *rng);

/* Takes a generator's records until it has goal_bytes of them. */
struct corpus_writer {
    bool (*put)(void *context, const char *key, size_t key_size, const char *value,
                size_t value_size);
    void *context;
    uint64_t goal_bytes; /* of keys and values */
    uint64_t bytes;
    bool failed;
};
bool corpus_wants_more(const struct corpus_writer *w);
void corpus_put(struct corpus_writer *w, const struct corpus_text *key,
                const struct corpus_text *value);

/* A generator emits records in the order in which an application would write them and returns when
 * the writer has had enough. It may allocate; false means that it could not. */
typedef bool corpus_generator(struct corpus_rng *rng, struct corpus_writer *w);

corpus_generator corpus_json;
corpus_generator corpus_csv;
corpus_generator corpus_structs;
corpus_generator corpus_timeseries;
corpus_generator corpus_logs;
corpus_generator corpus_prose;
corpus_generator corpus_index;
corpus_generator corpus_ycsb;
corpus_generator corpus_dbbench;

struct corpus_kind {
    const char *name;
    const char *description;
    corpus_generator *generate;
    /* Whether the records end in a compaction to the last level, where RocksDB sets sequence
     * numbers to zero, or stay as they were flushed, with the numbers of their writes. */
    bool compacted;
};
extern const struct corpus_kind corpus_kinds[];
extern const size_t corpus_n_kinds;

#endif
