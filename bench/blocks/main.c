/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `blocks`: ratio and speed per core of rockpress, libzstd and LZ4 on RocksDB blocks.
 *
 * There is one thread, and time is its CPU time. All codecs take turns within each round, so that a
 * change of clock speed or a busy neighbour meets all of them alike. The median of the rounds is
 * reported. Before anything is timed, every codec compresses every block once: that warms up, gives
 * the sizes, and lets libzstd decode every zstd frame and compare.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lz4hc.h>
#include <zstd.h>

#include "bench/blocks/results.h"
#include "bench/common/efforts.h"
#include "bench/common/times.h"
#include "bench/corpus/selection.h"

enum { MAX_ROUNDS = 1000, DEFAULT_ROUNDS = 5, MAX_LZ4_ACCELERATION = 65537 };

struct arguments {
    struct corpus_selection selection;
    struct options_list levels, lz4, lz4hc, efforts;
    const char *files[OPTIONS_MAX_LIST], *json;
    unsigned n_files, rounds;
};

static const char doc[] =
    "Compresses RocksDB data blocks one by one with rockpress (host device), libzstd and LZ4, and "
    "prints the ratio and the speed of one core.";

static const struct argp_option options[] = {
    {"blocks", 'f', "FILE", 0,
     "a file of blocks as a corpus, for each block 4 bytes of little-endian length, then the "
     "block; "
     "may be repeated. A name that ends in -N.blocks gives the block size, otherwise it is the "
     "mean. "
     "Generated corpora are then left out unless --corpus or --block-bytes asks for them",
     0},
    {"rounds", 'r', "N", 0, "timed rounds, 1 to 1000 (default 5)", 0},
    {"levels", 'l', "L,..", 0, "zstd levels from -100, without 0, or none (default 1,3,6,9,12)", 0},
    {"lz4", '4', "A,..", 0, "accelerations of LZ4, or none (default 1, LZ4's own)", 0},
    {"lz4hc", 'h', "L,..", 0, "levels of LZ4HC, 1 to 12, or none (default)", 0},
    {"efforts", 'e', "E,..", 0, "rockpress efforts, or none (default all)", 0},
    {"json", 'j', "FILE", 0, "also write the results, and what they are of, as JSON", 0},
    {0}};

static const struct argp_child children[] = {{&corpus_selection_argp, 0, NULL, 0}, {0}};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->selection;
        return 0;
    case 'f':
        if (a->n_files == OPTIONS_MAX_LIST)
            options_die("--blocks: given more than %d times", OPTIONS_MAX_LIST);
        a->files[a->n_files++] = value;
        return 0;
    case 'r':
        a->rounds = (unsigned)options_number("--rounds", value, 1, MAX_ROUNDS);
        return 0;
    case 'l':
        options_numbers(&a->levels, "--levels", value, -100, ZSTD_maxCLevel());
        for (unsigned i = 0; i < a->levels.n; i++)
            if (a->levels.values[i] == 0)
                options_die("--levels: 0 is not allowed: it means zstd's default level");
        return 0;
    case '4':
        options_numbers(&a->lz4, "--lz4", value, 1, MAX_LZ4_ACCELERATION);
        return 0;
    case 'h':
        options_numbers(&a->lz4hc, "--lz4hc", value, 1, LZ4HC_CLEVEL_MAX);
        return 0;
    case 'e':
        options_words(&a->efforts, "--efforts", value, effort_words);
        return 0;
    case 'j':
        a->json = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void parse(int argc, char **argv, struct arguments *a)
{
    static const struct argp argp = {
        .options = options, .parser = take_option, .doc = doc, .children = children};
    *a = (struct arguments){.levels = {.n = 5, .values = {1, 3, 6, 9, 12}},
                            .lz4 = {.n = 1, .values = {1}},
                            .efforts = {.n = 4, .values = {0, 1, 2, 3}},
                            .rounds = DEFAULT_ROUNDS};
    options_parse(&argp, argc, argv, a);
    if (a->n_files == 0 || a->selection.n_names || a->selection.sizes.is_given)
        corpus_selection_complete(&a->selection);
    const unsigned n_codecs = a->levels.n + a->lz4.n + a->lz4hc.n + a->efforts.n;
    if (n_codecs == 0 || n_codecs > MAX_CODECS)
        options_die("levels, accelerations and efforts are %u in all; 1 to %d are allowed",
                    n_codecs, MAX_CODECS);
}

static unsigned make_codecs(const struct arguments *a, struct codec *codecs)
{
    unsigned n = 0;
    for (unsigned i = 0; i < a->efforts.n; i++)
        codec_init_rockpress(&codecs[n++], effort_of(a->efforts.values[i]));
    for (unsigned i = 0; i < a->levels.n; i++)
        codec_init_zstd(&codecs[n++], (int)a->levels.values[i]);
    for (unsigned i = 0; i < a->lz4.n; i++)
        codec_init_lz4(&codecs[n++], (int)a->lz4.values[i]);
    for (unsigned i = 0; i < a->lz4hc.n; i++)
        codec_init_lz4hc(&codecs[n++], (int)a->lz4hc.values[i]);
    return n;
}

/* Compresses all blocks once. The sum of the sizes, or 0 on failure. */
static size_t compress_all(struct codec *c, const corpus_blocks *blocks)
{
    size_t total = 0;
    for (size_t i = 0; i < blocks->n_blocks; i++) {
        const size_t size = c->compress(c, blocks->blocks[i].data, blocks->blocks[i].size);
        if (size == 0)
            return 0;
        total += size;
    }
    return total;
}

/* The same, and libzstd decodes every frame for a comparison with its block. */
static size_t compress_and_verify(struct codec *c, const corpus_blocks *blocks,
                                  unsigned char *decoded, size_t capacity)
{
    ZSTD_DCtx *decoder = ZSTD_createDCtx();
    size_t total = 0;
    bool good = decoder != NULL;
    for (size_t i = 0; i < blocks->n_blocks && good; i++) {
        const corpus_block *b = &blocks->blocks[i];
        const size_t size = c->compress(c, b->data, b->size);
        const size_t n =
            size ? ZSTD_decompressDCtx(decoder, decoded, capacity, c->output, size) : 0;
        good = size && !ZSTD_isError(n) && n == b->size && memcmp(decoded, b->data, n) == 0;
        if (size && !good)
            fprintf(stderr,
                    "blocks: %s %s: the frame of block %zu (%zu bytes) does not decode to it: %s\n",
                    c->name, c->level, i, b->size,
                    ZSTD_isError(n) ? ZSTD_getErrorName(n) : "the content differs");
        total += size;
    }
    ZSTD_freeDCtx(decoder);
    return good ? total : 0;
}

static bool measure(struct codec *codecs, unsigned n_codecs, const corpus_blocks *blocks,
                    unsigned rounds, struct result_row *row)
{
    static double seconds[MAX_CODECS][MAX_ROUNDS];
    size_t max_block_bytes = 0;
    for (size_t i = 0; i < blocks->n_blocks; i++)
        if (blocks->blocks[i].size > max_block_bytes)
            max_block_bytes = blocks->blocks[i].size;
    unsigned char *decoded = malloc(max_block_bytes);
    bool good = decoded != NULL;
    if (!good)
        fprintf(stderr, "blocks: no memory for %zu bytes\n", max_block_bytes);

    for (unsigned k = 0; k < n_codecs && good; k++) {
        struct codec *c = &codecs[k];
        good = c->open(c, max_block_bytes);
        size_t total = 0;
        if (good)
            total = c->emits_zstd ? compress_and_verify(c, blocks, decoded, max_block_bytes)
                                  : compress_all(c, blocks);
        good = total != 0;
        if (good) {
            row->by_codec[k].compressed_bytes = total;
            row->by_codec[k].ratio = (double)blocks->total_bytes / (double)total;
        }
    }
    /* Each round starts with another codec, so that none always finds the same one's data in the
     * caches. */
    for (unsigned r = 0; r < rounds && good; r++)
        for (unsigned i = 0; i < n_codecs && good; i++) {
            const unsigned k = (i + r) % n_codecs;
            const double start = times_now(CLOCK_THREAD_CPUTIME_ID);
            good = compress_all(&codecs[k], blocks) != 0;
            seconds[k][r] = times_now(CLOCK_THREAD_CPUTIME_ID) - start;
        }
    for (unsigned k = 0; k < n_codecs; k++) {
        if (good)
            row->by_codec[k].compress_mb_s =
                (double)blocks->total_bytes / 1e6 / times_median(seconds[k], rounds);
        codecs[k].close(&codecs[k]);
    }
    free(decoded);
    row->n_blocks = blocks->n_blocks;
    row->raw_bytes = blocks->total_bytes;
    row->hash = corpus_hash(blocks);
    return good;
}

static bool measure_row(const struct arguments *a, struct results *r, struct codec *codecs,
                        const corpus_blocks *blocks)
{
    struct result_row *row = &r->rows[r->n_rows];
    fprintf(stderr, "%s, %zu: %zu blocks, %zu bytes\n", row->corpus, row->block_bytes,
            blocks->n_blocks, blocks->total_bytes);
    const bool good = measure(codecs, r->n_codecs, blocks, a->rounds, row);
    r->n_rows += good;
    return good;
}

static bool run_file(const struct arguments *a, struct results *r, struct codec *codecs,
                     const char *path)
{
    corpus_blocks blocks;
    corpus_error error = {{0}};
    if (corpus_load(path, &blocks, &error) != CORPUS_OK) {
        fprintf(stderr, "blocks: %s\n", error.message);
        return false;
    }
    struct result_row *row = &r->rows[r->n_rows];
    row->block_bytes = corpus_file_name(path, row->corpus, sizeof row->corpus);
    if (row->block_bytes == 0)
        row->block_bytes = blocks.total_bytes / blocks.n_blocks;
    const bool good = measure_row(a, r, codecs, &blocks);
    corpus_free(&blocks);
    return good;
}

static bool run_generated(const struct arguments *a, struct results *r, struct codec *codecs,
                          const char *name, size_t block_bytes)
{
    corpus_blocks blocks;
    corpus_error error = {{0}};
    if (corpus_generate(name, block_bytes, a->selection.bytes, a->selection.seed, &blocks,
                        &error) != CORPUS_OK) {
        fprintf(stderr, "blocks: %s, %zu: %s\n", name, block_bytes, error.message);
        return false;
    }
    struct result_row *row = &r->rows[r->n_rows];
    snprintf(row->corpus, sizeof row->corpus, "%s", name);
    row->block_bytes = block_bytes;
    const bool good = measure_row(a, r, codecs, &blocks);
    corpus_free(&blocks);
    return good;
}

int main(int argc, char **argv)
{
    static struct arguments a;
    static struct codec codecs[MAX_CODECS];
    parse(argc, argv, &a);
    struct results results = {.codecs = codecs,
                              .n_codecs = make_codecs(&a, codecs),
                              .rounds = a.rounds,
                              .argc = argc,
                              .argv = argv};
    const struct corpus_selection *selection = &a.selection;
    results.rows =
        calloc(selection->n_names * selection->sizes.n + a.n_files, sizeof *results.rows);
    if (!results.rows) {
        fputs("blocks: no memory for the results\n", stderr);
        return EXIT_FAILED;
    }
    bool good = true;
    for (unsigned s = 0; s < selection->sizes.n; s++)
        for (unsigned k = 0; k < selection->n_names && good; k++)
            good = run_generated(&a, &results, codecs, selection->names[k],
                                 (size_t)selection->sizes.values[s]);
    for (unsigned k = 0; k < a.n_files && good; k++)
        good = run_file(&a, &results, codecs, a.files[k]);

    if (good) {
        printf("zstd %s, LZ4 %s; MB/s of one core, median of %u rounds\n", ZSTD_versionString(),
               codec_lz4_version(), a.rounds);
        report_print(&results);
        if (a.json)
            good = report_write_json(&results, a.json);
    }
    free(results.rows);
    return good ? 0 : EXIT_FAILED;
}
