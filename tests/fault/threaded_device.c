/* SPDX-License-Identifier: Apache-2.0 */
/* See threaded_device.h. */
#include "tests/fault/threaded_device.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/base/stages.h"

struct threaded_memory {
    struct threaded_memory *next;
    const uint8_t *begin;
    size_t n_bytes;
};

typedef struct item {
    bool is_launch;
    struct rp_launch launch;
    void *destination;
    const void *source;
    size_t n_bytes;
    rp_copy_kind kind;
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

/* With the lock. */
static bool is_alive(const threaded_device *owner, const void *begin, size_t n_bytes)
{
    for (const struct threaded_memory *at = owner->memory; at != NULL; at = at->next) {
        size_t offset = (uintptr_t)begin - (uintptr_t)at->begin;
        if (offset <= at->n_bytes && n_bytes <= at->n_bytes - offset)
            return true;
    }
    return false;
}

/* With the lock. The stages refuse an input that is larger than the largest of the batch. */
static bool has_good_addresses(const threaded_device *owner, const rp_stage_args *args)
{
    const rp_kernel_batch *batch = &args->batch;
    for (size_t i = 0; batch->d_inputs != NULL && i < batch->n_inputs; i++) {
        size_t size = batch->d_input_sizes[i];
        size_t capacity = batch->d_output_capacities == NULL ? args->single.output_capacity
                                                             : batch->d_output_capacities[i];
        if ((size <= batch->max_input_bytes && !is_alive(owner, batch->d_inputs[i], size)) ||
            !is_alive(owner, batch->d_outputs[i], capacity) ||
            (batch->d_deliveries != NULL && !is_alive(owner, batch->d_deliveries[i], capacity)))
            return false;
    }
    return true;
}

/* A dropped upload leaves addresses on the device that are none. */
static bool copies_good_addresses(const threaded_device *owner, const item *next)
{
    return next->n_bytes == 0 ||
           ((next->kind == RP_COPY_DEVICE_TO_HOST ||
             is_alive(owner, next->destination, next->n_bytes)) &&
            (next->kind == RP_COPY_HOST_TO_DEVICE || is_alive(owner, next->source, next->n_bytes)));
}

static rp_status run_item(threaded_device *owner, const item *next)
{
    const rp_stream stream = {owner->runner, NULL};
    pthread_mutex_lock(&owner->lock);
    if (next->is_launch ? !has_good_addresses(owner, &next->launch.args)
                        : !copies_good_addresses(owner, next))
        owner->is_lost = true;
    const bool is_lost = owner->is_lost;
    pthread_mutex_unlock(&owner->lock);
    if (is_lost)
        return RP_STATUS_DEVICE_FAULT;
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
    threaded_device *owner = owner_of(device);
    struct threaded_memory *note = malloc(sizeof(*note));
    *memory = NULL;
    if (note == NULL)
        return RP_STATUS_OUT_OF_HOST_MEMORY;
    rp_status status = owner->runner->ops->memory_alloc(owner->runner, n_bytes, memory);
    if (status != RP_STATUS_OK) {
        free(note);
        return status;
    }
    memset(*memory, 0xA5, n_bytes);
    note->begin = *memory;
    note->n_bytes = n_bytes;
    pthread_mutex_lock(&owner->lock);
    note->next = owner->memory;
    owner->memory = note;
    pthread_mutex_unlock(&owner->lock);
    return RP_STATUS_OK;
}

static void threaded_free(const rp_device *device, void *memory)
{
    threaded_device *owner = owner_of(device);
    struct threaded_memory **at;
    pthread_mutex_lock(&owner->lock);
    for (const struct threaded_stream *one = owner->streams; one != NULL; one = one->next) {
        uint64_t queued = one->n_queued;
        while (one->n_done < queued)
            pthread_cond_wait(&owner->changed, &owner->lock);
    }
    for (at = &owner->memory; *at != NULL && (*at)->begin != memory; at = &(*at)->next)
        ;
    struct threaded_memory *gone = *at;
    if (gone != NULL)
        *at = gone->next;
    pthread_mutex_unlock(&owner->lock);
    free(gone);
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
    if (owner->is_lost)
        status = RP_STATUS_DEVICE_FAULT;
    else if (make_room(self)) {
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
    item next;
    memset(&next, 0, sizeof(next));
    next.kind = kind;
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
    if (owner->is_lost)
        status = RP_STATUS_DEVICE_FAULT;
    else if (self->n_done == self->n_queued) {
        status = self->status;
        self->status = RP_STATUS_OK;
    }
    pthread_mutex_unlock(&owner->lock);
    return status;
}

static void threaded_close(rp_device *device)
{
    threaded_device *owner = owner_of(device);
    while (owner->streams != NULL) {
        struct threaded_stream *gone = owner->streams;
        owner->streams = gone->next;
        free(gone);
    }
    pthread_cond_destroy(&owner->changed);
    pthread_mutex_destroy(&owner->lock);
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
