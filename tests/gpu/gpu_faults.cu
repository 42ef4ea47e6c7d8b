/* SPDX-License-Identifier: Apache-2.0 */
/* See gpu_faults.h. */
#include "tests/gpu/gpu_faults.h"

#include <cuda_runtime_api.h>

#define MAX_OCCUPIED_NS 30000000000ull
#define THREADS 1024

__global__ void trap_kernel(void)
{
    __trap();
}

static __device__ unsigned long long now_ns(void)
{
    unsigned long long now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    return now;
}

/* `released` is in host memory. */
__global__ void __launch_bounds__(THREADS) occupy_kernel(const volatile int *released)
{
    unsigned long long start = now_ns();
    while (threadIdx.x == 0 && *released == 0 && now_ns() - start < MAX_OCCUPIED_NS)
        __nanosleep(10000);
    __syncthreads();
}

static int *release_flag; /* mapped host memory */

bool gpu_kill(int ordinal)
{
    cudaStream_t stream;
    if (cudaSetDevice(ordinal) != cudaSuccess ||
        cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess)
        return false;
    trap_kernel<<<1, 1, 0, stream>>>();
    return cudaGetLastError() == cudaSuccess;
}

/* As many thread blocks as there is room for, each with half of the threads of an SM. */
bool gpu_occupy(int ordinal)
{
    cudaStream_t stream;
    int n_sms = 0;
    int n_blocks = 0;
    if (cudaSetDevice(ordinal) != cudaSuccess ||
        cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess ||
        cudaHostAlloc((void **)&release_flag, sizeof(int), cudaHostAllocMapped) != cudaSuccess ||
        cudaDeviceGetAttribute(&n_sms, cudaDevAttrMultiProcessorCount, ordinal) != cudaSuccess ||
        cudaOccupancyMaxActiveBlocksPerMultiprocessor(&n_blocks, occupy_kernel, THREADS, 0) !=
            cudaSuccess)
        return false;
    *release_flag = 0;
    occupy_kernel<<<n_sms * n_blocks, THREADS, 0, stream>>>(release_flag);
    return cudaGetLastError() == cudaSuccess;
}

void gpu_release(void)
{
    *(volatile int *)release_flag = 1;
}
