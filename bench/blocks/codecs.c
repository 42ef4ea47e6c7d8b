/* SPDX-License-Identifier: Apache-2.0 */
/* See codecs.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#include <lz4hc.h>
#include <zstd.h>

#include "bench/blocks/codecs.h"

/* Far longer than the host device takes for any block. */
enum { WAIT_US = 60 * 1000 * 1000 };

static bool make_output(struct codec *c, size_t capacity)
{
    c->output = malloc(capacity ? capacity : 1);
    c->capacity = c->output ? capacity : 0;
    if (!c->output)
        fprintf(stderr, "blocks: no memory for %zu bytes of output\n", capacity);
    return c->output != NULL;
}

static void free_output(struct codec *c)
{
    free(c->output);
    c->output = NULL;
    c->capacity = 0;
}

/* The level is set once for a context. ZSTD_compress2 then takes each block, with a capacity of
 * ZSTD_compressBound. */
static bool open_zstd(struct codec *c, size_t max_block_bytes)
{
    c->context = ZSTD_createCCtx();
    if (!c->context) {
        fprintf(stderr, "blocks: no memory for a ZSTD_CCtx\n");
        return false;
    }
    const size_t result = ZSTD_CCtx_setParameter(c->context, ZSTD_c_compressionLevel, c->number);
    if (ZSTD_isError(result)) {
        fprintf(stderr, "blocks: zstd level %d: %s\n", c->number, ZSTD_getErrorName(result));
        return false;
    }
    return make_output(c, ZSTD_compressBound(max_block_bytes));
}

static size_t compress_zstd(struct codec *c, const void *block, size_t size)
{
    const size_t result = ZSTD_compress2(c->context, c->output, c->capacity, block, size);
    if (!ZSTD_isError(result))
        return result;
    fprintf(stderr, "blocks: zstd level %d: %s\n", c->number, ZSTD_getErrorName(result));
    return 0;
}

static void close_zstd(struct codec *c)
{
    ZSTD_freeCCtx(c->context);
    c->context = NULL;
    free_output(c);
}

void codec_init_zstd(struct codec *c, int level)
{
    memset(c, 0, sizeof *c);
    c->name = "zstd";
    c->emits_zstd = true;
    c->number = level;
    snprintf(c->level, sizeof c->level, "%d", level);
    c->open = open_zstd;
    c->compress = compress_zstd;
    c->close = close_zstd;
}

/* LZ4 and LZ4HC differ in their state and in one function. */
static bool open_lz4(struct codec *c, size_t max_block_bytes)
{
    if (max_block_bytes > LZ4_MAX_INPUT_SIZE) {
        fprintf(stderr, "blocks: LZ4 takes blocks of at most %d bytes, not %zu\n",
                LZ4_MAX_INPUT_SIZE, max_block_bytes);
        return false;
    }
    c->context = malloc((size_t)(c->is_hc ? LZ4_sizeofStateHC() : LZ4_sizeofState()));
    if (!c->context) {
        fprintf(stderr, "blocks: no memory for the state of LZ4\n");
        return false;
    }
    return make_output(c, (size_t)LZ4_compressBound((int)max_block_bytes));
}

/* LZ4_compress_fast or LZ4_compress_HC, but with a state that is not on the stack. */
static size_t compress_lz4(struct codec *c, const void *block, size_t size)
{
    int (*const compress)(void *, const char *, char *, int, int, int) =
        c->is_hc ? LZ4_compress_HC_extStateHC : LZ4_compress_fast_extState;
    const int result =
        compress(c->context, block, (char *)c->output, (int)size, (int)c->capacity, c->number);
    if (result > 0)
        return (size_t)result;
    fprintf(stderr, "blocks: %s %s failed on a block of %zu bytes\n", c->name, c->level, size);
    return 0;
}

static void close_lz4(struct codec *c)
{
    free(c->context);
    c->context = NULL;
    free_output(c);
}

void codec_init_lz4(struct codec *c, int acceleration)
{
    memset(c, 0, sizeof *c);
    c->name = "lz4";
    c->number = acceleration;
    snprintf(c->level, sizeof c->level, "%d", acceleration);
    c->open = open_lz4;
    c->compress = compress_lz4;
    c->close = close_lz4;
}

void codec_init_lz4hc(struct codec *c, int level)
{
    codec_init_lz4(c, level);
    c->name = "lz4hc";
    c->is_hc = true;
}

const char *codec_lz4_version(void)
{
    return LZ4_versionString();
}

static bool rockpress_failed(const struct codec *c, const char *what, rp_status status,
                             const rp_error *error)
{
    fprintf(stderr, "blocks: rockpress %s: %s: %s%s%s\n", c->level, what, rp_status_string(status),
            error && error->message[0] ? ": " : "", error ? error->message : "");
    return false;
}

static bool open_rockpress(struct codec *c, size_t max_block_bytes)
{
    rp_status status = rp_device_open("host", &c->device);
    if (status != RP_STATUS_OK)
        return rockpress_failed(c, "opening the host device", status, NULL);
    status = rp_stream_create(c->device, &c->stream);
    if (status != RP_STATUS_OK)
        return rockpress_failed(c, "making a stream", status, NULL);
    c->workspace_size = rp_workspace_size(max_block_bytes, 1, c->effort);
    status = c->device->ops->memory_alloc(c->device, c->workspace_size, &c->workspace);
    if (status != RP_STATUS_OK)
        return rockpress_failed(c, "allocating the workspace", status, NULL);
    return make_output(c, rp_compress_bound(max_block_bytes));
}

static size_t compress_rockpress(struct codec *c, const void *block, size_t size)
{
    rp_error error = {{0}};
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    options.effort = c->effort;
    options.error = &error;
    size_t frame_size = 0;
    rp_status block_status = RP_STATUS_INTERNAL;
    rp_status status =
        rp_compress_async(c->workspace, c->workspace_size, block, size, c->output, c->capacity,
                          &frame_size, &block_status, &options, c->stream);
    if (status == RP_STATUS_OK)
        status = rp_stream_wait(c->stream, WAIT_US);
    if (status == RP_STATUS_OK)
        status = block_status;
    if (status == RP_STATUS_OK)
        return frame_size;
    rockpress_failed(c, "compressing", status, &error);
    return 0;
}

static void close_rockpress(struct codec *c)
{
    if (c->workspace)
        c->device->ops->memory_free(c->device, c->workspace);
    if (c->stream.device)
        rp_stream_destroy(c->stream);
    rp_device_close(c->device);
    c->workspace = NULL;
    c->stream.device = NULL;
    c->device = NULL;
    free_output(c);
}

void codec_init_rockpress(struct codec *c, rp_effort effort)
{
    memset(c, 0, sizeof *c);
    c->name = "rockpress";
    c->emits_zstd = true;
    c->effort = effort;
    snprintf(c->level, sizeof c->level, "%s", rp_effort_name(effort));
    c->open = open_rockpress;
    c->compress = compress_rockpress;
    c->close = close_rockpress;
}
