/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structs of callers that were compiled with other headers, as rockpress/version.h promises. The
 * rule for fields that this library does not know is that of Linux for its system calls
 * (copy_struct_from_user): zero is "not asked for".
 */
#include "engine/struct_size.h"

#include <string.h>

#include "engine/error.h"
#include "rockpress/version.h"

static size_t size_of(const void *given)
{
    size_t struct_size;
    memcpy(&struct_size, given, sizeof(struct_size));
    return struct_size;
}

rp_status rp_check_struct_size(const rp_struct_kind *kind, const void *given, rp_error *error)
{
    size_t size = size_of(given);
    if (size < kind->first_bytes || size > RP_MAX_STRUCT_BYTES)
        return rp_fail(error, RP_STATUS_INVALID_STRUCT_SIZE,
                       "%s has struct_size %zu; allowed: %zu to %zu, set by the initialiser",
                       kind->name, size, kind->first_bytes, (size_t)RP_MAX_STRUCT_BYTES);
    return RP_STATUS_OK;
}

rp_status rp_read_struct(const rp_struct_kind *kind, void *known, const void *given,
                         rp_error *error)
{
    const unsigned char *bytes = given;
    if (given == NULL)
        return rp_fail(error, RP_STATUS_NULL_POINTER, "%s is NULL", kind->name);
    size_t size = size_of(given);
    rp_status status = rp_check_struct_size(kind, given, error);
    if (status != RP_STATUS_OK)
        return status;
    for (size_t i = kind->known_bytes; i < size; i++) {
        if (bytes[i] != 0)
            return rp_fail(error, RP_STATUS_INVALID_STRUCT_SIZE,
                           "%s has struct_size %zu and byte %zu is %u; this library knows %zu "
                           "bytes, allowed after them: 0",
                           kind->name, size, i, (unsigned)bytes[i], kind->known_bytes);
    }
    memcpy(known, given, size < kind->known_bytes ? size : kind->known_bytes);
    memcpy(known, &kind->known_bytes, sizeof(kind->known_bytes));
    return RP_STATUS_OK;
}

rp_status rp_write_struct(const rp_struct_kind *kind, void *given, const void *known,
                          rp_error *error)
{
    unsigned char *bytes = given;
    size_t size = size_of(given);
    rp_status status = rp_check_struct_size(kind, given, error);
    if (status != RP_STATUS_OK)
        return status;
    memcpy(bytes, known, size < kind->known_bytes ? size : kind->known_bytes);
    if (size > kind->known_bytes)
        memset(bytes + kind->known_bytes, 0, size - kind->known_bytes);
    memcpy(bytes, &size, sizeof(size));
    return RP_STATUS_OK;
}
