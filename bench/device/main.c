/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `device`: how fast a device compresses batches in device memory on one stream or
 * several, batches from host memory to host memory, and single blocks. It measures rockpress's
 * efforts and, on request, nvCOMP's batched zstd on the same blocks in the same run, and also how
 * fast the device copies to and from the host.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "bench/common/efforts.h"
#include "bench/common/json.h"
#include "bench/common/times.h"
#include "bench/device/measure.h"

enum { MAX_LATENCIES = 10000, MAX_REPEATS = 1000, MIN_PART = 1 << 20, MAX_PART = 1 << 30 };

static const char doc[] =
    "Measures what a device compresses, and compares with libzstd. FILE.blocks is a file that the "
    "command corpus wrote, DIRECTORY one of such files.";

static const struct argp_option options[] = {
    {"device", 'd', "NAME", 0, "cuda, cuda:N or host (default cuda)", 0},
    {"block-bytes", 'b', "N,..", 0, "of the files (default all there are)", 0},
    {"blocks", 'n', "N,..", 0, "blocks in a batch, 1 to 1048576 (default 4096)", 0},
    {"streams", 's', "N,..", 0, "over which a batch is divided, 1 to 64, or none (default 1,4)", 0},
    {"threads", 't', "N,..", 0, "for batches in host memory, 1 to 64, or none (default 1,8)", 0},
    {"repeat", 'R', "N", 0,
     "how often a thread compresses its part in a round without waiting for the others, 1 to 1000 "
     "(default 1)",
     0},
    {"part", 'p', "N", 0, "bytes that a thread has the device work on at once (default 16M)", 0},
    {"efforts", 'e', "E,..", 0, "fast, default, high, max (default fast,default)", 0},
    {"checksum", 'c', NULL, 0, "rockpress's frames have a checksum", 0},
    {"rounds", 'r', "N", 0, "timed rounds, 1 to 1000 (default 7)", 0},
    {"latency", 'l', "N", 0, "single blocks timed, 0 to 10000 (default 200)", 0},
    {"paths", 'P', NULL, 0, "single blocks also on other ways to the device and back", 0},
    {"verify", 'v', "N", 0, "frames of each batch that libzstd decodes (default all)", 0},
    {"stages", 'S', NULL, 0, "also each stage's time", 0},
    {"decode", 'D', NULL, 0,
     "also with frames that the device proves (efforts with +v), and the proof alone beside "
     "nvCOMP's decompression of the same frames, and what the CPU does for a proof",
     0},
    {"nvcomp", 'N', "PATH", 0, "also nvCOMP's zstd; its library's path, or auto", 0},
    {"json", 'j', "FILE", 0, "also write the results, and what they are of, as JSON", 0},
    {0}};

struct settings {
    struct device_blocks *blocks;
    const char *device, *json, *nvcomp;
    struct options_list sizes, batches, streams, threads;
    struct options_list efforts; /* of effort_words */
    unsigned n_rounds, n_repeats, n_latencies;
    size_t part_bytes;
    size_t n_verify;
    bool stages;
    bool decode;
    bool paths;
    int argc;
    char **argv;
};

struct report {
    FILE *json; /* or NULL */
    unsigned n_rows;
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct settings *s = state->input;
    switch (key) {
    case 'd':
        s->device = value;
        return 0;
    case 'b':
        options_numbers(&s->sizes, "--block-bytes", value, 1, CORPUS_MAX_BLOCK_BYTES);
        return 0;
    case 'n':
        options_numbers(&s->batches, "--blocks", value, 1, 1 << 20);
        return 0;
    case 's':
        options_numbers(&s->streams, "--streams", value, 1, DEVICE_MAX_STREAMS);
        return 0;
    case 't':
        options_numbers(&s->threads, "--threads", value, 1, DEVICE_MAX_STREAMS);
        return 0;
    case 'R':
        s->n_repeats = (unsigned)options_number("--repeat", value, 1, MAX_REPEATS);
        return 0;
    case 'p':
        s->part_bytes = (size_t)options_number("--part", value, MIN_PART, MAX_PART);
        return 0;
    case 'e':
        options_words(&s->efforts, "--efforts", value, effort_words);
        return 0;
    case 'c':
        device_set_flags(RP_COMPRESS_CHECKSUM);
        return 0;
    case 'r':
        s->n_rounds = (unsigned)options_number("--rounds", value, 1, DEVICE_MAX_ROUNDS);
        return 0;
    case 'l':
        s->n_latencies = (unsigned)options_number("--latency", value, 0, MAX_LATENCIES);
        return 0;
    case 'P':
        s->paths = true;
        return 0;
    case 'v':
        s->n_verify = (size_t)options_number("--verify", value, 0, 1 << 20);
        return 0;
    case 'S':
        s->stages = true;
        return 0;
    case 'D':
        s->decode = true;
        return 0;
    case 'N':
        s->nvcomp = value;
        return 0;
    case 'j':
        s->json = value;
        return 0;
    case ARGP_KEY_ARG:
        if (!device_blocks_add(s->blocks, value))
            exit(EXIT_FAILED);
        return 0;
    case ARGP_KEY_NO_ARGS:
        options_die("no file of blocks is given");
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void parse(struct settings *s, struct device_blocks *blocks, int argc, char **argv)
{
    static const struct argp argp = {.options = options,
                                     .parser = take_option,
                                     .args_doc = "FILE.blocks|DIRECTORY...",
                                     .doc = doc};
    *s = (struct settings){.blocks = blocks,
                           .device = "cuda",
                           .batches = {.n = 1, .values = {4096}},
                           .streams = {.n = 2, .values = {1, 4}},
                           .threads = {.n = 2, .values = {1, 8}},
                           .efforts = {.n = 2, .values = {0, 1}},
                           .n_rounds = 7,
                           .n_repeats = 1,
                           .part_bytes = (size_t)16 << 20,
                           .n_latencies = 200,
                           .n_verify = SIZE_MAX,
                           .argc = argc,
                           .argv = argv};
    options_parse(&argp, argc, argv, s);
    if (!device_blocks_group(blocks, &s->sizes))
        exit(EXIT_FAILED);
}

/* What nvidia-smi says about the GPU and its clocks, in its own words. */
static void read_gpu(char *line, size_t capacity)
{
    FILE *f = popen("nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm,clocks.mem "
                    "--format=csv,noheader 2>/dev/null",
                    "r");
    line[0] = 0;
    if (f && !fgets(line, (int)capacity, f))
        line[0] = 0;
    line[strcspn(line, "\n")] = 0;
    if (f)
        pclose(f);
}

static bool open_json(struct report *r, const struct settings *s,
                      const struct device_blocks *blocks, const rp_device *device)
{
    char gpu[256];
    if (!s->json)
        return true;
    r->json = fopen(s->json, "w");
    if (!r->json) {
        fprintf(stderr, "device: cannot create %s: %s\n", s->json, strerror(errno));
        return false;
    }
    read_gpu(gpu, sizeof gpu);
    fputs("{\n", r->json);
    json_put_machine(r->json);
    fprintf(r->json, "  \"versions\": {\"rockpress\": \"%s\", \"zstd\": \"%s\"},\n  \"device\": ",
            ROCKPRESS_VERSION, ZSTD_versionString());
    json_put_string(r->json, device->name);
    fputs(",\n  \"gpu\": ", r->json);
    json_put_string(r->json, gpu);
    fprintf(r->json, ",\n  \"clock\": \"%s\",\n  \"command\": [", device_timer_kind(device));
    for (int i = 0; i < s->argc; i++) {
        fputs(i ? ", " : "", r->json);
        json_put_string(r->json, s->argv[i]);
    }
    fputs("],\n  \"files\": [", r->json);
    for (unsigned i = 0; i < blocks->n_files; i++) {
        fputs(i ? ",\n    {\"name\": " : "\n    {\"name\": ", r->json);
        json_put_string(r->json, blocks->files[i].name);
        fprintf(r->json, ", \"xxh64\": \"%016llx\"}", (unsigned long long)blocks->files[i].hash);
    }
    fprintf(r->json,
            "],\n  \"rounds\": %u,\n  \"repeats\": %u,\n  \"part_bytes\": %zu,\n  \"rows\": [",
            s->n_rounds, s->n_repeats, s->part_bytes);
    return true;
}

static bool close_json(struct report *r, const char *path)
{
    if (!r->json)
        return true;
    fputs("\n  ]\n}\n", r->json);
    const bool good = !ferror(r->json);
    if (fclose(r->json) != 0 || !good) {
        fprintf(stderr, "device: cannot write %s\n", path);
        return false;
    }
    return true;
}

/* Begins a row. The caller adds the fields that only this kind of row has, and the closing brace.
 */
static void put_row(struct report *r, const char *what, const struct device_group *group)
{
    if (r->json)
        fprintf(r->json, "%s\n    {\"what\": \"%s\", \"block_bytes\": %zu", r->n_rows++ ? "," : "",
                what, group->block_bytes);
}

static void report_batch(struct report *r, const char *what, const struct device_group *group,
                         const char *encoder, const char *variant, size_t n_blocks,
                         unsigned n_parts, size_t raw_bytes, struct device_result *result)
{
    const double seconds = times_median(result->seconds, result->n_rounds);
    const double ratio = (double)raw_bytes / (double)result->compressed_bytes;
    printf("%-8s %7zu %8zu %4u  %-9s %-8s %8.2f GB/s %9.3f ms  ratio %.4f  %zu verified\n", what,
           group->block_bytes, n_blocks, n_parts, encoder, variant,
           (double)raw_bytes / seconds * 1e-9, seconds * 1e3, ratio, result->n_verified);
    put_row(r, what, group);
    if (r->json)
        fprintf(r->json,
                ", \"encoder\": \"%s\", \"variant\": \"%s\", \"n_blocks\": %zu, \"%s\": %u, "
                "\"raw_bytes\": %zu, \"compressed_bytes\": %zu, \"seconds\": %.9f, "
                "\"gb_s\": %.4f, \"n_verified\": %zu}",
                encoder, variant, n_blocks, strcmp(what, "host") == 0 ? "threads" : "streams",
                n_parts, raw_bytes, result->compressed_bytes, seconds,
                (double)raw_bytes / seconds * 1e-9, result->n_verified);
}

static void report_stages(struct report *r, const struct device_load *load, const char *variant,
                          const double *seconds)
{
    static const char *const names[DEVICE_N_STAGES] = {"lz77", "huffman", "fse", "frame"};
    put_row(r, "stages", load->group);
    if (r->json)
        fprintf(r->json, ", \"variant\": \"%s\", \"n_blocks\": %zu", variant, load->parts[0].n);
    printf("%-8s %7zu %8zu       %-18s", "stages", load->group->block_bytes, load->parts[0].n,
           variant);
    for (unsigned k = 0; k < DEVICE_N_STAGES; k++) {
        printf("  %s %.3f ms", names[k], seconds[k] * 1e3);
        if (r->json)
            fprintf(r->json, ", \"%s_seconds\": %.9f", names[k], seconds[k]);
    }
    putchar('\n');
    if (r->json)
        fputc('}', r->json);
}

static bool measure_decoders(struct report *r, const struct settings *s, struct device_load *load,
                             rp_effort effort, bool with_nvcomp)
{
    double seconds[DEVICE_N_DECODERS];
    const struct device_batch *part = &load->parts[0];
    if (!device_measure_decoders(load, effort, with_nvcomp, s->n_rounds, seconds))
        return false;
    for (unsigned k = 0; k < (with_nvcomp ? DEVICE_N_DECODERS : DEVICE_N_DECODERS - 1U); k++) {
        const double gb_s = (double)part->total_bytes / seconds[k] * 1e-9;
        printf("%-8s %7zu %8zu       %-9s %-20s %8.2f GB/s %9.3f ms\n", "decode",
               load->group->block_bytes, part->n, rp_effort_name(effort), device_decoder_names[k],
               gb_s, seconds[k] * 1e3);
        put_row(r, "decode", load->group);
        if (r->json)
            fprintf(r->json,
                    ", \"variant\": \"%s\", \"decoder\": \"%s\", \"n_blocks\": %zu, "
                    "\"seconds\": %.9f, \"gb_s\": %.4f}",
                    rp_effort_name(effort), device_decoder_names[k], part->n, seconds[k], gb_s);
    }
    return true;
}

static bool measure_resident(struct report *r, const struct settings *s, rp_device *device,
                             const struct device_group *group, size_t n_blocks, unsigned n_streams,
                             const struct device_encoder *encoders, unsigned n_encoders)
{
    static struct device_result results[DEVICE_MAX_ENCODERS];
    struct device_load load;
    size_t capacity = 0;
    for (unsigned k = 0; k < n_encoders; k++) {
        const size_t needed = encoders[k].output_bytes(&encoders[k], group->max_bytes);
        capacity = needed > capacity ? needed : capacity;
    }
    memset(results, 0, sizeof results);
    bool good =
        device_load_open(&load, device, group, n_blocks, n_streams, capacity) &&
        device_measure_resident(&load, encoders, n_encoders, s->n_rounds, s->n_verify, results);
    for (unsigned k = 0; k < n_encoders && good; k++)
        report_batch(r, "resident", group, encoders[k].name, encoders[k].variant, n_blocks,
                     n_streams, load.raw_bytes, &results[k]);
    for (unsigned k = 0; k < s->efforts.n && good && s->stages && n_streams == 1; k++) {
        double seconds[DEVICE_N_STAGES];
        good = device_measure_stages(&load, effort_of(s->efforts.values[k]), s->n_rounds, seconds);
        if (good)
            report_stages(r, &load, rp_effort_name(effort_of(s->efforts.values[k])), seconds);
    }
    const bool with_nvcomp = strcmp(encoders[n_encoders - 1].name, "nvcomp") == 0;
    for (unsigned k = 0; k < s->efforts.n && good && s->decode && n_streams == 1; k++)
        good = measure_decoders(r, s, &load, effort_of(s->efforts.values[k]), with_nvcomp);
    device_load_close(&load);
    return good;
}

/* Efforts without verification and, with --decode, with it. Calls `measure` for each. */
typedef bool measure_function(struct report *r, const struct settings *s, rp_device *device,
                              const struct device_group *group, size_t n_blocks, unsigned n_threads,
                              rp_effort effort, uint32_t flags);

static bool for_efforts(measure_function *measure, struct report *r, const struct settings *s,
                        rp_device *device, const struct device_group *group, size_t n_blocks,
                        unsigned n_threads)
{
    bool good = true;
    for (unsigned k = 0; k < s->efforts.n && good; k++) {
        const rp_effort effort = effort_of(s->efforts.values[k]);
        good = measure(r, s, device, group, n_blocks, n_threads, effort, 0);
        if (good && s->decode)
            good = measure(r, s, device, group, n_blocks, n_threads, effort, RP_COMPRESS_VERIFY);
    }
    return good;
}

static bool measure_host(struct report *r, const struct settings *s, rp_device *device,
                         const struct device_group *group, size_t n_blocks, unsigned n_threads,
                         rp_effort effort, uint32_t flags)
{
    static struct device_result result;
    size_t raw_bytes = 0;
    for (size_t i = 0; i < n_blocks; i++)
        raw_bytes += group->blocks[i % group->n_blocks].size;
    const struct device_host_plan plan = {n_threads, s->part_bytes, s->n_rounds, s->n_repeats};
    const bool good = device_measure_host(device, group, n_blocks, &plan, effort, flags, &result);
    if (good)
        report_batch(r, "host", group, "rockpress", device_variant_name(effort, flags != 0),
                     n_blocks, n_threads, raw_bytes, &result);
    return good;
}

static bool measure_latency(struct report *r, const struct settings *s, rp_device *device,
                            const struct device_group *group, size_t n_blocks, unsigned n_threads,
                            rp_effort effort, uint32_t flags)
{
    static double seconds[MAX_LATENCIES];
    const unsigned n = s->n_latencies;
    (void)n_blocks;
    (void)n_threads;
    if (n == 0)
        return true;
    if (!device_measure_latency(device, group, effort, flags, seconds, n))
        return false;
    const double p50 = seconds[n / 2], p90 = seconds[n * 9 / 10], p99 = seconds[n * 99 / 100];
    const char *variant = device_variant_name(effort, flags != 0);
    printf("%-8s %7zu %8u       %-18s  p50 %.1f us  p90 %.1f us  p99 %.1f us\n", "latency",
           group->block_bytes, n, variant, p50 * 1e6, p90 * 1e6, p99 * 1e6);
    put_row(r, "latency", group);
    if (r->json)
        fprintf(r->json,
                ", \"variant\": \"%s\", \"n\": %u, \"p50_us\": %.2f, \"p90_us\": %.2f, "
                "\"p99_us\": %.2f}",
                variant, n, p50 * 1e6, p90 * 1e6, p99 * 1e6);
    return true;
}

static bool measure_check(struct report *r, const struct settings *s,
                          const struct device_group *group)
{
    double seconds;
    if (!s->decode)
        return true;
    if (!device_measure_check(group, s->n_rounds, &seconds))
        return false;
    printf("%-8s %7zu                             %.2f us for each block on the CPU\n", "check",
           group->block_bytes, seconds * 1e6);
    put_row(r, "check", group);
    if (r->json)
        fprintf(r->json, ", \"us\": %.3f}", seconds * 1e6);
    return true;
}

/* The other ways that a lane could take, one block at a time. */
static bool measure_paths(struct report *r, const struct settings *s, rp_device *device,
                          const struct device_group *group)
{
    static double memory[DEVICE_N_PATHS][MAX_LATENCIES];
    double *seconds[DEVICE_N_PATHS];
    bool good = true;
    for (unsigned path = 0; path < DEVICE_N_PATHS; path++)
        seconds[path] = memory[path];
    for (unsigned k = 0; k < s->efforts.n && good && s->paths && s->n_latencies != 0; k++) {
        const char *variant = rp_effort_name(effort_of(s->efforts.values[k]));
        good = device_measure_paths(device, group, effort_of(s->efforts.values[k]), s->n_latencies,
                                    seconds);
        for (unsigned path = 0; path < DEVICE_N_PATHS && good; path++) {
            const double p50 = times_median(seconds[path], s->n_latencies);
            printf("%-8s %7zu %8u       %-8s %-18s  p50 %.1f us\n", "path", group->block_bytes,
                   s->n_latencies, variant, device_path_names[path], p50 * 1e6);
            put_row(r, "path", group);
            if (r->json)
                fprintf(r->json,
                        ", \"variant\": \"%s\", \"path\": \"%s\", \"n\": %u, \"p50_us\": %.2f}",
                        variant, device_path_names[path], s->n_latencies, p50 * 1e6);
        }
    }
    return good;
}

/* Compresses the same blocks with libzstd. This is not timed: only the ratio is reported. */
static bool report_libzstd(struct report *r, const struct device_group *group)
{
    static const int levels[] = {3, 6, 9, 12};
    const size_t capacity = ZSTD_compressBound(group->max_bytes);
    void *output = malloc(capacity);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    bool good = output && context;
    for (unsigned k = 0; k < sizeof levels / sizeof levels[0] && good; k++) {
        size_t bytes = 0;
        for (size_t i = 0; i < group->n_blocks; i++)
            bytes += ZSTD_compressCCtx(context, output, capacity, group->blocks[i].data,
                                       group->blocks[i].size, levels[k]);
        printf("%-8s %7zu %8zu       level %-12d  ratio %.4f\n", "libzstd", group->block_bytes,
               group->n_blocks, levels[k], (double)group->raw_bytes / (double)bytes);
        put_row(r, "libzstd", group);
        if (r->json)
            fprintf(r->json,
                    ", \"level\": %d, \"n_blocks\": %zu, \"raw_bytes\": %zu, "
                    "\"compressed_bytes\": %zu}",
                    levels[k], group->n_blocks, group->raw_bytes, bytes);
    }
    ZSTD_freeCCtx(context);
    free(output);
    return good;
}

static bool measure_copies(struct report *r, rp_device *device, const struct device_group *group)
{
    const size_t n_bytes = (size_t)64 << 20;
    double bytes_s[2];
    if (!device_measure_copies(device, n_bytes, bytes_s))
        return false;
    printf("%-8s %zu bytes, pinned: to the device %.2f GB/s, back %.2f GB/s\n", "copies", n_bytes,
           bytes_s[0] * 1e-9, bytes_s[1] * 1e-9);
    put_row(r, "copies", group);
    if (r->json)
        fprintf(r->json, ", \"bytes\": %zu, \"to_device_gb_s\": %.3f, \"to_host_gb_s\": %.3f}",
                n_bytes, bytes_s[0] * 1e-9, bytes_s[1] * 1e-9);
    return true;
}

static bool measure_group(struct report *r, const struct settings *s, rp_device *device,
                          const struct device_group *group, const struct device_encoder *encoders,
                          unsigned n_encoders)
{
    bool good = report_libzstd(r, group);
    for (unsigned b = 0; b < s->batches.n && good; b++) {
        for (unsigned k = 0; k < s->streams.n && good; k++)
            if (s->streams.values[k] <= s->batches.values[b])
                good = measure_resident(r, s, device, group, (size_t)s->batches.values[b],
                                        (unsigned)s->streams.values[k], encoders, n_encoders);
        for (unsigned k = 0; k < s->threads.n && good; k++)
            if (s->threads.values[k] <= s->batches.values[b])
                good = for_efforts(measure_host, r, s, device, group, (size_t)s->batches.values[b],
                                   (unsigned)s->threads.values[k]);
    }
    return good && for_efforts(measure_latency, r, s, device, group, 0, 0) &&
           measure_check(r, s, group) && measure_paths(r, s, device, group);
}

int main(int argc, char **argv)
{
    static struct device_blocks blocks;
    struct settings s;
    struct device_encoder encoders[DEVICE_MAX_ENCODERS];
    struct report r = {NULL, 0};
    rp_device *device;
    unsigned n_encoders = 0;
    parse(&s, &blocks, argc, argv);
    const rp_status status = rp_device_open(s.device, &device);
    if (status != RP_STATUS_OK) {
        fprintf(stderr, "device: %s: %s\n", s.device, rp_status_string(status));
        return status == RP_STATUS_DEVICE_UNAVAILABLE ? 77 : EXIT_FAILED;
    }
    for (unsigned k = 0; k < s.efforts.n && n_encoders < DEVICE_MAX_ENCODERS - 2; k++) {
        device_encoder_rockpress(&encoders[n_encoders++], effort_of(s.efforts.values[k]), false);
        if (s.decode)
            device_encoder_rockpress(&encoders[n_encoders++], effort_of(s.efforts.values[k]), true);
    }
    if (s.nvcomp && (device->flags & RP_DEVICE_HOST_MEMORY) == 0 &&
        device_encoder_nvcomp(&encoders[n_encoders],
                              strcmp(s.nvcomp, "auto") == 0 ? NULL : s.nvcomp))
        n_encoders++;
    bool good = open_json(&r, &s, &blocks, device);
    if (good && (device->flags & RP_DEVICE_HOST_MEMORY) == 0)
        good = measure_copies(&r, device, &blocks.groups[0]);
    for (unsigned i = 0; i < blocks.n_groups && good; i++)
        good = measure_group(&r, &s, device, &blocks.groups[i], encoders, n_encoders);
    good = close_json(&r, s.json) && good;
    device_blocks_free(&blocks);
    rp_device_close(device);
    return good ? 0 : EXIT_FAILED;
}
