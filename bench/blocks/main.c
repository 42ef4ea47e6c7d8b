/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `blocks`: ratio and speed per core of rockpress, libzstd and LZ4 on RocksDB blocks.
 *
 * One thread; all codecs take turns within each round, so that a change of clock speed or a busy
 * neighbour meets all of them alike; the median of the rounds is reported; time is the thread's CPU
 * time. Before anything is timed, every block is compressed once by every codec: that warms up,
 * gives the sizes, and lets libzstd decode every rockpress frame and compare.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lz4hc.h>
#include <zstd.h>

#include "bench/blocks/results.h"
#include "bench/common/options.h"
#include "bench/corpus/corpus.h"

enum { MAX_CHOICES = 64, MAX_ROUNDS = 1000, DEFAULT_ROUNDS = 5 };

/* Efforts are small numbers that have a name. */
enum { EFFORTS_END = 16 };

enum { MAX_LEVELS = 32, MAX_LZ4_LEVELS = 8, MAX_ZSTD_NEGATIVE = 100, MAX_LZ4_ACCELERATION = 65537 };
static_assert(MAX_LEVELS + 2 * MAX_LZ4_LEVELS + EFFORTS_END <= MAX_CODECS, "codecs fit");

struct arguments {
    const char *files[MAX_CHOICES], *names[MAX_CHOICES], *json;
    size_t n_files, n_names, n_sizes, bytes;
    size_t sizes[MAX_CHOICES];
    int levels[MAX_LEVELS], lz4[MAX_LEVELS], lz4hc[MAX_LEVELS];
    rp_effort efforts[EFFORTS_END];
    unsigned n_levels, n_lz4, n_lz4hc, n_efforts, rounds;
    uint64_t seed;
};

static void usage(FILE *out)
{
    fputs(
        "usage: blocks [--corpus NAME] [--block-bytes N] [--blocks FILE] [--bytes N] [--rounds N]\n"
        "              [--levels L,L..] [--lz4 A,A..] [--lz4hc L,L..] [--efforts E,E..] [--seed "
        "N]\n"
        "              [--json FILE]\n"
        "\n"
        "Compresses RocksDB data blocks one by one with rockpress (host device), libzstd and LZ4,\n"
        "and prints the ratio and the speed of one core.\n"
        "\n"
        "  --corpus NAME     only this corpus; may be repeated (default all). \"random\" is "
        "another one:\n"
        "                    random bytes\n"
        "  --block-bytes N   only this block size; may be repeated (default 4096, 16384, 65536)\n"
        "  --blocks FILE     a file of blocks as a corpus, for each block 4 bytes of "
        "little-endian\n"
        "                    length, then the block; may be repeated. A name that ends in "
        "-N.blocks\n"
        "                    gives the block size, otherwise it is the mean. Generated corpora "
        "are\n"
        "                    then left out unless --corpus or --block-bytes asks for them\n"
        "  --bytes N         bytes per generated corpus and size (default 4M; suffixes K, M, G)\n"
        "  --rounds N        timed rounds, 1 to 1000 (default 5)\n"
        "  --levels L,L..    zstd levels from -100, without 0 (default 1,3,6,9,12), or none\n"
        "  --lz4 A,A..       accelerations of LZ4 (default 1, LZ4's own), or none\n"
        "  --lz4hc L,L..     levels of LZ4HC, 1 to 12 (default none)\n"
        "  --efforts E,E..   rockpress efforts (default all), or none\n"
        "  --seed N          of the generated corpora (default 1)\n"
        "  --json FILE       also write the results, and what they are of, as JSON\n",
        out);
}

/* Calls `take` with each part of a list separated by commas; "none" is the empty list. */
static void split_list(const char *option, const char *list, struct arguments *a,
                       void (*take)(const char *option, const char *part, struct arguments *a))
{
    if (strcmp(list, "none") == 0)
        return;
    for (;;) {
        char part[64];
        const size_t size = strcspn(list, ",");
        if (size == 0 || size >= sizeof part)
            options_die("%s: an element is empty or too long in \"%s\"", option, list);
        memcpy(part, list, size);
        part[size] = 0;
        take(option, part, a);
        if (!list[size])
            return;
        list += size + 1;
    }
}

static void take_level(const char *option, const char *part, struct arguments *a)
{
    const bool negative = part[0] == '-';
    const uint64_t most = negative ? MAX_ZSTD_NEGATIVE : (uint64_t)ZSTD_maxCLevel();
    if (a->n_levels == MAX_LEVELS)
        options_die("%s: more than %d levels", option, MAX_LEVELS);
    const int number = (int)options_number(negative ? "--levels, after the minus sign" : option,
                                           part + negative, 1, most, 0);
    a->levels[a->n_levels++] = negative ? -number : number;
}

static void take_lz4(const char *option, const char *part, struct arguments *a)
{
    if (a->n_lz4 == MAX_LZ4_LEVELS)
        options_die("%s: more than %d accelerations", option, MAX_LZ4_LEVELS);
    a->lz4[a->n_lz4++] = (int)options_number(option, part, 1, MAX_LZ4_ACCELERATION, 0);
}

static void take_lz4hc(const char *option, const char *part, struct arguments *a)
{
    if (a->n_lz4hc == MAX_LZ4_LEVELS)
        options_die("%s: more than %d levels", option, MAX_LZ4_LEVELS);
    a->lz4hc[a->n_lz4hc++] = (int)options_number(option, part, 1, LZ4HC_CLEVEL_MAX, 0);
}

static void take_effort(const char *option, const char *part, struct arguments *a)
{
    for (int e = 0; e < EFFORTS_END; e++) {
        const char *name = rp_effort_name((rp_effort)e);
        if (name && strcmp(name, part) == 0) {
            if (a->n_efforts == EFFORTS_END - 1)
                options_die("%s: more than %d efforts", option, EFFORTS_END - 1);
            a->efforts[a->n_efforts++] = (rp_effort)e;
            return;
        }
    }
    fprintf(stderr, "%s: \"%s\" is not an effort; allowed are", option, part);
    for (int e = 0; e < EFFORTS_END; e++)
        if (rp_effort_name((rp_effort)e))
            fprintf(stderr, " %s", rp_effort_name((rp_effort)e));
    fputs(" none\n", stderr);
    exit(EXIT_USAGE);
}

static void parse(int argc, char **argv, struct arguments *a)
{
    bool levels_given = false, lz4_given = false, efforts_given = false;
    memset(a, 0, sizeof *a);
    a->bytes = CORPUS_DEFAULT_TOTAL_BYTES;
    a->seed = CORPUS_DEFAULT_SEED;
    a->rounds = DEFAULT_ROUNDS;
    for (int i = 1; i < argc; i++) {
        const char *value;
        if (strcmp(argv[i], "--help") == 0) {
            usage(stdout);
            exit(0);
        } else if ((value = options_value(argc, argv, &i, "--corpus"))) {
            if (a->n_names == MAX_CHOICES)
                options_die("--corpus: given more than %d times", MAX_CHOICES);
            a->names[a->n_names++] = options_corpus("--corpus", value);
        } else if ((value = options_value(argc, argv, &i, "--block-bytes"))) {
            if (a->n_sizes == MAX_CHOICES)
                options_die("--block-bytes: given more than %d times", MAX_CHOICES);
            a->sizes[a->n_sizes++] = (size_t)options_number(
                "--block-bytes", value, CORPUS_MIN_BLOCK_BYTES, CORPUS_MAX_BLOCK_BYTES, 1);
        } else if ((value = options_value(argc, argv, &i, "--blocks"))) {
            if (a->n_files == MAX_CHOICES)
                options_die("--blocks: given more than %d times", MAX_CHOICES);
            a->files[a->n_files++] = value;
        } else if ((value = options_value(argc, argv, &i, "--bytes"))) {
            a->bytes = (size_t)options_number("--bytes", value, CORPUS_MIN_BLOCK_BYTES,
                                              CORPUS_MAX_TOTAL_BYTES, 1);
        } else if ((value = options_value(argc, argv, &i, "--rounds"))) {
            a->rounds = (unsigned)options_number("--rounds", value, 1, MAX_ROUNDS, 0);
        } else if ((value = options_value(argc, argv, &i, "--levels"))) {
            levels_given = true;
            split_list("--levels", value, a, take_level);
        } else if ((value = options_value(argc, argv, &i, "--lz4"))) {
            lz4_given = true;
            split_list("--lz4", value, a, take_lz4);
        } else if ((value = options_value(argc, argv, &i, "--lz4hc"))) {
            split_list("--lz4hc", value, a, take_lz4hc);
        } else if ((value = options_value(argc, argv, &i, "--efforts"))) {
            efforts_given = true;
            split_list("--efforts", value, a, take_effort);
        } else if ((value = options_value(argc, argv, &i, "--seed"))) {
            a->seed = options_number("--seed", value, 0, UINT64_MAX, 0);
        } else if ((value = options_value(argc, argv, &i, "--json"))) {
            a->json = value;
        } else {
            fprintf(stderr, "blocks: \"%s\" is not an option\n\n", argv[i]);
            usage(stderr);
            exit(EXIT_USAGE);
        }
    }
    if (!levels_given)
        split_list("--levels", "1,3,6,9,12", a, take_level);
    if (!lz4_given)
        split_list("--lz4", "1", a, take_lz4);
    for (int e = 0; e < EFFORTS_END && !efforts_given; e++)
        if (rp_effort_name((rp_effort)e))
            a->efforts[a->n_efforts++] = (rp_effort)e;

    const bool generate = a->n_files == 0 || a->n_names || a->n_sizes;
    if (generate && a->n_names == 0)
        for (; a->n_names < corpus_count() && a->n_names < MAX_CHOICES; a->n_names++)
            a->names[a->n_names] = corpus_name(a->n_names);
    if (generate && a->n_sizes == 0) {
        const size_t *all = corpus_block_sizes(&a->n_sizes);
        memcpy(a->sizes, all, a->n_sizes * sizeof *a->sizes);
    }
    for (size_t s = 0; s < a->n_sizes; s++)
        if (a->sizes[s] > a->bytes)
            options_die("--bytes: %zu is less than one block of %zu bytes", a->bytes, a->sizes[s]);
}

static unsigned make_codecs(const struct arguments *a, struct codec *codecs)
{
    unsigned n = 0;
    for (unsigned i = 0; i < a->n_efforts; i++)
        codec_init_rockpress(&codecs[n++], a->efforts[i]);
    for (unsigned i = 0; i < a->n_levels; i++)
        codec_init_zstd(&codecs[n++], a->levels[i]);
    for (unsigned i = 0; i < a->n_lz4; i++)
        codec_init_lz4(&codecs[n++], a->lz4[i]);
    for (unsigned i = 0; i < a->n_lz4hc; i++)
        codec_init_lz4hc(&codecs[n++], a->lz4hc[i]);
    return n;
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Compresses everything once; the total, or 0 on failure. */
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

/* The same, with every frame decoded by libzstd and compared. */
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

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, unsigned n)
{
    qsort(values, n, sizeof *values, by_value);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
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
    /* Each round starts with another codec: none always follows the same neighbour's cache. */
    for (unsigned r = 0; r < rounds && good; r++)
        for (unsigned i = 0; i < n_codecs && good; i++) {
            const unsigned k = (i + r) % n_codecs;
            const double start = cpu_seconds();
            good = compress_all(&codecs[k], blocks) != 0;
            seconds[k][r] = cpu_seconds() - start;
        }
    for (unsigned k = 0; k < n_codecs; k++) {
        if (good)
            row->by_codec[k].compress_mb_s =
                (double)blocks->total_bytes / 1e6 / median(seconds[k], rounds);
        codecs[k].close(&codecs[k]);
    }
    free(decoded);
    row->n_blocks = blocks->n_blocks;
    row->raw_bytes = blocks->total_bytes;
    row->hash = corpus_hash(blocks);
    return good;
}

/* "dir/orders-16384.blocks" is corpus "orders" at 16384. */
static void name_file_corpus(const char *path, const corpus_blocks *blocks, struct result_row *row)
{
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    snprintf(row->corpus, sizeof row->corpus, "%s", base);
    row->block_bytes = blocks->total_bytes / blocks->n_blocks;
    char *suffix = strstr(row->corpus, ".blocks");
    if (suffix && suffix[7] == 0 && suffix != row->corpus)
        *suffix = 0;
    char *dash = strrchr(row->corpus, '-');
    if (dash && dash != row->corpus && dash[1] >= '1' && dash[1] <= '9') {
        char *end;
        errno = 0;
        const unsigned long long size = strtoull(dash + 1, &end, 10);
        if (!*end && !errno && size <= SIZE_MAX) {
            row->block_bytes = (size_t)size;
            *dash = 0;
        }
    }
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
    name_file_corpus(path, &blocks, &r->rows[r->n_rows]);
    const bool good = measure_row(a, r, codecs, &blocks);
    corpus_free(&blocks);
    return good;
}

static bool run_generated(const struct arguments *a, struct results *r, struct codec *codecs,
                          const char *name, size_t block_bytes)
{
    corpus_blocks blocks;
    corpus_error error = {{0}};
    if (corpus_generate(name, block_bytes, a->bytes, a->seed, &blocks, &error) != CORPUS_OK) {
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
    if (results.n_codecs == 0)
        options_die("--levels none, --efforts none and --lz4 none leave nothing to measure");
    results.rows = calloc(a.n_names * a.n_sizes + a.n_files, sizeof *results.rows);
    if (!results.rows) {
        fputs("blocks: no memory for the results\n", stderr);
        return EXIT_FAILED;
    }
    bool good = true;
    for (size_t s = 0; s < a.n_sizes; s++)
        for (size_t k = 0; k < a.n_names && good; k++)
            good = run_generated(&a, &results, codecs, a.names[k], a.sizes[s]);
    for (size_t k = 0; k < a.n_files && good; k++)
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
