/* SPDX-License-Identifier: Apache-2.0 */
/* What `blocks` measured, as JSON for tools, with the machine, versions and command. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <zstd.h>

#include "bench/blocks/results.h"
#include "bench/common/json.h"

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
    json_put_string(f, compiler);
    fputs("},\n", f);
}

static void put_row(FILE *f, const struct results *r, const struct result_row *row)
{
    fputs("    {\"corpus\": ", f);
    json_put_string(f, row->corpus);
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
    json_put_machine(f);
    put_versions(f);
    fputs("  \"command\": [", f);
    for (int i = 0; i < r->argc; i++) {
        fputs(i ? ", " : "", f);
        json_put_string(f, r->argv[i]);
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
