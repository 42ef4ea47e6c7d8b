/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `batch`: what the batch route costs the CPU of a machine whose GPU does the work. It
 * calls the plugin as RocksDB's table builder does: with the samples of a file, then with each of
 * its blocks. The device costs nothing. The real kernels compress the first file, which is not
 * measured, and what they wrote is recorded. In the files that are measured, launches and copies to
 * the device do nothing, and copies from the device replay the record, as a GPU's DMA engine would,
 * in time that is not counted.
 *
 * Everything else is counted: copies of samples, fingerprints, plans, look-ups, comparisons, copies
 * of frames, locks, counters, clocks. The driver's work is missing: some 30 calls that enqueue each
 * part of 4 MiB.
 *
 * Files alternate with libzstd on the same blocks. Results are medians over the rounds.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "bench/common/json.h"
#include "bench/common/options.h"
#include "bench/common/orders.h"
#include "bench/common/times.h"
#include "plugin/batch/batch.h"
#include "plugin/core/nesting.h"
#include "plugin/route/route.h"
#include "rockpress/plugin.h"

#define MAX_ROUNDS 1000

struct arguments {
    size_t block_bytes, n_blocks;
    unsigned rounds;
    int level;
    bool json;
};

struct file {
    uint8_t *bytes;   /* blocks in the order in which they are compressed */
    uint8_t *samples; /* the same blocks in the order in which RocksDB shows them as samples */
    size_t *sizes;
    size_t n;
};

/* ---- the device ---- */

struct record {
    size_t bytes;
    uint8_t content[];
};

static const rp_device *host;
static bool is_replaying;
static struct record **records;
static size_t n_records, next_record;
static double uncounted; /* seconds of this thread inside the device */

static void *allocate(size_t size)
{
    void *memory = malloc(size != 0 ? size : 1);

    if (memory == NULL) {
        fputs("batch: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static void record(const void *content, size_t bytes)
{
    struct record *made = allocate(sizeof(*made) + bytes);

    made->bytes = bytes;
    memcpy(made->content, content, bytes);
    records = realloc(records, (n_records + 1) * sizeof(*records));
    if (records == NULL)
        exit(1);
    records[n_records++] = made;
}

static void replay(void *destination, size_t bytes)
{
    const struct record *next = records[next_record++ % n_records];

    if (next->bytes != bytes) {
        fputs("batch: the plugin asks the device for another copy than in the first file\n",
              stderr);
        exit(1);
    }
    memcpy(destination, next->content, bytes);
}

static rp_status device_alloc(const rp_device *device, size_t bytes, void **memory)
{
    (void)device;
    return host->ops->memory_alloc(host, bytes, memory);
}

static void device_free(const rp_device *device, void *memory)
{
    (void)device;
    host->ops->memory_free(host, memory);
}

static rp_status device_stream_create(const rp_device *device, void **handle)
{
    (void)device;
    *handle = NULL;
    return RP_STATUS_OK;
}

static void device_stream_destroy(const rp_device *device, void *handle)
{
    (void)device;
    (void)handle;
}

static rp_status device_copy(rp_stream stream, void *destination, const void *source, size_t bytes,
                             rp_copy_kind kind)
{
    double begun = times_now(CLOCK_THREAD_CPUTIME_ID);

    (void)stream;
    if (!is_replaying) {
        memcpy(destination, source, bytes);
        if (kind == RP_COPY_DEVICE_TO_HOST)
            record(source, bytes);
    } else if (kind == RP_COPY_DEVICE_TO_HOST) {
        replay(destination, bytes);
    }
    uncounted += times_now(CLOCK_THREAD_CPUTIME_ID) - begun;
    return RP_STATUS_OK;
}

static rp_status device_launch(rp_stream stream, const struct rp_launch *launch)
{
    rp_stream on_host = {host, NULL};

    (void)stream;
    return is_replaying ? RP_STATUS_OK : host->ops->launch(on_host, launch);
}

static rp_status device_wait(rp_stream stream, uint32_t timeout_us)
{
    (void)stream;
    (void)timeout_us;
    return RP_STATUS_OK;
}

static void device_close(rp_device *device)
{
    (void)device;
}

static const rp_device_ops device_ops = {
    sizeof(rp_device_ops), device_alloc,         device_free,           device_alloc,
    device_free,           device_stream_create, device_stream_destroy, device_copy,
    device_launch,         device_wait,          device_close,
};

static const rp_device free_device = {sizeof(rp_device), &device_ops, "free", 0, NULL};

/* ---- a file ---- */

static struct file make_file(const struct arguments *args)
{
    struct file file = {NULL, NULL, NULL, args->n_blocks};
    size_t total = args->n_blocks * args->block_bytes;
    size_t place = file.n / 2, step = (size_t)(UINT64_C(545055921143) % file.n);

    file.bytes = allocate(total);
    file.samples = allocate(total);
    file.sizes = allocate(file.n * sizeof(size_t));
    orders_fill(file.bytes, total);
    for (size_t i = 0; i < file.n; i++) {
        memcpy(file.samples + i * args->block_bytes, file.bytes + place * args->block_bytes,
               args->block_bytes);
        file.sizes[i] = args->block_bytes;
        place = (place + step) % file.n;
    }
    return file;
}

/* ---- the batch route and libzstd ---- */

struct costs {
    double begin_us, take_us; /* of a block */
};

static struct costs run_batch(const struct arguments *args, const struct file *file, uint8_t *frame,
                              size_t capacity)
{
    rp_route_hint hint = {args->level, false};
    double begun = times_now(CLOCK_THREAD_CPUTIME_ID), begin_seconds, take_seconds;
    size_t frame_size;
    rp_batch_id id;

    uncounted = 0;
    next_record = 0;
    id = rp_route_begin_batch(file->samples, file->sizes, file->n, &hint);
    begin_seconds = times_now(CLOCK_THREAD_CPUTIME_ID) - begun - uncounted;
    begun = times_now(CLOCK_THREAD_CPUTIME_ID);
    uncounted = 0;
    for (size_t i = 0; i < file->n; i++) {
        rp_request request = {file->bytes + i * args->block_bytes,
                              args->block_bytes,
                              frame,
                              capacity,
                              args->level,
                              false};
        if (id == 0 || rp_route_compress(&request, &frame_size) != RP_FALLBACK_NONE) {
            fputs("batch: a block was not served\n", stderr);
            exit(1);
        }
    }
    rp_batch_end(id);
    take_seconds = times_now(CLOCK_THREAD_CPUTIME_ID) - begun - uncounted;
    return (struct costs){begin_seconds * 1e6 / (double)file->n,
                          take_seconds * 1e6 / (double)file->n};
}

typedef size_t compress_function(ZSTD_CCtx *, void *, size_t, const void *, size_t, int);

static double run_zstd(const struct arguments *args, const struct file *file, uint8_t *frame,
                       size_t capacity)
{
    /* By dlopen, because this program has the plugin's own ZSTD_compressCCtx. */
    static void *library;
    ZSTD_CCtx *(*create)(void);
    compress_function *compress;
    size_t (*destroy)(ZSTD_CCtx *);
    ZSTD_CCtx *cctx;
    rp_nesting nesting;
    double begun;

    if (library == NULL)
        library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fputs("batch: no libzstd.so.1\n", stderr);
        exit(1);
    }
    create = (ZSTD_CCtx * (*)(void)) dlsym(library, "ZSTD_createCCtx");
    compress = (compress_function *)dlsym(library, "ZSTD_compressCCtx");
    destroy = (size_t(*)(ZSTD_CCtx *))dlsym(library, "ZSTD_freeCCtx");
    /* libzstd calls its own functions through its PLT and so reaches the plugin's hook in this
     * program. The nesting tells the hook to forward. */
    rp_nesting_enter(&nesting);
    cctx = create();
    begun = times_now(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < file->n; i++)
        compress(cctx, frame, capacity, file->bytes + i * args->block_bytes, args->block_bytes,
                 args->level);
    begun = times_now(CLOCK_THREAD_CPUTIME_ID) - begun;
    destroy(cctx);
    rp_nesting_leave(&nesting);
    return begun * 1e6 / (double)file->n;
}

static const char doc[] =
    "Measures the host's side of the batch route, on a device that costs nothing.";

static const struct argp_option options[] = {
    {"block-bytes", 'b', "N", 0, "1024 to 262144 (default 16384)", 0},
    {"blocks", 'n', "N", 0, "of a file, 1 to 100000 (default 4096)", 0},
    {"rounds", 'r', "N", 0, "1 to 1000 (default 9)", 0},
    {"level", 'l', "N", 0, "zstd's, 1 to 19 (default 3)", 0},
    {"json", 'j', NULL, 0, "print JSON", 0},
    {0}};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct arguments *args = state->input;

    switch (key) {
    case 'b':
        args->block_bytes = (size_t)options_number("--block-bytes", value, 1024, 262144);
        return 0;
    case 'n':
        args->n_blocks = (size_t)options_number("--blocks", value, 1, 100000);
        return 0;
    case 'r':
        args->rounds = (unsigned)options_number("--rounds", value, 1, MAX_ROUNDS);
        return 0;
    case 'l':
        args->level = (int)options_number("--level", value, 1, 19);
        return 0;
    case 'j':
        args->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void configure(const struct arguments *args)
{
    rp_plugin_config config;
    rp_device *opened;

    if (rp_device_open("host", &opened) != RP_STATUS_OK)
        exit(1);
    host = opened;
    rp_plugin_config_default(&config, sizeof(config));
    config.goal = RP_GOAL_DEVICE;
    rp_plugin_config_from_environment(&config, NULL);
    config.custom_device = &free_device;
    config.batch = RP_BATCH_ON;
    config.log = RP_LOG_OFF;
    if (config.batch_memory_bytes < args->n_blocks * args->block_bytes * 2)
        config.batch_memory_bytes = args->n_blocks * args->block_bytes * 2;
    if (rp_plugin_configure(&config, NULL) != RP_STATUS_OK)
        exit(1);
}

int main(int argc, char **argv)
{
    static double begin[MAX_ROUNDS], take[MAX_ROUNDS], whole[MAX_ROUNDS], zstd[MAX_ROUNDS];
    static const struct argp argp = {.options = options, .parser = take_option, .doc = doc};
    struct arguments args = {16384, 4096, 9, 3, false};
    struct file file;
    size_t capacity;
    uint8_t *frame;
    double raw;

    options_parse(&argp, argc, argv, &args);
    file = make_file(&args);
    capacity = ZSTD_compressBound(args.block_bytes);
    frame = allocate(capacity);
    raw = (double)(args.n_blocks * args.block_bytes);

    configure(&args);
    run_batch(&args, &file, frame, capacity);
    is_replaying = true;
    for (unsigned i = 0; i < args.rounds; i++) {
        struct costs costs = run_batch(&args, &file, frame, capacity);
        begin[i] = costs.begin_us;
        take[i] = costs.take_us;
        whole[i] = costs.begin_us + costs.take_us;
        zstd[i] = run_zstd(&args, &file, frame, capacity);
    }
    if (args.json) {
        printf("{");
        json_put_machine(stdout);
        printf("\"block_bytes\": %zu, \"blocks\": %zu, \"rounds\": %u, \"level\": %d, "
               "\"begin_us\": %.3f, \"take_us\": %.3f, \"batch_us\": %.3f, \"zstd_us\": %.3f, "
               "\"peak_bytes_per_raw_byte\": %.3f}\n",
               args.block_bytes, args.n_blocks, args.rounds, args.level,
               times_median(begin, args.rounds), times_median(take, args.rounds),
               times_median(whole, args.rounds), times_median(zstd, args.rounds),
               (double)rp_stats_value(RP_STAT_BATCH_PEAK_BYTES, 0) / raw);
        return 0;
    }
    printf("CPU microseconds of a block of %zu bytes, medians of %u files of %zu blocks\n",
           args.block_bytes, args.rounds, args.n_blocks);
    printf("batch route, begin      %8.2f\n", times_median(begin, args.rounds));
    printf("batch route, take       %8.2f\n", times_median(take, args.rounds));
    printf("batch route             %8.2f\n", times_median(whole, args.rounds));
    printf("libzstd, level %-2d       %8.2f\n", args.level, times_median(zstd, args.rounds));
    printf("peak host memory, bytes for a byte of the file  %.3f\n",
           (double)rp_stats_value(RP_STAT_BATCH_PEAK_BYTES, 0) / raw);
    return 0;
}
