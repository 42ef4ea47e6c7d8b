/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many threads of a GPU work on one zstd block in each stage. One choice each, with its
 * reason; what it leaves of an SM is printed by scripts/kernel_resources.
 */
#ifndef ROCKPRESS_KERNELS_CUDA_TUNING_H
#define ROCKPRESS_KERNELS_CUDA_TUNING_H

/* Candidates: one warp for each hash table, because a table is gone through in order. What bounds
 * how many run at a time is the table, in shared memory: 2 bytes a position up to 16 Ki. */
#define RP_CANDIDATES_THREADS 32

/* Best matches: a warp for each piece of 1 KiB; longer blocks take turns. The block is copied to
 * shared memory, so more warps could not be there at once anyway. Shorter pieces leave less of a
 * GPU idle at the end of a launch, but each begins with nothing to go on from. */
#define RP_MATCHES_SMALL_BYTES 4096
#define RP_FIND_THREADS_UP_TO_4K 128
#define RP_FIND_THREADS 512
/* So many threads on an SM, said to the compiler: some GPUs have no more. */
#define RP_FIND_THREADS_PER_SM 1536

/* The least that a thread block may have, by compute capability (8.6, 8.9 and 12.0): larger blocks
 * are not copied there. */
#define RP_SHARED_MEMORY_OF_ALL (99 * 1024)

/* Parse by threads: half of each warp, because segments go different ways and each step of one
 * waits for memory. */
#define RP_PARSE_THREADS 16
/* So many segments are parsed by a thread each; fewer by a warp each, which takes more
 * instructions and less time. */
#define RP_PARSE_BY_THREADS_FROM 8192

/* Sequences and literals: the parts that go over all of a block's sequences; segments of the
 * optimal parse. */
#define RP_JOIN_THREADS 128
/* So many thread blocks on an SM are enough; said to the compiler, it spills no registers. */
#define RP_JOIN_BLOCKS 8

/* A warp for each of the four streams. Shared memory has room for fewer thread blocks than these on
 * an SM; said to the compiler, it spills no registers. */
#define RP_HUFFMAN_THREADS 128
#define RP_HUFFMAN_BLOCKS 12

/* A warp for each of the three fields. */
#define RP_FSE_THREADS 96
/* As RP_JOIN_BLOCKS. */
#define RP_FSE_BLOCKS 16

/* Sequences are encoded beside the literals up to so many blocks, all of which find room on a GPU
 * then. More would be in each other's way. */
#define RP_EARLY_MAX_TEAMS 2048

/* All stages in one launch: a warp for each segment of 1 KiB of a block of 16 KiB. Larger blocks
 * keep more of a GPU busy, and larger batches all of it; then each stage has the threads that suit
 * it. */
#define RP_FUSED_THREADS 512
#define RP_FUSED_MAX_BYTES 16384
#define RP_FUSED_TABLE_LOG 13
#define RP_FUSED_MAX_INPUTS 128

/* Up to so many inputs have a cluster of thread blocks each, which take four times the SMs for
 * about half the time: 32 threads with one each still find room side by side on 132 SMs, but with
 * 16 each they had half of what they have without. */
#define RP_CLUSTERED_MAX_INPUTS 2

/* Copies. */
#define RP_FRAME_THREADS 128

#endif
