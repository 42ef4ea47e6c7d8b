/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "cuda" device: an NVIDIA GPU through the CUDA runtime, which is linked statically into this
 * library (engine/cuda/module.h) and does nothing before the first call. Nothing here calls it from
 * a constructor or destructor. A stream's handle is a cudaStream_t, and may be the caller's.
 *
 * The device that is current on the calling thread is left as it was found.
 *
 * CUDA has two kinds of errors. After some the process can go on. The others ("sticky") come back
 * from every later call, so the device counts as lost from then on: everything fails with
 * RP_STATUS_DEVICE_FAULT, and nothing is freed because freeing would fail too.
 */
#include <cuda_runtime_api.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "engine/cuda/errors.h"
#include "engine/cuda/module.h"
#include "kernels/base/stages.h"
#include "kernels/cuda/launch.h"

/* The first with __reduce_min_sync and with asynchronous copies to shared memory. */
#define MIN_COMPUTE_CAPABILITY 8

typedef struct cuda_state {
    rp_device device;
    int ordinal;
    char name[16];
    _Atomic bool lost;
} cuda_state;

static cuda_state *state_of(const rp_device *device)
{
    return (cuda_state *)device->state;
}

/* The table names errors by number. */
#define SAME(name, number, status)                                                                 \
    _Static_assert((int)name == (number), "engine/cuda/errors.h: " #name);
RP_CUDA_ERRORS(SAME)
#if CUDART_VERSION >= 13000
RP_CUDA_ERRORS_OF_LATER_TOOLKITS(SAME)
#endif
#undef SAME

static rp_status status_of(cudaError_t error)
{
    return rp_status_of_cuda_error((int)error);
}

/* The status of a call. If the device is lost, that is stored. CUDA keeps the last error of a
 * thread until it is asked for; it is cleared here, so that the application does not get our error.
 */
static rp_status result(cuda_state *state, cudaError_t error)
{
    if (error == cudaSuccess)
        return RP_STATUS_OK;
    (void)cudaGetLastError();
    rp_status status = status_of(error);
    if (status == RP_STATUS_DEVICE_FAULT)
        atomic_store_explicit(&state->lost, true, memory_order_relaxed);
    return status;
}

/* Makes the device current; leave() undoes it. */
static rp_status enter(cuda_state *state, int *previous)
{
    if (atomic_load_explicit(&state->lost, memory_order_relaxed))
        return RP_STATUS_DEVICE_FAULT;
    cudaError_t error = cudaGetDevice(previous);
    if (error == cudaSuccess && *previous != state->ordinal)
        error = cudaSetDevice(state->ordinal);
    return result(state, error);
}

static rp_status leave(cuda_state *state, int previous, cudaError_t error)
{
    rp_status status = result(state, error);
    if (previous != state->ordinal)
        (void)cudaSetDevice(previous);
    return status;
}

static rp_status cuda_memory_alloc(const rp_device *device, size_t bytes, void **d_memory)
{
    cuda_state *state = state_of(device);
    int previous;
    *d_memory = NULL;
    rp_status status = enter(state, &previous);
    if (status == RP_STATUS_OK)
        status = leave(state, previous, cudaMalloc(d_memory, bytes));
    return status;
}

static void cuda_memory_free(const rp_device *device, void *d_memory)
{
    cuda_state *state = state_of(device);
    int previous;
    if (enter(state, &previous) == RP_STATUS_OK)
        (void)leave(state, previous, cudaFree(d_memory));
}

static rp_status cuda_staging_alloc(const rp_device *device, size_t bytes, void **memory)
{
    const unsigned flags = cudaHostAllocPortable | cudaHostAllocMapped;
    cuda_state *state = state_of(device);
    int previous;
    *memory = NULL;
    rp_status status = enter(state, &previous);
    if (status == RP_STATUS_OK)
        status = leave(state, previous, cudaHostAlloc(memory, bytes, flags));
    return status == RP_STATUS_OUT_OF_DEVICE_MEMORY ? RP_STATUS_OUT_OF_HOST_MEMORY : status;
}

static void cuda_staging_free(const rp_device *device, void *memory)
{
    cuda_state *state = state_of(device);
    int previous;
    if (enter(state, &previous) == RP_STATUS_OK)
        (void)leave(state, previous, cudaFreeHost(memory));
}

static rp_status cuda_stream_create(const rp_device *device, void **handle)
{
    cuda_state *state = state_of(device);
    int previous;
    cudaStream_t stream = NULL;
    rp_status status = enter(state, &previous);
    /* Not synchronised with the default stream, which belongs to the application. */
    if (status == RP_STATUS_OK)
        status = leave(state, previous, cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    *handle = stream;
    return status;
}

static void cuda_stream_destroy(const rp_device *device, void *handle)
{
    cuda_state *state = state_of(device);
    int previous;
    if (enter(state, &previous) == RP_STATUS_OK)
        (void)leave(state, previous, cudaStreamDestroy((cudaStream_t)handle));
}

static rp_status cuda_copy_async(rp_stream stream, void *destination, const void *source,
                                 size_t bytes, rp_copy_kind kind)
{
    cuda_state *state = state_of(stream.device);
    int previous;
    if (bytes == 0)
        return RP_STATUS_OK;
    enum cudaMemcpyKind direction = kind == RP_COPY_HOST_TO_DEVICE   ? cudaMemcpyHostToDevice
                                    : kind == RP_COPY_DEVICE_TO_HOST ? cudaMemcpyDeviceToHost
                                                                     : cudaMemcpyDeviceToDevice;
    rp_status status = enter(state, &previous);
    if (status == RP_STATUS_OK)
        status = leave(
            state, previous,
            cudaMemcpyAsync(destination, source, bytes, direction, (cudaStream_t)stream.handle));
    return status;
}

static rp_status cuda_launch(rp_stream stream, const struct rp_launch *launch)
{
    cuda_state *state = state_of(stream.device);
    int previous;
    rp_status status = enter(state, &previous);
    if (status == RP_STATUS_OK)
        status = leave(state, previous, (cudaError_t)rp_launch_kernels(launch, stream.handle));
    return status;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Shortest and longest sleep between two queries of a stream. */
#define MIN_SLEEP_NS UINT64_C(5000)
#define MAX_SLEEP_NS UINT64_C(1000000)

/* How long this thread's last two waits took. The shorter one is what the next wait is expected to
 * take, so that a block that comes after a batch is not expected to take as long as the batch. */
static _Thread_local uint64_t last_waits_ns[2];

static uint64_t expected_ns(void)
{
    return last_waits_ns[0] < last_waits_ns[1] ? last_waits_ns[0] : last_waits_ns[1];
}

/* How long to sleep before the next query. A sleep that ends late adds to the latency, so a sleep
 * is a quarter of the time waited so far. But the blocks of a thread take similar times: the thread
 * first sleeps for seven eighths of the expected time, and then queries more often. */
static uint64_t next_sleep_ns(uint64_t waited, uint64_t expected)
{
    uint64_t sleep = waited / 4;
    if (waited < expected / 8 * 7)
        sleep = expected / 8 * 7 - waited;
    else if (waited < expected * 2)
        sleep = expected / 32;
    return sleep < MIN_SLEEP_NS ? MIN_SLEEP_NS : sleep > MAX_SLEEP_NS ? MAX_SLEEP_NS : sleep;
}

/*
 * Queries the stream and sleeps in between. A thread that spins would use the CPU time that the GPU
 * saves, and CUDA's own blocking waits have no time limit. Linux lets a sleep end late by the
 * thread's timer slack. Its default of 50 us is as long as a whole block takes, so the slack is
 * reduced during the wait.
 */
static rp_status cuda_wait(rp_stream stream, uint32_t timeout_us)
{
    cuda_state *state = state_of(stream.device);
    if (atomic_load_explicit(&state->lost, memory_order_relaxed))
        return RP_STATUS_DEVICE_FAULT;
    cudaStream_t handle = (cudaStream_t)stream.handle;
    cudaError_t error = cudaStreamQuery(handle);
    if (error == cudaErrorNotReady && timeout_us != 0) {
        int slack = prctl(PR_GET_TIMERSLACK);
        (void)prctl(PR_SET_TIMERSLACK, 1UL);
        uint64_t start = now_ns();
        uint64_t limit = (uint64_t)timeout_us * 1000;
        uint64_t waited = 0;
        uint64_t expected = expected_ns();
        unsigned n_sleeps = 0;
        while (error == cudaErrorNotReady && waited < limit) {
            uint64_t sleep = next_sleep_ns(waited, expected);
            sleep = sleep > limit - waited ? limit - waited : sleep;
            struct timespec duration = {0, (long)sleep};
            (void)nanosleep(&duration, NULL);
            error = cudaStreamQuery(handle);
            waited = now_ns() - start;
            n_sleeps++;
        }
        /* After one sleep the work may have been done long before it ended. So less than the whole
         * wait is expected next: otherwise a thread that once overslept would always do so. */
        last_waits_ns[1] = last_waits_ns[0];
        last_waits_ns[0] = n_sleeps == 1 ? waited / 4 * 3 : waited;
        if (slack > 0)
            (void)prctl(PR_SET_TIMERSLACK, (unsigned long)slack);
    }
    if (error == cudaErrorNotReady) {
        (void)cudaGetLastError();
        return RP_STATUS_TIMEOUT;
    }
    return result(state, error);
}

static void cuda_close(rp_device *device)
{
    free(state_of(device));
}

static const rp_device_ops cuda_ops = {
    sizeof(rp_device_ops), cuda_memory_alloc,  cuda_memory_free,    cuda_staging_alloc,
    cuda_staging_free,     cuda_stream_create, cuda_stream_destroy, cuda_copy_async,
    cuda_launch,           cuda_wait,          cuda_close,
};

/* "13.0" of 13000. */
static void format_version(char *text, size_t bytes, int version)
{
    snprintf(text, bytes, "%d.%d", version / 1000, version % 1000 / 10);
}

static void explain(rp_device_info *info, cudaError_t error)
{
    (void)cudaGetLastError();
    info->status = status_of(error);
    if (error == cudaErrorInsufficientDriver) {
        char has[16];
        char needs[16];
        int driver = 0;
        (void)cudaDriverGetVersion(&driver);
        format_version(has, sizeof(has), driver);
        format_version(needs, sizeof(needs), CUDART_VERSION);
        if (driver == 0)
            snprintf(info->reason, sizeof(info->reason), "no NVIDIA driver (libcuda.so.1)");
        else
            snprintf(info->reason, sizeof(info->reason),
                     "the driver supports CUDA %s; needed: %s or later", has, needs);
    } else {
        snprintf(info->reason, sizeof(info->reason), "%s: %s", cudaGetErrorName(error),
                 cudaGetErrorString(error));
    }
}

static void describe_device(int ordinal, rp_device_info *info)
{
    const rp_device_info empty = RP_DEVICE_INFO_INIT;
    struct cudaDeviceProp properties;
    *info = empty;
    snprintf(info->name, sizeof(info->name), "cuda:%d", ordinal);
    cudaError_t error = cudaGetDeviceProperties(&properties, ordinal);
    if (error != cudaSuccess) {
        explain(info, error);
        return;
    }
    snprintf(info->description, sizeof(info->description),
             "%.64s, compute capability %d.%d, %zu MiB, %d SMs", properties.name, properties.major,
             properties.minor, properties.totalGlobalMem >> 20, properties.multiProcessorCount);
    if (properties.major < MIN_COMPUTE_CAPABILITY) {
        info->status = RP_STATUS_DEVICE_UNAVAILABLE;
        snprintf(info->reason, sizeof(info->reason),
                 "compute capability %d.%d; needed: %d.0 or later", properties.major,
                 properties.minor, MIN_COMPUTE_CAPABILITY);
        return;
    }
    int previous = 0;
    error = cudaGetDevice(&previous);
    if (error == cudaSuccess)
        error = cudaSetDevice(ordinal);
    if (error == cudaSuccess)
        error = (cudaError_t)rp_prepare_kernels();
    if (error != cudaSuccess)
        explain(info, error);
    (void)cudaSetDevice(previous);
}

static int count_devices(rp_device_info *why_none)
{
    const rp_device_info empty = RP_DEVICE_INFO_INIT;
    int n = 0;
    cudaError_t error = cudaGetDeviceCount(&n);
    if (error == cudaSuccess && n == 0)
        error = cudaErrorNoDevice;
    if (error == cudaSuccess)
        return n;
    *why_none = empty;
    snprintf(why_none->name, sizeof(why_none->name), "cuda");
    explain(why_none, error);
    return 0;
}

/* With unified addressing, which every 64-bit Linux has, pinned memory has the same address on the
 * host and on the device. It costs nothing to ask. */
static bool has_mapped_staging(int ordinal)
{
    int unified = 0;
    int can_map = 0;
    if (cudaDeviceGetAttribute(&unified, cudaDevAttrUnifiedAddressing, ordinal) != cudaSuccess ||
        cudaDeviceGetAttribute(&can_map, cudaDevAttrCanMapHostMemory, ordinal) != cudaSuccess)
        (void)cudaGetLastError();
    return unified != 0 && can_map != 0;
}

static rp_status open_device(int ordinal, rp_device **device)
{
    rp_device_info info;
    int n = count_devices(&info);
    *device = NULL;
    if (n == 0)
        return info.status;
    int first = ordinal < 0 ? 0 : ordinal;
    int end = ordinal < 0 ? n : ordinal + 1;
    rp_status status = RP_STATUS_DEVICE_UNAVAILABLE;
    for (int i = first; i < end && i < n && status != RP_STATUS_OK; i++) {
        describe_device(i, &info);
        status = info.status;
        first = i;
    }
    if (status != RP_STATUS_OK)
        return status;
    cuda_state *state = calloc(1, sizeof(*state));
    if (state == NULL)
        return RP_STATUS_OUT_OF_HOST_MEMORY;
    state->ordinal = first;
    memcpy(state->name, info.name, sizeof(state->name));
    atomic_init(&state->lost, false);
    state->device.struct_size = sizeof(state->device);
    state->device.ops = &cuda_ops;
    state->device.name = state->name;
    state->device.flags =
        RP_DEVICE_FUSED_LAUNCH | (has_mapped_staging(first) ? RP_DEVICE_MAPPED_STAGING : 0);
    state->device.state = state;
    *device = &state->device;
    return RP_STATUS_OK;
}

const rp_cuda_table *rp_cuda_module(void)
{
    static const rp_cuda_table table = {
        sizeof(table), RP_VERSION_NUMBER, sizeof(struct rp_launch),
        count_devices, describe_device,   open_device,
    };
    return &table;
}
