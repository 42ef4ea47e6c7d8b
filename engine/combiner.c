/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared launches: see rockpress/combiner.h.
 *
 * A group (group.h) is opened by an input that finds none to join. Whoever leads it - the thread
 * that opened it, or one that serves - waits until it may run, closes it, launches it, watches it,
 * and wakes the threads whose inputs are in it. At most max_running groups run. One that ends hands
 * its turn to the oldest that waits for one, so turns are not given out of order.
 *
 * A lock guards the states. It is held for moments and never during a call of the device or while
 * an input is copied.
 *
 * Each thread that has a slot is inside the group, and so is its leader. The last one that leaves
 * it gives it back. A thread whose time is up just leaves: its input is a copy, and nobody but the
 * thread itself writes to its output. A group whose launch did not end in time is set aside; before
 * another group is made, the device is asked whether it is done with that one.
 */
#include "rockpress/combiner.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "engine/check.h"
#include "engine/combiner_groups.h"
#include "engine/deadline.h"
#include "engine/error.h"
#include "engine/futex.h"
#include "engine/hash.h"
#include "engine/struct_size.h"

static const rp_struct_kind options_kind = RP_STRUCT_KIND(rp_combiner_options, service_context);
static const rp_struct_kind counts_kind = RP_STRUCT_KIND(rp_combiner_counts, memory_bytes);

#define MAX_LAUNCH_BYTES ((size_t)1 << 30)

static rp_status check_options(const rp_combiner_options *options)
{
    rp_error *error = options->error;
    if (options->max_input_bytes == 0 || options->max_input_bytes > RP_MAX_INPUT_BYTES)
        return rp_fail(error, RP_STATUS_INVALID_OPTION, "max_input_bytes %zu; allowed: 1 to %zu",
                       options->max_input_bytes, RP_MAX_INPUT_BYTES);
    if (options->launch_bytes < options->max_input_bytes ||
        options->launch_bytes > MAX_LAUNCH_BYTES)
        return rp_fail(error, RP_STATUS_INVALID_OPTION,
                       "launch_bytes %zu; allowed: max_input_bytes, %zu, to %zu",
                       options->launch_bytes, options->max_input_bytes, MAX_LAUNCH_BYTES);
    if (options->max_inputs == 0 || options->max_inputs > RP_COMBINER_MAX_INPUTS)
        return rp_fail(error, RP_STATUS_INVALID_OPTION, "max_inputs %u; allowed: 1 to %u",
                       (unsigned)options->max_inputs, (unsigned)RP_COMBINER_MAX_INPUTS);
    if (options->max_running == 0 || options->max_running > RP_COMBINER_MAX_RUNNING)
        return rp_fail(error, RP_STATUS_INVALID_OPTION, "max_running %u; allowed: 1 to %u",
                       (unsigned)options->max_running, (unsigned)RP_COMBINER_MAX_RUNNING);
    return rp_check_effort(options->effort, error);
}

rp_status rp_combiner_create(const rp_device *device, const rp_combiner_options *given,
                             rp_combiner **combiner)
{
    rp_combiner_options options = RP_COMBINER_OPTIONS_INIT;
    if (combiner != NULL)
        *combiner = NULL;
    if (given == NULL)
        return RP_STATUS_NULL_POINTER;
    if (rp_check_struct_size(&options_kind, given, NULL) == RP_STATUS_OK)
        options.error = given->error;
    rp_status status = rp_read_struct(&options_kind, &options, given, options.error);
    const rp_named_pointer pointers[] = {{device, "device"}, {combiner, "combiner"}};
    if (status == RP_STATUS_OK)
        status = rp_check_pointers(pointers, sizeof(pointers) / sizeof(pointers[0]), options.error);
    if (status == RP_STATUS_OK)
        status = rp_check_device(device, options.error);
    if (status == RP_STATUS_OK)
        status = check_options(&options);
    if (status != RP_STATUS_OK)
        return status;
    rp_combiner *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return RP_STATUS_OUT_OF_HOST_MEMORY;
    made->device = device;
    made->limits.max_input_bytes = options.max_input_bytes;
    made->limits.launch_bytes = options.launch_bytes;
    made->limits.max_inputs = options.max_inputs;
    made->limits.effort = options.effort;
    made->max_running = options.max_running;
    made->max_groups = 2 * options.max_running + 2;
    made->memory_bytes = options.memory_bytes;
    made->call_service = options.call_service;
    made->service_context = options.service_context;
    made->counts.struct_size = sizeof(made->counts);
    if (pthread_mutex_init(&made->lock, NULL) != 0) {
        free(made);
        return RP_STATUS_OUT_OF_HOST_MEMORY;
    }
    for (uint32_t i = 0; i < made->max_groups; i++) {
        made->groups[i] = calloc(1, sizeof(rp_shared_group) + options.max_inputs * sizeof(rp_slot));
        if (made->groups[i] == NULL) {
            rp_combiner_destroy(made);
            return RP_STATUS_OUT_OF_HOST_MEMORY;
        }
        made->groups[i]->group.slots = (rp_slot *)(void *)(made->groups[i] + 1);
    }
    *combiner = made;
    return RP_STATUS_OK;
}

void rp_combiner_destroy(rp_combiner *combiner)
{
    if (combiner == NULL)
        return;
    for (uint32_t i = 0; i < combiner->max_groups && combiner->groups[i] != NULL; i++) {
        rp_shared_group *shared = combiner->groups[i];
        bool is_made = shared->state != RP_GROUP_UNMADE;
        if (is_made && shared->group.lane.busy &&
            rp_stream_wait(shared->group.lane.stream, 0) == RP_STATUS_TIMEOUT)
            continue;
        if (is_made)
            rp_group_free(&shared->group, combiner->device);
        free(shared);
    }
    pthread_mutex_destroy(&combiner->lock);
    free(combiner);
}

/* Under the lock. Whether one more thread should serve, now that a group needs it. It is counted as
 * called. */
static bool calls_service(rp_combiner *combiner)
{
    bool calls = combiner->call_service != NULL &&
                 combiner->counts.n_serving + combiner->n_called < combiner->max_running;
    combiner->n_called += calls;
    return calls;
}

rp_status rp_combiner_reserve(rp_combiner *combiner, uint32_t n_groups)
{
    rp_status status = RP_STATUS_OK;
    if (combiner == NULL)
        return RP_STATUS_NULL_POINTER;
    pthread_mutex_lock(&combiner->lock);
    while (status == RP_STATUS_OK && combiner->counts.n_groups < n_groups) {
        rp_shared_group *shared = rp_combiner_find(combiner, RP_GROUP_UNMADE);
        status =
            shared == NULL ? RP_STATUS_POOL_EXHAUSTED : rp_combiner_make_group(combiner, shared);
    }
    pthread_mutex_unlock(&combiner->lock);
    return status;
}

static void leave(rp_combiner *combiner, rp_shared_group *shared)
{
    if (atomic_fetch_sub_explicit(&shared->n_inside, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_lock(&combiner->lock);
    shared->state = shared->group.lane.busy ? RP_GROUP_SET_ASIDE : RP_GROUP_FREE;
    bool is_awaited = combiner->n_awaiting_return != 0;
    atomic_fetch_add(&combiner->n_returns, 1);
    pthread_mutex_unlock(&combiner->lock);
    if (is_awaited)
        rp_futex_wake_all(&combiner->n_returns);
}

/* One input on its way. */
typedef struct call {
    const rp_compress_options *options;
    const void *input;
    size_t input_size;
    size_t capacity;
    rp_deadline by;
    rp_shared_group *shared;
    rp_slot *slot;
    bool leads;
    bool needs_service; /* a thread that serves is to be woken, */
    bool calls;         /* and another one to be called: it is counted as such */
} call;

/* Takes a slot, of a group that gathers or of one that is opened. */
static rp_status join(rp_combiner *combiner, call *self)
{
    rp_status status;
    rp_shared_group *shared;
    uint32_t n_returns;
    self->leads = false;
    self->needs_service = false;
    self->calls = false;
    pthread_mutex_lock(&combiner->lock);
    do {
        status = RP_STATUS_OK;
        n_returns = atomic_load(&combiner->n_returns);
        shared = rp_combiner_find_open(combiner, self->options, self->input_size, self->capacity);
        if (shared == NULL &&
            (shared = rp_combiner_find_free(combiner, &self->by, &status)) != NULL) {
            rp_combiner_open_group(combiner, shared, self->options);
            self->leads = shared->is_led;
            self->needs_service = !shared->is_led;
        }
    } while (shared == NULL && status == RP_STATUS_POOL_EXHAUSTED &&
             rp_combiner_await_return(combiner, n_returns, &self->by));
    if (shared != NULL) {
        self->slot = rp_group_take_slot(&shared->group, self->input_size, self->capacity);
        atomic_fetch_add_explicit(&shared->n_inside, 1, memory_order_relaxed);
    } else if (rp_combiner_is_served(combiner) &&
               rp_combiner_find(combiner, RP_GROUP_SET_ASIDE) != NULL) {
        self->needs_service = true; /* to ask the device about it */
    }
    self->calls = self->needs_service && calls_service(combiner);
    pthread_mutex_unlock(&combiner->lock);
    self->shared = shared;
    return status;
}

/* Waits until the group may run, and closes it. False: the time was up first. */
static bool take_turn(rp_combiner *combiner, rp_shared_group *shared, const rp_deadline *by)
{
    bool has_turn;
    pthread_mutex_lock(&combiner->lock);
    has_turn = combiner->n_running < combiner->max_running;
    if (has_turn)
        combiner->n_running++;
    else
        shared->awaits_turn = true;
    while (!has_turn) {
        uint32_t left = rp_time_left_us(by);
        if (left == 0)
            break;
        pthread_mutex_unlock(&combiner->lock);
        rp_futex_wait(&shared->has_turn, 0, left);
        pthread_mutex_lock(&combiner->lock);
        has_turn = atomic_load_explicit(&shared->has_turn, memory_order_relaxed) != 0;
    }
    shared->awaits_turn = false;
    shared->state = RP_GROUP_CLOSED;
    pthread_mutex_unlock(&combiner->lock);
    return has_turn;
}

/* To the oldest group that waits for it. */
static void pass_turn(rp_combiner *combiner)
{
    pthread_mutex_lock(&combiner->lock);
    rp_shared_group *next = rp_combiner_find_oldest(combiner, true);
    if (next != NULL) {
        next->awaits_turn = false;
        atomic_store_explicit(&next->has_turn, 1, memory_order_relaxed);
    } else {
        combiner->n_running--;
    }
    pthread_mutex_unlock(&combiner->lock);
    if (next != NULL)
        rp_futex_wake_one(&next->has_turn);
}

static void count_launch(rp_combiner *combiner, const rp_group *group)
{
    rp_combiner_counts *counts = &combiner->counts;
    pthread_mutex_lock(&combiner->lock);
    counts->n_launches += group->n_launched != 0;
    counts->n_inputs += group->n_launched;
    counts->n_late += group->n_slots - group->n_launched;
    if (group->n_launched > counts->most_inputs)
        counts->most_inputs = group->n_launched;
    pthread_mutex_unlock(&combiner->lock);
}

/* The first half of leading a group. Returns whether it had its turn. */
static bool launch(rp_combiner *combiner, rp_shared_group *shared, const rp_deadline *by)
{
    shared->status = RP_STATUS_TIMEOUT;
    if (!take_turn(combiner, shared, by))
        return false;
    shared->status = RP_STATUS_OK;
    rp_group_close(&shared->group);
    count_launch(combiner, &shared->group);
    if (shared->group.n_launched != 0)
        shared->status = rp_group_launch(&shared->group);
    return true;
}

/* The second half: watches what was launched, and wakes the n_others that wait for it. */
static void finish(rp_combiner *combiner, rp_shared_group *shared, bool had_turn, uint32_t n_others,
                   const rp_deadline *by)
{
    /* What was enqueued before something failed runs, too. */
    if (shared->group.lane.busy) {
        rp_status waited = rp_lane_wait(&shared->group.lane, rp_time_left_us(by));
        if (shared->status == RP_STATUS_OK)
            shared->status = waited;
    }
    if (had_turn)
        pass_turn(combiner);
    atomic_store_explicit(&shared->is_done, 1, memory_order_release);
    if (n_others != 0)
        rp_futex_wake_all(&shared->is_done);
    leave(combiner, shared);
}

/* A group that nobody leads where nobody serves or will: this thread leads it. */
static rp_shared_group *adopt(rp_combiner *combiner)
{
    rp_shared_group *shared = NULL;
    pthread_mutex_lock(&combiner->lock);
    if (combiner->counts.n_serving + combiner->n_called == 0)
        shared = rp_combiner_find_oldest(combiner, false);
    if (shared != NULL)
        shared->is_led = true;
    pthread_mutex_unlock(&combiner->lock);
    return shared;
}

/* A thread that serves is woken or called. If there is none to be had, this thread leads the groups
 * that waited for one, its own among them. */
static void get_service(rp_combiner *combiner, const call *self)
{
    rp_shared_group *shared;
    atomic_fetch_add_explicit(&combiner->n_calls_for_service, 1, memory_order_release);
    rp_futex_wake_one(&combiner->n_calls_for_service);
    if (!self->calls || combiner->call_service(combiner->service_context))
        return;
    pthread_mutex_lock(&combiner->lock);
    combiner->n_called -= combiner->n_called != 0;
    pthread_mutex_unlock(&combiner->lock);
    while ((shared = adopt(combiner)) != NULL) {
        bool had_turn = launch(combiner, shared, &self->by);
        finish(combiner, shared, had_turn, shared->group.n_slots, &self->by);
    }
}

/* Whether the launch ended before the time was up. */
static bool await_launch(rp_shared_group *shared, const rp_deadline *by)
{
    while (atomic_load_explicit(&shared->is_done, memory_order_acquire) == 0) {
        uint32_t left = rp_time_left_us(by);
        if (left == 0)
            return false;
        rp_futex_wait(&shared->is_done, 0, left);
    }
    return true;
}

/* Joins groups until one of them takes the input along. */
static rp_status get_on(rp_combiner *combiner, call *self)
{
    for (;;) {
        rp_status status = join(combiner, self);
        bool is_filled =
            status == RP_STATUS_OK && rp_group_fill(&self->shared->group, self->slot, self->input);
        /* Now that the input is there: who leads does not wait for it. */
        if (self->needs_service)
            get_service(combiner, self);
        if (status != RP_STATUS_OK || is_filled)
            return status;
        leave(combiner, self->shared);
        if (rp_time_left_us(&self->by) == 0)
            return RP_STATUS_TIMEOUT;
    }
}

static rp_status compress(rp_combiner *combiner, call *self, void *output, size_t *output_size,
                          uint32_t *n_shared)
{
    rp_status status = get_on(combiner, self);
    if (status != RP_STATUS_OK)
        return status;
    rp_shared_group *shared = self->shared;
    bool had_turn = self->leads && launch(combiner, shared, &self->by);
    /* While the device works. */
    uint64_t input_hash =
        rp_lane_proves(self->options) ? rp_hash(self->input, self->input_size) : 0;
    if (self->leads)
        finish(combiner, shared, had_turn, shared->group.n_slots - 1, &self->by);
    *n_shared = !atomic_exchange_explicit(&shared->is_accounted, true, memory_order_relaxed);
    if (!await_launch(shared, &self->by)) {
        status = RP_STATUS_TIMEOUT;
    } else {
        if (*n_shared != 0 && shared->group.n_launched != 0)
            *n_shared = shared->group.n_launched;
        status = shared->status;
        if (status == RP_STATUS_OK)
            status = rp_group_deliver(&shared->group, self->slot, input_hash, output, output_size);
    }
    leave(combiner, shared);
    return status;
}

rp_status rp_combiner_compress(rp_combiner *combiner, const void *input, size_t input_size,
                               void *output, size_t output_capacity, size_t *output_size,
                               const rp_compress_options *given_options, uint32_t timeout_us,
                               uint32_t *n_shared)
{
    rp_compress_options options;
    uint32_t n_accounted = 1;
    if (output_size != NULL)
        *output_size = 0;
    if (n_shared != NULL)
        *n_shared = 1;
    rp_status status = rp_read_options(given_options, &options);
    if (status != RP_STATUS_OK)
        return status;
    rp_error *error = options.error;
    const rp_named_pointer pointers[] = {{combiner, "combiner"}, {output_size, "output_size"}};
    status = rp_check_pointers(pointers, sizeof(pointers) / sizeof(pointers[0]), error);
    if (status == RP_STATUS_OK)
        status = rp_check_effort_and_flags(&options);
    if (status != RP_STATUS_OK)
        return status;
    const rp_group_limits *limits = &combiner->limits;
    status = rp_lane_check_buffers(input, input_size, output, output_capacity,
                                   limits->max_input_bytes, "combiner", error);
    if (status != RP_STATUS_OK)
        return status;
    if (options.effort > limits->effort)
        return rp_fail(error, RP_STATUS_INVALID_EFFORT,
                       "effort %s; allowed by the combiner: up to %s",
                       rp_effort_name(options.effort), rp_effort_name(limits->effort));
    call self = {
        .options = &options,
        .input = input,
        .input_size = input_size,
        .capacity = rp_lane_output_capacity(input_size, output_capacity),
        .by = rp_deadline_in(timeout_us),
    };
    status = compress(combiner, &self, output, output_size, &n_accounted);
    if (n_shared != NULL)
        *n_shared = n_accounted;
    return status;
}

/* The oldest group that nobody leads, which this thread leads from now on; NULL: none came in
 * time. */
static rp_shared_group *await_service(rp_combiner *combiner, uint32_t idle_us)
{
    const rp_deadline by = rp_deadline_in(idle_us);
    rp_shared_group *shared;
    pthread_mutex_lock(&combiner->lock);
    while ((shared = rp_combiner_find_oldest(combiner, false)) == NULL) {
        uint32_t n_calls =
            atomic_load_explicit(&combiner->n_calls_for_service, memory_order_acquire);
        if (rp_combiner_take_all_back(combiner))
            continue;
        uint32_t left = rp_time_left_us(&by);
        if (left == 0)
            break;
        pthread_mutex_unlock(&combiner->lock);
        rp_futex_wait(&combiner->n_calls_for_service, n_calls, left);
        pthread_mutex_lock(&combiner->lock);
    }
    if (shared != NULL)
        shared->is_led = true;
    else
        combiner->counts.n_serving--;
    pthread_mutex_unlock(&combiner->lock);
    return shared;
}

rp_status rp_combiner_serve(rp_combiner *combiner, uint32_t idle_us, uint32_t timeout_us)
{
    rp_shared_group *shared;
    if (combiner == NULL)
        return RP_STATUS_NULL_POINTER;
    pthread_mutex_lock(&combiner->lock);
    combiner->n_called -= combiner->n_called != 0;
    combiner->counts.n_serving++;
    pthread_mutex_unlock(&combiner->lock);
    while ((shared = await_service(combiner, idle_us)) != NULL) {
        const rp_deadline by = rp_deadline_in(timeout_us);
        bool had_turn = launch(combiner, shared, &by);
        finish(combiner, shared, had_turn, shared->group.n_slots, &by);
    }
    return RP_STATUS_OK;
}

rp_status rp_combiner_read_counts(rp_combiner *combiner, rp_combiner_counts *counts)
{
    rp_combiner_counts known;
    if (combiner == NULL || counts == NULL)
        return RP_STATUS_NULL_POINTER;
    pthread_mutex_lock(&combiner->lock);
    known = combiner->counts;
    for (uint32_t i = 0; i < combiner->max_groups; i++) {
        const rp_shared_group *shared = combiner->groups[i];
        known.n_gathering +=
            shared->state == RP_GROUP_GATHERING ? rp_group_n_filled(&shared->group) : 0;
    }
    pthread_mutex_unlock(&combiner->lock);
    return rp_write_struct(&counts_kind, counts, &known, NULL);
}
