/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of the plugin's own, for calls of a driver that nobody should have to wait for. They are
 * detached, have all signals blocked, since the program's signals are for its own threads, and keep
 * the code that they run loaded.
 */
#ifndef ROCKPRESS_PLUGIN_DEVICE_HELPER_THREAD_H
#define ROCKPRESS_PLUGIN_DEVICE_HELPER_THREAD_H

/* Runs run() on a new thread, as a call that the hook does not look at (core/nesting.h). Returns 0,
 * or what pthread_create() returned: then run() is not called. Any thread. */
int rp_helper_thread_start(void (*run)(void));

#endif
