/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each effort promises: its ratio divided by that of one of libzstd's levels. There is a bound
 * for the geometric mean over the corpora for each block size, and a lower one for every single
 * corpus, so that no kind of data pays for the others. bench/blocks measures the same, with speeds.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "tests/golden/samples.h"
#include "tests/golden/sized_encoder.h"

/* Of each corpus. With fewer bytes the means move by some tenths of a percent. */
#define CORPUS_BYTES ((size_t)512 * 1024)
#define MAX_CORPORA 32

static const int levels[] = {2, 3, 5, 6, 9, 12, 19};
#define N_LEVELS (sizeof(levels) / sizeof(levels[0]))

typedef struct promise {
    rp_effort effort;
    int level;
    double least;    /* our ratio by libzstd's */
    bool is_of_each; /* corpus, else of the mean */
} promise;

static const promise promises[] = {
    {RP_EFFORT_FAST, 3, 1.02, false},   {RP_EFFORT_DEFAULT, 6, 1.0, false},
    {RP_EFFORT_HIGH, 12, 0.995, false}, {RP_EFFORT_MAX, 12, 1.0, false},
    {RP_EFFORT_MAX, 19, 0.985, false},  {RP_EFFORT_FAST, 2, 0.98, true},
    {RP_EFFORT_DEFAULT, 5, 0.98, true}, {RP_EFFORT_HIGH, 9, 0.98, true},
};

typedef struct sizes {
    const char *name;
    double ours[N_EFFORTS];
    double theirs[N_LEVELS];
} sizes;

static void give_up(const char *what, const char *reason)
{
    fprintf(stderr, "%s: %s\n", what, reason);
    exit(2);
}

/* As RocksDB does it: one context, whose level is set, one frame for each block. */
static size_t their_size(ZSTD_CCtx *context, const corpus_block *block, int level)
{
    static uint8_t frame[SAMPLE_MAX_BLOCK_BYTES + 1024];
    size_t n = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    if (!ZSTD_isError(n))
        n = ZSTD_compress2(context, frame, sizeof(frame), block->data, block->size);
    if (ZSTD_isError(n))
        give_up("ZSTD_compress2", ZSTD_getErrorName(n));
    return n;
}

static sizes measure(sized_encoder *encoders, ZSTD_CCtx *context, size_t corpus, size_t block_bytes)
{
    sizes row;
    sample s = sample_open(corpus, block_bytes, CORPUS_BYTES);
    memset(&row, 0, sizeof(row));
    row.name = s.name;
    for (size_t i = 0; i < s.blocks.n_blocks; i++) {
        const corpus_block *block = &s.blocks.blocks[i];
        for (size_t e = 0; e < N_EFFORTS; e++)
            row.ours[e] += (double)sized_encoder_compress(&encoders[e], block->data, block->size);
        for (size_t k = 0; k < N_LEVELS; k++)
            row.theirs[k] += (double)their_size(context, block, levels[k]);
    }
    sample_close(&s);
    return row;
}

static size_t index_of(int level)
{
    for (size_t k = 0; k < N_LEVELS; k++) {
        if (levels[k] == level)
            return k;
    }
    abort();
}

/* Of one corpus: our ratio by libzstd's. */
static double against(const sizes *row, const promise *p)
{
    return row->theirs[index_of(p->level)] / row->ours[p->effort - RP_EFFORT_FAST];
}

static bool checker(const promise *p, size_t block_bytes, const char *name, double reached)
{
    bool is_kept = reached >= p->least;
    printf("%6zu  %-14s %-7s by level %2d: %.4f, at least %.3f%s\n", block_bytes, name,
           rp_effort_name(p->effort), p->level, reached, p->least, is_kept ? "" : "  BROKEN");
    return is_kept;
}

static unsigned check_block_size(sized_encoder *encoders, ZSTD_CCtx *context, size_t block_bytes)
{
    sizes rows[MAX_CORPORA];
    unsigned n_broken = 0;
    if (sample_n_corpora() == 0 || sample_n_corpora() > MAX_CORPORA)
        abort();
    for (size_t i = 0; i < sample_n_corpora(); i++)
        rows[i] = measure(encoders, context, i, block_bytes);
    for (size_t k = 0; k < sizeof(promises) / sizeof(promises[0]); k++) {
        const promise *p = &promises[k];
        double sum = 0;
        for (size_t i = 0; i < sample_n_corpora(); i++) {
            sum += log(against(&rows[i], p));
            if (p->is_of_each)
                n_broken += !checker(p, block_bytes, rows[i].name, against(&rows[i], p));
        }
        if (!p->is_of_each)
            n_broken +=
                !checker(p, block_bytes, "geometric mean", exp(sum / (double)sample_n_corpora()));
    }
    return n_broken;
}

int main(void)
{
    sized_encoder encoders[N_EFFORTS];
    ZSTD_CCtx *context = ZSTD_createCCtx();
    unsigned n_broken = 0;
    if (context == NULL)
        abort();
    for (size_t e = 0; e < N_EFFORTS; e++)
        sized_encoder_open(&encoders[e], (rp_effort)(RP_EFFORT_FAST + (int)e));
    for (size_t k = 0; k < SAMPLE_N_BLOCK_SIZES; k++)
        n_broken += check_block_size(encoders, context, sample_block_sizes[k]);
    for (size_t e = 0; e < N_EFFORTS; e++)
        sized_encoder_close(&encoders[e]);
    ZSTD_freeCCtx(context);
    printf("libzstd %s: %u promises broken\n", ZSTD_versionString(), n_broken);
    return n_broken != 0;
}
