/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device whose calls do not keep the threads that compress. A call of a driver may take seconds,
 * or never return: while another process pins much memory, or after a fault of the machine.
 *
 *   - What makes or frees memory and streams runs on a thread of its own, one call after the other.
 *     Who asked waits for a limited time, then gets RP_STATUS_TIMEOUT. What the call made after
 * that is kept for the next one who asks for the same.
 *   - Copies, launches and waits run on the thread that calls: another thread for each would cost
 *     as much as the call. Nothing can end a call that hangs there. But the others notice it. With
 *     RP_SHARING_SERVED the threads that call are the plugin's own.
 *   - While a call of either kind is overdue, no other one is begun: each is RP_STATUS_TIMEOUT at
 *     once. So a driver that hangs has the threads that were inside, and gets no more of them. When
 *     it returns after all, the device is used again.
 */
#ifndef ROCKPRESS_PLUGIN_DEVICE_BOUNDED_DEVICE_H
#define ROCKPRESS_PLUGIN_DEVICE_BOUNDED_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "rockpress/device.h"

/* The device with bounded calls; its name and flags are those of `inner`, which is never closed.
 * NULL when the system refuses. Once in a process. */
const rp_device *rp_bounded_device(const rp_device *inner, uint32_t timeout_ms);

/* Whether a call for a stream is overdue. For threads that would wait for another one's calls.
 * Costs a look at the clock. */
bool rp_bounded_device_is_overdue(void);

#endif
