/* SPDX-License-Identifier: Apache-2.0 */
/* What the host does for a proof: see measure.h. */
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#include "bench/common/times.h"
#include "bench/device/measure.h"

/* Blocks with their frames, few enough to stay in the cache: a thread has just read or written
 * both when it checks them. */
#define MAX_BLOCKS 16
#define REPEATS 64

struct proven {
    const void *block;
    size_t block_bytes;
    void *frame;
    size_t frame_bytes;
    rp_proof proof;
};

static bool prove(struct proven *p, const corpus_block *block)
{
    const size_t capacity = ZSTD_compressBound(block->size);
    p->block = block->data;
    p->block_bytes = block->size;
    p->frame = malloc(capacity);
    if (!p->frame)
        return false;
    p->frame_bytes = ZSTD_compress(p->frame, capacity, block->data, block->size, 3);
    p->proof.input_hash = XXH3_64bits(p->block, p->block_bytes);
    p->proof.frame_hash = XXH3_64bits(p->frame, p->frame_bytes);
    return !ZSTD_isError(p->frame_bytes);
}

bool device_measure_check(const struct device_group *group, unsigned n_rounds, double *seconds)
{
    static double rounds[DEVICE_MAX_ROUNDS];
    struct proven proven[MAX_BLOCKS] = {{0}};
    const size_t n = group->n_blocks < MAX_BLOCKS ? group->n_blocks : MAX_BLOCKS;
    bool good = true;
    for (size_t i = 0; i < n && good; i++)
        good = prove(&proven[i], &group->blocks[i * (group->n_blocks / n)]);
    for (unsigned r = 0; r < n_rounds && good; r++) {
        const double begun = times_now(CLOCK_THREAD_CPUTIME_ID);
        for (size_t k = 0; k < n * REPEATS && good; k++) {
            const struct proven *p = &proven[k % n];
            good = rp_check_proof(&p->proof, p->block, p->block_bytes, p->frame, p->frame_bytes) ==
                   RP_STATUS_OK;
        }
        rounds[r] = (times_now(CLOCK_THREAD_CPUTIME_ID) - begun) / (double)(n * REPEATS);
    }
    if (good)
        *seconds = times_median(rounds, n_rounds);
    for (size_t i = 0; i < n; i++)
        free(proven[i].frame);
    return good;
}
