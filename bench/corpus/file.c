/* SPDX-License-Identifier: Apache-2.0 */
/* Files of blocks: the part of a corpus that needs no RocksDB. */
#include "bench/corpus/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

corpus_status corpus_fail(corpus_error *error, corpus_status status, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->message, sizeof error->message, format, args);
        va_end(args);
    }
    return status;
}

bool corpus_grow(void **array, size_t *capacity, size_t needed, size_t element)
{
    if (needed <= *capacity)
        return true;
    const size_t larger = needed + needed / 2 + 64;
    void *moved = realloc(*array, larger * element);
    if (!moved)
        return false;
    *array = moved;
    *capacity = larger;
    return true;
}

corpus_status corpus_read_file(const char *path, unsigned char **bytes, size_t *size,
                               corpus_error *error)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return corpus_fail(error, CORPUS_IO_ERROR, "cannot open %s: %s", path, strerror(errno));
    corpus_status status = CORPUS_OK;
    long end = -1;
    *bytes = NULL;
    if (fseek(f, 0, SEEK_END) != 0 || (end = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0)
        status = corpus_fail(error, CORPUS_IO_ERROR, "cannot find the size of %s: %s", path,
                             strerror(errno));
    else if (!(*bytes = malloc((size_t)end + 1)))
        status = corpus_fail(error, CORPUS_NO_MEMORY, "no memory for %ld bytes of %s", end, path);
    else if (fread(*bytes, 1, (size_t)end, f) != (size_t)end)
        status = corpus_fail(error, CORPUS_IO_ERROR, "cannot read %s: %s", path,
                             ferror(f) ? strerror(errno) : "it became shorter");
    fclose(f);
    if (status != CORPUS_OK) {
        free(*bytes);
        *bytes = NULL;
    }
    *size = status == CORPUS_OK ? (size_t)end : 0;
    return status;
}

void corpus_free(corpus_blocks *blocks)
{
    if (!blocks)
        return;
    free(blocks->blocks);
    free(blocks->storage);
    memset(blocks, 0, sizeof *blocks);
}

corpus_status corpus_save(const char *path, const corpus_blocks *blocks, corpus_error *error)
{
    if (!path || !blocks)
        return corpus_fail(error, CORPUS_BAD_ARGUMENT, "corpus_save: a required pointer is NULL");
    FILE *f = fopen(path, "wb");
    if (!f)
        return corpus_fail(error, CORPUS_IO_ERROR, "cannot create %s: %s", path, strerror(errno));
    bool good = true;
    for (size_t i = 0; i < blocks->n_blocks && good; i++) {
        const corpus_block *b = &blocks->blocks[i];
        const unsigned char length[4] = {(unsigned char)b->size, (unsigned char)(b->size >> 8),
                                         (unsigned char)(b->size >> 16),
                                         (unsigned char)(b->size >> 24)};
        good = fwrite(length, 1, 4, f) == 4 && fwrite(b->data, 1, b->size, f) == b->size;
    }
    if (fclose(f) != 0)
        good = false;
    return good ? CORPUS_OK
                : corpus_fail(error, CORPUS_IO_ERROR, "cannot write %s: %s", path, strerror(errno));
}

corpus_status corpus_load(const char *path, corpus_blocks *out, corpus_error *error)
{
    if (!path || !out)
        return corpus_fail(error, CORPUS_BAD_ARGUMENT, "corpus_load: a required pointer is NULL");
    memset(out, 0, sizeof *out);
    size_t size;
    corpus_status status = corpus_read_file(path, &out->storage, &size, error);
    if (status != CORPUS_OK)
        return status;
    size_t capacity = 0;
    for (size_t at = 0; at < size && status == CORPUS_OK;) {
        const unsigned char *p = out->storage + at;
        const size_t left = size - at;
        const size_t length =
            left < 4 ? 0
                     : (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
        if (length == 0 || length > left - 4)
            status =
                corpus_fail(error, CORPUS_BAD_TABLE,
                            "%s: no whole record at offset %zu (4 bytes of little-endian length, "
                            "then as many bytes)",
                            path, at);
        else if (!corpus_grow((void **)&out->blocks, &capacity, out->n_blocks + 1,
                              sizeof *out->blocks))
            status = corpus_fail(error, CORPUS_NO_MEMORY, "no memory for the blocks of %s", path);
        else {
            out->blocks[out->n_blocks].data = p + 4;
            out->blocks[out->n_blocks++].size = length;
            out->total_bytes += length;
            at += 4 + length;
        }
    }
    if (status == CORPUS_OK && out->n_blocks == 0)
        status = corpus_fail(error, CORPUS_BAD_TABLE, "%s is empty", path);
    if (status != CORPUS_OK)
        corpus_free(out);
    return status;
}

size_t corpus_file_name(const char *path, char *name, size_t capacity)
{
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    snprintf(name, capacity, "%s", base);
    char *suffix = strstr(name, ".blocks");
    if (suffix && suffix[7] == 0 && suffix != name)
        *suffix = 0;
    char *dash = strrchr(name, '-'), *end;
    if (!dash || dash == name || dash[1] < '1' || dash[1] > '9')
        return 0;
    const unsigned long long size = strtoull(dash + 1, &end, 10);
    if (*end || size > CORPUS_MAX_TOTAL_BYTES)
        return 0;
    *dash = 0;
    return (size_t)size;
}
