/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our entropy stages against libzstd's. The sequences of our parse go through
 * ZSTD_compressSequences(), which does not parse. So its block differs from ours only in how
 * literals and sequences are coded: the tables, their descriptions, and the form that is chosen.
 * Ours may be larger by MOST_PER_MILLE for all blocks of a sample together, and by
 * MOST_MEAN_PER_MILLE on the mean of the samples of one block size and effort.
 *
 * For this call libzstd's level sets only the strategy; the search for repeat offsets is switched
 * on separately. Strategies up to 3 choose tables by thresholds, those from 4 on by computed costs,
 * and those from 8 on also search for the depth of the Huffman tree. Strategy 9 is the best, but
 * for a few bytes that thresholds guess better. The test tries the lowest and the highest strategy
 * and takes the smaller total; --verbose prints both.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "tests/golden/samples.h"
#include "tests/golden/sized_encoder.h"
#include "tests/support/rfc8878_decoder.h"

#define MOST_PER_MILLE 3.0
#define MOST_MEAN_PER_MILLE 1.0
#define CORPUS_BYTES ((size_t)512 * 1024)
#define MADE_BYTES ((size_t)128 * 1024)

static const ZSTD_strategy strategies[] = {ZSTD_fast, ZSTD_btultra2};
#define N_STRATEGIES (sizeof(strategies) / sizeof(strategies[0]))

typedef struct totals {
    size_t ours;
    size_t theirs[N_STRATEGIES];
    size_t n_sequences;
} totals;

static ZSTD_CCtx *context;
static uint8_t *their_frame;
static size_t their_capacity;
static ZSTD_Sequence sequences[SAMPLE_MAX_BLOCK_BYTES / 3 + 1];

static void give_up(const char *what, const char *reason)
{
    fprintf(stderr, "%s: %s\n", what, reason);
    exit(2);
}

static void set_parameter(ZSTD_cParameter parameter, int value)
{
    size_t result = ZSTD_CCtx_setParameter(context, parameter, value);
    if (ZSTD_isError(result))
        give_up("ZSTD_CCtx_setParameter", ZSTD_getErrorName(result));
}

/* RFC 8878, 3.1.1.5: the offset that an offset value means, and the repeat offsets after it. */
static uint32_t resolve_offset(uint32_t value, bool has_literals, uint32_t *recent)
{
    if (value <= 3) {
        uint32_t slot = value - 1 + !has_literals;
        uint32_t offset = slot == 3 ? recent[0] - 1 : recent[slot];
        if (slot >= 2)
            recent[2] = recent[1];
        if (slot >= 1)
            recent[1] = recent[0];
        recent[0] = offset;
        return offset;
    }
    recent[2] = recent[1];
    recent[1] = recent[0];
    recent[0] = value - 3;
    return recent[0];
}

/* Our sequences as ZSTD_Sequence, then a block delimiter with the last literals. */
static size_t translate(const sized_encoder *encoder, size_t block_bytes)
{
    uint32_t recent[3] = {1, 4, 8};
    size_t n = encoder->buffers.d_zstd_blocks[0].n_sequences;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        rp_sequence from = encoder->buffers.d_sequences[i];
        ZSTD_Sequence *to = &sequences[i];
        to->litLength = rp_sequence_literal_length(from);
        to->matchLength = rp_sequence_match_length(from);
        to->offset = resolve_offset(rp_sequence_offset_value(from), to->litLength != 0, recent);
        to->rep = 0;
        at += to->litLength + to->matchLength;
    }
    if (at > block_bytes)
        give_up("our parse", "longer than its block");
    sequences[n].offset = 0;
    sequences[n].matchLength = 0;
    sequences[n].rep = 0;
    sequences[n].litLength = (unsigned)(block_bytes - at);
    return n + 1;
}

/* The size of a frame without its header, which is not entropy-coded. */
static size_t without_header(const void *frame, size_t frame_bytes)
{
    size_t header = ZSTD_frameHeaderSize(frame, frame_bytes);
    if (ZSTD_isError(header))
        give_up("ZSTD_frameHeaderSize", ZSTD_getErrorName(header));
    return frame_bytes - header;
}

static void describe(sized_encoder *encoder, size_t block_bytes, const void *frame,
                     size_t frame_bytes, rfc8878_stats *stats)
{
    char reason[RFC8878_ERROR_BYTES];
    size_t n;
    if (!rfc8878_decode_frame(frame, frame_bytes, encoder->decoded, block_bytes, &n, stats, reason,
                              sizeof(reason)))
        give_up("strict decoder", reason);
}

/* libzstd's frame must hold the sequences of our frame, offset values included. */
static void check_sequences(sized_encoder *encoder, size_t block_bytes, const void *frame,
                            size_t frame_bytes)
{
    rfc8878_stats theirs;
    rfc8878_stats ours;
    describe(encoder, block_bytes, frame, frame_bytes, &theirs);
    describe(encoder, block_bytes, encoder->frame, encoder->frame_bytes, &ours);
    if (theirs.n_blocks_compressed == 0 || ours.n_blocks_compressed == 0)
        return;
    if (theirs.n_sequences != ours.n_sequences ||
        memcmp(theirs.repeat_offsets, ours.repeat_offsets, sizeof(ours.repeat_offsets)) != 0 ||
        memcmp(theirs.repeat_offsets_without_literals, ours.repeat_offsets_without_literals,
               sizeof(ours.repeat_offsets_without_literals)) != 0)
        give_up("ZSTD_compressSequences", "other offset values than ours: not the same sequences");
}

static size_t their_size(sized_encoder *encoder, const corpus_block *block, size_t n_sequences,
                         ZSTD_strategy strategy)
{
    ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
    set_parameter(ZSTD_c_blockDelimiters, ZSTD_sf_explicitBlockDelimiters);
    set_parameter(ZSTD_c_validateSequences, 1);
    set_parameter(ZSTD_c_minMatch, 3); /* our matches may be that short, and libzstd checks that */
    /* Without this, low levels would code repeat offsets as new ones, in our favour. */
    set_parameter(ZSTD_c_searchForExternalRepcodes, ZSTD_ps_enable);
    set_parameter(ZSTD_c_strategy, (int)strategy);
    size_t n = ZSTD_compressSequences(context, their_frame, their_capacity, sequences, n_sequences,
                                      block->data, block->size);
    if (ZSTD_isError(n))
        give_up("ZSTD_compressSequences", ZSTD_getErrorName(n));
    size_t decoded = ZSTD_decompress(encoder->decoded, SAMPLE_MAX_BLOCK_BYTES, their_frame, n);
    if (decoded != block->size || memcmp(encoder->decoded, block->data, decoded) != 0)
        give_up("ZSTD_compressSequences", "our sequences do not give the block");
    check_sequences(encoder, block->size, their_frame, n);
    return without_header(their_frame, n);
}

static totals compare(sized_encoder *encoder, const sample *s)
{
    totals sums;
    memset(&sums, 0, sizeof(sums));
    for (size_t i = 0; i < s->blocks.n_blocks; i++) {
        const corpus_block *block = &s->blocks.blocks[i];
        size_t n = sized_encoder_compress(encoder, block->data, block->size);
        sums.ours += without_header(encoder->frame, n);
        size_t n_sequences = translate(encoder, block->size);
        sums.n_sequences += n_sequences - 1;
        for (size_t k = 0; k < N_STRATEGIES; k++)
            sums.theirs[k] += their_size(encoder, block, n_sequences, strategies[k]);
    }
    return sums;
}

static size_t smallest(const totals *sums)
{
    size_t best = sums->theirs[0];
    for (size_t k = 1; k < N_STRATEGIES; k++)
        best = sums->theirs[k] < best ? sums->theirs[k] : best;
    return best;
}

/* One line of the table for one sample at one effort. Returns ours by theirs. */
static double print_totals(FILE *out, const sample *s, const sized_encoder *encoder,
                           const totals *sums)
{
    double change = (double)sums->ours / (double)smallest(sums);
    fprintf(out, "%-16s %6zu %-8s %9zu %9zu %9zu %+8.3f ", s->name, s->block_bytes,
            rp_effort_name(encoder->effort), sums->n_sequences / s->blocks.n_blocks, sums->ours,
            smallest(sums), 100 * (change - 1));
    for (size_t z = 0; z < N_STRATEGIES; z++)
        fprintf(out, " %d: %zu", (int)strategies[z], sums->theirs[z]);
    fprintf(out, "%s\n", change > 1 + MOST_PER_MILLE / 1000 ? "  TOO LARGE" : "");
    return change;
}

/* Returns how many totals and means are too large. */
static unsigned check_block_size(sized_encoder *encoders, size_t block_bytes, FILE *out)
{
    double logs[N_EFFORTS] = {0};
    size_t n_sequences = 0;
    unsigned n_failures = 0;
    for (size_t i = 0; i < sample_count(); i++) {
        sample s = sample_open(i, block_bytes, i < sample_n_corpora() ? CORPUS_BYTES : MADE_BYTES);
        for (size_t e = 0; e < N_EFFORTS; e++) {
            totals sums = compare(&encoders[e], &s);
            double change = print_totals(out, &s, &encoders[e], &sums);
            n_failures += change > 1 + MOST_PER_MILLE / 1000;
            n_sequences += sums.n_sequences;
            logs[e] += log(change);
        }
        sample_close(&s);
    }
    if (n_sequences == 0)
        give_up("our parses", "no sequence at all");
    for (size_t e = 0; e < N_EFFORTS; e++) {
        double mean = exp(logs[e] / (double)sample_count());
        bool is_bad = mean > 1 + MOST_MEAN_PER_MILLE / 1000;
        fprintf(out, "%-16s %6zu %-8s %9s %9s %9s %+8.3f%s\n", "geometric mean", block_bytes,
                rp_effort_name(encoders[e].effort), "", "", "", 100 * (mean - 1),
                is_bad ? "  TOO LARGE" : "");
        n_failures += is_bad;
    }
    return n_failures;
}

static unsigned check_all(FILE *out)
{
    sized_encoder encoders[N_EFFORTS];
    unsigned n_failures = 0;
    for (size_t e = 0; e < N_EFFORTS; e++)
        sized_encoder_open(&encoders[e], (rp_effort)(RP_EFFORT_FAST + (int)e));
    fprintf(out, "%-16s %6s %-8s %9s %9s %9s %8s  libzstd by strategy\n", "sample", "block",
            "effort", "sequences", "ours", "libzstd", "%");
    for (size_t k = 0; k < SAMPLE_N_BLOCK_SIZES; k++)
        n_failures += check_block_size(encoders, sample_block_sizes[k], out);
    for (size_t e = 0; e < N_EFFORTS; e++)
        sized_encoder_close(&encoders[e]);
    return n_failures;
}

int main(int argc, char **argv)
{
    char *table;
    size_t table_bytes;
    bool is_verbose = argc == 2 && strcmp(argv[1], "--verbose") == 0;
    if (argc > 1 && !is_verbose) {
        fprintf(stderr, "usage: %s [--verbose]\n", argv[0]);
        return 2;
    }
    context = ZSTD_createCCtx();
    their_capacity = ZSTD_compressBound(SAMPLE_MAX_BLOCK_BYTES);
    their_frame = malloc(their_capacity);
    FILE *out = open_memstream(&table, &table_bytes);
    if (context == NULL || their_frame == NULL || out == NULL)
        abort();
    unsigned n_failures = check_all(out);
    fclose(out);
    if (is_verbose || n_failures != 0)
        fwrite(table, 1, table_bytes, stdout);
    printf("libzstd %s: %u totals more than %.1f %% larger, or means more than %.1f %%\n",
           ZSTD_versionString(), n_failures, MOST_PER_MILLE / 10, MOST_MEAN_PER_MILLE / 10);
    free(table);
    free(their_frame);
    ZSTD_freeCCtx(context);
    return n_failures != 0;
}
