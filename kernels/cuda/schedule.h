/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which kernels run when: each choice is one function here, for the engine, the launches and the
 * tests. The table of all cases is at the top of match/stage.h; the limits are in cuda/tuning.h.
 * Functions of the CPU: nothing here is compiled for a GPU.
 */
#ifndef ROCKPRESS_KERNELS_CUDA_SCHEDULE_H
#define ROCKPRESS_KERNELS_CUDA_SCHEDULE_H

#include "kernels/base/stages.h"
#include "kernels/cuda/team_memory.h"
#include "kernels/cuda/tuning.h"

/* Whether a batch is one launch of all stages, on a device that can (RP_DEVICE_FUSED_LAUNCH). Few
 * and small inputs leave a GPU idle whatever is done, so the fewest launches are the fastest. The
 * optimal parse takes longer than what one launch would save. */
static inline bool rp_is_fused(const rp_stage_args *args)
{
    return args->buffers.zstd_blocks_per_input == 1 &&
           args->buffers.zstd_block_bytes <= RP_FUSED_MAX_BYTES &&
           args->batch.n_inputs <= RP_FUSED_MAX_INPUTS && args->effort < RP_EFFORT_HIGH;
}

typedef enum rp_fused_kind {
    RP_FUSED_GLOBAL,   /* a thread block each; candidates and matches in global memory */
    RP_FUSED_SHARED,   /* a thread block each; all of that in its shared memory */
    RP_FUSED_CLUSTERED /* four thread blocks each, which read each other's shared memory */
} rp_fused_kind;

/* How the inputs of such a launch are divided among thread blocks. */
static inline rp_fused_kind rp_choose_fused(uint32_t n_inputs, size_t shared_memory_bytes,
                                            bool has_clusters)
{
    if (sizeof(rp_shared_block_memory) > shared_memory_bytes)
        return RP_FUSED_GLOBAL;
    return has_clusters && n_inputs <= RP_CLUSTERED_MAX_INPUTS ? RP_FUSED_CLUSTERED
                                                               : RP_FUSED_SHARED;
}

typedef enum rp_matches_kind {
    RP_MATCHES_UP_TO_4K, /* fewer threads, a copy of the block in shared memory */
    RP_MATCHES_COPIED,   /* a copy of the block in shared memory */
    RP_MATCHES_IN_PLACE  /* no copy, since there is no memory for it */
} rp_matches_kind;

/* How the best matches are found, for zstd blocks of up to zstd_block_bytes and thread blocks
 * that may have shared_memory_bytes. */
static inline rp_matches_kind rp_choose_matches(size_t zstd_block_bytes, size_t shared_memory_bytes)
{
    if (zstd_block_bytes <= RP_MATCHES_SMALL_BYTES)
        return RP_MATCHES_UP_TO_4K;
    size_t needed_bytes = RP_MATCHES_MEMORY_BYTES(RP_FIND_THREADS, zstd_block_bytes);
    return needed_bytes <= shared_memory_bytes ? RP_MATCHES_COPIED : RP_MATCHES_IN_PLACE;
}

typedef enum rp_parse_kind {
    RP_PARSE_BY_WARPS,  /* match/lazy_warp.h */
    RP_PARSE_BY_THREADS /* match/lazy_thread.h */
} rp_parse_kind;

/* Who has one of the batch's segments. */
static inline rp_parse_kind rp_choose_parse(uint64_t n_segments)
{
    return n_segments >= RP_PARSE_BY_THREADS_FROM ? RP_PARSE_BY_THREADS : RP_PARSE_BY_WARPS;
}

typedef enum rp_verifier_kind {
    RP_VERIFIER_COPIED,  /* the input and its frame are copied to shared memory */
    RP_VERIFIER_WIDE,    /* the same with more threads for each input */
    RP_VERIFIER_IN_PLACE /* they are read where they lie */
} rp_verifier_kind;

/* Who proves a frame. An input of several zstd blocks is not copied. */
static inline rp_verifier_kind rp_choose_verifier(uint32_t n_inputs, size_t zstd_blocks_per_input,
                                                  size_t zstd_block_bytes)
{
    if (zstd_blocks_per_input != 1 || zstd_block_bytes > RP_VERIFY_COPY_MAX_BYTES)
        return RP_VERIFIER_IN_PLACE;
    return n_inputs <= RP_VERIFY_WIDE_MAX_INPUTS ? RP_VERIFIER_WIDE : RP_VERIFIER_COPIED;
}

/* Whether sequences are encoded while the literals are, if the GPU can. */
static inline bool rp_runs_beside_literals(uint32_t n_zstd_blocks)
{
    return n_zstd_blocks <= RP_EARLY_MAX_TEAMS;
}

#endif
