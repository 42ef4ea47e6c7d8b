/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: each message is one line, in one write, so that lines of several threads don't mix.
 * It goes to standard error, if that is still what it was when this library was loaded
 * (core/standard_error.h), to a file or to syslog. Messages above the configured level are dropped,
 * and so is a line that nobody takes at once: RocksDB's threads wait for no reader of a log.
 * Allocates nothing (syslog apart), and leaves errno unchanged, since the program around the plugin
 * does not expect a log.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_LOG_H
#define ROCKPRESS_PLUGIN_CORE_LOG_H

#include "rockpress/plugin.h"

void rp_log_set_level(rp_log_level level);

/* "": standard error; "syslog"; else the file that lines are appended to, opened for each line. The
 * text is the caller's, and stays for as long as the process lives. */
void rp_log_set_file(const char *path);

__attribute__((format(printf, 2, 3))) void rp_log(rp_log_level level, const char *format, ...);

#endif
