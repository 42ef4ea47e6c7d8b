/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 2: the literals section of one zstd block (RFC 8878 section 3.1.1.3.1): raw, RLE or Huffman
 * with one or four streams. Symbols are counted for each stream, so a stream's bits are a sum over
 * symbols, and the exact size of each form is known before any of them is written.
 *
 * Only the states of the tree's description are serial: two chains of up to 127 steps. The rest is
 * divided among the workers.
 */
#ifndef ROCKPRESS_KERNELS_LITERALS_STAGE_H
#define ROCKPRESS_KERNELS_LITERALS_STAGE_H

#include "kernels/base/entry_points.h"
#include "kernels/base/stages.h"
#include "kernels/entropy/huffman_weights.h"
#include "kernels/match/precheck.h"

/* Up to this number of literals there is one stream, which saves the jump table. Longer literals
 * have four streams, as libzstd's have: these decode about three times as fast. */
#define RP_LITERALS_ONE_STREAM_BYTES 255
#define RP_LITERALS_JUMP_TABLE_BYTES 6 /* 2 for the size of each stream but the last */

typedef struct rp_literals_memory {
    uint32_t counts[4][256]; /* per stream */
    uint32_t totals[256];
    uint32_t stream_bits[4];
    rp_huffman_code code;
    union { /* used one after the other */
        rp_huffman_scratch making;
        rp_huffman_weights weights;
    };
} rp_literals_memory;

typedef char rp_literals_memory_fits[sizeof(rp_literals_memory) <= RP_TEAM_MEMORY_BYTES ? 1 : -1];

/* The literals [begin, end). */
typedef struct rp_literals_range {
    uint32_t begin;
    uint32_t end;
} rp_literals_range;

/* The literals of one stream. Streams are equally long, but for the last one. */
RP_FN rp_literals_range rp_literals_stream(uint32_t n_literals, uint32_t n_streams, uint32_t stream)
{
    uint32_t each = (n_literals + n_streams - 1) / n_streams;
    rp_literals_range range;
    range.begin = rp_min32(stream * each, n_literals);
    range.end = rp_min32(range.begin + each, n_literals);
    return range;
}

/* The header of raw and RLE literals, 3.1.1.3.1.1. Returns the number of its bytes, 1 to 3. Writes
 * them if `write`. One worker. */
RP_FN uint32_t rp_literals_simple_header(uint8_t *section, uint32_t type, uint32_t n_literals,
                                         bool write)
{
    uint32_t n_bytes = n_literals < 32 ? 1 : n_literals < 4096 ? 2 : 3;
    uint32_t size_format = n_bytes == 1 ? 0 : n_bytes == 2 ? 1 : 3;
    uint32_t shift = n_bytes == 1 ? 3 : 4;
    if (write)
        rp_store_bytes(section, type | size_format << 2 | n_literals << shift, n_bytes);
    return n_bytes;
}

/* The header of compressed literals. Returns the number of its bytes, 3 to 5. Writes them if
 * `write`. One worker. */
RP_FN uint32_t rp_literals_compressed_header(uint8_t *section, uint32_t n_streams,
                                             uint32_t n_literals, uint32_t n_compressed, bool write)
{
    uint32_t largest = rp_max32(n_literals, n_compressed);
    uint32_t size_format = n_streams == 1 ? 0 : largest < 1024 ? 1 : largest < 16384 ? 2 : 3;
    uint32_t n_size_bits = size_format < 2 ? 10 : size_format == 2 ? 14 : 18;
    uint32_t n_bytes = size_format < 2 ? 3 : size_format + 2;
    if (write) {
        uint64_t header = (uint64_t)RP_LITERALS_COMPRESSED | size_format << 2 |
                          (uint64_t)n_literals << 4 | (uint64_t)n_compressed << (4 + n_size_bits);
        rp_store_bytes(section, header, n_bytes);
    }
    return n_bytes;
}

/* Counts the symbols of each stream and of all streams. */
RP_FN void rp_literals_count(rp_team *team, const uint8_t *literals, uint32_t n_literals,
                             uint32_t n_streams, rp_literals_memory *memory)
{
    team_zero(team, memory->counts, n_streams * sizeof(memory->counts[0]));
    team_sync(team);
    uint32_t each = (n_literals + n_streams - 1) / n_streams;
    /* Streams side by side: so a worker's next increment of the same counter comes later. */
    TEAM_FOR (i, 0, each, team) {
        for (uint32_t stream = 0; stream < n_streams; stream++) {
            uint32_t at = stream * each + i;
            if (at < n_literals)
                team_atomic_add(&memory->counts[stream][literals[at]], 1);
        }
    }
    team_sync(team);
    TEAM_FOR (s, 0, 256, team) {
        uint32_t total = memory->counts[0][s];
        if (n_streams == 4)
            total += memory->counts[1][s] + memory->counts[2][s] + memory->counts[3][s];
        memory->totals[s] = total;
    }
    team_sync(team);
}

/* Fewer literals than these are first checked for being worth a tree. For more, the description of
 * the tree is a small part of the section. */
#define RP_LITERALS_ARE_FEW 512

/* The least bytes that a section of Huffman-coded literals can have. The codes have at least the
 * entropy of the counts. The description of the tree has at least the entropy of which symbols
 * occur, since the weights tell that. */
RP_FN uint32_t rp_literals_least_bytes(rp_team *team, const uint32_t *totals, uint32_t n_literals)
{
    uint32_t log_n = rp_log2(n_literals);
    uint32_t bits = 0;
    uint32_t n_present = 0;
    uint32_t last = 0;
    TEAM_FOR (s, 0, 256, team) {
        if (totals[s] != 0) {
            bits += totals[s] * (log_n - rp_log2(totals[s]));
            n_present++;
            last = s;
        }
    }
    bits = team_reduce_add(team, bits);
    n_present = team_reduce_add(team, n_present);
    last = 255 - team_reduce_min(team, 255 - last);
    uint32_t n_absent = last + 1 - n_present;
    uint32_t description = last * rp_log2(rp_max32(last, 1)) -
                           n_absent * rp_log2(rp_max32(n_absent, 1)) -
                           (n_present - 1) * rp_log2(rp_max32(n_present - 1, 1));
    description = 2 + description / (8 * RP_LOG2_ONE); /* with 2 bytes for the distribution */
    if (last <= RP_HUFFMAN_MAX_DIRECT_WEIGHTS)
        description = rp_min32(description, (last + 1) / 2);
    return 3 + 1 + description + bits / (8 * RP_LOG2_ONE);
}

/* Writes the literals of a range, the last one first. The writer has been flushed before. */
RP_FN void rp_literals_put(rp_bit_writer *writer, const uint8_t *literals, rp_literals_range range,
                           const uint16_t *codes)
{
    uint32_t i = range.end;
    while (i - range.begin >= 4) {
        for (uint32_t k = 0; k < 4; k++) {
            uint16_t entry = codes[literals[--i]];
            rp_bits_put(writer, rp_huffman_entry_code(entry), rp_huffman_entry_bits(entry));
        }
        rp_bits_flush(writer);
    }
    while (i > range.begin) {
        uint16_t entry = codes[literals[--i]];
        rp_bits_put(writer, rp_huffman_entry_code(entry), rp_huffman_entry_bits(entry));
    }
}

/* A stream of literals that is written. */
typedef struct rp_literals_target {
    rp_literals_range all; /* its literals */
    uint32_t begin_bit;    /* its first bit in the section */
    uint32_t *entries;     /* its entry points, or NULL */
} rp_literals_target;

/* Writes the literals of a range of a stream, the last one first, from a bit on; with the first
 * literal of the stream, the bit that marks its end. One worker. */
RP_FN void rp_literals_write(const uint8_t *literals, rp_literals_range range,
                             const uint16_t *codes, uint8_t *section, uint32_t first_bit,
                             rp_literals_target stream)
{
    rp_bit_writer writer = rp_bits_open(section, first_bit);
    rp_literals_range stretch = range;
    while (stretch.end > range.begin) {
        uint32_t k = 0;
        if (stream.entries != NULL) {
            k = (stretch.end - 1 - stream.all.begin) / RP_LITERALS_STRETCH;
            stretch.begin = rp_max32(stream.all.begin + k * RP_LITERALS_STRETCH, range.begin);
        }
        rp_literals_put(&writer, literals, stretch, codes);
        if (k != 0 && stretch.begin == stream.all.begin + k * RP_LITERALS_STRETCH) {
            rp_bits_flush(&writer);
            stream.entries[k] = rp_bits_position(&writer, section) - stream.begin_bit;
        }
        stretch.end = stretch.begin;
    }
    if (range.begin == stream.all.begin)
        rp_bits_put(&writer, 1, 1);
    rp_bits_close(&writer);
}

/* Writes all streams, one after the other from a byte on. A team writes them at the same time, in
 * contiguous parts: one scan over the bit counts of all parts says where each begins. */
RP_FN void rp_literals_write_streams(rp_team *team, const uint8_t *literals, uint32_t n_literals,
                                     uint32_t n_streams, const rp_literals_memory *memory,
                                     uint8_t *section, uint32_t first_byte, rp_entry_points points)
{
    const uint16_t *codes = memory->code.codes;
    const uint32_t n_at_once = rp_min32(n_streams, TEAM_SIZE(team));
    const uint32_t n_workers = TEAM_SIZE(team) / n_at_once; /* for each stream */
    const uint32_t mine = TEAM_RANK(team) / n_workers;
    const uint32_t order = TEAM_RANK(team) % n_workers;
    for (uint32_t first = 0; first < n_streams; first += n_at_once) {
        uint32_t stream = first + mine;
        bool has_part = mine < n_at_once && stream < n_streams;
        /* Order 0 takes the last literals, which come first in the stream. */
        rp_literals_range all =
            rp_literals_stream(n_literals, n_streams, has_part ? stream : n_streams);
        rp_literals_range range = all;
        uint32_t each = (all.end - all.begin + n_workers - 1) / n_workers;
        range.end = all.end - rp_min32(order * each, all.end - all.begin);
        range.begin = range.end - rp_min32(each, range.end - all.begin);
        rp_literals_target target = {all, first_byte * 8, points.literals};
        uint32_t n_before = 0; /* bits of earlier streams that are part of the same scan */
        for (uint32_t other = first; other < rp_min32(stream, n_streams); other++) {
            target.begin_bit += (memory->stream_bits[other] + 7) / 8 * 8;
            n_before += memory->stream_bits[other] - 1;
        }
        if (target.entries != NULL)
            target.entries += stream * points.literals_each;
        uint32_t first_bit = target.begin_bit;
        if (n_workers > 1) {
            uint32_t n_bits = 0;
            for (uint32_t i = range.begin; i < range.end; i++)
                n_bits += rp_huffman_entry_bits(codes[literals[i]]);
            first_bit += team_scan_add(team, n_bits, NULL) - n_before;
        }
        if (range.begin < range.end)
            rp_literals_write(literals, range, codes, section, first_bit, target);
        for (uint32_t k = first; k < rp_min32(first + n_at_once, n_streams); k++)
            first_byte += (memory->stream_bits[k] + 7) / 8;
    }
}

/* Sets the number of a stream's bits, the one that marks its end included. A part of a team. */
RP_FN void rp_literals_sum_bits(rp_team *team, uint32_t stream, rp_literals_memory *memory)
{
    uint32_t bits = 0;
    TEAM_FOR (s, 0, 256, team) {
        bits += memory->counts[stream][s] * memory->code.lengths[s];
    }
    bits = team_reduce_add(team, bits);
    if (TEAM_RANK(team) == 0)
        memory->stream_bits[stream] = bits + 1;
}

/* Makes what follows from the lengths of the codes: their description, the codes, and the size of
 * each stream. These are independent of each other, so each is the work of a part of the team. */
RP_FN void rp_literals_use_lengths(rp_team *team, uint32_t n_streams, rp_literals_memory *memory)
{
    rp_team part = team_part(team);
    TEAM_FOR_PARTS(i, 0, 2 + n_streams, team)
    {
        if (i == 0)
            rp_huffman_describe(&part, &memory->code, &memory->weights);
        else if (i == 1)
            rp_huffman_assign(&part, &memory->code);
        else
            rp_literals_sum_bits(&part, i - 2, memory);
    }
    team_sync(team);
}

/* Writes the literals section, at most n_literals + 3 bytes. With `is_raw`, literals are stored
 * without trying to code them. Leaves entry points unless points.literals is NULL. Returns the
 * section's size. */
RP_FN uint32_t rp_literals_encode(rp_team *team, const uint8_t *literals, uint32_t n_literals,
                                  bool is_raw, uint8_t *section, rp_entry_points points,
                                  rp_literals_memory *memory)
{
    uint32_t n_streams = n_literals <= RP_LITERALS_ONE_STREAM_BYTES ? 1 : 4;
    uint32_t raw_bytes =
        rp_literals_simple_header(section, RP_LITERALS_RAW, n_literals, false) + n_literals;
    uint32_t compressed_bytes = raw_bytes;
    uint32_t streams_bytes = 0;
    bool is_rle = false;
    if (n_literals > 1 && !is_raw) {
        rp_literals_count(team, literals, n_literals, n_streams, memory);
        is_rle = memory->totals[literals[0]] == n_literals;
        is_raw = !is_rle && n_literals < RP_LITERALS_ARE_FEW &&
                 rp_literals_least_bytes(team, memory->totals, n_literals) >= raw_bytes;
    }
    if (n_literals > 1 && !is_raw && !is_rle) {
        rp_huffman_build(team, memory->totals, n_literals, &memory->code, &memory->making);
        rp_literals_use_lengths(team, n_streams, memory);
        streams_bytes = memory->weights.description_bytes;
        for (uint32_t stream = 0; stream < n_streams; stream++)
            streams_bytes += (memory->stream_bits[stream] + 7) / 8;
        if (n_streams == 4)
            streams_bytes += RP_LITERALS_JUMP_TABLE_BYTES;
        if (memory->weights.description_bytes != 0)
            compressed_bytes =
                streams_bytes +
                rp_literals_compressed_header(section, n_streams, n_literals, streams_bytes, false);
    }

    if (is_rle) {
        if (TEAM_RANK(team) == 0) {
            uint32_t at = rp_literals_simple_header(section, RP_LITERALS_RLE, n_literals, true);
            section[at] = literals[0];
        }
        return rp_literals_simple_header(section, RP_LITERALS_RLE, n_literals, false) + 1;
    }
    if (compressed_bytes >= raw_bytes) {
        if (TEAM_RANK(team) == 0)
            rp_literals_simple_header(section, RP_LITERALS_RAW, n_literals, true);
        team_copy(team, section + (raw_bytes - n_literals), literals, n_literals);
        return raw_bytes;
    }
    uint32_t first_byte = compressed_bytes - streams_bytes;
    uint32_t at = first_byte + memory->weights.description_bytes;
    uint32_t jump_table = at;
    if (n_streams == 4)
        at += RP_LITERALS_JUMP_TABLE_BYTES;
    rp_bits_clear(team, section, at, compressed_bytes);
    TEAM_FOR (i, 0, memory->weights.description_bytes, team) {
        section[first_byte + i] = memory->weights.description[i];
    }
    if (TEAM_RANK(team) == 0) {
        rp_literals_compressed_header(section, n_streams, n_literals, streams_bytes, true);
        for (uint32_t stream = 0; stream + 1 < n_streams; stream++)
            rp_store_bytes(section + jump_table + 2 * stream, (memory->stream_bits[stream] + 7) / 8,
                           2);
    }
    team_sync(team);
    rp_literals_write_streams(team, literals, n_literals, n_streams, memory, section, at, points);
    return compressed_bytes;
}

/* Writes the section of a zstd block's literals, which may lie in shared memory. With `stays_raw`,
 * the matcher knows that a code would not shorten them. Returns the section's size. */
RP_FN uint32_t rp_literals_encode_block(rp_team *team, const rp_stage_args *args,
                                        uint32_t block_index, const uint8_t *literals,
                                        uint32_t n_literals, uint32_t n_sequences, bool stays_raw,
                                        rp_literals_memory *memory)
{
    const rp_kernel_buffers *buffers = &args->buffers;
    uint8_t *section =
        buffers->d_literals_sections + block_index * buffers->literals_section_stride;
    /* Literals of a block without matches are likely to be random, and that is quickly checked. */
    bool is_raw =
        stays_raw || (n_sequences == 0 && rp_is_flat(team, literals, n_literals, memory->totals));
    return rp_literals_encode(team, literals, n_literals, is_raw, section,
                              rp_entry_points_of(args, block_index), memory);
}

/* The stage, for one zstd block. Stores the section's size. */
RP_FN void rp_stage_huffman_encoder(rp_team *team, const rp_stage_args *args, uint32_t block_index,
                                    void *team_memory)
{
    const rp_kernel_buffers *buffers = &args->buffers;
    rp_zstd_block *zstd_block = &buffers->d_zstd_blocks[block_index];
    uint32_t n_block_bytes = rp_view_zstd_block(args, block_index).n_bytes;
    if (n_block_bytes == 0)
        return;
    uint32_t n_bytes = RP_SECTION_IMPOSSIBLE;
    const uint8_t *literals = buffers->d_literals + block_index * buffers->literals_stride;
    if (zstd_block->n_literals <= n_block_bytes)
        n_bytes = rp_literals_encode_block(
            team, args, block_index, literals, zstd_block->n_literals, zstd_block->n_sequences,
            zstd_block->literals_section_bytes == RP_LITERALS_STAY_RAW,
            (rp_literals_memory *)team_memory);
    team_sync(team); /* all have read the matcher's mark, which is overwritten now */
    if (TEAM_RANK(team) == 0)
        zstd_block->literals_section_bytes = n_bytes;
}

#endif
