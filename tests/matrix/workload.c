/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matrix_workload write|ingest|log|reread <database> <options> [<options of another family>...]
 * matrix_workload read <database> <number of families>
 *
 * Fills a database through RocksDB's C interface, with options in text form, so that one source
 * serves every release; `read` opens it without options, and compares all that it holds with what
 * was written. The content depends on the keys only. The program knows nothing of rockpress.
 *
 *   write    keys, overwritten in part, flushed, compacted; with LARGE_VALUES in the environment,
 * values of a kilobyte ingest   the same content by SstFileWriter log      the same, but the second
 * half stays in the log, as after a crash reread   write, then three rounds of point look-ups, for
 * the caches; prints the secondary cache's hits
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rocksdb/c.h>

#include "secondary_cache.h"

#define N_KEYS 20000u
#define MAX_FAMILIES 4
#define MAX_VALUE_BYTES 4096

static const char *const family_names[MAX_FAMILIES] = {"default", "second", "third", "fourth"};

static int n_families;
static bool large_values;
static rocksdb_t *db;
static rocksdb_options_t *options[MAX_FAMILIES];
static rocksdb_column_family_handle_t *families[MAX_FAMILIES];

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void check(char *error, const char *what)
{
    if (error != NULL)
        fail(what, error);
}

static size_t make_key(char *key, size_t capacity, unsigned k)
{
    return (size_t)snprintf(key, capacity, "tenant%02u/order%08u", k / (N_KEYS / 8), k);
}

/* One of four kinds of records: JSON, a log line, a row of fixed width, a few words. */
static size_t make_record(char *at, size_t capacity, unsigned k, uint32_t seed)
{
    static const char *const cities[] = {"Lisbon", "Nairobi", "Osaka", "Quito", "Tallinn"};
    uint32_t row[16];

    switch (k / 16 % 4) {
    case 0:
        return (size_t)snprintf(
            at, capacity,
            "{\"id\":%u,\"customer\":\"C%06u\",\"city\":\"%s\",\"state\":\"%s\","
            "\"amount\":%u.%02u,\"token\":\"%08x%08x\"}",
            k, seed % 5000, cities[seed % 5], seed % 3 == 0 ? "open" : "delivered", seed % 1000,
            seed % 100, (unsigned)seed, (unsigned)(seed * 2246822519u));
    case 1:
        return (size_t)snprintf(
            at, capacity,
            "2024-05-%02u %02u:%02u:%02u.%03u INFO [worker-%u] shop.checkout: order "
            "%u from %s took %u us, retries=0, trace=%08x",
            1 + k / 400 % 28, k / 60 % 24, k % 60, seed % 60, seed % 1000, seed % 16, k,
            cities[seed % 5], seed % 90000, (unsigned)seed);
    case 2:
        for (unsigned i = 0; i < 16; i++)
            row[i] = i < 4 ? k * (i + 1) : i < 10 ? seed >> (8 + 2 * (i % 8)) : 0x3f800000u + i;
        memcpy(at, row, sizeof(row));
        return sizeof(row);
    default:
        return (size_t)snprintf(at, capacity, "%s to %s by way of %s, %u parcels, insured: %s",
                                cities[seed % 5], cities[seed / 5 % 5], cities[seed / 25 % 5],
                                seed % 40, seed % 2 ? "yes" : "no");
    }
}

static size_t make_value(char *value, unsigned k, unsigned version)
{
    uint32_t seed = (k + 1) * 2654435761u + version;
    size_t n = 0;

    for (int i = 0; i < (large_values ? 10 : 2); i++) {
        seed = seed * 1103515245u + 12345u;
        n += make_record(value + n, MAX_VALUE_BYTES - n, k, seed >> 3);
    }
    return n;
}

/* What becomes of a key: the second generation overwrites some and deletes others. */
static bool is_overwritten(unsigned k)
{
    return k % 3 == 0;
}

static bool is_deleted(unsigned k)
{
    return k % 11 == 5 && !is_overwritten(k);
}

/* Keys are dealt out among the families. */
static unsigned family_of(unsigned k)
{
    return k / 64 % (unsigned)n_families;
}

static rocksdb_options_t *parse_options(const char *text)
{
    rocksdb_options_t *base = rocksdb_options_create();
    rocksdb_options_t *parsed = rocksdb_options_create();
    char *error = NULL;

    rocksdb_options_set_create_if_missing(base, 1);
    rocksdb_options_set_create_missing_column_families(base, 1);
    rocksdb_options_enable_statistics(base);
    rocksdb_get_options_from_string(base, text, parsed, &error);
    check(error, text);
    rocksdb_options_destroy(base);
    return parsed;
}

/* In place of the tables' options in text, which cannot name such a cache. */
static void set_small_cache(void)
{
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_cache_t *cache = matrix_make_cache(256 << 10, 8 << 20);
    const char *block_size = getenv("BLOCK_SIZE");

    rocksdb_block_based_options_set_format_version(table, 5);
    rocksdb_block_based_options_set_block_size(
        table, block_size == NULL ? 4096 : strtoul(block_size, NULL, 10));
    rocksdb_block_based_options_set_block_cache(table, cache);
    for (int i = 0; i < n_families; i++)
        rocksdb_options_set_block_based_table_factory(options[i], table);
    rocksdb_cache_destroy(cache);
    rocksdb_block_based_options_destroy(table);
}

static void open_database(const char *path)
{
    char *error = NULL;

    db = rocksdb_open_column_families(options[0], path, n_families, family_names,
                                      (const rocksdb_options_t *const *)options, families, &error);
    check(error, path);
}

static void close_database(void)
{
    for (int i = 0; i < n_families; i++) {
        rocksdb_column_family_handle_destroy(families[i]);
        rocksdb_options_destroy(options[i]);
    }
    rocksdb_close(db);
}

static void write_generation(unsigned version, unsigned begin, unsigned end)
{
    rocksdb_writeoptions_t *how = rocksdb_writeoptions_create();
    char key[64], value[MAX_VALUE_BYTES];
    char *error = NULL;

    for (unsigned i = begin; i < end; i++) {
        unsigned k = (unsigned)((uint64_t)i * 4969u % N_KEYS);
        size_t key_size = make_key(key, sizeof(key), k);

        if (version == 1 && is_deleted(k)) {
            rocksdb_delete_cf(db, how, families[family_of(k)], key, key_size, &error);
        } else if (version == 0 || is_overwritten(k)) {
            size_t value_size = make_value(value, k, version);
            rocksdb_put_cf(db, how, families[family_of(k)], key, key_size, value, value_size,
                           &error);
        }
        check(error, "write");
    }
    rocksdb_writeoptions_destroy(how);
}

static void flush(void)
{
    rocksdb_flushoptions_t *how = rocksdb_flushoptions_create();
    char *error = NULL;

    rocksdb_flushoptions_set_wait(how, 1);
    for (int i = 0; i < n_families; i++) {
        rocksdb_flush_cf(db, how, families[i], &error);
        check(error, "flush");
    }
    rocksdb_flushoptions_destroy(how);
}

static void compact(void)
{
    rocksdb_compactoptions_t *how = rocksdb_compactoptions_create();

    /* The last level, too, so that what is there was written with all of the options. */
    rocksdb_compactoptions_set_bottommost_level_compaction(how, 2);
    for (int i = 0; i < n_families; i++)
        rocksdb_compact_range_cf_opt(db, families[i], how, NULL, 0, NULL, 0);
    rocksdb_compactoptions_destroy(how);
}

static void write_all(void)
{
    write_generation(0, 0, N_KEYS);
    flush();
    write_generation(1, 0, N_KEYS);
    flush();
    compact();
}

/* Each family's keys in order, as SstFileWriter wants them, with their last values. */
static void ingest_all(const char *path)
{
    rocksdb_envoptions_t *environment = rocksdb_envoptions_create();
    rocksdb_ingestexternalfileoptions_t *how = rocksdb_ingestexternalfileoptions_create();
    char key[64], value[MAX_VALUE_BYTES], file[4096];
    const char *const files[] = {file};
    char *error = NULL;

    snprintf(file, sizeof(file), "%s.sst", path);
    rocksdb_ingestexternalfileoptions_set_move_files(how, 1);
    for (int i = 0; i < n_families; i++) {
        rocksdb_sstfilewriter_t *writer = rocksdb_sstfilewriter_create(environment, options[i]);
        rocksdb_sstfilewriter_open(writer, file, &error);
        check(error, "sstfilewriter_open");
        for (unsigned k = 0; k < N_KEYS; k++) {
            if (family_of(k) != (unsigned)i || is_deleted(k))
                continue;
            size_t key_size = make_key(key, sizeof(key), k);
            size_t value_size = make_value(value, k, is_overwritten(k));
            rocksdb_sstfilewriter_put(writer, key, key_size, value, value_size, &error);
            check(error, "sstfilewriter_put");
        }
        rocksdb_sstfilewriter_finish(writer, &error);
        check(error, "sstfilewriter_finish");
        rocksdb_sstfilewriter_destroy(writer);
        rocksdb_ingest_external_file_cf(db, families[i], files, 1, how, &error);
        check(error, "ingest");
    }
    rocksdb_ingestexternalfileoptions_destroy(how);
    rocksdb_envoptions_destroy(environment);
}

/* Compares the value of a key with what was written last. */
static void check_value(unsigned k, const char *found, size_t size)
{
    char value[MAX_VALUE_BYTES];
    size_t expected = make_value(value, k, is_overwritten(k));

    if (size != expected || memcmp(found, value, size) != 0) {
        fprintf(stderr, "key %u: %zu bytes are not the %zu that were written\n", k, size, expected);
        exit(1);
    }
}

static void look_up_all(void)
{
    rocksdb_readoptions_t *how = rocksdb_readoptions_create();
    char key[64];
    char *error = NULL;

    for (unsigned k = 0; k < N_KEYS; k++) {
        size_t size;
        size_t key_size = make_key(key, sizeof(key), k);
        char *found = rocksdb_get_cf(db, how, families[family_of(k)], key, key_size, &size, &error);
        check(error, "get");
        if ((found == NULL) != is_deleted(k))
            fail("get", "a key that should not be there, or one that should");
        if (found != NULL)
            check_value(k, found, size);
        rocksdb_free(found);
    }
    rocksdb_readoptions_destroy(how);
}

static void report_secondary_cache(void)
{
    static const char name[] = "rocksdb.secondary.cache.hits COUNT : ";
    char *text = rocksdb_options_statistics_get_string(options[0]);
    const char *at = text == NULL ? NULL : strstr(text, name);

    printf("secondary cache hits: %ld\n", at == NULL ? 0 : strtol(at + sizeof(name) - 1, NULL, 10));
    rocksdb_free(text);
}

static void read_family(int family, uint64_t *n_files_bytes)
{
    rocksdb_readoptions_t *how = rocksdb_readoptions_create();
    rocksdb_iterator_t *at;
    char key[64];
    char *error = NULL;
    unsigned k = 0;

    rocksdb_readoptions_set_verify_checksums(how, 1);
    rocksdb_readoptions_set_fill_cache(how, 0);
    at = rocksdb_create_iterator_cf(db, how, families[family]);
    for (rocksdb_iter_seek_to_first(at);; rocksdb_iter_next(at), k++) {
        size_t found_size, value_size;
        while (k < N_KEYS && (family_of(k) != (unsigned)family || is_deleted(k)))
            k++;
        if (!rocksdb_iter_valid(at) || k == N_KEYS)
            break;
        size_t key_size = make_key(key, sizeof(key), k);
        const char *found = rocksdb_iter_key(at, &found_size);
        if (found_size != key_size || memcmp(found, key, key_size) != 0)
            fail(key, "the next key is another one");
        found = rocksdb_iter_value(at, &value_size);
        check_value(k, found, value_size);
    }
    rocksdb_iter_get_error(at, &error);
    check(error, "iterator");
    if (rocksdb_iter_valid(at) || k != N_KEYS)
        fail(family_names[family], "there are more keys than were written, or fewer");
    rocksdb_property_int_cf(db, families[family], "rocksdb.total-sst-files-size", n_files_bytes);
    rocksdb_iter_destroy(at);
    rocksdb_readoptions_destroy(how);
}

static void read_all(const char *path)
{
    for (int i = 0; i < n_families; i++)
        options[i] = parse_options("disable_auto_compactions=true");
    open_database(path);
    for (int i = 0; i < n_families; i++) {
        uint64_t bytes = 0;
        read_family(i, &bytes);
        printf("family %s bytes %llu\n", family_names[i], (unsigned long long)bytes);
    }
    close_database();
    printf("content is right\n");
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";

    large_values = getenv("LARGE_VALUES") != NULL;
    if (argc == 4 && strcmp(mode, "read") == 0 && atoi(argv[3]) >= 1 &&
        atoi(argv[3]) <= MAX_FAMILIES) {
        n_families = atoi(argv[3]);
        read_all(argv[2]);
        return 0;
    }
    if (argc < 4 || argc > 3 + MAX_FAMILIES ||
        (strcmp(mode, "write") != 0 && strcmp(mode, "ingest") != 0 && strcmp(mode, "log") != 0 &&
         strcmp(mode, "reread") != 0)) {
        fprintf(stderr,
                "usage: %s write|ingest|log|reread <database> <options>...\n"
                "       %s read <database> <number of families>\n",
                argv[0], argv[0]);
        return 2;
    }
    n_families = argc - 3;
    for (int i = 0; i < n_families; i++)
        options[i] = parse_options(argv[3 + i]);
    if (strcmp(mode, "reread") == 0)
        set_small_cache();
    open_database(argv[2]);
    if (strcmp(mode, "ingest") == 0) {
        ingest_all(argv[2]);
    } else if (strcmp(mode, "log") == 0) {
        write_generation(0, 0, N_KEYS);
        flush();
        compact();
        write_generation(1, 0, N_KEYS);
        /* No flush and no close: what follows is in the log only. exit() writes the reports. */
        exit(0);
    } else {
        write_all();
    }
    if (strcmp(mode, "reread") == 0) {
        for (int i = 0; i < 3; i++)
            look_up_all();
        report_secondary_cache();
    }
    close_database();
    return 0;
}
