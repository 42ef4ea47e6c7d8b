/* SPDX-License-Identifier: Apache-2.0 */
/* See blocks.h. */
#include "bench/device/blocks.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char suffix[] = ".blocks";

static bool is_blocks_file(const char *name)
{
    const size_t n = strlen(name);
    return n > sizeof suffix - 1 && strcmp(name + n - (sizeof suffix - 1), suffix) == 0;
}

static void name_file(const char *path, struct device_file *file)
{
    char name[96];
    file->block_bytes = corpus_file_name(path, name, sizeof name);
    if (file->block_bytes != 0) {
        snprintf(file->name, sizeof file->name, "%s-%zu", name, file->block_bytes);
    } else {
        snprintf(file->name, sizeof file->name, "%s", name);
        file->block_bytes = file->blocks.total_bytes / file->blocks.n_blocks;
    }
}

static bool add_file(struct device_blocks *d, const char *path)
{
    corpus_error error;
    if (d->n_files == DEVICE_MAX_FILES) {
        fprintf(stderr, "device: more than %d files of blocks\n", DEVICE_MAX_FILES);
        return false;
    }
    struct device_file *file = &d->files[d->n_files];
    if (corpus_load(path, &file->blocks, &error) != CORPUS_OK) {
        fprintf(stderr, "device: %s\n", error.message);
        return false;
    }
    name_file(path, file);
    file->hash = corpus_hash(&file->blocks);
    d->n_files++;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct device_file *)a)->name, ((const struct device_file *)b)->name);
}

bool device_blocks_add(struct device_blocks *d, const char *path)
{
    DIR *directory = opendir(path);
    if (!directory)
        return add_file(d, path);
    bool good = true;
    const unsigned before = d->n_files;
    for (struct dirent *entry; good && (entry = readdir(directory));) {
        char file[1024];
        const int n = snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (is_blocks_file(entry->d_name) && n > 0 && (size_t)n < sizeof file)
            good = add_file(d, file);
    }
    closedir(directory);
    if (good && d->n_files == before) {
        fprintf(stderr, "device: no *%s in %s; bench/corpus makes them\n", suffix, path);
        good = false;
    }
    return good;
}

/* Takes the first block of each file of this block size, then the second of each, and so on. */
static bool interleave(const struct device_blocks *d, struct device_group *g)
{
    size_t n = 0, longest = 0;
    for (unsigned i = 0; i < d->n_files; i++) {
        const struct device_file *file = &d->files[i];
        if (file->block_bytes != g->block_bytes)
            continue;
        n += file->blocks.n_blocks;
        longest = file->blocks.n_blocks > longest ? file->blocks.n_blocks : longest;
    }
    g->blocks = calloc(n, sizeof *g->blocks);
    if (!g->blocks)
        return false;
    for (size_t k = 0; k < longest; k++)
        for (unsigned i = 0; i < d->n_files; i++) {
            const struct device_file *file = &d->files[i];
            if (file->block_bytes != g->block_bytes || k >= file->blocks.n_blocks)
                continue;
            const corpus_block *block = &file->blocks.blocks[k];
            g->blocks[g->n_blocks++] = *block;
            g->raw_bytes += block->size;
            g->max_bytes = block->size > g->max_bytes ? block->size : g->max_bytes;
        }
    return true;
}

static bool is_asked_for(size_t size, const struct options_list *sizes)
{
    bool found = sizes->n == 0;
    for (unsigned i = 0; i < sizes->n; i++)
        found = found || (size_t)sizes->values[i] == size;
    return found;
}

static int by_size(const void *a, const void *b)
{
    const size_t x = ((const struct device_group *)a)->block_bytes;
    const size_t y = ((const struct device_group *)b)->block_bytes;
    return (x > y) - (x < y);
}

bool device_blocks_group(struct device_blocks *d, const struct options_list *sizes)
{
    qsort(d->files, d->n_files, sizeof d->files[0], by_name);
    for (unsigned i = 0; i < d->n_files; i++) {
        const size_t size = d->files[i].block_bytes;
        bool is_new = is_asked_for(size, sizes);
        for (unsigned k = 0; k < d->n_groups; k++)
            is_new = is_new && d->groups[k].block_bytes != size;
        if (!is_new)
            continue;
        struct device_group *g = &d->groups[d->n_groups++];
        g->block_bytes = size;
        if (!interleave(d, g)) {
            fputs("device: no memory for the lists of blocks\n", stderr);
            return false;
        }
    }
    qsort(d->groups, d->n_groups, sizeof d->groups[0], by_size);
    if (d->n_groups == 0)
        fputs("device: no blocks of the sizes that were asked for\n", stderr);
    return d->n_groups != 0;
}

void device_blocks_free(struct device_blocks *d)
{
    for (unsigned i = 0; i < d->n_files; i++)
        corpus_free(&d->files[i].blocks);
    for (unsigned i = 0; i < d->n_groups; i++)
        free(d->groups[i].blocks);
    memset(d, 0, sizeof *d);
}
