/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lets a plugin have the device that makes faults: linked into a copy of the hook with
 * --wrap=rp_device_open and --wrap=rp_device_name_refused. The plan is the device's name (plan.h),
 * in whatever way the plugin is configured:
 *
 *     ROCKPRESS_DEVICE=fault:7:flip@frame=2+100%1:mapped
 *     TEST_FAULT_REPORT=<file>   the plan; at exit calls, and what was made of the plan
 *     TEST_FAULT_COUNT=<file>    a uint64_t: how many faults were made, also if the process is
 * killed
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fault/injecting_device.h"

/* Names that the linker makes. */
rp_status __real_rp_device_open(const char *name, rp_device **device);
rp_status __wrap_rp_device_open(const char *name, rp_device **device);
const char *__real_rp_device_name_refused(const char *name);
const char *__wrap_rp_device_name_refused(const char *name);

static bool is_plan(const char *name)
{
    return strncmp(name, FAULT_PREFIX, sizeof(FAULT_PREFIX) - 1) == 0;
}

const char *__wrap_rp_device_name_refused(const char *name)
{
    static _Thread_local plan_error error;
    injection_plan plan;
    if (!is_plan(name))
        return __real_rp_device_name_refused(name);
    return injection_plan_parse(name, &plan, &error) ? NULL : error.message;
}

static void count_outside(injecting_device *device)
{
    const char *path = getenv("TEST_FAULT_COUNT");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    if (ftruncate(fd, sizeof(uint64_t)) == 0) {
        void *at = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (at != MAP_FAILED)
            device->n_made_outside = at;
    }
    close(fd);
}

static void report(void)
{
    const char *path = getenv("TEST_FAULT_REPORT");
    const injecting_device *device = injecting_device_opened();
    FILE *file = path == NULL || device == NULL ? NULL : fopen(path, "w");
    if (file == NULL)
        return;
    injecting_device_report(device, file);
    fclose(file);
}

rp_status __wrap_rp_device_open(const char *name, rp_device **device)
{
    injection_plan plan;
    plan_error error;
    if (name == NULL || device == NULL || !is_plan(name))
        return __real_rp_device_open(name, device);
    *device = NULL;
    if (!injection_plan_parse(name, &plan, &error))
        return RP_STATUS_UNKNOWN_DEVICE;
    rp_status status = injecting_device_open_name(&plan, device);
    if (status == RP_STATUS_OK) {
        count_outside(injecting_device_opened());
        /* If the process does not come to its end, this says what the plan was. */
        report();
    }
    return status;
}

__attribute__((destructor)) static void report_at_exit(void)
{
    report();
}
