/* SPDX-License-Identifier: Apache-2.0 */
/* Every argument error of a combiner: the value is named, what is allowed too, and nothing is made
 * or enqueued. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/combiner.h"
#include "tests/differential/counting_device.h"

#define MAX_INPUT_BYTES 1000

static rp_error error;

static void expect(rp_status actual, rp_status expected, const char *first, const char *second)
{
    assert_int_equal(actual, expected);
    assert_non_null(memchr(error.message, 0, sizeof(error.message)));
    if (strstr(error.message, first) == NULL || strstr(error.message, second) == NULL)
        fail_msg("no \"%s\" and \"%s\" in \"%s\"", first, second, error.message);
    memset(&error, 0x7E, sizeof(error));
}

static rp_combiner_options working_options(void)
{
    rp_combiner_options options = RP_COMBINER_OPTIONS_INIT;
    options.max_input_bytes = MAX_INPUT_BYTES;
    options.launch_bytes = (size_t)8 * MAX_INPUT_BYTES;
    options.effort = RP_EFFORT_FAST;
    options.error = &error;
    return options;
}

static void test_create(void **state)
{
    (void)state;
    counting_device counting;
    counting_device_open(&counting, 0);
    const rp_device *device = &counting.device;
    rp_combiner_options options = working_options();
    rp_combiner *made = (rp_combiner *)&error;
    assert_int_equal(rp_combiner_create(device, NULL, &made), RP_STATUS_NULL_POINTER);
    assert_null(made);
    expect(rp_combiner_create(device, &options, NULL), RP_STATUS_NULL_POINTER, "combiner", "NULL");
    made = (rp_combiner *)&error;
    expect(rp_combiner_create(NULL, &options, &made), RP_STATUS_NULL_POINTER, "device", "NULL");
    assert_null(made);
    options.max_input_bytes = 0;
    expect(rp_combiner_create(device, &options, &made), RP_STATUS_INVALID_OPTION,
           "max_input_bytes 0", "1 to 1073741824");
    options.max_input_bytes = RP_MAX_INPUT_BYTES + 1;
    expect(rp_combiner_create(device, &options, &made), RP_STATUS_INVALID_OPTION,
           "max_input_bytes 1073741825", "1 to 1073741824");
    options = working_options();
    options.launch_bytes = MAX_INPUT_BYTES - 1;
    expect(rp_combiner_create(device, &options, &made), RP_STATUS_INVALID_OPTION,
           "launch_bytes 999", "1000, to 1073741824");
    options.launch_bytes = SIZE_MAX;
    expect(rp_combiner_create(device, &options, &made), RP_STATUS_INVALID_OPTION,
           "launch_bytes 18446744073709551615", "1000, to 1073741824");
    options = working_options();
    options.max_inputs = 0;
    expect(rp_combiner_create(device, &options, &made), RP_STATUS_INVALID_OPTION, "max_inputs 0",
           "1 to 1024");
    options.max_inputs = RP_COMBINER_MAX_INPUTS + 1;
    expect(rp_combiner_create(device, &options, &made), RP_STATUS_INVALID_OPTION, "max_inputs 1025",
           "1 to 1024");
    options = working_options();
    options.max_running = 0;
    expect(rp_combiner_create(device, &options, &made), RP_STATUS_INVALID_OPTION, "max_running 0",
           "1 to 16");
    options.max_running = RP_COMBINER_MAX_RUNNING + 1;
    expect(rp_combiner_create(device, &options, &made), RP_STATUS_INVALID_OPTION, "max_running 17",
           "1 to 16");
    options = working_options();
    options.effort = (rp_effort)12;
    made = (rp_combiner *)&error;
    expect(rp_combiner_create(device, &options, &made), RP_STATUS_INVALID_EFFORT, "effort 12",
           "1 (fast)");
    assert_null(made);
    assert_int_equal(counting_device_enqueued(&counting) + atomic_load(&counting.n_allocated), 0);
    rp_combiner_destroy(NULL);
    counting_device_close(&counting);
}

static void test_calls(void **state)
{
    (void)state;
    static uint8_t input[MAX_INPUT_BYTES + 1], output[2 * MAX_INPUT_BYTES];
    counting_device counting;
    rp_combiner_options combiner_options = working_options();
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    rp_combiner_counts counts = RP_COMBINER_COUNTS_INIT;
    rp_combiner *combiner;
    uint32_t n_shared = 7;
    size_t n_bytes = 7;
    counting_device_open(&counting, 0);
    assert_int_equal(rp_combiner_create(&counting.device, &combiner_options, &combiner),
                     RP_STATUS_OK);
    options.effort = RP_EFFORT_FAST;
    options.error = &error;
    expect(rp_combiner_compress(NULL, input, 10, output, sizeof(output), &n_bytes, &options, 1000,
                                &n_shared),
           RP_STATUS_NULL_POINTER, "combiner", "NULL");
    assert_int_equal(n_bytes, 0);
    assert_int_equal(n_shared, 1);
    expect(rp_combiner_compress(combiner, input, 10, output, sizeof(output), NULL, &options, 1000,
                                NULL),
           RP_STATUS_NULL_POINTER, "output_size", "NULL");
    expect(rp_combiner_compress(combiner, NULL, 10, output, sizeof(output), &n_bytes, &options,
                                1000, NULL),
           RP_STATUS_NULL_POINTER, "input is NULL", "10");
    expect(rp_combiner_compress(combiner, input, 10, NULL, 20, &n_bytes, &options, 1000, NULL),
           RP_STATUS_NULL_POINTER, "output is NULL", "20");
    expect(rp_combiner_compress(combiner, input, MAX_INPUT_BYTES + 1, output, sizeof(output),
                                &n_bytes, &options, 1000, NULL),
           RP_STATUS_INPUT_TOO_LARGE, "1001", "up to 1000");
    options.effort = RP_EFFORT_HIGH;
    expect(rp_combiner_compress(combiner, input, 10, output, sizeof(output), &n_bytes, &options,
                                1000, NULL),
           RP_STATUS_INVALID_EFFORT, "effort high", "up to fast");
    options.effort = (rp_effort)9;
    expect(rp_combiner_compress(combiner, input, 10, output, sizeof(output), &n_bytes, &options,
                                1000, NULL),
           RP_STATUS_INVALID_EFFORT, "effort 9", "1 (fast)");
    options.effort = RP_EFFORT_FAST;
    options.flags = 1u << 30;
    expect(rp_combiner_compress(combiner, input, 10, output, sizeof(output), &n_bytes, &options,
                                1000, NULL),
           RP_STATUS_INVALID_FLAGS, "0x40000000", "0x");
    assert_int_equal(rp_combiner_reserve(NULL, 1), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_combiner_serve(NULL, 0, 0), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_combiner_read_counts(NULL, &counts), RP_STATUS_NULL_POINTER);
    assert_int_equal(rp_combiner_read_counts(combiner, NULL), RP_STATUS_NULL_POINTER);
    counts.struct_size = 8;
    assert_int_equal(rp_combiner_read_counts(combiner, &counts), RP_STATUS_INVALID_STRUCT_SIZE);
    assert_int_equal(counting_device_enqueued(&counting) + atomic_load(&counting.n_allocated), 0);
    rp_combiner_destroy(combiner);
    counting_device_close(&counting);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_calls),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
