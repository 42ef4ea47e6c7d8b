/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes through the whole encoder: the first says how, the others are the content. */
#include "tests/fuzz/round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    round_trip(data + 1, n - 1, data[0]);
    return 0;
}
