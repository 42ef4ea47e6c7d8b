/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router's first decisions under the zstd hook, where blocks are really compressed and timed:
 * those that do not depend on how long anything takes. Each scenario runs in a process of its own.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "plugin/core/balance.h"
#include "plugin/core/costs.h"
#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/scenarios.h"

#define BLOCK_BYTES 4096u

static bool configure(const char *device, rp_goal goal)
{
    rp_plugin_config config;

    rp_plugin_config_default(&config, sizeof(config));
    snprintf(config.device, sizeof(config.device), "%s", device);
    config.goal = goal;
    config.log = RP_LOG_OFF;
    config.timeout_ms = 60000;
    return rp_plugin_configure(&config, NULL) == RP_STATUS_OK;
}

/* As a table builder does, one context for all. */
static bool compress(unsigned n)
{
    char block[BLOCK_BYTES], frame[2 * BLOCK_BYTES], decoded[BLOCK_BYTES];
    ZSTD_CCtx *cctx = ZSTD_createCCtx();

    ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, 3);
    for (unsigned i = 0; i < n; i++) {
        size_t size;
        for (size_t b = 0; b < sizeof(block); b++)
            block[b] = (char)('a' + (b * b + i) % 13);
        size = ZSTD_compress2(cctx, frame, sizeof(frame), block, sizeof(block));
        CHECK(ZSTD_decompress(decoded, sizeof(decoded), frame, size) == sizeof(block));
        CHECK(memcmp(decoded, block, sizeof(block)) == 0);
    }
    ZSTD_freeCCtx(cctx);
    return true;
}

static rp_price price_of(rp_route route)
{
    return rp_costs_price(rp_costs_cell(RP_EFFORT_DEFAULT, BLOCK_BYTES), route);
}

static bool counts_are(uint64_t cpu, uint64_t direct)
{
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_CPU) == cpu);
    CHECK(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_ROUTER) == cpu);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == direct);
    CHECK(rp_stats_value(RP_STAT_ROUTER_PROBES, 0) == direct);
    return true;
}

static bool libzstd_has_three_blocks_and_the_device_the_next(void)
{
    CHECK(configure("host", RP_GOAL_AUTO));
    CHECK(compress(3) && counts_are(3, 0));
    CHECK(price_of(RP_ROUTE_CPU).wall != 0 && price_of(RP_ROUTE_CPU).cpu != 0);
    CHECK(rp_balance_ns() == 0);
    CHECK(compress(3) && counts_are(3, 3));
    CHECK(price_of(RP_ROUTE_DIRECT).wall != 0 && price_of(RP_ROUTE_DIRECT).cpu != 0);
    CHECK(rp_balance_ns() != 0);
    return true;
}

static rp_device sleepy;
static rp_device_ops ops;
static const rp_device *host;

static rp_status wait_asleep(rp_stream stream, uint32_t timeout_us)
{
    usleep(20000);
    return host->ops->wait(stream, timeout_us);
}

/* The device's time is not the CPU's. */
static bool a_thread_that_sleeps_costs_no_cpu_time(void)
{
    rp_plugin_config config;
    rp_device *opened;
    rp_price price;

    CHECK(rp_device_open("host", &opened) == RP_STATUS_OK);
    host = opened;
    sleepy = *host;
    ops = *host->ops;
    ops.wait = wait_asleep;
    sleepy.ops = &ops;
    rp_plugin_config_default(&config, sizeof(config));
    config.custom_device = &sleepy;
    config.log = RP_LOG_OFF;
    config.timeout_ms = 60000;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    CHECK(compress(6) && counts_are(3, 3));
    price = price_of(RP_ROUTE_DIRECT);
    CHECK(price.wall >= UINT64_C(20000000) * 1000 / BLOCK_BYTES);
    CHECK(price.cpu != 0 && price.cpu < price.wall / 2);
    return true;
}

static void *compress_on_thread(void *good)
{
    *(bool *)good = compress(200);
    return NULL;
}

/* All of them share what is known of costs, and each has a balance of its own. */
static bool threads_share_costs(void)
{
    pthread_t threads[4];
    bool good[4] = {false};

    CHECK(configure("host", RP_GOAL_AUTO));
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, compress_on_thread, &good[i]) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0 && good[i]);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) >= 1);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) +
              rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_CPU) ==
          4 * 200);
    /* This thread had no block. */
    CHECK(rp_balance_ns() == 0);
    return true;
}

static bool nothing_is_measured_without_a_choice(void)
{
    CHECK(configure("host", RP_GOAL_DEVICE));
    CHECK(compress(100));
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT) == 100);
    CHECK(price_of(RP_ROUTE_DIRECT).wall == 0 && price_of(RP_ROUTE_CPU).wall == 0);
    return true;
}

static bool nothing_is_measured_without_a_device(void)
{
    CHECK(configure("off", RP_GOAL_AUTO));
    CHECK(compress(100));
    CHECK(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_DEVICE) == 100);
    CHECK(price_of(RP_ROUTE_CPU).wall == 0 && rp_stats_value(RP_STAT_ROUTER_PROBES, 0) == 0);
    return true;
}

static const scenario scenarios[] = {
    SCENARIO(libzstd_has_three_blocks_and_the_device_the_next),
    SCENARIO(a_thread_that_sleeps_costs_no_cpu_time),
    SCENARIO(threads_share_costs),
    SCENARIO(nothing_is_measured_without_a_choice),
    SCENARIO(nothing_is_measured_without_a_device),
};

int main(void)
{
    return RUN_SCENARIOS(scenarios, 0);
}
