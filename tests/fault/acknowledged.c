/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writers that note in shared memory what RocksDB has acknowledged, so that whoever kills the
 * process can tell afterwards what must be there. The memory is a file's, which outlives the
 * process. Each writer has keys of its own. Its nth write is a batch of BATCH_KEYS keys, with the
 * version n, and waits until the log is on disk.
 *
 * A write that was not acknowledged may be there, as a whole, or not. If it is there, who checks
 * notes it as acknowledged, and the next writers go on from it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fault/workload.h"

#define N_WRITERS 2u
#define BATCH_KEYS 32u

typedef struct ack_log {
    _Atomic uint64_t n_acknowledged[N_WRITERS];
} ack_log;

typedef struct writer {
    rocksdb_t *db;
    const database_shape *shape;
    ack_log *log;
    unsigned number;
} writer;

static ack_log *map_log(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || ftruncate(fd, sizeof(ack_log)) != 0)
        give_up(EXIT_USAGE, "%s: can not be written", path);
    ack_log *mapped = mmap(NULL, sizeof(ack_log), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED)
        give_up(EXIT_NO_MEMORY, "%s: can not be mapped", path);
    close(fd);
    return mapped;
}

static unsigned keys_of_writer(const database_shape *shape)
{
    return shape->n_keys / N_WRITERS;
}

/* Of the writer's keys, counted from its first. */
static unsigned key_in_batch(const database_shape *shape, uint64_t n, unsigned i)
{
    return (unsigned)((n * BATCH_KEYS + i) * 7919u % keys_of_writer(shape));
}

static void *write_on(void *argument)
{
    const writer *self = argument;
    const database_shape *shape = self->shape;
    rocksdb_writeoptions_t *how = rocksdb_writeoptions_create();
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    char key[MAX_KEY_BYTES], value[MAX_VALUE_BYTES];
    rocksdb_writeoptions_set_sync(how, 1);
    for (uint64_t n = self->log->n_acknowledged[self->number];; n++) {
        char *error = NULL;
        rocksdb_writebatch_clear(batch);
        for (unsigned i = 0; i < BATCH_KEYS; i++) {
            unsigned k = self->number * keys_of_writer(shape) + key_in_batch(shape, n, i);
            size_t value_bytes = make_value(shape, value, k, n + 1);
            rocksdb_writebatch_put(batch, key, make_key(key, k), value, value_bytes);
        }
        rocksdb_write(self->db, how, batch, &error);
        expect_none(error, EXIT_NOT_WRITTEN, "write");
        atomic_store(&self->log->n_acknowledged[self->number], n + 1);
    }
    return NULL;
}

void write_acknowledged(const database_shape *shape, const char *path, const char *acknowledged)
{
    static writer writers[N_WRITERS];
    pthread_t threads[N_WRITERS];
    ack_log *log = map_log(acknowledged);
    rocksdb_t *db = open_database(shape, path);
    for (unsigned i = 0; i < N_WRITERS; i++) {
        const writer made = {db, shape, log, i};
        writers[i] = made;
        if (pthread_create(&threads[i], NULL, write_on, &writers[i]) != 0)
            give_up(EXIT_NO_MEMORY, "no thread");
    }
    for (unsigned i = 0; i < N_WRITERS; i++)
        pthread_join(threads[i], NULL);
}

/* The version of a value, which begins with it. The rest must be as it was written. */
static uint64_t find_version(const database_shape *shape, unsigned k, const char *found,
                             size_t n_bytes)
{
    char value[MAX_VALUE_BYTES];
    uint64_t version = 0;
    for (size_t i = 0; i < n_bytes && found[i] >= '0' && found[i] <= '9'; i++)
        version = version * 10 + (uint64_t)(found[i] - '0');
    if (version == 0 || make_value(shape, value, k, version) != n_bytes ||
        memcmp(value, found, n_bytes) != 0)
        give_up(EXIT_WRONG_VALUE, "key %u: %zu bytes that nobody wrote", k, n_bytes);
    return version;
}

/* The version that each key must have, if the first n writes are there. */
static void expect_versions(const database_shape *shape, uint64_t n, uint64_t *versions)
{
    memset(versions, 0, keys_of_writer(shape) * sizeof(*versions));
    /* The keys repeat with a period of at most as many writes as a writer has keys. */
    uint64_t first = n > keys_of_writer(shape) ? n - keys_of_writer(shape) : 0;
    for (uint64_t at = first; at < n; at++) {
        for (unsigned i = 0; i < BATCH_KEYS; i++)
            versions[key_in_batch(shape, at, i)] = at + 1;
    }
}

static void check_writer(const database_shape *shape, unsigned number, const uint64_t *found,
                         ack_log *log)
{
    const unsigned n_keys = keys_of_writer(shape);
    uint64_t *expected = calloc(n_keys, sizeof(*expected));
    uint64_t n = log->n_acknowledged[number];
    if (expected == NULL)
        give_up(EXIT_NO_MEMORY, "no memory");
    expect_versions(shape, n + 1, expected);
    if (memcmp(expected, found, n_keys * sizeof(*expected)) == 0) {
        log->n_acknowledged[number] = n + 1;
    } else {
        expect_versions(shape, n, expected);
        for (unsigned k = 0; k < n_keys; k++) {
            if (expected[k] != found[k])
                give_up(EXIT_LOST_KEY,
                        "writer %u, key %u: version %llu is there, %llu was acknowledged", number,
                        k, (unsigned long long)found[k], (unsigned long long)expected[k]);
        }
    }
    free(expected);
}

void check_acknowledged(const database_shape *shape, const char *path, const char *acknowledged)
{
    ack_log *log = map_log(acknowledged);
    rocksdb_t *db = open_database(shape, path);
    const unsigned n_keys = keys_of_writer(shape);
    uint64_t *found = calloc((size_t)n_keys * N_WRITERS, sizeof(*found));
    char *error = NULL;
    if (found == NULL)
        give_up(EXIT_NO_MEMORY, "no memory");
    rocksdb_iterator_t *at = read_from_files(db);
    for (rocksdb_iter_seek_to_first(at); rocksdb_iter_valid(at); rocksdb_iter_next(at)) {
        size_t key_bytes, value_bytes;
        const char *key = rocksdb_iter_key(at, &key_bytes);
        const char *value = rocksdb_iter_value(at, &value_bytes);
        unsigned k = key_bytes < 16 ? UINT32_MAX : (unsigned)strtoul(key + 14, NULL, 10);
        if (k >= n_keys * N_WRITERS)
            give_up(EXIT_WRONG_VALUE, "key %.*s: nobody wrote it", (int)key_bytes, key);
        found[k] = find_version(shape, k, value, value_bytes);
    }
    rocksdb_iter_get_error(at, &error);
    expect_none(error, EXIT_NOT_READ, "iterator");
    rocksdb_iter_destroy(at);
    for (unsigned i = 0; i < N_WRITERS; i++)
        check_writer(shape, i, found + (size_t)i * n_keys, log);
    printf("%llu writes\n", (unsigned long long)(log->n_acknowledged[0] + log->n_acknowledged[1]));
    free(found);
    rocksdb_close(db);
}
