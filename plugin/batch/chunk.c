/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk from idle to done: see batch/chunk.h. */
#include "plugin/batch/chunk.h"

#include <time.h>

#include "plugin/batch/lane.h"
#include "plugin/batch/plan.h"
#include "plugin/batch/service.h"
#include "plugin/batch/slab.h"
#include "plugin/core/stats.h"
#include "plugin/device/session.h"

pthread_mutex_t rp_batch_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t rp_batch_changed;

bool rp_batch_chunks_setup(void)
{
    pthread_condattr_t attributes;
    bool is_made;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    is_made = pthread_cond_init(&rp_batch_changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return is_made;
}

/* Under the lock, which is released while slabs are made: pinning memory may take the driver long.
 * All of them together take one timeout at most, and that of the call that is then under way. */
static bool find_slabs(struct rp_open_batch *batch, const struct rp_batch_chunk *chunk)
{
    uint64_t deadline_ns = rp_clock_ns() + rp_batch_lanes_timeout_ns();

    for (uint32_t i = chunk->first_slab; i < chunk->first_slab + chunk->n_slabs; i++) {
        if (batch->frame_slabs[i] != NULL)
            continue;
        if (rp_clock_ns() > deadline_ns)
            return false;
        pthread_mutex_unlock(&rp_batch_lock);
        batch->frame_slabs[i] = rp_batch_slab_take(true);
        pthread_mutex_lock(&rp_batch_lock);
        if (batch->frame_slabs[i] == NULL)
            return false;
    }
    return true;
}

/* Where threads serve, they ask the device whether it is done with a lane. */
static struct rp_batch_lane *take_lane(rp_status *status)
{
    bool is_served = rp_batch_service_is_on();
    struct rp_batch_lane *lane = rp_batch_lane_take(!is_served, status);

    if (*status == RP_STATUS_POOL_EXHAUSTED && is_served && !rp_batch_service_look(false))
        lane = rp_batch_lane_take(true, status);
    return lane;
}

/* Under the lock, which is released while slabs and a lane are found. */
static rp_fallback_reason find_lane(struct rp_open_batch *batch, struct rp_batch_chunk *chunk,
                                    struct rp_batch_lane **lane)
{
    rp_breaker_pass pass;
    rp_status status;

    if (!rp_session_is_open())
        return RP_FALLBACK_DEVICE;
    if (!rp_session_enter(&pass))
        return RP_FALLBACK_BREAKER;
    if (rp_batch_service_is_stuck())
        return rp_session_fault(RP_STATUS_TIMEOUT, pass);
    if (!find_slabs(batch, chunk))
        return RP_FALLBACK_MEMORY;
    *lane = take_lane(&status);
    if (status == RP_STATUS_POOL_EXHAUSTED)
        return RP_FALLBACK_POOL;
    if (status != RP_STATUS_OK)
        return rp_session_fault(status, pass);
    (*lane)->pass = pass;
    return RP_FALLBACK_NONE;
}

/* Under the lock; nobody starts the chunk. */
static void give_slabs_back(struct rp_open_batch *batch, struct rp_batch_chunk *chunk)
{
    struct rp_batch_lane *lane = chunk->lane;

    if (lane != NULL) {
        /* The device still works on it: the lane gives the slabs back afterwards. */
        lane->owns_slabs = true;
        lane->chunk = NULL;
        lane->batch = NULL;
        chunk->lane = NULL;
        return;
    }
    for (uint32_t i = chunk->first_slab; i < chunk->first_slab + chunk->n_slabs; i++) {
        rp_batch_slab_give(batch->raw_slabs[i], false);
        if (batch->frame_slabs[i] != NULL)
            rp_batch_slab_give(batch->frame_slabs[i], true);
    }
}

/* Under the lock. Those who waited for the chunk may have failed it or taken all of its blocks
 * elsewhere in the meantime. */
static void end_start(struct rp_open_batch *batch, struct rp_batch_chunk *chunk)
{
    chunk->is_starting = false;
    if (chunk->is_released)
        give_slabs_back(batch, chunk);
    pthread_cond_broadcast(&rp_batch_changed);
}

/* Puts a chunk that has slabs and a lane on the device. Under the lock, which is released
 * meanwhile. */
static rp_fallback_reason launch(struct rp_open_batch *batch, struct rp_batch_chunk *chunk,
                                 struct rp_batch_lane *lane, const rp_compress_options *options)
{
    rp_status status;

    if (chunk->state != RP_CHUNK_RUNNING || chunk->is_released) {
        lane->is_busy = false;
        lane->is_attended = false;
        return RP_FALLBACK_FAULT;
    }
    chunk->effort = options->effort;
    chunk->flags = options->flags;
    rp_batch_lane_occupy(lane, batch, chunk, options);
    pthread_mutex_unlock(&rp_batch_lock);
    rp_batch_lane_prepare(lane);
    pthread_mutex_lock(&rp_batch_lock);
    if (rp_batch_service_launch(lane))
        return RP_FALLBACK_NONE;
    pthread_mutex_unlock(&rp_batch_lock);
    status = rp_batch_lane_launch(lane);
    pthread_mutex_lock(&rp_batch_lock);
    lane->is_attended = false;
    if (status == RP_STATUS_OK)
        return RP_FALLBACK_NONE;
    rp_batch_lane_settle(lane, status);
    return RP_FALLBACK_FAULT;
}

/* Starts an idle chunk. Under the lock, which is released meanwhile. */
static rp_fallback_reason start(struct rp_open_batch *batch, struct rp_batch_chunk *chunk,
                                const rp_compress_options *options)
{
    struct rp_batch_lane *lane = NULL;
    rp_fallback_reason reason;

    /* Other threads now wait for the chunk instead of starting it, too. */
    chunk->state = RP_CHUNK_RUNNING;
    chunk->is_starting = true;
    reason = find_lane(batch, chunk, &lane);
    if (reason == RP_FALLBACK_NONE)
        reason = launch(batch, chunk, lane, options);
    else if (chunk->state == RP_CHUNK_RUNNING)
        chunk->state = RP_CHUNK_IDLE;
    end_start(batch, chunk);
    return reason;
}

/* All blocks of a chunk may have been compressed elsewhere before it was started: then its slabs
 * are others' by now. */
static bool is_startable(const struct rp_batch_chunk *chunk)
{
    return chunk->state == RP_CHUNK_IDLE && !chunk->is_released;
}

void rp_batch_chunk_start_ahead(struct rp_open_batch *batch, uint32_t chunk,
                                const rp_compress_options *options)
{
    uint32_t end = chunk + batch->lookahead;
    uint32_t next = atomic_load_explicit(&batch->next_launch, memory_order_relaxed);

    if (end > batch->n_chunks)
        end = batch->n_chunks;
    if (next >= end)
        return;
    pthread_mutex_lock(&rp_batch_lock);
    for (;;) {
        next = atomic_load_explicit(&batch->next_launch, memory_order_relaxed);
        if (next < chunk)
            next = chunk;
        if (next >= end || (is_startable(&batch->chunks[next]) &&
                            start(batch, &batch->chunks[next], options) != RP_FALLBACK_NONE))
            break;
        atomic_store_explicit(&batch->next_launch, next + 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&rp_batch_lock);
}

static bool same_options(const struct rp_batch_chunk *chunk, const rp_compress_options *options)
{
    return chunk->effort == options->effort && chunk->flags == options->flags;
}

static void wait_for_others(struct rp_batch_chunk *chunk, uint64_t deadline_ns)
{
    struct timespec deadline = {(time_t)(deadline_ns / 1000000000u),
                                (long)(deadline_ns % 1000000000u)};

    if (chunk->lane != NULL)
        chunk->lane->is_awaited = true;
    pthread_cond_timedwait(&rp_batch_changed, &rp_batch_lock, &deadline);
}

/* Whoever starts or attends to the chunk does not come back in time. Nobody waits for it after this
 * thread. */
static rp_fallback_reason give_up(struct rp_batch_chunk *chunk)
{
    chunk->state = RP_CHUNK_FAILED;
    pthread_cond_broadcast(&rp_batch_changed);
    return rp_session_fault(RP_STATUS_TIMEOUT,
                            chunk->lane != NULL ? chunk->lane->pass : RP_BREAKER_CLOSED);
}

/* A thread that serves the chunk is in a call that does not return. One that waits for the device
 * itself gives the chunk up by then (rp_batch_lane_attend). */
static bool is_hung(const struct rp_batch_chunk *chunk)
{
    return rp_batch_service_is_on() && chunk->state == RP_CHUNK_RUNNING && chunk->lane != NULL &&
           chunk->lane->is_attended &&
           rp_clock_ns() - chunk->lane->launched_ns > rp_batch_lanes_timeout_ns();
}

/* Brings the chunk a step nearer to done; under the lock. RP_FALLBACK_NONE: look again. Waiting
 * ends at worth_until_ns at the latest, and at deadline_ns the chunk is given up. Starting the
 * chunk takes as long as its slabs, its lane and its launch take. */
static rp_fallback_reason step(struct rp_open_batch *batch, struct rp_batch_chunk *chunk,
                               const rp_compress_options *options, uint64_t worth_until_ns,
                               uint64_t deadline_ns)
{
    uint64_t until_ns = worth_until_ns < deadline_ns ? worth_until_ns : deadline_ns;
    uint64_t now = rp_clock_ns();

    switch (chunk->state) {
    case RP_CHUNK_IDLE:
        return start(batch, chunk, options);
    case RP_CHUNK_RUNNING:
        if (now >= deadline_ns)
            return give_up(chunk);
        if (chunk->lane == NULL || chunk->lane->is_attended)
            wait_for_others(chunk, until_ns);
        else if (until_ns > now)
            rp_batch_lane_attend(chunk->lane, (uint32_t)((until_ns - now) / 1000) + 1);
        return RP_FALLBACK_NONE;
    case RP_CHUNK_DONE:
        /* It was begun with other options. While no frame was handed out it can be done again. */
        if (chunk->was_relaunched || atomic_load(&chunk->is_frozen))
            return RP_FALLBACK_PARAMETER;
        chunk->was_relaunched = true;
        chunk->state = RP_CHUNK_IDLE;
        return RP_FALLBACK_NONE;
    case RP_CHUNK_FAILED:
        break;
    }
    return RP_FALLBACK_FAULT;
}

/* Asking the driver whether a chunk is done costs a percent or two of what libzstd takes for a
 * block. Of the blocks that do not wait one in so many asks: the chunk may be done before it was
 * expected to be. */
#define ASKING_INTERVAL 4u

/* The block is not worth a longer wait. Under the lock, which is released while the driver is
 * asked. RP_FALLBACK_NONE: look again, the chunk is done or another thread has to do with it. */
static rp_fallback_reason refuse(struct rp_batch_chunk *chunk)
{
    if (chunk->lane == NULL || chunk->lane->is_attended ||
        chunk->n_refusals++ % ASKING_INTERVAL != 0)
        return RP_FALLBACK_BUSY;
    rp_batch_lane_attend(chunk->lane, 0);
    return chunk->state == RP_CHUNK_RUNNING ? RP_FALLBACK_BUSY : RP_FALLBACK_NONE;
}

/* Whether the chunk is on the device, and is expected not to be done before worth_until_ns. */
static bool is_too_slow(const struct rp_batch_chunk *chunk, uint64_t worth_until_ns)
{
    uint64_t now;

    if (chunk->state != RP_CHUNK_RUNNING || worth_until_ns == UINT64_MAX)
        return false;
    now = rp_clock_ns();
    return now >= worth_until_ns ||
           (chunk->lane != NULL && rp_batch_lane_expected_ns(chunk->lane) > worth_until_ns - now);
}

rp_fallback_reason rp_batch_chunk_finish(const rp_plugin_config *config,
                                         struct rp_open_batch *batch, struct rp_batch_chunk *chunk,
                                         const rp_compress_options *options, uint64_t max_wait_ns)
{
    rp_fallback_reason reason = RP_FALLBACK_NONE;
    uint64_t begun_ns, deadline_ns, worth_until_ns;

    if (atomic_load_explicit(&chunk->is_frozen, memory_order_acquire))
        return same_options(chunk, options) ? RP_FALLBACK_NONE : RP_FALLBACK_PARAMETER;
    begun_ns = rp_clock_ns();
    deadline_ns = begun_ns + config->timeout_ms * UINT64_C(1000000);
    worth_until_ns = max_wait_ns < UINT64_MAX - begun_ns ? begun_ns + max_wait_ns : UINT64_MAX;
    pthread_mutex_lock(&rp_batch_lock);
    while (reason == RP_FALLBACK_NONE &&
           !(chunk->state == RP_CHUNK_DONE && same_options(chunk, options))) {
        if (is_hung(chunk))
            reason = give_up(chunk);
        else if (is_too_slow(chunk, worth_until_ns))
            reason = refuse(chunk);
        else
            reason = step(batch, chunk, options, worth_until_ns, deadline_ns);
    }
    if (reason == RP_FALLBACK_NONE)
        atomic_store_explicit(&chunk->is_frozen, true, memory_order_release);
    pthread_mutex_unlock(&rp_batch_lock);
    return reason;
}

void rp_batch_chunk_release(struct rp_open_batch *batch, struct rp_batch_chunk *chunk)
{
    if (chunk->is_released)
        return;
    chunk->is_released = true;
    if (!chunk->is_starting)
        give_slabs_back(batch, chunk);
}
