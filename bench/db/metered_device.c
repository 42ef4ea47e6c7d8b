/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmetered_device.so is preloaded after librockpress_zstd.so. It gives the plugin a device that
 * stands in for a GPU: the calling thread runs the kernels and makes the copies, and the CPU time
 * of both is metered. A process's CPU time minus the metered time is about what the process would
 * take with a GPU. Only the driver's part of each call is missing.
 *
 * At exit the metered seconds are written to the file that METERED_DEVICE_OUT names.
 */
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rockpress/plugin.h"

static const rp_device *host;
static _Atomic uint64_t metered_ns;

static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static rp_status meter(uint64_t begun, rp_status status)
{
    atomic_fetch_add(&metered_ns, cpu_ns() - begun);
    return status;
}

static rp_stream on_host(rp_stream stream)
{
    rp_stream passed = {host, stream.handle};

    return passed;
}

static rp_status device_alloc(const rp_device *device, size_t bytes, void **memory)
{
    (void)device;
    return host->ops->memory_alloc(host, bytes, memory);
}

static void device_free(const rp_device *device, void *memory)
{
    (void)device;
    host->ops->memory_free(host, memory);
}

static rp_status stream_create(const rp_device *device, void **handle)
{
    (void)device;
    return host->ops->stream_create(host, handle);
}

static void stream_destroy(const rp_device *device, void *handle)
{
    (void)device;
    host->ops->stream_destroy(host, handle);
}

static rp_status copy(rp_stream stream, void *destination, const void *source, size_t bytes,
                      rp_copy_kind kind)
{
    uint64_t begun = cpu_ns();

    return meter(begun, host->ops->copy_async(on_host(stream), destination, source, bytes, kind));
}

static rp_status launch(rp_stream stream, const struct rp_launch *what)
{
    uint64_t begun = cpu_ns();

    return meter(begun, host->ops->launch(on_host(stream), what));
}

static rp_status wait_for(rp_stream stream, uint32_t timeout_us)
{
    return host->ops->wait(on_host(stream), timeout_us);
}

static void close_device(rp_device *device)
{
    (void)device;
}

static const rp_device_ops ops = {
    sizeof(rp_device_ops), device_alloc, device_free, device_alloc, device_free,  stream_create,
    stream_destroy,        copy,         launch,      wait_for,     close_device,
};

/* Without RP_DEVICE_HOST_MEMORY: copies are made, as for a GPU. */
static const rp_device metered = {sizeof(rp_device), &ops, "metered", 0, NULL};

__attribute__((constructor)) static void install(void)
{
    rp_plugin_config config;
    rp_device *opened;
    rp_error error;

    if (getenv("METERED_DEVICE_OUT") == NULL || rp_device_open("host", &opened) != RP_STATUS_OK)
        return;
    host = opened;
    rp_plugin_config_default(&config, sizeof(config));
    config.goal = RP_GOAL_DEVICE;
    rp_plugin_config_from_environment(&config, NULL);
    config.custom_device = &metered;
    if (rp_plugin_configure(&config, &error) != RP_STATUS_OK)
        fprintf(stderr, "metered_device: %s\n", error.message);
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("METERED_DEVICE_OUT");
    FILE *out = path != NULL && host != NULL ? fopen(path, "w") : NULL;

    if (out == NULL)
        return;
    fprintf(out, "%.6f\n", (double)atomic_load(&metered_ns) * 1e-9);
    fclose(out);
}
