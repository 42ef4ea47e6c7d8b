/* SPDX-License-Identifier: Apache-2.0 */
/* What `blocks` measured, as a table for people. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/blocks/results.h"

enum metric { RATIO, SPEED };

static double value_of(const struct measurement *m, enum metric metric)
{
    return metric == RATIO ? m->ratio : m->compress_mb_s;
}

static double geometric_mean(const struct results *r, size_t block_bytes, unsigned codec,
                             enum metric metric)
{
    double sum = 0;
    unsigned n = 0;
    for (size_t i = 0; i < r->n_rows; i++)
        if (r->rows[i].block_bytes == block_bytes) {
            sum += log(value_of(&r->rows[i].by_codec[codec], metric));
            n++;
        }
    return n ? exp(sum / n) : 0;
}

/* A column's head has two lines, such as "rockpress" and "fast". */
static void print_head(const struct results *r, const char *title)
{
    printf("\n%-22s", title);
    for (unsigned k = 0; k < r->n_codecs; k++)
        printf(" %10s", r->codecs[k].name);
    printf("\n%-22s", "");
    for (unsigned k = 0; k < r->n_codecs; k++)
        printf(" %10s", r->codecs[k].level);
    putchar('\n');
}

static void print_metric(const struct results *r, size_t block_bytes, enum metric metric)
{
    const int digits = metric == RATIO ? 3 : 1;
    char title[64];
    snprintf(title, sizeof title, "%zu: %s", block_bytes, metric == RATIO ? "ratio" : "MB/s");
    print_head(r, title);
    for (size_t i = 0; i < r->n_rows; i++) {
        if (r->rows[i].block_bytes != block_bytes)
            continue;
        printf("%-22s", r->rows[i].corpus);
        for (unsigned k = 0; k < r->n_codecs; k++)
            printf(" %10.*f", digits, value_of(&r->rows[i].by_codec[k], metric));
        putchar('\n');
    }
    printf("%-22s", "geometric mean");
    for (unsigned k = 0; k < r->n_codecs; k++)
        printf(" %10.*f", digits, geometric_mean(r, block_bytes, k, metric));
    putchar('\n');
}

static void print_relative(const struct results *r, size_t block_bytes)
{
    for (unsigned k = 0; k < r->n_codecs; k++) {
        if (strcmp(r->codecs[k].name, "rockpress") != 0)
            continue;
        for (unsigned z = 0; z < r->n_codecs; z++) {
            const struct codec *c = &r->codecs[z];
            if (strcmp(c->name, "zstd") != 0 || (c->number != 1 && c->number != 3))
                continue;
            const double ratio =
                geometric_mean(r, block_bytes, k, RATIO) / geometric_mean(r, block_bytes, z, RATIO);
            const double speed =
                geometric_mean(r, block_bytes, k, SPEED) / geometric_mean(r, block_bytes, z, SPEED);
            printf("rockpress %s against zstd level %s: ratio %+.2f %%, speed x %.2f\n",
                   r->codecs[k].level, c->level, (ratio - 1) * 100, speed);
        }
    }
}

void report_print(const struct results *r)
{
    for (size_t i = 0; i < r->n_rows; i++) {
        const size_t block_bytes = r->rows[i].block_bytes;
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = r->rows[k].block_bytes == block_bytes;
        if (seen)
            continue;
        print_metric(r, block_bytes, RATIO);
        print_metric(r, block_bytes, SPEED);
        putchar('\n');
        print_relative(r, block_bytes);
    }
}
