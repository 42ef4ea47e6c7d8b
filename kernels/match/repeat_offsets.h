/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repeat offsets: the last three different offsets of a block's sequences, which cost next to
 * nothing when they come again (RFC 8878 section 3.1.1.5).
 */
#ifndef ROCKPRESS_KERNELS_MATCH_REPEAT_OFFSETS_H
#define ROCKPRESS_KERNELS_MATCH_REPEAT_OFFSETS_H

#include "kernels/base/memory.h"

/* 0 is an unknown offset: a zstd block that is not the first of its frame is encoded without a
 * look at those before it. */
typedef struct rp_repeat_offsets {
    uint32_t offset[3];
} rp_repeat_offsets;

/* The repeat offset that an offset value of code + 1 stands for, given whether the literal
 * length is 0; 0 if that is not a valid offset. */
RP_FN uint32_t rp_repeat_offset(rp_repeat_offsets repeats, uint32_t code, bool no_literals)
{
    if (!no_literals)
        return repeats.offset[code];
    if (code < 2)
        return repeats.offset[code + 1];
    return repeats.offset[0] == 0 ? 0 : repeats.offset[0] - 1;
}

/* The offset value of a match; updates the repeat offsets. Which repeat offset it is can not be
 * predicted, so there are no branches. */
RP_FN uint32_t rp_encode_offset(rp_repeat_offsets *repeats, uint32_t offset, bool no_literals)
{
    uint32_t code = offset == rp_repeat_offset(*repeats, 2, no_literals) ? 2 : 3;
    code = offset == rp_repeat_offset(*repeats, 1, no_literals) ? 1 : code;
    code = offset == rp_repeat_offset(*repeats, 0, no_literals) ? 0 : code;
    /* The slot that the offset came from: it moves to the front. The first repeat offset less
     * one counts as a new offset here. */
    uint32_t slot = rp_min32(code + (no_literals ? 1 : 0), 3);
    uint32_t first = repeats->offset[0];
    uint32_t second = repeats->offset[1];
    repeats->offset[2] = slot >= 2 ? second : repeats->offset[2];
    repeats->offset[1] = slot >= 1 ? first : second;
    repeats->offset[0] = offset;
    return code < 3 ? code + 1 : offset + 3;
}

#define RP_LZ77_REPEATS 3

/* Fills offsets with the repeat offsets at a position, by their codes; 0 for those that are not
 * valid there. */
RP_FN_INLINE void rp_lz77_repeats(uint32_t position, rp_repeat_offsets repeats, bool no_literals,
                                  uint32_t *offsets)
{
    for (uint32_t code = 0; code < RP_LZ77_REPEATS; code++) {
        uint32_t offset = rp_repeat_offset(repeats, code, no_literals);
        offsets[code] = offset <= position ? offset : 0;
    }
}

#endif
