/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nested calls. libzstd calls its own public functions through the dynamic linker, so that such a
 * call arrives at the hook, and so does a call of libzstd that the engine or a device's driver
 * makes. A thread is marked while it is inside any of them. The hook passes the calls of a marked
 * thread on to libzstd untouched, and does not count them.
 *
 *     rp_nesting nesting;
 *     rp_nesting_enter(&nesting);
 *     ...;                          a call into libzstd, the engine or a device
 *     rp_nesting_leave(&nesting);
 *
 * An allocator that libzstd calls may leave the call by longjmp, and then nobody takes the mark
 * away. So a mark counts only for calls from deeper in the stack than the variable `nesting` was;
 * the first call from elsewhere removes it.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_NESTING_H
#define ROCKPRESS_PLUGIN_CORE_NESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/core/thread_state.h"

typedef struct rp_nesting {
    const struct rp_nesting *outer; /* of the call around it, or NULL */
} rp_nesting;

/* Around each call into libzstd, the engine or a device. Pairs may lie inside one another. */
static inline void rp_nesting_enter(rp_nesting *nesting)
{
    nesting->outer = rp_thread.nesting;
    rp_thread.nesting = nesting;
}

static inline void rp_nesting_leave(const rp_nesting *nesting)
{
    rp_thread.nesting = nesting->outer;
}

/* Whether this thread is inside such a call. Stacks grow downwards. */
static inline bool rp_nesting_is_nested(void)
{
    if (rp_thread.nesting == NULL)
        return false;
    if ((uintptr_t)__builtin_frame_address(0) < (uintptr_t)rp_thread.nesting)
        return true;
    rp_thread.nesting = NULL;
    return false;
}

#endif
