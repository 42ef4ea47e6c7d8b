/* SPDX-License-Identifier: Apache-2.0 */
/* What `blocks` measured, as JSON for tools, with all that another run should have in common. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "blocks_report.h"

/* Corpus names come from file names, the command from anywhere: both may hold anything. */
static void put_string(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            fprintf(f, "\\%c", c);
        else if (c < 0x20)
            fprintf(f, "\\u%04x", c);
        else
            fputc(c, f);
    }
    fputc('"', f);
}

/* The value of the first line of Linux' cpuinfo that begins with `key`; "" without one. */
static void read_cpuinfo(const char *key, char *value, size_t capacity)
{
    char line[4096];
    FILE *f = fopen("/proc/cpuinfo", "r");
    value[0] = 0;
    while (f && !value[0] && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key)) != 0)
            continue;
        colon += 1 + strspn(colon + 1, " \t");
        snprintf(value, capacity, "%.*s", (int)strcspn(colon, "\n"), colon);
    }
    if (f)
        fclose(f);
}

static void put_machine(FILE *f)
{
    char name[256], family[32], model[32], flags[4096];
    /* A virtual machine's name may stop at the brand; family and model tell generations apart. */
    read_cpuinfo("model name", name, sizeof name);
    read_cpuinfo("cpu family", family, sizeof family);
    read_cpuinfo("model\t", model, sizeof model);
    read_cpuinfo("flags", flags, sizeof flags);
    fputs("  \"machine\": {\"cpu\": ", f);
    put_string(f, name[0] ? name : "unknown");
    fputs(", \"cpu_family\": ", f);
    put_string(f, family);
    fputs(", \"cpu_model\": ", f);
    put_string(f, model);
    fprintf(f, ", \"logical_cpus\": %ld, \"virtual\": %s},\n", sysconf(_SC_NPROCESSORS_ONLN),
            strstr(flags, "hypervisor") ? "true" : "false");
}

static void put_versions(FILE *f)
{
#if defined(__clang__)
    const char *compiler = __VERSION__;
#else
    const char *compiler = "gcc " __VERSION__;
#endif
    fprintf(f, "  \"versions\": {\"rockpress\": \"%s\", \"zstd\": \"%s\", \"lz4\": \"%s\", ",
            ROCKPRESS_VERSION, ZSTD_versionString(), codec_lz4_version());
    fputs("\"compiler\": ", f);
    put_string(f, compiler);
    fputs("},\n", f);
}

static void put_row(FILE *f, const struct results *r, const struct result_row *row)
{
    fputs("    {\"corpus\": ", f);
    put_string(f, row->corpus);
    fprintf(f,
            ", \"block_bytes\": %zu, \"n_blocks\": %zu, \"raw_bytes\": %zu, "
            "\"xxh64\": \"%016llx\", \"codecs\": [",
            row->block_bytes, row->n_blocks, row->raw_bytes, (unsigned long long)row->hash);
    for (unsigned k = 0; k < r->n_codecs; k++) {
        const struct measurement *m = &row->by_codec[k];
        fprintf(f,
                "%s\n      {\"codec\": \"%s\", \"level\": \"%s\", \"compressed_bytes\": %zu, "
                "\"compress_mb_s\": %.3f}",
                k ? "," : "", r->codecs[k].name, r->codecs[k].level, m->compressed_bytes,
                m->compress_mb_s);
    }
    fputs("]}", f);
}

bool report_write_json(const struct results *r, const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f) {
        fprintf(stderr, "blocks: cannot create %s: %s\n", path, strerror(errno));
        return false;
    }
    fputs("{\n", f);
    put_machine(f);
    put_versions(f);
    fputs("  \"command\": [", f);
    for (int i = 0; i < r->argc; i++) {
        fputs(i ? ", " : "", f);
        put_string(f, r->argv[i]);
    }
    fprintf(f, "],\n  \"rounds\": %u,\n  \"rows\": [", r->rounds);
    for (size_t i = 0; i < r->n_rows; i++) {
        fputs(i ? ",\n" : "\n", f);
        put_row(f, r, &r->rows[i]);
    }
    fputs("\n  ]\n}\n", f);
    const bool good = !ferror(f);
    if (fclose(f) != 0 || !good) {
        fprintf(stderr, "blocks: cannot write %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}
