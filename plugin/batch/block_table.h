/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds a block of a batch by its content. A fingerprint reads 128 bytes of a block, for its place
 * in the batch's table. The proof that two blocks are equal is memcmp over all bytes of both.
 *
 * Thread rule: rp_block_table_claim from any thread, once the batch is open.
 */
#ifndef ROCKPRESS_PLUGIN_BATCH_BLOCK_TABLE_H
#define ROCKPRESS_PLUGIN_BATCH_BLOCK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/batch/plan.h"
#include "plugin/core/request.h"

/* Draws the key of all fingerprints of this process. Once, before any other function here. */
void rp_block_table_setup(void);

uint64_t rp_block_table_fingerprint(const void *block, size_t size);

/* Enters a block of the batch into its table. The block's fingerprint is set. */
void rp_block_table_insert(struct rp_open_batch *batch, uint32_t index);

/* Whether the batch probably has, or had, the block. */
bool rp_block_table_has(const struct rp_open_batch *batch, uint64_t fingerprint, size_t size);

/* A block that is not taken yet and equals the request's, claimed for the caller: `expected` if
 * that one is equal. UINT32_MAX when there is none. */
uint32_t rp_block_table_claim(struct rp_open_batch *batch, uint64_t fingerprint,
                              const rp_request *request, uint32_t expected);

#endif
