/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an error of the CUDA runtime is to rockpress. By number, which CUDA never changes: so it can
 * be tested where there is no CUDA, and covers errors that the toolkit of the build has no name for
 * yet. device_cuda.c asserts that names and numbers belong together.
 *
 * RP_STATUS_DEVICE_FAULT are those after which CUDA says that the process must be terminated
 * ("sticky": every later call returns them too), and those that leave no context to go on with.
 * RP_STATUS_DEVICE_UNAVAILABLE are those of a machine that is not, or not now, able to run us.
 * RP_STATUS_OUT_OF_DEVICE_MEMORY is one. All others are RP_STATUS_LAUNCH_FAILED: this call failed,
 * the device still works.
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

/* Not in the oldest toolkits that we are built with, so without a name to compare. */
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
