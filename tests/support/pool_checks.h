/* SPDX-License-Identifier: Apache-2.0 */
/* What the cmocka tests of the pool share. Each function fails the running test on error. */
#ifndef ROCKPRESS_TESTS_SUPPORT_POOL_CHECKS_H
#define ROCKPRESS_TESTS_SUPPORT_POOL_CHECKS_H

#include <stddef.h>
#include <stdint.h>

#include "rockpress/pool.h"
#include "tests/support/queue_device.h"

/* The device holds the resources of n_lanes lanes, one of each kind for a lane, and no more. */
void assert_alive(queue_device *device, int n_lanes);

/* A pool for inputs of POOL_SAMPLE_MAX_BYTES at effort fast. */
rp_pool *make_pool(const rp_device *device, uint32_t max_lanes, size_t memory_bytes);

/* A lane, which the pool must have. */
rp_lane *acquire(rp_pool *pool);

/* The pool has no lane to give, and says `expected`. */
void assert_no_lane(rp_pool *pool, rp_status expected);

#endif
