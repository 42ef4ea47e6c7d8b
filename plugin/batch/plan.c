/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch from samples: see batch/plan.h.
 *
 * RocksDB shows the blocks of a file in a scattered order: sample k of N is block (N/2 + k * P) mod
 * N with a prime P (BlockBasedTableBuilder::EnterUnbuffered, the same from 6.x to 11.x). It will
 * ask for them in the order of the file, which is restored here, so that a file is compressed and
 * freed from its front to its end. If RocksDB stopped sampling before the last block, N is not the
 * number of blocks and the order is wrong. That costs speed and nothing else: blocks are found by
 * their content, and the order only says where to look first.
 */
#include "plugin/batch/plan.h"

#include <stdlib.h>
#include <string.h>

#include "plugin/batch/block_table.h"
#include "plugin/batch/lane.h"
#include "plugin/batch/service.h"
#include "plugin/batch/slab.h"
#include "plugin/core/stats.h"

#define SAMPLING_PRIME UINT64_C(545055921143)

/* Where the bytes of a block are in the samples. */
struct source {
    size_t offset;
    size_t size;
};

/* Samples in the order in which they will be asked for. */
static struct source *in_file_order(const size_t *sizes, size_t n_samples, size_t *total)
{
    struct source *sources = malloc(n_samples * sizeof(*sources));
    size_t step = (size_t)(SAMPLING_PRIME % n_samples);
    size_t place = n_samples / 2;
    size_t offset = 0;

    if (sources == NULL)
        return NULL;
    /* Every place is visited, as N is never a multiple of the prime. A compiler can not know that,
     * so the memory is initialised. */
    memset(sources, 0, n_samples * sizeof(*sources));
    for (size_t i = 0; i < n_samples; i++) {
        sources[place].offset = offset;
        sources[place].size = sizes[i];
        offset += sizes[i];
        place += step;
        if (place >= n_samples)
            place -= n_samples;
    }
    *total = offset;
    return sources;
}

struct plan {
    struct rp_open_batch *batch;
    struct rp_batch_chunk *chunk; /* being filled; NULL: the next block begins one */
    size_t n_slabs;               /* capacity of the batch's arrays */
    uint32_t chunk_slabs;         /* most slabs of a chunk */
    uint32_t chunk_blocks;        /* most blocks of this chunk, by its largest block so far */
    uint64_t slabs_ns;            /* the time that slabs have taken */
};

/* How many blocks of up to max_bytes a lane has a workspace for. */
static uint32_t blocks_that_fit(size_t max_bytes)
{
    uint32_t low = 1, high = RP_BATCH_CHUNK_BLOCKS;

    while (low < high) {
        uint32_t middle = (low + high + 1) / 2;
        if (rp_batch_lanes_hold(max_bytes, middle))
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* All slabs together take one timeout at most, and that of the call that is then under way. */
static void *take_slab(struct plan *plan)
{
    uint64_t begun_ns = rp_clock_ns();
    void *slab = NULL;

    if (plan->slabs_ns <= rp_batch_lanes_timeout_ns())
        slab = rp_batch_slab_take(false);
    plan->slabs_ns += rp_clock_ns() - begun_ns;
    return slab;
}

static bool next_slab(struct plan *plan)
{
    struct rp_open_batch *batch = plan->batch;

    if (plan->chunk != NULL && plan->chunk->n_slabs == plan->chunk_slabs)
        plan->chunk = NULL;
    if (batch->n_slabs == plan->n_slabs)
        return false;
    batch->raw_slabs[batch->n_slabs] = take_slab(plan);
    if (batch->raw_slabs[batch->n_slabs] == NULL)
        return false;
    batch->n_slabs++;
    if (plan->chunk == NULL) {
        plan->chunk = &batch->chunks[batch->n_chunks++];
        plan->chunk->first_block = batch->n_blocks;
        plan->chunk->first_slab = batch->n_slabs - 1;
        plan->chunk_blocks = RP_BATCH_CHUNK_BLOCKS;
    }
    plan->chunk->n_slabs++;
    return true;
}

/* False when memory has run out. */
static bool add_block(struct plan *plan, const uint8_t *bytes, size_t size)
{
    struct rp_open_batch *batch = plan->batch;
    struct rp_batch_chunk *chunk = plan->chunk;
    struct rp_batch_block *block = &batch->blocks[batch->n_blocks];

    if (chunk != NULL && size > chunk->max_block_bytes) {
        uint32_t fit = blocks_that_fit(size);
        if (chunk->n_blocks + 1 > fit)
            chunk = plan->chunk = NULL;
        else
            plan->chunk_blocks = fit;
    }
    if (chunk != NULL && chunk->n_blocks == plan->chunk_blocks)
        chunk = plan->chunk = NULL;
    if (chunk == NULL || batch->slab_used[batch->n_slabs - 1] + size > rp_batch_slab_bytes()) {
        if (!next_slab(plan))
            return false;
        if (chunk != plan->chunk)
            plan->chunk_blocks = blocks_that_fit(size);
        chunk = plan->chunk;
    }
    block->size = (uint32_t)size;
    block->chunk = batch->n_chunks - 1;
    block->slab = batch->n_slabs - 1;
    block->offset = batch->slab_used[block->slab];
    memcpy((uint8_t *)batch->raw_slabs[block->slab] + block->offset, bytes, size);
    block->fingerprint = rp_block_table_fingerprint(bytes, size);
    /* Blocks begin at multiples of 16, where a GPU reads whole words. */
    batch->slab_used[block->slab] += (uint32_t)((size + 15) & ~(size_t)15);
    chunk->n_blocks++;
    if (size > chunk->max_block_bytes)
        chunk->max_block_bytes = (uint32_t)size;
    batch->n_blocks++;
    return true;
}

/* At least half of a slab is filled before the next is begun, unless blocks are larger. And a chunk
 * that has its most blocks leaves the rest of its last slab empty: these are at least as many as
 * fit of the largest block. */
static size_t most_slabs(size_t total, size_t n_blocks, size_t largest)
{
    size_t by_bytes = (total + n_blocks * 16) / (rp_batch_slab_bytes() / 2) + 1;
    size_t by_blocks = n_blocks;

    by_bytes += n_blocks / blocks_that_fit(largest) + 1;
    return by_bytes < by_blocks ? by_bytes : by_blocks;
}

static bool allocate(struct rp_open_batch *batch, size_t n_blocks, size_t n_slabs)
{
    size_t n_table = 16;

    if (n_blocks == 0 || n_slabs == 0)
        return false;
    while (n_table < n_blocks * 2)
        n_table *= 2;
    batch->table_mask = (uint32_t)(n_table - 1);
    batch->blocks = calloc(n_blocks, sizeof(*batch->blocks));
    batch->chunks = calloc(n_slabs, sizeof(*batch->chunks));
    batch->raw_slabs = calloc(n_slabs, sizeof(*batch->raw_slabs));
    batch->frame_slabs = calloc(n_slabs, sizeof(*batch->frame_slabs));
    batch->slab_used = calloc(n_slabs, sizeof(*batch->slab_used));
    batch->table = calloc(n_table, sizeof(*batch->table));
    return batch->blocks != NULL && batch->chunks != NULL && batch->raw_slabs != NULL &&
           batch->frame_slabs != NULL && batch->slab_used != NULL && batch->table != NULL;
}

static void free_arrays(struct rp_open_batch *batch)
{
    free(batch->blocks);
    free(batch->chunks);
    free(batch->raw_slabs);
    free(batch->frame_slabs);
    free(batch->slab_used);
    free(batch->table);
    free(batch);
}

void rp_batch_plan_destroy(struct rp_open_batch *batch)
{
    pthread_mutex_lock(&rp_batch_lock);
    for (uint32_t i = 0; i < batch->n_chunks; i++)
        rp_batch_chunk_release(batch, &batch->chunks[i]);
    if (!rp_batch_service_look(true))
        rp_batch_lanes_collect(true);
    pthread_mutex_unlock(&rp_batch_lock);
    free_arrays(batch);
}

static bool is_taken(const rp_plugin_config *config, size_t size)
{
    return size != 0 && size >= config->min_block_bytes && size <= config->max_block_bytes &&
           size <= rp_batch_slab_bytes();
}

static size_t largest_taken(const rp_plugin_config *config, const size_t *sizes, size_t n)
{
    size_t largest = 1;

    for (size_t i = 0; i < n; i++)
        if (sizes[i] > largest && is_taken(config, sizes[i]))
            largest = sizes[i];
    return largest;
}

/* Copies the blocks; true when there is at least one. */
static bool fill(struct rp_open_batch *batch, const rp_plugin_config *config,
                 const uint8_t *samples, const struct source *sources, size_t n_samples,
                 size_t total, size_t n_slabs)
{
    size_t file_slabs = (total + rp_batch_slab_bytes() - 1) / rp_batch_slab_bytes();
    size_t even_slabs = (file_slabs + RP_BATCH_CHUNKS_PER_FILE - 1) / RP_BATCH_CHUNKS_PER_FILE;
    uint32_t most = rp_batch_lanes_chunk_slabs();
    struct plan plan = {batch, NULL, n_slabs, even_slabs < most ? (uint32_t)even_slabs : most,
                        0,     0};

    for (size_t i = 0; i < n_samples; i++) {
        size_t size = sources[i].size;
        if (is_taken(config, size) && !add_block(&plan, samples + sources[i].offset, size))
            break;
    }
    for (uint32_t i = 0; i < batch->n_chunks; i++)
        atomic_init(&batch->chunks[i].n_left, batch->chunks[i].n_blocks);
    for (uint32_t i = 0; i < batch->n_blocks; i++)
        rp_block_table_insert(batch, i);
    atomic_init(&batch->n_left, batch->n_blocks);
    return batch->n_blocks != 0;
}

struct rp_open_batch *rp_batch_plan_make(const rp_plugin_config *config, const uint8_t *samples,
                                         const size_t *sizes, size_t n_samples)
{
    struct rp_open_batch *batch;
    struct source *sources;
    size_t total = 0, n_slabs;

    if (n_samples == 0 || n_samples > RP_MAX_BATCH_INPUTS)
        return NULL;
    sources = in_file_order(sizes, n_samples, &total);
    batch = calloc(1, sizeof(*batch));
    if (sources == NULL || batch == NULL) {
        free(sources);
        free(batch);
        return NULL;
    }
    n_slabs = most_slabs(total, n_samples, largest_taken(config, sizes, n_samples));
    if (!allocate(batch, n_samples, n_slabs)) {
        free(sources);
        free_arrays(batch);
        return NULL;
    }
    if (!fill(batch, config, samples, sources, n_samples, total, n_slabs)) {
        rp_batch_plan_destroy(batch);
        batch = NULL;
    }
    free(sources);
    return batch;
}
