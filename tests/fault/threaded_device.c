/* SPDX-License-Identifier: Apache-2.0 */
/* See threaded_device.h. */
#include "tests/fault/threaded_device.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/base/stages.h"

typedef struct item {
    bool is_launch;
    struct rp_launch launch;
    void *destination;
    const void *source;
    size_t n_bytes;
} item;

struct threaded_stream {
    threaded_device *owner;
    struct threaded_stream *next;
    pthread_t thread;
    bool is_ending;
    uint64_t n_queued; /* ever */
    uint64_t n_done;
    rp_status status;  /* of what was done since the last wait */
    uint64_t capacity; /* of items, a ring */
    item *items;
};

static threaded_device *owner_of(const rp_device *device)
{
    return device->state;
}

static rp_status run_item(const threaded_device *owner, const item *next)
{
    const rp_stream stream = {owner->runner, NULL};
    if (next->is_launch)
        return owner->runner->ops->launch(stream, &next->launch);
    if (next->n_bytes != 0)
        memcpy(next->destination, next->source, next->n_bytes);
    return RP_STATUS_OK;
}

static void *work(void *argument)
{
    struct threaded_stream *self = argument;
    threaded_device *owner = self->owner;
    sigset_t all;
    /* The program's signals are for the program's threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pthread_mutex_lock(&owner->lock);
    for (;;) {
        while (self->n_done == self->n_queued && !self->is_ending)
            pthread_cond_wait(&owner->changed, &owner->lock);
        if (self->n_done == self->n_queued)
            break;
        item next = self->items[self->n_done % self->capacity];
        pthread_mutex_unlock(&owner->lock);
        rp_status status = run_item(owner, &next);
        pthread_mutex_lock(&owner->lock);
        if (status != RP_STATUS_OK)
            self->status = status;
        self->n_done++;
        pthread_cond_broadcast(&owner->changed);
    }
    pthread_mutex_unlock(&owner->lock);
    return NULL;
}

static rp_status threaded_alloc(const rp_device *device, size_t n_bytes, void **memory)
{
    const rp_device *runner = owner_of(device)->runner;
    rp_status status = runner->ops->memory_alloc(runner, n_bytes, memory);
    if (status == RP_STATUS_OK)
        memset(*memory, 0xA5, n_bytes);
    return status;
}

static void threaded_free(const rp_device *device, void *memory)
{
    threaded_device *owner = owner_of(device);
    pthread_mutex_lock(&owner->lock);
    for (const struct threaded_stream *at = owner->streams; at != NULL; at = at->next) {
        uint64_t queued = at->n_queued;
        while (at->n_done < queued)
            pthread_cond_wait(&owner->changed, &owner->lock);
    }
    pthread_mutex_unlock(&owner->lock);
    owner->runner->ops->memory_free(owner->runner, memory);
}

static rp_status threaded_stream_create(const rp_device *device, void **handle)
{
    threaded_device *owner = owner_of(device);
    struct threaded_stream *made = calloc(1, sizeof(*made));
    *handle = NULL;
    if (made == NULL)
        return RP_STATUS_OUT_OF_HOST_MEMORY;
    made->owner = owner;
    made->capacity = 64;
    made->items = calloc(made->capacity, sizeof(*made->items));
    if (made->items == NULL || pthread_create(&made->thread, NULL, work, made) != 0) {
        free(made->items);
        free(made);
        return RP_STATUS_OUT_OF_HOST_MEMORY;
    }
    pthread_mutex_lock(&owner->lock);
    made->next = owner->streams;
    owner->streams = made;
    pthread_mutex_unlock(&owner->lock);
    *handle = made;
    return RP_STATUS_OK;
}

/* What is queued is done before. Another thread may stand at a stream in threaded_free(), so the
 * stream itself stays. */
static void threaded_stream_destroy(const rp_device *device, void *handle)
{
    threaded_device *owner = owner_of(device);
    struct threaded_stream *stream = handle;
    pthread_mutex_lock(&owner->lock);
    stream->is_ending = true;
    pthread_cond_broadcast(&owner->changed);
    pthread_mutex_unlock(&owner->lock);
    pthread_join(stream->thread, NULL);
    free(stream->items);
    stream->items = NULL;
}

/* With the lock. */
static bool make_room(struct threaded_stream *self)
{
    if (self->n_queued - self->n_done < self->capacity)
        return true;
    item *larger = calloc(2 * self->capacity, sizeof(*larger));
    if (larger == NULL)
        return false;
    for (uint64_t i = self->n_done; i < self->n_queued; i++)
        larger[i % (2 * self->capacity)] = self->items[i % self->capacity];
    free(self->items);
    self->items = larger;
    self->capacity *= 2;
    return true;
}

static rp_status enqueue(rp_stream stream, const item *next)
{
    threaded_device *owner = owner_of(stream.device);
    struct threaded_stream *self = stream.handle;
    rp_status status = RP_STATUS_OUT_OF_HOST_MEMORY;
    pthread_mutex_lock(&owner->lock);
    if (make_room(self)) {
        self->items[self->n_queued++ % self->capacity] = *next;
        pthread_cond_broadcast(&owner->changed);
        status = RP_STATUS_OK;
    }
    pthread_mutex_unlock(&owner->lock);
    return status;
}

static rp_status threaded_copy(rp_stream stream, void *destination, const void *source,
                               size_t n_bytes, rp_copy_kind kind)
{
    (void)kind;
    item next;
    memset(&next, 0, sizeof(next));
    next.destination = destination;
    next.source = source;
    next.n_bytes = n_bytes;
    return enqueue(stream, &next);
}

static rp_status threaded_launch(rp_stream stream, const struct rp_launch *launch)
{
    item next;
    if ((uint32_t)launch->stage > RP_STAGE_FRAME_VERIFIER)
        return RP_STATUS_LAUNCH_FAILED;
    memset(&next, 0, sizeof(next));
    next.is_launch = true;
    next.launch = *launch;
    return enqueue(stream, &next);
}

static rp_status threaded_wait(rp_stream stream, uint32_t timeout_us)
{
    threaded_device *owner = owner_of(stream.device);
    struct threaded_stream *self = stream.handle;
    rp_status status = RP_STATUS_TIMEOUT;
    struct timespec end;
    int error = 0;
    clock_gettime(CLOCK_MONOTONIC, &end);
    uint64_t ns = (uint64_t)end.tv_nsec + (uint64_t)timeout_us * 1000;
    end.tv_sec += (time_t)(ns / 1000000000);
    end.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&owner->lock);
    while (self->n_done < self->n_queued && timeout_us != 0 && error == 0)
        error = pthread_cond_timedwait(&owner->changed, &owner->lock, &end);
    if (self->n_done == self->n_queued) {
        status = self->status;
        self->status = RP_STATUS_OK;
    }
    pthread_mutex_unlock(&owner->lock);
    return status;
}

static void threaded_close(rp_device *device)
{
    (void)device;
}

static const rp_device_ops threaded_ops = {
    sizeof(rp_device_ops), threaded_alloc,         threaded_free,           threaded_alloc,
    threaded_free,         threaded_stream_create, threaded_stream_destroy, threaded_copy,
    threaded_launch,       threaded_wait,          threaded_close,
};

void threaded_device_open(threaded_device *self, rp_device *host, uint32_t flags)
{
    const rp_device device = {sizeof(rp_device), &threaded_ops, "threaded", flags, self};
    pthread_condattr_t attributes;
    memset(self, 0, sizeof(*self));
    self->device = device;
    self->runner = host;
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}
