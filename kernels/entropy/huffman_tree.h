/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lengths of a Huffman code without a limit, from leaves that are sorted by weight (D. Huffman,
 * "A method for the construction of minimum-redundancy codes", 1952).
 *
 * An inner node joins the two lightest items that have no parent yet, leaves or inner nodes; of
 * equal items, leaves come first, then the node that was made first. Inner nodes are made in order
 * of weight, so they are a second sorted list beside the leaves. One worker makes them in place, in
 * up to 255 dependent steps (A. Moffat, J. Katajainen, "In-place calculation of minimum-redundancy
 * codes", 1995).
 *
 * A team makes many nodes in a round. Every new node weighs at least as much as the two lightest
 * items together. So all items that weigh no more than these two together are joined before any
 * new node is, and their common order is known: each item finds its place in it by bisection of the
 * other list. Places 2 k and 2 k + 1 become a pair. At most one of these items remains without a
 * parent, so there are few rounds: about a dozen for a block.
 */
#ifndef ROCKPRESS_KERNELS_ENTROPY_HUFFMAN_TREE_H
#define ROCKPRESS_KERNELS_ENTROPY_HUFFMAN_TREE_H

#include "kernels/base/memory.h"

/* Scratch of a team. */
typedef struct rp_huffman_tree {
    uint32_t inner[256];          /* weights of the inner nodes, in the order they are made */
    uint8_t parent_of_leaf[256];  /* index of an inner node */
    uint8_t parent_of_inner[256]; /* the last inner node is the root and has none */
} rp_huffman_tree;

/* Replaces rising weights by falling code lengths, in place. n is at least 2. One worker. */
RP_FN void rp_huffman_lengths_alone(uint32_t *weights, uint32_t n)
{
    /* 1: make inner nodes. An item that has a parent now is replaced by its parent's index. */
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

/* Number of weights, out of n rising ones, that are less than `weight`. */
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

/* The sum of the two lightest weights of two rising lists, which have two or more together. */
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

/* Number of items in each of two rising lists that weigh `most` or less: leaves in the low 16 bits
 * of the result, inner nodes in the high ones. A part of a team. */
RP_FN uint32_t rp_count_light(rp_team *team, const uint32_t *leaves, uint32_t n_leaves,
                              const uint32_t *inner, uint32_t n_inner, uint32_t most)
{
    uint32_t n = 0;
    uint32_t i = TEAM_RANK(team);
    bool is_leaf = true;
    bool is_inner = true;
    while (is_leaf || is_inner) {
        is_leaf = i < n_leaves && leaves[i] <= most;
        is_inner = i < n_inner && inner[i] <= most;
        n += (is_leaf ? 1 : 0) + (is_inner ? UINT32_C(1) << 16 : 0);
        i += TEAM_SIZE(team);
    }
    return team_reduce_add(team, n);
}

/* Makes the inner nodes and stores the parents of all leaves and inner nodes. Weights are rising. A
 * part of a team. */
RP_FN void rp_huffman_pair(rp_team *team, const uint32_t *weights, uint32_t n,
                           rp_huffman_tree *tree)
{
    TEAM_FOR (i, 0, n - 1, team) {
        tree->inner[i] = 0;
    }
    team_sync(team);
    uint32_t first_leaf = 0; /* the first leaf, and inner node, without a parent */
    uint32_t first_inner = 0;
    uint32_t n_made = 0;
    while (n_made < n - 1) {
        const uint32_t *leaves = weights + first_leaf;
        const uint32_t *inner = tree->inner + first_inner;
        uint32_t most = rp_lightest_pair(leaves, n - first_leaf, inner, n_made - first_inner);
        uint32_t n_light =
            rp_count_light(team, leaves, n - first_leaf, inner, n_made - first_inner, most);
        uint32_t n_leaves = n_light & 0xFFFF;
        uint32_t n_inner = n_light >> 16;
        /* An odd one out, the heaviest, has to wait. */
        uint32_t n_pairs = (n_leaves + n_inner) / 2;
        bool is_odd = (n_leaves + n_inner) % 2 != 0;
        bool last_is_leaf =
            n_inner == 0 || (n_leaves != 0 && leaves[n_leaves - 1] > inner[n_inner - 1]);
        /* An item's place is its index in its own list and the number of items of the other list
         * that come before it. */
        TEAM_FOR (i, 0, n_leaves + n_inner, team) {
            bool is_leaf = i < n_leaves;
            uint32_t k = is_leaf ? i : i - n_leaves;
            uint32_t weight = is_leaf ? leaves[k] : inner[k];
            uint32_t before =
                rp_count_lighter(is_leaf ? inner : leaves, is_leaf ? n_inner : n_leaves,
                                 is_leaf ? weight : weight + 1);
            uint32_t pair = n_made + (k + before) / 2;
            uint8_t *parents = is_leaf ? tree->parent_of_leaf : tree->parent_of_inner;
            if (pair < n_made + n_pairs) {
                parents[(is_leaf ? first_leaf : first_inner) + k] = (uint8_t)pair;
                team_atomic_add(&tree->inner[pair], weight);
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
