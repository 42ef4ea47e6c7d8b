/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The optimal parse: the cheapest way through a segment of a block under given prices, by
 * dynamic programming forward over positions. A position's node holds the cheapest known way
 * to it with the repeat offsets as they are there, so repeat offsets are priced as what they
 * are; a backward pass could not know them, and loses more than it gains.
 *
 * Segments are solved independently, each by one worker. Cut anywhere, they would cost 0.4 %
 * because of the matches that they cut. They are cut where the earlier parse has no match across,
 * from which also the repeat offsets at the cut are known: that costs 0.05 % at 512 bytes.
 */
#ifndef ROCKPRESS_KERNELS_LZ77_OPTIMAL_H
#define ROCKPRESS_KERNELS_LZ77_OPTIMAL_H

#include "kernels/lz77_output.h"
#include "kernels/lz77_prices.h"
#include "kernels/lz77_steps.h"

/* A match this long is taken without looking at the positions inside it. */
#define RP_OPTIMAL_SUFFICIENT_LENGTH 128
/* Longest match of one step; longer ones are several, joined when sequences are made. */
#define RP_OPTIMAL_MAX_LENGTH 65535

/* Prices start from here: a literal's can be negative, as a longer run may be cheaper to code. */
#define RP_PRICE_START (UINT32_C(1) << 24)
#define RP_PRICE_NONE UINT32_MAX

/* The way to a position. */
typedef struct rp_node {
    uint32_t price;
    uint16_t length; /* of the match that ends here; 0: a literal */
    uint16_t offset;
    uint16_t literal_length; /* literals since the last match, at most 65535 */
    uint16_t repeats[3];
} rp_node;

RP_FN rp_repeat_offsets rp_unpack_repeats(const uint16_t *packed)
{
    rp_repeat_offsets repeats;
    for (uint32_t k = 0; k < 3; k++)
        repeats.offset[k] = packed[k];
    return repeats;
}

RP_FN void rp_pack_repeats(rp_repeat_offsets repeats, uint16_t *packed)
{
    for (uint32_t k = 0; k < 3; k++)
        packed[k] = (uint16_t)repeats.offset[k];
}

RP_FN void rp_open_segment(rp_segment *segment, uint32_t begin, uint32_t anchor,
                           rp_repeat_offsets repeats)
{
    segment->begin = begin;
    segment->literal_length = begin - anchor;
    segment->n_steps = 0;
    rp_pack_repeats(repeats, segment->repeats);
}

/* Cuts the block into segments along an earlier parse of it. One worker. Returns how many; the
 * one behind the last begins at n_bytes. */
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

/* Offers the match of one offset, in its lengths of [shortest, longest], to the nodes behind. */
RP_FN void rp_offer_match(rp_node *node, uint32_t shortest, uint32_t longest, uint32_t offset,
                          const rp_prices *prices)
{
    rp_repeat_offsets repeats = rp_unpack_repeats(node->repeats);
    uint32_t offset_value = rp_encode_offset(&repeats, offset, node->literal_length == 0);
    uint32_t base =
        node->price + prices->offset_code[rp_high_bit(offset_value)] + prices->literal_length[0];
    for (uint32_t length = shortest; length <= longest; length++) {
        uint32_t price = base + rp_price_match_length(prices, length);
        rp_node *to = node + length;
        if (price < to->price) {
            to->price = price;
            to->length = (uint16_t)length;
            to->offset = (uint16_t)offset;
            to->literal_length = 0;
            rp_pack_repeats(repeats, to->repeats);
        }
    }
}

RP_FN void rp_offer_literal(rp_node *node, uint8_t literal, const rp_prices *prices)
{
    uint32_t run = node->literal_length;
    uint32_t longer = rp_min32(run + 1, 65535);
    uint32_t price = node->price + prices->literal[literal] +
                     rp_price_literal_length(prices, longer) - rp_price_literal_length(prices, run);
    rp_node *to = node + 1;
    if (price < to->price) {
        to->price = price;
        to->length = 0;
        to->literal_length = (uint16_t)longer;
        for (uint32_t k = 0; k < 3; k++)
            to->repeats[k] = node->repeats[k];
    }
}

/* Offers all matches at a position, each length with the first offset that reaches it: offsets
 * come cheapest first. Returns the longest length. */
RP_FN uint32_t rp_offer_matches(const uint8_t *source, uint32_t position, uint32_t end,
                                rp_lz77_candidates candidates, rp_lz77_depths depths,
                                const rp_prices *prices, rp_node *node)
{
    uint32_t offsets[RP_LZ77_MAX_OFFSETS];
    uint32_t n_offsets =
        rp_lz77_offsets(position, candidates, depths, rp_unpack_repeats(node->repeats),
                        node->literal_length == 0, offsets);
    const uint8_t *at = source + position;
    uint32_t first = rp_load32(at);
    uint32_t reached = RP_STEP_MIN_BYTES - 1;
    for (uint32_t k = 0; k < n_offsets && reached < RP_OPTIMAL_SUFFICIENT_LENGTH; k++) {
        uint32_t difference = rp_load32(at - offsets[k]) ^ first;
        if ((difference & 0xFFFFFF) != 0 || offsets[k] == 0)
            continue;
        uint32_t length = 3;
        if (difference == 0 && end - position >= 4)
            length = 4 + rp_lz77_count_equal(at + 4, at + 4 - offsets[k], source + end);
        length = rp_min32(length, RP_OPTIMAL_MAX_LENGTH);
        if (length > reached) {
            rp_offer_match(node, reached + 1, length, offsets[k], prices);
            reached = length;
        }
    }
    return reached;
}

/* Solves the segment [begin, end) of a block of n_bytes: fills nodes[0 .. end - begin]. */
RP_FN void rp_solve_segment(const uint8_t *source, uint32_t n_bytes, const rp_segment *segment,
                            uint32_t end, rp_lz77_candidates candidates, rp_lz77_depths depths,
                            const rp_prices *prices, rp_node *nodes)
{
    uint32_t begin = segment->begin;
    nodes[0].price = RP_PRICE_START;
    nodes[0].length = 0;
    nodes[0].offset = 0;
    nodes[0].literal_length = (uint16_t)rp_min32(segment->literal_length, 65535);
    for (uint32_t k = 0; k < 3; k++)
        nodes[0].repeats[k] = segment->repeats[k];
    for (uint32_t i = begin + 1; i <= end; i++)
        nodes[i - begin].price = RP_PRICE_NONE;
    uint32_t position = begin;
    while (position < end) {
        rp_node *node = nodes + (position - begin);
        rp_offer_literal(node, source[position], prices);
        uint32_t reached = 0;
        if (position + RP_LZ77_SHORT_BYTES <= n_bytes && position + RP_STEP_MIN_BYTES <= end)
            reached = rp_offer_matches(source, position, end, candidates, depths, prices, node);
        position += reached < RP_OPTIMAL_SUFFICIENT_LENGTH ? 1 : reached;
    }
}

/*
 * Reads the cheapest way off the nodes of the segment [begin, end) and makes steps of it, from the
 * last to the first, so they end where the segment's room ends. Matches that belong together become
 * one; each is as long as its bytes are equal, the last one beyond the segment. One worker.
 */
RP_FN void rp_trace_segment(const uint8_t *source, uint32_t n_bytes, const rp_node *nodes,
                            rp_segment *segment, uint32_t end, rp_step *steps)
{
    uint32_t begin = segment->begin;
    uint32_t at = rp_first_step(end); /* the last step made */
    uint32_t i = end - begin;
    while (i > 0) {
        uint32_t length = nodes[i].length;
        if (length == 0) {
            i--;
            continue;
        }
        uint32_t offset = nodes[i].offset;
        uint32_t behind = begin + i;
        i -= length;
        while (i > 0 && nodes[i].length != 0 && nodes[i].offset == offset)
            i -= nodes[i].length;
        if (behind == end) {
            const uint8_t *from = source + behind;
            behind += rp_lz77_count_equal(from, from - offset, source + n_bytes);
        }
        uint32_t before = i; /* where the step before this one ends */
        while (before > 0 && nodes[before].length == 0)
            before--;
        rp_step step = rp_make_step(begin + i, behind - begin - i, offset);
        steps[--at] = rp_extend_back(source, begin + before, step);
    }
    segment->first = at;
    segment->n_steps = rp_first_step(end) - at;
}

#endif
