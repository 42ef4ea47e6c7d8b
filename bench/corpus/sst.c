/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends a generator's records through RocksDB and collects the data blocks of the SST files.
 *
 * SstFileWriter would ask for sorted input and write sequence number 0 everywhere, so a database
 * with flushes is used. Applications write in order of time, and RocksDB sorts; the sequence
 * numbers in the keys keep the order of writing. Corpora that stand for settled data are compacted
 * to the last level, where RocksDB itself sets these numbers to 0.
 *
 * The result is always the same: one thread writes, there is no automatic compaction, flushes come
 * at fixed amounts of data, and only data blocks are kept. Times and identities that RocksDB stores
 * are in other blocks.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rocksdb/c.h>

#include "bench/corpus/corpus.h"
#include "bench/corpus/file.h"
#include "bench/corpus/generator.h"
#include "bench/corpus/table.h"

/* As RocksDB's default write_buffer_size; a compacted corpus has at least four files to merge. */
enum { FLUSH_BYTES = 64 << 20, COMPACTED_FLUSHES = 4 };

struct store {
    char path[512];
    rocksdb_options_t *options;
    rocksdb_block_based_table_options_t *table_options;
    rocksdb_writeoptions_t *write_options;
    rocksdb_flushoptions_t *flush_options;
    rocksdb_t *db;
    bool directory_made;
    uint64_t flush_bytes, unflushed_bytes;
    corpus_status status;
    corpus_error *error;
};

/* Keeps the first failure. */
static bool rocksdb_ok(struct store *s, char *message)
{
    if (message && s->status == CORPUS_OK)
        s->status = corpus_fail(s->error, CORPUS_ROCKSDB_ERROR, "RocksDB: %s", message);
    if (message)
        rocksdb_free(message);
    return s->status == CORPUS_OK;
}

static corpus_status make_directory(struct store *s)
{
    const char *parent = getenv("TMPDIR");
    if (!parent || !*parent)
        parent = "/tmp";
    const int n = snprintf(s->path, sizeof s->path, "%s/rockpress-corpus-XXXXXX", parent);
    if (n < 0 || (size_t)n >= sizeof s->path)
        return corpus_fail(s->error, CORPUS_IO_ERROR, "TMPDIR is too long: %zu bytes",
                           strlen(parent));
    if (!mkdtemp(s->path))
        return corpus_fail(s->error, CORPUS_IO_ERROR, "cannot make %s: %s", s->path,
                           strerror(errno));
    s->directory_made = true;
    return CORPUS_OK;
}

static corpus_status open_store(struct store *s, size_t block_bytes)
{
    s->status = make_directory(s);
    if (s->status != CORPUS_OK)
        return s->status;

    s->table_options = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_size(s->table_options, block_bytes);
    rocksdb_block_based_options_set_format_version(s->table_options, 5);
    rocksdb_block_based_options_set_checksum(s->table_options, 3 /* XXH64 */);
    rocksdb_block_based_options_set_no_block_cache(s->table_options, 1);

    s->options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(s->options, 1);
    rocksdb_options_set_error_if_exists(s->options, 1);
    rocksdb_options_set_compression(s->options, rocksdb_no_compression);
    rocksdb_options_set_block_based_table_factory(s->options, s->table_options);
    rocksdb_options_set_disable_auto_compactions(s->options, 1);
    rocksdb_options_set_write_buffer_size(s->options, (size_t)FLUSH_BYTES * 4);
    rocksdb_options_set_target_file_size_base(s->options, FLUSH_BYTES);
    rocksdb_options_set_info_log_level(s->options, 4 /* fatal */);
    /* Many small files on level 0 must not slow the writer. */
    rocksdb_options_set_level0_slowdown_writes_trigger(s->options, 1 << 20);
    rocksdb_options_set_level0_stop_writes_trigger(s->options, 1 << 20);

    s->write_options = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(s->write_options, 1);
    s->flush_options = rocksdb_flushoptions_create();
    rocksdb_flushoptions_set_wait(s->flush_options, 1);

    char *message = NULL;
    s->db = rocksdb_open(s->options, s->path, &message);
    rocksdb_ok(s, message);
    return s->status;
}

static void close_store(struct store *s)
{
    if (s->db)
        rocksdb_close(s->db);
    if (s->directory_made) {
        char *message = NULL;
        if (s->options)
            rocksdb_destroy_db(s->options, s->path, &message);
        rocksdb_ok(s, message);
        if (rmdir(s->path) != 0 && errno != ENOENT && s->status == CORPUS_OK)
            s->status = corpus_fail(s->error, CORPUS_IO_ERROR, "cannot remove %s: %s", s->path,
                                    strerror(errno));
    }
    if (s->flush_options)
        rocksdb_flushoptions_destroy(s->flush_options);
    if (s->write_options)
        rocksdb_writeoptions_destroy(s->write_options);
    if (s->options)
        rocksdb_options_destroy(s->options);
    if (s->table_options)
        rocksdb_block_based_options_destroy(s->table_options);
}

static bool flush(struct store *s)
{
    char *message = NULL;
    s->unflushed_bytes = 0;
    rocksdb_flush(s->db, s->flush_options, &message);
    return rocksdb_ok(s, message);
}

static bool put(void *context, const char *key, size_t key_size, const char *value,
                size_t value_size)
{
    struct store *s = context;
    char *message = NULL;
    rocksdb_put(s->db, s->write_options, key, key_size, value, value_size, &message);
    if (!rocksdb_ok(s, message))
        return false;
    s->unflushed_bytes += key_size + value_size;
    return s->unflushed_bytes < s->flush_bytes || flush(s);
}

static bool compact(struct store *s)
{
    rocksdb_compactoptions_t *options = rocksdb_compactoptions_create();
    rocksdb_compactoptions_set_bottommost_level_compaction(options, 2 /* kForce: no file moves */);
    rocksdb_compact_range_opt(s->db, options, NULL, 0, NULL, 0);
    rocksdb_compactoptions_destroy(options);
    return true;
}

/* All blocks that were cut, before the sample is taken. */
struct harvest {
    unsigned char *bytes;
    size_t size, capacity;
    size_t *ends; /* of each block in bytes */
    size_t n, n_capacity;
    size_t min_last_bytes;
    bool out_of_memory;
};

static bool keep_block(void *context, const unsigned char *block, size_t size)
{
    struct harvest *h = context;
    if (!corpus_grow((void **)&h->bytes, &h->capacity, h->size + size, 1) ||
        !corpus_grow((void **)&h->ends, &h->n_capacity, h->n + 1, sizeof *h->ends)) {
        h->out_of_memory = true;
        return false;
    }
    memcpy(h->bytes + h->size, block, size);
    h->size += size;
    h->ends[h->n++] = h->size;
    return true;
}

/* The last block of a file is usually short. Files here are far smaller than real ones, so short
 * blocks would have a weight that they don't have in practice. */
static void drop_short_last(struct harvest *h, size_t n_before)
{
    if (h->n == n_before)
        return;
    const size_t start = h->n > 1 ? h->ends[h->n - 2] : 0;
    if (h->size - start < h->min_last_bytes && h->n > 1) {
        h->size = start;
        h->n--;
    }
}

/* File numbers rise with time, and within a compaction with the keys. */
static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static corpus_status harvest_files(struct store *s, struct harvest *h)
{
    const rocksdb_livefiles_t *files = rocksdb_livefiles(s->db);
    const int n = rocksdb_livefiles_count(files);
    const char **names = malloc(((size_t)n + 1) * sizeof *names);
    corpus_status status = CORPUS_OK;
    if (!names)
        status = corpus_fail(s->error, CORPUS_NO_MEMORY, "no memory for %d file names", n);
    else {
        for (int i = 0; i < n; i++)
            names[i] = rocksdb_livefiles_name(files, i);
        qsort(names, (size_t)n, sizeof *names, by_name);
    }
    for (int i = 0; i < n && status == CORPUS_OK; i++) {
        char path[sizeof s->path + 64];
        unsigned char *bytes;
        size_t size;
        const size_t n_before = h->n;
        snprintf(path, sizeof path, "%s%s", s->path, names[i]);
        status = corpus_read_file(path, &bytes, &size, s->error);
        if (status == CORPUS_OK)
            status = corpus_walk_table(bytes, size, keep_block, h, s->error);
        if (status == CORPUS_OK && h->out_of_memory)
            status = corpus_fail(s->error, CORPUS_NO_MEMORY, "no memory for the blocks");
        if (status == CORPUS_OK)
            drop_short_last(h, n_before);
        free(bytes);
    }
    free(names);
    rocksdb_livefiles_destroy(files);
    return status;
}

static corpus_status generate_once(const struct corpus_kind *kind, size_t block_bytes,
                                   uint64_t goal_bytes, uint64_t seed, struct harvest *h,
                                   corpus_error *error)
{
    struct store s = {.status = CORPUS_OK, .error = error};
    s.flush_bytes = FLUSH_BYTES;
    if (kind->compacted && goal_bytes / COMPACTED_FLUSHES < s.flush_bytes)
        s.flush_bytes = goal_bytes / COMPACTED_FLUSHES;
    if (open_store(&s, block_bytes) == CORPUS_OK) {
        struct corpus_rng rng;
        struct corpus_writer w = {.put = put, .context = &s, .goal_bytes = goal_bytes};
        corpus_rng_seed(&rng, seed, kind->name);
        if (!kind->generate(&rng, &w))
            s.status = corpus_fail(error, CORPUS_NO_MEMORY, "no memory to generate %s", kind->name);
        else if (w.failed && s.status == CORPUS_OK)
            s.status =
                corpus_fail(error, CORPUS_BAD_ARGUMENT, "a record of %s is longer than %u bytes",
                            kind->name, CORPUS_TEXT_MAX);
        if (s.status == CORPUS_OK && flush(&s) && kind->compacted)
            compact(&s);
        if (s.status == CORPUS_OK)
            s.status = harvest_files(&s, h);
    }
    close_store(&s);
    return s.status;
}

/* Takes blocks at even distances until max_total_bytes are reached, so that every key range of the
 * corpus keeps its share. */
static corpus_status take_sample(struct harvest *h, size_t max_total_bytes, corpus_blocks *out,
                                 corpus_error *error)
{
    size_t n = h->n;
    if (h->size > max_total_bytes)
        n = (size_t)((uint64_t)h->n * max_total_bytes / h->size);
    n = n ? n : 1;
    out->blocks = malloc(n * sizeof *out->blocks);
    if (!out->blocks)
        return corpus_fail(error, CORPUS_NO_MEMORY, "no memory for %zu blocks", n);
    for (size_t i = 0; i < n; i++) {
        const size_t k = (size_t)((uint64_t)i * h->n / n);
        const size_t start = k ? h->ends[k - 1] : 0;
        const size_t size = h->ends[k] - start;
        if (i && out->total_bytes + size > max_total_bytes)
            break;
        out->blocks[i].data = h->bytes + start;
        out->blocks[i].size = size;
        out->total_bytes += size;
        out->n_blocks++;
    }
    out->storage = h->bytes;
    h->bytes = NULL;
    return CORPUS_OK;
}

static const struct corpus_kind *find_kind(const char *name)
{
    for (size_t i = 0; i < corpus_n_kinds; i++)
        if (strcmp(corpus_kinds[i].name, name) == 0)
            return &corpus_kinds[i];
    return NULL;
}

corpus_status corpus_generate(const char *name, size_t block_bytes, size_t max_total_bytes,
                              uint64_t seed, corpus_blocks *out, corpus_error *error)
{
    if (!name || !out)
        return corpus_fail(error, CORPUS_BAD_ARGUMENT,
                           "corpus_generate: a required pointer is NULL");
    memset(out, 0, sizeof *out);
    const struct corpus_kind *kind = find_kind(name);
    const bool is_random = strcmp(name, CORPUS_RANDOM) == 0;
    if (!kind && !is_random)
        return corpus_fail(error, CORPUS_BAD_ARGUMENT, "no corpus is called \"%.64s\"", name);
    if (block_bytes < CORPUS_MIN_BLOCK_BYTES || block_bytes > CORPUS_MAX_BLOCK_BYTES)
        return corpus_fail(error, CORPUS_BAD_ARGUMENT, "block size %zu is outside %zu to %zu",
                           block_bytes, CORPUS_MIN_BLOCK_BYTES, CORPUS_MAX_BLOCK_BYTES);
    if (max_total_bytes < block_bytes || max_total_bytes > CORPUS_MAX_TOTAL_BYTES)
        return corpus_fail(error, CORPUS_BAD_ARGUMENT, "%zu bytes of corpus are outside %zu to %zu",
                           max_total_bytes, block_bytes, CORPUS_MAX_TOTAL_BYTES);

    if (is_random)
        return corpus_random(block_bytes, max_total_bytes, seed, out, error);

    /* How much shared key prefixes and overwritten keys take away is known only afterwards. Two
     * blocks more are asked for, because short last blocks are dropped. */
    uint64_t goal_bytes = max_total_bytes + max_total_bytes / 16 + 2 * block_bytes;
    struct harvest h = {.min_last_bytes = block_bytes - block_bytes / 8};
    corpus_status status;
    for (unsigned attempt = 0;; attempt++) {
        h.size = h.n = 0;
        status = generate_once(kind, block_bytes, goal_bytes, seed, &h, error);
        if (status != CORPUS_OK || h.size >= max_total_bytes || attempt == 2)
            break;
        goal_bytes =
            goal_bytes * max_total_bytes / (h.size ? h.size : max_total_bytes / 2) + goal_bytes / 8;
    }
    if (status == CORPUS_OK && h.n == 0)
        status = corpus_fail(error, CORPUS_BAD_TABLE, "%s gave no data block", name);
    if (status == CORPUS_OK)
        status = take_sample(&h, max_total_bytes, out, error);
    free(h.bytes);
    free(h.ends);
    if (status != CORPUS_OK)
        corpus_free(out);
    return status;
}
