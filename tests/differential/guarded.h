/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory between two pages that may not be touched, so that one byte read or written out of
 * bounds is a fault, with any compiler and without a sanitizer.
 */
#ifndef ROCKPRESS_TESTS_DIFFERENTIAL_GUARDED_H
#define ROCKPRESS_TESTS_DIFFERENTIAL_GUARDED_H

#include <stddef.h>
#include <stdint.h>

typedef struct guarded_memory {
    uint8_t *mapping;
    size_t mapping_bytes;
    size_t inner_bytes; /* between the guards: a multiple of the page size */
} guarded_memory;

/* Memory for n bytes; aborts when there is none. */
void guarded_map(guarded_memory *guarded, size_t n);
void guarded_unmap(guarded_memory *guarded);

/* n bytes that start right after the first guard, or end right before the second. */
uint8_t *guarded_first(const guarded_memory *guarded);
uint8_t *guarded_last(const guarded_memory *guarded, size_t n);

#endif
