/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1 as kernels: candidates, best matches, the lazy parse and the join, each launched on as
 * many threads as it has use for. All but the parse have a thread block for each zstd block.
 */
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/team_memory.h"
#include "kernels/cuda/thread_block.cuh"
#include "kernels/cuda/tuning.h"
#include "kernels/match/stage.h"

__global__ void __launch_bounds__(RP_CANDIDATES_THREADS)
    rp_lz77_candidates_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_CANDIDATES_THREADS>();
    /* The kinds of a zstd block are neighbours: they read the same bytes and write to the same
     * words. */
    uint32_t n_kinds = rp_candidate_kinds(args.effort);
    uint32_t zstd_block = blockIdx.x / n_kinds;
    switch (blockIdx.x % n_kinds) { /* each call has a constant kind */
    case RP_LZ77_HASH4:
        rp_stage_lz77_find_kind(&team, &args, zstd_block, RP_LZ77_HASH4, rp_dynamic_shared_memory);
        break;
    case RP_LZ77_HASH8:
        rp_stage_lz77_find_kind(&team, &args, zstd_block, RP_LZ77_HASH8, rp_dynamic_shared_memory);
        break;
    default:
        rp_stage_lz77_find_kind(&team, &args, zstd_block, RP_LZ77_HASH3, rp_dynamic_shared_memory);
    }
}

template <uint32_t n_threads>
__global__ void __launch_bounds__(n_threads, RP_FIND_THREADS_PER_SM / n_threads)
    rp_lz77_matches_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team warp; /* each warp has pieces of its own */
    warp.rank = threadIdx.x % RP_WARP_THREADS;
    warp.size = RP_WARP_THREADS;
    warp.exchange = NULL;
    warp.barrier = 0;
    warp.is_unordered = false;
    rp_team team = warp;
    team.rank = threadIdx.x;
    team.size = n_threads;
    uint32_t *scratch = rp_find_scratch(&team, rp_dynamic_shared_memory);
    rp_lz77_source source =
        rp_copy_source<n_threads>(rp_view_zstd_block(&args, blockIdx.x),
                                  rp_dynamic_shared_memory + RP_FIND_SCRATCH_BYTES(n_threads));
    rp_lz77_block block = rp_lz77_block_of(&args, blockIdx.x);
    block.source = source;
    uint32_t n_pieces = rp_find_pieces(source.n_bytes);
    for (uint32_t i = threadIdx.x / RP_WARP_THREADS; i < n_pieces; i += n_threads / RP_WARP_THREADS)
        rp_lz77_block_find_matches(&warp, &block, args.effort, i * RP_FIND_PIECE_BYTES,
                                   RP_FIND_PIECE_BYTES, scratch);
}

/* The same without a copy, for blocks that are larger than the shared memory of this GPU. */
__global__ void __launch_bounds__(RP_FIND_THREADS)
    rp_lz77_matches_in_place_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_FIND_THREADS>();
    rp_stage_lz77_find_matches(&team, &args, blockIdx.x, rp_dynamic_shared_memory);
}

/* A segment for each thread: the most segments per second on a full GPU. */
__global__ void __launch_bounds__(RP_PARSE_THREADS)
    rp_lz77_parse_by_threads_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team thread;
    thread.rank = 0;
    thread.size = 1;
    thread.exchange = NULL;
    thread.barrier = 0;
    thread.is_unordered = false;
    uint32_t n_segments = rp_lazy_segments((uint32_t)args.buffers.zstd_block_bytes);
    uint32_t i = blockIdx.x * RP_PARSE_THREADS + threadIdx.x;
    if (i / n_segments < args.batch.n_inputs * args.buffers.zstd_blocks_per_input)
        rp_stage_lz77_parse_segment(&thread, &args, i / n_segments, i % n_segments);
}

/* A segment for each warp: the least time for one, on a GPU that has nothing else to do. */
__global__ void __launch_bounds__(RP_WARP_THREADS)
    rp_lz77_parse_by_warps_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team warp = rp_block_team<RP_WARP_THREADS>();
    rp_stage_lz77_parse_segment(&warp, &args, blockIdx.x, blockIdx.y);
}

/* Two kernels, since the one without the optimal parse needs fewer registers. */
template <bool is_optimal>
__global__ void __launch_bounds__(RP_JOIN_THREADS, RP_JOIN_BLOCKS)
    rp_lz77_join_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_JOIN_THREADS>();
    rp_stage_lz77_join(&team, &args, blockIdx.x, is_optimal, rp_dynamic_shared_memory);
}

const rp_kernel rp_candidates = {(const void *)rp_lz77_candidates_kernel, RP_CANDIDATES_THREADS,
                                 sizeof(uint16_t) << RP_LZ77_MAX_TABLE_LOG};
const rp_kernel rp_matches_up_to_4k = {
    (const void *)rp_lz77_matches_kernel<RP_FIND_THREADS_UP_TO_4K>, RP_FIND_THREADS_UP_TO_4K,
    RP_MATCHES_MEMORY_BYTES(RP_FIND_THREADS_UP_TO_4K, RP_MATCHES_SMALL_BYTES)};
const rp_kernel rp_matches = {(const void *)rp_lz77_matches_kernel<RP_FIND_THREADS>,
                              RP_FIND_THREADS,
                              RP_MATCHES_MEMORY_BYTES(RP_FIND_THREADS, RP_ZSTD_BLOCK_BYTES)};
const rp_kernel rp_matches_in_place = {(const void *)rp_lz77_matches_in_place_kernel,
                                       RP_FIND_THREADS, RP_FIND_SCRATCH_BYTES(RP_FIND_THREADS)};
const rp_kernel rp_parse_by_threads = {(const void *)rp_lz77_parse_by_threads_kernel,
                                       RP_PARSE_THREADS, 0};
const rp_kernel rp_parse_by_warps = {(const void *)rp_lz77_parse_by_warps_kernel, RP_WARP_THREADS,
                                     0};
const rp_kernel rp_join = {(const void *)rp_lz77_join_kernel<false>, RP_JOIN_THREADS,
                           sizeof(rp_parse_memory)};
const rp_kernel rp_join_optimal = {(const void *)rp_lz77_join_kernel<true>, RP_JOIN_THREADS,
                                   sizeof(rp_parse_memory)};
