/* SPDX-License-Identifier: Apache-2.0 */
/* See table.h. */
#include "tests/golden/table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char head[] =
    "# SPDX-License-Identifier: Apache-2.0\n"
    "# Bytes of rockpress's frames, checked by test_golden_sizes; tests/golden/README.md\n"
    "# says how to renew them. The corpora are for this version of RocksDB:\n";
static const char columns[] = "# sample block_bytes input_bytes input_hash fast default high max\n";

_Static_assert(N_EFFORTS == 4, "the file has a column for each effort");

static const golden_row *find(const golden_table *table, const golden_row *wanted)
{
    for (size_t i = 0; i < table->n_rows; i++) {
        const golden_row *row = &table->rows[i];
        if (strcmp(row->name, wanted->name) == 0 && row->block_bytes == wanted->block_bytes)
            return row;
    }
    return NULL;
}

static bool read_row(const char *line, golden_row *row)
{
    char rest;
    memset(row, 0, sizeof(*row));
    return sscanf(line, "%31s %zu %zu %" SCNx64 " %zu %zu %zu %zu %c", row->name, &row->block_bytes,
                  &row->input_bytes, &row->input_hash, &row->frame_bytes[0], &row->frame_bytes[1],
                  &row->frame_bytes[2], &row->frame_bytes[3], &rest) == 8;
}

bool golden_read(FILE *file, golden_table *table, FILE *report)
{
    char line[256];
    char rest;
    unsigned n_lines = 0;
    memset(table, 0, sizeof(*table));
    while (fgets(line, sizeof(line), file) != NULL) {
        golden_row row;
        n_lines++;
        if (line[0] == '#')
            continue;
        if (table->rocksdb[0] == '\0') {
            if (sscanf(line, "rocksdb %31s %c", table->rocksdb, &rest) != 1) {
                fprintf(report, "line %u: not 'rocksdb VERSION'\n", n_lines);
                return false;
            }
            continue;
        }
        bool is_row = strchr(line, '\n') != NULL && read_row(line, &row);
        if (!is_row || find(table, &row) != NULL || table->n_rows == GOLDEN_MAX_ROWS) {
            fprintf(report, "line %u: %s\n", n_lines,
                    !is_row                            ? "not a row"
                    : table->n_rows == GOLDEN_MAX_ROWS ? "one row too many"
                                                       : "a row that was there before");
            return false;
        }
        table->rows[table->n_rows++] = row;
    }
    if (table->n_rows == 0)
        fprintf(report, "no rows\n");
    return table->n_rows != 0;
}

void golden_write(FILE *file, const golden_table *table)
{
    fprintf(file, "%srocksdb %s\n%s", head, table->rocksdb, columns);
    for (size_t i = 0; i < table->n_rows; i++) {
        const golden_row *row = &table->rows[i];
        fprintf(file, "%-16s %5zu %6zu %016" PRIx64, row->name, row->block_bytes, row->input_bytes,
                row->input_hash);
        for (size_t e = 0; e < N_EFFORTS; e++)
            fprintf(file, " %6zu", row->frame_bytes[e]);
        fputc('\n', file);
    }
}

static const char *effort_of(size_t index)
{
    return rp_effort_name((rp_effort)(RP_EFFORT_FAST + (int)index));
}

static void checker_change(double change, double limit_per_mille, const char *what,
                           golden_result *result, FILE *report)
{
    double percent = 100 * (change - 1);
    if (change > 1 + limit_per_mille / 1000) {
        result->n_failures++;
        fprintf(report, "WORSE by %.2f %%: %s\n", percent, what);
    } else if (change < 1 / (1 + limit_per_mille / 1000)) {
        result->n_better++;
        fprintf(report, "better by %.2f %%: %s\n", -percent, what);
    }
}

/* The means of one block size, over the rows that were compared. */
static void compare_means(const golden_table *golden, const golden_table *now, size_t block_bytes,
                          golden_result *result, FILE *report)
{
    for (size_t e = 0; e < N_EFFORTS; e++) {
        double sum = 0;
        unsigned n = 0;
        for (size_t i = 0; i < now->n_rows; i++) {
            const golden_row *row = &now->rows[i];
            const golden_row *old = find(golden, row);
            if (row->block_bytes != block_bytes || old == NULL ||
                old->input_hash != row->input_hash)
                continue;
            sum += log((double)row->frame_bytes[e] / (double)old->frame_bytes[e]);
            n++;
        }
        char what[128];
        snprintf(what, sizeof(what), "geometric mean of %u samples, blocks of %zu bytes, effort %s",
                 n, block_bytes, effort_of(e));
        if (n != 0)
            checker_change(exp(sum / n), GOLDEN_MEAN_PER_MILLE, what, result, report);
    }
}

static void compare_row(const golden_table *golden, const golden_table *now, const golden_row *row,
                        golden_result *result, FILE *report)
{
    const golden_row *old = find(golden, row);
    if (old == NULL) {
        result->n_failures++;
        fprintf(report, "MISSING in the file: %s, blocks of %zu bytes\n", row->name,
                row->block_bytes);
        return;
    }
    if (old->input_bytes != row->input_bytes || old->input_hash != row->input_hash) {
        if (row->needs_rocksdb && strcmp(golden->rocksdb, now->rocksdb) != 0) {
            result->n_not_compared++;
            return;
        }
        result->n_failures++;
        fprintf(report, "OTHER INPUT than the file was made from: %s, blocks of %zu bytes\n",
                row->name, row->block_bytes);
        return;
    }
    for (size_t e = 0; e < N_EFFORTS; e++) {
        char what[128];
        snprintf(what, sizeof(what), "%s, blocks of %zu bytes, effort %s: %zu bytes, were %zu",
                 row->name, row->block_bytes, effort_of(e), row->frame_bytes[e],
                 old->frame_bytes[e]);
        checker_change((double)row->frame_bytes[e] / (double)old->frame_bytes[e],
                       GOLDEN_SAMPLE_PER_MILLE, what, result, report);
    }
}

golden_result golden_compare(const golden_table *golden, const golden_table *now, FILE *report)
{
    golden_result result = {0, 0, 0};
    for (size_t i = 0; i < now->n_rows; i++) {
        compare_row(golden, now, &now->rows[i], &result, report);
        bool is_new_size = true;
        for (size_t k = 0; k < i; k++)
            is_new_size = is_new_size && now->rows[k].block_bytes != now->rows[i].block_bytes;
        if (is_new_size)
            compare_means(golden, now, now->rows[i].block_bytes, &result, report);
    }
    for (size_t i = 0; i < golden->n_rows; i++) {
        if (find(now, &golden->rows[i]) == NULL) {
            result.n_failures++;
            fprintf(report, "UNKNOWN in the file: %s, blocks of %zu bytes\n", golden->rows[i].name,
                    golden->rows[i].block_bytes);
        }
    }
    return result;
}
