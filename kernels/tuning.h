/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many threads of a GPU work on one zstd block in each stage. One choice each, with its
 * reason; what it leaves of an SM is printed by scripts/kernel_resources.
 */
#ifndef ROCKPRESS_KERNELS_TUNING_H
#define ROCKPRESS_KERNELS_TUNING_H

/* One warp: its windows are as long as most literal runs, and what it decides costs shuffles
 * instead of barriers. Throughput comes from many blocks at a time. */
#define RP_LZ77_THREADS 32

/* Two passes over the literals, and some serial work in between that more threads don't help. */
#define RP_HUFFMAN_THREADS 64

/* Three chains of states, one thread each; 32 sequences at a time otherwise. */
#define RP_FSE_THREADS 32

/* Copies. */
#define RP_FRAME_THREADS 128

#endif
