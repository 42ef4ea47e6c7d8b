/* SPDX-License-Identifier: Apache-2.0 */
/* See core/device_name.h. */
#include "plugin/core/device_name.h"

#include <stddef.h>
#include <string.h>

const char *rp_device_name_refused(const char *name)
{
    static const char *const names[] = {"auto", "cuda", "host", "off"};
    static const char allowed[] = "auto, cuda, cuda:N, host, off";
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0)
            return NULL;
    }
    if (length < 6 || length > 8 || memcmp(name, "cuda:", 5) != 0)
        return allowed;
    for (size_t i = 5; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return allowed;
    }
    return NULL;
}
