/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compressors that `blocks` compares, with one interface: open for the size of the largest
 * block, compress block after block with the same context, close. Each is used the way RocksDB uses
 * it.
 */
#ifndef ROCKPRESS_BENCH_BLOCKS_CODECS_H
#define ROCKPRESS_BENCH_BLOCKS_CODECS_H

#include <stdbool.h>
#include <stddef.h>

#include "rockpress/engine.h"

struct codec {
    const char *name; /* "rockpress", "zstd", "lz4", "lz4hc" */
    char level[24];   /* an effort's name, a level, or LZ4's acceleration */
    bool emits_zstd;  /* frames that libzstd decodes */

    /* Returns false with a message on stderr. */
    bool (*open)(struct codec *c, size_t max_block_bytes);
    /* Bytes written, or 0 on failure, with a message on stderr. */
    size_t (*compress)(struct codec *c, const void *block, size_t size);
    /* Safe on a codec that was never opened. */
    void (*close)(struct codec *c);

    /* The result of the last compress. */
    unsigned char *output;
    size_t capacity;

    /* Each codec's own. */
    void *context;
    int number; /* of the level, or LZ4's acceleration */
    bool is_hc; /* LZ4HC, else LZ4 */
    rp_effort effort;
    rp_device *device;
    rp_stream stream;
    void *workspace;
    size_t workspace_size;
};

void codec_init_zstd(struct codec *c, int level);
/* Acceleration 1 is LZ4's default. */
void codec_init_lz4(struct codec *c, int acceleration);
void codec_init_lz4hc(struct codec *c, int level);
const char *codec_lz4_version(void);
/* Rockpress on its host device. */
void codec_init_rockpress(struct codec *c, rp_effort effort);

#endif
