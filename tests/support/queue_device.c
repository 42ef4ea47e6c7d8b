/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/queue_device.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/base/stages.h"

#define MAX_QUEUED 64

typedef struct queued {
    bool is_launch;
    struct rp_launch launch;
    void *destination;
    const void *source;
    size_t n_bytes;
} queued;

typedef struct queue {
    _Atomic bool stalled;
    uint32_t n;
    queued items[MAX_QUEUED];
} queue;

static bool fails(const rp_device *device, queue_call which, rp_status *status)
{
    queue_device *self = device->state;
    *status = (rp_status)atomic_load(&self->failure);
    return atomic_load(&self->fail_in[which]) > 0 &&
           atomic_fetch_sub(&self->fail_in[which], 1) == 1;
}

static rp_status allocate(const rp_device *device, queue_call which, size_t n_bytes, void **memory,
                          _Atomic int *n_alive)
{
    rp_status status;
    *memory = NULL;
    if (fails(device, which, &status))
        return status;
    size_t rounded = (n_bytes + 255) / 256 * 256;
    *memory = aligned_alloc(256, rounded);
    if (*memory == NULL)
        return RP_STATUS_OUT_OF_HOST_MEMORY;
    memset(*memory, 0xA5, rounded);
    atomic_fetch_add(n_alive, 1);
    return RP_STATUS_OK;
}

/* Device memory begins behind one of these, which says what freeing it gives back. */
typedef union memory_header {
    size_t n_bytes;
    uint8_t padding[256];
} memory_header;

static bool take_memory(queue_device *self, size_t n_bytes)
{
    size_t limit = atomic_load(&self->memory_limit);
    size_t before = atomic_load(&self->memory_in_use);
    do {
        if (limit != 0 && before + n_bytes > limit)
            return false;
    } while (!atomic_compare_exchange_weak(&self->memory_in_use, &before, before + n_bytes));
    size_t peak = atomic_load(&self->memory_peak);
    while (peak < before + n_bytes &&
           !atomic_compare_exchange_weak(&self->memory_peak, &peak, before + n_bytes))
        ;
    return true;
}

static rp_status queue_memory_alloc(const rp_device *device, size_t n_bytes, void **memory)
{
    queue_device *self = device->state;
    void *header = NULL;
    *memory = NULL;
    atomic_fetch_add(&self->memory_bytes, n_bytes);
    if (!take_memory(self, n_bytes))
        return RP_STATUS_OUT_OF_DEVICE_MEMORY;
    rp_status status = allocate(device, QUEUE_MEMORY_ALLOC, sizeof(memory_header) + n_bytes,
                                &header, &self->n_memory);
    if (status != RP_STATUS_OK) {
        atomic_fetch_sub(&self->memory_in_use, n_bytes);
        return status;
    }
    /* allocate() sets it whenever it returns RP_STATUS_OK. */
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    ((memory_header *)header)->n_bytes = n_bytes;
    *memory = (memory_header *)header + 1;
    return RP_STATUS_OK;
}

static void queue_memory_free(const rp_device *device, void *memory)
{
    queue_device *self = device->state;
    memory_header *header = (memory_header *)memory - 1;
    atomic_fetch_sub(&self->memory_in_use, header->n_bytes);
    atomic_fetch_sub(&self->n_memory, 1);
    free(header);
}

static rp_status queue_staging_alloc(const rp_device *device, size_t n_bytes, void **memory)
{
    queue_device *self = device->state;
    return allocate(device, QUEUE_STAGING_ALLOC, n_bytes, memory, &self->n_staging);
}

static void queue_staging_free(const rp_device *device, void *memory)
{
    atomic_fetch_sub(&((queue_device *)device->state)->n_staging, 1);
    free(memory);
}

static rp_status queue_stream_create(const rp_device *device, void **handle)
{
    rp_status status;
    if (fails(device, QUEUE_STREAM_CREATE, &status))
        return status;
    *handle = calloc(1, sizeof(queue));
    if (*handle == NULL)
        return RP_STATUS_OUT_OF_HOST_MEMORY;
    atomic_fetch_add(&((queue_device *)device->state)->n_streams, 1);
    return RP_STATUS_OK;
}

static void queue_stream_destroy(const rp_device *device, void *handle)
{
    atomic_fetch_sub(&((queue_device *)device->state)->n_streams, 1);
    free(handle);
}

static rp_status enqueue(rp_stream stream, queue_call which, const queued *item)
{
    rp_status status;
    queue *self = stream.handle;
    if (fails(stream.device, which, &status))
        return status;
    if (self->n == MAX_QUEUED)
        return RP_STATUS_INTERNAL;
    self->items[self->n++] = *item;
    return RP_STATUS_OK;
}

static rp_status queue_copy_async(rp_stream stream, void *destination, const void *source,
                                  size_t n_bytes, rp_copy_kind kind)
{
    (void)kind;
    queued item;
    memset(&item, 0, sizeof(item));
    item.destination = destination;
    item.source = source;
    item.n_bytes = n_bytes;
    return enqueue(stream, QUEUE_COPY, &item);
}

static rp_status queue_launch(rp_stream stream, const struct rp_launch *launch)
{
    queued item;
    memset(&item, 0, sizeof(item));
    item.is_launch = true;
    item.launch = *launch;
    return enqueue(stream, QUEUE_LAUNCH, &item);
}

static rp_status queue_wait(rp_stream stream, uint32_t timeout_us)
{
    rp_status status;
    queue *self = stream.handle;
    const queue_device *owner = stream.device->state;
    if (timeout_us == 0 && owner->on_ask != NULL)
        owner->on_ask(owner->on_ask_context, stream);
    rp_stream runner_stream = {owner->runner, NULL};
    if (fails(stream.device, QUEUE_WAIT, &status))
        return status;
    if (atomic_load(&self->stalled))
        return RP_STATUS_TIMEOUT;
    for (uint32_t i = 0; i < self->n; i++) {
        const queued *item = &self->items[i];
        if (item->is_launch)
            owner->runner->ops->launch(runner_stream, &item->launch);
        else if (item->n_bytes != 0)
            memcpy(item->destination, item->source, item->n_bytes);
    }
    self->n = 0;
    return RP_STATUS_OK;
}

static void queue_close(rp_device *device)
{
    (void)device;
}

static const rp_device_ops queue_ops = {
    sizeof(rp_device_ops), queue_memory_alloc,  queue_memory_free,    queue_staging_alloc,
    queue_staging_free,    queue_stream_create, queue_stream_destroy, queue_copy_async,
    queue_launch,          queue_wait,          queue_close,
};

void queue_device_open(queue_device *self, rp_device *runner, uint32_t flags)
{
    memset(self, 0, sizeof(*self));
    rp_device device = {sizeof(rp_device), &queue_ops, "queue", flags, self};
    self->device = device;
    self->runner = runner;
}

void queue_device_fail(queue_device *self, queue_call which, int nth, rp_status status)
{
    atomic_store(&self->failure, (int)status);
    atomic_store(&self->fail_in[which], nth);
}

void queue_device_stall(rp_stream stream, bool stalled)
{
    queue *self = stream.handle;
    atomic_store(&self->stalled, stalled);
}
