/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compressed zstd block is proven to be that of its input (RFC 8878, 3.1.1.3).
 *
 * No match is copied, as the input is there: literals must be equal to the input where they belong,
 * and a match to the input `offset` bytes before it. By induction over the positions, the block
 * decodes to the input. So nothing waits for the bytes that a match refers to, and all sequences
 * are compared side by side.
 *
 * What is decoded lies in the scratch of the encoder's matcher. No stage before leaves literals or
 * placed sequences there, so that work which a faulty device leaves out finds nothing that would
 * pass for its result.
 */
#ifndef ROCKPRESS_KERNELS_DECODE_BLOCK_H
#define ROCKPRESS_KERNELS_DECODE_BLOCK_H

#include "kernels/decode/compare.h"
#include "kernels/decode/literals.h"
#include "kernels/decode/sequences.h"

#define RP_DECODE_SLACK 32

/* Matches and runs of literals from this length on are compared by a part of the team. */
#define RP_DECODE_LONG_BYTES 64

/* What the workers share of a compressed block. */
typedef struct rp_decode_block_memory {
    uint32_t literals_are_valid;
    uint32_t sequences_are_valid;
    rp_decode_stretch end; /* behind all sequences */
    rp_decode_literals literals;
    rp_decode_sequences sequences;
    rp_decode_huffman huffman;
} rp_decode_block_memory;

/* Results that are too large for it. */
typedef struct rp_decode_scratch {
    uint64_t *sequences;
    rp_decode_stretch *stretches;
    uint8_t *literals;
} rp_decode_scratch;

RP_FN uint32_t rp_decode_max_sequences(uint32_t zstd_block_bytes)
{
    return zstd_block_bytes / RP_DECODE_MIN_MATCH;
}

/* Divides the scratch of a zstd block. */
RP_FN rp_decode_scratch rp_decode_divide_scratch(uint8_t *base, uint32_t zstd_block_bytes)
{
    rp_decode_scratch scratch;
    scratch.sequences = (uint64_t *)(void *)base;
    scratch.stretches =
        (rp_decode_stretch *)(void *)(scratch.sequences +
                                      rp_decode_max_sequences(zstd_block_bytes) + 1);
    scratch.literals =
        (uint8_t *)(void *)(scratch.stretches + rp_sequence_entries(zstd_block_bytes));
    return scratch;
}

/* Bytes that the verifier needs of the scratch of a zstd block of up to zstd_block_bytes. */
RP_FN size_t rp_decode_scratch_bytes(uint32_t zstd_block_bytes)
{
    uint8_t *origin = (uint8_t *)16; /* an address that is not NULL */
    rp_decode_scratch scratch = rp_decode_divide_scratch(origin, zstd_block_bytes);
    return (size_t)(scratch.literals - origin) + zstd_block_bytes + RP_DECODE_SLACK;
}

/* The hashes of an input and its frame, which a part of the team makes while others read the first
 * block's tables: these are chains that one worker follows. */
typedef struct rp_decode_hashing {
    bool is_pending;
    const uint8_t *input;
    size_t input_bytes;
    const uint8_t *frame;
    size_t frame_bytes;
    rp_proof *proof; /* in team memory */
} rp_decode_hashing;

/* A larger input is hashed faster by all of the team. */
#define RP_DECODE_HASH_BESIDE_BYTES 32768

/* Where a block is to be compared. */
typedef struct rp_decode_target {
    const uint8_t *input; /* the whole one */
    size_t position;      /* of the block in it */
    uint32_t max_bytes;   /* most bytes of the block */
    size_t window_bytes;
} rp_decode_target;

/* Reads the header of the literals section, and the tree. A part of the team. */
RP_FN void rp_decode_open_literals(rp_team *team, const uint8_t *base, rp_decode_range content,
                                   uint32_t max_bytes, rp_decode_block_memory *memory)
{
    if (TEAM_RANK(team) == 0) {
        memory->literals_are_valid =
            rp_decode_read_literals(base, content, max_bytes, &memory->literals);
        memory->huffman.is_valid = 1;
    }
    team_sync(team);
    if (memory->literals_are_valid != 0 && memory->literals.type == RP_DECODE_HUFFMAN_LITERALS)
        rp_decode_read_tree(team, base, memory->literals.tree, &memory->huffman);
}

/* Reads the header of the sequences section and its distributions. It does not wait for the part
 * that reads the literals' header, but reads that, too. One worker. */
RP_FN bool rp_decode_open_sequences(const uint8_t *base, rp_decode_range content,
                                    uint32_t max_bytes, rp_decode_sequences *sequences)
{
    rp_decode_literals literals;
    if (!rp_decode_read_literals(base, content, max_bytes, &literals))
        return false;
    const rp_decode_range section = {literals.content.end, content.end};
    return rp_decode_read_sequences(base, section, rp_decode_max_sequences(max_bytes), sequences);
}

/* Reads the headers and makes the tables. Returns false if a rule is broken. */
RP_FN bool rp_decode_open_block(rp_team *team, const uint8_t *base, rp_decode_range content,
                                uint32_t max_bytes, rp_decode_hashing *hashing,
                                rp_decode_block_memory *memory)
{
    const bool hashes = hashing->is_pending && hashing->input_bytes <= RP_DECODE_HASH_BESIDE_BYTES;
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, 0, hashes ? 4 : 2, team)
    {
        if (i == 0) {
            rp_decode_open_literals(&part, base, content, max_bytes, memory);
        } else if (i == 1) {
            rp_decode_fill_bases(&part, &memory->sequences);
            if (TEAM_RANK(&part) == 0)
                memory->sequences_are_valid =
                    rp_decode_open_sequences(base, content, max_bytes, &memory->sequences);
        } else {
            const bool is_input = i == 2;
            const uint64_t hash =
                rp_xxh3(&part, is_input ? hashing->input : hashing->frame,
                        is_input ? hashing->input_bytes : hashing->frame_bytes,
                        is_input ? &memory->huffman.hash : &memory->sequences.hash);
            if (TEAM_RANK(&part) == 0 && is_input)
                hashing->proof->input_hash = hash;
            else if (TEAM_RANK(&part) == 0)
                hashing->proof->frame_hash = hash;
        }
    }
    if (hashes)
        hashing->is_pending = false;
    team_sync(team);
    if (memory->literals_are_valid == 0 || memory->sequences_are_valid == 0 ||
        memory->huffman.is_valid == 0)
        return false;
    const bool is_coded = memory->literals.type == RP_DECODE_HUFFMAN_LITERALS;
    if (memory->sequences.n_sequences != 0) {
        TEAM_FOR_PARTS(field, 0, RP_DECODE_FIELDS, team)
        {
            rp_decode_make_table(&part, &memory->sequences.fields[field], field,
                                 memory->sequences.cells + rp_decode_first_cell(field));
        }
    }
    if (is_coded)
        rp_decode_fill_entries(team, &memory->huffman);
    team_sync(team);
    return true;
}

/* Decodes the literals and sequences. Returns false if a rule is broken. */
RP_FN bool rp_decode_block_contents(rp_team *team, const uint8_t *base, uint32_t max_bytes,
                                    rp_entry_points entries, rp_decode_block_memory *memory,
                                    rp_decode_scratch scratch, rp_decode_repeats repeats)
{
    const rp_decode_literals *literals = &memory->literals;
    const rp_decode_sequences *sequences = &memory->sequences;
    const uint32_t n_sequences = sequences->n_sequences;
    uint32_t n_literal_items = 0;
    rp_decode_stretches stretches = {0, 1};
    if (literals->type == RP_DECODE_HUFFMAN_LITERALS) {
        stretches = rp_decode_literal_stretches(literals, entries.literals != NULL);
        n_literal_items = stretches.per_stream * literals->n_streams;
    } else if (literals->type == RP_DECODE_RLE_LITERALS) {
        const uint8_t value = base[literals->content.begin];
        TEAM_FOR (i, 0, literals->n_literals, team) {
            scratch.literals[i] = value;
        }
    }
    /* Literals are compared by words, of which a GPU loads those around, too. */
    TEAM_FOR (i, 0, 8, team) {
        scratch.literals[literals->n_literals + i] = 0;
    }
    const uint32_t length = entries.sequences != NULL ? RP_SEQUENCES_STRETCH : n_sequences;
    const uint32_t n_stretches = n_sequences == 0 ? 0 : (n_sequences + length - 1) / length;
    /* A warp has literals or sequences, but not both, at a time. */
    const uint32_t first_sequence_item = (n_literal_items + 31) & ~UINT32_C(31);
    bool is_valid = true;
    uint32_t differing = 0;
    TEAM_FOR (i, 0, first_sequence_item + n_stretches, team) {
        if (i < n_literal_items)
            is_valid = rp_decode_literal_stretch(base, literals, stretches, i, entries.literals,
                                                 entries.literals_each, &memory->huffman,
                                                 scratch.literals) &&
                       is_valid;
        else if (i >= first_sequence_item)
            is_valid = rp_decode_sequence_stretch(base, sequences, i - first_sequence_item, length,
                                                  max_bytes, entries.sequences, scratch.sequences,
                                                  &scratch.stretches[i - first_sequence_item],
                                                  &differing) &&
                       is_valid;
    }
    if (team_any(team, !is_valid))
        return false;
    /* An encoder must not describe a distribution for a single code. */
    for (uint32_t field = 0; field < RP_DECODE_FIELDS && n_sequences != 0; field++) {
        const bool differs = team_any(team, (differing >> field & 1) != 0);
        if (sequences->fields[field].mode == RP_DECODE_FSE_MODE && !differs)
            return false;
    }
    rp_team part = team_part(team);
    if (TEAM_PART(team) == 0)
        rp_decode_sum_stretches(&part, scratch.stretches, n_stretches, repeats, &memory->end);
    team_sync(team);
    const uint32_t n_sequence_bytes = memory->end.n_bytes;
    if (memory->end.n_literals > literals->n_literals || n_sequence_bytes > max_bytes ||
        literals->n_literals - memory->end.n_literals > max_bytes - n_sequence_bytes)
        return false;
    TEAM_FOR (i, 0, n_stretches, team) {
        is_valid = rp_decode_place_sequences(scratch.sequences, i * length,
                                             rp_min32((i + 1) * length, n_sequences),
                                             scratch.stretches[i]) &&
                   is_valid;
    }
    return !team_any(team, !is_valid);
}

/* Compares what was decoded with the input. Returns whether this worker's share is equal. */
RP_FN bool rp_decode_compare_block(rp_team *team, const uint8_t *literals,
                                   const rp_decode_block_memory *memory, const uint64_t *placed,
                                   rp_decode_target target)
{
    const uint8_t *block = target.input + target.position;
    const uint32_t n_sequences = memory->sequences.n_sequences;
    rp_team part = team_part(team);
    bool is_equal = true;
    for (uint32_t first = 0; first < n_sequences; first += TEAM_SIZE(team)) {
        const uint32_t i = first + TEAM_RANK(team);
        rp_decode_placed at = {0, 0, 0};
        uint32_t n_literals = 0;
        uint32_t n_match = 0;
        if (i < n_sequences) {
            at = rp_decode_unpack(placed[i]);
            rp_decode_placed next = {memory->end.n_literals, memory->end.n_bytes, 0};
            if (i + 1 < n_sequences)
                next = rp_decode_unpack(placed[i + 1]);
            n_literals = next.literal - at.literal;
            n_match = next.position - at.position - n_literals;
            /* A worker of its own placed the next sequence: a device that works wrongly is not to
             * read anywhere. */
            if (next.literal > memory->end.n_literals || next.position > memory->end.n_bytes ||
                n_literals > memory->end.n_literals || n_match > memory->end.n_bytes ||
                at.offset > target.position + at.position + n_literals ||
                at.offset >= target.window_bytes) {
                is_equal = false;
                at.literal = 0;
                at.position = 0;
                at.offset = 0;
                n_literals = 0;
                n_match = 0;
            }
        }
        const uint8_t *here = block + at.position;
        const uint8_t *match = here + n_literals;
        const bool many_literals = n_literals >= RP_DECODE_LONG_BYTES;
        const bool long_match = n_match >= RP_DECODE_LONG_BYTES;
        if (!many_literals)
            is_equal = rp_decode_equal(here, literals + at.literal, n_literals) && is_equal;
        if (!long_match)
            is_equal = rp_decode_equal(match, match - at.offset, n_match) && is_equal;
        is_equal = rp_decode_equal_together(&part, many_literals, here, literals + at.literal,
                                            n_literals) &&
                   is_equal;
        is_equal = rp_decode_equal_together(&part, long_match, match, match - at.offset, n_match) &&
                   is_equal;
    }
    return rp_decode_equal_share(team, block + memory->end.n_bytes,
                                 literals + memory->end.n_literals,
                                 memory->literals.n_literals - memory->end.n_literals) &&
           is_equal;
}

/*
 * Proves a compressed block, whose content is a range of `base`, and sets *n_bytes to how many
 * bytes of the input it is. *repeats are those before the block, and after it. Returns false if a
 * rule is broken or a byte differs. A collective; all workers get the result.
 */
RP_FN bool rp_decode_check_block(rp_team *team, const uint8_t *base, rp_decode_range content,
                                 rp_decode_target target, rp_entry_points entries,
                                 rp_decode_hashing *hashing, rp_decode_block_memory *memory,
                                 rp_decode_scratch scratch, rp_decode_repeats *repeats,
                                 uint32_t *n_bytes)
{
    if (!rp_decode_open_block(team, base, content, target.max_bytes, hashing, memory) ||
        !rp_decode_block_contents(team, base, target.max_bytes, entries, memory, scratch, *repeats))
        return false;
    *repeats = memory->end.repeats;
    *n_bytes = memory->end.n_bytes + memory->literals.n_literals - memory->end.n_literals;
    const uint8_t *literals = scratch.literals;
    if (memory->literals.type == RP_DECODE_RAW_LITERALS)
        literals = base + memory->literals.content.begin;
    return !team_any(team,
                     !rp_decode_compare_block(team, literals, memory, scratch.sequences, target));
}

#endif
