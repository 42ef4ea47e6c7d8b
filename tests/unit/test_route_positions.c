/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hook on a device of which every call fails in turn: whichever it is, once or from then on,
 * every ZSTD_compress2() succeeds, every frame decodes to its block, and the counters account for
 * every block and byte. Each run is a process of its own, as a process opens its device once. The
 * hook is linked into this program, so libzstd's public names here are the hook's.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zstd.h>

#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/fault_device.h"
#include "tests/support/sanitizers.h"

/* A process takes some 20 times as long to begin and to end under AddressSanitizer. */
#if TEST_ADDRESS_SANITIZER
#define N_BLOCKS 3
#else
#define N_BLOCKS 12
#endif
#define BLOCK_BYTES 3000
#define MAX_POSITIONS 400

/* What a child exits with. */
enum { SURVIVED = 0, WRONG = 1, NOTHING_FAILED = 2 };

static fault_device device;
static char blocks[N_BLOCKS][BLOCK_BYTES];

static void make_blocks(void)
{
    unsigned seed = 99;
    for (int b = 0; b < N_BLOCKS; b++) {
        for (int i = 0; i < BLOCK_BYTES; i++) {
            seed = seed * 1103515245u + 12345u;
            blocks[b][i] =
                i % 50 < 30 ? "user=0001;state=active;balance="[i % 30] : (char)('0' + seed % 37);
        }
    }
}

static bool configure(fault_plan plan, uint32_t flags, uint32_t breaker_faults)
{
    rp_plugin_config config;
    rp_device *host;
    CHECK(rp_device_open("host", &host) == RP_STATUS_OK);
    fault_device_open(&device, host, flags);
    fault_device_plan(&device, plan);
    rp_plugin_config_default(&config, sizeof(config));
    config.custom_device = &device.device;
    config.goal = RP_GOAL_DEVICE;
    config.log = RP_LOG_OFF;
    config.breaker_faults = breaker_faults;
    config.breaker_retry_ms = 1;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    return true;
}

static bool counters_add_up(uint64_t bytes_out)
{
    uint64_t n_blocks = 0;
    uint64_t in = 0;
    uint64_t out = 0;
    uint64_t fallbacks = 0;
    uint64_t faults = 0;
    for (unsigned i = 0; i < RP_N_ROUTES; i++) {
        n_blocks += rp_stats_value(RP_STAT_BLOCKS, i);
        in += rp_stats_value(RP_STAT_BYTES_IN, i);
        out += rp_stats_value(RP_STAT_BYTES_OUT, i);
    }
    for (unsigned i = 0; i < RP_N_FALLBACK_REASONS; i++)
        fallbacks += rp_stats_value(RP_STAT_FALLBACKS, i);
    for (unsigned i = 0; i < RP_N_FAULTS; i++)
        faults += rp_stats_value(RP_STAT_FAULTS, i);
    CHECK(n_blocks == N_BLOCKS);
    CHECK(in == (uint64_t)N_BLOCKS * BLOCK_BYTES);
    CHECK(out == bytes_out);
    CHECK(fallbacks == rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_CPU));
    CHECK(faults == rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_FAULT));
    CHECK(rp_stats_value(RP_STAT_VERIFIED_BLOCKS, 0) ==
          rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT));
    CHECK(rp_stats_value(RP_STAT_REJECTED_BLOCKS, 0) == 0);
    /* No call of the device fails without a block that says so; one can fail several. */
    CHECK((faults > 0) == (atomic_load(&device.n_failed) > 0));
    CHECK(faults <= atomic_load(&device.n_failed));
    return true;
}

static bool compress_all(void)
{
    char frame[BLOCK_BYTES + 200];
    char decoded[BLOCK_BYTES];
    uint64_t bytes_out = 0;
    ZSTD_CCtx *context = ZSTD_createCCtx();
    CHECK(context != NULL);
    for (int b = 0; b < N_BLOCKS; b++) {
        size_t n = ZSTD_compress2(context, frame, sizeof(frame), blocks[b], BLOCK_BYTES);
        CHECK(!ZSTD_isError(n));
        CHECK(ZSTD_decompress(decoded, sizeof(decoded), frame, n) == BLOCK_BYTES);
        CHECK(memcmp(decoded, blocks[b], BLOCK_BYTES) == 0);
        bytes_out += n;
    }
    ZSTD_freeCCtx(context);
    return counters_add_up(bytes_out);
}

static int run_child(fault_plan plan, uint32_t flags, uint32_t breaker_faults)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!configure(plan, flags, breaker_faults) || !compress_all())
            exit(WRONG);
        exit(atomic_load(&device.n_failed) == 0 ? NOTHING_FAILED : SURVIVED);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return WRONG;
    return WEXITSTATUS(status);
}

/* False if one position was not survived; adds the number of positions. */
static bool run_positions(fault_plan plan, uint32_t flags, uint32_t breaker_faults,
                          uint32_t *n_positions)
{
    for (plan.nth = 1; plan.nth < MAX_POSITIONS; plan.nth++) {
        int result = run_child(plan, flags, breaker_faults);
        if (result == NOTHING_FAILED) {
            *n_positions += plan.nth - 1;
            return true;
        }
        if (result != SURVIVED) {
            printf("%s %u fails%s with %s, flags %u, breaker after %u: exit status %d\n",
                   fault_call_name(plan.call), plan.nth, plan.from_then_on ? " from then on" : "",
                   rp_status_name(plan.status), flags, breaker_faults, result);
            return false;
        }
    }
    printf("more than %d positions\n", MAX_POSITIONS);
    return false;
}

int main(void)
{
    static const rp_status failures[] = {
        RP_STATUS_LAUNCH_FAILED, RP_STATUS_OUT_OF_DEVICE_MEMORY, RP_STATUS_OUT_OF_HOST_MEMORY,
        RP_STATUS_TIMEOUT,       RP_STATUS_DEVICE_FAULT,         RP_STATUS_INTERNAL};
    static const uint32_t ways[] = {0, RP_DEVICE_MAPPED_STAGING, RP_DEVICE_HOST_MEMORY};
    uint32_t n_positions = 0;
    make_blocks();
    for (size_t f = 0; f < sizeof(failures) / sizeof(failures[0]); f++) {
        for (size_t w = 0; w < 3; w++) {
            for (int on = 0; on < 2; on++) {
                fault_plan plan = {FAULT_ANY, 0, on != 0, failures[f]};
                /* The breaker opens at the first fault, and not before the last block. */
                if (!run_positions(plan, ways[w], 1, &n_positions) ||
                    !run_positions(plan, ways[w], 1000, &n_positions))
                    return 1;
            }
        }
    }
    printf("%u positions\n", n_positions);
    /* 12 blocks are at least 4 launches and a wait each. */
    return n_positions >= 6 * 3 * 2 * 2 * N_BLOCKS * 5 ? 0 : 1;
}
