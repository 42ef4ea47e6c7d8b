/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file as RocksDB's table builder holds it: data blocks in the order in which they will be
 * compressed, and the same blocks as samples, in the order and concatenation that it shows
 * to a trainer of dictionaries. Tests of the batch route begin batches of it and ask for its
 * blocks.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_SAMPLED_FILE_H
#define ROCKPRESS_TESTS_SUPPORT_SAMPLED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/route/route.h"

typedef struct sampled_file {
    size_t n_blocks;
    size_t *sizes;
    uint8_t **blocks;
    size_t n_samples;
    size_t *sample_sizes;
    uint8_t *samples;
} sampled_file;

/* Blocks of about block_bytes that compress, different for each seed; all of them sampled until
 * sample_limit bytes are reached, where the last sample is cut. 0: no limit. */
void sampled_file_make(sampled_file *file, size_t n_blocks, size_t block_bytes, size_t sample_limit,
                       uint64_t seed);
/* Samples again, after blocks were changed. */
void sampled_file_sample(sampled_file *file, size_t sample_limit);
void sampled_file_free(sampled_file *file);

rp_batch_id sampled_file_begin(const sampled_file *file, const rp_route_hint *hint);

/* Asks for block i as a hook does, and checks that the frame, if there is one, decodes to it.
 * A wrong frame ends the process. */
rp_fallback_reason sampled_file_ask(const sampled_file *file, size_t i, int level, bool checksum);

/* The same for any bytes. */
rp_fallback_reason ask_for_block(const uint8_t *block, size_t size, int level, bool checksum);

#endif
