/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "host" device: runs the kernels on the calling thread, with a team of one. Memory is
 * plain memory; launches and copies are done when they return, so a wait has nothing to do.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/devices.h"
#include "engine/workspace.h"
#include "kernels/fused/one_team.h"

#define HOST_ALIGNMENT ((size_t)256)

static rp_status host_alloc(const rp_device *device, size_t bytes, void **memory)
{
    (void)device;
    size_t rounded = rp_round_up(bytes, HOST_ALIGNMENT);
    *memory = rounded < bytes ? NULL : aligned_alloc(HOST_ALIGNMENT, rounded);
    return *memory != NULL ? RP_STATUS_OK : RP_STATUS_OUT_OF_HOST_MEMORY;
}

static void host_free(const rp_device *device, void *memory)
{
    (void)device;
    free(memory);
}

static rp_status host_stream_create(const rp_device *device, void **handle)
{
    (void)device;
    *handle = NULL;
    return RP_STATUS_OK;
}

static void host_stream_destroy(const rp_device *device, void *handle)
{
    (void)device;
    (void)handle;
}

static rp_status host_copy_async(rp_stream stream, void *destination, const void *source,
                                 size_t bytes, rp_copy_kind kind)
{
    (void)stream;
    (void)kind;
    if (bytes != 0)
        memcpy(destination, source, bytes);
    return RP_STATUS_OK;
}

static rp_status host_launch(rp_stream stream, const struct rp_launch *launch)
{
    (void)stream;
    if ((uint32_t)launch->stage > RP_STAGE_FRAME_VERIFIER)
        return RP_STATUS_LAUNCH_FAILED;
    /* Teams run one after the other, so all use the first one's scratch: it stays in cache. */
    rp_stage_args args = launch->args;
    args.buffers.scratch_stride = 0;
    void *team_memory = args.buffers.d_team_memory;
    rp_team team = {0};
    for (uint32_t i = 0; i < launch->n_teams; i++)
        rp_run_stage(&team, launch->stage, &args, i, team_memory);
    return RP_STATUS_OK;
}

static rp_status host_wait(rp_stream stream, uint32_t timeout_us)
{
    (void)stream;
    (void)timeout_us;
    return RP_STATUS_OK;
}

static void host_close(rp_device *device)
{
    (void)device;
}

static const rp_device_ops host_ops = {
    sizeof(rp_device_ops), host_alloc,      host_free,   host_alloc, host_free,  host_stream_create,
    host_stream_destroy,   host_copy_async, host_launch, host_wait,  host_close,
};

/* It has no state, so there is only one. */
static rp_device host_device = {sizeof(rp_device), &host_ops, "host", RP_DEVICE_HOST_MEMORY, NULL};

rp_status rp_open_host_device(rp_device **device)
{
    *device = &host_device;
    return RP_STATUS_OK;
}
