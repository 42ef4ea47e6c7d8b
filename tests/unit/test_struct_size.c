/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Callers that were compiled with other headers than the library: structs that are smaller than
 * those of the first version, larger ones whose unknown fields are zero or not, and, for a struct
 * that has grown, those in between. Every public function that takes such a struct is called.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "engine/struct_size.h"
#include "rockpress/batched.h"
#include "rockpress/combiner.h"
#include "rockpress/version.h"
#include "tests/differential/counting_device.h"

#define INPUT_BYTES 300
#define N_INPUTS 3
/* What a later version of each struct has more. */
#define TAIL_BYTES 24

static counting_device counting;
static rp_stream stream;
static rp_pool *pool;
static rp_combiner *combiner;
static rp_lane *lane;
static uint8_t *workspace;
static size_t workspace_bytes;
static uint8_t input[N_INPUTS][INPUT_BYTES];
static uint8_t output[N_INPUTS][2 * INPUT_BYTES];
static const void *inputs[N_INPUTS];
static size_t sizes[N_INPUTS];
static void *outputs[N_INPUTS];
static size_t capacities[N_INPUTS];
static size_t frame_bytes[N_INPUTS];
static rp_status statuses[N_INPUTS];
static rp_error error;

/* A caller's struct, with room for the fields of a later version. */
typedef union versioned {
    size_t struct_size;
    rp_compress_options options;
    rp_batch batch;
    rp_stage_buffers buffers;
    rp_host_batch host_batch;
    rp_pool_options pool_options;
    rp_combiner_options combiner_options;
    rp_combiner_counts combiner_counts;
    rp_batched_alignments alignments;
    rp_device device;
    rp_device_ops ops;
    rp_device_info info;
    uint8_t bytes[sizeof(rp_device_info) + TAIL_BYTES + 64];
} versioned;

/* The structs of one call; each is valid, but for what a test changes in one of them. */
typedef struct arguments {
    versioned options;
    versioned batch;
    versioned buffers;
    versioned host_batch;
    versioned pool_options;
    versioned combiner_options;
    versioned combiner_counts;
    versioned alignments;
    versioned device;
    versioned ops;
    versioned info;
} arguments;

static void make_arguments(arguments *a)
{
    const rp_compress_options options = {
        .struct_size = sizeof(options), .effort = RP_EFFORT_FAST, .error = &error};
    const rp_batch batch = {
        .struct_size = sizeof(batch),
        .d_inputs = inputs,
        .d_input_sizes = sizes,
        .max_input_bytes = INPUT_BYTES,
        .n_inputs = N_INPUTS,
        .d_outputs = outputs,
        .d_output_capacities = capacities,
        .d_output_sizes = frame_bytes,
        .d_statuses = statuses,
    };
    const rp_host_batch host_batch = {sizeof(host_batch), inputs,      sizes,   N_INPUTS, outputs,
                                      capacities,         frame_bytes, statuses};
    const rp_pool_options pool_options = {sizeof(pool_options), 1,     INPUT_BYTES, 0,
                                          RP_EFFORT_FAST,       &error};
    const rp_combiner_options combiner_options = {
        sizeof(combiner_options), INPUT_BYTES, INPUT_BYTES, 1,   1, 0,
        RP_EFFORT_FAST,           &error,      NULL,        NULL};
    const rp_combiner_counts combiner_counts = RP_COMBINER_COUNTS_INIT;
    const rp_batched_alignments alignments = RP_BATCHED_ALIGNMENTS_INIT;
    const rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    const rp_device_info info = RP_DEVICE_INFO_INIT;
    memset(a, 0, sizeof(*a));
    a->options.options = options;
    a->batch.batch = batch;
    a->buffers.buffers = buffers;
    a->host_batch.host_batch = host_batch;
    a->pool_options.pool_options = pool_options;
    a->combiner_options.combiner_options = combiner_options;
    a->combiner_counts.combiner_counts = combiner_counts;
    a->alignments.alignments = alignments;
    a->ops.ops = *counting.device.ops;
    a->device.device = counting.device;
    a->device.device.ops = &a->ops.ops;
    a->info.info = info;
    assert_int_equal(rp_workspace_carve(workspace, workspace_bytes, INPUT_BYTES, N_INPUTS,
                                        RP_EFFORT_FAST, &a->buffers.buffers),
                     RP_STATUS_OK);
    memset(&error, 0, sizeof(error));
}

static rp_stream stream_of(const arguments *a)
{
    rp_stream on = {&a->device.device, stream.handle};
    return on;
}

static rp_status call_single(arguments *a)
{
    return rp_compress_async(workspace, workspace_bytes, input[0], INPUT_BYTES, output[0],
                             sizeof(output[0]), &frame_bytes[0], &statuses[0], &a->options.options,
                             stream_of(a));
}

static rp_status call_batch(arguments *a)
{
    return rp_compress_batch_async(workspace, workspace_bytes, &a->batch.batch, &a->options.options,
                                   stream_of(a));
}

static rp_status call_matcher(arguments *a)
{
    return rp_launch_lz77_matcher(&a->batch.batch, &a->buffers.buffers, &a->options.options,
                                  stream_of(a));
}

static rp_status call_huffman(arguments *a)
{
    return rp_launch_huffman_encoder(&a->batch.batch, &a->buffers.buffers, &a->options.options,
                                     stream_of(a));
}

static rp_status call_fse(arguments *a)
{
    return rp_launch_fse_encoder(&a->batch.batch, &a->buffers.buffers, &a->options.options,
                                 stream_of(a));
}

static rp_status call_assembler(arguments *a)
{
    return rp_launch_frame_assembler(&a->batch.batch, &a->buffers.buffers, &a->options.options,
                                     stream_of(a));
}

static rp_status call_carve(arguments *a)
{
    return rp_workspace_carve(workspace, workspace_bytes, INPUT_BYTES, N_INPUTS, RP_EFFORT_FAST,
                              &a->buffers.buffers);
}

static rp_status call_alignments(arguments *a)
{
    return rp_batched_compress_get_required_alignments(&a->options.options,
                                                       &a->alignments.alignments);
}

static rp_status call_temp_size(arguments *a)
{
    size_t n;
    return rp_batched_compress_get_temp_size_async(N_INPUTS, INPUT_BYTES, &a->options.options, &n,
                                                   0);
}

static rp_status call_max_output(arguments *a)
{
    size_t n;
    return rp_batched_compress_get_max_output_chunk_size(INPUT_BYTES, &a->options.options, &n);
}

static rp_status call_batched(arguments *a)
{
    return rp_batched_compress_async(inputs, sizes, INPUT_BYTES, N_INPUTS, workspace,
                                     workspace_bytes, outputs, frame_bytes, &a->options.options,
                                     statuses, stream_of(a));
}

static rp_status call_lane(arguments *a)
{
    size_t n;
    return rp_lane_compress(lane, input[0], INPUT_BYTES, output[0], sizeof(output[0]), &n,
                            &a->options.options, 1000000);
}

static rp_status call_lane_batch(arguments *a)
{
    return rp_lane_compress_batch(lane, &a->host_batch.host_batch, &a->options.options, 1000000);
}

static rp_status call_pooled(arguments *a)
{
    return rp_batched_compress_pooled(pool, &a->host_batch.host_batch, &a->options.options,
                                      1000000);
}

static rp_status call_pool_create(arguments *a)
{
    rp_pool *made;
    rp_status status = rp_pool_create(&a->device.device, &a->pool_options.pool_options, &made);
    assert_true((status == RP_STATUS_OK) == (made != NULL));
    rp_pool_destroy(made);
    return status;
}

static rp_status call_combiner_create(arguments *a)
{
    rp_combiner *made;
    rp_status status =
        rp_combiner_create(&a->device.device, &a->combiner_options.combiner_options, &made);
    assert_true((status == RP_STATUS_OK) == (made != NULL));
    rp_combiner_destroy(made);
    return status;
}

static rp_status call_combine(arguments *a)
{
    return rp_combiner_compress(combiner, input[0], INPUT_BYTES, output[0], sizeof(output[0]),
                                &frame_bytes[0], &a->options.options, 1000000, NULL);
}

static rp_status call_combiner_counts(arguments *a)
{
    return rp_combiner_read_counts(combiner, &a->combiner_counts.combiner_counts);
}

static rp_status call_stream_create(arguments *a)
{
    rp_stream made;
    rp_status status = rp_stream_create(&a->device.device, &made);
    assert_true((status == RP_STATUS_OK) == (made.device != NULL));
    rp_stream_destroy(made);
    return status;
}

static rp_status call_wait(arguments *a)
{
    return rp_stream_wait(stream_of(a), 0);
}

static rp_status call_list(arguments *a)
{
    return rp_device_list(&a->info.info, 1) == 0 ? RP_STATUS_INVALID_STRUCT_SIZE : RP_STATUS_OK;
}

/* A struct that a function takes. `fills`: the function writes to it, and reads its size only. */
typedef struct use {
    rp_status (*call)(arguments *a);
    size_t where; /* in arguments */
    size_t bytes; /* of the struct in this version, */
    size_t end;   /* and where its last field ends */
    bool has_text;
    bool fills;
} use;

#define USE(call, member, type, last, has_text, fills)                                             \
    {                                                                                              \
        call, offsetof(arguments, member), sizeof(type),                                           \
            offsetof(type, last) + sizeof(((type *)0)->last), has_text, fills                      \
    }

static const use uses[] = {
    USE(call_single, options, rp_compress_options, d_proofs, true, false),
    USE(call_single, device, rp_device, state, true, false),
    USE(call_single, ops, rp_device_ops, close, true, false),
    USE(call_batch, options, rp_compress_options, d_proofs, true, false),
    USE(call_batch, batch, rp_batch, d_deliveries, true, false),
    USE(call_batch, device, rp_device, state, true, false),
    USE(call_matcher, options, rp_compress_options, d_proofs, true, false),
    USE(call_matcher, batch, rp_batch, d_deliveries, true, false),
    USE(call_matcher, buffers, rp_stage_buffers, entry_points_stride, true, false),
    USE(call_huffman, batch, rp_batch, d_deliveries, true, false),
    USE(call_huffman, buffers, rp_stage_buffers, entry_points_stride, true, false),
    USE(call_fse, batch, rp_batch, d_deliveries, true, false),
    USE(call_fse, buffers, rp_stage_buffers, entry_points_stride, true, false),
    USE(call_assembler, batch, rp_batch, d_deliveries, true, false),
    USE(call_assembler, buffers, rp_stage_buffers, entry_points_stride, true, false),
    USE(call_carve, buffers, rp_stage_buffers, entry_points_stride, false, true),
    USE(call_alignments, options, rp_compress_options, d_proofs, true, false),
    USE(call_alignments, alignments, rp_batched_alignments, temp, true, true),
    USE(call_temp_size, options, rp_compress_options, d_proofs, true, false),
    USE(call_max_output, options, rp_compress_options, d_proofs, true, false),
    USE(call_batched, options, rp_compress_options, d_proofs, true, false),
    USE(call_batched, device, rp_device, state, true, false),
    USE(call_lane, options, rp_compress_options, d_proofs, true, false),
    USE(call_lane_batch, options, rp_compress_options, d_proofs, true, false),
    USE(call_lane_batch, host_batch, rp_host_batch, statuses, true, false),
    USE(call_pooled, options, rp_compress_options, d_proofs, true, false),
    USE(call_pooled, host_batch, rp_host_batch, statuses, true, false),
    USE(call_pool_create, pool_options, rp_pool_options, error, true, false),
    USE(call_pool_create, device, rp_device, state, true, false),
    USE(call_pool_create, ops, rp_device_ops, close, true, false),
    USE(call_combiner_create, combiner_options, rp_combiner_options, service_context, true, false),
    USE(call_combiner_create, device, rp_device, state, true, false),
    USE(call_combine, options, rp_compress_options, d_proofs, true, false),
    USE(call_combiner_counts, combiner_counts, rp_combiner_counts, memory_bytes, false, true),
    USE(call_stream_create, device, rp_device, state, false, false),
    USE(call_stream_create, ops, rp_device_ops, close, false, false),
    USE(call_wait, device, rp_device, state, false, false),
    USE(call_wait, ops, rp_device_ops, close, false, false),
    USE(call_list, info, rp_device_info, reason, false, true),
};
#define N_USES (sizeof(uses) / sizeof(uses[0]))

static versioned *struct_of(arguments *a, const use *u)
{
    return (versioned *)(void *)((uint8_t *)a + u->where);
}

static bool is_device(const use *u)
{
    return u->where == offsetof(arguments, device) || u->where == offsetof(arguments, ops);
}

/* Where the text of an error goes is in the struct itself. */
static bool has_error_field(const use *u)
{
    return u->where == offsetof(arguments, options) ||
           u->where == offsetof(arguments, pool_options) ||
           u->where == offsetof(arguments, combiner_options);
}

static int set_up(void **state)
{
    (void)state;
    const rp_pool_options options = {sizeof(options), 1, INPUT_BYTES, 0, RP_EFFORT_FAST, NULL};
    rp_combiner_options combiner_options = RP_COMBINER_OPTIONS_INIT;
    combiner_options.max_input_bytes = INPUT_BYTES;
    combiner_options.launch_bytes = INPUT_BYTES;
    for (size_t i = 0; i < N_INPUTS; i++) {
        memset(input[i], 'a' + (int)i, INPUT_BYTES);
        inputs[i] = input[i];
        sizes[i] = INPUT_BYTES;
        outputs[i] = output[i];
        capacities[i] = sizeof(output[i]);
    }
    counting_device_open(&counting, RP_DEVICE_HOST_MEMORY);
    if (rp_batched_compress_get_temp_size_async(N_INPUTS, INPUT_BYTES, NULL, &workspace_bytes, 0) !=
            RP_STATUS_OK ||
        rp_stream_create(&counting.device, &stream) != RP_STATUS_OK ||
        rp_pool_create(&counting.device, &options, &pool) != RP_STATUS_OK ||
        rp_pool_acquire(pool, &lane) != RP_STATUS_OK ||
        rp_combiner_create(&counting.device, &combiner_options, &combiner) != RP_STATUS_OK)
        return 1;
    /* The pooled call takes the only lane; one that is held serves the others all the same. */
    rp_pool_release(pool, lane);
    workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, workspace_bytes);
    return workspace == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    free(workspace);
    rp_combiner_destroy(combiner);
    rp_pool_destroy(pool);
    rp_stream_destroy(stream);
    counting_device_close(&counting);
    return 0;
}

static void expect_refused(arguments *a, const use *u, size_t size, bool has_text)
{
    char text[32];
    size_t i = (size_t)(u - uses);
    atomic_store(&counting.n_launches, 0);
    rp_status status = u->call(a);
    if (status != RP_STATUS_INVALID_STRUCT_SIZE)
        fail_msg("use %zu, size %zu: %s", i, size, rp_status_name(status));
    if (atomic_load(&counting.n_launches) != 0)
        fail_msg("use %zu, size %zu: refused, but launched", i, size);
    snprintf(text, sizeof(text), "struct_size %zu", size);
    if (has_text &&
        (strstr(error.message, text) == NULL || strstr(error.message, "allowed") == NULL))
        fail_msg("use %zu, size %zu: \"%s\"", i, size, error.message);
}

static void test_this_version(void **state)
{
    (void)state;
    arguments a;
    for (size_t i = 0; i < N_USES; i++) {
        make_arguments(&a);
        if (uses[i].call(&a) != RP_STATUS_OK)
            fail_msg("use %zu", i);
        /* A struct that ended in padding would get its next field there. */
        assert_int_equal(uses[i].end, uses[i].bytes);
    }
}

/* The first version is this one. Options that are too small have no field for a text. */
static void test_too_small(void **state)
{
    (void)state;
    arguments a;
    for (size_t i = 0; i < N_USES; i++) {
        const use *u = &uses[i];
        bool is_options = has_error_field(u);
        const size_t too_small[] = {0, 1, sizeof(size_t), u->bytes - 1};
        for (size_t k = 0; k < sizeof(too_small) / sizeof(too_small[0]); k++) {
            make_arguments(&a);
            struct_of(&a, u)->struct_size = too_small[k];
            expect_refused(&a, u, too_small[k], u->has_text && !is_options);
            assert_true(error.message[0] == '\0' || !is_options);
        }
    }
}

static void test_too_large(void **state)
{
    (void)state;
    arguments a;
    for (size_t i = 0; i < N_USES; i++) {
        const use *u = &uses[i];
        bool is_options = has_error_field(u);
        const size_t too_large[] = {RP_MAX_STRUCT_BYTES + 1, SIZE_MAX};
        for (size_t k = 0; k < sizeof(too_large) / sizeof(too_large[0]); k++) {
            make_arguments(&a);
            struct_of(&a, u)->struct_size = too_large[k];
            expect_refused(&a, u, too_large[k], u->has_text && !is_options);
        }
    }
}

static void test_later_version_with_zeros(void **state)
{
    (void)state;
    arguments a;
    for (size_t i = 0; i < N_USES; i++) {
        for (size_t more = 1; more <= TAIL_BYTES; more++) {
            make_arguments(&a);
            struct_of(&a, &uses[i])->struct_size = uses[i].bytes + more;
            rp_status status = uses[i].call(&a);
            if (status != RP_STATUS_OK)
                fail_msg("use %zu, %zu more: %s", i, more, rp_status_name(status));
            assert_int_equal(struct_of(&a, &uses[i])->struct_size, uses[i].bytes + more);
        }
    }
}

/* Devices are the caller's promise of what there is, not a wish: more than is known is no error. */
static void test_later_version_with_values(void **state)
{
    (void)state;
    arguments a;
    for (size_t i = 0; i < N_USES; i++) {
        const use *u = &uses[i];
        for (size_t at = 0; at < TAIL_BYTES; at++) {
            make_arguments(&a);
            versioned *changed = struct_of(&a, u);
            changed->struct_size = u->bytes + TAIL_BYTES;
            changed->bytes[u->bytes + at] = 1;
            if (!u->fills && !is_device(u)) {
                expect_refused(&a, u, changed->struct_size, u->has_text);
                continue;
            }
            if (u->call(&a) != RP_STATUS_OK)
                fail_msg("use %zu, byte %zu", i, at);
            /* Fields that this version does not know are set to zero where it fills a struct. */
            assert_int_equal(changed->bytes[u->bytes + at], u->fills ? 0 : 1);
        }
    }
}

/* Nothing is written beyond the caller's struct, whatever its size. */
static void test_filled_within_size(void **state)
{
    (void)state;
    arguments a;
    for (size_t i = 0; i < N_USES; i++) {
        const use *u = &uses[i];
        for (size_t more = 0; more <= TAIL_BYTES && u->fills; more++) {
            make_arguments(&a);
            versioned *filled = struct_of(&a, u);
            memset(filled->bytes + u->bytes, 0xA5, sizeof(filled->bytes) - u->bytes);
            filled->struct_size = u->bytes + more;
            assert_int_equal(u->call(&a), RP_STATUS_OK);
            for (size_t k = u->bytes; k < sizeof(filled->bytes); k++)
                assert_int_equal(filled->bytes[k], k < u->bytes + more ? 0 : 0xA5);
        }
    }
}

/* A list: the size of the first element is the distance to the next, and is set in all. */
static void test_list_of_devices(void **state)
{
    (void)state;
    const size_t element = sizeof(rp_device_info) + 2 * sizeof(size_t);
    const rp_device_info first = RP_DEVICE_INFO_INIT;
    rp_device_info info;
    uint8_t *list = malloc(3 * element);
    assert_non_null(list);
    memset(list, 0xA5, 3 * element);
    memcpy(list, &first, sizeof(first));
    memcpy(list, &element, sizeof(element));
    size_t n = rp_device_list((rp_device_info *)(void *)list, 2);
    assert_true(n >= 2);
    memcpy(&info, list, sizeof(info));
    assert_int_equal(info.struct_size, element);
    assert_string_equal(info.name, "host");
    assert_int_equal(info.status, RP_STATUS_OK);
    memcpy(&info, list + element, sizeof(info));
    assert_int_equal(info.struct_size, element);
    assert_memory_equal(info.name, "cuda", 4);
    for (size_t i = 2 * element; i < 3 * element; i++)
        assert_int_equal(list[i], 0xA5);
    assert_int_equal(rp_device_list(NULL, 0), n);
    free(list);
}

/* A struct that grew twice after its first version, as this version's structs will. */
typedef struct grown {
    size_t struct_size;
    uint32_t first;
    uint32_t second;
    uint64_t third;
} grown;

static const rp_struct_kind grown_kind = RP_STRUCT_KIND(grown, first);

static void test_older_version(void **state)
{
    (void)state;
    for (size_t size = offsetof(grown, second); size <= sizeof(grown); size++) {
        const grown given = {size, 1, 2, 3};
        grown known = {sizeof(known), 11, 12, 13};
        assert_int_equal(rp_read_struct(&grown_kind, &known, &given, &error), RP_STATUS_OK);
        assert_int_equal(known.struct_size, sizeof(grown));
        assert_int_equal(known.first, 1);
        /* What the caller's struct does not have keeps its default. */
        if (size == offsetof(grown, second))
            assert_int_equal(known.second, 12);
        if (size >= offsetof(grown, third))
            assert_int_equal(known.second, 2);
        if (size <= offsetof(grown, third))
            assert_int_equal(known.third, 13);
        if (size == sizeof(grown))
            assert_int_equal(known.third, 3);
    }
    const grown small = {offsetof(grown, second) - 1, 1, 2, 3};
    grown known = {sizeof(known), 11, 12, 13};
    assert_int_equal(rp_read_struct(&grown_kind, &known, &small, &error),
                     RP_STATUS_INVALID_STRUCT_SIZE);
    assert_non_null(strstr(error.message, "grown has struct_size 11; allowed: 12 to 4096"));
    assert_int_equal(known.first, 11);
}

static void test_older_version_is_filled(void **state)
{
    (void)state;
    const grown known = {sizeof(known), 1, 2, 3};
    for (size_t size = offsetof(grown, second); size <= sizeof(grown); size++) {
        uint8_t given[sizeof(grown)];
        uint8_t expected[sizeof(grown)];
        memset(given, 0xA5, sizeof(given));
        memcpy(given, &size, sizeof(size));
        memcpy(expected, &known, sizeof(expected));
        memcpy(expected, &size, sizeof(size));
        memset(expected + size, 0xA5, sizeof(expected) - size);
        assert_int_equal(rp_write_struct(&grown_kind, given, &known, &error), RP_STATUS_OK);
        assert_memory_equal(given, expected, sizeof(given));
    }
}

static void test_version(void **state)
{
    (void)state;
    char text[32];
    snprintf(text, sizeof(text), "%d.%d.%d", RP_VERSION_MAJOR, RP_VERSION_MINOR, RP_VERSION_PATCH);
    assert_string_equal(rp_version_string(), text);
    assert_string_equal(rp_version_string(), BUILD_VERSION);
    assert_int_equal(rp_version_number(), RP_VERSION_NUMBER);
    assert_int_equal(rp_version_number() / 10000, RP_VERSION_MAJOR);
    assert_int_equal(rp_version_number() / 100 % 100, RP_VERSION_MINOR);
    assert_int_equal(rp_version_number() % 100, RP_VERSION_PATCH);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_this_version),
        cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_later_version_with_zeros),
        cmocka_unit_test(test_later_version_with_values),
        cmocka_unit_test(test_filled_within_size),
        cmocka_unit_test(test_list_of_devices),
        cmocka_unit_test(test_older_version),
        cmocka_unit_test(test_older_version_is_filled),
        cmocka_unit_test(test_version),
    };
    return RUN_CASES(argc, argv, tests, set_up, tear_down);
}
