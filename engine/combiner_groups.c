/* SPDX-License-Identifier: Apache-2.0 */
/* See combiner_groups.h. */
#include "engine/combiner_groups.h"

#include "engine/futex.h"

rp_shared_group *rp_combiner_find(rp_combiner *combiner, rp_group_state state)
{
    for (uint32_t i = 0; i < combiner->max_groups; i++) {
        if (combiner->groups[i]->state == state)
            return combiner->groups[i];
    }
    return NULL;
}

rp_shared_group *rp_combiner_find_open(rp_combiner *combiner, const rp_compress_options *options,
                                       size_t input_size, size_t capacity)
{
    for (uint32_t i = 0; i < combiner->max_groups; i++) {
        rp_shared_group *shared = combiner->groups[i];
        if (shared->state == RP_GROUP_GATHERING &&
            rp_group_takes(&shared->group, options, input_size, capacity))
            return shared;
    }
    return NULL;
}

rp_shared_group *rp_combiner_find_oldest(rp_combiner *combiner, bool is_led)
{
    rp_shared_group *oldest = NULL;
    for (uint32_t i = 0; i < combiner->max_groups; i++) {
        rp_shared_group *shared = combiner->groups[i];
        if (shared->state == RP_GROUP_GATHERING && shared->is_led == is_led &&
            (!is_led || shared->awaits_turn) && (oldest == NULL || shared->number < oldest->number))
            oldest = shared;
    }
    return oldest;
}

rp_status rp_combiner_make_group(rp_combiner *combiner, rp_shared_group *shared)
{
    size_t bytes = rp_group_memory_bytes(&combiner->limits);
    if (combiner->memory_bytes != 0 &&
        combiner->counts.memory_bytes + bytes > combiner->memory_bytes)
        return RP_STATUS_POOL_EXHAUSTED;
    combiner->counts.memory_bytes += bytes;
    shared->state = RP_GROUP_MAKING;
    pthread_mutex_unlock(&combiner->lock);
    rp_status status = rp_group_make(&shared->group, combiner->device, &combiner->limits);
    pthread_mutex_lock(&combiner->lock);
    if (status == RP_STATUS_OK)
        combiner->counts.n_groups++;
    else
        combiner->counts.memory_bytes -= bytes;
    shared->state = status == RP_STATUS_OK ? RP_GROUP_FREE : RP_GROUP_UNMADE;
    return status;
}

/* Whether the device is done with the group that was set aside. The lock is released meanwhile. */
static bool take_back(rp_combiner *combiner, rp_shared_group *shared)
{
    shared->state = RP_GROUP_ASKED;
    pthread_mutex_unlock(&combiner->lock);
    bool is_done = rp_lane_wait(&shared->group.lane, 0) == RP_STATUS_OK;
    pthread_mutex_lock(&combiner->lock);
    shared->state = is_done ? RP_GROUP_FREE : RP_GROUP_SET_ASIDE;
    return is_done;
}

/* Whether a group's launch has ended, so that it is given back as soon as its threads have taken
 * their frames. */
static bool is_one_ending(const rp_combiner *combiner)
{
    for (uint32_t i = 0; i < combiner->max_groups; i++) {
        const rp_shared_group *shared = combiner->groups[i];
        if (shared->state == RP_GROUP_CLOSED && atomic_load(&shared->is_done) != 0)
            return true;
    }
    return false;
}

bool rp_combiner_await_return(rp_combiner *combiner, uint32_t n_returns, const rp_deadline *by)
{
    uint32_t left = rp_time_left_us(by);
    if (left == 0)
        return false;
    if (atomic_load(&combiner->n_returns) != n_returns)
        return true;
    if (!is_one_ending(combiner))
        return false;
    combiner->n_awaiting_return++;
    pthread_mutex_unlock(&combiner->lock);
    rp_futex_wait(&combiner->n_returns, n_returns, left);
    pthread_mutex_lock(&combiner->lock);
    combiner->n_awaiting_return--;
    return true;
}

bool rp_combiner_is_served(const rp_combiner *combiner)
{
    return combiner->call_service != NULL || combiner->counts.n_serving != 0;
}

/* One more group, for an input with this deadline; NULL, and why. One is made at a time: it takes
 * the inputs of many. While there are groups, no memory for another one is no fault, and is not
 * asked for again before a group was given back. The lock is released meanwhile. */
static rp_shared_group *make_another(rp_combiner *combiner, const rp_deadline *by,
                                     rp_status *status)
{
    rp_shared_group *shared = rp_combiner_find(combiner, RP_GROUP_UNMADE);
    uint32_t n_returns = atomic_load(&combiner->n_returns);
    *status = RP_STATUS_POOL_EXHAUSTED;
    if (shared == NULL || rp_combiner_find(combiner, RP_GROUP_MAKING) != NULL ||
        (combiner->counts.n_groups != 0 && combiner->lacks_memory &&
         combiner->lacked_memory_at == n_returns))
        return NULL;
    *status = rp_combiner_make_group(combiner, shared);
    combiner->lacks_memory = *status != RP_STATUS_OK;
    combiner->lacked_memory_at = n_returns;
    bool is_late = *status == RP_STATUS_OK && rp_time_left_us(by) == 0;
    if (is_late || (*status != RP_STATUS_OK && combiner->counts.n_groups != 0))
        *status = RP_STATUS_POOL_EXHAUSTED;
    return *status == RP_STATUS_OK ? shared : NULL;
}

rp_shared_group *rp_combiner_find_free(rp_combiner *combiner, const rp_deadline *by,
                                       rp_status *status)
{
    rp_shared_group *shared = rp_combiner_find(combiner, RP_GROUP_FREE);
    *status = RP_STATUS_OK;
    if (shared != NULL)
        return shared;
    for (uint32_t i = 0; i < combiner->max_groups && !rp_combiner_is_served(combiner); i++) {
        shared = combiner->groups[i];
        if (shared->state == RP_GROUP_SET_ASIDE && take_back(combiner, shared))
            return shared;
    }
    return make_another(combiner, by, status);
}

void rp_combiner_open_group(rp_combiner *combiner, rp_shared_group *shared,
                            const rp_compress_options *options)
{
    rp_group_open(&shared->group, options);
    shared->state = RP_GROUP_GATHERING;
    shared->is_led = combiner->call_service == NULL && combiner->counts.n_serving == 0;
    shared->awaits_turn = false;
    shared->number = combiner->n_opened++;
    atomic_store_explicit(&shared->n_inside, 1, memory_order_relaxed); /* the leader */
    atomic_store_explicit(&shared->has_turn, 0, memory_order_relaxed);
    atomic_store_explicit(&shared->is_done, 0, memory_order_relaxed);
    atomic_store_explicit(&shared->is_accounted, false, memory_order_relaxed);
}

bool rp_combiner_take_all_back(rp_combiner *combiner)
{
    bool is_one_back = false;
    for (uint32_t i = 0; i < combiner->max_groups; i++) {
        if (combiner->groups[i]->state == RP_GROUP_SET_ASIDE &&
            take_back(combiner, combiner->groups[i]))
            is_one_back = true;
    }
    return is_one_back;
}
