/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: each message is one line on standard error, in one write, so that lines of several
 * threads don't mix. Messages above the configured level are dropped. Allocates nothing, and leaves
 * errno unchanged, since the program around the plugin does not expect a log.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_LOG_H
#define ROCKPRESS_PLUGIN_CORE_LOG_H

#include "rockpress/plugin.h"

void rp_log_set_level(rp_log_level level);

__attribute__((format(printf, 2, 3))) void rp_log(rp_log_level level, const char *format, ...);

#endif
