/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/sampled_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "plugin/route/route.h"

static void *allocate(size_t bytes)
{
    void *memory = malloc(bytes != 0 ? bytes : 1);

    if (memory == NULL)
        abort();
    return memory;
}

/* Rows with a growing key and words from a small vocabulary, like a table's. */
static void fill(uint8_t *block, size_t size, uint64_t seed)
{
    static const char *const words[] = {"paid", "open", "shipped", "eur", "usd", "null", "x"};
    uint64_t random = seed * UINT64_C(6364136223846793005) + 1;
    size_t used = 0;

    while (used < size) {
        char row[80];
        int n;
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        n = snprintf(row, sizeof(row), "user%012llu;%s;%08x;",
                     (unsigned long long)seed * 4096 + used, words[(random >> 40) % 7],
                     (unsigned)(random >> 32));
        if ((size_t)n > size - used)
            n = (int)(size - used);
        memcpy(block + used, row, (size_t)n);
        used += (size_t)n;
    }
}

void sampled_file_sample(sampled_file *file, size_t sample_limit)
{
    size_t n = file->n_blocks, total = 0, used = 0;
    size_t place = n / 2, step;

    if (n == 0)
        return;
    step = (size_t)(UINT64_C(545055921143) % n);
    for (size_t i = 0; i < n; i++)
        total += file->sizes[i];
    if (sample_limit == 0)
        sample_limit = total;
    free(file->samples);
    free(file->sample_sizes);
    file->samples = allocate(total);
    file->sample_sizes = allocate(n * sizeof(size_t));
    file->n_samples = 0;
    while (file->n_samples < n && used < sample_limit) {
        size_t left = sample_limit - used;
        size_t size = file->sizes[place] < left ? file->sizes[place] : left;
        memcpy(file->samples + used, file->blocks[place], size);
        file->sample_sizes[file->n_samples++] = size;
        used += size;
        place = (place + step) % n;
    }
}

void sampled_file_make(sampled_file *file, size_t n_blocks, size_t block_bytes, size_t sample_limit,
                       uint64_t seed)
{
    memset(file, 0, sizeof(*file));
    file->n_blocks = n_blocks;
    file->sizes = allocate(n_blocks * sizeof(size_t));
    file->blocks = allocate(n_blocks * sizeof(uint8_t *));
    for (size_t i = 0; i < n_blocks; i++) {
        /* Blocks end with the entry that fills them: sizes differ a little. */
        file->sizes[i] = block_bytes - (i * 7 + seed) % 64;
        file->blocks[i] = allocate(file->sizes[i]);
        fill(file->blocks[i], file->sizes[i], seed * 100000 + i + 1);
    }
    sampled_file_sample(file, sample_limit);
}

void sampled_file_free(sampled_file *file)
{
    for (size_t i = 0; i < file->n_blocks; i++)
        free(file->blocks[i]);
    free(file->blocks);
    free(file->sizes);
    free(file->samples);
    free(file->sample_sizes);
    memset(file, 0, sizeof(*file));
}

rp_batch_id sampled_file_begin(const sampled_file *file, const rp_route_hint *hint)
{
    size_t total = 0;
    rp_batch_id id;
    size_t *sizes = allocate(file->n_samples * sizeof(size_t));
    uint8_t *samples;

    for (size_t i = 0; i < file->n_samples; i++)
        total += file->sample_sizes[i];
    samples = allocate(total);
    memcpy(samples, file->samples, total);
    memcpy(sizes, file->sample_sizes, file->n_samples * sizeof(size_t));
    id = rp_route_begin_batch(samples, sizes, file->n_samples, hint);
    /* Samples are gone after the call. */
    memset(samples, 0xDD, total);
    free(samples);
    memset(sizes, 0xDD, file->n_samples * sizeof(size_t));
    free(sizes);
    return id;
}

rp_fallback_reason ask_for_block(const uint8_t *block, size_t size, int level, bool checksum)
{
    size_t capacity = ZSTD_compressBound(size), frame_size = 0;
    uint8_t *frame = allocate(capacity);
    uint8_t *decoded = allocate(size);
    rp_request request = {block, size, frame, capacity, level, checksum};
    rp_fallback_reason reason = rp_route_compress(&request, &frame_size);

    if (reason == RP_FALLBACK_NONE &&
        (ZSTD_decompress(decoded, size, frame, frame_size) != size ||
         memcmp(decoded, block, size) != 0 || ((frame[4] >> 2 & 1) != 0) != checksum)) {
        fprintf(stderr, "a wrong frame was handed over\n");
        exit(1);
    }
    free(frame);
    free(decoded);
    return reason;
}

rp_fallback_reason sampled_file_ask(const sampled_file *file, size_t i, int level, bool checksum)
{
    return ask_for_block(file->blocks[i], file->sizes[i], level, checksum);
}
