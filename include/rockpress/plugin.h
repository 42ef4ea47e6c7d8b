/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin stands between RocksDB and the engine. Loaded into a process, it decides for each
 * block whether a device compresses it, alone or with the whole file, or libzstd does. It verifies
 * frames, counts, and leaves a failing device alone. This header configures the plugin and reads
 * its statistics; a program that only preloads the library needs none of it.
 *
 * The configuration comes from environment variables ROCKPRESS_* (docs/operations.md), which are
 * read once, at the first use. A program may set it instead, before that first use.
 *
 * Programs and the library may be of different versions. Fields of rp_plugin_config and values of
 * the enumerations here are only ever added at the end, so a program works with a newer library;
 * and with an older one, where it is told of what that library does not know.
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
    RP_VERIFY_SAMPLE = 1, /* libzstd decodes the first thousand frames, then one in verify_interval,
                           * chosen by its content */
    RP_VERIFY_ALL = 2,    /* libzstd decodes every frame */
    RP_VERIFY_DEVICE = 3  /* the device proves every frame (rp_proof) */
} rp_verify_mode;

typedef enum rp_log_level {
    RP_LOG_OFF = 0,
    RP_LOG_ERROR = 1, /* wrong settings; each time that a device is left alone or works again */
    RP_LOG_INFO = 2   /* also which device was opened */
} rp_log_level;

/* What the choice between the device and libzstd saves, where a block could take either way. It is
 * made by what both have cost so far, for any device, also one that was asked for by name. */
typedef enum rp_goal {
    RP_GOAL_AUTO = 0,       /* CPU time, as far as no thread is later than with libzstd alone */
    RP_GOAL_THROUGHPUT = 1, /* time only */
    RP_GOAL_CPU = 2,        /* CPU time only, even at the price of waiting */
    RP_GOAL_DEVICE = 3      /* nothing: the device takes all that it can */
} rp_goal;

/* Whether blocks that RocksDB samples for a dictionary are compressed as a batch instead. */
typedef enum rp_batch_mode {
    RP_BATCH_OFF = 0,
    RP_BATCH_ON = 1,  /* wherever a zstd dictionary is trained */
    RP_BATCH_AUTO = 2 /* on threads of RocksDB's own that show far more than a dictionary is trained
                       * from. The CompressionManager asks for blocks where that costs nobody a
                       * dictionary or parallel threads */
} rp_batch_mode;

/* Who compresses blocks that a thread asks for which reads: the entries of a compressed secondary
 * cache. */
typedef enum rp_reads_mode { RP_READS_CPU = 0, RP_READS_DEVICE = 1 } rp_reads_mode;

/* Which of the device's frames have a checksum of their content. Readers of such a frame notice
 * that any byte of it has changed. */
typedef enum rp_checksum_mode {
    RP_CHECKSUM_OFF = 0, /* those for which RocksDB asks for one */
    RP_CHECKSUM_ON = 1   /* all; each is 4 bytes longer */
} rp_checksum_mode;

/* Whether single blocks that arrive together share a launch (rockpress/combiner.h), and who calls
 * the device. */
typedef enum rp_sharing_mode {
    RP_SHARING_OFF = 0,   /* each block has a lane and launches of its own */
    RP_SHARING_ON = 1,    /* the first thread of each launch calls the device for all */
    RP_SHARING_SERVED = 2 /* threads of the plugin's own do, and for batches, too */
} rp_sharing_mode;

/* Effort "auto": chosen by the zstd level that the caller asked for. */
#define RP_PLUGIN_EFFORT_AUTO 0

/* Made by rp_plugin_config_default. Each comment ends with the default. */
typedef struct rp_plugin_config {
    size_t struct_size; /* of the caller's rp_plugin_config, in bytes */

    /* "cuda", "cuda:N", "host" (the calling CPU thread) or "off" (libzstd); "auto": the first GPU,
     * once there is a file for a batch or for parallel_threads, since single blocks alone are not
     * worth opening one. With batch off and no parallel_threads, libzstd. auto */
    char device[128];
    rp_verify_mode verify;    /* device */
    uint32_t verify_interval; /* blocks, 1 to 2^30; 256 */
    uint32_t lanes;           /* most single blocks on the device, 1 to RP_POOL_MAX_LANES; 64 */
    size_t min_block_bytes;   /* smaller blocks take the cpu route, 0 to RP_MAX_INPUT_BYTES; 512 */
    size_t max_block_bytes;   /* and larger ones, 1 to RP_MAX_INPUT_BYTES; 256 KiB */
    size_t memory_bytes;      /* bound on the device memory of lanes; batches' lanes take up to half
                               * as much beside; 0: no bound; 0 */
    uint32_t timeout_ms;      /* longest wait for one block, 1 to 60000; 1000 */
    uint32_t effort;          /* RP_PLUGIN_EFFORT_AUTO or an rp_effort; auto */
    uint32_t breaker_faults;  /* faults in a row until the device is left alone, 1 to 1000; 5 */
    uint32_t breaker_retry_ms; /* first pause of it, doubled up to 64 times, 1 to 3600000; 1000 */
    uint32_t contexts;         /* idle ZSTD_CCtx kept for reuse, 0 to 64; 32 */
    rp_goal goal;              /* auto */
    rp_batch_mode batch;       /* auto */
    size_t batch_memory_bytes; /* bound on host memory of batches, 4 MiB to 2^63 - 1; 1 GiB */
    size_t batch_chunk_bytes;  /* blocks of one launch of a batch, 1 to 16 MiB; 4 MiB */
    uint32_t batch_lanes;      /* most launches of batches on the device, 1 to 64; 8 */
    rp_reads_mode reads;       /* cpu */
    rp_log_level log;          /* error */
    char log_file[1024]; /* lines are appended to it; "": standard error, "syslog": syslog(3); "" */
    char stats_path[1024]; /* written at exit; "-": standard error, "": nowhere, %p: the pid; "" */

    /* No environment variable: a device of the caller's own, used instead of opening one by name
     * unless it is NULL. It is used until the process ends. NULL */
    const rp_device *custom_device;
    rp_checksum_mode checksum; /* off */
    rp_sharing_mode sharing;   /* ROCKPRESS_SHARED_LAUNCHES; off */
    uint32_t parallel_threads; /* that the CompressionManager recommends for a file whose blocks go
                                * to the device one by one, 0 to 32; 0: as RocksDB's options say;
                                * 0 */
} rp_plugin_config;

/*
 * The built-in defaults, without the environment. struct_size is sizeof(rp_plugin_config) as the
 * caller was compiled: the library writes no more than that, and keeps it in the struct.
 * RP_STATUS_NULL_POINTER; RP_STATUS_INVALID_OPTION for a size that no version had, with *config
 * unchanged.
 */
RP_API rp_status rp_plugin_config_default(rp_plugin_config *config, size_t struct_size);

/*
 * Sets one field from text, by its name in the environment ("ROCKPRESS_DEVICE") or without
 * the prefix ("DEVICE"). RP_STATUS_INVALID_OPTION for an unknown name or a malformed value,
 * with the allowed ones in *error (nullable); the configuration is then unchanged.
 */
RP_API rp_status rp_plugin_config_set(rp_plugin_config *config, const char *name, const char *value,
                                      rp_error *error);

/* Applies every ROCKPRESS_* variable of the environment. Returns how many were not understood;
 * each of them leaves its field unchanged, and the first is described in *error (nullable). */
RP_API uint32_t rp_plugin_config_from_environment(rp_plugin_config *config, rp_error *error);

/*
 * Takes the configuration in place of the environment's. Only before the first use of the
 * plugin in the process. RP_STATUS_INVALID_OPTION, explained in *error (nullable), when a field
 * is out of range, when the plugin is already in use, when struct_size is too small for any
 * version, or when it is larger than this library's struct and a byte beyond that is not 0: then
 * the program asks for something that this library does not have.
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
    RP_FALLBACK_MEMORY = 11,    /* batch_memory_bytes has no room for the frames of its batch */
    RP_FALLBACK_READ = 12,      /* a thread that reads asks, as far as can be told */
    RP_N_FALLBACK_REASONS = 13
} rp_fallback_reason;

typedef enum rp_fault {
    RP_FAULT_TIMEOUT = 0,
    RP_FAULT_LAUNCH = 1,   /* one launch or copy failed */
    RP_FAULT_MEMORY = 2,   /* host or device memory ran out */
    RP_FAULT_DEVICE = 3,   /* the device is lost to this process */
    RP_FAULT_VERIFY = 4,   /* a frame that is not the block's, or a result that is impossible; the
                            * device is given up */
    RP_FAULT_INTERNAL = 5, /* a defect of rockpress; the device is given up */
    RP_N_FAULTS = 6
} rp_fault;

/* Names as in the Prometheus labels ("cpu", "dictionary", "timeout"); "unknown" out of range. */
RP_API const char *rp_route_name(rp_route route);
RP_API const char *rp_fallback_reason_name(rp_fallback_reason reason);
RP_API const char *rp_fault_name(rp_fault fault);

/*
 * Statistics: sums since the process started, and a few present values. Each is read by its number
 * and an index, and not as a field of a struct with arrays, since routes, reasons, kinds of faults
 * and statistics will be added. So a program that is older than the library reads what it knows,
 * and one that is newer reads 0 where the library does not know the number or the index.
 */
typedef enum rp_stat {
    /* By rp_route. */
    RP_STAT_BLOCKS = 0,
    RP_STAT_BYTES_IN = 1,
    RP_STAT_BYTES_OUT = 2,
    RP_STAT_MICROSECONDS = 3, /* wall time; of the cpu route, which times one block in 16 and is
                               * scaled up by bytes, an estimate */
    RP_STAT_FALLBACKS = 4,    /* by rp_fallback_reason; that of RP_FALLBACK_NONE is 0 */
    RP_STAT_FAULTS = 5,       /* by rp_fault */
    /* From here on one value each, of index 0. */
    RP_STAT_REJECTED_BLOCKS = 6,   /* cpu route: libzstd returned an error, mostly "too small" */
    RP_STAT_VERIFIED_BLOCKS = 7,   /* proven before they were handed over */
    RP_STAT_CONTEXTS_CREATED = 8,  /* ZSTD_CCtx made */
    RP_STAT_CONTEXTS_RECYCLED = 9, /* ZSTD_CCtx served from idle ones instead */
    RP_STAT_BREAKER_OPENS = 10,    /* times that the device was left alone */
    RP_STAT_BATCHES = 11,          /* batches begun */
    RP_STAT_BATCH_BLOCKS = 12,     /* blocks in them */
    RP_STAT_BATCHES_DECLINED = 13, /* files that were not begun: libzstd is the cheaper way */
    RP_STAT_ROUTER_PROBES = 14,    /* blocks and files that tried the dearer way */
    RP_STAT_BATCH_MISSES = 15,     /* blocks that were looked for in open batches and are in none */
    RP_STAT_BATCH_UNTAKEN_BLOCKS = 16, /* blocks that nobody had asked for when their batch ended */
    RP_STAT_BATCH_USED_BYTES = 17,     /* host memory of batches, now */
    RP_STAT_BATCH_PEAK_BYTES = 18,     /* the most that it ever was */
    RP_STAT_BATCH_KEPT_BYTES = 19, /* the same as used, with the memory kept for the next batch */
    RP_STAT_LANES = 20,            /* lanes of single blocks made so far */
    RP_STAT_DEVICE_ACTIVE = 21,    /* 1: the device takes blocks (the breaker apart), else 0 */
    RP_STAT_FILES_WITHOUT_MEMORY = 22, /* files that no batch was begun for: there was no room for
                                        * their blocks in batch_memory_bytes. CompressionManager */
    RP_STAT_UNPROVEN_FRAMES = 23,      /* handed over without a proof, as `verify` asks */
    RP_STAT_DIRECT_LAUNCHES = 24, /* of the direct route, that ended well; blocks may share one */
    RP_N_STATS = 25               /* of this header; the library may know more */
} rp_stat;

/*
 * Writes the values of a statistic to values[0, n), as many as there are and fit, and 0 to the
 * others. values may be NULL when n is 0. Returns how many values there are: 0 when the library
 * does not know the statistic. Sums are exact once the threads that count have returned; while they
 * run, those of one block may be seen at different moments.
 */
RP_API size_t rp_stats_get(rp_stat stat, uint64_t *values, size_t n);

/* One value; 0 when the library does not know the statistic or the index. */
RP_API uint64_t rp_stats_value(rp_stat stat, unsigned index);

/*
 * How a statistic appears in Prometheus's text: its name without "rockpress_" ("blocks_total";
 * those that end in "_total" are counters, the others gauges), the name of its label ("route"; ""
 * without one), the value of the label for an index ("cpu"), and one line of help. NULL when the
 * library does not know the statistic or the index, which is how a loop over all of them ends.
 */
RP_API const char *rp_stats_name(rp_stat stat);
RP_API const char *rp_stats_label(rp_stat stat);
RP_API const char *rp_stats_label_value(rp_stat stat, unsigned index);
RP_API const char *rp_stats_help(rp_stat stat);

/* The name of the device in use, or "none". */
RP_API const char *rp_stats_device(void);

/*
 * Writes all statistics in Prometheus text format: to standard error for "-", else to the file,
 * which is replaced at once (a reader never sees half of it). "%p" in the path becomes the
 * process id. RP_STATUS_NULL_POINTER, or RP_STATUS_INVALID_OPTION when the file could not be
 * written. Not async-signal-safe.
 */
RP_API rp_status rp_stats_write(const char *path);

#ifdef __cplusplus
}
#endif

#endif
