/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a device by name, and the checked short forms of the device table. */
#include <stdlib.h>
#include <string.h>

#include "engine/devices.h"

#ifndef ROCKPRESS_WITH_CUDA
rp_status rp_open_cuda_device(int ordinal, rp_device **device)
{
    (void)ordinal;
    *device = NULL;
    return RP_STATUS_DEVICE_UNAVAILABLE;
}

size_t rp_list_cuda_devices(rp_device_info *infos, size_t capacity)
{
    if (capacity > 0) {
        memset(&infos[0], 0, sizeof(infos[0]));
        strcpy(infos[0].name, "cuda");
        infos[0].status = RP_STATUS_DEVICE_UNAVAILABLE;
        strcpy(infos[0].reason, "this build of rockpress has no CUDA support");
    }
    return 1;
}
#endif

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
    if (infos == NULL)
        capacity = 0;
    if (capacity > 0) {
        memset(&infos[0], 0, sizeof(infos[0]));
        strcpy(infos[0].name, "host");
        strcpy(infos[0].description, "the calling CPU thread");
        infos[0].status = RP_STATUS_OK;
    }
    return 1 + (capacity > 1 ? rp_list_cuda_devices(infos + 1, capacity - 1)
                             : rp_list_cuda_devices(NULL, 0));
}

void rp_device_close(rp_device *device)
{
    if (device != NULL)
        device->ops->close(device);
}

rp_status rp_stream_create(const rp_device *device, rp_stream *stream)
{
    if (device == NULL || stream == NULL)
        return RP_STATUS_NULL_POINTER;
    stream->device = device;
    stream->handle = NULL;
    rp_status status = device->ops->stream_create(device, &stream->handle);
    if (status != RP_STATUS_OK)
        stream->device = NULL;
    return status;
}

void rp_stream_destroy(rp_stream stream)
{
    if (stream.device != NULL)
        stream.device->ops->stream_destroy(stream.device, stream.handle);
}

rp_status rp_stream_wait(rp_stream stream, uint32_t timeout_us)
{
    if (stream.device == NULL)
        return RP_STATUS_INVALID_STREAM;
    return stream.device->ops->wait(stream, timeout_us);
}
