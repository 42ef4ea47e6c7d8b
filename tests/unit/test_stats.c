/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's counters: sums over threads, the estimate of CPU time, and the text. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

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
    rp_stats stats;

    (void)state;
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_blocks, NULL), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    rp_stats_get(&stats);
    assert_int_equal(stats.blocks[RP_ROUTE_DIRECT], N_THREADS * N_BLOCKS);
    assert_int_equal(stats.bytes_in[RP_ROUTE_DIRECT], N_THREADS * N_BLOCKS * 1000);
    assert_int_equal(stats.bytes_out[RP_ROUTE_DIRECT], N_THREADS * N_BLOCKS * 300);
    assert_int_equal(stats.microseconds[RP_ROUTE_DIRECT], N_THREADS * N_BLOCKS * 5);
    assert_int_equal(stats.blocks[RP_ROUTE_CPU], N_THREADS * N_BLOCKS * 21 / 20);
    assert_int_equal(stats.fallbacks[RP_FALLBACK_SIZE], N_THREADS * N_BLOCKS);
    assert_int_equal(stats.fallbacks[RP_FALLBACK_CAPACITY], N_THREADS * N_BLOCKS / 20);
    assert_int_equal(stats.rejected_blocks, N_THREADS * N_BLOCKS / 20);
    assert_int_equal(stats.faults[RP_FAULT_TIMEOUT], N_THREADS * N_BLOCKS / 10);
    assert_int_equal(stats.blocks[RP_ROUTE_BATCH], 0);
    assert_string_equal(stats.device, "none");
}

/* Every cpu block has one reason: the two ways to count them agree. */
static void reasons_add_up(void **state)
{
    uint64_t sum = 0;
    rp_stats stats;

    (void)state;
    rp_stats_get(&stats);
    for (unsigned i = 0; i < RP_N_FALLBACK_REASONS; i++)
        sum += stats.fallbacks[i];
    assert_int_equal(sum, stats.blocks[RP_ROUTE_CPU]);
    assert_int_equal(stats.fallbacks[RP_FALLBACK_NONE], 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_are_summed),
        cmocka_unit_test(reasons_add_up),
        cmocka_unit_test(text_goes_to_files),
        cmocka_unit_test(names_are_never_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
