/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dynamic shared memory of the kernels that have more in it than one stage's team memory: for
 * those who define them, launch them, and print what they take (scripts/kernel_memory.c).
 */
#ifndef ROCKPRESS_KERNELS_CUDA_TEAM_MEMORY_H
#define ROCKPRESS_KERNELS_CUDA_TEAM_MEMORY_H

#include "kernels/cuda/tuning.h"
#include "kernels/decode/stage.h"
#include "kernels/fused/shared_block.h"
#include "kernels/literals/stage.h"
#include "kernels/match/stage.h"
#include "kernels/sequences/stage.h"

/* Best matches of a copy of the block: the lists of matches that are to be counted, and the copy.
 */
#define RP_MATCHES_MEMORY_BYTES(n_threads, zstd_block_bytes)                                       \
    (RP_FIND_SCRATCH_BYTES(n_threads) + ((zstd_block_bytes) + (size_t)3) / 4 * 4 + RP_SOURCE_SLACK)

/* Of the fused kernel whose candidates and matches are in global memory: the block, and after it
 * what the part that runs takes. */
#define RP_FUSED_COPY_BYTES sizeof(((rp_shared_block_memory *)NULL)->copy)
#define RP_FUSED_TABLE_BYTES (sizeof(uint16_t) << RP_FUSED_TABLE_LOG)
#define RP_FUSED_LITERALS_BYTES ((sizeof(rp_literals_memory) + 15) / 16 * 16)
#define RP_FUSED_MEMORY_BYTES                                                                      \
    (RP_FUSED_COPY_BYTES + RP_MAX_OF((RP_LZ77_HASH8 + 1) * RP_FUSED_TABLE_BYTES,                   \
                                     RP_FUSED_LITERALS_BYTES + sizeof(rp_sequences_memory)))
#define RP_MAX_OF(a, b) ((a) > (b) ? (a) : (b))

#endif
