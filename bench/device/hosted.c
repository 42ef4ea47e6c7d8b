/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks in host memory, single blocks, and copies: see measure.h. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "bench/common/times.h"
#include "bench/device/encoder.h"
#include "bench/device/measure.h"
#include "rockpress/batched.h"

#define WAIT_US (60 * UINT32_C(1000000))

/* One thread's part of the batch. */
struct part {
    rp_pool *pool;
    rp_effort effort;
    uint32_t flags;
    rp_host_batch batch;
    unsigned n_repeats;
    rp_status status;
};

struct hosted {
    const void **inputs;
    size_t *sizes;
    void **outputs;
    size_t *capacities;
    size_t *output_sizes;
    rp_status *statuses;
    uint8_t *frames;
    size_t raw_bytes;
};

static bool open_hosted(struct hosted *h, const struct device_group *group, size_t n)
{
    const size_t each = rp_compress_bound(group->max_bytes);
    h->inputs = calloc(n, sizeof *h->inputs);
    h->sizes = calloc(n, sizeof *h->sizes);
    h->outputs = calloc(n, sizeof *h->outputs);
    h->capacities = calloc(n, sizeof *h->capacities);
    h->output_sizes = calloc(n, sizeof *h->output_sizes);
    h->statuses = calloc(n, sizeof *h->statuses);
    h->frames = calloc(n, each);
    if (!h->inputs || !h->sizes || !h->outputs || !h->capacities || !h->output_sizes ||
        !h->statuses || !h->frames) {
        fputs("device: no memory for the batch\n", stderr);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const corpus_block *block = &group->blocks[i % group->n_blocks];
        h->inputs[i] = block->data;
        h->sizes[i] = block->size;
        h->outputs[i] = h->frames + i * each;
        h->capacities[i] = each;
        h->raw_bytes += block->size;
    }
    return true;
}

static void close_hosted(struct hosted *h)
{
    free(h->inputs);
    free(h->sizes);
    free(h->outputs);
    free(h->capacities);
    free(h->output_sizes);
    free(h->statuses);
    free(h->frames);
}

static void *part_main(void *argument)
{
    struct part *part = argument;
    const rp_compress_options options = device_options(part->effort, part->flags);
    for (unsigned r = 0; r < part->n_repeats && part->status == RP_STATUS_OK; r++)
        part->status = rp_batched_compress_pooled(part->pool, &part->batch, &options, WAIT_US);
    return NULL;
}

static bool run_parts(struct part *parts, unsigned n_threads, double *seconds)
{
    pthread_t threads[DEVICE_MAX_STREAMS];
    unsigned n_started = 0;
    bool good = true;
    const double start = times_now(CLOCK_MONOTONIC);
    while (n_started < n_threads &&
           pthread_create(&threads[n_started], NULL, part_main, &parts[n_started]) == 0)
        n_started++;
    for (unsigned i = 0; i < n_started; i++)
        pthread_join(threads[i], NULL);
    *seconds = times_now(CLOCK_MONOTONIC) - start;
    for (unsigned i = 0; i < n_threads && good; i++)
        good = device_good(i < n_started ? parts[i].status : RP_STATUS_OUT_OF_HOST_MEMORY,
                           "a thread's part");
    return good;
}

static bool check(const struct hosted *h, const struct device_group *group, size_t n,
                  struct device_result *result)
{
    uint8_t *decoded = malloc(group->max_bytes);
    bool good = decoded != NULL;
    for (size_t i = 0; i < n && good; i++) {
        good = h->statuses[i] == RP_STATUS_OK &&
               ZSTD_decompress(decoded, group->max_bytes, h->outputs[i], h->output_sizes[i]) ==
                   h->sizes[i] &&
               memcmp(decoded, h->inputs[i], h->sizes[i]) == 0;
        if (!good)
            fprintf(stderr, "device: block %zu: %s, or not the block's frame\n", i,
                    rp_status_name(h->statuses[i]));
        result->compressed_bytes += h->output_sizes[i];
        result->n_verified += good;
    }
    free(decoded);
    return good;
}

bool device_measure_host(rp_device *device, const struct device_group *group, size_t n_blocks,
                         const struct device_host_plan *plan, rp_effort effort, uint32_t flags,
                         struct device_result *result)
{
    const unsigned n_threads = plan->n_threads;
    struct hosted h;
    struct part parts[DEVICE_MAX_STREAMS];
    rp_pool *pool = NULL;
    memset(&h, 0, sizeof h);
    memset(result, 0, sizeof *result);
    /* A lane that takes a thread's share in one part, if that is small enough. */
    size_t share = (n_blocks + n_threads - 1) / n_threads * (group->max_bytes + 64);
    share = share < plan->part_bytes ? share : plan->part_bytes;
    const rp_pool_options options = {
        sizeof(rp_pool_options), n_threads, 2 * share, 0, effort, NULL};
    bool good = open_hosted(&h, group, n_blocks) &&
                device_good(rp_pool_create(device, &options, &pool), "pool");
    for (unsigned i = 0; i < n_threads && good; i++) {
        const size_t first = n_blocks * i / n_threads, end = n_blocks * (i + 1) / n_threads;
        parts[i] = (struct part){.pool = pool,
                                 .effort = effort,
                                 .flags = flags,
                                 .batch = {sizeof(rp_host_batch), h.inputs + first, h.sizes + first,
                                           end - first, h.outputs + first, h.capacities + first,
                                           h.output_sizes + first, h.statuses + first},
                                 .n_repeats = plan->n_repeats,
                                 .status = RP_STATUS_OK};
    }
    for (unsigned r = 0; r <= plan->n_rounds && good; r++) {
        double seconds;
        good = run_parts(parts, n_threads, &seconds);
        if (r == 0 && good)
            good = check(&h, group, n_blocks, result);
        else if (good)
            result->seconds[result->n_rounds++] = seconds / plan->n_repeats;
    }
    rp_pool_destroy(pool);
    close_hosted(&h);
    return good;
}

bool device_measure_latency(rp_device *device, const struct device_group *group, rp_effort effort,
                            uint32_t flags, double *seconds, unsigned n)
{
    const rp_pool_options pool_options = {
        sizeof(rp_pool_options), 1, group->max_bytes, 0, effort, NULL};
    const rp_compress_options options = device_options(effort, flags);
    const size_t capacity = rp_compress_bound(group->max_bytes);
    uint8_t *output = malloc(capacity);
    rp_pool *pool = NULL;
    rp_lane *lane = NULL;
    bool good = output && device_good(rp_pool_create(device, &pool_options, &pool), "pool") &&
                device_good(rp_pool_acquire(pool, &lane), "lane");
    for (unsigned i = 0; i < n + 10 && good; i++) {
        const corpus_block *block = &group->blocks[i % group->n_blocks];
        size_t size;
        const double start = times_now(CLOCK_MONOTONIC);
        good = device_good(rp_lane_compress(lane, block->data, block->size, output, capacity, &size,
                                            &options, WAIT_US),
                           "one block");
        if (i >= 10) /* the first ones warm up */
            seconds[i - 10] = times_now(CLOCK_MONOTONIC) - start;
    }
    if (good)
        times_sort(seconds, n);
    rp_pool_release(pool, lane);
    rp_pool_destroy(pool);
    free(output);
    return good;
}

bool device_measure_copies(rp_device *device, size_t n_bytes, double bytes_s[2])
{
    static const rp_copy_kind kinds[2] = {RP_COPY_HOST_TO_DEVICE, RP_COPY_DEVICE_TO_HOST};
    void *staging = NULL, *d_memory = NULL;
    rp_stream stream;
    struct device_timer timer;
    if (!device_good(rp_stream_create(device, &stream), "stream"))
        return false;
    bool good = device_good(device->ops->staging_alloc(device, n_bytes, &staging), "memory") &&
                device_good(device->ops->memory_alloc(device, n_bytes, &d_memory), "memory") &&
                device_timer_open(&timer, device, &stream, 1);
    if (good)
        memset(staging, 1, n_bytes);
    for (unsigned k = 0; k < 2 && good; k++) {
        double seconds[6];
        for (unsigned r = 0; r < 6 && good; r++)
            good = device_timer_start(&timer) &&
                   device_good(device->ops->copy_async(stream, k ? staging : d_memory,
                                                       k ? d_memory : staging, n_bytes, kinds[k]),
                               "copy") &&
                   device_timer_stop(&timer) && device_timer_seconds(&timer, &seconds[r]);
        if (good)
            bytes_s[k] = (double)n_bytes / times_median(seconds + 1, 5);
    }
    if (d_memory) {
        device_timer_close(&timer);
        device->ops->memory_free(device, d_memory);
    }
    if (staging)
        device->ops->staging_free(device, staging);
    rp_stream_destroy(stream);
    return good;
}
