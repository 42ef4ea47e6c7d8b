/* SPDX-License-Identifier: Apache-2.0 */
/* Verification: see device/verify.h. */
#include "plugin/device/verify.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/core/stats.h"
#include "plugin/core/thread_state.h"
#include "plugin/zstd/library.h"

struct verifier {
    ZSTD_DCtx *decoder;
    size_t capacity;
    unsigned char block[]; /* capacity bytes */
};

static _Atomic uint64_t n_blocks;

/* 2^64 by the golden ratio. */
#define MULTIPLIER UINT64_C(0x9E3779B97F4A7C15)

/* Of all bytes: frames of similar blocks may differ in a few places only. */
static uint64_t hash_of(const uint8_t *frame, size_t frame_size)
{
    uint64_t hash = frame_size, word;
    size_t i;

    for (i = 0; i + sizeof(word) <= frame_size; i += sizeof(word)) {
        memcpy(&word, frame + i, sizeof(word));
        hash = (hash ^ word) * MULTIPLIER;
        hash ^= hash >> 32;
    }
    for (; i < frame_size; i++)
        hash = (hash ^ frame[i]) * MULTIPLIER;
    return hash ^ hash >> 32;
}

bool rp_verify_due(const rp_plugin_config *config, const void *frame, size_t frame_size)
{
    if (config->verify == RP_VERIFY_OFF)
        return false;
    if (config->verify != RP_VERIFY_SAMPLE)
        return true;
    return atomic_load_explicit(&n_blocks, memory_order_relaxed) < RP_VERIFY_FIRST_BLOCKS
               ? atomic_fetch_add_explicit(&n_blocks, 1, memory_order_relaxed) <
                     RP_VERIFY_FIRST_BLOCKS
               : hash_of(frame, frame_size) % config->verify_interval == 0;
}

static void destroy(struct rp_zstd *zstd, struct verifier *verifier)
{
    zstd->freeDCtx(verifier->decoder);
    free(verifier);
}

static struct verifier *create(struct rp_zstd *zstd, size_t capacity)
{
    struct verifier *verifier = malloc(sizeof(*verifier) + capacity);

    if (verifier == NULL)
        return NULL;
    verifier->capacity = capacity;
    verifier->decoder = zstd->createDCtx();
    if (verifier->decoder == NULL) {
        free(verifier);
        return NULL;
    }
    return verifier;
}

rp_verify_result rp_verify_frame(const rp_plugin_config *config, const void *frame,
                                 size_t frame_size, const void *block, size_t size)
{
    struct rp_zstd *zstd = rp_thread.zstd != NULL ? rp_thread.zstd : rp_zstd_own();
    struct verifier *verifier;
    bool good;

    if (zstd == NULL || zstd->createDCtx == NULL || zstd->freeDCtx == NULL ||
        zstd->decompressDCtx == NULL || size > config->max_block_bytes)
        return RP_VERIFY_UNABLE;
    verifier = rp_idle_slots_take(&zstd->idle_verifiers, RP_IDLE_SLOTS);
    if (verifier == NULL)
        verifier = create(zstd, config->max_block_bytes);
    if (verifier == NULL)
        return RP_VERIFY_UNABLE;
    good = zstd->decompressDCtx(verifier->decoder, verifier->block, verifier->capacity, frame,
                                frame_size) == size &&
           memcmp(verifier->block, block, size) == 0;
    if (!rp_zstd_may_keep(zstd) ||
        !rp_idle_slots_keep(&zstd->idle_verifiers, RP_IDLE_SLOTS, verifier))
        destroy(zstd, verifier);
    rp_stats_count(RP_COUNT_VERIFIED);
    return good ? RP_VERIFY_GOOD : RP_VERIFY_MISMATCH;
}

void rp_verify_clear(struct rp_zstd *zstd)
{
    struct verifier *verifier;

    while ((verifier = rp_idle_slots_take(&zstd->idle_verifiers, RP_IDLE_SLOTS)) != NULL)
        destroy(zstd, verifier);
}
