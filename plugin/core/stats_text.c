/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters as text, in Prometheus's exposition format, for its textfile collector or a
 * person. A file is written beside its place and renamed over it, so that a collector never
 * reads half of one; what is not a regular file (a pipe, /dev/stdout) is written to directly.
 *
 * The dump at exit is a library destructor: destructors run after every atexit handler and
 * after C++ static objects are gone, so what RocksDB compresses while it shuts down is still
 * counted. It only writes a file, and never touches a device.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/core/config.h"
#include "plugin/core/log.h"
#include "plugin/core/stats.h"

/* About 60 lines of up to 120 bytes, and as much again. */
#define TEXT_BYTES 16384
#define PATH_BYTES 1088

struct text {
    char bytes[TEXT_BYTES];
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void append(struct text *text, const char *format, ...)
{
    size_t left = sizeof(text->bytes) - text->used;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(text->bytes + text->used, left, format, arguments);
    va_end(arguments);
    if (n > 0)
        text->used += (size_t)n < left ? (size_t)n : left - 1;
}

static void append_header(struct text *text, const char *name, const char *type, const char *help)
{
    append(text, "# HELP rockpress_%s %s\n# TYPE rockpress_%s %s\n", name, help, name, type);
}

static void append_routes(struct text *text, const char *name, const char *help,
                          const uint64_t values[RP_N_ROUTES])
{
    append_header(text, name, "counter", help);
    for (unsigned i = 0; i < RP_N_ROUTES; i++)
        append(text, "rockpress_%s{route=\"%s\"} %llu\n", name, rp_route_name((rp_route)i),
               (unsigned long long)values[i]);
}

static void append_one(struct text *text, const char *name, const char *type, const char *help,
                       uint64_t value)
{
    append_header(text, name, type, help);
    append(text, "rockpress_%s %llu\n", name, (unsigned long long)value);
}

static void format_stats(struct text *text)
{
    rp_stats stats;

    rp_stats_get(&stats);
    append_routes(text, "blocks_total", "Blocks compressed.", stats.blocks);
    append_routes(text, "bytes_in_total", "Bytes of those blocks.", stats.bytes_in);
    append_routes(text, "bytes_out_total", "Bytes of their frames.", stats.bytes_out);
    append_routes(text, "microseconds_total",
                  "Wall time spent compressing; for the cpu route estimated from samples.",
                  stats.microseconds);
    append_header(text, "fallbacks_total", "counter", "Blocks on the cpu route, by reason.");
    for (unsigned i = RP_FALLBACK_NONE + 1; i < RP_N_FALLBACK_REASONS; i++)
        append(text, "rockpress_fallbacks_total{reason=\"%s\"} %llu\n",
               rp_fallback_reason_name((rp_fallback_reason)i),
               (unsigned long long)stats.fallbacks[i]);
    append_header(text, "faults_total", "counter", "Failures of the device, by kind.");
    for (unsigned i = 0; i < RP_N_FAULTS; i++)
        append(text, "rockpress_faults_total{kind=\"%s\"} %llu\n", rp_fault_name((rp_fault)i),
               (unsigned long long)stats.faults[i]);
    append_one(text, "rejected_blocks_total", "counter",
               "Blocks for which libzstd returned an error, most often that they don't shrink.",
               stats.rejected_blocks);
    append_one(text, "verified_blocks_total", "counter",
               "Frames decoded and compared before they were handed over.", stats.verified_blocks);
    append_one(text, "contexts_created_total", "counter", "zstd contexts made.",
               stats.contexts_created);
    append_one(text, "contexts_recycled_total", "counter", "zstd contexts served from idle ones.",
               stats.contexts_recycled);
    append_one(text, "breaker_opens_total", "counter", "Times that the device was left alone.",
               stats.breaker_opens);
    append_one(text, "batches_total", "counter", "Batches begun.", stats.batches);
    append_one(text, "batch_blocks_total", "counter", "Blocks in them.", stats.batch_blocks);
    append_one(text, "batches_declined_total", "counter",
               "Files that were not begun as batches, as libzstd is the cheaper way.",
               stats.batches_declined);
    append_one(text, "router_probes_total", "counter",
               "Blocks and files that tried the dearer way.", stats.router_probes);
    append_one(text, "batch_misses_total", "counter",
               "Blocks that were looked for in open batches and are in none.", stats.batch_misses);
    append_one(text, "batch_untaken_blocks_total", "counter",
               "Blocks of batches that nobody asked for.", stats.batch_untaken_blocks);
    append_one(text, "batch_memory_used_bytes", "gauge", "Host memory in use by batches.",
               stats.batch_used_bytes);
    append_one(text, "batch_memory_peak_bytes", "gauge", "The most that it ever was.",
               stats.batch_peak_bytes);
    append_one(text, "batch_memory_kept_bytes", "gauge", "The same, with what is kept for reuse.",
               stats.batch_kept_bytes);
    append_one(text, "lanes", "gauge", "Lanes (a stream and its memory) made.", stats.lanes);
    append_header(text, "device_info", "gauge", "1 while the device takes blocks, else 0.");
    append(text, "rockpress_device_info{device=\"%s\"} %u\n", stats.device, stats.device_active);
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

/* Copies path with "%p" as the process id. */
static bool expand_path(const char *path, char *expanded, size_t size)
{
    size_t used = 0;

    for (; *path != '\0'; path++) {
        if (used + 12 >= size)
            return false;
        if (path[0] == '%' && path[1] == 'p') {
            used += (size_t)snprintf(expanded + used, size - used, "%d", (int)getpid());
            path++;
        } else {
            expanded[used++] = *path;
        }
    }
    expanded[used] = '\0';
    return true;
}

static bool write_file(const char *path, const struct text *text)
{
    char temporary[PATH_BYTES + 24];
    struct stat status;
    bool direct = stat(path, &status) == 0 && !S_ISREG(status.st_mode);
    const char *target = path;
    bool written;
    int fd;

    if (!direct) {
        snprintf(temporary, sizeof(temporary), "%s.tmp.%d", path, (int)getpid());
        target = temporary;
    }
    fd = open(target, O_WRONLY | O_CLOEXEC | (direct ? 0 : O_CREAT | O_TRUNC), 0644);
    if (fd < 0)
        return false;
    written = write_all(fd, text->bytes, text->used);
    if (close(fd) != 0)
        written = false;
    if (direct)
        return written;
    if (written && rename(temporary, path) == 0)
        return true;
    unlink(temporary);
    return false;
}

rp_status rp_stats_write(const char *path)
{
    char expanded[PATH_BYTES];
    struct text text;
    bool written;

    if (path == NULL)
        return RP_STATUS_NULL_POINTER;
    text.used = 0;
    format_stats(&text);
    if (strcmp(path, "-") == 0)
        written = write_all(STDERR_FILENO, text.bytes, text.used);
    else
        written = expand_path(path, expanded, sizeof(expanded)) && write_file(expanded, &text);
    return written ? RP_STATUS_OK : RP_STATUS_INVALID_OPTION;
}

static bool names_process(const char *path)
{
    return strstr(path, "%p") != NULL;
}

__attribute__((destructor)) static void dump_at_exit(void)
{
    const rp_plugin_config *config = rp_config_peek();

    if (config == NULL || config->stats_path[0] == '\0')
        return;
    /* A forked child must not replace its parent's report by its own. */
    if (rp_config_owner_pid() != (int)getpid() && !names_process(config->stats_path))
        return;
    if (rp_stats_write(config->stats_path) != RP_STATUS_OK)
        rp_log(RP_LOG_ERROR, "can not write the statistics to %s", config->stats_path);
}
