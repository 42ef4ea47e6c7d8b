/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of libzstd that RocksDB's table builders make, for tests of batches without RocksDB.
 * The hook is linked into the test. Functions that return a bool print what is wrong.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_BUILDER_CALLS_H
#define ROCKPRESS_TESTS_SUPPORT_BUILDER_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <zstd.h>

#include "rockpress/plugin.h"
#include "tests/support/sampled_file.h"

#define N_BLOCKS 130u
#define DICT_BYTES 8192u

/* How far the process's monotonic clock is ahead. The test is linked with --wrap=clock_gettime. */
extern time_t clock_ahead_s;

/* Batches on the device of that name; in the other mode of ROCKPRESS_BATCH. */
bool configure_batches(const char *device);
bool configure_batch_mode(const char *device, rp_batch_mode mode);

/* Counters. */
uint64_t blocks_of(rp_route route);
uint64_t untaken(void);
bool nothing_is_held(void);

/* Size of the dictionary, of up to DICT_BYTES; 0: there is none. It is trained (finalize_level 0)
 * or finalized. */
size_t show_samples(const sampled_file *file, int finalize_level, uint8_t *dictionary);

/* Whether the dictionary is what libzstd makes of the samples. */
bool is_stock_dictionary(const sampled_file *file, int finalize_level, const uint8_t *dictionary,
                         size_t size);

/* Whether the frame is the block; the dictionary may be empty. */
bool is_frame_of(const uint8_t *frame, size_t frame_size, const uint8_t *block, size_t size,
                 const uint8_t *dictionary, size_t dictionary_size);

/* A block of a release up to 8.5, compressed and decoded. */
bool compress_old(ZSTD_CCtx *cctx, const uint8_t *block, size_t size, int level);

/* A context of a release from 8.6 on, and a block. */
ZSTD_CCtx *make_context(int level);
bool compress_new(ZSTD_CCtx *cctx, const uint8_t *block, size_t size, size_t capacity);

/* A sample, in a context of its own, at the level that RocksDB takes for all samples. */
bool compress_sample(bool is_new, const uint8_t *block, size_t size);

/* A zstd file of a release up to 10.3; is_new: from 8.6 on. Every sample_interval-th block is
 * sampled for its compressibility, 0: none; first_sample is the first one. */
bool build_with_old_contexts(const sampled_file *file, bool is_new, int level,
                             size_t sample_interval, size_t first_sample);

/* The first n_asked blocks of a file of 10.7 and later, each in a context of its own. */
bool ask_with_new_contexts(const sampled_file *file, size_t n_asked, int level);

#endif
