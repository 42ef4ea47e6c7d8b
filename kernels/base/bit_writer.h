/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writers of bitstreams, as RFC 8878 section 4.1 has them: little-endian, the first bit written is
 * the lowest.
 *
 * The workers of a team write one stream at the same time, each a segment whose first bit it knows
 * from a scan. They write 32-bit words. A word that lies in one segment as a whole is stored. The
 * words at a segment's ends hold bits of its neighbours, too: they are or-ed into memory that
 * rp_bits_clear() has zeroed. A team of one worker has no neighbours. It stores 8 bytes at a time
 * and needs no zeroing, which saves a tenth of the whole encoder's time on a CPU.
 *
 * For both: `base` is aligned to 4 bytes, and 8 bytes after the last one of the stream may be
 * overwritten; a put is at most 32 bits; at most 56 bits are put between two flushes.
 */
#ifndef ROCKPRESS_KERNELS_BASE_BIT_WRITER_H
#define ROCKPRESS_KERNELS_BASE_BIT_WRITER_H

#include "kernels/base/memory.h"

#if defined(RP_TEAM_THREADS) || defined(__CUDACC__)

typedef struct rp_bit_writer {
    uint32_t *word;
    uint64_t bits;
    uint32_t n_bits;
    bool shared; /* the current word has bits of another segment */
} rp_bit_writer;

/* Zeroes the bytes [first_byte, end_byte) and the rest of the last word. A collective: all workers
 * call it before any of them opens a writer. */
RP_FN void rp_bits_clear(rp_team *team, uint8_t *base, uint32_t first_byte, uint32_t end_byte)
{
    uint32_t end = (end_byte + 3) & ~UINT32_C(3);
    TEAM_FOR (i, first_byte, end, team) {
        base[i] = 0;
    }
    team_sync(team);
}

/* A writer of a segment that begins at a bit of the stream. */
RP_FN rp_bit_writer rp_bits_open(uint8_t *base, uint32_t first_bit)
{
    rp_bit_writer writer;
    writer.word = (uint32_t *)(void *)base + (first_bit >> 5);
    writer.bits = 0;
    writer.n_bits = first_bit & 31;
    writer.shared = writer.n_bits != 0;
    return writer;
}

RP_FN void rp_bits_put(rp_bit_writer *writer, uint32_t value, uint32_t n_bits)
{
    writer->bits |= (uint64_t)value << writer->n_bits;
    writer->n_bits += n_bits;
    if (writer->n_bits >= 32) {
        if (writer->shared)
            team_atomic_or(writer->word, (uint32_t)writer->bits);
        else
            *writer->word = (uint32_t)writer->bits;
        writer->shared = false;
        writer->word++;
        writer->bits >>= 32;
        writer->n_bits -= 32;
    }
}

RP_FN void rp_bits_flush(rp_bit_writer *writer)
{
    (void)writer;
}

/* Number of bits from `base`, which the writer was opened with, to the next one. */
RP_FN uint32_t rp_bits_position(const rp_bit_writer *writer, const uint8_t *base)
{
    return (uint32_t)((const uint8_t *)writer->word - base) * 8 + writer->n_bits;
}

RP_FN void rp_bits_close(rp_bit_writer *writer)
{
    /* Only if bits are left: else another segment may be storing this word as a whole. */
    if (writer->bits != 0)
        team_atomic_or(writer->word, (uint32_t)writer->bits);
}

#else

typedef struct rp_bit_writer {
    uint8_t *byte;
    uint64_t bits;
    uint32_t n_bits;
} rp_bit_writer;

RP_FN void rp_bits_clear(rp_team *team, uint8_t *base, uint32_t first_byte, uint32_t end_byte)
{
    (void)team;
    (void)base;
    (void)first_byte;
    (void)end_byte;
}

/* One worker writes whole streams, and these begin at a byte. */
RP_FN rp_bit_writer rp_bits_open(uint8_t *base, uint32_t first_bit)
{
    rp_bit_writer writer;
    writer.byte = base + (first_bit >> 3);
    writer.bits = 0;
    writer.n_bits = 0;
    return writer;
}

RP_FN void rp_bits_put(rp_bit_writer *writer, uint32_t value, uint32_t n_bits)
{
    writer->bits |= (uint64_t)value << writer->n_bits;
    writer->n_bits += n_bits;
}

RP_FN void rp_bits_flush(rp_bit_writer *writer)
{
    memcpy(writer->byte, &writer->bits, sizeof(writer->bits));
    writer->byte += writer->n_bits >> 3;
    writer->bits >>= writer->n_bits & ~UINT32_C(7);
    writer->n_bits &= 7;
}

RP_FN uint32_t rp_bits_position(const rp_bit_writer *writer, const uint8_t *base)
{
    return (uint32_t)(writer->byte - base) * 8 + writer->n_bits;
}

RP_FN void rp_bits_close(rp_bit_writer *writer)
{
    rp_bits_flush(writer);
    if (writer->n_bits != 0)
        *writer->byte = (uint8_t)writer->bits;
}

#endif

/* A writer of a few bytes by one worker, such as a table's description. It stores no byte beyond
 * its last one. */
typedef struct rp_byte_writer {
    uint8_t *bytes;
    uint32_t n_bytes;
    uint64_t bits;
    uint32_t n_bits;
} rp_byte_writer;

RP_FN rp_byte_writer rp_bytes_open(uint8_t *bytes)
{
    rp_byte_writer writer;
    writer.bytes = bytes;
    writer.n_bytes = 0;
    writer.bits = 0;
    writer.n_bits = 0;
    return writer;
}

RP_FN void rp_bytes_put(rp_byte_writer *writer, uint32_t value, uint32_t n_bits)
{
    writer->bits |= (uint64_t)value << writer->n_bits;
    writer->n_bits += n_bits;
    while (writer->n_bits >= 8) {
        writer->bytes[writer->n_bytes++] = (uint8_t)writer->bits;
        writer->bits >>= 8;
        writer->n_bits -= 8;
    }
}

/* Fills the last byte up with zero bits. Returns the number of bytes. */
RP_FN uint32_t rp_bytes_close(rp_byte_writer *writer)
{
    if (writer->n_bits != 0)
        writer->bytes[writer->n_bytes++] = (uint8_t)writer->bits;
    return writer->n_bytes;
}

#endif
