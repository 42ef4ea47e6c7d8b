/* SPDX-License-Identifier: Apache-2.0 */
/* See simulated_device.h. */
#include "tests/gpu/simulated_device.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEMORY_BYTES ((size_t)256 << 20)

static rp_device *host;
static _Atomic bool lost;
static _Atomic bool busy;
static _Atomic size_t allocated;

static rp_status allocate(const rp_device *device, size_t bytes, void **memory)
{
    (void)device;
    *memory = NULL;
    if (lost)
        return RP_STATUS_DEVICE_FAULT;
    return host->ops->memory_alloc(host, bytes, memory);
}

static rp_status simulated_memory_alloc(const rp_device *device, size_t bytes, void **d_memory)
{
    *d_memory = NULL;
    if (!lost && bytes > MEMORY_BYTES)
        return RP_STATUS_OUT_OF_DEVICE_MEMORY;
    rp_status status = allocate(device, bytes, d_memory);
    if (status == RP_STATUS_OK &&
        atomic_fetch_add(&allocated, malloc_usable_size(*d_memory)) > MEMORY_BYTES - bytes) {
        atomic_fetch_sub(&allocated, malloc_usable_size(*d_memory));
        host->ops->memory_free(host, *d_memory);
        *d_memory = NULL;
        status = RP_STATUS_OUT_OF_DEVICE_MEMORY;
    }
    return status;
}

static void simulated_memory_free(const rp_device *device, void *d_memory)
{
    (void)device;
    if (lost || d_memory == NULL)
        return;
    atomic_fetch_sub(&allocated, malloc_usable_size(d_memory));
    host->ops->memory_free(host, d_memory);
}

static void simulated_staging_free(const rp_device *device, void *memory)
{
    (void)device;
    if (!lost)
        host->ops->memory_free(host, memory);
}

static rp_status simulated_stream_create(const rp_device *device, void **handle)
{
    (void)device;
    *handle = NULL;
    return lost ? RP_STATUS_DEVICE_FAULT : RP_STATUS_OK;
}

static void simulated_stream_destroy(const rp_device *device, void *handle)
{
    (void)device;
    (void)handle;
}

static rp_status simulated_copy(rp_stream stream, void *destination, const void *source,
                                size_t bytes, rp_copy_kind kind)
{
    rp_stream on_host = {host, stream.handle};
    return lost ? RP_STATUS_DEVICE_FAULT
                : host->ops->copy_async(on_host, destination, source, bytes, kind);
}

static rp_status simulated_launch(rp_stream stream, const struct rp_launch *launch)
{
    rp_stream on_host = {host, stream.handle};
    return lost ? RP_STATUS_DEVICE_FAULT : host->ops->launch(on_host, launch);
}

static rp_status simulated_wait(rp_stream stream, uint32_t timeout_us)
{
    (void)stream;
    if (lost)
        return RP_STATUS_DEVICE_FAULT;
    if (!busy)
        return RP_STATUS_OK;
    struct timespec pause = {timeout_us / 1000000, (long)(timeout_us % 1000000) * 1000};
    (void)nanosleep(&pause, NULL);
    return RP_STATUS_TIMEOUT;
}

static void simulated_close(rp_device *device)
{
    (void)device;
}

static const rp_device_ops simulated_ops = {
    sizeof(rp_device_ops),  simulated_memory_alloc,  simulated_memory_free,    allocate,
    simulated_staging_free, simulated_stream_create, simulated_stream_destroy, simulated_copy,
    simulated_launch,       simulated_wait,          simulated_close,
};

rp_device *simulated_device_open(void)
{
    static rp_device device = {sizeof(rp_device), &simulated_ops, "simulated", 0, NULL};
    if (rp_device_open("host", &host) != RP_STATUS_OK)
        return NULL;
    atomic_store(&lost, false);
    atomic_store(&busy, false);
    atomic_store(&allocated, 0);
    return &device;
}

void simulated_device_lose(void)
{
    atomic_store(&lost, true);
}

void simulated_device_set_busy(bool is_busy)
{
    atomic_store(&busy, is_busy);
}
