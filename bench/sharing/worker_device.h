/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device whose work costs the threads that ask nothing: copies and launches are appended to the
 * stream's list, and a thread of the stream does them with the host's kernels. A wait sleeps until
 * they are done. So what is left on the threads that ask is rockpress's own part, without a
 * driver's.
 */
#ifndef ROCKPRESS_BENCH_SHARING_WORKER_DEVICE_H
#define ROCKPRESS_BENCH_SHARING_WORKER_DEVICE_H

#include "rockpress/device.h"

/* One for the process; NULL without memory. It is never closed. */
const rp_device *worker_device_open(void);

#endif
