/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments and their parsed matches. A parse cuts the block into segments that are parsed
 * independently of each other. The parsed matches of a segment are in order and do not overlap.
 * The last one may reach beyond its segment: rp_join_segments() decides which of them count.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_SEGMENTS_H
#define ROCKPRESS_KERNELS_MATCH_SEGMENTS_H

#include "kernels/match/packed_match.h"

/* No parse has shorter segments, except for the last one of a block. */
#define RP_MIN_SEGMENT_BYTES 512
#define RP_MAX_SEGMENTS (128 * 1024 / RP_MIN_SEGMENT_BYTES + 1)

typedef struct rp_segment {
    uint32_t begin;
    uint32_t first; /* its parsed matches begin at parsed[first] */
    uint32_t n_parsed;
    union {
        struct {                     /* optimal parse */
            uint32_t literal_length; /* literals before it since the last match */
            uint16_t repeats[4];     /* repeat offsets at its begin (the last is unused) */
        };
        struct {                     /* join */
            uint32_t first_position; /* where its first parsed match begins */
            uint32_t first_end;      /* and ends */
            uint32_t last_end;       /* and where its last one ends */
        };
    };
    uint32_t anchor;   /* join: where its first literals begin */
    uint32_t sequence; /* join: the sequence that its first parsed match becomes */
} rp_segment;

/* Index of the first parsed match of the segment that begins at `begin`. Each takes at least
 * RP_PARSED_MIN_BYTES of the block, so those of two segments never collide. */
RP_FN uint32_t rp_first_parsed(uint32_t begin)
{
    return (begin + RP_PARSED_MIN_BYTES - 1) / RP_PARSED_MIN_BYTES;
}

/* Where a match begins once it is extended backwards over equal bytes, down to `anchor`. One
 * worker. */
RP_FN uint32_t rp_extend_back(const uint8_t *source, uint32_t anchor, rp_parsed_match match)
{
    uint32_t position = rp_max32(rp_parsed_position(match), anchor);
    uint32_t offset = rp_parsed_offset(match);
    for (;;) {
        /* One branch, which is rarely taken: whether there are literals can not be predicted.
         * Where nothing is before the match, the first two bytes are compared for nothing.
         */
        uint32_t before = rp_max32(position, offset + 1) - 1;
        bool is_equal = source[before] == source[before - offset];
        if (!(is_equal & (position > anchor) & (position > offset)))
            return position;
        position--;
    }
}

#endif
