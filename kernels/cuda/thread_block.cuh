/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread block as a team, and the memory that it has: what every file of kernels begins with.
 * The team memory of a kernel is dynamic shared memory, whose size the launch says.
 */
#ifndef ROCKPRESS_KERNELS_CUDA_THREAD_BLOCK_CUH
#define ROCKPRESS_KERNELS_CUDA_THREAD_BLOCK_CUH

#include "kernels/base/memory.h"
#include "kernels/base/stages.h"
#include "kernels/match/source.h"

extern __shared__ __align__(16) uint8_t rp_dynamic_shared_memory[];

/* The thread block as a team. n_threads is a constant, so a team of one warp has no barriers. */
template <uint32_t n_threads> RP_FN rp_team rp_block_team(void)
{
    rp_team team;
    team.rank = threadIdx.x;
    team.size = n_threads;
    team.exchange = NULL;
    team.barrier = 0;
    team.is_unordered = false;
    if (n_threads != RP_WARP_THREADS) {
        __shared__ rp_team_exchange exchange;
        team.exchange = &exchange;
    }
    return team;
}

/* Copies a zstd block to shared memory, where its bytes are compared many times. */
template <uint32_t n_threads>
RP_FN rp_lz77_source rp_copy_source(rp_zstd_block_view view, uint8_t *copy)
{
    uint32_t n_words = view.n_bytes / 4;
    for (uint32_t i = threadIdx.x; i < n_words; i += n_threads)
        ((uint32_t *)copy)[i] = rp_load32(view.source + 4 * i);
    for (uint32_t i = 4 * n_words + threadIdx.x; i < view.n_bytes; i += n_threads)
        copy[i] = view.source[i];
    __syncthreads();
    rp_lz77_source source;
    source.bytes = copy;
    source.n_bytes = view.n_bytes;
    source.is_padded = true;
    return source;
}

#endif
