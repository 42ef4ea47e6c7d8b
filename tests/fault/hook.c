/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lets a plugin have the device that makes faults: linked into a copy of the hook with
 * --wrap=rp_device_open and --wrap=rp_device_name_refused. The plan is the device's name (plan.h),
 * in whatever way the plugin is configured:
 *
 *     ROCKPRESS_DEVICE=fault:7:flip@frame=2+100%1:mapped
 *     TEST_FAULT_REPORT=<file>   at exit: calls, and what was made of the plan
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

rp_status __wrap_rp_device_open(const char *name, rp_device **device)
{
    injection_plan plan;
    plan_error error;
    if (name == NULL || device == NULL || !is_plan(name))
        return __real_rp_device_open(name, device);
    *device = NULL;
    if (!injection_plan_parse(name, &plan, &error))
        return RP_STATUS_UNKNOWN_DEVICE;
    return injecting_device_open_name(&plan, device);
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("TEST_FAULT_REPORT");
    const injecting_device *device = injecting_device_opened();
    FILE *file = path == NULL || device == NULL ? NULL : fopen(path, "w");
    if (file == NULL)
        return;
    injecting_device_report(device, file);
    fclose(file);
}
