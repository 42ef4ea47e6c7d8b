/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slabs: see batch/slab.h. Pinning memory for a GPU takes longer than compressing its contents, and
 * freeing it waits for the device. So a slab that was made is kept. Nothing of the list of free
 * slabs is in the slabs: a device that works wrongly may write to one that it was said to be done
 * with.
 */
#include "plugin/batch/slab.h"

#include <pthread.h>
#include <stdlib.h>

#include "plugin/core/stats.h"
#include "plugin/device/session.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const rp_device *owner;
static size_t slab_bytes;
static size_t n_limit, n_made;
static size_t n_block_slabs, n_frame_slabs; /* in use */

/* There are as many as slabs: with a free slab, or spare. */
struct place {
    struct place *next;
    void *slab;
};

static struct place *free_slabs, *spare_places;

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
    struct place *place = free_slabs;

    if (place == NULL)
        return NULL;
    free_slabs = place->next;
    place->next = spare_places;
    spare_places = place;
    return place->slab;
}

static void push(void *slab)
{
    struct place *place = spare_places;

    spare_places = place->next;
    place->next = free_slabs;
    place->slab = slab;
    free_slabs = place;
}

/* A slab and the place for it. */
static rp_status make_slab(void **slab)
{
    struct place *place = malloc(sizeof(*place));
    rp_status status = RP_STATUS_OUT_OF_HOST_MEMORY;

    *slab = NULL;
    if (place != NULL)
        status = owner->ops->staging_alloc(owner, slab_bytes, slab);
    if (status != RP_STATUS_OK) {
        free(place);
        return status;
    }
    pthread_mutex_lock(&lock);
    place->next = spare_places;
    spare_places = place;
    pthread_mutex_unlock(&lock);
    return RP_STATUS_OK;
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
    status = make_slab(&slab);
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
