/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The optimal parse: the cheapest way through a segment of a block under given prices, by dynamic
 * programming forward over positions. The node of a position holds the cheapest known way to it,
 * with the repeat offsets as they are there, so repeat offsets get their true price. A backward
 * pass could not know them and loses more than it gains.
 *
 * Segments are solved independently, each by one worker. Cut anywhere, segments would cost 0.4 %,
 * since cuts go through matches. They are cut where the earlier parse has no match across, which
 * also gives the repeat offsets at the cut: that costs 0.05 % at 512 bytes.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_OPTIMAL_H
#define ROCKPRESS_KERNELS_MATCH_OPTIMAL_H

#include "kernels/match/chains.h"
#include "kernels/match/output.h"
#include "kernels/match/prices.h"
#include "kernels/match/segments.h"

/* A match this long is taken without trying matches at the positions inside it. */
#define RP_OPTIMAL_SUFFICIENT_LENGTH 128
/* No match is tried at a position if the next one is reached for less than this much more: what
 * matches here mostly matches there too. Frames are larger by 0.01 to 0.02 % for it; with 0,
 * which saves twice the work, by 0.02 to 0.06 %. */
#define RP_OPTIMAL_CHEAPER (RP_LOG2_ONE / 4)
/* Longest match of one node; longer ones are several, which are joined when sequences are made. */
#define RP_OPTIMAL_MAX_LENGTH 65535

#define RP_PRICE_NONE UINT32_MAX

/* The cheapest known way to a position. */
typedef struct rp_node {
    uint32_t price;
    uint16_t length; /* of the match that ends here; 0: a literal */
    uint16_t offset;
    uint64_t state; /* what later prices depend on */
} rp_node;

/* A state: the repeat offsets, 16 bits each, and whether a match has just ended. */
#define RP_STATE_NO_LITERALS (UINT64_C(1) << 48)

RP_FN uint64_t rp_pack_state(rp_repeat_offsets repeats, bool no_literals)
{
    return (uint64_t)repeats.offset[0] | (uint64_t)repeats.offset[1] << 16 |
           (uint64_t)repeats.offset[2] << 32 | (no_literals ? RP_STATE_NO_LITERALS : 0);
}

RP_FN rp_repeat_offsets rp_repeats_of_state(uint64_t state)
{
    rp_repeat_offsets repeats;
    for (uint32_t k = 0; k < 3; k++)
        repeats.offset[k] = (uint32_t)(state >> 16 * k) & 0xFFFF;
    return repeats;
}

RP_FN void rp_open_segment(rp_segment *segment, uint32_t begin, uint32_t anchor,
                           rp_repeat_offsets repeats)
{
    segment->begin = begin;
    segment->literal_length = begin - anchor;
    segment->n_parsed = 0;
    for (uint32_t k = 0; k < 3; k++)
        segment->repeats[k] = (uint16_t)repeats.offset[k];
}

/* Cuts the block into segments along an earlier parse of it. One worker. Returns how many there
 * are; one more entry begins at n_bytes. */
RP_FN uint32_t rp_cut_segments(const rp_sequence *sequences, uint32_t n_sequences, uint32_t n_bytes,
                               rp_repeat_offsets repeats, rp_segment *segments)
{
    uint32_t n = 0;
    uint32_t anchor = 0;
    rp_open_segment(&segments[n++], 0, 0, repeats);
    for (uint32_t i = 0; i <= n_sequences; i++) {
        bool is_tail = i == n_sequences;
        uint32_t match = is_tail ? n_bytes : anchor + rp_sequence_literal_length(sequences[i]);
        uint32_t next = segments[n - 1].begin + RP_MIN_SEGMENT_BYTES;
        while (next <= match && next < n_bytes) {
            uint32_t begin = rp_max32(next, anchor);
            rp_open_segment(&segments[n++], begin, anchor, repeats);
            next = begin + RP_MIN_SEGMENT_BYTES;
        }
        if (is_tail)
            break;
        uint32_t value = rp_sequence_offset_value(sequences[i]);
        bool no_literals = match == anchor;
        uint32_t offset = value > 3 ? value - 3 : rp_repeat_offset(repeats, value - 1, no_literals);
        rp_encode_offset(&repeats, offset, no_literals);
        anchor = match + rp_sequence_match_length(sequences[i]);
    }
    segments[n].begin = n_bytes;
    return n;
}

/* Offers the match of one offset, in each length of [shortest, longest], to the nodes where it
 * ends. */
RP_FN void rp_offer_match(rp_node *node, uint32_t shortest, uint32_t longest, uint32_t offset,
                          const rp_prices *prices)
{
    rp_repeat_offsets repeats = rp_repeats_of_state(node->state);
    uint32_t offset_value =
        rp_encode_offset(&repeats, offset, (node->state & RP_STATE_NO_LITERALS) != 0);
    uint64_t state = rp_pack_state(repeats, true);
    uint32_t base = node->price + prices->sequence + prices->offset_code[rp_high_bit(offset_value)];
    /* No way leads over the positions inside a match of sufficient length. */
    if (longest >= RP_OPTIMAL_SUFFICIENT_LENGTH)
        shortest = longest;
    for (uint32_t length = shortest; length <= longest; length++) {
        uint32_t price = base + rp_price_match_length(prices, length);
        rp_node *to = node + length;
        if (price < to->price) {
            to->price = price;
            to->length = (uint16_t)length;
            to->offset = (uint16_t)offset;
            to->state = state;
        }
    }
}

/* The literal length costs nothing here. It is not known before the next match, and pricing the
 * length so far made frames larger by 0.03 to 0.14 %. */
RP_FN void rp_offer_literal(rp_node *node, uint8_t literal, const rp_prices *prices)
{
    uint32_t price = node->price + prices->literal[literal];
    rp_node *to = node + 1;
    if (price < to->price) {
        to->price = price;
        to->length = 0;
        to->state = node->state & ~RP_STATE_NO_LITERALS;
    }
}

/* Appends the distances to the positions of one chain to n offsets; `candidates` as in
 * rp_lz77_follow(). Returns the new number of offsets. */
RP_FN_INLINE uint32_t rp_add_chain(const uint16_t *candidates, uint32_t stride, uint32_t position,
                                   uint32_t depth, uint32_t *offsets, uint32_t n)
{
    uint32_t offset = 0;
    for (uint32_t k = 0; k < depth; k++) {
        uint32_t distance = candidates[(position - offset) * stride];
        offset += distance;
        if (distance == 0 || offset > 0xFFFF)
            break;
        offsets[n++] = offset;
    }
    return n;
}

/* The offsets to try at a position, cheapest first. Returns how many. */
RP_FN_INLINE uint32_t rp_optimal_offsets(uint32_t position, rp_lz77_candidates candidates,
                                         rp_lz77_depths depths, uint64_t state, uint32_t *offsets)
{
    rp_repeat_offsets repeats = rp_repeats_of_state(state);
    uint32_t n = 0;
    for (uint32_t code = 0; code < RP_LZ77_REPEATS; code++) {
        uint32_t offset = rp_repeat_offset(repeats, code, (state & RP_STATE_NO_LITERALS) != 0);
        offsets[n] = offset;
        n += offset != 0 && offset <= position;
    }
    n = rp_add_chain(candidates.hash3, 1, position, depths.hash3, offsets, n);
    n = rp_add_chain(candidates.hash4_hash8, 2, position, depths.hash4, offsets, n);
    return rp_add_chain(candidates.hash4_hash8 + 1, 2, position, depths.hash8, offsets, n);
}

/* Offers all matches at a position: each length with the first offset that reaches it. Returns
 * the longest length. */
RP_FN uint32_t rp_offer_matches(const uint8_t *source, uint32_t position, uint32_t end,
                                rp_lz77_candidates candidates, rp_lz77_depths depths,
                                const rp_prices *prices, rp_node *node)
{
    uint32_t offsets[RP_LZ77_MAX_OFFSETS];
    uint32_t n_offsets = rp_optimal_offsets(position, candidates, depths, node->state, offsets);
    const uint8_t *at = source + position;
    uint32_t most = rp_min32(end - position, RP_OPTIMAL_MAX_LENGTH);
    uint32_t reached = RP_PARSED_MIN_BYTES - 1;
    /* A longer match has to have these bytes: the last 4 of its least length, or 3. Nearly all
     * offsets fail there. */
    uint32_t probe = 0;
    uint32_t mask = 0xFFFFFF;
    uint32_t bytes = rp_load32(at);
    for (uint32_t k = 0; k < n_offsets; k++) {
        const uint8_t *from = at - offsets[k];
        if (((rp_load32(from + probe) ^ bytes) & mask) != 0)
            continue;
        uint32_t length = rp_lz77_count_equal(at, from, at + most);
        if (length <= reached)
            continue;
        rp_offer_match(node, reached + 1, length, offsets[k], prices);
        reached = length;
        if (reached >= rp_min32(most, RP_OPTIMAL_SUFFICIENT_LENGTH))
            break;
        probe = reached - 3;
        mask = UINT32_MAX;
        bytes = rp_load32(at + probe);
    }
    return reached;
}

/* Solves the segment [begin, end) of a block of n_bytes: fills nodes[0 .. end - begin]. */
RP_FN void rp_solve_segment(const uint8_t *source, uint32_t n_bytes, const rp_segment *segment,
                            uint32_t end, rp_lz77_candidates candidates, rp_lz77_depths depths,
                            const rp_prices *prices, rp_node *nodes)
{
    uint32_t begin = segment->begin;
    rp_repeat_offsets repeats;
    for (uint32_t k = 0; k < 3; k++)
        repeats.offset[k] = segment->repeats[k];
    nodes[0].price = 0;
    nodes[0].length = 0;
    nodes[0].offset = 0;
    nodes[0].state = rp_pack_state(repeats, segment->literal_length == 0);
    for (uint32_t i = begin + 1; i <= end; i++)
        nodes[i - begin].price = RP_PRICE_NONE;
    uint32_t position = begin;
    while (position < end) {
        rp_node *node = nodes + (position - begin);
        rp_offer_literal(node, source[position], prices);
        uint32_t reached = 0;
        bool worth = node[1].price + RP_OPTIMAL_CHEAPER > node->price;
        if (worth && position + RP_LZ77_HASH4_BYTES <= n_bytes &&
            position + RP_PARSED_MIN_BYTES <= end)
            reached = rp_offer_matches(source, position, end, candidates, depths, prices, node);
        position += reached < RP_OPTIMAL_SUFFICIENT_LENGTH ? 1 : reached;
    }
}

/*
 * Reads the cheapest way off the nodes of the segment [begin, end) and makes parsed matches of it,
 * from the last to the first; they end where the capacity of the segment ends. Adjacent matches of
 * one offset become one. Each is as long as its bytes are equal; the last one may reach beyond the
 * segment. One worker.
 */
RP_FN void rp_trace_segment(const uint8_t *source, uint32_t n_bytes, const rp_node *nodes,
                            rp_segment *segment, uint32_t end, rp_parsed_match *parsed)
{
    uint32_t begin = segment->begin;
    uint32_t at = rp_first_parsed(end); /* the last one made */
    uint32_t i = end - begin;
    while (i > 0) {
        uint32_t length = nodes[i].length;
        if (length == 0) {
            i--;
            continue;
        }
        uint32_t offset = nodes[i].offset;
        uint32_t after = begin + i;
        i -= length;
        while (i > 0 && nodes[i].length != 0 && nodes[i].offset == offset)
            i -= nodes[i].length;
        if (after == end) {
            const uint8_t *from = source + after;
            after += rp_lz77_count_equal(from, from - offset, source + n_bytes);
        }
        parsed[--at] = rp_make_parsed_match(begin + i, after - begin - i, offset);
    }
    segment->first = at;
    segment->n_parsed = rp_first_parsed(end) - at;
}

#endif
