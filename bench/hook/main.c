/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `hook`: calls libzstd as RocksDB's table and blob file builders do, and prints what
 * a block costs. It is linked to libzstd alone, dynamically, so that a preloaded
 * librockpress_zstd.so comes between the two as it does under RocksDB; bench/hook/cost compares
 * the two ways. Not linked to the corpus generator either, whose librocksdb would make a program
 * that is to be counted instruction by instruction start a hundred times more slowly.
 *
 *   sst    one context per file, then one call per data block of it
 *   blob   a context made and freed around each value, which is what RocksDB's BlobDB does
 *
 *   legacy     RocksDB up to 8.5: ZSTD_compress_usingDict with an empty dictionary
 *   advanced   since then: the level is set on the context, and for each block an empty
 *              dictionary is loaded before ZSTD_compress2
 *
 * What RocksDB does around these calls (a std::string that grows to ZSTD_compressBound, the
 * checksum, the write) is left out: it is the same with and without the hook.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zstd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

#define MAX_BLOCK_BYTES ((size_t)4 << 20)
#define MAX_FILE_BYTES ((size_t)1 << 30)
/* Of the generator: more than a core's caches hold of compressor state and input together. */
#define GENERATED_BYTES ((size_t)8 << 20)
/* Compressed before the clock starts: by then symbols are bound, the device is opened or found
 * missing, and a first context has been recycled. */
#define WARM_UP_BLOCKS 64u

struct block {
    const unsigned char *data;
    size_t size;
};

/* What is compressed, over and over: n blocks at least 1. */
struct content {
    unsigned char *storage;
    struct block *blocks;
    size_t n, largest;
};

struct arguments {
    bool blob, advanced;
    size_t block_bytes; /* 0: as the file has them */
    uint64_t blocks, files;
    uint64_t lap; /* 0: all that the content has */
    int level;
    const char *file;
};

struct totals {
    uint64_t blocks, bytes_in, bytes_out;
    double fastest_lap; /* seconds; 0 when none was completed */
};

static void usage(FILE *out)
{
    fputs(
        "usage: hook [--pattern sst|blob] [--path legacy|advanced] [--block-bytes N] [--blocks N]\n"
        "            [--files N] [--level N] [--content FILE] [--lap N]\n"
        "\n"
        "Compresses blocks with libzstd as RocksDB does; prints CPU time and elapsed time of one.\n"
        "\n"
        "  --pattern NAME    sst (default): a context per file. blob: a context per value\n"
        "  --path NAME       legacy (default): the calls of RocksDB up to 8.5. advanced: since\n"
        "  --block-bytes N   1 to 4194304. Content is cut into pieces of this size. Default: "
        "blocks\n"
        "                    as FILE has them; 4096, for blobs 400, without one\n"
        "  --blocks N        blocks per file, 1 to 1000000000 (default 4096)\n"
        "  --files N         1 to 1000000000 (default 8)\n"
        "  --level N         1 to 22 (default 3)\n"
        "  --content FILE    blocks that the command corpus wrote: 4 bytes of little-endian "
        "length\n"
        "                    and the block, each. Default: generated CSV lines\n"
        "  --lap N           use only the first N blocks of the content, over and over, 1 to\n"
        "                    1000000000 (default all). Each time through them is a lap; the "
        "fastest\n"
        "                    is printed too, as what is least disturbed by other processes\n",
        out);
}

static _Noreturn void die(int status, const char *what, const char *why)
{
    fprintf(stderr, "hook: %s: %s\n", what, why);
    exit(status);
}

static void *allocate(size_t size)
{
    void *memory = malloc(size != 0 ? size : 1);
    if (memory == NULL)
        die(EXIT_FAILED, "malloc", "out of memory");
    return memory;
}

static uint64_t number(const char *option, const char *text, uint64_t lowest, uint64_t highest)
{
    char *end;
    unsigned long long value;
    char why[128];

    errno = 0;
    value = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && *end == 0 && errno == 0 && value >= lowest &&
        value <= highest)
        return value;
    snprintf(why, sizeof why, "\"%.40s\" is not allowed; a number from %llu to %llu is", text,
             (unsigned long long)lowest, (unsigned long long)highest);
    die(EXIT_USAGE, option, why);
}

/* Whether the text is the second of two allowed words. */
static bool is_second(const char *option, const char *text, const char *first, const char *second)
{
    char why[128];

    if (strcmp(text, first) == 0 || strcmp(text, second) == 0)
        return strcmp(text, second) == 0;
    snprintf(why, sizeof why, "\"%.40s\" is not allowed; %s and %s are", text, first, second);
    die(EXIT_USAGE, option, why);
}

static struct arguments parse(int argc, char **argv)
{
    static const struct option options[] = {{"pattern", required_argument, NULL, 'p'},
                                            {"path", required_argument, NULL, 'a'},
                                            {"block-bytes", required_argument, NULL, 'b'},
                                            {"blocks", required_argument, NULL, 'n'},
                                            {"files", required_argument, NULL, 'f'},
                                            {"level", required_argument, NULL, 'l'},
                                            {"content", required_argument, NULL, 'c'},
                                            {"lap", required_argument, NULL, 'L'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct arguments args = {.blocks = 4096, .files = 8, .level = 3};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'p':
            args.blob = is_second("--pattern", optarg, "sst", "blob");
            break;
        case 'a':
            args.advanced = is_second("--path", optarg, "legacy", "advanced");
            break;
        case 'b':
            args.block_bytes = (size_t)number("--block-bytes", optarg, 1, MAX_BLOCK_BYTES);
            break;
        case 'n':
            args.blocks = number("--blocks", optarg, 1, 1000000000);
            break;
        case 'f':
            args.files = number("--files", optarg, 1, 1000000000);
            break;
        case 'l':
            args.level = (int)number("--level", optarg, 1, 22);
            break;
        case 'c':
            args.file = optarg;
            break;
        case 'L':
            args.lap = number("--lap", optarg, 1, 1000000000);
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            usage(stderr);
            exit(EXIT_USAGE);
        }
    }
    if (optind < argc)
        die(EXIT_USAGE, argv[optind], "not an option");
    if (args.file == NULL && args.block_bytes == 0)
        args.block_bytes = args.blob ? 400 : 4096;
    return args;
}

static size_t read_whole(const char *path, unsigned char **bytes)
{
    FILE *file = fopen(path, "rb");
    long size = -1;

    if (file == NULL)
        die(EXIT_FAILED, path, strerror(errno));
    if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0)
        die(EXIT_FAILED, path, strerror(errno));
    if ((size_t)size > MAX_FILE_BYTES)
        die(EXIT_FAILED, path, "larger than 1 GiB");
    *bytes = allocate((size_t)size);
    if (fread(*bytes, 1, (size_t)size, file) != (size_t)size)
        die(EXIT_FAILED, path, "cannot read");
    fclose(file);
    return (size_t)size;
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* One order after the other under ascending keys; shrinks at level 3 about as the csv corpus. */
static size_t generate(unsigned char **bytes)
{
    static const char *const states[] = {"new", "paid", "packed", "shipped", "returned"};
    static const char *const cities[] = {"Berlin", "Lyon", "Porto", "Gdansk", "Turin", "Malmo"};
    const size_t longest_line = 160;
    uint64_t state = 1, key = 100000000;
    size_t size = 0;

    *bytes = allocate(GENERATED_BYTES);
    while (size + longest_line <= GENERATED_BYTES) {
        uint64_t a = next_random(&state), b = next_random(&state);
        key += 1 + a % 7;
        size += (size_t)snprintf(
            (char *)*bytes + size, longest_line,
            "%012llu,2024-%02u-%02uT%02u:%02u:%02uZ,%u,%s,%s,%u.%02u,EUR,%u\n",
            (unsigned long long)key, (unsigned)(a >> 8) % 12 + 1, (unsigned)(a >> 16) % 28 + 1,
            (unsigned)(a >> 24) % 24, (unsigned)(a >> 32) % 60, (unsigned)(a >> 40) % 60,
            (unsigned)(b & 0xfffff), states[(b >> 20) % 5], cities[(b >> 28) % 6],
            (unsigned)(b >> 36) % 500, (unsigned)(b >> 48) % 100, (unsigned)(b >> 56) % 9 + 1);
    }
    return size;
}

static void add_block(struct content *content, const unsigned char *data, size_t size)
{
    content->blocks[content->n++] = (struct block){data, size};
    content->largest = size > content->largest ? size : content->largest;
}

/* Cuts a run of bytes into blocks; what is left over is dropped. */
static void add_pieces(struct content *content, const unsigned char *data, size_t size,
                       size_t block_bytes)
{
    for (size_t at = 0; block_bytes <= size - at; at += block_bytes)
        add_block(content, data + at, block_bytes);
}

static struct content load(const struct arguments *args)
{
    struct content content = {0};
    size_t size, at = 0;

    size =
        args->file != NULL ? read_whole(args->file, &content.storage) : generate(&content.storage);
    /* Each block of a file brings 4 bytes of length. */
    content.blocks = allocate((args->block_bytes != 0 ? size / args->block_bytes : size / 4 + 1) *
                              sizeof *content.blocks);
    if (args->file == NULL)
        add_pieces(&content, content.storage, size, args->block_bytes);
    while (args->file != NULL && size - at >= 4) {
        const unsigned char *p = content.storage + at;
        size_t length = p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
        if (length == 0 || length > MAX_BLOCK_BYTES || length > size - at - 4)
            break;
        if (args->block_bytes == 0)
            add_block(&content, p + 4, length);
        else
            add_pieces(&content, p + 4, length, args->block_bytes);
        at += 4 + length;
    }
    if (args->file != NULL && at != size)
        die(EXIT_FAILED, args->file, "is not a file of blocks");
    if (content.n == 0)
        die(EXIT_FAILED, args->file, "holds no block of that size");
    if (args->lap != 0 && args->lap < content.n)
        content.n = (size_t)args->lap;
    return content;
}

static ZSTD_CCtx *begin_file(const struct arguments *args)
{
    ZSTD_CCtx *cctx = ZSTD_createCCtx();

    if (cctx == NULL || (args->advanced && ZSTD_isError(ZSTD_CCtx_setParameter(
                                               cctx, ZSTD_c_compressionLevel, args->level))))
        die(EXIT_FAILED, "libzstd", "no context");
    return cctx;
}

static size_t compress_block(const struct arguments *args, ZSTD_CCtx *cctx,
                             const struct block *block, void *out, size_t capacity)
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
        die(EXIT_FAILED, "libzstd", ZSTD_getErrorName(size));
    return size;
}

static double seconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct totals compress_files(const struct arguments *args, const struct content *content,
                                    void *out, size_t capacity, uint64_t files, uint64_t blocks)
{
    struct totals totals = {0};
    double lap_begun = seconds(CLOCK_PROCESS_CPUTIME_ID);
    size_t next = 0;

    for (uint64_t file = 0; file < files; file++) {
        ZSTD_CCtx *cctx = begin_file(args);
        for (uint64_t i = 0; i < blocks; i++) {
            const struct block *block = &content->blocks[next];
            totals.bytes_in += block->size;
            totals.bytes_out += compress_block(args, cctx, block, out, capacity);
            if (++next == content->n) {
                double now = seconds(CLOCK_PROCESS_CPUTIME_ID);
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
    struct arguments args = parse(argc, argv);
    struct content content = load(&args);
    /* A blob is a file of one block, as far as libzstd can see. */
    uint64_t files = args.blob ? args.files * args.blocks : args.files;
    uint64_t blocks = args.blob ? 1 : args.blocks;
    size_t capacity = ZSTD_compressBound(content.largest);
    void *out = allocate(capacity);
    struct totals totals;
    double cpu, elapsed;

    compress_files(&args, &content, out, capacity, args.blob ? WARM_UP_BLOCKS : 1,
                   args.blob ? 1 : WARM_UP_BLOCKS);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    elapsed = seconds(CLOCK_MONOTONIC);
    totals = compress_files(&args, &content, out, capacity, files, blocks);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    elapsed = seconds(CLOCK_MONOTONIC) - elapsed;

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
