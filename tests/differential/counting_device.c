/* SPDX-License-Identifier: Apache-2.0 */
/* See counting_device.h. */
#include "tests/differential/counting_device.h"

#include <stdlib.h>
#include <string.h>

static counting_device *counting_of(const rp_device *device)
{
    return device->state;
}

static rp_stream host_stream(rp_stream stream)
{
    rp_stream forwarded = {counting_of(stream.device)->host, stream.handle};
    return forwarded;
}

static rp_status forward_memory_alloc(const rp_device *device, size_t bytes, void **memory)
{
    counting_device *counting = counting_of(device);
    if (counting->alloc_status != RP_STATUS_OK)
        return counting->alloc_status;
    atomic_fetch_add(&counting->n_allocated, 1);
    return counting->host->ops->memory_alloc(counting->host, bytes, memory);
}

static void forward_memory_free(const rp_device *device, void *memory)
{
    counting_device *counting = counting_of(device);
    atomic_fetch_sub(&counting->n_allocated, 1);
    counting->host->ops->memory_free(counting->host, memory);
}

static rp_status forward_stream_create(const rp_device *device, void **handle)
{
    counting_device *counting = counting_of(device);
    if (counting->stream_status != RP_STATUS_OK)
        return counting->stream_status;
    atomic_fetch_add(&counting->n_streams, 1);
    return counting->host->ops->stream_create(counting->host, handle);
}

static void forward_stream_destroy(const rp_device *device, void *handle)
{
    counting_device *counting = counting_of(device);
    atomic_fetch_sub(&counting->n_streams, 1);
    counting->host->ops->stream_destroy(counting->host, handle);
}

static rp_status forward_copy(rp_stream stream, void *destination, const void *source, size_t bytes,
                              rp_copy_kind kind)
{
    counting_device *counting = counting_of(stream.device);
    atomic_fetch_add(&counting->n_copies, 1);
    if (counting->is_idle)
        return RP_STATUS_OK;
    return counting->host->ops->copy_async(host_stream(stream), destination, source, bytes, kind);
}

static rp_status forward_launch(rp_stream stream, const struct rp_launch *launch)
{
    counting_device *counting = counting_of(stream.device);
    atomic_fetch_add(&counting->n_launches, 1);
    if (counting->is_idle)
        return RP_STATUS_OK;
    return counting->host->ops->launch(host_stream(stream), launch);
}

static rp_status forward_wait(rp_stream stream, uint32_t timeout_us)
{
    counting_device *counting = counting_of(stream.device);
    atomic_fetch_add(&counting->n_waits, 1);
    return counting->host->ops->wait(host_stream(stream), timeout_us);
}

static void forward_close(rp_device *device)
{
    (void)device;
}

static const rp_device_ops counting_ops = {
    .struct_size = sizeof(rp_device_ops),
    .memory_alloc = forward_memory_alloc,
    .memory_free = forward_memory_free,
    .staging_alloc = forward_memory_alloc,
    .staging_free = forward_memory_free,
    .stream_create = forward_stream_create,
    .stream_destroy = forward_stream_destroy,
    .copy_async = forward_copy,
    .launch = forward_launch,
    .wait = forward_wait,
    .close = forward_close,
};

void counting_device_open(counting_device *counting, uint32_t flags)
{
    memset(counting, 0, sizeof(*counting));
    if (rp_device_open("host", &counting->host) != RP_STATUS_OK)
        abort();
    counting->device.struct_size = sizeof(counting->device);
    counting->device.ops = &counting_ops;
    counting->device.name = "counting";
    counting->device.flags = flags;
    counting->device.state = counting;
}

void counting_device_close(counting_device *counting)
{
    rp_device_close(counting->host);
}

unsigned counting_device_enqueued(counting_device *counting)
{
    return atomic_load(&counting->n_launches) + atomic_load(&counting->n_copies);
}
