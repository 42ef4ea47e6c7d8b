/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool of lanes, for callers who don't want to manage streams and workspaces. A lane is one
 * stream, one workspace and the staging memory that goes with them; a thread takes a lane,
 * compresses on it, and gives it back. Acquire and release are lock-free and allocate only
 * when a lane is made for the first time; lanes are kept until the pool is destroyed.
 *
 * Thread rule: acquire and release from any thread; a lane is used by one thread at a time.
 */
#ifndef ROCKPRESS_POOL_H
#define ROCKPRESS_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "rockpress/device.h"
#include "rockpress/engine.h"
#include "rockpress/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_pool rp_pool;
typedef struct rp_lane rp_lane;

typedef struct rp_pool_options {
    size_t struct_size;
    uint32_t max_lanes;     /* 1 to RP_POOL_MAX_LANES */
    size_t max_input_bytes; /* largest input that a lane takes, 1 to RP_MAX_INPUT_BYTES */
    size_t memory_bytes;    /* bound on device memory over all lanes; 0: none */
    rp_effort effort;       /* the highest effort that lanes are sized for */
    rp_error *error;        /* nullable: filled on an argument error */
} rp_pool_options;

/* max_lanes and max_input_bytes have no default and must be set. */
#define RP_POOL_OPTIONS_INIT                                                                       \
    {                                                                                              \
        sizeof(rp_pool_options), 0, 0, 0, RP_EFFORT_DEFAULT, NULL                                  \
    }

#define RP_POOL_MAX_LANES UINT32_C(4096)

/* Makes a pool on a device, which must outlive it. No lane is made yet. RP_STATUS_OK, or
 * RP_STATUS_NULL_POINTER, RP_STATUS_INVALID_STRUCT_SIZE, RP_STATUS_INVALID_OPTION,
 * RP_STATUS_INVALID_EFFORT or RP_STATUS_OUT_OF_HOST_MEMORY, and *pool is NULL. */
RP_API rp_status rp_pool_create(const rp_device *device, const rp_pool_options *options,
                                rp_pool **pool);

/* Frees every lane; NULL is allowed. No other call on the pool may be under way, and no lane should
 * be held. A lane that is held nevertheless, or whose work never ended, is leaked on purpose, and
 * the pool's own memory with it: the caller may still compress on the lane and release it, and the
 * device may still write to it. */
RP_API void rp_pool_destroy(rp_pool *pool);

/*
 * Takes a lane; on failure *lane is NULL.
 * RP_STATUS_POOL_EXHAUSTED: at one moment during the call all max_lanes were held, or as many as
 * the memory bound allows. A lane that timed out counts as held until its device is done with it,
 * and while another thread asks whether it is.
 * A status of the device: a new lane could not be made. A later call tries again.
 */
RP_API rp_status rp_pool_acquire(rp_pool *pool, rp_lane **lane);

/*
 * Gives a lane back. A lane whose last wait timed out is set aside until its work is done. Of
 * several threads that release a lane, one does. Nothing is done on an error:
 * RP_STATUS_NULL_POINTER of pool or lane, as after an rp_pool_acquire() that failed;
 * RP_STATUS_INVALID_LANE if nobody holds the lane, since it was released before, or if it is
 * another pool's. Once it is lent again, it is held, and cannot be told from the first time.
 */
RP_API rp_status rp_pool_release(rp_pool *pool, rp_lane *lane);

/*
 * Makes lanes until there are n_lanes of them, those that are held included, so that
 * rp_pool_acquire() allocates nothing. RP_STATUS_POOL_EXHAUSTED: max_lanes or memory_bytes allow
 * fewer, and as many as they allow are made. RP_STATUS_OUT_OF_DEVICE_MEMORY or another status of
 * the device: the next lane could not be made.
 */
RP_API rp_status rp_pool_reserve(rp_pool *pool, uint32_t n_lanes);

/* Lanes made so far, for statistics. */
RP_API uint32_t rp_pool_lane_count(const rp_pool *pool);

/*
 * Compresses one input from host memory to host memory on the lane and waits for it, for at
 * most timeout_us microseconds. input_size is at most the pool's max_input_bytes. On
 * RP_STATUS_OK, *output_size is the size of the frame; on any other status the output's contents
 * are undefined and *output_size is 0. An output_capacity above rp_compress_bound(input_size),
 * SIZE_MAX too, counts as that. After RP_STATUS_TIMEOUT neither input nor output is
 * touched any more: they are the caller's again.
 */
RP_API rp_status rp_lane_compress(rp_lane *lane, const void *input, size_t input_size, void *output,
                                  size_t output_capacity, size_t *output_size,
                                  const rp_compress_options *options, uint32_t timeout_us);

/* The lane's own stream and workspace, for direct use of the engine. Of a lane that is NULL: a
 * stream without a device, which every call refuses, and NULL with a size of 0. */
RP_API rp_stream rp_lane_stream(const rp_lane *lane);
RP_API void *rp_lane_workspace(const rp_lane *lane, size_t *workspace_size);

#ifdef __cplusplus
}
#endif

#endif
