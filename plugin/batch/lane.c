/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes of batches: see batch/lane.h.
 *
 * A lane whose device is done is noticed by the thread that serves it (batch/service.h). Where
 * there is none, by a thread that waits for its chunk, or by one that looks for a free lane. Calls
 * of the device for one stream are made by one thread at a time, the one that attends to the lane.
 *
 * A lane whose work did not end in time keeps its slabs until it does: the device may still write
 * to them. If the device is lost, they are kept until the process ends: no more than the lanes
 * hold.
 */
#include "plugin/batch/lane.h"

#include <pthread.h>
#include <string.h>

#include "plugin/batch/chunk.h"
#include "plugin/batch/plan.h"
#include "plugin/batch/slab.h"
#include "plugin/core/costs.h"
#include "plugin/core/nesting.h"
#include "plugin/core/stats.h"
#include "plugin/device/session.h"

#define MAX_LANES 64u

static const rp_device *device;
static struct rp_batch_lane lanes[MAX_LANES];
static uint32_t n_lanes;
static uint32_t chunk_slabs;
static size_t workspace_bytes;
static rp_effort effort; /* the highest that lanes have memory for */
static uint32_t timeout_us;
static bool proves;       /* RP_VERIFY_DEVICE */
static uint64_t chunk_ns; /* recent time of a chunk on the device; 0: not known */

/* The arrays of a launch and, from OUTPUT_SIZE on, of its results, with an element for each block.
 */
enum {
    INPUT,
    INPUT_SIZE,
    OUTPUT,
    CAPACITY,
    DELIVERY,
    OUTPUT_SIZE,
    STATUS,
    PROOF,
    PROOF_END = PROOF + 1,
    N_ARRAYS
};

/* Every array has RP_BATCH_CHUNK_BLOCKS elements of 8 bytes; of proofs, which have 16, each takes
 * two. */
#define ARRAY_BYTES ((size_t)RP_BATCH_CHUNK_BLOCKS * 8)

static void *array_at(uint8_t *arrays, int which)
{
    return arrays + (size_t)which * ARRAY_BYTES;
}

static bool on_host(void)
{
    return (device->flags & RP_DEVICE_HOST_MEMORY) != 0;
}

/* Whether the device writes frames and results to slabs and arrays of the host, without a copy. */
static bool delivers(void)
{
    return on_host() || (device->flags & RP_DEVICE_MAPPED_STAGING) != 0;
}

/* Whether the stages leave frames on the device, and the frame verifier writes them to the slabs: a
 * GPU reads the host's memory slowly. */
static bool is_delivered_by_verifier(void)
{
    return proves && delivers() && !on_host();
}

void rp_batch_lanes_setup(const rp_device *used, const rp_plugin_config *config, uint32_t slabs)
{
    size_t chunk_bytes = slabs * rp_batch_slab_bytes();
    size_t one, lane_bytes;

    /* Any level may come next, so lanes have memory for the highest effort. */
    effort = config->effort == RP_PLUGIN_EFFORT_AUTO ? RP_EFFORT_MAX : (rp_effort)config->effort;
    one = rp_workspace_size(rp_batch_slab_bytes(), 1, effort);
    device = used;
    chunk_slabs = slabs;
    timeout_us = config->timeout_ms * 1000u;
    proves = config->verify == RP_VERIFY_DEVICE;
    /* Blocks of 4 KiB take more workspace than larger ones with as many bytes together. */
    workspace_bytes = rp_workspace_size(4096, chunk_bytes / 4096, effort);
    if (workspace_bytes < one)
        workspace_bytes = one;
    lane_bytes = workspace_bytes + 2 * chunk_bytes + N_ARRAYS * ARRAY_BYTES;
    n_lanes = config->batch_lanes < MAX_LANES ? config->batch_lanes : MAX_LANES;
    /* At most half of the bound, which is also that of the lanes of single blocks. */
    if (config->memory_bytes != 0 && n_lanes > config->memory_bytes / 2 / lane_bytes)
        n_lanes = (uint32_t)(config->memory_bytes / 2 / lane_bytes);
}

uint64_t rp_batch_lanes_timeout_ns(void)
{
    return timeout_us * UINT64_C(1000);
}

uint32_t rp_batch_lanes_most(void)
{
    return n_lanes;
}

uint32_t rp_batch_lanes_chunk_slabs(void)
{
    return chunk_slabs;
}

bool rp_batch_lanes_hold(size_t max_block_bytes, uint32_t n_blocks)
{
    return rp_workspace_size(max_block_bytes, n_blocks, effort) <= workspace_bytes;
}

/* Without the lock: what is said about the lane under it stays as it is. */
static rp_status make(struct rp_batch_lane *lane)
{
    const rp_stream none = {NULL, NULL};
    size_t input_bytes = on_host() ? 0 : chunk_slabs * rp_batch_slab_bytes();
    size_t array_bytes = on_host() ? 0 : N_ARRAYS * ARRAY_BYTES;
    void *memory = NULL, *arrays = NULL;
    rp_status status = rp_stream_create(device, &lane->stream);

    if (status == RP_STATUS_OK)
        status = device->ops->memory_alloc(device, workspace_bytes + 2 * input_bytes + array_bytes,
                                           &memory);
    if (status == RP_STATUS_OK)
        status = device->ops->staging_alloc(device, N_ARRAYS * ARRAY_BYTES, &arrays);
    if (status != RP_STATUS_OK) {
        if (memory != NULL)
            device->ops->memory_free(device, memory);
        rp_stream_destroy(lane->stream);
        lane->stream = none;
        return status;
    }
    lane->d_workspace = memory;
    lane->workspace_bytes = workspace_bytes;
    lane->arrays = arrays;
    lane->d_arrays = lane->arrays;
    if (!on_host()) {
        lane->d_input = lane->d_workspace + workspace_bytes;
        lane->d_output = lane->d_input + input_bytes;
        lane->d_arrays = lane->d_output + input_bytes;
    }
    return RP_STATUS_OK;
}

static bool awaits_look(const struct rp_batch_lane *lane, bool with_slabs)
{
    return lane->is_busy && !lane->is_attended && (lane->owns_slabs || !with_slabs);
}

/* A lane that is free, one that has finished unnoticed if `asks`, or else one that is yet to be
 * made. Asking a few lanes costs less than the device memory that another one would hold. */
static struct rp_batch_lane *find_free(bool asks)
{
    for (uint32_t i = 0; i < n_lanes; i++) {
        if (lanes[i].is_made && !lanes[i].is_busy && !lanes[i].is_attended)
            return &lanes[i];
    }
    for (uint32_t i = 0; i < n_lanes && asks; i++) {
        if (!awaits_look(&lanes[i], false))
            continue;
        rp_batch_lane_attend(&lanes[i], 0);
        if (!lanes[i].is_busy && !lanes[i].is_attended)
            return &lanes[i];
    }
    for (uint32_t i = 0; i < n_lanes; i++) {
        if (!lanes[i].is_made && !lanes[i].is_attended)
            return &lanes[i];
    }
    return NULL;
}

struct rp_batch_lane *rp_batch_lane_take(bool asks, rp_status *status)
{
    struct rp_batch_lane *lane = find_free(asks);

    *status = RP_STATUS_POOL_EXHAUSTED;
    if (lane == NULL)
        return NULL;
    lane->is_attended = true;
    *status = RP_STATUS_OK;
    if (!lane->is_made) {
        pthread_mutex_unlock(&rp_batch_lock);
        *status = make(lane);
        pthread_mutex_lock(&rp_batch_lock);
        lane->is_made = *status == RP_STATUS_OK;
        lane->is_attended = lane->is_made;
    }
    if (*status != RP_STATUS_OK)
        return NULL;
    lane->is_busy = true;
    return lane;
}

void rp_batch_lane_occupy(struct rp_batch_lane *lane, struct rp_open_batch *batch,
                          struct rp_batch_chunk *chunk, const rp_compress_options *options)
{
    lane->batch = batch;
    lane->chunk = chunk;
    lane->options = *options;
    lane->n_blocks = chunk->n_blocks;
    lane->max_block_bytes = chunk->max_block_bytes;
    lane->n_slabs = chunk->n_slabs;
    for (uint32_t i = 0; i < chunk->n_slabs; i++) {
        lane->raw_slabs[i] = batch->raw_slabs[chunk->first_slab + i];
        lane->frame_slabs[i] = batch->frame_slabs[chunk->first_slab + i];
        lane->slab_used[i] = batch->slab_used[chunk->first_slab + i];
    }
    lane->launched_ns = rp_clock_ns();
    chunk->lane = lane;
}

/* The slabs lie one after the other in the lane's device memory. */
static void fill_arrays(struct rp_batch_lane *lane)
{
    const struct rp_open_batch *batch = lane->batch;
    const struct rp_batch_chunk *chunk = lane->chunk;
    const void **inputs = array_at(lane->arrays, INPUT);
    size_t *sizes = array_at(lane->arrays, INPUT_SIZE);
    void **outputs = array_at(lane->arrays, OUTPUT);
    size_t *capacities = array_at(lane->arrays, CAPACITY);
    void **deliveries = array_at(lane->arrays, DELIVERY);
    bool is_direct = delivers() && !is_delivered_by_verifier();
    size_t slab_bytes = rp_batch_slab_bytes();

    for (uint32_t i = 0; i < chunk->n_blocks; i++) {
        const struct rp_batch_block *block = &batch->blocks[chunk->first_block + i];
        uint32_t slab = block->slab - chunk->first_slab;
        inputs[i] = (on_host() ? (const uint8_t *)lane->raw_slabs[slab]
                               : lane->d_input + slab * slab_bytes) +
                    block->offset;
        deliveries[i] = (uint8_t *)lane->frame_slabs[slab] + block->offset;
        outputs[i] = is_direct ? deliveries[i] : lane->d_output + slab * slab_bytes + block->offset;
        sizes[i] = block->size;
        capacities[i] = block->size;
    }
}

static rp_status copy_slabs(struct rp_batch_lane *lane, rp_copy_kind kind)
{
    rp_status status = RP_STATUS_OK;

    for (uint32_t i = 0; i < lane->n_slabs && status == RP_STATUS_OK; i++) {
        size_t at = i * rp_batch_slab_bytes();
        if (kind == RP_COPY_HOST_TO_DEVICE)
            status = device->ops->copy_async(lane->stream, lane->d_input + at, lane->raw_slabs[i],
                                             lane->slab_used[i], kind);
        else
            status = device->ops->copy_async(lane->stream, lane->frame_slabs[i],
                                             lane->d_output + at, lane->slab_used[i], kind);
    }
    return status;
}

/* Copies the used part of the arrays from `first` to `last`. */
static rp_status copy_arrays(struct rp_batch_lane *lane, int first, int last, rp_copy_kind kind)
{
    rp_status status = RP_STATUS_OK;

    for (int i = first; i <= last && status == RP_STATUS_OK; i++) {
        size_t bytes = lane->n_blocks * (i == PROOF ? sizeof(rp_proof) : sizeof(uint64_t));
        uint8_t *host = array_at(lane->arrays, i), *remote = array_at(lane->d_arrays, i);
        bool to_device = kind == RP_COPY_HOST_TO_DEVICE;
        status = device->ops->copy_async(lane->stream, to_device ? remote : host,
                                         to_device ? host : remote, bytes, kind);
    }
    return status;
}

/* Fills the places of the results with what no kernel writes. A device that does nothing, or not
 * all, leaves it there. */
static void poison_results(struct rp_batch_lane *lane)
{
    memset(array_at(lane->arrays, OUTPUT_SIZE), 0xA5, lane->n_blocks * sizeof(size_t));
    memset(array_at(lane->arrays, STATUS), 0xA5, lane->n_blocks * sizeof(rp_status));
    memset(array_at(lane->arrays, PROOF), 0xA5, lane->n_blocks * sizeof(rp_proof));
}

void rp_batch_lane_prepare(struct rp_batch_lane *lane)
{
    fill_arrays(lane);
    poison_results(lane);
}

rp_status rp_batch_lane_launch(struct rp_batch_lane *lane)
{
    uint8_t *d_results = delivers() ? lane->arrays : lane->d_arrays;
    rp_compress_options options = lane->options;
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = array_at(lane->d_arrays, INPUT),
        .d_input_sizes = array_at(lane->d_arrays, INPUT_SIZE),
        .max_input_bytes = lane->max_block_bytes,
        .n_inputs = lane->n_blocks,
        .d_outputs = array_at(lane->d_arrays, OUTPUT),
        .d_output_capacities = array_at(lane->d_arrays, CAPACITY),
        .d_output_sizes = array_at(d_results, OUTPUT_SIZE),
        .d_statuses = array_at(d_results, STATUS),
    };
    rp_status status = RP_STATUS_OK;

    if (proves) {
        options.flags |= RP_COMPRESS_VERIFY;
        options.d_proofs = array_at(d_results, PROOF);
        batch.d_deliveries = is_delivered_by_verifier() ? array_at(lane->d_arrays, DELIVERY) : NULL;
    }
    if (!on_host()) {
        status = copy_arrays(lane, INPUT, delivers() ? DELIVERY : PROOF, RP_COPY_HOST_TO_DEVICE);
        if (status == RP_STATUS_OK)
            status = copy_slabs(lane, RP_COPY_HOST_TO_DEVICE);
    }
    if (status == RP_STATUS_OK)
        status = rp_compress_batch_async(lane->d_workspace, lane->workspace_bytes, &batch, &options,
                                         lane->stream);
    if (!delivers()) {
        if (status == RP_STATUS_OK)
            status = copy_arrays(lane, OUTPUT_SIZE, PROOF, RP_COPY_DEVICE_TO_HOST);
        if (status == RP_STATUS_OK)
            status = copy_slabs(lane, RP_COPY_DEVICE_TO_HOST);
    }
    return status;
}

/* RFC 8878 section 3.1.1: magic number, descriptor, one byte of content size, one block header. */
#define SHORTEST_FRAME_BYTES 9u

/* RP_STATUS_OK if a frame may have this status and size. */
static rp_status judge(rp_status status, size_t frame_size, size_t capacity)
{
    if (status == RP_STATUS_OK && frame_size >= SHORTEST_FRAME_BYTES && frame_size <= capacity)
        return RP_STATUS_OK;
    if (status == RP_STATUS_OUTPUT_TOO_SMALL && frame_size == 0)
        return RP_STATUS_OK;
    if (status == RP_STATUS_INTERNAL && frame_size == 0)
        return RP_STATUS_INTERNAL;
    return RP_STATUS_VERIFICATION_FAILED;
}

/* Takes the results of a chunk that is done. RP_STATUS_OK unless one of them is wrong. */
static rp_status take_results(const struct rp_batch_lane *lane)
{
    const size_t *sizes = array_at(lane->arrays, OUTPUT_SIZE);
    const rp_status *statuses = array_at(lane->arrays, STATUS);
    const rp_proof *proofs = array_at(lane->arrays, PROOF);
    rp_status judged = RP_STATUS_OK;

    for (uint32_t i = 0; i < lane->n_blocks && judged == RP_STATUS_OK; i++) {
        struct rp_batch_block *block = &lane->batch->blocks[lane->chunk->first_block + i];
        judged = judge(statuses[i], sizes[i], block->size);
        block->status = statuses[i];
        block->frame_bytes = (uint32_t)sizes[i];
        block->proof = proofs[i];
    }
    return judged;
}

static void give_slabs_back(struct rp_batch_lane *lane)
{
    for (uint32_t i = 0; i < lane->n_slabs && lane->owns_slabs; i++) {
        rp_batch_slab_give(lane->raw_slabs[i], false);
        rp_batch_slab_give(lane->frame_slabs[i], true);
    }
    lane->owns_slabs = false;
}

/* By a thread that serves: its time is the batch's. */
static void account(struct rp_batch_lane *lane)
{
    if (lane->cpu_begun_ns != 0 && lane->batch != NULL)
        atomic_fetch_add_explicit(&lane->batch->cpu_ns, rp_costs_cpu_ns() - lane->cpu_begun_ns,
                                  memory_order_relaxed);
    lane->cpu_begun_ns = 0;
}

static void fail_chunk(struct rp_batch_lane *lane, rp_status status)
{
    if (lane->chunk == NULL || lane->chunk->state == RP_CHUNK_FAILED)
        return;
    rp_session_fault(status, lane->pass);
    lane->chunk->state = RP_CHUNK_FAILED;
    pthread_cond_broadcast(&rp_batch_changed);
}

void rp_batch_lane_settle(struct rp_batch_lane *lane, rp_status status)
{
    struct rp_batch_chunk *chunk = lane->chunk;

    if (status != RP_STATUS_OK) {
        fail_chunk(lane, status);
        return;
    }
    lane->is_busy = false;
    if (chunk != NULL) {
        chunk->lane = NULL;
        if (chunk->state == RP_CHUNK_RUNNING) {
            status = take_results(lane);
            if (status == RP_STATUS_OK) {
                chunk->state = RP_CHUNK_DONE;
                rp_session_success(lane->pass);
            } else {
                fail_chunk(lane, status);
            }
        }
        lane->chunk = NULL;
        lane->batch = NULL;
        pthread_cond_broadcast(&rp_batch_changed);
    }
    give_slabs_back(lane);
}

void rp_batch_lane_clear(struct rp_batch_lane *lane)
{
    lane->is_busy = false;
    lane->is_attended = false;
    if (lane->chunk != NULL)
        lane->chunk->lane = NULL;
    lane->chunk = NULL;
    lane->batch = NULL;
    give_slabs_back(lane);
}

uint64_t rp_batch_lane_expected_ns(const struct rp_batch_lane *lane)
{
    uint64_t elapsed = rp_clock_ns() - lane->launched_ns;

    return chunk_ns > elapsed ? chunk_ns - elapsed : 0;
}

/* A shorter wait was none: the device had finished some time before. */
#define NO_WAIT_NS 20000u

/* A chunk is done. If no thread waited for it, it may have been done for some time. */
static void note_duration(const struct rp_batch_lane *lane, uint64_t waited_ns)
{
    uint64_t ns = rp_clock_ns() - lane->launched_ns;

    if (waited_ns > NO_WAIT_NS)
        chunk_ns = chunk_ns == 0 ? ns : chunk_ns - chunk_ns / 8 + ns / 8;
    else if (chunk_ns == 0 || ns < chunk_ns)
        chunk_ns = ns;
}

/* Whether a wait of `waited_ns` that was to last limit_us gives the lane up. A thread may have
 * waited for less than a block may take: it has better things to do. But a device that does not
 * even wait refuses (device/bounded_device.h), and whoever asked it again and again would keep a
 * core busy. */
static bool is_overdue(const struct rp_batch_lane *lane, uint32_t limit_us, uint64_t waited_ns)
{
    bool is_refused = waited_ns + 1000 < limit_us * UINT64_C(1000);

    return is_refused || rp_clock_ns() - lane->launched_ns > timeout_us * UINT64_C(1000);
}

void rp_batch_lane_attend(struct rp_batch_lane *lane, uint32_t limit_us)
{
    uint64_t begun = rp_clock_ns(), waited_ns;
    rp_nesting nesting;
    rp_status status;

    lane->is_attended = true;
    pthread_mutex_unlock(&rp_batch_lock);
    rp_nesting_enter(&nesting);
    status = rp_stream_wait(lane->stream, limit_us);
    rp_nesting_leave(&nesting);
    waited_ns = rp_clock_ns() - begun;
    pthread_mutex_lock(&rp_batch_lock);
    lane->is_attended = false;
    account(lane);
    if (status == RP_STATUS_OK)
        note_duration(lane, rp_clock_ns() - begun);
    if (status != RP_STATUS_TIMEOUT || is_overdue(lane, limit_us, waited_ns))
        rp_batch_lane_settle(lane, status);
    else if (lane->is_awaited)
        pthread_cond_broadcast(&rp_batch_changed); /* another one goes on waiting for the device */
    lane->is_awaited = false;
}

bool rp_batch_lanes_await_look(bool with_slabs)
{
    for (uint32_t i = 0; i < n_lanes; i++)
        if (awaits_look(&lanes[i], with_slabs))
            return true;
    return false;
}

void rp_batch_lanes_collect(bool with_slabs)
{
    for (uint32_t i = 0; i < n_lanes; i++)
        if (awaits_look(&lanes[i], with_slabs))
            rp_batch_lane_attend(&lanes[i], 0);
}
