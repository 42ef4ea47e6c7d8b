/* SPDX-License-Identifier: Apache-2.0 */
/* See orders.h. */
#include "bench/common/orders.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void orders_fill(void *bytes, size_t size)
{
    static const char *const states[] = {"new", "paid", "packed", "shipped", "returned"};
    static const char *const cities[] = {"Berlin", "Lyon", "Porto", "Gdansk", "Turin", "Malmo"};
    uint64_t state = 1, key = 100000000;
    char line[192];

    for (size_t used = 0; used < size;) {
        uint64_t a = next_random(&state), b = next_random(&state);
        size_t n;
        key += 1 + a % 7;
        n = (size_t)snprintf(
            line, sizeof(line), "%012llu,2024-%02u-%02uT%02u:%02u:%02uZ,%u,%s,%s,%u.%02u,EUR,%u\n",
            (unsigned long long)key, (unsigned)(a >> 8) % 12 + 1, (unsigned)(a >> 16) % 28 + 1,
            (unsigned)(a >> 24) % 24, (unsigned)(a >> 32) % 60, (unsigned)(a >> 40) % 60,
            (unsigned)(b & 0xfffff), states[(b >> 20) % 5], cities[(b >> 28) % 6],
            (unsigned)(b >> 36) % 500, (unsigned)(b >> 48) % 100, (unsigned)(b >> 56) % 9 + 1);
        n = n < size - used ? n : size - used;
        memcpy((char *)bytes + used, line, n);
        used += n;
    }
}
