/* SPDX-License-Identifier: Apache-2.0 */
/* The devices that rp_device_open() knows. */
#ifndef ROCKPRESS_ENGINE_DEVICES_H
#define ROCKPRESS_ENGINE_DEVICES_H

#include "rockpress/device.h"

rp_status rp_open_host_device(rp_device **device);

/* ordinal < 0: the first usable GPU. RP_STATUS_DEVICE_UNAVAILABLE also where librockpress_cuda.so
 * cannot be loaded (engine/cuda_loader.c). */
rp_status rp_open_cuda_device(int ordinal, rp_device **device);

/* How many GPUs there are; if there are none, *why_none says why. */
int rp_count_cuda_devices(rp_device_info *why_none);

/* Fills *info, all but its struct_size, for one GPU; its status says whether it can be used. */
void rp_describe_cuda_device(int ordinal, rp_device_info *info);

#endif
