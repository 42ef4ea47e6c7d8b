/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compresses every sample at every effort and compares the sizes with those in a file. Other tests
 * decode frames; only this one notices frames that are right but larger than before, for example
 * because a match finder misses some matches.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/golden/samples.h"
#include "tests/golden/sized_encoder.h"
#include "tests/golden/table.h"

/* Of each sample and block size. The highest effort makes some 3 MB/s on a core. */
#define CORPUS_BYTES ((size_t)256 * 1024)
#define MADE_BYTES ((size_t)128 * 1024)
#define EXIT_SKIPPED 77

static golden_table golden;
static golden_table now;

static void measure(golden_table *table)
{
    sized_encoder encoders[N_EFFORTS];
    for (size_t e = 0; e < N_EFFORTS; e++)
        sized_encoder_open(&encoders[e], (rp_effort)(RP_EFFORT_FAST + (int)e));
    snprintf(table->rocksdb, sizeof(table->rocksdb), "%s", ROCKSDB_VERSION);
    for (size_t i = 0; i < sample_count(); i++) {
        for (size_t k = 0; k < SAMPLE_N_BLOCK_SIZES; k++) {
            if (table->n_rows == GOLDEN_MAX_ROWS)
                abort();
            golden_row *row = &table->rows[table->n_rows++];
            size_t total = i < sample_n_corpora() ? CORPUS_BYTES : MADE_BYTES;
            sample s = sample_open(i, sample_block_sizes[k], total);
            snprintf(row->name, sizeof(row->name), "%s", s.name);
            row->needs_rocksdb = !s.is_made;
            row->block_bytes = s.block_bytes;
            row->input_bytes = s.blocks.total_bytes;
            row->input_hash = s.hash;
            for (size_t e = 0; e < N_EFFORTS; e++)
                for (size_t b = 0; b < s.blocks.n_blocks; b++)
                    row->frame_bytes[e] += sized_encoder_compress(
                        &encoders[e], s.blocks.blocks[b].data, s.blocks.blocks[b].size);
            sample_close(&s);
        }
    }
    for (size_t e = 0; e < N_EFFORTS; e++)
        sized_encoder_close(&encoders[e]);
}

static int cannot(const char *what, const char *path)
{
    fprintf(stderr, "cannot %s %s: %s\n", what, path, strerror(errno));
    return 2;
}

static int write_table(const char *path)
{
    measure(&now);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return cannot("create", path);
    golden_write(file, &now);
    if (fclose(file) != 0)
        return cannot("write", path);
    printf("%zu rows, RocksDB %s\n", now.n_rows, now.rocksdb);
    return 0;
}

static int check_table(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return cannot("open", path);
    bool is_good = golden_read(file, &golden, stdout);
    fclose(file);
    if (!is_good)
        return 1;
    measure(&now);
    golden_result result = golden_compare(&golden, &now, stdout);
    printf("%zu rows at %zu efforts: %u failures, %u better, %u rows not compared\n", now.n_rows,
           N_EFFORTS, result.n_failures, result.n_better, result.n_not_compared);
    if (result.n_failures != 0 || result.n_better != 0)
        printf("If that is meant: cmake --build --preset release --target renew_golden_sizes\n");
    if (result.n_failures == 0 && result.n_not_compared != 0) {
        printf("skipped: corpora of RocksDB %s, the file's are of %s\n", now.rocksdb,
               golden.rocksdb);
        return EXIT_SKIPPED;
    }
    return result.n_failures != 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return write_table(argv[2]);
    if (argc == 2 && argv[1][0] != '-')
        return check_table(argv[1]);
    fprintf(stderr,
            "usage: %s FILE          compares\n"
            "       %s --write FILE  renews\n",
            argv[0], argv[0]);
    return 2;
}
