/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Launches of the kernels. Which ones, cuda/schedule.h says; here stands with how many thread
 * blocks and how much shared memory.
 */
#include "kernels/cuda/launch.h"

#include <cuda_runtime_api.h>

#include "kernels/cuda/kernels.h"
#include "kernels/cuda/schedule.h"
#include "kernels/match/stage.h"

static const rp_kernel *const all_kernels[] = {&rp_candidates,
                                               &rp_matches_up_to_4k,
                                               &rp_matches,
                                               &rp_matches_in_place,
                                               &rp_parse_by_threads,
                                               &rp_parse_by_warps,
                                               &rp_join,
                                               &rp_join_optimal,
                                               &rp_huffman_encoder,
                                               &rp_fse_encoder,
                                               &rp_frame_assembler,
                                               &rp_verifier,
                                               &rp_verifier_wide,
                                               &rp_verifier_in_place,
                                               &rp_fused,
                                               &rp_fused_shared,
                                               &rp_clustered};

/* What a thread block may have of the current device's shared memory: 99 KiB on every GPU that is
 * supported, 163 or 227 on some. */
static cudaError_t shared_memory_limit(size_t *n_bytes)
{
    int ordinal = 0;
    int limit = 0;
    cudaError_t error = cudaGetDevice(&ordinal);
    if (error == cudaSuccess)
        error = cudaDeviceGetAttribute(&limit, cudaDevAttrMaxSharedMemoryPerBlockOptin, ordinal);
    *n_bytes = (size_t)limit;
    return error;
}

int rp_prepare_kernels(void)
{
    size_t limit;
    cudaError_t error = shared_memory_limit(&limit);
    for (size_t i = 0; i < sizeof(all_kernels) / sizeof(all_kernels[0]); i++) {
        const rp_kernel *kernel = all_kernels[i];
        struct cudaFuncAttributes attributes;
        if (error == cudaSuccess)
            error = cudaFuncGetAttributes(&attributes, kernel->function);
        if (error != cudaSuccess)
            break;
        size_t most = limit - attributes.sharedSizeBytes;
        size_t n_bytes = kernel->team_memory_bytes < most ? kernel->team_memory_bytes : most;
        error = cudaFuncSetAttribute(kernel->function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     (int)n_bytes);
    }
    return (int)error;
}

/* A grid of x * y thread blocks. */
static cudaError_t launch_grid(const rp_kernel *kernel, uint32_t x, uint32_t y,
                               size_t team_memory_bytes, const struct rp_launch *launch,
                               void *stream)
{
    void *arguments[] = {(void *)(uintptr_t)&launch->args};
    const dim3 grid = {x, y, 1};
    const dim3 threads = {kernel->n_threads, 1, 1};
    return cudaLaunchKernel(kernel->function, grid, threads, arguments, team_memory_bytes,
                            (cudaStream_t)stream);
}

/* A thread block for each team of the launch. */
static cudaError_t launch_teams(const rp_kernel *kernel, const struct rp_launch *launch,
                                void *stream)
{
    return launch_grid(kernel, launch->n_teams, 1, kernel->team_memory_bytes, launch, stream);
}

static cudaError_t launch_with(cudaLaunchAttribute attribute, const rp_kernel *kernel,
                               uint32_t n_blocks, const struct rp_launch *launch, void *stream)
{
    void *arguments[] = {(void *)(uintptr_t)&launch->args};
    cudaLaunchConfig_t config = {0};
    config.gridDim = (dim3){n_blocks, 1, 1};
    config.blockDim = (dim3){kernel->n_threads, 1, 1};
    config.dynamicSmemBytes = kernel->team_memory_bytes;
    config.stream = (cudaStream_t)stream;
    config.attrs = &attribute;
    config.numAttrs = 1;
    return cudaLaunchKernelExC(&config, kernel->function, arguments);
}

/* May begin while the launch before it runs (encode_kernels.cu). */
static cudaError_t launch_early(const rp_kernel *kernel, const struct rp_launch *launch,
                                void *stream)
{
    cudaLaunchAttribute early = {0};
    early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    early.val.programmaticStreamSerializationAllowed = 1;
    return launch_with(early, kernel, launch->n_teams, launch, stream);
}

/* A cluster of thread blocks for each team. */
static cudaError_t launch_clusters(const struct rp_launch *launch, void *stream)
{
    cudaLaunchAttribute cluster = {0};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = RP_LZ77_SLICES;
    cluster.val.clusterDim.y = 1;
    cluster.val.clusterDim.z = 1;
    return launch_with(cluster, &rp_clustered, launch->n_teams * RP_LZ77_SLICES, launch, stream);
}

static cudaError_t launch_candidates(const struct rp_launch *launch, void *stream)
{
    uint32_t log = rp_lz77_table_log((uint32_t)launch->args.buffers.zstd_block_bytes);
    uint32_t n_blocks = launch->n_teams * rp_candidate_kinds(launch->args.effort);
    return launch_grid(&rp_candidates, n_blocks, 1, sizeof(uint16_t) << log, launch, stream);
}

static cudaError_t launch_matches(const struct rp_launch *launch, void *stream)
{
    size_t zstd_block_bytes = launch->args.buffers.zstd_block_bytes;
    rp_matches_kind kind = rp_choose_matches(zstd_block_bytes, RP_SHARED_MEMORY_OF_ALL);
    if (kind == RP_MATCHES_IN_PLACE) {
        size_t limit;
        cudaError_t error = shared_memory_limit(&limit);
        if (error != cudaSuccess)
            return error;
        kind = rp_choose_matches(zstd_block_bytes, limit);
    }
    if (kind == RP_MATCHES_IN_PLACE)
        return launch_teams(&rp_matches_in_place, launch, stream);
    const rp_kernel *kernel = kind == RP_MATCHES_UP_TO_4K ? &rp_matches_up_to_4k : &rp_matches;
    return launch_grid(kernel, launch->n_teams, 1,
                       RP_MATCHES_MEMORY_BYTES(kernel->n_threads, zstd_block_bytes), launch,
                       stream);
}

static cudaError_t launch_parse(const struct rp_launch *launch, void *stream)
{
    uint32_t each = rp_lazy_segments((uint32_t)launch->args.buffers.zstd_block_bytes);
    uint64_t n_segments = (uint64_t)each * launch->n_teams;
    if (rp_choose_parse(n_segments) == RP_PARSE_BY_WARPS)
        return launch_grid(&rp_parse_by_warps, launch->n_teams, each, 0, launch, stream);
    uint64_t n_blocks = (n_segments + RP_PARSE_THREADS - 1) / RP_PARSE_THREADS;
    return launch_grid(&rp_parse_by_threads, (uint32_t)n_blocks, 1, 0, launch, stream);
}

/* The parts of stage 1, in their order. */
static cudaError_t launch_match(const struct rp_launch *launch, void *stream)
{
    bool is_optimal = launch->args.effort >= RP_EFFORT_HIGH;
    cudaError_t error = launch_candidates(launch, stream);
    if (error == cudaSuccess)
        error = launch_matches(launch, stream);
    if (error == cudaSuccess)
        error = launch_parse(launch, stream);
    if (error == cudaSuccess)
        error = launch_teams(is_optimal ? &rp_join_optimal : &rp_join, launch, stream);
    return error;
}

/* Whether a kernel is, on the current device, compiled for compute capability 9.0 or later, and has
 * what is for these alone. Compiled by the driver from a program for earlier ones, it has not. */
static cudaError_t is_for_90(const rp_kernel *kernel, bool *is)
{
    struct cudaFuncAttributes attributes = {0};
    cudaError_t error = cudaFuncGetAttributes(&attributes, kernel->function);
    *is = attributes.ptxVersion >= 90;
    return error;
}

/* Whether the current device has clusters, and the kernel for them. */
static cudaError_t find_clusters(bool *has)
{
    int ordinal = 0;
    int value = 0;
    bool is_compiled = false;
    cudaError_t error = cudaGetDevice(&ordinal);
    if (error == cudaSuccess)
        error = cudaDeviceGetAttribute(&value, cudaDevAttrClusterLaunch, ordinal);
    if (error == cudaSuccess)
        error = is_for_90(&rp_clustered, &is_compiled);
    *has = value != 0 && is_compiled;
    return error;
}

/* The device is asked for clusters only where they would be used. */
static cudaError_t launch_fused(const struct rp_launch *launch, void *stream)
{
    size_t limit;
    cudaError_t error = shared_memory_limit(&limit);
    if (error != cudaSuccess)
        return error;
    rp_fused_kind kind = rp_choose_fused(launch->n_teams, limit, true);
    if (kind == RP_FUSED_CLUSTERED) {
        bool has_clusters;
        error = find_clusters(&has_clusters);
        if (error != cudaSuccess)
            return error;
        kind = rp_choose_fused(launch->n_teams, limit, has_clusters);
    }
    if (kind == RP_FUSED_CLUSTERED)
        return launch_clusters(launch, stream);
    return launch_teams(kind == RP_FUSED_SHARED ? &rp_fused_shared : &rp_fused, launch, stream);
}

static cudaError_t launch_sequences(const struct rp_launch *launch, void *stream)
{
    bool can_be_early = false;
    if (launch->may_begin_early && rp_runs_beside_literals(launch->n_teams)) {
        cudaError_t error = is_for_90(&rp_fse_encoder, &can_be_early);
        if (error != cudaSuccess)
            return error;
    }
    return can_be_early ? launch_early(&rp_fse_encoder, launch, stream)
                        : launch_teams(&rp_fse_encoder, launch, stream);
}

static cudaError_t launch_verifier(const struct rp_launch *launch, void *stream)
{
    const rp_kernel_buffers *buffers = &launch->args.buffers;
    const rp_verifier_kind kind = rp_choose_verifier(
        launch->n_teams, buffers->zstd_blocks_per_input, buffers->zstd_block_bytes);
    if (kind == RP_VERIFIER_IN_PLACE)
        return launch_teams(&rp_verifier_in_place, launch, stream);
    const rp_kernel *kernel = kind == RP_VERIFIER_WIDE ? &rp_verifier_wide : &rp_verifier;
    return launch_grid(kernel, launch->n_teams, 1,
                       RP_VERIFY_MEMORY_BYTES(buffers->zstd_block_bytes), launch, stream);
}

static cudaError_t launch_stage(const struct rp_launch *launch, void *stream)
{
    switch (launch->stage) {
    case RP_STAGE_LZ77_MATCHER:
        return launch_match(launch, stream);
    case RP_STAGE_HUFFMAN_ENCODER:
        return launch_teams(&rp_huffman_encoder, launch, stream);
    case RP_STAGE_FSE_ENCODER:
        return launch_sequences(launch, stream);
    case RP_STAGE_FRAME_ASSEMBLER:
        return launch_teams(&rp_frame_assembler, launch, stream);
    case RP_STAGE_FUSED:
        return launch_fused(launch, stream);
    case RP_STAGE_FRAME_VERIFIER:
        return launch_verifier(launch, stream);
    }
    return cudaErrorInvalidValue;
}

int rp_launch_kernels(const struct rp_launch *launch, void *stream)
{
    return (int)launch_stage(launch, stream);
}
