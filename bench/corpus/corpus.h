/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deterministic corpora of RocksDB data blocks, for benchmarks and for tuning.
 *
 * A corpus is made of records that look like one kind of application data. The records go through
 * a real RocksDB (memtable, flush, for some kinds a compaction), and the data blocks are cut out of
 * its SST files. So blocks have shared key prefixes, sequence numbers and restart arrays, as those
 * that RocksDB gives to a compressor. The 5-byte trailer that follows a block in a file is left
 * out.
 *
 * The same (name, block_bytes, max_total_bytes, seed) gives the same blocks in every process and on
 * every machine for one RocksDB version; nothing depends on time, locale or libc's random numbers.
 */
#ifndef ROCKPRESS_BENCH_CORPUS_CORPUS_H
#define ROCKPRESS_BENCH_CORPUS_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Limits of corpus_generate's arguments. */
#define CORPUS_MIN_BLOCK_BYTES ((size_t)1024)
#define CORPUS_MAX_BLOCK_BYTES ((size_t)4 << 20)
#define CORPUS_MAX_TOTAL_BYTES ((size_t)1 << 30)

/* Defaults of the command line tools. */
#define CORPUS_DEFAULT_TOTAL_BYTES ((size_t)4 << 20)
#define CORPUS_DEFAULT_SEED UINT64_C(1)

typedef enum corpus_status {
    CORPUS_OK = 0,
    CORPUS_BAD_ARGUMENT, /* unknown name, a size outside the limits, a NULL pointer */
    CORPUS_NO_MEMORY,
    CORPUS_IO_ERROR,      /* the scratch directory or a file: cannot create, read or remove */
    CORPUS_ROCKSDB_ERROR, /* RocksDB refused or failed; the message is its own */
    CORPUS_BAD_TABLE,     /* an SST file or a record file is not what this reader understands */
} corpus_status;

/* Filled on every failure: one line of English without a newline. */
typedef struct corpus_error {
    char message[256];
} corpus_error;

typedef struct corpus_block {
    const unsigned char *data;
    size_t size;
} corpus_block;

/* Owns its memory: release with corpus_free. Zero-initialise before first use. */
typedef struct corpus_blocks {
    corpus_block *blocks; /* n_blocks of them, in the order of the SST files */
    size_t n_blocks;
    size_t total_bytes;     /* sum of the blocks' sizes */
    unsigned char *storage; /* what the blocks point into */
} corpus_blocks;

/* The number of corpora, and the name and a one-line description of corpus i < corpus_count().
 * Out of range gives NULL. */
size_t corpus_count(void);
const char *corpus_name(size_t i);
const char *corpus_description(size_t i);

/* One more name that corpus_generate() accepts: blocks of block_bytes random bytes each. */
#define CORPUS_RANDOM "random"

/* The block sizes the benchmarks use, in increasing order; n gets their number. */
const size_t *corpus_block_sizes(size_t *n);

/*
 * Generates one corpus.
 *
 *   block_bytes      RocksDB's block_size, CORPUS_MIN_BLOCK_BYTES..CORPUS_MAX_BLOCK_BYTES. RocksDB
 *                    cuts blocks that are up to 10 % smaller or up to one record larger. The short
 *                    last block of a file is left out.
 *   max_total_bytes  block_bytes..CORPUS_MAX_TOTAL_BYTES. The sum of the blocks is at most this and
 *                    usually within two blocks of it. At least one block is returned.
 *   seed             selects another sample of the same distribution.
 *   out              overwritten, not freed; empty on failure.
 *   error            may be NULL.
 *
 * Uses a scratch directory below $TMPDIR (or /tmp), removed before the call returns. May be called
 * from several threads at once.
 */
corpus_status corpus_generate(const char *name, size_t block_bytes, size_t max_total_bytes,
                              uint64_t seed, corpus_blocks *out, corpus_error *error);

/*
 * A file of blocks: for each block 4 bytes of little-endian length, then the block. corpus_load
 * refuses a file that is empty, ends inside a record or holds an empty block.
 */
corpus_status corpus_save(const char *path, const corpus_blocks *blocks, corpus_error *error);
corpus_status corpus_load(const char *path, corpus_blocks *out, corpus_error *error);

/*
 * What a file of blocks is called: of "orders-16384.blocks" in any folder, the name is "orders" and
 * 16384, the size of blocks, is returned. 0 if the file's name has no size; then the name is the
 * file's without ".blocks".
 */
size_t corpus_file_name(const char *path, char *name, size_t capacity);

/* XXH64 of what corpus_save writes. It identifies the blocks that a figure was measured with. 0
 * without memory. */
uint64_t corpus_hash(const corpus_blocks *blocks);

/* Safe on a zero-initialised or already freed one. */
void corpus_free(corpus_blocks *blocks);

/*
 * Checks that a block is a well-formed RocksDB data block: a restart array, entries that fill the
 * space before it, restart points on entry boundaries, no shared prefix at a restart point. Returns
 * the number of entries, or 0 if it isn't one.
 */
size_t corpus_count_entries(const unsigned char *block, size_t size);

#ifdef __cplusplus
}
#endif

#endif
