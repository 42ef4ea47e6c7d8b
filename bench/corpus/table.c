/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts data blocks out of SST files, and checks that a block is one.
 *
 * The format, for the options that sst.c sets (format_version 5, binary search index, XXH64
 * checksums, no compression):
 *
 *   file     data blocks, meta blocks, index block; each followed by a trailer of 5 bytes: the
 *            compression type and 4 bytes of checksum over block and type
 *   footer   53 bytes: checksum type, handles of the metaindex and the index block (two varints
 *            each: offset, size) padded to 40 bytes, format_version, 8 bytes of magic number
 *   block    entries, then the 4-byte offset of each restart point, then their number
 *   entry    varints: bytes of the key shared with the previous entry's, bytes that follow, bytes
 *            of value; then those bytes
 *   index    the same, but since format_version 4 an entry has no value length; its value is a
 *            handle where no key byte is shared, and otherwise the zigzag difference of this data
 *            block's size to the previous one's, which it follows directly
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "bench/corpus/table.h"

enum {
    TRAILER_BYTES = 5,
    FOOTER_BYTES = 53,
    CHECKSUM_XXH64 = 3,
    FORMAT_VERSION = 5,
    NO_COMPRESSION = 0,
};
static const uint64_t table_magic = UINT64_C(0x88e241b785f4cff7);

struct cursor {
    const unsigned char *at, *end;
};

struct handle {
    uint64_t offset, size;
};

static uint64_t load_le(const unsigned char *p, unsigned n_bytes)
{
    uint64_t v = 0;
    for (unsigned i = n_bytes; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static bool take_varint(struct cursor *c, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && c->at < c->end; shift += 7) {
        const unsigned char byte = *c->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool take_handle(struct cursor *c, struct handle *h)
{
    return take_varint(c, &h->offset) && take_varint(c, &h->size);
}

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static corpus_status
bad_table(corpus_error *error, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->message, sizeof error->message, format, args);
        va_end(args);
    }
    return CORPUS_BAD_TABLE;
}

static corpus_status check_block(const unsigned char *file, size_t size, struct handle h,
                                 corpus_error *error)
{
    if (h.offset > size || h.size > size - h.offset || TRAILER_BYTES > size - h.offset - h.size)
        return bad_table(error, "SST: block at %llu of %llu bytes is outside the file",
                         (unsigned long long)h.offset, (unsigned long long)h.size);
    const unsigned char *block = file + h.offset;
    if (block[h.size] != NO_COMPRESSION)
        return bad_table(error, "SST: block at %llu has compression type %u, not 0",
                         (unsigned long long)h.offset, block[h.size]);
    const uint32_t stored = (uint32_t)load_le(block + h.size + 1, 4);
    if ((uint32_t)XXH64(block, (size_t)h.size + 1, 0) != stored)
        return bad_table(error, "SST: wrong checksum of the block at %llu",
                         (unsigned long long)h.offset);
    return CORPUS_OK;
}

/* Bounds of a block's entries: everything before its restart array. NULL if it has none. */
static const unsigned char *entries_end(const unsigned char *block, size_t size, uint64_t *restarts)
{
    if (size < 8)
        return NULL;
    *restarts = load_le(block + size - 4, 4);
    if (*restarts == 0 || *restarts > (size - 4) / 4)
        return NULL;
    return block + size - 4 - 4 * *restarts;
}

corpus_status corpus_walk_table(const unsigned char *file, size_t size, corpus_block_visitor *visit,
                                void *context, corpus_error *error)
{
    if (size < FOOTER_BYTES)
        return bad_table(error, "SST: %zu bytes are too few for a footer", size);
    const unsigned char *footer = file + size - FOOTER_BYTES;
    if (load_le(footer + 45, 8) != table_magic)
        return bad_table(error, "SST: no block-based table's magic number");
    if (load_le(footer + 41, 4) != FORMAT_VERSION || footer[0] != CHECKSUM_XXH64)
        return bad_table(error, "SST: format version %u and checksum type %u, expected %u and %u",
                         (unsigned)load_le(footer + 41, 4), footer[0], FORMAT_VERSION,
                         CHECKSUM_XXH64);

    struct cursor c = {footer + 1, footer + 41};
    struct handle metaindex, index;
    if (!take_handle(&c, &metaindex) || !take_handle(&c, &index))
        return bad_table(error, "SST: malformed handles in the footer");
    corpus_status status = check_block(file, size, index, error);
    if (status != CORPUS_OK)
        return status;

    uint64_t restarts;
    c.at = file + index.offset;
    c.end = entries_end(c.at, (size_t)index.size, &restarts);
    if (!c.end)
        return bad_table(error, "SST: malformed index block");
    struct handle data = {0, 0};
    while (c.at < c.end) {
        uint64_t shared, unshared;
        if (!take_varint(&c, &shared) || !take_varint(&c, &unshared) ||
            unshared > (uint64_t)(c.end - c.at))
            return bad_table(error, "SST: malformed index entry");
        c.at += unshared;
        if (shared == 0) {
            if (!take_handle(&c, &data))
                return bad_table(error, "SST: malformed handle in the index");
        } else {
            uint64_t zigzag;
            if (!take_varint(&c, &zigzag))
                return bad_table(error, "SST: malformed size difference in the index");
            data.offset += data.size + TRAILER_BYTES;
            data.size += (zigzag >> 1) ^ (0 - (zigzag & 1));
        }
        status = check_block(file, size, data, error);
        if (status != CORPUS_OK)
            return status;
        if (!visit(context, file + data.offset, (size_t)data.size))
            return CORPUS_OK;
    }
    return CORPUS_OK;
}

size_t corpus_count_entries(const unsigned char *block, size_t size)
{
    uint64_t n_restarts;
    const unsigned char *end = block ? entries_end(block, size, &n_restarts) : NULL;
    if (!end)
        return 0;
    struct cursor c = {block, end};
    uint64_t key_size = 0, next_restart = 0;
    size_t n_entries = 0;
    while (c.at < c.end) {
        const uint64_t offset = (uint64_t)(c.at - block);
        const bool restart =
            next_restart < n_restarts && load_le(end + 4 * next_restart, 4) == offset;
        uint64_t shared, unshared, value_size;
        if (!take_varint(&c, &shared) || !take_varint(&c, &unshared) ||
            !take_varint(&c, &value_size))
            return 0;
        if (shared > key_size || (restart && shared != 0) || (n_entries == 0 && !restart))
            return 0;
        const uint64_t left = (uint64_t)(c.end - c.at);
        if (unshared > left || value_size > left - unshared)
            return 0;
        c.at += unshared + value_size;
        key_size = shared + unshared;
        next_restart += restart;
        n_entries++;
    }
    return next_restart == n_restarts ? n_entries : 0;
}
