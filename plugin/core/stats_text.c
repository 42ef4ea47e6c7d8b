/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statistics as text, in Prometheus's exposition format, for its textfile collector or a
 * person. core/output_file.h says how a file is replaced, and what is written to directly.
 *
 * The report at exit is written by a library destructor (core/stats.c). Destructors run after every
 * atexit handler and after C++ static objects are gone, so blocks that RocksDB compresses while it
 * shuts down are still counted. It only writes a file, and never touches a device.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugin/core/config.h"
#include "plugin/core/log.h"
#include "plugin/core/output_file.h"
#include "plugin/core/standard_error.h"
#include "plugin/core/stats.h"

/* About 85 lines of up to 120 bytes, and half as much again. */
#define TEXT_BYTES 16384
#define PATH_BYTES 1088
/* What the reader of a pipe may take to make place for the text, each time that it is full. */
#define WAIT_MS 1000

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

static bool is_counter(const char *name)
{
    static const char suffix[] = "_total";
    size_t length = strlen(name);

    return length >= sizeof(suffix) - 1 &&
           strcmp(name + length - (sizeof(suffix) - 1), suffix) == 0;
}

static void append_value(struct text *text, rp_stat stat, unsigned index)
{
    append(text, "rockpress_%s", rp_stats_name(stat));
    if (rp_stats_label(stat)[0] != '\0')
        append(text, "{%s=\"%s\"}", rp_stats_label(stat), rp_stats_label_value(stat, index));
    append(text, " %llu\n", (unsigned long long)rp_stats_value(stat, index));
}

static void format_stats(struct text *text)
{
    for (rp_stat stat = 0; rp_stats_name(stat) != NULL; stat++) {
        const char *name = rp_stats_name(stat);
        /* No block of the cpu route has the reason "none". */
        unsigned first = stat == RP_STAT_FALLBACKS ? RP_FALLBACK_NONE + 1 : 0;

        append(text, "# HELP rockpress_%s %s\n# TYPE rockpress_%s %s\n", name, rp_stats_help(stat),
               name, is_counter(name) ? "counter" : "gauge");
        for (unsigned i = first; rp_stats_label_value(stat, i) != NULL; i++)
            append_value(text, stat, i);
    }
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
        written = rp_write_to_reader(STDERR_FILENO, text.bytes, text.used, WAIT_MS);
    else
        written = expand_path(path, expanded, sizeof(expanded)) &&
                  rp_output_replace(expanded, text.bytes, text.used, WAIT_MS);
    return written ? RP_STATUS_OK : RP_STATUS_INVALID_OPTION;
}

static bool names_process(const char *path)
{
    return strstr(path, "%p") != NULL;
}

/* At exit nobody asks for it, and standard error may be another file by now. */
static void write_to_standard_error(void)
{
    struct text text;

    text.used = 0;
    format_stats(&text);
    rp_standard_error_write(text.bytes, text.used, WAIT_MS);
}

void rp_stats_report_at_exit(void)
{
    const rp_plugin_config *config = rp_config_peek();

    if (config == NULL || config->stats_path[0] == '\0')
        return;
    /* A forked child must not replace its parent's report by its own. */
    if (rp_config_owner_pid() != (int)getpid() && !names_process(config->stats_path))
        return;
    if (strcmp(config->stats_path, "-") == 0)
        write_to_standard_error();
    else if (rp_stats_write(config->stats_path) != RP_STATUS_OK)
        rp_log(RP_LOG_ERROR, "can not write the statistics to %s", config->stats_path);
}
