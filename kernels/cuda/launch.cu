/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages as kernels of a GPU: the only file with __global__ functions and launches. One thread
 * block works on one zstd block (the frame assembler: on one input); its team memory is dynamic
 * shared memory.
 */
#include "kernels/cuda/launch.h"

#include <cooperative_groups.h>
#include <cstdio>

#include "kernels/cuda/tuning.h"
#include "kernels/frame/stage.h"
#include "kernels/fused/shared_encode.h"
#include "kernels/literals/stage.h"
#include "kernels/match/stage.h"
#include "kernels/sequences/stage.h"

extern __shared__ __align__(16) uint8_t rp_shared_memory[];

/* Of the fused kernel: the block, and behind it what the part that runs takes. */
#define RP_FUSED_COPY_BYTES sizeof(((rp_near_memory *)NULL)->copy)
#define RP_FUSED_TABLE_BYTES (sizeof(uint16_t) << RP_FUSED_TABLE_LOG)
#define RP_FUSED_LITERALS_BYTES ((sizeof(rp_literals_memory) + 15) / 16 * 16)
#define RP_FUSED_MEMORY_BYTES                                                                      \
    (RP_FUSED_COPY_BYTES + RP_MAX_OF((RP_LZ77_HASH8 + 1) * RP_FUSED_TABLE_BYTES,                   \
                                     RP_FUSED_LITERALS_BYTES + sizeof(rp_sequences_memory)))
#define RP_MAX_OF(a, b) ((a) > (b) ? (a) : (b))

static_assert(sizeof(rp_parse_memory) <= RP_FUSED_MEMORY_BYTES - RP_FUSED_COPY_BYTES,
              "the join's memory is behind the copy of the block");
static_assert(RP_FUSED_MAX_BYTES <= RP_LZ77_QUARTERS_MAX_BYTES, "what is near has room for it");
static_assert(RP_FUSED_MEMORY_BYTES - RP_FUSED_COPY_BYTES <= sizeof(((rp_near_memory *)NULL)->free),
              "and for what comes after the parse");

/* The thread block as a team. n_threads is a constant, so that a team of one warp has no
 * barriers. */
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

/* The hash tables that an effort has. */
static __host__ __device__ uint32_t rp_candidates_kinds(uint32_t effort)
{
    return effort >= RP_EFFORT_HIGH ? RP_LZ77_HASH3 + 1 : RP_LZ77_HASH8 + 1;
}

__global__ void __launch_bounds__(RP_CANDIDATES_THREADS)
    rp_lz77_candidates_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_CANDIDATES_THREADS>();
    /* All kinds of a zstd block side by side: they read the same bytes, and write beside each
     * other. */
    uint32_t n_kinds = rp_candidates_kinds(args.effort);
    uint32_t zstd_block = blockIdx.x / n_kinds;
    switch (blockIdx.x % n_kinds) { /* a constant for what is called */
    case RP_LZ77_HASH4:
        rp_stage_lz77_find_kind(&team, &args, zstd_block, RP_LZ77_HASH4, rp_shared_memory);
        break;
    case RP_LZ77_HASH8:
        rp_stage_lz77_find_kind(&team, &args, zstd_block, RP_LZ77_HASH8, rp_shared_memory);
        break;
    default:
        rp_stage_lz77_find_kind(&team, &args, zstd_block, RP_LZ77_HASH3, rp_shared_memory);
    }
}

/* Copies a zstd block to shared memory, where its bytes are compared with many others. */
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

template <uint32_t n_threads>
__global__ void __launch_bounds__(n_threads, RP_FIND_THREADS_PER_SM / n_threads)
    rp_lz77_matches_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team warp; /* with pieces of its own */
    warp.rank = threadIdx.x % RP_WARP_THREADS;
    warp.size = RP_WARP_THREADS;
    warp.exchange = NULL;
    warp.barrier = 0;
    warp.is_unordered = false;
    rp_team team = warp;
    team.rank = threadIdx.x;
    team.size = n_threads;
    uint32_t *room = rp_find_room(&team, rp_shared_memory);
    rp_lz77_source source = rp_copy_source<n_threads>(
        rp_view_zstd_block(&args, blockIdx.x), rp_shared_memory + RP_FIND_ROOM_BYTES(n_threads));
    rp_lz77_block block = rp_lz77_block_of(&args, blockIdx.x);
    block.source = source;
    uint32_t n_pieces = rp_find_pieces(source.n_bytes);
    for (uint32_t i = threadIdx.x / RP_WARP_THREADS; i < n_pieces; i += n_threads / RP_WARP_THREADS)
        rp_lz77_block_find_matches(&warp, &block, args.effort, i * RP_FIND_PIECE_BYTES,
                                   RP_FIND_PIECE_BYTES, room);
}

/* The same without a copy, for blocks that are larger than the shared memory of this GPU. */
__global__ void __launch_bounds__(RP_FIND_THREADS)
    rp_lz77_matches_in_place_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_FIND_THREADS>();
    rp_stage_lz77_find_matches(&team, &args, blockIdx.x, rp_shared_memory);
}

/* A segment for each thread: what keeps a full GPU busiest. */
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

/* A segment for each warp: what takes the least time on a GPU that has nothing else to do. */
__global__ void __launch_bounds__(RP_WARP_THREADS)
    rp_lz77_parse_by_warps_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team warp = rp_block_team<RP_WARP_THREADS>();
    rp_stage_lz77_parse_segment(&warp, &args, blockIdx.x, blockIdx.y);
}

/* Two kernels: without the optimal parse it needs fewer registers. */
template <bool is_optimal>
__global__ void __launch_bounds__(RP_JOIN_THREADS, RP_JOIN_BLOCKS)
    rp_lz77_join_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_JOIN_THREADS>();
    rp_stage_lz77_join(&team, &args, blockIdx.x, is_optimal, rp_shared_memory);
}

/* Programmatic dependent launch, from compute capability 9.0 on: the next launch may begin, if it
 * is one of rp_launch_early(), which needs nothing of this one. */
RP_FN void rp_let_next_begin(void)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;");
#endif
}

/* That launch does not end before the one before it, so that what comes next has both behind it. */
RP_FN void rp_end_behind_last(void)
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
    rp_stage_huffman_encoder(&team, &args, blockIdx.x, rp_shared_memory);
}

__global__ void __launch_bounds__(RP_FSE_THREADS, RP_FSE_BLOCKS)
    rp_fse_encoder_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_FSE_THREADS>();
    rp_stage_fse_encoder(&team, &args, blockIdx.x, rp_shared_memory);
    rp_end_behind_last();
}

__global__ void __launch_bounds__(RP_FRAME_THREADS)
    rp_frame_assembler_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<RP_FRAME_THREADS>();
    rp_stage_frame_assembler(&team, &args, blockIdx.x, rp_shared_memory);
}

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
    rp_near_memory *near_memory = (rp_near_memory *)rp_shared_memory;
    uint8_t *memory = is_near ? near_memory->free : rp_shared_memory + RP_FUSED_COPY_BYTES;
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
        copied.source = rp_copy_source<RP_FUSED_THREADS>(block.view, rp_shared_memory);
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
    rp_near_memory *own = (rp_near_memory *)rp_shared_memory;
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
    rp_lz77_outlook outlook = all[0]->outlook;
    bool only_literals = false;
    if (rank <= 1)
        rp_near_fetch_steps(&team, &near, RP_LZ77_SLICES, all);
    if (rank == 0)
        only_literals = rp_near_encode_literals(&team, &near, &args, zstd_block, outlook);
    else if (rank == 1)
        rp_near_encode_sequences(&team, &near, &args, zstd_block, outlook);
    cluster.sync();
    if (rank == 0) {
        rp_near_close(&team, &args, zstd_block, near.block.view.n_bytes, only_literals);
        rp_stage_frame_assembler(&team, &args, zstd_block, own->free);
    }
#endif
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
static const rp_kernel rp_matches_up_to_4k = {
    "lz77_matches_4k", rp_lz77_matches_kernel<RP_FIND_THREADS_UP_TO_4K>, RP_FIND_THREADS_UP_TO_4K,
    RP_FIND_ROOM_BYTES(RP_FIND_THREADS_UP_TO_4K) + 4096 + RP_SOURCE_SLACK};
static const rp_kernel rp_matches = {
    "lz77_matches", rp_lz77_matches_kernel<RP_FIND_THREADS>, RP_FIND_THREADS,
    RP_FIND_ROOM_BYTES(RP_FIND_THREADS) + RP_ZSTD_BLOCK_BYTES + RP_SOURCE_SLACK};
static const rp_kernel rp_matches_in_place = {"lz77_matches_in_place",
                                              rp_lz77_matches_in_place_kernel, RP_FIND_THREADS,
                                              RP_FIND_ROOM_BYTES(RP_FIND_THREADS)};
static const rp_kernel rp_parse_by_threads = {"lz77_parse_by_threads",
                                              rp_lz77_parse_by_threads_kernel, RP_PARSE_THREADS, 0};
static const rp_kernel rp_parse_by_warps = {"lz77_parse_by_warps", rp_lz77_parse_by_warps_kernel,
                                            RP_WARP_THREADS, 0};
static const rp_kernel rp_join = {"lz77_join", rp_lz77_join_kernel<false>, RP_JOIN_THREADS,
                                  sizeof(rp_parse_memory)};
static const rp_kernel rp_optimal = {"lz77_optimal", rp_lz77_join_kernel<true>, RP_JOIN_THREADS,
                                     sizeof(rp_parse_memory)};
static const rp_kernel rp_huffman_encoder = {"huffman_encoder", rp_huffman_encoder_kernel,
                                             RP_HUFFMAN_THREADS, sizeof(rp_literals_memory)};
static const rp_kernel rp_fse_encoder = {"fse_encoder", rp_fse_encoder_kernel, RP_FSE_THREADS,
                                         sizeof(rp_sequences_memory)};
static const rp_kernel rp_frame_assembler = {"frame_assembler", rp_frame_assembler_kernel,
                                             RP_FRAME_THREADS, RP_FRAME_HEADER_MAX_BYTES};

static const rp_kernel rp_fused = {"fused", rp_fused_kernel<false>, RP_FUSED_THREADS,
                                   RP_FUSED_MEMORY_BYTES};
static const rp_kernel rp_fused_near = {"fused_near", rp_fused_kernel<true>, RP_FUSED_THREADS,
                                        sizeof(rp_near_memory)};
static const rp_kernel rp_clustered = {"clustered", rp_clustered_kernel, RP_FUSED_THREADS,
                                       sizeof(rp_near_memory)};

static const rp_kernel *const rp_kernels[] = {&rp_candidates,
                                              &rp_matches_up_to_4k,
                                              &rp_matches,
                                              &rp_matches_in_place,
                                              &rp_parse_by_threads,
                                              &rp_parse_by_warps,
                                              &rp_join,
                                              &rp_optimal,
                                              &rp_huffman_encoder,
                                              &rp_fse_encoder,
                                              &rp_frame_assembler,
                                              &rp_fused,
                                              &rp_fused_near,
                                              &rp_clustered};

/* What a thread block may have of the current device's shared memory: 99 KiB on every GPU that is
 * supported, 163 or 227 on some. */
static cudaError_t rp_shared_memory_limit(size_t *n_bytes)
{
    int ordinal = 0;
    int limit = 0;
    cudaError_t error = cudaGetDevice(&ordinal);
    if (error == cudaSuccess)
        error = cudaDeviceGetAttribute(&limit, cudaDevAttrMaxSharedMemoryPerBlockOptin, ordinal);
    *n_bytes = (size_t)limit;
    return error;
}

extern "C" int rp_prepare_kernels(void)
{
    size_t limit;
    cudaError_t error = rp_shared_memory_limit(&limit);
    for (const rp_kernel *kernel : rp_kernels) {
        cudaFuncAttributes attributes;
        if (error == cudaSuccess)
            error = cudaFuncGetAttributes(&attributes, (const void *)kernel->function);
        if (error != cudaSuccess)
            break;
        size_t most = limit - attributes.sharedSizeBytes;
        size_t n_bytes = kernel->team_memory_bytes < most ? kernel->team_memory_bytes : most;
        error = cudaFuncSetAttribute(kernel->function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     (int)n_bytes);
    }
    return error;
}

static cudaError_t rp_launch_kernel(const rp_kernel *kernel, dim3 n_teams, size_t team_memory_bytes,
                                    const struct rp_launch *launch, void *stream)
{
    void *arguments[] = {(void *)&launch->args};
    return cudaLaunchKernel((const void *)kernel->function, n_teams, dim3(kernel->n_threads),
                            arguments, team_memory_bytes, (cudaStream_t)stream);
}

/* rp_lz77_table_log(), which is for the device alone. */
static uint32_t rp_table_log_of(uint32_t n_bytes)
{
    uint32_t log = 0;
    while ((UINT32_C(1) << log) < n_bytes)
        log++;
    log -= log >= RP_LZ77_MAX_TABLE_LOG ? 1 : 0;
    return log < RP_LZ77_MIN_TABLE_LOG   ? RP_LZ77_MIN_TABLE_LOG
           : log > RP_LZ77_MAX_TABLE_LOG ? RP_LZ77_MAX_TABLE_LOG
                                         : log;
}

static uint32_t rp_divide_up(uint32_t n, uint32_t by)
{
    return (n + by - 1) / by;
}

static cudaError_t rp_launch_matches(const struct rp_launch *launch, void *stream)
{
    uint32_t zstd_block_bytes = (uint32_t)launch->args.buffers.zstd_block_bytes;
    const rp_kernel *kernel = zstd_block_bytes <= 4096 ? &rp_matches_up_to_4k : &rp_matches;
    size_t room_bytes = RP_FIND_ROOM_BYTES(kernel->n_threads);
    size_t copy_bytes = rp_divide_up(zstd_block_bytes, 4) * 4 + RP_SOURCE_SLACK;
    if (room_bytes + copy_bytes > RP_SHARED_MEMORY_OF_ALL) {
        size_t limit;
        cudaError_t error = rp_shared_memory_limit(&limit);
        if (error != cudaSuccess)
            return error;
        if (room_bytes + copy_bytes > limit) {
            kernel = &rp_matches_in_place;
            copy_bytes = 0;
        }
    }
    return rp_launch_kernel(kernel, dim3(launch->n_teams), room_bytes + copy_bytes, launch, stream);
}

static cudaError_t rp_launch_lz77(const struct rp_launch *launch, void *stream)
{
    uint32_t zstd_block_bytes = (uint32_t)launch->args.buffers.zstd_block_bytes;
    uint32_t n_kinds = rp_candidates_kinds(launch->args.effort);
    uint32_t n_segments = rp_divide_up(zstd_block_bytes, RP_LAZY_SEGMENT_BYTES);
    const rp_kernel *join = launch->args.effort >= RP_EFFORT_HIGH ? &rp_optimal : &rp_join;
    size_t table_bytes = sizeof(uint16_t) << rp_table_log_of(zstd_block_bytes);
    cudaError_t error = rp_launch_kernel(&rp_candidates, dim3(launch->n_teams * n_kinds),
                                         table_bytes, launch, stream);
    if (error == cudaSuccess)
        error = rp_launch_matches(launch, stream);
    uint64_t n_all = (uint64_t)n_segments * launch->n_teams;
    if (error == cudaSuccess && n_all >= RP_PARSE_BY_THREADS_FROM)
        error = rp_launch_kernel(
            &rp_parse_by_threads,
            dim3((uint32_t)((n_all + RP_PARSE_THREADS - 1) / RP_PARSE_THREADS)), 0, launch, stream);
    else if (error == cudaSuccess)
        error = rp_launch_kernel(&rp_parse_by_warps, dim3(launch->n_teams, n_segments), 0, launch,
                                 stream);
    if (error == cudaSuccess)
        error =
            rp_launch_kernel(join, dim3(launch->n_teams), join->team_memory_bytes, launch, stream);
    return error;
}

/* Whether a kernel is, on the current device, compiled for compute capability 9.0 or later, and has
 * what is for these alone. Compiled by the driver from a program for earlier ones, it has not. */
static cudaError_t rp_is_for_90(const rp_kernel *kernel, bool *is_for_90)
{
    cudaFuncAttributes attributes = {};
    cudaError_t error = cudaFuncGetAttributes(&attributes, (const void *)kernel->function);
    *is_for_90 = attributes.ptxVersion >= 90;
    return error;
}

static cudaError_t rp_launch_with(cudaLaunchAttribute attribute, const rp_kernel *kernel,
                                  uint32_t n_blocks, const struct rp_launch *launch, void *stream)
{
    void *arguments[] = {(void *)&launch->args};
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(n_blocks);
    config.blockDim = dim3(kernel->n_threads);
    config.dynamicSmemBytes = kernel->team_memory_bytes;
    config.stream = (cudaStream_t)stream;
    config.attrs = &attribute;
    config.numAttrs = 1;
    return cudaLaunchKernelExC(&config, (const void *)kernel->function, arguments);
}

/* May begin while the launch before it runs: rp_let_next_begin(). */
static cudaError_t rp_launch_early(const rp_kernel *kernel, const struct rp_launch *launch,
                                   void *stream)
{
    cudaLaunchAttribute early;
    early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    early.val.programmaticStreamSerializationAllowed = 1;
    return rp_launch_with(early, kernel, launch->n_teams, launch, stream);
}

/* A cluster of thread blocks for each block. */
static cudaError_t rp_launch_clusters(const struct rp_launch *launch, void *stream)
{
    cudaLaunchAttribute cluster;
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = RP_LZ77_SLICES;
    cluster.val.clusterDim.y = 1;
    cluster.val.clusterDim.z = 1;
    return rp_launch_with(cluster, &rp_clustered, launch->n_teams * RP_LZ77_SLICES, launch, stream);
}

/* Whether the current device has clusters, and the kernel for them. */
static cudaError_t rp_has_clusters(bool *has)
{
    int ordinal = 0;
    int value = 0;
    bool is_for_90 = false;
    cudaError_t error = cudaGetDevice(&ordinal);
    if (error == cudaSuccess)
        error = cudaDeviceGetAttribute(&value, cudaDevAttrClusterLaunch, ordinal);
    if (error == cudaSuccess)
        error = rp_is_for_90(&rp_clustered, &is_for_90);
    *has = value != 0 && is_for_90;
    return error;
}

/* Near, where a thread block may have so much shared memory. */
static cudaError_t rp_launch_fused(const struct rp_launch *launch, void *stream)
{
    size_t limit;
    bool in_clusters = false;
    cudaError_t error = rp_shared_memory_limit(&limit);
    bool is_near = error == cudaSuccess && rp_fused_near.team_memory_bytes <= limit;
    if (is_near && launch->n_teams <= RP_CLUSTERED_MAX_INPUTS)
        error = rp_has_clusters(&in_clusters);
    if (error != cudaSuccess)
        return error;
    if (in_clusters)
        return rp_launch_clusters(launch, stream);
    const rp_kernel *kernel = is_near ? &rp_fused_near : &rp_fused;
    return rp_launch_kernel(kernel, dim3(launch->n_teams), kernel->team_memory_bytes, launch,
                            stream);
}

extern "C" int rp_launch_kernels(const struct rp_launch *launch, void *stream)
{
    if (launch->stage == RP_STAGE_LZ77_MATCHER)
        return rp_launch_lz77(launch, stream);
    if (launch->stage == RP_STAGE_FUSED)
        return rp_launch_fused(launch, stream);
    const rp_kernel *kernel = launch->stage == RP_STAGE_HUFFMAN_ENCODER ? &rp_huffman_encoder
                              : launch->stage == RP_STAGE_FSE_ENCODER   ? &rp_fse_encoder
                                                                        : &rp_frame_assembler;
    if (launch->may_begin_early && launch->n_teams <= RP_EARLY_MAX_TEAMS) {
        bool is_for_90;
        cudaError_t error = rp_is_for_90(kernel, &is_for_90);
        if (error != cudaSuccess || is_for_90)
            return error != cudaSuccess ? error : rp_launch_early(kernel, launch, stream);
    }
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
