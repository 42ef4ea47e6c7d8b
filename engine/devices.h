/* SPDX-License-Identifier: Apache-2.0 */
/* The devices that rp_device_open() knows. */
#ifndef ROCKPRESS_ENGINE_DEVICES_H
#define ROCKPRESS_ENGINE_DEVICES_H

#include "rockpress/device.h"

rp_status rp_open_host_device(rp_device **device);

/* ordinal < 0: the first usable GPU. RP_STATUS_DEVICE_UNAVAILABLE in a build without CUDA. */
rp_status rp_open_cuda_device(int ordinal, rp_device **device);

/* Describes up to `capacity` GPUs and returns how many there are; if there are none, one entry that
 * says why. */
size_t rp_list_cuda_devices(rp_device_info *infos, size_t capacity);

#endif
