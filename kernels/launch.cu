/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages as kernels of a GPU: the only file with __global__ functions and launches. One thread
 * block works on one zstd block (the frame assembler: on one input); its team memory is dynamic
 * shared memory of exactly the size that the stage takes for blocks of this size.
 */
#include "kernels/launch.h"

#include <cstdio>

#include "kernels/frame_stage.h"
#include "kernels/literals_stage.h"
#include "kernels/lz77_stage.h"
#include "kernels/sequences_stage.h"
#include "kernels/tuning.h"

extern __shared__ __align__(16) uint8_t rp_shared_memory[];

/* The thread block as a team. n_threads is a constant, so that a team of one warp has no
 * barriers. */
template <uint32_t n_threads> RP_FN rp_team rp_block_team(void)
{
    rp_team team;
    team.rank = threadIdx.x;
    team.size = n_threads;
    team.exchange = NULL;
    if (n_threads != RP_WARP_THREADS) {
        __shared__ rp_team_exchange exchange;
        team.exchange = &exchange;
    }
    return team;
}

__global__ void __launch_bounds__(RP_LZ77_THREADS)
    rp_lz77_matcher_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_LZ77_THREADS>();
    rp_stage_lz77_matcher(&team, &args, blockIdx.x, rp_shared_memory);
}

__global__ void __launch_bounds__(RP_HUFFMAN_THREADS)
    rp_huffman_encoder_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_HUFFMAN_THREADS>();
    rp_stage_huffman_encoder(&team, &args, blockIdx.x, rp_shared_memory);
}

__global__ void __launch_bounds__(RP_FSE_THREADS)
    rp_fse_encoder_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_FSE_THREADS>();
    rp_stage_fse_encoder(&team, &args, blockIdx.x, rp_shared_memory);
}

__global__ void __launch_bounds__(RP_FRAME_THREADS)
    rp_frame_assembler_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_FRAME_THREADS>();
    rp_stage_frame_assembler(&team, &args, blockIdx.x, rp_shared_memory);
}

typedef struct rp_kernel {
    const char *name;
    void (*function)(rp_stage_args);
    uint32_t n_threads;
    size_t team_memory_bytes; /* the most that it takes */
} rp_kernel;

static const rp_kernel rp_kernels[RP_N_STAGES] = {
    {"lz77_matcher", rp_lz77_matcher_kernel, RP_LZ77_THREADS, sizeof(rp_lz77_tables)},
    {"huffman_encoder", rp_huffman_encoder_kernel, RP_HUFFMAN_THREADS, sizeof(rp_literals_memory)},
    {"fse_encoder", rp_fse_encoder_kernel, RP_FSE_THREADS, sizeof(rp_sequences_memory)},
    {"frame_assembler", rp_frame_assembler_kernel, RP_FRAME_THREADS, RP_FRAME_HEADER_MAX_BYTES},
};

extern "C" int rp_prepare_kernels(void)
{
    for (const rp_kernel &kernel : rp_kernels) {
        cudaError_t error =
            cudaFuncSetAttribute(kernel.function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 (int)kernel.team_memory_bytes);
        if (error != cudaSuccess)
            return error;
    }
    return cudaSuccess;
}

extern "C" int rp_launch_kernels(const struct rp_launch *launch, void *stream)
{
    const rp_kernel &kernel = rp_kernels[launch->stage];
    void *arguments[] = {(void *)&launch->args};
    return cudaLaunchKernel((const void *)kernel.function, dim3(launch->n_teams),
                            dim3(kernel.n_threads), arguments, kernel.team_memory_bytes,
                            (cudaStream_t)stream);
}

extern "C" void rp_print_kernels(void)
{
    for (const rp_kernel &kernel : rp_kernels) {
        cudaFuncAttributes attributes;
        int n_blocks = 0;
        if (cudaFuncGetAttributes(&attributes, (const void *)kernel.function) != cudaSuccess)
            return;
        (void)cudaOccupancyMaxActiveBlocksPerMultiprocessor(
            &n_blocks, kernel.function, (int)kernel.n_threads, kernel.team_memory_bytes);
        printf("%-16s %4u threads %4d registers %6zu B local %6zu B team memory %3d blocks/SM\n",
               kernel.name, kernel.n_threads, attributes.numRegs, attributes.localSizeBytes,
               kernel.team_memory_bytes, n_blocks);
    }
}
