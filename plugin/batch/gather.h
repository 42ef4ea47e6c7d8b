/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of files that are gathered for a batch. A table builder that is asked for samples
 * holds all blocks of its file until the file is complete or a limit of its own is met. That memory
 * is not the plugin's, but it is taken on its behalf. So whoever asks for samples first asks here:
 *
 *     file.bytes = rp_gather_begin(kind, most_bytes, limit)    0: ask for no samples
 *     file.bytes = rp_gather_shown(kind, file.bytes, n, limit) the samples are there, n bytes
 *     rp_gather_end(file.bytes)                                the file is done, or given up
 *
 * The limit is that of the memory of batches. All files together are let in up to half of it: the
 * other half is for the batches that are made of them. The builder's own copy, made when it shows
 * the samples, comes on top for that moment. So one file alone may take a quarter of the limit.
 *
 * Nobody says how large a file will be. It is expected to be like the largest one of its kind so
 * far, less a little for each smaller one since. One that turned out to be larger than a quarter of
 * the limit keeps its kind out for some hundreds of files.
 *
 * Thread rule: any thread; no lock, no allocation.
 */
#ifndef ROCKPRESS_PLUGIN_BATCH_GATHER_H
#define ROCKPRESS_PLUGIN_BATCH_GATHER_H

#include <stddef.h>
#include <stdint.h>

/* The kind of files with that name (a column family's) and purpose: those that are written for the
 * same reason and to the same level are of one size. Kinds may coincide, which costs precision. */
uint32_t rp_gather_kind(const char *name, size_t length, uint32_t purpose);

/* Lets a file in, of which the builder holds at most most_bytes; SIZE_MAX: nobody knows. Returns
 * how many bytes it is expected to hold, which are counted until rp_gather_end; 0 when there is no
 * room. That is counted as a statistic. */
size_t rp_gather_begin(uint32_t kind, size_t most_bytes, size_t limit_bytes);

/* The most bytes of samples that are worth asking for. */
size_t rp_gather_most_samples(size_t limit_bytes);

/* The file's samples have that many bytes. Returns what is counted for it from now on. */
size_t rp_gather_shown(uint32_t kind, size_t counted_bytes, size_t shown_bytes, size_t limit_bytes);

void rp_gather_end(size_t counted_bytes);

#endif
