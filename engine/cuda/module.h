/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine and librockpress_cuda.so have of each other. That library is all that needs CUDA:
 * the "cuda" device, the kernels and CUDA's runtime. The engine loads it when a GPU is first listed
 * or opened (engine/cuda_loader.c), so a process that needs no GPU has nothing of it.
 *
 * The library exports one function, which returns the table below. Both sides are built from the
 * same version of the sources, as a launch is laid out as its version lays it out. The loader
 * refuses any other.
 */
#ifndef ROCKPRESS_ENGINE_CUDA_MODULE_H
#define ROCKPRESS_ENGINE_CUDA_MODULE_H

#include <stddef.h>
#include <stdint.h>

#include "rockpress/device.h"

/* Its file and its function. The number is that of the interface of rockpress's libraries. */
#define RP_CUDA_LIBRARY "librockpress_cuda.so.0"
#define RP_CUDA_FUNCTION "rp_cuda_module"

/* The first two fields are the same in every version, so that any version can be told from any
 * other. */
typedef struct rp_cuda_table {
    size_t struct_size;
    uint32_t version;      /* RP_VERSION_NUMBER */
    uint32_t launch_bytes; /* sizeof(struct rp_launch) */

    /* As in engine/devices.h. */
    int (*count_devices)(rp_device_info *why_none);
    void (*describe_device)(int ordinal, rp_device_info *info);
    rp_status (*open_device)(int ordinal, rp_device **device);
} rp_cuda_table;

typedef const rp_cuda_table *rp_cuda_module_function(void);

/* In librockpress_cuda.so. Never NULL; the table is constant. Any thread; nothing of CUDA is
 * called. */
RP_API const rp_cuda_table *rp_cuda_module(void);

#endif
