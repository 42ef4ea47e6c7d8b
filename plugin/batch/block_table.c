/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks by content: see batch/block_table.h. */
#include "plugin/batch/block_table.h"

#include <string.h>

#include "plugin/core/random.h"

/* The table holds, and compares, this many blocks with one fingerprint. Further ones, which are
 * equal or differ only where the fingerprint does not look, are only found where they are expected.
 */
#define MAX_EQUAL_FINGERPRINTS 16u

static uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* The multiply-fold of wyhash and XXH3: both halves of a 128-bit product. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Until the setup 2^64 by the golden ratio, and the square root of 2: no pattern in common. With
 * constants that everybody knows, whoever writes to the database could write blocks that all have
 * one fingerprint: a word that equals a key makes the product 0. */
static uint64_t key_a = UINT64_C(0x9E3779B97F4A7C15);
static uint64_t key_b = UINT64_C(0xB504F333F9DE6485);

void rp_block_table_setup(void)
{
    key_a = rp_random();
    key_b = rp_random();
}

/* The first 48 bytes hold a block's first key, the last 16 its restart points. Eight words from
 * between distinguish blocks whose first keys are alike. */
uint64_t rp_block_table_fingerprint(const void *block, size_t size)
{
    const uint8_t *bytes = block;
    uint64_t hash = mix(size ^ key_a, key_b);
    size_t step, i;

    if (size < 128) {
        for (i = 0; i < size; i++)
            hash = mix(hash ^ bytes[i] ^ key_a, key_b);
        return hash;
    }
    for (i = 0; i < 48; i += 16)
        hash = mix(hash ^ word_at(bytes + i), word_at(bytes + i + 8) ^ key_a);
    step = (size - 64) / 8;
    for (i = 0; i < 8; i += 2)
        hash = mix(hash ^ word_at(bytes + 48 + i * step),
                   word_at(bytes + 48 + (i + 1) * step) ^ key_a);
    return mix(hash ^ word_at(bytes + size - 16), word_at(bytes + size - 8) ^ key_b);
}

void rp_block_table_insert(struct rp_open_batch *batch, uint32_t index)
{
    uint64_t fingerprint = batch->blocks[index].fingerprint;
    uint32_t place = (uint32_t)fingerprint & batch->table_mask;
    unsigned n_equal = 0;

    while (batch->table[place] != 0) {
        if (batch->blocks[batch->table[place] - 1].fingerprint == fingerprint &&
            ++n_equal == MAX_EQUAL_FINGERPRINTS)
            return;
        place = (place + 1) & batch->table_mask;
    }
    batch->table[place] = index + 1;
}

static bool claim_if_equal(struct rp_open_batch *batch, uint32_t index, uint64_t fingerprint,
                           const rp_request *request)
{
    struct rp_batch_block *block = &batch->blocks[index];
    uint32_t unclaimed = 0;

    if (block->fingerprint != fingerprint || block->size != request->input_size)
        return false;
    /* The claim comes first: it keeps the bytes to compare with, which stay until every block of
     * the chunk is taken. */
    if (!atomic_compare_exchange_strong_explicit(&block->is_taken, &unclaimed, 1,
                                                 memory_order_acquire, memory_order_relaxed))
        return false;
    if (memcmp((const uint8_t *)batch->raw_slabs[block->slab] + block->offset, request->input,
               block->size) == 0)
        return true;
    atomic_store_explicit(&block->is_taken, 0, memory_order_release);
    return false;
}

uint32_t rp_block_table_claim(struct rp_open_batch *batch, uint64_t fingerprint,
                              const rp_request *request, uint32_t expected)
{
    uint32_t place = (uint32_t)fingerprint & batch->table_mask;

    if (expected < batch->n_blocks && claim_if_equal(batch, expected, fingerprint, request))
        return expected;
    for (; batch->table[place] != 0; place = (place + 1) & batch->table_mask) {
        if (claim_if_equal(batch, batch->table[place] - 1, fingerprint, request))
            return batch->table[place] - 1;
    }
    return UINT32_MAX;
}

bool rp_block_table_has(const struct rp_open_batch *batch, uint64_t fingerprint, size_t size)
{
    uint32_t place = (uint32_t)fingerprint & batch->table_mask;

    for (; batch->table[place] != 0; place = (place + 1) & batch->table_mask) {
        const struct rp_batch_block *block = &batch->blocks[batch->table[place] - 1];
        if (block->fingerprint == fingerprint && block->size == size)
            return true;
    }
    return false;
}
