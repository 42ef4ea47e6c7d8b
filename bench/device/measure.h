/* SPDX-License-Identifier: Apache-2.0 */
/* What `device` measures. Every function says on stderr what failed. */
#ifndef ROCKPRESS_BENCH_DEVICE_MEASURE_H
#define ROCKPRESS_BENCH_DEVICE_MEASURE_H

#include "bench/device/blocks.h"
#include "bench/device/encoder.h"
#include "bench/device/timing.h"

enum { DEVICE_MAX_ENCODERS = 10, DEVICE_MAX_ROUNDS = 1000, DEVICE_N_STAGES = 4 };

/* A batch in device memory, divided into equal parts, one for each stream. */
struct device_load {
    rp_device *device;
    const struct device_group *group;
    size_t n_blocks;
    unsigned n_streams;
    rp_stream streams[DEVICE_MAX_STREAMS];
    struct device_batch parts[DEVICE_MAX_STREAMS];
    size_t raw_bytes;
    size_t max_output_bytes; /* the capacity of each output */
    void *d_memory;          /* inputs, outputs and the arrays that describe them */
    uint8_t *d_outputs;
    size_t *d_sizes; /* of the outputs */
    int32_t *d_statuses;
};

/* The blocks of a group, again from the first when there are fewer. */
bool device_load_open(struct device_load *load, rp_device *device, const struct device_group *group,
                      size_t n_blocks, unsigned n_streams, size_t max_output_bytes);
void device_load_close(struct device_load *load);

/* What was measured of one encoder on one load. */
struct device_result {
    double seconds[DEVICE_MAX_ROUNDS];
    unsigned n_rounds;
    size_t compressed_bytes;
    size_t n_verified; /* frames that libzstd decoded to their block */
};

/* Runs each encoder once before anything is timed; libzstd decodes the first n_verify frames. Then
 * there are n_rounds rounds, and in each of them the encoders take turns. */
bool device_measure_resident(struct device_load *load, const struct device_encoder *encoders,
                             unsigned n_encoders, unsigned n_rounds, size_t n_verify,
                             struct device_result *results);

/* Medians of the seconds that each stage of rockpress takes for the first stream's part. */
bool device_measure_stages(struct device_load *load, rp_effort effort, unsigned n_rounds,
                           double seconds[DEVICE_N_STAGES]);

enum { DEVICE_N_DECODERS = 3 };

/* Names of what decodes: the frame verifier with entry points, without, and nvCOMP. */
extern const char *const device_decoder_names[DEVICE_N_DECODERS];

/* Compresses the first stream's part at an effort, then decodes these frames: medians of the
 * seconds that the frame verifier takes and, if asked for, nvCOMP, which device_encoder_nvcomp()
 * has loaded. Checks that the frames are proven, and that nvCOMP decodes all. */
bool device_measure_decoders(struct device_load *load, rp_effort effort, bool with_nvcomp,
                             unsigned n_rounds, double seconds[DEVICE_N_DECODERS]);

/* How blocks in host memory are compressed. */
struct device_host_plan {
    unsigned n_threads;
    size_t part_bytes; /* what a lane gives the device at once */
    unsigned n_rounds;
    unsigned n_repeats; /* how often each thread compresses its part of the batch in a round */
};

/* Compresses blocks from pageable host memory to frames in host memory. Threads that share a pool
 * call rp_batched_compress_pooled() on equal parts. The result has the seconds of a batch, for each
 * round but the first. With n_repeats of 1 each batch begins with an idle device and ends with a
 * wait for the last thread. With more, a thread goes on to its next batch while others work on the
 * one before, as the threads of a database do. */
bool device_measure_host(rp_device *device, const struct device_group *group, size_t n_blocks,
                         const struct device_host_plan *plan, rp_effort effort, uint32_t flags,
                         struct device_result *result);

/* Compresses one block after the other with rp_lane_compress(): seconds of each, sorted. */
bool device_measure_latency(rp_device *device, const struct device_group *group, rp_effort effort,
                            uint32_t flags, double *seconds, unsigned n);

/* The CPU's part of a proof, rp_check_proof(), of blocks that are in its cache: seconds of one, the
 * median of rounds. */
bool device_measure_check(const struct device_group *group, unsigned n_rounds, double *seconds);

/* How a block gets to the device, and how its frame gets back. */
enum device_path {
    /* The host copies the block to pinned memory and the device copies it from there. The kernels
     * write the frame to pinned memory and the host copies it from there. */
    DEVICE_PATH_PINNED,
    /* The same, but the kernels write the frame to device memory, and the device copies it to
     * pinned memory with the capacity of the largest frame. */
    DEVICE_PATH_PINNED_COPIED,
    /* As the first, but one call of the device copies the block from pageable memory. */
    DEVICE_PATH_PAGEABLE,
    /* As the first, but the kernels read the block from pinned memory. */
    DEVICE_PATH_MAPPED,
    /* As the first, but the block is in device memory already. */
    DEVICE_PATH_ON_DEVICE,
    DEVICE_N_PATHS
};

extern const char *const device_path_names[DEVICE_N_PATHS];

/* Compresses single blocks, each on all paths in turn, and checks that the frames are equal:
 * seconds of each, not sorted. The device has RP_DEVICE_MAPPED_STAGING or RP_DEVICE_HOST_MEMORY. */
bool device_measure_paths(rp_device *device, const struct device_group *group, rp_effort effort,
                          unsigned n, double *seconds[DEVICE_N_PATHS]);

/* Copies n_bytes between pinned and device memory: bytes a second to the device, and back. */
bool device_measure_copies(rp_device *device, size_t n_bytes, double bytes_s[2]);

/* False, with a line on stderr, unless the status is RP_STATUS_OK. */
bool device_good(rp_status status, const char *what);

#endif
