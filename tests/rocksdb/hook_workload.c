/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_workload write <database> <scenario>: fills a database through RocksDB's C API.
 * hook_workload read <database> <scenario>: prints a digest of all that it holds.
 * The content depends on the scenario only, not on threads or timing, so databases that were
 * written with and without the hook can be compared. The program knows nothing of the hook.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rocksdb/c.h>
#include <zstd.h>

#define N_THREADS 4
#define KEYS_PER_THREAD 5000
#define MAX_FAMILIES 3

static const struct scenario {
    const char *name;
    size_t block_size;
    int parallel_threads;
    int max_dict_bytes, train_bytes;
    int level;
    int n_families;
    int value_repeats; /* 1: values of some 150 bytes */
    bool wal_compression, blobs, subcompactions, keep_in_wal, forks;
} scenarios[] = {
    /* name, block, parallel, dictionary, training, level, families, repeats, ... */
    {"block4k", 4096, 1, 0, 0, 32767, 1, 1, false, false, false, false, false},
    {"block16k", 16384, 1, 0, 0, 32767, 1, 1, false, false, false, false, false},
    {"block64k", 65536, 1, 0, 0, 32767, 1, 1, false, false, false, false, false},
    {"level1", 4096, 1, 0, 0, 1, 1, 1, false, false, false, false, false},
    {"level12", 8192, 1, 0, 0, 12, 1, 1, false, false, false, false, false},
    {"parallel", 4096, 4, 0, 0, 32767, 1, 1, false, false, false, false, false},
    {"dictionary", 4096, 1, 16384, 262144, 32767, 1, 1, false, false, false, false, false},
    {"raw_dictionary", 4096, 1, 4096, 0, 32767, 1, 1, false, false, false, false, false},
    {"wal", 4096, 1, 0, 0, 32767, 1, 1, true, false, false, true, false},
    {"blobs", 4096, 1, 0, 0, 32767, 1, 6, false, true, false, false, false},
    {"families", 4096, 2, 0, 0, 32767, 3, 1, false, false, false, false, false},
    {"busy", 4096, 4, 0, 0, 32767, 2, 2, true, false, true, false, false},
    {"fork", 4096, 1, 0, 0, 32767, 1, 1, false, false, false, false, true},
};

static const char *const family_names[MAX_FAMILIES] = {"default", "second", "third"};

static const struct scenario *scenario;
static rocksdb_t *db;
static rocksdb_column_family_handle_t *families[MAX_FAMILIES];

static void check(char *error, const char *what)
{
    if (error != NULL) {
        fprintf(stderr, "%s: %s\n", what, error);
        exit(1);
    }
}

static rocksdb_options_t *make_options(void)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_create_missing_column_families(options, 1);
    /* Small, so that there are many flushes and compactions, also at the same time. */
    rocksdb_options_set_write_buffer_size(options, 512 << 10);
    rocksdb_options_set_target_file_size_base(options, 1 << 20);
    rocksdb_options_set_max_bytes_for_level_base(options, 2 << 20);
    rocksdb_options_set_level0_file_num_compaction_trigger(options, 2);
    rocksdb_options_set_max_background_jobs(options, 4);
    rocksdb_options_set_compression(options, rocksdb_zstd_compression);
    rocksdb_options_set_compression_options(options, -14, scenario->level, 0,
                                            scenario->max_dict_bytes);
    rocksdb_options_set_compression_options_zstd_max_train_bytes(options, scenario->train_bytes);
    rocksdb_options_set_compression_options_parallel_threads(options, scenario->parallel_threads);
    if (scenario->subcompactions)
        rocksdb_options_set_max_subcompactions(options, 2);
    if (scenario->wal_compression)
        rocksdb_options_set_wal_compression(options, rocksdb_zstd_compression);
    if (scenario->blobs) {
        rocksdb_options_set_enable_blob_files(options, 1);
        rocksdb_options_set_min_blob_size(options, 600);
        rocksdb_options_set_blob_compression_type(options, rocksdb_zstd_compression);
    }
    rocksdb_block_based_options_set_block_size(table, scenario->block_size);
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    return options;
}

static void open_database(const char *path)
{
    rocksdb_options_t *options = make_options();
    const rocksdb_options_t *family_options[MAX_FAMILIES] = {options, options, options};
    char *error = NULL;

    db = rocksdb_open_column_families(options, path, scenario->n_families, family_names,
                                      family_options, families, &error);
    check(error, path);
    rocksdb_options_destroy(options);
}

static void close_database(void)
{
    for (int i = 0; i < scenario->n_families; i++)
        rocksdb_column_family_handle_destroy(families[i]);
    rocksdb_close(db);
}

static size_t make_value(char *value, size_t size, unsigned thread, unsigned key, unsigned version)
{
    uint32_t seed = (thread * 7919u + key) * 2654435761u + version;
    size_t n = 0;

    for (int i = 0; i < scenario->value_repeats; i++) {
        seed = seed * 1103515245u + 12345u;
        n += (size_t)snprintf(
            value + n, size - n,
            "{\"id\":%u,\"customer\":\"C%06u\",\"state\":\"%s\",\"amount\":%u.%02u,"
            "\"token\":\"%08x%08x\",\"version\":%u}",
            key, seed % 5000, seed % 3 == 0 ? "open" : "delivered", seed % 1000, seed % 100, seed,
            seed * 2246822519u, version);
    }
    return n;
}

/* Each thread has keys of its own, writes most of them twice, and deletes some. */
static void *write_keys(void *argument)
{
    unsigned thread = (unsigned)(uintptr_t)argument;
    rocksdb_writeoptions_t *options = rocksdb_writeoptions_create();
    char key[32], value[4096];
    char *error = NULL;

    for (unsigned version = 0; version < 2; version++) {
        for (unsigned i = 0; i < KEYS_PER_THREAD; i++) {
            unsigned k = (i * 4969u + thread) % KEYS_PER_THREAD;
            size_t key_size = (size_t)snprintf(key, sizeof(key), "user%02u:%08u", thread, k);
            rocksdb_column_family_handle_t *family = families[k % (unsigned)scenario->n_families];
            if (version == 1 && k % 7 == 0)
                continue;
            if (version == 1 && k % 11 == 0)
                rocksdb_delete_cf(db, options, family, key, key_size, &error);
            else
                rocksdb_put_cf(db, options, family, key, key_size, value,
                               make_value(value, sizeof(value), thread, k, version), &error);
            check(error, "write");
        }
    }
    rocksdb_writeoptions_destroy(options);
    return NULL;
}

static void write_all(void)
{
    pthread_t threads[N_THREADS];

    for (uintptr_t i = 0; i < N_THREADS; i++) {
        if (pthread_create(&threads[i], NULL, write_keys, (void *)i) != 0)
            exit(1);
    }
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void flush_and_compact(void)
{
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    char *error = NULL;

    rocksdb_flushoptions_set_wait(options, 1);
    for (int i = 0; i < scenario->n_families; i++) {
        rocksdb_flush_cf(db, options, families[i], &error);
        check(error, "flush");
        rocksdb_compact_range_cf(db, families[i], NULL, 0, NULL, 0);
    }
    rocksdb_flushoptions_destroy(options);
}

/* A process that has compressed before forks, and the child has a database of its own. RocksDB
 * itself must not be in use yet: its threads don't exist in the child. */
static void write_in_child(const char *path)
{
    char block[4096], frame[8192], child_path[4096];
    int status;
    pid_t child;

    memset(block, 'b', sizeof(block));
    if (ZSTD_isError(ZSTD_compress(frame, sizeof(frame), block, sizeof(block), 3)))
        exit(1);
    snprintf(child_path, sizeof(child_path), "%s.child", path);
    child = fork();
    if (child == 0) {
        open_database(child_path);
        write_all();
        flush_and_compact();
        close_database();
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "the child failed\n");
        exit(1);
    }
}

static void run_write(const char *path)
{
    if (scenario->forks)
        write_in_child(path);
    open_database(path);
    write_all();
    if (scenario->keep_in_wal) {
        /* Some of it is then in the log only, as after a crash. */
        fflush(NULL);
        exit(0);
    }
    flush_and_compact();
    close_database();
}

static uint64_t add(uint64_t hash, const char *bytes, size_t size)
{
    hash = (hash ^ size) * 1099511628211u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
    return hash;
}

static void run_read(const char *path)
{
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    uint64_t hash = 14695981039346656037u, n = 0;
    char *error = NULL;

    rocksdb_readoptions_set_verify_checksums(options, 1);
    open_database(path);
    for (int i = 0; i < scenario->n_families; i++) {
        rocksdb_iterator_t *at = rocksdb_create_iterator_cf(db, options, families[i]);
        for (rocksdb_iter_seek_to_first(at); rocksdb_iter_valid(at); rocksdb_iter_next(at)) {
            size_t key_size, value_size;
            const char *key = rocksdb_iter_key(at, &key_size);
            const char *value = rocksdb_iter_value(at, &value_size);
            hash = add(add(hash, key, key_size), value, value_size);
            n++;
        }
        rocksdb_iter_get_error(at, &error);
        check(error, "read");
        rocksdb_iter_destroy(at);
    }
    close_database();
    rocksdb_readoptions_destroy(options);
    printf("%llu keys %016llx\n", (unsigned long long)n, (unsigned long long)hash);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 4 && i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        if (strcmp(scenarios[i].name, argv[3]) == 0)
            scenario = &scenarios[i];
    }
    if (scenario == NULL) {
        fprintf(stderr, "usage: hook_workload write|read <database> <scenario>\n");
        return 2;
    }
    if (strcmp(argv[1], "write") == 0)
        run_write(argv[2]);
    else
        run_read(argv[2]);
    return 0;
}
