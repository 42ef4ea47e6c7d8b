/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary records: tables of fixed-stride structs, and time series points.
 *
 * What matters to a compressor is kept from real tables: a field sits at the same offset of every
 * record, ids and times rise by small steps, most counters are small, prices walk, hashes are
 * random, padding and unused fields are zero.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/corpus/generator.h"

enum { N_INSTRUMENTS = 400 };

struct tables {
    struct corpus_rng *rng;
    struct corpus_text key, value;
    uint64_t now_ms;
    uint64_t trade_id, account_id, inode;
    int64_t price[N_INSTRUMENTS];
    uint64_t directory, directory_mtime;
    uint32_t directory_owner;
};

/* Tables are told apart by a 4-byte id before the big-endian primary key. */
static void begin_row(struct tables *t, uint32_t table, uint64_t id)
{
    text_clear(&t->key);
    text_clear(&t->value);
    text_be(&t->key, table, 4);
    text_be(&t->key, id, 8);
}

/* 64 bytes: an execution on an exchange. */
static void put_trade(struct tables *t)
{
    struct corpus_rng *rng = t->rng;
    struct corpus_text *v = &t->value;
    t->trade_id += 1 + corpus_exponential(rng, 1);
    begin_row(t, 0x101, t->trade_id);
    const uint32_t instrument = corpus_zipf(rng, N_INSTRUMENTS, 4);
    t->price[instrument] += corpus_gauss(rng, 3);
    if (t->price[instrument] < 100)
        t->price[instrument] = 100;
    static const uint16_t lots[] = {100, 200, 1, 500, 300, 50, 10, 1000};
    const uint32_t lot = lots[corpus_zipf(rng, LENGTH(lots), 1)];
    text_le(v, t->trade_id, 8);
    text_le(v, t->now_ms * 1000000 + corpus_below(rng, 1000000), 8);
    text_le(v, 7000 + instrument, 4);
    text_le(v, 120000 + corpus_zipf(rng, 20000, 30), 4);
    text_le(v, (uint64_t)t->price[instrument] * 100, 8);
    text_le(v, (uint64_t)lot * (1 + corpus_zipf(rng, 10, 1)), 4);
    text_le(v, corpus_below(rng, 2), 1);
    text_le(v, corpus_zipf(rng, 6, 1), 1);
    text_le(v, corpus_chance(rng, 85) ? 0x10 : 0x10 | corpus_below(rng, 8), 2);
    text_le(v, t->trade_id * 3 - corpus_zipf(rng, 5000, 20), 8);
    text_le(v, t->trade_id * 3 - corpus_zipf(rng, 90000, 20), 8);
    text_le(v, (uint64_t)lot * (uint64_t)t->price[instrument] / 2000, 4);
    text_le(v, 0, 4);
}

/* 112 bytes: an account with its counters. */
static void put_account(struct tables *t)
{
    struct corpus_rng *rng = t->rng;
    struct corpus_text *v = &t->value;
    struct corpus_person who;
    t->account_id += 1 + (corpus_chance(rng, 15) ? corpus_zipf(rng, 40, 1) : 0);
    begin_row(t, 0x102, t->account_id);
    corpus_person_of(&who, t->account_id);
    const uint64_t created = t->now_ms / 1000;
    char name[24] = {0};
    strncpy(name, who.last, sizeof name - 1);
    text_le(v, t->account_id, 8);
    text_le(v, created, 4);
    text_le(v, created + corpus_exponential(rng, 4000000), 4);
    text_le(v, (uint64_t)(corpus_chance(rng, 30) ? 0 : corpus_gauss(rng, 250000)), 8);
    uint32_t flags = 1;
    flags |= (uint32_t)corpus_chance(rng, 88) << 1;
    flags |= (uint32_t)corpus_chance(rng, 7) << 4;
    flags |= (uint32_t)corpus_chance(rng, 2) << 9;
    text_le(v, flags, 4);
    text_bytes(v, who.country, 2);
    text_le(v, corpus_zipf(rng, 5, 1), 2);
    /* Degrees with six digits, as a phone reports them. */
    text_f64(v, (double)(48000000 + corpus_gauss(rng, 4000000)) / 1000000.0);
    text_f64(v, (double)(9000000 + corpus_gauss(rng, 8000000)) / 1000000.0);
    text_bytes(v, name, sizeof name);
    for (unsigned i = 0; i < 6; i++)
        text_le(v, corpus_chance(rng, 55) ? 0 : corpus_zipf(rng, i < 3 ? 60 : 5000, 2), 4);
    text_f64(v, (double)corpus_below(rng, 1001) / 1000.0);
    text_le(v, corpus_rng_next(rng), 8); /* a hash */
}

/* 120 bytes: a file system's inode, written a directory at a time. */
static void put_inode(struct tables *t)
{
    struct corpus_rng *rng = t->rng;
    struct corpus_text *v = &t->value;
    t->inode += 1 + (corpus_chance(rng, 20) ? corpus_zipf(rng, 30, 1) : 0);
    const bool directory = corpus_chance(rng, 8);
    if (directory || t->directory == 0) {
        t->directory = t->inode;
        t->directory_owner = 1000 + corpus_zipf(rng, 40, 1);
        t->directory_mtime = t->now_ms / 1000 - corpus_exponential(rng, 40000000);
    }
    begin_row(t, 0x103, t->inode);
    const uint64_t size =
        directory ? 4096 : corpus_exponential(rng, corpus_chance(rng, 10) ? 900000 : 9000);
    const uint64_t mtime = t->directory_mtime + corpus_exponential(rng, 600);
    text_le(v, t->inode, 8);
    text_le(v, t->directory, 8);
    text_le(v, directory ? 040755 : corpus_chance(rng, 85) ? 0100644 : 0100755, 4);
    text_le(v, t->directory_owner, 4);
    text_le(v, t->directory_owner, 4);
    text_le(v, directory ? 2 + corpus_zipf(rng, 20, 1) : 1, 4);
    text_le(v, size, 8);
    text_le(v, (size + 4095) / 4096 * 8, 8);
    text_le(v, mtime + corpus_exponential(rng, 3000000), 8);
    text_le(v, corpus_below(rng, 1000000000), 4);
    text_le(v, mtime, 8);
    text_le(v, corpus_chance(rng, 40) ? 0 : corpus_below(rng, 1000000000), 4);
    text_le(v, mtime, 8);
    text_le(v, corpus_below(rng, 1000000000), 4);
    text_le(v, 0x80000, 4);
    text_le(v, 1, 4);
    for (unsigned i = 0; i < 3; i++) /* extents: a file's are close to each other */
        text_le(v, i * 4096 < size ? t->inode * 16 + i * corpus_zipf(rng, 9, 1) : 0, 8);
    text_le(v, corpus_rng_next(rng), 4); /* a checksum */
}

bool corpus_structs(struct corpus_rng *rng, struct corpus_writer *w)
{
    struct tables *t = calloc(1, sizeof *t);
    if (!t)
        return false;
    t->rng = rng;
    t->now_ms = CORPUS_EPOCH_MS;
    t->trade_id = 1805517300;
    t->account_id = 55120000;
    t->inode = 12058624;
    for (unsigned i = 0; i < N_INSTRUMENTS; i++)
        t->price[i] = 500 + (int64_t)corpus_exponential(rng, 9000);
    static const uint16_t mix[] = {50, 28, 22};
    while (corpus_wants_more(w)) {
        t->now_ms += corpus_exponential(rng, 14);
        switch (corpus_weighted(rng, mix, LENGTH(mix))) {
        case 0:
            put_trade(t);
            break;
        case 1:
            put_account(t);
            break;
        default:
            put_inode(t);
            break;
        }
        corpus_put(w, &t->key, &t->value);
    }
    free(t);
    return true;
}

enum series_kind {
    PERCENT_GAUGE, /* CPU load: two decimals, wanders */
    TEMPERATURE,   /* one decimal, slow */
    COUNTER,       /* integers that only grow */
    BYTES_GAUGE,   /* multiples of 4096 */
    RATE,          /* a quotient: all mantissa bits in use */
    STATE,         /* mostly the same small integer */
    N_SERIES_KINDS
};

struct series {
    uint64_t id;
    enum series_kind kind;
    uint64_t next_ms;
    uint32_t interval_ms, jitter_ms;
    int64_t level, target, step;
};

static double next_value(struct series *s, struct corpus_rng *rng)
{
    switch (s->kind) {
    case PERCENT_GAUGE:
        if (corpus_chance(rng, 3))
            s->target = corpus_between(rng, 100, 9500);
        s->level += (s->target - s->level) / 8 + corpus_gauss(rng, s->step);
        s->level = s->level < 0 ? 0 : s->level > 10000 ? 10000 : s->level;
        return (double)s->level / 100.0;
    case TEMPERATURE:
        if (corpus_chance(rng, 40))
            s->level += corpus_between(rng, -1, 1);
        return (double)s->level / 10.0;
    case COUNTER:
        s->level += (int64_t)corpus_exponential(rng, (uint64_t)s->step);
        return (double)s->level;
    case BYTES_GAUGE:
        if (corpus_chance(rng, 60))
            s->level += corpus_gauss(rng, s->step);
        s->level = s->level < 1000 ? 1000 : s->level;
        return (double)s->level * 4096.0;
    case RATE:
        s->level += corpus_gauss(rng, s->step);
        s->level = s->level < 1 ? 1 : s->level;
        return (double)s->level / 15.0;
    default:
        if (corpus_chance(rng, 1))
            s->level = corpus_zipf(rng, 6, 1);
        return (double)s->level;
    }
}

static void open_series(struct series *s, struct corpus_rng *rng)
{
    static const uint16_t kinds[N_SERIES_KINDS] = {26, 16, 24, 14, 12, 8};
    static const uint32_t intervals[] = {10000, 15000, 60000, 5000, 1000};
    s->id = corpus_rng_next(rng);
    s->kind = (enum series_kind)corpus_weighted(rng, kinds, N_SERIES_KINDS);
    s->interval_ms = intervals[corpus_zipf(rng, LENGTH(intervals), 1)];
    /* Half of the collectors report the time of the schedule, the others that of the reading. */
    s->jitter_ms = corpus_chance(rng, 50) ? 0 : 12;
    s->next_ms = CORPUS_EPOCH_MS + corpus_below(rng, s->interval_ms);
    s->step = 2 + (int64_t)corpus_zipf(rng, 400, 10);
    s->target = corpus_between(rng, 500, 6000);
    s->level = s->kind == COUNTER       ? (int64_t)corpus_below(rng, 1000000000)
               : s->kind == TEMPERATURE ? corpus_between(rng, 150, 450)
               : s->kind == STATE       ? 1
                                        : corpus_between(rng, 1000, 90000);
}

/* Key: series id, then milliseconds, both big-endian. Value: a double and, for half of the series,
 * a byte of quality. All series advance together, so that a series' sequence numbers have gaps. */
bool corpus_timeseries(struct corpus_rng *rng, struct corpus_writer *w)
{
    enum { POINTS_PER_SERIES = 2500, POINT_BYTES = 36 };
    uint64_t n = w->goal_bytes / (POINTS_PER_SERIES * POINT_BYTES);
    n = n < 16 ? 16 : n > 8192 ? 8192 : n;
    struct series *all = malloc((size_t)n * sizeof *all);
    struct corpus_text *key = malloc(2 * sizeof *key);
    if (!all || !key) {
        free(all);
        free(key);
        return false;
    }
    struct corpus_text *value = key + 1;
    for (uint64_t i = 0; i < n; i++)
        open_series(&all[i], rng);

    for (uint64_t now_ms = CORPUS_EPOCH_MS; corpus_wants_more(w); now_ms += 1000) {
        for (uint64_t i = 0; i < n && corpus_wants_more(w); i++) {
            struct series *s = &all[i];
            if (s->next_ms > now_ms)
                continue;
            const uint64_t at = s->next_ms + (s->jitter_ms ? corpus_zipf(rng, s->jitter_ms, 3) : 0);
            text_clear(key);
            text_clear(value);
            text_be(key, s->id, 8);
            text_be(key, at, 8);
            text_f64(value, next_value(s, rng));
            if (s->id & 1)
                text_le(value, corpus_chance(rng, 98) ? 0xc0 : 0x40, 1);
            corpus_put(w, key, value);
            s->next_ms += s->interval_ms;
            if (corpus_below(rng, 1000) == 0) /* a missed reading */
                s->next_ms += s->interval_ms * (1 + corpus_zipf(rng, 20, 1));
        }
    }
    free(all);
    free(key);
    return true;
}
