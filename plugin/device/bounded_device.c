/* SPDX-License-Identifier: Apache-2.0 */
/* See device/bounded_device.h. */
#include "plugin/device/bounded_device.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "plugin/core/stats.h"
#include "plugin/core/thread_state.h"
#include "plugin/device/helper_thread.h"
#include "plugin/device/session.h"

static const rp_device *inner;
static uint64_t limit_ns;

/*
 * Calls that make and free things.
 */

enum kind { MAKE_MEMORY, MAKE_STAGING, MAKE_STREAM, FREE_MEMORY, FREE_STAGING, FREE_STREAM };

/* Whose a call is: that of the thread that waits for it, or the helper's. */
enum state { WAITED_FOR, DONE, ABANDONED };

struct call {
    enum kind kind;
    enum state state;
    size_t bytes;
    void *thing;
    rp_status status;
    struct call *next;
};

/* The helper ends when it had nothing to do for this time. */
#define IDLE_NS UINT64_C(100000000)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* never held during a call */
static pthread_cond_t changed;                           /* CLOCK_MONOTONIC */
static struct call *queue, **queue_end = &queue;
static struct call *in_call; /* what the helper is inside of */
static struct call *kept;    /* made after nobody waited for it any more */
static bool is_helped;       /* there is a helper */

static bool make_condition(void)
{
    pthread_condattr_t attributes;
    bool is_made;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    is_made = pthread_cond_init(&changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return is_made;
}

/* Under the lock, which is released meanwhile. False after the deadline. */
static bool await_change(uint64_t deadline_ns)
{
    struct timespec deadline = {(time_t)(deadline_ns / 1000000000u),
                                (long)(deadline_ns % 1000000000u)};

    return pthread_cond_timedwait(&changed, &lock, &deadline) == 0;
}

static void append(struct call *call)
{
    call->next = NULL;
    *queue_end = call;
    queue_end = &call->next;
}

static void take_from_queue(struct call *call)
{
    struct call **at = &queue;

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    if (*at == NULL)
        queue_end = at;
}

/* A call for the same that was abandoned and has made it since; NULL. */
static struct call *take_kept(enum kind kind, size_t bytes)
{
    for (struct call **at = &kept; *at != NULL; at = &(*at)->next) {
        struct call *call = *at;
        if (call->kind == kind && call->bytes == bytes) {
            *at = call->next;
            return call;
        }
    }
    return NULL;
}

static void perform(struct call *call)
{
    const rp_device_ops *ops = inner->ops;

    switch (call->kind) {
    case MAKE_MEMORY:
        call->status = ops->memory_alloc(inner, call->bytes, &call->thing);
        break;
    case MAKE_STAGING:
        call->status = ops->staging_alloc(inner, call->bytes, &call->thing);
        break;
    case MAKE_STREAM:
        call->status = ops->stream_create(inner, &call->thing);
        break;
    case FREE_MEMORY:
        ops->memory_free(inner, call->thing);
        break;
    case FREE_STAGING:
        ops->staging_free(inner, call->thing);
        break;
    case FREE_STREAM:
        ops->stream_destroy(inner, call->thing);
        break;
    }
}

/* Under the lock. The call is the helper's own, or is given to the thread that waits for it. */
static void settle(struct call *call)
{
    if (call->state == WAITED_FOR) {
        call->state = DONE;
        pthread_cond_broadcast(&changed);
    } else if (call->kind <= MAKE_STREAM && call->status == RP_STATUS_OK) {
        call->next = kept;
        kept = call;
    } else {
        free(call);
    }
}

static void help(void)
{
    uint64_t idle_from = rp_clock_ns();

    pthread_mutex_lock(&lock);
    for (;;) {
        struct call *call = queue;
        if (call == NULL) {
            /* A call may have come between the end of the wait and getting the lock back. */
            if (!await_change(idle_from + IDLE_NS) && queue == NULL &&
                rp_clock_ns() >= idle_from + IDLE_NS)
                break;
            continue;
        }
        take_from_queue(call);
        in_call = call;
        pthread_mutex_unlock(&lock);
        call->status = RP_STATUS_DEVICE_UNAVAILABLE;
        /* The end of the process waits for this thread, too, but not for long. */
        if (call->kind <= MAKE_STREAM ? rp_session_use_begin() : rp_session_return_begin()) {
            call->status = RP_STATUS_OK;
            perform(call);
            rp_session_use_end();
        }
        idle_from = rp_clock_ns();
        pthread_mutex_lock(&lock);
        in_call = NULL;
        settle(call);
    }
    is_helped = false;
    pthread_mutex_unlock(&lock);
}

/* Under the lock. */
static bool has_helper(void)
{
    if (!is_helped)
        is_helped = rp_helper_thread_start(help) == 0;
    return is_helped;
}

/* Under the lock. Whether the helper is inside a call that somebody has waited for in vain. */
static bool helper_is_overdue(void)
{
    return in_call != NULL && in_call->state == ABANDONED;
}

/* Under the lock. Whether the call was done in time; if not, *call is not the caller's any more. */
static bool is_done(struct call *call)
{
    uint64_t deadline_ns = rp_clock_ns() + limit_ns;

    while (call->state == WAITED_FOR && (await_change(deadline_ns) || rp_clock_ns() < deadline_ns))
        ;
    if (call->state == DONE)
        return true;
    if (call != in_call && call->kind <= MAKE_STREAM) {
        /* It never began: the one before it is overdue. */
        take_from_queue(call);
        free(call);
    } else {
        call->state = ABANDONED;
    }
    return false;
}

static rp_status make(enum kind kind, size_t bytes, void **thing)
{
    struct call *call;
    rp_status status = RP_STATUS_TIMEOUT;

    *thing = NULL;
    pthread_mutex_lock(&lock);
    call = take_kept(kind, bytes);
    if (call != NULL) {
        status = RP_STATUS_OK;
    } else if (!helper_is_overdue()) {
        call = calloc(1, sizeof(*call));
        status = RP_STATUS_OUT_OF_HOST_MEMORY;
        if (call != NULL && has_helper()) {
            call->kind = kind;
            call->bytes = bytes;
            append(call);
            pthread_cond_broadcast(&changed);
            if (!is_done(call))
                call = NULL;
            status = call != NULL ? call->status : RP_STATUS_TIMEOUT;
        }
    }
    pthread_mutex_unlock(&lock);
    if (status == RP_STATUS_OK)
        *thing = call->thing;
    free(call);
    return status;
}

/* Without memory or a thread for it, the thing stays: better than a thread that hangs. */
static void unmake(enum kind kind, void *thing)
{
    struct call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        return;
    pthread_mutex_lock(&lock);
    call->kind = kind;
    call->thing = thing;
    if (!has_helper()) {
        free(call);
    } else {
        append(call);
        pthread_cond_broadcast(&changed);
        if (helper_is_overdue())
            call->state = ABANDONED;
        else if (is_done(call))
            free(call);
    }
    pthread_mutex_unlock(&lock);
}

/*
 * Calls for a stream.
 */

/* Since when a thread is inside such a call, in coarse nanoseconds; 0: none is. Each thread takes
 * its shard's word, or another one if that is taken. */
static struct {
    alignas(64) _Atomic uint64_t since_ns;
} inside[RP_N_SHARDS];

static _Atomic uint64_t next_look_ns;
static _Atomic bool is_stuck; /* at the last look, a thread had been inside for too long */

/* Some milliseconds behind, at a fraction of the cost. */
static uint64_t coarse_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A wait may rightly take the limit, so a call is overdue after twice that. */
static void look(uint64_t now_ns)
{
    bool found = false;

    for (uint32_t i = 0; i < RP_N_SHARDS; i++) {
        uint64_t since = atomic_load_explicit(&inside[i].since_ns, memory_order_relaxed);
        found = found || (since != 0 && (int64_t)(now_ns - since) > (int64_t)(2 * limit_ns));
    }
    atomic_store_explicit(&is_stuck, found, memory_order_relaxed);
    atomic_store_explicit(&next_look_ns, now_ns + limit_ns / 4, memory_order_relaxed);
}

static bool streams_are_overdue(uint64_t now_ns)
{
    if (now_ns >= atomic_load_explicit(&next_look_ns, memory_order_relaxed))
        look(now_ns);
    return atomic_load_explicit(&is_stuck, memory_order_relaxed);
}

bool rp_bounded_device_is_overdue(void)
{
    return streams_are_overdue(coarse_ns());
}

/* No word was free. */
#define NOT_KNOWN RP_N_SHARDS

/* False: the driver hangs, and no more threads go there. *word: where it is known that this call is
 * inside, mostly the thread's own shard. */
static bool enter(uint32_t *word)
{
    uint64_t now_ns = coarse_ns();

    if (streams_are_overdue(now_ns))
        return false;
    for (uint32_t i = 0; i < RP_N_SHARDS; i++) {
        uint64_t none = 0;
        *word = (rp_thread_shard() + i) % RP_N_SHARDS;
        if (atomic_compare_exchange_strong_explicit(&inside[*word].since_ns, &none, now_ns,
                                                    memory_order_relaxed, memory_order_relaxed))
            return true;
    }
    *word = NOT_KNOWN;
    return true;
}

static void leave(uint32_t word)
{
    if (word != NOT_KNOWN)
        atomic_store_explicit(&inside[word].since_ns, 0, memory_order_relaxed);
}

static rp_stream inner_stream(rp_stream stream)
{
    stream.device = inner;
    return stream;
}

static rp_status bounded_copy(rp_stream stream, void *destination, const void *source, size_t bytes,
                              rp_copy_kind kind)
{
    rp_status status;
    uint32_t word;

    if (!enter(&word))
        return RP_STATUS_TIMEOUT;
    status = inner->ops->copy_async(inner_stream(stream), destination, source, bytes, kind);
    leave(word);
    return status;
}

static rp_status bounded_launch(rp_stream stream, const struct rp_launch *launch)
{
    rp_status status;
    uint32_t word;

    if (!enter(&word))
        return RP_STATUS_TIMEOUT;
    status = inner->ops->launch(inner_stream(stream), launch);
    leave(word);
    return status;
}

static rp_status bounded_wait(rp_stream stream, uint32_t timeout_us)
{
    rp_status status;
    uint32_t word;

    if (!enter(&word))
        return RP_STATUS_TIMEOUT;
    status = inner->ops->wait(inner_stream(stream), timeout_us);
    leave(word);
    return status;
}

/*
 * The table.
 */

static rp_status bounded_memory_alloc(const rp_device *device, size_t bytes, void **memory)
{
    (void)device;
    return make(MAKE_MEMORY, bytes, memory);
}

static void bounded_memory_free(const rp_device *device, void *memory)
{
    (void)device;
    unmake(FREE_MEMORY, memory);
}

static rp_status bounded_staging_alloc(const rp_device *device, size_t bytes, void **memory)
{
    (void)device;
    return make(MAKE_STAGING, bytes, memory);
}

static void bounded_staging_free(const rp_device *device, void *memory)
{
    (void)device;
    unmake(FREE_STAGING, memory);
}

static rp_status bounded_stream_create(const rp_device *device, void **handle)
{
    (void)device;
    return make(MAKE_STREAM, 0, handle);
}

static void bounded_stream_destroy(const rp_device *device, void *handle)
{
    (void)device;
    unmake(FREE_STREAM, handle);
}

/* The process's device is never closed (device/session.c). */
static void bounded_close(rp_device *device)
{
    (void)device;
}

static const rp_device_ops bounded_ops = {
    .struct_size = sizeof(rp_device_ops),
    .memory_alloc = bounded_memory_alloc,
    .memory_free = bounded_memory_free,
    .staging_alloc = bounded_staging_alloc,
    .staging_free = bounded_staging_free,
    .stream_create = bounded_stream_create,
    .stream_destroy = bounded_stream_destroy,
    .copy_async = bounded_copy,
    .launch = bounded_launch,
    .wait = bounded_wait,
    .close = bounded_close,
};

const rp_device *rp_bounded_device(const rp_device *device, uint32_t timeout_ms)
{
    static rp_device bounded;

    if (!make_condition())
        return NULL;
    inner = device;
    limit_ns = timeout_ms * UINT64_C(1000000);
    bounded.struct_size = sizeof(bounded);
    bounded.ops = &bounded_ops;
    bounded.name = device->name;
    bounded.flags = device->flags;
    return &bounded;
}
