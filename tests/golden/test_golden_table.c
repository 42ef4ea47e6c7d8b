/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison of sizes, with figures of its own: what must fail fails, and names the reason. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "tests/golden/table.h"

#define N_SAMPLES 10

static golden_table golden;
static golden_table now;
static char text[8192];

static int set_up(void **state)
{
    (void)state;
    memset(&golden, 0, sizeof(golden));
    snprintf(golden.rocksdb, sizeof(golden.rocksdb), "7.8.3");
    for (size_t i = 0; i < 2 * N_SAMPLES; i++) {
        golden_row *row = &golden.rows[golden.n_rows++];
        snprintf(row->name, sizeof(row->name), "sample-%zu", i / 2);
        row->needs_rocksdb = i < N_SAMPLES;
        row->block_bytes = i & 1 ? 65536 : 4096;
        row->input_bytes = 1000000 + i;
        row->input_hash = UINT64_C(0x8000000000000001) + i;
        for (size_t e = 0; e < N_EFFORTS; e++)
            row->frame_bytes[e] = 400000 + 1000 * e;
    }
    now = golden;
    return 0;
}

static golden_result compare(void)
{
    FILE *report = tmpfile();
    assert_non_null(report);
    golden_result result = golden_compare(&golden, &now, report);
    rewind(report);
    text[fread(text, 1, sizeof(text) - 1, report)] = '\0';
    fclose(report);
    return result;
}

static void check(unsigned n_failures, unsigned n_better, const char *says)
{
    golden_result result = compare();
    if (result.n_failures != n_failures || result.n_better != n_better ||
        strstr(text, says) == NULL || (says[0] == '\0' && text[0] != '\0'))
        fail_msg("%u failures, %u better: %s", result.n_failures, result.n_better, text);
}

static void test_same(void **state)
{
    (void)state;
    check(0, 0, "");
}

static void test_one_sample_at_one_effort(void **state)
{
    (void)state;
    now.rows[3].frame_bytes[2] = 402000 + 2010;
    check(0, 0, "");
    now.rows[3].frame_bytes[2]++;
    check(1, 0, "sample-1, blocks of 65536 bytes, effort high: 404011 bytes, were 402000");
    now.rows[3].frame_bytes[2] = 399990;
    check(0, 1, "better by 0.50 %: sample-1");
}

static void test_a_little_of_every_sample(void **state)
{
    (void)state;
    for (size_t i = 0; i < now.n_rows; i += 2)
        now.rows[i].frame_bytes[0] = 400399;
    check(0, 0, "");
    for (size_t i = 0; i < now.n_rows; i += 2)
        now.rows[i].frame_bytes[0] = 400401;
    check(1, 0, "geometric mean of 10 samples, blocks of 4096 bytes, effort fast");
    for (size_t i = 0; i < now.n_rows; i += 2)
        now.rows[i].frame_bytes[0] = 399500;
    check(0, 1, "geometric mean of 10 samples, blocks of 4096 bytes, effort fast");
}

static void test_missing_and_unknown(void **state)
{
    (void)state;
    golden.n_rows--;
    check(1, 0, "MISSING in the file: sample-9, blocks of 65536 bytes");
    golden.n_rows++;
    now.n_rows--;
    check(1, 0, "UNKNOWN in the file: sample-9, blocks of 65536 bytes");
}

static void test_other_input(void **state)
{
    (void)state;
    now.rows[0].input_hash++;
    now.rows[19].input_bytes++;
    check(2, 0, "OTHER INPUT");
    /* Another RocksDB excuses what comes from it, and nothing else. */
    snprintf(now.rocksdb, sizeof(now.rocksdb), "9.9.9");
    check(1, 0, "OTHER INPUT than the file was made from: sample-9");
    assert_int_equal(compare().n_not_compared, 1);
}

static bool read_back(const char *content, golden_table *table)
{
    FILE *file = tmpfile();
    FILE *report = tmpfile();
    assert_non_null(file);
    assert_non_null(report);
    fputs(content, file);
    rewind(file);
    bool is_good = golden_read(file, table, report);
    fclose(file);
    rewind(report);
    text[fread(text, 1, sizeof(text) - 1, report)] = '\0';
    fclose(report);
    assert_int_equal(is_good, text[0] == '\0');
    return is_good;
}

static void test_file(void **state)
{
    (void)state;
    static char content[8192];
    FILE *file = tmpfile();
    assert_non_null(file);
    golden_write(file, &golden);
    rewind(file);
    content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
    fclose(file);
    assert_true(read_back(content, &now));
    assert_string_equal(now.rocksdb, golden.rocksdb);
    assert_int_equal(now.n_rows, golden.n_rows);
    for (size_t i = 0; i < now.n_rows; i++) {
        now.rows[i].needs_rocksdb = golden.rows[i].needs_rocksdb;
        assert_memory_equal(&now.rows[i], &golden.rows[i], sizeof(now.rows[i]));
    }
    static const char *const bad[] = {
        "",
        "rocksdb 1\n",
        "a 1 2 3 4 5 6 7\n",
        "rocksdb 1 2\na 1 2 3 4 5 6 7\n",
        "rocksdb 1\na 1 2 3 4 5 6\n",
        "rocksdb 1\na 1 2 3 4 5 6 7 8\n",
        "rocksdb 1\na 1 2 3 4 5 6 x\n",
        "rocksdb 1\na 1 2 3 4 5 6 7\n\n",
        "rocksdb 1\na 1 2 3 4 5 6 7\na 1 2 3 4 5 6 7\n",
        "rocksdb 1\na 1 2 3 4 5 6 7",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (read_back(bad[i], &now))
            fail_msg("accepted: '%s'", bad[i]);
    }
    assert_true(read_back("rocksdb 1\na 1 2 3 4 5 6 7\na 2 2 3 4 5 6 7\n", &now));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_same, set_up),
        cmocka_unit_test_setup(test_one_sample_at_one_effort, set_up),
        cmocka_unit_test_setup(test_a_little_of_every_sample, set_up),
        cmocka_unit_test_setup(test_missing_and_unknown, set_up),
        cmocka_unit_test_setup(test_other_input, set_up),
        cmocka_unit_test_setup(test_file, set_up),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
