/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing bytes: by one worker, and by a team. Nothing is read beyond the bytes compared.
 */
#ifndef ROCKPRESS_KERNELS_DECODE_COMPARE_H
#define ROCKPRESS_KERNELS_DECODE_COMPARE_H

#include "kernels/base/memory.h"

/* Whether n bytes are equal. One worker. */
RP_FN bool rp_decode_equal(const uint8_t *a, const uint8_t *b, uint32_t n)
{
    if (n < 4) {
        bool is_equal = true;
        for (uint32_t i = 0; i < n; i++)
            is_equal = is_equal && a[i] == b[i];
        return is_equal;
    }
    uint32_t differences = 0;
    for (uint32_t i = 0; i + 4 < n && differences == 0; i += 4)
        differences |= rp_load32(a + i) ^ rp_load32(b + i);
    return (differences | (rp_load32(a + n - 4) ^ rp_load32(b + n - 4))) == 0;
}

/* Whether a worker's share of n bytes is equal: all are if every worker says so. */
RP_FN bool rp_decode_equal_share(rp_team *team, const uint8_t *a, const uint8_t *b, uint32_t n)
{
    if (TEAM_SIZE(team) == 1)
        return rp_decode_equal(a, b, n);
    const uint32_t n_words = n / 4;
    uint32_t differences = 0;
    TEAM_FOR (i, 0, n_words, team) {
        differences |= rp_load32(a + 4 * i) ^ rp_load32(b + 4 * i);
    }
    TEAM_FOR (i, 4 * n_words, n, team) {
        differences |= (uint32_t)(a[i] ^ b[i]);
    }
    return differences == 0;
}

/* The same for n bytes that are to have one value. */
RP_FN bool rp_decode_equal_run(rp_team *team, const uint8_t *a, uint8_t value, uint32_t n)
{
    uint32_t differences = 0;
    TEAM_FOR (i, 0, n, team) {
        differences |= (uint32_t)(a[i] ^ value);
    }
    return differences == 0;
}

/* Compares the n bytes of every worker that is `pending`, one worker's after the other, by all
 * together. Returns false where this worker has seen a difference. A collective of a part. */
RP_FN bool rp_decode_equal_together(rp_team *team, bool pending, const uint8_t *a, const uint8_t *b,
                                    uint32_t n)
{
    bool is_equal = true;
    for (;;) {
        const uint32_t who = team_reduce_min(team, pending ? TEAM_RANK(team) : RP_TEAM_NONE);
        if (who == RP_TEAM_NONE)
            return is_equal;
        const uint8_t *of_a =
            (const uint8_t *)(uintptr_t)team_broadcast64(team, (uint64_t)(uintptr_t)a, who);
        const uint8_t *of_b =
            (const uint8_t *)(uintptr_t)team_broadcast64(team, (uint64_t)(uintptr_t)b, who);
        const uint32_t of_n = team_broadcast(team, n, who);
        is_equal = rp_decode_equal_share(team, of_a, of_b, of_n) && is_equal;
        pending = pending && TEAM_RANK(team) != who;
    }
}

#endif
