/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/sharing/worker_device.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/base/stages.h"

/* A launch of all stages has ten of them at most. */
#define MAX_ITEMS 32u

struct item {
    bool is_launch;
    struct rp_launch launch;
    void *destination;
    const void *source;
    size_t bytes;
};

struct stream {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_ending;
    unsigned n_items, n_done;
    struct item items[MAX_ITEMS];
};

static rp_device *host;

static void *work(void *argument)
{
    struct stream *self = argument;
    const rp_stream stream = {host, NULL};

    pthread_mutex_lock(&self->lock);
    for (;;) {
        while (self->n_done == self->n_items && !self->is_ending)
            pthread_cond_wait(&self->changed, &self->lock);
        if (self->n_done == self->n_items)
            break;
        const struct item *item = &self->items[self->n_done];
        pthread_mutex_unlock(&self->lock);
        if (item->is_launch)
            (void)host->ops->launch(stream, &item->launch);
        else if (item->bytes != 0)
            memcpy(item->destination, item->source, item->bytes);
        pthread_mutex_lock(&self->lock);
        if (++self->n_done == self->n_items)
            pthread_cond_broadcast(&self->changed);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

static rp_status worker_alloc(const rp_device *device, size_t bytes, void **memory)
{
    (void)device;
    return host->ops->memory_alloc(host, bytes, memory);
}

static void worker_free(const rp_device *device, void *memory)
{
    (void)device;
    host->ops->memory_free(host, memory);
}

static rp_status worker_stream_create(const rp_device *device, void **handle)
{
    struct stream *self = calloc(1, sizeof(*self));

    (void)device;
    *handle = self;
    if (self == NULL)
        return RP_STATUS_OUT_OF_HOST_MEMORY;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    return pthread_create(&self->thread, NULL, work, self) == 0 ? RP_STATUS_OK
                                                                : RP_STATUS_OUT_OF_HOST_MEMORY;
}

static void worker_stream_destroy(const rp_device *device, void *handle)
{
    struct stream *self = handle;

    (void)device;
    pthread_mutex_lock(&self->lock);
    self->is_ending = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    free(self);
}

/* Nobody is woken before the wait: as with a GPU, which looks at its queue by itself. */
static struct item *append(struct stream *self)
{
    struct item *item;

    pthread_mutex_lock(&self->lock);
    if (self->n_done == self->n_items)
        self->n_done = self->n_items = 0;
    item = self->n_items < MAX_ITEMS ? &self->items[self->n_items] : NULL;
    pthread_mutex_unlock(&self->lock);
    return item;
}

static void appended(struct stream *self, bool wakes)
{
    pthread_mutex_lock(&self->lock);
    self->n_items++;
    if (wakes)
        pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static rp_status worker_copy(rp_stream stream, void *destination, const void *source, size_t bytes,
                             rp_copy_kind kind)
{
    struct item *item = append(stream.handle);

    if (item == NULL)
        return RP_STATUS_INTERNAL;
    item->is_launch = false;
    item->destination = destination;
    item->source = source;
    item->bytes = bytes;
    appended(stream.handle, kind == RP_COPY_DEVICE_TO_HOST);
    return RP_STATUS_OK;
}

static rp_status worker_launch(rp_stream stream, const struct rp_launch *launch)
{
    struct item *item = append(stream.handle);

    if (item == NULL)
        return RP_STATUS_INTERNAL;
    item->is_launch = true;
    item->launch = *launch;
    appended(stream.handle, launch->stage == RP_STAGE_FRAME_VERIFIER);
    return RP_STATUS_OK;
}

static rp_status worker_wait(rp_stream stream, uint32_t timeout_us)
{
    struct stream *self = stream.handle;
    struct timespec end;
    int error = 0;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += timeout_us / 1000000 + 1;
    pthread_mutex_lock(&self->lock);
    pthread_cond_broadcast(&self->changed);
    while (self->n_done < self->n_items && timeout_us != 0 && error == 0)
        error = pthread_cond_timedwait(&self->changed, &self->lock, &end);
    error = self->n_done < self->n_items;
    pthread_mutex_unlock(&self->lock);
    return error != 0 ? RP_STATUS_TIMEOUT : RP_STATUS_OK;
}

static void worker_close(rp_device *device)
{
    (void)device;
}

static const rp_device_ops ops = {
    sizeof(rp_device_ops), worker_alloc,         worker_free,           worker_alloc,
    worker_free,           worker_stream_create, worker_stream_destroy, worker_copy,
    worker_launch,         worker_wait,          worker_close,
};

const rp_device *worker_device_open(void)
{
    static const rp_device device = {sizeof(rp_device), &ops, "worker", RP_DEVICE_MAPPED_STAGING,
                                     NULL};

    return rp_device_open("host", &host) == RP_STATUS_OK ? &device : NULL;
}
