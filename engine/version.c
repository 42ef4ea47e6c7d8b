/* SPDX-License-Identifier: Apache-2.0 */
/* The version that this library was built as. */
#include "rockpress/version.h"

#define QUOTED(number) #number
#define TEXT(number) QUOTED(number)

uint32_t rp_version_number(void)
{
    return RP_VERSION_NUMBER;
}

const char *rp_version_string(void)
{
    return TEXT(RP_VERSION_MAJOR) "." TEXT(RP_VERSION_MINOR) "." TEXT(RP_VERSION_PATCH);
}
