/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of table builders: see tests/support/builder_calls.h. */
#include "tests/support/builder_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZDICT_STATIC_LINKING_ONLY
#include <zdict.h>

#include "plugin/batch/batch.h"
#include "plugin/core/nesting.h"
#include "tests/support/check.h"

time_t clock_ahead_s;

int __real_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now);

/* The linker puts it in the place of the C library's. */
int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
    int result = __real_clock_gettime(id, now);

    if (id == CLOCK_MONOTONIC)
        now->tv_sec += clock_ahead_s;
    return result;
}

bool configure_batches(const char *device)
{
    return configure_batch_mode(device, RP_BATCH_ON);
}

bool configure_batch_mode(const char *device, rp_batch_mode mode)
{
    rp_plugin_config config;

    rp_plugin_config_default(&config, sizeof(config));
    snprintf(config.device, sizeof(config.device), "%s", device);
    config.batch = mode;
    config.goal = RP_GOAL_DEVICE;
    config.log = RP_LOG_OFF;
    config.min_block_bytes = 1;
    /* A chunk takes seconds under a sanitizer on a busy machine. */
    config.timeout_ms = 60000;
    return rp_plugin_configure(&config, NULL) == RP_STATUS_OK;
}

uint64_t blocks_of(rp_route route)
{
    return rp_stats_value(RP_STAT_BLOCKS, route);
}

uint64_t untaken(void)
{
    return rp_stats_value(RP_STAT_BATCH_UNTAKEN_BLOCKS, 0);
}

bool nothing_is_held(void)
{
    return !rp_batch_any_open() && rp_stats_value(RP_STAT_BATCH_USED_BYTES, 0) == 0;
}

size_t show_samples(const sampled_file *file, int finalize_level, uint8_t *dictionary)
{
    ZDICT_params_t parameters = {finalize_level, 0, 0};
    size_t size;

    if (finalize_level == 0)
        size = ZDICT_trainFromBuffer(dictionary, DICT_BYTES, file->samples, file->sample_sizes,
                                     (unsigned)file->n_samples);
    else
        size = ZDICT_finalizeDictionary(dictionary, DICT_BYTES, file->samples, DICT_BYTES,
                                        file->samples, file->sample_sizes,
                                        (unsigned)file->n_samples, parameters);
    return ZDICT_isError(size) ? 0 : size;
}

bool is_stock_dictionary(const sampled_file *file, int finalize_level, const uint8_t *dictionary,
                         size_t size)
{
    static uint8_t stock[DICT_BYTES];
    rp_nesting nesting;
    size_t stock_size;

    rp_nesting_enter(&nesting);
    stock_size = show_samples(file, finalize_level, stock);
    rp_nesting_leave(&nesting);
    return size != 0 && size == stock_size && memcmp(stock, dictionary, size) == 0;
}

bool is_frame_of(const uint8_t *frame, size_t frame_size, const uint8_t *block, size_t size,
                 const uint8_t *dictionary, size_t dictionary_size)
{
    uint8_t *decoded = malloc(size);
    ZSTD_DCtx *dctx = ZSTD_createDCtx();
    bool good = decoded != NULL && dctx != NULL && !ZSTD_isError(frame_size) &&
                ZSTD_decompress_usingDict(dctx, decoded, size, frame, frame_size, dictionary,
                                          dictionary_size) == size &&
                memcmp(decoded, block, size) == 0;

    ZSTD_freeDCtx(dctx);
    free(decoded);
    return good;
}

static uint8_t frame[1 << 16];

bool compress_old(ZSTD_CCtx *cctx, const uint8_t *block, size_t size, int level)
{
    size_t result =
        ZSTD_compress_usingDict(cctx, frame, ZSTD_compressBound(size), block, size, "", 0, level);

    return is_frame_of(frame, result, block, size, NULL, 0);
}

ZSTD_CCtx *make_context(int level)
{
    ZSTD_CCtx *cctx = ZSTD_createCCtx();

    ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, level);
    return cctx;
}

bool compress_new(ZSTD_CCtx *cctx, const uint8_t *block, size_t size, size_t capacity)
{
    size_t result;

    ZSTD_CCtx_loadDictionary(cctx, NULL, 0);
    result = ZSTD_compress2(cctx, frame, capacity, block, size);
    return is_frame_of(frame, result, block, size, NULL, 0);
}

bool compress_sample(bool is_new, const uint8_t *block, size_t size)
{
    ZSTD_CCtx *cctx = is_new ? make_context(3) : ZSTD_createCCtx();
    bool good = is_new ? compress_new(cctx, block, size, ZSTD_compressBound(size))
                       : compress_old(cctx, block, size, 3);

    ZSTD_freeCCtx(cctx);
    return good;
}

bool build_with_old_contexts(const sampled_file *file, bool is_new, int level,
                             size_t sample_interval, size_t first_sample)
{
    static uint8_t dictionary[DICT_BYTES];
    ZSTD_CCtx *cctx = is_new ? make_context(level) : ZSTD_createCCtx();

    CHECK(show_samples(file, 0, dictionary) == 0);
    for (size_t i = 0; i < file->n_blocks; i++) {
        if (sample_interval != 0 && i >= first_sample && (i - first_sample) % sample_interval == 0)
            CHECK(compress_sample(is_new, file->blocks[i], file->sizes[i]));
        if (is_new)
            CHECK(compress_new(cctx, file->blocks[i], file->sizes[i],
                               ZSTD_compressBound(file->sizes[i])));
        else
            CHECK(compress_old(cctx, file->blocks[i], file->sizes[i], level));
    }
    /* The index. */
    CHECK(is_new ? compress_new(cctx, file->samples + 100, 3000, ZSTD_compressBound(3000))
                 : compress_old(cctx, file->samples + 100, 3000, level));
    ZSTD_freeCCtx(cctx);
    return true;
}

bool ask_with_new_contexts(const sampled_file *file, size_t n_asked, int level)
{
    for (size_t i = 0; i < n_asked; i++) {
        ZSTD_CCtx *cctx = make_context(level);
        CHECK(compress_new(cctx, file->blocks[i], file->sizes[i], file->sizes[i] * 896 / 1024));
        ZSTD_freeCCtx(cctx);
    }
    return true;
}
