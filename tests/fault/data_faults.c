/* SPDX-License-Identifier: Apache-2.0 */
/* See data_faults.h. */
#include "tests/fault/data_faults.h"

#include <stdlib.h>
#include <string.h>

#define SETTLE_US 60000000u
/* Half of the flips of several bits are of neighbours. */
#define BURST_BYTES ((size_t)16)

/* The host's memory that a device may write to. */
struct staging_part {
    struct staging_part *next;
    const uint8_t *begin;
    size_t n_bytes;
};

bool staging_add(injecting_device *self, void *memory, size_t n_bytes)
{
    struct staging_part *made = malloc(sizeof(*made));
    if (made == NULL)
        return false;
    made->begin = memory;
    made->n_bytes = n_bytes;
    pthread_mutex_lock(&self->lock);
    made->next = self->staging;
    self->staging = made;
    pthread_mutex_unlock(&self->lock);
    return true;
}

void staging_remove(injecting_device *self, const void *memory)
{
    struct staging_part **at;
    pthread_mutex_lock(&self->lock);
    for (at = &self->staging; *at != NULL; at = &(*at)->next) {
        if ((*at)->begin == memory) {
            struct staging_part *gone = *at;
            *at = gone->next;
            free(gone);
            break;
        }
    }
    pthread_mutex_unlock(&self->lock);
}

static bool is_of_host(injecting_device *self, const void *memory)
{
    bool found = (self->device.flags & RP_DEVICE_HOST_MEMORY) != 0;
    pthread_mutex_lock(&self->lock);
    for (const struct staging_part *at = self->staging; at != NULL && !found; at = at->next)
        found = (uintptr_t)memory - (uintptr_t)at->begin < at->n_bytes;
    pthread_mutex_unlock(&self->lock);
    return found;
}

/* Numbers of one injection, the nth time. */
struct dice {
    uint64_t seed;
    uint64_t n;
};

static struct dice dice_of(const injecting_device *self, uint32_t i, uint64_t n)
{
    struct dice made = {plan_mix(self->plan.seed ^ UINT64_C(0xD1CE), i) + n, 0};
    return made;
}

static size_t below(struct dice *dice, size_t limit)
{
    return (size_t)(plan_mix(dice->seed, dice->n++) % limit);
}

/* Where a fault is made. */
typedef struct scene {
    injecting_device *self;
    struct injecting_stream *stream;
    const rp_stage_args *args;
    struct dice dice;
} scene;

static bool settle(scene *at)
{
    rp_status status = at->stream->inner.device->ops->wait(at->stream->inner, SETTLE_US);
    if (status != RP_STATUS_OK)
        at->stream->settled = status;
    return status == RP_STATUS_OK;
}

static bool transfer(scene *at, void *to, const void *from, size_t n_bytes, rp_copy_kind kind)
{
    const rp_device_ops *ops = at->self->inner->ops;
    const void *remote = kind == RP_COPY_DEVICE_TO_HOST ? from : to;
    if (!is_of_host(at->self, remote))
        return ops->copy_async(at->stream->inner, to, from, n_bytes, kind) == RP_STATUS_OK &&
               settle(at);
    if (!settle(at))
        return false;
    memcpy(to, from, n_bytes);
    return true;
}

static bool peek(scene *at, void *to, const void *from, size_t n_bytes)
{
    return from != NULL && transfer(at, to, from, n_bytes, RP_COPY_DEVICE_TO_HOST);
}

static bool poke(scene *at, void *to, const void *from, size_t n_bytes)
{
    return transfer(at, to, from, n_bytes, RP_COPY_HOST_TO_DEVICE);
}

/* Flips this many different bits, all if there are not as many. */
static void flip_bits(uint8_t *bytes, size_t n_bytes, size_t n_bits, struct dice *dice)
{
    size_t flipped[64];
    size_t begin = 0;
    if (n_bytes > BURST_BYTES && n_bits > 1 && below(dice, 2) == 0) {
        begin = below(dice, n_bytes - BURST_BYTES + 1);
        n_bytes = BURST_BYTES;
    }
    if (n_bits > n_bytes * 8)
        n_bits = n_bytes * 8;
    for (size_t i = 0; i < n_bits;) {
        size_t bit = begin * 8 + below(dice, n_bytes * 8);
        size_t k = 0;
        while (k < i && flipped[k] != bit)
            k++;
        if (k < i)
            continue;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        flipped[i++] = bit;
    }
}

static bool flip(scene *at, void *memory, size_t n_bytes, uint64_t n_bits)
{
    uint8_t *bytes = n_bytes == 0 || memory == NULL ? NULL : malloc(n_bytes);
    bool done = bytes != NULL && peek(at, bytes, memory, n_bytes);
    if (done) {
        flip_bits(bytes, n_bytes, n_bits, &at->dice);
        done = poke(at, memory, bytes, n_bytes);
    }
    free(bytes);
    return done;
}

/* A frame as the device has it. */
typedef struct frame_view {
    uint8_t *at;
    size_t capacity;
    size_t n_bytes;
    rp_status status;
} frame_view;

static bool look_at_frame(scene *at, size_t index, bool is_delivered, frame_view *view)
{
    const rp_kernel_batch *batch = &at->args->batch;
    const rp_single *single = &at->args->single;
    void *output = single->d_output;
    void *const *arrays = batch->d_outputs;
    if (is_delivered && batch->d_deliveries != NULL)
        arrays = batch->d_deliveries;
    if (is_delivered && single->d_delivery != NULL)
        output = single->d_delivery;
    view->capacity = single->output_capacity;
    if (batch->d_inputs != NULL && !peek(at, &output, arrays + index, sizeof(output)))
        return false;
    if (batch->d_output_capacities != NULL &&
        !peek(at, &view->capacity, batch->d_output_capacities + index, sizeof(view->capacity)))
        return false;
    view->at = output;
    return peek(at, &view->n_bytes, batch->d_output_sizes + index, sizeof(view->n_bytes)) &&
           peek(at, &view->status, batch->d_statuses + index, sizeof(view->status)) &&
           view->at != NULL && view->status == RP_STATUS_OK && view->n_bytes > 0 &&
           view->n_bytes <= view->capacity;
}

static bool flip_frame(scene *at, uint64_t n_bits, bool is_delivered)
{
    frame_view view;
    return look_at_frame(at, below(&at->dice, at->args->batch.n_inputs), is_delivered, &view) &&
           flip(at, view.at, view.n_bytes, n_bits);
}

/* Sizes that a caller who trusts them would suffer from are as likely as those that look right. */
static bool change_size(scene *at, uint64_t value)
{
    frame_view view;
    size_t index = below(&at->dice, at->args->batch.n_inputs);
    if (!look_at_frame(at, index, false, &view))
        return false;
    if (value == VALUE_DRAWN) {
        const size_t drawn[] = {0,
                                1,
                                view.n_bytes - 1,
                                view.n_bytes + 1,
                                below(&at->dice, view.n_bytes),
                                view.capacity,
                                view.capacity + 1,
                                (size_t)UINT32_MAX + view.n_bytes + 1,
                                SIZE_MAX};
        value = drawn[below(&at->dice, sizeof(drawn) / sizeof(drawn[0]))];
    }
    size_t size = (size_t)value;
    return size != view.n_bytes &&
           poke(at, at->args->batch.d_output_sizes + index, &size, sizeof(size));
}

/* Each gets the other's frame and size, if it fits. */
static bool swap_frames(scene *at)
{
    const size_t n = at->args->batch.n_inputs;
    frame_view a, b;
    if (n < 2)
        return false;
    size_t first = below(&at->dice, n);
    size_t second = (first + 1 + below(&at->dice, n - 1)) % n;
    if (!look_at_frame(at, first, false, &a) || !look_at_frame(at, second, false, &b) ||
        a.n_bytes > b.capacity || b.n_bytes > a.capacity)
        return false;
    uint8_t *bytes = malloc(a.n_bytes + b.n_bytes);
    bool done = bytes != NULL && peek(at, bytes, a.at, a.n_bytes) &&
                peek(at, bytes + a.n_bytes, b.at, b.n_bytes);
    /* The same frame twice is no fault. */
    done = done && (a.n_bytes != b.n_bytes || memcmp(bytes, bytes + a.n_bytes, a.n_bytes) != 0) &&
           poke(at, b.at, bytes, a.n_bytes) && poke(at, a.at, bytes + a.n_bytes, b.n_bytes) &&
           poke(at, at->args->batch.d_output_sizes + first, &b.n_bytes, sizeof(b.n_bytes)) &&
           poke(at, at->args->batch.d_output_sizes + second, &a.n_bytes, sizeof(a.n_bytes));
    free(bytes);
    return done;
}

/* Something of what this stage has left for the next. */
static bool flip_workspace(scene *at, rp_stage stage, uint64_t n_bits)
{
    const rp_kernel_buffers *buffers = &at->args->buffers;
    size_t index = below(&at->dice, buffers->n_zstd_blocks);
    rp_zstd_block block;
    struct {
        void *at;
        size_t n_bytes;
    } parts[3] = {{buffers->d_zstd_blocks + index, sizeof(block)}, {NULL, 0}, {NULL, 0}};
    if (!peek(at, &block, buffers->d_zstd_blocks + index, sizeof(block)))
        return false;
    if (stage == RP_STAGE_LZ77_MATCHER) {
        if (block.n_sequences <= buffers->sequences_stride) {
            parts[1].at = buffers->d_sequences + index * buffers->sequences_stride;
            parts[1].n_bytes = block.n_sequences * sizeof(rp_sequence);
        }
        if (block.n_literals <= buffers->literals_stride) {
            parts[2].at = buffers->d_literals + index * buffers->literals_stride;
            parts[2].n_bytes = block.n_literals;
        }
    } else if (stage == RP_STAGE_HUFFMAN_ENCODER &&
               block.literals_section_bytes <= buffers->literals_section_stride) {
        parts[1].at = buffers->d_literals_sections + index * buffers->literals_section_stride;
        parts[1].n_bytes = block.literals_section_bytes;
    } else if (stage == RP_STAGE_FSE_ENCODER &&
               block.sequences_section_bytes <= buffers->sequences_section_stride) {
        parts[1].at = buffers->d_sequences_sections + index * buffers->sequences_section_stride;
        parts[1].n_bytes = block.sequences_section_bytes;
    }
    size_t which = below(&at->dice, 3);
    while (parts[which].n_bytes == 0)
        which = (which + 1) % 3;
    return flip(at, parts[which].at, parts[which].n_bytes, n_bits);
}

/* The input where the device has it, until something else is copied there. */
static bool flip_input(scene *at, uint64_t n_bits)
{
    const rp_kernel_batch *batch = &at->args->batch;
    void *input = (void *)(uintptr_t)at->args->single.d_input;
    size_t n_bytes = at->args->single.input_size;
    size_t index = below(&at->dice, batch->n_inputs);
    if (batch->d_inputs != NULL &&
        (!peek(at, &input, batch->d_inputs + index, sizeof(input)) ||
         !peek(at, &n_bytes, batch->d_input_sizes + index, sizeof(n_bytes))))
        return false;
    return n_bytes <= batch->max_input_bytes && flip(at, input, n_bytes, n_bits);
}

/* What a launch reads in place of the caller's own memory. */
typedef struct wrong_input {
    uint8_t *bytes;
    const void **inputs;
} wrong_input;

static bool make_wrong_input(scene *at, uint64_t n_bits, struct rp_launch *launch,
                             wrong_input *wrong)
{
    rp_kernel_batch *batch = &launch->args.batch;
    const void *input = launch->args.single.d_input;
    size_t n_bytes = launch->args.single.input_size;
    size_t index = below(&at->dice, batch->n_inputs);
    if (wrong->bytes != NULL)
        return false;
    if (batch->d_inputs != NULL) {
        input = batch->d_inputs[index];
        n_bytes = batch->d_input_sizes[index];
    }
    if (n_bytes == 0 || n_bytes > batch->max_input_bytes)
        return false;
    wrong->bytes = malloc(n_bytes);
    wrong->inputs = calloc(batch->n_inputs, sizeof(*wrong->inputs));
    if (wrong->bytes == NULL || wrong->inputs == NULL)
        return false;
    memcpy(wrong->bytes, input, n_bytes);
    flip_bits(wrong->bytes, n_bytes, n_bits, &at->dice);
    if (batch->d_inputs == NULL) {
        launch->args.single.d_input = wrong->bytes;
        return true;
    }
    memcpy(wrong->inputs, batch->d_inputs, batch->n_inputs * sizeof(*wrong->inputs));
    wrong->inputs[index] = wrong->bytes;
    batch->d_inputs = wrong->inputs;
    return true;
}

/* Whether there is what the injection is for, behind a launch of this stage. */
static bool is_behind(const injection *planned, rp_stage stage)
{
    switch (planned->at) {
    case AT_WORKSPACE:
        return stage == RP_STAGE_LZ77_MATCHER || stage == RP_STAGE_HUFFMAN_ENCODER ||
               stage == RP_STAGE_FSE_ENCODER;
    case AT_FRAME:
    case AT_SIZE:
    case AT_STATUS:
        return stage == RP_STAGE_FRAME_ASSEMBLER || stage == RP_STAGE_FUSED;
    case AT_PROOF:
        return stage == RP_STAGE_FRAME_VERIFIER;
    default:
        return false;
    }
}

static bool make_behind(scene *at, const injection *planned, rp_stage stage)
{
    const rp_kernel_batch *batch = &at->args->batch;
    size_t index;
    if (planned->kind == INJECT_SIZE)
        return change_size(at, planned->value);
    if (planned->kind == INJECT_SWAP)
        return swap_frames(at);
    switch (planned->at) {
    case AT_WORKSPACE:
        return flip_workspace(at, stage, planned->value);
    case AT_FRAME:
        return flip_frame(at, planned->value, false);
    case AT_SIZE:
        index = below(&at->dice, batch->n_inputs);
        return flip(at, batch->d_output_sizes + index, sizeof(size_t), planned->value);
    case AT_STATUS:
        index = below(&at->dice, batch->n_inputs);
        return flip(at, batch->d_statuses + index, sizeof(rp_status), planned->value);
    default:
        index = below(&at->dice, batch->n_inputs);
        return batch->d_proofs != NULL &&
               flip(at, batch->d_proofs + index, sizeof(rp_proof), planned->value);
    }
}

rp_status data_faults_launch(injecting_device *self, struct injecting_stream *stream,
                             const struct rp_launch *launch)
{
    const bool on_host = (self->device.flags & RP_DEVICE_HOST_MEMORY) != 0;
    const rp_stage stage = launch->stage;
    const bool begins = stage == RP_STAGE_LZ77_MATCHER || stage == RP_STAGE_FUSED;
    struct rp_launch changed = *launch;
    wrong_input wrong = {NULL, NULL};
    scene at = {self, stream, &launch->args, {0, 0}};
    uint64_t n;

    for (uint32_t i = 0; i < self->plan.n; i++) {
        const injection *planned = &self->plan.injections[i];
        if (planned->at != AT_INPUT ||
            !(begins || (on_host && stage == RP_STAGE_FRAME_ASSEMBLER)) ||
            !injection_take(self, i, &n))
            continue;
        at.dice = dice_of(self, i, n);
        if (!(on_host ? make_wrong_input(&at, planned->value, &changed, &wrong)
                      : flip_input(&at, planned->value)))
            injection_return(self, i);
    }
    rp_status status = self->inner->ops->launch(stream->inner, &changed);
    free(wrong.bytes);
    free(wrong.inputs);
    if (status != RP_STATUS_OK)
        return status;
    if (stage == RP_STAGE_FRAME_ASSEMBLER || stage == RP_STAGE_FUSED ||
        stage == RP_STAGE_FRAME_VERIFIER) {
        stream->frames = launch->args;
        stream->has_frames = true;
    }
    for (uint32_t i = 0; i < self->plan.n; i++) {
        const injection *planned = &self->plan.injections[i];
        if (!is_behind(planned, stage) || !injection_take(self, i, &n))
            continue;
        at.dice = dice_of(self, i, n);
        if (!make_behind(&at, planned, stage))
            injection_return(self, i);
    }
    return RP_STATUS_OK;
}

/* In what a copy has brought, or in what the device has written to the host's memory itself. */
static bool flip_delivered(scene *at, uint64_t n_bits)
{
    struct injecting_stream *stream = at->stream;
    const rp_kernel_batch *batch = &at->args->batch;
    size_t n_arrivals = stream->n_arrivals < MAX_ARRIVALS ? stream->n_arrivals : MAX_ARRIVALS;
    if (n_arrivals > 0) {
        const struct arrival *one = &stream->arrivals[below(&at->dice, n_arrivals)];
        flip_bits(one->at, one->n_bytes, n_bits, &at->dice);
        return true;
    }
    if (!stream->has_frames || !is_of_host(at->self, batch->d_output_sizes))
        return false;
    size_t index = below(&at->dice, batch->n_inputs);
    switch (below(&at->dice, 8)) {
    case 0:
        return flip(at, batch->d_output_sizes + index, sizeof(size_t), n_bits);
    case 1:
        return flip(at, batch->d_statuses + index, sizeof(rp_status), n_bits);
    case 2:
        if (batch->d_proofs != NULL)
            return flip(at, batch->d_proofs + index, sizeof(rp_proof), n_bits);
        return flip_frame(at, n_bits, true);
    default:
        return flip_frame(at, n_bits, true);
    }
}

void data_faults_waited(injecting_device *self, struct injecting_stream *stream)
{
    scene at = {self, stream, &stream->frames, {0, 0}};
    uint64_t n;
    for (uint32_t i = 0; i < self->plan.n; i++) {
        const injection *planned = &self->plan.injections[i];
        if (planned->at != AT_DELIVERED || (stream->n_arrivals == 0 && !stream->has_frames) ||
            !injection_take(self, i, &n))
            continue;
        at.dice = dice_of(self, i, n);
        if (!flip_delivered(&at, planned->value))
            injection_return(self, i);
    }
    stream->n_arrivals = 0;
    stream->has_frames = false;
}
