/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lengths of a Huffman code, without a limit (D. Huffman, "A method for the construction of
 * minimum-redundancy codes", 1952), of leaves sorted by weight.
 *
 * Inner nodes are made in order of weight, so they are a second sorted list beside the leaves, and
 * each takes the two lightest of both: of equal ones leaves first, then those made first. One
 * worker does that in place (A. Moffat, J. Katajainen, "In-place calculation of minimum-redundancy
 * codes", 1995), at most 255 steps that wait for each other.
 *
 * A team makes many nodes at once. No node weighs less than the two lightest that there are, so
 * whatever does not weigh more than these together is taken before any new node is, and the order
 * in which is known: each finds its place in it by bisection of the other list. Places 2 k and
 * 2 k + 1 are a pair. Of all that weighs so little one is left at most, so rounds are few: about a
 * dozen for a block, and never more than there are steps.
 */
#ifndef ROCKPRESS_KERNELS_HUFFMAN_TREE_H
#define ROCKPRESS_KERNELS_HUFFMAN_TREE_H

#include "kernels/memory.h"

/* What a team needs of its own. */
typedef struct rp_huffman_tree {
    uint32_t inner[256];          /* weights of the inner nodes, in the order they are made */
    uint8_t parent_of_leaf[256];  /* which inner node */
    uint8_t parent_of_inner[256]; /* not of the last one, which is the root */
} rp_huffman_tree;

/* Replaces rising weights by falling code lengths, in place. n is at least 2. One worker. */
RP_FN void rp_huffman_lengths_alone(uint32_t *weights, uint32_t n)
{
    /* 1: make inner nodes; a slot that was taken keeps the index of its parent. */
    uint32_t leaf = 2;
    uint32_t root = 0;
    weights[0] += weights[1];
    for (uint32_t next = 1; next < n - 1; next++) {
        uint32_t sum;
        if (leaf >= n || weights[root] < weights[leaf]) {
            sum = weights[root];
            weights[root++] = next;
        } else {
            sum = weights[leaf++];
        }
        if (leaf >= n || (root < next && weights[root] < weights[leaf])) {
            sum += weights[root];
            weights[root++] = next;
        } else {
            sum += weights[leaf++];
        }
        weights[next] = sum;
    }
    /* 2: depth of the inner nodes, from the root down. */
    weights[n - 2] = 0;
    for (uint32_t next = n - 2; next-- > 0;)
        weights[next] = weights[weights[next]] + 1;
    /* 3: depth of the leaves. */
    uint32_t available = 1;
    uint32_t depth = 0;
    uint32_t inner = n - 1; /* inner nodes at [0, inner) are still to be visited */
    uint32_t next_leaf = n;
    while (available > 0) {
        uint32_t used = 0;
        while (inner > 0 && weights[inner - 1] == depth) {
            used++;
            inner--;
        }
        while (available > used) {
            weights[--next_leaf] = depth;
            available--;
        }
        available = 2 * used;
        depth++;
    }
}

/* How many of n rising weights are lighter than this one. */
RP_FN uint32_t rp_count_lighter(const uint32_t *weights, uint32_t n, uint32_t weight)
{
    uint32_t low = 0;
    uint32_t high = n;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (weights[middle] < weight)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The weight of the two lightest together, of two rising lists that are not both empty. */
RP_FN uint32_t rp_lightest_pair(const uint32_t *leaves, uint32_t n_leaves, const uint32_t *inner,
                                uint32_t n_inner)
{
    const uint32_t none = UINT32_MAX / 2;
    uint32_t leaf = n_leaves > 0 ? leaves[0] : none;
    uint32_t next_leaf = n_leaves > 1 ? leaves[1] : none;
    uint32_t node = n_inner > 0 ? inner[0] : none;
    uint32_t next_node = n_inner > 1 ? inner[1] : none;
    return rp_min32(leaf + node, rp_min32(leaf + next_leaf, node + next_node));
}

/* Notes the parents of all leaves and inner nodes. Weights are rising. A part of a team. */
RP_FN void rp_huffman_pair(rp_team *team, const uint32_t *weights, uint32_t n,
                           rp_huffman_tree *tree)
{
    TEAM_FOR (i, 0, n - 1, team) {
        tree->inner[i] = 0;
    }
    team_sync(team);
    uint32_t first_leaf = 0; /* of those that have no parent yet */
    uint32_t first_inner = 0;
    uint32_t n_made = 0;
    while (n_made < n - 1) {
        const uint32_t *leaves = weights + first_leaf;
        const uint32_t *inner = tree->inner + first_inner;
        uint32_t most = rp_lightest_pair(leaves, n - first_leaf, inner, n_made - first_inner);
        uint32_t n_leaves = 0;
        uint32_t n_inner = 0;
        for (uint32_t i = TEAM_RANK(team); i < n - first_leaf && leaves[i] <= most;
             i += TEAM_SIZE(team))
            n_leaves++;
        for (uint32_t i = TEAM_RANK(team); i < n_made - first_inner && inner[i] <= most;
             i += TEAM_SIZE(team))
            n_inner++;
        n_leaves = team_reduce_add(team, n_leaves);
        n_inner = team_reduce_add(team, n_inner);
        /* The last one may be left without a partner. */
        uint32_t n_pairs = (n_leaves + n_inner) / 2;
        bool is_odd = (n_leaves + n_inner) % 2 != 0;
        bool last_is_leaf =
            n_inner == 0 || (n_leaves != 0 && leaves[n_leaves - 1] > inner[n_inner - 1]);
        TEAM_FOR (i, 0, n_leaves, team) {
            uint32_t pair = n_made + (i + rp_count_lighter(inner, n_inner, leaves[i])) / 2;
            if (pair < n_made + n_pairs) {
                tree->parent_of_leaf[first_leaf + i] = (uint8_t)pair;
                team_atomic_add(&tree->inner[pair], leaves[i]);
            }
        }
        TEAM_FOR (i, 0, n_inner, team) {
            uint32_t pair = n_made + (i + rp_count_lighter(leaves, n_leaves, inner[i] + 1)) / 2;
            if (pair < n_made + n_pairs) {
                tree->parent_of_inner[first_inner + i] = (uint8_t)pair;
                team_atomic_add(&tree->inner[pair], inner[i]);
            }
        }
        first_leaf += n_leaves - (is_odd && last_is_leaf ? 1 : 0);
        first_inner += n_inner - (is_odd && !last_is_leaf ? 1 : 0);
        n_made += n_pairs;
        team_sync(team);
    }
}

/* Replaces rising weights by falling code lengths. n is at least 2. */
RP_FN void rp_huffman_lengths(rp_team *team, uint32_t *weights, uint32_t n, rp_huffman_tree *tree)
{
    if (TEAM_SIZE(team) == 1) {
        rp_huffman_lengths_alone(weights, n);
        return;
    }
    rp_team part = team_part(team);
    if (TEAM_PART(team) == 0)
        rp_huffman_pair(&part, weights, n, tree);
    team_sync(team);
    TEAM_FOR (i, 0, n, team) {
        uint32_t length = 1;
        for (uint32_t node = tree->parent_of_leaf[i]; node != n - 2;
             node = tree->parent_of_inner[node])
            length++;
        weights[i] = length;
    }
    team_sync(team);
}

#endif
