/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices where there is no GPU, or where none may be seen: what rp_device_open() and
 * rp_device_list() say, in a process that asks for the first time, in a thread, in a forked child.
 * no_gpu.sh runs it without a driver, with drivers that do not work, and with CUDA_VISIBLE_DEVICES
 * empty.
 *
 *   test_no_gpu             there may be a GPU
 *   test_no_gpu REASON      there is none, and the reason has these words in it
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rockpress/device.h"
#include "tests/support/check.h"

#define MAX_DEVICES 64

static const char *expected_reason; /* NULL: there may be a GPU */

/* Opening says what the list says. */
static bool check_device(const rp_device_info *info)
{
    rp_device *device = (rp_device *)(void *)&expected_reason;
    rp_status status = rp_device_open(info->name, &device);
    printf("%s: %s: %s%s\n", info->name, rp_status_name(info->status), info->description,
           info->reason);
    CHECK(status == info->status);
    CHECK((status == RP_STATUS_OK) == (device != NULL));
    CHECK((status == RP_STATUS_OK) == (info->reason[0] == '\0'));
    CHECK(status == RP_STATUS_OK || status == RP_STATUS_DEVICE_UNAVAILABLE);
    rp_device_close(device);
    return true;
}

static bool check_list(void)
{
    rp_device_info infos[MAX_DEVICES + 1];
    memset(infos, 0x5A, sizeof(infos));
    infos[0].struct_size = sizeof(infos[0]);
    size_t n = rp_device_list(infos, MAX_DEVICES);
    CHECK(n >= 2 && n <= MAX_DEVICES);
    CHECK(infos[n].name[0] == 0x5A);
    CHECK(strcmp(infos[0].name, "host") == 0 && infos[0].status == RP_STATUS_OK);
    for (size_t i = 0; i < n; i++)
        CHECK(check_device(&infos[i]));
    /* Room for fewer, or for none. */
    memset(infos, 0x5A, sizeof(infos));
    infos[0].struct_size = sizeof(infos[0]);
    CHECK(rp_device_list(infos, 1) == n && infos[1].name[0] == 0x5A);
    CHECK(rp_device_list(NULL, 0) == n && rp_device_list(NULL, 5) == n);
    if (expected_reason != NULL) {
        CHECK(rp_device_list(infos, 2) == 2 && n == 2);
        CHECK(strcmp(infos[1].name, "cuda") == 0);
        CHECK(infos[1].status == RP_STATUS_DEVICE_UNAVAILABLE);
        CHECK(strstr(infos[1].reason, expected_reason) != NULL);
    }
    return true;
}

static bool check_names(void)
{
    static const char *const none[] = {"cuda:9999", "cuda:", "cuda:x", "cuda:1x", "cuda:-1", "CUDA",
                                       "",          "gpu",   "cudax",  "host:0",  " cuda"};
    static const char *const gpus[] = {"cuda", "cuda:0", "cuda:1000"};
    rp_device *device;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        device = (rp_device *)(void *)&expected_reason;
        CHECK(rp_device_open(none[i], &device) == RP_STATUS_UNKNOWN_DEVICE && device == NULL);
    }
    for (size_t i = 0; i < sizeof(gpus) / sizeof(gpus[0]) && expected_reason != NULL; i++) {
        device = (rp_device *)(void *)&expected_reason;
        CHECK(rp_device_open(gpus[i], &device) == RP_STATUS_DEVICE_UNAVAILABLE && device == NULL);
    }
    CHECK(rp_device_open("cuda:1000", &device) == RP_STATUS_DEVICE_UNAVAILABLE && device == NULL);
    return true;
}

static bool check_all(void)
{
    return check_list() && check_names();
}

static void *thread_main(void *result)
{
    *(bool *)result = check_all();
    return NULL;
}

static bool check_in_threads(void)
{
    pthread_t threads[8];
    bool good[8] = {false};
    for (int i = 0; i < 8; i++)
        CHECK(pthread_create(&threads[i], NULL, thread_main, &good[i]) == 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 8; i++)
        CHECK(good[i]);
    return true;
}

/* A child of a process that has asked before: with a GPU, CUDA is of no use to it any more. */
static bool check_in_child(void)
{
    int status = 1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        rp_device *device = NULL;
        alarm(60);
        bool good = rp_device_open("cuda", &device) == RP_STATUS_DEVICE_UNAVAILABLE &&
                    device == NULL && rp_device_open("host", &device) == RP_STATUS_OK;
        if (expected_reason != NULL)
            good = good && check_all();
        fflush(stdout);
        _exit(good ? 0 : 1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    return true;
}

int main(int argc, char **argv)
{
    expected_reason = argc > 1 ? argv[1] : NULL;
    bool good = check_all() && check_in_child() && check_in_threads();
    return good ? 0 : 1;
}
