/* SPDX-License-Identifier: Apache-2.0 */
/* What `device` measures. Every function says on stderr what failed. */
#ifndef ROCKPRESS_BENCH_DEVICE_MEASURE_H
#define ROCKPRESS_BENCH_DEVICE_MEASURE_H

#include "bench/device/blocks.h"
#include "bench/device/encoder.h"
#include "bench/device/timing.h"

enum { DEVICE_MAX_ENCODERS = 8, DEVICE_MAX_ROUNDS = 1000, DEVICE_N_STAGES = 4 };

/* A batch that lies in device memory, in equal parts for some streams. */
struct device_load {
    rp_device *device;
    const struct device_group *group;
    size_t n_blocks;
    unsigned n_streams;
    rp_stream streams[DEVICE_MAX_STREAMS];
    struct device_batch parts[DEVICE_MAX_STREAMS];
    size_t raw_bytes;
    size_t max_output_bytes; /* each output has so much room */
    void *d_memory;          /* inputs, outputs, and the arrays about them */
    uint8_t *d_outputs;
    size_t *d_sizes; /* of the outputs */
    int32_t *d_statuses;
};

/* The blocks of a group, again from the first when there are fewer. */
bool device_load_open(struct device_load *load, rp_device *device, const struct device_group *group,
                      size_t n_blocks, unsigned n_streams, size_t max_output_bytes);
void device_load_close(struct device_load *load);

/* Of one encoder on one load. */
struct device_result {
    double seconds[DEVICE_MAX_ROUNDS];
    unsigned n_rounds;
    size_t compressed_bytes;
    size_t n_verified; /* frames that libzstd decoded to their block */
};

/* Each encoder once before anything is timed, its frames decoded by libzstd (all of them, or so
 * many from the first); then n_rounds rounds, in each of which the encoders take turns. */
bool device_measure_resident(struct device_load *load, const struct device_encoder *encoders,
                             unsigned n_encoders, unsigned n_rounds, size_t n_verify,
                             struct device_result *results);

/* Seconds of each stage of rockpress, medians, on the first stream's part. */
bool device_measure_stages(struct device_load *load, rp_effort effort, unsigned n_rounds,
                           double seconds[DEVICE_N_STAGES]);

/* How blocks in host memory are compressed: by so many threads, on lanes that take so many bytes at
 * once; in each round each thread does its part of the batch so often. */
struct device_host_plan {
    unsigned n_threads;
    size_t part_bytes;
    unsigned n_rounds;
    unsigned n_repeats;
};

/* Blocks in pageable host memory to frames in host memory, by threads that share a pool:
 * rp_batched_compress_pooled() on equal parts. Seconds of a batch, in each round but the first.
 * With repeats, threads go on to their next batch while others are at the one before, as those of a
 * database do; else each batch begins with an idle device and ends with waiting for the last. */
bool device_measure_host(rp_device *device, const struct device_group *group, size_t n_blocks,
                         const struct device_host_plan *plan, rp_effort effort,
                         struct device_result *result);

/* rp_lane_compress() of one block after the other: seconds of each, sorted. */
bool device_measure_latency(rp_device *device, const struct device_group *group, rp_effort effort,
                            double *seconds, unsigned n);

/* How a block gets to the device, and how its frame gets back. */
enum device_path {
    DEVICE_PATH_PINNED, /* by the host to pinned memory, copied; the kernels write the frame to
                         * pinned memory, the host copies it */
    DEVICE_PATH_PINNED_COPIED, /* the frame copied to pinned memory, in the room for the largest */
    DEVICE_PATH_PAGEABLE,      /* copied from pageable memory by one call of the device */
    DEVICE_PATH_MAPPED,        /* by the host to pinned memory, which the kernels read */
    DEVICE_PATH_ON_DEVICE,     /* it is there from the path before: what the others add */
    DEVICE_N_PATHS
};

extern const char *const device_path_names[DEVICE_N_PATHS];

/* Single blocks, each on all paths in turn, with the same frame: seconds of each, not sorted. Of a
 * device with RP_DEVICE_MAPPED_STAGING or RP_DEVICE_HOST_MEMORY. */
bool device_measure_paths(rp_device *device, const struct device_group *group, rp_effort effort,
                          unsigned n, double *seconds[DEVICE_N_PATHS]);

/* Copies of n_bytes between pinned and device memory: bytes a second, there and back. */
bool device_measure_copies(rp_device *device, size_t n_bytes, double bytes_s[2]);

/* False, with a line on stderr, unless the status is RP_STATUS_OK. */
bool device_good(rp_status status, const char *what);

#endif
