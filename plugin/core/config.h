/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration in force. It is read once, at the first use of the plugin, and never
 * changes after that, so readers need no lock and may keep the pointer.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_CONFIG_H
#define ROCKPRESS_PLUGIN_CORE_CONFIG_H

#include <stdatomic.h>

#include "rockpress/plugin.h"

enum { RP_CONFIG_UNREAD = 0, RP_CONFIG_READING = 1, RP_CONFIG_READY = 2 };

extern _Atomic int rp_config_state;
extern rp_plugin_config rp_config_in_force;

const rp_plugin_config *rp_config_read(void);

/* The configuration; NULL while another thread is reading it. Then the caller takes the cpu route:
 * it neither waits nor reads the environment a second time. */
static inline const rp_plugin_config *rp_config_get(void)
{
    if (atomic_load_explicit(&rp_config_state, memory_order_acquire) == RP_CONFIG_READY)
        return &rp_config_in_force;
    return rp_config_read();
}

/* The configuration; NULL when nobody has read it yet. Does not read it. */
const rp_plugin_config *rp_config_peek(void);

/* The process that read the configuration, which is the one that reports at exit. */
int rp_config_owner_pid(void);

#endif
