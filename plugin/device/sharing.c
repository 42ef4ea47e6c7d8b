/* SPDX-License-Identifier: Apache-2.0 */
/* See device/sharing.h. */
#include "plugin/device/sharing.h"

#include "plugin/core/log.h"
#include "plugin/device/bounded_device.h"
#include "plugin/device/helper_thread.h"
#include "plugin/device/session.h"
#include "rockpress/combiner.h"

/* A GPU takes hardly longer for 64 blocks of 16 KiB than for one. */
#define LAUNCH_BLOCKS 64u
#define LAUNCH_BYTES ((size_t)1 << 20)

/* While one launch runs, the next one is in the queue. */
#define MAX_RUNNING 2u

/* A thread that serves ends when it had nothing to do for this time: so the end of the process does
 * not wait for it much longer. Starting one costs as much as a block. */
#define IDLE_US 20000u

static rp_combiner *combiner; /* written before the session is open */
static uint32_t timeout_us;

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Let in where the device was given up, too: inputs may wait. While the process ends, those who
 * wait for service are inside the device, and it waits for them. */
static void serve(void)
{
    bool is_in_use = rp_session_return_begin();

    (void)rp_combiner_serve(combiner, is_in_use ? IDLE_US : 0, timeout_us);
    if (is_in_use)
        rp_session_use_end();
}

static bool start_service(void *context)
{
    (void)context;
    return rp_helper_thread_start(serve) == 0;
}

void rp_sharing_open(const rp_plugin_config *config, const rp_device *device)
{
    rp_error error = {""};
    const rp_combiner_options options = {
        .struct_size = sizeof(options),
        .max_input_bytes = config->max_block_bytes,
        .launch_bytes = larger(LAUNCH_BYTES, config->max_block_bytes),
        .max_inputs = LAUNCH_BLOCKS,
        .max_running = MAX_RUNNING,
        .memory_bytes = config->memory_bytes,
        /* A launch serves whatever level comes next, so its memory is for the highest. */
        .effort =
            config->effort == RP_PLUGIN_EFFORT_AUTO ? RP_EFFORT_MAX : (rp_effort)config->effort,
        .error = &error,
        .call_service = config->sharing == RP_SHARING_SERVED ? start_service : NULL,
    };
    rp_combiner *made = NULL;
    rp_status status;

    /* On the host's CPU, blocks that share a launch would be compressed one after the other. */
    if (config->sharing == RP_SHARING_OFF || (device->flags & RP_DEVICE_HOST_MEMORY) != 0)
        return;
    status = rp_combiner_create(device, &options, &made);
    /* The first launches should not wait for memory. */
    if (status == RP_STATUS_OK)
        status = rp_combiner_reserve(made, MAX_RUNNING + 1);
    /* What a slow driver makes later is there for the block that asks for it next. */
    if (status != RP_STATUS_OK && status != RP_STATUS_TIMEOUT) {
        rp_log(RP_LOG_ERROR, "device %s: no shared launches: %s %s; each block has its own",
               device->name, rp_status_string(status), error.message);
        rp_combiner_destroy(made);
        return;
    }
    timeout_us = config->timeout_ms * 1000u;
    combiner = made;
}

bool rp_sharing_is_on(void)
{
    return combiner != NULL;
}

rp_status rp_sharing_compress(const rp_request *request, const rp_compress_options *options,
                              size_t *frame_size, uint32_t *n_shared)
{
    /* Threads that serve are in a call that does not return: there is nothing to wait for. */
    *n_shared = 1;
    if (rp_bounded_device_is_overdue())
        return RP_STATUS_TIMEOUT;
    return rp_combiner_compress(combiner, request->input, request->input_size, request->output,
                                request->output_capacity, frame_size, options, timeout_us,
                                n_shared);
}
