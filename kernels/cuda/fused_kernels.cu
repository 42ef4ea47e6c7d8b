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
              "the join's memory is behind the copy of the block");
static_assert(RP_FUSED_MAX_BYTES <= RP_LZ77_QUARTERS_MAX_BYTES, "what is near has room for it");
static_assert(RP_FUSED_MEMORY_BYTES - RP_FUSED_COPY_BYTES <= sizeof(((rp_near_memory *)NULL)->free),
              "and for what comes after the parse");

/* The block of a team that has it near, from where all parts have it from then on. Its words are on
 * their way while the tables are made ready. */
RP_FN void rp_copy_near(rp_team *team, rp_near *near)
{
    const uint32_t each = RP_LZ77_QUARTERS_MAX_BYTES / 4 / RP_FUSED_THREADS;
    const rp_zstd_block_view view = near->block.view;
    const uint32_t n_words = view.n_bytes / 4;
    uint32_t words[each];
    RP_UNROLL
    for (uint32_t k = 0; k < each; k++) {
        uint32_t i = threadIdx.x + k * RP_FUSED_THREADS;
        words[k] = i < n_words ? rp_load32(view.source + 4 * i) : 0;
    }
    rp_near_clear(team, near);
    RP_UNROLL
    for (uint32_t k = 0; k < each; k++) {
        uint32_t i = threadIdx.x + k * RP_FUSED_THREADS;
        if (i < n_words)
            ((uint32_t *)near->own->copy)[i] = words[k];
    }
    for (uint32_t i = 4 * n_words + threadIdx.x; i < view.n_bytes; i += RP_FUSED_THREADS)
        near->own->copy[i] = view.source[i];
    __syncthreads();
    near->block.view.source = near->own->copy;
}

static_assert(RP_LZ77_QUARTERS_MAX_BYTES % (4 * RP_FUSED_THREADS) == 0, "as many words for each");

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
 * All stages of one block in one launch, for batches that leave most of the GPU idle: what counts
 * is how long one block takes, and the literals are encoded while the sequences are. The same parts
 * as in the kernels above, in the same order; a barrier of the thread block between two of them is
 * what the end of a launch is there. Where there is the shared memory for it, what the parts of the
 * matcher leave each other is near: two kernels, since addresses of shared memory are another kind.
 */
template <bool is_near>
__global__ void __launch_bounds__(RP_FUSED_THREADS, 1)
    rp_fused_kernel(const __grid_constant__ rp_stage_args args)
{
    const uint32_t warp_index = threadIdx.x / RP_WARP_THREADS;
    rp_near_memory *near_memory = (rp_near_memory *)rp_dynamic_shared_memory;
    uint8_t *memory = is_near ? near_memory->free : rp_dynamic_shared_memory + RP_FUSED_COPY_BYTES;
    rp_team team = rp_block_team<RP_FUSED_THREADS>();
    rp_lz77_block block;
    if (is_near) {
        rp_near near = rp_near_open(&args, blockIdx.x, 0, 1, near_memory);
        rp_copy_near(&team, &near);
        rp_near_find(&team, &near);
        rp_near_complete_alone(&team, &near);
        rp_near_match(&team, &near);
        rp_near_parse(&team, &near);
        block = near.block;
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
                                       RP_FIND_PIECE_BYTES, rp_find_room(&team, memory));
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

static_assert(RP_FUSED_THREADS <= RP_REPEATS_MAX_WORKERS, "so many workers encode offsets");

/*
 * The same for the fewest blocks: each has the SMs of a cluster, which look into each other's
 * shared memory (from compute capability 9.0 on). All find a slice's candidates and matches and
 * parse it, then two of them encode.
 */
__global__ void __launch_bounds__(RP_FUSED_THREADS, 1)
    rp_clustered_kernel(const __grid_constant__ rp_stage_args args)
{
#if __CUDA_ARCH__ >= 900
    cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
    const uint32_t rank = cluster.block_rank();
    const uint32_t zstd_block = blockIdx.x / RP_LZ77_SLICES;
    rp_near_memory *own = (rp_near_memory *)rp_dynamic_shared_memory;
    rp_near_memory *all[RP_LZ77_SLICES];
    RP_UNROLL
    for (uint32_t k = 0; k < RP_LZ77_SLICES; k++)
        all[k] = cluster.map_shared_rank(own, k);
    rp_team team = rp_block_team<RP_FUSED_THREADS>();
    rp_near near = rp_near_open(&args, zstd_block, rank, RP_LZ77_SLICES, own);
    rp_copy_near(&team, &near);
    rp_near_find(&team, &near);
    cluster.sync();
    rp_near_complete(&team, &near, all);
    if (rank == 0) /* which had the least to complete */
        rp_near_look(&team, &near);
    cluster.sync();
    rp_near_fetch_candidates(&team, &near, RP_LZ77_SLICES, all);
    rp_near_match(&team, &near);
    rp_near_parse(&team, &near);
    cluster.sync();
    rp_lz77_precheck precheck = all[0]->precheck;
    bool only_literals = false;
    if (rank <= 1)
        rp_near_fetch_parsed(&team, &near, RP_LZ77_SLICES, all);
    if (rank == 0)
        only_literals = rp_near_encode_literals(&team, &near, &args, zstd_block, precheck);
    else if (rank == 1)
        rp_near_encode_sequences(&team, &near, &args, zstd_block, precheck);
    cluster.sync();
    if (rank == 0) {
        rp_near_close(&team, &args, zstd_block, near.block.view.n_bytes, only_literals);
        rp_stage_frame_assembler(&team, &args, zstd_block, own->free);
    }
#endif
}

const rp_kernel rp_fused = {(const void *)rp_fused_kernel<false>, RP_FUSED_THREADS,
                            RP_FUSED_MEMORY_BYTES};
const rp_kernel rp_fused_shared = {(const void *)rp_fused_kernel<true>, RP_FUSED_THREADS,
                                   sizeof(rp_near_memory)};
const rp_kernel rp_clustered = {(const void *)rp_clustered_kernel, RP_FUSED_THREADS,
                                sizeof(rp_near_memory)};
