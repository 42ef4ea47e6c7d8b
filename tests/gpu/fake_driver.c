/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A libcuda.so.1 with nothing behind it, for tests of what is said about drivers that are too old
 * or do not start. FAKE_DRIVER_VERSION is what it says of itself (13000 is 13.0), FAKE_DRIVER_INIT
 * what its cuInit() returns; all else is not supported.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
#define NOT_SUPPORTED 801

EXPORTED int cuInit(unsigned flags);
EXPORTED int cuDriverGetVersion(int *version);
EXPORTED int cuGetProcAddress(const char *symbol, void **function, int version, uint64_t flags);
EXPORTED int cuGetProcAddress_v2(const char *symbol, void **function, int version, uint64_t flags,
                                 int *status);

static int number(const char *variable, int otherwise)
{
    const char *value = getenv(variable);
    return value != NULL ? atoi(value) : otherwise;
}

static int not_supported(void)
{
    return NOT_SUPPORTED;
}

int cuInit(unsigned flags)
{
    (void)flags;
    return number("FAKE_DRIVER_INIT", 0);
}

int cuDriverGetVersion(int *version)
{
    *version = number("FAKE_DRIVER_VERSION", 13000);
    return 0;
}

int cuGetProcAddress(const char *symbol, void **function, int version, uint64_t flags)
{
    return cuGetProcAddress_v2(symbol, function, version, flags, NULL);
}

int cuGetProcAddress_v2(const char *symbol, void **function, int version, uint64_t flags,
                        int *status)
{
    (void)version;
    (void)flags;
    if (strcmp(symbol, "cuInit") == 0)
        *function = (void *)cuInit;
    else if (strcmp(symbol, "cuDriverGetVersion") == 0)
        *function = (void *)cuDriverGetVersion;
    else if (strncmp(symbol, "cuGetProcAddress", 16) == 0)
        *function = (void *)cuGetProcAddress_v2;
    else
        *function = (void *)not_supported;
    if (status != NULL)
        *status = 0;
    return 0;
}
