/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the device fail that a preloaded hook opens: linked into a copy of the hook with
 * --wrap=rp_device_open. The environment says which call fails:
 *
 *     TEST_FAULT="<function> <nth> once|on <status as a number>", see fault_device.h
 *     TEST_FAULT_REPORT=<file>   at exit: how often each function was called, how many failed
 *
 * The device looks like one that is copied to and from, so that all functions are called.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/fault_device.h"

/* Names that the linker makes. */
rp_status __real_rp_device_open(const char *name, rp_device **device);
rp_status __wrap_rp_device_open(const char *name, rp_device **device);

static fault_device fault;
static rp_device *inner;

static fault_plan plan_of_environment(void)
{
    fault_plan plan = {FAULT_ANY, 0, false, RP_STATUS_OK};
    const char *text = getenv("TEST_FAULT");
    char name[32];
    char mode[8];
    unsigned nth;
    int status;
    if (text == NULL)
        return plan;
    if (sscanf(text, "%31s %u %7s %d", name, &nth, mode, &status) != 4)
        abort();
    int call = 0;
    while (call < FAULT_N_CALLS && strcmp(name, fault_call_name((fault_call)call)) != 0)
        call++;
    if (call == FAULT_N_CALLS)
        abort();
    plan.call = (fault_call)call;
    plan.nth = nth;
    plan.from_then_on = strcmp(mode, "on") == 0;
    plan.status = (rp_status)status;
    return plan;
}

rp_status __wrap_rp_device_open(const char *name, rp_device **device)
{
    rp_status status = __real_rp_device_open(name, &inner);
    *device = NULL;
    if (status != RP_STATUS_OK)
        return status;
    fault_device_open(&fault, inner, 0);
    fault_device_plan(&fault, plan_of_environment());
    *device = &fault.device;
    return RP_STATUS_OK;
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("TEST_FAULT_REPORT");
    if (path == NULL || inner == NULL)
        return;
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return;
    for (int call = 0; call < FAULT_N_CALLS; call++)
        fprintf(file, "%s %u\n", fault_call_name((fault_call)call), fault.n_calls[call]);
    fprintf(file, "failed %u\n", fault.n_failed);
    fclose(file);
}
