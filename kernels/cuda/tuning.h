/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many threads of a GPU work on one zstd block in each kernel, and the limits by which
 * cuda/schedule.h chooses kernels, each with its reason. scripts/kernel_resources prints what the
 * kernels leave of an SM.
 */
#ifndef ROCKPRESS_KERNELS_CUDA_TUNING_H
#define ROCKPRESS_KERNELS_CUDA_TUNING_H

/* Candidates: one warp for each hash table, because positions go through a table in order. The
 * table, in shared memory, limits how many warps run at a time: it takes 2 bytes for each
 * position of a block of up to 8 Ki, and 16 KiB up to 16 Ki. */
#define RP_CANDIDATES_THREADS 32

/* Best matches: a warp for each piece of 1 KiB; a longer block has more pieces than warps. The
 * block is copied to shared memory, so more warps would not fit an SM anyway. Shorter pieces
 * would leave less of a GPU idle at the end of a launch, but each begins without anything
 * carried over. */
#define RP_MATCHES_SMALL_BYTES 4096
#define RP_FIND_THREADS_UP_TO_4K 128
#define RP_FIND_THREADS 512
/* Threads on an SM that the compiler is to allow for: some GPUs have no more. */
#define RP_FIND_THREADS_PER_SM 1536

/* Shared memory that a thread block may have on every supported GPU (the least is that of
 * compute capability 8.6, 8.9 and 12.0). For larger blocks the GPU is asked. */
#define RP_SHARED_MEMORY_OF_ALL (99 * 1024)

/* Parse by threads: half of the threads of each warp, because segments take different branches
 * and each step of one waits for memory. */
#define RP_PARSE_THREADS 16
/* From this number of segments on, each is parsed by a thread. Fewer are parsed by a warp each,
 * which takes more instructions and less time. */
#define RP_PARSE_BY_THREADS_FROM 8192

/* The join, with the optimal parse: its loops go over all sequences of a block, or over
 * segments. */
#define RP_JOIN_THREADS 128
/* Thread blocks on an SM that the compiler is to allow for. More would not be faster, and it
 * spills no registers with this number. */
#define RP_JOIN_BLOCKS 8

/* Literals: a warp for each of the four streams. Shared memory holds fewer thread blocks than
 * the compiler is told here, but with this number it spills no registers. */
#define RP_HUFFMAN_THREADS 128
#define RP_HUFFMAN_BLOCKS 12

/* Sequences: a warp for each of the three fields. */
#define RP_FSE_THREADS 96
/* As RP_JOIN_BLOCKS. */
#define RP_FSE_BLOCKS 16

/* Up to this number of blocks, sequences are encoded while the literals are: all of them fit a
 * GPU then. More would compete for it. */
#define RP_EARLY_MAX_TEAMS 2048

/* All stages in one launch: a warp for each segment of 1 KiB of a block of 16 KiB. Larger
 * blocks keep more of a GPU busy, and larger batches all of it, so the separate launches suit
 * them better. */
#define RP_FUSED_THREADS 512
#define RP_FUSED_MAX_BYTES 16384
#define RP_FUSED_TABLE_LOG 13
#define RP_FUSED_MAX_INPUTS 128

/* Up to this number of inputs have a cluster of four thread blocks each, which take four times
 * the SMs for about half the time. 32 threads of the CPU with one input each still fit 132 SMs
 * side by side; with 16 inputs each they had half of the throughput that they have without
 * clusters. */
#define RP_CLUSTERED_MAX_INPUTS 2

/* The frame: copies. */
#define RP_FRAME_THREADS 128

/* The frame verifier: a warp for each of the tables that are made side by side. Up to this size of
 * a zstd block, the input and its frame are copied to shared memory, and it holds five thread
 * blocks for each SM then. */
#define RP_VERIFY_THREADS 128
#define RP_VERIFY_BLOCKS 5
#define RP_VERIFY_COPY_MAX_BYTES 16384

/* Larger blocks are read where they lie. They have more to divide. With more thread blocks on an SM
 * registers would be spilled; so they would with two of the wide ones. */
#define RP_VERIFY_IN_PLACE_THREADS 256
#define RP_VERIFY_IN_PLACE_BLOCKS 3

/* Up to this number of inputs leave a GPU idle with that. They have more threads each, since what
 * counts is how long one takes. */
#define RP_VERIFY_WIDE_MAX_INPUTS 264
#define RP_VERIFY_WIDE_THREADS 512
#define RP_VERIFY_WIDE_BLOCKS 1

#endif
