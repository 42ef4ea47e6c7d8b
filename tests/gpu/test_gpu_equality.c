/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device gives the bytes that the host device gives: frame for frame, with the same sizes and
 * statuses, in batches and one by one, and writes nowhere else. Frames are decoded by libzstd, too.
 * With RP_COMPRESS_VERIFY the proofs are equal, and frames that were changed are refused.
 * A mismatch is reported with the first stage at which the devices part.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zstd.h>

#include "tests/gpu/changed_frames.h"
#include "tests/gpu/device_under_test.h"
#include "tests/gpu/encode_job.h"
#include "tests/gpu/equality_inputs.h"
#include "tests/gpu/stage_difference.h"
#include "tests/support/inputs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of one batch; longer sets are divided. */
#define MAX_WORKSPACE_BYTES ((size_t)192 << 20)
#define MAX_REPORTS 12
#define MAX_FILES 128

enum { BATCH = 1, SINGLE = 2 };

typedef struct arguments {
    const char *device;
    const char *blocks; /* a directory, or NULL */
    bool is_small;
    bool is_raw;
    unsigned efforts; /* bits */
    size_t file_bytes;
} arguments;

typedef struct comparison {
    rp_device *device;
    rp_device *reference;
    ZSTD_DCtx *decoder;
    unsigned efforts;
    bool is_raw;
    uint64_t seed;
    size_t n_frames; /* compared, with status RP_STATUS_OK */
    size_t n_others; /* compared, with another status */
    size_t n_jobs;
    size_t n_failures;
} comparison;

static void usage(FILE *out)
{
    fputs(
        "usage: test_gpu_equality [--device NAME] [--blocks DIR] [--file-bytes N] [--effort NAME]\n"
        "                         [--small]\n"
        "                         [--raw]\n\n"
        "  --device NAME    cuda, cuda:N, host, team:N, broken:DEFECT (default $TEST_DEVICE, "
        "cuda)\n"
        "  --blocks DIR     also the blocks of DIR/*.blocks (default $TEST_BLOCKS)\n"
        "  --file-bytes N   at most N bytes of each file (default 262144)\n"
        "  --effort NAME    only this effort\n"
        "  --small          few and small inputs, for tools that make a GPU slow\n",
        out);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Whether this failure is still to be printed. */
static bool report(comparison *c)
{
    c->n_failures++;
    if (c->n_failures == MAX_REPORTS + 1)
        printf("further failures are counted only\n");
    return c->n_failures <= MAX_REPORTS;
}

static const char *mode_name(const encode_job *job)
{
    return job->is_single ? "single" : "batch";
}

static void report_frame(comparison *c, const encode_job *job, const encode_result *expected,
                         const encode_result *actual, size_t i)
{
    const test_input *input = &job->inputs[i];
    char stages[256];
    if (!report(c))
        return;
    printf("FAILED: %s, %zu bytes, effort %s, flags %u, %s, index %zu of %zu: ", input->name,
           input->size, rp_effort_name(job->effort), (unsigned)job->flags, mode_name(job), i,
           job->n_inputs);
    if (actual->statuses[i] != expected->statuses[i])
        printf("%s, expected %s\n", rp_status_name(actual->statuses[i]),
               rp_status_name(expected->statuses[i]));
    else {
        size_t n = actual->sizes[i] < expected->sizes[i] ? actual->sizes[i] : expected->sizes[i];
        size_t at = 0;
        while (at < n && actual->frames[i][at] == expected->frames[i][at])
            at++;
        printf("frame of %zu bytes, expected %zu; first difference at offset %zu; proofs %s\n",
               actual->sizes[i], expected->sizes[i], at,
               memcmp(&actual->proofs[i], &expected->proofs[i], sizeof(rp_proof)) == 0 ? "equal"
                                                                                       : "differ");
    }
    if (input->size <= (size_t)1 << 20) {
        describe_stage_difference(c->device, c->reference, input, job->effort, job->flags, stages,
                                  sizeof(stages));
        printf("    %s\n", stages);
    }
}

/* libzstd restores the input. */
static void check_decoding(comparison *c, const encode_job *job, const encode_result *actual,
                           size_t i)
{
    const test_input *input = &job->inputs[i];
    uint8_t *decoded = malloc(input->size + 1);
    size_t n = decoded == NULL ? 0
                               : ZSTD_decompressDCtx(c->decoder, decoded, input->size + 1,
                                                     actual->frames[i], actual->sizes[i]);
    if ((ZSTD_isError(n) || n != input->size || memcmp(decoded, input->bytes, n) != 0) && report(c))
        printf("FAILED: %s, %zu bytes, effort %s, flags %u, %s: libzstd does not decode it: %s\n",
               input->name, input->size, rp_effort_name(job->effort), (unsigned)job->flags,
               mode_name(job), ZSTD_isError(n) ? ZSTD_getErrorName(n) : "other content");
    free(decoded);
}

static void compare(comparison *c, const encode_job *job, const encode_result *expected,
                    const encode_result *actual)
{
    for (size_t i = 0; i < job->n_inputs; i++) {
        bool is_frame = expected->statuses[i] == RP_STATUS_OK;
        c->n_frames += is_frame;
        c->n_others += !is_frame;
        if (actual->statuses[i] != expected->statuses[i] ||
            actual->sizes[i] != expected->sizes[i] ||
            memcmp(actual->frames[i], expected->frames[i], actual->sizes[i]) != 0 ||
            memcmp(&actual->proofs[i], &expected->proofs[i], sizeof(rp_proof)) != 0)
            report_frame(c, job, expected, actual, i);
        if (actual->statuses[i] == RP_STATUS_OK)
            check_decoding(c, job, actual, i);
    }
}

static bool run(comparison *c, const rp_device *device, const encode_job *job,
                encode_result *result)
{
    bool good = encode_run(device, job, result);
    if (!good && report(c))
        printf("FAILED: on %s, effort %s, flags %u, %s of %zu, first input %s: %s\n", device->name,
               rp_effort_name(job->effort), (unsigned)job->flags, mode_name(job), job->n_inputs,
               job->inputs[0].name, result->error);
    return good;
}

static void compare_job(comparison *c, encode_job *job, unsigned modes)
{
    encode_result expected;
    encode_result actual;
    job->is_single = (modes & BATCH) == 0;
    job->seed = c->seed++;
    bool good = run(c, c->reference, job, &expected);
    for (unsigned mode = BATCH; mode <= SINGLE && good; mode *= 2) {
        if ((modes & mode) == 0)
            continue;
        job->is_single = mode == SINGLE;
        job->seed = c->seed++;
        c->n_jobs++;
        /* What went wrong around the frames does not make the frames less interesting. */
        (void)run(c, c->device, job, &actual);
        compare(c, job, &expected, &actual);
        encode_free(&actual);
        if ((c->device->flags & RP_DEVICE_FUSED_LAUNCH) == 0)
            continue;
        /* What goes in one launch there goes in one for each stage, too. */
        rp_device stage_by_stage = *c->device;
        stage_by_stage.flags &= ~RP_DEVICE_FUSED_LAUNCH;
        (void)run(c, &stage_by_stage, job, &actual);
        compare(c, job, &expected, &actual);
        encode_free(&actual);
    }
    encode_free(&expected);
}

/* A set at one effort, in as many batches as it takes. */
static void compare_at(comparison *c, const input_set *set, const size_t *capacities,
                       rp_effort effort, uint32_t flags, unsigned modes)
{
    size_t first = 0;
    while (first < set->n_inputs) {
        encode_job job = {set->inputs + first, 1, NULL, 0, effort, flags, false, c->is_raw, 0};
        if (capacities != NULL)
            job.capacities = capacities + first;
        while (first + job.n_inputs < set->n_inputs) {
            job.n_inputs++;
            if (encode_workspace_bytes(&job) > MAX_WORKSPACE_BYTES) {
                job.n_inputs--;
                break;
            }
        }
        compare_job(c, &job, modes);
        first += job.n_inputs;
    }
}

static void compare_set(comparison *c, const input_set *set, uint32_t flags, unsigned modes)
{
    double start = seconds();
    size_t before = c->n_failures;
    for (int effort = RP_EFFORT_FAST; effort <= RP_EFFORT_MAX; effort++) {
        if (c->efforts >> effort & 1)
            compare_at(c, set, NULL, (rp_effort)effort, flags, modes);
    }
    printf("%-28s %6zu inputs %10zu bytes, flags %u%s%s: %zu failures, %.1f s\n", set->name,
           set->n_inputs, set->n_bytes, (unsigned)flags, modes & BATCH ? ", batch" : "",
           modes & SINGLE ? ", single" : "", c->n_failures - before, seconds() - start);
    fflush(stdout);
}

/* Every capacity around the size of the frame, and none at all. */
static void compare_capacities_of(comparison *c, const input_set *set, rp_effort effort,
                                  uint32_t flags)
{
    encode_job job = {set->inputs, set->n_inputs, NULL, 0, effort, flags, false, c->is_raw, 0};
    encode_result full;
    input_set repeated = {"capacities", NULL, 0, 0, 0};
    static size_t capacities[1024];
    size_t n = 0;
    if (run(c, c->reference, &job, &full)) {
        repeated.inputs = malloc(8 * set->n_inputs * sizeof(test_input));
        for (size_t i = 0; i < set->n_inputs && n + 8 <= COUNT(capacities); i++) {
            size_t frame = full.sizes[i];
            const size_t wanted[8] = {0,         1,     7,         frame / 2,
                                      frame - 1, frame, frame + 1, rp_compress_bound(0)};
            for (size_t k = 0; k < 8 && repeated.inputs != NULL; k++) {
                repeated.inputs[n] = set->inputs[i];
                capacities[n++] = wanted[k];
            }
        }
        repeated.n_inputs = n;
        compare_at(c, &repeated, capacities, effort, flags, BATCH | SINGLE);
    }
    free(repeated.inputs);
    encode_free(&full);
}

static void compare_capacities(comparison *c, const input_set *set)
{
    size_t before = c->n_failures;
    for (int effort = RP_EFFORT_FAST; effort <= RP_EFFORT_MAX; effort++) {
        for (uint32_t flags = 0; flags <= RP_COMPRESS_CHECKSUM && c->efforts >> effort & 1; flags++)
            compare_capacities_of(c, set, (rp_effort)effort, flags);
    }
    printf("%-28s %6zu inputs: %zu failures\n", "capacities around the frame", set->n_inputs,
           c->n_failures - before);
}

/* Inputs beyond the batch's max_input_bytes, among others. */
static void compare_oversize(comparison *c)
{
    input_set set = {"inputs beyond the maximum", NULL, 0, 0, 0};
    static const size_t sizes[] = {1001, 1000, 5000, 0, 200000, 999, 131073};
    size_t before = c->n_failures;
    for (size_t i = 0; i < COUNT(sizes); i++)
        input_set_add(&set, INPUTS_RECORDS, sizes[i], i);
    encode_job job = {set.inputs, set.n_inputs, NULL, 1000, RP_EFFORT_FAST, 0, false, c->is_raw, 0};
    compare_job(c, &job, BATCH);
    encode_result result;
    if (run(c, c->device, &job, &result)) {
        for (size_t i = 0; i < COUNT(sizes); i++) {
            bool is_beyond = sizes[i] > job.max_input_bytes;
            if ((result.statuses[i] == RP_STATUS_INPUT_TOO_LARGE) != is_beyond && report(c))
                printf("FAILED: %zu bytes with max_input_bytes %zu: %s\n", sizes[i],
                       job.max_input_bytes, rp_status_name(result.statuses[i]));
        }
    }
    encode_free(&result);
    printf("%-28s %6zu inputs: %zu failures\n", set.name, set.n_inputs, c->n_failures - before);
    input_set_free(&set);
}

/* Frames of a set, each with one bit changed, are proven where they still decode to the input and
 * refused elsewhere. */
static void compare_changed(comparison *c, const input_set *set)
{
    size_t before = c->n_failures;
    size_t n_right = 0;
    char error[256];
    for (size_t i = 0; i < set->n_inputs; i++) {
        changed_frames changed = {0, 0};
        if (!check_changed_frames(c->device, &set->inputs[i], RP_EFFORT_DEFAULT, c->seed++,
                                  &changed, error, sizeof(error)) &&
            report(c))
            printf("FAILED: %s, %zu bytes: %s\n", set->inputs[i].name, set->inputs[i].size, error);
        n_right += changed.n_right;
    }
    printf("%-28s %6zu inputs with changed frames, %zu of them still right: %zu failures\n",
           set->name, set->n_inputs, n_right, c->n_failures - before);
    fflush(stdout);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((const char *)a, (const char *)b);
}

static void compare_files(comparison *c, const arguments *a)
{
    static char names[MAX_FILES][256];
    size_t n = 0;
    DIR *directory = opendir(a->blocks);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (n < MAX_FILES && length > 7 && strcmp(entry->d_name + length - 7, ".blocks") == 0)
            snprintf(names[n++], sizeof(names[0]), "%s", entry->d_name);
    }
    if (directory != NULL)
        closedir(directory);
    if (n == 0 && report(c))
        printf("FAILED: no *.blocks in %s\n", a->blocks);
    qsort(names, n, sizeof(names[0]), by_name);
    for (size_t i = 0; i < n; i++) {
        char path[1024];
        input_set set = {names[i], NULL, 0, 0, 0};
        snprintf(path, sizeof(path), "%s/%s", a->blocks, names[i]);
        if (!input_set_file(&set, path, a->file_bytes))
            c->n_failures++;
        else
            compare_set(c, &set, (uint32_t)i & RP_COMPRESS_FLAGS_ALL, BATCH);
        /* One by one, a few: each is as many launches as a whole batch. */
        input_set few = set;
        few.n_inputs = few.n_inputs < 4 ? few.n_inputs : 4;
        if (few.n_inputs != 0)
            compare_at(c, &few, NULL, RP_EFFORT_DEFAULT, RP_COMPRESS_VERIFY, SINGLE);
        input_set_free(&set);
    }
}

static void compare_small(comparison *c)
{
    input_set small = {"small", NULL, 0, 0, 0};
    input_set few = {"few", NULL, 0, 0, 0};
    input_set two_blocks = {"two zstd blocks", NULL, 0, 0, 0};
    input_set_small(&small);
    compare_set(c, &small, RP_COMPRESS_FLAGS_ALL, BATCH);
    input_set_add(&two_blocks, INPUTS_EQUAL, RP_ZSTD_BLOCK_BYTES + 5, 1);
    compare_set(c, &two_blocks, RP_COMPRESS_VERIFY, BATCH);
    input_set_add(&few, INPUTS_TEXT, 900, 4);
    input_set_add(&few, INPUTS_NOISE, 500, 4);
    compare_set(c, &few, 0, SINGLE);
    compare_changed(c, &few);
    compare_capacities_of(c, &few, RP_EFFORT_FAST, 0);
    compare_oversize(c);
    input_set_free(&small);
    input_set_free(&two_blocks);
    input_set_free(&few);
}

static void compare_all(comparison *c, const arguments *a)
{
    static const size_t sizes[] = {100, 1000, 4096, 16384, 65536, 131072};
    input_set tiny = {"0 to 64 bytes", NULL, 0, 0, 0};
    input_set many = {"as many as fill a GPU", NULL, 0, 0, 0};
    input_set zeros = {"zeros", NULL, 0, 0, 0};
    input_set kinds = {"all kinds", NULL, 0, 0, 0};
    input_set several = {"several zstd blocks", NULL, 0, 0, 0};
    input_set random = {"random mixtures", NULL, 0, 0, 0};
    input_set_tiny(&tiny);
    input_set_zeros(&zeros);
    input_set_kinds(&kinds, sizes, COUNT(sizes));
    input_set_long(&several);
    input_set_random(&random, 200, 70000, 100);
    for (uint32_t flags = 0; flags <= RP_COMPRESS_FLAGS_ALL; flags++) {
        compare_set(c, &tiny, flags, BATCH | SINGLE);
        compare_set(c, &zeros, flags, BATCH | SINGLE);
    }
    compare_set(c, &kinds, 0, BATCH | SINGLE);
    compare_set(c, &kinds, RP_COMPRESS_VERIFY, BATCH | SINGLE);
    compare_set(c, &several, RP_COMPRESS_FLAGS_ALL, BATCH | SINGLE);
    compare_set(c, &random, RP_COMPRESS_FLAGS_ALL, BATCH);
    compare_changed(c, &tiny);
    compare_changed(c, &kinds);
    compare_changed(c, &several);
    /* In one batch, so that a thread parses each segment (RP_PARSE_BY_THREADS_FROM). */
    input_set_random(&many, 600, 16384, 9);
    compare_set(c, &many, RP_COMPRESS_VERIFY, BATCH);
    input_set bounded = {"capacities", NULL, 0, 0, 0};
    static const int bounded_kinds[] = {INPUTS_TEXT, INPUTS_NOISE, INPUTS_EQUAL, INPUTS_RECORDS};
    for (size_t i = 0; i < COUNT(bounded_kinds); i++) {
        input_set_add(&bounded, bounded_kinds[i], 200, 5);
        input_set_add(&bounded, bounded_kinds[i], 8000, 5);
        input_set_add(&bounded, bounded_kinds[i], 140000, 5);
    }
    compare_capacities(c, &bounded);
    compare_oversize(c);
    if (a->blocks != NULL)
        compare_files(c, a);
    input_set_free(&tiny);
    input_set_free(&zeros);
    input_set_free(&kinds);
    input_set_free(&several);
    input_set_free(&random);
    input_set_free(&many);
    input_set_free(&bounded);
}

static unsigned effort_bit(const char *name)
{
    for (int effort = RP_EFFORT_FAST; effort <= RP_EFFORT_MAX; effort++) {
        if (strcmp(rp_effort_name((rp_effort)effort), name) == 0)
            return 1U << effort;
    }
    fprintf(stderr, "--effort: \"%s\" is none; allowed: fast, default, high, max\n", name);
    exit(2);
}

static arguments parse(int argc, char **argv)
{
    arguments a = {device_under_test_name(), getenv("TEST_BLOCKS"), false, false, 0, 262144};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--small") == 0) {
            a.is_small = true;
            continue;
        }
        if (strcmp(argv[i], "--raw") == 0) {
            a.is_raw = true;
            continue;
        }
        if (strcmp(argv[i], "--help") == 0) {
            usage(stdout);
            exit(0);
        }
        if (value != NULL && strcmp(argv[i], "--device") == 0) {
            a.device = value;
        } else if (value != NULL && strcmp(argv[i], "--blocks") == 0) {
            a.blocks = value;
        } else if (value != NULL && strcmp(argv[i], "--effort") == 0) {
            a.efforts |= effort_bit(value);
        } else if (value != NULL && strcmp(argv[i], "--file-bytes") == 0) {
            a.file_bytes = (size_t)strtoull(value, NULL, 10);
        } else {
            usage(stderr);
            exit(2);
        }
        i++;
    }
    if (a.efforts == 0)
        a.efforts = ~0U;
    return a;
}

int main(int argc, char **argv)
{
    arguments a = parse(argc, argv);
    comparison c;
    memset(&c, 0, sizeof(c));
    double start = seconds();
    c.device = device_under_test_open(a.device);
    c.decoder = ZSTD_createDCtx();
    c.efforts = a.efforts;
    c.is_raw = a.is_raw;
    c.seed = 1;
    if (rp_device_open("host", &c.reference) != RP_STATUS_OK || c.decoder == NULL)
        return 2;
    if (a.is_small)
        compare_small(&c);
    else
        compare_all(&c, &a);
    printf("%s against host: %zu frames and %zu other outcomes in %zu jobs, %zu failures, %.1f s\n",
           a.device, c.n_frames, c.n_others, c.n_jobs, c.n_failures, seconds() - start);
    ZSTD_freeDCtx(c.decoder);
    rp_device_close(c.device);
    return c.n_failures == 0 && c.n_frames != 0 ? 0 : 1;
}
