/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices: where kernels run. Everything that rockpress asks of a device goes through the
 * table of functions below. "host" runs the kernels on the calling CPU thread; "cuda" runs
 * them on an NVIDIA GPU.
 *
 * A caller may provide a device that wraps one of these: to account for memory, to allocate it
 * elsewhere, to measure, to inject faults. A device of the caller's cannot run kernels by itself,
 * because what a launch consists of (struct rp_launch) is known to rockpress only. Its launch()
 * passes the launch on to the wrapped device.
 *
 * Thread rule: every function of the table may be called from any thread at the same time,
 * except that calls on one stream are made by one thread at a time. None of them may be
 * called in a child after fork(), unless the device was opened there.
 */
#ifndef ROCKPRESS_DEVICE_H
#define ROCKPRESS_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "rockpress/status.h"
#include "rockpress/version.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_device rp_device;

/* A queue of work on a device. `handle` is the device's own (a cudaStream_t for "cuda", NULL
 * for "host"), so a caller may wrap a stream that it made itself. Passed by value, so it has no
 * struct_size and never grows. */
typedef struct rp_stream {
    const rp_device *device;
    void *handle;
} rp_stream;

typedef enum rp_copy_kind {
    RP_COPY_HOST_TO_DEVICE = 0,
    RP_COPY_DEVICE_TO_HOST = 1,
    RP_COPY_DEVICE_TO_DEVICE = 2
} rp_copy_kind;

/* One launch of one stage. Its contents are not part of the interface. */
struct rp_launch;

/*
 * The table. Functions that return rp_status return RP_STATUS_OK or one of the run-time
 * statuses; those that return void are no-ops on a lost device. Every function that is listed here
 * is required. Functions that a later version adds will be optional: rockpress calls only those
 * within struct_size.
 */
typedef struct rp_device_ops {
    size_t struct_size; /* sizeof(rp_device_ops) where the table was compiled */

    /* Device memory, aligned to at least 256 bytes, uninitialised. */
    rp_status (*memory_alloc)(const rp_device *device, size_t bytes, void **d_memory);
    void (*memory_free)(const rp_device *device, void *d_memory);

    /* Host memory that the device copies from and to without an intermediate copy (pinned). */
    rp_status (*staging_alloc)(const rp_device *device, size_t bytes, void **memory);
    void (*staging_free)(const rp_device *device, void *memory);

    rp_status (*stream_create)(const rp_device *device, void **handle);
    void (*stream_destroy)(const rp_device *device, void *handle);

    /* Enqueues; returns without waiting. Allocates nothing, takes no lock of rockpress's. */
    rp_status (*copy_async)(rp_stream stream, void *destination, const void *source, size_t bytes,
                            rp_copy_kind kind);

    /* Enqueues a launch. A wrapping device calls launch() of the wrapped one, with a stream whose
     * device is the wrapped one. The launch is only valid during the call. */
    rp_status (*launch)(rp_stream stream, const struct rp_launch *launch);

    /* Waits until all that was enqueued on the stream is done, for at most timeout_us
     * microseconds (0: only asks). RP_STATUS_TIMEOUT if it is not done by then. */
    rp_status (*wait)(rp_stream stream, uint32_t timeout_us);

    /* Releases the device itself. */
    void (*close)(rp_device *device);
} rp_device_ops;

/* Device memory is plain host memory, so no copies are needed between the two, and what is enqueued
 * is done when the call returns. */
#define RP_DEVICE_HOST_MEMORY UINT32_C(1)

/* Kernels may write to staging memory, at the address that the host has for it; what they wrote is
 * there once the stream has been waited for. */
#define RP_DEVICE_MAPPED_STAGING UINT32_C(2)

/* The device runs small batches of small inputs in one launch instead of four. */
#define RP_DEVICE_FUSED_LAUNCH UINT32_C(4)

/* A device that wraps another one has the same flags, without RP_DEVICE_MAPPED_STAGING where its
 * staging memory is not the wrapped device's. */
struct rp_device {
    size_t struct_size; /* sizeof(rp_device) where the device was made */
    const rp_device_ops *ops;
    const char *name; /* for logs and statistics: "host", "cuda:0" */
    uint32_t flags;   /* RP_DEVICE_* */
    void *state;      /* the device's own */
};

/*
 * Opens a device by name: "host", "cuda" (the first usable GPU) or "cuda:N".
 * RP_STATUS_NULL_POINTER, RP_STATUS_UNKNOWN_DEVICE for another name, RP_STATUS_DEVICE_UNAVAILABLE
 * when there is no driver, no such GPU or no librockpress_cuda.so of this version,
 * RP_STATUS_OUT_OF_HOST_MEMORY, or another run-time status where CUDA reports an error.
 * On failure *device is NULL. Close with rp_device_close(). Any thread.
 *
 * Everything of CUDA is in librockpress_cuda.so, which is loaded when a GPU is first opened or
 * listed, and stays. It is the file that the environment variable ROCKPRESS_CUDA_LIBRARY names.
 * Without that it is looked for beside the file that has rockpress in it, in the folder where
 * rockpress's libraries were to be installed, and where the dynamic linker looks. A program that
 * runs with more rights than its caller ignores the variable and the first folder. A first folder
 * that everybody may write to is left out. A module's constructor, which runs under the dynamic
 * linker's lock, must not wait for a thread that is here.
 */
RP_API rp_status rp_device_open(const char *name, rp_device **device);

/* A device of this machine, and whether it can be opened. */
typedef struct rp_device_info {
    size_t struct_size;
    char name[16]; /* as rp_device_open() takes it: "host", "cuda:0"; "cuda": no GPU at all */
    char description[160]; /* for a person: model, compute capability, memory */
    rp_status status;      /* RP_STATUS_OK, or what rp_device_open() would return */
    char reason[164];      /* for a person: why it cannot be opened; empty if it can */
} rp_device_info;

#define RP_DEVICE_INFO_INIT                                                                        \
    {                                                                                              \
        sizeof(rp_device_info), "", "", RP_STATUS_OK, ""                                           \
    }

/*
 * Describes up to `capacity` devices: the host, then every GPU, or one entry "cuda" that says why
 * there is none. Returns how many there are, which may be more. The struct_size of infos[0] is
 * that of every element, and is set in all that are filled:
 *     rp_device_info infos[8] = {RP_DEVICE_INFO_INIT};
 * Returns 0 and fills nothing if that struct_size is not one that rockpress/version.h allows. infos
 * may be NULL with a capacity of 0. Initialises CUDA, as rp_device_open("cuda") does. Any thread.
 */
RP_API size_t rp_device_list(rp_device_info *infos, size_t capacity);

/* Closes a device; NULL is allowed. Every stream and all memory of it must be gone before. A device
 * is closed once: "cuda" is freed by it, and its pointer may be another device's afterwards. "host"
 * is one for all, and closing it does nothing. A device without a complete table (rp_device_ops) is
 * left alone. */
RP_API void rp_device_close(rp_device *device);

/* Short forms of the table's functions, with a check of the arguments before each:
 * RP_STATUS_NULL_POINTER; RP_STATUS_INVALID_STREAM, also where the device has no table or one of
 * the table's functions is NULL; RP_STATUS_INVALID_STRUCT_SIZE, as a device that is all zero bytes
 * has. Where a stream cannot be made, its device is NULL. */
RP_API rp_status rp_stream_create(const rp_device *device, rp_stream *stream);
RP_API void rp_stream_destroy(rp_stream stream);
RP_API rp_status rp_stream_wait(rp_stream stream, uint32_t timeout_us);

#ifdef __cplusplus
}
#endif

#endif
