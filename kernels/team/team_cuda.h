/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The team of team/team.h on a GPU: one warp, several warps of a thread block, or one thread (for
 * the parse). A warp exchanges values by shuffles and never meets a barrier of the thread block, so
 * several warps of one thread block can be teams of their own. Several warps exchange values
 * through shared memory. `size` is a constant in every kernel, so the compiler removes the branches
 * on it.
 */
#ifndef ROCKPRESS_KERNELS_TEAM_TEAM_CUDA_H
#define ROCKPRESS_KERNELS_TEAM_TEAM_CUDA_H

#define RP_WARP_THREADS 32
#define RP_WARP_ALL UINT32_C(0xFFFFFFFF)
#define RP_TEAM_MAX_THREADS 1024

/* What the warps of a team exchange: a word for each warp, and one more. */
typedef struct rp_team_exchange {
    uint64_t words[RP_TEAM_MAX_THREADS / RP_WARP_THREADS + 1];
} rp_team_exchange;

struct rp_team {
    uint32_t rank;
    uint32_t size;              /* 1, or a multiple of RP_WARP_THREADS */
    rp_team_exchange *exchange; /* in shared memory; used by a team of several warps only */
    uint32_t barrier; /* number of the barrier where its warps meet; 0: they are the thread block */
    bool is_unordered; /* made by team_unordered(); matters to a team of one warp only */
};

/* The barrier of a team of several warps. */
RP_FN void rp_block_sync(const rp_team *team)
{
    if (team->barrier == 0)
        __syncthreads();
    else
        asm volatile("barrier.sync %0, %1;" ::"r"(team->barrier), "r"(team->size) : "memory");
}

/* The same barrier. Returns whether any worker passed true. */
RP_FN bool rp_block_sync_or(const rp_team *team, bool value)
{
    if (team->barrier == 0)
        return __syncthreads_or(value) != 0;
    uint32_t any;
    asm volatile("{ .reg .pred mine, all;\n"
                 "setp.ne.u32 mine, %1, 0;\n"
                 "barrier.red.or.pred all, %2, %3, mine;\n"
                 "selp.u32 %0, 1, 0, all; }"
                 : "=r"(any)
                 : "r"((uint32_t)value), "r"(team->barrier), "r"(team->size)
                 : "memory");
    return any != 0;
}

#define TEAM_RANK(team) ((team)->rank)
#define TEAM_SIZE(team) ((team)->size)

#define TEAM_KEEP_RANK(team) asm volatile("" : "+r"((team)->rank))

#define TEAM_PARTS(team) ((team)->size / RP_WARP_THREADS)
#define TEAM_PART(team) ((team)->rank / RP_WARP_THREADS)

RP_FN rp_team team_part(const rp_team *team)
{
    rp_team part;
    part.rank = team->rank % RP_WARP_THREADS;
    part.size = RP_WARP_THREADS;
    part.exchange = NULL;
    part.barrier = 0;
    part.is_unordered = false;
    return part;
}

RP_FN rp_team team_unordered(const rp_team *team)
{
    rp_team values = *team;
    values.is_unordered = true;
    return values;
}

/* Orders the memory of a warp, which a shuffle or a vote does not do. */
RP_FN void rp_warp_order(const rp_team *team)
{
    if (!team->is_unordered)
        __syncwarp();
}

RP_FN void team_sync(rp_team *team)
{
    if (team->size == RP_WARP_THREADS)
        __syncwarp();
    else if (team->size != 1)
        rp_block_sync(team);
}

template <typename type> RP_FN type rp_broadcast(rp_team *team, type value, uint32_t root)
{
    if (team->size == 1)
        return value;
    if (team->size == RP_WARP_THREADS) {
        rp_warp_order(team);
        return __shfl_sync(RP_WARP_ALL, value, (int)root);
    }
    if (team->rank == root)
        team->exchange->words[0] = value;
    rp_block_sync(team);
    type result = (type)team->exchange->words[0];
    rp_block_sync(team);
    return result;
}

RP_FN uint64_t team_broadcast64(rp_team *team, uint64_t value, uint32_t root)
{
    return rp_broadcast(team, value, root);
}

RP_FN uint32_t team_broadcast(rp_team *team, uint32_t value, uint32_t root)
{
    return rp_broadcast(team, value, root);
}

RP_FN uint32_t team_shuffle(rp_team *team, uint32_t value, uint32_t rank)
{
    if (team->size != RP_WARP_THREADS)
        __trap();
    rp_warp_order(team);
    return __shfl_sync(RP_WARP_ALL, value, (int)rank);
}

RP_FN uint32_t team_shift_up(rp_team *team, uint32_t value, uint32_t first)
{
    if (team->size == 1)
        return first;
    rp_warp_order(team);
    uint32_t below = __shfl_up_sync(RP_WARP_ALL, value, 1);
    uint32_t lane = team->rank % RP_WARP_THREADS;
    if (team->size != RP_WARP_THREADS) {
        uint32_t warp = team->rank / RP_WARP_THREADS;
        if (lane == RP_WARP_THREADS - 1)
            team->exchange->words[warp] = value;
        rp_block_sync(team);
        if (lane == 0 && warp != 0)
            below = (uint32_t)team->exchange->words[warp - 1];
        rp_block_sync(team);
    }
    return team->rank == 0 ? first : below;
}

RP_FN uint32_t team_count_on(rp_team *team, bool goes_on, uint32_t value, uint32_t first)
{
    if (team->size != RP_WARP_THREADS)
        __trap();
    rp_warp_order(team);
    /* Rank 0 always begins a count: with its own value, or with one more than `first`. */
    value = team->rank == 0 && goes_on ? first + 1 : value;
    uint32_t begins = __ballot_sync(RP_WARP_ALL, !goes_on) | 1;
    uint32_t begin = 31 - (uint32_t)__clz((int)(begins & (UINT32_MAX >> (31 - team->rank))));
    return __shfl_sync(RP_WARP_ALL, value, (int)begin) + team->rank - begin;
}

RP_FN uint32_t team_reduce_min(rp_team *team, uint32_t value)
{
    if (team->size == 1)
        return value;
    rp_warp_order(team);
    uint32_t result = __reduce_min_sync(RP_WARP_ALL, value);
    if (team->size != RP_WARP_THREADS) {
        if (team->rank % RP_WARP_THREADS == 0)
            team->exchange->words[team->rank / RP_WARP_THREADS] = result;
        rp_block_sync(team);
        for (uint32_t warp = 0; warp < team->size / RP_WARP_THREADS; warp++) {
            uint32_t other = (uint32_t)team->exchange->words[warp];
            result = other < result ? other : result;
        }
        rp_block_sync(team);
    }
    return result;
}

RP_FN bool team_any(rp_team *team, bool value)
{
    if (team->size == 1)
        return value;
    if (team->size != RP_WARP_THREADS)
        return rp_block_sync_or(team, value);
    rp_warp_order(team);
    return __any_sync(RP_WARP_ALL, value) != 0;
}

RP_FN uint32_t team_reduce_add(rp_team *team, uint32_t value)
{
    if (team->size == 1)
        return value;
    rp_warp_order(team);
    uint32_t result = __reduce_add_sync(RP_WARP_ALL, value);
    if (team->size != RP_WARP_THREADS) {
        if (team->rank % RP_WARP_THREADS == 0)
            team->exchange->words[team->rank / RP_WARP_THREADS] = result;
        rp_block_sync(team);
        result = 0;
        for (uint32_t warp = 0; warp < team->size / RP_WARP_THREADS; warp++)
            result += (uint32_t)team->exchange->words[warp];
        rp_block_sync(team);
    }
    return result;
}

RP_FN uint32_t team_scan_add(rp_team *team, uint32_t value, uint32_t *total)
{
    rp_warp_order(team);
    uint32_t lane = team->rank % RP_WARP_THREADS;
    uint32_t sum = value;
    for (uint32_t distance = 1; distance < RP_WARP_THREADS; distance *= 2) {
        uint32_t below = __shfl_up_sync(RP_WARP_ALL, sum, distance);
        sum += lane >= distance ? below : 0;
    }
    uint32_t all = __shfl_sync(RP_WARP_ALL, sum, RP_WARP_THREADS - 1);
    uint32_t before = 0; /* the sum of the warps below */
    if (team->size != RP_WARP_THREADS) {
        uint32_t mine = team->rank / RP_WARP_THREADS;
        if (lane == 0)
            team->exchange->words[mine] = all;
        rp_block_sync(team);
        all = 0;
        for (uint32_t warp = 0; warp < team->size / RP_WARP_THREADS; warp++) {
            uint32_t other = (uint32_t)team->exchange->words[warp];
            before += warp < mine ? other : 0;
            all += other;
        }
        rp_block_sync(team);
    }
    if (total != NULL)
        *total = all;
    return before + sum - value;
}

RP_FN uint32_t team_match(rp_team *team, uint32_t key, bool active, bool *is_last)
{
    if (team->size != RP_WARP_THREADS)
        __trap();
    rp_warp_order(team);
    uint32_t lane = team->rank;
    /* MATCH.ANY takes less time than a vote for each of 14 bits, but more than one for each of 5.
     */
    uint32_t peers = __ballot_sync(RP_WARP_ALL, active) & __match_any_sync(RP_WARP_ALL, key);
    uint32_t below = peers & ((UINT32_C(1) << lane) - 1);
    uint32_t above = peers & ~((UINT32_C(2) << lane) - 1);
    *is_last = active && above == 0;
    if (!active || below == 0)
        return RP_TEAM_NONE;
    return 31 - (uint32_t)__clz((int)below);
}

RP_FN uint32_t team_match_rank(rp_team *team, uint32_t key, bool active, uint32_t *n_equal)
{
    if (team->size != RP_WARP_THREADS)
        __trap();
    rp_warp_order(team);
    uint32_t peers = __match_any_sync(RP_WARP_ALL, key) & __ballot_sync(RP_WARP_ALL, active);
    *n_equal = active ? (uint32_t)__popc((int)peers) : 0;
    return active ? (uint32_t)__popc((int)(peers & ((UINT32_C(1) << team->rank) - 1))) : 0;
}

RP_FN uint32_t team_rank_if(rp_team *team, bool value, uint32_t *n)
{
    if (team->size != RP_WARP_THREADS)
        __trap();
    rp_warp_order(team);
    uint32_t with = __ballot_sync(RP_WARP_ALL, value);
    *n = (uint32_t)__popc((int)with);
    uint32_t below;
    asm("mov.u32 %0, %%lanemask_lt;" : "=r"(below));
    return (uint32_t)__popc((int)(with & below));
}

RP_FN void team_set(rp_team *team, void *destination, uint8_t byte, size_t n_bytes)
{
    uint32_t word = byte * UINT32_C(0x01010101);
    TEAM_FOR (i, 0, (uint32_t)(n_bytes / sizeof(uint4)), team) {
        ((uint4 *)destination)[i] = make_uint4(word, word, word, word);
    }
}

/* Stores words, each put together of two words of the source: the destination may be memory of the
 * host, to which single bytes are sent slowly. At least 4 bytes at either end are copied one by
 * one, so that only words which lie in the source as a whole are loaded. */
RP_FN void team_copy(rp_team *team, uint8_t *destination, const uint8_t *source, uint32_t n_bytes)
{
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
}

RP_FN void team_atomic_xor16(uint16_t *words, uint32_t index, uint16_t bits)
{
    atomicXor((unsigned int *)words + index / 2, (uint32_t)bits << 16 * (index % 2));
}

RP_FN void team_atomic_add(uint32_t *word, uint32_t value)
{
    atomicAdd((unsigned int *)word, value);
}

RP_FN void team_atomic_or(uint32_t *word, uint32_t bits)
{
    atomicOr((unsigned int *)word, bits);
}

RP_FN void team_atomic_min(uint32_t *word, uint32_t value)
{
    atomicMin((unsigned int *)word, value);
}

#endif
