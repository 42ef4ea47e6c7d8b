/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The choice of a route: see route/route.h.
 *
 * Nothing that goes wrong here is an error for the caller. It costs the block a second
 * compression, on the CPU, and is counted.
 */
#include "plugin/route/route.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>

#include "plugin/core/config.h"
#include "plugin/core/costs.h"
#include "plugin/core/nesting.h"
#include "plugin/core/stats.h"
#include "plugin/device/session.h"
#include "plugin/route/direct.h"
#include "plugin/route/router.h"

/* Effort << 8 | flags of the last block that a batch had; 0: there was none. */
static _Atomic uint32_t last_options;

static void remember_options(const rp_compress_options *options)
{
    uint32_t packed = (uint32_t)options->effort << 8 | options->flags;

    /* Mostly the same: then a cache line that all threads share is only read. */
    if (atomic_load_explicit(&last_options, memory_order_relaxed) != packed)
        atomic_store_explicit(&last_options, packed, memory_order_relaxed);
}

/* False when there is nothing to guess from. */
static bool guess_options(const rp_plugin_config *config, const rp_route_hint *hint,
                          rp_compress_options *options)
{
    uint32_t packed = atomic_load_explicit(&last_options, memory_order_relaxed);

    rp_request_options(config, hint != NULL ? hint->level : 0, hint != NULL && hint->checksum,
                       options);
    if (hint != NULL)
        return true;
    options->effort = (rp_effort)(packed >> 8);
    options->flags = packed & 0xFF;
    return packed != 0;
}

/* Size of the sample in the middle: the last one may be cut. */
static size_t typical_size(const size_t *sizes, size_t n_samples)
{
    return n_samples != 0 ? sizes[n_samples / 2] : 0;
}

static uint64_t sum_of(const size_t *sizes, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += sizes[i];
    return sum;
}

/* The last batch of each kind of file: files of a kind have blocks of one size. 0: there was none.
 */
#define N_KINDS 256u
static struct {
    _Atomic size_t block_bytes;
    _Atomic uint64_t file_bytes;
} kinds[N_KINDS];

static void remember_kind(const rp_route_file *file, const size_t *sizes, size_t n_samples)
{
    uint32_t kind = file->kind % N_KINDS;

    atomic_store_explicit(&kinds[kind].block_bytes, typical_size(sizes, n_samples),
                          memory_order_relaxed);
    atomic_store_explicit(&kinds[kind].file_bytes, sum_of(sizes, n_samples), memory_order_relaxed);
}

/* Whether the router takes a file of which nothing is known but its kind. */
static bool is_worth_gathering(const rp_plugin_config *config, const rp_route_file *file)
{
    uint32_t kind = file->kind % N_KINDS;
    size_t bytes = atomic_load_explicit(&kinds[kind].block_bytes, memory_order_relaxed);
    rp_compress_options options;

    if (bytes == 0)
        return true;
    rp_request_options(config, file->level, false, &options);
    return rp_router_takes_batch(
        config, options.effort, bytes,
        atomic_load_explicit(&kinds[kind].file_bytes, memory_order_relaxed));
}

/* file: NULL where the router was not asked yet. */
static rp_batch_id begin_batch(const rp_route_file *file, const void *samples, const size_t *sizes,
                               size_t n_samples, const rp_route_hint *hint)
{
    const rp_plugin_config *config;
    rp_compress_options options;
    bool is_guessed;

    if (!rp_batch_prepare())
        return 0;
    config = rp_config_get();
    is_guessed = guess_options(config, hint, &options);
    if (file != NULL)
        remember_kind(file, sizes, n_samples);
    else if (is_guessed &&
             !rp_router_takes_batch(config, options.effort, typical_size(sizes, n_samples),
                                    sum_of(sizes, n_samples)))
        return 0;
    return rp_batch_begin(config, samples, sizes, n_samples, is_guessed ? &options : NULL);
}

static rp_batch_id begin(const rp_route_file *file, const void *samples, const size_t *sizes,
                         size_t n_samples, const rp_route_hint *hint)
{
    rp_batch_id id = 0;

    if (samples != NULL && sizes != NULL && n_samples != 0 && rp_session_use_begin()) {
        id = begin_batch(file, samples, sizes, n_samples, hint);
        rp_session_use_end();
    }
    return id;
}

rp_batch_id rp_route_begin_batch(const void *samples, const size_t *sizes, size_t n_samples,
                                 const rp_route_hint *hint)
{
    return begin(NULL, samples, sizes, n_samples, hint);
}

rp_batch_id rp_route_begin_gathered(const rp_route_file *file, const void *samples,
                                    const size_t *sizes, size_t n_samples,
                                    const rp_route_hint *hint)
{
    return begin(file, samples, sizes, n_samples, hint);
}

size_t rp_route_batch_bytes(const rp_route_file *file)
{
    const rp_plugin_config *config = rp_config_get();

    if (!rp_batch_may_be(true, file->dictionary_bytes, file->sample_bytes) ||
        (config->batch == RP_BATCH_AUTO && file->threads > 1))
        return 0;
    rp_session_expect_file();
    if (!rp_session_ready(config) || !is_worth_gathering(config, file))
        return 0;
    return config->batch_memory_bytes;
}

uint32_t rp_route_parallel_threads(const rp_route_file *file)
{
    const rp_plugin_config *config = rp_config_get();

    if (config == NULL || config->parallel_threads <= file->threads)
        return 0;
    rp_session_expect_file();
    return rp_session_ready(config) && rp_session_is_healthy() ? config->parallel_threads : 0;
}

/* False when no batch has the block. */
static bool serve_from_batch(const rp_plugin_config *config, const rp_asker *asker,
                             const rp_request *request, const rp_compress_options *options,
                             size_t *frame_size, rp_fallback_reason *reason)
{
    size_t size = request->input_size;
    rp_batch_claim claim;

    if (!rp_batch_find(config, request, asker, &claim))
        return false;
    remember_options(options);
    if (rp_router_samples_cpu(config, options->effort, size)) {
        rp_batch_decline(config, &claim, options);
        *reason = RP_FALLBACK_ROUTER;
    } else {
        *reason = rp_batch_serve(config, &claim, request, options,
                                 rp_router_max_wait_ns(config, options->effort, size), frame_size);
    }
    return true;
}

/* Direct, unless the router says otherwise. What the block has cost is reported here, and not by
 * the route: a block that failed there has cost something, too. */
static rp_fallback_reason compress_alone(const rp_plugin_config *config, const rp_request *request,
                                         const rp_compress_options *options, uint32_t times,
                                         size_t *frame_size)
{
    size_t size = request->input_size;
    rp_router_choice choice = rp_router_choose(config, options->effort, size, times);
    uint64_t begun_ns, cpu_begun_ns = 0, cpu_ns = RP_COSTS_UNMEASURED;
    rp_fallback_reason reason;
    bool is_measured;

    if (choice == RP_ROUTER_CPU)
        return RP_FALLBACK_ROUTER;
    if (config->goal == RP_GOAL_DEVICE)
        return rp_direct_compress(config, request, options, frame_size);
    is_measured = rp_router_measures_cpu(config, options->effort, size, choice);
    if (is_measured)
        cpu_begun_ns = rp_costs_cpu_ns();
    begun_ns = rp_clock_ns();
    reason = rp_direct_compress(config, request, options, frame_size);
    begun_ns = rp_clock_ns() - begun_ns;
    if (is_measured)
        cpu_ns = rp_costs_cpu_ns() - cpu_begun_ns;
    rp_router_note_direct(config, options->effort, size, times, choice, reason, begun_ns, cpu_ns);
    return reason;
}

/* On the device, which is open and in use by this thread. */
static rp_fallback_reason compress_on_device(const rp_plugin_config *config, const rp_asker *asker,
                                             const rp_request *request, uint32_t times,
                                             size_t *frame_size)
{
    rp_compress_options options;
    rp_fallback_reason reason;
    bool is_found;

    rp_request_options(config, request->level, request->checksum, &options);
    if (rp_batch_any_open()) {
        rp_nesting nesting;
        rp_nesting_enter(&nesting);
        is_found = serve_from_batch(config, asker, request, &options, frame_size, &reason);
        rp_nesting_leave(&nesting);
        if (is_found)
            return reason;
    }
    if (asker != NULL && asker->is_reader && config->reads == RP_READS_CPU)
        return RP_FALLBACK_READ;
    return compress_alone(config, request, &options, times, frame_size);
}

static rp_fallback_reason compress(const rp_asker *asker, const rp_request *request, uint32_t times,
                                   size_t *frame_size)
{
    const rp_plugin_config *config;
    rp_fallback_reason reason;
    int saved_errno;

    if (!rp_session_may_work())
        return RP_FALLBACK_DEVICE;
    config = rp_config_get();
    if (config == NULL)
        return RP_FALLBACK_DEVICE;
    if (request->input_size < config->min_block_bytes ||
        request->input_size > config->max_block_bytes || request->input_size == 0)
        return RP_FALLBACK_SIZE;
    if (!rp_session_ready(config) || !rp_session_use_begin())
        return RP_FALLBACK_DEVICE;
    /* A driver sets it, and sleeping does. libzstd leaves it alone. */
    saved_errno = errno;
    reason = compress_on_device(config, asker, request, times, frame_size);
    errno = saved_errno;
    rp_session_use_end();
    return reason;
}

rp_fallback_reason rp_route_compress(const rp_request *request, size_t *frame_size)
{
    return compress(NULL, request, 1, frame_size);
}

rp_fallback_reason rp_route_compress_parallel(const rp_request *request, uint32_t times,
                                              size_t *frame_size)
{
    return compress(NULL, request, times != 0 ? times : 1, frame_size);
}

rp_fallback_reason rp_route_compress_for(const rp_asker *asker, const rp_request *request,
                                         size_t *frame_size)
{
    return compress(asker, request, 1, frame_size);
}
