/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a device by name, and the checked short forms of the device table. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/check.h"
#include "engine/devices.h"
#include "engine/error.h"
#include "engine/struct_size.h"

static const rp_struct_kind info_kind = RP_STRUCT_KIND(rp_device_info, reason);
static const rp_struct_kind device_kind = RP_STRUCT_KIND(rp_device, state);
static const rp_struct_kind ops_kind = RP_STRUCT_KIND(rp_device_ops, close);

/* "cuda" gives -1, "cuda:N" gives N; false for anything else. */
static int parse_cuda(const char *name, int *ordinal)
{
    if (strncmp(name, "cuda", 4) != 0)
        return 0;
    *ordinal = -1;
    if (name[4] == '\0')
        return 1;
    if (name[4] != ':' || name[5] < '0' || name[5] > '9')
        return 0;
    char *end;
    long value = strtol(name + 5, &end, 10);
    *ordinal = (int)value;
    return *end == '\0' && value <= 1023;
}

rp_status rp_device_open(const char *name, rp_device **device)
{
    int ordinal;
    if (device == NULL)
        return RP_STATUS_NULL_POINTER;
    *device = NULL;
    if (name == NULL)
        return RP_STATUS_NULL_POINTER;
    if (strcmp(name, "host") == 0)
        return rp_open_host_device(device);
    if (parse_cuda(name, &ordinal))
        return rp_open_cuda_device(ordinal, device);
    return RP_STATUS_UNKNOWN_DEVICE;
}

size_t rp_device_list(rp_device_info *infos, size_t capacity)
{
    rp_device_info info = {sizeof(info), "host", "the calling CPU thread", RP_STATUS_OK, ""};
    rp_device_info why_none;
    if (infos == NULL)
        capacity = 0;
    if (capacity > 0 && rp_check_struct_size(&info_kind, infos, NULL) != RP_STATUS_OK)
        return 0;
    size_t info_bytes = capacity > 0 ? infos[0].struct_size : 0;
    int n_gpus = rp_count_cuda_devices(&why_none);
    size_t n = 1 + (n_gpus == 0 ? 1 : (size_t)n_gpus);
    for (size_t i = 0; i < n && i < capacity; i++) {
        uint8_t *element = (uint8_t *)infos + i * info_bytes;
        if (i > 0 && n_gpus == 0)
            info = why_none;
        else if (i > 0)
            rp_describe_cuda_device((int)i - 1, &info);
        memcpy(element, &info_bytes, sizeof(info_bytes));
        (void)rp_write_struct(&info_kind, element, &info, NULL);
    }
    return n;
}

void rp_device_close(rp_device *device)
{
    if (device != NULL && rp_check_device(device, NULL) == RP_STATUS_OK)
        device->ops->close(device);
}

/* Every call asks; which one is missing is looked for only where one is. */
static bool is_table_complete(const rp_device_ops *ops)
{
    return ops->memory_alloc != NULL && ops->memory_free != NULL && ops->staging_alloc != NULL &&
           ops->staging_free != NULL && ops->stream_create != NULL && ops->stream_destroy != NULL &&
           ops->copy_async != NULL && ops->launch != NULL && ops->wait != NULL &&
           ops->close != NULL;
}

static const char *first_missing_function(const rp_device_ops *ops)
{
    const struct {
        bool is_there;
        const char *name;
    } functions[] = {
        {ops->memory_alloc != NULL, "memory_alloc"},
        {ops->memory_free != NULL, "memory_free"},
        {ops->staging_alloc != NULL, "staging_alloc"},
        {ops->staging_free != NULL, "staging_free"},
        {ops->stream_create != NULL, "stream_create"},
        {ops->stream_destroy != NULL, "stream_destroy"},
        {ops->copy_async != NULL, "copy_async"},
        {ops->launch != NULL, "launch"},
        {ops->wait != NULL, "wait"},
    };
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (!functions[i].is_there)
            return functions[i].name;
    }
    return "close";
}

rp_status rp_check_device(const rp_device *device, rp_error *error)
{
    rp_status status = rp_check_struct_size(&device_kind, device, error);
    if (status != RP_STATUS_OK)
        return status;
    if (device->ops == NULL)
        return rp_fail(error, RP_STATUS_INVALID_STREAM, "the device's table of functions is NULL");
    status = rp_check_struct_size(&ops_kind, device->ops, error);
    if (status == RP_STATUS_OK && !is_table_complete(device->ops))
        return rp_fail(error, RP_STATUS_INVALID_STREAM, "the device's table has no function %s",
                       first_missing_function(device->ops));
    return status;
}

rp_status rp_stream_create(const rp_device *device, rp_stream *stream)
{
    if (stream == NULL)
        return RP_STATUS_NULL_POINTER;
    stream->device = NULL;
    stream->handle = NULL;
    if (device == NULL)
        return RP_STATUS_NULL_POINTER;
    rp_status status = rp_check_device(device, NULL);
    if (status == RP_STATUS_OK)
        status = device->ops->stream_create(device, &stream->handle);
    if (status == RP_STATUS_OK)
        stream->device = device;
    return status;
}

void rp_stream_destroy(rp_stream stream)
{
    if (stream.device != NULL && rp_check_device(stream.device, NULL) == RP_STATUS_OK)
        stream.device->ops->stream_destroy(stream.device, stream.handle);
}

rp_status rp_stream_wait(rp_stream stream, uint32_t timeout_us)
{
    if (stream.device == NULL)
        return RP_STATUS_INVALID_STREAM;
    rp_status status = rp_check_device(stream.device, NULL);
    if (status == RP_STATUS_OK)
        status = stream.device->ops->wait(stream, timeout_us);
    return status;
}
