/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hooked functions that train dictionaries learn from those that compress: whether a
 * dictionary that was trained is used by zstd at all (hook/dictionary_training.c).
 */
#ifndef ROCKPRESS_PLUGIN_HOOK_DICTIONARY_TRAINING_H
#define ROCKPRESS_PLUGIN_HOOK_DICTIONARY_TRAINING_H

#include <stddef.h>

/* ZSTD_compress2 has returned this for a block with a dictionary. */
void rp_dictionary_was_used(const void *frame, size_t result);

#endif
