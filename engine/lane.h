/* SPDX-License-Identifier: Apache-2.0 */
/* What a lane is: the pool makes and lends it (pool.c), batches use all of it (lane_batch.c). */
#ifndef ROCKPRESS_ENGINE_LANE_H
#define ROCKPRESS_ENGINE_LANE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "rockpress/batched.h"
#include "rockpress/pool.h"

/* Where results come back: behind the frame, in memory that device and host both reach. */
typedef struct rp_lane_result {
    size_t frame_bytes;
    rp_status status;
} rp_lane_result;

struct rp_lane {
    rp_stream stream;
    uint8_t *d_workspace; /* one allocation: workspace, then input, output and result */
    size_t memory_bytes;  /* of that allocation */
    size_t workspace_bytes;
    uint8_t *d_input;
    uint8_t *d_output;
    size_t output_bytes;
    rp_lane_result *d_result;
    bool delivers;    /* the device writes results to the staging memory itself */
    uint8_t *staging; /* host side of input, output and result; NULL with RP_DEVICE_HOST_MEMORY */
    size_t staging_bytes;
    rp_lane_result result;
    size_t max_input_bytes;
    bool busy; /* a wait timed out */
    _Atomic uint32_t next;
};

/* Its arrays and pointers: RP_STATUS_OK or an argument error. */
rp_status rp_check_host_batch(const rp_host_batch *batch, rp_error *error);

/* From input `first` on, the status of all is this one, and there are no frames. */
void rp_fail_host_batch(const rp_host_batch *batch, size_t first, rp_status status);

#endif
