/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin with the device that makes faults inside, as the hook of the campaigns has it: a plan
 * is the name of a device, a wrong one is refused with a text that names what is wrong, and blocks
 * go through it.
 */
#include "tests/support/cases.h"

#include <zstd.h>

#include "plugin/route/route.h"
#include "rockpress/plugin.h"
#include "tests/fault/injecting_device.h"

static rp_plugin_config config;

static const char *refusal_of(const char *device)
{
    static rp_error error;
    error.message[0] = '\0';
    assert_int_equal(rp_plugin_config_default(&config, sizeof(config)), RP_STATUS_OK);
    if (rp_plugin_config_set(&config, "ROCKPRESS_DEVICE", device, &error) == RP_STATUS_OK)
        return NULL;
    return error.message;
}

static void expect_refusal(const char *device, const char *text)
{
    const char *found = refusal_of(device);
    if (found == NULL || strstr(found, text) == NULL)
        fail_msg("%s: %s", device, found == NULL ? "accepted" : found);
}

static void test_names(void **state)
{
    (void)state;
    char name[MAX_FAULT_NAME_BYTES + 1] = "fault:1:none";
    assert_null(refusal_of("host"));
    assert_null(refusal_of("cuda:7"));
    assert_null(refusal_of("fault:7:flip@frame=3+10x2%50:mapped"));
    assert_string_equal(config.device, "fault:7:flip@frame=3+10x2%50:mapped");
    expect_refusal("gpu", "allowed: auto, cuda, cuda:N, host, off");
    expect_refusal("fault:7:flop",
                   "allowed: 'flop': is no kind of fault: fail oom lose delay hang drop flip size "
                   "swap");
    expect_refusal("fault:7:flip@frame=65", "'65': flip=: 1 to 64");
    memset(name, '1', sizeof(name) - 1);
    memcpy(name, "fault:", 6);
    expect_refusal(name, "bytes; up to 127");
}

static void test_blocks(void **state)
{
    (void)state;
    static char block[4096], frame[8192], decoded[4096];
    rp_request request = {block, sizeof(block), frame, sizeof(frame), 3, false};
    size_t size = 0;
    rp_error error;
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (char)('a' + i % 7 + i / 300 % 5);
    assert_null(refusal_of("fault:7:fail@launch=launch_failed+20:copied"));
    config.log = RP_LOG_OFF;
    config.goal = RP_GOAL_DEVICE;
    assert_int_equal(rp_plugin_configure(&config, &error), RP_STATUS_OK);
    assert_int_equal(rp_route_compress(&request, &size), RP_FALLBACK_NONE);
    assert_int_equal(ZSTD_decompress(decoded, sizeof(decoded), frame, size), sizeof(block));
    assert_memory_equal(decoded, block, sizeof(block));
    const injecting_device *device = injecting_device_opened();
    assert_non_null(device);
    assert_int_equal(injecting_device_n_made(device), 0);
    /* A block takes a few launches. */
    for (int i = 0; i < 20 && injecting_device_n_made(device) == 0; i++)
        (void)rp_route_compress(&request, &size);
    assert_int_equal(injecting_device_n_made(device), 1);
    assert_int_equal(rp_stats_value(RP_STAT_FAULTS, RP_FAULT_LAUNCH), 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_blocks),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
