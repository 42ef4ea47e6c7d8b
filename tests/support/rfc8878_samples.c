/* SPDX-License-Identifier: Apache-2.0 */

#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_Sequence */

#include "rfc8878_samples.h"

enum { BLOCK_BYTES = 128 * 1024 };

/* xorshift64*. */
uint32_t rfc8878_next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * UINT64_C(0x2545F4914F6CDD1D)) >> 32);
}

uint32_t rfc8878_random_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)(((uint64_t)rfc8878_next_random(state) * n) >> 32);
}

uint32_t rfc8878_random_magnitude(uint64_t *state, uint32_t max)
{
    uint32_t n_bits = rfc8878_random_below(state, 33);
    uint64_t value = rfc8878_next_random(state) & ((UINT64_C(1) << n_bits) - 1);
    return (uint32_t)(value % ((uint64_t)max + 1));
}

void rfc8878_fill(uint8_t *bytes, size_t n, unsigned kind, uint64_t *random)
{
    static const char *const words[] = {
        "the ", "block", "of ", "key=", "value;", "\n", "0x", "sst "};
    size_t i = 0;
    while (i < n) {
        unsigned now = kind == RFC8878_MIXED ? rfc8878_random_below(random, RFC8878_MIXED) : kind;
        size_t end = kind == RFC8878_MIXED ? i + 1 + rfc8878_random_magnitude(random, 20000) : n;
        end = end < n ? end : n;
        for (; i < end; i++) {
            switch (now) {
            case RFC8878_ZEROS:
                bytes[i] = 0;
                break;
            case RFC8878_NOISE:
                bytes[i] = (uint8_t)rfc8878_next_random(random);
                break;
            case RFC8878_WORDS: {
                const char *word = words[rfc8878_random_below(random, 8)];
                for (; *word != '\0' && i < end; word++) {
                    bytes[i++] = (uint8_t)*word;
                }
                i--;
                break;
            }
            case RFC8878_SKEWED: {
                uint32_t bits = rfc8878_next_random(random) | 1U << 31;
                unsigned zeros = 0;
                while (((bits >> zeros) & 1) == 0) {
                    zeros++;
                }
                bytes[i] = (uint8_t)('a' + zeros);
                break;
            }
            case RFC8878_RECORDS:
                bytes[i] = (uint8_t)(i % 24 < 18 ? i % 24 * 11 : rfc8878_next_random(random) & 7);
                break;
            case RFC8878_TWO_SYMBOLS:
                bytes[i] = rfc8878_random_below(random, 9) == 0 ? 200 : 100;
                break;
            default:
                bytes[i] = (uint8_t)(rfc8878_random_below(random, 100) +
                                     rfc8878_random_below(random, 100));
                break;
            }
        }
    }
}

size_t rfc8878_random_sequences(uint8_t *content, size_t n, ZSTD_Sequence *sequences, bool dense,
                                uint64_t *random)
{
    uint32_t recent[3] = {1, 4, 8};
    size_t n_sequences = 0;
    size_t done = 0;
    size_t block_end = 0;
    while (done < n) {
        block_end = block_end + BLOCK_BYTES < n ? block_end + BLOCK_BYTES : n;
        while (done + 4 <= block_end) {
            size_t left = block_end - done - 3;
            uint32_t literals = rfc8878_random_magnitude(random, dense ? 1 : 300);
            literals = done == 0 ? 1 : literals;
            literals = literals < left ? literals : (uint32_t)left;
            for (uint32_t i = 0; i < literals; i++) {
                content[done++] = (uint8_t)('a' + rfc8878_random_below(random, 4 + literals % 8));
            }
            left = block_end - done;
            uint32_t match = 3 + rfc8878_random_magnitude(random, dense ? 0 : 3000);
            match = match < left ? match : (uint32_t)left;
            uint32_t offset = 1 + rfc8878_random_magnitude(random, (uint32_t)done - 1);
            if (rfc8878_random_below(random, 2) == 0) {
                uint32_t which = rfc8878_random_below(random, 4);
                uint32_t repeat = which < 3 ? recent[which] : recent[0] - 1;
                offset = repeat > 0 && repeat <= done ? repeat : offset;
            }
            recent[2] = offset == recent[1] ? recent[2] : recent[1];
            recent[1] = offset == recent[0] ? recent[1] : recent[0];
            recent[0] = offset;
            for (uint32_t i = 0; i < match; i++, done++) {
                content[done] = content[done - offset];
            }
            sequences[n_sequences++] = (ZSTD_Sequence){offset, literals, match, 0};
        }
        uint32_t rest = (uint32_t)(block_end - done);
        for (; done < block_end; done++) {
            content[done] = '.';
        }
        sequences[n_sequences++] = (ZSTD_Sequence){0, rest, 0, 0};
    }
    return n_sequences;
}
