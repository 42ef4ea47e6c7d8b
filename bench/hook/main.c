/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `hook`: calls libzstd as RocksDB's table and blob file builders do, and prints what
 * a block costs. libzstd is the only library that it is linked to, and dynamically, so that a
 * preloaded librockpress_zstd.so comes between the two as it does under RocksDB. bench/hook/cost
 * compares runs with and without it. The corpus generator is left out: with librocksdb the program
 * would start a hundred times more slowly where its instructions are counted.
 *
 *   sst    one context per file, then one call per data block of it
 *   blob   a context made and freed around each value, which is what RocksDB's BlobDB does
 *
 *   legacy     RocksDB up to 8.5: ZSTD_compress_usingDict with an empty dictionary
 *   advanced   since then: the level is set on the context, and for each block an empty
 *              dictionary is loaded before ZSTD_compress2
 *
 * What RocksDB does around these calls is left out, because it is the same with and without the
 * hook: a std::string that grows to ZSTD_compressBound, the checksum, the write.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <zstd.h>

#include "bench/common/options.h"
#include "bench/common/orders.h"
#include "bench/common/times.h"
#include "bench/corpus/corpus.h"

/* Generated content: more than a core's caches hold together with a compressor's state. */
#define GENERATED_BYTES ((size_t)8 << 20)
/* Blocks that are compressed before the clock starts. Afterwards symbols are bound, the device is
 * opened or found missing, and a first context has been recycled. */
#define WARM_UP_BLOCKS 64u

/* The blocks that are compressed over and over. There is at least one. */
struct content {
    unsigned char *storage;
    corpus_block *blocks;
    size_t n, largest;
};

struct arguments {
    bool blob, advanced;
    size_t block_bytes; /* 0: as the file has them */
    uint64_t blocks, files;
    uint64_t lap; /* 0: all blocks of the content */
    int level;
    const char *file;
};

struct totals {
    uint64_t blocks, bytes_in, bytes_out;
    double fastest_lap; /* seconds; 0 when none was completed */
};

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "hook: %s: %s\n", what, why);
    exit(EXIT_FAILED);
}

static void *allocate(size_t size)
{
    void *memory = malloc(size != 0 ? size : 1);
    if (memory == NULL)
        fail("malloc", "out of memory");
    return memory;
}

static const char doc[] =
    "Compresses blocks with libzstd as RocksDB does; prints CPU time and elapsed time of one.";

static const struct argp_option options[] = {
    {"pattern", 'p', "NAME", 0, "sst (default): a context per file. blob: a context per value", 0},
    {"path", 'a', "NAME", 0, "legacy (default): the calls of RocksDB up to 8.5. advanced: since",
     0},
    {"block-bytes", 'b', "N", 0,
     "1 to 4194304: content is cut into pieces of this size (default: blocks as FILE has them; "
     "without one 4096, for blobs 400)",
     0},
    {"blocks", 'n', "N", 0, "blocks per file, 1 to 1000000000 (default 4096)", 0},
    {"files", 'f', "N", 0, "1 to 1000000000 (default 8)", 0},
    {"level", 'l', "N", 0, "1 to 22 (default 3)", 0},
    {"content", 'c', "FILE", 0, "blocks that the command corpus wrote (default: lines of orders)",
     0},
    {"lap", 'L', "N", 0,
     "use only the first N blocks of the content, over and over, 1 to 1000000000 (default all). "
     "Each "
     "time through them is a lap. The fastest one is printed, too, as the least disturbed by other "
     "processes",
     0},
    {0}};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    static const char *const patterns[] = {"sst", "blob", NULL};
    static const char *const paths[] = {"legacy", "advanced", NULL};
    const int64_t most = 1000000000;
    struct arguments *args = state->input;

    switch (key) {
    case 'p':
        args->blob = options_word("--pattern", value, patterns) == 1;
        return 0;
    case 'a':
        args->advanced = options_word("--path", value, paths) == 1;
        return 0;
    case 'b':
        args->block_bytes =
            (size_t)options_number("--block-bytes", value, 1, CORPUS_MAX_BLOCK_BYTES);
        return 0;
    case 'n':
        args->blocks = (uint64_t)options_number("--blocks", value, 1, most);
        return 0;
    case 'f':
        args->files = (uint64_t)options_number("--files", value, 1, most);
        return 0;
    case 'l':
        args->level = (int)options_number("--level", value, 1, 22);
        return 0;
    case 'c':
        args->file = value;
        return 0;
    case 'L':
        args->lap = (uint64_t)options_number("--lap", value, 1, most);
        return 0;
    case ARGP_KEY_END:
        if (args->file == NULL && args->block_bytes == 0)
            args->block_bytes = args->blob ? 400 : 4096;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void add_block(struct content *content, const unsigned char *data, size_t size)
{
    content->blocks[content->n++] = (corpus_block){data, size};
    content->largest = size > content->largest ? size : content->largest;
}

/* Cuts a run of bytes into blocks of one size and drops the rest. */
static void add_pieces(struct content *content, const unsigned char *data, size_t size,
                       size_t block_bytes)
{
    for (size_t at = 0; block_bytes <= size - at; at += block_bytes)
        add_block(content, data + at, block_bytes);
}

static struct content load(const struct arguments *args)
{
    struct content content = {0};
    corpus_blocks file = {0};
    corpus_error error;
    size_t n;

    if (args->file == NULL) {
        n = GENERATED_BYTES / args->block_bytes;
        content.storage = allocate(GENERATED_BYTES);
        orders_fill(content.storage, GENERATED_BYTES);
    } else {
        if (corpus_load(args->file, &file, &error) != CORPUS_OK)
            fail("--content", error.message);
        n = args->block_bytes != 0 ? file.total_bytes / args->block_bytes : file.n_blocks;
        content.storage = file.storage;
    }
    content.blocks = allocate(n * sizeof *content.blocks);
    if (args->file == NULL)
        add_pieces(&content, content.storage, GENERATED_BYTES, args->block_bytes);
    for (size_t i = 0; i < file.n_blocks; i++) {
        if (args->block_bytes == 0)
            add_block(&content, file.blocks[i].data, file.blocks[i].size);
        else
            add_pieces(&content, file.blocks[i].data, file.blocks[i].size, args->block_bytes);
    }
    free(file.blocks);
    if (content.n == 0)
        fail(args->file, "holds no block of that size");
    if (args->lap != 0 && args->lap < content.n)
        content.n = (size_t)args->lap;
    return content;
}

static ZSTD_CCtx *begin_file(const struct arguments *args)
{
    ZSTD_CCtx *cctx = ZSTD_createCCtx();

    if (cctx == NULL || (args->advanced && ZSTD_isError(ZSTD_CCtx_setParameter(
                                               cctx, ZSTD_c_compressionLevel, args->level))))
        fail("libzstd", "no context");
    return cctx;
}

static size_t compress_block(const struct arguments *args, ZSTD_CCtx *cctx,
                             const corpus_block *block, void *out, size_t capacity)
{
    size_t size;

    if (args->advanced) {
        ZSTD_CCtx_loadDictionary(cctx, "", 0);
        size = ZSTD_compress2(cctx, out, capacity, block->data, block->size);
    } else {
        size = ZSTD_compress_usingDict(cctx, out, capacity, block->data, block->size, "", 0,
                                       args->level);
    }
    if (ZSTD_isError(size))
        fail("libzstd", ZSTD_getErrorName(size));
    return size;
}

static struct totals compress_files(const struct arguments *args, const struct content *content,
                                    void *out, size_t capacity, uint64_t files, uint64_t blocks)
{
    struct totals totals = {0};
    double lap_begun = times_now(CLOCK_PROCESS_CPUTIME_ID);
    size_t next = 0;

    for (uint64_t file = 0; file < files; file++) {
        ZSTD_CCtx *cctx = begin_file(args);
        for (uint64_t i = 0; i < blocks; i++) {
            const corpus_block *block = &content->blocks[next];
            totals.bytes_in += block->size;
            totals.bytes_out += compress_block(args, cctx, block, out, capacity);
            if (++next == content->n) {
                double now = times_now(CLOCK_PROCESS_CPUTIME_ID);
                if (totals.fastest_lap == 0 || now - lap_begun < totals.fastest_lap)
                    totals.fastest_lap = now - lap_begun;
                lap_begun = now;
                next = 0;
            }
        }
        ZSTD_freeCCtx(cctx);
        totals.blocks += blocks;
    }
    return totals;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {.options = options, .parser = take_option, .doc = doc};
    struct arguments args = {.blocks = 4096, .files = 8, .level = 3};
    struct content content;
    uint64_t files, blocks;
    size_t capacity;
    void *out;
    struct totals totals;
    double cpu, elapsed;

    options_parse(&argp, argc, argv, &args);
    content = load(&args);
    /* A blob is a file of one block, as far as libzstd can see. */
    files = args.blob ? args.files * args.blocks : args.files;
    blocks = args.blob ? 1 : args.blocks;
    capacity = ZSTD_compressBound(content.largest);
    out = allocate(capacity);
    compress_files(&args, &content, out, capacity, args.blob ? WARM_UP_BLOCKS : 1,
                   args.blob ? 1 : WARM_UP_BLOCKS);
    cpu = times_now(CLOCK_PROCESS_CPUTIME_ID);
    elapsed = times_now(CLOCK_MONOTONIC);
    totals = compress_files(&args, &content, out, capacity, files, blocks);
    cpu = times_now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    elapsed = times_now(CLOCK_MONOTONIC) - elapsed;

    if (totals.fastest_lap == 0)
        totals.fastest_lap = cpu * (double)content.n / (double)totals.blocks;
    printf("blocks %llu bytes_in %llu bytes_out %llu cpu_ns_per_block %.1f "
           "fastest_lap_cpu_ns_per_block %.1f elapsed_ns_per_block %.1f\n",
           (unsigned long long)totals.blocks, (unsigned long long)totals.bytes_in,
           (unsigned long long)totals.bytes_out, cpu * 1e9 / (double)totals.blocks,
           totals.fastest_lap * 1e9 / (double)content.n, elapsed * 1e9 / (double)totals.blocks);
    free(out);
    free(content.blocks);
    free(content.storage);
    return 0;
}
