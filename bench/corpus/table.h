/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader of RocksDB's block-based table format, as far as it takes to cut the data blocks out of
 * an uncompressed file.
 */
#ifndef ROCKPRESS_BENCH_CORPUS_TABLE_H
#define ROCKPRESS_BENCH_CORPUS_TABLE_H

#include <stdbool.h>

#include "bench/corpus/corpus.h"

/* Called for each data block in file order; false stops the walk. */
typedef bool corpus_block_visitor(void *context, const unsigned char *block, size_t size);

/* Walks the data blocks of a whole SST file in memory. Every block's checksum is verified. */
corpus_status corpus_walk_table(const unsigned char *file, size_t size, corpus_block_visitor *visit,
                                void *context, corpus_error *error);

#endif
