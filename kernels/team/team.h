/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Teams: how one kernel source runs on a GPU, on a CPU and under a race detector.
 *
 * A kernel works on one zstd block and is written for a team of `size` workers that share a scratch
 * memory. Each worker has a `rank` from 0 to size - 1. All workers run the same code, divide loops
 * with TEAM_FOR and meet at team_sync(). This file declares all that a kernel may use of its team.
 * One of three files defines it, chosen when the kernels are compiled:
 *
 *   team_solo.h      The default: one worker. Rank and size are constants, loops over the team are
 *                    ordinary loops, and a collective is an assignment. The `host` device runs it.
 *   team_threads.h   With RP_TEAM_THREADS, for tests: any number of workers that meet at a barrier
 *                    which the test supplies. Under ThreadSanitizer they are threads, so a missing
 *                    team_sync() is a reported race. Elsewhere they are coroutines of one thread
 *                    that run in another order after each barrier.
 *   team_cuda.h      With __CUDACC__: one thread, one warp, or several warps of a thread block.
 *
 * What the three kinds of team share, and what they do not:
 *
 *   - Formats, decisions and results are written once. Every kind and size of team makes the same
 *     bytes, which the tests check.
 *   - The functions below have an implementation for each kind of team.
 *   - base/bit_writer.h has two implementations: one for workers that write parts of one stream,
 *     and one for a single worker.
 *   - base/memory.h, match/source.h and match/candidates.h read bytes in another way on a
 *     GPU, which loads aligned words only.
 *   - A single worker has a serial algorithm where the one for a team costs it more. The function's
 *     name ends in _alone, or TEAM_SIZE() selects it: sorting, the Huffman tree and its limit, the
 *     description of a tree, the spreading of FSE symbols, the chains of FSE states, the search for
 *     matches and the lazy parse.
 *   - match/lazy_thread.h (a thread for each segment), match/lazy_warp.h (a warp) and fused/ (a
 *     block in shared memory) serve a GPU only. The tests run them on CPUs, too.
 *
 * A team can be divided into parts that work side by side on pieces of their own. A part is a warp
 * of a thread block, and a team to the collectives. Teams on CPUs have one part.
 */
#ifndef ROCKPRESS_KERNELS_TEAM_TEAM_H
#define ROCKPRESS_KERNELS_TEAM_TEAM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__CUDACC__)
#define RP_FN static __device__ __forceinline__
#define RP_CONSTANT static __device__ const
#elif defined(__GNUC__) || defined(__clang__)
#define RP_FN static inline __attribute__((unused))
#define RP_CONSTANT static const __attribute__((unused))
#else
#define RP_FN static inline
#define RP_CONSTANT static const
#endif

/* For a function that is called with constant arguments and becomes shorter for each of them. */
#if defined(__CUDACC__)
#define RP_FN_INLINE RP_FN
#elif defined(__GNUC__) || defined(__clang__)
#define RP_FN_INLINE static inline __attribute__((unused, always_inline))
#else
#define RP_FN_INLINE static inline
#endif

/* For a function that makes its caller slower on a CPU when it is inlined: apart, it has the
 * registers for itself. */
#if !defined(__CUDACC__) && (defined(__GNUC__) || defined(__clang__))
#define RP_FN_APART static __attribute__((unused, noinline))
#else
#define RP_FN_APART RP_FN
#endif

/* Before a loop with a constant number of rounds, over arrays that a GPU is to keep in registers.
 */
#if defined(__CUDACC__)
#define RP_UNROLL _Pragma("unroll")
#else
#define RP_UNROLL
#endif

#define RP_TEAM_NONE UINT32_MAX

typedef struct rp_team rp_team;

/*
 * Each kind of team defines these macros:
 *
 *   TEAM_RANK(team)       this worker's rank
 *   TEAM_SIZE(team)       number of workers
 *   TEAM_PART(team)       index of the part that this worker is in
 *   TEAM_PARTS(team)      number of parts
 *   TEAM_KEEP_RANK(team)  A GPU's compiler keeps the rank in a register from here on, instead of
 *                         computing it again at each use.
 *
 * The loops below may be called by any worker at any time; they are no barriers.
 */

/* Divides the indices [first, end) over the workers: this worker has first + rank, and every
 * size-th index after it. */
#define TEAM_FOR(index, first, end, team)                                                          \
    for (uint32_t index = (first) + TEAM_RANK(team); index < (end); index += TEAM_SIZE(team))

/* Divides the indices [first, end) over the parts of the team. */
#define TEAM_FOR_PARTS(index, first, end, team)                                                    \
    for (uint32_t index = (first) + TEAM_PART(team); index < (end); index += TEAM_PARTS(team))

/* The part that this worker is in, as a team of its own. Called by any worker. */
RP_FN rp_team team_part(const rp_team *team);

/*
 * Collectives. All workers of the team call a collective, at the same point of the kernel and after
 * the same calls before it; every worker gets its result. A collective is also a barrier: what a
 * worker wrote to memory of the team before the call is seen by all workers after it.
 *
 * On a GPU some of them are for a team of one warp only, and trap in others: the tables of the
 * matcher and the segments of the parse are a warp's work.
 */

/* Waits for all workers. Nothing else. Any team. */
RP_FN void team_sync(rp_team *team);

/* The same team, for collectives that exchange values and order no memory. On a GPU, with a team of
 * one warp, only team_sync() is a barrier then, which saves an instruction in each of the others.
 * Called by any worker; not a collective. */
RP_FN rp_team team_unordered(const rp_team *team);

/* The value that rank `root` passes. All pass the same root. Any team. */
RP_FN uint32_t team_broadcast(rp_team *team, uint32_t value, uint32_t root);
RP_FN uint64_t team_broadcast64(rp_team *team, uint64_t value, uint32_t root);

/* The value that `rank` passes; each worker may name another rank. One warp. */
RP_FN uint32_t team_shuffle(rp_team *team, uint32_t value, uint32_t rank);

/* The value that the rank below passes; `first` on rank 0. Any team. */
RP_FN uint32_t team_shift_up(rp_team *team, uint32_t value, uint32_t first);

/* Numbers that count up over the ranks: this rank's `value` where goes_on is false, else one more
 * than the result of the rank below. Rank 0 takes `first` for the rank below. One warp. */
RP_FN uint32_t team_count_on(rp_team *team, bool goes_on, uint32_t value, uint32_t first);

/* The smallest value of all ranks. Any team. */
RP_FN uint32_t team_reduce_min(rp_team *team, uint32_t value);

/* The sum of the values of all ranks. Any team. */
RP_FN uint32_t team_reduce_add(rp_team *team, uint32_t value);

/* Whether any rank passes true. Any team. */
RP_FN bool team_any(rp_team *team, bool value);

/* The sum of the values of the ranks below. The sum of the values of all ranks is stored to *total,
 * unless that is NULL. Any team; on a GPU, a warp at least. */
RP_FN uint32_t team_scan_add(rp_team *team, uint32_t value, uint32_t *total);

/* The number of ranks below that pass true. Stores to *n the number of all ranks that do. One
 * warp. */
RP_FN uint32_t team_rank_if(rp_team *team, bool value, uint32_t *n);

/* The highest rank below that is active and passes the same key, or RP_TEAM_NONE without one.
 * Stores to *is_last whether this rank is active and no active rank above has the key. An inactive
 * rank gets RP_TEAM_NONE. One warp. */
RP_FN uint32_t team_match(rp_team *team, uint32_t key, bool active, bool *is_last);

/* The number of active ranks below that pass the same key. Stores to *n_equal the number of all
 * active ranks with it, this one included. An inactive rank gets 0 for both. One warp. */
RP_FN uint32_t team_match_rank(rp_team *team, uint32_t key, bool active, uint32_t *n_equal);

/*
 * Memory. All workers call these with the same arguments. They are no barriers: the bytes are there
 * for all after the next one. Any team.
 */

/* Sets n_bytes, a multiple of 16, at an address that is a multiple of 16. */
RP_FN void team_set(rp_team *team, void *destination, uint8_t byte, size_t n_bytes);

/* Copies bytes to where they do not overlap the source, from any address to any address. */
RP_FN void team_copy(rp_team *team, uint8_t *destination, const uint8_t *source, uint32_t n_bytes);

/*
 * Atomic access of one worker to a word that the team shares. Not collectives. After the next
 * barrier, all workers see the result.
 */

/* Flips bits of words[index]. The words begin at a multiple of 4. On a GPU, the other word of the
 * same 4 bytes is accessed, too: nobody may store to it meanwhile, but others may flip it. */
RP_FN void team_atomic_xor16(uint16_t *words, uint32_t index, uint16_t bits);
RP_FN void team_atomic_add(uint32_t *word, uint32_t value);
RP_FN void team_atomic_or(uint32_t *word, uint32_t bits);
RP_FN void team_atomic_min(uint32_t *word, uint32_t value);

#if defined(__CUDACC__)
#include "kernels/team/team_cuda.h"
#elif defined(RP_TEAM_THREADS)
#include "kernels/team/team_threads.h"
#else
#include "kernels/team/team_solo.h"
#endif

#if !defined(__CUDACC__)
/* A team on CPUs has one part, and its barriers always order memory. */
#define TEAM_PARTS(team) ((void)(team), UINT32_C(1))
#define TEAM_PART(team) ((void)(team), UINT32_C(0))
#define TEAM_KEEP_RANK(team) ((void)(team))

RP_FN rp_team team_part(const rp_team *team)
{
    return *team;
}

RP_FN rp_team team_unordered(const rp_team *team)
{
    return *team;
}
#endif

/* Zeroes bytes as team_set() sets them. */
RP_FN void team_zero(rp_team *team, void *destination, size_t n_bytes)
{
    team_set(team, destination, 0, n_bytes);
}

#endif
