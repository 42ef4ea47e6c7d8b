/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of the plugin's own that call the device for batches. Each serves one lane at a time: it
 * launches what was written down for the lane, waits for the device, and settles the chunk. So a
 * call of a driver that does not return has such a thread, and none of RocksDB's: those wait for a
 * chunk for a limited time.
 *
 * A thread is started when a lane waits for one and none is idle, and ends when it had nothing to
 * do for a while. There are no more of them than lanes. Where none is there and the system has no
 * thread, the caller calls the device itself. While the process ends, none calls the device that
 * had not begun before.
 *
 * Thread rule: all but the setup under rp_batch_lock, which they release for a while.
 */
#ifndef ROCKPRESS_PLUGIN_BATCH_SERVICE_H
#define ROCKPRESS_PLUGIN_BATCH_SERVICE_H

#include <stdbool.h>

#include "rockpress/plugin.h"

struct rp_batch_lane;

/* Once, before any other function below. They are there with ROCKPRESS_SHARED_LAUNCHES=served. On
 * the host's CPU, where the caller is what compresses, they never are, nor where the system
 * refuses.
 */
void rp_batch_service_setup(const rp_plugin_config *config, const rp_device *device);

/* Whether they are there. */
bool rp_batch_service_is_on(void);

/* Whether they are, and the driver hangs: no chunk should be given to it. */
bool rp_batch_service_is_stuck(void);

/* The lane's launch is made by a thread that serves, which then attends to the lane. Or, where the
 * system has no thread, it is made by this one, and attended to by those who wait. False: there is
 * no service, and the caller launches. */
bool rp_batch_service_launch(struct rp_batch_lane *lane);

/* Has a thread that serves ask the device about lanes whose work did not end in time, if there are
 * any, or with_slabs, if one of them keeps slabs from others. False: the caller has to. */
bool rp_batch_service_look(bool with_slabs);

#endif
