/* SPDX-License-Identifier: Apache-2.0 */

#include "rfc8878_bits.h"

/* Bits [position, position + n) of a little-endian bit array. All of them must exist. */
static uint32_t extract(const uint8_t *bytes, size_t position, unsigned n)
{
    uint64_t gathered = 0;
    size_t first = position / 8;
    unsigned shift = (unsigned)(position % 8);
    unsigned n_bytes = (shift + n + 7) / 8;
    for (unsigned i = 0; i < n_bytes; i++) {
        gathered |= (uint64_t)bytes[first + i] << (8 * i);
    }
    return (uint32_t)((gathered >> shift) & ((UINT64_C(1) << n) - 1));
}

bool rfc8878_take_forward(rfc8878_forward_bits *bits, unsigned n, uint32_t *value)
{
    if (n > bits->size * 8 - bits->position) {
        return false;
    }
    *value = extract(bits->bytes, bits->position, n);
    bits->position += n;
    return true;
}

bool rfc8878_open_backward(const rfc8878_report *report, const char *section, const uint8_t *src,
                           size_t size, rfc8878_backward_bits *bits)
{
    /* Huffman-coded Streams, Decoding Sequences: the final-bit flag is always there, so a
     * bitstream has at least one byte and its last byte is not 0. */
    if (size == 0) {
        return rfc8878_reject(report, src, section, "bitstream is empty, not even a final bit");
    }
    unsigned last = src[size - 1];
    if (last == 0) {
        return rfc8878_reject(report, src + size - 1, section,
                              "last byte of the bitstream is 0, there is no final bit");
    }
    unsigned flag = 7;
    while ((last >> flag) == 0) {
        flag--;
    }
    bits->bytes = src;
    bits->n_left = (size - 1) * 8 + flag;
    return true;
}

bool rfc8878_take_backward(rfc8878_backward_bits *bits, unsigned n, uint32_t *value)
{
    if (n > bits->n_left) {
        return false;
    }
    bits->n_left -= n;
    *value = extract(bits->bytes, bits->n_left, n);
    return true;
}

uint32_t rfc8878_peek_backward(const rfc8878_backward_bits *bits, unsigned n)
{
    if (n <= bits->n_left) {
        return extract(bits->bytes, bits->n_left - n, n);
    }
    unsigned n_real = (unsigned)bits->n_left;
    return extract(bits->bytes, 0, n_real) << (n - n_real);
}

const uint8_t *rfc8878_backward_at(const rfc8878_backward_bits *bits)
{
    return bits->bytes + (bits->n_left > 0 ? (bits->n_left - 1) / 8 : 0);
}
