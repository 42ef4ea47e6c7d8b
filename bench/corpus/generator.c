/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers, text building and calendar arithmetic for the record generators. All of it is
 * integer arithmetic with a defined result, so that a corpus is the same on every machine.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/corpus/generator.h"

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, unsigned k)
{
    return (x << k) | (x >> (64 - k));
}

void corpus_rng_seed(struct corpus_rng *rng, uint64_t seed, const char *label)
{
    uint64_t state = seed;
    for (const char *c = label; *c; c++)
        state = splitmix64(&state) ^ (unsigned char)*c;
    for (int i = 0; i < 4; i++)
        rng->s[i] = splitmix64(&state);
}

uint64_t corpus_rng_next(struct corpus_rng *rng)
{
    uint64_t *s = rng->s;
    const uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

/* The modulo's bias is below 2^-20 for every n used here. */
uint64_t corpus_below(struct corpus_rng *rng, uint64_t n)
{
    return corpus_rng_next(rng) % n;
}

int64_t corpus_between(struct corpus_rng *rng, int64_t lo, int64_t hi)
{
    return lo + (int64_t)corpus_below(rng, (uint64_t)(hi - lo) + 1);
}

bool corpus_chance(struct corpus_rng *rng, unsigned percent)
{
    return corpus_below(rng, 100) < percent;
}

/* log2 in 16.16 fixed point, linear within an octave: monotone, and exp2_fixed is its inverse. */
static uint64_t log2_fixed(uint64_t x)
{
    unsigned octave = 0;
    while ((x >> octave) > 1)
        octave++;
    return ((uint64_t)octave << 16) | (((x - (UINT64_C(1) << octave)) << 16) >> octave);
}

static uint64_t exp2_fixed(uint64_t x)
{
    const unsigned octave = (unsigned)(x >> 16);
    return (UINT64_C(1) << octave) + (((x & 0xffff) << octave) >> 16);
}

/* The inverse of the distribution function: log(rank + q) is uniform. */
uint32_t corpus_zipf(struct corpus_rng *rng, uint32_t n, uint32_t q)
{
    const uint64_t lo = log2_fixed(q), hi = log2_fixed((uint64_t)q + n);
    if (hi <= lo)
        return (uint32_t)corpus_below(rng, n);
    const uint64_t x = exp2_fixed(lo + corpus_below(rng, hi - lo));
    const uint64_t rank = x > q ? x - q : 0;
    return rank < n ? (uint32_t)rank : n - 1;
}

/* -log2 of a uniform number is the count of its leading zeros plus a fraction. */
uint64_t corpus_exponential(struct corpus_rng *rng, uint64_t mean)
{
    uint64_t r = corpus_rng_next(rng) | 1;
    uint64_t zeros = 0;
    while (!(r >> 63)) {
        r <<= 1;
        zeros++;
    }
    const uint64_t fraction = 0xffff - ((r >> 47) & 0xffff);
    return (((zeros << 16) + fraction) * mean / 94548); /* 65536 / ln 2 */
}

/* Twelve uniforms have variance 1 when each spans one sigma. */
int64_t corpus_gauss(struct corpus_rng *rng, int64_t sigma)
{
    int64_t sum = 0;
    for (int i = 0; i < 3; i++) {
        uint64_t r = corpus_rng_next(rng);
        for (int k = 0; k < 4; k++, r >>= 16)
            sum += (int64_t)(r & 0xffff) - 32768;
    }
    return sum * sigma / 65536;
}

unsigned corpus_weighted(struct corpus_rng *rng, const uint16_t *weights, unsigned n)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += weights[i];
    uint32_t x = (uint32_t)corpus_below(rng, sum);
    for (unsigned i = 0; i + 1 < n; i++) {
        if (x < weights[i])
            return i;
        x -= weights[i];
    }
    return n - 1;
}

void text_clear(struct corpus_text *t)
{
    t->size = 0;
    t->overflow = false;
}

void text_bytes(struct corpus_text *t, const void *bytes, size_t n)
{
    if (n > sizeof t->data - t->size) {
        t->overflow = true;
        return;
    }
    memcpy(t->data + t->size, bytes, n);
    t->size += n;
}

void text_char(struct corpus_text *t, char c)
{
    text_bytes(t, &c, 1);
}

void text_str(struct corpus_text *t, const char *s)
{
    text_bytes(t, s, strlen(s));
}

/* Callers format integers and strings only: floating point would bring in the locale. */
void text_printf(struct corpus_text *t, const char *format, ...)
{
    const size_t capacity = sizeof t->data - t->size;
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(t->data + t->size, capacity, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= capacity)
        t->overflow = true;
    else
        t->size += (size_t)n;
}

void text_le(struct corpus_text *t, uint64_t v, unsigned n_bytes)
{
    for (unsigned i = 0; i < n_bytes; i++)
        text_char(t, (char)(unsigned char)(v >> (8 * i)));
}

void text_be(struct corpus_text *t, uint64_t v, unsigned n_bytes)
{
    for (unsigned i = n_bytes; i-- > 0;)
        text_char(t, (char)(unsigned char)(v >> (8 * i)));
}

void text_f64(struct corpus_text *t, double v)
{
    uint64_t bits;
    _Static_assert(sizeof bits == sizeof v, "an IEEE double");
    memcpy(&bits, &v, sizeof bits);
    text_le(t, bits, 8);
}

void text_hex(struct corpus_text *t, struct corpus_rng *rng, unsigned n_digits)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < n_digits; i++, r >>= 4) {
        if (i % 16 == 0)
            r = corpus_rng_next(rng);
        text_char(t, "0123456789abcdef"[r & 15]);
    }
}

/* Version 4 of RFC 9562. */
void text_uuid(struct corpus_text *t, struct corpus_rng *rng)
{
    text_hex(t, rng, 8);
    text_char(t, '-');
    text_hex(t, rng, 4);
    text_str(t, "-4");
    text_hex(t, rng, 3);
    text_char(t, '-');
    text_char(t, "89ab"[corpus_below(rng, 4)]);
    text_hex(t, rng, 3);
    text_char(t, '-');
    text_hex(t, rng, 12);
}

void text_money(struct corpus_text *t, int64_t cents)
{
    const uint64_t magnitude = cents < 0 ? (uint64_t)-cents : (uint64_t)cents;
    text_printf(t, "%s%llu.%02u", cents < 0 ? "-" : "", (unsigned long long)(magnitude / 100),
                (unsigned)(magnitude % 100));
}

void text_ip(struct corpus_text *t, const uint8_t ip[4])
{
    text_printf(t, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
}

/* Days since 1970 to a date: eras of 400 years that start on the first of March. */
struct corpus_date corpus_date_of(uint64_t unix_ms)
{
    struct corpus_date d;
    const uint64_t days = unix_ms / 86400000;
    const uint32_t in_day = (uint32_t)(unix_ms % 86400000);
    const uint64_t z = days + 719468;
    const uint64_t era = z / 146097;
    const uint32_t day_of_era = (uint32_t)(z % 146097);
    const uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const uint32_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const uint32_t shifted_month = (5 * day_of_year + 2) / 153;
    d.day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    d.month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    d.year = (int)(year_of_era + era * 400) + (d.month <= 2 ? 1 : 0);
    d.ms = (int)(in_day % 1000);
    d.second = (int)(in_day / 1000 % 60);
    d.minute = (int)(in_day / 60000 % 60);
    d.hour = (int)(in_day / 3600000);
    return d;
}

void text_iso_time(struct corpus_text *t, uint64_t unix_ms)
{
    const struct corpus_date d = corpus_date_of(unix_ms);
    text_printf(t, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", d.year, d.month, d.day, d.hour, d.minute,
                d.second, d.ms);
}

void text_sql_time(struct corpus_text *t, uint64_t unix_ms)
{
    const struct corpus_date d = corpus_date_of(unix_ms);
    text_printf(t, "%04d-%02d-%02d %02d:%02d:%02d", d.year, d.month, d.day, d.hour, d.minute,
                d.second);
}

void text_iso_date(struct corpus_text *t, uint64_t unix_ms)
{
    const struct corpus_date d = corpus_date_of(unix_ms);
    text_printf(t, "%04d-%02d-%02d", d.year, d.month, d.day);
}

const char *corpus_month_name(int month)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return names[(month + 11) % 12];
}

/* RocksDB adds 8 bytes of sequence number and type to a key and about 3 of lengths. */
enum { ENTRY_OVERHEAD_BYTES = 11 };

bool corpus_wants_more(const struct corpus_writer *w)
{
    return !w->failed && w->bytes < w->goal_bytes;
}

void corpus_put(struct corpus_writer *w, const struct corpus_text *key,
                const struct corpus_text *value)
{
    if (w->failed)
        return;
    if (key->overflow || value->overflow ||
        !w->put(w->context, key->data, key->size, value->data, value->size))
        w->failed = true;
    w->bytes += key->size + value->size + ENTRY_OVERHEAD_BYTES;
}
