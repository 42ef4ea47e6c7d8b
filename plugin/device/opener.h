/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that opens a GPU. Opening one loads libraries, ours and the driver's, and whoever
 * loads a library takes the dynamic linker's lock. A module's constructor runs under that lock, and
 * may wait for a thread that compresses: if that thread loaded a library, both would wait for ever.
 * So another thread does it, which nobody has to wait for. It ends when the device is open.
 */
#ifndef ROCKPRESS_PLUGIN_DEVICE_OPENER_H
#define ROCKPRESS_PLUGIN_DEVICE_OPENER_H

#include <stdbool.h>

/* How long the thread that wants the device waits for it, and how long the end of the process does.
 * A GPU takes 0.2 to 1 s, and several seconds where the driver has to start first. */
#define RP_OPENER_WAIT_MS 2000u
#define RP_OPENER_EXIT_WAIT_MS 5000u

typedef struct rp_opener {
    void (*open)(const void *argument);
    bool (*is_done)(void); /* any thread */
} rp_opener;

/*
 * Runs opener->open(argument) on a detached thread, which has all signals blocked, and waits until
 * opener->is_done(), but not longer than RP_OPENER_WAIT_MS. Both arguments stay valid for as long
 * as the process lives. Returns 0, or what pthread_create() returned: then open() is not called.
 * Once in a process at a time.
 */
int rp_opener_run(const rp_opener *opener, const void *argument);

#endif
