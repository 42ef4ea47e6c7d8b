/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The team of team.h on a GPU: one warp, or a thread block of several; for the parse also one
 * thread. A warp alone talks by shuffles and never meets a barrier of the thread block, so a thread
 * block may also consist of several warps that are teams of their own. `size` is a constant in
 * every kernel, so the branches on it are none.
 *
 * Every collective is a barrier for the team's memory, as in team.h.
 */
#ifndef ROCKPRESS_KERNELS_TEAM_TEAM_CUDA_H
#define ROCKPRESS_KERNELS_TEAM_TEAM_CUDA_H

#define RP_WARP_THREADS 32
#define RP_WARP_ALL UINT32_C(0xFFFFFFFF)
#define RP_TEAM_MAX_THREADS 1024

/* What the warps of a team exchange: one word for each warp and one for the total. */
typedef struct rp_team_exchange {
    uint64_t words[RP_TEAM_MAX_THREADS / RP_WARP_THREADS + 1];
} rp_team_exchange;

typedef struct rp_team {
    uint32_t rank;
    uint32_t size;              /* 1, RP_WARP_THREADS, or several warps */
    rp_team_exchange *exchange; /* in shared memory; not used by a team of one warp */
    uint32_t barrier;  /* 0: the team is the thread block; else a part of it, with this barrier */
    bool is_unordered; /* of a team of one warp: team_unordered() */
} rp_team;

/* Of a team of several warps. */
RP_FN void rp_block_sync(const rp_team *team)
{
    if (team->barrier == 0)
        __syncthreads();
    else
        asm volatile("barrier.sync %0, %1;" ::"r"(team->barrier), "r"(team->size) : "memory");
}

/* And whether it was true for any worker. */
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

/* Has the compiler keep the rank in a register, instead of making it of the thread's index each
 * time. */
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

/* A shuffle or a vote is no barrier for memory. */
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

RP_FN uint64_t team_broadcast64(rp_team *team, uint64_t value, uint32_t root)
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
    uint64_t result = team->exchange->words[0];
    rp_block_sync(team);
    return result;
}

RP_FN uint32_t team_broadcast(rp_team *team, uint32_t value, uint32_t root)
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
    uint32_t result = (uint32_t)team->exchange->words[0];
    rp_block_sync(team);
    return result;
}

/* Of a team of one warp only. */
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

/* Of a team of one warp only. */
RP_FN uint32_t team_count_on(rp_team *team, bool goes_on, uint32_t value, uint32_t first)
{
    if (team->size != RP_WARP_THREADS)
        __trap();
    rp_warp_order(team);
    /* Rank 0 always begins: with what it is, or with one more than `first`. */
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

/* Of a team of one warp only: the matcher's candidates are found by one warp for each table. Keys
 * are of 5 bits. */
RP_FN uint32_t team_match(rp_team *team, uint32_t key, bool active, bool *is_last)
{
    if (team->size != RP_WARP_THREADS)
        __trap();
    rp_warp_order(team);
    uint32_t lane = team->rank;
    uint32_t peers = __ballot_sync(RP_WARP_ALL, active);
    /* MATCH.ANY takes some ten times as long. */
    RP_UNROLL
    for (uint32_t bit = 0; bit < 5; bit++) {
        bool is_set = (key >> bit & 1) != 0;
        uint32_t set = __ballot_sync(RP_WARP_ALL, is_set);
        peers &= is_set ? set : ~set;
    }
    uint32_t below = peers & ((UINT32_C(1) << lane) - 1);
    uint32_t above = peers & ~((UINT32_C(2) << lane) - 1);
    *is_last = active && above == 0;
    if (!active || below == 0)
        return RP_TEAM_NONE;
    return 31 - (uint32_t)__clz((int)below);
}

/* Of a team of one warp only. */
RP_FN uint32_t team_match_rank(rp_team *team, uint32_t key, bool active, uint32_t *n_equal)
{
    if (team->size != RP_WARP_THREADS)
        __trap();
    rp_warp_order(team);
    uint32_t peers = __match_any_sync(RP_WARP_ALL, key) & __ballot_sync(RP_WARP_ALL, active);
    *n_equal = active ? (uint32_t)__popc((int)peers) : 0;
    return active ? (uint32_t)__popc((int)(peers & ((UINT32_C(1) << team->rank) - 1))) : 0;
}

/* Of a team of one warp only. */
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

RP_FN void team_atomic_store16(uint16_t *word, uint16_t value)
{
    *(volatile uint16_t *)word = value;
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
