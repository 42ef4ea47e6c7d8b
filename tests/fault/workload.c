/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload write|check|check_partly|soak|write_acknowledged|check_acknowledged <database>
 * [<name>=<number>...]
 *
 *   write   two generations of keys with flushes and compactions, and then all is compared
 *   check   compares all that is there with what was written
 *   check_partly   the same where writing was cut short: what is there is right
 *   soak    overwrites, flushes, compacts and compares for <seconds>; prints the memory in use
 *   write_acknowledged, check_acknowledged   see acknowledged.c
 *
 * The names are in the table `names`. The exit status says what is wrong (workload.h). The program
 * knows nothing of rockpress.
 */
#include "tests/fault/workload.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void give_up(int exit_status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    /* Not exit(): threads of RocksDB may be at work, and one may hang. */
    fflush(NULL);
    _exit(exit_status);
}

void expect_none(char *error, int exit_status, const char *what)
{
    if (error != NULL)
        give_up(exit_status, "%s: %s", what, error);
}

static uint32_t mix(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    return x ^ (x >> 16);
}

size_t make_key(char *key, unsigned k)
{
    return (size_t)snprintf(key, MAX_KEY_BYTES, "tenant%02u/order%08u", k % 7, k);
}

/* The version, then records of four kinds, so that there are blocks of each: text, numbers, noise,
 * repetition. */
size_t make_value(const database_shape *shape, char *value, unsigned k, uint64_t version)
{
    static const char *const cities[] = {"Lisbon", "Nairobi", "Osaka", "Quito", "Tallinn"};
    uint32_t seed = mix(k * 2654435761u + (uint32_t)version * 40503u + shape->seed);
    size_t wanted = shape->value_bytes / 2 + seed % (shape->value_bytes + 1);
    size_t n = (size_t)snprintf(value, 32, "%llu:", (unsigned long long)version);
    if (wanted > MAX_VALUE_BYTES - 256)
        wanted = MAX_VALUE_BYTES - 256;
    do {
        seed = mix(seed + 1);
        switch (k / 64 % 4) {
        case 0:
            n += (size_t)snprintf(value + n, 256,
                                  "{\"id\":%u,\"city\":\"%s\",\"state\":\"%s\",\"amount\":%u}", k,
                                  cities[seed % 5], seed % 3 ? "open" : "delivered", seed % 10000);
            break;
        case 1:
            for (unsigned i = 0; i < 12; i++, n += sizeof(seed)) {
                uint32_t number = i < 6 ? k * (i + 1) : seed >> (8 + i);
                memcpy(value + n, &number, sizeof(number));
            }
            break;
        case 2:
            for (unsigned i = 0; i < 8; i++, n += sizeof(seed)) {
                seed = mix(seed + i);
                memcpy(value + n, &seed, sizeof(seed));
            }
            break;
        default:
            n += (size_t)snprintf(value + n, 256, "%s to %s, %s to %s, %u; ", cities[seed % 5],
                                  cities[seed / 5 % 5], cities[seed % 5], cities[seed / 5 % 5],
                                  seed % 10);
            break;
        }
    } while (n < wanted);
    return n;
}

rocksdb_t *open_database(const database_shape *shape, const char *path)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    char *error = NULL;

    rocksdb_options_set_create_if_missing(options, 1);
    /* Small, so that there are many flushes and compactions, also at the same time. */
    rocksdb_options_set_write_buffer_size(options, shape->buffer_bytes);
    rocksdb_options_set_target_file_size_base(options, 2 * (uint64_t)shape->buffer_bytes);
    rocksdb_options_set_max_bytes_for_level_base(options, 4 * (uint64_t)shape->buffer_bytes);
    rocksdb_options_set_level0_file_num_compaction_trigger(options, 2);
    rocksdb_options_set_max_background_jobs(options, 4);
    /* With what begins and ends: who kills the process looks for it. */
    rocksdb_options_set_info_log_level(options, 1);
    rocksdb_options_set_compression(options, rocksdb_zstd_compression);
    rocksdb_options_set_compression_options(options, -14, (int)shape->level, 0,
                                            (int)shape->dict_bytes);
    rocksdb_options_set_compression_options_zstd_max_train_bytes(options, (int)shape->train_bytes);
    rocksdb_options_set_compression_options_parallel_threads(options, (int)shape->n_threads);
    rocksdb_block_based_options_set_block_size(table, shape->block_bytes);
    /* All is read from the files. */
    rocksdb_block_based_options_set_no_block_cache(table, 1);
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_t *db = rocksdb_open(options, path, &error);
    expect_none(error, EXIT_NOT_READ, path);
    rocksdb_block_based_options_destroy(table);
    rocksdb_options_destroy(options);
    return db;
}

rocksdb_iterator_t *read_from_files(rocksdb_t *db)
{
    static rocksdb_readoptions_t *how; /* one for the process */
    if (how == NULL) {
        how = rocksdb_readoptions_create();
        rocksdb_readoptions_set_verify_checksums(how, 1);
        rocksdb_readoptions_set_fill_cache(how, 0);
    }
    return rocksdb_create_iterator(db, how);
}

/* What becomes of a key: the second generation overwrites some and deletes others. */
static bool is_deleted(unsigned k)
{
    return k % 11 == 5;
}

static uint64_t last_version(unsigned k, uint64_t last_generation)
{
    return k % 3 == 0 ? last_generation : 0;
}

static void write_generation(rocksdb_t *db, const database_shape *shape, uint64_t generation)
{
    rocksdb_writeoptions_t *how = rocksdb_writeoptions_create();
    char key[MAX_KEY_BYTES], value[MAX_VALUE_BYTES];
    char *error = NULL;
    for (unsigned i = 0; i < shape->n_keys; i++) {
        unsigned k = (unsigned)((uint64_t)i * 7919u % shape->n_keys);
        size_t key_bytes = make_key(key, k);
        if (generation > 0 && is_deleted(k))
            rocksdb_delete(db, how, key, key_bytes, &error);
        else if (generation == 0 || k % 3 == 0)
            rocksdb_put(db, how, key, key_bytes, value, make_value(shape, value, k, generation),
                        &error);
        expect_none(error, EXIT_NOT_WRITTEN, "put");
    }
    rocksdb_writeoptions_destroy(how);
}

static void flush(rocksdb_t *db)
{
    rocksdb_flushoptions_t *how = rocksdb_flushoptions_create();
    char *error = NULL;
    rocksdb_flushoptions_set_wait(how, 1);
    rocksdb_flush(db, how, &error);
    expect_none(error, EXIT_NOT_WRITTEN, "flush");
    rocksdb_flushoptions_destroy(how);
}

/* Everything, the last level, too. */
static void compact(rocksdb_t *db)
{
    rocksdb_compactoptions_t *how = rocksdb_compactoptions_create();
    rocksdb_compactoptions_set_bottommost_level_compaction(how, 2);
    rocksdb_compact_range_opt(db, how, NULL, 0, NULL, 0);
    rocksdb_compactoptions_destroy(how);
}

/* How many keys were found; each has the value of its last version. Keys are in the order of their
 * text, so they are ticked off. */
static unsigned check_all(rocksdb_t *db, const database_shape *shape, uint64_t last_generation)
{
    bool *seen = calloc(shape->n_keys, sizeof(bool));
    char value[MAX_VALUE_BYTES], expected[MAX_KEY_BYTES];
    char *error = NULL;
    unsigned n = 0;
    if (seen == NULL)
        give_up(EXIT_NO_MEMORY, "no memory for %u keys", shape->n_keys);
    rocksdb_iterator_t *at = read_from_files(db);
    for (rocksdb_iter_seek_to_first(at); rocksdb_iter_valid(at); rocksdb_iter_next(at), n++) {
        size_t key_bytes, value_bytes;
        const char *key = rocksdb_iter_key(at, &key_bytes);
        const char *found = rocksdb_iter_value(at, &value_bytes);
        unsigned k = key_bytes < 16 ? UINT32_MAX : (unsigned)strtoul(key + 14, NULL, 10);
        if (k >= shape->n_keys || make_key(expected, k) != key_bytes ||
            memcmp(expected, key, key_bytes) != 0)
            give_up(EXIT_WRONG_VALUE, "key %.*s: nobody wrote it", (int)key_bytes, key);
        if (last_generation > 0 && is_deleted(k))
            give_up(EXIT_LOST_KEY, "key %u: it was deleted", k);
        if (seen[k])
            give_up(EXIT_WRONG_VALUE, "key %u: there twice", k);
        seen[k] = true;
        if (make_value(shape, value, k, last_version(k, last_generation)) != value_bytes ||
            memcmp(value, found, value_bytes) != 0)
            give_up(EXIT_WRONG_VALUE, "key %u: %zu bytes are not what was written", k, value_bytes);
    }
    rocksdb_iter_get_error(at, &error);
    expect_none(error, EXIT_NOT_READ, "iterator");
    rocksdb_iter_destroy(at);
    for (unsigned k = 0; k < shape->n_keys; k++) {
        if (!seen[k] && !(last_generation > 0 && is_deleted(k)))
            give_up(EXIT_LOST_KEY, "key %u: it is gone", k);
    }
    free(seen);
    return n;
}

static void run_write(const database_shape *shape, const char *path)
{
    rocksdb_t *db = open_database(shape, path);
    for (uint64_t generation = 0; generation < 2; generation++) {
        write_generation(db, shape, generation);
        flush(db);
    }
    compact(db);
    printf("%u keys\n", check_all(db, shape, 1));
    rocksdb_close(db);
}

static void run_check(const database_shape *shape, const char *path)
{
    rocksdb_t *db = open_database(shape, path);
    printf("%u keys\n", check_all(db, shape, 1));
    rocksdb_close(db);
}

/* What is there has a value that was written at some time. */
static void run_check_partly(const database_shape *shape, const char *path)
{
    rocksdb_t *db = open_database(shape, path);
    char value[MAX_VALUE_BYTES];
    char *error = NULL;
    unsigned n = 0;
    rocksdb_iterator_t *at = read_from_files(db);
    for (rocksdb_iter_seek_to_first(at); rocksdb_iter_valid(at); rocksdb_iter_next(at), n++) {
        size_t key_bytes, value_bytes;
        const char *key = rocksdb_iter_key(at, &key_bytes);
        const char *found = rocksdb_iter_value(at, &value_bytes);
        unsigned k = key_bytes < 16 ? UINT32_MAX : (unsigned)strtoul(key + 14, NULL, 10);
        bool is_right = false;
        for (uint64_t version = 0; version <= last_version(k, 1) && !is_right; version++)
            is_right = make_value(shape, value, k, version) == value_bytes &&
                       memcmp(value, found, value_bytes) == 0;
        if (k >= shape->n_keys || !is_right)
            give_up(EXIT_WRONG_VALUE, "key %.*s: %zu bytes that nobody wrote", (int)key_bytes, key,
                    value_bytes);
    }
    rocksdb_iter_get_error(at, &error);
    expect_none(error, EXIT_NOT_READ, "iterator");
    rocksdb_iter_destroy(at);
    printf("%u keys\n", n);
    rocksdb_close(db);
}

static long resident_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long total = 0, resident = 0;
    if (file == NULL || fscanf(file, "%ld %ld", &total, &resident) != 2)
        resident = 0;
    if (file != NULL)
        fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* A line for each round: seconds, memory in use. */
static void run_soak(const database_shape *shape, const char *path, unsigned seconds)
{
    rocksdb_t *db = open_database(shape, path);
    const time_t begin = time(NULL);
    write_generation(db, shape, 0);
    for (uint64_t generation = 1; time(NULL) - begin < (time_t)seconds; generation++) {
        write_generation(db, shape, generation);
        flush(db);
        compact(db);
        (void)check_all(db, shape, generation);
        printf("%ld s %ld KiB\n", (long)(time(NULL) - begin), resident_kib());
        fflush(stdout);
    }
    write_generation(db, shape, 1);
    flush(db);
    compact(db);
    rocksdb_close(db);
}

static const struct {
    const char *name;
    size_t offset;
} names[] = {
    {"block_bytes", offsetof(database_shape, block_bytes)},
    {"level", offsetof(database_shape, level)},
    {"keys", offsetof(database_shape, n_keys)},
    {"value_bytes", offsetof(database_shape, value_bytes)},
    {"threads", offsetof(database_shape, n_threads)},
    {"dict_bytes", offsetof(database_shape, dict_bytes)},
    {"train_bytes", offsetof(database_shape, train_bytes)},
    {"buffer_bytes", offsetof(database_shape, buffer_bytes)},
    {"seed", offsetof(database_shape, seed)},
};

static bool read_setting(const char *text, database_shape *shape, unsigned *seconds,
                         const char **file)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL)
        return false;
    size_t n = (size_t)(equals - text);
    unsigned number = (unsigned)strtoul(equals + 1, NULL, 10);
    if (strncmp(text, "seconds=", 8) == 0)
        *seconds = number;
    else if (strncmp(text, "acknowledged=", 13) == 0)
        *file = equals + 1;
    else {
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            if (strlen(names[i].name) == n && memcmp(names[i].name, text, n) == 0) {
                memcpy((char *)shape + names[i].offset, &number, sizeof(number));
                return true;
            }
        }
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    database_shape shape = {4096, 3, 4000, 200, 1, 0, 0, 256 << 10, 0};
    const char *mode = argc > 2 ? argv[1] : "";
    const char *acknowledged = NULL;
    unsigned seconds = 60;
    for (int i = 3; i < argc; i++) {
        if (!read_setting(argv[i], &shape, &seconds, &acknowledged)) {
            fprintf(stderr, "workload: '%s' is no setting\n", argv[i]);
            return EXIT_USAGE;
        }
    }
    if (strcmp(mode, "write") == 0)
        run_write(&shape, argv[2]);
    else if (strcmp(mode, "check") == 0)
        run_check(&shape, argv[2]);
    else if (strcmp(mode, "check_partly") == 0)
        run_check_partly(&shape, argv[2]);
    else if (strcmp(mode, "soak") == 0)
        run_soak(&shape, argv[2], seconds);
    else if (strcmp(mode, "write_acknowledged") == 0 && acknowledged != NULL)
        write_acknowledged(&shape, argv[2], acknowledged);
    else if (strcmp(mode, "check_acknowledged") == 0 && acknowledged != NULL)
        check_acknowledged(&shape, argv[2], acknowledged);
    else {
        fprintf(stderr,
                "usage: %s write|check|check_partly|soak|write_acknowledged|check_acknowledged "
                "<database> [<name>=<number>...]\n",
                argv[0]);
        return EXIT_USAGE;
    }
    return EXIT_GOOD;
}
