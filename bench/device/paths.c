/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways of one block to the device and of its frame back, for the comparison in docs/benchmarks.md.
 * A lane of the pool copies through pinned memory where it can. See measure.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/common/times.h"
#include "bench/device/encoder.h"
#include "bench/device/measure.h"

#define WAIT_US (60 * UINT32_C(1000000))

const char *const device_path_names[DEVICE_N_PATHS] = {
    "pinned, written", "pinned, copied", "pageable, written", "mapped, written", "device, written",
};

/* What follows a frame of the largest size in memory. */
struct result {
    size_t size;
    rp_status status;
};

struct paths {
    rp_device *device;
    rp_stream stream;
    rp_effort effort;
    size_t max_bytes;
    size_t capacity; /* of a frame; a multiple of 256, so that the result after it is aligned */
    size_t n_workspace;
    uint8_t *d_memory; /* workspace, block, frame and result */
    uint8_t *pinned;   /* block, frame and result */
    uint8_t *output;   /* the caller's */
};

static void close_paths(struct paths *p)
{
    if (p->pinned)
        p->device->ops->staging_free(p->device, p->pinned);
    if (p->d_memory)
        p->device->ops->memory_free(p->device, p->d_memory);
    rp_stream_destroy(p->stream);
    free(p->output);
}

static bool open_paths(struct paths *p, rp_device *device, const struct device_group *group,
                       rp_effort effort)
{
    void *d_memory = NULL, *pinned = NULL;
    memset(p, 0, sizeof *p);
    p->device = device;
    p->effort = effort;
    p->max_bytes = (group->max_bytes + 255) / 256 * 256;
    p->capacity = (rp_compress_bound(group->max_bytes) + 255) / 256 * 256;
    p->n_workspace = rp_workspace_size(group->max_bytes, 1, effort);
    const size_t n = p->max_bytes + p->capacity + sizeof(struct result);
    bool good =
        device_good(rp_stream_create(device, &p->stream), "stream") &&
        device_good(device->ops->memory_alloc(device, p->n_workspace + n, &d_memory), "memory") &&
        device_good(device->ops->staging_alloc(device, n, &pinned), "staging memory");
    p->d_memory = d_memory;
    p->pinned = pinned;
    p->output = malloc(p->capacity);
    return good && p->output != NULL;
}

/* Compresses one block on one path. The frame ends up in the caller's memory. */
static bool compress_on(struct paths *p, enum device_path path, const corpus_block *block,
                        size_t *size)
{
    const rp_compress_options options = device_options(p->effort, 0);
    const rp_device_ops *ops = p->device->ops;
    uint8_t *d_block = p->d_memory + p->n_workspace;
    uint8_t *frame = p->pinned + p->max_bytes, *d_frame = d_block + p->max_bytes;
    const bool is_copied_back = path == DEVICE_PATH_PINNED_COPIED;
    const void *source = path == DEVICE_PATH_PAGEABLE ? block->data : p->pinned;
    uint8_t *target = is_copied_back ? d_frame : frame;
    struct result *result = (struct result *)(void *)(target + p->capacity);
    rp_status status = RP_STATUS_OK;
    if (source == p->pinned && path != DEVICE_PATH_ON_DEVICE)
        memcpy(p->pinned, block->data, block->size);
    if (path != DEVICE_PATH_MAPPED && path != DEVICE_PATH_ON_DEVICE)
        status = ops->copy_async(p->stream, d_block, source, block->size, RP_COPY_HOST_TO_DEVICE);
    if (status == RP_STATUS_OK)
        status = rp_compress_async(
            p->d_memory, p->n_workspace, path == DEVICE_PATH_MAPPED ? p->pinned : d_block,
            block->size, target, p->capacity, &result->size, &result->status, &options, p->stream);
    if (status == RP_STATUS_OK && is_copied_back)
        status = ops->copy_async(p->stream, frame, d_frame, p->capacity + sizeof(struct result),
                                 RP_COPY_DEVICE_TO_HOST);
    if (status == RP_STATUS_OK)
        status = rp_stream_wait(p->stream, WAIT_US);
    result = (struct result *)(void *)(frame + p->capacity);
    if (status == RP_STATUS_OK)
        status = result->status;
    if (status == RP_STATUS_OK) {
        memcpy(p->output, frame, result->size);
        *size = result->size;
    }
    return device_good(status, device_path_names[path]);
}

bool device_measure_paths(rp_device *device, const struct device_group *group, rp_effort effort,
                          unsigned n, double *seconds[DEVICE_N_PATHS])
{
    struct paths p;
    bool good = open_paths(&p, device, group, effort);
    uint8_t *expected = malloc(p.capacity);
    for (unsigned i = 0; i < n + 10 && good && expected; i++) {
        const corpus_block *block = &group->blocks[i % group->n_blocks];
        size_t size = 0, n_expected = 0;
        for (int path = 0; path < DEVICE_N_PATHS && good; path++) {
            const double start = times_now(CLOCK_MONOTONIC);
            good = compress_on(&p, (enum device_path)path, block, &size);
            if (i >= 10) /* the first ones warm up */
                seconds[path][i - 10] = times_now(CLOCK_MONOTONIC) - start;
            if (path == 0 && good) {
                n_expected = size;
                memcpy(expected, p.output, size);
            } else if (good && (size != n_expected || memcmp(p.output, expected, size) != 0)) {
                fprintf(stderr, "device: path \"%s\": another frame\n", device_path_names[path]);
                good = false;
            }
        }
    }
    good = good && expected;
    free(expected);
    close_paths(&p);
    return good;
}
