/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public functions with arbitrary numbers, flags, alignments and NULL pointers. What the
 * arguments claim about memory is true whenever it could be believed: a function cannot know
 * that a buffer is smaller than its caller says. Whether a call is right is decided here a second
 * time, from the header's words: it has to succeed exactly then, and a call that is refused must
 * not have asked the device for anything nor have written anything.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rockpress/engine.h"
#include "rockpress/pool.h"
#include "tests/differential/checker.h"
#include "tests/differential/counting_device.h"
#include "tests/differential/guarded.h"
#include "tests/support/effort.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define INPUT_BYTES ((size_t)256 * 1024)
#define OUTPUT_BYTES ((size_t)512 * 1024)
#define MAX_INPUTS 640
#define CANARY_SIZE ((size_t)0x5EED5EED5EED)
#define CANARY_STATUS ((rp_status)12345)

static counting_device working;
static counting_device idle;
static guarded_memory workspace_memory;
static size_t workspace_bytes;
static uint8_t *workspace;
static uint8_t *input;
static uint8_t *output;
static frame_checker checker;
static rp_effort usual_effort; /* what workspaces and lanes are made for */

static const uint8_t *data_at;
static size_t data_left;

static uint64_t take(unsigned n_bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < n_bytes && data_left > 0; i++) {
        value |= (uint64_t)*data_at++ << (8 * i);
        data_left--;
    }
    return value;
}

/* Sizes of all magnitudes, and those at the limits. */
static size_t take_size(size_t usual)
{
    static const size_t limits[] = {0,
                                    1,
                                    RP_ZSTD_BLOCK_BYTES,
                                    RP_ZSTD_BLOCK_BYTES + 1,
                                    RP_MAX_BATCH_INPUTS,
                                    RP_MAX_BATCH_INPUTS + 1,
                                    RP_MAX_INPUT_BYTES,
                                    RP_MAX_INPUT_BYTES + 1,
                                    SIZE_MAX / 2,
                                    SIZE_MAX - 255,
                                    SIZE_MAX};
    uint8_t form = (uint8_t)take(1);
    if (form < 100)
        return usual;
    if (form < 200)
        return (size_t)take(2);
    if (form < 220)
        return (size_t)take(4);
    if (form < 230)
        return (size_t)take(8);
    return limits[form % (sizeof(limits) / sizeof(limits[0]))];
}

/* Mostly the right thing: one wrong argument at a time is what finds a missing check. */
static bool take_mishap(void)
{
    return take(1) >= 250;
}

static void check(bool is_good, const char *what, rp_status status)
{
    if (is_good)
        return;
    fprintf(stderr, "%s (%s)\n", what, rp_status_name(status));
    abort();
}

static bool is_argument_error(rp_status status)
{
    return status != RP_STATUS_OK && status < RP_STATUS_FIRST_RUNTIME;
}

static void set_up(void)
{
    counting_device_open(&working, RP_DEVICE_HOST_MEMORY);
    counting_device_open(&idle, 0);
    idle.is_idle = true;
    usual_effort = test_effort();
    workspace_bytes = rp_workspace_size(4096, 4, usual_effort);
    guarded_map(&workspace_memory, workspace_bytes + RP_WORKSPACE_ALIGNMENT);
    workspace = guarded_last(&workspace_memory, workspace_bytes);
    input = malloc(INPUT_BYTES);
    output = malloc(OUTPUT_BYTES);
    if (input == NULL || output == NULL)
        abort();
    for (size_t i = 0; i < INPUT_BYTES; i++)
        input[i] = (uint8_t)(i % 251 + i / 1000);
    /* No input larger than there is, and no more inputs, get past the size of the workspace. */
    check(rp_workspace_size(INPUT_BYTES, 1, RP_EFFORT_FAST) > workspace_bytes &&
              rp_workspace_size(0, MAX_INPUTS, RP_EFFORT_FAST) > workspace_bytes,
          "the workspace is too large for this test", RP_STATUS_OK);
}

/* The usual effort; or any number, half of them close to the efforts that there are. */
static rp_effort take_effort(void)
{
    if (!take_mishap())
        return usual_effort;
    uint32_t number = (uint32_t)take(4);
    return (rp_effort)(int)(number & 1 ? number >> 1 & 7 : number);
}

static bool is_effort_good(rp_effort effort)
{
    return (int)effort >= RP_EFFORT_FAST && (int)effort <= RP_EFFORT_MAX;
}

/* Of the largest batch. */
static rp_proof proofs[MAX_INPUTS];

static rp_compress_options take_options(rp_error *error)
{
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = usual_effort,
        .flags = (uint32_t)take(1) & 1,
        .error = error,
    };
    options.effort = take_effort();
    if (take_mishap())
        options.flags = (uint32_t)take(4);
    if ((options.flags & RP_COMPRESS_VERIFY) != 0)
        options.d_proofs = take_mishap() ? NULL : proofs;
    memset(error, 0x7E, sizeof(*error));
    return options;
}

static bool are_options_good(const rp_compress_options *options)
{
    return is_effort_good(options->effort) && (options->flags & ~RP_COMPRESS_FLAGS_ALL) == 0;
}

/* For calls with device pointers. */
static bool have_proofs_a_place(const rp_compress_options *options)
{
    return (options->flags & RP_COMPRESS_VERIFY) == 0 || options->d_proofs != NULL;
}

static bool has_checksum(const rp_compress_options *options)
{
    return (options->flags & RP_COMPRESS_CHECKSUM) != 0;
}

/* A workspace, and how large it may say that it is. */
static uint8_t *take_workspace(size_t *claimed)
{
    size_t shift = take_mishap() ? (size_t)take(1) : 0;
    size_t size = take_size(workspace_bytes);
    *claimed = size < workspace_bytes - shift ? size : workspace_bytes - shift;
    return take_mishap() ? NULL : workspace + shift;
}

static void check_refused(const counting_device *device, rp_status status, const rp_error *error)
{
    check(is_argument_error(status), "not an argument error", status);
    check(memchr(error->message, 0, sizeof(error->message)) != NULL, "no text", status);
    check(counting_device_enqueued((counting_device *)(uintptr_t)device) == 0,
          "refused, but enqueued", status);
}

static void fuzz_single(void)
{
    rp_error error;
    size_t claimed;
    size_t frame_bytes = CANARY_SIZE;
    rp_status result = CANARY_STATUS;
    rp_compress_options options = take_options(&error);
    uint8_t *d_workspace = take_workspace(&claimed);
    size_t input_size = take_size(4096);
    size_t capacity = take_size(OUTPUT_BYTES);
    capacity = capacity < OUTPUT_BYTES ? capacity : OUTPUT_BYTES;
    const uint8_t *d_input = take_mishap() ? NULL : input;
    uint8_t *d_output = take_mishap() ? NULL : output;
    bool has_results = !take_mishap();
    rp_stream stream = {take_mishap() ? NULL : &working.device, NULL};
    size_t needed = rp_workspace_size(input_size, 1, options.effort);
    bool is_good = stream.device != NULL && are_options_good(&options) &&
                   have_proofs_a_place(&options) && needed != 0 && d_workspace != NULL &&
                   (uintptr_t)d_workspace % RP_WORKSPACE_ALIGNMENT == 0 && claimed >= needed &&
                   (d_input != NULL || input_size == 0) && (d_output != NULL || capacity == 0) &&
                   has_results;
    rp_status status = rp_compress_async(d_workspace, claimed, d_input, input_size, d_output,
                                         capacity, has_results ? &frame_bytes : NULL,
                                         has_results ? &result : NULL, &options, stream);
    check((status == RP_STATUS_OK) == is_good, "single: accepted and wrong, or refused and right",
          status);
    if (status != RP_STATUS_OK) {
        check_refused(&working, status, &error);
        check(frame_bytes == CANARY_SIZE && result == CANARY_STATUS, "refused, but written",
              status);
        return;
    }
    check(atomic_load(&working.n_launches) == ((options.flags & RP_COMPRESS_VERIFY) != 0 ? 5 : 4),
          "not all stages", status);
    check(result == RP_STATUS_OK || (result == RP_STATUS_OUTPUT_TOO_SMALL && frame_bytes == 0),
          "single: result", result);
    check(result == RP_STATUS_OK || capacity < rp_compress_bound(input_size),
          "too small with a capacity of the bound", result);
    if (result == RP_STATUS_OK)
        check(
            checker_frame(&checker, input, input_size, output, frame_bytes, has_checksum(&options)),
            checker.error, result);
}

typedef struct batch_arrays {
    const void *inputs[MAX_INPUTS];
    size_t sizes[MAX_INPUTS];
    void *outputs[MAX_INPUTS];
    size_t capacities[MAX_INPUTS];
    size_t frame_bytes[MAX_INPUTS];
    rp_status statuses[MAX_INPUTS];
} batch_arrays;

/* What an input decides of all inputs comes first: most are shorter than the arrays. */
static rp_batch take_batch(batch_arrays *arrays)
{
    size_t stride = OUTPUT_BYTES / MAX_INPUTS;
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = arrays->inputs,
        .d_input_sizes = take_mishap() ? NULL : arrays->sizes,
        .max_input_bytes = take_size(4096),
        .n_inputs = take_size(4),
        .d_outputs = arrays->outputs,
        .d_output_capacities = arrays->capacities,
        .d_output_sizes = arrays->frame_bytes,
        .d_statuses = take_mishap() ? NULL : arrays->statuses,
    };
    for (size_t i = 0; i < MAX_INPUTS; i++) {
        size_t capacity = take_size(stride);
        arrays->inputs[i] = input + i * 100;
        arrays->sizes[i] = take_size(i * 300);
        /* Behind its shifted start an input is a little shorter. */
        if (arrays->sizes[i] <= INPUT_BYTES && arrays->sizes[i] > INPUT_BYTES - 100 * MAX_INPUTS)
            arrays->sizes[i] = INPUT_BYTES - 100 * MAX_INPUTS;
        arrays->outputs[i] = output + i * stride;
        arrays->capacities[i] = capacity < stride ? capacity : stride;
        arrays->frame_bytes[i] = CANARY_SIZE;
        arrays->statuses[i] = CANARY_STATUS;
    }
    return batch;
}

static void check_batch_results(const rp_batch *batch, const batch_arrays *arrays, bool checksum)
{
    for (size_t i = 0; i < MAX_INPUTS; i++) {
        rp_status status = arrays->statuses[i];
        size_t n = arrays->frame_bytes[i];
        if (i >= batch->n_inputs) {
            check(status == CANARY_STATUS && n == CANARY_SIZE, "a result after the batch", status);
        } else if (arrays->sizes[i] > batch->max_input_bytes) {
            check(status == RP_STATUS_INPUT_TOO_LARGE && n == 0, "larger than announced", status);
        } else if (status == RP_STATUS_OK) {
            check(n <= arrays->capacities[i], "beyond its capacity", status);
            check(checker_frame(&checker, arrays->inputs[i], arrays->sizes[i], arrays->outputs[i],
                                n, checksum),
                  checker.error, status);
        } else {
            check(status == RP_STATUS_OUTPUT_TOO_SMALL && n == 0 &&
                      arrays->capacities[i] < rp_compress_bound(arrays->sizes[i]),
                  "batch: result", status);
        }
    }
}

static void fuzz_batch(void)
{
    rp_error error;
    size_t claimed;
    batch_arrays arrays;
    rp_compress_options options = take_options(&error);
    uint8_t *d_workspace = take_workspace(&claimed);
    rp_batch batch = take_batch(&arrays);
    rp_stream stream = {take_mishap() ? NULL : &working.device, NULL};
    size_t needed = rp_workspace_size(batch.max_input_bytes, batch.n_inputs, options.effort);
    bool is_good = stream.device != NULL && are_options_good(&options) &&
                   have_proofs_a_place(&options) && needed != 0 && d_workspace != NULL &&
                   (uintptr_t)d_workspace % RP_WORKSPACE_ALIGNMENT == 0 && claimed >= needed &&
                   batch.d_input_sizes != NULL && batch.d_statuses != NULL;
    rp_status status = rp_compress_batch_async(d_workspace, claimed, &batch, &options, stream);
    check((status == RP_STATUS_OK) == is_good, "batch: accepted and wrong, or refused and right",
          status);
    if (status == RP_STATUS_OK) {
        check_batch_results(&batch, &arrays, has_checksum(&options));
        return;
    }
    check_refused(&working, status, &error);
    for (size_t i = 0; i < MAX_INPUTS; i++)
        check(arrays.statuses[i] == CANARY_STATUS && arrays.frame_bytes[i] == CANARY_SIZE,
              "refused, but written", status);
}

/* "The buffers serve every effort up to this one." For a higher one they do where it needs no more
 * than they have. */
static bool do_buffers_serve(const rp_stage_buffers *buffers, rp_effort effort)
{
    rp_stage_buffers needed = RP_STAGE_BUFFERS_INIT;
    if (!is_effort_good(effort) || effort <= usual_effort)
        return true; /* of other efforts, are_options_good() says it */
    /* Addresses only: nothing is touched. */
    check(rp_workspace_carve((void *)RP_WORKSPACE_ALIGNMENT, SIZE_MAX, 4096, 4, effort, &needed) ==
              RP_STATUS_OK,
          "carve for a higher effort", RP_STATUS_OK);
    return buffers->sequences_stride >= needed.sequences_stride &&
           buffers->literals_stride >= needed.literals_stride &&
           buffers->literals_section_stride >= needed.literals_section_stride &&
           buffers->sequences_section_stride >= needed.sequences_section_stride &&
           buffers->scratch_stride >= needed.scratch_stride;
}

/* Entry points may be left out. For zstd blocks of one size their part has the same size at every
 * effort. */
static bool are_entry_points_good(const rp_stage_buffers *buffers, size_t needed)
{
    if (buffers->d_entry_points == NULL)
        return true;
    return (uintptr_t)buffers->d_entry_points % RP_WORKSPACE_ALIGNMENT == 0 &&
           buffers->entry_points_stride >= needed &&
           buffers->entry_points_stride % RP_WORKSPACE_ALIGNMENT == 0;
}

static void spoil_entry_points(rp_stage_buffers *buffers)
{
    if (take_mishap())
        buffers->d_entry_points = take(1) & 1 ? NULL : buffers->d_entry_points + take(1);
    if (take_mishap())
        buffers->entry_points_stride = take_size(buffers->entry_points_stride);
}

/* On a device that only counts: whatever the buffers say, nothing follows their pointers. */
static void fuzz_stage(void)
{
    static rp_status (*const launches[])(const rp_batch *, const rp_stage_buffers *,
                                         const rp_compress_options *, rp_stream) = {
        rp_launch_lz77_matcher, rp_launch_huffman_encoder, rp_launch_fse_encoder,
        rp_launch_frame_assembler, rp_launch_frame_verifier};
    rp_error error;
    batch_arrays arrays;
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    rp_compress_options options = take_options(&error);
    rp_stream stream = {&idle.device, NULL};
    check(rp_workspace_carve(workspace, workspace_bytes, 4096, 4, usual_effort, &buffers) ==
              RP_STATUS_OK,
          "carve", RP_STATUS_OK);
    buffers.n_zstd_blocks = take_size(buffers.n_zstd_blocks);
    buffers.zstd_blocks_per_input = take_size(buffers.zstd_blocks_per_input);
    if (take_mishap())
        buffers.d_scratch = NULL;
    size_t entry_points_stride = buffers.entry_points_stride;
    spoil_entry_points(&buffers);
    uint64_t which = take(1) % 5;
    bool is_verifier = launches[which] == rp_launch_frame_verifier;
    /* The verifier writes proofs, whatever the flags say. */
    if (is_verifier)
        options.d_proofs = take_mishap() ? NULL : proofs;
    rp_batch batch = take_batch(&arrays);
    bool is_good =
        are_options_good(&options) && (!is_verifier || options.d_proofs != NULL) &&
        batch.d_input_sizes != NULL && batch.d_statuses != NULL && buffers.d_scratch != NULL &&
        batch.n_inputs >= 1 && batch.n_inputs <= RP_MAX_BATCH_INPUTS &&
        buffers.zstd_blocks_per_input >= 1 &&
        buffers.n_zstd_blocks / buffers.zstd_blocks_per_input == batch.n_inputs &&
        buffers.n_zstd_blocks % buffers.zstd_blocks_per_input == 0 &&
        buffers.n_zstd_blocks <= INT32_MAX && do_buffers_serve(&buffers, options.effort) &&
        are_entry_points_good(&buffers, entry_points_stride) &&
        batch.max_input_bytes <= buffers.zstd_block_bytes * buffers.zstd_blocks_per_input;
    rp_status status = launches[which](&batch, &buffers, &options, stream);
    check((status == RP_STATUS_OK) == is_good || batch.max_input_bytes > RP_MAX_INPUT_BYTES,
          "stage: accepted and wrong, or refused and right", status);
    if (status == RP_STATUS_OK)
        check(atomic_load(&idle.n_launches) == 1, "not one launch", status);
    else
        check_refused(&idle, status, &error);
}

static void fuzz_sizes(void)
{
    size_t n = take_size(4096);
    size_t n_inputs = take_size(4);
    rp_effort effort = take_effort();
    bool is_good = n <= RP_MAX_INPUT_BYTES && n_inputs >= 1 && n_inputs <= RP_MAX_BATCH_INPUTS &&
                   is_effort_good(effort);
    size_t bound = rp_compress_bound(n);
    check((bound != 0) == (n <= RP_MAX_INPUT_BYTES), "bound", RP_STATUS_OK);
    size_t bytes = rp_workspace_size(n, n_inputs, effort);
    check(bytes == 0 || is_good, "workspace size", RP_STATUS_OK);
    check(bytes % RP_WORKSPACE_ALIGNMENT == 0, "workspace size alignment", RP_STATUS_OK);
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    size_t claimed;
    uint8_t *d_workspace = take_workspace(&claimed);
    rp_status status = rp_workspace_carve(d_workspace, claimed, n, n_inputs, effort, &buffers);
    check((status == RP_STATUS_OK) == (bytes != 0 && claimed >= bytes && d_workspace != NULL &&
                                       (uintptr_t)d_workspace % RP_WORKSPACE_ALIGNMENT == 0),
          "carve", status);
    check(rp_status_name((rp_status)(int)take(4)) != NULL, "name", RP_STATUS_OK);
}

static void fuzz_pool(void)
{
    rp_error error;
    rp_pool_options pool_options = {sizeof(rp_pool_options),
                                    (uint32_t)take_size(2),
                                    take_size(4096),
                                    take_size(0),
                                    usual_effort,
                                    &error};
    pool_options.effort = take_effort();
    rp_pool *pool = (rp_pool *)(void *)&error;
    memset(&error, 0x7E, sizeof(error));
    bool is_good = pool_options.max_lanes >= 1 && pool_options.max_lanes <= RP_POOL_MAX_LANES &&
                   pool_options.max_input_bytes >= 1 &&
                   pool_options.max_input_bytes <= RP_MAX_INPUT_BYTES &&
                   is_effort_good(pool_options.effort);
    rp_status status = rp_pool_create(&working.device, &pool_options, &pool);
    check((status == RP_STATUS_OK) == is_good, "pool: accepted and wrong, or refused and right",
          status);
    check((pool != NULL) == (status == RP_STATUS_OK), "pool: pointer", status);
    rp_lane *lane = NULL;
    if (pool != NULL && pool_options.max_input_bytes <= INPUT_BYTES) {
        status = rp_pool_acquire(pool, &lane);
        check(status == RP_STATUS_OK || status == RP_STATUS_POOL_EXHAUSTED, "acquire", status);
    }
    if (lane != NULL) {
        size_t frame_bytes = CANARY_SIZE;
        rp_compress_options options = take_options(&error);
        size_t input_size = take_size(pool_options.max_input_bytes);
        size_t capacity = take_size(OUTPUT_BYTES);
        capacity = capacity < OUTPUT_BYTES ? capacity : OUTPUT_BYTES;
        status = rp_lane_compress(lane, input, input_size, output, capacity, &frame_bytes, &options,
                                  (uint32_t)take(4));
        if (status == RP_STATUS_OK)
            check(checker_frame(&checker, input, input_size, output, frame_bytes,
                                has_checksum(&options)),
                  checker.error, status);
        else
            check(frame_bytes == 0, "a size without a frame", status);
        size_t lane_bytes = rp_workspace_size(pool_options.max_input_bytes, 1, pool_options.effort);
        check(is_argument_error(status) ==
                  (input_size > pool_options.max_input_bytes || !are_options_good(&options) ||
                   rp_workspace_size(input_size, 1, options.effort) > lane_bytes),
              "lane: accepted and wrong, or refused and right", status);
    }
    rp_pool_release(pool, lane);
    rp_pool_destroy(pool);
    check(atomic_load(&working.n_allocated) == 0, "a lane's memory was left", status);
}

static void fuzz_device_name(void)
{
    char name[32];
    size_t n = data_left < sizeof(name) - 1 ? data_left : sizeof(name) - 1;
    memcpy(name, data_at, n);
    name[n] = '\0';
    rp_device *device = NULL;
    rp_status status = rp_device_open(name, &device);
    check((device != NULL) == (status == RP_STATUS_OK), "device: pointer", status);
    rp_device_close(device);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static void (*const functions[])(void) = {fuzz_single, fuzz_batch, fuzz_stage,
                                              fuzz_sizes,  fuzz_pool,  fuzz_device_name};
    if (workspace == NULL)
        set_up();
    data_at = data;
    data_left = n;
    atomic_store(&working.n_launches, 0);
    atomic_store(&idle.n_launches, 0);
    functions[take(1) % 6]();
    return 0;
}
