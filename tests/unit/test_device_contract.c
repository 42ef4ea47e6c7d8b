/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What include/rockpress/device.h promises of every device, whoever made it. TEST_DEVICE names the
 * one: "host" unless set; "fault" is the host device, wrapped by the device that tests make to
 * fail, with nothing failing; "cuda" is skipped where there is no GPU.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/device.h"
#include "tests/support/exit_status.h"
#include "tests/support/fault_device.h"

#define WAIT_US 60000000
#define MOST_BYTES ((size_t)1 << 20)

static const rp_device *device;
static fault_device fault;

static void test_memory(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 255, 256, 257, 4096, MOST_BYTES};
    enum { N = sizeof(sizes) / sizeof(sizes[0]) };
    void *memory[N];
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < N; i++) {
            memory[i] = NULL;
            assert_int_equal(device->ops->memory_alloc(device, sizes[i], &memory[i]), RP_STATUS_OK);
            assert_non_null(memory[i]);
            assert_int_equal((uintptr_t)memory[i] % 256, 0);
            for (size_t k = 0; k < i; k++) {
                uintptr_t a = (uintptr_t)memory[i];
                uintptr_t b = (uintptr_t)memory[k];
                assert_true(a + sizes[i] <= b || b + sizes[k] <= a);
            }
        }
        for (size_t i = 0; i < N; i++)
            device->ops->memory_free(device, memory[i]);
    }
}

static void test_staging(void **state)
{
    (void)state;
    void *memory = NULL;
    assert_int_equal(device->ops->staging_alloc(device, MOST_BYTES, &memory), RP_STATUS_OK);
    assert_non_null(memory);
    /* It is the host's as well. */
    memset(memory, 0x5A, MOST_BYTES);
    device->ops->staging_free(device, memory);
}

/* More than there is: a status, NULL, and everything goes on working. */
static void test_out_of_memory(void **state)
{
    (void)state;
    static const size_t sizes[] = {SIZE_MAX / 2, SIZE_MAX - 4096, SIZE_MAX};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        void *memory = &memory;
        rp_status status = device->ops->memory_alloc(device, sizes[i], &memory);
        assert_true(status == RP_STATUS_OUT_OF_DEVICE_MEMORY ||
                    status == RP_STATUS_OUT_OF_HOST_MEMORY);
        assert_null(memory);
        memory = &memory;
        assert_int_equal(device->ops->staging_alloc(device, sizes[i], &memory),
                         RP_STATUS_OUT_OF_HOST_MEMORY);
        assert_null(memory);
    }
    test_memory(NULL);
}

/* There, across and back. Copies of one stream are done in their order. */
static bool copy_around(rp_stream stream, uint8_t *staging, size_t n_bytes, uint8_t seed)
{
    const rp_device_ops *ops = stream.device->ops;
    void *d_memory[2];
    bool is_good = true;
    for (int i = 0; i < 2; i++) {
        if (ops->memory_alloc(stream.device, n_bytes + 1, &d_memory[i]) != RP_STATUS_OK)
            return false;
    }
    uint8_t *back = staging + MOST_BYTES;
    for (size_t i = 0; i < n_bytes; i++)
        staging[i] = (uint8_t)(i * 31 + seed + (i >> 9));
    memset(back, 0, n_bytes + 1);
    is_good &= ops->copy_async(stream, d_memory[0], staging, n_bytes, RP_COPY_HOST_TO_DEVICE) ==
               RP_STATUS_OK;
    is_good &= ops->copy_async(stream, d_memory[1], d_memory[0], n_bytes,
                               RP_COPY_DEVICE_TO_DEVICE) == RP_STATUS_OK;
    is_good &=
        ops->copy_async(stream, back, d_memory[1], n_bytes, RP_COPY_DEVICE_TO_HOST) == RP_STATUS_OK;
    is_good &= ops->wait(stream, WAIT_US) == RP_STATUS_OK;
    is_good &= memcmp(staging, back, n_bytes) == 0 && back[n_bytes] == 0;
    /* Nothing is left to wait for. */
    is_good &= ops->wait(stream, 0) == RP_STATUS_OK;
    for (int i = 0; i < 2; i++)
        ops->memory_free(stream.device, d_memory[i]);
    return is_good;
}

static bool copy_all_sizes(rp_stream stream, uint8_t seed)
{
    static const size_t sizes[] = {0, 1, 3, 4096, 65537, MOST_BYTES};
    void *staging;
    bool is_good = true;
    if (device->ops->staging_alloc(device, 2 * MOST_BYTES + 1, &staging) != RP_STATUS_OK)
        return false;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        is_good &= copy_around(stream, staging, sizes[i], (uint8_t)(seed + i));
    device->ops->staging_free(device, staging);
    return is_good;
}

static void test_copies(void **state)
{
    (void)state;
    rp_stream stream;
    assert_int_equal(rp_stream_create(device, &stream), RP_STATUS_OK);
    assert_ptr_equal(stream.device, device);
    assert_true(copy_all_sizes(stream, 1));
    rp_stream_destroy(stream);
}

static void *copy_main(void *result)
{
    rp_stream stream;
    if (rp_stream_create(device, &stream) != RP_STATUS_OK)
        return NULL;
    *(bool *)result = copy_all_sizes(stream, (uint8_t)(uintptr_t)result);
    rp_stream_destroy(stream);
    return NULL;
}

static void test_streams_of_threads(void **state)
{
    (void)state;
    enum { N = 4 };
    pthread_t threads[N];
    bool good[N];
    for (int i = 0; i < N; i++) {
        good[i] = false;
        assert_int_equal(pthread_create(&threads[i], NULL, copy_main, &good[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        assert_true(good[i]);
    }
}

static void test_streams(void **state)
{
    (void)state;
    rp_stream streams[40];
    for (int i = 0; i < 40; i++) {
        assert_int_equal(rp_stream_create(device, &streams[i]), RP_STATUS_OK);
        assert_int_equal(rp_stream_wait(streams[i], 0), RP_STATUS_OK);
    }
    for (int i = 0; i < 40; i++)
        rp_stream_destroy(streams[i]);
    rp_stream none = {NULL, NULL};
    assert_int_equal(rp_stream_wait(none, 0), RP_STATUS_INVALID_STREAM);
    rp_stream_destroy(none);
    assert_int_equal(rp_stream_create(NULL, &none), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_stream_create(device, NULL), RP_STATUS_NULL_POINTER);
}

static void test_names(void **state)
{
    (void)state;
    assert_non_null(device->name);
    assert_true(strlen(device->name) > 0);
    assert_int_equal(device->flags & ~(RP_DEVICE_HOST_MEMORY | RP_DEVICE_MAPPED_STAGING |
                                       RP_DEVICE_FUSED_LAUNCH),
                     0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_staging),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_streams_of_threads),
    };
    const char *name = getenv("TEST_DEVICE");
    if (name == NULL)
        name = "host";
    bool is_wrapped = strcmp(name, "fault") == 0;
    rp_device *opened;
    rp_status status = rp_device_open(is_wrapped ? "host" : name, &opened);
    if (status == RP_STATUS_DEVICE_UNAVAILABLE) {
        printf("skipped: device %s: %s\n", name, rp_status_string(status));
        return EXIT_SKIPPED;
    }
    if (status != RP_STATUS_OK)
        return 1;
    fault_device_open(&fault, opened, 0);
    device = is_wrapped ? &fault.device : opened;
    int exit_status = RUN_CASES(argc, argv, tests, NULL, NULL);
    if (is_wrapped && (fault.n_memory != 0 || fault.n_staging != 0 || fault.n_streams != 0))
        exit_status = 1;
    rp_device_close(opened);
    return exit_status;
}
