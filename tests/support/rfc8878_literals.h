/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ROCKPRESS_TESTS_SUPPORT_RFC8878_LITERALS_H
#define ROCKPRESS_TESTS_SUPPORT_RFC8878_LITERALS_H

#include "rfc8878_huffman.h"

/*
 * Reads the Literals_Section at the start of src into dst.
 *
 * max_size: Block_Maximum_Size of the frame; dst has room for as many bytes, or for `capacity`.
 * tree:     in: the tree of the previous Huffman-compressed literals, out: the one to reuse next.
 */
bool rfc8878_read_literals(const rfc8878_report *report, const uint8_t *src, size_t size,
                           size_t max_size, uint8_t *dst, size_t capacity, size_t *dst_size,
                           size_t *consumed, rfc8878_huffman_tree *tree, rfc8878_stats *stats);

#endif
