/* SPDX-License-Identifier: Apache-2.0 */
/* See fault_device.h. */
#include "tests/support/fault_device.h"

#include <string.h>

static fault_device *fault_of(const rp_device *device)
{
    return device->state;
}

static rp_stream inner_stream(rp_stream stream)
{
    rp_stream passed = {fault_of(stream.device)->inner, stream.handle};
    return passed;
}

/* Counts the call; what it is to fail with, or RP_STATUS_OK. */
static rp_status arrive(const rp_device *device, fault_call call)
{
    fault_device *self = fault_of(device);
    const fault_plan *plan = &self->plan;
    uint32_t of_any = atomic_fetch_add(&self->n_calls[FAULT_ANY], 1) + 1;
    uint32_t of_this = atomic_fetch_add(&self->n_calls[call], 1) + 1;
    uint32_t n = plan->call == FAULT_ANY ? of_any : of_this;
    if (plan->nth == 0 || (plan->call != FAULT_ANY && plan->call != call) ||
        (plan->from_then_on ? n < plan->nth : n != plan->nth))
        return RP_STATUS_OK;
    atomic_fetch_add(&self->n_failed, 1);
    return plan->status;
}

static rp_status fault_memory_alloc(const rp_device *device, size_t bytes, void **memory)
{
    rp_status status = arrive(device, FAULT_MEMORY_ALLOC);
    const rp_device *inner = fault_of(device)->inner;
    *memory = NULL;
    if (status == RP_STATUS_OK)
        status = inner->ops->memory_alloc(inner, bytes, memory);
    if (status == RP_STATUS_OK)
        atomic_fetch_add(&fault_of(device)->n_memory, 1);
    return status;
}

static void fault_memory_free(const rp_device *device, void *memory)
{
    const rp_device *inner = fault_of(device)->inner;
    atomic_fetch_sub(&fault_of(device)->n_memory, 1);
    atomic_fetch_add(&fault_of(device)->n_released, 1);
    inner->ops->memory_free(inner, memory);
}

static rp_status fault_staging_alloc(const rp_device *device, size_t bytes, void **memory)
{
    rp_status status = arrive(device, FAULT_STAGING_ALLOC);
    const rp_device *inner = fault_of(device)->inner;
    *memory = NULL;
    if (status == RP_STATUS_OK)
        status = inner->ops->staging_alloc(inner, bytes, memory);
    if (status == RP_STATUS_OK)
        atomic_fetch_add(&fault_of(device)->n_staging, 1);
    return status;
}

static void fault_staging_free(const rp_device *device, void *memory)
{
    const rp_device *inner = fault_of(device)->inner;
    atomic_fetch_sub(&fault_of(device)->n_staging, 1);
    atomic_fetch_add(&fault_of(device)->n_released, 1);
    inner->ops->staging_free(inner, memory);
}

static rp_status fault_stream_create(const rp_device *device, void **handle)
{
    rp_status status = arrive(device, FAULT_STREAM_CREATE);
    const rp_device *inner = fault_of(device)->inner;
    *handle = NULL;
    if (status == RP_STATUS_OK)
        status = inner->ops->stream_create(inner, handle);
    if (status == RP_STATUS_OK)
        atomic_fetch_add(&fault_of(device)->n_streams, 1);
    return status;
}

static void fault_stream_destroy(const rp_device *device, void *handle)
{
    const rp_device *inner = fault_of(device)->inner;
    atomic_fetch_sub(&fault_of(device)->n_streams, 1);
    atomic_fetch_add(&fault_of(device)->n_released, 1);
    inner->ops->stream_destroy(inner, handle);
}

static rp_status fault_copy_async(rp_stream stream, void *destination, const void *source,
                                  size_t bytes, rp_copy_kind kind)
{
    rp_status status = arrive(stream.device, FAULT_COPY);
    const rp_device *inner = fault_of(stream.device)->inner;
    if (status == RP_STATUS_OK)
        status = inner->ops->copy_async(inner_stream(stream), destination, source, bytes, kind);
    return status;
}

static rp_status fault_launch(rp_stream stream, const struct rp_launch *launch)
{
    rp_status status = arrive(stream.device, FAULT_LAUNCH);
    const rp_device *inner = fault_of(stream.device)->inner;
    return status == RP_STATUS_OK ? inner->ops->launch(inner_stream(stream), launch) : status;
}

static rp_status fault_wait(rp_stream stream, uint32_t timeout_us)
{
    rp_status status = arrive(stream.device, FAULT_WAIT);
    const rp_device *inner = fault_of(stream.device)->inner;
    return status == RP_STATUS_OK ? inner->ops->wait(inner_stream(stream), timeout_us) : status;
}

static void fault_close(rp_device *device)
{
    (void)device;
}

static const rp_device_ops fault_ops = {
    sizeof(rp_device_ops), fault_memory_alloc,  fault_memory_free,    fault_staging_alloc,
    fault_staging_free,    fault_stream_create, fault_stream_destroy, fault_copy_async,
    fault_launch,          fault_wait,          fault_close,
};

void fault_device_open(fault_device *self, const rp_device *inner, uint32_t flags)
{
    memset(self, 0, sizeof(*self));
    self->device.struct_size = sizeof(self->device);
    self->device.ops = &fault_ops;
    self->device.name = "fault";
    self->device.flags = flags;
    self->device.state = self;
    self->inner = inner;
}

void fault_device_plan(fault_device *self, fault_plan plan)
{
    self->plan = plan;
    atomic_store(&self->n_failed, 0);
    atomic_store(&self->n_released, 0);
    for (int i = 0; i < FAULT_N_CALLS; i++)
        atomic_store(&self->n_calls[i], 0);
}

const char *fault_call_name(fault_call call)
{
    static const char *const names[FAULT_N_CALLS] = {
        "memory_alloc", "staging_alloc", "stream_create", "copy", "launch", "wait", "any"};
    return names[call];
}
