/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The team of team/team.h as one worker, which every collective serves at once: the only value is
 * the worker's own, nobody is below it and there is nobody to wait for.
 */
#ifndef ROCKPRESS_KERNELS_TEAM_TEAM_SOLO_H
#define ROCKPRESS_KERNELS_TEAM_TEAM_SOLO_H

struct rp_team {
    uint32_t unused;
};

#define TEAM_RANK(team) ((void)(team), UINT32_C(0))
#define TEAM_SIZE(team) ((void)(team), UINT32_C(1))

RP_FN void team_sync(rp_team *team)
{
    (void)team;
}

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

RP_FN void team_atomic_xor16(uint16_t *words, uint32_t index, uint16_t bits)
{
    words[index] ^= bits;
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

RP_FN void team_set(rp_team *team, void *destination, uint8_t byte, size_t n_bytes)
{
    (void)team;
    memset(destination, byte, n_bytes);
}

RP_FN void team_copy(rp_team *team, uint8_t *destination, const uint8_t *source, uint32_t n_bytes)
{
    (void)team;
    if (n_bytes != 0)
        memcpy(destination, source, n_bytes);
}

#endif
