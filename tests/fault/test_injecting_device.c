/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each kind of fault really happens, where and as often as its plan says, on each device that a
 * plan can stand on. Blocks are compressed through the engine's lanes, and what comes of it is
 * compared with what the host makes of them without faults.
 */
#include "tests/support/cases.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rockpress/batched.h"
#include "rockpress/pool.h"
#include "tests/fault/injecting_device.h"
#include "tests/fault/threaded_device.h"

#define N_BLOCKS ((size_t)6)
#define BLOCK_BYTES ((size_t)5000)
#define FRAME_ROOM (BLOCK_BYTES + 200)
#define WAIT_US 60000000u

static uint8_t blocks[N_BLOCKS][BLOCK_BYTES];
static uint8_t expected[N_BLOCKS][FRAME_ROOM];
static size_t expected_bytes[N_BLOCKS];
static uint8_t frames[N_BLOCKS][FRAME_ROOM];
static size_t frame_bytes[N_BLOCKS];
static rp_status statuses[N_BLOCKS];
static rp_status batch_status;

/* Opened for each plan. */
static injecting_device device;
static threaded_device threaded;
static rp_device *host;
static rp_pool *pool;
static rp_lane *lane;

static void open_plan(const char *text, const char *underneath)
{
    char name[MAX_FAULT_NAME_BYTES];
    injection_plan plan;
    plan_error error;
    rp_device *inner = host;
    const rp_pool_options options = {.struct_size = sizeof(options),
                                     .max_lanes = 1,
                                     .max_input_bytes = 64 << 10,
                                     .effort = RP_EFFORT_DEFAULT};
    snprintf(name, sizeof(name), "fault:11:%s:%s", text, underneath);
    if (!injection_plan_parse(name, &plan, &error))
        fail_msg("%s: %s", name, error.message);
    if (strcmp(underneath, "host") != 0) {
        bool is_mapped = strcmp(underneath, "mapped") == 0;
        threaded_device_open(&threaded, host,
                             is_mapped ? RP_DEVICE_MAPPED_STAGING | RP_DEVICE_FUSED_LAUNCH : 0);
        inner = &threaded.device;
    }
    injecting_device_open(&device, inner, &plan);
    assert_int_equal(rp_pool_create(&device.device, &options, &pool), RP_STATUS_OK);
    lane = NULL;
}

static void close_plan(void)
{
    if (lane != NULL)
        rp_pool_release(pool, lane);
    rp_pool_destroy(pool);
    if (device.inner == &threaded.device)
        rp_device_close(&threaded.device);
}

static rp_status take_lane(void)
{
    return lane != NULL ? RP_STATUS_OK : rp_pool_acquire(pool, &lane);
}

static rp_status compress(size_t i)
{
    rp_status status = take_lane();
    frame_bytes[i] = 0;
    memset(frames[i], 0, FRAME_ROOM);
    if (status == RP_STATUS_OK)
        status = rp_lane_compress(lane, blocks[i], BLOCK_BYTES, frames[i], FRAME_ROOM,
                                  &frame_bytes[i], NULL, WAIT_US);
    return status;
}

static void compress_batch(void)
{
    const void *inputs[N_BLOCKS];
    void *outputs[N_BLOCKS];
    size_t sizes[N_BLOCKS], capacities[N_BLOCKS];
    rp_host_batch batch = RP_HOST_BATCH_INIT;
    for (size_t i = 0; i < N_BLOCKS; i++) {
        inputs[i] = blocks[i];
        outputs[i] = frames[i];
        sizes[i] = BLOCK_BYTES;
        capacities[i] = FRAME_ROOM;
        memset(frames[i], 0, FRAME_ROOM);
    }
    batch.inputs = inputs;
    batch.input_sizes = sizes;
    batch.n_inputs = N_BLOCKS;
    batch.outputs = outputs;
    batch.output_capacities = capacities;
    batch.output_sizes = frame_bytes;
    batch.statuses = statuses;
    batch_status = take_lane();
    if (batch_status == RP_STATUS_OK)
        batch_status = rp_lane_compress_batch(lane, &batch, NULL, WAIT_US);
}

static bool is_right(size_t i)
{
    return frame_bytes[i] == expected_bytes[i] &&
           memcmp(frames[i], expected[i], expected_bytes[i]) == 0;
}

/* In how many bits two buffers differ. */
static unsigned n_different_bits(const uint8_t *a, const uint8_t *b, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (unsigned)__builtin_popcount(a[i] ^ b[i]);
    return sum;
}

static const char *const all_devices[] = {"host", "copied", "mapped"};
#define N_DEVICES (sizeof(all_devices) / sizeof(all_devices[0]))

static void test_nothing(void **state)
{
    (void)state;
    for (size_t d = 0; d < N_DEVICES; d++) {
        open_plan("none", all_devices[d]);
        for (size_t i = 0; i < N_BLOCKS; i++) {
            assert_int_equal(compress(i), RP_STATUS_OK);
            assert_true(is_right(i));
        }
        compress_batch();
        for (size_t i = 0; i < N_BLOCKS; i++)
            assert_true(is_right(i));
        assert_int_equal(injecting_device_n_made(&device), 0);
        close_plan();
    }
}

static void test_fail(void **state)
{
    (void)state;
    open_plan("fail@wait=timeout+1x2", "host");
    assert_int_equal(compress(0), RP_STATUS_OK);
    assert_int_equal(compress(0), RP_STATUS_TIMEOUT);
    assert_int_equal(compress(0), RP_STATUS_TIMEOUT);
    assert_int_equal(compress(0), RP_STATUS_OK);
    assert_int_equal(injecting_device_n_made(&device), 2);
    close_plan();
    open_plan("fail@launch=internal%100", "mapped");
    for (int i = 0; i < 5; i++)
        assert_int_equal(compress(0), RP_STATUS_INTERNAL);
    assert_int_equal(injecting_device_n_made(&device), 5);
    close_plan();
}

static void test_out_of_memory(void **state)
{
    (void)state;
    open_plan("oom@memory_alloc", "copied");
    assert_int_equal(take_lane(), RP_STATUS_OUT_OF_DEVICE_MEMORY);
    assert_int_equal(take_lane(), RP_STATUS_OK);
    close_plan();
    open_plan("oom@staging_alloc", "copied");
    assert_int_equal(take_lane(), RP_STATUS_OUT_OF_HOST_MEMORY);
    close_plan();
    /* Of any call, those that ask for memory only. */
    open_plan("oom+1", "copied");
    assert_int_equal(take_lane(), RP_STATUS_OUT_OF_HOST_MEMORY);
    assert_int_equal(injecting_device_n_made(&device), 1);
    close_plan();
}

static void test_lose(void **state)
{
    (void)state;
    open_plan("lose@launch+4", "host");
    assert_int_equal(compress(0), RP_STATUS_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(compress(0), RP_STATUS_DEVICE_FAULT);
    void *memory;
    assert_int_equal(device.device.ops->memory_alloc(&device.device, 100, &memory),
                     RP_STATUS_DEVICE_FAULT);
    assert_int_equal(injecting_device_n_made(&device), 1);
    close_plan();
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_delay(void **state)
{
    (void)state;
    open_plan("delay@wait=100000", "host");
    double begin = seconds();
    assert_int_equal(compress(0), RP_STATUS_OK);
    assert_true(seconds() - begin >= 0.1);
    assert_true(is_right(0));
    close_plan();
}

/* In a child: who hangs is ended by a signal. */
static void test_hang(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        open_plan("hang@launch+4", "host");
        (void)compress(0);
        alarm(1);
        (void)compress(0);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGALRM);
}

/* The device says OK, and the memory is as it was. */
static void test_drop_copy(void **state)
{
    (void)state;
    uint8_t from[64], to[64], before[64];
    rp_stream stream;
    open_plan("drop@copy+1", "host");
    memset(from, 1, sizeof(from));
    memset(before, 2, sizeof(before));
    memcpy(to, before, sizeof(to));
    assert_int_equal(rp_stream_create(&device.device, &stream), RP_STATUS_OK);
    for (int i = 0; i < 2; i++) {
        memcpy(to, before, sizeof(to));
        assert_int_equal(
            device.device.ops->copy_async(stream, to, from, sizeof(to), RP_COPY_HOST_TO_DEVICE),
            RP_STATUS_OK);
        assert_memory_equal(to, i == 0 ? from : before, sizeof(to));
    }
    rp_stream_destroy(stream);
    close_plan();
}

/* The frame of the block before, or none; the status is what the memory had. */
static void test_drop_launch(void **state)
{
    (void)state;
    open_plan("drop@launch+4%100", "host");
    assert_int_equal(compress(0), RP_STATUS_OK);
    (void)compress(1);
    assert_false(is_right(1));
    assert_int_equal(injecting_device_n_made(&device), 4);
    close_plan();
}

static void test_drop_wait(void **state)
{
    (void)state;
    rp_stream stream;
    open_plan("drop@wait,delay@copy=1", "copied");
    const rp_device_ops *ops = device.device.ops;
    const size_t n_bytes = (size_t)64 << 20;
    uint8_t *from = calloc(1, n_bytes);
    void *to;
    assert_non_null(from);
    assert_int_equal(ops->memory_alloc(&device.device, n_bytes, &to), RP_STATUS_OK);
    memset(to, 7, n_bytes);
    assert_int_equal(rp_stream_create(&device.device, &stream), RP_STATUS_OK);
    assert_int_equal(ops->copy_async(stream, to, from, n_bytes, RP_COPY_HOST_TO_DEVICE),
                     RP_STATUS_OK);
    /* It was not waited for: a wait that only asks finds the copy under way. */
    assert_int_equal(ops->wait(stream, WAIT_US), RP_STATUS_OK);
    assert_int_equal(injecting_device_n_made(&device), 2);
    assert_int_equal(ops->wait(stream, 0), RP_STATUS_TIMEOUT);
    assert_int_equal(ops->wait(stream, WAIT_US), RP_STATUS_OK);
    assert_memory_equal(to, from, n_bytes);
    rp_stream_destroy(stream);
    free(from);
    ops->memory_free(&device.device, to);
    close_plan();
}

/* What was never written is no address. Whoever copies from there or to there loses the device, and
 * crashes nothing. */
static void test_addresses_that_are_none(void **state)
{
    (void)state;
    static const rp_copy_kind kinds[] = {RP_COPY_HOST_TO_DEVICE, RP_COPY_DEVICE_TO_HOST,
                                         RP_COPY_DEVICE_TO_DEVICE, RP_COPY_DEVICE_TO_DEVICE};
    for (size_t k = 0; k < 4; k++) {
        uint8_t of_host[64] = {0};
        void *nowhere, *there;
        rp_stream stream;
        open_plan("none", "copied");
        const rp_device_ops *ops = device.device.ops;
        memset(&nowhere, 0xA5, sizeof(nowhere));
        assert_int_equal(ops->memory_alloc(&device.device, 64, &there), RP_STATUS_OK);
        assert_int_equal(rp_stream_create(&device.device, &stream), RP_STATUS_OK);
        void *to = k == 0 || k == 3 ? nowhere : k == 1 ? of_host : there;
        const void *from = k == 1 || k == 2 ? nowhere : k == 0 ? of_host : there;
        assert_int_equal(ops->copy_async(stream, to, from, 64, kinds[k]), RP_STATUS_OK);
        assert_int_equal(ops->wait(stream, WAIT_US), RP_STATUS_DEVICE_FAULT);
        rp_stream_destroy(stream);
        ops->memory_free(&device.device, there);
        close_plan();
    }
}

/* Exactly as many bits of a frame as the plan says, and nothing else. Half of the times they are
 * close together, where the same bit could be drawn twice. */
static void test_flip_frame(void **state)
{
    (void)state;
    static const unsigned n_bits[] = {1, 2, 7, 64};
    for (size_t d = 0; d < N_DEVICES; d++) {
        for (size_t b = 0; b < sizeof(n_bits) / sizeof(n_bits[0]); b++) {
            char text[64];
            snprintf(text, sizeof(text), "flip@frame=%ux8", n_bits[b]);
            open_plan(text, all_devices[d]);
            for (int round = 0; round < 8; round++) {
                (void)compress(2);
                assert_int_equal(frame_bytes[2], expected_bytes[2]);
                assert_int_equal(n_different_bits(frames[2], expected[2], expected_bytes[2]),
                                 n_bits[b]);
            }
            assert_int_equal(injecting_device_n_made(&device), 8);
            (void)compress(2);
            assert_true(is_right(2));
            close_plan();
        }
    }
}

/* Of a batch, one. */
static void test_flip_frame_of_batch(void **state)
{
    (void)state;
    for (size_t d = 0; d < N_DEVICES; d++) {
        open_plan("flip@frame=3", all_devices[d]);
        compress_batch();
        unsigned n_bits = 0;
        for (size_t i = 0; i < N_BLOCKS; i++) {
            assert_int_equal(frame_bytes[i], expected_bytes[i]);
            n_bits += n_different_bits(frames[i], expected[i], expected_bytes[i]);
        }
        assert_int_equal(n_bits, 3);
        close_plan();
    }
}

/* What arrives is wrong, wherever it was right on the device. */
static void test_flip_delivered(void **state)
{
    (void)state;
    for (size_t d = 0; d < N_DEVICES; d++) {
        unsigned n_wrong = 0;
        open_plan("flip@delivered=8%100", all_devices[d]);
        for (int round = 0; round < 20; round++)
            n_wrong += compress(1) != RP_STATUS_OK || !is_right(1);
        assert_int_equal(injecting_device_n_made(&device), 20);
        /* A copy has room behind the frame, where nobody looks. */
        assert_in_range(n_wrong, strcmp(all_devices[d], "copied") == 0 ? 5 : 15, 20);
        close_plan();
    }
}

/* A frame of another input: the caller's own is untouched. */
static void test_flip_input(void **state)
{
    (void)state;
    uint8_t before[BLOCK_BYTES];
    memcpy(before, blocks[3], BLOCK_BYTES);
    for (size_t d = 0; d < N_DEVICES; d++) {
        open_plan("flip@input=5", all_devices[d]);
        assert_int_equal(compress(3), RP_STATUS_OK);
        assert_false(is_right(3));
        assert_int_equal(injecting_device_n_made(&device), 1);
        assert_int_equal(compress(3), RP_STATUS_OK);
        assert_true(is_right(3));
        close_plan();
        open_plan("flip@input=5", all_devices[d]);
        compress_batch();
        unsigned n_wrong = 0;
        for (size_t i = 0; i < N_BLOCKS; i++)
            n_wrong += !is_right(i);
        assert_int_equal(n_wrong, 1);
        close_plan();
        assert_memory_equal(blocks[3], before, BLOCK_BYTES);
    }
}

/* Some flips of what one stage leaves change the frame. */
static void test_flip_workspace(void **state)
{
    (void)state;
    static const char *const devices[] = {"host", "copied"};
    for (size_t d = 0; d < 2; d++) {
        open_plan("flip@workspace+2%100", devices[d]);
        unsigned n_wrong = 0;
        for (int round = 0; round < 10; round++) {
            /* Behind the last of three stages that have a result in the workspace. */
            for (uint32_t i = 0; i < 2; i++)
                device.n_seen[0] = 0;
            n_wrong += compress(4) != RP_STATUS_OK || !is_right(4);
        }
        assert_int_equal(injecting_device_n_made(&device), 10);
        assert_in_range(n_wrong, 3, 10);
        close_plan();
    }
}

static void test_flip_size_and_status(void **state)
{
    (void)state;
    for (size_t d = 0; d < N_DEVICES; d++) {
        open_plan("flip@size=1", all_devices[d]);
        rp_status status = compress(0);
        assert_int_not_equal(frame_bytes[0], expected_bytes[0]);
        /* One bit, or an answer that lanes with memory of their own refuse. */
        if (status == RP_STATUS_OK)
            assert_int_equal(__builtin_popcountll(frame_bytes[0] ^ expected_bytes[0]), 1);
        close_plan();
        open_plan("flip@status=1", all_devices[d]);
        assert_int_not_equal(compress(0), RP_STATUS_OK);
        assert_int_equal(compress(0), RP_STATUS_OK);
        close_plan();
    }
}

static void test_size(void **state)
{
    (void)state;
    for (size_t d = 0; d < N_DEVICES; d++) {
        open_plan("size=17", all_devices[d]);
        assert_int_equal(compress(0), RP_STATUS_OK);
        assert_int_equal(frame_bytes[0], 17);
        close_plan();
        open_plan("size%100", all_devices[d]);
        for (int i = 0; i < 20; i++) {
            (void)compress(0);
            assert_false(is_right(0));
        }
        assert_int_equal(injecting_device_n_made(&device), 20);
        close_plan();
    }
}

static void test_swap(void **state)
{
    (void)state;
    for (size_t d = 0; d < N_DEVICES; d++) {
        open_plan("swap", all_devices[d]);
        /* There are none to swap. */
        assert_int_equal(compress(0), RP_STATUS_OK);
        assert_int_equal(injecting_device_n_made(&device), 0);
        compress_batch();
        assert_int_equal(injecting_device_n_made(&device), 1);
        size_t wrong[N_BLOCKS], n = 0;
        for (size_t i = 0; i < N_BLOCKS; i++) {
            if (!is_right(i))
                wrong[n++] = i;
        }
        assert_int_equal(n, 2);
        assert_int_equal(frame_bytes[wrong[0]], expected_bytes[wrong[1]]);
        assert_memory_equal(frames[wrong[0]], expected[wrong[1]], expected_bytes[wrong[1]]);
        close_plan();
    }
}

/* The same plan and calls: the same faults. */
static void test_repeated(void **state)
{
    (void)state;
    uint8_t first[N_BLOCKS][FRAME_ROOM];
    for (int round = 0; round < 2; round++) {
        open_plan("flip@frame=2%50", "mapped");
        for (size_t i = 0; i < N_BLOCKS; i++)
            (void)compress(i);
        assert_in_range(injecting_device_n_made(&device), 1, N_BLOCKS - 1);
        close_plan();
        if (round == 0)
            memcpy(first, frames, sizeof(first));
    }
    assert_memory_equal(first, frames, sizeof(first));
}

static void test_report(void **state)
{
    (void)state;
    char text[1024] = "";
    open_plan("drop@launch+4x2,flip@frame", "host");
    (void)compress(0);
    (void)compress(0);
    FILE *file = fmemopen(text, sizeof(text), "w");
    assert_non_null(file);
    injecting_device_report(&device, file);
    fclose(file);
    assert_non_null(strstr(text, "launch 8\n"));
    assert_non_null(strstr(text, "wait 2\n"));
    assert_non_null(strstr(text, "injection drop@launch+4x2%100.0000 2 of 8\n"));
    assert_non_null(strstr(text, "injection flip@frame=1x1%100.0000 1 of 2\n"));
    assert_non_null(strstr(text, "made 3\n"));
    close_plan();
}

static int make_expected(void **state)
{
    (void)state;
    if (rp_device_open("host", &host) != RP_STATUS_OK)
        return 1;
    for (size_t i = 0; i < N_BLOCKS; i++) {
        for (size_t k = 0; k < BLOCK_BYTES; k++)
            blocks[i][k] =
                (uint8_t)("the quick brown fox, "[k * (i + 1) % 21] + plan_mix(i, k / 9) % 3);
    }
    open_plan("none", "host");
    for (size_t i = 0; i < N_BLOCKS; i++) {
        if (compress(i) != RP_STATUS_OK)
            return 1;
        memcpy(expected[i], frames[i], FRAME_ROOM);
        expected_bytes[i] = frame_bytes[i];
    }
    close_plan();
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),        cmocka_unit_test(test_fail),
        cmocka_unit_test(test_out_of_memory),  cmocka_unit_test(test_lose),
        cmocka_unit_test(test_delay),          cmocka_unit_test(test_hang),
        cmocka_unit_test(test_drop_copy),      cmocka_unit_test(test_drop_launch),
        cmocka_unit_test(test_drop_wait),      cmocka_unit_test(test_addresses_that_are_none),
        cmocka_unit_test(test_flip_frame),     cmocka_unit_test(test_flip_frame_of_batch),
        cmocka_unit_test(test_flip_delivered), cmocka_unit_test(test_flip_input),
        cmocka_unit_test(test_flip_workspace), cmocka_unit_test(test_flip_size_and_status),
        cmocka_unit_test(test_size),           cmocka_unit_test(test_swap),
        cmocka_unit_test(test_repeated),       cmocka_unit_test(test_report),
    };
    return RUN_CASES(argc, argv, tests, make_expected, NULL);
}
