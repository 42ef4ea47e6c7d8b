/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch route on a device that works wrongly and says that all is well: it compresses other
 * bytes, leaves work out, or writes where it was done. No wrong frame is handed over, and the
 * device is given up. Each scenario runs in a process of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/stages.h"
#include "plugin/batch/batch.h"
#include "plugin/batch/slab.h"
#include "plugin/core/stats.h"
#include "rockpress/plugin.h"
#include "tests/support/check.h"
#include "tests/support/queue_device.h"
#include "tests/support/sampled_file.h"
#include "tests/support/scenarios.h"

#define N_BLOCKS 300

static queue_device device;
static rp_device_ops ops;
static rp_device tested;
static const rp_route_hint hint = {3, false};

static bool configure(rp_verify_mode verify)
{
    rp_plugin_config config;
    rp_device *runner;

    CHECK(rp_device_open("host", &runner) == RP_STATUS_OK);
    /* TEST_DEVICE_FLAGS: of RP_DEVICE_*; copies there and back without. */
    const char *flags = getenv("TEST_DEVICE_FLAGS");
    queue_device_open(&device, runner, flags == NULL ? 0 : (uint32_t)atoi(flags));
    ops = *device.device.ops;
    tested = device.device;
    tested.ops = &ops;
    rp_plugin_config_default(&config, sizeof(config));
    config.custom_device = &tested;
    config.batch = RP_BATCH_ON;
    config.goal = RP_GOAL_DEVICE;
    config.effort = RP_EFFORT_FAST;
    config.verify = verify;
    config.log = RP_LOG_OFF;
    config.batch_lanes = 3;
    config.batch_chunk_bytes = 512 << 10;
    config.max_block_bytes = 64 << 10;
    CHECK(rp_plugin_configure(&config, NULL) == RP_STATUS_OK);
    return true;
}

/* How many blocks of the file have a frame, from any route of the device. */
static size_t ask_for_all(const sampled_file *file)
{
    size_t n = 0;

    for (size_t i = 0; i < file->n_blocks; i++)
        n += sampled_file_ask(file, i, 3, false) == RP_FALLBACK_NONE;
    return n;
}

/* The first block finds the device out, and no other goes there. */
static bool is_given_up(const sampled_file *file, rp_fault fault)
{
    uint64_t before = rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH);

    CHECK(sampled_file_begin(file, &hint) != 0);
    CHECK(sampled_file_ask(file, 0, 3, false) == RP_FALLBACK_FAULT);
    CHECK(rp_stats_value(RP_STAT_FAULTS, fault) == 1);
    CHECK(ask_for_all(file) == 0 && rp_stats_value(RP_STAT_DEVICE_ACTIVE, 0) == 0);
    CHECK(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH) == before);
    return true;
}

/* Slabs of blocks: their frames are good ones, of other bytes. */
static rp_status copy_of_other_bytes(rp_stream stream, void *destination, const void *source,
                                     size_t bytes, rp_copy_kind kind)
{
    if (kind == RP_COPY_HOST_TO_DEVICE && bytes > 100000)
        return device.device.ops->copy_async(stream, (uint8_t *)destination + 64, source,
                                             bytes - 64, kind);
    return device.device.ops->copy_async(stream, destination, source, bytes, kind);
}

static bool wrong_bytes_are_never_handed_over(void)
{
    sampled_file file;

    CHECK(configure(RP_VERIFY_DEVICE));
    ops.copy_async = copy_of_other_bytes;
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 6);
    CHECK(is_given_up(&file, RP_FAULT_VERIFY));
    sampled_file_free(&file);
    return true;
}

static uint32_t left_out; /* bits of rp_stage */

static rp_status leaving_out(rp_stream stream, const struct rp_launch *launch)
{
    return (left_out >> launch->stage & 1) != 0 ? RP_STATUS_OK
                                                : device.device.ops->launch(stream, launch);
}

static rp_status without_downloads(rp_stream stream, void *destination, const void *source,
                                   size_t bytes, rp_copy_kind kind)
{
    return kind == RP_COPY_DEVICE_TO_HOST
               ? RP_STATUS_OK
               : device.device.ops->copy_async(stream, destination, source, bytes, kind);
}

/* What an earlier file has left in the lane looks like results, and nothing proves them here. */
static bool results_of_an_earlier_file(int leaves_out_downloads)
{
    sampled_file files[2];

    CHECK(configure(RP_VERIFY_OFF));
    for (size_t f = 0; f < 2; f++)
        sampled_file_make(&files[f], N_BLOCKS, 4096, 0, 10 + f);
    CHECK(sampled_file_begin(&files[0], &hint) != 0 && ask_for_all(&files[0]) == N_BLOCKS);
    ops.launch = leaving_out;
    if (leaves_out_downloads)
        ops.copy_async = without_downloads;
    CHECK(is_given_up(&files[1], RP_FAULT_VERIFY));
    for (size_t f = 0; f < 2; f++)
        sampled_file_free(&files[f]);
    return true;
}

static bool launches_are_left_out(void)
{
    left_out = UINT32_MAX;
    CHECK(run_in_child(results_of_an_earlier_file, false, 60) == 0);
    left_out = 1u << RP_STAGE_FRAME_ASSEMBLER;
    return run_in_child(results_of_an_earlier_file, false, 60) == 0;
}

/* With RP_DEVICE_MAPPED_STAGING there are none. */
static bool downloads_are_left_out(void)
{
    left_out = 0;
    return getenv("TEST_DEVICE_FLAGS") != NULL ||
           run_in_child(results_of_an_earlier_file, true, 60) == 0;
}

/* Something overwrites an intermediate result, and the next kernel finds it impossible. */
static rp_status overwriting(rp_stream stream, const struct rp_launch *launch)
{
    static uint8_t garbage[sizeof(rp_zstd_block)];
    rp_status status = RP_STATUS_OK;

    memset(garbage, 0xFF, sizeof(garbage));
    if (launch->stage == RP_STAGE_FRAME_ASSEMBLER)
        status = device.device.ops->copy_async(stream, launch->args.buffers.d_zstd_blocks, garbage,
                                               sizeof(garbage), RP_COPY_HOST_TO_DEVICE);
    return status == RP_STATUS_OK ? device.device.ops->launch(stream, launch) : status;
}

static bool a_kernel_refuses_its_data(void)
{
    sampled_file file;

    CHECK(configure(RP_VERIFY_OFF));
    sampled_file_make(&file, N_BLOCKS, 4096, 0, 12);
    ops.launch = overwriting;
    CHECK(is_given_up(&file, RP_FAULT_INTERNAL));
    sampled_file_free(&file);
    return true;
}

/* It said that it was done, and slabs went back. */
static bool a_device_that_writes_to_free_slabs(void)
{
    void *slabs[3];

    CHECK(configure(RP_VERIFY_DEVICE));
    rp_batch_slabs_setup(&tested, 4096, 3 * 4096);
    for (int i = 0; i < 3; i++)
        CHECK((slabs[i] = rp_batch_slab_take(i > 0)) != NULL);
    for (int i = 0; i < 3; i++) {
        rp_batch_slab_give(slabs[i], i > 0);
        memset(slabs[i], 0xEE, 4096);
    }
    for (int i = 0; i < 3; i++) {
        void *again = rp_batch_slab_take(i > 0);
        CHECK(again == slabs[0] || again == slabs[1] || again == slabs[2]);
        memset(again, 0x11, 4096);
    }
    CHECK(rp_batch_slab_take(true) == NULL);
    return true;
}

int main(void)
{
    const scenario scenarios[] = {
        SCENARIO(wrong_bytes_are_never_handed_over),
        SCENARIO(launches_are_left_out),
        SCENARIO(downloads_are_left_out),
        SCENARIO(a_kernel_refuses_its_data),
        SCENARIO(a_device_that_writes_to_free_slabs),
    };

    return RUN_SCENARIOS(scenarios, 120);
}
