/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages as kernels of a GPU: the only file with __global__ functions and launches. One thread
 * block works on one zstd block (the frame assembler: on one input); its team memory is dynamic
 * shared memory.
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

__global__ void __launch_bounds__(RP_CANDIDATES_THREADS)
    rp_lz77_candidates_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_CANDIDATES_THREADS>();
    rp_stage_lz77_find_kind(&team, &args, blockIdx.x, (rp_lz77_kind)blockIdx.y, rp_shared_memory);
}

template <uint32_t n_threads>
__global__ void __launch_bounds__(n_threads)
    rp_lz77_parse_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<n_threads>();
    rp_stage_lz77_parse(&team, &args, blockIdx.x, rp_shared_memory);
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

static const rp_kernel rp_candidates = {"lz77_candidates", rp_lz77_candidates_kernel,
                                        RP_CANDIDATES_THREADS,
                                        sizeof(uint16_t) << RP_LZ77_MAX_TABLE_LOG};
static const rp_kernel rp_parse_up_to_4k = {"lz77_parse_4k",
                                            rp_lz77_parse_kernel<RP_PARSE_THREADS_UP_TO_4K>,
                                            RP_PARSE_THREADS_UP_TO_4K, sizeof(rp_parse_memory)};
static const rp_kernel rp_parse_up_to_8k = {"lz77_parse_8k",
                                            rp_lz77_parse_kernel<RP_PARSE_THREADS_UP_TO_8K>,
                                            RP_PARSE_THREADS_UP_TO_8K, sizeof(rp_parse_memory)};
static const rp_kernel rp_parse = {"lz77_parse", rp_lz77_parse_kernel<RP_PARSE_THREADS>,
                                   RP_PARSE_THREADS, sizeof(rp_parse_memory)};
static const rp_kernel rp_huffman_encoder = {"huffman_encoder", rp_huffman_encoder_kernel,
                                             RP_HUFFMAN_THREADS, sizeof(rp_literals_memory)};
static const rp_kernel rp_fse_encoder = {"fse_encoder", rp_fse_encoder_kernel, RP_FSE_THREADS,
                                         sizeof(rp_sequences_memory)};
static const rp_kernel rp_frame_assembler = {"frame_assembler", rp_frame_assembler_kernel,
                                             RP_FRAME_THREADS, RP_FRAME_HEADER_MAX_BYTES};

static const rp_kernel *const rp_kernels[] = {
    &rp_candidates,      &rp_parse_up_to_4k, &rp_parse_up_to_8k, &rp_parse,
    &rp_huffman_encoder, &rp_fse_encoder,    &rp_frame_assembler};

extern "C" int rp_prepare_kernels(void)
{
    for (const rp_kernel *kernel : rp_kernels) {
        cudaError_t error =
            cudaFuncSetAttribute(kernel->function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 (int)kernel->team_memory_bytes);
        if (error != cudaSuccess)
            return error;
    }
    return cudaSuccess;
}

static cudaError_t rp_launch_kernel(const rp_kernel *kernel, dim3 n_teams, size_t team_memory_bytes,
                                    const struct rp_launch *launch, void *stream)
{
    void *arguments[] = {(void *)&launch->args};
    return cudaLaunchKernel((const void *)kernel->function, n_teams, dim3(kernel->n_threads),
                            arguments, team_memory_bytes, (cudaStream_t)stream);
}

/* rp_lz77_table_log() is for the device alone. */
static uint32_t rp_table_log_of(uint32_t n_bytes)
{
    uint32_t log = RP_LZ77_MIN_TABLE_LOG;
    while (log < RP_LZ77_MAX_TABLE_LOG && (UINT32_C(1) << log) < n_bytes)
        log++;
    return log;
}

static cudaError_t rp_launch_lz77(const struct rp_launch *launch, void *stream)
{
    size_t chunk_bytes = launch->args.buffers.chunk_bytes;
    uint32_t n_kinds = launch->args.effort >= RP_EFFORT_HIGH ? RP_LZ77_THREE + 1 : RP_LZ77_LONG + 1;
    size_t table_bytes = sizeof(uint16_t) << rp_table_log_of((uint32_t)chunk_bytes);
    cudaError_t error = rp_launch_kernel(&rp_candidates, dim3(launch->n_teams, n_kinds),
                                         table_bytes, launch, stream);
    if (error != cudaSuccess)
        return error;
    const rp_kernel *parse = chunk_bytes <= 4096   ? &rp_parse_up_to_4k
                             : chunk_bytes <= 8192 ? &rp_parse_up_to_8k
                                                   : &rp_parse;
    return rp_launch_kernel(parse, dim3(launch->n_teams), parse->team_memory_bytes, launch, stream);
}

extern "C" int rp_launch_kernels(const struct rp_launch *launch, void *stream)
{
    if (launch->stage == RP_STAGE_LZ77_MATCHER)
        return rp_launch_lz77(launch, stream);
    const rp_kernel *kernel = launch->stage == RP_STAGE_HUFFMAN_ENCODER ? &rp_huffman_encoder
                              : launch->stage == RP_STAGE_FSE_ENCODER   ? &rp_fse_encoder
                                                                        : &rp_frame_assembler;
    return rp_launch_kernel(kernel, dim3(launch->n_teams), kernel->team_memory_bytes, launch,
                            stream);
}

extern "C" void rp_print_kernels(void)
{
    for (const rp_kernel *kernel : rp_kernels) {
        cudaFuncAttributes attributes;
        int n_blocks = 0;
        if (cudaFuncGetAttributes(&attributes, (const void *)kernel->function) != cudaSuccess)
            return;
        (void)cudaOccupancyMaxActiveBlocksPerMultiprocessor(
            &n_blocks, kernel->function, (int)kernel->n_threads, kernel->team_memory_bytes);
        printf("%-16s %4u threads %4d registers %6zu B local %6zu B team memory %3d blocks/SM\n",
               kernel->name, kernel->n_threads, attributes.numRegs, attributes.localSizeBytes,
               kernel->team_memory_bytes, n_blocks);
    }
}
