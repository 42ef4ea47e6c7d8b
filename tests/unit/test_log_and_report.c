/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the log and the statistics go: to syslog, to standard error, to a path, or, where that can
 * not be written, into a line of the log.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "tests/support/cases.h"

#include "plugin/core/log.h"
#include "plugin/core/stats.h"
#include "rockpress/plugin.h"

static int last_priority;
static char last_line[600];

void __wrap_syslog(int priority, const char *format, ...);

void __wrap_syslog(int priority, const char *format, ...)
{
    va_list arguments;
    last_priority = priority;
    va_start(arguments, format);
    vsnprintf(last_line, sizeof(last_line), format, arguments);
    va_end(arguments);
}

static char folder[] = "log_and_report_XXXXXX";
static char log_path[64];

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(log_path, sizeof(log_path), "%s/log", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(log_path);
    return rmdir(folder);
}

static void read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void test_syslog(void **state)
{
    (void)state;
    rp_log_set_level(RP_LOG_INFO);
    rp_log_set_file("syslog");
    rp_log(RP_LOG_ERROR, "%d of %s", 7, "9");
    assert_string_equal(last_line, "rockpress: 7 of 9");
    assert_int_equal(last_priority, LOG_DAEMON | LOG_WARNING);
    rp_log(RP_LOG_INFO, "more");
    assert_string_equal(last_line, "rockpress: more");
    assert_int_equal(last_priority, LOG_DAEMON | LOG_INFO);
    /* A text that is too long is cut, and what is behind the buffer is not read. */
    char *much = malloc(2000);
    assert_non_null(much);
    memset(much, 'x', 1999);
    much[1999] = '\0';
    rp_log(RP_LOG_ERROR, "%s", much);
    assert_true(strlen(last_line) > 400 && strlen(last_line) < 512);
    free(much);
    rp_log_set_level(RP_LOG_OFF);
    strcpy(last_line, "nothing");
    rp_log(RP_LOG_ERROR, "off");
    assert_string_equal(last_line, "nothing");
}

static void test_statistics_on_standard_error(void **state)
{
    (void)state;
    char text[65536];
    int saved = dup(STDERR_FILENO);
    int file = open(log_path, O_CREAT | O_WRONLY, 0600);
    assert_true(saved >= 0 && file >= 0 && dup2(file, STDERR_FILENO) == STDERR_FILENO);
    rp_status status = rp_stats_write("-");
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(file);
    assert_int_equal(status, RP_STATUS_OK);
    read_file(log_path, text, sizeof(text));
    assert_non_null(strstr(text, "rockpress_blocks_total{route=\"direct\"} 0\n"));
    assert_int_equal(unlink(log_path), 0);
    assert_int_equal(rp_stats_write(NULL), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_stats_write("/nonexistent/stats"), RP_STATUS_INVALID_OPTION);
}

/* Nobody asked for it, so only the log can say it. */
static void test_a_report_that_cannot_be_written(void **state)
{
    (void)state;
    char text[1000];
    rp_plugin_config config;
    rp_plugin_config_default(&config, sizeof(config));
    config.log = RP_LOG_ERROR;
    snprintf(config.log_file, sizeof(config.log_file), "%s", log_path);
    strcpy(config.stats_path, "/nonexistent/stats");
    assert_int_equal(rp_plugin_configure(&config, NULL), RP_STATUS_OK);
    rp_stats_report_at_exit();
    read_file(log_path, text, sizeof(text));
    assert_non_null(strstr(text, "can not write the statistics to /nonexistent/stats\n"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syslog),
        cmocka_unit_test(test_statistics_on_standard_error),
        cmocka_unit_test(test_a_report_that_cannot_be_written),
    };
    return RUN_CASES(argc, argv, tests, set_up, tear_down);
}
