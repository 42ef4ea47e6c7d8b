/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hook's files share. The rule of all hooked functions: at depth 0 the call comes from
 * the program; above, from inside a libzstd function that we forwarded to, because libzstd
 * calls its own public functions through the dynamic linker and so arrives here. Those calls
 * are passed on untouched, and not counted.
 */
#ifndef ROCKPRESS_PLUGIN_HOOK_ZSTD_HOOK_H
#define ROCKPRESS_PLUGIN_HOOK_ZSTD_HOOK_H

#include <stdbool.h>

#include "plugin/core/thread_state.h"
#include "plugin/hook/context_table.h"

static inline bool rp_hook_is_nested(void)
{
    return rp_thread.depth != 0;
}

static inline void rp_hook_enter(void)
{
    rp_thread.depth++;
}

static inline void rp_hook_leave(void)
{
    rp_thread.depth--;
}

#endif
