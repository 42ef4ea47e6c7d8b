/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A combiner compresses inputs of any number of threads in shared launches. A device takes little
 * longer for a hundred blocks than for one, and a launch costs a CPU as much as several blocks do.
 * So inputs that arrive at about the same time are compressed by one launch, as a database writes
 * the log records of many threads by one commit.
 *
 * Each thread copies its input to a place in a group's pinned memory, and takes its frame from
 * there. The clock is the device: while it has fewer launches than max_running, an input is
 * launched at once, alone. While it has that many, arrivals gather, up to max_inputs of
 * launch_bytes together. When a launch ends, the oldest group that waits is launched. One thread of
 * each group enqueues and watches the work; the others sleep until it is done, and call nothing of
 * the device.
 *
 * That thread is the one that came first, or one of the caller's own that serves
 * (rp_combiner_serve, call_service). While a thread serves, the threads that compress call the
 * device only to make memory for groups, so that a driver that hangs can't keep them.
 *
 * Frames are those of rp_compress_async(), byte for byte: what they share is the launch.
 */
#ifndef ROCKPRESS_COMBINER_H
#define ROCKPRESS_COMBINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/device.h"
#include "rockpress/engine.h"
#include "rockpress/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_combiner rp_combiner;

typedef struct rp_combiner_options {
    size_t struct_size;
    size_t max_input_bytes; /* largest input, 1 to RP_MAX_INPUT_BYTES */
    size_t launch_bytes;    /* of the inputs of one launch, max_input_bytes to 2^30 */
    uint32_t max_inputs;    /* of one launch, 1 to RP_COMBINER_MAX_INPUTS */
    uint32_t max_running;   /* launches on the device, 1 to RP_COMBINER_MAX_RUNNING */
    size_t memory_bytes;    /* bound on device memory over all groups; 0: none */
    rp_effort effort;       /* the highest effort that groups are sized for */
    rp_error *error;        /* nullable: filled on an argument error */
    /* Nullable: has a thread call rp_combiner_serve() soon and returns true, or returns false.
     * rp_combiner_compress() calls it, with service_context, when an input waits for a launch while
     * fewer than max_running threads serve or are on their way. */
    bool (*call_service)(void *service_context);
    void *service_context;
} rp_combiner_options;

/* max_input_bytes and launch_bytes have no default and must be set. */
#define RP_COMBINER_OPTIONS_INIT                                                                   \
    {                                                                                              \
        sizeof(rp_combiner_options), 0, 0, 64, 2, 0, RP_EFFORT_DEFAULT, NULL, NULL, NULL           \
    }

#define RP_COMBINER_MAX_INPUTS UINT32_C(1024)
#define RP_COMBINER_MAX_RUNNING UINT32_C(16)

/*
 * Makes a combiner on a device, which must outlive it. Groups are made when they are needed, up to
 * twice max_running plus 2; each has device memory for its inputs, frames and workspace, and pinned
 * memory for its inputs and frames. RP_STATUS_OK, or RP_STATUS_NULL_POINTER,
 * RP_STATUS_INVALID_STRUCT_SIZE, RP_STATUS_INVALID_STREAM (a device without a table),
 * RP_STATUS_INVALID_OPTION, RP_STATUS_INVALID_EFFORT or RP_STATUS_OUT_OF_HOST_MEMORY, and
 * *combiner is NULL.
 */
RP_API rp_status rp_combiner_create(const rp_device *device, const rp_combiner_options *options,
                                    rp_combiner **combiner);

/* Makes groups until there are n_groups of them, those in use included, so that
 * rp_combiner_compress() makes none. RP_STATUS_OK; RP_STATUS_NULL_POINTER;
 * RP_STATUS_POOL_EXHAUSTED: twice max_running plus 2, or memory_bytes, allow fewer, and as many as
 * they allow are made; or a status of the device: the next one could not be made. Any thread. */
RP_API rp_status rp_combiner_reserve(rp_combiner *combiner, uint32_t n_groups);

/* Frees every group; NULL is allowed. No other call on the combiner may be under way. A group whose
 * work never ended is leaked on purpose, as the device may still write to it. */
RP_API void rp_combiner_destroy(rp_combiner *combiner);

/*
 * Compresses one input from host memory to host memory, and waits for it for at most timeout_us
 * microseconds; where it has to make a group, also for as long as the device takes for that. Any
 * thread.
 *
 * RP_STATUS_OK: *output_size is the size of the frame. On any other status the output's contents
 * are undefined and *output_size is 0. An output_capacity above rp_compress_bound(input_size)
 * counts as that.
 * An argument error, or a status of this input: RP_STATUS_INPUT_TOO_LARGE,
 * RP_STATUS_OUTPUT_TOO_SMALL, RP_STATUS_INTERNAL, RP_STATUS_VERIFICATION_FAILED.
 * RP_STATUS_POOL_EXHAUSTED: every group is in use or is being made, or as many as memory_bytes
 * allows. A status of the device: the launch failed, for all inputs that shared it, or a group
 * could not be made. RP_STATUS_TIMEOUT: it did not end in time. Then neither input nor output is
 * touched any more.
 *
 * *n_shared (nullable) is the number of inputs of the launch for one of the callers that shared it,
 * and 0 for the others, so that who counts launches, or faults of a device, counts each once. It is
 * 1 where there was no launch.
 */
RP_API rp_status rp_combiner_compress(rp_combiner *combiner, const void *input, size_t input_size,
                                      void *output, size_t output_capacity, size_t *output_size,
                                      const rp_compress_options *options, uint32_t timeout_us,
                                      uint32_t *n_shared);

/*
 * Launches and watches groups on the calling thread until there was nothing to do for idle_us
 * microseconds, then returns RP_STATUS_OK. Up to max_running threads that serve have something to
 * do. timeout_us is how long each launch is watched. RP_STATUS_NULL_POINTER.
 */
RP_API rp_status rp_combiner_serve(rp_combiner *combiner, uint32_t idle_us, uint32_t timeout_us);

/* Counts since the combiner was made, and what is so now. */
typedef struct rp_combiner_counts {
    size_t struct_size;
    uint64_t n_launches;
    uint64_t n_inputs;    /* of all launches */
    uint64_t n_late;      /* inputs that were copied too slowly and had to take another launch */
    uint32_t most_inputs; /* of one launch */
    uint32_t n_groups;    /* made */
    uint32_t n_serving;   /* threads in rp_combiner_serve() */
    uint32_t n_gathering; /* inputs that wait for their launch */
    size_t memory_bytes;  /* of the device, in groups */
} rp_combiner_counts;

#define RP_COMBINER_COUNTS_INIT                                                                    \
    {                                                                                              \
        sizeof(rp_combiner_counts), 0, 0, 0, 0, 0, 0, 0, 0                                         \
    }

/* Fills *counts. RP_STATUS_OK, RP_STATUS_NULL_POINTER or RP_STATUS_INVALID_STRUCT_SIZE. Any
 * thread. */
RP_API rp_status rp_combiner_read_counts(rp_combiner *combiner, rp_combiner_counts *counts);

#ifdef __cplusplus
}
#endif

#endif
