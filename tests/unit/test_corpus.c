/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The corpus generator: the same call gives the same blocks, blocks are well-formed RocksDB data
 * blocks of about the size that was asked for, and each corpus compresses about as the data that it
 * stands for. Numbers measured on these corpora mean something only while this holds.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/cases.h"
#include <xxhash.h>
#include <zstd.h>

#include "bench/corpus/corpus.h"
#include "bench/corpus/generator.h"

enum { SAMPLE_BYTES = 512 * 1024 };

static corpus_blocks generate(const char *name, size_t block_bytes, uint64_t seed)
{
    corpus_blocks blocks;
    corpus_error error = {{0}};
    const corpus_status status =
        corpus_generate(name, block_bytes, SAMPLE_BYTES, seed, &blocks, &error);
    if (status != CORPUS_OK)
        fail_msg("%s, %zu: %s", name, block_bytes, error.message);
    return blocks;
}

static uint64_t hash_of(const corpus_blocks *blocks)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < blocks->n_blocks; i++)
        hash = XXH64(blocks->blocks[i].data, blocks->blocks[i].size, hash);
    return hash;
}

/* Bounds of the ratio at zstd level 3, per block size. They are wide: they catch a corpus that
 * became noise or became trivial, not a change of a few percent. */
static const struct {
    const char *name;
    double low[3], high[3]; /* at 4096, 16384, 65536 */
} expected[] = {
    {"json", {2.5, 3.6, 4.4}, {3.4, 4.8, 6.0}},    {"csv", {2.3, 2.9, 3.4}, {3.1, 3.8, 4.6}},
    {"structs", {2.0, 2.1, 2.2}, {2.6, 2.8, 3.0}}, {"timeseries", {2.2, 2.3, 2.3}, {3.0, 3.1, 3.2}},
    {"logs", {2.4, 3.6, 4.7}, {3.4, 5.0, 6.8}},    {"prose", {1.9, 2.2, 2.4}, {2.2, 2.6, 2.9}},
    {"index", {2.3, 2.6, 2.7}, {3.1, 3.4, 3.6}},   {"ycsb", {1.2, 1.2, 1.2}, {1.5, 1.5, 1.5}},
    {"dbbench", {1.9, 2.0, 2.1}, {2.4, 2.5, 2.6}},
};

static void lists_every_corpus(void **state)
{
    (void)state;
    assert_int_equal(corpus_count(), sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < corpus_count(); i++) {
        assert_string_equal(corpus_name(i), expected[i].name);
        assert_true(strlen(corpus_description(i)) > 0);
    }
    assert_null(corpus_name(corpus_count()));
    assert_null(corpus_description(corpus_count()));
}

static void gives_the_same_blocks_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < corpus_count(); i++) {
        corpus_blocks first = generate(corpus_name(i), 16384, 7);
        corpus_blocks second = generate(corpus_name(i), 16384, 7);
        corpus_blocks other = generate(corpus_name(i), 16384, 8);
        assert_int_equal(first.n_blocks, second.n_blocks);
        assert_true(hash_of(&first) == hash_of(&second));
        assert_true(hash_of(&first) != hash_of(&other));
        corpus_free(&first);
        corpus_free(&second);
        corpus_free(&other);
    }
}

static bool hash_record(void *context, const char *key, size_t key_size, const char *value,
                        size_t value_size)
{
    uint64_t *hash = context;
    *hash = XXH64(key, key_size, *hash);
    *hash = XXH64(value, value_size, *hash);
    return true;
}

/* Golden hashes of the records, before RocksDB: the same on every machine and C library. A change
 * of them is a change of the corpora, and makes figures measured before incomparable. */
static void gives_the_same_records_everywhere(void **state)
{
    (void)state;
    static const uint64_t golden[] = {
        UINT64_C(0x9f0cc5e763aaa488), /* json */
        UINT64_C(0xab7667ffda6b8996), /* csv */
        UINT64_C(0xc124ebb728b7dad7), /* structs */
        UINT64_C(0xb9821b2fddecb9f2), /* timeseries */
        UINT64_C(0x807d8169210f2f24), /* logs */
        UINT64_C(0xa4a498fb9c64a5b4), /* prose */
        UINT64_C(0x1c20b16b4c0bde7a), /* index */
        UINT64_C(0xd27167797dbb50fa), /* ycsb */
        UINT64_C(0x0a48c94f47e379da), /* dbbench */
    };
    assert_int_equal(corpus_n_kinds, sizeof golden / sizeof golden[0]);
    for (size_t i = 0; i < corpus_n_kinds; i++) {
        uint64_t hash = 0;
        struct corpus_rng rng;
        struct corpus_writer w = {.put = hash_record, .context = &hash, .goal_bytes = 1 << 18};
        corpus_rng_seed(&rng, CORPUS_DEFAULT_SEED, corpus_kinds[i].name);
        assert_true(corpus_kinds[i].generate(&rng, &w));
        assert_false(w.failed);
        if (hash != golden[i])
            fail_msg("%s: the records' hash is 0x%016llx", corpus_kinds[i].name,
                     (unsigned long long)hash);
    }
}

static void blocks_are_whole_and_sized_as_asked(void **state)
{
    (void)state;
    /* RocksDB cuts before the record that would not fit once 90 % are reached, otherwise after the
     * one that fills the block; the longest records (stack traces) have some 2 KiB. */
    enum { LONGEST_RECORD = 3072 };
    size_t n_sizes;
    const size_t *sizes = corpus_block_sizes(&n_sizes);
    assert_int_equal(n_sizes, 3);
    for (size_t i = 0; i < corpus_count(); i++)
        for (size_t s = 0; s < n_sizes; s++) {
            corpus_blocks blocks = generate(corpus_name(i), sizes[s], CORPUS_DEFAULT_SEED);
            size_t total = 0;
            for (size_t k = 0; k < blocks.n_blocks; k++) {
                const corpus_block *b = &blocks.blocks[k];
                assert_true(b->size >= sizes[s] - sizes[s] / 8);
                assert_true(b->size <= sizes[s] + LONGEST_RECORD);
                assert_true(corpus_count_entries(b->data, b->size) > 0);
                total += b->size;
            }
            assert_int_equal(total, blocks.total_bytes);
            assert_true(total <= SAMPLE_BYTES);
            assert_true(total + 4 * (sizes[s] + LONGEST_RECORD) >= SAMPLE_BYTES);
            corpus_free(&blocks);
        }
}

static void compresses_like_real_data(void **state)
{
    (void)state;
    ZSTD_CCtx *compressor = ZSTD_createCCtx();
    const size_t capacity = ZSTD_compressBound(1 << 20);
    void *output = malloc(capacity);
    assert_non_null(compressor);
    assert_non_null(output);
    size_t n_sizes;
    const size_t *sizes = corpus_block_sizes(&n_sizes);
    for (size_t i = 0; i < corpus_count(); i++)
        for (size_t s = 0; s < n_sizes; s++) {
            corpus_blocks blocks = generate(corpus_name(i), sizes[s], CORPUS_DEFAULT_SEED);
            size_t compressed = 0;
            for (size_t k = 0; k < blocks.n_blocks; k++) {
                const size_t size = ZSTD_compressCCtx(
                    compressor, output, capacity, blocks.blocks[k].data, blocks.blocks[k].size, 3);
                assert_false(ZSTD_isError(size));
                compressed += size;
            }
            const double ratio = (double)blocks.total_bytes / (double)compressed;
            if (ratio < expected[i].low[s] || ratio > expected[i].high[s])
                fail_msg("%s at %zu: zstd level 3 has a ratio of %.3f, expected %.1f to %.1f",
                         corpus_name(i), sizes[s], ratio, expected[i].low[s], expected[i].high[s]);
            corpus_free(&blocks);
        }
    free(output);
    ZSTD_freeCCtx(compressor);
}

static void takes_and_refuses_odd_sizes(void **state)
{
    (void)state;
    corpus_blocks blocks;
    corpus_error error = {{0}};
    assert_int_equal(corpus_generate("csv", 5000, 5000, 1, &blocks, &error), CORPUS_OK);
    assert_int_equal(blocks.n_blocks, 1);
    corpus_free(&blocks);
    corpus_free(&blocks);

    const struct {
        const char *name;
        size_t block_bytes, total_bytes;
        const char *named; /* what the message must name */
    } bad[] = {
        {"jsn", 4096, 1 << 20, "jsn"},
        {"", 4096, 1 << 20, "\"\""},
        {"json", CORPUS_MIN_BLOCK_BYTES - 1, 1 << 20, "1023"},
        {"json", CORPUS_MAX_BLOCK_BYTES + 1, CORPUS_MAX_TOTAL_BYTES, "4194305"},
        {"json", 4096, 4095, "4095"},
        {"json", 4096, CORPUS_MAX_TOTAL_BYTES + 1, "1073741825"},
        {NULL, 4096, 1 << 20, "NULL"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memset(&error, 0, sizeof error);
        assert_int_equal(corpus_generate(bad[i].name, bad[i].block_bytes, bad[i].total_bytes, 1,
                                         &blocks, &error),
                         CORPUS_BAD_ARGUMENT);
        assert_non_null(strstr(error.message, bad[i].named));
        assert_int_equal(
            corpus_generate(bad[i].name, bad[i].block_bytes, bad[i].total_bytes, 1, &blocks, NULL),
            CORPUS_BAD_ARGUMENT);
    }
}

static void says_why_the_scratch_directory_cannot_be_made(void **state)
{
    (void)state;
    corpus_blocks blocks;
    corpus_error error = {{0}};
    const char *before = getenv("TMPDIR");
    char *kept = before ? strdup(before) : NULL;
    setenv("TMPDIR", "/nonexistent-directory", 1);
    const corpus_status status = corpus_generate("csv", 4096, 65536, 1, &blocks, &error);
    if (kept)
        setenv("TMPDIR", kept, 1);
    else
        unsetenv("TMPDIR");
    free(kept);
    assert_int_equal(status, CORPUS_IO_ERROR);
    assert_non_null(strstr(error.message, "/nonexistent-directory"));
}

/* It is no data of RocksDB's, so it must not come with the others. */
static void random_blocks_come_by_name_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < corpus_count(); i++)
        assert_string_not_equal(corpus_name(i), CORPUS_RANDOM);
    corpus_blocks blocks, again;
    assert_int_equal(corpus_generate(CORPUS_RANDOM, 5000, 20000, 1, &blocks, NULL), CORPUS_OK);
    assert_int_equal(blocks.n_blocks, 4);
    assert_int_equal(blocks.total_bytes, 20000);
    assert_true(corpus_hash(&blocks) == UINT64_C(0x01182fbf657342b7));
    assert_int_equal(corpus_generate(CORPUS_RANDOM, 5000, 20000, 2, &again, NULL), CORPUS_OK);
    assert_true(hash_of(&blocks) != hash_of(&again));
    corpus_free(&again);
    corpus_free(&blocks);
}

static void saves_and_loads(void **state)
{
    (void)state;
    char path[] = "/tmp/test_corpus-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    corpus_blocks blocks = generate("structs", 4096, 3), loaded;
    corpus_error error = {{0}};
    assert_int_equal(corpus_save(path, &blocks, &error), CORPUS_OK);
    assert_int_equal(corpus_load(path, &loaded, &error), CORPUS_OK);
    assert_int_equal(loaded.n_blocks, blocks.n_blocks);
    assert_int_equal(loaded.total_bytes, blocks.total_bytes);
    assert_true(hash_of(&loaded) == hash_of(&blocks));
    corpus_free(&loaded);

    /* Cut inside a block, inside a length, and to nothing. */
    const off_t cuts[] = {(off_t)(4 * blocks.n_blocks + blocks.total_bytes - 1),
                          (off_t)(4 + blocks.blocks[0].size + 2), 0};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        assert_int_equal(truncate(path, cuts[i]), 0);
        assert_int_equal(corpus_load(path, &loaded, &error), CORPUS_BAD_TABLE);
        assert_non_null(strstr(error.message, path));
        assert_int_equal(loaded.n_blocks, 0);
    }
    unlink(path);
    assert_int_equal(corpus_load(path, &loaded, &error), CORPUS_IO_ERROR);
    assert_int_equal(corpus_save("/nonexistent-directory/x", &blocks, &error), CORPUS_IO_ERROR);
    corpus_free(&blocks);
}

static void reads_the_block_size_from_a_file_name(void **state)
{
    (void)state;
    static const struct {
        const char *path, *name;
        size_t block_bytes;
    } files[] = {
        {"dir/orders-16384.blocks", "orders", 16384},
        {"a-b/my-orders-4096.blocks", "my-orders", 4096},
        {"orders-4096", "orders", 4096},
        {"dir-7/orders.blocks", "orders", 0},
        {"orders-16k.blocks", "orders-16k", 0},
        {"orders-99999999999999999999.blocks", "orders-99999999999999999999", 0},
        {"-4096.blocks", "-4096", 0},
        {".blocks", ".blocks", 0},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char name[64];
        assert_int_equal(corpus_file_name(files[i].path, name, sizeof name), files[i].block_bytes);
        assert_string_equal(name, files[i].name);
    }
}

/* The checker of blocks must itself be able to fail. */
static void knows_what_is_not_a_block(void **state)
{
    (void)state;
    corpus_blocks blocks = generate("csv", 4096, 1);
    const corpus_block *b = &blocks.blocks[0];
    unsigned char *copy = malloc(b->size);
    assert_non_null(copy);
    memcpy(copy, b->data, b->size);
    assert_true(corpus_count_entries(copy, b->size) > 0);
    assert_int_equal(corpus_count_entries(NULL, 0), 0);
    for (size_t size = 0; size < b->size; size++)
        assert_int_equal(corpus_count_entries(copy, size), 0);
    copy[0] = 1; /* the first key shares a byte with none */
    assert_int_equal(corpus_count_entries(copy, b->size), 0);
    copy[0] = b->data[0];
    copy[b->size - 8] ^= 1; /* the last restart point is between entries */
    assert_int_equal(corpus_count_entries(copy, b->size), 0);
    copy[b->size - 8] ^= 1;
    memset(copy + b->size - 4, 0xff, 4);
    assert_int_equal(corpus_count_entries(copy, b->size), 0);
    free(copy);
    corpus_free(&blocks);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_every_corpus),
        cmocka_unit_test(gives_the_same_blocks_again),
        cmocka_unit_test(gives_the_same_records_everywhere),
        cmocka_unit_test(blocks_are_whole_and_sized_as_asked),
        cmocka_unit_test(compresses_like_real_data),
        cmocka_unit_test(takes_and_refuses_odd_sizes),
        cmocka_unit_test(says_why_the_scratch_directory_cannot_be_made),
        cmocka_unit_test(random_blocks_come_by_name_only),
        cmocka_unit_test(saves_and_loads),
        cmocka_unit_test(reads_the_block_size_from_a_file_name),
        cmocka_unit_test(knows_what_is_not_a_block),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
