/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slabs: see batch/slab.h. Pinning memory for a GPU takes longer than compressing its contents, and
 * freeing it waits for the device. So a slab that was made is kept. Free slabs are a list through
 * their own first words.
 */
#include "plugin/batch/slab.h"

#include <pthread.h>
#include <string.h>

#include "plugin/core/stats.h"
#include "plugin/device/session.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const rp_device *owner;
static size_t slab_bytes;
static size_t n_limit, n_made;
static size_t n_block_slabs, n_frame_slabs; /* in use */
static void *free_slabs;

void rp_batch_slabs_setup(const rp_device *device, size_t bytes, size_t limit_bytes)
{
    owner = device;
    slab_bytes = bytes;
    n_limit = limit_bytes / bytes;
}

size_t rp_batch_slab_bytes(void)
{
    return slab_bytes;
}

static void *pop(void)
{
    void *slab = free_slabs;

    if (slab != NULL)
        memcpy(&free_slabs, slab, sizeof(free_slabs));
    return slab;
}

static void push(void *slab)
{
    memcpy(slab, &free_slabs, sizeof(free_slabs));
    free_slabs = slab;
}

static void count_in_use(bool for_frames, int change)
{
    *(for_frames ? &n_frame_slabs : &n_block_slabs) += (size_t)change;
    rp_stats_set_batch_memory((n_block_slabs + n_frame_slabs) * slab_bytes, n_made * slab_bytes);
}

void *rp_batch_slab_take(bool for_frames)
{
    rp_status status;
    void *slab;
    bool make;

    pthread_mutex_lock(&lock);
    if (!for_frames && n_block_slabs >= n_limit - n_limit / 3) {
        pthread_mutex_unlock(&lock);
        return NULL;
    }
    slab = pop();
    make = slab == NULL && n_made < n_limit;
    n_made += make;
    if (slab != NULL || make)
        count_in_use(for_frames, 1);
    pthread_mutex_unlock(&lock);
    if (!make)
        return slab;
    /* A driver's allocation takes long: not under the lock. */
    status = owner->ops->staging_alloc(owner, slab_bytes, &slab);
    if (status == RP_STATUS_OK)
        return slab;
    rp_session_fault(status, RP_BREAKER_CLOSED);
    pthread_mutex_lock(&lock);
    n_made--;
    count_in_use(for_frames, -1);
    pthread_mutex_unlock(&lock);
    return NULL;
}

void rp_batch_slab_give(void *slab, bool for_frames)
{
    pthread_mutex_lock(&lock);
    push(slab);
    count_in_use(for_frames, -1);
    pthread_mutex_unlock(&lock);
}
