/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many threads of a GPU work on one zstd block in each stage. One choice each, with its
 * reason; what it leaves of an SM is printed by scripts/kernel_resources.
 */
#ifndef ROCKPRESS_KERNELS_TUNING_H
#define ROCKPRESS_KERNELS_TUNING_H

/* Candidates: one warp for each hash table, because a table is gone through in order. What bounds
 * how many run at a time is the table, in shared memory: 2 bytes a position up to 16 Ki. */
#define RP_CANDIDATES_THREADS 32

/* Parse: a warp for each segment of 2 KiB, up to 8; longer blocks take turns. */
#define RP_PARSE_THREADS_UP_TO_4K 64
#define RP_PARSE_THREADS_UP_TO_8K 128
#define RP_PARSE_THREADS 256

/* A warp for each of the four streams. */
#define RP_HUFFMAN_THREADS 128

/* A warp for each of the three fields. */
#define RP_FSE_THREADS 96

/* Copies. */
#define RP_FRAME_THREADS 128

#endif
