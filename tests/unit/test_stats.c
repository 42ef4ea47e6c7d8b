/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's counters: sums over threads, the estimate of CPU time, and the text. */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/cases.h"

#include "plugin/core/stats.h"

#define N_THREADS 20
#define N_BLOCKS 2000

static void *count_blocks(void *argument)
{
    (void)argument;
    for (int i = 0; i < N_BLOCKS; i++) {
        rp_stats_cpu_end(RP_FALLBACK_SIZE, 100, 40, rp_stats_cpu_begin());
        rp_stats_device_block(RP_ROUTE_DIRECT, 1000, 300, 5000);
        if (i % 10 == 0)
            rp_stats_count_fault(RP_FAULT_TIMEOUT);
        if (i % 20 == 0)
            rp_stats_cpu_end(RP_FALLBACK_CAPACITY, 50, 0, 0);
    }
    return NULL;
}

/* More threads than shards, so some share one. */
static void threads_are_summed(void **state)
{
    pthread_t threads[N_THREADS];

    (void)state;
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_blocks, NULL), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_DIRECT), N_THREADS * N_BLOCKS);
    assert_int_equal(rp_stats_value(RP_STAT_BYTES_IN, RP_ROUTE_DIRECT),
                     N_THREADS * N_BLOCKS * 1000);
    assert_int_equal(rp_stats_value(RP_STAT_BYTES_OUT, RP_ROUTE_DIRECT),
                     N_THREADS * N_BLOCKS * 300);
    assert_int_equal(rp_stats_value(RP_STAT_MICROSECONDS, RP_ROUTE_DIRECT),
                     N_THREADS * N_BLOCKS * 5);
    assert_int_equal(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_CPU), N_THREADS * N_BLOCKS * 21 / 20);
    assert_int_equal(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_SIZE), N_THREADS * N_BLOCKS);
    assert_int_equal(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_CAPACITY),
                     N_THREADS * N_BLOCKS / 20);
    assert_int_equal(rp_stats_value(RP_STAT_REJECTED_BLOCKS, 0), N_THREADS * N_BLOCKS / 20);
    assert_int_equal(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_TIMEOUT), N_THREADS * N_BLOCKS / 10);
    assert_int_equal(rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_BATCH), 0);
    assert_string_equal(rp_stats_device(), "none");
}

/* Every cpu block has one reason: the two ways to count them agree. */
static void reasons_add_up(void **state)
{
    uint64_t sum = 0;

    (void)state;
    for (unsigned i = 0; i < RP_N_FALLBACK_REASONS; i++)
        sum += rp_stats_value(RP_STAT_FALLBACKS, i);
    assert_int_equal(sum, rp_stats_value(RP_STAT_BLOCKS, RP_ROUTE_CPU));
    assert_int_equal(rp_stats_value(RP_STAT_FALLBACKS, RP_FALLBACK_NONE), 0);
}

/* What a program of another version than the library's does. */
static void other_versions_read_what_there_is(void **state)
{
    uint64_t values[RP_N_FAULTS + 2];

    (void)state;
    memset(values, 0xFF, sizeof(values));
    assert_int_equal(rp_stats_get(RP_STAT_FAULTS, values, 1), RP_N_FAULTS);
    assert_int_equal(values[0], rp_stats_value(RP_STAT_FAULTS, 0));
    assert_true(values[0] > 0 && values[1] == UINT64_MAX);
    assert_int_equal(rp_stats_get(RP_STAT_FAULTS, NULL, 0), RP_N_FAULTS);
    assert_int_equal(rp_stats_get(RP_STAT_FAULTS, values, RP_N_FAULTS + 1), RP_N_FAULTS);
    for (unsigned i = 0; i < RP_N_FAULTS; i++)
        assert_int_equal(values[i], rp_stats_value(RP_STAT_FAULTS, i));
    assert_int_equal(values[RP_N_FAULTS], 0);
    assert_true(values[RP_N_FAULTS + 1] == UINT64_MAX);
    assert_int_equal(rp_stats_get(RP_N_STATS, values, 2), 0);
    assert_true(values[0] == 0 && values[1] == 0);
    assert_int_equal(rp_stats_value(RP_N_STATS, 0), 0);
    assert_int_equal(rp_stats_value(RP_STAT_FAULTS, RP_N_FAULTS), 0);
    assert_int_equal(rp_stats_value((rp_stat)-1, 0), 0);
}

static void statistics_have_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RP_N_STATS; i++) {
        rp_stat stat = (rp_stat)i;
        size_t n = rp_stats_get(stat, NULL, 0);
        assert_true(n > 0);
        assert_true(strlen(rp_stats_name(stat)) > 0 && strlen(rp_stats_help(stat)) > 0);
        for (unsigned other = 0; other < i; other++)
            assert_string_not_equal(rp_stats_name(stat), rp_stats_name((rp_stat)other));
        /* A label where there is more than one value, and each value with a name of its own. */
        assert_true(n == 1 || strlen(rp_stats_label(stat)) > 0);
        for (unsigned index = 0; index < n; index++) {
            const char *value = rp_stats_label_value(stat, index);
            assert_int_equal(strlen(value) > 0, strlen(rp_stats_label(stat)) > 0);
            assert_string_not_equal(value, "unknown");
            for (unsigned other = 0; other < index; other++)
                assert_string_not_equal(value, rp_stats_label_value(stat, other));
        }
        assert_null(rp_stats_label_value(stat, (unsigned)n));
    }
    assert_string_equal(rp_stats_name(RP_STAT_FALLBACKS), "fallbacks_total");
    assert_string_equal(rp_stats_label(RP_STAT_FALLBACKS), "reason");
    assert_string_equal(rp_stats_label_value(RP_STAT_FALLBACKS, RP_FALLBACK_BUSY), "busy");
    assert_string_equal(rp_stats_label_value(RP_STAT_FALLBACKS, RP_FALLBACK_MEMORY), "memory");
    assert_string_equal(rp_stats_label_value(RP_STAT_FALLBACKS, RP_FALLBACK_READ), "read");
    assert_string_equal(rp_stats_label_value(RP_STAT_BYTES_OUT, RP_ROUTE_BATCH), "batch");
    assert_string_equal(rp_stats_label_value(RP_STAT_DEVICE_ACTIVE, 0), "none");
    assert_null(rp_stats_name(RP_N_STATS));
    assert_null(rp_stats_label(RP_N_STATS));
    assert_null(rp_stats_help(RP_N_STATS));
    assert_null(rp_stats_label_value(RP_N_STATS, 0));
}

static char *read_file(const char *path)
{
    static char text[16384];
    FILE *file = fopen(path, "r");
    size_t n;

    assert_non_null(file);
    n = fread(text, 1, sizeof(text) - 1, file);
    text[n] = '\0';
    fclose(file);
    return text;
}

static void check_text(const char *text)
{
    char line[128];

    snprintf(line, sizeof(line), "\nrockpress_blocks_total{route=\"direct\"} %d\n",
             N_THREADS * N_BLOCKS);
    assert_non_null(strstr(text, line));
    assert_non_null(strstr(text, "\n# TYPE rockpress_fallbacks_total counter\n"));
    assert_non_null(strstr(text, "\nrockpress_device_info{device=\"none\"} 0\n"));
    /* Each line is a comment or "name value" or "name{label} value". */
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
        char name[64], label[64];
        unsigned long long value;
        assert_non_null(strchr(at, '\n'));
        if (strncmp(at, "# HELP rockpress_", 17) == 0 || strncmp(at, "# TYPE rockpress_", 17) == 0)
            continue;
        assert_true(sscanf(at, "%63[a-z_]{%63[^}]} %llu\n", name, label, &value) == 3 ||
                    sscanf(at, "%63[a-z_] %llu\n", name, &value) == 2);
    }
}

static void text_goes_to_files(void **state)
{
    char folder[] = "stats_test_XXXXXX";
    char path[128], expected[128];
    struct stat status;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/a.prom", folder);
    assert_int_equal(rp_stats_write(path), RP_STATUS_OK);
    check_text(read_file(path));
    /* Again: the file is replaced, and nothing is left beside it. */
    assert_int_equal(rp_stats_write(path), RP_STATUS_OK);
    check_text(read_file(path));
    assert_int_equal(unlink(path), 0);

    snprintf(path, sizeof(path), "%s/%%p.prom", folder);
    snprintf(expected, sizeof(expected), "%s/%d.prom", folder, (int)getpid());
    assert_int_equal(rp_stats_write(path), RP_STATUS_OK);
    assert_int_equal(stat(expected, &status), 0);
    assert_int_equal(unlink(expected), 0);
    assert_int_equal(rmdir(folder), 0);

    assert_int_equal(rp_stats_write("/dev/null"), RP_STATUS_OK);
    assert_int_equal(rp_stats_write("/nonexistent/a.prom"), RP_STATUS_INVALID_OPTION);
    assert_int_equal(rp_stats_write(NULL), RP_STATUS_NULL_POINTER);
}

static void names_are_never_null(void **state)
{
    (void)state;
    assert_string_equal(rp_route_name(RP_ROUTE_BATCH), "batch");
    assert_string_equal(rp_route_name(RP_N_ROUTES), "unknown");
    assert_string_equal(rp_fallback_reason_name(RP_FALLBACK_FAULT), "fault");
    assert_string_equal(rp_fallback_reason_name(RP_N_FALLBACK_REASONS), "unknown");
    assert_string_equal(rp_fault_name(RP_FAULT_INTERNAL), "internal");
    assert_string_equal(rp_fault_name(RP_N_FAULTS), "unknown");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_are_summed),
        cmocka_unit_test(reasons_add_up),
        cmocka_unit_test(other_versions_read_what_there_is),
        cmocka_unit_test(statistics_have_names),
        cmocka_unit_test(text_goes_to_files),
        cmocka_unit_test(names_are_never_null),
    };

    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
