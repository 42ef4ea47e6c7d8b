/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All stages of one input in one launch, for batches that leave most of a GPU idle.
 */
#include "kernels/cuda/kernels.h"

#include <cooperative_groups.h>

#include "kernels/cuda/team_memory.h"
#include "kernels/cuda/thread_block.cuh"
#include "kernels/cuda/tuning.h"
#include "kernels/frame/stage.h"
#include "kernels/fused/shared_encode.h"
#include "kernels/literals/stage.h"
#include "kernels/match/stage.h"
#include "kernels/sequences/stage.h"

static_assert(sizeof(rp_parse_memory) <= RP_FUSED_MEMORY_BYTES - RP_FUSED_COPY_BYTES,
              "the join's memory is after the copy of the block");
static_assert(RP_FUSED_MAX_BYTES <= RP_SHARED_BLOCK_MAX_BYTES, "the shared block is large enough");
static_assert(RP_FUSED_MEMORY_BYTES - RP_FUSED_COPY_BYTES <=
                  sizeof(((rp_shared_block_memory *)NULL)->free),
              "so has what is reused after the parse");

/* Copies a block to shared memory, from where all parts read it from then on. Its words are on
 * their way while the tables are cleared. */
RP_FN void rp_copy_to_shared_block(rp_team *team, rp_shared_block *shared)
{
    const uint32_t each = RP_SHARED_BLOCK_MAX_BYTES / 4 / RP_FUSED_THREADS;
    const rp_zstd_block_view view = shared->block.view;
    const uint32_t n_words = view.n_bytes / 4;
    uint32_t words[each];
    RP_UNROLL
    for (uint32_t k = 0; k < each; k++) {
        uint32_t i = threadIdx.x + k * RP_FUSED_THREADS;
        words[k] = i < n_words ? rp_load32(view.source + 4 * i) : 0;
    }
    rp_shared_block_clear(team, shared);
    RP_UNROLL
    for (uint32_t k = 0; k < each; k++) {
        uint32_t i = threadIdx.x + k * RP_FUSED_THREADS;
        if (i < n_words)
            ((uint32_t *)shared->own->copy)[i] = words[k];
    }
    for (uint32_t i = 4 * n_words + threadIdx.x; i < view.n_bytes; i += RP_FUSED_THREADS)
        shared->own->copy[i] = view.source[i];
    __syncthreads();
    shared->block.view.source = shared->own->copy;
}

static_assert(RP_SHARED_BLOCK_MAX_BYTES % (4 * RP_FUSED_THREADS) == 0,
              "each thread copies as many words");

/* A few warps of the thread block as a team, with a barrier of their own. */
template <uint32_t first_thread, uint32_t n_threads, uint32_t barrier>
RP_FN rp_team rp_part_of_block(void)
{
    __shared__ rp_team_exchange exchange;
    rp_team team;
    team.rank = threadIdx.x - first_thread;
    team.size = n_threads;
    team.exchange = &exchange;
    team.barrier = barrier;
    team.is_unordered = false;
    return team;
}

/*
 * All stages of one input by one thread block. What counts is how long one block takes, so the
 * sequences are encoded while the literals are. The parts of each stage are those of the other
 * kernels, in the same order; a barrier of the thread block stands where a launch ends there.
 *
 * Where the shared memory is large enough, the parts of stage 1 leave their results there, else in
 * global memory. That is two kernels, since addresses of the two memories are of different kinds.
 */
template <bool is_in_shared_memory>
__global__ void __launch_bounds__(RP_FUSED_THREADS, 1)
    rp_fused_kernel(const __grid_constant__ rp_stage_args args)
{
    const uint32_t warp_index = threadIdx.x / RP_WARP_THREADS;
    rp_shared_block_memory *shared_block_memory =
        (rp_shared_block_memory *)rp_dynamic_shared_memory;
    uint8_t *memory = is_in_shared_memory ? shared_block_memory->free
                                          : rp_dynamic_shared_memory + RP_FUSED_COPY_BYTES;
    rp_team team = rp_block_team<RP_FUSED_THREADS>();
    rp_lz77_block block;
    if (is_in_shared_memory) {
        rp_shared_block shared = rp_shared_block_open(&args, blockIdx.x, 0, 1, shared_block_memory);
        rp_copy_to_shared_block(&team, &shared);
        rp_shared_block_find(&team, &shared);
        rp_shared_block_complete(&team, &shared, 1, NULL);
        rp_shared_block_parse(&team, &shared, 1, NULL);
        block = shared.block;
    } else {
        block = rp_lz77_block_of(&args, blockIdx.x);
        rp_team warp = team_part(&team);
        if (warp_index == RP_LZ77_HASH4)
            rp_stage_lz77_find_kind(&warp, &args, blockIdx.x, RP_LZ77_HASH4, memory);
        else if (warp_index == RP_LZ77_HASH8)
            rp_stage_lz77_find_kind(&warp, &args, blockIdx.x, RP_LZ77_HASH8,
                                    memory + RP_FUSED_TABLE_BYTES);
        rp_lz77_block copied = block;
        copied.source = rp_copy_source<RP_FUSED_THREADS>(block.view, rp_dynamic_shared_memory);
        uint32_t n_pieces = rp_find_pieces(block.view.n_bytes);
        for (uint32_t i = warp_index; i < n_pieces; i += RP_FUSED_THREADS / RP_WARP_THREADS)
            rp_lz77_block_find_matches(&warp, &copied, args.effort, i * RP_FIND_PIECE_BYTES,
                                       RP_FIND_PIECE_BYTES, rp_find_scratch(&team, memory));
        __syncthreads();
        rp_lz77_block_parse(&team, &block, args.effort);
    }

    rp_lz77_block_join(&team, &block, &args, blockIdx.x, false, memory);
    __syncthreads();

    if (threadIdx.x < RP_HUFFMAN_THREADS) {
        rp_team part = rp_part_of_block<0, RP_HUFFMAN_THREADS, 1>();
        rp_stage_huffman_encoder(&part, &args, blockIdx.x, memory);
    } else {
        rp_team part =
            rp_part_of_block<RP_HUFFMAN_THREADS, RP_FUSED_THREADS - RP_HUFFMAN_THREADS, 2>();
        rp_stage_fse_encoder(&part, &args, blockIdx.x, memory + RP_FUSED_LITERALS_BYTES);
    }
    __syncthreads();

    rp_stage_frame_assembler(&team, &args, blockIdx.x, memory);
}

static_assert(RP_FUSED_THREADS <= RP_REPEATS_MAX_WORKERS, "all of them encode offsets");

/*
 * All stages of one input by a cluster of thread blocks, which read each other's shared memory
 * (compute capability 9.0 and later). Each finds the candidates and matches of a slice and parses
 * it; then the first encodes the literals and the second the sequences.
 */
__global__ void __launch_bounds__(RP_FUSED_THREADS, 1)
    rp_clustered_kernel(const __grid_constant__ rp_stage_args args)
{
#if __CUDA_ARCH__ >= 900
    cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
    const uint32_t rank = cluster.block_rank();
    const uint32_t zstd_block = blockIdx.x / RP_LZ77_SLICES;
    rp_shared_block_memory *own = (rp_shared_block_memory *)rp_dynamic_shared_memory;
    rp_shared_block_memory *all[RP_LZ77_SLICES];
    RP_UNROLL
    for (uint32_t k = 0; k < RP_LZ77_SLICES; k++)
        all[k] = cluster.map_shared_rank(own, k);
    rp_team team = rp_block_team<RP_FUSED_THREADS>();
    rp_shared_block shared = rp_shared_block_open(&args, zstd_block, rank, RP_LZ77_SLICES, own);
    rp_copy_to_shared_block(&team, &shared);
    rp_shared_block_find(&team, &shared);
    cluster.sync();
    rp_shared_block_complete(&team, &shared, RP_LZ77_SLICES, all);
    cluster.sync();
    rp_shared_block_parse(&team, &shared, RP_LZ77_SLICES, all);
    cluster.sync();
    rp_lz77_precheck precheck = all[0]->precheck;
    bool only_literals = false;
    if (rank <= 1)
        rp_shared_block_fetch_parsed(&team, &shared, RP_LZ77_SLICES, all);
    if (rank == 0)
        only_literals =
            rp_shared_block_encode_literals(&team, &shared, &args, zstd_block, precheck);
    else if (rank == 1)
        rp_shared_block_encode_sequences(&team, &shared, &args, zstd_block, precheck);
    cluster.sync();
    if (rank == 0) {
        rp_shared_block_close(&team, &args, zstd_block, shared.block.view.n_bytes, only_literals);
        rp_stage_frame_assembler(&team, &args, zstd_block, own->free);
    }
#endif
}

const rp_kernel rp_fused = {(const void *)rp_fused_kernel<false>, RP_FUSED_THREADS,
                            RP_FUSED_MEMORY_BYTES};
const rp_kernel rp_fused_shared = {(const void *)rp_fused_kernel<true>, RP_FUSED_THREADS,
                                   sizeof(rp_shared_block_memory)};
const rp_kernel rp_clustered = {(const void *)rp_clustered_kernel, RP_FUSED_THREADS,
                                sizeof(rp_shared_block_memory)};
