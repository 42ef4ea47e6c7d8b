/* SPDX-License-Identifier: Apache-2.0 */
/* See gpu_faults.h. */
#include "tests/gpu/gpu_faults.h"

#include <stdlib.h>
#include <string.h>

#include "tests/gpu/simulated_device.h"

#ifndef ROCKPRESS_WITH_CUDA
bool gpu_kill(int ordinal)
{
    (void)ordinal;
    return false;
}

bool gpu_occupy(int ordinal)
{
    (void)ordinal;
    return false;
}

void gpu_release(void)
{
}
#endif

static bool is_simulated(const rp_device *device)
{
    return strcmp(device->name, "simulated") == 0;
}

/* "cuda:N", as devices call themselves. */
static int ordinal_of(const rp_device *device)
{
    return strncmp(device->name, "cuda:", 5) == 0 ? atoi(device->name + 5) : -1;
}

bool fault_kill(const rp_device *device)
{
    if (is_simulated(device)) {
        simulated_device_lose();
        return true;
    }
    return ordinal_of(device) >= 0 && gpu_kill(ordinal_of(device));
}

bool fault_occupy(const rp_device *device)
{
    if (is_simulated(device)) {
        simulated_device_set_busy(true);
        return true;
    }
    return ordinal_of(device) >= 0 && gpu_occupy(ordinal_of(device));
}

void fault_release(const rp_device *device)
{
    if (is_simulated(device))
        simulated_device_set_busy(false);
    else
        gpu_release();
}
