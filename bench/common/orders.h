/* SPDX-License-Identifier: Apache-2.0 */
/* Made content for the tools that are not linked to the corpora. */
#ifndef ROCKPRESS_BENCH_COMMON_ORDERS_H
#define ROCKPRESS_BENCH_COMMON_ORDERS_H

#include <stddef.h>

/* Fills memory with CSV lines of orders under ascending keys, the same ones in every call. At
 * zstd's level 3 they compress about as well as the csv corpus. */
void orders_fill(void *bytes, size_t size);

#endif
