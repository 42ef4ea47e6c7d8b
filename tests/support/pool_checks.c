/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/pool_checks.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/support/pool_sample.h"

void assert_alive(queue_device *device, int n_lanes)
{
    assert_int_equal(atomic_load(&device->n_streams), n_lanes);
    assert_int_equal(atomic_load(&device->n_memory), n_lanes);
    assert_int_equal(atomic_load(&device->n_staging), n_lanes);
}

rp_pool *make_pool(const rp_device *device, uint32_t max_lanes, size_t memory_bytes)
{
    rp_pool_options options = {sizeof(rp_pool_options), max_lanes,
                               POOL_SAMPLE_MAX_BYTES,   memory_bytes,
                               RP_EFFORT_FAST,          NULL};
    rp_pool *pool = NULL;
    assert_int_equal(rp_pool_create(device, &options, &pool), RP_STATUS_OK);
    assert_non_null(pool);
    return pool;
}

rp_lane *acquire(rp_pool *pool)
{
    rp_lane *lane = NULL;
    assert_int_equal(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
    assert_non_null(lane);
    return lane;
}

void assert_no_lane(rp_pool *pool, rp_status expected)
{
    rp_lane *lane = (rp_lane *)(void *)&expected;
    assert_int_equal(rp_pool_acquire(pool, &lane), expected);
    assert_null(lane);
}
