/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_dlopen rocksdb <librocksdb> <database>: writes a database through a librocksdb that was
 * dlopen'ed with RTLD_LOCAL, as a server loads a storage engine: libzstd is then in no global
 * scope, and RTLD_NEXT finds nothing.
 * hook_dlopen hook <librockpress_zstd.so>: loads the hook itself late, and compresses with it.
 * This program is linked to neither library. Prints what it did.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *library;

static void *function(const char *name)
{
    void *symbol = dlsym(library, name);

    if (symbol == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return symbol;
}

/* Declares a local function pointer to a function of the library. */
#define FUNCTION(type, name, parameters)                                                           \
    type(*name) parameters = (type(*) parameters)function(#name)

static int write_database(const char *path)
{
    FUNCTION(void *, rocksdb_options_create, (void));
    FUNCTION(void, rocksdb_options_set_create_if_missing, (void *, unsigned char));
    FUNCTION(void, rocksdb_options_set_compression, (void *, int));
    FUNCTION(void, rocksdb_options_set_write_buffer_size, (void *, size_t));
    FUNCTION(void *, rocksdb_open, (const void *, const char *, char **));
    FUNCTION(void *, rocksdb_writeoptions_create, (void));
    FUNCTION(void, rocksdb_put,
             (void *, const void *, const char *, size_t, const char *, size_t, char **));
    FUNCTION(void *, rocksdb_flushoptions_create, (void));
    FUNCTION(void, rocksdb_flush, (void *, const void *, char **));
    FUNCTION(void, rocksdb_compact_range, (void *, const char *, size_t, const char *, size_t));
    FUNCTION(void, rocksdb_close, (void *));
    void *options = rocksdb_options_create(), *write = rocksdb_writeoptions_create(), *db;
    char key[32], value[200], *error = NULL;

    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_compression(options, 7); /* rocksdb_zstd_compression */
    rocksdb_options_set_write_buffer_size(options, 1 << 20);
    db = rocksdb_open(options, path, &error);
    for (unsigned i = 0; i < 20000 && error == NULL; i++) {
        int key_size = snprintf(key, sizeof(key), "key%08u", i);
        int value_size = snprintf(value, sizeof(value),
                                  "{\"row\":%u,\"state\":\"paid\",\"hash\":%u,\"note\":\"%s\"}", i,
                                  i * 2654435761u, i % 2 != 0 ? "odd" : "even");
        rocksdb_put(db, write, key, (size_t)key_size, value, (size_t)value_size, &error);
    }
    if (error == NULL)
        rocksdb_flush(db, rocksdb_flushoptions_create(), &error);
    if (error != NULL) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    rocksdb_compact_range(db, NULL, 0, NULL, 0);
    rocksdb_close(db);
    puts("written");
    return 0;
}

static int compress_late(void)
{
    FUNCTION(void *, ZSTD_createCCtx, (void));
    FUNCTION(size_t, ZSTD_compress2, (void *, void *, size_t, const void *, size_t));
    FUNCTION(size_t, ZSTD_freeCCtx, (void *));
    char block[8192], frame[16384];
    void *cctx = ZSTD_createCCtx();
    size_t size;

    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = "late but welcome, "[i % 18];
    size = cctx != NULL ? ZSTD_compress2(cctx, frame, sizeof(frame), block, sizeof(block)) : 0;
    /* Without any libzstd: no context, and an error of libzstd's from all else. */
    if (cctx == NULL) {
        size = ZSTD_compress2(NULL, frame, sizeof(frame), block, sizeof(block));
        printf("no context, error %d\n", (int)-size);
        return ZSTD_freeCCtx(NULL) != 0;
    }
    puts(size > 0 && size < sizeof(block) && memcmp(frame, "\x28\xb5\x2f\xfd", 4) == 0
             ? "a frame"
             : "no frame");
    return ZSTD_freeCCtx(cctx) != 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    return argc == 4 ? write_database(argv[3]) : compress_late();
}
