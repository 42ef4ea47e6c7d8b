/* SPDX-License-Identifier: Apache-2.0 */
/* See device_under_test.h. */
#include "tests/gpu/device_under_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gpu/broken_device.h"
#include "tests/gpu/simulated_device.h"
#include "tests/support/exit_status.h"
#include "tests/support/team_device.h"

const char *device_under_test_name(void)
{
    const char *name = getenv("TEST_DEVICE");
    return name != NULL && *name != '\0' ? name : "cuda";
}

/* Of the GPU that was asked for, or of the first. */
static void print_reason(const char *name)
{
    rp_device_info infos[16] = {RP_DEVICE_INFO_INIT};
    size_t n = rp_device_list(infos, 16);
    for (size_t i = 0; i < n && i < 16; i++) {
        if (strncmp(infos[i].name, "cuda", 4) == 0 && infos[i].status != RP_STATUS_OK) {
            printf("skipped: device %s: %s\n", name, infos[i].reason);
            return;
        }
    }
    printf("skipped: device %s: not on this machine\n", name);
}

rp_device *device_under_test_open(const char *name)
{
    rp_device *device = NULL;
    rp_status status = RP_STATUS_UNKNOWN_DEVICE;
    if (strncmp(name, "team:", 5) == 0) {
        device = team_device_open(TEAM_DEVICE_SHUFFLED, (uint32_t)strtoul(name + 5, NULL, 10), 1);
        status = device != NULL ? RP_STATUS_OK : RP_STATUS_UNKNOWN_DEVICE;
    } else if (strcmp(name, "simulated") == 0) {
        device = simulated_device_open();
        status = device != NULL ? RP_STATUS_OK : RP_STATUS_UNKNOWN_DEVICE;
    } else if (strncmp(name, "broken:", 7) == 0) {
        device = broken_device_open(name + 7);
        status = device != NULL ? RP_STATUS_OK : RP_STATUS_UNKNOWN_DEVICE;
    } else {
        status = rp_device_open(name, &device);
    }
    if (status == RP_STATUS_DEVICE_UNAVAILABLE) {
        print_reason(name);
        exit(EXIT_SKIPPED);
    }
    if (status != RP_STATUS_OK) {
        printf("device %s: %s\n", name, rp_status_string(status));
        exit(2);
    }
    printf("device under test: %s\n", device->name);
    return device;
}
