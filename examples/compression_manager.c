/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a C program turns rockpress on with RocksDB 10.4 or later: by name, in options in text form.
 *
 *     cc compression_manager.c -lrockpress_rocksdb -lrocksdb
 *     ./a.out <directory for a new database>
 *
 * Writes records, makes RocksDB write them to files, reads them again, and prints how many blocks
 * went which way.
 */
#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rockpress/plugin.h"
#include "rockpress/rocksdb.h"

enum { N_RECORDS = 20000 };

static void check(char *error, const char *what)
{
    if (error != NULL) {
        fprintf(stderr, "%s: %s\n", what, error);
        exit(1);
    }
}

static int record(int i, char *value, size_t size)
{
    return snprintf(value, size, "{\"order\":%d,\"state\":\"%s\",\"total\":%d}", i,
                    i % 3 == 0 ? "shipped" : "open", i * 37 % 1000);
}

int main(int argc, char **argv)
{
    rocksdb_options_t *base = rocksdb_options_create();
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_writeoptions_t *write_options = rocksdb_writeoptions_create();
    rocksdb_readoptions_t *read_options = rocksdb_readoptions_create();
    rocksdb_t *db;
    char *error = NULL;
    char key[32], value[128];

    if (argc != 2) {
        fprintf(stderr, "usage: %s <directory for a new database>\n", argv[0]);
        return 2;
    }
    if (rockpress_register() != 0)
        return 1;
    rocksdb_options_set_create_if_missing(base, 1);
    rocksdb_get_options_from_string(base, "compression=kZSTD;compression_manager=rockpress",
                                    options, &error);
    check(error, "options");
    db = rocksdb_open(options, argv[1], &error);
    check(error, "open");

    for (int i = 0; i < N_RECORDS; i++) {
        int key_size = snprintf(key, sizeof(key), "order%08d", i);
        int value_size = record(i, value, sizeof(value));
        rocksdb_put(db, write_options, key, (size_t)key_size, value, (size_t)value_size, &error);
        check(error, "put");
    }
    rocksdb_compact_range(db, NULL, 0, NULL, 0);

    for (int i = 0; i < N_RECORDS; i++) {
        int key_size = snprintf(key, sizeof(key), "order%08d", i);
        size_t read_size;
        char *read = rocksdb_get(db, read_options, key, (size_t)key_size, &read_size, &error);
        check(error, "get");
        if (read == NULL || read_size != (size_t)record(i, value, sizeof(value)) ||
            memcmp(read, value, read_size) != 0) {
            fprintf(stderr, "%s: not what was written\n", key);
            return 1;
        }
        rocksdb_free(read);
    }

    for (unsigned route = 0; route < RP_N_ROUTES; route++)
        printf("%s: %llu blocks, %llu bytes to %llu\n", rp_route_name((rp_route)route),
               (unsigned long long)rp_stats_value(RP_STAT_BLOCKS, route),
               (unsigned long long)rp_stats_value(RP_STAT_BYTES_IN, route),
               (unsigned long long)rp_stats_value(RP_STAT_BYTES_OUT, route));
    rocksdb_close(db);
    rocksdb_readoptions_destroy(read_options);
    rocksdb_writeoptions_destroy(write_options);
    rocksdb_options_destroy(options);
    rocksdb_options_destroy(base);
    return 0;
}
