/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a match saves, and a match in a word: the only place that knows which bits are what. There
 * are five layouts, each with accessors:
 *
 *     packed   what best_match.h leaves of each position for the parse
 *     ranked   a match that the parse may take; the larger word is the better match
 *     key      one of the matches of a position; the larger is the better
 *     pending  a match whose length is to be counted
 *     parsed   a match that a parse has taken, of 64 bits
 */
#ifndef ROCKPRESS_KERNELS_MATCH_PACKED_MATCH_H
#define ROCKPRESS_KERNELS_MATCH_PACKED_MATCH_H

#include "kernels/match/repeat_offsets.h"
#include "kernels/match/source.h"

/* What a match saves, in bits, roughly: the bytes of it would have cost RP_LZ77_BYTE_GAIN each,
 * an offset costs its bits and RP_LZ77_OFFSET_COST, a repeat offset next to nothing. The values are
 * those of best ratio on RocksDB blocks of 4, 16 and 64 KiB; one more or less costs 0.1 %. */
#define RP_LZ77_BYTE_GAIN 5
#define RP_LZ77_OFFSET_COST 4

/* What an offset costs that is no repeat offset. */
RP_FN int32_t rp_offset_cost(uint32_t offset)
{
    return (int32_t)rp_high_bit(offset) + RP_LZ77_OFFSET_COST;
}

/*
 * A packed match is the next match from a position on. Bits 0-5 are its length, 6-21 its offset,
 * 22-31 its distance: how many positions after this one it is, 0 if it is the position's own.
 * Length 0 with a distance says that there is no match in that distance. 0 is no match at all.
 */
#define RP_PACKED_DISTANCE_SHIFT 22
#define RP_PACKED_MAX_DISTANCE UINT32_C(1023)

RP_FN uint32_t rp_pack_match(uint32_t length, uint32_t offset)
{
    return offset << 6 | length;
}

/* The packed match of an earlier position, given that of one `distance` after it, not 0. */
RP_FN uint32_t rp_pack_distant_match(uint32_t packed, uint32_t distance)
{
    return distance <= RP_PACKED_MAX_DISTANCE ? distance << RP_PACKED_DISTANCE_SHIFT | packed
                                              : RP_PACKED_MAX_DISTANCE << RP_PACKED_DISTANCE_SHIFT;
}

RP_FN uint32_t rp_packed_length(uint32_t packed)
{
    return packed & 63;
}

RP_FN uint32_t rp_packed_offset(uint32_t packed)
{
    return packed >> 6 & 0xFFFF;
}

RP_FN uint32_t rp_packed_distance(uint32_t packed)
{
    return packed >> RP_PACKED_DISTANCE_SHIFT;
}

/* The same match, packed for its own position. */
RP_FN uint32_t rp_packed_as_own(uint32_t packed)
{
    return packed & ((UINT32_C(1) << RP_PACKED_DISTANCE_SHIFT) - 1);
}

/* Whether it is the position's own match. */
RP_FN bool rp_packed_is_own(uint32_t packed)
{
    return rp_packed_distance(packed) == 0 && rp_packed_length(packed) != 0;
}

/* Whether it is the position's own, given that there is one, and has this offset. */
RP_FN bool rp_packed_is_own_of(uint32_t packed, uint32_t offset)
{
    return offset == packed >> 6;
}

typedef char rp_packed_length_fits[RP_LZ77_EVALUATED_LENGTH < 64 ? 1 : -1];

/*
 * A ranked match is larger the better it is: bits 0-5 are its length, 6-21 its offset, 22 whether
 * that is a repeat offset, 23-30 what it saves. 0 is none. Two repeat offsets never save the same:
 * what they cost tells which they are.
 */
#define RP_RANKED_REPEAT_SHIFT 22
#define RP_RANKED_GAIN_SHIFT 23

RP_FN uint32_t rp_ranked_gain(uint32_t ranked)
{
    return ranked >> RP_RANKED_GAIN_SHIFT;
}

RP_FN uint32_t rp_ranked_length(uint32_t ranked)
{
    return ranked & 63;
}

RP_FN uint32_t rp_ranked_offset(uint32_t ranked)
{
    return ranked >> 6 & 0xFFFF;
}

/* One that saves `gain`, which tells whether it is of a repeat offset. */
RP_FN uint32_t rp_rank_match(uint32_t length, uint32_t offset, int32_t gain)
{
    return (uint32_t)gain << RP_RANKED_GAIN_SHIFT | offset << 6 | length;
}

/* The position's own match, ranked; 0 without one. */
RP_FN uint32_t rp_rank_packed(uint32_t packed)
{
    uint32_t offset = rp_packed_offset(packed | UINT32_C(1) << 6); /* costs the same, is not 0 */
    int32_t gain = (int32_t)(rp_packed_length(packed) * RP_LZ77_BYTE_GAIN) - rp_offset_cost(offset);
    return rp_packed_is_own(packed) ? (uint32_t)gain << RP_RANKED_GAIN_SHIFT | packed : 0;
}

/* That of the repeat offset with this code. */
RP_FN uint32_t rp_rank_repeat(uint32_t code, uint32_t offset, uint32_t length)
{
    return (length * RP_LZ77_BYTE_GAIN - code) << RP_RANKED_GAIN_SHIFT |
           UINT32_C(1) << RP_RANKED_REPEAT_SHIFT | offset << 6 | length;
}

/* The same in two parts, for a caller that knows the length last: the ranked match without its
 * length, and what each byte of length adds. */
#define RP_RANKED_BYTE ((uint32_t)RP_LZ77_BYTE_GAIN << RP_RANKED_GAIN_SHIFT | 1)

RP_FN uint32_t rp_rank_repeat_offset(uint32_t code, uint32_t offset)
{
    return (UINT32_C(1) << RP_RANKED_REPEAT_SHIFT | offset << 6) - (code << RP_RANKED_GAIN_SHIFT);
}

typedef char rp_ranked_gain_fits[RP_LZ77_EVALUATED_LENGTH * RP_LZ77_BYTE_GAIN < 256 ? 1 : -1];

/*
 * The key of one of a position's matches is larger for what saves more, and among those for an
 * earlier place in the list of offsets: what it saves in bits 8-15, 3 - place in bits 6-7, its
 * length in bits 0-5. It is not more than RP_KEY_NONE if it saves nothing, or there is none.
 */
#define RP_KEY_NONE 255
#define RP_KEY_MAX_PLACE 3

RP_FN int32_t rp_match_key(uint32_t length, uint32_t offset, uint32_t place)
{
    return (int32_t)length * (RP_LZ77_BYTE_GAIN * 256 + 1) - rp_offset_cost(offset | 1) * 256 +
           (int32_t)((RP_KEY_MAX_PLACE - place) << 6);
}

RP_FN uint32_t rp_key_length(int32_t key)
{
    return (uint32_t)key & 63;
}

RP_FN uint32_t rp_key_place(int32_t key)
{
    return RP_KEY_MAX_PLACE - ((uint32_t)key >> 6 & 3);
}

/* A pending match: its offset in bits 16-31; in bits 0-15 the worker whose position it is of, times
 * 4, and the place of the offset in that worker's list, 0 to 3. */
RP_FN uint32_t rp_pend_match(uint32_t offset, uint32_t rank, uint32_t place)
{
    return (offset << 16) + rank * 4 + place;
}

RP_FN uint32_t rp_pending_offset(uint32_t pending)
{
    return pending >> 16;
}

/* rank * 4 + place */
RP_FN uint32_t rp_pending_index(uint32_t pending)
{
    return pending & 0xFFFF;
}

RP_FN uint32_t rp_pending_rank(uint32_t pending)
{
    return rp_pending_index(pending) / 4;
}

/* A parsed match: position in bits 0-17, length in bits 18-35, offset in bits 36-63. */
typedef uint64_t rp_parsed_match;

/* No parsed match is shorter. */
#define RP_PARSED_MIN_BYTES 3

RP_FN rp_parsed_match rp_make_parsed_match(uint32_t position, uint32_t length, uint32_t offset)
{
    return (uint64_t)position | (uint64_t)length << 18 | (uint64_t)offset << 36;
}

RP_FN uint32_t rp_parsed_position(rp_parsed_match match)
{
    return (uint32_t)match & 0x3FFFF;
}

RP_FN uint32_t rp_parsed_length(rp_parsed_match match)
{
    return (uint32_t)(match >> 18) & 0x3FFFF;
}

RP_FN uint32_t rp_parsed_offset(rp_parsed_match match)
{
    return (uint32_t)(match >> 36);
}

RP_FN uint32_t rp_parsed_end(rp_parsed_match match)
{
    return rp_parsed_position(match) + rp_parsed_length(match);
}

#endif
