/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best Huffman code with a limit on its lengths, by package-merge (L. Larmore, D. Hirschberg,
 * "A fast algorithm for optimal length-limited Huffman codes", 1990).
 *
 * There is a list for each bit of the limit. A list has the leaves and, as packages, pairs of
 * neighbours of the list before, in order of weight. The first 2 n - 2 items of the last list are
 * taken. A package that is taken takes its two items of the list before. A leaf's length is the
 * number of lists in which it is taken. Of each list, only the places of the leaves are kept.
 *
 * A smaller limit has the same lists, but fewer of them. Leaves and packages are each sorted, so an
 * item's place in the list is its own index and the number of lighter items of the other kind. A
 * team's workers find it by bisection. One worker merges the two instead.
 *
 * Quicker ways to repair an unlimited code were worse: that of JPEG's annex K.3 by up to 3 % in the
 * tests and by 2 % on real blocks, and lengthening the cheapest codes by up to 6 % in the tests.
 */
#ifndef ROCKPRESS_KERNELS_ENTROPY_HUFFMAN_LIMIT_H
#define ROCKPRESS_KERNELS_ENTROPY_HUFFMAN_LIMIT_H

#include "kernels/base/zstd_format.h"
#include "kernels/entropy/huffman_tree.h"

typedef struct rp_package_merge {
    uint32_t leaves[256];                          /* counts of the symbols, rising */
    uint32_t weights[2][512];                      /* the list before, and the one being made */
    uint16_t places[RP_HUFFMAN_MAX_BITS][256 + 1]; /* of the leaves, in each list */
    uint32_t bits;                                 /* sum over all literals */
} rp_package_merge;

/* A limit may make the code longer by this number of bits and one bit for each symbol: about what a
 * tree of one more length adds to the description. */
#define RP_HUFFMAN_LIMIT_SLACK_BITS 16

/* The first limit to try. For few literals it is low, because a deep tree's description costs them
 * more than its codes save. */
RP_FN uint32_t rp_huffman_choose_limit(uint32_t n_present, uint32_t n_literals)
{
    uint32_t high = rp_high_bit(rp_max32(n_literals, 4) - 1);
    uint32_t bits = rp_max32(high - 1, rp_high_bit(n_present) + 1);
    return rp_min32(bits, RP_HUFFMAN_MAX_BITS);
}

/* Makes the list of n leaves and n_pairs pairs of the list `before`, by one worker. A leaf comes
 * before a pair of the same weight. */
RP_FN void rp_merge_packages(const uint32_t *leaves, uint32_t n, const uint32_t *before,
                             uint32_t n_pairs, uint32_t *list, uint16_t *places)
{
    uint32_t leaf = 0;
    uint32_t pair = 0;
    for (uint32_t i = 0; i < n + n_pairs; i++) {
        uint32_t leaf_weight = leaf < n ? leaves[leaf] : UINT32_MAX;
        uint32_t pair_weight =
            pair < n_pairs ? before[2 * pair] + before[2 * pair + 1] : UINT32_MAX;
        bool take_leaf = leaf_weight <= pair_weight;
        list[i] = take_leaf ? leaf_weight : pair_weight;
        places[leaf] = (uint16_t)i; /* overwritten until the item is this leaf */
        leaf += take_leaf ? 1 : 0;
        pair += take_leaf ? 0 : 1;
    }
}

/* The same list, by a team. */
RP_FN void rp_place_packages(rp_team *team, const uint32_t *leaves, uint32_t n,
                             const uint32_t *before, uint32_t n_pairs, uint32_t *list,
                             uint16_t *places)
{
    TEAM_FOR (i, 0, n + n_pairs, team) {
        bool is_leaf = i < n;
        uint32_t k = is_leaf ? i : i - n;
        uint32_t weight = is_leaf ? leaves[k] : before[2 * k] + before[2 * k + 1];
        uint32_t low = 0; /* of the other kind, [0, low) are before this item, [high, ...) after */
        uint32_t high = is_leaf ? n_pairs : n;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            uint32_t other = is_leaf ? before[2 * middle] + before[2 * middle + 1] : leaves[middle];
            if (other < weight || (!is_leaf && other == weight))
                low = middle + 1;
            else
                high = middle;
        }
        list[k + low] = weight;
        if (is_leaf)
            places[k] = (uint16_t)(k + low);
    }
    team_sync(team);
}

/* Makes the list of `level`, from n leaves and the list of the level before, which has n_before
 * items. Returns its length. */
RP_FN uint32_t rp_make_list(rp_team *team, uint32_t n, uint32_t level, uint32_t n_before,
                            rp_package_merge *work)
{
    const uint32_t *before = work->weights[level & 1];
    uint32_t *list = work->weights[(level + 1) & 1];
    uint32_t n_pairs = n_before / 2;
    if (TEAM_SIZE(team) == 1)
        rp_merge_packages(work->leaves, n, before, n_pairs, list, work->places[level]);
    else
        rp_place_packages(team, work->leaves, n, before, n_pairs, list, work->places[level]);
    return n + n_pairs;
}

/* Finds the code of up to n_levels bits: the lengths of the leaves, falling. Returns the sum of the
 * bits of all literals. A part of a team. */
RP_FN uint32_t rp_take_packages(rp_team *team, uint32_t n, uint32_t n_levels,
                                const rp_package_merge *work, uint32_t *lengths)
{
    TEAM_FOR (i, 0, n, team) {
        lengths[i] = 0;
    }
    uint32_t n_taken = 2 * n - 2;
    for (uint32_t level = n_levels; level-- > 0;) {
        uint32_t n_leaves = 0;
        TEAM_FOR (i, 0, n, team) {
            uint32_t is_taken = work->places[level][i] < n_taken ? 1 : 0;
            lengths[i] += is_taken;
            n_leaves += is_taken;
        }
        n_taken = 2 * (n_taken - team_reduce_add(team, n_leaves));
    }
    uint32_t bits = 0;
    TEAM_FOR (i, 0, n, team) {
        bits += work->leaves[i] * lengths[i];
    }
    return team_reduce_add(team, bits);
}

#endif
