/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets do with a content, however they came by it. */
#ifndef ROCKPRESS_TESTS_FUZZ_ROUND_TRIP_H
#define ROCKPRESS_TESTS_FUZZ_ROUND_TRIP_H

#include <stddef.h>
#include <stdint.h>

/* Largest content. */
#define ROUND_TRIP_MAX_BYTES ((size_t)300000)

#define ROUND_TRIP_CHECKSUM 1U
#define ROUND_TRIP_AT_THE_START 2U /* of the input's mapping: reads before it fault, not after */

/*
 * Compresses the content and has the frame checked; then with exactly the capacity that it needs,
 * and with a byte less. Input, output and workspace lie between guard pages, and the workspace has
 * other garbage in it each time: what was never written must not matter. Aborts with a message on
 * a violation. One thread.
 */
void round_trip(const uint8_t *content, size_t n, unsigned how);

#endif
