/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The databases of the campaigns, through RocksDB's C interface. What a key has for a value depends
 * on the key and on a version only, so whoever reads can compute it.
 */
#ifndef ROCKPRESS_TESTS_FAULT_WORKLOAD_H
#define ROCKPRESS_TESTS_FAULT_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <rocksdb/c.h>

/* How the process ends. */
enum {
    EXIT_GOOD = 0,
    EXIT_USAGE = 2,
    EXIT_WRONG_VALUE = 3, /* a value that nobody wrote */
    EXIT_LOST_KEY = 4,    /* a key is gone, or one is there that was deleted */
    EXIT_NOT_WRITTEN = 5, /* RocksDB could not write, flush or compact */
    EXIT_NOT_READ = 6,    /* RocksDB could not read */
    EXIT_NO_MEMORY = 7
};

#define MAX_KEY_BYTES 64
#define MAX_VALUE_BYTES ((size_t)8192)

typedef struct database_shape {
    unsigned block_bytes;
    unsigned level;
    unsigned n_keys;
    unsigned value_bytes; /* about */
    unsigned n_threads;   /* that compress one file */
    unsigned dict_bytes;
    unsigned train_bytes;
    unsigned buffer_bytes; /* of a memtable; a file has twice as much */
    unsigned seed;
} database_shape;

/* Prints what is wrong, and ends the process with that status. */
__attribute__((format(printf, 2, 3), noreturn)) void give_up(int exit_status, const char *format,
                                                             ...);

/* Frees `error`, and gives up unless it is NULL. */
void expect_none(char *error, int exit_status, const char *what);

size_t make_key(char *key, unsigned k);
size_t make_value(const database_shape *shape, char *value, unsigned k, uint64_t version);

rocksdb_t *open_database(const database_shape *shape, const char *path);

/* An iterator that reads from the files alone, with checksums. */
rocksdb_iterator_t *read_from_files(rocksdb_t *db);

/* The writers of which each write is acknowledged, until the process is killed; and who compares
 * what was acknowledged with what is there (acknowledged.c). */
void write_acknowledged(const database_shape *shape, const char *path, const char *acknowledged);
void check_acknowledged(const database_shape *shape, const char *path, const char *acknowledged);

#endif
