/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device of the process: see device/session.h.
 *
 * The device is opened by the first block that could use it: a GPU on a thread of its own
 * (device/opener.h), which this block waits for, but not for long; any other device on that block's
 * thread. Blocks that arrive meanwhile are compressed on the CPU without waiting. The device is
 * never closed: while a process ends, a driver may already be gone, and the kernel takes everything
 * back anyway. A forked child can not use a GPU context, so it does not touch the device at all.
 */
#include "plugin/device/session.h"

#include <errno.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugin/core/log.h"
#include "plugin/core/nesting.h"
#include "plugin/core/stats.h"
#include "plugin/core/thread_state.h"
#include "plugin/device/bounded_device.h"
#include "plugin/device/opener.h"
#include "plugin/device/sharing.h"
#include "plugin/device/verify.h"

/* GPUs that are looked at for the reason why one cannot be used. */
#define MAX_DEVICES 16

enum phase {
    PHASE_UNOPENED = 0,
    PHASE_OPENING = 1,
    PHASE_READY = 2,
    PHASE_OFF = 3,    /* for good */
    PHASE_WAITING = 4 /* for a builder with a file for the device */
};

static _Atomic int phase;
static _Atomic bool is_child;
static _Atomic bool is_ending;       /* the process is */
static _Atomic bool has_builder;     /* one has been seen */
static _Atomic uint64_t retry_at_ns; /* PHASE_UNOPENED: not before */
static rp_pool *pool;                /* written before PHASE_READY */
static const rp_device *device_in_use;
static const char *device_name;
static time_t opened_at;
static struct rp_breaker breaker;

/* How many threads are inside the device, each counted in its own shard and cache line. */
static struct {
    alignas(64) _Atomic uint32_t n;
} users[RP_N_SHARDS];

bool rp_session_use_begin(void)
{
    _Atomic uint32_t *n = &users[rp_thread_shard()].n;

    /* Both in the one order that leave_at_exit sees: it finds this thread, or this thread finds the
     * device off. */
    atomic_fetch_add(n, 1);
    if (atomic_load(&phase) != PHASE_OFF)
        return true;
    atomic_fetch_sub(n, 1);
    return false;
}

bool rp_session_return_begin(void)
{
    _Atomic uint32_t *n = &users[rp_thread_shard()].n;

    atomic_fetch_add(n, 1);
    if (!atomic_load(&is_ending))
        return true;
    atomic_fetch_sub(n, 1);
    return false;
}

void rp_session_use_end(void)
{
    atomic_fetch_sub_explicit(&users[rp_thread_shard()].n, 1, memory_order_release);
}

/* In a child after fork(): a device that the parent had open is not the child's. */
static void forked(void)
{
    if (atomic_load_explicit(&phase, memory_order_relaxed) != PHASE_UNOPENED) {
        atomic_store_explicit(&is_child, true, memory_order_relaxed);
        atomic_store_explicit(&phase, PHASE_OFF, memory_order_relaxed);
        /* The parent's threads are not here. */
        for (uint32_t i = 0; i < RP_N_SHARDS; i++)
            atomic_store_explicit(&users[i].n, 0, memory_order_relaxed);
        rp_stats_set_device_active(false);
        rp_stats_set_device(NULL, NULL);
    }
}

/*
 * "auto" opens a GPU where there are batches, or files whose blocks several threads bring; the
 * router then decides which single blocks it gets. For single blocks alone "auto" opens none: the
 * calling thread would wait longer for each of them than libzstd takes. "cuda" opens a GPU in any
 * case. NULL: none is opened.
 */
static const char *device_to_open(const rp_plugin_config *config)
{
    if (strcmp(config->device, "off") == 0)
        return NULL;
    if (strcmp(config->device, "auto") == 0)
        return config->batch != RP_BATCH_OFF || config->parallel_threads != 0 ? "cuda" : NULL;
    return config->device;
}

/* Any program may be under the hook, and most of them compress now and then. Nobody has asked for a
 * GPU by name, so none is opened before there is a file for it. */
static bool is_early(const rp_plugin_config *config)
{
    return config->custom_device == NULL && strcmp(config->device, "auto") == 0 &&
           config->batch != RP_BATCH_ON && device_to_open(config) != NULL &&
           !atomic_load_explicit(&has_builder, memory_order_relaxed);
}

/* Whether libraries are loaded to open the device: it is a GPU, or in tests it is around one. */
static bool is_loaded(const rp_plugin_config *config)
{
    const char *name = device_to_open(config);

    return config->custom_device == NULL && name != NULL && strstr(name, "cuda") != NULL;
}

static void log_unopened(const rp_plugin_config *config, const char *reason)
{
    bool automatic = strcmp(config->device, "auto") == 0;

    rp_log(automatic ? RP_LOG_INFO : RP_LOG_ERROR,
           "device %s: %s; blocks are compressed on the CPU", config->device, reason);
}

/* The list of devices knows more than the status says. */
static void log_failure(const rp_plugin_config *config, const char *name, rp_status status)
{
    rp_device_info infos[MAX_DEVICES] = {RP_DEVICE_INFO_INIT};
    size_t n = rp_device_list(infos, MAX_DEVICES);
    const char *reason = rp_status_string(status);

    for (size_t i = 0; i < n && i < MAX_DEVICES; i++) {
        bool is_meant = strcmp(infos[i].name, name) == 0 || strcmp(infos[i].name, "cuda") == 0 ||
                        (strcmp(name, "cuda") == 0 && strncmp(infos[i].name, "cuda", 4) == 0);
        if (is_meant && infos[i].reason[0] != '\0') {
            reason = infos[i].reason;
            break;
        }
    }
    log_unopened(config, reason);
}

static rp_status open_device(const rp_plugin_config *config, const rp_device **device)
{
    const char *name = device_to_open(config);
    rp_device *opened = NULL;
    rp_status status;

    *device = config->custom_device;
    if (*device != NULL)
        return RP_STATUS_OK;
    status = rp_device_open(name, &opened);
    *device = opened;
    if (status != RP_STATUS_OK)
        log_failure(config, name, status);
    return status;
}

/* A driver may hang, and a device that a program made may do anything. The host's does neither. */
static bool may_hang(const rp_plugin_config *config, const rp_device *device)
{
    return config->custom_device != NULL || strcmp(device->name, "host") != 0;
}

/* *device becomes the one to use. */
static bool make_pool(const rp_plugin_config *config, const rp_device **device)
{
    rp_error error = {""};
    rp_pool_options options = {
        .struct_size = sizeof(rp_pool_options),
        .max_lanes = config->lanes,
        .max_input_bytes = config->max_block_bytes,
        .memory_bytes = config->memory_bytes,
        /* A lane serves whatever level comes next, so it is sized for the highest. */
        .effort =
            config->effort == RP_PLUGIN_EFFORT_AUTO ? RP_EFFORT_MAX : (rp_effort)config->effort,
        .error = &error,
    };
    const rp_device *opened = *device;
    rp_status status = rp_pool_create(opened, &options, &pool);

    /* So it is a device. The pool to use is that of the same device with bounded calls. */
    if (status == RP_STATUS_OK && may_hang(config, opened)) {
        rp_pool_destroy(pool);
        *device = rp_bounded_device(opened, config->timeout_ms);
        status = *device != NULL ? rp_pool_create(*device, &options, &pool)
                                 : RP_STATUS_OUT_OF_HOST_MEMORY;
    }
    if (status == RP_STATUS_OK)
        return true;
    rp_log(RP_LOG_ERROR, "device %s: no lanes: %s %s; blocks are compressed on the CPU",
           config->device, rp_status_string(status), error.message);
    return false;
}

static void set_phase_after_opening(int next)
{
    int opening = PHASE_OPENING;

    /* Unless a fork while the device was being opened has switched it off. */
    atomic_compare_exchange_strong_explicit(&phase, &opening, next, memory_order_release,
                                            memory_order_relaxed);
}

static bool is_in_use(void)
{
    for (uint32_t i = 0; i < RP_N_SHARDS; i++)
        if (atomic_load(&users[i].n) != 0)
            return true;
    return false;
}

/* Runs before the functions with which CUDA ends, because it is registered after them. RocksDB's
 * threads may compress until the process is gone: on the CPU from now on. */
static void leave_at_exit(void)
{
    const struct timespec pause = {0, 1000000};
    uint64_t end = rp_clock_ns() + RP_SESSION_EXIT_WAIT_MS * UINT64_C(1000000);

    atomic_store(&is_ending, true);
    atomic_store(&phase, PHASE_OFF);
    while (is_in_use() && rp_clock_ns() < end)
        (void)nanosleep(&pause, NULL);
}

static void open_now(const void *argument)
{
    const rp_plugin_config *config = argument;
    const rp_device *device;

    if (open_device(config, &device) != RP_STATUS_OK || !make_pool(config, &device)) {
        set_phase_after_opening(PHASE_OFF);
        return;
    }
    rp_breaker_init(&breaker, config->breaker_faults,
                    (uint64_t)config->breaker_retry_ms * 1000000u);
    rp_sharing_open(config, device);
    device_in_use = device;
    device_name = device->name;
    opened_at = time(NULL);
    rp_stats_set_device(device->name, pool);
    rp_stats_set_device_active(true);
    if (is_loaded(config))
        (void)atexit(leave_at_exit);
    rp_log(RP_LOG_INFO, "device %s: open, up to %u lanes for blocks of %zu to %zu bytes",
           device->name, config->lanes, config->min_block_bytes, config->max_block_bytes);
    set_phase_after_opening(PHASE_READY);
}

static bool is_opened(void)
{
    return atomic_load_explicit(&phase, memory_order_acquire) != PHASE_OPENING;
}

/* Without a thread the device stays unopened for a while: a process that is short of threads now
 * may have some later. */
static void open_on_thread(const rp_plugin_config *config)
{
    static const rp_opener opener = {open_now, is_opened};
    static bool is_logged; /* PHASE_OPENING is one thread's */
    int error = rp_opener_run(&opener, config);

    if (error == 0)
        return;
    if (!is_logged)
        rp_log(RP_LOG_ERROR,
               "device %s: no thread to open it: %s; tried again, until then blocks are compressed "
               "on the CPU",
               config->device, strerror(error));
    is_logged = true;
    atomic_store_explicit(&retry_at_ns,
                          rp_clock_ns() + (uint64_t)config->breaker_retry_ms * 1000000u,
                          memory_order_relaxed);
    set_phase_after_opening(PHASE_UNOPENED);
}

static bool watch_forks(void)
{
    static bool is_watching; /* PHASE_OPENING is one thread's */

    if (!is_watching)
        is_watching = pthread_atfork(NULL, NULL, forked) == 0;
    return is_watching;
}

static void open_once(const rp_plugin_config *config)
{
    int unopened = PHASE_UNOPENED;

    if (rp_clock_ns() < atomic_load_explicit(&retry_at_ns, memory_order_relaxed) ||
        !atomic_compare_exchange_strong_explicit(&phase, &unopened, PHASE_OPENING,
                                                 memory_order_acquire, memory_order_relaxed))
        return;
    if (is_early(config)) {
        rp_log(RP_LOG_INFO, "device auto: a GPU is looked for when RocksDB shows a file's blocks; "
                            "blocks are compressed on the CPU until then");
        set_phase_after_opening(PHASE_WAITING);
    } else if (config->custom_device == NULL && device_to_open(config) == NULL) {
        if (strcmp(config->device, "off") != 0)
            log_unopened(config,
                         "batches are off, and single blocks take a GPU longer than libzstd");
        set_phase_after_opening(PHASE_OFF);
    } else if (!watch_forks()) {
        set_phase_after_opening(PHASE_OFF);
    } else if (is_loaded(config)) {
        open_on_thread(config);
    } else {
        open_now(config);
    }
}

static void give_up(const char *why)
{
    int ready = PHASE_READY;

    if (atomic_compare_exchange_strong_explicit(&phase, &ready, PHASE_OFF, memory_order_relaxed,
                                                memory_order_relaxed)) {
        rp_stats_set_device_active(false);
        rp_log(RP_LOG_ERROR, "device %s: %s; given up until the process restarts", device_name,
               why);
    }
}

/* A device that returned something wrong once is not trusted again. What it returned is thrown
 * away; what it had returned before may be in files already. */
static void give_up_wrong(const char *what)
{
    char since[32] = "the start";
    struct tm utc;
    char why[192];

    if (gmtime_r(&opened_at, &utc) != NULL)
        (void)strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", &utc);
    snprintf(why, sizeof(why), "%s; %llu frames were handed over unproven since %s", what,
             (unsigned long long)rp_stats_value(RP_STAT_UNPROVEN_FRAMES, 0), since);
    give_up(why);
}

static rp_fault fault_of(rp_status status)
{
    switch (status) {
    case RP_STATUS_TIMEOUT:
        return RP_FAULT_TIMEOUT;
    case RP_STATUS_LAUNCH_FAILED:
        return RP_FAULT_LAUNCH;
    case RP_STATUS_OUT_OF_HOST_MEMORY:
    case RP_STATUS_OUT_OF_DEVICE_MEMORY:
        return RP_FAULT_MEMORY;
    case RP_STATUS_DEVICE_UNAVAILABLE:
    case RP_STATUS_DEVICE_FAULT:
        return RP_FAULT_DEVICE;
    case RP_STATUS_VERIFICATION_FAILED:
        return RP_FAULT_VERIFY;
    default:
        return RP_FAULT_INTERNAL;
    }
}

rp_fallback_reason rp_session_fault(rp_status status, rp_breaker_pass pass)
{
    rp_stats_count_fault(fault_of(status));
    if (status == RP_STATUS_DEVICE_FAULT) {
        give_up(rp_status_string(status));
    } else if (status == RP_STATUS_VERIFICATION_FAILED) {
        give_up_wrong("a frame did not decode to its block, or a result was impossible");
    } else if (status == RP_STATUS_INTERNAL) {
        give_up_wrong("a kernel found its own data impossible");
    } else if (rp_breaker_fault(&breaker, pass, rp_clock_ns())) {
        rp_stats_count(RP_COUNT_BREAKER_OPENS);
        rp_log(RP_LOG_ERROR, "device %s: %u faults in a row, the last: %s; left alone for a while",
               device_name, breaker.threshold, rp_status_string(status));
    }
    return RP_FALLBACK_FAULT;
}

void rp_session_success(rp_breaker_pass pass)
{
    if (rp_breaker_success(&breaker, pass))
        rp_log(RP_LOG_ERROR, "device %s: works again", device_name);
}

static rp_verify_result verify(const rp_plugin_config *config, const rp_device_frame *frame)
{
    if (config->verify != RP_VERIFY_DEVICE)
        return rp_verify_frame(config, frame->frame, frame->frame_size, frame->block,
                               frame->block_size);
    rp_stats_count(RP_COUNT_VERIFIED);
    return frame->proof == NULL || rp_check_proof(frame->proof, frame->block, frame->block_size,
                                                  frame->frame, frame->frame_size) == RP_STATUS_OK
               ? RP_VERIFY_GOOD
               : RP_VERIFY_MISMATCH;
}

rp_fallback_reason rp_session_verify(const rp_plugin_config *config, const rp_device_frame *frame,
                                     rp_breaker_pass pass)
{
    if (!rp_verify_due(config, frame->frame, frame->frame_size)) {
        rp_stats_count(RP_COUNT_UNPROVEN);
        return RP_FALLBACK_NONE;
    }
    switch (verify(config, frame)) {
    case RP_VERIFY_GOOD:
        return RP_FALLBACK_NONE;
    case RP_VERIFY_MISMATCH:
        return rp_session_fault(RP_STATUS_VERIFICATION_FAILED, pass);
    case RP_VERIFY_UNABLE:
        break;
    }
    return rp_session_fault(RP_STATUS_OUT_OF_HOST_MEMORY, pass);
}

bool rp_session_is_child(void)
{
    return atomic_load_explicit(&is_child, memory_order_relaxed);
}

bool rp_session_may_work(void)
{
    return atomic_load_explicit(&phase, memory_order_relaxed) < PHASE_OFF;
}

void rp_session_expect_file(void)
{
    int waiting = PHASE_WAITING;

    if (!atomic_load_explicit(&has_builder, memory_order_relaxed))
        atomic_store_explicit(&has_builder, true, memory_order_relaxed);
    if (atomic_load_explicit(&phase, memory_order_relaxed) == PHASE_WAITING)
        atomic_compare_exchange_strong_explicit(&phase, &waiting, PHASE_UNOPENED,
                                                memory_order_relaxed, memory_order_relaxed);
}

bool rp_session_is_open(void)
{
    return atomic_load_explicit(&phase, memory_order_acquire) == PHASE_READY;
}

bool rp_session_ready(const rp_plugin_config *config)
{
    int now = atomic_load_explicit(&phase, memory_order_acquire);

    if (now == PHASE_UNOPENED) {
        int saved_errno = errno;
        rp_nesting nesting;
        rp_nesting_enter(&nesting);
        open_once(config);
        rp_nesting_leave(&nesting);
        errno = saved_errno;
        now = atomic_load_explicit(&phase, memory_order_acquire);
    }
    return now == PHASE_READY;
}

bool rp_session_is_healthy(void)
{
    return rp_breaker_is_closed(&breaker);
}

const rp_device *rp_session_device(void)
{
    return device_in_use;
}

rp_pool *rp_session_pool(void)
{
    return pool;
}

bool rp_session_enter(rp_breaker_pass *pass)
{
    *pass = RP_BREAKER_CLOSED;
    if (!rp_breaker_is_closed(&breaker))
        *pass = rp_breaker_enter(&breaker, rp_clock_ns());
    return *pass != RP_BREAKER_OPEN;
}
