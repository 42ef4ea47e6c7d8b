/* SPDX-License-Identifier: Apache-2.0 */
/* See corpus.h. */
#include <xxhash.h>

#include "bench/corpus/corpus.h"

uint64_t corpus_hash(const corpus_blocks *blocks)
{
    XXH64_state_t *state = XXH64_createState();
    if (!state)
        return 0;
    XXH64_reset(state, 0);
    for (size_t i = 0; i < blocks->n_blocks; i++) {
        const size_t size = blocks->blocks[i].size;
        const unsigned char length[4] = {(unsigned char)size, (unsigned char)(size >> 8),
                                         (unsigned char)(size >> 16), (unsigned char)(size >> 24)};
        XXH64_update(state, length, sizeof length);
        XXH64_update(state, blocks->blocks[i].data, size);
    }
    const uint64_t hash = XXH64_digest(state);
    XXH64_freeState(state);
    return hash;
}
