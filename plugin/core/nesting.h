/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nested calls. libzstd calls its own public functions through the dynamic linker, so that such a
 * call arrives at the hook, and so does a call of libzstd that the engine or a device's driver
 * makes. A thread is marked while it is inside any of them. The hook passes the calls of a marked
 * thread on to libzstd untouched, and does not count them.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_NESTING_H
#define ROCKPRESS_PLUGIN_CORE_NESTING_H

#include <stdbool.h>

#include "plugin/core/thread_state.h"

/* Around each call into libzstd, the engine or a device. Pairs may lie inside one another. */
static inline void rp_nesting_enter(void)
{
    rp_thread.depth++;
}

static inline void rp_nesting_leave(void)
{
    rp_thread.depth--;
}

/* Whether this thread is inside such a call. */
static inline bool rp_nesting_is_nested(void)
{
    return rp_thread.depth != 0;
}

#endif
