/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments and steps. A parse cuts the block into segments that are parsed independently of each
 * other; the matches it takes in one are the segment's parsed, in order and without overlaps. A
 * step may reach beyond its segment: rp_join_segments() decides what counts.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_SEGMENTS_H
#define ROCKPRESS_KERNELS_MATCH_SEGMENTS_H

#include "kernels/match/packed_match.h"

/* No parse has shorter segments, the last one of a block apart. */
#define RP_MIN_SEGMENT_BYTES 512
#define RP_MAX_SEGMENTS (128 * 1024 / RP_MIN_SEGMENT_BYTES + 1)

typedef struct rp_segment {
    uint32_t begin;
    uint32_t first; /* its steps: from parsed[first] on */
    uint32_t n_parsed;
    union {
        struct {                     /* optimal parse */
            uint32_t literal_length; /* literals before it since the last match */
            uint16_t repeats[4];     /* repeat offsets at its begin (the last is unused) */
        };
        struct {                     /* join */
            uint32_t first_position; /* its first step, */
            uint32_t first_end;
            uint32_t last_end; /* and where its last one ends */
        };
    };
    uint32_t anchor;   /* join: where its first literals begin */
    uint32_t sequence; /* join: the sequence that its first step becomes */
} rp_segment;

/* Where the steps of the segment that begins at `begin` have their room: a step takes at least
 * RP_PARSED_MIN_BYTES. */
RP_FN uint32_t rp_first_parsed(uint32_t begin)
{
    return (begin + RP_PARSED_MIN_BYTES - 1) / RP_PARSED_MIN_BYTES;
}

/* Where a step begins if the bytes before it that are equal too are taken with it, down to
 * `anchor`. One worker. */
RP_FN uint32_t rp_extend_back(const uint8_t *source, uint32_t anchor, rp_parsed_match match)
{
    uint32_t position = rp_max32(rp_parsed_position(match), anchor);
    uint32_t offset = rp_parsed_offset(match);
    for (;;) {
        /* With one branch, which most often is not taken: whether there are literals, nobody can
         * predict. Where nothing is before the match, the first two bytes are compared in vain. */
        uint32_t before = rp_max32(position, offset + 1) - 1;
        bool is_equal = source[before] == source[before - offset];
        if (!(is_equal & (position > anchor) & (position > offset)))
            return position;
        position--;
    }
}

#endif
