/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The team of team/team.h as any number of workers on CPUs, which tests supply together with their
 * barrier. A collective is written down plainly: each worker puts its value into a shared array,
 * all meet, each reads what it needs, and all meet again before the array is used anew.
 */
#ifndef ROCKPRESS_KERNELS_TEAM_TEAM_THREADS_H
#define ROCKPRESS_KERNELS_TEAM_TEAM_THREADS_H

/* Most workers of a team. */
#define RP_TEAM_MAX_SIZE 128

/* What the workers of one team share besides their scratch memory. */
typedef struct rp_team_shared {
    void (*wait)(struct rp_team_shared *shared, uint32_t rank); /* a barrier */
    void *wait_context;
    uint64_t exchange[RP_TEAM_MAX_SIZE];
} rp_team_shared;

struct rp_team {
    uint32_t rank;
    uint32_t size;
    rp_team_shared *shared;
};

#define TEAM_RANK(team) ((team)->rank)
#define TEAM_SIZE(team) ((team)->size)

RP_FN void team_sync(rp_team *team)
{
    team->shared->wait(team->shared, team->rank);
}

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

RP_FN uint32_t team_shuffle(rp_team *team, uint32_t value, uint32_t rank)
{
    team->shared->exchange[team->rank] = value;
    team_sync(team);
    uint32_t result = (uint32_t)team->shared->exchange[rank];
    team_sync(team);
    return result;
}

RP_FN uint32_t team_shift_up(rp_team *team, uint32_t value, uint32_t first)
{
    team->shared->exchange[team->rank] = value;
    team_sync(team);
    uint32_t result = team->rank == 0 ? first : (uint32_t)team->shared->exchange[team->rank - 1];
    team_sync(team);
    return result;
}

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

RP_FN bool team_any(rp_team *team, bool value)
{
    return team_reduce_min(team, value ? 0 : 1) == 0;
}

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

RP_FN void team_atomic_xor16(uint16_t *words, uint32_t index, uint16_t bits)
{
    __atomic_fetch_xor(&words[index], bits, __ATOMIC_RELAXED);
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

RP_FN void team_set(rp_team *team, void *destination, uint8_t byte, size_t n_bytes)
{
    TEAM_FOR (i, 0, (uint32_t)n_bytes, team) {
        ((uint8_t *)destination)[i] = byte;
    }
}

RP_FN void team_copy(rp_team *team, uint8_t *destination, const uint8_t *source, uint32_t n_bytes)
{
    TEAM_FOR (i, 0, n_bytes, team) {
        destination[i] = source[i];
    }
}

#endif
