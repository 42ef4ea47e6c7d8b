/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Teams: how one kernel source runs on a GPU, on a CPU and under a race detector.
 *
 * A kernel works on one zstd block and is written for a team of `size` workers, each with its
 * `rank`, that share a scratch memory. All workers run the same code and take the same
 * branches around collectives; they divide loops with TEAM_FOR and meet at team_sync().
 * There are three kinds of team, chosen when the kernels are compiled:
 *
 *   solo (default)       one worker: rank and size are constants, collectives vanish, loops
 *                        become ordinary loops. What the "host" device runs.
 *   RP_TEAM_THREADS      any number of workers behind two function pointers. The tests run it
 *                        with real threads under ThreadSanitizer, where a missing team_sync()
 *                        is a reported race, and with one thread in shuffled rank order.
 *   CUDA                 one warp or one thread block (team/team_cuda.h, cuda/launch.cu).
 *
 * Everything that differs between them is in this file, in team/team_cuda.h and in
 * base/bit_writer.h.
 *
 * A team may be looked at as several parts that work side by side on pieces of their own: the warps
 * of a thread block. Each is a team to the collectives; the other teams are one part.
 *
 * Who may call: every function with a team argument is a collective. All workers call it, at
 * the same point; results are valid on all of them, unless said otherwise. Every collective is a
 * barrier: what any worker did to the team's memory before it is seen by all behind it (but for
 * team_unordered()).
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

/* For what is called with constant arguments and gets shorter by knowing them. */
#if defined(__CUDACC__)
#define RP_FN_INLINE RP_FN
#elif defined(__GNUC__) || defined(__clang__)
#define RP_FN_INLINE static inline __attribute__((unused, always_inline))
#else
#define RP_FN_INLINE static inline
#endif

/* For what a CPU's compiler makes worse code of where it inlines it: its registers are its own. */
#if !defined(__CUDACC__) && (defined(__GNUC__) || defined(__clang__))
#define RP_FN_APART static __attribute__((unused, noinline))
#else
#define RP_FN_APART RP_FN
#endif

/* Before a loop with a constant number of rounds, over arrays that are to be registers on a GPU. */
#if defined(__CUDACC__)
#define RP_UNROLL _Pragma("unroll")
#else
#define RP_UNROLL
#endif

#define RP_TEAM_NONE UINT32_MAX

#if defined(__CUDACC__)

#include "kernels/team/team_cuda.h"

#elif defined(RP_TEAM_THREADS)

/* Most workers of a team of threads. */
#define RP_TEAM_MAX_SIZE 128

/* What the workers of one team share besides their scratch memory. */
typedef struct rp_team_shared {
    void (*wait)(struct rp_team_shared *shared, uint32_t rank); /* a barrier */
    void *wait_context;
    uint64_t exchange[RP_TEAM_MAX_SIZE];
} rp_team_shared;

typedef struct rp_team {
    uint32_t rank;
    uint32_t size;
    rp_team_shared *shared;
} rp_team;

#define TEAM_RANK(team) ((team)->rank)
#define TEAM_SIZE(team) ((team)->size)

RP_FN void team_sync(rp_team *team)
{
    team->shared->wait(team->shared, team->rank);
}

#else

typedef struct rp_team {
    uint32_t unused;
} rp_team;

#define TEAM_RANK(team) ((void)(team), UINT32_C(0))
#define TEAM_SIZE(team) ((void)(team), UINT32_C(1))

RP_FN void team_sync(rp_team *team)
{
    (void)team;
}

#endif

#if !defined(__CUDACC__)

#define TEAM_PARTS(team) ((void)(team), UINT32_C(1))
#define TEAM_PART(team) ((void)(team), UINT32_C(0))

#define TEAM_KEEP_RANK(team) ((void)(team))

/* The part that this worker is in, as a team. Not a collective. */
RP_FN rp_team team_part(const rp_team *team)
{
    return *team;
}

/* The same team for collectives that only exchange values: on a GPU, of a team of one warp, none
 * but team_sync() is a barrier for memory then, which takes an instruction each time. */
RP_FN rp_team team_unordered(const rp_team *team)
{
    return *team;
}

#endif

/* Divides a loop over the parts. What they did is seen by the others after a team_sync(). */
#define TEAM_FOR_PARTS(index, first, end, team)                                                    \
    for (uint32_t index = (first) + TEAM_PART(team); index < (end); index += TEAM_PARTS(team))

/* for (i = first + rank; i < end; i += size): divides a loop over the team. Not a collective. */
#define TEAM_FOR(index, first, end, team)                                                          \
    for (uint32_t index = (first) + TEAM_RANK(team); index < (end); index += TEAM_SIZE(team))

#if defined(RP_TEAM_THREADS) && !defined(__CUDACC__)

/* The value of one rank, on all. */
RP_FN uint64_t team_broadcast64(rp_team *team, uint64_t value, uint32_t root)
{
    if (team->rank == root)
        team->shared->exchange[0] = value;
    team_sync(team);
    uint64_t result = team->shared->exchange[0];
    team_sync(team);
    return result;
}

RP_FN uint32_t team_broadcast(rp_team *team, uint32_t value, uint32_t root)
{
    return (uint32_t)team_broadcast64(team, value, root);
}

/* The value of some rank, another one for each worker. On a GPU, for a team of one warp only. */
RP_FN uint32_t team_shuffle(rp_team *team, uint32_t value, uint32_t rank)
{
    team->shared->exchange[team->rank] = value;
    team_sync(team);
    uint32_t result = (uint32_t)team->shared->exchange[rank];
    team_sync(team);
    return result;
}

/* The value of the rank below; `first` on rank 0. */
RP_FN uint32_t team_shift_up(rp_team *team, uint32_t value, uint32_t first)
{
    team->shared->exchange[team->rank] = value;
    team_sync(team);
    uint32_t result = team->rank == 0 ? first : (uint32_t)team->shared->exchange[team->rank - 1];
    team_sync(team);
    return result;
}

/* The value of this rank, or where it goes on: the result of the rank below and one more; `first`
 * is that before rank 0. On a GPU, for a team of one warp only. */
RP_FN uint32_t team_count_on(rp_team *team, bool goes_on, uint32_t value, uint32_t first)
{
    team->shared->exchange[team->rank] = goes_on ? UINT64_MAX : value;
    team_sync(team);
    uint32_t result = first;
    for (uint32_t rank = 0; rank <= team->rank; rank++) {
        uint64_t other = team->shared->exchange[rank];
        result = other == UINT64_MAX ? result + 1 : (uint32_t)other;
    }
    team_sync(team);
    return result;
}

/* The smallest value of all ranks. */
RP_FN uint32_t team_reduce_min(rp_team *team, uint32_t value)
{
    team->shared->exchange[team->rank] = value;
    team_sync(team);
    uint32_t result = value;
    for (uint32_t rank = 0; rank < team->size; rank++) {
        if (team->shared->exchange[rank] < result)
            result = (uint32_t)team->shared->exchange[rank];
    }
    team_sync(team);
    return result;
}

/* Whether any rank says so. */
RP_FN bool team_any(rp_team *team, bool value)
{
    return team_reduce_min(team, value ? 0 : 1) == 0;
}

/* The sum over all ranks. */
RP_FN uint32_t team_reduce_add(rp_team *team, uint32_t value)
{
    team->shared->exchange[team->rank] = value;
    team_sync(team);
    uint32_t result = 0;
    for (uint32_t rank = 0; rank < team->size; rank++)
        result += (uint32_t)team->shared->exchange[rank];
    team_sync(team);
    return result;
}

/* The sum over the ranks below; *total, if not NULL, is the sum over all. */
RP_FN uint32_t team_scan_add(rp_team *team, uint32_t value, uint32_t *total)
{
    team->shared->exchange[team->rank] = value;
    team_sync(team);
    uint32_t below = 0;
    uint32_t all = 0;
    for (uint32_t rank = 0; rank < team->size; rank++) {
        if (rank == team->rank)
            below = all;
        all += (uint32_t)team->shared->exchange[rank];
    }
    team_sync(team);
    if (total != NULL)
        *total = all;
    return below;
}

/*
 * For each rank with `active`: the highest rank below it that is active and has the same key
 * (RP_TEAM_NONE without one), and in *is_last whether no active rank above it has that key. Keys of
 * active ranks are less than the team's size. On a GPU, for a team of one warp only.
 */
RP_FN uint32_t team_match(rp_team *team, uint32_t key, bool active, bool *is_last)
{
    team->shared->exchange[team->rank] = active ? key : UINT64_MAX;
    team_sync(team);
    uint32_t previous = RP_TEAM_NONE;
    bool last = active;
    for (uint32_t rank = 0; active && rank < team->size; rank++) {
        if (team->shared->exchange[rank] != key)
            continue;
        if (rank < team->rank)
            previous = rank;
        else if (rank > team->rank)
            last = false;
    }
    team_sync(team);
    *is_last = last;
    return previous;
}

/*
 * For each rank with `active`: how many active ranks below it have the same key, and in *n_equal
 * how many have it at all. On a GPU, for a team of one warp only.
 */
RP_FN uint32_t team_match_rank(rp_team *team, uint32_t key, bool active, uint32_t *n_equal)
{
    team->shared->exchange[team->rank] = active ? key : UINT64_MAX;
    team_sync(team);
    uint32_t below = 0;
    uint32_t all = 0;
    for (uint32_t rank = 0; active && rank < team->size; rank++) {
        bool equal = team->shared->exchange[rank] == key;
        below += equal && rank < team->rank;
        all += equal;
    }
    team_sync(team);
    *n_equal = all;
    return below;
}

/* How many ranks below have `value`; how many there are with it goes to *n. */
RP_FN uint32_t team_rank_if(rp_team *team, bool value, uint32_t *n)
{
    team->shared->exchange[team->rank] = value;
    team_sync(team);
    uint32_t below = 0;
    *n = 0;
    for (uint32_t rank = 0; rank < team->size; rank++) {
        below += rank < team->rank ? (uint32_t)team->shared->exchange[rank] : 0;
        *n += (uint32_t)team->shared->exchange[rank];
    }
    team_sync(team);
    return below;
}

/* Not collectives: one worker's atomic access to memory that the team shares. Of several stores to
 * one word, any may be the one that is seen behind the next barrier, by all. */
RP_FN void team_atomic_store16(uint16_t *word, uint16_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

RP_FN void team_atomic_add(uint32_t *word, uint32_t value)
{
    __atomic_fetch_add(word, value, __ATOMIC_RELAXED);
}

RP_FN void team_atomic_or(uint32_t *word, uint32_t bits)
{
    __atomic_fetch_or(word, bits, __ATOMIC_RELAXED);
}

RP_FN void team_atomic_min(uint32_t *word, uint32_t value)
{
    uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
    while (value < seen && !__atomic_compare_exchange_n(word, &seen, value, true, __ATOMIC_RELAXED,
                                                        __ATOMIC_RELAXED)) {
    }
}

#elif !defined(__CUDACC__)

RP_FN uint64_t team_broadcast64(rp_team *team, uint64_t value, uint32_t root)
{
    (void)team;
    (void)root;
    return value;
}

RP_FN uint32_t team_broadcast(rp_team *team, uint32_t value, uint32_t root)
{
    (void)team;
    (void)root;
    return value;
}

RP_FN uint32_t team_shuffle(rp_team *team, uint32_t value, uint32_t rank)
{
    (void)team;
    (void)rank;
    return value;
}

RP_FN uint32_t team_shift_up(rp_team *team, uint32_t value, uint32_t first)
{
    (void)team;
    (void)value;
    return first;
}

RP_FN uint32_t team_count_on(rp_team *team, bool goes_on, uint32_t value, uint32_t first)
{
    (void)team;
    return goes_on ? first + 1 : value;
}

RP_FN uint32_t team_reduce_min(rp_team *team, uint32_t value)
{
    (void)team;
    return value;
}

RP_FN bool team_any(rp_team *team, bool value)
{
    (void)team;
    return value;
}

RP_FN uint32_t team_reduce_add(rp_team *team, uint32_t value)
{
    (void)team;
    return value;
}

RP_FN uint32_t team_scan_add(rp_team *team, uint32_t value, uint32_t *total)
{
    (void)team;
    if (total != NULL)
        *total = value;
    return 0;
}

RP_FN uint32_t team_match(rp_team *team, uint32_t key, bool active, bool *is_last)
{
    (void)team;
    (void)key;
    *is_last = active;
    return RP_TEAM_NONE;
}

RP_FN uint32_t team_match_rank(rp_team *team, uint32_t key, bool active, uint32_t *n_equal)
{
    (void)team;
    (void)key;
    *n_equal = active;
    return 0;
}

RP_FN uint32_t team_rank_if(rp_team *team, bool value, uint32_t *n)
{
    (void)team;
    *n = value;
    return 0;
}

RP_FN void team_atomic_store16(uint16_t *word, uint16_t value)
{
    *word = value;
}

RP_FN void team_atomic_add(uint32_t *word, uint32_t value)
{
    *word += value;
}

RP_FN void team_atomic_or(uint32_t *word, uint32_t bits)
{
    *word |= bits;
}

RP_FN void team_atomic_min(uint32_t *word, uint32_t value)
{
    *word = value < *word ? value : *word;
}

#endif

/* Sets n bytes at an address that is a multiple of 16; n is, too. */
RP_FN void team_set(rp_team *team, void *destination, uint8_t byte, size_t n_bytes)
{
#if defined(__CUDACC__)
    uint32_t word = byte * UINT32_C(0x01010101);
    TEAM_FOR (i, 0, (uint32_t)(n_bytes / sizeof(uint4)), team) {
        ((uint4 *)destination)[i] = make_uint4(word, word, word, word);
    }
#elif defined(RP_TEAM_THREADS)
    TEAM_FOR (i, 0, (uint32_t)n_bytes, team) {
        ((uint8_t *)destination)[i] = byte;
    }
#else
    (void)team;
    memset(destination, byte, n_bytes);
#endif
}

/* Zeroes them. */
RP_FN void team_zero(rp_team *team, void *destination, size_t n_bytes)
{
    team_set(team, destination, 0, n_bytes);
}

/* Copies n bytes that do not overlap. */
RP_FN void team_copy(rp_team *team, uint8_t *destination, const uint8_t *source, uint32_t n_bytes)
{
#if defined(__CUDACC__)
    /* Words, put together of two of the source: the destination may be memory of the host, to which
     * single bytes are slow to be sent. At least 4 bytes at either end are copied one by one, so
     * that no word is touched which is not of the source as a whole. */
    uint32_t n_before = 4 + ((uint32_t)(0 - (uintptr_t)destination) & 3);
    uint32_t n_words = n_bytes < n_before + 8 ? 0 : (n_bytes - n_before - 4) / 4;
    n_before = n_words == 0 ? n_bytes : n_before;
    const uint32_t *low = (const uint32_t *)((uintptr_t)(source + n_before) & ~(uintptr_t)3);
    const uint32_t *high = (const uint32_t *)((uintptr_t)(source + n_before + 3) & ~(uintptr_t)3);
    uint32_t shift = (uint32_t)((uintptr_t)(source + n_before) & 3) * 8;
    uint32_t *words = (uint32_t *)(destination + n_before);
    TEAM_FOR (i, 0, n_words, team) {
        words[i] = __funnelshift_r(low[i], high[i], shift);
    }
    TEAM_FOR (i, 0, n_bytes - 4 * n_words, team) {
        uint32_t at = i < n_before ? i : i + 4 * n_words;
        destination[at] = source[at];
    }
#elif defined(RP_TEAM_THREADS)
    TEAM_FOR (i, 0, n_bytes, team) {
        destination[i] = source[i];
    }
#else
    (void)team;
    if (n_bytes != 0)
        memcpy(destination, source, n_bytes);
#endif
}

#endif
