/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stages 2 to 4 as kernels: a thread block for each zstd block; for the frame, one for each input.
 */
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/thread_block.cuh"
#include "kernels/cuda/tuning.h"
#include "kernels/frame/stage.h"
#include "kernels/literals/stage.h"
#include "kernels/sequences/stage.h"

/* Programmatic dependent launch (compute capability 9.0 and later): allows the next launch to
 * begin. It does so only if it was launched early (launch.c), and then it needs nothing of this
 * one. */
RP_FN void rp_let_next_begin(void)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;");
#endif
}

/* A launch that began early ends after the one before it, so the launch that follows may rely
 * on both. */
RP_FN void rp_end_after_previous(void)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

__global__ void __launch_bounds__(RP_HUFFMAN_THREADS, RP_HUFFMAN_BLOCKS)
    rp_huffman_encoder_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_let_next_begin();
    rp_team team = rp_block_team<RP_HUFFMAN_THREADS>();
    rp_stage_huffman_encoder(&team, &args, blockIdx.x, rp_dynamic_shared_memory);
}

__global__ void __launch_bounds__(RP_FSE_THREADS, RP_FSE_BLOCKS)
    rp_fse_encoder_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_FSE_THREADS>();
    rp_stage_fse_encoder(&team, &args, blockIdx.x, rp_dynamic_shared_memory);
    rp_end_after_previous();
}

__global__ void __launch_bounds__(RP_FRAME_THREADS)
    rp_frame_assembler_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_FRAME_THREADS>();
    rp_stage_frame_assembler(&team, &args, blockIdx.x, rp_dynamic_shared_memory);
}

const rp_kernel rp_huffman_encoder = {(const void *)rp_huffman_encoder_kernel, RP_HUFFMAN_THREADS,
                                      sizeof(rp_literals_memory)};
const rp_kernel rp_fse_encoder = {(const void *)rp_fse_encoder_kernel, RP_FSE_THREADS,
                                  sizeof(rp_sequences_memory)};
const rp_kernel rp_frame_assembler = {(const void *)rp_frame_assembler_kernel, RP_FRAME_THREADS,
                                      sizeof(rp_frame_memory)};
