/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The groups of a combiner (combiner.c), and which of them an input gets. A group is made when none
 * is free, and kept. It is free, gathers inputs, is closed until everybody has left it, and free
 * again; or, if its launch did not end in time, it is set aside until the device is done with it.
 *
 * Thread rule: all functions under the combiner's lock. Those marked "unlocks" release it for a
 * while. It is held for moments, and never during a call of the device.
 */
#ifndef ROCKPRESS_ENGINE_COMBINER_GROUPS_H
#define ROCKPRESS_ENGINE_COMBINER_GROUPS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/deadline.h"
#include "engine/group.h"
#include "rockpress/combiner.h"

#define RP_COMBINER_MAX_GROUPS (2 * RP_COMBINER_MAX_RUNNING + 2)

typedef enum rp_group_state {
    RP_GROUP_UNMADE = 0,
    RP_GROUP_MAKING,    /* by a thread */
    RP_GROUP_FREE,      /* nobody is inside */
    RP_GROUP_GATHERING, /* takes inputs */
    RP_GROUP_CLOSED,    /* until everybody has left */
    RP_GROUP_SET_ASIDE, /* nobody is inside but perhaps the device */
    RP_GROUP_ASKED      /* set aside, and a thread is asking whether it is done */
} rp_group_state;

/* A group, and who is inside. Under the lock, unless it says otherwise. */
typedef struct rp_shared_group {
    rp_group_state state;
    bool is_led;
    bool awaits_turn;
    uint64_t number;           /* groups that are opened later have larger ones */
    rp_status status;          /* of the launch; the leader's until is_done */
    _Atomic uint32_t n_inside; /* any thread */
    _Atomic uint32_t has_turn; /* a futex, for the leader */
    _Atomic uint32_t is_done;  /* a futex, for the others */
    _Atomic bool is_accounted; /* one of them has got n_shared */
    rp_group group;
} rp_shared_group;

struct rp_combiner {
    const rp_device *device;
    rp_group_limits limits;
    uint32_t max_running;
    uint32_t max_groups;
    size_t memory_bytes;
    bool (*call_service)(void *context);
    void *service_context;
    pthread_mutex_t lock; /* of what follows, and of the groups' states */
    uint32_t n_running;
    uint64_t n_opened;
    uint32_t n_awaiting_return;
    uint32_t n_called;         /* threads that are to serve, and do not yet */
    bool lacks_memory;         /* the last group could not be made, */
    uint32_t lacked_memory_at; /* when n_returns was this */
    rp_combiner_counts counts;
    _Atomic uint32_t n_calls_for_service; /* a futex, for those who serve */
    _Atomic uint32_t n_returns;           /* a futex, for those who found no group */
    rp_shared_group *groups[RP_COMBINER_MAX_GROUPS];
};

/* The first group in this state; NULL: none is. */
rp_shared_group *rp_combiner_find(rp_combiner *combiner, rp_group_state state);

/* A group that gathers and takes the input. */
rp_shared_group *rp_combiner_find_open(rp_combiner *combiner, const rp_compress_options *options,
                                       size_t input_size, size_t capacity);

/* The oldest of those that nobody leads, or whose leaders wait. */
rp_shared_group *rp_combiner_find_oldest(rp_combiner *combiner, bool is_led);

/* A free group for an input with this deadline; NULL, and why (unlocks). */
rp_shared_group *rp_combiner_find_free(rp_combiner *combiner, const rp_deadline *by,
                                       rp_status *status);

/* Makes a group that is not made yet. It is free afterwards, or an error is returned (unlocks). */
rp_status rp_combiner_make_group(rp_combiner *combiner, rp_shared_group *shared);

/* Waits until a group was given back since n_returns was read. False: none will be soon (unlocks).
 */
bool rp_combiner_await_return(rp_combiner *combiner, uint32_t n_returns, const rp_deadline *by);

/* A free group begins to gather. */
void rp_combiner_open_group(rp_combiner *combiner, rp_shared_group *shared,
                            const rp_compress_options *options);

/* Asks the device about all groups that were set aside. Whether one is free now (unlocks). */
bool rp_combiner_take_all_back(rp_combiner *combiner);

/* Whether threads that compress leave the device to those that serve. */
bool rp_combiner_is_served(const rp_combiner *combiner);

#endif
