/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes in a fixed array. The free lanes form a stack linked by index (R. K. Treiber, 1986). The
 * head of the stack has a counter beside the index, so that a pop fails when the lane was popped
 * and pushed by others in between (the ABA problem). A lane is made when the stack is found empty,
 * or ahead by rp_pool_reserve(), and then kept. The most recently used lane comes first, because
 * its memory is warm.
 *
 * The device may still write to a lane whose wait timed out. Such a lane is set aside: it is marked
 * in place. A thread that finds the stack empty asks the device about each lane that is set aside.
 * Other threads can take every lane but the one that is being asked about.
 *
 * "Exhausted" is an answer about all lanes at one moment, while lanes move between the stack and
 * being set aside. It is given only if no mark changed between two moments: before the stack was
 * seen to be empty, and after all lanes had been looked at. Then no lane was available at the
 * moment when the stack was empty.
 *
 * Beside its mark, each lane has a word that says whether a caller holds it. A release takes that
 * word back and is refused where it finds it taken: a lane that enters the stack twice would close
 * it to a ring, and be lent to two callers.
 */
#include "rockpress/pool.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/check.h"
#include "engine/error.h"
#include "engine/lane.h"
#include "engine/struct_size.h"

static const rp_struct_kind options_kind = RP_STRUCT_KIND(rp_pool_options, error);

/* A lane's mark is count << 2 | one of these. The count is of all changes but those to and from
 * MARK_ASKED. */
typedef enum lane_mark {
    MARK_NONE = 0,      /* held, free, or not made */
    MARK_SET_ASIDE = 1, /* released while its device may still write to it */
    MARK_ASKED = 2      /* set aside, and a thread is asking whether it is done */
} lane_mark;

#define NO_LANE UINT32_MAX

struct rp_pool {
    const rp_device *device;
    uint32_t max_lanes;
    size_t max_input_bytes;
    size_t memory_bytes;
    size_t lane_bytes;
    rp_effort effort;
    _Atomic uint64_t free_lanes;   /* count << 32 | index of the first */
    _Atomic uint64_t unmade_lanes; /* claimed, but could not be made; to be tried again */
    _Atomic uint32_t n_claimed;    /* lanes made or being made */
    _Atomic uint32_t n_made;
    _Atomic uint32_t *marks; /* of each lane; in one array, because "exhausted" reads all */
    _Atomic uint32_t *held;  /* of each lane: 1 while a caller has it */
    rp_lane lanes[];
};

static void push(rp_pool *pool, _Atomic uint64_t *head, uint32_t index)
{
    uint64_t old = atomic_load_explicit(head, memory_order_relaxed);
    uint64_t new;
    do {
        atomic_store_explicit(&pool->lanes[index].next, (uint32_t)old, memory_order_relaxed);
        new = ((old >> 32) + 1) << 32 | index;
    } while (!atomic_compare_exchange_weak_explicit(head, &old, new, memory_order_release,
                                                    memory_order_relaxed));
}

static uint32_t pop(rp_pool *pool, _Atomic uint64_t *head)
{
    uint64_t old = atomic_load_explicit(head, memory_order_acquire);
    uint64_t new;
    do {
        uint32_t index = (uint32_t)old;
        if (index == NO_LANE)
            return NO_LANE;
        uint32_t next = atomic_load_explicit(&pool->lanes[index].next, memory_order_relaxed);
        new = ((old >> 32) + 1) << 32 | next;
    } while (!atomic_compare_exchange_weak_explicit(head, &old, new, memory_order_acquire,
                                                    memory_order_acquire));
    return (uint32_t)old;
}

static rp_status check_pool_options(const rp_pool_options *options)
{
    rp_error *error = options->error;
    if (options->max_lanes == 0 || options->max_lanes > RP_POOL_MAX_LANES)
        return rp_fail(error, RP_STATUS_INVALID_OPTION, "max_lanes %u; allowed: 1 to %u",
                       (unsigned)options->max_lanes, (unsigned)RP_POOL_MAX_LANES);
    if (options->max_input_bytes == 0 || options->max_input_bytes > RP_MAX_INPUT_BYTES)
        return rp_fail(error, RP_STATUS_INVALID_OPTION, "max_input_bytes %zu; allowed: 1 to %zu",
                       options->max_input_bytes, RP_MAX_INPUT_BYTES);
    return rp_check_effort(options->effort, error);
}

rp_status rp_pool_create(const rp_device *device, const rp_pool_options *given, rp_pool **pool)
{
    rp_pool_options options = RP_POOL_OPTIONS_INIT;
    if (pool != NULL)
        *pool = NULL;
    if (given == NULL)
        return RP_STATUS_NULL_POINTER;
    if (rp_check_struct_size(&options_kind, given, NULL) == RP_STATUS_OK)
        options.error = given->error;
    rp_status status = rp_read_struct(&options_kind, &options, given, options.error);
    const rp_named_pointer pointers[] = {{device, "device"}, {pool, "pool"}};
    if (status == RP_STATUS_OK)
        status = rp_check_pointers(pointers, sizeof(pointers) / sizeof(pointers[0]), options.error);
    if (status == RP_STATUS_OK)
        status = rp_check_device(device, options.error);
    if (status == RP_STATUS_OK)
        status = check_pool_options(&options);
    if (status != RP_STATUS_OK)
        return status;
    size_t lanes_bytes = sizeof(rp_pool) + options.max_lanes * sizeof(rp_lane);
    rp_pool *made = calloc(1, lanes_bytes + options.max_lanes *
                                                (sizeof(made->marks[0]) + sizeof(made->held[0])));
    if (made == NULL)
        return RP_STATUS_OUT_OF_HOST_MEMORY;
    made->marks = (_Atomic uint32_t *)(void *)((uint8_t *)made + lanes_bytes);
    made->held = made->marks + options.max_lanes;
    made->device = device;
    made->max_lanes = options.max_lanes;
    made->max_input_bytes = options.max_input_bytes;
    made->memory_bytes = options.memory_bytes;
    made->effort = options.effort;
    made->lane_bytes = rp_lane_memory_bytes(device, options.max_input_bytes, options.effort);
    atomic_init(&made->free_lanes, NO_LANE);
    atomic_init(&made->unmade_lanes, NO_LANE);
    *pool = made;
    return RP_STATUS_OK;
}

static rp_status lane_make(const rp_pool *pool, rp_lane *lane)
{
    bool is_staged = (pool->device->flags & RP_DEVICE_HOST_MEMORY) == 0;
    size_t workspace_bytes = rp_workspace_size(pool->max_input_bytes, 1, pool->effort);
    lane->max_input_bytes = pool->max_input_bytes;
    return rp_lane_make(pool->device, workspace_bytes,
                        is_staged ? pool->lane_bytes - workspace_bytes : 0, lane);
}

void rp_pool_destroy(rp_pool *pool)
{
    if (pool == NULL)
        return;
    uint32_t index;
    bool leaked = false;
    uint32_t n_claimed = atomic_load(&pool->n_claimed);
    for (index = 0; index < n_claimed; index++) {
        /* Whoever holds it may still compress on it, and release it to this pool. */
        if (atomic_load(&pool->held[index]) != 0)
            leaked = true;
        if ((atomic_load(&pool->marks[index]) & 3) != MARK_SET_ASIDE)
            continue;
        if (rp_stream_wait(pool->lanes[index].stream, 0) == RP_STATUS_TIMEOUT)
            leaked = true;
        else
            rp_lane_free(pool->device, &pool->lanes[index]);
    }
    while ((index = pop(pool, &pool->free_lanes)) != NO_LANE)
        rp_lane_free(pool->device, &pool->lanes[index]);
    if (!leaked)
        free(pool);
}

static uint32_t mark_changed(uint32_t mark, lane_mark to)
{
    return ((mark >> 2) + 1) << 2 | (uint32_t)to;
}

/* The lane is the caller's. */
static void set_aside(rp_pool *pool, uint32_t index)
{
    _Atomic uint32_t *mark = &pool->marks[index];
    atomic_store(mark, mark_changed(atomic_load(mark), MARK_SET_ASIDE));
}

/* Takes the lane if it was set aside and has finished since. */
static bool take_finished(rp_pool *pool, uint32_t index)
{
    _Atomic uint32_t *mark = &pool->marks[index];
    uint32_t before = atomic_load(mark);
    if ((before & 3) != MARK_SET_ASIDE ||
        !atomic_compare_exchange_strong(mark, &before, (before & ~UINT32_C(3)) | MARK_ASKED))
        return false;
    bool finished = rp_stream_wait(pool->lanes[index].stream, 0) == RP_STATUS_OK;
    if (finished)
        pool->lanes[index].busy = false;
    atomic_store(mark, finished ? mark_changed(before, MARK_NONE) : before);
    return finished;
}

/* A lane that timed out and has finished since. Asks once about each lane that is set aside. */
static uint32_t reclaim(rp_pool *pool)
{
    uint32_t n_claimed = atomic_load(&pool->n_claimed);
    for (uint32_t i = 0; i < n_claimed; i++) {
        if (take_finished(pool, i))
            return i;
    }
    return NO_LANE;
}

/* Changes of all marks so far. Marks only count upwards, so equal sums are equal marks. */
static uint32_t count_changes(const rp_pool *pool)
{
    uint32_t n_claimed = atomic_load(&pool->n_claimed);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n_claimed; i++)
        sum += atomic_load(&pool->marks[i]) >> 2;
    return sum;
}

/* The right to make one more lane. */
static bool claim(rp_pool *pool, uint32_t *index)
{
    *index = pop(pool, &pool->unmade_lanes);
    if (*index != NO_LANE)
        return true;
    uint32_t n = atomic_load(&pool->n_claimed);
    do {
        if (n >= pool->max_lanes)
            return false;
        if (pool->memory_bytes != 0 && (n + (size_t)1) * pool->lane_bytes > pool->memory_bytes)
            return false;
    } while (!atomic_compare_exchange_weak(&pool->n_claimed, &n, n + 1));
    *index = n;
    return true;
}

static rp_status make_claimed(rp_pool *pool, uint32_t index)
{
    rp_status status = lane_make(pool, &pool->lanes[index]);
    if (status == RP_STATUS_OK)
        atomic_fetch_add(&pool->n_made, 1);
    else
        push(pool, &pool->unmade_lanes, index);
    return status;
}

rp_status rp_pool_reserve(rp_pool *pool, uint32_t n_lanes)
{
    if (pool == NULL)
        return RP_STATUS_NULL_POINTER;
    while (atomic_load(&pool->n_made) < n_lanes) {
        uint32_t index;
        if (!claim(pool, &index))
            return RP_STATUS_POOL_EXHAUSTED;
        rp_status status = make_claimed(pool, index);
        if (status != RP_STATUS_OK)
            return status;
        push(pool, &pool->free_lanes, index);
    }
    return RP_STATUS_OK;
}

/* A lane that is free, has finished, or can be made. The loop repeats only when another thread got
 * a lane or set one aside, so it is lock-free. */
static rp_status find_lane(rp_pool *pool, uint32_t *index)
{
    uint32_t changes;
    do {
        changes = count_changes(pool);
        *index = pop(pool, &pool->free_lanes);
        if (*index == NO_LANE)
            *index = reclaim(pool);
        if (*index != NO_LANE)
            return RP_STATUS_OK;
        if (claim(pool, index))
            return make_claimed(pool, *index);
    } while (count_changes(pool) != changes);
    return RP_STATUS_POOL_EXHAUSTED;
}

rp_status rp_pool_acquire(rp_pool *pool, rp_lane **lane)
{
    if (lane == NULL)
        return RP_STATUS_NULL_POINTER;
    *lane = NULL;
    if (pool == NULL)
        return RP_STATUS_NULL_POINTER;
    rp_status status = RP_STATUS_OK;
    uint32_t index = pop(pool, &pool->free_lanes);
    if (index == NO_LANE)
        status = find_lane(pool, &index);
    if (status == RP_STATUS_OK) {
        atomic_store(&pool->held[index], 1);
        *lane = &pool->lanes[index];
    }
    return status;
}

/* Numbers are compared, since pointers into different objects must not be. */
static bool is_lane_of(const rp_pool *pool, const rp_lane *lane)
{
    uintptr_t distance = (uintptr_t)lane - (uintptr_t)pool->lanes;
    return distance < pool->max_lanes * sizeof(rp_lane) && distance % sizeof(rp_lane) == 0;
}

rp_status rp_pool_release(rp_pool *pool, rp_lane *lane)
{
    if (pool == NULL || lane == NULL)
        return RP_STATUS_NULL_POINTER;
    if (!is_lane_of(pool, lane))
        return RP_STATUS_INVALID_LANE;
    uint32_t index = (uint32_t)(lane - pool->lanes);
    if (atomic_exchange(&pool->held[index], 0) == 0)
        return RP_STATUS_INVALID_LANE;
    if (lane->busy)
        set_aside(pool, index);
    else
        push(pool, &pool->free_lanes, index);
    return RP_STATUS_OK;
}

uint32_t rp_pool_lane_count(const rp_pool *pool)
{
    return pool == NULL ? 0 : atomic_load(&pool->n_made);
}
