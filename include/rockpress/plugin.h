/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin: what stands between RocksDB and the engine. Loaded into a process, it decides
 * block by block whether a device compresses it (the direct route) or libzstd does (the cpu
 * route), verifies, counts, and leaves a failing device alone. This header configures it and
 * reads its counters; a program that only preloads the library needs none of it.
 *
 * Configuration comes from environment variables ROCKPRESS_* (docs/operations.md) and is
 * read once, at the first use. A program may set it instead, before that first use.
 *
 * Thread rule: any function from any thread, unless it says otherwise.
 */
#ifndef ROCKPRESS_PLUGIN_H
#define ROCKPRESS_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include "rockpress/device.h"
#include "rockpress/engine.h"
#include "rockpress/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rp_verify_mode {
    RP_VERIFY_OFF = 0,
    RP_VERIFY_SAMPLE = 1, /* every block of the first thousand, then one in verify_interval */
    RP_VERIFY_ALL = 2
} rp_verify_mode;

typedef enum rp_log_level {
    RP_LOG_OFF = 0,
    RP_LOG_ERROR =
        1,          /* configuration errors, and each time that a device is given up or regained */
    RP_LOG_INFO = 2 /* also which device was opened */
} rp_log_level;

/* What the choice between the device and libzstd is to save, where there is one. */
typedef enum rp_goal {
    RP_GOAL_AUTO = 0,       /* throughput with the device "auto", else device */
    RP_GOAL_THROUGHPUT = 1, /* time */
    RP_GOAL_CPU = 2,        /* CPU time, even at the price of waiting */
    RP_GOAL_DEVICE = 3      /* nothing: the device takes all that it can */
} rp_goal;

/* Whether blocks that RocksDB samples for a dictionary are compressed as a batch instead. */
typedef enum rp_batch_mode { RP_BATCH_OFF = 0, RP_BATCH_ON = 1 } rp_batch_mode;

/* Effort "auto": chosen by the zstd level that the caller asked for. */
#define RP_PLUGIN_EFFORT_AUTO 0

typedef struct rp_plugin_config {
    char device[32];           /* "auto" (for now: libzstd), "cuda", "cuda:N", "host", "off" */
    rp_verify_mode verify;     /* sample */
    uint32_t verify_interval;  /* blocks, 1 to 2^30; 256 */
    uint32_t lanes;            /* most blocks in flight at once, 1 to RP_POOL_MAX_LANES; 64 */
    size_t min_block_bytes;    /* smaller blocks take the cpu route, 0 to RP_MAX_INPUT_BYTES; 512 */
    size_t max_block_bytes;    /* and larger ones, 1 to RP_MAX_INPUT_BYTES; 256 KiB */
    size_t memory_bytes;       /* bound on device memory over all lanes; 0: none */
    uint32_t timeout_ms;       /* longest wait for one block, 1 to 60000; 1000 */
    uint32_t effort;           /* RP_PLUGIN_EFFORT_AUTO or an rp_effort; auto */
    uint32_t breaker_faults;   /* faults in a row until the device is left alone, 1 to 1000; 5 */
    uint32_t breaker_retry_ms; /* first pause of it, doubled up to 64 times, 1 to 3600000; 1000 */
    uint32_t contexts;         /* idle ZSTD_CCtx kept for reuse, 0 to 64; 32 */
    rp_goal goal;              /* auto */
    rp_batch_mode batch;       /* off */
    size_t batch_memory_bytes; /* bound on host memory of batches, 4 MiB to 2^63 - 1; 1 GiB */
    size_t batch_chunk_bytes;  /* blocks of one launch of a batch, 1 to 16 MiB; 4 MiB */
    uint32_t batch_lanes;      /* most chunks of batches on the device, 1 to 64; 8 */
    rp_log_level log;          /* error */
    char stats_path[1024]; /* written at exit; "-" is standard error, "" is nowhere, %p the pid */

    /* Not a variable: a device of the caller's own, used instead of opening one by name unless
     * it is NULL. It is used until the process ends. */
    const rp_device *custom_device;
} rp_plugin_config;

/* The built-in defaults, without the environment. */
RP_API void rp_plugin_config_default(rp_plugin_config *config);

/*
 * Sets one field from text, by its name in the environment ("ROCKPRESS_DEVICE") or without
 * the prefix ("DEVICE"). RP_STATUS_INVALID_OPTION for an unknown name or a malformed value,
 * with the allowed ones in *error (nullable); the configuration is then unchanged.
 */
RP_API rp_status rp_plugin_config_set(rp_plugin_config *config, const char *name, const char *value,
                                      rp_error *error);

/* Applies every ROCKPRESS_* variable of the environment. Returns how many were not understood;
 * each of them keeps the field as it was, and the first is described in *error (nullable). */
RP_API uint32_t rp_plugin_config_from_environment(rp_plugin_config *config, rp_error *error);

/*
 * Takes the configuration in place of the environment's. Only before the first use of the
 * plugin in the process. RP_STATUS_INVALID_OPTION, explained in *error (nullable), when a field
 * is out of range or the plugin is already in use.
 */
RP_API rp_status rp_plugin_configure(const rp_plugin_config *config, rp_error *error);

/* How a block was compressed. */
typedef enum rp_route {
    RP_ROUTE_CPU = 0,    /* libzstd */
    RP_ROUTE_DIRECT = 1, /* one block on a lane, while the caller waits */
    RP_ROUTE_BATCH = 2,  /* served from a batch compressed earlier */
    RP_N_ROUTES = 3
} rp_route;

/* Why a block took the cpu route. Every block of that route has one reason. */
typedef enum rp_fallback_reason {
    RP_FALLBACK_NONE = 0,       /* it did not */
    RP_FALLBACK_DICTIONARY = 1, /* the caller uses a dictionary */
    RP_FALLBACK_SIZE = 2,       /* below min_block_bytes or above max_block_bytes */
    RP_FALLBACK_DEVICE = 3,     /* switched off, not there, being opened, given up, or forked */
    RP_FALLBACK_PARAMETER = 4,  /* a zstd parameter that rockpress's frames don't honour */
    RP_FALLBACK_CAPACITY = 5,   /* the frame did not fit the output */
    RP_FALLBACK_POOL = 6,       /* every lane was taken */
    RP_FALLBACK_BREAKER = 7,    /* the device is left alone for a while */
    RP_FALLBACK_FAULT = 8,      /* the device failed on this block; counted in faults, too */
    RP_FALLBACK_ROUTER = 9,     /* libzstd is the cheaper way for such blocks */
    RP_FALLBACK_BUSY = 10,      /* its batch is still on the device, and libzstd is quicker */
    RP_N_FALLBACK_REASONS = 11
} rp_fallback_reason;

typedef enum rp_fault {
    RP_FAULT_TIMEOUT = 0,
    RP_FAULT_LAUNCH = 1,   /* one launch or copy failed */
    RP_FAULT_MEMORY = 2,   /* host or device memory ran out */
    RP_FAULT_DEVICE = 3,   /* the device is lost to this process */
    RP_FAULT_VERIFY = 4,   /* the frame did not decode to the block; the device is given up */
    RP_FAULT_INTERNAL = 5, /* a defect of rockpress */
    RP_N_FAULTS = 6
} rp_fault;

/* Names as in the Prometheus labels ("cpu", "dictionary", "timeout"); "unknown" out of range. */
RP_API const char *rp_route_name(rp_route route);
RP_API const char *rp_fallback_reason_name(rp_fallback_reason reason);
RP_API const char *rp_fault_name(rp_fault fault);

/* Sums since the process started. Each counter is exact once the threads that count have
 * returned; while they run, counters of one block may be seen at different moments. */
typedef struct rp_stats {
    uint64_t blocks[RP_N_ROUTES];
    uint64_t bytes_in[RP_N_ROUTES];
    uint64_t bytes_out[RP_N_ROUTES];
    /* Wall time. The cpu route times one block in 16 and is scaled up by bytes: an estimate. */
    uint64_t microseconds[RP_N_ROUTES];
    uint64_t fallbacks[RP_N_FALLBACK_REASONS]; /* fallbacks[RP_FALLBACK_NONE] is 0 */
    uint64_t faults[RP_N_FAULTS];
    uint64_t rejected_blocks;   /* cpu route: libzstd returned an error, most often "too small" */
    uint64_t verified_blocks;   /* decoded and compared before they were handed over */
    uint64_t contexts_created;  /* ZSTD_CCtx made */
    uint64_t contexts_recycled; /* and those served from idle ones instead */
    uint64_t breaker_opens;     /* times that the device was left alone */
    uint64_t batches;           /* batches begun */
    uint64_t batch_blocks;      /* blocks in them */
    uint64_t batches_declined;  /* files that were not begun, as libzstd is the cheaper way */
    uint64_t router_probes;     /* blocks and files that tried the dearer way */
    uint64_t batch_misses;      /* blocks that were looked for in open batches and are in none */
    uint64_t batch_untaken_blocks; /* blocks of batches that have ended that nobody asked for */
    uint64_t batch_used_bytes;     /* host memory of batches, now */
    uint64_t batch_peak_bytes;     /* the most that it ever was */
    uint64_t batch_kept_bytes;     /* the same, with what is kept for the next batch */
    uint32_t lanes;                /* lanes made so far */
    uint32_t device_active;        /* 1: the direct route is open (the breaker apart) */
    char device[32];               /* name of the device in use, or "none" */
} rp_stats;

RP_API void rp_stats_get(rp_stats *stats);

/*
 * Writes the counters in Prometheus text format: to standard error for "-", else to the file,
 * which is replaced at once (a reader never sees half of it). "%p" in the path becomes the
 * process id. RP_STATUS_NULL_POINTER, or RP_STATUS_INVALID_OPTION when the file could not be
 * written. Not async-signal-safe.
 */
RP_API rp_status rp_stats_write(const char *path);

#ifdef __cplusplus
}
#endif

#endif
