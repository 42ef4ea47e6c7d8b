/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every argument error of devices, streams, pools and lanes. Lanes are checked on a device that
 * shares the host's memory and on one that is copied to and from, because these take different
 * ways: on neither may anything be enqueued when an argument is wrong.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/pool.h"
#include "tests/differential/counting_device.h"

#define MAX_INPUT_BYTES 1000

static rp_error error;

static void expect_text(const char *const *words)
{
    assert_non_null(memchr(error.message, 0, sizeof(error.message)));
    for (; *words != NULL; words++) {
        if (strstr(error.message, *words) == NULL)
            fail_msg("no \"%s\" in \"%s\"", *words, error.message);
    }
}

#define EXPECT(call, expected, ...)                                                                \
    do {                                                                                           \
        const char *const words[] = {__VA_ARGS__, NULL};                                           \
        memset(&error, 0x7E, sizeof(error));                                                       \
        rp_status expect_status = (call);                                                          \
        if (expect_status != (expected))                                                           \
            fail_msg("line %d: %s, expected %s", __LINE__, rp_status_name(expect_status),          \
                     rp_status_name(expected));                                                    \
        expect_text(words);                                                                        \
    } while (0)

static void test_devices(void **state)
{
    (void)state;
    static const char *const unknown[] = {"",       "Host",      "host ",
                                          "hosts",  "cuda:",     "cuda:-1",
                                          "cuda:x", "cuda:1x",   "cuda: 1",
                                          "cudax",  "cuda:+1",   "cuda:0x1",
                                          "gpu",    "cuda:1024", "cuda:99999999999999999999999"};
    rp_device *device = NULL;
    assert_int_equal(rp_device_open("host", NULL), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_device_open(NULL, NULL), RP_STATUS_NULL_POINTER);
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        device = (rp_device *)&error;
        rp_status status = rp_device_open(unknown[i], &device);
        if (status != RP_STATUS_UNKNOWN_DEVICE || device != NULL)
            fail_msg("\"%s\": %s", unknown[i], rp_status_name(status));
    }
    device = (rp_device *)&error;
    assert_int_equal(rp_device_open(NULL, &device), RP_STATUS_NULL_POINTER);
    assert_null(device);
    /* No machine has that many GPUs, and most have none. */
    device = (rp_device *)&error;
    assert_int_equal(rp_device_open("cuda:1023", &device), RP_STATUS_DEVICE_UNAVAILABLE);
    assert_null(device);
    rp_device_close(NULL);
    assert_int_equal(rp_device_open("host", &device), RP_STATUS_OK);
    assert_string_equal(device->name, "host");
    rp_device_close(device);
}

static void test_streams(void **state)
{
    (void)state;
    counting_device counting;
    rp_stream stream;
    rp_stream no_stream = {NULL, NULL};
    counting_device_open(&counting, 0);
    assert_int_equal(rp_stream_create(NULL, &stream), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_stream_create(&counting.device, NULL), RP_STATUS_NULL_POINTER);
    assert_int_equal(atomic_load(&counting.n_streams), 0);
    assert_int_equal(rp_stream_wait(no_stream, 1), RP_STATUS_INVALID_STREAM);
    rp_stream_destroy(no_stream);
    counting.stream_status = RP_STATUS_DEVICE_FAULT;
    assert_int_equal(rp_stream_create(&counting.device, &stream), RP_STATUS_DEVICE_FAULT);
    assert_null(stream.device);
    rp_stream_destroy(stream);
    counting.stream_status = RP_STATUS_OK;
    assert_int_equal(rp_stream_create(&counting.device, &stream), RP_STATUS_OK);
    assert_int_equal(rp_stream_wait(stream, 0), RP_STATUS_OK);
    rp_stream_destroy(stream);
    assert_int_equal(atomic_load(&counting.n_streams), 0);
    counting_device_close(&counting);
}

static void test_pool_create(void **state)
{
    (void)state;
    counting_device counting;
    counting_device_open(&counting, 0);
    const rp_pool_options working = {sizeof(rp_pool_options), 4,     MAX_INPUT_BYTES, 0,
                                     RP_EFFORT_FAST,          &error};
    rp_pool_options options = working;
    rp_pool *pool = NULL;
    assert_int_equal(rp_pool_create(&counting.device, &options, NULL), RP_STATUS_NULL_POINTER);
    pool = (rp_pool *)&error;
    assert_int_equal(rp_pool_create(NULL, &options, &pool), RP_STATUS_NULL_POINTER);
    assert_null(pool);
    assert_int_equal(rp_pool_create(&counting.device, NULL, &pool), RP_STATUS_NULL_POINTER);
    options.max_lanes = 0;
    EXPECT(rp_pool_create(&counting.device, &options, &pool), RP_STATUS_INVALID_OPTION,
           "max_lanes 0", "1 to 4096");
    options.max_lanes = RP_POOL_MAX_LANES + 1;
    EXPECT(rp_pool_create(&counting.device, &options, &pool), RP_STATUS_INVALID_OPTION,
           "max_lanes 4097", "1 to 4096");
    options = working;
    options.max_input_bytes = 0;
    EXPECT(rp_pool_create(&counting.device, &options, &pool), RP_STATUS_INVALID_OPTION,
           "max_input_bytes 0", "1 to 1073741824");
    options.max_input_bytes = RP_MAX_INPUT_BYTES + 1;
    EXPECT(rp_pool_create(&counting.device, &options, &pool), RP_STATUS_INVALID_OPTION,
           "max_input_bytes 1073741825", "1 to 1073741824");
    options = working;
    options.effort = (rp_effort)12;
    pool = (rp_pool *)&error;
    EXPECT(rp_pool_create(&counting.device, &options, &pool), RP_STATUS_INVALID_EFFORT, "effort 12",
           "1 (fast)");
    assert_null(pool);
    assert_int_equal(counting_device_enqueued(&counting) + atomic_load(&counting.n_allocated), 0);
    rp_pool_destroy(NULL);
    counting_device_close(&counting);
}

static void test_pool_acquire(void **state)
{
    (void)state;
    counting_device counting;
    counting_device_open(&counting, 0);
    rp_pool_options options = {sizeof(rp_pool_options), 2,   MAX_INPUT_BYTES, 0,
                               RP_EFFORT_FAST,          NULL};
    rp_pool *pool;
    rp_lane *lanes[3];
    assert_int_equal(rp_pool_create(&counting.device, &options, &pool), RP_STATUS_OK);
    assert_int_equal(rp_pool_acquire(pool, NULL), RP_STATUS_NULL_POINTER);
    lanes[0] = (rp_lane *)&error;
    assert_int_equal(rp_pool_acquire(NULL, &lanes[0]), RP_STATUS_NULL_POINTER);
    assert_null(lanes[0]);
    assert_int_equal(rp_pool_lane_count(NULL), 0);
    rp_pool_release(pool, NULL);

    /* A device that cannot: its own status, nothing kept, and the lane can be made later. */
    counting.alloc_status = RP_STATUS_OUT_OF_DEVICE_MEMORY;
    lanes[0] = (rp_lane *)&error;
    for (int attempt = 0; attempt < 5; attempt++)
        assert_int_equal(rp_pool_acquire(pool, &lanes[0]), RP_STATUS_OUT_OF_DEVICE_MEMORY);
    assert_null(lanes[0]);
    counting.alloc_status = RP_STATUS_OK;
    counting.stream_status = RP_STATUS_DEVICE_FAULT;
    assert_int_equal(rp_pool_acquire(pool, &lanes[0]), RP_STATUS_DEVICE_FAULT);
    counting.stream_status = RP_STATUS_OK;
    assert_int_equal(rp_pool_lane_count(pool), 0);
    assert_int_equal(atomic_load(&counting.n_allocated) + atomic_load(&counting.n_streams), 0);

    assert_int_equal(rp_pool_acquire(pool, &lanes[0]), RP_STATUS_OK);
    assert_int_equal(rp_pool_acquire(pool, &lanes[1]), RP_STATUS_OK);
    assert_ptr_not_equal(lanes[0], lanes[1]);
    lanes[2] = (rp_lane *)&error;
    assert_int_equal(rp_pool_acquire(pool, &lanes[2]), RP_STATUS_POOL_EXHAUSTED);
    assert_null(lanes[2]);
    rp_pool_release(pool, lanes[0]);
    assert_int_equal(rp_pool_acquire(pool, &lanes[2]), RP_STATUS_OK);
    assert_ptr_equal(lanes[2], lanes[0]);
    assert_int_equal(rp_pool_lane_count(pool), 2);
    rp_pool_release(pool, lanes[1]);
    rp_pool_release(pool, lanes[2]);
    rp_pool_destroy(pool);
    assert_int_equal(atomic_load(&counting.n_allocated) + atomic_load(&counting.n_streams), 0);
    counting_device_close(&counting);
}

static void test_pool_memory_bound(void **state)
{
    (void)state;
    counting_device counting;
    counting_device_open(&counting, RP_DEVICE_HOST_MEMORY);
    size_t lane_bytes = rp_workspace_size(MAX_INPUT_BYTES, 1, RP_EFFORT_FAST);
    const size_t bounds[] = {1, lane_bytes - 1, lane_bytes, 3 * lane_bytes - 1, 3 * lane_bytes};
    const uint32_t n_lanes[] = {0, 0, 1, 2, 3};
    for (size_t i = 0; i < 5; i++) {
        rp_pool_options options = {sizeof(rp_pool_options), 8,   MAX_INPUT_BYTES, bounds[i],
                                   RP_EFFORT_FAST,          NULL};
        rp_pool *pool;
        rp_lane *lanes[8];
        uint32_t n = 0;
        assert_int_equal(rp_pool_create(&counting.device, &options, &pool), RP_STATUS_OK);
        while (n < 8 && rp_pool_acquire(pool, &lanes[n]) == RP_STATUS_OK)
            n++;
        assert_int_equal(n, n_lanes[i]);
        if (n < 8)
            assert_int_equal(rp_pool_acquire(pool, &lanes[n]), RP_STATUS_POOL_EXHAUSTED);
        while (n > 0)
            rp_pool_release(pool, lanes[--n]);
        rp_pool_destroy(pool);
    }
    counting_device_close(&counting);
}

static void check_lane(counting_device *counting)
{
    rp_pool_options pool_options = {sizeof(rp_pool_options), 1,   MAX_INPUT_BYTES, 0,
                                    RP_EFFORT_FAST,          NULL};
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = RP_EFFORT_FAST,
        .flags = 0,
        .error = &error,
    };
    uint8_t input[MAX_INPUT_BYTES + 1] = {0};
    uint8_t output[2000];
    size_t n;
    rp_pool *pool;
    rp_lane *lane;
    assert_int_equal(rp_pool_create(&counting->device, &pool_options, &pool), RP_STATUS_OK);
    assert_int_equal(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
#define REJECTED(call, expected, ...)                                                              \
    do {                                                                                           \
        n = 99;                                                                                    \
        EXPECT(call, expected, __VA_ARGS__);                                                       \
        assert_int_equal(n, 0);                                                                    \
        if (counting_device_enqueued(counting) != 0)                                               \
            fail_msg("line %d: %u operations were enqueued", __LINE__,                             \
                     counting_device_enqueued(counting));                                          \
    } while (0)
    REJECTED(rp_lane_compress(NULL, input, 10, output, 2000, &n, &options, 0),
             RP_STATUS_NULL_POINTER, "lane");
    EXPECT(rp_lane_compress(lane, input, 10, output, 2000, NULL, &options, 0),
           RP_STATUS_NULL_POINTER, "output_size");
    REJECTED(rp_lane_compress(lane, input, MAX_INPUT_BYTES + 1, output, 2000, &n, &options, 0),
             RP_STATUS_INPUT_TOO_LARGE, "1001", "1000");
    REJECTED(rp_lane_compress(lane, input, SIZE_MAX, output, 2000, &n, &options, 0),
             RP_STATUS_INPUT_TOO_LARGE, "18446744073709551615", "1000");
    REJECTED(rp_lane_compress(lane, NULL, 10, output, 2000, &n, &options, 0),
             RP_STATUS_NULL_POINTER, "input", "10");
    REJECTED(rp_lane_compress(lane, input, 10, NULL, 2000, &n, &options, 0), RP_STATUS_NULL_POINTER,
             "output", "2000");
    options.effort = (rp_effort)0;
    REJECTED(rp_lane_compress(lane, input, 10, output, 2000, &n, &options, 0),
             RP_STATUS_INVALID_EFFORT, "effort 0", "1 (fast)");
    options.effort = RP_EFFORT_FAST;
    options.flags = 6;
    REJECTED(rp_lane_compress(lane, input, 10, output, 2000, &n, &options, 0),
             RP_STATUS_INVALID_FLAGS, "0x6", "0x3");
#undef REJECTED
    options.flags = 0;
    /* And the lane still works. */
    assert_int_equal(rp_lane_compress(lane, input, 10, output, 2000, &n, &options, 0),
                     RP_STATUS_OK);
    assert_true(n > 0);
    assert_int_equal(rp_lane_compress(lane, NULL, 0, NULL, 0, &n, NULL, 0),
                     RP_STATUS_OUTPUT_TOO_SMALL);
    assert_int_equal(n, 0);
    rp_pool_release(pool, lane);
    rp_pool_destroy(pool);
}

static void test_lane_in_place(void **state)
{
    (void)state;
    counting_device counting;
    counting_device_open(&counting, RP_DEVICE_HOST_MEMORY);
    check_lane(&counting);
    counting_device_close(&counting);
}

static void test_lane_staged(void **state)
{
    (void)state;
    counting_device counting;
    counting_device_open(&counting, 0);
    check_lane(&counting);
    counting_device_close(&counting);
}

static void test_lane_overlap(void **state)
{
    (void)state;
    counting_device counting;
    rp_pool_options pool_options = {sizeof(rp_pool_options), 1,   MAX_INPUT_BYTES, 0,
                                    RP_EFFORT_FAST,          NULL};
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = RP_EFFORT_FAST,
        .flags = 0,
        .error = &error,
    };
    uint8_t both[3000] = {0};
    size_t n = 99;
    rp_pool *pool;
    rp_lane *lane;
    counting_device_open(&counting, RP_DEVICE_HOST_MEMORY);
    assert_int_equal(rp_pool_create(&counting.device, &pool_options, &pool), RP_STATUS_OK);
    assert_int_equal(rp_pool_acquire(pool, &lane), RP_STATUS_OK);
    EXPECT(rp_lane_compress(lane, both, 1000, both + 999, 2000, &n, &options, 0), RP_STATUS_OVERLAP,
           "overlap");
    assert_int_equal(n, 0);
    assert_int_equal(counting_device_enqueued(&counting), 0);
    assert_int_equal(rp_lane_compress(lane, both, 1000, both + 1000, 2000, &n, &options, 0),
                     RP_STATUS_OK);
    size_t workspace_bytes;
    uint8_t *workspace = rp_lane_workspace(lane, &workspace_bytes);
    assert_int_equal((uintptr_t)workspace % RP_WORKSPACE_ALIGNMENT, 0);
    assert_int_equal(workspace_bytes, rp_workspace_size(MAX_INPUT_BYTES, 1, RP_EFFORT_FAST));
    assert_ptr_equal(rp_lane_workspace(lane, NULL), workspace);
    assert_ptr_equal(rp_lane_stream(lane).device, &counting.device);
    rp_pool_release(pool, lane);
    rp_pool_destroy(pool);
    counting_device_close(&counting);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices),           cmocka_unit_test(test_streams),
        cmocka_unit_test(test_pool_create),       cmocka_unit_test(test_pool_acquire),
        cmocka_unit_test(test_pool_memory_bound), cmocka_unit_test(test_lane_in_place),
        cmocka_unit_test(test_lane_staged),       cmocka_unit_test(test_lane_overlap),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
