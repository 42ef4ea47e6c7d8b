/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status for each error of the CUDA runtime. The table is by number, because CUDA never changes
 * a number: so it can be tested without CUDA, and it covers errors that the toolkit of the build
 * has no name for. device.c asserts that names and numbers belong together.
 *
 * RP_STATUS_DEVICE_FAULT: CUDA says that the process must be terminated ("sticky": every later call
 * returns the error too), or there is no context any more.
 * RP_STATUS_DEVICE_UNAVAILABLE: this machine cannot run rockpress's kernels, or cannot now.
 * RP_STATUS_OUT_OF_DEVICE_MEMORY: one error.
 * RP_STATUS_LAUNCH_FAILED: all others. This call failed, and the device still works.
 */
#ifndef ROCKPRESS_ENGINE_CUDA_ERRORS_H
#define ROCKPRESS_ENGINE_CUDA_ERRORS_H

#include "rockpress/status.h"

/* ERROR(name, number, status) */
#define RP_CUDA_ERRORS(ERROR)                                                                      \
    ERROR(cudaSuccess, 0, RP_STATUS_OK)                                                            \
    ERROR(cudaErrorMemoryAllocation, 2, RP_STATUS_OUT_OF_DEVICE_MEMORY)                            \
    ERROR(cudaErrorInitializationError, 3, RP_STATUS_DEVICE_UNAVAILABLE)                           \
    ERROR(cudaErrorCudartUnloading, 4, RP_STATUS_DEVICE_FAULT)                                     \
    ERROR(cudaErrorStubLibrary, 34, RP_STATUS_DEVICE_UNAVAILABLE)                                  \
    ERROR(cudaErrorInsufficientDriver, 35, RP_STATUS_DEVICE_UNAVAILABLE)                           \
    ERROR(cudaErrorDevicesUnavailable, 46, RP_STATUS_DEVICE_UNAVAILABLE)                           \
    ERROR(cudaErrorNoDevice, 100, RP_STATUS_DEVICE_UNAVAILABLE)                                    \
    ERROR(cudaErrorInvalidDevice, 101, RP_STATUS_DEVICE_UNAVAILABLE)                               \
    ERROR(cudaErrorDeviceNotLicensed, 102, RP_STATUS_DEVICE_UNAVAILABLE)                           \
    ERROR(cudaErrorNoKernelImageForDevice, 209, RP_STATUS_DEVICE_UNAVAILABLE)                      \
    ERROR(cudaErrorECCUncorrectable, 214, RP_STATUS_DEVICE_FAULT)                                  \
    ERROR(cudaErrorNvlinkUncorrectable, 220, RP_STATUS_DEVICE_FAULT)                               \
    ERROR(cudaErrorUnsupportedPtxVersion, 222, RP_STATUS_DEVICE_UNAVAILABLE)                       \
    ERROR(cudaErrorIllegalAddress, 700, RP_STATUS_DEVICE_FAULT)                                    \
    ERROR(cudaErrorLaunchTimeout, 702, RP_STATUS_DEVICE_FAULT)                                     \
    ERROR(cudaErrorContextIsDestroyed, 709, RP_STATUS_DEVICE_FAULT)                                \
    ERROR(cudaErrorAssert, 710, RP_STATUS_DEVICE_FAULT)                                            \
    ERROR(cudaErrorHardwareStackError, 714, RP_STATUS_DEVICE_FAULT)                                \
    ERROR(cudaErrorIllegalInstruction, 715, RP_STATUS_DEVICE_FAULT)                                \
    ERROR(cudaErrorMisalignedAddress, 716, RP_STATUS_DEVICE_FAULT)                                 \
    ERROR(cudaErrorInvalidAddressSpace, 717, RP_STATUS_DEVICE_FAULT)                               \
    ERROR(cudaErrorInvalidPc, 718, RP_STATUS_DEVICE_FAULT)                                         \
    ERROR(cudaErrorLaunchFailure, 719, RP_STATUS_DEVICE_FAULT)                                     \
    ERROR(cudaErrorSystemNotReady, 802, RP_STATUS_DEVICE_UNAVAILABLE)                              \
    ERROR(cudaErrorSystemDriverMismatch, 803, RP_STATUS_DEVICE_UNAVAILABLE)                        \
    ERROR(cudaErrorCompatNotSupportedOnDevice, 804, RP_STATUS_DEVICE_UNAVAILABLE)                  \
    ERROR(cudaErrorMpsConnectionFailed, 805, RP_STATUS_DEVICE_FAULT)                               \
    ERROR(cudaErrorMpsServerNotReady, 807, RP_STATUS_DEVICE_UNAVAILABLE)                           \
    ERROR(cudaErrorMpsMaxClientsReached, 808, RP_STATUS_DEVICE_UNAVAILABLE)                        \
    ERROR(cudaErrorMpsMaxConnectionsReached, 809, RP_STATUS_DEVICE_UNAVAILABLE)                    \
    ERROR(cudaErrorMpsClientTerminated, 810, RP_STATUS_DEVICE_FAULT)                               \
    ERROR(cudaErrorExternalDevice, 911, RP_STATUS_DEVICE_FAULT)                                    \
    ERROR(cudaErrorUnknown, 999, RP_STATUS_DEVICE_FAULT)

/* The oldest supported toolkits do not have these names, so no assertion compares them. */
#define RP_CUDA_ERRORS_OF_LATER_TOOLKITS(ERROR)                                                    \
    ERROR(cudaErrorContained, 226, RP_STATUS_DEVICE_FAULT)                                         \
    ERROR(cudaErrorTensorMemoryLeak, 721, RP_STATUS_DEVICE_FAULT)

static inline rp_status rp_status_of_cuda_error(int error)
{
    switch (error) {
#define RP_CASE(name, number, status)                                                              \
    case number:                                                                                   \
        return status;
        RP_CUDA_ERRORS(RP_CASE)
        RP_CUDA_ERRORS_OF_LATER_TOOLKITS(RP_CASE)
#undef RP_CASE
    default:
        return RP_STATUS_LAUNCH_FAILED;
    }
}

#endif
