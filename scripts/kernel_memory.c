/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For scripts/kernel_resources: the threads of each kernel and its dynamic shared memory, as
 * cuda/launch.c has them for blocks of up to 16 KiB (that of the kernel for smaller ones: 4
 * KiB).
 */
#include <stdio.h>

#include "kernels/cuda/team_memory.h"
#include "kernels/frame/stage.h"
#include "kernels/literals/stage.h"
#include "kernels/sequences/stage.h"

static void print(const char *name, unsigned n_threads, size_t n_bytes)
{
    printf("%s %u %zu\n", name, n_threads, n_bytes);
}

int main(void)
{
    const size_t table_bytes = sizeof(uint16_t) << rp_lz77_table_log(16384);
    print("rp_lz77_candidates_kernel", RP_CANDIDATES_THREADS, table_bytes);
    print("rp_lz77_matches_kernelILj128EEv", RP_FIND_THREADS_UP_TO_4K,
          RP_MATCHES_MEMORY_BYTES(RP_FIND_THREADS_UP_TO_4K, RP_MATCHES_SMALL_BYTES));
    print("rp_lz77_matches_kernelILj512EEv", RP_FIND_THREADS,
          RP_MATCHES_MEMORY_BYTES(RP_FIND_THREADS, 16384));
    print("rp_lz77_matches_in_place_kernel", RP_FIND_THREADS,
          RP_FIND_SCRATCH_BYTES(RP_FIND_THREADS));
    print("rp_lz77_parse_by_threads_kernel", RP_PARSE_THREADS, 0);
    print("rp_lz77_parse_by_warps_kernel", 32, 0);
    print("rp_lz77_join_kernelILb0EEv", RP_JOIN_THREADS, sizeof(rp_parse_memory));
    print("rp_lz77_join_kernelILb1EEv", RP_JOIN_THREADS, sizeof(rp_parse_memory));
    print("rp_huffman_encoder_kernel", RP_HUFFMAN_THREADS, sizeof(rp_literals_memory));
    print("rp_fse_encoder_kernel", RP_FSE_THREADS, sizeof(rp_sequences_memory));
    print("rp_fused_kernelILb0EEv", RP_FUSED_THREADS,
          RP_FUSED_MAX_BYTES + RP_SOURCE_SLACK + ((size_t)4 << RP_FUSED_TABLE_LOG));
    print("rp_fused_kernelILb1EEv", RP_FUSED_THREADS, sizeof(rp_shared_block_memory));
    print("rp_clustered_kernel", RP_FUSED_THREADS, sizeof(rp_shared_block_memory));
    print("rp_frame_assembler_kernel", RP_FRAME_THREADS, sizeof(rp_frame_memory));
    print("rp_verifier_kernelILj128ELj5ELb1EEv", RP_VERIFY_THREADS, RP_VERIFY_MEMORY_BYTES(16384));
    print("rp_verifier_kernelILj512ELj1ELb1EEv", RP_VERIFY_WIDE_THREADS,
          RP_VERIFY_MEMORY_BYTES(16384));
    print("rp_verifier_kernelILj256ELj3ELb0EEv", RP_VERIFY_IN_PLACE_THREADS,
          sizeof(rp_decode_memory));
    return 0;
}
