/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels, for who launches them: cuda/launch.c. Each is defined beside its __global__
 * function. What a kernel does is said there, and when it runs in cuda/schedule.h.
 */
#ifndef ROCKPRESS_KERNELS_CUDA_KERNELS_H
#define ROCKPRESS_KERNELS_CUDA_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_kernel {
    const void *function;     /* of one argument, a struct rp_stage_args */
    uint32_t n_threads;       /* of a thread block */
    size_t team_memory_bytes; /* dynamic shared memory that it takes at most */
} rp_kernel;

/* Stage 1, match_kernels.cu */
extern const rp_kernel rp_candidates;
extern const rp_kernel rp_matches_up_to_4k;
extern const rp_kernel rp_matches;
extern const rp_kernel rp_matches_in_place;
extern const rp_kernel rp_parse_by_threads;
extern const rp_kernel rp_parse_by_warps;
extern const rp_kernel rp_join;
extern const rp_kernel rp_join_optimal;

/* Stages 2 to 4, encode_kernels.cu */
extern const rp_kernel rp_huffman_encoder;
extern const rp_kernel rp_fse_encoder;
extern const rp_kernel rp_frame_assembler;

/* The frame verifier, decode_kernels.cu */
extern const rp_kernel rp_verifier;
extern const rp_kernel rp_verifier_wide;
extern const rp_kernel rp_verifier_in_place;

/* All stages at once, fused_kernels.cu */
extern const rp_kernel rp_fused;
extern const rp_kernel rp_fused_shared;
extern const rp_kernel rp_clustered;

#ifdef __cplusplus
}
#endif

#endif
