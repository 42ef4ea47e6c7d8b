/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The helper thread behind a device's allocations: which calls it makes, and that none is lost in
 * the moments in which it begins, ends or comes back from a driver that hung. Each scenario runs in
 * a process of its own.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "plugin/core/config.h"
#include "plugin/core/stats.h"
#include "plugin/core/thread_state.h"
#include "plugin/device/bounded_device.h"
#include "plugin/device/session.h"
#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/queue_device.h"
#include "tests/support/sanitizers.h"
#include "tests/support/scenarios.h"

#define TIMEOUT_MS (TEST_SLOW_KERNELS ? 1000u : 300u)
/* Longer than the helper waits for something to do. */
#define BOUND_MS 20000u

static queue_device queue;
static rp_device_ops ops;
static rp_device tested;
static _Atomic bool hangs; /* whatever makes something */
static _Atomic int n_inside;

static void sleep_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* False when it does not become so. */
static bool await(bool (*is_so)(void))
{
    for (unsigned i = 0; i < BOUND_MS && !is_so(); i++)
        sleep_ms(1);
    return is_so();
}

static bool is_inside(void)
{
    return n_inside != 0;
}

static void may_hang(void)
{
    n_inside++;
    while (hangs)
        sleep_ms(1);
    n_inside--;
}

static rp_status memory_alloc(const rp_device *device, size_t bytes, void **memory)
{
    may_hang();
    return queue.device.ops->memory_alloc(device, bytes, memory);
}

static bool open_queue(void)
{
    rp_device *host;

    CHECK(rp_device_open("host", &host) == RP_STATUS_OK);
    queue_device_open(&queue, host, 0);
    ops = *queue.device.ops;
    ops.memory_alloc = memory_alloc;
    tested = queue.device;
    tested.ops = &ops;
    return true;
}

/*
 * The end of the helper: its wait is over, and it does not have the lock back yet.
 */

static pthread_t main_thread;
static _Atomic bool is_armed, is_waiting;
static _Atomic int n_windows;

int __real_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *deadline);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *deadline);

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *deadline)
{
    bool is_helper = !pthread_equal(pthread_self(), main_thread);
    int result;

    if (!is_helper)
        is_waiting = true;
    result = __real_pthread_cond_timedwait(condition, mutex, deadline);
    if (!is_helper || result != ETIMEDOUT || !atomic_exchange(&is_armed, false))
        return result;
    /* The main thread gets the lock first, and waits for its call. */
    is_waiting = false;
    n_windows++;
    pthread_mutex_unlock(mutex);
    for (unsigned i = 0; i < BOUND_MS && !is_waiting; i++)
        sleep_ms(1);
    pthread_mutex_lock(mutex);
    return result;
}

static bool is_window_open(void)
{
    return n_windows != 0;
}

static bool a_call_that_comes_as_the_helper_ends(void)
{
    const rp_device *bounded;
    void *streams[2];

    main_thread = pthread_self();
    CHECK(open_queue());
    bounded = rp_bounded_device(&tested, TIMEOUT_MS);
    CHECK(bounded != NULL);
    is_armed = true;
    CHECK_STATUS(bounded->ops->stream_create(bounded, &streams[0]), RP_STATUS_OK);
    CHECK(await(is_window_open));
    CHECK_STATUS(bounded->ops->stream_create(bounded, &streams[1]), RP_STATUS_OK);
    CHECK(queue.n_streams == 2);
    for (int i = 0; i < 2; i++)
        bounded->ops->stream_destroy(bounded, streams[i]);
    CHECK(queue.n_streams == 0);
    return true;
}

/*
 * The thread itself.
 */

static _Atomic bool no_threads;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
    return no_threads ? EAGAIN : __real_pthread_create(thread, attributes, run, argument);
}

/* The helper has ended, and the system has no thread for another one. */
static bool without_a_thread(void)
{
    static void *kept, *stream; /* they stay, and are no leaks */
    const rp_device *bounded;

    main_thread = pthread_self();
    CHECK(open_queue());
    bounded = rp_bounded_device(&tested, TIMEOUT_MS);
    CHECK(bounded != NULL);
    CHECK_STATUS(bounded->ops->stream_create(bounded, &kept), RP_STATUS_OK);
    sleep_ms(1000);
    no_threads = true;
    CHECK_STATUS(bounded->ops->stream_create(bounded, &stream), RP_STATUS_OUT_OF_HOST_MEMORY);
    CHECK(stream == NULL && queue.n_streams == 1);
    bounded->ops->stream_destroy(bounded, kept); /* it stays */
    CHECK(queue.n_streams == 1);
    no_threads = false;
    CHECK_STATUS(bounded->ops->stream_create(bounded, &stream), RP_STATUS_OK);
    bounded->ops->stream_destroy(bounded, stream);
    CHECK(queue.n_streams == 1);
    /* It is never closed. */
    rp_device_close((rp_device *)(uintptr_t)bounded);
    CHECK_STATUS(bounded->ops->stream_create(bounded, &stream), RP_STATUS_OK);
    return true;
}

static _Atomic size_t helper_stack_bytes;

static rp_status measure_stack(const rp_device *device, size_t bytes, void **memory)
{
    pthread_attr_t attributes;
    size_t stack_bytes = 0;

    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        (void)pthread_attr_getstacksize(&attributes, &stack_bytes);
        (void)pthread_attr_destroy(&attributes);
    }
    helper_stack_bytes = stack_bytes;
    return queue.device.ops->memory_alloc(device, bytes, memory);
}

/* A driver needs more than a program may have set for its own threads. */
static bool threads_with_small_stacks(void)
{
    const rp_device *bounded;
    pthread_attr_t attributes;
    void *memory;

    CHECK(open_queue());
    ops.memory_alloc = measure_stack;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, 64 << 10) == 0);
    CHECK(pthread_setattr_default_np(&attributes) == 0);
    bounded = rp_bounded_device(&tested, TIMEOUT_MS);
    CHECK(bounded != NULL);
    CHECK_STATUS(bounded->ops->memory_alloc(bounded, 1000, &memory), RP_STATUS_OK);
    CHECK(helper_stack_bytes >= 1 << 20);
    bounded->ops->memory_free(bounded, memory);
    return true;
}

/*
 * A device that was given up: nothing more is made, but what is there can be given back.
 */

static bool open_session(void)
{
    rp_plugin_config config;

    CHECK(open_queue());
    rp_plugin_config_default(&config, sizeof(config));
    config.custom_device = &tested;
    config.log = RP_LOG_OFF;
    config.timeout_ms = TIMEOUT_MS;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    CHECK(rp_session_ready(rp_config_get()));
    return true;
}

static bool what_was_made_is_freed_after_the_device_was_given_up(void)
{
    void *memory, *staging, *stream;
    const rp_device *bounded;

    CHECK(open_session());
    bounded = rp_session_device();
    CHECK_STATUS(bounded->ops->memory_alloc(bounded, 1000, &memory), RP_STATUS_OK);
    CHECK_STATUS(bounded->ops->staging_alloc(bounded, 1000, &staging), RP_STATUS_OK);
    CHECK_STATUS(bounded->ops->stream_create(bounded, &stream), RP_STATUS_OK);
    CHECK(queue.n_memory == 1 && queue.n_staging == 1 && queue.n_streams == 1);
    rp_session_fault(RP_STATUS_DEVICE_FAULT, RP_BREAKER_CLOSED);
    CHECK(!rp_session_may_work());
    bounded->ops->memory_free(bounded, memory);
    bounded->ops->staging_free(bounded, staging);
    bounded->ops->stream_destroy(bounded, stream);
    CHECK(queue.n_memory == 0 && queue.n_staging == 0 && queue.n_streams == 0);
    CHECK_STATUS(bounded->ops->memory_alloc(bounded, 1000, &memory), RP_STATUS_DEVICE_UNAVAILABLE);
    CHECK_STATUS(bounded->ops->stream_create(bounded, &stream), RP_STATUS_DEVICE_UNAVAILABLE);
    CHECK(memory == NULL && stream == NULL && queue.n_memory == 0 && queue.n_streams == 0);
    return true;
}

/*
 * A driver that hangs.
 */

static const rp_device *hanging;

static void *allocate(void *bytes)
{
    void *memory;

    (void)hanging->ops->memory_alloc(hanging, (size_t)(uintptr_t)bytes, &memory);
    return memory;
}

/* The device does not hang any more; until the helper has noticed, calls are refused. */
static rp_status allocate_again(size_t bytes, void **memory)
{
    rp_status status = RP_STATUS_TIMEOUT;

    for (unsigned i = 0; i < BOUND_MS && status == RP_STATUS_TIMEOUT; i++) {
        status = hanging->ops->memory_alloc(hanging, bytes, memory);
        sleep_ms(1);
    }
    return status;
}

/* Behind a call that hangs, others were waited for in vain: they are not made later, when nobody
 * would free what they make. */
static bool calls_that_never_began_are_forgotten(void)
{
    pthread_t threads[4];
    void *made, *again;

    CHECK(open_queue());
    hanging = rp_bounded_device(&tested, TIMEOUT_MS);
    CHECK(hanging != NULL);
    hangs = true;
    CHECK(pthread_create(&threads[0], NULL, allocate, (void *)(uintptr_t)1000) == 0);
    CHECK(await(is_inside));
    for (uintptr_t i = 1; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, allocate, (void *)(1000 + i)) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], &made) == 0 && made == NULL);
    CHECK_STATUS(hanging->ops->memory_alloc(hanging, 2000, &made), RP_STATUS_TIMEOUT);
    hangs = false;
    /* The next calls find the queue in order. */
    CHECK_STATUS(allocate_again(3000, &again), RP_STATUS_OK);
    CHECK(queue.n_memory == 2 && queue.memory_bytes == 1000 + 3000);
    /* What the first call made is the next one's who asks for the same. */
    CHECK_STATUS(hanging->ops->memory_alloc(hanging, 1000, &made), RP_STATUS_OK);
    CHECK(queue.n_memory == 2 && made != again);
    hanging->ops->memory_free(hanging, made);
    hanging->ops->memory_free(hanging, again);
    CHECK(queue.n_memory == 0);
    return true;
}

static bool is_all_freed(void)
{
    return queue.n_memory == 0;
}

/* Frees wait behind a call that hangs, and nobody waits for them. */
static bool frees_are_made_up_for(void)
{
    void *memory[8];
    pthread_t thread;
    uint64_t begun;

    CHECK(open_queue());
    hanging = rp_bounded_device(&tested, TIMEOUT_MS);
    CHECK(hanging != NULL);
    for (int i = 0; i < 8; i++)
        CHECK_STATUS(hanging->ops->memory_alloc(hanging, 1000, &memory[i]), RP_STATUS_OK);
    hangs = true;
    CHECK(pthread_create(&thread, NULL, allocate, (void *)(uintptr_t)2000) == 0);
    CHECK(await(is_inside));
    begun = rp_clock_ns();
    for (int i = 0; i < 8; i++)
        hanging->ops->memory_free(hanging, memory[i]);
    /* The first one may be waited for. */
    CHECK(rp_clock_ns() - begun < 3 * TIMEOUT_MS * UINT64_C(1000000));
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(queue.n_memory == 8);
    hangs = false;
    CHECK_STATUS(allocate_again(2000, &memory[0]), RP_STATUS_OK);
    hanging->ops->memory_free(hanging, memory[0]);
    CHECK(await(is_all_freed));
    return true;
}

/*
 * Calls for a stream that hang.
 */

static _Atomic bool is_released[2];

static rp_status wait_for_release(rp_stream stream, uint32_t timeout_us)
{
    (void)timeout_us;
    n_inside++;
    while (!is_released[(uintptr_t)stream.handle])
        sleep_ms(1);
    n_inside--;
    return RP_STATUS_OK;
}

/* Both threads have one shard, as the seventeenth has that of the first. */
static void *wait_on(void *handle)
{
    const rp_stream stream = {hanging, handle};

    rp_thread.shard = 1;
    (void)hanging->ops->wait(stream, 1000);
    return NULL;
}

static bool are_both_inside(void)
{
    return n_inside == 2;
}

static bool is_not_overdue(void)
{
    return !rp_bounded_device_is_overdue();
}

/* A call that hangs is known though it began beside another one, which ends. */
static bool a_call_is_known_beside_others(void)
{
    pthread_t threads[2];

    CHECK(open_queue());
    ops.wait = wait_for_release;
    hanging = rp_bounded_device(&tested, TIMEOUT_MS);
    CHECK(hanging != NULL);
    CHECK(pthread_create(&threads[0], NULL, wait_on, (void *)(uintptr_t)0) == 0);
    CHECK(await(is_inside));
    CHECK(pthread_create(&threads[1], NULL, wait_on, (void *)(uintptr_t)1) == 0);
    CHECK(await(are_both_inside));
    is_released[0] = true;
    CHECK(pthread_join(threads[0], NULL) == 0);
    CHECK(!rp_bounded_device_is_overdue());
    sleep_ms(3 * TIMEOUT_MS);
    CHECK(rp_bounded_device_is_overdue());
    is_released[1] = true;
    CHECK(pthread_join(threads[1], NULL) == 0);
    CHECK(await(is_not_overdue));
    return true;
}

int main(void)
{
    const scenario scenarios[] = {
        SCENARIO(a_call_that_comes_as_the_helper_ends),
        SCENARIO(without_a_thread),
        SCENARIO(threads_with_small_stacks),
        SCENARIO(what_was_made_is_freed_after_the_device_was_given_up),
        SCENARIO(calls_that_never_began_are_forgotten),
        SCENARIO(frees_are_made_up_for),
        SCENARIO(a_call_is_known_beside_others),
    };

    return RUN_SCENARIOS(scenarios, 60);
}
