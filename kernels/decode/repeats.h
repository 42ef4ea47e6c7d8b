/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repeat offsets of a decoder (RFC 8878, 3.1.1.5) for stretches that are read side by side. Which
 * three offsets a stretch begins with follows from the stretches before it. So what a stretch does
 * to them is written down first, as if they were unknown: each of the three after it is a number,
 * or one of those before it, less a number. Stretch by stretch, this gives the three of each.
 */
#ifndef ROCKPRESS_KERNELS_DECODE_REPEATS_H
#define ROCKPRESS_KERNELS_DECODE_REPEATS_H

#include "kernels/base/memory.h"

#define RP_REPEATS 3

/* An offset; or, with the highest bit, which of those before (bits 29 and 30) less a number. An
 * offset of 0 is a broken rule. */
typedef struct rp_decode_repeats {
    uint32_t of[RP_REPEATS];
} rp_decode_repeats;

#define RP_REPEAT_UNKNOWN UINT32_C(0x80000000)
#define RP_REPEAT_WHICH_SHIFT 29
#define RP_REPEAT_LESS_MASK ((UINT32_C(1) << RP_REPEAT_WHICH_SHIFT) - 1)

/* At the beginning of a frame. */
RP_FN rp_decode_repeats rp_decode_first_repeats(void)
{
    rp_decode_repeats repeats = {{1, 4, 8}};
    return repeats;
}

/* As if nothing were known. */
RP_FN rp_decode_repeats rp_decode_unknown_repeats(void)
{
    rp_decode_repeats repeats;
    for (uint32_t i = 0; i < RP_REPEATS; i++)
        repeats.of[i] = RP_REPEAT_UNKNOWN | i << RP_REPEAT_WHICH_SHIFT;
    return repeats;
}

/* What a sequence does to them. Returns its offset. */
RP_FN uint32_t rp_decode_apply(rp_decode_repeats *repeats, uint32_t offset_value, bool has_literals)
{
    const uint32_t a = repeats->of[0];
    const uint32_t b = repeats->of[1];
    const uint32_t c = repeats->of[2];
    const uint32_t which = has_literals ? offset_value : offset_value + 1;
    uint32_t offset = offset_value - 3;
    if (offset_value <= 3) {
        /* The first one less 1: unknown ones count what is to be taken off. */
        const uint32_t less = (a & RP_REPEAT_UNKNOWN) != 0 ? a + 1 : a - (a != 0);
        offset = which == 1 ? a : which == 2 ? b : which == 3 ? c : less;
    }
    const bool is_first = offset_value <= 3 && which == 1;
    const bool is_second = offset_value <= 3 && which == 2;
    repeats->of[0] = offset;
    repeats->of[1] = is_first ? b : a;
    repeats->of[2] = is_first || is_second ? c : b;
    return offset;
}

/* What follows `before`, of which any may be unknown, where a stretch does `change`. */
RP_FN rp_decode_repeats rp_decode_after(rp_decode_repeats before, rp_decode_repeats change)
{
    for (uint32_t i = 0; i < RP_REPEATS; i++) {
        const uint32_t value = change.of[i];
        if ((value & RP_REPEAT_UNKNOWN) != 0) {
            const uint32_t which = value >> RP_REPEAT_WHICH_SHIFT & 3;
            const uint32_t from = which == 0   ? before.of[0]
                                  : which == 1 ? before.of[1]
                                               : before.of[2];
            const uint32_t less = value & RP_REPEAT_LESS_MASK;
            if ((from & RP_REPEAT_UNKNOWN) != 0)
                change.of[i] = from + less;
            else
                change.of[i] = from > less ? from - less : 0;
        }
    }
    return change;
}

#endif
