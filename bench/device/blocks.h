/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inputs of `device`: files of blocks, grouped by their block size. The blocks of a group's
 * corpora take turns, so that a batch of any size has some of each. A batch that is larger than the
 * group begins again at the first block.
 */
#ifndef ROCKPRESS_BENCH_DEVICE_BLOCKS_H
#define ROCKPRESS_BENCH_DEVICE_BLOCKS_H

#include <stdbool.h>

#include "bench/common/options.h"
#include "bench/corpus/corpus.h"

enum { DEVICE_MAX_FILES = 128 };

struct device_file {
    char name[128]; /* without folder and ".blocks" */
    size_t block_bytes;
    uint64_t hash; /* corpus_hash() */
    corpus_blocks blocks;
};

struct device_group {
    size_t block_bytes;
    corpus_block *blocks;
    size_t n_blocks;
    size_t raw_bytes;
    size_t max_bytes; /* of one block */
};

struct device_blocks {
    struct device_file files[DEVICE_MAX_FILES];
    unsigned n_files;
    struct device_group groups[DEVICE_MAX_FILES]; /* in increasing order of block_bytes */
    unsigned n_groups;
};

/* Adds a file, or all *.blocks of a directory. False with a message on stderr. */
bool device_blocks_add(struct device_blocks *d, const char *path);
/* After the last file has been added. Only files of these block sizes, unless the list is empty. */
bool device_blocks_group(struct device_blocks *d, const struct options_list *sizes);
void device_blocks_free(struct device_blocks *d);

#endif
