/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's configuration: names, values, errors, and that it can be set only once. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "plugin/core/config.h"

static void defaults_are_valid(void **state)
{
    rp_plugin_config config;

    (void)state;
    rp_plugin_config_default(&config, sizeof(config));
    assert_string_equal(config.device, "auto");
    assert_int_equal(config.verify, RP_VERIFY_DEVICE);
    assert_int_equal(config.checksum, RP_CHECKSUM_OFF);
    assert_int_equal(config.effort, RP_PLUGIN_EFFORT_AUTO);
    assert_true(config.min_block_bytes < 4096 && config.max_block_bytes >= 65536);
    assert_string_equal(config.stats_path, "");
    assert_null(config.custom_device);
}

static void every_name_sets_its_field(void **state)
{
    rp_plugin_config config;

    (void)state;
    rp_plugin_config_default(&config, sizeof(config));
    assert_int_equal(rp_plugin_config_set(&config, "ROCKPRESS_DEVICE", "cuda:12", NULL), 0);
    assert_string_equal(config.device, "cuda:12");
    assert_int_equal(rp_plugin_config_set(&config, "VERIFY", "all", NULL), 0);
    assert_int_equal(config.verify, RP_VERIFY_ALL);
    assert_int_equal(rp_plugin_config_set(&config, "VERIFY_INTERVAL", "7", NULL), 0);
    assert_int_equal(config.verify_interval, 7);
    assert_int_equal(rp_plugin_config_set(&config, "LANES", "4096", NULL), 0);
    assert_int_equal(config.lanes, 4096);
    assert_int_equal(rp_plugin_config_set(&config, "MIN_BLOCK_BYTES", "2K", NULL), 0);
    assert_int_equal(config.min_block_bytes, 2048);
    assert_int_equal(rp_plugin_config_set(&config, "MAX_BLOCK_BYTES", "1m", NULL), 0);
    assert_int_equal(config.max_block_bytes, 1 << 20);
    assert_int_equal(rp_plugin_config_set(&config, "MEMORY_BYTES", "3G", NULL), 0);
    assert_int_equal(config.memory_bytes, (size_t)3 << 30);
    assert_int_equal(rp_plugin_config_set(&config, "TIMEOUT_MS", "60000", NULL), 0);
    assert_int_equal(config.timeout_ms, 60000);
    assert_int_equal(rp_plugin_config_set(&config, "EFFORT", "fast", NULL), 0);
    assert_int_equal(config.effort, RP_EFFORT_FAST);
    assert_int_equal(rp_plugin_config_set(&config, "BREAKER_FAULTS", "1", NULL), 0);
    assert_int_equal(config.breaker_faults, 1);
    assert_int_equal(rp_plugin_config_set(&config, "BREAKER_RETRY_MS", "3600000", NULL), 0);
    assert_int_equal(config.breaker_retry_ms, 3600000);
    assert_int_equal(rp_plugin_config_set(&config, "CONTEXTS", "0", NULL), 0);
    assert_int_equal(config.contexts, 0);
    assert_int_equal(rp_plugin_config_set(&config, "CHECKSUM", "on", NULL), 0);
    assert_int_equal(config.checksum, RP_CHECKSUM_ON);
    assert_int_equal(rp_plugin_config_set(&config, "PARALLEL_THREADS", "32", NULL), 0);
    assert_int_equal(config.parallel_threads, 32);
    assert_int_equal(rp_plugin_config_set(&config, "LOG", "info", NULL), 0);
    assert_int_equal(config.log, RP_LOG_INFO);
    assert_int_equal(rp_plugin_config_set(&config, "LOG_FILE", "/a/b", NULL), 0);
    assert_string_equal(config.log_file, "/a/b");
    assert_int_equal(rp_plugin_config_set(&config, "STATS", "-", NULL), 0);
    assert_string_equal(config.stats_path, "-");
}

static void bad_values_are_named_and_change_nothing(void **state)
{
    static const char *const bad[][2] = {
        {"DEVICE", ""},
        {"DEVICE", "gpu"},
        {"DEVICE", "cuda:"},
        {"DEVICE", "cuda:x"},
        {"DEVICE", "cuda:1234"},
        {"DEVICE", "CUDA"},
        {"DEVICE", "a name that is longer than the field of the structure can be"},
        {"VERIFY", "on"},
        {"VERIFY", ""},
        {"VERIFY_INTERVAL", "0"},
        {"VERIFY_INTERVAL", "-1"},
        {"LANES", "0"},
        {"LANES", "4097"},
        {"LANES", "64K"},
        {"LANES", "8 "},
        {"LANES", "0x8"},
        {"MIN_BLOCK_BYTES", "1.5K"},
        {"MAX_BLOCK_BYTES", "0"},
        {"MAX_BLOCK_BYTES", "2G"},
        {"MAX_BLOCK_BYTES", "99999999999999999999999999"},
        {"MAX_BLOCK_BYTES", "18446744073709551615K"},
        {"MAX_BLOCK_BYTES", "4KiB"},
        {"TIMEOUT_MS", "60001"},
        {"EFFORT", "best"},
        {"BREAKER_FAULTS", "0"},
        {"CONTEXTS", "65"},
        {"PARALLEL_THREADS", "33"},
        {"LOG", "debug"},
    };
    rp_plugin_config config, before;
    char path[2048];
    rp_error error;

    (void)state;
    rp_plugin_config_default(&config, sizeof(config));
    before = config;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        error.message[0] = '\0';
        assert_int_equal(rp_plugin_config_set(&config, bad[i][0], bad[i][1], &error),
                         RP_STATUS_INVALID_OPTION);
        assert_non_null(strstr(error.message, bad[i][0]));
        assert_non_null(strstr(error.message, "allowed: "));
        assert_memory_equal(&config, &before, sizeof(config));
    }
    memset(path, 'p', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(rp_plugin_config_set(&config, "STATS", path, &error),
                     RP_STATUS_INVALID_OPTION);
    assert_memory_equal(&config, &before, sizeof(config));
}

static void unknown_names_are_errors(void **state)
{
    rp_plugin_config config;
    rp_error error;

    (void)state;
    rp_plugin_config_default(&config, sizeof(config));
    assert_int_equal(rp_plugin_config_set(&config, "ROCKPRESS_DEVCE", "off", &error),
                     RP_STATUS_INVALID_OPTION);
    assert_non_null(strstr(error.message, "ROCKPRESS_DEVCE"));
    assert_non_null(strstr(error.message, " DEVICE"));
    assert_int_equal(rp_plugin_config_set(&config, "", "off", NULL), RP_STATUS_INVALID_OPTION);
    assert_int_equal(rp_plugin_config_set(&config, "ROCKPRESS_", "1", NULL),
                     RP_STATUS_INVALID_OPTION);
    assert_int_equal(rp_plugin_config_set(NULL, "DEVICE", "off", NULL), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_plugin_config_set(&config, NULL, "off", NULL), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_plugin_config_set(&config, "DEVICE", NULL, NULL), RP_STATUS_NULL_POINTER);
}

static void environment_keeps_what_it_understands(void **state)
{
    rp_plugin_config config, defaults;
    rp_error error;

    (void)state;
    rp_plugin_config_default(&config, sizeof(config));
    assert_int_equal(rp_plugin_config_from_environment(&config, &error), 0);
    assert_string_equal(error.message, "");
    /* Of the library, which reads it by itself. */
    setenv("ROCKPRESS_CUDA_LIBRARY", "/nonexistent", 1);
    assert_int_equal(rp_plugin_config_from_environment(&config, &error), 0);
    setenv("ROCKPRESS_CUDA_LIBRARYX", "/nonexistent", 1);
    assert_int_equal(rp_plugin_config_from_environment(&config, &error), 1);
    unsetenv("ROCKPRESS_CUDA_LIBRARYX");
    unsetenv("ROCKPRESS_CUDA_LIBRARY");

    setenv("ROCKPRESS_DEVICE", "host", 1);
    setenv("ROCKPRESS_LANES", "many", 1);
    setenv("ROCKPRESS_SPEED", "11", 1);
    setenv("ROCKPRESS_TIMEOUT_MS", "20", 1);
    assert_int_equal(rp_plugin_config_from_environment(&config, &error), 2);
    assert_true(strstr(error.message, "LANES") != NULL || strstr(error.message, "SPEED") != NULL);
    rp_plugin_config_default(&defaults, sizeof(defaults));
    assert_string_equal(config.device, "host");
    assert_int_equal(config.timeout_ms, 20);
    assert_int_equal(config.lanes, defaults.lanes);
    unsetenv("ROCKPRESS_LANES");
    unsetenv("ROCKPRESS_SPEED");

    /* Each of the two is in range, together they leave no block. */
    setenv("ROCKPRESS_MIN_BLOCK_BYTES", "1M", 1);
    assert_int_equal(rp_plugin_config_from_environment(&config, &error), 1);
    assert_non_null(strstr(error.message, "MIN_BLOCK_BYTES"));
    assert_int_equal(config.min_block_bytes, defaults.min_block_bytes);
    assert_int_equal(config.max_block_bytes, defaults.max_block_bytes);
    unsetenv("ROCKPRESS_MIN_BLOCK_BYTES");
    unsetenv("ROCKPRESS_DEVICE");
    unsetenv("ROCKPRESS_TIMEOUT_MS");
}

static void structures_are_checked_field_by_field(void **state)
{
    rp_plugin_config good, config;
    rp_error error;

    (void)state;
    rp_plugin_config_default(&good, sizeof(good));
    config = good;
    memset(config.device, 'x', sizeof(config.device));
    assert_int_equal(rp_plugin_configure(&config, &error), RP_STATUS_INVALID_OPTION);
    assert_non_null(strstr(error.message, "DEVICE"));
    config = good;
    config.verify = (rp_verify_mode)4;
    assert_int_equal(rp_plugin_configure(&config, &error), RP_STATUS_INVALID_OPTION);
    assert_non_null(strstr(error.message, "VERIFY=4"));
    config = good;
    config.effort = 9;
    assert_int_equal(rp_plugin_configure(&config, NULL), RP_STATUS_INVALID_OPTION);
    config = good;
    config.lanes = 0;
    assert_int_equal(rp_plugin_configure(&config, NULL), RP_STATUS_INVALID_OPTION);
    config = good;
    config.max_block_bytes = 0;
    assert_int_equal(rp_plugin_configure(&config, NULL), RP_STATUS_INVALID_OPTION);
    config = good;
    config.min_block_bytes = config.max_block_bytes + 1;
    assert_int_equal(rp_plugin_configure(&config, NULL), RP_STATUS_INVALID_OPTION);
    config = good;
    memset(config.stats_path, 'x', sizeof(config.stats_path));
    assert_int_equal(rp_plugin_configure(&config, NULL), RP_STATUS_INVALID_OPTION);
    assert_int_equal(rp_plugin_configure(NULL, NULL), RP_STATUS_NULL_POINTER);
    assert_null(rp_config_peek());
}

/* The struct of a program that was compiled with the first header. */
#define FIRST_STRUCT_BYTES offsetof(rp_plugin_config, checksum)

/* It has not the fields that came later: nothing is written there, nothing read. */
static void the_first_struct_is_understood(void **state)
{
    rp_plugin_config config;
    rp_error error;

    (void)state;
    memset(&config, 0x5A, sizeof(config));
    assert_int_equal(rp_plugin_config_default(&config, FIRST_STRUCT_BYTES), RP_STATUS_OK);
    assert_int_equal(config.struct_size, FIRST_STRUCT_BYTES);
    assert_int_equal(config.checksum, 0x5A5A5A5A);
    assert_int_equal(rp_plugin_config_set(&config, "LANES", "7", &error), RP_STATUS_OK);
    assert_int_equal(rp_plugin_config_set(&config, "CHECKSUM", "on", &error),
                     RP_STATUS_INVALID_OPTION);
    assert_non_null(strstr(error.message, "ROCKPRESS_CHECKSUM has no field"));
    setenv("ROCKPRESS_CHECKSUM", "on", 1);
    assert_int_equal(rp_plugin_config_from_environment(&config, &error), 1);
    unsetenv("ROCKPRESS_CHECKSUM");
    assert_int_equal(config.checksum, 0x5A5A5A5A);
    assert_int_equal(config.lanes, 7);
    config.lanes = 0;
    assert_int_equal(rp_plugin_configure(&config, &error), RP_STATUS_INVALID_OPTION);
    assert_non_null(strstr(error.message, "LANES"));
    assert_null(rp_config_peek());
}

/* The struct of a program that was compiled with a later header. */
struct later_config {
    rp_plugin_config known;
    unsigned char later_fields[48];
};

static void the_size_of_the_struct_is_checked(void **state)
{
    static const size_t wrong[] = {0, 1, FIRST_STRUCT_BYTES - 1, SIZE_MAX};
    rp_plugin_config config, before;
    struct later_config later;
    rp_error error;

    (void)state;
    assert_int_equal(rp_plugin_config_default(NULL, sizeof(config)), RP_STATUS_NULL_POINTER);
    memset(&config, 0x5A, sizeof(config));
    before = config;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(rp_plugin_config_default(&config, wrong[i]), RP_STATUS_INVALID_OPTION);
        assert_memory_equal(&config, &before, sizeof(config));
    }
    assert_int_equal(rp_plugin_config_default(&config, sizeof(config)), RP_STATUS_OK);
    assert_int_equal(config.struct_size, sizeof(config));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        config.struct_size = wrong[i];
        assert_int_equal(rp_plugin_configure(&config, &error), RP_STATUS_INVALID_OPTION);
        assert_non_null(strstr(error.message, "struct_size="));
        assert_non_null(strstr(error.message, "allowed: "));
        assert_int_equal(rp_plugin_config_set(&config, "LANES", "7", &error),
                         RP_STATUS_INVALID_OPTION);
        assert_int_equal(rp_plugin_config_from_environment(&config, &error), 1);
        assert_non_null(strstr(error.message, "struct_size="));
        assert_int_equal(config.lanes, 64);
    }
    assert_null(rp_config_peek());

    /* Fields that this library does not know are allowed as long as they are not used. */
    memset(&later, 0x5A, sizeof(later));
    assert_int_equal(rp_plugin_config_default(&later.known, sizeof(later)), RP_STATUS_OK);
    assert_int_equal(later.known.struct_size, sizeof(later));
    for (size_t i = 0; i < sizeof(later.later_fields); i++)
        assert_int_equal(later.later_fields[i], 0);
    assert_int_equal(rp_plugin_config_set(&later.known, "LANES", "7", NULL), RP_STATUS_OK);
    later.later_fields[47] = 3;
    assert_int_equal(rp_plugin_configure(&later.known, &error), RP_STATUS_INVALID_OPTION);
    assert_non_null(strstr(error.message, " is 3; allowed: 0"));
    assert_int_equal(rp_plugin_config_set(&later.known, "LANES", "8", NULL),
                     RP_STATUS_INVALID_OPTION);
    assert_int_equal(later.known.lanes, 7);
    assert_null(rp_config_peek());
}

/* Last: the configuration of this process is then in force. */
static void configuring_works_once(void **state)
{
    struct later_config later;
    rp_plugin_config config;
    rp_error error;

    (void)state;
    rp_plugin_config_default(&later.known, sizeof(later));
    later.known.lanes = 3;
    memcpy(later.known.device, "off", sizeof("off"));
    config = later.known;
    config.struct_size = sizeof(config);
    setenv("ROCKPRESS_LANES", "5", 1);
    assert_int_equal(rp_plugin_configure(&later.known, &error), RP_STATUS_OK);
    assert_int_equal(rp_config_get()->lanes, 3);
    assert_int_equal(rp_config_get()->struct_size, sizeof(rp_plugin_config));
    assert_ptr_equal(rp_config_get(), rp_config_peek());
    assert_int_equal(rp_plugin_configure(&config, &error), RP_STATUS_INVALID_OPTION);
    assert_non_null(strstr(error.message, "already in use"));
    unsetenv("ROCKPRESS_LANES");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_valid),
        cmocka_unit_test(every_name_sets_its_field),
        cmocka_unit_test(bad_values_are_named_and_change_nothing),
        cmocka_unit_test(unknown_names_are_errors),
        cmocka_unit_test(environment_keeps_what_it_understands),
        cmocka_unit_test(structures_are_checked_field_by_field),
        cmocka_unit_test(the_first_struct_is_understood),
        cmocka_unit_test(the_size_of_the_struct_is_checked),
        cmocka_unit_test(configuring_works_once),
    };

    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
