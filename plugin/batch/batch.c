/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which batches are open: see batch/batch.h. The other files of the folder:
 *
 *   plan          a batch from samples: order of blocks, slabs, chunks
 *   block_table   finds a block of a batch by its content
 *   chunk         a run of slabs that one launch compresses, from idle to done
 *   lane          a stream and the device memory of one chunk
 *   service       threads that call the device for lanes
 *   slab          the host memory in which blocks and frames lie
 *   gather        which files a table builder is asked to hold until they are shown
 *
 * Open batches are in slots. A slot's state is one word: how often it was used, whether its batch
 * is open, and how many threads are in it. A thread enters by a compare-and-swap that succeeds only
 * while the batch is open; whoever leaves a batch that was ended last destroys it. So ending one
 * never waits, and a thread that remembers an old id finds that it is old.
 *
 * A builder that was abandoned (an error, a cancelled compaction) never says so to its compressor.
 * Its batch is ended by the first of: its owner's end, the last block taken, or a thread that
 * begins a batch or looks for a block and finds it unused for IDLE_NS. Until then it holds its
 * share of the memory of batches. In a process that compresses nothing more, that memory stays
 * where it is, as that of batches which have ended does (batch/slab.h).
 *
 * RocksDB may compress a block twice, the first time as a sample, to see how large it would get
 * (sample_for_compression, up to 10.3). Such a sample must not take the block from the file. Its
 * context is younger than the batch. In the releases that do so, the file's own contexts are older.
 * In those that don't, all contexts of the file's blocks are younger. So younger contexts are
 * served until an older one has asked.
 */
#include "plugin/batch/batch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "plugin/batch/block_table.h"
#include "plugin/batch/chunk.h"
#include "plugin/batch/lane.h"
#include "plugin/batch/plan.h"
#include "plugin/batch/service.h"
#include "plugin/batch/slab.h"
#include "plugin/core/balance.h"
#include "plugin/core/config.h"
#include "plugin/core/costs.h"
#include "plugin/core/log.h"
#include "plugin/core/nesting.h"
#include "plugin/core/stats.h"
#include "plugin/core/thread_state.h"
#include "plugin/device/session.h"

#define N_SLOTS 64u
#define IDLE_NS (30 * UINT64_C(1000000000))

/* State of a slot: generation << 32 | open << 31 | threads inside. */
#define OPEN (UINT64_C(1) << 31)
#define INSIDE (OPEN - 1)

struct rp_batch_slot {
    _Atomic uint64_t state;
    _Atomic bool is_claimed;
    struct rp_open_batch *batch;
    _Atomic rp_batch_id in_vain; /* the last one that ended with all of its blocks */
};

static struct rp_batch_slot slots[N_SLOTS];
static _Atomic uint64_t open_slots; /* one bit for each slot */

static pthread_once_t setup_once = PTHREAD_ONCE_INIT;
static pthread_once_t log_once = PTHREAD_ONCE_INIT;
static bool is_usable;
static _Atomic uint64_t next_look_ns; /* for batches that were forgotten */

static void log_dictionaries(void)
{
    rp_log(RP_LOG_INFO,
           "files are compressed as batches: blocks that are sampled for a dictionary are "
           "compressed as a batch; no dictionary is trained for them");
}

bool rp_batch_may_be(bool is_of_rocksdb, uint64_t dictionary_bytes, uint64_t sample_bytes)
{
    const rp_plugin_config *config = rp_config_get();

    if (config == NULL || config->batch == RP_BATCH_OFF)
        return false;
    return config->batch == RP_BATCH_ON ||
           (is_of_rocksdb && sample_bytes / RP_BATCH_SAMPLES >= dictionary_bytes);
}

bool rp_batch_any_open(void)
{
    return atomic_load_explicit(&open_slots, memory_order_relaxed) != 0;
}

static void setup(void)
{
    const rp_plugin_config *config = rp_config_get();
    const rp_device *device = rp_session_device();
    bool on_host = (device->flags & RP_DEVICE_HOST_MEMORY) != 0;
    size_t slab_bytes = RP_BATCH_SLAB_BYTES;
    size_t n_slabs;

    while (slab_bytes < config->max_block_bytes && slab_bytes < RP_BATCH_MAX_BLOCK_BYTES)
        slab_bytes *= 2;
    rp_block_table_setup();
    is_usable = rp_batch_chunks_setup();
    rp_batch_slabs_setup(device, slab_bytes, config->batch_memory_bytes);
    /* A CPU gains nothing from compressing many blocks in one launch. */
    n_slabs = config->batch_chunk_bytes / slab_bytes;
    if (n_slabs > RP_BATCH_CHUNK_SLABS)
        n_slabs = RP_BATCH_CHUNK_SLABS;
    rp_batch_lanes_setup(device, config, on_host || n_slabs == 0 ? 1 : (uint32_t)n_slabs);
    rp_batch_service_setup(config, device);
}

static struct rp_batch_slot *claim_slot(void)
{
    for (uint32_t i = 0; i < N_SLOTS; i++) {
        bool unclaimed = false;
        if (atomic_compare_exchange_strong_explicit(&slots[i].is_claimed, &unclaimed, true,
                                                    memory_order_acquire, memory_order_relaxed))
            return &slots[i];
    }
    return NULL;
}

static rp_batch_id id_of(const struct rp_batch_slot *slot, uint64_t state)
{
    return (state >> 32) << 8 | (uint64_t)(slot - slots);
}

static struct rp_batch_slot *slot_of(rp_batch_id id)
{
    return &slots[id % N_SLOTS];
}

static rp_batch_id publish(struct rp_batch_slot *slot, struct rp_open_batch *batch)
{
    uint64_t generation = (atomic_load(&slot->state) >> 32) + 1;
    uint64_t state = (generation & 0xFFFFFF) << 32 | OPEN;

    if (state == OPEN)
        state |= UINT64_C(1) << 32; /* an id is not 0 */
    slot->batch = batch;
    atomic_store_explicit(&slot->state, state, memory_order_release);
    atomic_fetch_or_explicit(&open_slots, UINT64_C(1) << (slot - slots), memory_order_release);
    return id_of(slot, state);
}

/* What the file has cost: the batch, and libzstd for the blocks that were not served. A file of
 * which more than a quarter was not asked for is no measure, unless the batch was given up. */
static void note_cost(const struct rp_open_batch *batch)
{
    rp_effort effort = (rp_effort)atomic_load(&batch->effort);
    uint64_t served = atomic_load_explicit(&batch->bytes_served, memory_order_relaxed);
    uint64_t unserved = atomic_load_explicit(&batch->bytes_unserved, memory_order_relaxed);
    rp_price cpu = rp_costs_price(rp_costs_cell(effort, batch->typical_bytes), RP_ROUTE_CPU);

    if (served + unserved == 0 || (unserved != 0 && cpu.wall == 0) ||
        (atomic_load(&batch->n_left) > batch->n_blocks / 4 &&
         !atomic_load_explicit(&batch->is_given_up, memory_order_relaxed)))
        return;
    rp_costs_note(RP_ROUTE_BATCH, effort, batch->typical_bytes, served + unserved,
                  atomic_load_explicit(&batch->wall_ns, memory_order_relaxed) +
                      rp_costs_ns(cpu.wall, unserved),
                  atomic_load_explicit(&batch->cpu_ns, memory_order_relaxed) +
                      rp_costs_ns(cpu.cpu, unserved));
}

static bool is_untouched(const struct rp_open_batch *batch)
{
    return atomic_load(&batch->n_left) == batch->n_blocks;
}

/* No thread is inside, and none can enter. */
static void retire(struct rp_batch_slot *slot)
{
    struct rp_open_batch *batch = slot->batch;

    rp_stats_add(&rp_stats_shards[rp_thread_shard()], RP_COUNT_BATCH_UNTAKEN,
                 atomic_load(&batch->n_left));
    note_cost(batch);
    if (is_untouched(batch))
        atomic_store(&slot->in_vain, id_of(slot, atomic_load(&slot->state)));
    slot->batch = NULL;
    rp_batch_plan_destroy(batch);
    atomic_store_explicit(&slot->is_claimed, false, memory_order_release);
}

static bool enter(struct rp_batch_slot *slot, rp_batch_id id)
{
    uint64_t state = atomic_load_explicit(&slot->state, memory_order_relaxed);

    do {
        if ((state & OPEN) == 0 || (id != 0 && id_of(slot, state) != id))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&slot->state, &state, state + 1,
                                                    memory_order_acquire, memory_order_relaxed));
    return true;
}

static void leave(struct rp_batch_slot *slot)
{
    uint64_t state = atomic_fetch_sub_explicit(&slot->state, 1, memory_order_acq_rel) - 1;

    if ((state & (OPEN | INSIDE)) == 0)
        retire(slot);
}

/* Called by a thread that is inside. */
static void close_slot(struct rp_batch_slot *slot)
{
    uint64_t bit = UINT64_C(1) << (slot - slots);

    atomic_fetch_and_explicit(&open_slots, ~bit, memory_order_relaxed);
    atomic_fetch_and_explicit(&slot->state, ~OPEN, memory_order_acq_rel);
}

static void end(struct rp_batch_slot *slot, rp_batch_id id)
{
    if (!enter(slot, id))
        return;
    close_slot(slot);
    leave(slot);
}

void rp_batch_end(rp_batch_id id)
{
    /* In a forked child locks may be held by threads that are not there. */
    if (id == 0 || rp_session_is_child() || !rp_session_return_begin())
        return;
    end(slot_of(id), id);
    rp_session_use_end();
}

bool rp_batch_is_in_vain(rp_batch_id id)
{
    struct rp_batch_slot *slot = slot_of(id);
    bool in_vain;

    if (id == 0 || rp_session_is_child() || !rp_session_return_begin())
        return false;
    if (enter(slot, id)) {
        in_vain = is_untouched(slot->batch);
        leave(slot);
    } else {
        in_vain = atomic_load(&slot->in_vain) == id;
    }
    rp_session_use_end();
    return in_vain;
}

static void end_forgotten(uint64_t now_ns)
{
    atomic_store_explicit(&next_look_ns, now_ns + IDLE_NS / 4, memory_order_relaxed);
    for (uint32_t i = 0; i < N_SLOTS; i++) {
        uint64_t state = atomic_load_explicit(&slots[i].state, memory_order_relaxed);
        rp_batch_id id = id_of(&slots[i], state);
        bool forgotten;

        if ((state & OPEN) == 0 || !enter(&slots[i], id))
            continue;
        /* Signed: another thread may have used it after now_ns. */
        forgotten =
            (int64_t)(now_ns - atomic_load(&slots[i].batch->last_used_ns)) > (int64_t)IDLE_NS;
        if (forgotten)
            close_slot(&slots[i]);
        leave(&slots[i]);
    }
}

/* How many chunks may be started, with the one that is being served. Each of them holds its frames
 * beside its blocks, and all of them stay below half of the file. 0 on the host, where the thread
 * that starts a chunk compresses it. */
static uint32_t lookahead_of(const struct rp_open_batch *batch)
{
    uint32_t part = batch->n_chunks * 3 / 8;

    if ((rp_session_device()->flags & RP_DEVICE_HOST_MEMORY) != 0)
        return 0;
    if (part > 1 + RP_BATCH_LOOKAHEAD)
        part = 1 + RP_BATCH_LOOKAHEAD;
    return part != 0 ? part : 1;
}

bool rp_batch_prepare(void)
{
    const rp_plugin_config *config;
    rp_nesting nesting;

    config = rp_config_get();
    if (config == NULL || config->batch == RP_BATCH_OFF)
        return false;
    rp_session_expect_file();
    if (!rp_session_may_work() || !rp_session_ready(config) || !rp_session_is_healthy())
        return false;
    pthread_once(&setup_once, setup);
    if (!is_usable)
        return false;
    rp_nesting_enter(&nesting);
    end_forgotten(rp_clock_ns());
    rp_nesting_leave(&nesting);
    return true;
}

/* The CPU's clock, where the router will ask what the batch has cost; else 0. */
static uint64_t cpu_clock(const rp_plugin_config *config)
{
    return config->goal != RP_GOAL_DEVICE ? rp_costs_cpu_ns() : 0;
}

static rp_batch_id begin(const rp_plugin_config *config, const void *samples, const size_t *sizes,
                         size_t n_samples, const rp_compress_options *options)
{
    uint64_t cpu_begun = cpu_clock(config);
    uint64_t begun = rp_clock_ns(), ns;
    struct rp_batch_slot *slot = claim_slot();
    struct rp_open_batch *batch;

    if (slot == NULL)
        return 0;
    batch = rp_batch_plan_make(config, samples, sizes, n_samples);
    if (batch == NULL) {
        atomic_store_explicit(&slot->is_claimed, false, memory_order_release);
        return 0;
    }
    atomic_init(&batch->last_used_ns, begun);
    batch->typical_bytes = sizes[n_samples / 2];
    batch->born = rp_thread.own_batch_born;
    batch->lookahead = lookahead_of(batch);
    if (options != NULL)
        rp_batch_chunk_start_ahead(batch, 0, options);
    ns = rp_clock_ns() - begun;
    rp_stats_batch_begun(batch->n_blocks, ns);
    rp_balance_note(0, ns);
    atomic_init(&batch->wall_ns, ns);
    /* Threads that serve its first chunks have added theirs. */
    atomic_fetch_add_explicit(&batch->cpu_ns, cpu_clock(config) - cpu_begun, memory_order_relaxed);
    rp_thread.batch_next = 0;
    rp_thread.batch = publish(slot, batch);
    pthread_once(&log_once, log_dictionaries);
    return rp_thread.batch;
}

rp_batch_id rp_batch_begin(const rp_plugin_config *config, const void *samples, const size_t *sizes,
                           size_t n_samples, const rp_compress_options *options)
{
    rp_nesting nesting;
    rp_batch_id id;

    rp_nesting_enter(&nesting);
    id = begin(config, samples, sizes, n_samples, options);
    rp_nesting_leave(&nesting);
    return id;
}

static rp_fallback_reason hand_over(const rp_plugin_config *config, struct rp_open_batch *batch,
                                    const struct rp_batch_block *block, const rp_request *request,
                                    size_t *frame_size)
{
    rp_device_frame frame = {
        .frame = request->output,
        .block = request->input,
        .block_size = request->input_size,
        .proof = &block->proof,
    };

    if (block->status != RP_STATUS_OK)
        return block->status == RP_STATUS_OUTPUT_TOO_SMALL
                   ? RP_FALLBACK_CAPACITY
                   : rp_session_fault(RP_STATUS_INTERNAL, RP_BREAKER_CLOSED);
    if (block->frame_bytes > request->output_capacity)
        return RP_FALLBACK_CAPACITY;
    memcpy(request->output, (const uint8_t *)batch->frame_slabs[block->slab] + block->offset,
           block->frame_bytes);
    *frame_size = block->frame_bytes;
    frame.frame_size = block->frame_bytes;
    return rp_session_verify(config, &frame, RP_BREAKER_CLOSED);
}

#define CPU_SAMPLING 16u

/* Whether the context may be one of the batch's file. */
static bool may_take(struct rp_open_batch *batch, uint64_t fingerprint, const rp_request *request,
                     const rp_asker *asker)
{
    bool is_young;

    if (asker == NULL)
        return true;
    is_young = (int32_t)(asker->born - batch->born) > 0;
    if (is_young)
        return !asker->is_legacy &&
               !atomic_load_explicit(&batch->is_asked_by_old, memory_order_relaxed);
    if (!atomic_load_explicit(&batch->is_asked_by_old, memory_order_relaxed) &&
        rp_block_table_has(batch, fingerprint, request->input_size))
        atomic_store_explicit(&batch->is_asked_by_old, true, memory_order_relaxed);
    return true;
}

/* In a batch that the thread has entered. */
static bool claim_in(struct rp_batch_slot *slot, uint64_t fingerprint, const rp_request *request,
                     const rp_asker *asker, rp_batch_claim *claim)
{
    rp_batch_id id = id_of(slot, atomic_load_explicit(&slot->state, memory_order_relaxed));
    uint32_t expected = rp_thread.batch == id ? rp_thread.batch_next : UINT32_MAX;
    uint32_t block;

    if (!may_take(slot->batch, fingerprint, request, asker))
        return false;
    block = rp_block_table_claim(slot->batch, fingerprint, request, expected);
    if (block == UINT32_MAX)
        return false;
    claim->slot = slot;
    claim->block = block;
    rp_thread.batch = id;
    rp_thread.batch_next = block + 1;
    return true;
}

bool rp_batch_find(const rp_plugin_config *config, const rp_request *request, const rp_asker *asker,
                   rp_batch_claim *claim)
{
    uint64_t open = atomic_load_explicit(&open_slots, memory_order_acquire);
    uint32_t first = (uint32_t)(rp_thread.batch % N_SLOTS);
    uint64_t fingerprint;

    if (open == 0)
        return false;
    claim->begun_ns = rp_clock_ns();
    if (claim->begun_ns > atomic_load_explicit(&next_look_ns, memory_order_relaxed))
        end_forgotten(claim->begun_ns);
    /* The CPU's clock is a system call: only one block in CPU_SAMPLING is timed by it. */
    claim->cpu_begun_ns = claim->begun_ns % CPU_SAMPLING == 0 ? cpu_clock(config) : 0;
    fingerprint = rp_block_table_fingerprint(request->input, request->input_size);
    for (uint32_t i = 0; i < N_SLOTS; i++) {
        struct rp_batch_slot *slot = &slots[(first + i) % N_SLOTS];

        if ((open >> ((first + i) % N_SLOTS) & 1) == 0 || !enter(slot, 0))
            continue;
        if (claim_in(slot, fingerprint, request, asker, claim))
            return true;
        leave(slot);
    }
    rp_stats_count(RP_COUNT_BATCH_MISSES);
    return false;
}

/* Keeps the device ahead of the thread. Not for each block: when lanes are short, finding none
 * costs more than a block. */
static void use_claim(const rp_batch_claim *claim, const rp_compress_options *options)
{
    struct rp_open_batch *batch = claim->slot->batch;
    uint32_t chunk = batch->blocks[claim->block].chunk;

    atomic_store_explicit(&batch->effort, (uint32_t)options->effort, memory_order_relaxed);
    if ((claim->block & 15) == 0 ||
        !atomic_load_explicit(&batch->chunks[chunk].is_frozen, memory_order_relaxed))
        rp_batch_chunk_start_ahead(batch, chunk, options);
}

/* The block is taken, served or not. */
static void count_taken(struct rp_batch_slot *slot, struct rp_batch_chunk *chunk)
{
    struct rp_open_batch *batch = slot->batch;

    if (atomic_fetch_sub_explicit(&chunk->n_left, 1, memory_order_acq_rel) == 1) {
        pthread_mutex_lock(&rp_batch_lock);
        rp_batch_chunk_release(batch, chunk);
        pthread_mutex_unlock(&rp_batch_lock);
    }
    if (atomic_fetch_sub_explicit(&batch->n_left, 1, memory_order_acq_rel) == 1)
        close_slot(slot);
}

/* So many blocks are enough to see that the device is too slow, if it served less than this part.
 */
#define JUDGED_BLOCKS 512u
#define WORTHWHILE_PART 8u

/* The device is too slow for a thread that does not wait for it. To look for the other blocks would
 * only cost them time. */
static bool is_in_vain(const rp_plugin_config *config, const struct rp_open_batch *batch)
{
    uint64_t served = atomic_load_explicit(&batch->bytes_served, memory_order_relaxed);
    uint64_t unserved = atomic_load_explicit(&batch->bytes_unserved, memory_order_relaxed);

    return (config->goal == RP_GOAL_AUTO || config->goal == RP_GOAL_THROUGHPUT) &&
           unserved / JUDGED_BLOCKS >= batch->typical_bytes &&
           served < unserved / (WORTHWHILE_PART - 1);
}

static void give_up(struct rp_batch_slot *slot)
{
    if (!atomic_exchange(&slot->batch->is_given_up, true))
        close_slot(slot);
}

/* The frame was handed over, or else the block is libzstd's. */
static void count_outcome(const rp_plugin_config *config, struct rp_batch_slot *slot,
                          const rp_batch_claim *claim, bool is_served, uint64_t ns)
{
    struct rp_open_batch *batch = slot->batch;
    uint32_t bytes = batch->blocks[claim->block].size;
    rp_price cpu;

    if (is_served)
        atomic_fetch_add_explicit(&batch->bytes_served, bytes, memory_order_relaxed);
    else
        atomic_fetch_add_explicit(&batch->bytes_unserved, bytes, memory_order_relaxed);
    if (config->goal == RP_GOAL_DEVICE)
        return;
    cpu =
        rp_costs_price(rp_costs_cell((rp_effort)atomic_load(&batch->effort), bytes), RP_ROUTE_CPU);
    rp_balance_note(is_served ? rp_costs_ns(cpu.wall, bytes) : 0, ns);
    if (!is_served && is_in_vain(config, batch))
        give_up(slot);
}

/* Ends a claim. Returns the time that it took. The thread is still inside. */
static uint64_t end_claim(const rp_plugin_config *config, const rp_batch_claim *claim,
                          bool is_served)
{
    struct rp_open_batch *batch = claim->slot->batch;
    uint64_t ns;

    count_taken(claim->slot, &batch->chunks[batch->blocks[claim->block].chunk]);
    ns = rp_clock_ns() - claim->begun_ns;
    atomic_store_explicit(&batch->last_used_ns, claim->begun_ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&batch->wall_ns, ns, memory_order_relaxed);
    if (claim->cpu_begun_ns != 0)
        atomic_fetch_add_explicit(&batch->cpu_ns,
                                  (cpu_clock(config) - claim->cpu_begun_ns) * CPU_SAMPLING,
                                  memory_order_relaxed);
    count_outcome(config, claim->slot, claim, is_served, ns);
    return ns;
}

rp_fallback_reason rp_batch_serve(const rp_plugin_config *config, const rp_batch_claim *claim,
                                  const rp_request *request, const rp_compress_options *options,
                                  uint64_t max_wait_ns, size_t *frame_size)
{
    struct rp_open_batch *batch = claim->slot->batch;
    struct rp_batch_block *block = &batch->blocks[claim->block];
    rp_fallback_reason reason;
    uint64_t ns;

    use_claim(claim, options);
    reason =
        rp_batch_chunk_finish(config, batch, &batch->chunks[block->chunk], options, max_wait_ns);
    if (reason == RP_FALLBACK_NONE)
        reason = hand_over(config, batch, block, request, frame_size);
    ns = end_claim(config, claim, reason == RP_FALLBACK_NONE);
    if (reason == RP_FALLBACK_NONE)
        rp_stats_device_block(RP_ROUTE_BATCH, request->input_size, *frame_size, ns);
    leave(claim->slot);
    return reason;
}

void rp_batch_decline(const rp_plugin_config *config, const rp_batch_claim *claim,
                      const rp_compress_options *options)
{
    use_claim(claim, options);
    end_claim(config, claim, false);
    leave(claim->slot);
}
