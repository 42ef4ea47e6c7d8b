/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments and steps. A parse cuts the block into segments that are parsed independently of each
 * other; the matches it takes in one are the segment's steps, in order and without overlaps. A
 * step may reach beyond its segment: rp_join_steps() decides what counts.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_SEGMENTS_H
#define ROCKPRESS_KERNELS_MATCH_SEGMENTS_H

#include "kernels/match/packed_match.h"

/* No parse has shorter segments, the last one of a block apart. */
#define RP_MIN_SEGMENT_BYTES 512
#define RP_MAX_SEGMENTS (128 * 1024 / RP_MIN_SEGMENT_BYTES + 1)

/* No match is shorter. */
#define RP_STEP_MIN_BYTES 3

typedef struct rp_segment {
    uint32_t begin;
    uint32_t first; /* its steps: from steps[first] on */
    uint32_t n_steps;
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

/* A match: position in bits 0-17, length in bits 18-35, offset in bits 36-63. */
typedef uint64_t rp_step;

RP_FN rp_step rp_make_step(uint32_t position, uint32_t length, uint32_t offset)
{
    return (uint64_t)position | (uint64_t)length << 18 | (uint64_t)offset << 36;
}

RP_FN uint32_t rp_step_position(rp_step step)
{
    return (uint32_t)step & 0x3FFFF;
}

RP_FN uint32_t rp_step_length(rp_step step)
{
    return (uint32_t)(step >> 18) & 0x3FFFF;
}

RP_FN uint32_t rp_step_offset(rp_step step)
{
    return (uint32_t)(step >> 36);
}

RP_FN uint32_t rp_step_end(rp_step step)
{
    return rp_step_position(step) + rp_step_length(step);
}

/* Where the steps of the segment that begins at `begin` have their room: a step takes at least
 * RP_STEP_MIN_BYTES. */
RP_FN uint32_t rp_first_step(uint32_t begin)
{
    return (begin + RP_STEP_MIN_BYTES - 1) / RP_STEP_MIN_BYTES;
}

/* Where a step begins if the bytes before it that are equal too are taken with it, down to
 * `anchor`. One worker. */
RP_FN uint32_t rp_extend_back(const uint8_t *source, uint32_t anchor, rp_step step)
{
    uint32_t position = rp_max32(rp_step_position(step), anchor);
    uint32_t offset = rp_step_offset(step);
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
